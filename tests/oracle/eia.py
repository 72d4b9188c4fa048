"""Answers of EIA's API in pages, written from plain lists."""

import json
from datetime import datetime, timedelta


def page(rows, total, offset, start):
    """Return the text of one page of an answer that has `total` rows."""
    params = {"frequency": "hourly", "data": ["value"], "start": start, "offset": offset, "length": len(rows)}
    request = {"command": "/v2/electricity/rto/fuel-type-data/data/", "params": params}
    answer = {"total": str(total), "dateFormat": 'YYYY-MM-DD"T"HH24', "frequency": "hourly", "data": rows}
    return json.dumps({"response": answer, "request": request, "apiVersion": "2.1.7"})


def fuel_pages(area, start, values, size):
    """Return pages of at most `size` rows: a fuel's MWh hour by hour, hours ending, by code of the fuel."""
    first = datetime.fromisoformat(start)
    rows = [
        {
            "period": f"{first + timedelta(hours=hour + 1):%Y-%m-%dT%H}",
            "respondent": area,
            "fueltype": code,
            "value": str(mwh),
            "value-units": "megawatthours",
        }
        for hour in range(max(map(len, values.values())))
        for code, some in values.items()
        for mwh in some[hour : hour + 1]
    ]
    return [page(rows[at : at + size], len(rows), at, start) for at in range(0, len(rows), size)]
