"""Checking hourly certificates against their parents: ours or anyone's, in any order, without trusting the converter.

One pass over batches. Each batch is cut into runs of one parent; kernels reduce a run to a few figures; only a run
whose figures are wrong is looked at row by row. Intervals that come twice are found by comparing the spans of runs,
and only where spans of one parent overlap, by a second pass over those parents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from gcr_fast.annual import Annual, annual_from
from gcr_fast.codes import (
    BASES,
    MAX_INTERVAL_S,
    METERED_BASES,
    PURPOSES,
    SOURCE_TYPES,
    WH_PER_MWH,
)
from gcr_fast.columns import as_text, exact_sum, utc_seconds
from gcr_fast.conversion.booking import DEFAULT_MARGIN, parse_margin
from gcr_fast.findings import Finding, Findings
from gcr_fast.parallel import ordered_map, thread_count
from gcr_fast.periods import utc_text
from gcr_fast.report import Check, Report
from gcr_fast.units import mwh_text
from gcr_fast.validation.hourly import Batch, HourlyReader
from gcr_fast.validation.quota import QuotaCheck
from gcr_fast.validation.runs import Runs, allowed_words, begun_before, cut, words_agree

LISTED_ROWS = 100_000
"""Bad rows that get a finding each; beyond, one finding speaks for a run of rows."""
SAFE_WH = 1 << 40
"""Four million hours below this sum to less than 2^63."""

CHECKS = {
    "annual certificates are sound": (
        "not_canceled", "duplicate_certificate", "non_positive_energy", "energy_over_limit", "bad_period",
        "unknown_zone", "unknown_source_type", "unknown_basis", "unknown_purpose", "unknown_status", "bad_capacity",
    ),
    "every value can be read": (
        "null_value", "unreadable_value", "inexact_energy", "naive_time", "nonexistent_time", "ambiguous_column",
        "missing_column",
    ),
    "every parent is known": ("unknown_parent",),
    "every parent has its hours": ("parent_without_hours",),
    "hours sum to their parent": ("total_mismatch", "residual_refused"),
    "hours lie in their parent's period": ("hour_outside_period", "uneven_interval", "interval_too_long"),
    "no interval twice": ("duplicate_interval",),
    "no certificate id twice": ("duplicate_id",),
    "no negative energy": ("negative_energy",),
    "source type is the parent's": ("source_mismatch",),
    "status is one the purpose allows": ("status_mismatch",),
    "allocation basis is the parent's": ("basis_mismatch",),
    "no hour over capacity": ("over_capacity",),
    "every hour is floor or ceiling of its share": (
        "quota_broken", "over_metered_hour", "no_profile", "wrong_source_type", "wrong_year", "leap_year_hours",
        "incomplete_profile", "period_off_grid", "all_zero_profile", "meter_without_energy", "over_meter",
        "profile_over_limit", "duplicate_profile", "contradicted_interval", "missing_interval", "estimated_interval",
    ),
}  # fmt: skip
"""The checks, in the order in which they are reported, and the codes that fail each."""


def validate(
    annual: Any,
    hourly: Any,
    profiles: Any = None,
    *,
    tolerance_wh: int = 0,
    capacity_margin: str | float = DEFAULT_MARGIN,
    zone: str | None = None,
    unit_wh: int | None = None,
    profile: str | None = None,
    threads: int | None = None,
    allow_estimated: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Report:
    """Check hourly certificates against their annual ones and, if given, their profiles. Never raises for bad rows.

    `annual` as for `convert`; `hourly` a path (file or folder of parts), a `Conversion`, or anything with
    `__arrow_c_stream__`; `zone` of hourly times without offset, of which the order of rows tells apart what comes twice
    in autumn. With `profiles` the quota rule is checked too: each hour is floor or ceiling of its share, and no metered
    hour is exceeded. `unit_wh` and `profile` are those of the conversion; our Parquet and Arrow files carry them.
    `allow_estimated` as for `convert`, if it was given there. `progress` is called with the number of hours just
    checked. Raises `RefusedError` only for a file that cannot be read.
    """
    reader = HourlyReader(hourly, zone)
    certificates = annual_from(annual, strict=False)
    said = reader.source.metadata
    unit = unit_wh or int(said.get("gcr_fast.unit_wh", "1"))
    default = profile or said.get("gcr_fast.default_profile")
    rule = None if profiles is None else QuotaCheck(certificates, profiles, unit, default, allow_estimated)
    tolerance = _Tolerance(tolerance_wh, parse_margin(capacity_margin), unit)
    return _Validation(certificates, reader, rule, tolerance, thread_count(threads)).run(progress)


TWICE = "is issued twice, or was split: of hours that a registry split, the pieces are to be summed before"
"""Hours are compared as they were issued."""


@dataclass(frozen=True)
class _Tolerance:
    """What may differ, and by how much."""

    wh: int
    margin: Fraction
    unit_wh: int


@dataclass
class _Expected:
    """What each annual certificate asks of its hours, as arrays over the annual rows."""

    begins: np.ndarray
    ends: np.ndarray
    energy: np.ndarray
    capacity: np.ndarray
    """int64: numerator of capacity x margin, or -1."""
    capacity_divisor: int
    kinds: dict[str, np.ndarray]
    """Per word column: which row of its table of allowed words a certificate uses."""

    @classmethod
    def of(cls, annual: Annual, margin: Fraction) -> _Expected:
        table = annual.table
        room = (1 << 62) // MAX_INTERVAL_S
        capacity = [-1 if w is None else w * margin.numerator for w in table["capacity_w"].to_pylist()]
        return cls(
            begins=utc_seconds(table["production_start"], "production_start"),
            ends=utc_seconds(table["production_end"], "production_end"),
            energy=table["energy_wh"].to_numpy(),
            capacity=np.array([w if w < room else -1 for w in capacity], dtype=np.int64),
            capacity_divisor=3600 * margin.denominator,
            kinds={
                "source_type": _positions(table["source_type"], SOURCE_TYPES),
                "status": _positions(table["purpose"], PURPOSES),
                "allocation_basis": _positions(table["allocation_basis"], BASES),
            },
        )

    def most_wh(self, parents: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Return the most that intervals of these lengths may hold; no capacity is no limit."""
        limit = self.capacity[parents] * lengths // self.capacity_divisor
        return np.where(self.capacity[parents] < 0, np.iinfo(np.int64).max, limit)


def _positions(column: Any, words: tuple[str, ...]) -> np.ndarray:
    """Return each word's position; the number of words for null."""
    place = {word: at for at, word in enumerate(words)}
    return np.array([place.get(word, len(words)) for word in column.to_pylist()], dtype=np.int64)


@dataclass
class _Spans:
    """The time covered so far per parent, to tell whether a later run may repeat an interval."""

    ends: np.ndarray
    suspects: set[int] = field(default_factory=set)

    def add(self, runs: Runs) -> None:
        """Book a batch's runs, in the order of the file."""
        at = np.flatnonzero(runs.parents >= 0)
        parents, unit = runs.parents[at], runs.batch.per_second
        starts, ends = runs.times[at, 0] // unit, -(-runs.times[at, 1] // unit)
        torn = runs.times[at, 3] == 0
        if len(np.unique(parents)) == len(parents):
            self.suspects.update(parents[torn | (starts < self.ends[parents])].tolist())
            self.ends[parents] = np.maximum(self.ends[parents], ends)
            return
        for parent, start, end, bad in zip(
            parents.tolist(), starts.tolist(), ends.tolist(), torn.tolist(), strict=True
        ):
            if bad or start < self.ends[parent]:
                self.suspects.add(parent)
            self.ends[parent] = max(int(self.ends[parent]), end)


class _Validation:
    """The state of one call of `validate`."""

    def __init__(
        self,
        annual: Annual,
        reader: HourlyReader,
        rule: QuotaCheck | None,
        tolerance: _Tolerance,
        threads: int,
    ) -> None:
        self.annual = annual
        self.reader = reader
        self.rule = rule
        self.tolerance = tolerance
        self.threads = threads
        self.expected = _Expected.of(annual, tolerance.margin)
        self.ids = annual.table["certificate_id"].combine_chunks()
        self.findings = Findings(_still_wrong(annual))
        self.sums = np.zeros(len(annual), dtype=object)
        self.counts = np.zeros(len(annual), dtype=np.int64)
        self.certificates = self.zeros = 0
        self.on_meter = np.array([basis in METERED_BASES for basis in annual.table["allocation_basis"].to_pylist()])
        self.columns: set[str] = set()
        self.odd_ids: list[Any] = []

    def run(self, progress: Callable[[int], None] | None = None) -> Report:
        """Go through all batches, then judge each parent."""
        spans = _Spans(np.full(len(self.annual), np.iinfo(np.int64).min, dtype=np.int64))
        for runs in ordered_map(self._examine, self.reader.pieces(), self.threads):
            self._add(runs)
            spans.add(runs)
            if progress is not None:
                progress(len(runs.batch.codes))
        if spans.suspects:
            self._find_duplicates(spans.suspects)
        self._judge_ids()
        self._judge_parents()
        if self.rule is not None:
            self.findings.extend(self.rule.verdict(self.annual, self.counts, self.sums, self.tolerance.wh))
        return Report(self._checks(), self.findings, self._totals())

    def _examine(self, piece: tuple[int, Any]) -> Runs:
        """Reduce a piece to runs and figures; runs in the pool, so it changes nothing but its result."""
        runs = cut(self.reader.parse(piece, self.ids))
        known = runs.parents >= 0
        parents = np.where(known, runs.parents, 0)
        lengths = runs.times[:, 2]
        most = self.expected.most_wh(parents, lengths)
        wrong = ~known | (runs.times[:, 3] == 0) | (lengths > MAX_INTERVAL_S)
        unit = runs.batch.per_second
        begins, ends = self.expected.begins[parents] * unit, self.expected.ends[parents] * unit
        wrong |= (runs.times[:, 0] < begins) | (runs.times[:, 1] > ends)
        wrong |= (runs.times[:, 0] - begins) % np.maximum(lengths * unit, 1) != 0
        wrong |= (runs.energy[:, 1] < 0) | (runs.energy[:, 2] > most)
        for name in runs.batch.words:
            wrong |= ~words_agree(runs, name, self.expected.kinds[name][parents])
        runs.suspects = wrong
        if self.rule is not None:
            runs.quota = self.rule.examine(runs.batch, runs.bounds, runs.parents)
        runs.odd_ids = _odd_ids(runs.batch, self.ids)
        return runs

    def _add(self, runs: Runs) -> None:
        batch = runs.batch
        self.findings.extend(batch.findings)
        known = np.flatnonzero(runs.parents >= 0)
        small = (runs.energy[known, 1] > -SAFE_WH) & (runs.energy[known, 2] < SAFE_WH)
        sums = np.zeros(len(self.sums), dtype=np.int64)
        np.add.at(sums, runs.parents[known[small]], runs.energy[known[small], 0])
        self.sums += sums
        for run in known[~small].tolist():
            self.sums[runs.parents[run]] += exact_sum(batch.energy[runs.rows(run)])
        np.add.at(self.counts, runs.parents[known], np.diff(runs.bounds)[known])
        self.certificates += len(batch.codes)
        self.zeros += int(runs.energy[:, 3].sum())
        self._note_meters(runs)
        self.columns.update(batch.words)
        if batch.ids is not None:
            self.columns.add("certificate_id")
        if runs.odd_ids is not None:
            self.odd_ids.append(runs.odd_ids)
        for run in np.flatnonzero(runs.suspects).tolist():
            self._look_closer(runs, run)
        if self.rule is not None:
            for code, message, at in self.rule.add(runs.quota):
                self._list(code, "energy_wh", message, batch, at)

    def _note_meters(self, runs: Runs) -> None:
        """Where a parent states no basis, its hours tell whether it was spread over its device's own meter."""
        words = runs.batch.words.get("allocation_basis")
        if words is None:
            return
        metered = np.array([*(word in METERED_BASES for word in words.values), False])
        known = np.flatnonzero(runs.parents >= 0)
        parents = runs.parents[known]
        unstated = self.expected.kinds["allocation_basis"][parents] == len(BASES)
        if unstated.any():
            first = words.codes[runs.bounds[:-1][known[unstated]]]
            self.on_meter[parents[unstated]] |= metered[first]

    def _look_closer(self, runs: Runs, run: int) -> None:
        """Name every wrong row of a run, each by the first code that fits."""
        batch, rows, parent = runs.batch, runs.rows(run), int(runs.parents[run])
        left = np.ones(rows.stop - rows.start, dtype=bool)
        for code, column, mask, message in self._faults(batch, rows, parent):
            hit = np.flatnonzero(left & mask)
            left &= ~mask
            self._list(code, column, message, batch, rows.start + hit)

    def _faults(self, batch: Batch, rows: slice, parent: int) -> Iterator[tuple[str, str, np.ndarray, str]]:
        """Yield (code, column, bool mask over the run, what was expected), in order of precedence."""
        every = np.ones(rows.stop - rows.start, dtype=bool)
        if parent < 0:
            yield "unknown_parent", "parent_certificate_id", every, "has no annual certificate"
            return
        starts, lengths, energy = batch.starts[rows], batch.lengths[rows].astype(np.int64), batch.energy[rows]
        begin, end = int(self.expected.begins[parent]), int(self.expected.ends[parent])
        period = f"{utc_text(begin)} .. {utc_text(end)}"
        yield "interval_too_long", "interval_s", (lengths > MAX_INTERVAL_S), "is longer than an hour"
        unit = batch.per_second
        uneven = (lengths <= 0) | ((batch.ticks[rows] - begin * unit) % np.maximum(lengths * unit, 1) != 0)
        yield "uneven_interval", "production_start", uneven, f"is not on the grid of {period}"
        outside = (starts < begin) | (starts + lengths > end)
        yield "hour_outside_period", "production_start", outside, f"is outside {period}"
        yield "negative_energy", "energy_wh", energy < 0, "is negative"
        for name, code in (
            ("source_type", "source_mismatch"),
            ("allocation_basis", "basis_mismatch"),
            ("status", "status_mismatch"),
        ):
            if name in batch.words:
                yield self._word_fault(batch, rows, parent, name, code)
        most = self.expected.most_wh(np.full(len(every), parent), lengths)
        yield "over_capacity", "energy_wh", energy > most, f"is above capacity x margin, {int(most[0])} Wh"

    def _word_fault(
        self, batch: Batch, rows: slice, parent: int, name: str, code: str
    ) -> tuple[str, str, np.ndarray, str]:
        word = batch.words[name]
        kind = int(self.expected.kinds[name][parent])
        wrong = ~allowed_words(name, word.values)[kind][word.codes[rows]]
        stated = self.annual.table["purpose" if name == "status" else name][parent].as_py()
        return code, name, wrong, f"does not agree with the parent's {stated or 'unstated purpose'}"

    def _list(self, code: str, column: str, message: str, batch: Batch, at: np.ndarray) -> None:
        """Add a finding per row, or one for all of them once there are very many."""
        if not len(at):
            return
        shown = at if len(self.findings) + len(at) <= LISTED_ROWS else at[:1]
        for entry in shown.tolist():
            value = _shown(batch, column, entry)
            identity = batch.parent_name(entry)
            place = {"file": self.reader.source.name or None, "row": batch.row(entry)}
            place["line"] = self.reader.source.line(batch.row(entry))
            count = 1 if len(shown) == len(at) else len(at)
            what = f"{identity} {column} {value} {message}" + (f", so are {count - 1} more" if count > 1 else "")
            self.findings.add(code, what, column=column, value=value, certificate_id=identity, count=count, **place)

    def _find_duplicates(self, suspects: set[int]) -> None:
        """Go through the suspects' rows again: an interval that begins before an earlier one ends is a duplicate."""
        import pyarrow as pa

        wanted = np.zeros(len(self.annual) + 1, dtype=bool)
        wanted[list(suspects)] = True
        batches = (self.reader.parse(piece, self.ids) for piece in self.reader.pieces())
        parts = [(batch, np.flatnonzero(wanted[batch.parents])) for batch in batches]
        parents = np.concatenate([batch.parents[at] for batch, at in parts])
        starts = np.concatenate([batch.starts[at] for batch, at in parts])
        ends = starts + np.concatenate([batch.lengths[at] for batch, at in parts])
        order = np.lexsort((starts, parents))
        again = order[begun_before(parents[order], starts[order], ends[order])]
        owner = np.repeat(np.arange(len(parts)), [len(at) for _, at in parts])
        offset = np.concatenate([np.arange(len(at)) for _, at in parts])
        for number in np.unique(owner[again]).tolist():
            batch, at = parts[number]
            hit = at[np.sort(offset[again[owner[again] == number]])]
            self._list("duplicate_interval", "production_start", TWICE, batch, hit)
            if batch.ids is not None:
                self.odd_ids.append(as_text(batch.ids).take(pa.array(hit)))

    def _judge_ids(self) -> None:
        """Ids of our own form are unique if their intervals are; all others are counted among all."""
        import pyarrow as pa
        import pyarrow.compute as pc

        odd = pa.chunked_array(self.odd_ids, pa.string()).drop_null().unique()
        if not len(odd):
            return
        every = (self.reader.parse(piece, self.ids).ids for piece in self.reader.pieces())
        found = [ids.filter(pc.is_in(ids, value_set=odd)) for ids in every if ids is not None]
        counts = pc.value_counts(pa.chunked_array(found))
        for entry in counts.filter(pc.greater(counts.field("counts"), 1)).to_pylist():
            what = f"certificate_id {entry['values']} appears {entry['counts']} times"
            where = {"column": "certificate_id", "value": entry["values"], "count": entry["counts"]}
            self.findings.add("duplicate_id", what, file=self.reader.source.name or None, **where)

    def _judge_parents(self) -> None:
        for row, energy in enumerate(self.expected.energy.tolist()):
            short = energy - int(self.sums[row])
            if abs(short) <= self.tolerance.wh and self.counts[row]:
                continue
            if self._may_be_residual(row, short, self.tolerance.unit_wh):
                permitted = self.annual.table["residual_permitted"][row].as_py()
                code = "residual_refused" if permitted is False else "residual_booked"
                self._about(row, code, f"has a residual of {short} Wh", column="energy_wh")
            elif not self.counts[row]:
                self._about(row, "parent_without_hours", "has no hourly certificate")
            else:
                have, want = mwh_text(int(self.sums[row])), mwh_text(energy)
                self._about(row, "total_mismatch", f"hours sum to {have} MWh instead of {want}: {short} Wh off")
        if self.zeros:
            self.findings.add("zero_energy", f"{self.zeros} certificates of 0 Wh", count=self.zeros)

    def _may_be_residual(self, row: int, short: int, unit: int) -> bool:
        """Whether so much may be left over: under a unit, or under 1 MWh over a meter (its profile tells if it is)."""
        return 0 < short < unit or (self.on_meter[row] and 0 < short < WH_PER_MWH)

    def _about(self, row: int, code: str, message: str, **more: Any) -> None:
        identity, source = self.ids[row].as_py(), self.annual.source
        place = {"file": source.name or None, "row": row, "line": source.line(row)}
        self.findings.add(code, f"{identity}: {message}", certificate_id=identity, **place, **more)

    def _checks(self) -> tuple[Check, ...]:
        counts = self.findings.counts()
        columns = {"source type": "source_type", "status": "status", "allocation": "allocation_basis"}
        checks = []
        for name, codes in CHECKS.items():
            failed = sum(counts[code] for code in codes)
            absent = next((c for start, c in columns.items() if name.startswith(start) and c not in self.columns), None)
            if failed:
                checks.append(Check(name, "failed", f"{failed} finding{'s' if failed > 1 else ''}"))
            elif absent:
                checks.append(Check(name, "skipped", f"no column {absent}"))
            elif name == "no certificate id twice" and "certificate_id" not in self.columns:
                checks.append(Check(name, "skipped", "no column certificate_id"))
            elif name.startswith("every hour is floor") and self.rule is None:
                checks.append(Check(name, "skipped", "no profiles given"))
            elif name == "no hour over capacity" and (self.expected.capacity < 0).all():
                checks.append(Check(name, "skipped", "no capacity stated"))
            else:
                checks.append(Check(name, "passed", ""))
        return tuple(checks)

    def _totals(self) -> dict[str, int]:
        energy, issued = int(self.expected.energy.astype(object).sum()), int(sum(self.sums))
        return {
            "parents": len(self.annual),
            "hourly_certificates": self.certificates,
            "energy_wh": energy,
            "issued_wh": issued,
            "residual_wh": energy - issued,
        }


def _still_wrong(annual: Annual) -> list[Finding]:
    """Return the annual findings that matter after a conversion, in which CONVERTED is as it should be."""
    return [item for item in annual.findings if item.code != "not_canceled" or item.value != "CONVERTED"]


def _odd_ids(batch: Batch, ids: Any) -> Any:
    """Return the certificate ids that are not of the form HOURLY-{parent}-{time}; None if all are."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if batch.ids is None:
        return None
    text = as_text(batch.ids)
    parents = ids.take(pa.array(np.maximum(batch.parents, 0)))
    stamps = pc.strftime(pa.array(batch.starts, pa.timestamp("s")), format="%Y%m%d%H%M")
    minutes = pc.binary_join_element_wise("HOURLY", parents, stamps, "-")
    hours = pc.utf8_slice_codeunits(minutes, 0, -2)
    whole = pa.array((batch.lengths == MAX_INTERVAL_S) & (batch.parents >= 0))
    usual = pc.equal(text, pc.if_else(whole, hours, minutes))
    return text.filter(pc.invert(pc.fill_null(usual, True)))


def _shown(batch: Batch, column: str, at: int) -> str:
    if column == "energy_wh":
        return str(int(batch.energy[at]))
    if column == "production_start":
        return utc_text(int(batch.starts[at]))
    if column == "interval_s":
        return str(int(batch.lengths[at]))
    if column in batch.words:
        word = batch.words[column]
        return str(word.values[word.codes[at]]) if word.codes[at] >= 0 else "empty"
    return batch.parent_name(at) or "empty"
