"""Lists of guarantees of origin in the terms of the AIB's members: holdings, transactions, cancellation statements."""

from __future__ import annotations

from gcr_fast.sources.certificates.layout import Format, Layout
from gcr_fast.sources.certificates.serials import has_irec_numbers
from gcr_fast.sources.certificates.sheet import find_header
from gcr_fast.sources.files import File

LAYOUT = Layout(
    fields={
        "first": (
            "Certificate Number From", "From Certificate Number", "Certificate From", "First Certificate Number",
            "First Certificate", "First Certificate No", "Start Certificate Number", "Certificate Number Start",
            "Certificate Number (From)", "GO Number From", "GO From", "Serial Number From", "EECS Number From",
            "Certificate ID From", "Certificate Start", "From", "Zertifikatsnummer von", "Nachweisnummer von",
        ),
        "last": (
            "Certificate Number To", "To Certificate Number", "Certificate To", "Last Certificate Number",
            "Last Certificate", "Last Certificate No", "End Certificate Number", "Certificate Number End",
            "Certificate Number (To)", "GO Number To", "GO To", "Serial Number To", "EECS Number To",
            "Certificate ID To", "Certificate End", "To", "Zertifikatsnummer bis", "Nachweisnummer bis",
        ),
        "energy": (
            "Volume", "Certificate Volume", "Cancelled Volume", "Quantity", "Amount", "Energy", "Menge",
            "Number of MWh", "Volume in MWh",
        ),
        "count": ("Number of Certificates", "Certificates", "No of Certificates", "Certificate Count", "Anzahl"),
        "energy_source": (
            "Energy Source", "Energy Source Code", "Energy Source Type", "Energy Input", "Energy Input Code", "Source",
            "Fuel", "Fuel Code", "Fuel Type", "Energietraeger", "Energieträger",
        ),
        "technology": (
            "Technology", "Technology Code", "Technology Type", "Type of Technology", "Type of Installation",
            "Type of Plant", "Technologie",
        ),
        "start": (
            "Production Period From", "Production From", "Production Start", "Production Period Start",
            "Production Start Date", "Start of Production", "Start of Production Period", "Production Begin",
            "Period From", "Produktion von", "Production Period (From)",
        ),
        "end": (
            "Production Period To", "Production To", "Production End", "Production Period End", "Production End Date",
            "End of Production", "End of Production Period", "Period To", "Produktion bis", "Production Period (To)",
        ),
        "period": ("Production Period", "Period of Production", "Production Month", "Produktionszeitraum"),
        "device_id": (
            "Production Device GSRN", "GSRN", "Production Device ID", "Production Device Number", "Device GSRN",
            "Production Device", "Plant GSRN", "Plant ID", "Device ID", "EIC", "EIC Code", "GSRN Number",
            "Power Plant ID", "Production Device Identifier",
        ),
        "device": (
            "Plant Name", "Production Device Name", "Name of Production Device", "Power Plant", "Plant",
            "Power Plant Name", "Device Name", "Name of Plant", "Anlagenname",
        ),
        "capacity": ("Installed Capacity", "Capacity", "Nominal Capacity", "Plant Capacity", "Leistung"),
        "country": (
            "Country of Production", "Production Country", "Country", "Issuing Country", "Country of Issue",
            "Country of Issuing", "Issuing Domain", "Domain", "Device Country", "Land",
        ),
        "issuer": ("Issuing Body", "Issuer", "Issuing Body Name", "Name of Issuing Body", "Competent Body"),
        "owner": ("Account Holder", "Account", "Account Name", "Holder", "Owner", "Kontoinhaber"),
        "status": ("Status", "Certificate Status", "State", "Status des Nachweises"),
        "transaction": ("Transaction Type", "Type of Transaction", "Transaction", "Transaktionstyp"),
        "cancelled_on": (
            "Cancellation Date", "Date of Cancellation", "Cancelled On", "Entwertungsdatum",
        ),
        "reason": ("Cancellation Purpose", "Purpose", "Usage Type", "Type of Usage", "Cancellation Type", "Usage"),
        "beneficiary": (
            "Beneficiary", "Beneficiary Name", "Name of Beneficiary", "End Consumer", "Final Customer",
            "Usage Beneficiary", "Consumer", "Beguenstigter", "Begünstigter",
        ),
        "consumption": ("Consumption Period", "Period of Consumption", "Consumption Year"),
    },
    needed=(
        frozenset({"first"}),
        frozenset({"last"}),
        frozenset({"energy", "count"}),
        frozenset({"energy_source", "technology"}),
        frozenset({"start", "period"}),
        frozenset({"end", "period"}),
        frozenset({"status", "transaction", "cancelled_on", "reason", "beneficiary"}),
    ),
    order="day",
    capacity_digits=3,
)  # fmt: skip


def detect(file: File) -> bool:
    """Whether it has ranges of certificates with an energy source, a production period and what became of them."""
    return file.kind == "csv" and not has_irec_numbers(file.head_text) and find_header(file, LAYOUT) is not None


FORMAT = Format(
    name="aib",
    title="Guarantees of origin in the terms of the AIB's registries",
    looks_like="certificate number from and to, volume, energy source or technology, production period, status",
    quirks=(
        "certificate numbers have 30 digits: the last 18 are the number, what stands before them its prefix",
        "energy source F and 8 digits, technology T and 6: both must agree; an unknown leaf is a warning",
        "columns are known under many names; cells are set apart by , or ; and decimals by either mark",
        "in a list of transactions only cancellations count: a certificate may be issued and transferred above",
        "production days are local to the country of production, both inclusive",
        "check digits of GSRN and EIC are recomputed",
    ),
    layout=LAYOUT,
    detect=detect,
)
