"""The commands of a registry: what they do, say and refuse."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest
from gcr_cli.main import SECTIONS

from gcr_fast import Registry

WHOLE_WH = 1_012_345_678
SOLD = ("--seller", "Ada", "--buyer", "Bob")
NOON = "HOURLY-A-1-2020060112"


def read(path):
    kind = Path(path).suffix
    if kind == ".parquet":
        return pq.read_table(path)
    return pa.ipc.open_file(path).read_all() if kind == ".arrow" else pa.csv.read_csv(path)


def position(place="registry"):
    with Registry.open(place, read_only=True) as held:
        return held.position


# --- making


def test_init_says_what_it_made(gcr, gcr_json):
    assert "18 months from production" in gcr("init", "one", "--name", "Mine", "--expiry-months", 18).stdout
    said = gcr_json("init", "two", "--transfer-months", 12)
    assert (said["ok"], said["transfer_months"], said["expiry_months"], said["entries"]) == (True, 12, None, 1)
    assert "holds a registry already" in gcr("init", "one", code=1).stderr
    gcr("init", "three", "--expiry-months", 0, code=2)


def test_what_is_no_registry_is_said_plainly(gcr, folder):
    for words in (("query",), ("verify",), ("stats",), ("info",), ("parties", "list"), ("issue", "annual.csv")):
        first = [*words[:1], "nope", *words[1:]] if words[0] != "parties" else [*words, "nope"]
        profiles = ("--profiles", "shipped") if words[0] == "issue" else ()
        assert "there is no registry in nope" in gcr(*first, *profiles, code=1).stderr
    assert not (folder / "nope").exists()


def test_errors_are_json_too_where_it_is_asked_for(gcr_json, issued):
    for words, code, said in (
        (("query", "nope"), 1, "there is no registry in nope"),
        (("init", issued), 1, "holds a registry already"),
        (("query", issued, "--owner", "Eve"), 2, "no party 'Eve'"),
        (("trades", issued, 1), 2, "entry 1 is a create, not a trade"),
        (("prove", issued, "x"), 2, "no such certificate: x"),
    ):
        told = gcr_json(*words, code=code)
        assert (told["ok"], said in told["error"]) == (False, True)


def test_issue(gcr, gcr_json, folder):
    gcr("init", "registry")
    words = ("issue", "registry", "annual.csv", "--profiles", "shipped")
    assert "unknown_party" in gcr(*words, code=1).stderr
    assert gcr_json(*words, code=1)["findings"][0]["code"] == "unknown_party"
    assert gcr_json(*words, "--create-parties", "--dry-run")["entry"] == 0
    assert position() == 1
    said = gcr_json(*words, "--create-parties")
    assert (said["certificates"], said["energy_wh"], said["entry"], said["repeated"]) == (13_608, WHOLE_WH, 4, False)
    again = gcr(*words, "--create-parties").stdout
    assert "done before" in again
    assert "nothing" in again
    (folder / "half.csv").write_text((folder / "annual.csv").read_text().replace("1000", "999"))
    refused = gcr("issue", "registry", "half.csv", "--profiles", "shipped", "--findings", "f.json", code=1)
    assert "already_converted" in refused.stderr
    assert {row["code"] for row in json.loads((folder / "f.json").read_text())} == {"already_converted"}
    assert position() == 4


def test_issue_needs_profiles_and_cancelled_certificates(gcr, issued):
    gcr("issue", issued, "annual.csv", code=2)
    assert "not_canceled" in gcr("issue", issued, "bad.csv", "--profiles", "shipped", code=1).stderr
    assert "cannot open nope.csv" in gcr("issue", issued, "nope.csv", "--profiles", "shipped", code=1).stderr


def test_parties(gcr, gcr_json, issued):
    added = gcr_json("parties", "add", issued, "Carol", "Ada")["parties"]
    assert [(row["party"], row["repeated"]) for row in added] == [("Carol", False), ("Ada", True)]
    rows = gcr_json("parties", "list", issued)
    assert [(row["code"], row["party"], row["certificates"]) for row in rows] == [
        (1, "Ada", 4824), (2, "Bob", 8784), (3, "Carol", 0)
    ]  # fmt: skip
    assert sum(row["energy_wh"] for row in rows) == sum(row["active_wh"] for row in rows) == WHOLE_WH
    assert "3 parties" in gcr("parties", "list", issued).stdout
    gcr("parties", "add", issued, code=2)


# --- asking


def test_query_shows_some_and_says_how_to_go_on(gcr, issued):
    shown = gcr("query", issued, "--owner", "Ada").stdout
    assert "4,824 certificates, 12.345678 MWh; 20 shown, next: --after" in shown
    assert len([line for line in shown.splitlines() if line.startswith("HOURLY-A-1-")]) == 20
    assert "--after" not in gcr("query", issued, "--owner", "Ada", "--at", "2020-06-01T12:00Z").stdout
    assert gcr("query", issued, "--limit", 0).stdout.strip() == "13,608 certificates, 1,012.345678 MWh"


def test_pages_of_json_are_the_whole(gcr_json, issued):
    whole = gcr_json("query", issued, "--parent", "A-1", "--certificate-ids")
    assert (whole["certificates"], len(whole["rows"]), whole["next"]) == (4824, 4824, None)
    assert sum(row["energy_wh"] for row in whole["rows"]) == whole["energy_wh"] == 12_345_678
    pages, after = [], ()
    while after is not None:
        page = gcr_json("query", issued, "--parent", "A-1", "--certificate-ids", "--limit", 2000, *after)
        pages += page["rows"]
        after = None if page["next"] is None else ("--after", page["next"])
    assert pages == whole["rows"]
    assert gcr_json("query", issued, "--status", "RETIRED") == {
        "certificates": 0, "energy_wh": 0, "next": None, "rows": []
    }  # fmt: skip


def test_filters_combine(gcr_json, issued):
    june = ("--start", "2020-06-01", "--end", "2020-07-01")
    assert gcr_json("query", issued, *june, "--hour-of-day", 12, "--source-type", "solar")["certificates"] == 30
    assert gcr_json("query", issued, *june, "--hour-of-day", 12, "--hour-of-day", 13)["certificates"] == 120
    assert gcr_json("query", issued, "--parent", "A-1", "--parent", "A-2", "--limit", 1)["certificates"] == 13_608
    one = gcr_json("query", issued, "--certificate", NOON)["rows"]
    assert gcr_json("query", issued, "--certificate", one[0]["certificate"])["rows"] == one
    assert gcr_json("query", issued, "--certificate", NOON, "--min-wh", one[0]["energy_wh"] + 1)["rows"] == []


def test_groups(gcr, gcr_json, registry):
    groups = gcr_json("query", registry, "--group-by", "owner", "--group-by", "status")["groups"]
    assert [(row["owner"], row["status"]) for row in groups] == [
        ("Ada", "RETIRED"), ("Bob", "ACTIVE"),
    ]  # fmt: skip
    assert sum(row["energy_wh"] for row in groups) == WHOLE_WH
    assert "13 groups in g.csv" in gcr("query", registry, "--group-by", "month", "--out", "g.csv").stdout
    assert read("g.csv").num_rows == 13
    gcr("query", registry, "--group-by", "weather", code=2)


@pytest.mark.parametrize("suffix", ["parquet", "arrow", "csv"])
def test_query_into_a_file(gcr, gcr_json, registry, suffix):
    out = f"rows.{suffix}"
    gcr("query", registry, "--out", out, "--certificate-ids")
    table = read(out)
    assert table.num_rows == 13_609
    assert sum(table["energy_wh"].to_pylist()) == WHOLE_WH
    assert len(set(table["certificate_id"].to_pylist())) == 13_609
    assert gcr_json("query", registry, "--owner", "Ada", "--out", out)["rows"] == read(out).num_rows


def test_as_of_a_past_entry(gcr_json, registry):
    assert gcr_json("query", registry, "--owner", "Ada", "--as-of", 4, "--limit", 0)["energy_wh"] == 12_345_678
    assert gcr_json("query", registry, "--owner", "Ada", "--as-of", 5, "--limit", 0)["energy_wh"] == 7_345_678


def test_misuse_of_query(gcr, issued):
    assert "did you mean Ada" in gcr("query", issued, "--owner", "Adda", code=2).stderr
    gcr("query", issued, "--parent", "A-9", code=2)
    gcr("query", issued, "--start", "yesterday", code=2)
    gcr("query", issued, "--hour-of-day", 24, code=2)
    gcr("query", issued, "--as-of", 99, code=2)
    gcr("query", issued, "--out", "x.xlsx", code=2)
    assert "there is no folder nope" in gcr("query", issued, "--out", "nope/x.csv", code=1).stderr
    assert "no such certificate" in gcr("query", issued, "--certificate", "HOURLY-A-1-1999010100", code=2).stderr


def test_stats_and_info(gcr, gcr_json, registry):
    said = gcr_json("stats", registry)
    assert said["certificates"] == 13_609  # one hour is in two pieces
    assert said["energy_wh"] == WHOLE_WH
    assert said["prices"]["EUR"]["total"] == "227.50"
    shown = gcr("stats", registry).stdout
    assert "on average 45.50 EUR/MWh" in shown
    assert "13,609, 1,012.345678 MWh" in shown
    assert gcr_json("info", registry)["entries"] == 6
    assert gcr_json("info", registry, "A-1")["by_status"]["RETIRED"]["energy_wh"] == 7_345_678
    assert gcr_json("info", registry, NOON)["status"] == "RETIRED"
    gcr("info", registry, "A-9", code=2)


def test_history_and_trades(gcr, gcr_json, registry):
    life = gcr_json("history", registry, NOON)
    assert [(event["entry"], event["kind"]) for event in life["history"]] == [(4, "issue"), (6, "retire")]
    assert life["certificate"]["owner"] == "Ada"
    assert life["history"][1]["texts"]["beneficiary"] == "Green <Ltd>"
    (trade,) = gcr_json("trades", registry)
    assert (trade["seller"], trade["buyer"], trade["energy_wh"], trade["total"]) == ("Ada", "Bob", 5_000_000, "227.50")
    assert gcr_json("trades", registry, 5)["parent_certificate_ids"] == ["A-1"]
    assert gcr_json("trades", registry, "--certificate", NOON) == []
    (day,) = gcr_json("trades", registry, "--stats")
    assert (day["trades"], day["average_per_mwh"]) == (1, "45.50")
    assert gcr_json("trades", registry, "--owner", "Bob", "--end", "2020-01-01") == []
    assert "0 trades" in gcr("trades", registry, "--start", "2999-01-01").stdout
    assert "45.50 EUR" in gcr("trades", registry, "5").stdout
    for words in (("4",), ("5", "--stats"), ("--certificate", NOON, "--owner", "Ada"), ("--owner", "Eve")):
        gcr("trades", registry, *words, code=2)


def test_the_last_trades_are_shown(gcr, gcr_json, issued):
    for hour in range(4):
        gcr("trade", issued, *SOLD, "--certificate", f"HOURLY-A-1-202006011{hour}", "--quiet")
    assert [row["entry"] for row in gcr_json("trades", issued, "--limit", 2)] == [7, 8]
    assert "4 trades; the last 3 shown" in gcr("trades", issued, "--limit", 3).stdout


def test_only_one_style_names_the_registry():
    """The folder comes first, in every command of a registry."""
    for section in ("Registry", "Questions", "Changes", "Evidence"):
        for command in SECTIONS[section]:
            for each in getattr(command, "commands", {"": command}).values():
                assert each.params[0].name == "registry"
                assert "registry" in each.example


def test_issuing_shows_its_progress_in_a_terminal(in_terminal, issued):
    words = ["issue", "two", "annual.csv", "--profiles", "shipped", "--create-parties"]
    in_terminal(["init", "two"])
    code, text = in_terminal(words)
    assert code == 0
    assert "issuing" in text
    assert in_terminal([*words, "--quiet"]) == (0, "")
