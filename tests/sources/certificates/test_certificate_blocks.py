"""Rows that are read together are what they are one by one; and a large list does not fill the memory."""

import subprocess
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from lists import AIB_HEADER, aib_row, rego, rego_row, text
from test_certificate_damage import LISTS

from gcr_fast.certificates import read_certificates
from gcr_fast.findings import RefusedError
from gcr_fast.lists.alike import touching
from gcr_fast.sources.certificates import sheet
from gcr_fast.sources.certificates.cutting import Cutter
from gcr_fast.sources.certificates.held import NONE
from gcr_fast.sources.certificates.plain import PlainReader
from gcr_fast.sources.certificates.rego import NUMBER
from gcr_fast.sources.certificates.rows import RowReader
from gcr_fast.sources.certificates.serials import IREC, PLAIN, SerialError, canonical, canonical_each, read_range

OTHERS = {name: content for name, content in LISTS.items() if name != "annual"}
MAPPING = {
    "columns": {
        "first": "From", "last": "To", "energy": "MWh", "count": "Count", "mwh_each": "Each", "period": "Period",
        "month": "Month", "status": "State", "technology": "What",
        "energy_source": "Fuel", "device_id": "Plant", "id": "Id", "country": "Where", "zone": "Zone",
        "beneficiary": "For", "reason": "Why",
    },
    "rounding": "down",
    "without_energy": "leave-out",
    "leave_out": ["fossil"],
}  # fmt: skip
HEADER = tuple(MAPPING["columns"].values())
CELLS = {
    "From": ("", "A1", "A11", "a 21", "AB31", "41"),
    "To": ("", "A10", "A19", "10", "A5", "A 10", "50"),
    "MWh": ("", "10", "10.5", "1.2345678", "0", "-1", "9", "x"),
    "Count": ("", "10", "9", "1", "1,000"),
    "Each": ("", "1", "0.5", "0", "99999999999"),
    "Period": ("Mar-2023", "2023", "01/03/2023 - 31/03/2023", "31/03/2023 - 30/04/2023", "Mar-2022", "no", ""),
    "Month": ("", "3", "13"),
    "State": ("Retired", "Issued", "Expired", "odd", ""),
    "What": ("Wind", "Coal", "F01050100", "F01050199", "steam", "T050000", ""),
    "Fuel": ("", "F01050100", "F01040100"),
    "Plant": ("P1", "P2", "571313001234567891", "571313001234567890", "5.7E+17", ""),
    "Id": ("", "I1", "i1"),
    "Where": ("DE", "", "Spain"),
    "Zone": ("", "Europe/Oslo", "Mars"),
    "For": ("", "Steel AG", "-"),
    "Why": ("", "Compliance", "Conversion"),
}
SOUND = [cells[0] for cells in CELLS.values()]


def outcome(path, **options):
    """All that comes of a list: its table, accounts and findings, in order, or why it is refused."""
    try:
        found = read_certificates(path, **options)
    except RefusedError as refusal:
        return list(refusal.collected)
    accounts = [(*vars(one).values(), list(one.dropped)) for one in found.files]
    return found.table, accounts, found.statuses, list(found.lines), list(found.findings)


def one_by_one(monkeypatch, path, **options):
    """The same with every row left to the reader of single rows."""
    real = PlainReader.read

    def nothing_plain(self, block):
        found = real(self, block)
        return found._replace(odd=np.ones_like(found.odd), outside=np.zeros_like(found.odd))

    with monkeypatch.context() as patch:
        patch.setattr(PlainReader, "read", nothing_plain)
        return outcome(path, **options)


def same(monkeypatch, path, rows, **options):
    with monkeypatch.context() as patch:
        patch.setattr(sheet, "BLOCK_ROWS", rows)
        found = outcome(path, **options)
    assert found == one_by_one(monkeypatch, path, **options)


quiet = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def one_row(draw):
    """A row of cells of which all but a few are sound."""
    row = dict(zip(HEADER, SOUND, strict=True)) | {
        "From": f"A{draw(st.integers(0, 9))}1",
        "To": "",
        "Id": "",
        "Count": "",
    }
    row["Each"] = "1"
    for name in draw(st.lists(st.sampled_from(HEADER), max_size=3)):
        row[name] = draw(st.sampled_from(CELLS[name]))
    return list(row.values())


@quiet
@given(
    st.lists(one_row(), max_size=9),
    st.integers(1, 5),
    st.sampled_from(
        [{}, {"year": 2023}, {"units": {"P1": "wind"}}, {"zone": "UTC"}, {"decimal": "."}, {"purpose": "conversion"}]
    ),
)
@example([["", "", "1.2345678", "", "", "Mar-2023", "", "Retired", "Wind", "", "P1", "I1", "DE", "", "", ""]], 1, {})
def test_cells_of_every_kind(write, monkeypatch, rows, size, options):
    same(monkeypatch, write(text(HEADER, rows)), size, mapping=MAPPING, **options)


@quiet
@given(st.sampled_from(sorted(OTHERS)), st.data(), st.integers(1, 5))
def test_damaged_lists_of_every_format(write, monkeypatch, name, data, size):
    raw = bytearray(OTHERS[name].encode())
    for _ in range(data.draw(st.integers(0, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.sampled_from(b'0123456789,;"\n -.AZ'))
    same(monkeypatch, write(bytes(raw)), size, zone="UTC")


@pytest.mark.parametrize("name", sorted(OTHERS))
def test_sound_rows_are_read_together(write, monkeypatch, name):
    monkeypatch.setattr(RowReader, "certificate", lambda *given: pytest.fail("a row was read alone"))
    assert len(read_certificates(write(OTHERS[name]), zone="UTC")) > 0


def test_what_is_left_out_is_told_in_the_order_of_the_file(write, monkeypatch):
    total, rest = ["Total", *[""] * 16], [rego_row(year=2022), rego_row(), rego_row(year=2022, first=1000)]
    for rows, first in ([total, *rest], "totals and closing lines"), ([*rest, total], "not of 2023"):
        path = write(rego(*rows))
        assert next(iter(read_certificates(path, year=2023).files[0].dropped)) == first
        for size in (1, 2, 9):
            same(monkeypatch, path, size, year=2023)


# --- serial numbers


PIECES = st.sampled_from(
    ["A", "ab ", "12", "0", "-", " to ", "–", " ", ".", "and", ";", "7", "643002406801", "GEN", "²"]
)
REGO = st.builds(
    "{}{:010d}{}".format,
    st.sampled_from(["G01821BWEN", "G01822BWEN", "G01821BWE"]),
    st.integers(0, 99),
    st.sampled_from(["010323310323GEN", "010423300423GEN", "010323310323X"]),
)
WH = st.builds("0000-0000-0000-{:04d}.{:06d}".format, st.integers(0, 3), st.sampled_from([0, 999_999]))
ANY = st.lists(PIECES, max_size=5).map("".join).map(str.strip)
CELLS_OF_ONE = st.one_of(*(st.tuples(kind, kind) for kind in (ANY, REGO, WH)), st.tuples(ANY, st.just("")))


@given(st.sampled_from([PLAIN, NUMBER, IREC]), st.lists(CELLS_OF_ONE, min_size=1, max_size=4), st.booleans())
@example(PLAIN, [("1 to 2", ""), ("A1", "5"), ("A1", "A5"), ("A\0", "B")], False)
def test_ranges_cut_together_are_those_read_alone(pattern, cells, half_open):
    found = Cutter(pattern, half_open).ranges(*zip(*cells, strict=True))
    for (first, last), cut in zip(cells, zip(*found, strict=True), strict=True):
        try:
            alone = read_range(first, last, pattern)
            alone = alone.without_last() if half_open and last else alone
        except SerialError:
            assert cut == ("", NONE, NONE, None, None)
            continue
        *ends, suffix = cut
        if suffix is not None:
            assert ends == [alone.text, alone.first.number, alone.last.number, alone.prefix]
            assert suffix == alone.first.suffix


@given(st.lists(st.text(st.sampled_from("aß \t\u2003\0ŉσ1")), max_size=5))
def test_many_texts_are_compared_as_one_is(texts):
    assert canonical_each(texts) == [canonical(one) for one in texts]


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 30), st.integers(0, 9)), max_size=12))
def test_all_ranges_that_touch_another_are_found(ranges):
    space, low, size = np.array(ranges, dtype=np.int64).reshape(-1, 3).T
    found = touching(space, low, low + size).tolist()
    spans = [(one, start, start + more) for one, start, more in ranges]
    meeting = {
        at
        for pair in combinations(range(len(spans)), 2)
        for at in pair
        if spans[pair[0]][0] == spans[pair[1]][0]
        and max(spans[at][1] for at in pair) <= min(spans[at][2] for at in pair)
    }
    assert found == sorted(meeting)


# --- memory


PEAK = """
import sys
from pathlib import Path
from gcr_fast.certificates import read_certificates
read_certificates(sys.argv[1]).write(sys.argv[1] + ".parquet")
print(next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")))
"""
"""Prints the peak of a process in kB; what it was started from does not count."""
STATUSES = ("Redeemed", "Retired", "Issued")


def regos(count):
    stations = [f"G{at:05d}FWSC" for at in range(500)]
    return rego(
        *(
            rego_row(
                month=1 + at // 500 % 12, first=1000 * (at // 6000), station=stations[at % 500], status=STATUSES[at % 3]
            )
            for at in range(count)
        )
    )


def aibs(count):
    return text(AIB_HEADER, [aib_row(first=1 + 100 * at, beneficiary=f"Mill {at % 400}") for at in range(count)], ";")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not tell the peak")
@pytest.mark.parametrize("make", [regos, aibs])
def test_a_list_takes_less_than_three_times_its_size(write, make):
    """Between a fifth of a list and all of it, so that libraries and what is remembered of cells do not count."""
    sizes, peaks = [], []
    for count in (15_000, 75_000):
        path = write(make(count), f"{count}.csv")
        done = subprocess.run([sys.executable, "-c", PEAK, path], capture_output=True, text=True, check=True)
        sizes.append(path.stat().st_size)
        peaks.append(int(done.stdout) * 1024)
    assert peaks[1] - peaks[0] < 3 * (sizes[1] - sizes[0])
