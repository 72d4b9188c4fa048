"""The second half of `gcr demo`: the hours are issued into a registry, some are traded and retired, all is verified."""

from __future__ import annotations

import shutil
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gcr_fast.registry import Registry
    from gcr_fast.registry.audit_report import AuditReport
    from gcr_fast.registry.receipts import Receipt

    from .convert import Result

NAME = "gcr demo"
"""What the demo's registry is called: a registry of another name is never replaced."""
BUYER = "Demo Buyer"
BENEFICIARY = "Demo Works"
PRICE, CURRENCY = "45.50", "EUR"
SOURCE = "wind_onshore"
RETIRED_WH = 50_000_000_000


@dataclass
class Life:
    """What happened in the registry."""

    folder: Path
    statement: Path
    issued: list[Receipt]
    issue_seconds: float
    seller: str
    month: tuple[str, str]
    traded: Receipt
    retired: Receipt
    audit: AuditReport
    figures: dict[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return all of it for JSON."""
        return {
            "path": self.folder,
            "issued": [asdict(receipt) for receipt in self.issued],
            "traded": asdict(self.traded),
            "retired": asdict(self.retired),
            "statement": self.statement,
            "statistics": self.figures,
            "audit": self.audit.to_dict(),
        }

    def summary(self) -> list[Any]:
        """Return it for people."""
        from collections import Counter

        from .output import facts, mwh
        from .registry import money

        count, wh = (sum(getattr(one, name) for one in self.issued) for name in ("certificates", "energy_wh"))
        total = money(self.traded.total_minor, self.traded.currency)
        outcomes = Counter(check.outcome for check in self.audit.checks)
        rows = [
            ("registry", f"{self.folder}, {self.audit.position:,} entries in its journal"),
            ("issued", f"{count:,} hourly certificates, {mwh(wh)} MWh, in {self.issue_seconds:.2f} s"),
            ("traded", f"{self.traded.certificates:,}, {mwh(self.traded.energy_wh)} MWh to {BUYER} for {total}"),
            ("retired", f"{self.retired.certificates:,}, {mwh(self.retired.energy_wh)} MWh for {BENEFICIARY}"),
            ("statement", self.statement),
            ("verified", ", ".join(f"{number} {outcome}" for outcome, number in outcomes.items())),
        ]
        return [facts(rows)]

    def commands(self, annual: Path) -> list[str]:
        """Return the commands that do the same in another registry."""
        start, end = self.month
        place = self.folder.with_name("another")
        return [
            f"  gcr init {place}",
            f"  gcr issue {place} {annual} \\",
            "    --profiles shipped --create-parties",
            f"  gcr trade {place} --seller '{self.seller}' \\",
            f"    --buyer '{BUYER}' --create-parties --source-type {SOURCE} \\",
            f"    --start {start} --end {end} --price {PRICE} --currency {CURRENCY}",
            f"  gcr retire {place} --owner '{BUYER}' --wh {RETIRED_WH} \\",
            f"    --beneficiary '{BENEFICIARY}' --statement {self.statement.with_suffix('.json')}",
            f"  gcr stats {place}",
            f"  gcr verify {place}",
        ]


def live(folder: Path, results: list[Result], silent: bool) -> Life:
    """Make the registry in the demo's folder, instead of one that an earlier demo left, and use it."""
    from gcr_fast.registry import Registry

    from .registry import save_statement

    place, paper = folder / "registry", folder / "retired.html"
    _clear(place)
    with Registry.create(place, name=NAME) as held:
        started = time.perf_counter()
        issued = [_issue(held, result, silent) for result in results]
        seconds = time.perf_counter() - started
        seller, month = results[-1].annual.table["owner"][0].as_py(), _month(results[-1])
        hours = {"owner": seller, "source_type": SOURCE, "start": month[0], "end": month[1]}
        traded = held.trade(hours, seller, BUYER, PRICE, CURRENCY, create_parties=True)
        retired = held.retire({"owner": BUYER}, BUYER, BENEFICIARY, "to show how", month[0][:7], RETIRED_WH)
        save_statement(_told(held, retired.entry), paper)
        return Life(
            place, paper, issued, seconds, seller, month, traded, retired, held.verify(), held.statistics().to_dict()
        )


def _issue(held: Registry, result: Result, silent: bool) -> Receipt:
    from .progress import progress

    with progress("issuing", len(result.annual), off=silent) as advance:
        return held.issue(result.conversion, create_parties=True, progress=advance)


def _month(result: Result) -> tuple[str, str]:
    """Return June of the year that was converted last."""
    year = result.annual.table["production_end"][0].as_py().year
    return f"{year}-06-01", f"{year}-07-01"


def _told(held: Registry, entry: int) -> dict[str, Any]:
    from gcr_fast.registry.statements import statement

    return statement(held, entry)


def _clear(place: Path) -> None:
    """Remove the registry of an earlier demo; anything else there is left, and a reason to stop."""
    from gcr_fast.errors import GcrError, OutputError
    from gcr_fast.registry import Registry

    if not place.exists():
        return
    if (place / "registry.db").exists():
        try:
            with Registry.open(place, read_only=True) as held:
                ours = held.info["name"] == NAME
        except GcrError:
            ours = False
    else:  # as a demo leaves it that is killed at once
        ours = place.is_dir() and {each.name for each in place.iterdir()} <= {"segments", "snapshots", "writer.lock"}
    if not ours:
        raise OutputError(f"{place} is not the registry of an earlier demo; name another folder: --out")
    shutil.rmtree(place)
