"""Redemption statements and lists of the I-REC registry."""

from __future__ import annotations

from gcr_fast.sources.certificates.layout import Format, Layout
from gcr_fast.sources.certificates.serials import IREC, has_irec_numbers
from gcr_fast.sources.certificates.sheet import find_header
from gcr_fast.sources.files import File

LAYOUT = Layout(
    fields={
        "first": (
            "From Certificate ID", "From Certificate", "Certificate ID From", "From I-REC ID", "First Certificate ID",
            "Start Certificate ID", "From ID", "Certificate From",
        ),
        "last": (
            "To Certificate ID", "To Certificate", "Certificate ID To", "To I-REC ID", "Last Certificate ID",
            "End Certificate ID", "To ID", "Certificate To",
        ),
        "energy": (
            "Number of Certificates", "Redeemed Volume", "Redeemed Certificates", "I-RECs", "Volume",
            "Number of I-RECs", "I-RECs Redeemed", "MWh", "Quantity", "Redeemed",
        ),
        "device_id": ("Device Code", "Production Device Code", "Device ID", "Production Device ID"),
        "device": ("Device Name", "Production Device", "Device", "Production Device Name"),
        "country": ("Country of Origin", "Country of Production", "Country", "Device Country"),
        "energy_source": ("Energy Source", "Fuel", "Fuel Type", "Energy Sources"),
        "technology": ("Technology", "Technology Type"),
        "start": ("Period Start", "Production Start", "Period of Production Start", "Start of Production"),
        "end": ("Period End", "Production End", "Period of Production End", "End of Production"),
        "period": ("Period of Production", "Production Period", "Vintage", "Production Month"),
        "capacity": ("Capacity", "Device Capacity"),
        "issuer": ("Issuer", "Issuing Body"),
        "owner": ("Account Holder", "Redemption Account", "Participant", "Redeemed By", "Redeeming Participant"),
        "beneficiary": (
            "Beneficiary", "Beneficiary Name", "Redeemed For", "Redemption Beneficiary", "Redeemed on Behalf Of",
        ),
        "reason": ("Redemption Purpose", "Purpose", "Reporting Purpose"),
        "cancelled_on": ("Redemption Date", "Date of Redemption", "Redeemed On"),
        "consumption": ("Reporting Period", "Consumption Period", "Reporting Year"),
        "status": ("Status", "Certificate Status"),
    },
    needed=(
        frozenset({"first"}),
        frozenset({"last"}),
        frozenset({"energy"}),
        frozenset({"device_id", "device"}),
        frozenset({"start", "period"}),
        frozenset({"end", "period"}),
    ),
    order="day",
    serial=IREC,
    wh_each=1,
    decimal=".",
    capacity_digits=6,
    constants={"issuer": "I-REC"},
)  # fmt: skip


def detect(file: File) -> bool:
    """Whether it has ranges of I-REC certificate numbers by device."""
    return file.kind == "csv" and has_irec_numbers(file.head_text) and find_header(file, LAYOUT) is not None


FORMAT = Format(
    name="irec",
    title="I-REC redemption statements",
    looks_like="from and to certificate id (0000-0158-2837-7532.000000), device, period, number of certificates",
    quirks=(
        "a certificate number has six decimals: each is a Wh, and a range from .000000 to .999999 is a whole MWh",
        "the beneficiary and the purpose may stand above the table, once for all its rows",
        "a row without a status is redeemed if a beneficiary, a purpose or a date of redemption is named",
        "months are local to the country of the device, which may need --zone",
    ),
    layout=LAYOUT,
    detect=detect,
)
