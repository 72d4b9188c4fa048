"""Ways in which a file arrives broken, applied to any file of any format.

Each damage says what may come of it: `harmless` ones change nothing that a reader may see (refused, or the same
result); the others may lose values, but never change or invent one.
"""

import csv
import gzip
import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

from gcr_fast.sources.files import delimiter_of, open_file

HTML = b"<!DOCTYPE html>\n<html><head><title>503</title></head><body>Service Unavailable</body></html>\n"
SHIFT_JIS = "テスト,電力".encode("cp932")
JUNK_CELLS = ("9" * 31, "-" + "9" * 31, "1e308", "abc", "1,234,5", "１２", "inf", "0x1F", "1_000", "--", "5-", "1.2.3")
JUNK_VALUES = (10**30, -(10**30), "abc", None, True, [1], {"a": 1}, "", "1e308")
FEW = 12
"""Columns, keys or tags that are damaged one at a time, at most."""


@dataclass(frozen=True)
class Damage:
    """A damaged file, and what is allowed to come of it."""

    name: str
    content: bytes
    harmless: bool = False
    cut_line: int | None = None
    """The line on which the file was cut off: the last number on it may have lost its end."""
    swaps: dict[int, int] | None = None
    """Starts of doubled hours: where one of the two is lost, the other may stand for either."""


def damages(path, readings) -> Iterator[Damage]:
    """Every damage of a file that was read as `readings`."""
    data = path.read_bytes()
    kind = open_file(path).kind
    yield from of_bytes(data, kind)
    if kind in {"csv", "json", "xml"}:
        encoding = open_file(path).encoding
        text = data.decode(encoding)
        yield from of_text(text, kind, encoding, readings)


def of_bytes(data, kind) -> Iterator[Damage]:
    """Damages of any file."""
    yield Damage("empty", b"")
    yield Damage("blank", b" \r\n \n\t")
    yield Damage("an HTML page", HTML)
    yield Damage("an HTML page with a BOM", b"\xef\xbb\xbf \n" + HTML.lower())
    yield Damage("gzip", gzip.compress(data), harmless=True)
    yield Damage("gzip cut off", gzip.compress(data)[: len(data) // 5])
    yield Damage("gzip of gzip", gzip.compress(gzip.compress(data)))
    yield Damage("gzip of nothing", gzip.compress(b""))
    yield Damage("half a gzip header", b"\x1f\x8b\x08")
    yield Damage("zeros", bytes(len(data)))
    for part in (0.02, 0.1, 0.3, 0.5, 0.7, 0.9):
        yield truncated(data, int(part * len(data)), kind)
    for left in (1, 2, 3, 7, 20, 61):
        yield truncated(data, max(1, len(data) - left), kind)
    if kind in {"zip", "parquet"}:
        yield Damage("without its first bytes", data[4:])
        yield Damage("trailing junk", data + b"\0\0junk")
    if kind == "zip":
        yield from of_workbook(data)


def truncated(data, size, kind):
    """Cut off after `size` bytes; `cut_line` is the line that lost its end, if it lost it within a cell."""
    text = kind == "csv"
    inside = text and data[size - 1 : size] not in b"\r\n" and data[size : size + 1] not in b"\r\n"
    line = data[:size].replace(b"\r\n", b"\n").count(b"\n") + 1 if inside else None
    return Damage(f"cut off after {size} of {len(data)} bytes", data[:size], cut_line=line)


def of_workbook(data) -> Iterator[Damage]:
    """Bits of a packed workbook turned, and parts of it left out."""
    for at in range(40, len(data), max(1, len(data) // 12)):
        turned = bytearray(data)
        turned[at] ^= 0x10
        yield Damage(f"a bit turned at byte {at}", bytes(turned))
    with zipfile.ZipFile(io.BytesIO(data)) as whole:
        for left_out in whole.namelist():
            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w") as part:
                for name in whole.namelist():
                    if name != left_out:
                        part.writestr(name, whole.read(name))
            yield Damage(f"without {left_out}", packed.getvalue())
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    yield Damage("an empty archive", empty.getvalue() + b"\0" * 30)


def of_text(text, kind, encoding, readings) -> Iterator[Damage]:
    """Damages of any text, then those of its kind."""
    plain = text.lstrip("\ufeff")
    data = plain.encode(encoding.replace("-sig", ""))
    xml = kind == "xml"  # its declaration names the encoding, which a recoded file then belies
    yield Damage("BOM", plain.encode("utf-8-sig"), harmless=not xml)
    yield Damage("UTF-16", plain.encode("utf-16"), harmless=not xml)
    yield Damage("UTF-16, big end first", b"\xfe\xff" + plain.encode("utf-16-be"), harmless=not xml)
    yield Damage("UTF-16 without BOM", plain.encode("utf-16-le"))
    yield Damage("UTF-32", plain.encode("utf-32"))
    yield Damage("CR line ends", re.sub(r"\r?\n", "\r", plain).encode(), harmless=True)
    yield Damage("CRLF line ends", re.sub(r"\r?\n", "\r\n", plain).encode(), harmless=True)
    western = plain.encode("cp1252", "ignore")
    if western.decode("cp1252") == plain and not plain.isascii():
        yield Damage("Windows-1252", western, harmless=not xml)
    for part in (0.0, 0.2, 0.5, 0.8, 1.0):
        at = int(part * len(data))
        yield Damage(f"a zero byte at {at}", data[:at] + b"\0" + data[at:])
        yield Damage(f"Shift-JIS at {at}", data[:at] + SHIFT_JIS + data[at:])
        yield Damage(f"a byte that is no text at {at}", data[:at] + b"\xff\xfe\xfd" + data[at:])
    for order, pattern, swapped in (
        ("day first, dots", r"\b(\d{2})\.(\d{2})\.(\d{4})\b", r"\2.\1.\3"),
        ("slashes", r"\b(\d{1,2})/(\d{1,2})/(\d{4})\b", r"\2/\1/\3"),
        ("ISO", r"\b(\d{4})-(\d{2})-(\d{2})", r"\1-\3-\2"),
    ):
        if telling(text, pattern):
            yield Damage(f"day and month swapped, {order}", re.sub(pattern, swapped, plain).encode())
    if kind == "csv":
        yield from of_table(plain, encoding, readings)
    elif kind == "json":
        yield from of_json(plain)
    else:
        yield from of_xml(plain)


def telling(text, pattern):
    """Whether some date of a file shows by a day above 12 that day and month were swapped."""
    parts = [match.groups() for match in re.finditer(pattern, text)]
    months = [tuple(int(part) for part in one if len(part) < 4) for one in parts]
    return any(max(pair) > 12 for pair in months)


# --- tables


class Sheet:
    """A delimited text as lines, and which of them have data."""

    def __init__(self, text, encoding, readings):
        self.encoding = encoding.replace("-sig", "")
        self.lines = text.splitlines()
        self.data = sorted({int(line) - 1 for one in readings.series for line in one.lines if line <= len(self.lines)})
        self.delimiter = delimiter_of(self.lines[self.data[len(self.data) // 2]])

    def bytes(self, lines):
        return ("\n".join(lines) + "\n").encode(self.encoding, "replace")  # wide digits are ?? in Windows-1252

    def cells(self, at):
        return next(csv.reader([self.lines[at]], delimiter=self.delimiter), [])

    def joined(self, cells):
        out = io.StringIO()
        csv.writer(out, delimiter=self.delimiter, lineterminator="").writerow(cells)
        return out.getvalue()

    def with_line(self, at, line):
        """The file with one line replaced."""
        return self.bytes([*self.lines[:at], line, *self.lines[at + 1 :]])

    def with_lines(self, lines):
        """The file with its data lines replaced, from the first to the last of them."""
        return self.bytes([*self.lines[: self.data[0]], *lines, *self.lines[self.data[-1] + 1 :]])


def of_table(text, encoding, readings) -> Iterator[Damage]:
    sheet = Sheet(text, encoding, readings)
    first, last = sheet.data[0], sheet.data[-1]
    for end in sorted({*range(min(first + 1, 25)), first, first + 1, first + 2, (first + last) // 2}):
        yield Damage(f"only the first {end} lines", sheet.bytes(sheet.lines[:end]) if end else b"")
    for other in {",", ";", "\t", "|"} - {sheet.delimiter}:
        yield Damage(f"delimiter {other!r}", text.replace(sheet.delimiter, other).encode(sheet.encoding))
    yield Damage("trailing words", sheet.bytes([*sheet.lines, "", "*** end of export, 3 warnings ***"]))
    yield Damage("trailing totals", sheet.bytes([*sheet.lines, sheet.delimiter.join(["Total", *"12345"])]))
    yield Damage("trailing bytes", text.encode(sheet.encoding) + b"\x1a\x00\x07")
    yield Damage("blank lines", sheet.bytes([line for one in sheet.lines for line in (one, "")]))
    yield Damage("an unclosed quote", sheet.with_line(first + 1, '"' + sheet.lines[first + 1]))
    yield from of_rows(sheet)
    yield from of_columns(sheet)
    yield from of_cells(sheet)
    yield from of_clock_changes(sheet, readings)


def of_rows(sheet) -> Iterator[Damage]:
    rows = sheet.lines[sheet.data[0] : sheet.data[-1] + 1]
    yield Damage("every row twice", sheet.with_lines([row for one in rows for row in (one, one)]), harmless=True)
    yield Damage("all rows again", sheet.with_lines(rows + rows), harmless=True)
    middle = len(rows) // 2
    yield Damage("one row twice", sheet.with_lines([*rows[:middle], *rows[middle - 1 :]]), harmless=True)
    yield Damage("reversed", sheet.with_lines(rows[::-1]), harmless=True)
    yield Damage("a row without its last cell", sheet.with_line(sheet.data[1], shortened(sheet)))
    yield Damage(
        "a row with a cell more", sheet.with_line(sheet.data[1], f"{sheet.lines[sheet.data[1]]}{sheet.delimiter}1")
    )
    for at in (sheet.data[0], sheet.data[len(sheet.data) // 2], sheet.data[-1]):
        other = changed(sheet, at)
        if other:
            lines = [*sheet.lines[: at + 1], other, *sheet.lines[at + 1 :]]
            yield Damage(f"line {at + 1} again with another number", sheet.bytes(lines))


def shortened(sheet):
    return sheet.lines[sheet.data[1]].rpartition(sheet.delimiter)[0]


NUMBER = re.compile(r"^-?\d+([.,]\d+)*$")


def changed(sheet, at):
    """A data line with its last number changed, or nothing if it has none."""
    cells = sheet.cells(at)
    for place in range(len(cells) - 1, 0, -1):
        if NUMBER.match(cells[place]) and len(cells[place]) < 9:
            digit = "7" if cells[place][-1] != "7" else "3"
            return sheet.joined([*cells[:place], cells[place][:-1] + digit, *cells[place + 1 :]])
    return None


def of_columns(sheet) -> Iterator[Damage]:
    """Each column left out, or only its name; the header is the last line before the data with as many cells."""
    width = len(sheet.cells(sheet.data[0]))
    heads = [at for at in range(sheet.data[0]) if abs(len(sheet.cells(at)) - width) <= 1]
    if not heads:
        return
    header = heads[-1]
    for place in list(range(width))[:FEW]:
        lines = list(sheet.lines)
        for at in range(header, len(lines)):
            cells = sheet.cells(at)
            if len(cells) >= width - 1:
                lines[at] = sheet.joined(cells[:place] + cells[place + 1 :])
        yield Damage(f"without column {place + 1}", sheet.bytes(lines))
        cells = sheet.cells(header)
        if place < len(cells):
            named = sheet.joined([*cells[:place], "Zzz", *cells[place + 1 :]])
            yield Damage(f"column {place + 1} renamed", sheet.with_line(header, named))
            yield Damage(
                f"column {place + 1} lost its name alone",
                sheet.with_line(header, sheet.joined(cells[:place] + cells[place + 1 :])),
            )


def of_cells(sheet) -> Iterator[Damage]:
    """Cells of a data line in another form: decimals mixed, numbers that cannot be, words."""
    at = sheet.data[len(sheet.data) // 3]
    cells = sheet.cells(at)
    for place in [place for place, cell in enumerate(cells) if NUMBER.match(cell)][:FEW]:
        for junk in JUNK_CELLS:
            line = sheet.joined([*cells[:place], junk, *cells[place + 1 :]])
            yield Damage(f"cell {place + 1} of line {at + 1} is {junk[:12]}", sheet.with_line(at, line))
        if re.search(r"[.,]\d{1,2}$|[.,]\d{4,}$", cells[place]):  # three decimals can be three thousand
            other = cells[place].translate(str.maketrans(".,", ",."))
            line = sheet.joined([*cells[:place], other, *cells[place + 1 :]])
            yield Damage(f"cell {place + 1} of line {at + 1} with the other mark", sheet.with_line(at, line))


def of_clock_changes(sheet, readings) -> Iterator[Damage]:
    """The 25-hour day without its hour; the 23-hour day with the hour that it does not have."""
    zone = readings.zone
    if zone.startswith(("+", "-")) or zone == "UTC":
        return
    place = ZoneInfo(zone)
    lines = {}
    for one in readings.series:
        for start, line in zip(one.starts.tolist(), one.lines.tolist(), strict=True):
            lines.setdefault(start, set()).add(line - 1)
    for start in sorted(lines):
        here, later = local(start, place), local(start + 3600, place)
        if start + 3600 in lines and here.replace(tzinfo=None) == later.replace(tzinfo=None):
            swaps = {start: start + 3600, start + 3600: start}
            for name, gone in (("first", lines[start]), ("second", lines[start + 3600])):
                left = [line for at, line in enumerate(sheet.lines) if at not in gone]
                yield Damage(f"autumn without its {name} hour at {here}", sheet.bytes(left), swaps=swaps)
        if (later.hour - here.hour) % 24 == 2:
            yield from skipped_hour(sheet, here, lines[start])


def skipped_hour(sheet, here, rows) -> Iterator[Damage]:
    """Repeat the rows before the clock change with the hour that it skips."""
    written = re.compile(rf"(?<![\d:.-])0?{here.hour}(?=:\d\d)")
    skipped = here + timedelta(hours=1)
    again = [written.sub(f"{skipped.hour:02d}", sheet.lines[at]) for at in sorted(rows)]
    if all(one != sheet.lines[at] for one, at in zip(again, sorted(rows), strict=True)):
        at = max(rows) + 1
        yield Damage(f"spring with the hour after {here}", sheet.bytes([*sheet.lines[:at], *again, *sheet.lines[at:]]))


def local(second, place):
    return datetime.fromtimestamp(second, UTC).astimezone(place)


# --- JSON and XML


def of_json(text) -> Iterator[Damage]:
    document = json.loads(text)
    yield Damage("JSON, then junk", (text + "]}").encode())
    yield Damage("JSON in a list", json.dumps([document]).encode())
    yield Damage("only an empty object", b"{}")
    yield Damage("only an empty list", b"[]")
    yield Damage("only a number", b"[1, 2]")
    yield Damage("null", b"[null]")
    yield Damage("deep", b"[" * 100_000)
    yield Damage("lists reversed", json.dumps(mapped(document, reverse)).encode(), harmless=parallel_free(document))
    yield Damage("entries twice", json.dumps(mapped(document, twice)).encode(), harmless=parallel_free(document))
    for key in keys_of(document)[: 2 * FEW]:
        yield Damage(
            f"without {key!r}", json.dumps(mapped(document, lambda node, key=key: dropped(node, key))).encode()
        )
        renamed = mapped(
            document,
            lambda node, key=key: (
                {("Zzz" if k == key else k): v for k, v in node.items()} if isinstance(node, dict) else node
            ),
        )
        yield Damage(f"{key!r} renamed", json.dumps(renamed).encode())
        for junk in JUNK_VALUES:
            yield Damage(f"{key!r} is {str(junk)[:9]}", json.dumps(first_replaced(document, key, junk)).encode())
            yield Damage(f"every {key!r} is {str(junk)[:9]}", json.dumps(all_replaced(document, key, junk)).encode())


def mapped(node, change):
    """Rebuild a document from its leaves up, with `change` applied to each object and list."""
    if isinstance(node, dict):
        return change({key: mapped(value, change) for key, value in node.items()})
    if isinstance(node, list):
        return change([mapped(value, change) for value in node])
    return node


def reverse(node):
    return node[::-1] if isinstance(node, list) and all(isinstance(one, dict) for one in node) else node


def twice(node):
    return node + node if isinstance(node, list) and all(isinstance(one, dict) for one in node) else node


def parallel_free(document):
    """Whether a document has only lists of objects: of lists of numbers, the order is meaning."""
    lists = []
    mapped(document, lambda node: lists.append(node) or node)
    return all(isinstance(one, dict) for node in lists if isinstance(node, list) for one in node)


def keys_of(document):
    found = {}
    mapped(document, lambda node: found.update(dict.fromkeys(node)) or node if isinstance(node, dict) else node)
    return list(found)


def dropped(node, key):
    return {k: v for k, v in node.items() if k != key} if isinstance(node, dict) else node


def all_replaced(document, key, value):
    return mapped(document, lambda node: {**node, key: value} if isinstance(node, dict) and key in node else node)


def first_replaced(document, key, value):
    done = []

    def change(node):
        if isinstance(node, dict) and key in node and not done:
            done.append(key)
            return {**node, key: value}
        return node

    return mapped(document, change)


def of_xml(text) -> Iterator[Damage]:
    root = ElementTree.fromstring(text.encode())
    tags = list(dict.fromkeys(element.tag for element in root.iter()))
    yield Damage("XML, then junk", (text + "<more>").encode())
    yield Damage("an acknowledgement", b"<Acknowledgement_MarketDocument/>")
    yield Damage("a root alone", f"<{root.tag.rpartition('}')[2]}/>".encode())
    for tag in tags[: 3 * FEW]:
        name = tag.rpartition("}")[2]
        yield Damage(f"without {name}", changed_xml(text, tag, remove=True))
        yield Damage(f"{name} renamed", changed_xml(text, tag, rename=True))
        for junk in ("", "abc", "9" * 31, "1e308"):
            yield Damage(f"{name} is {junk[:9]!r}", changed_xml(text, tag, junk=junk))
            yield Damage(f"every {name} is {junk[:9]!r}", changed_xml(text, tag, junk=junk, every=True))


def changed_xml(text, tag, *, remove=False, rename=False, junk=None, every=False):
    root = ElementTree.fromstring(text.encode())
    found = [(parent, child) for parent in root.iter() for child in parent if child.tag == tag]
    for parent, child in found if every or remove or rename else found[len(found) // 2 :][:1]:
        if remove:
            parent.remove(child)
        elif rename:
            child.tag = tag.rpartition("}")[0] + ("}" if "}" in tag else "") + "Zzz"
        elif not len(child):
            child.text = junk
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
