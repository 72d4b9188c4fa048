"""Profiles of several files as one: the same name in two files is one longer profile.

Files may interleave and overlap. An interval that two files give with one value is taken once, and said; with two
values it is an error that names both rows. An hour that no file has whole may be whole in all of them together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

import numpy as np

from gcr_fast.codes import MAX_INTERVAL_S, MAX_PROFILE_TOTAL
from gcr_fast.columns import exact_sum
from gcr_fast.exchange.reading import Source
from gcr_fast.findings import Finding, Findings
from gcr_fast.flags import SILENT, Flags, among, united
from gcr_fast.grid.completing import Hours, gathered, hours_of
from gcr_fast.grid.places import differing_values, places
from gcr_fast.grid.series import Rows
from gcr_fast.grid.shapes import Fault, Parts, Profile, Profiles, negative_clipped
from gcr_fast.periods import utc_text

ABSENT = frozenset({"null_value", "missing_interval"})
"""Faults that are none once another file has the value."""


def merge(parts: Iterable[Profiles]) -> Profiles:
    """Join profiles of several files; one name in two files is one longer profile."""
    pieces: dict[str, list[Profile]] = {}
    findings, sources = Findings(), list[Source]()
    for part in parts:
        findings.extend(part.findings)
        sources.extend(part.sources)
        for name, profile in part.items():
            pieces.setdefault(name, []).append(profile)
    by_name = {name: joined(some, findings) for name, some in pieces.items()}
    return Profiles(by_name, findings, tuple(sources))


def joined(pieces: Iterable[Profile], findings: Findings) -> Profile:
    """Lay profiles of one name on one grid, in order of time.

    What does not fit, and values that contradict an earlier one, are reported and not taken; so is, as no error, what
    comes twice. All of it stands in the profile's faults too.
    """
    ordered = sorted(pieces, key=lambda piece: piece.start_s)
    if len(ordered) == 1:
        return ordered[0]
    ordered = _in_one_scale(ordered)
    laid = [piece for piece in ordered if len(piece.values)] or ordered[:1]
    if len(laid) == 1:
        return laid[0]
    whole = _Whole(laid)
    findings.extend(fault.finding for fault in whole.told)
    return whole.profile()


def _in_one_scale(pieces: Sequence[Profile]) -> list[Profile]:
    """Give weights as many decimals as the finest of them have; those that get too large for it stay as they are."""
    digits = max(piece.weight_digits for piece in pieces)
    return [piece if piece.weight_digits == digits else _scaled(piece, digits) for piece in pieces]


def _scaled(piece: Profile, digits: int) -> Profile:
    factor = 10 ** (digits - piece.weight_digits)
    if (piece.total + exact_sum(piece.clipped)) * factor > MAX_PROFILE_TOTAL:
        return piece
    return replace(piece, values=piece.values * factor, clipped=piece.clipped * factor, weight_digits=digits)


class _Whole:
    """Pieces of one profile on one grid, laid one after the other."""

    def __init__(self, pieces: Sequence[Profile]) -> None:
        self.first = pieces[0]
        self.told: list[Fault] = []
        """What the joining has found."""
        self.placed: list[tuple[Profile, int]] = []
        """Pieces and the positions where they begin."""
        fitting = [piece for piece in pieces if _fits(self.first, piece)]
        count = max(self._position(piece) + len(piece.values) for piece in fitting)
        self.values = np.zeros(count, np.int64)
        self.missing = np.ones(count, bool)
        clips = any(piece.has_clipped for piece in fitting)
        self.clipped = np.zeros(count, np.int64) if clips else np.broadcast_to(np.int64(0), (count,))
        marks = any(piece.quality is not None for piece in fitting)
        self.quality = np.zeros(count, np.uint8) if marks else None
        self.words = united(piece.flags for piece in fitting)
        self.flags = np.full(count, SILENT, np.int32) if self.words else None
        for piece in fitting:
            self._lay(piece)
        self.parts = gathered(piece.parts for piece in fitting) if self.first.is_energy else None
        self.put_together = np.zeros(0, np.int64)
        """Positions of hours that no piece has whole."""
        self._complete()
        self._compare_parts()
        self._note_misfits([piece for piece in pieces if not _fits(self.first, piece)])

    def _position(self, piece: Profile) -> int:
        return (piece.start_s - self.first.start_s) // self.first.step_s

    def _lay(self, piece: Profile) -> None:
        """Take the values that no piece before had; compare the others."""
        at = self._position(piece)
        place = slice(at, at + len(piece.values))
        free = self.missing[place].copy()
        twice = ~free & ~piece.missing
        if twice.any():
            self._compare(piece, place, twice)
        new = free & ~piece.missing
        self.values[place][new] = piece.values[new]
        self.missing[place][new] = False
        if piece.has_clipped:
            self.clipped[place][new] = piece.clipped[new]
        if self.quality is not None:
            self.quality[place][new] = 0 if piece.quality is None else piece.quality[new]
        if self.flags is not None:
            said = among(self.words, piece.flags, len(piece.values))
            takes = new | (self.flags[place] == SILENT) & (free | twice)  # a gap may have a word as well
            self.flags[place][takes] = said[takes]
        self.placed.append((piece, at))

    def _complete(self) -> None:
        """Take hours that no piece has whole, of which their sources together have all parts."""
        start_s, step_s = self.first.start_s, self.first.step_s
        found = None if self.parts is None else hours_of(self.parts, self.missing, start_s, step_s)
        if found is None:
            return
        self.values[found.at] = np.maximum(found.signed, 0)
        self.missing[found.at] = False
        self.put_together = found.at
        if (found.signed < 0).any():
            self.clipped = np.array(self.clipped)  # which may be one 0 for all
            self.clipped[found.at] = np.maximum(-found.signed, 0)
            self._note_clipped(found)
        if self.quality is not None:
            self.quality[found.at] = found.quality
        if self.flags is not None:
            self.words = united([Flags(self.flags, self.words), found.flags])
            self.flags[found.at] = among(self.words, found.flags, len(found.at))

    def _compare_parts(self) -> None:
        """Look at metered parts of a piece's hours that another piece has whole: it must say the same of them."""
        for piece, _ in self.placed:
            if piece.parts is None or not piece.is_energy:
                continue
            at = (piece.parts.begins - self.first.start_s) // self.first.step_s
            held = np.flatnonzero(~self.missing[at] & ~np.isin(at, self.put_together))
            for earlier, hours in self._holders(np.unique(at[held])):
                self._note_part_clashes(piece, earlier, piece.parts.only(held[np.isin(at[held], hours)]))

    def _note_part_clashes(self, piece: Profile, earlier: Profile, parts: Parts) -> None:
        """One finding for each part of which an earlier piece's source has another value."""
        for step in np.unique(parts.steps).tolist():
            some = parts.only(np.flatnonzero(parts.steps == step))
            differing = differing_values(earlier, some)
            some = some.only(np.array(list(differing), dtype=np.int64))
            here, there = (places(one, some.begins, step) for one in (piece, earlier))
            units = np.where(some.power, "W", "Wh").tolist()
            for begin, value, other, unit, place, its in zip(
                some.begins.tolist(), some.values.tolist(), differing.values(), units, here, there, strict=True
            ):
                span = f"{utc_text(begin)} .. {utc_text(begin + step)}"
                what = f"{piece.name}: {span} is {value:,} {unit}, but {other:,} {unit} in {its.said}"
                where = (place.row, place.column, str(value), place.file, place.line)
                position = (begin - self.first.start_s) // self.first.step_s
                finding = Finding("contradicted_interval", what, *where, profile=piece.name)
                self.told.append(Fault(position, position, finding))

    def _note_clipped(self, found: Hours) -> None:
        below = np.flatnonzero(found.signed < 0)
        wh, file = -exact_sum(found.signed[below]), ", ".join(dict.fromkeys(piece.file for piece, _ in self.placed))
        finding = negative_clipped(self.first.name, len(below), wh, True, file=file)
        self.told.append(Fault(int(found.at[below[0]]), int(found.at[below[-1]]), finding))

    def _compare(self, piece: Profile, place: slice, twice: np.ndarray) -> None:
        """Look at intervals bool[n] of a piece that were there before."""
        differs = self.values[place] != piece.values
        differs |= self.clipped[place] != piece.clipped
        same = np.flatnonzero(twice & ~differs) + place.start
        for earlier, at in self._holders(same):
            self._note_repeated(piece, earlier, at)
        if self.quality is not None:  # what one file has as metered, another's estimate happens to equal
            better = 0 if piece.quality is None else piece.quality[same - place.start]
            self.quality[same] = np.minimum(self.quality[same], better)
        for earlier, at in self._holders(np.flatnonzero(twice & differs) + place.start):
            self._note_clash(piece, earlier, at)

    def _holders(self, positions: np.ndarray) -> Iterator[tuple[Profile, np.ndarray]]:
        """Yield each earlier piece with the positions int64[k] whose value it was the first to give."""
        for earlier, at in self.placed:
            inside = positions[(positions >= at) & (positions < at + len(earlier.values))]
            held = inside[~earlier.missing[inside - at]]
            if len(held):
                yield earlier, held
                positions = np.setdiff1d(positions, held, assume_unique=True)

    def _note_repeated(self, piece: Profile, earlier: Profile, at: np.ndarray) -> None:
        count, other = len(at), _named(earlier)
        what = f"{count} interval{'s' if count > 1 else ''} of {_named(piece)} stand{'s' if count == 1 else ''}"
        what = f"{piece.name}: {what} in {other} too, with the same value"
        where = {"file": piece.file or None, "profile": piece.name, "value": other}
        finding = Finding("repeated_interval", what, count=count, **where)  # type: ignore[arg-type]
        self.told.append(Fault(int(at[0]), int(at[-1]), finding))

    def _note_clash(self, piece: Profile, earlier: Profile, at: np.ndarray) -> None:
        """One finding for each interval, with both values and both rows."""
        starts = self.first.start_s + at * self.first.step_s
        here, there = (places(one, starts, self.first.step_s) for one in (piece, earlier))
        mine, theirs = (_texts(one, starts) for one in (piece, earlier))
        for position, start, place, other, one, two in zip(
            at.tolist(), starts.tolist(), here, there, mine, theirs, strict=True
        ):
            span = f"{utc_text(start)} .. {utc_text(start + piece.step_s)}"
            what = f"{piece.name}: {span} is {_said(piece, one)}, but {_said(piece, two)} in {other.said}"
            finding = Finding(
                "contradicted_interval", what, place.row, place.column, one, place.file, place.line, profile=piece.name
            )
            self.told.append(Fault(position, position, finding))

    def _note_misfits(self, pieces: Iterable[Profile]) -> None:
        for piece in pieces:
            misfit = _misfit(self.first, piece)
            assert misfit is not None  # else it would fit
            place = _named(self.first) if piece.file != self.first.file else "another part of it"
            what = f"profile {piece.name} of {_named(piece)} {misfit.here}, but {misfit.there} in {place}"
            where = {"file": piece.file or None, "profile": piece.name, "hint": misfit.hint}
            finding = Finding("duplicate_profile", what, **where)  # type: ignore[arg-type]
            self.told.append(Fault(0, len(self.values) - 1, finding))

    def profile(self) -> Profile:
        """Return all pieces as one profile; faults about intervals that another piece has are gone."""
        moved = [replace(f, first=f.first + at, last=f.last + at) for piece, at in self.placed for f in piece.faults]
        rows = [piece.rows for piece, _ in self.placed if piece.rows is not None]
        name = self.first.name
        return replace(
            self.first,
            values=self.values,
            missing=self.missing,
            clipped=self.clipped,
            faults=(*(fault for fault in moved if self._stands(fault)), *self.told),
            file=", ".join(dict.fromkeys(piece.file for piece, _ in self.placed)),
            quality=self.quality,
            flags=None if self.flags is None else Flags(self.flags, self.words),
            parts=self.parts,
            rows=Rows(lambda: [series for some in rows for series in some.of(name)]) if rows else None,
        )

    def _stands(self, fault: Fault) -> bool:
        """Whether a fault about absent values is still one."""
        return fault.finding.code not in ABSENT or bool(self.missing[fault.first : fault.last + 1].any())


class _Misfit(NamedTuple):
    """What two pieces of one name have unlike."""

    here: str
    there: str
    hint: str


def _misfit(first: Profile, other: Profile) -> _Misfit | None:
    """Return why two pieces are not of one thing, or not on one grid; None if they are."""
    if first.source_type != other.source_type:
        here, there = (one.source_type or "of no source type" for one in (other, first))
        two = first.source_type and other.source_type
        hint = "give the two kinds two names, or choose one: --types" if two else "name the source type in both"
        return _Misfit(f"is {here}", there, hint)
    if first.is_energy != other.is_energy:
        here, there = ("energy" if one.is_energy else "a shape without a unit" for one in (other, first))
        return _Misfit(f"is {here}", there, "give both in one unit, or read them apart")
    if first.step_s != other.step_s:
        here, there = (f"of {one.step_s // 60} min" for one in (other, first))
        hint = "read both as hours (without --keep-intervals), or apart"
        if max(first.step_s, other.step_s) > MAX_INTERVAL_S:
            hint = "leave out the rows that last longer than an hour: they have no hours"
        return _Misfit(f"has intervals {here}", there, hint)
    if (other.start_s - first.start_s) % first.step_s:
        here, there = utc_text(other.start_s), f"every {first.step_s // 60} min from {utc_text(first.start_s)} on"
        return _Misfit(f"has an interval at {here}", there, "mend the starts of one, or read them apart")
    if first.weight_digits != other.weight_digits:
        here, there = (f"of a precision of {one.weight_digits} decimals" for one in (other, first))
        return _Misfit(f"has weights {here}", there, "round the finer ones, or read them apart")
    return None


def _fits(first: Profile, other: Profile) -> bool:
    """Whether two pieces have one grid, and are of the same."""
    return _misfit(first, other) is None


def _named(piece: Profile) -> str:
    return piece.file or "a table"


def _texts(piece: Profile, starts_s: np.ndarray) -> list[str]:
    """Return the values of intervals, with their signs, as text: Wh, or weights as the source has them."""
    values = piece.signed[(starts_s - piece.start_s) // piece.step_s].tolist()
    if piece.is_energy:
        return [str(value) for value in values]
    return [f"{Decimal(value).scaleb(-piece.weight_digits).normalize():f}" for value in values]


def _said(piece: Profile, value: str) -> str:
    return f"{int(value):,} Wh" if piece.is_energy else value
