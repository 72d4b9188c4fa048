"""The results as a page to read and as JSON to check it by; both are written by this script alone."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.inputs import HOURS, NAMES, PLANT_MWH
from benchmarks.machine import describe
from benchmarks.timing import Claim, Results, Timing

HERE = Path(__file__).resolve().parent
PAGE = HERE / "RESULTS.md"
DATA = HERE / "results.json"

HEAD = """# Results

Written by `python -m benchmarks`; do not edit by hand. Everyone gets the same input in the same run and on the same
number of threads. Every result is checked before anything is timed: each hour and column against big integers, or
(above 1,000 device-years) by rows, energy and a hash over all rows, which must agree between the tools. Times are
medians; each way is run once unmeasured, then again and again, one way after the other. Compiling is not in them,
except where a cold cache is named. Input files are in the system's file cache.
"""

RULES = """## What is compared

All tools make the same columns: parent, start, interval, Wh, source type, status, allocation basis and owner. Hours
of 0 Wh are dropped, and the energy is exact. Validation: hours sum to their parent's energy, no (parent, start)
comes twice, every hour lies in its parent's period. `gcr_fast` also checks its input, words, grid and limits; peers
read what they need and check nothing else. `gcr_fast` waits until its file is on disk (fsync); peers do not. A tool's
fastest way counts; all are listed. *distinct starts* counts them per parent; *order* is a shortcut for hours that
ascend. As the allocators of its peers do, `gcr_fast` keeps some of the memory of one run for the next; what a first
run takes is in the rows of fresh and whole processes.
"""


def save(results: Results, sizes: dict[str, object]) -> None:
    """Write both files."""
    machine = describe()
    PAGE.write_text(page(results, machine, sizes), encoding="utf-8")
    data = {
        "machine": machine,
        "sizes": sizes,
        "claims": [claim.as_dict() for claim in results.claims],
        "timings": [timing.as_dict() for timing in results.timings],
        "notes": results.notes,
    }
    DATA.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def page(results: Results, machine: dict[str, str], sizes: dict[str, object]) -> str:
    """Return the page."""
    parts = [HEAD, _machine(machine), _sizes(sizes), _claims(results.claims), RULES]
    works = dict.fromkeys(timing.work for timing in results.timings)
    parts += [_work(work, [timing for timing in results.timings if timing.work == work]) for work in works]
    parts.append("## Notes\n\n" + "\n".join(f"- {note}" for note in results.notes) + "\n")
    return "\n".join(parts)


def _machine(machine: dict[str, str]) -> str:
    return "## Machine\n\n" + _table(("", ""), list(machine.items()))


def _sizes(sizes: dict[str, object]) -> str:
    kinds = ", ".join(f"{kind} {most:,}" for kind, most in PLANT_MWH.items())
    text = f"""## Input

Annual certificates of 2020, evenly spread over {len(NAMES)} of the shipped profiles ({HOURS:,} hours each, three
windows of UTC), in mixed order. Each holds a random whole number of MWh, up to a plant's year ({kinds}).
"""
    rows = [(name, str(size)) for name, size in sizes.items()]
    return text + "\n" + _table(("stage", "device-years, or runs"), rows)


def _claims(claims: list[Claim]) -> str:
    lost = sum(not claim.met for claim in claims)
    verdict = f"{len(claims) - lost} of {len(claims)} are met." + (" **Lost ones are in bold.**" if lost else "")
    rows = []
    for claim in claims:
        bound = "at least" if claim.at_least else "at most"
        cells = (claim.work, _figure(claim.measured, claim.unit), f"{bound} {_figure(claim.required, claim.unit)}")
        verdict_cell = "yes" if claim.met else "**no**"
        shown = cells if claim.met else tuple(f"**{cell}**" for cell in cells)
        rows.append((*shown, verdict_cell))
    return f"## Required\n\n{verdict}\n\n" + _table(("work", "measured", "required", "met"), rows)


def _figure(value: float, unit: str) -> str:
    digits = 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:,.{digits}f}{'' if unit in 'x%' else ' '}{unit}"


def _work(work: str, timings: list[Timing]) -> str:
    ours = min((t for t in timings if t.who == "gcr_fast"), key=lambda t: t.median)
    unit = ours.unit
    head = ["tool", "how", "median s", "least - most", f"million {unit}/s", "x our time"]
    small = unit in ("processes", "answers")
    head = head[:4] + head[5:] if small else head
    extras = [
        (key, title, scale)
        for key, title, scale in (
            ("p95_s", "p95 ms", 1e-3),
            ("whole_s", "with imports s", 1.0),
            ("bytes", "MB", 1e6),
            ("bytes_per_certificate", "bytes a certificate", 1.0),
            ("peak_bytes", "peak MB", 1e6),
        )
        if any(key in t.more for t in timings)
    ]
    rows = []
    for t in timings:
        spread = f"{_seconds(min(t.seconds))} - {_seconds(max(t.seconds))}"
        row = [t.who, t.how, _seconds(t.median), spread]
        row += [] if small else [_digits(t.rate / 1e6)]
        row += [_digits(t.median / ours.median)]
        row += [_digits(t.more[key] / scale) if key in t.more else "" for key, _, scale in extras]
        rows.append(tuple(row))
    return f"## {work[0].upper()}{work[1:]}\n\n" + _table((*head, *(title for _, title, _ in extras)), rows)


def _seconds(value: float) -> str:
    if value < 0.01:
        return f"{value:.6f}"
    return f"{value:.4f}" if value < 0.1 else f"{value:.3f}" if value < 10 else f"{value:.1f}"


def _digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
