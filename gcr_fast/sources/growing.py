"""Large XML, element by element: what has been told is taken off the tree, so that it stays small.

What is out of the ordinary is `IrregularError`, and left to `File.xml`, which reads all at once and can say what it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from gcr_fast.sources.files import File
from gcr_fast.sources.pieces import IrregularError, pieces

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_DECLARED = re.compile(rb"^(?:\xef\xbb\xbf)?\s*<\?xml\b[^>]*?\bencoding\s*=\s*[\"'](?P<encoding>[^\"']*)")
_LIKE_ASCII = re.compile(rb"utf-8|us-ascii|iso-8859-\d+|windows-125\d", re.IGNORECASE)
"""Encodings in which every letter of ASCII is its own byte, and that byte nothing else."""
_DECLARATIONS = (b"<!ENTITY", b"<!DOCTYPE")
_OVERLAP = max(map(len, _DECLARATIONS)) - 1


def name_of(element: Element) -> str:
    """Return an element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def grown(file: File) -> Iterator[tuple[Element, int]]:
    """Yield the root after each piece of a file, and how many of its children are whole: until the end, not the last.

    Whole children may be taken off.
    """
    from xml.etree.ElementTree import ParseError, TreeBuilder, XMLParser

    builder = TreeBuilder()
    above = builder.start("document", {})  # so that the root is at hand while it is being built
    parser = XMLParser(target=builder)
    try:
        for piece in _plain(file):
            parser.feed(piece)
            if len(above):
                yield above[0], max(len(above[0]) - 1, 0)
        parser.close()
    except (ParseError, LookupError, ValueError):
        raise IrregularError from None
    yield above[0], len(above[0])


def elements_of(file: File, *names: str) -> Iterator[Element]:
    """Tell all elements of some names below the root, in any namespace, in order. Whatever is whole is taken off."""
    for root, whole in grown(file):
        yield from _taken(root, whole, len(root) == whole, names)


def _taken(parent: Element, whole: int, ended: bool, names: tuple[str, ...]) -> Iterator[Element]:
    """Tell what is in the whole children, then in those of the last, which is open unless the document has ended."""
    while True:
        for child in parent[:whole]:
            yield from (element for element in child.iter() if name_of(element) in names)
        del parent[:whole]
        if ended or not len(parent) or name_of(parent[0]) in names:
            return
        parent = parent[0]
        whole = max(len(parent) - 1, 0)


def _plain(file: File) -> Iterator[bytes]:
    """Yield the pieces of a file that declares no entities or document type, in an encoding that cannot hide them."""
    declared = _DECLARED.match(file.head)
    if b"\0" in file.head or (declared and not _LIKE_ASCII.fullmatch(declared["encoding"])):
        raise IrregularError
    before = b""
    for piece in pieces(file):
        seen = before + piece
        if any(one in seen for one in _DECLARATIONS):
            raise IrregularError
        before = seen[-_OVERLAP:]
        yield piece
