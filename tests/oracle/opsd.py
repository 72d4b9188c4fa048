"""Files in the shape of Open Power System Data, written from lists, and what an import has to make of them."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import floor


def opsd(start, columns):
    """Return the text of a file: a row an hour from `start`, columns by name, values as text ('' is missing)."""
    count = max(map(len, columns.values()))
    lines = ["utc_timestamp," + ",".join(columns)]
    for at in range(count):
        moment = datetime.fromisoformat(start).replace(tzinfo=UTC) + timedelta(hours=at)
        lines.append(f"{moment:%Y-%m-%dT%H:%M:%SZ}," + ",".join(values[at] for values in columns.values()))
    return "\n".join(lines) + "\n"


def whole_wh(text):
    """Return MW over an hour as whole Wh, rounded down; None if missing."""
    return floor(Fraction(text) * 1_000_000) if text else None


def filled(values, how):
    """Fill the gaps of a list; return (values, which were filled)."""
    known = [at for at, value in enumerate(values) if value is not None]
    out, made = list(values), [False] * len(values)
    for at, value in enumerate(values):
        if value is not None or how == "none":
            continue
        if how == "zero":
            out[at], made[at] = 0, True
            continue
        before, after = [k for k in known if k < at], [k for k in known if k > at]
        if before and after:
            low, high = before[-1], after[0]
            out[at] = values[low] + (values[high] - values[low]) * (at - low) // (high - low)
            made[at] = True
    return out, made
