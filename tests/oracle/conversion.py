"""The slow twin of the whole conversion: dictionaries, fractions and integers of any size, to be checked by reading.

A profile is {UTC second: Wh}; a certificate is a dictionary with `certificate_id`, `energy_wh`, `start`, `end` (UTC
seconds), `profile` and perhaps `allocation_basis`. The functions at the end show the same inputs as Arrow tables, and
draw them at random.
"""

from fractions import Fraction
from itertools import pairwise
from math import floor

import pyarrow as pa
from hypothesis import assume
from hypothesis import strategies as st

MWH = 1_000_000
METERED = ("metered_hourly", "metered_scaled")

LARGEST = 1 << 51
"""Wh of the largest certificate."""

START = 1_704_067_200
"""2024-01-01T00:00Z."""
HOUR = 3600
DAY = 86_400

CERTIFICATE = {
    "energy_wh": 1000,
    "start": START,
    "end": START + DAY,
    "profile": "p",
    "status": "CANCELED",
    "purpose": "conversion",
}
"""What the certificates of these tests are, where a test does not say otherwise."""


def convert(certificates, profiles, method="cumulative", unit_wh=1, keep_zero_hours=False):
    """Return ({certificate: {second: Wh}}, {certificate: residual Wh}).

    A metered certificate takes from what is left on its meter by those with shorter periods, and by those of the same
    length that come before it; any other takes its profile as a mere shape. Only whole units are handed out; what is
    left over is the residual.
    """
    left = {name: dict(profile) for name, profile in profiles.items()}
    hours, residual = {}, {}
    for certificate in sorted(certificates, key=lambda one: one["end"] - one["start"]):
        metered = certificate.get("allocation_basis") in METERED
        source = (left if metered else profiles)[certificate["profile"]]
        inside = {second: wh for second, wh in sorted(source.items()) if in_period(certificate, second)}
        weights = [max(wh, 0) // unit_wh if metered else max(wh, 0) for wh in inside.values()]
        units = certificate["energy_wh"] // unit_wh
        if metered:
            units = min(units, sum(weights))
        spread = [part * unit_wh for part in SPREAD[method](units, weights)]
        issued = dict(zip(inside, spread, strict=True))
        if metered:
            for second, wh in issued.items():
                source[second] -= wh
        name = certificate["certificate_id"]
        hours[name] = {second: wh for second, wh in issued.items() if wh or keep_zero_hours}
        residual[name] = certificate["energy_wh"] - sum(spread)
    return hours, residual


def in_period(certificate, second):
    """Start inclusive, end exclusive."""
    return certificate["start"] <= second < certificate["end"]


def cumulative(total, weights):
    """Round every running total down, and return its steps."""
    if not sum(weights):
        return [0] * len(weights)
    reached = [floor(total * Fraction(sum(weights[:n]), sum(weights))) for n in range(len(weights) + 1)]
    return [after - before for before, after in pairwise(reached)]


def largest_remainder(total, weights):
    """Round every share down, and give what is left to the largest fractions, the earliest first."""
    if not sum(weights):
        return [0] * len(weights)
    shares = [total * Fraction(weight, sum(weights)) for weight in weights]
    parts = [floor(share) for share in shares]
    by_fraction = sorted(range(len(parts)), key=lambda at: (parts[at] - shares[at], at))
    for at in by_fraction[: total - sum(parts)]:
        parts[at] += 1
    return parts


SPREAD = {"cumulative": cumulative, "largest-remainder": largest_remainder}


def certificates_of(*rows):
    """Return rows with what they leave out filled in: CERTIFICATE, and ids C0, C1, ..."""
    return [{**CERTIFICATE, "certificate_id": f"C{number}", **row} for number, row in enumerate(rows)]


def annual_table(*rows):
    """Return certificates as an Arrow table; columns that no row has are absent."""
    full = certificates_of(*rows)
    names = dict.fromkeys(name for row in full for name in row)
    columns = {name: [row.get(name) for row in full] for name in names}
    for name in ("start", "end"):
        columns[name] = pa.array(columns[name], pa.timestamp("s", "UTC"))
    return pa.table(columns).rename_columns({"start": "production_start", "end": "production_end"})


def profile_table(profiles, values="energy_wh", source_types=None):
    """Return {name: {second: Wh or None}} as a long Arrow table; `values` names the column, and with it the unit."""
    rows = [(name, second, wh) for name, profile in profiles.items() for second, wh in profile.items()]
    columns = {
        "profile": [name for name, _, _ in rows],
        "start": pa.array([second for _, second, _ in rows], pa.timestamp("s", "UTC")),
        values: pa.array([wh for _, _, wh in rows], pa.int64()),
    }
    if source_types:
        columns["source_type"] = [source_types.get(name) for name, _, _ in rows]
    return pa.table(columns)


def series(values, start=START, step=HOUR):
    """Return values as a profile of intervals one after another."""
    return {start + step * at: value for at, value in enumerate(values)}


def hours_of(table):
    """Return a table of hourly certificates as {certificate: {second: Wh}}; an interval may come only once."""
    hours = {}
    names = table["parent_certificate_id"].to_pylist()
    seconds = table["production_start"].cast(pa.timestamp("s", "UTC")).cast(pa.int64()).to_pylist()
    for name, second, wh in zip(names, seconds, table["energy_wh"].to_pylist(), strict=True):
        assert second not in hours.setdefault(name, {})
        hours[name][second] = wh
    return hours


@st.composite
def inputs(draw):
    """Some profiles, and certificates on slices of them."""
    step = draw(st.sampled_from([HOUR, 900, 60]))
    wh = st.one_of(st.just(0), st.integers(-9, 9), st.integers(0, 3 * MWH), st.integers(0, 1 << 46))
    profiles = {
        name: series(draw(st.lists(wh, min_size=2, max_size=40)), START + HOUR * draw(st.integers(0, 50)), step)
        for name in ("p", "q")[: draw(st.integers(1, 2))]
    }
    rows = []
    for number in range(draw(st.integers(1, 6))):
        name = draw(st.sampled_from(sorted(profiles)))
        seconds = sorted(profiles[name])
        first = draw(st.integers(0, len(seconds) - 1))
        last = draw(st.integers(first, len(seconds) - 1))
        assume(any(profiles[name][second] > 0 for second in seconds[first : last + 1]))
        energy = draw(st.one_of(st.integers(1, 50), st.integers(1, 9 * MWH), st.integers(1, LARGEST)))
        basis = draw(st.sampled_from([None, "regional_technology_profile", "metered_hourly"]))
        rows.append(
            {
                "certificate_id": f"parent {number}",
                "profile": name,
                "energy_wh": energy,
                "start": seconds[first],
                "end": seconds[last] + step,
                "allocation_basis": basis,
            }
        )
    return certificates_of(*rows), profiles
