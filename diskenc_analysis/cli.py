"""The command `diskenc`. Heavy imports stand inside the commands, so that `--help` is quick."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from diskenc_analysis import __version__, cli_time
from diskenc_analysis.cli_collect import collect, queries, sample
from diskenc_analysis.cli_findings import findings
from diskenc_analysis.cli_options import lab, options
from diskenc_analysis.cli_parts import (
    INVENTORY,
    KEEP_GOING,
    MEMORY,
    Format,
    be_quiet,
    capabilities_like,
    editions_like,
    groups_like,
    ledger_line,
    note,
    notes,
    weights_like,
)
from diskenc_analysis.cli_report import report, verify
from diskenc_analysis.ending import tidily
from diskenc_analysis.errors import DiskencError, ParameterError, UnknownNameError
from diskenc_analysis.place import full

app = typer.Typer(
    name="diskenc",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="How every Azure disk is encrypted, by which method, under whose key, and what that leaves open.",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"diskenc {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print the result alone: no progress, no notes.")
    ] = False,
) -> None:
    """Take the options that stand before a command; `version` has done its work by then."""
    be_quiet(quiet and not version)


app.command()(report)
app.command()(verify)


@app.command()
def coverage(
    inventory: INVENTORY,
    by: Annotated[
        str | None, typer.Option(help="Group by a column, or tag:NAME.", autocompletion=groups_like)
    ] = None,
    capability: Annotated[
        str | None, typer.Option(help="One capability; all ten by default.", autocompletion=capabilities_like)
    ] = None,
    weight: Annotated[
        str | None, typer.Option(help="disks, gib or vms.", autocompletion=weights_like)
    ] = None,
    edition: Annotated[
        str, typer.Option(help="Edition of the encryption matrix.", autocompletion=editions_like)
    ] = "latest",
    form: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="File to write to.")] = None,
    keep_going: Annotated[bool, typer.Option(help=KEEP_GOING)] = False,
    expect_subscriptions: Annotated[
        Path | None, typer.Option(help="File with one subscription id a line: say which are absent.")
    ] = None,
    max_age: Annotated[int | None, typer.Option(min=0, help="Days beyond which a capture is old.")] = None,
) -> None:
    """Print the share of disks that each capability covers, with its bounds.

    Example: diskenc coverage exports/2026-11-24 --by subscription_name --capability temp_disk
    """
    import diskenc_analysis as de
    from diskenc_analysis.coverage import COLUMNS
    from diskenc_analysis.editions import resolve_edition
    from diskenc_analysis.printing import check_place, write
    from diskenc_analysis.summary import check, needed

    # What cannot be answered is refused before anything is read.
    resolve_edition(edition)
    check(capability, weight)
    check_place(form.value, out)
    if by and not by.startswith("tag:") and by not in COLUMNS:
        raise UnknownNameError.of("column", by, [*COLUMNS, "tag:NAME"])
    inv = de.load(
        inventory,
        engine="duckdb",  # Arrow would have pandas imported, which eats what it saves here
        memory_limit=MEMORY,
        verdict_only=True,
        keep_going=keep_going,
        expect_subscriptions=expect_subscriptions,
        captured_since=_days_ago(max_age),
    )
    inv.require_disks()
    covered = de.coverage(inv, edition, needed(by, capability))
    summary = de.summarize(covered, by, capability, weight)
    write(summary, form.value, out)
    note("\n".join([ledger_line(inv), *notes(inv)]))


app.command()(findings)
app.command()(cli_time.compare)
app.add_typer(cli_time.history_app, name="history")


app.command()(collect)
app.command()(queries)
app.command()(sample)
app.command()(options)
app.command()(lab)


def _days_ago(days: int | None) -> date | None:
    return None if days is None else datetime.now(UTC).date() - timedelta(days=days)


def main() -> None:
    """Run the command; a user's mistake ends in one line and an exit code, never in a traceback."""
    try:
        with tidily():
            app()
    except DiskencError as error:
        typer.echo(f"diskenc: {error}", err=True)
        sys.exit(error.exit_code)
    except Exception as error:
        if not (reason := full(error)):
            raise
        typer.echo(f"diskenc: the output, or a passing file, cannot be written: {reason}", err=True)
        sys.exit(ParameterError.exit_code)
