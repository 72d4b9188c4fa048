"""Tables that stand in the midst of other text: cut off behind, so that they can be read as any table."""

from __future__ import annotations

from dataclasses import dataclass

from gcr_fast.sources.files import HEAD_BYTES, File


@dataclass(frozen=True)
class Excerpt(File):
    """The beginning of a file. Its lines have the numbers that they have in the file."""

    content: bytes = b""

    @property
    def data(self) -> bytes:
        """The bytes that are left."""
        return self.content


def until_blank_line(file: File, header: int) -> tuple[Excerpt, str]:
    """Return (the file up to the first blank line below line `header`, counted from 0; the text from there on)."""
    lines = file.text().splitlines(keepends=True)
    end = next((at for at in range(header, len(lines)) if not lines[at].strip()), len(lines))
    content = "".join(lines[:end]).encode()
    return Excerpt(file.path, content[:HEAD_BYTES], True, file.state, content), "".join(lines[end:])
