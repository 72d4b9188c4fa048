"""A registry and its slow twin that have lived the same life: what questions of every kind are compared on."""

from copy import deepcopy

from oracle import conversion
from oracle import registry as oracle
from oracle.conversion import DAY, HOUR, START, annual_table, certificates_of, profile_table, series

import gcr_fast as gcr

NOW = START + 60 * DAY
LATE = START + 31 * DAY - 5 * HOUR
"""Near the end of January: hours of two months and, with the others, many days."""

ROWS = (
    {"certificate_id": "SUN/1", "owner": "Ann", "source_type": "solar", "device_id": "roof", "country": "ES",
     "energy_wh": 40_000, "profile": "s"},
    {"certificate_id": "WIND-2", "owner": "Bob", "source_type": "wind_onshore", "device_id": "mill", "country": "FR",
     "energy_wh": 90_001, "profile": "w", "allocation_basis": "facility_profile"},
    {"certificate_id": "SEA-3", "owner": "Ann", "source_type": "wind_offshore", "country": "FR", "energy_wh": 777,
     "profile": "w"},
    {"certificate_id": "RIVER", "owner": "Cid", "source_type": "hydro", "device_id": "dam", "energy_wh": 12_345,
     "profile": "quarters", "step": 900, "start": LATE, "end": LATE + 10 * HOUR},
    {"certificate_id": "USED", "owner": "Dot", "source_type": "nuclear", "country": "FR", "energy_wh": 5_000,
     "purpose": "end_use", "beneficiary": "Dot", "profile": "w"},
    {"certificate_id": "DARK", "owner": "Bob", "source_type": "solar", "country": "ES", "energy_wh": 3_000,
     "purpose": None, "profile": "s"},
    {"certificate_id": "UNSEEN", "owner": "Cid", "source_type": "solar", "device_id": "roof", "country": "PT",
     "energy_wh": 50_000, "profile": "late", "start": LATE, "end": LATE + DAY, "allocation_basis": "facility_profile"},
)  # fmt: skip
"""Annual certificates of every kind; nothing ever happens to the last."""
PROFILES = {
    "s": series([0] * 6 + [1, 3, 5, 7, 9, 9, 7, 5, 3, 1] + [0] * 8),
    "w": series([5, 1, 0, 9] * 6),
    "quarters": series([2, 0, 1, 4, 4] * 8, LATE, 900),
    "late": series([0, 3, 8] * 8, LATE),
}
CHANGES = (
    ("trade", {"parent": "WIND-2", "end": START + 9 * HOUR},
     {"seller": "Bob", "buyer": "Ann", "price": 4500, "currency": "EUR"}),
    ("trade", {"parent": "SUN/1"}, {"seller": "Ann", "buyer": "Cid", "wh": 11_111, "order": "proportional"}),
    ("trade", {"owner": "Cid", "parent": "SUN/1"}, {"seller": "Cid", "buyer": "Dot", "wh": 5_000}),
    ("reserve", {"parent": "SEA-3", "end": START + 12 * HOUR}, {"seller": "Ann"}),
    ("lock", {"parent": "SEA-3", "start": START + 3 * HOUR, "end": START + 20 * HOUR}, {}),
    ("unlock", {"parent": "SEA-3", "start": START + 10 * HOUR, "end": START + 15 * HOUR, "status": "LOCKED"}, {}),
    ("retire", {"parent": "WIND-2", "owner": "Ann"}, {"seller": "Ann", "wh": 7_001}),
    ("claim", {"parent": "WIND-2", "status": "RETIRED"}, {"seller": "Ann", "reference": "meter"}),
    ("unlock", {"parent": "DARK", "hour_of_day": [8, 9, 10]}, {}),
    ("trade", {"parent": "RIVER", "min_wh": 300}, {"seller": "Cid", "buyer": "Bob", "price": 0, "currency": "EUR"}),
    ("expire", {"parent": "DARK", "status": "ACTIVE"}, {"months": 1}),
    ("withdraw", {"parent": "USED", "at": START + 7 * HOUR}, {"compensation": "made good"}),
    ("trade", {"owner": "Dot", "status": "ACTIVE"}, {"seller": "Dot", "buyer": "Ann", "wh": 100}),
)  # fmt: skip


def lived(folder):
    """Return the registry, its twin, and copies of the twin as it was after each entry, {entry: twin}."""
    twin = oracle.Registry(now=NOW)
    real = gcr.Registry.create(folder, clock=lambda: NOW)
    pasts = {real.position: deepcopy(twin)}
    rows = certificates_of(*({"allocation_basis": "regional_technology_profile", "step": HOUR, **row} for row in ROWS))
    shapes = gcr.profiles_from(profile_table(PROFILES), keep_intervals=True)
    real.issue(annual_table(*rows), shapes, create_parties=True)
    hours, _ = conversion.convert(rows, PROFILES)
    facts = {row["certificate_id"]: {**dict.fromkeys(("device_id", "country")), **row} for row in rows}
    twin.issue({name: facts[name] for name in real.state.catalogue.ids.to_pylist()}, hours)
    pasts[real.position] = deepcopy(twin)
    for action, where, how in CHANGES:
        twin.change(action, where, **how)
        changed(real, action, where, **how)
        pasts[real.position] = deepcopy(twin)
    return real, twin, pasts


def changed(real, action, where, **how):
    """Do to the real registry what the twin's `change` does."""
    seller, price = how.pop("seller", None), how.pop("price", None)
    if action == "expire":
        return real.expire(None, where, **how)
    if seller is not None:
        how["seller" if action == "trade" else "owner"] = seller
    if price is not None:
        how["price"] = f"{price // 100}.{price % 100:02}"
    extra = {"retire": {"beneficiary": "someone"}, "lock": {"reason": "x"}, "unlock": {"reason": "x"}}
    extra["withdraw"] = {"reason": "x"}
    return getattr(real, action)(where, **how, **extra.get(action, {}))


def names(result):
    """The ids that a result has, in its order."""
    return result.to_table(certificate_ids=True)["certificate_id"].to_pylist()
