"""The slow twin of the sources' frame: one label, one cell, one row at a time."""

import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import floor
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1)


def wall(year, month, day, hour=0, minute=0, second=0):
    """Return seconds since 1970 of what a clock shows, its zone forgotten; None if there is no such date or time.

    24:00 is the end of its day.
    """
    if not 1990 <= year <= 2100:
        return None
    end_of_day = (hour, minute, second) == (24, 0, 0)
    try:
        moment = datetime(year, month, day, 0 if end_of_day else hour, minute, second)
    except ValueError:
        return None
    return int((moment - EPOCH).total_seconds()) + 86400 * end_of_day


def label(text, layout):
    """Return the wall-clock seconds of a text in the layout of `datetime.strptime`."""
    moment = datetime.strptime(text, layout)
    return wall(moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second)


def walked(local_s, zone, keys=None):
    """Return UTC seconds of local wall-clock seconds in order: a label's second mention (of a key) is the later."""
    place, mentioned, found = ZoneInfo(zone), set(), []
    for at, seconds in enumerate(local_s):
        mention = (None if keys is None else keys[at], seconds)
        moment = (EPOCH + timedelta(seconds=seconds)).replace(tzinfo=place, fold=int(mention in mentioned))
        mentioned.add(mention)
        found.append(int(moment.timestamp()))
    return found


def exists(seconds, zone):
    """Whether a zone's clock ever shows this wall-clock time."""
    moment = (EPOCH + timedelta(seconds=seconds)).replace(tzinfo=ZoneInfo(zone))
    return moment.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) == moment.replace(tzinfo=None)


def number(text, digits, missing=(), thousands="", decimal="."):
    """Return floor(number * 10^digits), None for a missing one, "bad" for what is no number."""
    cell = (text or "").strip()
    if not cell or cell in missing:
        return None
    if thousands:
        shape = rf"[+-]?\d{{1,3}}({re.escape(thousands)}\d{{3}})+({re.escape(decimal)}\d*)?"
        cell = cell.replace(thousands, "") if re.fullmatch(shape, cell) else cell
    if decimal == ",":
        cell = "no number" if "." in cell else cell.replace(",", ".", 1)
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", cell, re.ASCII):
        return "bad"
    whole = floor(Fraction(cell) * 10**digits)
    return whole if abs(whole) <= 1 << 45 else "bad"


def values(reading):
    """Return a reading as a dictionary from UTC start to W or Wh (None where there is no value)."""
    assert len(set(reading.starts.tolist())) == len(reading)
    rows = zip(reading.starts.tolist(), reading.values.tolist(), reading.null.tolist(), strict=True)
    return {start: None if null else value for start, value, null in rows}


def wh(reading):
    """Return the energy of a reading, exactly, in Wh."""
    total = sum(value or 0 for value in values(reading).values())
    return Fraction(total * reading.interval_s, 3600) if reading.power else Fraction(total)


def named(readings):
    """Return readings by name; no two have the same."""
    found = {one.name: one for one in readings.series}
    assert len(found) == len(readings.series)
    return found


def values_by_start(reading):
    """Return {start: value}; a null is 0."""
    return dict(zip(reading.starts.tolist(), reading.values.tolist(), strict=True))


def cells_by_start(reading):
    """Return {start: value}; a null is None."""
    cells = zip(reading.starts.tolist(), reading.values.tolist(), reading.null.tolist(), strict=True)
    return {start: None if null else value for start, value, null in cells}
