"""Dates of a list that alone could mean two things: months written as days, ends after the last day, either order."""

from datetime import UTC, date, datetime, timedelta

import pytest
from lists import AIB_HEADER, WREGIS_HEADER, aib_row, text, wregis_row

from gcr_fast.certificates import read_certificates
from gcr_fast.sources.certificates.edges import AFTER_OR_LAST, DAY_OR_MONTH, DAY_OR_MONTH_FIRST, Told, judge
from gcr_fast.sources.certificates.periods import PeriodError, Span, between

MAPPING = {
    "columns": {"id": "nr", "energy": "mwh", "start": "from", "end": "to", "technology": "art", "status": "state"},
    "constants": {"country": "GB"},
}
JANUARY = (datetime(2023, 1, 1, tzinfo=UTC), datetime(2023, 2, 1, tzinfo=UTC))
FEBRUARY = (datetime(2023, 2, 1, tzinfo=UTC), datetime(2023, 3, 1, tzinfo=UTC))


def periods(found):
    return [(row["production_start"], row["production_end"]) for row in found.table.to_pylist()]


def vintages(*cells):
    rows = [wregis_row(first=1 + 100 * at, vintage=cell) for at, cell in enumerate(cells)]
    return text(WREGIS_HEADER, rows)


def spans(*rows):
    return text(
        MAPPING["columns"].values(), [[f"A{at}", "5", *row, "Wind", "cancelled"] for at, row in enumerate(rows)]
    )


@pytest.mark.parametrize(
    "cells",
    [
        ("1/1/2023", "2/1/2023"),  # as a spreadsheet writes January
        ("2023-01-01", "2023-02-01 00:00:00"),
        ("01/2023", "02/01/2023"),
    ],
)
def test_a_date_in_a_column_of_vintages_is_its_month(read, cells):
    assert periods(read(vintages(*cells), zone="UTC")) == [JANUARY, FEBRUARY]


def test_any_other_day_in_a_column_of_vintages_is_refused(faults):
    assert faults(vintages("1/1/2023", "1/2/2023", "2023-01-31"), zone="UTC") == [
        ("bad_period", 3, "Vintage"),
        ("bad_period", 4, "Vintage"),
    ]


def aib_periods(name, *cells):
    header = [one for one in AIB_HEADER if not one.endswith(" To") or one.startswith("Certificate")]
    header = [name if one == "Production Period From" else one for one in header]
    rows = [aib_row(first=1 + 100 * at, start=cell, country="GB") for at, cell in enumerate(cells)]
    return text(header, [row[:7] + row[8:] for row in rows])


def test_a_production_month_written_as_a_date_is_that_month(read):
    assert periods(read(aib_periods("Production Month", "01.01.2023", "01.02.2023"))) == [JANUARY, FEBRUARY]


def test_lone_days_are_days_where_one_of_them_can_be_nothing_else(read, faults):
    days = periods(read(aib_periods("Production Period", "01.01.2023", "02.01.2023")))
    assert [(end - start).days for start, end in days] == [1, 1]
    assert faults(aib_periods("Production Period", "01.01.2023", "01.02.2023")) == [
        ("ambiguous_period", 2, "Production Period"),
        ("ambiguous_period", 3, "Production Period"),
    ]


@pytest.mark.parametrize(
    "rows",
    [
        (("2023-01-01", "2023-02-01"), ("2023-02-01", "2023-03-01")),
        (("01/01/2023", "01/02/2023"), ("01.02.2023", "01/03/2023")),
        (("1-Jan-2023", "1-Feb-2023"), ("2023-02-01 00:00", "2023-03-01")),
    ],
)
def test_ends_that_are_all_firsts_of_months_are_the_day_after(write, rows):
    found = read_certificates(write(spans(*rows)), mapping=MAPPING)
    assert periods(found) == [JANUARY, FEBRUARY]
    (note,) = found.findings
    assert (note.code, note.severity) == ("exclusive_end", "warning")
    assert "the day after the last" in note.message


def test_where_only_some_end_so_they_are_refused(faults):
    mixed = spans(("2023-01-01", "2023-02-01"), ("2023-02-01", "2023-02-28"), ("2023-03-01", "2023-03-01"))
    assert faults(mixed, mapping=MAPPING) == [("ambiguous_period", 2, "to")]


@pytest.mark.parametrize(("device", "notes"), [("W1", 1), ("W2", 0)])
def test_weeks_of_a_device_that_share_a_day_are_named(write, device, notes):
    mapping = MAPPING | {"columns": MAPPING["columns"] | {"device_id": "device"}}
    header = mapping["columns"].values()
    weeks = [
        ("W1", "2023-01-01", "2023-01-08"),
        ("W1", "2023-01-22", "2023-01-29"),
        (device, "2023-01-08", "2023-01-15"),
    ]
    rows = [[f"A{at}", "5", first, last, "Wind", "cancelled", name] for at, (name, first, last) in enumerate(weeks)]
    found = read_certificates(write(text(header, rows)), mapping=mapping)
    assert [(one.code, one.line) for one in found.findings] == [("reading_note", 2)] * notes


def test_inclusive_ends_stay_as_they_are(write):
    found = read_certificates(write(spans(("2023-01-01", "2023-01-31"), ("2023-02-01", "2023-02-28"))), mapping=MAPPING)
    assert periods(found) == [JANUARY, FEBRUARY]
    assert not len(found.findings)


def test_a_year_of_months_written_month_first_is_no_twelve_days_of_january(faults):
    american = spans(("1/1/2023", "3/1/2023"), ("4/1/2023", "12/1/2023"))
    assert faults(american, mapping=MAPPING) == [("ambiguous_period", line, "to") for line in (2, 3)]


@pytest.mark.parametrize("end", ["13/1/2023", "31/01/2023", "5/2/2023"])
def test_a_day_that_tells_the_order_or_the_month_settles_it(write, end):
    assert len(read_certificates(write(spans(("1/1/2023", "3/1/2023"), ("4/1/2023", end))), mapping=MAPPING)) == 2


def test_a_day_with_a_midnight_is_a_whole_day(read):
    found = periods(read(aib_periods("Production Period", "2023-02-01 00:00:00", "2023-01-31 00:00")))
    assert [end - start for start, end in found] == [timedelta(days=1)] * 2


def test_a_day_that_a_zone_skipped_holds_no_time(write, refusal):
    skipped = write(spans(("30.12.2011", "30.12.2011")))
    (found,) = refusal(read_certificates, skipped, mapping=MAPPING, zone="Pacific/Apia")
    assert (found["code"], found["line"]) == ("bad_period", 2)


def test_a_month_of_days_that_ends_before_it_begins_is_none():
    with pytest.raises(PeriodError, match="before it begins"):
        between("2023-02-01", "2023-02-01", "day", after=True)
    assert between("2023-02-01", "2023-02-02", "day", after=True) == Span(date(2023, 2, 1), date(2023, 2, 1))


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        ([], Told()),
        ([("Mar-2023",), ("2023",)], Told()),
        ([("01.01.2023 - 01.02.2023",)], Told(after=True)),
        ([("01.01.2023 - 01.02.2023",), ("Mar-2023",)], Told(after=True)),
        ([("15.01.2023", "01.02.2023")], Told(unsure={("15.01.2023", "01.02.2023"): AFTER_OR_LAST})),
        ([("01.01.2023", "01.01.2023")], Told(unsure={("01.01.2023", "01.01.2023"): DAY_OR_MONTH})),
        ([("01.01.2023", "01.02.2023 00:00")], Told()),
        ([("1/1/2023", "4/1/2023")], Told(unsure={("1/1/2023", "4/1/2023"): DAY_OR_MONTH_FIRST})),
        ([("01.02.2023", "01.01.2023")], Told()),
    ],
)
def test_what_dates_tell_together(texts, told):
    assert judge(texts, "day") == told


def test_lone_days_of_a_column_of_months_are_settled_by_its_name():
    assert judge([("01.01.2023",), ("2023-02-01 00:00",)], "day", months=True) == Told()
