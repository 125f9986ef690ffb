"""The command `diskenc findings`: findings as a file that other tools read."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diskenc_analysis.cli_parts import INVENTORY, KEEP_GOING, MEMORY, ledger_line, note

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory


class Lines(StrEnum):
    """How `diskenc findings` writes."""

    csv = "csv"
    jsonl = "jsonl"


def findings(
    inventory: INVENTORY,
    framework: Annotated[
        str | None,
        typer.Option(help="Judge by controls: a framework, FRAMEWORK@VERSION, or all. Default: our rules."),
    ] = None,
    exceptions: Annotated[
        Path | None, typer.Option(help="CSV file: finding, scope, reason, owner, approver, expires.")
    ] = None,
    as_of: Annotated[
        str, typer.Option(help="Date at which exceptions are judged, YYYY-MM-DD; they need one.")
    ] = "",
    form: Annotated[
        Lines | None, typer.Option("--format", help="How to write. Default: by the name of OUT, else csv.")
    ] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="File to write to.")] = None,
    edition: Annotated[str, typer.Option(help="Edition of the encryption matrix.")] = "latest",
    keep_going: Annotated[bool, typer.Option(help=KEEP_GOING)] = False,
) -> None:
    """Write findings, one a line, each with an id that stays the same from capture to capture.

    Example: diskenc findings exports/2026-11-24 --framework cis_azure -o findings.jsonl
    """
    import diskenc_analysis as de
    from diskenc_analysis.printing import write_lines

    inv = de.read(inventory, engine="auto", memory_limit=MEMORY, keep_going=keep_going)
    inv.require_disks()
    cov = de.coverage(inv, edition)
    found = de.findings(inv, cov, framework=framework, exceptions=exceptions, as_of=as_of)
    write_lines(found, (form or _form_of(out)).value, out)
    said = _said(inv, found)
    if exceptions:
        said[1:1] = _of_exceptions(de.exception_uses(inv, found, exceptions, as_of, framework))
    note("\n".join(said))


def _form_of(out: Path | None) -> Lines:
    return Lines.jsonl if out and out.suffix.lower() in (".jsonl", ".ndjson", ".json") else Lines.csv


_MOST = 25


def _of_exceptions(uses: object) -> list[str]:
    """Count the exceptions by what they came to, and list those that cover nothing, or not all they name."""
    from diskenc_analysis.exceptionuse import IDLE, USES
    from diskenc_analysis.plainrows import rows
    from diskenc_analysis.text import clean

    listed = rows(uses)
    counted = {use: sum(one["use"] == use for one in listed) for use in USES}
    counted["expired"] = sum(one["in_force"] == "no" for one in listed)
    words = ", ".join(f"{use.replace('_', ' ')}: {count:,}" for use, count in counted.items() if count)
    idle = [one for one in listed if one["use"] in IDLE]
    lines = [
        f"  line {one['line']:.0f}: {clean(one['finding'], 0)} in {clean(one['scope'] or 'all', 0)} "
        f"{USES[one['use']]} ({one['open']:,.0f} open, {one['met']:,.0f} met)"
        for one in idle[:_MOST]
    ]
    rest = [f"  and {len(idle) - _MOST:,} more"] if idle[_MOST:] else []
    many = "exception" if len(listed) == 1 else "exceptions"
    return [f"{len(listed):,} {many} ({words or 'none'})", *lines, *rest]


def _said(inv: Inventory, found: object) -> list[str]:
    """Count the findings, those under an exception apart."""
    from diskenc_analysis.standing import STANDINGS, count_standings

    counts = count_standings(found)
    words = ", ".join(f"{counts[name]:,} {name.replace('_', ' ')}" for name in STANDINGS if counts.get(name))
    total = sum(counts.values())
    many = "finding" if total == 1 else "findings"
    return [f"{total:,} {many}: {words or 'none'}", ledger_line(inv)]
