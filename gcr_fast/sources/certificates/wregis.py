"""Lists of North American tracking systems: WREGIS, M-RETS, PJM-GATS and those that are laid out like them."""

from __future__ import annotations

from gcr_fast.sources.certificates.layout import Format, Layout
from gcr_fast.sources.certificates.sheet import find_header
from gcr_fast.sources.files import File

LAYOUT = Layout(
    fields={
        "first": (
            "Certificate Serial Numbers", "Certificate Serial Number", "WREGIS Certificate Serial Numbers",
            "WREGIS Certificate Serial Number", "Serial Numbers", "Serial Number", "Serial Number Range",
            "Certificate Serial Number Range", "REC Serial Numbers", "REC Serial Number", "Serial Number Start",
            "Start Serial Number", "Starting Serial Number", "Serial Start", "Serial Number From",
            "Certificate Serial Number Start", "Begin Serial Number", "Beginning Serial Number",
        ),
        "last": (
            "Serial Number End", "End Serial Number", "Ending Serial Number", "Serial End", "Serial Number To",
            "Certificate Serial Number End",
        ),
        "energy": ("Quantity", "Certificate Quantity", "Quantity of RECs", "MWh", "RECs", "REC Quantity", "Total MWh"),
        "count": ("Number of Certificates", "# of Certificates", "Certificates", "No. of RECs", "Number of RECs"),
        "period": (
            "Vintage", "Vintage Month/Year", "Vintage Month Year", "Generation Month/Year", "Month/Year of Generation",
            "Generation Period", "Vintage Date", "Month of Generation", "Generation Date", "Vintage MM/YYYY",
        ),
        "month": ("Vintage Month", "Generation Month", "Month"),
        "year": ("Vintage Year", "Generation Year", "Year"),
        "start": ("Vintage Start Date", "Vintage Start", "Generation Start Date", "Vintage From"),
        "end": ("Vintage End Date", "Vintage End", "Generation End Date", "Vintage To"),
        "device_id": (
            "WREGIS GU ID", "WREGIS GU", "GU ID", "Generator ID", "Generating Unit ID", "M-RETS ID", "MRETS ID",
            "GATS Unit ID", "Unit ID", "Facility ID", "Generator Registry ID", "NAR ID", "Project ID", "Plant-Unit ID",
        ),
        "device": (
            "Generator", "Generator Name", "Facility Name", "Generating Unit", "Plant Name", "Unit Name",
            "Generator Plant-Unit Name", "Project Name", "Facility",
        ),
        "energy_source": (
            "Fuel Type", "Fuel", "Fuel Source", "Primary Fuel", "Primary Fuel Type", "Fuel/Project Type",
            "Resource Type", "Resource", "Generator Fuel Type",
        ),
        "technology": ("Technology", "Technology Type", "Generation Technology"),
        "capacity": ("Nameplate Capacity", "Capacity", "Nameplate"),
        "country": ("Country", "Generator Country"),
        "issuer": ("Tracking System", "Registry", "Issued By", "Registry Name"),
        "owner": ("Account Holder", "Account Holder Name", "Organization", "Owner"),
        "status": ("Status", "Certificate Status", "REC Status", "Disposition", "Sub-Account Type", "Account Type"),
        "cancelled_on": ("Retirement Date", "Retired On", "Date Retired", "Date of Retirement", "Retired Date"),
        "reason": ("Retirement Reason", "Retirement Type", "Reason", "Reason for Retirement", "Retirement Purpose"),
        "beneficiary": (
            "Retired On Behalf Of", "On Behalf Of", "Beneficiary", "Retirement Beneficiary", "Beneficial Owner",
            "Retired For", "Retirement Beneficiary Name",
        ),
    },
    needed=(
        frozenset({"first"}),
        frozenset({"energy", "count"}),
        frozenset({"period", "year", "start"}),
        frozenset({"period", "year", "end"}),
        frozenset({"device_id", "device"}),
        frozenset({"energy_source", "technology"}),
        frozenset({"status", "cancelled_on", "reason", "beneficiary"}),
    ),
    order="month",
    decimal=".",
    capacity_digits=6,
)  # fmt: skip


def detect(file: File) -> bool:
    """Whether it has serial numbers, a vintage, a generator and a fuel."""
    return file.kind == "csv" and find_header(file, LAYOUT) is not None


FORMAT = Format(
    name="wregis",
    title="WREGIS, M-RETS, PJM-GATS and tracking systems like them",
    looks_like="serial numbers (12345-OR-234567-1 to 100), vintage, generator, fuel type, quantity, status",
    quirks=(
        "a range stands in one cell, `...-1 to 100`: the end does not repeat the prefix, and is inclusive",
        "a vintage is a month, in one cell or two; days are month first",
        "no list names its time zone: give it with --zone",
        "a list with a date or reason of retirement and no status is a list of retirements",
    ),
    layout=LAYOUT,
    detect=detect,
)
