"""What commands print: text that fits the terminal (80 columns when piped), or one JSON document."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from gcr_fast.findings import Finding, Findings, RefusedError

WIDTH_WHEN_PIPED = 80
SHOWN = 20
ALL_OF_THEM = "--json or --findings FILE gives all of them"
COLOURS = {"error": "red", "warning": "yellow", "info": "dim", "failed": "red", "passed": "green", "skipped": "dim"}


def print_json(document: Any) -> None:
    """Print one JSON document: times in ISO UTC, energies as integers in Wh."""
    click.echo(json_text(document, ascii_only=not _is_utf8()))


def print_json_rows(head: dict[str, Any], batches: Iterable[list[dict[str, Any]]]) -> None:
    """Print one JSON document whose last member, `rows`, may be too long to hold; a row is a line."""
    ascii_only = not _is_utf8()
    click.echo(json_text(head, ascii_only)[: -len("\n}")] + ',\n  "rows": [', nl=False)
    between = "\n    "
    for batch in batches:
        lines = [json.dumps(row, ensure_ascii=ascii_only, default=_plain) for row in batch]
        if lines:
            click.echo(between + ",\n    ".join(lines), nl=False)
            between = ",\n    "
    click.echo("\n  ]\n}")


def _is_utf8() -> bool:
    return (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "") == "utf8"


def json_text(document: Any, ascii_only: bool = False) -> str:
    """Return JSON text; times become ISO UTC, paths their text."""
    return json.dumps(document, indent=2, ensure_ascii=ascii_only, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def console(stderr: bool = False) -> Console:
    """Return a console that prints data as it is: no markup, no guessed highlights."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="replace")  # a terminal that is not UTF-8 shows ? for a shade, not a traceback
    width = None if stream.isatty() else WIDTH_WHEN_PIPED
    return Console(file=stream, width=width, markup=False, highlight=False, emoji=False)


def shows_colours(screen: Console) -> bool:
    """Whether a picture may be painted: the shades of a terminal with 8 or 16 colours would mislead."""
    return screen.color_system in {"256", "truecolor"} and not screen.no_color


def picture_width(screen: Console) -> int:
    """Return how wide a picture may be: it needs 60 columns, and gains nothing from more than 160."""
    return max(60, min(screen.width, 160))


def show(*parts: Any) -> None:
    """Print texts and tables; a text that must not be wrapped is left to the terminal."""
    screen = console()
    for part in parts:
        screen.print(part, soft_wrap=bool(getattr(part, "no_wrap", False)))


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    right: Sequence[str] = (),
    gap: int = 1,
    whole: Sequence[str] = (),
) -> Table:
    """Return a plain table; the columns of `right` hold numbers, they and `whole` ones are not broken.

    A cell may be (text, style).
    """
    from rich.table import Table

    plain = Table(box=None, padding=(0, gap, 0, 0), header_style="bold", pad_edge=False)
    for name in columns:
        unbroken = name in right or name in whole
        plain.add_column(name, justify="right" if name in right else "left", overflow="fold", no_wrap=unbroken)
    for row in rows:
        plain.add_row(*(_cell(value) for value in row))
    return plain


def _cell(value: Any) -> Any:
    from rich.text import Text

    text, style = value if isinstance(value, tuple) else (value, "")
    return Text("" if text is None else str(text), style=style)


def facts(rows: Iterable[tuple[str, Any]]) -> Table:
    """Return names and values in two columns, without what is None."""
    from rich.table import Table

    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in rows:
        if value is not None:
            grid.add_row(_cell(name), _cell(value))
    return grid


def mwh(energy_wh: int) -> str:
    """Return whole Wh as exact MWh with thousands set apart: 1,234.567891."""
    from gcr_fast.units import mwh_text

    whole, point, rest = mwh_text(energy_wh).partition(".")
    return f"{int(whole):,}{point}{rest}" if whole not in {"", "-", "-0"} else f"{whole}{point}{rest}"


def si_text(energy_wh: int) -> str:
    """Say an energy in three digits: 923 GWh."""
    size, unit = float(energy_wh), "Wh"
    for larger in ("kWh", "MWh", "GWh", "TWh", "PWh"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:.3g} {unit}" if size < 1000 else f"{size:,.0f} {unit}"


def size_text(count: int) -> str:
    """Say a file's size."""
    if count < 10_000:
        return f"{count:,} bytes"
    return f"{count / 1e3:,.0f} kB" if count < 1e6 else f"{count / 1e6:,.1f} MB"


UNKEPT = "a CSV has no place for hashes and attribution of its sources: Parquet and Arrow keep them, --json tells them"
"""Said of each result in CSV, so that nobody finds it out from the file."""


def plural(count: int, noun: str, many: str = "") -> str:
    """Say how many: `1 error`, `2 errors`; `many` is a plural that does not end in s alone."""
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"


def span(second: int) -> str:
    """Say a length of time: `1 h`, `15 min`."""
    return f"{second // 3600} h" if second % 3600 == 0 else f"{second // 60} min"


def finding_counts(findings: Findings) -> Table | None:
    """Return how many rows each code concerns, and what it means; None if there is nothing to say."""
    from gcr_fast.codes import FINDING_BY_NAME

    counts = findings.counts()
    if not counts:
        return None
    rows = []
    for code in sorted(counts, key=list(FINDING_BY_NAME).index):
        kind = FINDING_BY_NAME[code]
        rows.append((f"{counts[code]:,}", (kind.severity, COLOURS[kind.severity]), code, kind.meaning))
    return table(("count", "severity", "finding", "meaning"), rows, right=("count",))


def finding_lines(findings: Findings, limit: int | None = SHOWN, more: str = ALL_OF_THEM) -> Iterable[Any]:
    """Yield the findings as lines, the worst first, then how to mend each kind."""
    every = [*findings.of("error"), *findings.of("warning"), *findings.of("info")]
    shown = every[:limit]
    for item in shown:
        yield _finding_line(item)
    if len(every) > len(shown):
        yield f"... and {len(every) - len(shown):,} more; {more}"
    kinds = dict.fromkeys((item.code, item.mend) for item in every if item.severity != "info")
    if kinds:
        yield ""
        yield table(("finding", "how to mend it"), kinds)


def _finding_line(item: Finding) -> Any:
    from rich.text import Text

    line = Text(f"{item.severity} ", style=COLOURS[item.severity])
    line.append(f"{item.place + ': ' if item.place else ''}{item.message} [{item.code}]", style="default")
    return line


def show_refusal(refusal: RefusedError, as_json: bool) -> None:
    """Say why nothing was done: text on stderr, or every finding as JSON on stdout."""
    findings = refusal.findings
    if as_json:
        print_json({"ok": False, "findings": findings.to_pylist()})
    else:
        click.echo(str(refusal), err=True)
        if findings["severity"].to_pylist().count("error") > SHOWN:
            click.echo(f"  {ALL_OF_THEM}", err=True)
        for note in _notes_beside(refusal.collected):
            click.echo(f"  note: {note}", err=True)


def _notes_beside(findings: Findings) -> Iterable[str]:
    """Yield what was assumed when the files that have errors were read: it may be why rows are missing.

    A certificate whose profile lacks intervals does not name the file of that, so all notes are shown then.
    """
    from gcr_fast.findings import Findings as Some

    from .told import notes

    errors = findings.of("error")
    files, is_lacking = {one.file for one in errors}, any(one.code == "incomplete_profile" for one in errors)
    noted = [one for one in findings if one.code == "reading_note" and (is_lacking or one.file in files)]
    return notes(Some(dict.fromkeys(noted)))
