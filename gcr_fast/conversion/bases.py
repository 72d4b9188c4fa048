"""The allocation basis of a certificate: what follows from its profile, and what its profile contradicts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gcr_fast.codes import METERED_BASES

REGIONAL, FACILITY, METERED, FLAT = "regional_technology_profile", "facility_profile", "metered_hourly", "flat"


class Used(NamedTuple):
    """The profile that spreads a certificate, as far as its basis depends on it."""

    name: str
    is_energy: bool
    is_own: bool
    """Whether it bears the certificate's device id."""
    is_drawn: bool
    """Whether it is a named distribution, which no meter measured."""
    values: np.ndarray
    """int64[n]: the intervals of the period."""


def following(used: Used | None) -> str:
    """Return the basis of a certificate that states none.

    Energy of the certificate's own device is its meter, of which no Wh is issued twice; all else is a shape.
    """
    if used is None or not (used.is_drawn or used.is_own):
        return REGIONAL
    if used.is_drawn:
        return FLAT
    return METERED if used.is_energy else FACILITY


def contradiction(basis: str, used: Used) -> tuple[str, str, str] | None:
    """Return code, message and hint if a profile is not what a certificate states as its basis; None if it may be."""
    if basis in METERED_BASES:
        return None if used.is_energy else _no_energy(basis, used)
    if used.is_drawn:
        return None if basis == FLAT else _drawn(basis, used)
    if basis == FLAT and not _is_even(used.values):
        return _uneven(used)
    return _own(used) if basis == REGIONAL and used.is_own else None


def _is_even(values: np.ndarray) -> bool:
    """Whether intervals are alike; energy that was spread evenly differs by a Wh."""
    return int(values.max()) - int(values.min()) <= 1


def _no_energy(basis: str, used: Used) -> tuple[str, str, str]:
    return "meter_without_energy", f"basis {basis} needs energy; profile {used.name} is a shape without unit", ""


def _drawn(basis: str, used: Used) -> tuple[str, str, str]:
    what = f"states the basis {basis}, but its profile is {used.name}, which no meter measured"
    return "contradictory_basis", what, "state flat or nothing; or name a measured profile"


def _uneven(used: Used) -> tuple[str, str, str]:
    low, high, unit = int(used.values.min()), int(used.values.max()), " Wh" if used.is_energy else ""
    what = f"states the basis {FLAT}, but profile {used.name} has {low:,} to {high:,}{unit} an interval"
    return "contradictory_basis", what, "leave the basis empty or state what the profile is; or name the profile flat"


def _own(used: Used) -> tuple[str, str, str]:
    what = f"states the basis {REGIONAL}, but profile {used.name} bears its own device's id"
    hint = f"leave the basis empty, as energy of its own device is its meter; state {FACILITY} if it is but a shape"
    return "contradictory_basis", what, hint
