"""Questions about one certificate, one parent and the whole."""

import json
from collections import Counter

import pytest
from oracle.conversion import DAY, HOUR, MWH, START, annual_table, profile_table, series

import gcr_fast
from gcr_fast import UsageError
from gcr_fast.registry.registry import Registry

NOW = START + 40 * DAY
FEBRUARY = START + 31 * DAY
WEEK = {"start": FEBRUARY - 12 * HOUR, "end": FEBRUARY + 12 * HOUR, "profile": "w"}
ANNUAL = annual_table(
    {"certificate_id": "A", "energy_wh": 24 * MWH, "owner": "Ada", "country": "AT", "source_type": "wind"},
    {"certificate_id": "B", "energy_wh": 12 * MWH, "owner": "Bob", "device_id": "plant", "issuer": "AIB", **WEEK},
    {"certificate_id": "C", "energy_wh": 6 * MWH, "owner": "Ada", "purpose": "end_use", "beneficiary": "Eve"},
    {"certificate_id": "D", "energy_wh": 3 * MWH, "owner": "Ada", "purpose": None},
)
PROFILES = profile_table({"p": series([0, *range(1, 24)]), "w": series(range(1, 25), WEEK["start"])})


@pytest.fixture
def registry(tmp_path):
    with Registry.create(tmp_path / "r", clock=lambda: NOW) as registry:
        registry.issue(gcr_fast.convert(ANNUAL, PROFILES), create_parties=True)
        registry.add_party("Zed")
        yield registry


def counted(registry, *names):
    """Certificates and Wh by some columns, counted one by one."""
    sums = {}
    for row in registry.query().to_table().to_pylist():
        month = row["production_start"].strftime("%Y-%m")
        key = tuple((row | {"month": month})[name] for name in names)
        have = sums.setdefault(key, Counter(certificates=0, energy_wh=0))
        have.update(certificates=1, energy_wh=row["energy_wh"])
    return {key: dict(have) for key, have in sums.items()}


def flat(figures):
    return {(key, status): one for key, by_status in figures.items() for status, one in by_status.items()}


def busy(registry):
    """Trade, split, reserve, lock, retire."""
    registry.trade({"parent": "A"}, "Ada", "Zed", "40", "EUR", wh=5_000_001)
    registry.trade({"parent": "A", "owner": "Ada"}, "Ada", "Bob", "7", "EUR", wh=123, order="proportional")
    registry.reserve({"parent": "B"}, "Bob", wh=700_000)
    registry.lock({"parent": "B", "status": "RESERVED"}, reason="question")
    registry.retire({"owner": "Zed"}, "Zed", "Eve")


# --- the whole


@pytest.mark.parametrize("act", [lambda registry: None, busy])
def test_statistics_are_what_counting_every_certificate_gives(registry, act):
    act(registry)
    figures = registry.statistics()
    assert flat(figures.by_owner()) == counted(registry, "owner", "status")
    assert flat(figures.by_source()) == counted(registry, "source_type", "status")
    assert flat(figures.by_month()) == counted(registry, "month", "status")
    assert {(status,): one for status, one in figures.by_status().items()} == counted(registry, "status")
    every = counted(registry)[()]
    assert (figures.certificates, figures.certificates_wh) == (every["certificates"], every["energy_wh"])


def test_splits_do_not_count_twice(registry):
    busy(registry)
    figures = registry.statistics()
    assert figures.certificates_wh == figures.issued_wh == 45 * MWH
    assert figures.certificates > figures.issued_certificates
    assert "SPLIT" not in figures.by_status()


def test_statistics_stay_as_they_were_and_are_json(registry):
    figures = registry.statistics()
    before = json.dumps(figures.to_dict())
    busy(registry)
    assert json.dumps(figures.to_dict()) == before
    told = registry.statistics().to_dict()
    assert json.loads(json.dumps(told)) == told
    assert (told["trading"]["trades"], told["prices"]["EUR"]["trades"]) == (2, 2)
    assert told["conversion"] == {
        "issues": 1, "parents": 4, "energy_wh": 45 * MWH, "certificates": 93, "issued_wh": 45 * MWH, "residual_wh": 0
    }  # fmt: skip


def test_an_empty_registry_has_statistics(tmp_path):
    with Registry.create(tmp_path / "empty") as registry:
        told = registry.statistics().to_dict()
        assert (told["parents"], told["certificates"], told["by_owner"], told["prices"]) == (0, 0, {}, {})


# --- one certificate


def test_a_certificate_is_described_by_handle_and_by_id(registry):
    name = "HOURLY-B-2024020100"
    told = registry.certificate(name)
    assert told == registry.certificate(told["certificate"])
    assert (told["certificate_id"], told["parent_certificate_id"]) == (name, "B")
    assert (told["production_start"], told["interval_s"]) == ("2024-02-01T00:00Z", 3600)
    assert (told["owner"], told["status"], told["traded"]) == ("Bob", "ACTIVE", False)
    assert (told["device_id"], told["issuer"], told["country"]) == ("plant", "AIB", None)
    json.dumps(told)


def test_a_split_certificate_and_its_pieces_know_each_other(registry):
    name = "HOURLY-A-2024010101"
    whole = registry.certificate(name)
    registry.trade([name], "Ada", "Zed", wh=10)
    former = registry.certificate(name)
    assert (former["status"], former["energy_wh"], len(former["pieces"])) == ("SPLIT", whole["energy_wh"], 2)
    first, second = (registry.certificate(piece) for piece in former["pieces"])
    assert (first["owner"], first["traded"], first["energy_wh"]) == ("Zed", True, 10)
    assert (second["owner"], second["traded"]) == ("Ada", False)
    assert first["energy_wh"] + second["energy_wh"] == whole["energy_wh"]
    assert first["split_from"] == second["split_from"] == name


def test_an_unknown_certificate_is_a_usage_error(registry):
    for ask in (registry.certificate, registry.history, registry.trade_history):
        for wrong in ("HOURLY-A-2024010100", "HOURLY-Q-2024010101", 10**9, ["HOURLY-A-2024010101"] * 2):
            with pytest.raises(UsageError):
                ask(wrong)
    with pytest.raises(UsageError):
        registry.parent("Q")


# --- one parent


def test_a_parent_tells_what_became_of_its_hours(registry):
    busy(registry)
    told = registry.parent("A")
    json.dumps(told)
    assert (told["energy_wh"], told["status"], told["born"]) == (24 * MWH, "CONVERTED", "ACTIVE")
    assert (told["production_start"], told["production_end"]) == ("2024-01-01T00:00Z", "2024-01-02T00:00Z")
    assert sum(one["energy_wh"] for one in told["by_status"].values()) == told["issued_wh"]
    assert told["by_status"]["RETIRED"]["energy_wh"] == 5_000_001
    assert told["by_owner"]["Zed"] == {"RETIRED": told["by_status"]["RETIRED"]}
    assert told["by_owner"]["Bob"]["ACTIVE"]["energy_wh"] == 123
    assert [registry.parent(name)["born"] for name in "CD"] == ["RETIRED", "LOCKED"]


# --- history


def told_of(registry, certificate):
    rows = registry.history(certificate).to_pylist()
    assert [row["entry"] for row in rows] == sorted({row["entry"] for row in rows})
    return [(row["kind"], row["from"], row["to"], row["owner"], row["status"], row["energy_wh"]) for row in rows]


def test_a_history_has_birth_trades_and_retirement(registry):
    name = "HOURLY-A-2024010105"
    wh = registry.certificate(name)["energy_wh"]
    registry.trade([name], "Ada", "Bob", "40", "EUR")
    registry.trade({"parent": "B"}, "Bob", "Zed")
    registry.reserve({"owner": "Bob", "parent": "A"}, "Bob")
    registry.lock([name], reason="x")
    registry.unlock([name], reason="y")
    registry.release([name], "Bob")
    registry.retire({"parent": "A", "owner": "Bob"}, "Bob", "Eve", "green", "2024")
    registry.claim([name], "Bob", "meter 1")
    assert told_of(registry, name) == [
        ("issue", None, "Ada", "Ada", "ACTIVE", wh),
        ("trade", "Ada", "Bob", "Bob", "ACTIVE", wh),
        ("reserve", "Bob", None, "Bob", "RESERVED", wh),
        ("lock", None, None, "Bob", "LOCKED", wh),
        ("unlock", None, None, "Bob", "RESERVED", wh),
        ("release", "Bob", None, "Bob", "ACTIVE", wh),
        ("retire", "Bob", None, "Bob", "RETIRED", wh),
        ("claim", "Bob", None, "Bob", "CLAIMED", wh),
    ]
    rows = registry.history(name).to_pylist()
    assert dict(rows[6]["texts"]) == {"beneficiary": "Eve", "period": "2024", "purpose": "green"}
    assert rows[1]["price_per_mwh"] == "40.00"
    assert registry.trade_history(name)["entry"].to_pylist() == [rows[1]["entry"]]


def test_a_history_leaves_out_what_befell_its_neighbours(registry):
    registry.trade(["HOURLY-A-2024010105"], "Ada", "Bob")
    registry.trade(["HOURLY-A-2024010106"], "Ada", "Bob", wh=5)
    assert [row[0] for row in told_of(registry, "HOURLY-A-2024010107")] == ["issue"]


def test_the_history_of_a_piece_begins_with_that_of_its_row(registry):
    name = "HOURLY-A-2024010105"
    wh = registry.certificate(name)["energy_wh"]
    registry.trade([name], "Ada", "Bob")
    registry.trade([name], "Bob", "Zed", wh=1000)
    sold, kept = registry.certificate(name)["pieces"]
    registry.trade([sold], "Zed", "Ada", wh=400)
    inner, rest = registry.certificate(sold)["pieces"]
    registry.retire([kept], "Bob", "Eve")
    birth = [("issue", None, "Ada", "Ada", "ACTIVE", wh), ("trade", "Ada", "Bob", "Bob", "ACTIVE", wh)]
    bought = ("trade", "Bob", "Zed", "Zed", "ACTIVE", 1000)
    assert told_of(registry, name) == [*birth, ("split", None, None, "Bob", "SPLIT", wh)]
    assert told_of(registry, sold) == [*birth, bought, ("split", None, None, "Zed", "SPLIT", 1000)]
    assert told_of(registry, inner) == [*birth, bought, ("trade", "Zed", "Ada", "Ada", "ACTIVE", 400)]
    assert told_of(registry, rest) == [*birth, bought, ("split", None, None, "Zed", "ACTIVE", 600)]
    assert told_of(registry, kept) == [
        *birth,
        ("split", None, None, "Bob", "ACTIVE", wh - 1000),
        ("retire", "Bob", None, "Bob", "RETIRED", wh - 1000),
    ]


def test_every_history_ends_as_the_certificate_is_now(registry):
    busy(registry)
    for row in registry.query().to_table().to_pylist():
        last = registry.history(row["certificate"]).to_pylist()[-1]
        assert (last["owner"], last["status"], last["energy_wh"]) == (row["owner"], row["status"], row["energy_wh"])
