"""`gcr verify`, `prove`, `audit`, `export`: what a registry can show to others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import options as opt
from . import registry as reg
from .command import Command
from .registry_asking import check_rows_place, show_written

if TYPE_CHECKING:
    from gcr_fast.registry.audit_report import AuditFinding, AuditReport, Check

KEY_SHOWN = 32
EXPORTS = ("certificates", "parents", "trades", "journal")


@click.command(cls=Command, example="gcr verify registry", short_help="Check everything in a registry.")
@reg.folder
@click.option("--public-key", metavar="KEY", help="There must be a signature by it: 64 hex digits or a PEM file.")
@click.option(
    "--capacity-margin",
    metavar="X",
    help="No hour of a device may exceed its capacity times this; else as it was issued.",
)
@opt.findings
@opt.as_json
@click.pass_context
def verify(ctx: click.Context, /, registry: Path, findings_file: Path | None, as_json: bool, **given: Any) -> None:
    """Check REGISTRY from its files alone: hashes, replay, conservation, double counting.

    Writes nothing into it; a copy will do. What is damaged is named. Exit code 1 if anything failed.
    """
    from gcr_fast.registry.audit import verify as check

    reg.check_findings_place(findings_file)
    report = check(registry, **given)
    if findings_file:
        _save(report, findings_file)
    show_report(report, as_json)
    ctx.exit(0 if report.ok else 1)


def _save(report: AuditReport, place: Path) -> None:
    import pyarrow as pa

    from .files import save_table

    schema = pa.schema([("check", pa.string()), ("message", pa.string())])
    save_table(pa.Table.from_pylist([finding._asdict() for finding in report.findings], schema=schema), place)


def show_report(report: AuditReport, as_json: bool) -> None:
    """Print an audit: its checks, then its findings, then the verdict."""
    from .output import ALL_OF_THEM, COLOURS, SHOWN, plural, print_json, show, table

    if as_json:
        print_json(report.to_dict())
        return
    rows = [(check.name, (check.outcome, COLOURS[check.outcome]), _detail(report, check)) for check in report.checks]
    found: list[Any] = [_finding(finding) for finding in report.findings[:SHOWN]]
    if len(report.findings) > SHOWN:
        found.append(f"... and {len(report.findings) - SHOWN:,} more; {ALL_OF_THEM}")
    verdict = "verified" if report.ok else f"not verified: {plural(len(report.findings), 'finding')}"
    upto = f"{plural(report.position, 'entry', 'entries')}, hash {report.head[:16]}..." if report.head else "no entry"
    show(
        table(("check", "outcome", "detail"), rows, whole=("check", "outcome")),
        "",
        *found,
        *([""] if found else []),
        f"{verdict}; {upto}",
    )


def _detail(report: AuditReport, check: Check) -> str:
    """Return what stands beside a check: of a failed one the findings follow."""
    from .output import plural

    count = sum(finding.check == check.name for finding in report.findings)
    return f"{plural(count, 'finding')}, see below" if count else check.detail


def _finding(finding: AuditFinding) -> Any:
    """Return a finding as a line that is not broken: it names files."""
    from rich.text import Text

    line = Text("failed ", style="red", no_wrap=True)
    return line.append(f"{finding.message} [{finding.check}]", style="default")


@click.command(
    cls=Command,
    example="gcr prove registry HOURLY-A-1-2020060112 --out proof.json",
    short_help="Prove that a certificate was issued.",
)
@reg.folder
@click.argument("certificate")
@click.option("--out", type=opt.FILE, metavar="FILE", help="Write the proof as JSON.")
@opt.as_json
def prove(registry: Path, certificate: str, out: Path | None, as_json: bool) -> None:
    """Prove that CERTIFICATE (its id or its handle) of REGISTRY was issued, with so much energy.

    The proof leads to the hash of the journal. It can be checked without the registry, by one file of plain Python:
    gcr_fast/registry/proof.py.
    """
    from .files import check_places, save_bytes
    from .output import facts, json_text, print_json, show

    check_places([], [out])
    with reg.opened(registry, read_only=True) as held:
        proof = held.prove(reg.handle_or_id(certificate))
    if out:
        save_bytes((json_text(proof) + "\n").encode(), out)
    if as_json:
        print_json(proof)
    else:
        show(facts([*_proven(proof), ("written", out)]))


def _proven(proof: dict[str, Any]) -> list[tuple[str, Any]]:
    from gcr_fast.registry.proof import verify_proof

    what, journal = proof["certificate"], proof["journal"]
    return [
        ("certificate", what["id"]),
        ("energy", f"{what['energy_wh']:,} Wh"),
        ("issue", f"entry {journal['entry']:,}, hash {journal['hash'][:16]}..."),
        ("root", proof["root"]),
        ("checked", "the proof holds" if verify_proof(proof) else None),  # else it raised
    ]


@click.command(
    cls=Command, example="gcr audit registry --new-key key.pem", short_help="Sign the journal, check signatures."
)
@reg.folder
@click.option("--sign", metavar="KEY", type=opt.FILE, help="Sign the journal's head with an Ed25519 key (PEM).")
@click.option("--new-key", metavar="FILE", type=opt.FILE, help="Make such a key, store it in FILE, and sign with it.")
@click.option("--verify-key", metavar="KEY", help="Verify, with the signatures of this public key (hex or PEM).")
@opt.as_json
@click.pass_context
def audit(ctx: click.Context, /, registry: Path, as_json: bool, **given: Any) -> None:
    """Sign the journal of REGISTRY, or verify what was signed; else list the signatures.

    A signature vouches for every entry up to its own. Who keeps the public key can tell later that none was altered.
    """
    if sum(value is not None for value in given.values()) > 1:
        raise click.UsageError("give one of --sign, --new-key and --verify-key")
    if given["verify_key"]:
        from gcr_fast.registry.audit import verify as check

        report = check(registry, public_key=given["verify_key"])
        show_report(report, as_json)
        ctx.exit(0 if report.ok else 1)
    _sign(registry, given["sign"], given["new_key"], as_json)


def _sign(registry: Path, key: Path | None, fresh: Path | None, as_json: bool) -> None:
    from gcr_fast.registry import signing

    from .output import facts, print_json, show

    with reg.opened(registry, read_only=key is None and fresh is None) as held:
        if fresh:
            signing.generate_key(fresh)
        mine = key or fresh
        if mine:
            signed = held.sign(mine)
            names = ("entry", "hash", "public_key", "signature")
            rows = [(name.replace("_", " "), getattr(signed, name)) for name in names]
            print_json({"ok": True, **signed._asdict()}) if as_json else show(facts(rows))
        else:
            _list_signatures(held, as_json)


def _list_signatures(held: Any, as_json: bool) -> None:
    from gcr_fast.periods import utc_text

    from .output import facts, plural, print_json, show, table

    head, rows = held.head(), held.journal.signatures()
    found = [{"entry": row.seq, "signed_at": utc_text(row.at_s), "public_key": row.public_key.hex()} for row in rows]
    if as_json:
        print_json({**head._asdict(), "signatures": found})
        return
    cells = [(f"{row['entry']:,}", row["signed_at"], f"{row['public_key'][:KEY_SHOWN]}...") for row in found]
    listing = [table(("entry", "signed at", "public key"), cells, right=("entry",)), ""] if cells else []
    named = facts([("registry", head.registry_id), ("entry", f"{head.entry:,}"), ("hash", head.hash)])
    show(named, "", *listing, plural(len(cells), "signature") + ("; --json gives whole keys" if cells else ""))


@click.command(
    cls=Command, example="gcr export registry trades trades.csv", short_help="Write what a registry holds to a file."
)
@reg.folder
@click.argument("what", type=click.Choice(EXPORTS))
@click.argument("out", type=opt.FILE, metavar="FILE")
@opt.as_json
def export(registry: Path, what: str, out: Path, as_json: bool) -> None:
    """Write WHAT of REGISTRY (certificates, parents, trades, journal) to a .parquet, .arrow or .csv file.

    `gcr query --out` writes certificates that filters choose.
    """
    check_rows_place(out)
    with reg.opened(registry, read_only=True) as held:
        written = held.export(what, out)
    show_written(written, "entries" if what == "journal" else what, as_json)
