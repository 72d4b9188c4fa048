"""What the commands of a registry print on 80 columns: nothing wider, and nothing broken that need not be."""

import pytest
from oracle.damage import flip_middle

WIDTH = 80
LONG = """certificate_id,energy_mwh,year,zone,source_type,profile,status,purpose,owner,issuer,serial_start,serial_end
AN-ID-OF-SOME-LENGTH-2020,1234567.891,2020,Europe/Vienna,wind_onshore,AT-2020-wind_onshore,CANCELED,conversion,Ada,X,1000,1999
"""


@pytest.fixture
def long(gcr, folder):
    """A registry whose ids leave no room for every column of a listing."""
    (folder / "long.csv").write_text(LONG)
    gcr("init", "long")
    gcr("issue", "long", "long.csv", "--profiles", "shipped", "--create-parties", "--quiet")
    gcr(
        "trade",
        "long",
        "--seller",
        "Ada",
        "--buyer",
        "Bob",
        "--create-parties",
        "--all",
        "--end",
        "2020-02-01",
        "--quiet",
    )
    return "long"


def lines(result):
    return [line.rstrip() for line in result.stdout.splitlines()]


COMMANDS = (
    ("query",), ("query", "--limit", 3), ("query", "--group-by", "owner", "--group-by", "month"), ("stats",), ("info",),
    ("trades",), ("trades", "--stats"), ("trades", 5), ("verify",), ("audit",), ("parties list",),
    ("history", "HOURLY-A-1-2020060112"), ("info", "A-1"), ("info", "HOURLY-A-1-2020060112"), ("statement", 6),
)  # fmt: skip


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(map(str, words)))
def test_no_line_is_wider_than_the_screen(gcr, registry, words):
    command, *rest = words
    shown = lines(gcr(*command.split(), registry, *rest))
    assert shown
    assert max(map(len, shown)) <= WIDTH


def test_ids_stay_whole_where_leaving_out_the_source_makes_room(gcr, long, registry):
    shown = lines(gcr("query", long, "--limit", 5))
    assert shown[0].split() == ["certificate", "Wh", "status", "owner"]
    assert all(line.startswith("HOURLY-AN-ID-OF-SOME-LENGTH-2020-20") for line in shown[1:6])
    short = lines(gcr("query", registry, "--limit", 5))
    assert short[0].split() == ["certificate", "Wh", "source", "status", "owner"]


def test_only_an_id_that_cannot_fit_is_broken(gcr, long):
    gcr("trade", long, "--seller", "Bob", "--buyer", "Ada", "--all", "--wh", 123_456_789, "--quiet")
    shown = lines(gcr("query", long, "--owner", "Bob", "--limit", 3))
    broken = [at for at, line in enumerate(shown) if "/" in line]
    assert len(broken) == 1
    assert sum(line.startswith("HOURLY-AN-ID") for line in shown) == 3


def test_months_stay_whole_however_large_they_are(gcr, long, registry):
    for place, each in ((registry, 3), (long, 3)):
        shown = lines(gcr("stats", place))
        first = next(at for at, line in enumerate(shown) if line.startswith("month"))
        assert shown[first].split() == ["month", "MWh"] * each
        assert all(len(line.split()) % 2 == 0 and line[:4].isdigit() for line in shown[first + 1 :])


def test_what_was_not_stated_is_named(gcr, registry):
    assert lines(gcr("query", registry, "--group-by", "device"))[1].startswith("not stated ")


def test_handles_entries_and_serial_numbers_are_names_not_amounts(gcr, gcr_json, long, registry):
    handle = gcr_json("query", registry, "--parent", "A-2", "--limit", 1)["rows"][0]["certificate"]
    assert handle > 1000
    assert f"certificate            {handle}" in lines(gcr("info", registry, handle))
    shown = lines(gcr("info", long, "AN-ID-OF-SOME-LENGTH-2020"))
    assert {"serial start      1000", "serial end        1999", "hours             8,784"} <= set(shown)


def test_a_history_says_for_whom_and_why_on_one_line_each(gcr, registry):
    gcr("reserve", registry, "--owner", "Bob", "--parent", "A-2", "--at", "2020-06-01T12:00Z", "--reason", "for later")
    noon = lines(gcr("history", registry, "HOURLY-A-2-2020060112"))
    assert [line.split()[3:7] for line in noon[3:5]] == [
        ["issue", "Bob", *noon[3].split()[5:7]],
        ["reserve", "Bob", "for", "later"],
    ]
    assert any("for Green <Ltd>" in line for line in lines(gcr("history", registry, "HOURLY-A-1-2020060112")))


def test_a_damaged_file_is_told_once_not_beside_every_check(gcr, folder, registry):
    place = max((folder / registry / "segments").iterdir(), key=lambda file: file.stat().st_size)
    flip_middle(place)
    shown = gcr("verify", registry, code=1).stdout
    assert shown.count(place.name) == 1
    assert "files are as written                   failed  1 finding, see below" in shown
    assert shown.count("not checked: files are damaged") >= 9


def test_an_audit_of_one_of_each_counts_in_the_singular(gcr, registry):
    shown = gcr("verify", registry).stdout
    assert " 1 issue " in shown
    assert "1 issues" not in shown


def test_public_keys_are_shortened_on_the_screen_only(gcr, gcr_json, registry):
    key = gcr_json("audit", registry, "--new-key", "key.pem")["public_key"]
    shown = gcr("audit", registry).stdout
    assert key not in shown
    assert f"{key[:32]}..." in shown
    assert gcr_json("audit", registry)["signatures"][0]["public_key"] == key
