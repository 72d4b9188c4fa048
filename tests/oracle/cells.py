"""Lines of delimited text to whole numbers, a cell at a time with decimals; None where a line is not plain."""

import re
from decimal import Decimal
from math import floor


def number(cell, digits, most, point=".", thousands=""):
    """Return floor(cell * 10 ** digits), None if the cell is no plain number."""
    groups = rf"|\d{{1,3}}(?:{re.escape(thousands)}\d{{3}})+" if thousands else ""
    match = re.fullmatch(rf"(-?)(\d*{groups})({re.escape(point)}(\d*))?", cell, re.ASCII)
    if not match:
        return None
    whole, part = match[2].replace(thousands, "") if thousands else match[2], match[4] or ""
    if not whole + part or len(whole) + digits > 18:
        return None
    size = Decimal(f"{whole or 0}.{part or 0}")
    value = floor(size.scaleb(digits)) if not match[1] else floor(-(size.scaleb(digits)))
    return value if floor(size.scaleb(digits)) <= most else None


def cells_of(line, delimiter, quoted):
    """Split a line; None unless all cells are in quotes, or none is."""
    if not quoted:
        return line.split(delimiter)
    cells = line[1:-1].split(f'"{delimiter}"')
    right = len(line) >= 2 and line[0] == line[-1] == '"' and not any('"' in cell for cell in cells)
    return cells if right else None


def parse(text, cells, digits, most, *, delimiter=",", quoted=False, point=".", thousands="", words=()):
    """Return (numbers or None by row and column, texts by row and column); None if some line is not plain."""
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    while lines and not lines[-1].strip("\r"):  # whatever ends lines ends empty ones
        lines.pop()
    numbers, texts = [], []
    for line in lines:
        found = cells_of(line, delimiter, quoted)
        if not line or found is None or len(found) != len(cells):
            return None
        row, words_of = {}, {}
        for cell, target in zip(found, cells, strict=True):
            if target >= 0 and cell not in {"", *words}:
                row[target] = number(cell, digits, most, point, thousands)
                if row[target] is None:
                    return None
            elif target >= 0:
                row[target] = None
            elif "\0" in cell or (target <= -2 and not cell):
                return None
            elif target <= -2:
                words_of[-2 - target] = cell
        numbers.append([row[at] for at in sorted(row)])
        texts.append([words_of[at] for at in sorted(words_of)])
    return numbers, texts
