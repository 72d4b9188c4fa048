"""Production periods: every form that lists have, last days inclusive, local days in their zone."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcr_fast.periods import Period
from gcr_fast.sources.certificates.periods import PeriodError, Span, between, calendar_span, read_day, read_period

MARCH = Span(date(2023, 3, 1), date(2023, 3, 31))


@pytest.mark.parametrize(
    "cell",
    [
        "Mar-2023", "mar 2023", "March 2023", "Mar. 2023", "2023-03", "03/2023", "3/2023", "03.2023", "2023/03",
        "01/03/2023 - 31/03/2023", "01.03.2023 – 31.03.2023", "2023-03-01 to 2023-03-31", "1-Mar-2023 - 31-Mar-2023",
        "2023-03-01 - 2023-03-31 23:59:59", "01/03/2023 00:00 - 31/03/2023 00:00",
        "01/03/2023 00:00 - 01/04/2023 00:00",
        "  01/03/2023   -  31/03/2023 ",
    ],
)  # fmt: skip
def test_forms_of_march(cell):
    assert read_period(cell, "day") == MARCH


def test_month_first_is_asked_for():
    assert read_period("03/01/2023 - 03/31/2023", "month") == MARCH
    assert read_day("03/04/2023", "month") == date(2023, 3, 4)
    assert read_day("03/04/2023", "day") == date(2023, 4, 3)
    assert read_day("03.04.2023", "month") == date(2023, 4, 3)  # dots are never month first


def test_years():
    assert read_period("2023", "day") == Span(date(2023, 1, 1), date(2023, 12, 31))
    assert read_period("2022 - 2023", "day", april_years=True) == Span(date(2022, 4, 1), date(2023, 3, 31))
    with pytest.raises(PeriodError, match="two years"):
        read_period("2022 - 2023", "day")
    with pytest.raises(PeriodError, match="do not follow"):
        read_period("2021 - 2023", "day", april_years=True)


def test_months_and_years_in_two_cells():
    assert calendar_span("2023", "3") == calendar_span("2023", "March") == MARCH
    assert calendar_span("2023", "") == Span(date(2023, 1, 1), date(2023, 12, 31))
    with pytest.raises(PeriodError):
        calendar_span("2023", "13")


def test_instants_with_offsets_are_taken_as_they_are():
    found = read_period("2023-03-01T00:00:00+01:00 - 2023-04-01T00:00:00+02:00", "day")
    assert found == Period(1677625200, 1680300000)
    with pytest.raises(PeriodError, match="before it begins"):
        between("2023-03-01T00:00Z", "2023-03-01T00:00Z", "day")


@pytest.mark.parametrize(
    ("cell", "what"),
    [
        ("31/04/2023 - 30/05/2023", "has '31/04/2023', which is no date"),
        ("29/02/2023 - 31/03/2023", "has '29/02/2023', which is no date"),
        ("03/13/2023 - 03/31/2023", "is no date"),
        ("01/04/2023 - 31/03/2023", "before it begins"),
        ("Mar-23", "no period"),
        ("2023-03-01 - 2023-03-15 00:00", "is no date"),
        ("2023-03-01 06:00 - 2023-03-31", "is no date"),
        ("1889 - 1890", "outside"),
        ("Foo-2023", "no period"),
        ("2023-13", "no period"),
        ("", "no period"),
    ],
)
def test_what_is_no_period_is_said(cell, what):
    with pytest.raises(PeriodError, match=what):
        read_period(cell, "day", april_years=True)


@given(st.dates(date(1991, 1, 1), date(2098, 1, 1)), st.integers(0, 400))
def test_days_are_whole_in_their_zone(first, days):
    zone = "Europe/London"
    last = first + timedelta(days=days)
    period = read_period(f"{first:%d/%m/%Y} - {last:%d/%m/%Y}", "day").in_zone(zone)
    place = ZoneInfo(zone)
    following = last + timedelta(days=1)
    assert period.start_s == datetime(first.year, first.month, first.day, tzinfo=place).timestamp()
    assert period.end_s == datetime(following.year, following.month, following.day, tzinfo=place).timestamp()


@given(st.text(max_size=40), st.sampled_from(["day", "month"]))
def test_any_text_is_read_or_refused(cell, order):
    try:
        found = read_period(cell, order, april_years=True)
    except PeriodError:
        return
    assert found[0] <= found[1]


@given(st.text(max_size=20), st.text(max_size=20))
def test_any_two_texts_are_read_or_refused(first, last):
    try:
        found = between(first, last, "day")
    except PeriodError:
        return
    assert found[0] <= found[1]
