"""The registry: one folder, no server. Everything that changes it goes through its journal; everything else reads.

A change is checked, appended, committed (one fsync) and then acknowledged. Any number of processes may read while one
writes; a second writer waits for the lock.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

from gcr_fast.annual import annual_from
from gcr_fast.errors import RegistryError, UsageError
from gcr_fast.findings import Findings
from gcr_fast.grid.shapes import Profiles
from gcr_fast.processor import Conversion, convert
from gcr_fast.profiles import profiles_from
from gcr_fast.registry import issuing, segments, snapshots, staging
from gcr_fast.registry.catalogue import SEGMENTS, Catalogue
from gcr_fast.registry.entries import Entry
from gcr_fast.registry.evidence import Evidence
from gcr_fast.registry.journal import Journal
from gcr_fast.registry.lock import LOCK, WriterLock
from gcr_fast.registry.operations import Operations
from gcr_fast.registry.receipts import Receipt
from gcr_fast.registry.writer import key_reused


class Registry(Operations, Evidence):
    """`Registry.create(path)` or `Registry.open(path)`; close it, or use it as a context manager."""

    @classmethod
    def create(
        cls,
        path: str | os.PathLike[str],
        *,
        name: str = "",
        transfer_months: int | None = None,
        expiry_months: int | None = None,
        lock_timeout_s: float = 30.0,
        clock: Callable[[], float] = time.time,
    ) -> Self:
        """Make an empty registry in a new or empty folder and open it.

        `transfer_months` and `expiry_months` after production, certificates may no longer be traded, and expire
        (12 and 18 in EECS); None is never. `clock` gives UTC seconds.
        """
        folder = Path(path)
        for value, what in ((transfer_months, "transfer_months"), (expiry_months, "expiry_months")):
            if value is not None and value < 1:
                raise UsageError(f"{what} must be 1 or more, not {value}")
        Journal.require_none(folder)  # before anything is written, the lock's signature too
        _make_folders(folder)
        policy = {"transfer_months": transfer_months, "expiry_months": expiry_months}
        texts = {"name": name, "registry_id": secrets.token_hex(16)}
        texts |= {key: str(value) for key, value in policy.items() if value is not None}
        with WriterLock(folder / LOCK, lock_timeout_s):
            first = Entry("create", int(clock()), texts=tuple(sorted(texts.items())))
            Journal.create(folder, texts, first).close()
        return cls.open(folder, lock_timeout_s=lock_timeout_s, clock=clock)

    def issue(
        self,
        annual: Any,
        profiles: Any = None,
        *,
        create_parties: bool = False,
        actor: str = "",
        key: str = "",
        dry_run: bool = False,
        progress: Callable[[int], None] | None = None,
        **options: Any,
    ) -> Receipt:
        """Issue the hours of a `Conversion`, or of annual certificates and profiles (`options` as for `convert`).

        As a whole or not at all: `RefusedError` lists every reason. What was issued before, exactly so, is left as it
        is. Owners that are no parties are refused, or with `create_parties` added. `progress` is
        called with the number of certificates just stored.
        """
        self._require_writable()
        made = (annual, None) if isinstance(annual, Conversion) else self._converted(annual, profiles, options)
        conversion, meters = made
        with self._changing() as transaction:
            owners = issuing.owners_of(conversion)
            strict = [] if create_parties else owners
            findings = issuing.refusals(conversion, self.state.catalogue, strict, meters)
            repeat = self._same_issue(conversion, owners) if _all_known(conversion, self.state.catalogue) else None
            self._check_key(key, repeat, findings)
            if repeat is not None:
                return repeat
            findings.check()
            if dry_run:
                totals = conversion.report.totals
                return Receipt(0, "", "issue", totals["nonzero_hours"], totals["issued_wh"])
            staged = staging.stage(conversion, self.folder, owners, self.now(), actor, key, progress)
            for name in dict.fromkeys(owners):
                self.add_party(name, actor=actor)
            return self._append(transaction, staged.entry, staged.by_month)

    def _converted(self, annual: Any, profiles: Any, options: Mapping[str, Any]) -> tuple[Conversion, Profiles]:
        """Convert with what earlier issues have left of meters; return the profiles as they were metered, too."""
        if profiles is None:
            raise UsageError("issue takes a Conversion, or annual certificates and profiles")
        certificates = annual_from(annual, strict=False)
        self.refresh()
        given, catalogue = profiles_from(profiles, strict=False), self.state.catalogue
        allowed = options.get("allow_estimated", False)
        shapes = issuing.remaining(catalogue, certificates, given, options.get("profile"), allowed)
        return convert(certificates, shapes, **options), given

    def _same_issue(self, conversion: Conversion, owners: list[str]) -> Receipt | None:
        """Return the receipt of the entry that issued exactly this, None if it was something else."""
        content = staging.stage(conversion, self.folder, owners, 0, "", "").content
        for record in self.journal.entries(kinds=("issue",)):
            if dict(record.entry.texts)["content"] == content:
                return Receipt.of(record.seq, record.hash, record.entry, repeated=True)
        self._clean()
        return None

    def _check_key(self, key: str, repeat: Receipt | None, findings: Findings) -> None:
        """A key that another entry has cannot be this issue's."""
        seq = self.journal.find_key(key) if key else None
        if seq is not None and (repeat is None or repeat.entry != seq):
            key_reused(key, next(self.journal.entries(after=seq - 1, upto=seq)), findings)
            findings.check()


def _make_folders(folder: Path) -> None:
    """Make a registry's folders so that they stay: a name is on disk once the folder that it stands in is synced."""
    fresh = [each for each in folder.parents if not each.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / SEGMENTS).mkdir(exist_ok=True)
        (folder / snapshots.SNAPSHOTS).mkdir(exist_ok=True)
    except OSError as error:
        raise RegistryError(f"cannot make {folder}: {error.strerror}") from error
    for each in (folder, *fresh):
        if os.access(each.parent, os.R_OK):  # else it cannot be opened, and so not be synced
            segments.sync_folder(each.parent)


def _all_known(conversion: Conversion, catalogue: Catalogue) -> bool:
    return all(name in catalogue.place_of for name in conversion.annual.table["certificate_id"].to_pylist())
