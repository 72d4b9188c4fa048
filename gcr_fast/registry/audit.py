"""`verify`: every promise of a registry, checked from its files alone, with a table of what was checked.

Reads only, and trusts neither the live columns nor SQLite's triggers: the journal is replayed by `ledger` and compared
with them. What is damaged is named. What rests on something damaged is `skipped`, never passed.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gcr_fast.conversion.booking import parse_margin
from gcr_fast.errors import CorruptError, GcrError, UsageError
from gcr_fast.parallel import ordered_map, thread_count
from gcr_fast.registry import inspection, segments, signing, snapshots
from gcr_fast.registry.audit_report import (
    CHAIN,
    CHECKS,
    ENTRIES,
    FAILED,
    FILES,
    PASSED,
    ROOTS,
    SIGNATURES,
    SKIPPED,
    SNAPSHOTS,
    STATE,
    AuditFinding,
    AuditReport,
    Check,
)
from gcr_fast.registry.books import CLAIM, ENDED, ENTRY, LISTED, OWNED, TABLE
from gcr_fast.registry.catalogue import SEGMENTS
from gcr_fast.registry.comparing import differences, untiled
from gcr_fast.registry.database import FILE
from gcr_fast.registry.journal import Journal
from gcr_fast.registry.ledger import Ledger
from gcr_fast.registry.replay import ISSUED, loaded, rebuilt

if TYPE_CHECKING:
    from gcr_fast.registry.keeper import Keeper


def verify(
    registry: Keeper | str | os.PathLike[str],
    *,
    public_key: str | os.PathLike[str] | None = None,
    capacity_margin: str | float | None = None,
) -> AuditReport:
    """Check a registry, or the folder of one; a copy or a folder that cannot be written will do. Writes nothing.

    Of an open registry the columns in memory are checked, too. With `public_key` (64 hex digits or a PEM file) there
    must be a signature by it. `capacity_margin` is what devices may exceed their capacity by; by default, what their
    issues recorded. Damage is reported, not raised; `RegistryError` is for a folder that holds no registry.
    """
    live = None if isinstance(registry, str | os.PathLike) else registry
    if live is not None and live.in_group:
        raise UsageError("verify when the group is over: what it does is not committed yet")
    folder = live.folder if live is not None else Path(os.fspath(registry))  # type: ignore[arg-type]
    margin = None if capacity_margin is None else parse_margin(capacity_margin)
    key = None if public_key is None else _key_hex(public_key)
    before = _stamp(folder)
    report = _Audit(folder, live, margin, key, still=True).run()
    if _stamp(folder) == before:
        return report
    return _Audit(folder, live, margin, key, still=False).run()  # somebody wrote while the file was read alone


def _key_hex(source: str | os.PathLike[str]) -> str:
    return signing.public_hex(signing.load_public(source))


def _stamp(folder: Path) -> tuple[int, int, int] | None:
    try:
        said = (folder / FILE).stat()
    except OSError:
        return None
    return said.st_ino, said.st_size, said.st_mtime_ns


class _Audit:
    """One reading of everything, check by check."""

    def __init__(self, folder: Path, live: Keeper | None, margin: Any, key: str | None, *, still: bool) -> None:
        self.folder, self.live, self.margin, self.key, self.still = folder, live, margin, key, still
        self.report = AuditReport(str(folder))
        self.ledger = Ledger(folder)
        self.broken = ""
        """Why nothing that rests on the replay can be checked."""
        self.snapshot_faults: list[str] = []

    def run(self) -> AuditReport:
        """Check everything."""
        try:
            journal = Journal.open(self.folder, read_only=True, still=self.still)
        except CorruptError as error:
            self._fail(CHAIN, [str(error)])
            self.broken = f"{self.folder / FILE} cannot be read"
            for name in (FILES, ROOTS, SNAPSHOTS, SIGNATURES):
                self._skip(name, f"not checked: {self.broken}")
            self._rules()
            self._state()
            return self._sorted()
        with journal:
            self.journal = journal
            self._chain()
            self._files()
            self._replay()
            self._guarded(ROOTS, "{issues}", lambda: inspection.wrong_roots(self.ledger))
            self._snapshots()
            self._signatures()
            self._rules()
            self._state()
        return self._sorted()

    def _sorted(self) -> AuditReport:
        self.report.checks.sort(key=lambda check: _ORDER[check.name])
        return self.report

    # --- rows of the report

    def _row(self, name: str, faults: list[str], detail: str) -> None:
        if faults:
            self._fail(name, faults)
        else:
            self.report.checks.append(Check(name, PASSED, detail))

    def _fail(self, name: str, faults: list[str]) -> None:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        self.report.checks.append(Check(name, FAILED, faults[0] + more))
        self.report.findings += [AuditFinding(name, fault) for fault in faults]

    def _skip(self, name: str, why: str) -> None:
        self.report.checks.append(Check(name, SKIPPED, why))

    def _guarded(self, name: str, detail: str, look: Callable[[], Iterable[str]]) -> None:
        """Make a check that rests on the replay; what stops it is a fault, too, not an end of the audit."""
        if self.broken:
            self._skip(name, f"not checked: {self.broken}")
            return
        try:
            faults = list(islice(look(), 10 * LISTED))
        except Exception as error:  # altered data can break any step; the audit names it and goes on
            faults = [_said(error)]
        issues, parents = _many(len(self.ledger.issues), "issue"), _many(len(self.ledger.parents), "parent")
        self._row(name, faults, detail.format(issues=issues, parents=parents))

    # --- files

    def _chain(self) -> None:
        """Check 10: entries, hashes, keys, the structure of the file; and that meta says what the first entry does."""
        try:
            last = self.journal.last()
            position = last.seq if self.live is None else self.live.position
            self.report.position, self.report.head = position, last.hash.hex()
            faults = [f"entry {seq}: {what}" if seq else what for seq, what in self.journal.verify_chain()]
            faults = faults or self._wrong_meta()
            if position > last.seq:
                faults.append(f"entries after {last.seq} are missing: {position} were there")
            elif position:
                self.report.head = next(self.journal.entries(position - 1, position)).hash.hex()
        except (GcrError, StopIteration) as error:
            faults = [_said(error)]
        if faults:
            self.broken = "the journal is damaged"
        self._row(CHAIN, faults, f"{_many(self.report.position, 'entry', 'entries')}, head {self.report.head[:16]}")

    def _wrong_meta(self) -> list[str]:
        first = next(self.journal.entries(upto=1, kinds=("create",)), None)
        if first is None:
            return ["entry 1: does not create a registry"]
        meta, said = self.journal.meta, dict(first.entry.texts)
        keys = sorted(said.keys() | meta.keys() & {"name", "transfer_months", "expiry_months"})
        where = self.folder / FILE
        different = [key for key in keys if meta.get(key) != said.get(key)]
        return [f"{where}: meta has {key} {meta.get(key)!r}, entry 1 {said.get(key)!r}" for key in different]

    def _files(self) -> None:
        """Hash every file that an issue names."""
        place = self.folder / SEGMENTS
        names: list[str] = []
        try:
            for record in self.journal.entries(upto=self.report.position, kinds=("issue",)):
                texts = dict(record.entry.texts)
                names += [texts["parents"], *texts["segments"].split()]
            there = segments.listing(place)
        except (GcrError, KeyError) as error:
            self._fail(FILES, [_said(error)])
            self.broken = self.broken or "files are damaged"
            return
        names = list(dict.fromkeys(names))
        found = ordered_map(lambda name: segments.check(place, name), names, thread_count(None))
        faults = [wrong for wrong in found if wrong]
        if faults:
            self.broken = self.broken or "files are damaged"
        orphans = len(there - set(names))
        extra = f"; {orphans} more that no entry names: left by a killed writer, or of one at work" if orphans else ""
        self._row(FILES, faults, f"{_many(len(names), 'file')}{extra}")

    # --- replay

    def _replay(self) -> None:
        """Keep the books from entry 1 on; on the way, hold each snapshot against them."""
        known = {snapshot.position: snapshot.name for snapshot in self._known_snapshots()}
        if self.broken:
            return
        seq = 0
        try:
            for record in self.journal.entries(upto=self.report.position):
                seq = record.seq
                self.ledger.apply(seq, record.entry)
                if seq in known:
                    self._compare_snapshot(seq, known[seq])
        except Exception as error:  # whatever an altered entry or file leads to
            self.broken = f"entry {seq} cannot be replayed: {_said(error)}"

    def _known_snapshots(self) -> list[Any]:
        """Return the snapshots that are sound as files; the faults of the others are kept."""
        try:
            listed = self.journal.snapshots()
        except GcrError as error:
            self.snapshot_faults.append(_said(error))
            return []
        place, sound = self.folder / snapshots.SNAPSHOTS, []
        for snapshot in listed:
            wrong = segments.check(place, snapshot.name) if (place / snapshot.name).exists() else None
            if wrong:
                self.snapshot_faults.append(f"{wrong}; opening passes it over and replays the journal")
            elif (place / snapshot.name).exists():
                sound.append(snapshot)
        self.sound = len(sound)
        self.missing = len(listed) - len(sound) - len(self.snapshot_faults)
        return sound

    sound = missing = 0

    def _compare_snapshot(self, position: int, name: str) -> None:
        if self._unsound_entries():
            return
        try:
            state = loaded(self.folder, self.journal.entries(upto=position, kinds=ISSUED), name)
            faults = list(islice(differences(self.ledger, state), LISTED))
        except Exception as error:  # a forged file can hold anything
            faults = [_said(error)]
        place = self.folder / snapshots.SNAPSHOTS / name
        self.snapshot_faults += [f"{place} is not the state after entry {position}: {fault}" for fault in faults]

    def _unsound_entries(self) -> bool:
        """Whether entries name what does not exist: then no state is made of them, as its kernels trust entries."""
        return bool(self.ledger.faults.counts[ENTRY])

    def _snapshots(self) -> None:
        """A snapshot is a cache: damage to one is found and named, and no evidence is lost by it."""
        if self.broken and not self.snapshot_faults:
            self._skip(SNAPSHOTS, f"not compared: {self.broken}")
            return
        missing = f"; {self.missing} not there, which is no loss" if self.missing else ""
        self._row(SNAPSHOTS, self.snapshot_faults, f"{self.sound} compared with the replay{missing}")

    def _state(self) -> None:
        """Check 11: the live columns, and what a new opening makes of snapshot and journal, beside the books."""
        if not self.broken and self._unsound_entries():
            self._fail(STATE, ["entries name what does not exist, so no state can be made of them"])
            return
        if self.broken:
            self._fail(STATE, [f"cannot be recomputed: {self.broken}"])
            return
        self._guarded(STATE, "columns, pieces, sums, trades, claims of {parents}", self._wrong_state)

    def _wrong_state(self) -> Iterable[str]:
        if self.live is not None:
            yield from (f"in memory: {what}" for what in differences(self.ledger, self.live.state))
        state, _ = rebuilt(self.folder, self.journal)
        if state.position > self.report.position:
            state, _ = rebuilt(self.folder, self.journal, self.report.position)
        yield from differences(self.ledger, state)

    # --- signatures

    def _signatures(self) -> None:
        try:
            signatures = self.journal.signatures()
            faults, last = self._wrong_signatures(signatures)
        except UsageError as error:  # the library is missing
            self._skip(SIGNATURES, str(error))
            return
        except Exception as error:  # altered keys and numbers
            self._fail(SIGNATURES, [_said(error)])
            return
        if self.key is not None and not last:
            faults.append(f"no entry is signed by {self.key}")
        upto = f", the last at entry {last} of {self.report.position}" if last else ""
        self._row(SIGNATURES, faults, f"{_many(len(signatures), 'signature')}{upto}")

    def _wrong_signatures(self, signatures: list[Any]) -> tuple[list[str], int]:
        """Return the faults, and the last entry that is rightly signed: by the key that is asked for, if one is."""
        faults, last, registry_id = [], 0, self.journal.meta.get("registry_id", "")
        for seq, public, signature, at_s in signatures:
            record = next(self.journal.entries(seq - 1, seq), None)
            key = signing.load_public(public.hex())
            if record is None:
                faults.append(f"entry {seq} is signed, but missing")
            elif not signing.verify(key, signing.message(registry_id, seq, record.hash, at_s), signature):
                faults.append(f"entry {seq}: its hash {record.hash.hex()} is not what {public.hex()} signed")
            elif self.key in (None, public.hex()):
                last = max(last, seq)
        return faults, last

    # --- the eleven checks

    def _rules(self) -> None:
        """Checks 1 to 9, and what entries say of themselves."""
        ledger, faults, look = self.ledger, self.ledger.faults, self._guarded
        look(ENTRIES, _many(ledger.position, "entry", "entries"), lambda: faults.of(ENTRY))
        look(CHECKS[0], "{parents}", lambda: inspection.shared_serials(ledger))
        once = "{parents}, each CANCELED, in one issue, and born as its purpose says"
        look(CHECKS[1], once, lambda: inspection.converted_again(ledger))
        look(CHECKS[2], "{parents}", lambda: inspection.wrong_sums(ledger))
        look(CHECKS[3], self._margins(), lambda: inspection.over_capacity(ledger, self.margin))
        look(CHECKS[4], f"{_many(len(ledger.pieces), 'piece')} in the place of hours", self._wrong_owners)
        look(CHECKS[5], "every entry, by the table", lambda: faults.of(TABLE))
        look(CHECKS[6], "no trade of what is used, expired or past its deadline", lambda: faults.of(ENDED))
        look(CHECKS[7], "for each parent", self._wrong_use)
        look(CHECKS[8], f"{_many(len(ledger.claims), 'hour')} of consumption", lambda: faults.of(CLAIM))

    def _margins(self) -> str:
        """Say what was checked of devices."""
        margins = {self.margin}
        with contextlib.suppress(UsageError):  # what an entry says may be anything; then the check itself fails
            margins = margins - {None} or {inspection.recorded_margin(issue) for issue in self.ledger.issues}
        times = ", ".join(f"{float(margin):g}" for margin in sorted(margins - {None})) or "its margin"
        among = "over all parents of a device, where both are known; profiles are not kept, so not compared"
        return f"no hour above capacity x {times} {among}"

    def _wrong_owners(self) -> Iterable[str]:
        yield from self.ledger.faults.of(OWNED)
        yield from untiled(self.ledger)

    def _wrong_use(self) -> Iterable[str]:
        retired, claimed = self.ledger.used["retire"], self.ledger.used["claim"]
        for at in sorted(retired.keys() | claimed.keys()):
            parent = self.ledger.parents[at]
            issued = int(parent.energy.sum(dtype="int64"))
            if not claimed[at] <= retired[at] <= issued:
                yield f"{parent.name}: {claimed[at]} Wh claimed, {retired[at]} Wh retired, {issued} Wh issued"


_ORDER = {name: at for at, name in enumerate((FILES, ROOTS, SNAPSHOTS, SIGNATURES, ENTRIES, *CHECKS))}


def _many(count: int, noun: str, plural: str = "") -> str:
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def _said(error: Exception) -> str:
    return str(error) if isinstance(error, GcrError) else f"{type(error).__name__}: {error}"
