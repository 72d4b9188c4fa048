"""Answers in pages are whole only together."""

import pytest

from gcr_fast.sources.files import open_file
from gcr_fast.sources.model import Page, Readings
from gcr_fast.sources.pages import check


@pytest.fixture
def held(write):
    """Make the readings of a file that has these pages."""

    def made(name, *pages):
        return Readings(open_file(write("x", name)), "some", pages=pages)

    return made


def test_files_without_pages_pass(held):
    check([held("a"), held("b")])


@pytest.mark.parametrize("first", [0, -1])
def test_pages_that_add_up_pass(held, first):
    check([held("a", Page("q", first, 30, 50)), held("b", Page("q", 30 if first == 0 else -1, 20, 50))])


@pytest.mark.parametrize(
    ("pages", "have"),
    [
        ([Page("q", 0, 30, 50)], 30),
        ([Page("q", 0, 30, 50), Page("q", 0, 30, 50)], 30),
        ([Page("q", 0, 30, 50), Page("q", 20, 20, 50)], 40),
        ([Page("q", 10, 40, 50)], 40),
        ([Page("q", -1, 30, 50), Page("q", -1, 19, 50)], 49),
    ],
)
def test_missing_rows_are_counted_once(held, refusal, pages, have):
    (found,) = refusal(check, [held(f"file-{at}", page) for at, page in enumerate(pages)])
    assert (found["code"], found["count"]) == ("missing_interval", 50 - have)
    assert f"{have} of the 50 rows" in found["message"]
    assert all(f"file-{at}" in found["message"] for at in range(len(pages)))


def test_answers_to_two_requests_are_two_answers(held, refusal):
    found = refusal(check, [held("a", Page("q", 0, 30, 50)), held("b", Page("r", 30, 20, 50))])
    assert sorted(item["count"] for item in found) == [20, 30]
