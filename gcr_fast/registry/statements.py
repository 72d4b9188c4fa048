"""The statement of a retirement: what was used, by whom, for whom, and the evidence; as data, as a page, as text."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from gcr_fast import trading
from gcr_fast.codes import BASES, SOURCE_TYPES, STATUSES
from gcr_fast.errors import UsageError
from gcr_fast.periods import utc_text
from gcr_fast.registry.lookups import handles_of, rows_at
from gcr_fast.registry.state import State
from gcr_fast.registry.stored import VISIBLE
from gcr_fast.units import mwh_text

if TYPE_CHECKING:
    from gcr_fast.registry.keeper import Keeper
    from gcr_fast.registry.rows import Rows

FORMAT = "gcr-retirement-1"
UNNAMED = "not stated"
LISTED_PARENTS, LISTED_KEYS = 40, 24
"""Page and text name so many annual certificates, and lines of a sum; the data has all of them."""
BY = {
    "source": "Source", "country": "Country", "month": "Month of production", "basis": "Hourly shape from",
    "device": "Device",
}  # fmt: skip
"""What it is summed by, with its heading."""


def statement(registry: Keeper, entry: int) -> dict[str, Any]:
    """Return the statement of retirement `entry`, as JSON can hold it. Energy in Wh, times in UTC.

    Says what was withdrawn since, under `status_now`. Raises `UsageError` if the entry is no retirement.
    """
    record = trading.record_of(registry, entry)
    done = record.entry
    if done.kind != "retire":
        raise UsageError(f"entry {entry} is a {done.kind}, not a retirement")
    state, texts = registry.state, dict(done.texts)
    rows = rows_at(state, handles_of(state, done))
    return {
        "format": FORMAT,
        "registry": {name: registry.info.get(key, "") for name, key in (("id", "registry_id"), ("name", "name"))},
        "number": record.seq,
        "date": utc_text(done.at_s),
        "beneficiary": texts.get("beneficiary", ""),
        "purpose": texts.get("purpose", ""),
        "period": texts.get("period", ""),
        "owner": state.catalogue.party(done.from_party),
        "actor": done.actor,
        "certificates": done.certificates,
        "energy_wh": done.energy_wh,
        "production_start": utc_text(int(rows.start_ms.min()) // 1000),
        "production_end": utc_text(_end_s(state, rows)),
        **{f"by_{name}": _sums(_keys(state, rows, name), rows.energy_wh) for name in BY},
        "status_now": _sums(_keys(state, rows, "status"), rows.energy_wh),
        "parents": _parents(state, rows),
        "issues": _issues(state, rows),
        "journal_hash": record.hash.hex(),
    }


def _end_s(state: State, rows: Rows) -> int:
    last = int(np.argmax(rows.start_ms))
    return int(rows.start_ms[last]) // 1000 + int(state.catalogue.numbers["step_s"][rows.parents[last]])


def _keys(state: State, rows: Rows, name: str) -> tuple[np.ndarray, list[str]]:
    """Return what each certificate is summed by: codes int64[n], and the word of each code."""
    catalogue = state.catalogue
    if name == "status":
        return VISIBLE[rows.states].astype(np.int64), list(STATUSES)
    if name == "month":
        months = rows.start_ms.astype("datetime64[ms]").astype("datetime64[M]").astype(np.int64)
        low, high = int(months.min()), int(months.max())
        return months - low, [str(np.datetime64(month, "M")) for month in range(low, high + 1)]
    vocabularies = {
        "source": SOURCE_TYPES, "basis": BASES, "country": catalogue.countries.words,
        "device": catalogue.devices.words,
    }  # fmt: skip
    codes, words = catalogue.numbers[name][rows.parents], vocabularies[name]
    return np.where(codes < 0, len(words), codes), [*words, UNNAMED]


def _sums(keys: tuple[np.ndarray, list[str]], energy: np.ndarray) -> dict[str, dict[str, int]]:
    """Return certificates and Wh by key, in order of the keys."""
    codes, words = keys
    found: dict[str, dict[str, int]] = {}
    for word, count, wh in zip(words, *_tally(codes, energy), strict=False):
        if count:  # two keys may be written alike: a device may be called "not stated"
            have = found.setdefault(word, {"certificates": 0, "energy_wh": 0})
            have["certificates"], have["energy_wh"] = have["certificates"] + count, have["energy_wh"] + wh
    return dict(sorted(found.items()))


def _tally(place: np.ndarray, energy: np.ndarray) -> tuple[list[int], list[int]]:
    """Return how many certificates and how much Wh stand at each place, 0 to the last."""
    counts = np.bincount(place)
    sums = np.zeros(len(counts), dtype=np.int64)
    np.add.at(sums, place, energy)
    return counts.tolist(), sums.tolist()


def _parents(state: State, rows: Rows) -> list[dict[str, Any]]:
    """Return the annual certificates behind it: who issued them, under which serial numbers, and how much of each."""
    places, at = np.unique(rows.parents, return_inverse=True)
    names = ("issuer", "country", "source_type", "device_id", "serial_prefix", "serial_start", "serial_end")
    parents = []
    for place, count, wh in zip(places.tolist(), *_tally(at, rows.energy_wh), strict=True):
        facts = state.catalogue.describe(place)
        parents.append(
            {"certificate_id": facts["certificate_id"]}
            | {name: facts[name] for name in names}
            | {"allocation_basis": facts["allocation_basis"], "certificates": count, "energy_wh": wh}
            | {"issue": int(state.catalogue.issue[place])}
        )
    return parents


def _issues(state: State, rows: Rows) -> list[dict[str, Any]]:
    """Return the issues that the certificates were born in, with their Merkle roots."""
    entries = np.unique(state.catalogue.issue[rows.parents]).tolist()
    return [{"entry": entry, "merkle_root": state.catalogue.roots[entry][0]} for entry in entries]


def serials(parent: dict[str, Any]) -> str:
    """Return the serial numbers of a parent as text, empty if it has none."""
    if parent["serial_start"] is None:
        return ""
    prefix = parent["serial_prefix"] or ""
    return f"{prefix}{parent['serial_start']} - {prefix}{parent['serial_end']}"


def _facts(said: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the lines that head a statement."""
    lines = [
        ("Beneficiary", said["beneficiary"]),
        ("Purpose", said["purpose"]),
        ("Period", said["period"]),
        ("Retired by", said["owner"]),
        ("Date", said["date"]),
        ("Produced", f"{said['production_start']} to {said['production_end']}"),
        ("Hourly certificates", f"{said['certificates']:,}"),
        ("Registry", " ".join(filter(None, (said["registry"]["name"], said["registry"]["id"])))),
    ]
    return [(name, text) for name, text in lines if text]


def _withdrawn(said: dict[str, Any]) -> str:
    """Return a warning if some of it no longer counts."""
    gone = said["status_now"].get("WITHDRAWN")
    return f"Withdrawn since: {_mwh(gone['energy_wh'])} MWh of this retirement no longer count." if gone else ""


def _tables(said: dict[str, Any]) -> Iterator[tuple[str, dict[str, dict[str, int]]]]:
    """Yield the sums that tell something, each with its heading."""
    for name, title in BY.items():
        if said[f"by_{name}"].keys() != {UNNAMED}:
            yield title, _largest(said[f"by_{name}"])


def _largest(sums: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    """Return no more than fit a page: the largest, in their order, and the others as one."""
    if len(sums) <= LISTED_KEYS:
        return sums
    largest = set(sorted(sums, key=lambda key: -sums[key]["energy_wh"])[: LISTED_KEYS - 1])
    others = [one for key, one in sums.items() if key not in largest]
    rest = {what: sum(one[what] for one in others) for what in ("certificates", "energy_wh")}
    return {key: one for key, one in sums.items() if key in largest} | {f"{len(others):,} others": rest}


def _mwh(wh: int) -> str:
    whole, _, rest = mwh_text(wh).partition(".")
    return f"{int(whole):,}" + (f".{rest}" if rest else "")


# --- as text


def text(said: dict[str, Any]) -> str:
    """Return a statement for a terminal, 80 columns wide where the names allow."""
    lines = [f"RETIREMENT {said['number']}", "", f"{_mwh(said['energy_wh'])} MWh ({said['energy_wh']:,} Wh)", ""]
    lines += [f"{name:<21}{value}" for name, value in _facts(said)]
    lines += ["", _withdrawn(said)] if _withdrawn(said) else []
    for title, several in _tables(said):
        lines += ["", title.upper(), *(_line(key, sums) for key, sums in several.items())]
    lines += ["", "ANNUAL CERTIFICATES"]
    for parent in said["parents"][:LISTED_PARENTS]:
        lines.append(_line(parent["certificate_id"], parent))
        more = [parent["issuer"], serials(parent)]
        lines += [f"    {', '.join(filter(None, more))}"] if any(more) else []
    left = len(said["parents"]) - LISTED_PARENTS
    lines += [f"  and {left:,} more; the statement as data lists all of them"] if left > 0 else []
    lines += ["", "EVIDENCE", f"journal entry {said['number']}", f"  {said['journal_hash']}"]
    for issue in said["issues"]:
        lines += [f"Merkle root of issue {issue['entry']}", f"  {issue['merkle_root']}"]
    return "\n".join(map(_printable, lines)) + "\n"


def _line(name: str, sums: dict[str, Any]) -> str:
    return f"  {name:<38}{_mwh(sums['energy_wh']):>20} MWh{sums['certificates']:>12,}"


def _printable(line: str) -> str:
    """Return a line without what a terminal would obey."""
    return "".join(mark if mark.isprintable() else "?" for mark in line)


# --- as a page


def html(said: dict[str, Any]) -> str:
    """Return a statement as a page to print: complete in itself, nothing is loaded."""
    title = f"Retirement statement {said['number']}"
    facts = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in _facts(said))
    gone = _withdrawn(said)
    parts = [
        f"<header><p class='kind'>{escape(title)}</p><h1>{_mwh(said['energy_wh'])} <small>MWh</small></h1>",
        f"<p class='for'>retired for {escape(said['beneficiary'])}</p></header>",
        f"<p class='gone'>{escape(gone)}</p>" if gone else "",
        f"<dl>{facts}</dl><div class='sums'>",
        *(_sums_table(title, several) for title, several in _tables(said)),
        f"</div>{_parents_table(said['parents'])}{_evidence(said)}",
    ]
    return _PAGE.format(title=escape(title), style=_STYLE, body="\n".join(parts))


def _aligned(amounts_wh: list[int]) -> list[str]:
    """Return amounts in MWh with equally many decimals, as few as are exact."""
    texts = [_mwh(wh) for wh in amounts_wh]
    digits = max((len(text.partition(".")[2]) for text in texts), default=0)
    return [f"{whole}.{rest:0<{digits}}" if digits else whole for whole, _, rest in (t.partition(".") for t in texts)]


def _sums_table(heading: str, sums: dict[str, dict[str, int]]) -> str:
    amounts = _aligned([one["energy_wh"] for one in sums.values()])
    rows = "".join(f"<tr><td>{escape(key)}</td><td>{mwh}</td></tr>" for key, mwh in zip(sums, amounts, strict=True))
    return f"<table><thead><tr><th>{escape(heading)}</th><th>MWh</th></tr></thead><tbody>{rows}</tbody></table>"


def _parents_table(parents: list[dict[str, Any]]) -> str:
    head = "".join(f"<th>{name}</th>" for name in ("Annual certificate", "Issuer", "Serial numbers", "Hours", "MWh"))
    rows = []
    amounts = _aligned([parent["energy_wh"] for parent in parents[:LISTED_PARENTS]])
    for parent, mwh in zip(parents, amounts, strict=False):
        words = (parent["certificate_id"], parent["issuer"] or "", serials(parent), f"{parent['certificates']:,}")
        cells = "".join(f"<td>{escape(word)}</td>" for word in (*words, mwh))
        rows.append(f"<tr>{cells}</tr>")
    left = len(parents) - LISTED_PARENTS
    more = f"<p>and {left:,} more; the statement as data lists all of them</p>" if left > 0 else ""
    return f"<table class='wide'><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>{more}"


def _evidence(said: dict[str, Any]) -> str:
    lines = [(f"Journal entry {said['number']}", said["journal_hash"])]
    lines += [(f"Merkle root of issue {issue['entry']}", issue["merkle_root"]) for issue in said["issues"]]
    shown = "".join(f"<dt>{escape(name)}</dt><dd><code>{escape(value)}</code></dd>" for name, value in lines)
    return f"<footer><dl>{shown}</dl></footer>"


_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>{style}</style></head>
<body><main>
{body}
</main></body>
</html>
"""
_STYLE = """
@page { size: A4; margin: 14mm }
* { box-sizing: border-box }
body { margin: 0; background: #eef1ee; color: #17241c; font: 13px/1.4 system-ui, sans-serif }
main { max-width: 190mm; margin: 8mm auto; padding: 12mm; background: #fff; border-top: 3mm solid #1d6b45 }
.kind { margin: 0; color: #1d6b45; font-weight: 600; letter-spacing: .04em }
h1 { margin: 0; font-size: 40px; font-weight: 650; font-variant-numeric: tabular-nums }
h1 small { font-size: 18px; font-weight: 400 }
.for { margin: 0 0 6mm; font-size: 16px; overflow-wrap: anywhere }
.gone { padding: 2mm 3mm; border: 1px solid #a33; color: #a33; font-weight: 600 }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 1mm 6mm; margin: 0 0 6mm }
dt { color: #5b6b61 } dd { margin: 0; overflow-wrap: anywhere }
.sums { columns: 2; column-gap: 8mm; margin-bottom: 4mm } .sums table { margin-bottom: 4mm; break-inside: avoid }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums }
th { text-align: left; color: #5b6b61; font-weight: 600; border-bottom: 1px solid #17241c }
th, td { padding: .7mm 2mm .7mm 0; overflow-wrap: anywhere } td { border-bottom: 1px solid #e2e7e3 }
th:last-child, td:last-child { text-align: right; padding-right: 0; white-space: nowrap }
.wide th:nth-child(4), .wide td:nth-child(4) { text-align: right }
footer { margin-top: 6mm; padding-top: 3mm; border-top: 1px solid #17241c; font-size: 11px } footer dl { margin: 0 }
code { font: 10px/1.4 ui-monospace, monospace }
@media print { body { background: none; font-size: 11px } main { margin: 0; padding: 0; max-width: none }
  tr { break-inside: avoid } }
"""
