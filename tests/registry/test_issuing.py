"""Issuing: whole or not at all, every reason told, the same again changes nothing, no meter or device used twice."""

from collections import defaultdict
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle.conversion import DAY, HOUR, MWH, START, annual_table, certificates_of, convert, profile_table, series
from oracle.lively import NOW

import gcr_fast as gcr
from gcr_fast import RefusedError, UsageError
from gcr_fast.columns import utc_seconds
from gcr_fast.registry import issuing, segments
from gcr_fast.registry.catalogue import SEGMENTS
from gcr_fast.registry.registry import Registry

SHAPE = profile_table({"p": series([0, *range(1, 24)]), "q": series([1] * 24)})
METER = profile_table({"p": series([1000] * 24)})


@pytest.fixture
def registry(tmp_path):
    with Registry.create(tmp_path / "r", clock=lambda: NOW) as registry:
        yield registry


def codes(call, *arguments, **options):
    with pytest.raises(RefusedError) as caught:
        call(*arguments, **options)
    return [
        (found["row"], found["code"]) for found in caught.value.findings.to_pylist() if found["severity"] == "error"
    ]


def contents(registry):
    """All files but SQLite's log and index and the lock, as they are."""
    passing = ("-shm", "-wal", ".lock")
    files = (file for file in registry.folder.rglob("*") if file.is_file() and not file.name.endswith(passing))
    return {file.relative_to(registry.folder): file.read_bytes() for file in files}


def issued(registry):
    """{parent: {second: Wh}} as the registry has it."""
    found = defaultdict(dict)
    for row in registry.query().to_table().to_pylist():
        found[row["parent_certificate_id"]][int(row["production_start"].timestamp())] = row["energy_wh"]
    return dict(found)


# --- what is issued


def test_an_issue_is_the_conversion_and_nothing_else(registry):
    rows = [{"energy_wh": 7 * MWH + 3, "owner": "Ada"}, {"energy_wh": 11, "owner": "Bob", "profile": "q"}]
    receipt = registry.issue(annual_table(*rows), SHAPE, create_parties=True)
    hours, _ = convert(certificates_of(*rows), {"p": series([0, *range(1, 24)]), "q": series([1] * 24)})
    assert issued(registry) == hours
    assert (receipt.kind, receipt.energy_wh) == ("issue", 7 * MWH + 14)
    assert receipt.certificates == registry.query().count == sum(map(len, hours.values()))
    assert receipt.entry == registry.position


@pytest.mark.parametrize(
    ("given", "owner", "status"),
    [
        ({"owner": "Ada", "beneficiary": "Bea"}, "Ada", "ACTIVE"),
        ({"owner": None, "beneficiary": "Bea", "purpose": "end_use"}, "Bea", "RETIRED"),
        ({"owner": None}, issuing.UNASSIGNED, "ACTIVE"),
        ({"owner": "Ada", "purpose": None}, "Ada", "LOCKED"),
    ],
)
def test_who_gets_them_and_how_they_are_born(registry, given, owner, status):
    registry.issue(annual_table({"beneficiary": None, **given}), SHAPE, create_parties=True)
    (row,) = registry.query().group_by("owner", "status").to_pylist()
    assert (row["owner"], row["status"]) == (owner, status)
    told = registry.parent("C0")
    assert (told["status"], told["born"], told["annual_status"]) == ("CONVERTED", status, "CANCELED")


def test_the_parents_file_keeps_what_an_audit_needs(registry):
    given = {"device_id": "d", "capacity_w": 10**9, "country": "AT", "issuer": "I", "serial_prefix": "S",
             "serial_start": 7, "serial_end": 9, "source_type": "solar"}  # fmt: skip
    registry.issue(annual_table({"energy_wh": 5 * MWH, "owner": "Ada", **given}), SHAPE, create_parties=True)
    table = registry.state.catalogue.tables[0]
    (row,) = table.to_pylist()
    assert {name: row[name] for name in given} == given
    assert (row["energy_wh"], row["issued_wh"], row["residual_wh"], row["hours"]) == (5 * MWH, 5 * MWH, 0, 24)
    assert (row["certificates"], row["step_s"], row["annual_status"]) == (23, HOUR, "CANCELED")


def test_the_margin_that_was_used_is_recorded(registry):
    registry.issue(annual_table({}), SHAPE, create_parties=True)
    registry.issue(annual_table({"certificate_id": "B"}), SHAPE, capacity_margin="1.25")
    margins = [
        dict(record.entry.texts)["made.capacity_margin"] for record in registry.journal.entries(kinds=("issue",))
    ]
    assert margins == ["1.1", "1.25"]


# --- once


def test_the_same_again_changes_nothing_and_says_so(registry):
    rows = annual_table({"owner": "Ada"}, {"energy_wh": 5})
    first = registry.issue(rows, SHAPE, create_parties=True)
    before = contents(registry)
    for again in (
        lambda: registry.issue(rows, SHAPE),
        lambda: registry.issue(gcr.convert(rows, SHAPE)),
        lambda: registry.issue(rows, SHAPE, create_parties=True, key="any", actor="somebody else"),
    ):
        receipt = again()
        assert receipt.repeated
        assert (receipt.entry, receipt.hash) == (first.entry, first.hash)
    assert contents(registry) == before


@pytest.mark.parametrize(
    "other",
    [
        {"annual": annual_table({"owner": "Ada"}), "profiles": profile_table({"p": series([1] * 24)})},
        {"annual": annual_table({"owner": "Ada", "energy_wh": 999}), "profiles": SHAPE},
        {"annual": annual_table({"owner": "Ada", "profile": "q"}), "profiles": SHAPE},
        {"annual": annual_table({"owner": "Bob"}), "profiles": SHAPE},
        {"annual": annual_table({"owner": "Ada", "purpose": None}), "profiles": SHAPE},
        {"annual": annual_table({"owner": "Ada", "start": START + DAY, "end": START + 2 * DAY}),
         "profiles": profile_table({"p": series([1] * 48)})},
        {"annual": annual_table({"owner": "Ada"}), "profiles": SHAPE, "method": "largest-remainder"},
    ],
)  # fmt: skip
def test_a_parent_converted_twice_with_anything_else_is_refused(registry, other):
    registry.issue(annual_table({"owner": "Ada"}), SHAPE, create_parties=True)
    registry.add_party("Bob")
    before = contents(registry)
    assert codes(registry.issue, **other) == [(0, "already_converted")]
    assert registry.query().energy_wh == 1000
    assert contents(registry) == before


def test_part_of_a_batch_that_was_issued_refuses_all_of_it(registry):
    registry.issue(annual_table({"certificate_id": "A"}, {"certificate_id": "B"}), SHAPE, create_parties=True)
    batch = annual_table({"certificate_id": "N"}, {"certificate_id": "B"}, {"certificate_id": "A"})
    assert codes(registry.issue, batch, SHAPE) == [(1, "already_converted"), (2, "already_converted")]
    assert set(issued(registry)) == {"A", "B"}


SERIALS = {"issuer": "I", "serial_prefix": "S", "serial_start": 10, "serial_end": 19}


@pytest.mark.parametrize(
    ("change", "meets"),
    [
        ({}, True),
        ({"serial_start": 19, "serial_end": 30}, True),
        ({"serial_start": 1, "serial_end": 10}, True),
        ({"serial_start": 12, "serial_end": 12}, True),
        ({"serial_start": 1, "serial_end": 99}, True),
        ({"serial_start": 20, "serial_end": 30}, False),
        ({"serial_start": 1, "serial_end": 9}, False),
        ({"serial_prefix": "T"}, False),
        ({"issuer": "J"}, False),
        ({"issuer": " i"}, True),
    ],
)
def test_serial_ranges_that_meet_are_refused(registry, change, meets):
    registry.issue(annual_table({"certificate_id": "A", **SERIALS}), SHAPE, create_parties=True)
    other = annual_table({"certificate_id": "B", **SERIALS, **change})
    if meets:
        assert codes(registry.issue, other, SHAPE) == [(0, "serial_overlap")]
    else:
        assert registry.issue(other, SHAPE).energy_wh == 1000


def test_every_reason_is_told_at_once_with_its_row(registry):
    registry.issue(annual_table({"certificate_id": "A", **SERIALS}), SHAPE, create_parties=True)
    batch = annual_table(
        {"certificate_id": "A", **SERIALS, "serial_start": 50, "serial_end": 60},
        {"certificate_id": "B", **SERIALS},
        {"certificate_id": "C", "owner": "Nobody", **dict.fromkeys(SERIALS)},
    )
    assert sorted(codes(registry.issue, batch, SHAPE), key=str) == [
        (0, "already_converted"), (1, "serial_overlap"), (2, "unknown_party")
    ]  # fmt: skip


def test_parties_that_are_missing_are_told_with_their_first_certificate_and_how_many(registry):
    batch = annual_table(*({"owner": name} for name in ("Ada", "Bob", "Ada", "Ada")))
    with pytest.raises(RefusedError) as caught:
        registry.issue(batch, SHAPE)
    found = caught.value.findings.to_pylist()
    assert [(row["value"], row["row"], row["count"]) for row in found] == [("Ada", 0, 3), ("Bob", 1, 1)]
    registry.add_party("Ada")
    assert codes(registry.issue, batch, SHAPE) == [(1, "unknown_party")]


# --- nothing is left of what is not done


@pytest.mark.parametrize("stop", ["refused", "dry run", "interrupted", "failed append"])
def test_what_is_not_issued_leaves_nothing(registry, monkeypatch, stop):
    registry.issue(annual_table({"certificate_id": "A"}), SHAPE, create_parties=True)
    before, position = contents(registry), registry.position
    batch = annual_table({"certificate_id": "B"}, {"certificate_id": "C", "owner": "New"})
    if stop == "refused":
        assert codes(registry.issue, batch, SHAPE) == [(1, "unknown_party")]
    elif stop == "dry run":
        said = registry.issue(batch, SHAPE, create_parties=True, dry_run=True)
        assert (said.entry, said.certificates, said.energy_wh) == (0, 46, 2000)
    elif stop == "interrupted":
        with pytest.raises(KeyboardInterrupt):
            registry.issue(batch, SHAPE, create_parties=True, progress=interrupt)
    else:
        monkeypatch.setattr(registry, "_append", interrupt)
        with pytest.raises(KeyboardInterrupt):
            registry.issue(batch, SHAPE, create_parties=True)
        monkeypatch.undo()
    assert (registry.position, registry.query().energy_wh) == (position, 1000)
    if stop in ("interrupted", "failed append"):
        with Registry.open(registry.folder):  # sweeps what was left
            pass
        kept = {name: data for name, data in contents(registry).items() if name.parent.name == "segments"}
        assert kept == {name: data for name, data in before.items() if name.parent.name == "segments"}
    else:
        assert contents(registry) == before
    assert registry.issue(batch, SHAPE, create_parties=True).energy_wh == 2000
    assert registry.verify().ok


def interrupt(*_):
    raise KeyboardInterrupt


def test_a_group_that_is_left_takes_its_issue_back(registry):
    def leave_midway():
        with registry.group():
            registry.issue(annual_table({"certificate_id": "A"}), SHAPE, create_parties=True)
            assert registry.query().count == 23
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        leave_midway()
    assert registry.query().count == 0
    assert registry.issue(annual_table({"certificate_id": "A"}), SHAPE, create_parties=True).entry == 3
    with Registry.open(registry.folder) as other:
        assert segments.listing(other.folder / SEGMENTS) == {
            *(block.name for block in other.state.catalogue.blocks),
            *(dict(record.entry.texts)["parents"] for record in other.journal.entries(kinds=("issue",))),
        }


def test_what_cannot_be_an_issue_is_a_usage_error(registry):
    with pytest.raises(UsageError, match="annual certificates and profiles"):
        registry.issue(annual_table({}))


# --- meters


def metered(name, wh, **more):
    return {"certificate_id": name, "energy_wh": wh, "allocation_basis": "metered_hourly", "device_id": "m", **more}


def test_a_second_issue_shares_what_the_first_left_on_the_meter(registry):
    registry.issue(annual_table(metered("A", 20_000)), METER, create_parties=True)
    registry.issue(annual_table(metered("B", 4_000)), METER)
    total = defaultdict(int)
    for hours in issued(registry).values():
        for second, wh in hours.items():
            total[second] += wh
    assert dict(total) == series([1000] * 24)


def test_what_was_issued_before_comes_first_whatever_its_period(tmp_path, registry):
    """In one batch the morning takes first, wherever it stands; a whole day that was issued is not taken back."""
    meter = profile_table({"p": series([MWH] * 24)})
    day, morning = metered("day", 12 * MWH), metered("morning", 12 * MWH, end=START + 12 * HOUR)
    with Registry.create(tmp_path / "together", clock=lambda: NOW) as together:
        together.issue(annual_table(day, morning), meter, create_parties=True)
        hours = issued(together)
        assert hours["morning"] == series([MWH] * 12)
        assert hours["day"] == series([MWH] * 12, START + 12 * HOUR)
        assert together.verify().ok
    registry.issue(annual_table(day), meter, create_parties=True)
    assert codes(registry.issue, annual_table(morning), meter) == [(0, "over_meter")]


def test_what_a_meter_no_longer_has_is_refused_or_booked(registry):
    registry.issue(annual_table(metered("A", 20_000)), METER, create_parties=True)
    receipt = registry.issue(annual_table(metered("B", 4_001)), METER)
    assert receipt.energy_wh == 4_000
    assert registry.parent("B")["residual_wh"] == 1
    used_up = annual_table(metered("C", 100), metered("D", 100))
    assert codes(registry.issue, used_up, METER) == [(0, "over_meter_issued"), (1, "over_meter_issued")]


def test_a_conversion_made_before_the_meter_was_used_is_refused(registry):
    early = gcr.convert(annual_table(metered("B", 10_000)), METER)
    registry.issue(annual_table(metered("A", 20_000)), METER, create_parties=True)
    assert codes(registry.issue, early) == [(0, "over_meter_issued")]


# --- devices: capacity x margin, over all parents of a device, earlier issues too


def plant(name, wh, capacity_w=1000, **more):
    return {"certificate_id": name, "energy_wh": wh, "device_id": "d", "capacity_w": capacity_w, "profile": "q", **more}


def test_two_issues_on_one_device_that_are_each_legal_are_refused_together(registry):
    registry.issue(annual_table(plant("A", 24_000)), SHAPE, create_parties=True)
    assert codes(registry.issue, annual_table(plant("B", 24_000)), SHAPE) == [(0, "over_capacity")]
    assert registry.issue(annual_table(plant("C", 2_400)), SHAPE).energy_wh == 2_400  # 1,100 W is capacity x margin
    assert codes(registry.issue, annual_table(plant("D", 24)), SHAPE) == [(0, "over_capacity")]
    assert registry.verify().ok


def test_two_certificates_of_one_batch_on_one_device_are_added_up(registry):
    batch = annual_table(plant("A", 24_000), plant("B", 24_000), plant("C", 24_000, device_id="e"))
    assert codes(registry.issue, batch, SHAPE, create_parties=True) == [(0, "over_capacity"), (1, "over_capacity")]


@pytest.mark.parametrize("capacities", [(1000, None), (None, 1000), (1000, 3000), (3000, 1000)])
def test_the_largest_capacity_that_is_known_of_a_device_counts(registry, capacities):
    first, second = capacities
    registry.issue(annual_table(plant("A", 24_000, first)), SHAPE, create_parties=True)
    other = annual_table(plant("B", 20_000, second))
    if 3000 in capacities:
        assert registry.issue(other, SHAPE).energy_wh == 20_000
    else:
        assert codes(registry.issue, other, SHAPE) == [(0, "over_capacity")]
    assert registry.verify().ok


def test_the_first_capacity_that_is_stated_holds_for_what_was_issued_before(registry):
    registry.issue(annual_table(plant("A", 48_000, None)), SHAPE, create_parties=True)
    later = profile_table({"q": series([1] * 24, START + DAY)})
    day = {"start": START + DAY, "end": START + 2 * DAY}
    stated = annual_table(plant("B", 24_000, 1000, **day), plant("C", 100, None, **day))
    with pytest.raises(RefusedError) as refused:
        registry.issue(stated, later)
    (finding,) = refused.value.collected.of("error")
    assert (finding.code, finding.row, finding.count) == ("over_capacity", 0, 24)
    assert "2000 Wh of device d in the hour from 2024-01-01T00:00Z, issued before" in finding.message
    assert registry.issue(annual_table(plant("B", 24_000, 2000, **day)), later).energy_wh == 24_000
    assert registry.verify().ok


def test_other_hours_and_other_devices_are_not_in_the_way(registry):
    registry.issue(annual_table(plant("A", 24_000)), SHAPE, create_parties=True)
    later = profile_table({"q": series([1] * 24, START + DAY)})
    day = {"start": START + DAY, "end": START + 2 * DAY}
    assert registry.issue(annual_table(plant("B", 24_000, **day)), later).energy_wh == 24_000
    assert registry.issue(annual_table(plant("C", 24_000, device_id="e")), SHAPE).energy_wh == 24_000
    assert registry.issue(annual_table(plant("D", 24_000, device_id=None)), SHAPE).energy_wh == 24_000
    assert registry.verify().ok


def test_halves_of_one_hour_are_added_up_even_if_no_period_has_both(registry):
    """Years of zones with a half hour meet in the middle of an hour."""
    halves = gcr.profiles_from(profile_table({"q": series([1] * 48, step=1800)}), keep_intervals=True)
    first = annual_table(plant("A", 900, None, start=START, end=START + 1800))
    second = annual_table(plant("B", 500, start=START + 1800, end=START + HOUR))
    registry.issue(first, halves, create_parties=True)
    assert codes(registry.issue, second, halves) == [(0, "over_capacity")]
    later = annual_table(plant("C", 500, start=START + HOUR, end=START + 3 * 1800))
    assert registry.issue(later, halves).energy_wh == 500
    assert registry.verify().ok


def test_a_refusal_names_the_hour_the_device_and_only_who_has_energy_in_it(registry):
    night = profile_table({"q": series([5] * 12 + [0] * 12), "p": series([0] * 12 + [5] * 12)})
    registry.issue(annual_table(plant("A", 12_000)), night, create_parties=True)
    batch = annual_table(plant("N", 1_300), plant("D", 1_300, profile="p"))
    with pytest.raises(RefusedError) as caught:
        registry.issue(batch, night)
    (found,) = [row for row in caught.value.findings.to_pylist() if row["severity"] == "error"]
    assert (found["row"], found["certificate_id"], found["count"]) == (0, "N", 12)
    assert found["value"] == "2024-01-01T00:00Z"
    assert "1108 Wh of device d in the hour from 2024-01-01T00:00Z" in found["message"]
    assert "1100 Wh; 12 such hours" in found["message"]


def test_a_larger_margin_is_the_issuers_to_choose_and_recorded(registry):
    registry.issue(annual_table(plant("A", 24_000)), SHAPE, create_parties=True)
    registry.issue(annual_table(plant("B", 24_000)), SHAPE, capacity_margin=2)
    assert registry.verify().ok
    assert not registry.verify(capacity_margin="1.9").ok


def test_the_same_again_is_no_second_issue_on_its_device(registry):
    batch = annual_table(plant("A", 24_000))
    registry.issue(batch, SHAPE, create_parties=True)
    assert registry.issue(batch, SHAPE).repeated


@st.composite
def batches(draw):
    """Batches of certificates on two devices, some without capacity, over different hours and steps."""
    profiles, made = {}, []
    for number in range(draw(st.integers(1, 5))):
        step, length = draw(st.sampled_from([HOUR, 1800])), draw(st.integers(1, 5))
        begin = START + step * draw(st.integers(0, 7))
        weights = draw(st.lists(st.integers(0, 3), min_size=length * HOUR // step, max_size=length * HOUR // step))
        profiles[f"p{number}"] = series([*weights[:-1], weights[-1] + 1], begin, step)
        made.append(
            {
                "certificate_id": f"C{number}", "profile": f"p{number}", "start": begin, "end": begin + length * HOUR,
                "energy_wh": draw(st.integers(1, 3000)), "device_id": draw(st.sampled_from(["d", "e", None])),
                "capacity_w": draw(st.sampled_from([None, 700, 1000])),
                "allocation_basis": draw(st.sampled_from(["facility_profile", "regional_technology_profile"])),
            }
        )  # fmt: skip
    cut = draw(st.integers(0, len(made)))
    return [batch for batch in (made[:cut], made[cut:]) if batch], profiles


def too_much(batch, earlier, hours, margin):
    """The certificates of a batch with energy in an hour above their device's capacity, added up hour by hour."""
    found = set()
    for device in {row["device_id"] for row in batch} - {None}:
        alike = [row for row in [*earlier, *batch] if row["device_id"] == device]
        capacities = [row["capacity_w"] for row in alike if row["capacity_w"] is not None]
        used = defaultdict(int)
        for row in alike:
            for second, wh in hours[row["certificate_id"]].items():
                used[second // HOUR] += wh
        over = {hour for hour, wh in used.items() if capacities and wh > max(capacities) * margin}
        before, new = ([row for row in rows if row["device_id"] == device] for rows in (earlier, batch))
        mine = {
            row["certificate_id"]: {second // HOUR for second, wh in hours[row["certificate_id"]].items() if wh}
            for row in new
        }
        found |= {name for name, some in mine.items() if some & over}
        if over.difference(*mine.values()) and all(row["capacity_w"] is None for row in before):
            found |= {row["certificate_id"] for row in new if row["capacity_w"] is not None}
    return found


def alone_too_much(row, hours, profile, margin):
    """Whether a certificate is above its own capacity in some interval: conversion itself refuses that."""
    step = min((after - before for before, after in pairwise(sorted(profile))), default=HOUR)
    limit = None if row["capacity_w"] is None else row["capacity_w"] * margin * Fraction(step, HOUR)
    return limit is not None and any(wh > limit for wh in hours.values())


@settings(max_examples=40)
@given(batches(), st.sampled_from(["1.1", "1", "2.5"]))
def test_devices_stay_within_capacity_whatever_is_issued(tmp_path_factory, inputs, margin):
    given_batches, profiles = inputs
    shapes = gcr.profiles_from(profile_table(profiles), keep_intervals=True)
    with Registry.create(tmp_path_factory.mktemp("devices") / "r", clock=lambda: NOW) as registry:
        earlier = []
        for batch in given_batches:
            hours, _ = convert(certificates_of(*earlier, *batch), profiles)
            try:
                made = gcr.convert(annual_table(*batch), shapes, capacity_margin=margin)
            except RefusedError:
                facts = [(row, hours[row["certificate_id"]], profiles[row["profile"]]) for row in batch]
                assert any(alone_too_much(*each, Fraction(margin)) for each in facts)
                continue
            wrong = too_much(batch, earlier, hours, Fraction(margin))
            try:
                registry.issue(made, create_parties=True)
            except RefusedError as refusal:
                rows = [row for row in refusal.findings.to_pylist() if row["severity"] == "error"]
                assert {row["certificate_id"] for row in rows} == wrong
                assert {row["code"] for row in rows} == {"over_capacity"}
            else:
                assert wrong == set()
                earlier += batch
        report = registry.verify()
        assert report.ok, report.findings
        assert set(issued(registry)) <= {row["certificate_id"] for row in earlier}


@settings(max_examples=40)
@given(batches())
def test_the_hours_of_some_rows_are_those_of_the_conversion(inputs):
    (batch, *_), profiles = inputs
    shapes = gcr.profiles_from(profile_table(profiles), keep_intervals=True)
    made = gcr.convert(annual_table(*batch), shapes, capacity_margin=10**9)
    wanted, _ = convert(certificates_of(*batch), profiles)
    chosen = set(range(0, len(batch), 2))
    found = dict(made.hours_of(chosen))
    assert found.keys() == chosen
    for row, (profile, first, hours) in found.items():
        seconds = profile.start_s + (first + np.flatnonzero(hours)) * profile.step_s
        have = dict(zip(seconds.tolist(), hours[hours != 0].tolist(), strict=True))
        assert have == {second: wh for second, wh in wanted[batch[row]["certificate_id"]].items() if wh}


def test_a_second_issue_of_a_device_takes_from_what_is_left_though_no_basis_is_stated(registry):
    own = {"profile": None, "device_id": "p"}
    meter = profile_table({"p": series([1000, 2000] * 12)})
    registry.issue(annual_table(own | {"certificate_id": "A", "energy_wh": 20_000}), meter, create_parties=True)
    registry.issue(annual_table(own | {"certificate_id": "B", "energy_wh": 16_000}), meter)
    summed = registry.query().to_table().group_by("production_start").aggregate([("energy_wh", "sum")])
    assert sorted(summed["energy_wh_sum"].to_pylist()) == [1000] * 12 + [2000] * 12
    with pytest.raises(RefusedError, match="over_meter"):
        registry.issue(annual_table(own | {"certificate_id": "C", "energy_wh": 2}), meter)


def test_metered_hours_of_some_rows_are_what_their_meter_had_left():
    made = gcr.convert(annual_table(metered("A", 20_000), metered("B", 4_000)), METER)
    wanted = made.to_table()
    for row, (_, _, hours) in made.hours_of({0, 1}):
        mine = wanted.filter(pa.array([name == "AB"[row] for name in wanted["parent_certificate_id"].to_pylist()]))
        assert hours.tolist() == mine["energy_wh"].to_pylist()
        assert utc_seconds(mine["production_start"], "production_start").tolist() == list(series([1] * 24))
