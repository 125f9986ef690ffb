"""The commands about change over time: `diskenc compare` and `diskenc history`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from diskenc_analysis.cli_parts import (
    INVENTORY,
    KEEP_GOING,
    Format,
    capabilities_like,
    groups_like,
    inventory_of,
    ledger_line,
    note,
    notes,
)


def compare(
    old: Annotated[str, typer.Argument(help="The older inventory: exports, or one that was saved.")],
    new: Annotated[str, typer.Argument(help="The newer one.")],
    fail_on_regression: Annotated[
        bool, typer.Option("--fail-on-regression", help="Exit 1 where a protection was lost.")
    ] = False,
    edition: Annotated[str, typer.Option(help="Edition of the encryption matrix for both.")] = "latest",
    old_edition: Annotated[
        str | None, typer.Option(help="The edition that judged the older one then: say where it differs.")
    ] = None,
    form: Annotated[
        Format, typer.Option("--format", help="A table counts; the others hold a row per difference.")
    ] = Format.table,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="File to write to.")] = None,
    keep_going: Annotated[bool, typer.Option(help=KEEP_GOING)] = False,
) -> None:
    """Say what changed between two inventories, disk by disk, and why; regressions first.

    Example: diskenc compare exports/2026-10-24 exports/2026-11-24 --fail-on-regression
    """
    import diskenc_analysis as de
    from diskenc_analysis.drift_words import conclusion, counts
    from diskenc_analysis.printing import write
    from diskenc_analysis.readings import require_order

    before, after = (inventory_of(path, keep_going) for path in (old, new))
    require_order(before, after)
    found = de.compare(before, after, edition=edition, old_edition=old_edition)
    write(counts(found) if form == Format.table else found, form.value, out, ordered=True)
    said = conclusion(found)
    note("\n".join([*said.sentences, ledger_line(before), ledger_line(after)]))
    raise typer.Exit(1 if fail_on_regression and said.regressions else 0)


history_app = typer.Typer(no_args_is_help=True, help="The coverage of one capture after the other.")


@history_app.command("add")
def history_add(
    inventory: INVENTORY,
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="The folder of the history.")],
    captured: Annotated[
        str | None, typer.Option("--date", help="Date of the capture; by default the one that its path has.")
    ] = None,
    edition: Annotated[str, typer.Option(help="Edition of the encryption matrix.")] = "latest",
    other_tenant: Annotated[
        bool, typer.Option("--other-tenant", help="Take a capture of another tenant than those that stand.")
    ] = False,
    keep_going: Annotated[bool, typer.Option(help=KEEP_GOING)] = False,
) -> None:
    """Append the coverage of one capture; what stands is never written again.

    Example: diskenc history add exports/2026-11-24 --to history
    """
    from diskenc_analysis import history

    inv = inventory_of(inventory, keep_going, verdict_only=True)
    typer.echo(history.add(inv, to, captured, edition, other_tenant=other_tenant))
    note("\n".join([ledger_line(inv), *notes(inv)]))


@history_app.command("show")
def history_show(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the history.")],
    by: Annotated[
        str | None,
        typer.Option(
            help="Column, or tag:NAME; a layer such as method is counted in disks.",
            autocompletion=groups_like,
        ),
    ] = None,
    capability: Annotated[
        str | None, typer.Option(help="One capability; all ten by default.", autocompletion=capabilities_like)
    ] = None,
    weight: Annotated[str, typer.Option(help="disks or gib; facts of a VM are counted in VMs.")] = "disks",
    form: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="File to write to.")] = None,
) -> None:
    """Print the sums of a history by date, with the bounds of each share.

    Example: diskenc history show history --by subscription_name --capability temp_disk
    """
    from diskenc_analysis import history, historysums
    from diskenc_analysis.printing import write

    rows = history.read(folder)
    if by in historysums.LAYERS and capability is None:
        summary = historysums.layers(rows, [by])
    else:
        summary = historysums.sums(rows, by, capability, weight)
    write(summary, form.value, out, ordered=True)
    for row in historysums.captures(rows).fetchall():
        if row[3]:
            typer.echo(f"{row[0]}: not read whole: {row[3]}", err=True)
