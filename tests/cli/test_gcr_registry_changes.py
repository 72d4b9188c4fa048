"""Changes of a registry by command: acknowledged, refused, tried, repeated, in bulk."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gcr_fast import Registry

SOLD = ("--seller", "Ada", "--buyer", "Bob")
NOON = "HOURLY-A-1-2020060112"
DAY = ("--parent", "A-1", "--start", "2020-06-01", "--end", "2020-06-02")


@pytest.fixture
def position(issued):
    def now():
        with Registry.open(issued, read_only=True) as held:
            return held.position

    return now


def states(gcr_json, *words):
    return {row["status"]: row["certificates"] for row in gcr_json("query", *words, "--group-by", "status")["groups"]}


# --- trade


def test_price_0_is_a_price(gcr, gcr_json, issued):
    said = gcr_json("trade", issued, *SOLD, *DAY, "--price", "0", "--currency", "EUR")
    assert (said["price_minor"], said["total_minor"], said["currency"]) == (0, 0, "EUR")
    assert gcr_json("trade", issued, "--seller", "Bob", "--buyer", "Ada", *DAY)["price_minor"] is None
    assert "0.00 EUR" in gcr("trades", issued).stdout


def test_a_dry_run_changes_nothing(gcr, gcr_json, issued, position):
    assert "would be traded" in gcr("trade", issued, *SOLD, *DAY, "--dry-run").stdout
    assert gcr_json("trade", issued, *SOLD, *DAY, "--dry-run")["entry"] == 0
    assert "would be retired" in gcr("retire", issued, "--owner", "Ada", *DAY, "--beneficiary", "G", "--dry-run").stdout
    assert position() == 4


def test_the_same_key_again_changes_nothing(gcr, gcr_json, issued, position):
    first = gcr_json("trade", issued, *SOLD, *DAY, "--key", "k1", "--actor", "Eve")
    again = gcr_json("trade", issued, *SOLD, *DAY, "--key", "k1")
    assert (first["repeated"], again["repeated"], again["entry"]) == (False, True, first["entry"])
    assert "done before" in gcr("trade", issued, *SOLD, *DAY, "--key", "k1").stdout
    assert (
        "key_reused"
        in gcr("retire", issued, "--owner", "Ada", "--all", "--beneficiary", "G", "--key", "k1", code=1).stderr
    )
    assert gcr_json("trades", issued, 5)["actor"] == "Eve"
    assert position() == 5


def test_an_amount_is_taken_from_what_is_active(gcr_json, gcr, issued):
    gcr("retire", issued, "--owner", "Ada", "--beneficiary", "G", "--end", "2020-02-01")
    assert gcr_json("trade", issued, *SOLD, "--wh", 12_345)["energy_wh"] == 12_345
    assert gcr_json("reserve", issued, "--owner", "Ada", "--wh", 777)["energy_wh"] == 777
    assert gcr_json("retire", issued, "--owner", "Ada", "--wh", 999, "--beneficiary", "G")["energy_wh"] == 999
    assert "wrong_state" in gcr("trade", issued, *SOLD, "--wh", 5, "--status", "RETIRED", code=1).stderr
    assert "wrong_state" in gcr("trade", issued, *SOLD, "--all", code=1).stderr  # whatever is meant must be tradable


def test_filters_choose_among_the_sellers(gcr_json, issued):
    said = gcr_json("trade", issued, *SOLD, "--start", "2020-06-01", "--end", "2020-06-02")
    assert said["certificates"] == 16  # none of Bob's


def test_named_certificates_must_all_be_the_sellers(gcr, gcr_json, issued, position):
    words = ("--certificate", NOON, "--certificate", "HOURLY-A-2-2020060112")
    assert "belongs to Bob [not_owned]" in gcr("trade", issued, *SOLD, *words, code=1).stderr
    assert [row["code"] for row in gcr_json("trade", issued, *SOLD, *words, code=1)["findings"]] == ["not_owned"]
    twice = gcr("trade", issued, *SOLD, "--certificate", NOON, "--certificate", NOON, code=1).stderr
    assert "listed_twice" in twice
    assert position() == 4


def test_an_amount_splits_an_hour_exactly(gcr_json, issued):
    for order, count in (("earliest", None), ("proportional", 4824)):
        said = gcr_json("trade", issued, *SOLD, "--parent", "A-1", "--wh", 1_000_001, "--order", order, "--dry-run")
        assert said["energy_wh"] == 1_000_001
        assert count is None or said["certificates"] == count
    gcr_json("trade", issued, *SOLD, "--parent", "A-1", "--wh", 1_000_001)
    held = {
        row["owner"]: row["energy_wh"]
        for row in gcr_json("query", issued, "--parent", "A-1", "--group-by", "owner")["groups"]
    }
    assert held == {"Ada": 11_345_677, "Bob": 1_000_001}


def test_refusals_list_20_and_the_rest_elsewhere(gcr, gcr_json, folder, registry):
    words = ("trade", registry, *SOLD, "--parent", "A-1")
    shown = gcr(*words, code=1).stderr
    assert shown.count("[wrong_state]") == 20
    assert "... and 3057 more" in shown
    assert "--json or --findings FILE" in shown
    assert len(gcr_json(*words, code=1)["findings"]) == 3077
    gcr(*words, "--findings", "bad.parquet", code=1)
    assert pq.read_table(folder / "bad.parquet").num_rows == 3077


def test_misuse_of_trade(gcr, issued, position):
    gcr("trade", issued, *SOLD, code=2)  # of what?
    gcr("trade", issued, "--seller", "Ada", "--all", code=2)
    gcr("trade", issued, *SOLD, "--all", "--price", "1", code=2)
    gcr("trade", issued, *SOLD, "--all", "--price", "x", "--currency", "EUR", code=2)
    gcr("trade", issued, *SOLD, "--all", "--each", code=2)
    gcr("trade", issued, *SOLD, "--all", "--wh", 0, code=2)
    gcr("trade", issued, *SOLD, "--all", "--findings", "x.xlsx", code=2)
    assert "same_party" in gcr("trade", issued, "--seller", "Ada", "--buyer", "Ada", "--all", code=1).stderr
    assert "unknown_party" in gcr("trade", issued, "--seller", "Ada", "--buyer", "Zoe", "--all", code=1).stderr
    assert position() == 4
    gcr("trade", issued, "--seller", "Ada", "--buyer", "Zoe", "--all", "--create-parties")


def test_what_is_no_utf_8_is_said_so_and_not_a_traceback(issued, process):
    for words in (
        ("trade", issued, b"--seller", b"\xff", "--buyer", "Bob", "--all"),
        ("trade", issued, "--seller", "Ada", "--buyer", "Bob", "--all", b"--key", b"k\xfe"),
        ("query", issued, b"--parent", b"A-1\xff"),
        ("parties", "add", issued, b"\xff\xfe"),
    ):
        done = process(*words)
        assert (done.returncode, done.stdout) == (2, ""), done.stderr
        assert "is not UTF-8 text" in done.stderr


@pytest.mark.parametrize("verb", ["lock", "unlock", "withdraw"])
def test_what_the_registry_does_has_a_reason(gcr, issued, position, verb):
    for blank in ("", "  "):
        assert "name the reason" in gcr(verb, issued, "--all", "--reason", blank, code=2).stderr
    assert position() == 4


# --- a table of trades

TABLE = """certificate_id,seller,buyer,price,currency,wh
HOURLY-A-1-2020060112,Ada,Bob,12.50,EUR,
HOURLY-A-1-2020060113,Ada,Bob,,,100
HOURLY-A-1-2020060112,Bob,Ada,0,EUR,
HOURLY-A-1-2020060112,Bob,Ada,13,EUR,
"""


def test_a_table_is_traded_whole_or_not_at_all(gcr, gcr_json, folder, issued, position):
    (folder / "t.csv").write_text(TABLE)
    refused = gcr("trade", issued, "--table", "t.csv", code=1).stderr
    assert "row 3" in refused
    assert "belongs to Ada [not_owned]" in refused
    assert position() == 4
    (folder / "t.csv").write_text(TABLE.rsplit("HOURLY", 1)[0])
    said = gcr_json("trade", issued, "--table", "t.csv")
    assert (said["ok"], said["done"], said["refused"], [row["entry"] for row in said["results"]]) == (
        True,
        3,
        0,
        [5, 6, 7],
    )


def test_or_each_row_by_itself(gcr, gcr_json, folder, issued):
    (folder / "t.csv").write_text(TABLE)
    words = ("trade", issued, "--table", "t.csv", "--each", "--results", "r.csv", "--findings", "f.json")
    shown = gcr(*words, code=1).stdout
    assert "row 3: HOURLY-A-1-2020060112 belongs to Ada [not_owned]" in shown
    assert [line.split(",")[1] for line in (folder / "r.csv").read_text().splitlines()[1:]] == ['"done"'] * 3 + [
        '"refused"'
    ]
    assert [row["row"] for row in json.loads((folder / "f.json").read_text())] == [3]
    assert gcr_json("trade", issued, "--table", "t.csv", "--each", code=1)["ok"] is False


def test_a_table_may_be_tried(gcr, gcr_json, folder, issued, position):
    (folder / "t.csv").write_text(TABLE)
    words = ("trade", issued, "--table", "t.csv", "--dry-run")
    assert "not_owned" in gcr(*words, code=1).stderr
    said = gcr_json(*words, "--each", code=1)
    assert (said["dry_run"], said["done"], said["refused"]) == (True, 3, 1)
    assert [row["entry"] for row in said["results"]] == [None] * 4
    (folder / "t.csv").write_text(TABLE.rsplit("HOURLY", 1)[0])
    assert "would be done  3" in gcr(*words).stdout
    assert position() == 4
    assert gcr_json(*words[:-1])["done"] == 3


def test_a_table_of_handles_with_keys(gcr_json, folder, issued):
    (handle,) = (row["certificate"] for row in gcr_json("query", issued, "--certificate", NOON)["rows"])
    (folder / "t.csv").write_text(f"certificate,seller,buyer,key\n{handle},Ada,Bob,k\n")
    assert gcr_json("trade", issued, "--table", "t.csv")["done"] == 1
    assert gcr_json("trade", issued, "--table", "t.csv")["repeated"] == 1
    table = pa.table({"certificate": [handle], "seller": ["Bob"], "buyer": ["Zoe"]})
    pq.write_table(table, folder / "t.parquet")
    assert gcr_json("trade", issued, "--table", "t.parquet", "--create-parties")["done"] == 1


def test_misuse_of_a_table(gcr, folder, issued):
    (folder / "t.csv").write_text("certificate,seller,buyer\nHOURLY-A-1-2020060112,Ada,Bob\n")
    gcr("trade", issued, "--table", "t.csv", code=2)  # handles are numbers
    for words in (SOLD, ("--parent", "A-1"), ("--wh", 5), ("--results", "r.xlsx")):
        gcr("trade", issued, "--table", "t.csv", *words, code=2)
    (folder / "t.csv").write_text("certificate_id,seler,buyer\nx,Ada,Bob\n")
    gcr("trade", issued, "--table", "t.csv", code=2)
    assert "cannot open nope.csv" in gcr("trade", issued, "--table", "nope.csv", code=1).stderr


# --- other changes


def test_reserve_release_lock_unlock(gcr, gcr_json, issued):
    gcr("reserve", issued, "--owner", "Ada", *DAY, "--reason", "a customer")
    assert states(gcr_json, issued, *DAY) == {"RESERVED": 16}
    gcr("lock", issued, *DAY, "--reason", "review")
    assert states(gcr_json, issued, *DAY) == {"LOCKED": 16}
    gcr("unlock", issued, "--parent", "A-1", "--reason", "done")  # of the parent, what is locked
    assert states(gcr_json, issued, *DAY) == {"RESERVED": 16}
    gcr("release", issued, "--owner", "Ada", "--all")
    assert states(gcr_json, issued) == {"ACTIVE": 13_608}
    assert "nothing_selected" in gcr("release", issued, "--owner", "Ada", "--all", code=1).stderr
    assert "wrong_state" in gcr("unlock", issued, "--certificate", NOON, "--reason", "x", code=1).stderr
    gcr("lock", issued, "--all", code=2)  # needs a reason
    gcr("reserve", issued, "--all", code=2)  # needs an owner


@pytest.mark.parametrize("suffix", ["html", "json", "txt"])
def test_retire_with_a_statement(gcr, folder, issued, suffix):
    gcr("retire", issued, "--owner", "Ada", "--all", "--beneficiary", "Green <Ltd>", "--statement", f"s.{suffix}")
    text = (folder / f"s.{suffix}").read_text()
    assert ("Green &lt;Ltd&gt;" if suffix == "html" else "Green <Ltd>") in text
    assert (json.loads(text)["energy_wh"] if suffix == "json" else 12_345_678) == 12_345_678
    gcr("statement", issued, 5, "--out", f"t.{suffix}")
    assert (folder / f"t.{suffix}").read_text() == text
    assert "wrong_state" in gcr("retire", issued, "--owner", "Ada", "--all", "--beneficiary", "B", code=1).stderr


def test_statements_are_of_retirements_and_can_be_written(gcr, gcr_json, issued, position):
    words = ("retire", issued, "--owner", "Ada", "--all", "--beneficiary", "G")
    gcr(*words, "--statement", "s.pdf", code=2)
    gcr(*words, "--statement", "s.html", "--dry-run", code=2)
    gcr(*words, "--statement", "nope/s.html", code=1)
    gcr("retire", issued, "--owner", "Ada", "--all", code=2)
    gcr("statement", issued, 4, code=2)
    assert position() == 4
    gcr(*words)
    assert gcr_json("statement", issued, 5)["beneficiary"] == "G"
    assert "RETIREMENT 5" in gcr("statement", issued, 5).stdout


def test_claim_each_hour_once(gcr, gcr_json, folder, registry):
    used = ("claim", registry, "--owner", "Ada", "--reference", "meter 7")
    (folder / "used.csv").write_text("start,energy_wh\n2020-06-01T11:00Z,9000\n2020-06-01T12:00Z,1\n")
    refused = gcr(*used, "--certificate", NOON, "--consumption", "used.csv", code=1).stderr
    assert "1 Wh were consumed [amount_over]" in refused
    gcr(*used, "--certificate", "HOURLY-A-1-2020060111", "--consumption", "used.csv")
    assert gcr_json(*used, *DAY[2:], "--hour-of-day", 12)["certificates"] == 1
    assert "already_claimed" in gcr(*used, "--certificate", NOON, code=1).stderr
    assert "other_zone" in gcr(*used, *DAY, "--zone", "DE", code=1).stderr
    (folder / "used.csv").write_text("start,weight\n2020-06-01T11:00Z,9000\n")
    gcr(*used, "--all", "--consumption", "used.csv", code=2)


def test_that_nothing_is_due_is_no_failure(gcr, gcr_json, issued, position):
    early = ("expire", issued, "--now", "2021-01-01")
    for words in (early, (*early, "--dry-run")):
        said = gcr_json(*words)
        assert (said["ok"], said["entry"], said["certificates"]) == (True, 0, 0)
    assert "changed  nothing" in gcr(*early).stdout
    assert "nothing_selected" in gcr(*early, "--parent", "A-1", "--status", "RETIRED", code=1).stderr
    assert position() == 4


def test_expire_by_policy(gcr, gcr_json, issued):
    said = gcr_json("expire", issued, "--now", "2021-12-01")
    assert states(gcr_json, issued)["EXPIRED"] == said["certificates"]
    assert gcr_json("query", issued, "--status", "EXPIRED", "--start", "2020-06-01")["certificates"] == 0
    assert "not_expired" in gcr("expire", issued, "--now", "2021-12-01", "--certificate", NOON, code=1).stderr
    some = ("--months", 12, "--owner", "Ada", "--start", "2020-07-01", "--end", "2020-08-01")
    assert gcr_json("expire", issued, "--now", "2022-03-01", *some)["certificates"] == 491


def test_withdrawing_what_was_retired_needs_a_compensation(gcr, gcr_json, registry):
    words = ("withdraw", registry, "--owner", "Ada", "--reason", "metered twice")
    assert "needs_compensation" in gcr(*words, code=1).stderr
    assert gcr_json(*words, "--compensation", "retired 7.3 MWh of others")["certificates"] == 3077
    assert states(gcr_json, registry)["WITHDRAWN"] == 3077
