"""The GC registry's words for states and sources, and the columns of its bundle file that anybody may fill."""

from __future__ import annotations

import re

from gcr_fast.codes import STATUSES

NAME = "gc-registry"
PIECE = re.compile(r"/[0-9]+-[0-9]+$")
"""What follows the id of a certificate in that of a piece of it, and an issuance in that of one of its bundles."""

STATUS_OF = {
    "ACTIVE": "Active",
    "RESERVED": "Reserved",
    "LOCKED": "Locked",
    "RETIRED": "Cancelled",
    "CLAIMED": "Claimed",
    "EXPIRED": "Expired",
    "WITHDRAWN": "Withdrawn",
    "SPLIT": "Bundle Split",
    "TRADED": "Active",
}
"""Our states in that registry's words."""
TAKEN_AS = STATUS_OF["ACTIVE"]
"""As which its import takes every bundle, whatever the file says."""

SOURCE_OF = {
    "solar": "solar_pv",
    "wind": "wind",
    "wind_onshore": "wind",
    "wind_offshore": "wind",
    "hydro": "hydro",
    "hydro_run_of_river": "hydro",
    "hydro_reservoir": "hydro",
    "geothermal": "geothermal",
    "biomass": "biomass",
    "nuclear": "nuclear",
    "storage_discharge": "battery_storage",
}
"""Our source types in that registry's words; every other one is `other`."""

SOURCE_BACK = {"solar_pv": "solar", "battery_storage": "storage_discharge"} | {
    name: name for name in ("wind", "hydro", "geothermal", "biomass", "nuclear", "other")
}
STATUS_BACK = {STATUS_OF[ours].lower(): ours for ours in STATUSES}
FREE = (
    "emissions_factor_production_device", "emissions_factor_source", "local_timezone", "storage_efficiency_factor",
    "country_of_issuance", "connected_grid_identification", "issuing_body", "legal_status", "issuance_purpose",
    "support_received", "quality_scheme_reference", "dissemination_level", "issue_market_zone",
)  # fmt: skip
"""Columns that say something about all certificates of a file; the caller may fill them."""

ASKED_FOR = ("country_of_issuance", "connected_grid_identification", "issuing_body", "issue_market_zone")
"""Of these the ones that the registry's import does without in no row."""
