"""The statement of a retirement: the data add up, the page is safe and stands alone."""

import json
import re
from collections import Counter
from html.parser import HTMLParser

import pytest
from oracle.conversion import DAY, HOUR, MWH, START, annual_table, profile_table, series

import gcr_fast
from gcr_fast import UsageError
from gcr_fast.registry.registry import Registry
from gcr_fast.registry.statements import html, statement, text

FEBRUARY = START + 31 * DAY
TURN = {"start": FEBRUARY - 12 * HOUR, "end": FEBRUARY + 12 * HOUR, "profile": "w"}
ANNUAL = annual_table(
    {"certificate_id": "A", "energy_wh": 24 * MWH, "owner": "Ada", "country": "AT", "source_type": "wind",
     "issuer": "E-Control", "serial_prefix": "AT", "serial_start": 1, "serial_end": 24},
    {"certificate_id": "B", "energy_wh": 12 * MWH, "owner": "Ada", "device_id": "plant", "source_type": "wind", **TURN},
    {"certificate_id": "C", "energy_wh": 6 * MWH, "owner": "Bob"},
)  # fmt: skip
PROFILES = profile_table({"p": series([0, *range(1, 24)]), "w": series(range(1, 25), TURN["start"])})


@pytest.fixture
def registry(tmp_path):
    with Registry.create(tmp_path / "r", name="Test", clock=lambda: START + 40 * DAY) as registry:
        registry.issue(gcr_fast.convert(ANNUAL, PROFILES), create_parties=True)
        yield registry


def test_a_statement_tells_of_everything_retired_and_nothing_else(registry):
    done = registry.retire({"owner": "Ada"}, "Ada", "Eve", "green power", "2024", wh=30 * MWH + 1)
    said = statement(registry, done.entry)
    assert json.loads(json.dumps(said)) == said
    gone = registry.query(status="RETIRED")
    assert (
        (said["certificates"], said["energy_wh"]) == (gone.count, gone.energy_wh) == (done.certificates, 30 * MWH + 1)
    )
    assert (said["beneficiary"], said["purpose"], said["period"]) == ("Eve", "green power", "2024")
    assert (said["number"], said["owner"], said["date"]) == (done.entry, "Ada", "2024-02-10T00:00Z")
    assert said["journal_hash"] == done.hash
    for name in ("source", "country", "device", "month"):
        assert sum(one["energy_wh"] for one in said[f"by_{name}"].values()) == said["energy_wh"]
        assert sum(one["certificates"] for one in said[f"by_{name}"].values()) == said["certificates"]
    assert sum(parent["energy_wh"] for parent in said["parents"]) == said["energy_wh"]
    assert list(said["by_month"]) == ["2024-01", "2024-02"]
    assert list(said["by_country"]) == ["AT", "not stated"]
    assert list(said["by_device"]) == ["not stated", "plant"]


def test_a_statement_names_parents_issuers_serials_and_roots(registry):
    done = registry.retire({"owner": "Ada"}, "Ada", "Eve")
    said = statement(registry, done.entry)
    assert [parent["certificate_id"] for parent in said["parents"]] == ["A", "B"]
    first = said["parents"][0]
    assert (first["issuer"], first["serial_prefix"], first["serial_start"], first["serial_end"]) == (
        "E-Control",
        "AT",
        1,
        24,
    )
    assert said["issues"] == [
        {"entry": first["issue"], "merkle_root": registry.state.catalogue.roots[first["issue"]][0]}
    ]
    assert (said["production_start"], said["production_end"]) == ("2024-01-01T01:00Z", "2024-02-01T12:00Z")


def test_two_retirements_of_parts_of_an_hour_are_told_apart(registry):
    name = "HOURLY-A-2024010105"
    whole = registry.certificate(name)["energy_wh"]
    first = registry.retire([name], "Ada", "Eve", wh=10)
    rest = registry.retire({"parent": "A", "status": "ACTIVE", "at": "2024-01-01T05:00Z"}, "Ada", "Mallory")
    assert statement(registry, first.entry)["energy_wh"] == 10
    assert statement(registry, rest.entry)["energy_wh"] == whole - 10
    assert statement(registry, rest.entry)["certificates"] == 1


def test_what_was_withdrawn_since_is_said(registry):
    done = registry.retire({"owner": "Ada"}, "Ada", "Eve")
    assert "Withdrawn" not in text(statement(registry, done.entry))
    registry.withdraw({"parent": "B"}, reason="meter fault", compensation="bought again")
    said = statement(registry, done.entry)
    assert said["energy_wh"] == 36 * MWH
    assert said["status_now"]["WITHDRAWN"]["energy_wh"] == 12 * MWH
    assert "Withdrawn since: 12 MWh" in text(said)
    assert "Withdrawn since: 12 MWh" in html(said)


def test_sums_that_tell_nothing_are_left_out_of_page_and_text(registry):
    done = registry.retire({"parent": "A"}, "Ada", "Eve")
    said = statement(registry, done.entry)
    assert said["by_device"].keys() == {"not stated"}  # the data has them
    for told in (html(said), text(said).title()):
        assert "Device" not in told
        assert "Hourly Shape From" in told.title()
    assert sum(one["energy_wh"] for one in said["by_basis"].values()) == said["energy_wh"]


def test_sums_are_those_of_a_walk_whatever_a_device_is_called(tmp_path):
    year = {"start": START - 40 * DAY, "end": START + 40 * DAY, "owner": "Ada", "profile": "y"}
    facts = {"source_type": ["solar", "wind", "hydro", "solar"], "country": ["AT", None, "AT", "BE"],
             "device_id": ["plant", None, "not stated", None]}  # fmt: skip
    rows = [year | {name: values[at] for name, values in facts.items()} for at in range(4)]
    bases = [None, *["facility_profile"] * 3]
    rows = [row | {"energy_wh": 9000 + at, "allocation_basis": bases[at]} for at, row in enumerate(rows)]
    profile = profile_table({"y": series([0, 1, 5] * 640, START - 40 * DAY)})
    with Registry.create(tmp_path / "r", clock=lambda: START + 400 * DAY) as registry:
        registry.issue(annual_table(*rows), profile, create_parties=True)
        done = registry.retire({"owner": "Ada"}, "Ada", "Eve", wh=30_001, order="proportional")
        said = statement(registry, done.entry)
        parents = {row["certificate_id"]: row for row in (registry.parent(f"C{at}") for at in range(4))}
        walk = {name: Counter() for name in ("source", "country", "device", "month", "basis")}
        for row in registry.query(status="RETIRED").to_table().to_pylist():
            parent = parents[row["parent_certificate_id"]]
            keys = {"source": parent["source_type"], "country": parent["country"], "device": parent["device_id"],
                    "month": f"{row['production_start']:%Y-%m}", "basis": parent["allocation_basis"]}  # fmt: skip
            for name, key in keys.items():
                walk[name][key or "not stated"] += row["energy_wh"]
    for name, sums in walk.items():
        assert {key: one["energy_wh"] for key, one in said[f"by_{name}"].items()} == sums
        assert list(said[f"by_{name}"]) == sorted(sums)
        assert sum(one["certificates"] for one in said[f"by_{name}"].values()) == done.certificates
    assert said["status_now"] == {"RETIRED": {"certificates": done.certificates, "energy_wh": 30_001}}


def test_only_retirements_have_a_statement(registry):
    trade = registry.trade({"owner": "Bob"}, "Bob", "Ada")
    for wrong in (trade.entry, 0, trade.entry + 1):
        with pytest.raises(UsageError):
            statement(registry, wrong)


class Page(HTMLParser):
    """Collects tags, attributes and open elements."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.open, self.words = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def test_the_page_is_well_formed_loads_nothing_and_escapes_all_text(registry):
    evil = "<script>alert(1)</script>&\"'"
    done = registry.retire({"owner": "Ada"}, "Ada", evil, evil, evil)
    page = html(statement(registry, done.entry))
    read = Page(page)
    assert read.open == []
    assert not {tag for tag, _ in read.tags} & {"script", "link", "img", "iframe", "object", "a", "form", "base"}
    assert not any({"src", "href", "onclick", "style"} & set(attributes) for _, attributes in read.tags)
    assert not re.search(r"url\(|@import|https?:", page)
    assert evil in "".join(read.words)
    assert "@page" in page
    assert "36" in "".join(read.words)


def test_the_text_fits_a_terminal_and_obeys_nothing(registry):
    done = registry.retire({"owner": "Ada"}, "Ada", "Eve\x1b[2J", "green")
    told = text(statement(registry, done.entry))
    assert all(len(line) <= 80 for line in told.splitlines())
    assert "\x1b" not in told
    assert "36 MWh (36,000,000 Wh)" in told
    assert "E-Control, AT1 - AT24" in told


def test_a_long_list_of_parents_is_cut_on_the_page_only(registry):
    done = registry.retire({"owner": "Ada"}, "Ada", "Eve")
    said = statement(registry, done.entry)
    said["parents"] *= 30
    assert "and 20 more" in html(said)
    assert "and 20 more" in text(said)
    assert text(said).count("  A ") == 20


def test_long_sums_are_cut_to_the_largest_and_lose_nothing(registry):
    said = statement(registry, registry.retire({"owner": "Ada"}, "Ada", "Eve").entry)
    said["by_device"] = {f"meter-{at:03}": {"certificates": at, "energy_wh": at * MWH + at % 3} for at in range(1, 101)}
    for told in (html(said), text(said)):
        assert "77 others" in told
        assert "meter-100" in told
        assert "meter-077" not in told
    lines = [line.split() for line in text(said).splitlines() if line.startswith(("  meter-", "  77 others"))]
    assert len(lines) == 24
    counts = [int(line[-1].replace(",", "")) for line in lines]
    assert sum(counts) == sum(range(1, 101))
    assert said["by_device"].keys() == {f"meter-{at:03}" for at in range(1, 101)}  # the data has all


def test_amounts_of_a_table_have_equally_many_decimals(registry):
    said = statement(registry, registry.retire({"owner": "Ada"}, "Ada", "Eve").entry)
    said["by_country"] = {"AT": {"certificates": 1, "energy_wh": 1_500_000}, "BE": {"certificates": 1, "energy_wh": 7}}
    assert "<td>1.500000</td>" in html(said)
    assert "<td>0.000007</td>" in html(said)
    said["by_country"] = {"AT": {"certificates": 1, "energy_wh": 2 * MWH}}
    assert "<td>2</td>" in html(said)
