"""What is done to every file's readings alike: repeated rows dropped and counted, areas, kinds and a year chosen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from gcr_fast.codes import SOURCE_FAMILIES
from gcr_fast.findings import Finding, Findings
from gcr_fast.periods import year_period
from gcr_fast.sources.model import How, Reading, Readings
from gcr_fast.sources.repeats import word_for_word

NOT_ASKED, OUTSIDE = "not asked for", "values outside "
SHOWN_WORDS = 40


def tidy(readings: Readings, how: How) -> Readings:
    """Drop rows that repeat an earlier one word for word, then keep what `how` asks for. Changes `readings`."""
    groups = _by_rows(readings.series)
    readings.series = [one for group in groups for one in _without_repeats(readings, group)]
    # A reader that chooses areas by itself has left out the others by their names.
    readings.areas |= {name for name, why in readings.left_out.items() if why == NOT_ASKED}
    _choose(readings, how)
    if how.year is not None:
        kept = [_between(one, *year_period(how.year, one.zone or readings.zone)) for one in readings.series]
        outside = sum(len(before) - len(after) for before, after in zip(readings.series, kept, strict=True))
        zones = ", ".join(dict.fromkeys(one.zone or readings.zone for one in readings.series))
        readings.drop(f"{OUTSIDE}{how.year} ({zones})", outside)
        readings.series = [one for one in kept if len(one)]
    readings.absent = set(how.types).difference(*map(_words, readings.series))
    readings.names = tuple(dict.fromkeys(one.name for one in readings.series))
    return readings


def check_areas(several: Iterable[Readings], how: How) -> None:
    """Refuse areas that are asked for and in no file, each with those that there are. Give all files read together."""
    given, findings = list(several), Findings()
    alone = given[0].file if len(given) == 1 else None
    there = {area for one in given for area in one.areas}
    known = _listed(there)
    for area in sorted(how.areas - there):
        said = f"none of the {len(given)} files has the area {area}; they have {known}"
        if alone:
            said = f"{alone.path.name} has no area {area}; it has {known}"
        findings.add("unknown_area", said, file=alone.name if alone else None, value=area)
    findings.check()


def absent_kinds(several: Iterable[Readings], how: How) -> Iterator[Finding]:
    """Yield a warning for each kind that is asked for and in no file, with those that there are.

    Give all files read together, of which at least one has something that is asked for.
    """
    given = list(several)
    alone = given[0].file if len(given) == 1 else None
    known = _listed({kind for one in given for kind in one.kinds})
    when = "" if how.year is None else f" of {how.year}"
    for kind in sorted(set.intersection(*(one.absent for one in given))):
        said = f"{alone.path.name} has no {kind}{when}; it has {known}" if alone else None
        said = said or f"none of the {len(given)} files has {kind}{when}; they have {known}"
        yield Finding("absent_kind", said, file=alone.name if alone else None, value=kind)


def _listed(words: Iterable[str]) -> str:
    there = sorted(words)
    return ", ".join(there[:SHOWN_WORDS]) + (", ..." if len(there) > SHOWN_WORDS else "") or "none that is named"


def unasked(readings: Readings) -> str:
    """Say what a file has that `how` did not ask for; empty if all of it was asked for."""
    names = [name for name, why in readings.left_out.items() if why == NOT_ASKED]
    parts = [f"{', '.join(names[:8])}{', ...' if len(names) > 8 else ''}"] if names else []
    parts += [f"{count:,} {what}" for what, count in readings.dropped.items() if what.startswith(OUTSIDE) and count]
    return " and ".join(parts)


def _by_rows(series: Iterable[Reading]) -> list[list[Reading]]:
    """Group the series that stand side by side in the same rows: they share one array of starts."""
    groups: dict[int, list[Reading]] = {}
    for one in series:
        groups.setdefault(id(one.starts), []).append(one)
    return list(groups.values())


def _without_repeats(readings: Readings, group: list[Reading]) -> list[Reading]:
    """Drop a row if the row of its start before it has the same cells, those that are not read as well.

    Rows of one start that differ stay: which of them is right is not for us to say, and they are refused later. So do
    rows of one value whose other cells differ: they may be of two plants.
    """
    starts = group[0].starts
    if len(starts) < 2 or (np.diff(starts) > 0).all():
        return group
    order = np.argsort(starts, kind="stable")
    same = starts[order][1:] == starts[order][:-1]
    for one in group:
        values, null = one.values[order], one.null[order]
        same &= (values[1:] == values[:-1]) & (null[1:] == null[:-1])
    before, again = order[:-1][same], order[1:][same]
    alike = word_for_word(readings, group[0].lines[before], group[0].lines[again])
    _note_unlike(readings, group[0].lines[before][~alike], group[0].lines[again][~alike])
    repeated = np.zeros(len(starts), dtype=bool)
    repeated[again[alike]] = True
    if not repeated.any():
        return group
    readings.drop("rows that repeat an earlier one word for word", int(repeated.sum()))
    return take(group, np.flatnonzero(~repeated))


def _note_unlike(readings: Readings, before: np.ndarray, again: np.ndarray) -> None:
    if len(again):
        where = f"lines {before[0]} and {again[0]}" + (", ..." if len(again) > 1 else "")
        readings.notes[f"{len(again):,} rows"] = (
            f"have time and value of an earlier row of their series, but not its other cells ({where}): none is "
            "dropped; if a column tells things apart, such as plants, the format or mapping does not know it"
        )


def take(group: list[Reading], rows: np.ndarray) -> list[Reading]:
    """Return series that share their rows with these rows only; they still share what they shared."""
    shared: dict[int, np.ndarray] = {}

    def part(array: np.ndarray) -> np.ndarray:
        if id(array) not in shared:
            shared[id(array)] = array[rows]
        return shared[id(array)]

    return [
        replace(
            one,
            starts=part(one.starts),
            values=one.values[rows],
            null=part(one.null),
            lines=part(one.lines),
            quality=None if one.quality is None else part(one.quality),
            flags=None if one.flags is None else replace(one.flags, codes=part(one.flags.codes)),
        )
        for one in group
    ]


def _between(one: Reading, start_s: int, end_s: int) -> Reading:
    if one.span is not None:
        one = replace(one, span=(max(one.span[0], start_s), min(one.span[1], end_s)))
    inside = (one.starts >= start_s) & (one.starts < end_s)
    return one if inside.all() else take([one], np.flatnonzero(inside))[0]


def _choose(readings: Readings, how: How) -> None:
    """Keep the areas and kinds that are asked for; the rest is accounted for as left out.

    A series whose file does not say of which area it is, is taken to be of the one area that is asked for.
    """
    kept = []
    for given in readings.series:
        one = given if given.area or len(how.areas) != 1 else replace(given, area=next(iter(how.areas)))
        readings.areas |= {one.area} - {""}
        wanted_area = not how.areas or one.area in how.areas
        readings.kinds |= {one.kind} if wanted_area else set()
        if wanted_area and (not how.types or _words(one) & how.types):
            kept.append(one)
        else:
            readings.left_out[one.name] = NOT_ASKED
    readings.series = kept


def _words(one: Reading) -> set[str]:
    """Return the words by which a series may be asked for: its kind, source type, family and role."""
    family = SOURCE_FAMILIES.get(one.source_type or "")
    return {word for word in (one.kind, one.source_type, family, one.role) if word}
