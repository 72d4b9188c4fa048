"""Small lists of every format, made row by row: a test changes the cells that it is about."""

import calendar
import csv
import io

REGO_HEADER = (
    "Accreditation No.", "Generating Station / Agent Group", "Station TIC", "Scheme", "Country", "Technology Group",
    "Generation Type", "Output Period", "No. Of Certificates", "Start Certificate No.", "End Certificate No.",
    "MWh Per Certificate", "Issue Date", "Certificate Status", "Status Date", "Current Holder Organisation Name",
    "Company Registration Number",
)  # fmt: skip
PREAMBLE = "Textbox4,Textbox5\nCertificates by period,Ofgem\n\n"

AIB_HEADER = (
    "Issuing Country", "Certificate Number From", "Certificate Number To", "Volume (MWh)", "Energy Source",
    "Technology", "Production Period From", "Production Period To", "Production Device GSRN", "Plant Name", "Status",
    "Beneficiary", "Consumption Period",
)  # fmt: skip
WREGIS_HEADER = (
    "WREGIS GU ID", "Generator", "Fuel Type", "Vintage", "Certificate Serial Numbers", "Quantity", "Status",
    "Retirement Reason", "Retired On Behalf Of",
)  # fmt: skip
IREC_HEADER = (
    "Device Code", "Device Name", "Country of Origin", "Energy Source", "Technology", "Period Start", "Period End",
    "From Certificate ID", "To Certificate ID", "Number of Certificates",
)  # fmt: skip


def text(header, rows, delimiter=",", line_end="\n"):
    """Return delimited text; `header` may be None."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=line_end)
    writer.writerows([*([header] if header else []), *rows])
    return out.getvalue()


def rego_row(month=1, count=1000, first=0, status="Redeemed", station="G09001FWSC", year=2023, days=None, **changes):
    """A row of the REGO report; `days` are the two within its numbers, `changes` are cells by field."""
    length = calendar.monthrange(year, month)[1]
    stamp = (days or f"01{month:02d}{year % 100}{length}{month:02d}{year % 100}") + "GEN"
    cells = {
        "station": station, "name": "Example Wind", "tic": "90000.0", "scheme": "REGO", "country": "Scotland",
        "technology": "On-shore Wind", "type": "", "period": f"{calendar.month_abbr[month]}-{year}",
        "stated": str(count),
        "start": f"{station}{first:010d}{stamp}", "end": f"{station}{first + count - 1:010d}{stamp}",
        "each": "1.0", "issued": "05/05/2023", "status": status, "date": "01/07/2023", "holder": "Example Supply Ltd",
        "company": "",
    }  # fmt: skip
    return list((cells | changes).values())


def rego(*rows, header=True, preamble=""):
    """A REGO report."""
    return preamble + text(REGO_HEADER if header else None, rows)


def aib_row(first=1, count=100, status="Cancelled", prefix="643002406801", **changes):
    """A row in the terms of the AIB: 30-digit numbers, one month of a Norwegian hydro plant."""
    cells = {
        "country": "NO", "low": f"{prefix}{first:018d}", "high": f"{prefix}{first + count - 1:018d}",
        "volume": str(count), "source": "F01050200", "technology": "T030100", "start": "01.03.2023",
        "end": "31.03.2023", "gsrn": "571313001234567891", "plant": "Foss", "status": status,
        "beneficiary": "Nordic Paper AS", "consumption": "2023",
    }  # fmt: skip
    return list((cells | changes).values())


def wregis_row(first=1, count=100, status="Retired", prefix="12345-OR-234567-", **changes):
    """A row of a North American tracking system."""
    cells = {
        "unit": "W1234", "name": "Windy Ridge", "fuel": "Wind", "vintage": "03/2023",
        "serials": f"{prefix}{first} to {first + count - 1}", "quantity": str(count), "status": status,
        "reason": "Voluntary", "beneficiary": "Example Corp",
    }  # fmt: skip
    return list((cells | changes).values())


def irec_number(mwh, last=False):
    """The number of the first (or last) Wh of a MWh."""
    digits = f"{mwh:016d}"
    return "-".join(digits[at : at + 4] for at in range(0, 16, 4)) + (".999999" if last else ".000000")


def irec_row(first=1_582_837_7532, count=88, **changes):
    """A row of a redemption statement."""
    cells = {
        "code": "BRHYD001", "name": "Rio Claro", "country": "India", "source": "Solar", "technology": "Photovoltaic",
        "start": "2023-03-01", "end": "2023-03-31", "first": irec_number(first),
        "last": irec_number(first + count - 1, last=True), "count": f"{count}.000000",
    }  # fmt: skip
    return list((cells | changes).values())


def irec(*rows, facts=(("Beneficiary", "Example Works"), ("Redemption Purpose", "Voluntary disclosure"))):
    """A redemption statement: facts, a blank line, the table."""
    return text(None, [["Redemption Statement"], *map(list, facts)]) + "\n" + text(IREC_HEADER, rows)
