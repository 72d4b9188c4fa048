"""The slow twin of profile building: a dictionary from hour to value, filled row by row."""

HOUR_S = 3600


def hours(rows, step_s):
    """Lay rows (start, value or None) on hours: the first of doubled rows counts, an incomplete hour has no value.

    Returns (first hour, [value or None for each hour to the last]), in the rows' unit, summed.
    """
    known = {}
    for start, value in rows:
        known.setdefault(start, value)
    first = min(known) // HOUR_S * HOUR_S
    last = max(known) // HOUR_S * HOUR_S
    values = []
    for hour in range(first, last + 1, HOUR_S):
        parts = [known.get(start) for start in range(hour, hour + HOUR_S, step_s)]
        values.append(None if None in parts else sum(parts))
    return first, values


def absent(rows, step_s):
    """Return how many grid places have no row at all, from the hour of the first row to that of the last."""
    starts = {start for start, _ in rows}
    return (max(starts) // 3600 + 1 - min(starts) // 3600) * (3600 // step_s) - len(starts)
