"""The conversion: annual certificates and profiles in, a stream of hourly certificates out."""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Iterator
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from gcr_fast.annual import Annual, annual_from
from gcr_fast.codes import BIRTH_STATUS, METHOD_VERSION, METHODS, WH_PER_MWH
from gcr_fast.columns import exact_sum
from gcr_fast.conversion.batches import BatchMaker, Task, tasks
from gcr_fast.conversion.blocks import BlockHours, block_plans
from gcr_fast.conversion.booking import DEFAULT_MARGIN, apportion, book, parse_margin
from gcr_fast.conversion.matching import make_plan
from gcr_fast.conversion.plan import Plan
from gcr_fast.errors import UsageError
from gcr_fast.exchange.reading import Source
from gcr_fast.exchange.writing import Job, Written, write
from gcr_fast.grid.shapes import Profile
from gcr_fast.parallel import ordered_map, thread_count
from gcr_fast.profiles import profiles_from
from gcr_fast.report import ConversionReport
from gcr_fast.schema import SCHEMA_VERSION, arrow_schema

if TYPE_CHECKING:
    import pyarrow as pa

Stored = TypeVar("Stored")


def convert(
    annual: Any,
    profiles: Any,
    method: str = "cumulative",
    *,
    profile: str | None = None,
    unit_wh: int = 1,
    keep_zero_hours: bool = False,
    certificate_ids: bool = False,
    capacity_margin: str | float = DEFAULT_MARGIN,
    threads: int | None = None,
    allow_estimated: bool = False,
) -> Conversion:
    """Convert cancelled annual certificates into hourly ones, exactly.

    `annual` and `profiles` are what `read_annual` and `read_profiles` return, or paths, or objects with
    `__arrow_c_stream__` (profiles also as a list of these). `method` is one of `codes.METHODS`. `profile` serves
    certificates that name none. `unit_wh` is the size of a certificate: 1, 1000 (kWh) or 1000000 (MWh); what is
    less is a residual. Zero hours issue nothing unless kept. `certificate_ids` adds the id column.
    `allow_estimated` lets intervals that were filled in stand for metered ones; the findings tell.

    Raises `RefusedError` with every finding if any certificate may not be converted; then nothing was converted.
    """
    if method not in METHODS:
        raise UsageError(f"unknown method {method!r}; there are {', '.join(METHODS)}")
    if not 1 <= unit_wh <= WH_PER_MWH:
        raise UsageError(f"unit_wh must be 1 to {WH_PER_MWH} (1 MWh), not {unit_wh}")
    workers = thread_count(threads)
    certificates = annual_from(annual, strict=False)
    shapes = profiles_from(profiles, strict=False)
    plan = make_plan(certificates, shapes, profile, keep_zero_hours, allow_estimated)
    book(plan, method, unit_wh, parse_margin(capacity_margin))
    plan.findings.check()
    maker = BatchMaker(plan, method, unit_wh, keep_zero_hours, certificate_ids)
    made = _made(plan, method, unit_wh, profile, capacity_margin)
    return Conversion(plan, maker, made, shapes.sources, workers)


class Conversion:
    """Hourly certificates, made as they are asked for; may be gone through any number of times.

    Certificates come grouped by the intervals and the profile they share, in file order within; hours ascend.
    """

    def __init__(
        self, plan: Plan, maker: BatchMaker, made: dict[str, str], sources: tuple[Source, ...], threads: int
    ) -> None:
        self._plan = plan
        self._maker = maker
        self._made = made
        self._sources = sources
        self._threads = threads

    @cached_property
    def schema(self) -> pa.Schema:
        """The Arrow schema of the hourly certificates; its metadata tells the method, units and totals."""
        return self._maker.schema.with_metadata(self._made)

    @cached_property
    def metadata(self) -> dict[str, str]:
        """What a written file says of its making: as in `schema`, and the hashes of what went in."""
        hashes = {
            "gcr_fast.annual_sha256": self._plan.annual.source.sha256,
            "gcr_fast.profiles_sha256": ", ".join(source.sha256 for source in self._sources),
        }
        return self._made | hashes

    @property
    def parents(self) -> int:
        """How many annual certificates."""
        return len(self._plan.annual)

    @property
    def findings(self) -> pa.Table:
        """Warnings and notes; errors would have refused the conversion."""
        return self._plan.findings.to_table()

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield record batches of about half a million hours, in order; few are in memory at a time."""
        for batch in ordered_map(self._maker.batch, self._tasks(), self._threads):
            yield batch.replace_schema_metadata(self.schema.metadata)

    def to_table(self) -> pa.Table:
        """Gather all hours in one table. Its columns have chunks of different lengths, as that lets most be shared."""
        return self._maker.table(list(self._tasks()), self._threads).replace_schema_metadata(self.schema.metadata)

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """Stream the hours to any Arrow library: Polars, DuckDB, pandas, pyarrow."""
        import pyarrow as pa

        reader = pa.RecordBatchReader.from_batches(self.schema, self.batches())
        return reader.__arrow_c_stream__(requested_schema)

    def write(
        self,
        path: str | os.PathLike[str],
        *,
        format: str | None = None,  # noqa: A002
        progress: Callable[[int], None] | None = None,
    ) -> Written:
        """Write a .parquet, .arrow or .csv file, or (no suffix) a folder of parts; complete, or not at all.

        `progress` is called with the number of annual certificates just finished.
        """
        said = progress or (lambda count: None)
        job = Job(
            tasks=self._tasks(),
            batch=self._maker.batch,
            columns=self._maker.columns,
            schema=self._maker.schema,
            metadata=self.metadata,
            threads=self._threads,
            done=lambda task: said(len(task.rows)),
        )
        return write(path, job, format=format)

    @property
    def report(self) -> ConversionReport:
        """Per annual certificate: hours, Wh in and out, residual, clipped Wh and findings, in file order."""
        figures = self._maker.figures
        if not figures.done.all():
            for _ in ordered_map(self._maker.energy, self._tasks(), self._threads):
                pass
        return ConversionReport(self._report_table(), self._plan.findings)

    # --- for a registry

    @property
    def annual(self) -> Annual:
        """The annual certificates, as they were read."""
        return self._plan.annual

    def map_blocks(self, function: Callable[[BlockHours], Stored]) -> Iterator[Stored]:
        """Yield `function(block)` for each block of parents of one length, in order; called by many threads."""
        blocks = (BlockHours(plan, self._maker) for plan in block_plans(self._tasks()))
        yield from ordered_map(function, blocks, self._threads)

    def parents_table(self, rows: np.ndarray, owners: list[str]) -> pa.Table:
        """Return the parents of some rows of the annual table (`schema.PARENTS`); their hours must have been made."""
        import pyarrow as pa

        table, plan, figures = self._plan.annual.table, self._plan, self._maker.figures
        shares = [share for share in plan.shares if share is not None]
        schema = arrow_schema("parents")
        computed = {
            "issued_wh": figures.issued_wh,
            "residual_wh": table["energy_wh"].to_numpy() - figures.issued_wh,
            "certificates": figures.nonzero,
            "hours": [share.hours for share in shares],
            "step_s": [share.profile.step_s for share in shares],
            "source_type": plan.sources,
            "profile": [share.profile.name for share in shares],
            "status": [BIRTH_STATUS[purpose] for purpose in table["purpose"].to_pylist()],
            "annual_status": table["status"],
            "allocation_basis": plan.bases,
            "owner": owners,
        }
        columns = [computed.get(name, table[name] if name in table.column_names else None) for name in schema.names]
        return pa.table(columns, schema=schema).take(pa.array(rows)).combine_chunks()

    @property
    def capacity_margin(self) -> Fraction:
        """By how much hours may exceed a device's capacity."""
        return parse_margin(self._made["gcr_fast.capacity_margin"])

    def hours_of(self, rows: Container[int]) -> Iterator[tuple[int, tuple[Profile, int, np.ndarray]]]:
        """Yield, of some rows of the annual table: the row, and (profile, its first interval, Wh int64[hours])."""
        for task in self._tasks():
            for at, piece in enumerate(task.pieces):
                some = [place for place, row in enumerate(piece.rows.tolist()) if row in rows]
                share = piece.lot.share
                for place, wh in zip(some, self._spread(task, at, some), strict=True):
                    hours = np.zeros(share.hours, dtype=np.int64)
                    hours[share.positions] = wh
                    yield int(piece.rows[place]), (share.profile, share.first, hours)

    def _spread(self, task: Task, at: int, some: list[int]) -> np.ndarray:
        """Return the Wh of some certificates of a piece, int64[some, intervals that can receive energy]."""
        piece = task.pieces[at]
        if not some or at in task.metered:
            return task.metered.get(at, np.zeros((0, 0), np.int64))[some]
        totals = self._plan.issue_wh[piece.rows[some]]
        return apportion(self._maker.method, piece.lot.share.weights, totals, self._maker.unit_wh)

    def metered(self) -> list[tuple[int, tuple[str, str | None, str], tuple[Profile, int, np.ndarray]]]:
        """Return, per certificate with a metered basis: its row, (basis, device, profile), and (profile, first, Wh)."""
        found = []
        devices = self._plan.annual.table["device_id"].to_pylist()
        for task in self._tasks():
            for at, hours in task.metered.items():
                piece = task.pieces[at]
                share = piece.lot.share
                for row, wh in zip(piece.rows.tolist(), hours, strict=True):
                    spread = np.zeros(share.hours, dtype=np.int64)
                    spread[share.positions] = wh
                    facts = (self._plan.bases[row], devices[row], share.profile.name)
                    found.append((row, facts, (share.profile, share.first, spread)))
        return found

    def _tasks(self) -> Iterator[Task]:
        return tasks(self._plan, self._maker.method, self._maker.unit_wh)

    def _report_table(self) -> pa.Table:
        import pyarrow as pa

        plan, figures = self._plan, self._maker.figures
        shares = [share for share in plan.shares if share is not None]
        energy = plan.annual.table["energy_wh"].to_numpy()
        columns = {
            "parent_certificate_id": plan.annual.table["certificate_id"],
            "source_type": plan.sources,
            "profile": [share.profile.name for share in shares],
            "allocation_basis": plan.bases,
            "production_start": plan.annual.table["production_start"],
            "production_end": plan.annual.table["production_end"],
            "hours": [share.hours for share in shares],
            "nonzero_hours": figures.nonzero,
            "energy_wh": energy,
            "issued_wh": figures.issued_wh,
            "residual_wh": energy - figures.issued_wh,
            "clipped_wh": [share.clipped_wh for share in shares],
            "findings": [plan.codes.get(row, []) for row in range(len(energy))],
        }
        return pa.table(columns, schema=arrow_schema("report"))


def _made(plan: Plan, method: str, unit_wh: int, default_profile: str | None, margin: str | float) -> dict[str, str]:
    """Return what an output says of its making."""
    from gcr_fast import __version__

    used = {share.profile.name: share.profile for share in plan.shares if share is not None}
    made = {
        "gcr_fast.table": "hourly",
        "gcr_fast.version": __version__,
        "gcr_fast.schema_version": str(SCHEMA_VERSION),
        "gcr_fast.method": method,
        "gcr_fast.method_version": str(METHOD_VERSION),
        "gcr_fast.unit_wh": str(unit_wh),
        "gcr_fast.capacity_margin": str(margin),
        "gcr_fast.allocation_basis": ", ".join(sorted(set(plan.bases))),
        "gcr_fast.parents": str(len(plan.annual)),
        "gcr_fast.parents_wh": str(exact_sum(plan.annual.table["energy_wh"].to_numpy())),
        "gcr_fast.residual_wh": str(_residual_wh(plan)),
        "gcr_fast.attribution": "; ".join(sorted({p.attribution for p in used.values() if p.attribution})),
    }
    return made | ({"gcr_fast.default_profile": default_profile} if default_profile else {})


def _residual_wh(plan: Plan) -> int:
    parents = plan.annual.table["energy_wh"].to_numpy()
    return exact_sum(parents - plan.issue_wh)
