"""Ofgem's certificate report of REGOs (Renewable Energy Guarantees of Origin of Great Britain and Northern Ireland).

Exports of the public register begin with lines of the report's text boxes, or with none, and may lack the header.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache

from gcr_fast.sources.certificates.layout import Format, Layout
from gcr_fast.sources.certificates.periods import Span
from gcr_fast.sources.certificates.sheet import find_header, without_header
from gcr_fast.sources.files import File

NUMBER = re.compile(r"^(?P<prefix>[GR][0-9]{5}[A-Z0-9]{4})(?P<number>[0-9]{10})(?P<suffix>[0-9]{12}[A-Z]{3})$")
"""G01177FWEN 0000251285 010323310323GEN: accreditation, running number, first and last day, kind of output."""

COLUMNS = (
    "device_id", "device", "capacity", "", "country", "technology", "", "period", "count", "first", "last", "mwh_each",
    "", "status", "", "beneficiary", "",
)  # fmt: skip
"""Fields of the 17 columns, in the order of the report. The holder of a redeemed certificate is whom it serves."""


@lru_cache(maxsize=1 << 12)
def output_period(suffix: str) -> Span | None:
    """Return the days that stand behind a number: `010323310323GEN` is March 2023; None if they are no days."""
    first, last = suffix[:6], suffix[6:12]
    try:
        return Span(*(datetime.strptime(day, "%d%m%y").date() for day in (first, last)))
    except ValueError:
        return None


LAYOUT = Layout(
    fields={
        "device_id": ("Accreditation No.", "Accreditation Number", "AccreditationNumber", "GeneratorID"),
        "device": ("Generating Station / Agent Group", "Generating Station", "Station Name", "GeneratorName"),
        "capacity": ("Station TIC", "Capacity (kW)", "TIC", "Station Capacity", "TIC (kW)", "StationTIC"),
        "country": ("Country",),
        "technology": ("Technology Group", "TechnologyGroup", "Technology"),
        "period": ("Output Period", "OutputPeriod"),
        "count": ("No. Of Certificates", "Number of Certificates", "No of Certificates", "NoOfCertificates"),
        "first": ("Start Certificate No.", "Start Cert No.", "Start Certificate Number", "StartCertificateNo"),
        "last": ("End Certificate No.", "End Cert No.", "End Certificate Number", "EndCertificateNo"),
        "mwh_each": ("MWh Per Certificate", "MWhPerCertificate", "MWh / Certificate"),
        "status": ("Certificate Status", "Status", "CertificateStatus"),
        "beneficiary": ("Current Holder Organisation Name", "Current Holder", "CurrentHolderOrganisationName"),
    },
    needed=tuple(frozenset({name}) for name in ("device_id", "period", "count", "first", "last", "mwh_each", "status")),
    names=COLUMNS,
    order="day",
    zone="Europe/London",
    april_years=True,
    serial=NUMBER,
    dated=output_period,
    decimal=".",
    constants={"issuer": "Ofgem"},
)


def detect(file: File) -> bool:
    """Whether its header, or the first rows of 17 cells, are the report's."""
    return file.kind == "csv" and (find_header(file, LAYOUT) or without_header(file, LAYOUT)) is not None


FORMAT = Format(
    name="rego",
    title="Ofgem, certificate report of REGOs",
    looks_like='17 columns from "Accreditation No." to "Company Registration Number", or their rows without a header',
    quirks=(
        "lines of text boxes stand above the header, or above the first row: they are passed over",
        "a period is `Mar-2023`, two inclusive days, or `2022 - 2023`, which is April to March; days are London's",
        "the number stands within the certificate number and counts from 0; a range includes both ends",
        "the days behind that number must be those of the output period",
        "energy is certificates x MWh per certificate, and the range must hold as many certificates as stated",
        "the current holder of a redeemed or retired certificate is its beneficiary",
    ),
    layout=LAYOUT,
    detect=detect,
)
