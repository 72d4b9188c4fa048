"""JSON as services give it: one document or several in a file, and what a document must have, named if it is absent."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from gcr_fast.sources.files import File, refuse

if TYPE_CHECKING:
    import pyarrow as pa

T = TypeVar("T")
_KINDS: dict[type, str] = {dict: "an object", list: "a list", str: "a text"}


def documents(file: File) -> list[dict[str, Any]]:
    """Return the objects of a file: one alone, several one after another (JSON lines), or the members of a list.

    Numbers stay the text that they are, so that they can be read exactly.
    """
    text, at, found = file.text().strip(), 0, list[Any]()
    decoder = json.JSONDecoder(parse_float=str, parse_int=str)
    while at < len(text):
        try:
            document, at = decoder.raw_decode(text, at)
        except (json.JSONDecodeError, RecursionError) as error:
            refuse(file, f"is damaged JSON: {error}")
        found += document if isinstance(document, list) else [document]
        while at < len(text) and text[at].isspace():
            at += 1
    for document in found:
        if not isinstance(document, dict):
            refuse(file, f"has {str(document)[:40]!r} where an object was expected")
    _check_letters(file, text, found)
    return found


def _check_letters(file: File, text: str, found: list[Any]) -> None:
    """Refuse halves of letters: JSON can escape one, but no text can hold it."""
    if "\\ud" in text or "\\uD" in text:
        try:
            json.dumps(found, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            refuse(file, f"is damaged JSON: {error.reason}")


def member(file: File, parent: dict[str, Any], key: str, kind: type[T], where: str = "") -> T:
    """Return what stands under a key. Refused if it is absent or of another kind (`where` says of what it is part)."""
    found = parent.get(key)
    if not isinstance(found, kind):
        inside = f" in {where}" if where else ""
        said = "has no" if key not in parent else f"has something else than {_KINDS[kind]} as"
        refuse(file, f"{said} {key!r}{inside}", "missing_column", column=key)
    return found


def column(file: File, rows: Sequence[Any], key: str, where: str) -> pa.Array:
    """Return what every object of a list has under a key, as text; null stays null. Refused if one lacks it."""
    import pyarrow as pa

    try:
        cells = [row[key] for row in rows]
    except (KeyError, TypeError):
        at = next(at for at, row in enumerate(rows) if not isinstance(row, dict) or key not in row)
        if not isinstance(rows[at], dict):
            refuse(
                file, f"has something else than an object as entry {at + 1} of {where}", "malformed_row", line=at + 1
            )
        refuse(file, f"has no {key!r} in entry {at + 1} of {where}", "missing_column", column=key, line=at + 1)
    return pa.array([cell if cell is None or isinstance(cell, str) else str(cell) for cell in cells], pa.string())
