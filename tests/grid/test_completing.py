"""Hours that are spread over several files, against a plain sum over all their parts."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcr_fast.findings import RefusedError
from gcr_fast.imports import import_generation
from gcr_fast.profiles import profiles_from
from gcr_fast.sources.model import How

DAY = datetime(2024, 1, 1, tzinfo=UTC)
HEADER = "interval_start_datetime,interval_end_datetime,device_id,interval_usage,gross_net_indicator\n"
PARTS = st.dictionaries(st.integers(0, 40), st.integers(-999, 999), min_size=1)


def meter(parts, minutes):
    """Return the readings of a meter, {number of the interval: Wh}, as the GC registry takes them in."""
    times = {at: DAY + timedelta(minutes=at * minutes) for at in parts}
    ends = {at: start + timedelta(minutes=minutes) for at, start in times.items()}
    return HEADER + "".join(f"{times[at]:%F %T},{ends[at]:%F %T},M,{parts[at]},NET\n" for at in parts)


def scada(starts, watts):
    """Return a file of the Australian market, of the five minutes that begin at these times (and end at its labels)."""
    lines = (
        f'D,DISPATCH,UNIT_SCADA,1,"{start + timedelta(hours=10, minutes=5):%Y/%m/%d %H:%M:%S}",U1,{watt / 1e6:.6f}\n'
        for start, watt in zip(starts, watts, strict=True)
    )
    return "I,DISPATCH,UNIT_SCADA,1,SETTLEMENTDATE,DUID,SCADAVALUE\n" + "".join(lines)


def plain(parts, size):
    """Wh of the hours that have all their parts, by the hour's number."""
    hours = defaultdict(list)
    for at, value in parts.items():
        hours[at // size].append(value)
    return {hour: sum(values) for hour, values in hours.items() if len(values) == size}


def found(profile):
    signed, first = profile.signed.tolist(), (profile.start_s - int(DAY.timestamp())) // 3600
    return {first + at: wh for at, wh in enumerate(signed) if not profile.missing[at]}


@given(st.data(), PARTS, st.sampled_from([15, 30]), st.integers(2, 4))
def test_an_hour_is_whole_if_all_files_together_have_all_of_it(tmp_path_factory, data, parts, minutes, files):
    folder, rows = tmp_path_factory.mktemp("parts"), [dict[int, int]() for _ in range(files)]
    for at, value in parts.items():
        for file in data.draw(st.sets(st.integers(0, files - 1), min_size=1)):
            rows[file][at] = value
    paths = [folder / f"{file}.csv" for file, some in enumerate(rows) if some]
    for path, some in zip(paths, filter(None, rows), strict=True):
        path.write_text(meter(some, minutes))
    imported, converted = import_generation(paths), profiles_from(paths)
    wanted = plain(parts, 60 // minutes)
    for profile in (imported.profiles["M"], converted["M"]):
        assert found(profile) == wanted
    series = imported.series["M"]
    below = {hour: wh for hour, wh in wanted.items() if wh < 0}
    assert series.missing == int(imported.profiles["M"].missing.sum())
    assert (series.found, series.energy_wh) == (len(wanted), sum(wanted.values()))
    assert (series.negative, series.negative_wh) == (len(below), sum(below.values()))


@pytest.mark.parametrize("size", [1, 5])
def test_watts_of_files_of_a_few_minutes_each_are_rounded_once(write, size):
    starts = [DAY + timedelta(minutes=5 * at) for at in range(24)]
    watts = [1_000_001 + at for at in range(24)]
    cuts = range(0, 24, size)
    paths = [write(scada(starts[at : at + size], watts[at : at + size]), f"{at}.csv") for at in cuts]
    imported = import_generation(paths, how=How(units={"U1": "wind"}))
    assert found(imported.profiles["U1"]) == {0: sum(watts[:12]) // 12, 1: sum(watts[12:]) // 12}
    assert not imported.findings.of("error")
    (together,) = profiles_from(paths, how=How(units={"U1": "wind"})).values()
    assert found(together) == found(imported.profiles["U1"])


def test_parts_that_two_files_have_with_two_values_make_no_hour(write):
    paths = [write(meter(some, 30), f"{at}.csv") for at, some in enumerate(({0: 5, 1: 6, 2: 7}, {2: 8}, {3: 9}))]
    imported = import_generation(paths)
    assert found(imported.profiles["M"]) == {0: 11}
    assert [finding.code for finding in imported.findings.of("error")] == ["missing_interval"] * 3


@pytest.mark.parametrize(("half", "clashes"), [(6, 0), (7, 1)])
def test_half_an_hour_must_say_what_another_file_says_in_the_whole_hour(write, half, clashes):
    paths = [write(meter({0: 5, 1: 6, 2: 8, 3: 9}, 30), "a.csv"), write(meter({1: half}, 30), "b.csv")]
    converted = profiles_from(paths)
    found_clashes = [fault.finding for fault in converted["M"].faults if fault.finding.severity == "error"]
    assert [finding.code for finding in found_clashes] == ["contradicted_interval"] * clashes
    for finding in found_clashes:
        assert finding.message == (f"M: 2024-01-01T00:30Z .. 2024-01-01T01:00Z is 7 Wh, but 6 Wh in {paths[0]}, line 3")
        assert (finding.file, finding.line, finding.value) == (str(paths[1]), 2, "7")
    if clashes:
        with pytest.raises(RefusedError, match="contradicted_interval"):
            import_generation(paths)
    else:
        assert found(import_generation(paths).profiles["M"]) == found(converted["M"]) == {0: 11, 1: 17}


def test_flags_of_all_parts_are_those_of_the_hour(write):
    first, second = meter({0: 5}, 30), meter({1: 6}, 30).replace("NET", "GROSS")
    imported = import_generation([write(first, "a.csv"), write(second, "b.csv")])
    flags = imported.profiles["M"].flags
    assert [flags.words[code] for code in flags.codes.tolist()] == ["NET+GROSS"]
