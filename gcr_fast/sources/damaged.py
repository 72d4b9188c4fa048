"""Files that are told by their first bytes, but are not whole: they can be of no format, and not for want of one."""

from __future__ import annotations

import zipfile
import zlib

from gcr_fast.sources.files import File, refuse

NAMES = {"parquet": "Parquet", "ipc": "Arrow IPC", "zip": "zip"}
_WORKBOOK = "xl/workbook.xml"
_PIECE_BYTES = 1 << 20


def refuse_damaged(file: File) -> None:
    """Refuse a Parquet, Arrow or zip file that is damaged, saying what its library says, or that has to be unpacked.

    Nothing happens to other files, nor to a workbook that is whole.
    """
    name = NAMES.get(file.kind)
    if name is None:
        return
    if file.packed:
        refuse(file, f"is {name} that was packed by gzip: unpack it")
    inside = _zip_names(file) if file.kind == "zip" else []
    if file.kind != "zip":
        _open_arrow(file)
    elif _WORKBOOK not in inside:
        more = f" and {len(inside) - 3} more" if len(inside) > 3 else ""
        refuse(file, f"is a zip archive of {', '.join(inside[:3])}{more}: unpack it")


def _open_arrow(file: File) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        if file.kind == "parquet":
            parquet.read_schema(file.path)
            return
        with pa.memory_map(file.name) as source:
            if file.head.startswith(b"ARROW1"):
                pa.ipc.open_file(source)
                return
            for _ in pa.ipc.open_stream(source):
                pass
    except (pa.ArrowException, OSError, ValueError) as error:
        refuse(file, f"is damaged {NAMES[file.kind]}: {error}")


def _zip_names(file: File) -> list[str]:
    """Return what is in an archive, having read all of it once: its parts have check sums."""
    part = ""
    try:
        with zipfile.ZipFile(file.path) as parts:
            for part in parts.namelist():
                with parts.open(part) as opened:
                    while opened.read(_PIECE_BYTES):
                        pass
            return parts.namelist()
    except (OSError, EOFError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        where = f"{part}: " if part else ""
        refuse(file, f"is a damaged zip file (workbooks are such): {where}{error}")
