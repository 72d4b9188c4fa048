"""What is written, hashed and summed while hours are computed is what a reader of the files finds."""

import hashlib

import numpy as np
import pytest
from oracle import lively
from oracle.conversion import HOUR, START
from oracle.merkle import leaf_bytes, tree_head

from gcr_fast import convert
from gcr_fast.errors import OutputError
from gcr_fast.registry import segments, staging
from gcr_fast.registry.catalogue import SEGMENTS, Catalogue
from gcr_fast.registry.partial import Partial
from gcr_fast.registry.registry import Registry
from gcr_fast.registry.state import State

SUMS = ("by_owner", "by_source", "by_month")
HUGE_WH = 1 << 50
"""Of which some hours pass 32 bits."""


def rows(number, **more):
    owners = ("North", "South", "West")
    each = (
        {"certificate_id": f"P{at}", "owner": owners[at % 3], "energy_wh": 10_000 + 977 * at} for at in range(number)
    )
    return [row | more for row in each]


BATCHES = {
    "one": (rows(1), {}),
    "more than a part": (rows(150), {}),
    "a leap year of hours, in several leaves": (rows(3), {"hours": 8784}),
    "quarters of an hour": (rows(5), {"hours": 3000, "step": 900}),
    "64 bits": (rows(2, energy_wh=HUGE_WH), {}),
    "everything": (list(lively.PARENTS), {}),
}


@pytest.fixture(params=BATCHES)
def issued(request, tmp_path):
    """A registry with one issue, open."""
    given, more = BATCHES[request.param]
    with Registry.create(tmp_path / "registry", clock=lambda: lively.NOW + 400 * 86_400) as registry:
        registry.issue(*lively.parents(*given, **more), create_parties=True)
        yield registry


def test_sums_are_those_that_a_replay_counts_over(issued):
    replayed = State(Catalogue(issued.folder))
    for record in issued.journal.entries():
        replayed.apply(record.seq, record.entry)
    for name in SUMS:
        assert getattr(issued.state, name).tolist() == getattr(replayed, name).tolist()
        assert getattr(replayed, name)[..., 0].sum() == issued.query().count > 0
    assert issued.state.by_month.dtype == np.int64


def test_files_and_root_are_those_of_the_hours(issued):
    leaves = []
    for block in issued.state.catalogue.blocks:
        assert segments.check(block.folder, block.name) is None
        for parent, row in enumerate(block.energy, start=block.first_parent):
            name, step = issued.state.catalogue.ids[parent].as_py(), int(issued.state.catalogue.step_s[parent])
            for low in range(0, len(row), 1024):
                some = row[low : low + 1024]
                leaves.append(leaf_bytes(name, START + low * step, step, row.itemsize, some.tolist()))
    texts = dict(next(issued.journal.entries(kinds=("issue",))).entry.texts)
    assert texts["merkle_root"] == tree_head(leaves).hex()
    assert texts["leaves"] == str(len(leaves))
    names = [texts["parents"], *texts["segments"].split()]
    assert texts["content"] == hashlib.sha256("\n".join(names).encode()).hexdigest()
    assert segments.listing(issued.folder / SEGMENTS) == set(names)


def test_the_same_files_with_any_number_of_threads(tmp_path):
    given = rows(40) + [row | {"certificate_id": f"Q{at}", "end": START + 24 * HOUR} for at, row in enumerate(rows(30))]
    contents, owners = set(), ["North"] * len(given)
    for threads in (1, 2, 3):
        place = tmp_path / str(threads)
        (place / SEGMENTS).mkdir(parents=True)
        done = []
        conversion = convert(*lively.parents(*given), threads=threads)
        contents.add(staging.stage(conversion, place, owners, 0, "", "", done.append).content)
        assert done == [40, 30]
    assert len(contents) == 1


@pytest.mark.parametrize("at", range(1, 12))
def test_a_write_that_fails_leaves_no_file_begun(tmp_path, monkeypatch, at):
    """Of several segments under way at once, the one that fails takes the others along."""
    (tmp_path / SEGMENTS).mkdir()
    given = [
        {"certificate_id": f"P{at}", "end": START + (10 + at) * HOUR, "energy_wh": 10_000} for at in range(9)
    ]  # nine lengths, so nine segments
    conversion = convert(*lively.parents(*given), threads=2)
    calls, real = [], Partial.put

    def put(self, piece):
        calls.append(1)
        if len(calls) == at:
            raise OSError(28, "No space left on device")
        real(self, piece)

    monkeypatch.setattr(Partial, "put", put)
    with pytest.raises(OutputError, match="No space left"):
        staging.stage(conversion, tmp_path, ["North"] * 9, 0, "", "")
    assert not [path for path in (tmp_path / SEGMENTS).iterdir() if path.name.startswith(".part-")]
