"""Mapping files: YAML or JSON in which a user describes a file of no known format, read so that a slip is found.

YAML scalars stay text (`NO` is Norway, `01:00` no number), and a key that stands twice is refused. `Keys` takes a
mapping apart key by key: what is missing, misspelt or of another shape is refused together, each under its path.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gcr_fast.findings import Findings
from gcr_fast.sources.files import File, open_file, refuse

MAX_BYTES = 1 << 20
"""No description of a table is longer."""


class Described(dict[str, object]):
    """A mapping, and the file that it stands in."""

    path: str = ""


class _ShapeError(ValueError):
    """A key that stands twice in one place, or is none; the message goes on from the file."""


def load_mapping(path: str | os.PathLike[str]) -> Described:
    """Read a mapping file. Refused: another shape than keys with values, a doubled key, or YAML without its extra."""
    file = open_file(path)
    text = file.text()
    if len(text) > MAX_BYTES:
        refuse(file, "is too long for a mapping")
    try:
        found = json.loads(text, object_pairs_hook=_once) if text.lstrip().startswith("{") else _yaml(file, text)
    except json.JSONDecodeError as error:
        refuse(file, f"is damaged JSON: {error.msg}", line=error.lineno)
    except _ShapeError as error:
        refuse(file, str(error))
    except RecursionError:
        refuse(file, "is nested too deep for a mapping")
    if not isinstance(found, dict):
        refuse(file, "is no mapping: expected keys with values")
    mapping = Described({str(key): value for key, value in found.items()})
    mapping.path = str(Path(path))
    return mapping


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise _ShapeError(f"has the key {doubled[0]!r} twice")
    return dict(pairs)


def _yaml(file: File, text: str) -> Any:
    """Read YAML with every scalar as text."""
    try:
        import yaml
    except ImportError:
        refuse(file, "is YAML, which needs PyYAML: pip install 'gcr_fast[yaml]' (or write it as JSON)")
    try:
        return _plain(yaml.compose(text, Loader=yaml.BaseLoader), {})
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        said = getattr(error, "problem", None) or "unreadable"
        refuse(file, f"is damaged YAML: {said}", line=mark.line + 1 if mark else None)


def _plain(node: Any, made: dict[int, Any]) -> Any:
    """Turn YAML nodes into dictionaries, lists and text; a node that is mentioned again is `made` once."""
    import yaml

    if not isinstance(node, yaml.CollectionNode):
        return None if node is None else node.value
    if id(node) not in made:
        if isinstance(node, yaml.MappingNode):
            made[id(node)] = _once([(_key(key), _plain(value, made)) for key, value in node.value])
        else:
            made[id(node)] = [_plain(one, made) for one in node.value]
    return made[id(node)]


def _key(node: Any) -> str:
    import yaml

    if not isinstance(node, yaml.ScalarNode):
        raise _ShapeError("has a key that is no plain word")
    return str(node.value)


class Keys:
    """One level of a mapping; `check` refuses keys that were wrong, and those that nobody has asked for."""

    def __init__(self, mapping: Mapping[str, object], where: str = "", top: Keys | None = None) -> None:
        self._left = dict(mapping)
        self._where = where
        self._top = top or self
        self._parts: list[Keys] = []
        self._path: str = str(getattr(mapping, "path", "")) if top is None else top._path
        self.findings: Findings = Findings() if top is None else top.findings

    def __contains__(self, name: str) -> bool:
        return name in self._left

    @property
    def names(self) -> list[str]:
        """The keys that nobody has asked for yet."""
        return list(self._left)

    def is_text(self, name: str) -> bool:
        """Whether a key has a plain value, no keys or list below it."""
        return not isinstance(self._left.get(name), dict | list)

    def fail(self, name: str, message: str, value: object = None) -> None:
        """Note that a key is wrong, once; `message` goes on from its path."""
        path = f"{self._where}{name}"
        if any(finding.column == path for finding in self.findings):
            return
        shown = None if value is None else str(value)[:60]
        said = f"mapping: {path}{'' if shown is None else f' {shown!r}'} {message}"
        self.findings.add("unreadable_value", said, file=self._path or None, column=path, value=shown)

    def text(self, name: str, default: str | None = None, one_of: Iterable[str] = ()) -> str:
        """Return a text (or number, as text). Without a default the key has to be there."""
        if name not in self._left:
            if default is None:
                self.fail(name, "is missing")
            return default or ""
        value = self._left.pop(name)
        allowed = list(one_of)
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            self.fail(name, "must be a text", value)
            return default or ""
        if allowed and str(value) not in allowed:
            self.fail(name, f"must be one of {', '.join(allowed)}", value)
            return default or allowed[0]
        return str(value)

    def number(self, name: str, default: int | None = None, least: int = 0, most: int = 1 << 31) -> int:
        """Return a whole number between two bounds."""
        said = self.text(name, None if default is None else str(default))
        if said.isascii() and said.isdigit() and len(said) < 12 and least <= int(said) <= most:
            return int(said)
        if said:
            self.fail(name, f"must be a whole number from {least} to {most}", said)
        return default or least

    def texts(self, name: str, default: Iterable[str] | None = ()) -> list[str]:
        """Return a list of texts; one text stands for a list of it."""
        if name not in self._left and default is not None:
            return list(default)
        value = self._left.get(name)
        if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
            del self._left[name]
            return list(value)
        if isinstance(value, list):
            self._left.pop(name)
            self.fail(name, "must be a list of texts", value)
            return []
        return [self.text(name)]

    def part(self, name: str) -> Keys:
        """Return the level below a key; an empty one if it is not there."""
        value = self._left.pop(name, {})
        if not isinstance(value, dict):
            self.fail(name, "must have keys below it", value)
            value = {}
        below = Keys({str(key): one for key, one in value.items()}, f"{self._where}{name}.", self._top)
        self._parts.append(below)
        return below

    def check(self) -> None:
        """Refuse if any key was wrong, or if one is left that means nothing."""
        self._note_left()
        self.findings.check()

    def _note_left(self) -> None:
        for name in self._left:
            self.fail(name, "is not known")
        for below in self._parts:
            below._note_left()
