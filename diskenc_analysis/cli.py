"""The command `diskenc`. Heavy imports stand inside the commands, so that `--help` is quick."""

from __future__ import annotations

import json
import sys
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from diskenc_analysis import __version__, cli_time
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
    is_quiet,
    ledger_line,
    note,
    notebooks_like,
    notes,
)
from diskenc_analysis.ending import tidily
from diskenc_analysis.errors import DiskencError, IncompleteCollectionError, ParameterError
from diskenc_analysis.place import full

app = typer.Typer(
    name="diskenc",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="How every Azure disk is encrypted, by which method, under whose key, and what that leaves open.",
)
_GATE = "Exit 1 below a share: CAPABILITY=PERCENT, or CAPABILITY=PERCENT@COLUMN=PATTERN; may be repeated."


class Redaction(StrEnum):
    """What `diskenc report --redact` replaces."""

    names = "names"
    ids = "ids"
    all = "all"


class Source(StrEnum):
    """Where `diskenc collect` takes the compute tables from."""

    compute = "compute"
    graph = "graph"


class Cloud(StrEnum):
    """Azure's clouds."""

    public = "public"
    usgovernment = "usgovernment"
    china = "china"


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


@app.command()
def report(
    inventory: INVENTORY,
    out: Annotated[Path, typer.Option("-o", "--out", help="The report folder.")] = Path("out/report"),
    notebook: Annotated[
        list[str] | None, typer.Option(help="Which notebook; may be repeated.", autocompletion=notebooks_like)
    ] = None,
    params: Annotated[Path | None, typer.Option(help="YAML file of parameters.")] = None,
    as_of: Annotated[str | None, typer.Option(help="Date the report speaks for, YYYY-MM-DD.")] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Notebooks run at a time; all cores by default.")
    ] = None,
    fail_under: Annotated[list[str] | None, typer.Option(metavar="GATE", help=_GATE)] = None,
    allow_unknown: Annotated[
        int, typer.Option(min=0, help="So many unknown do not count against a gate.")
    ] = 0,
    zipped: Annotated[bool, typer.Option("--zip", help="Make OUT.zip as well.")] = False,
    keep_going: Annotated[bool, typer.Option(help=KEEP_GOING)] = False,
    redact: Annotated[
        Redaction | None, typer.Option(help="Put pseudonyms in place; OUT.key.json tells whose they are.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was made as JSON.")] = False,
) -> None:
    """Run the notebooks over an inventory and write pages that open offline.

    Example: diskenc report exports/2026-11-24 -o out/november
    """
    from diskenc_analysis.params import REPORTED
    from diskenc_analysis.report import Options, render

    wish = Options(fail_under or (), allow_unknown, jobs, zipped, redact and redact.value, keep_going)
    told = _nobody if is_quiet() else None
    result = render(inventory, out, notebook or REPORTED, _parameters(params), as_of, told, options=wish)
    if as_json:
        typer.echo(_as_json(result))
        raise typer.Exit(result.exit_code)
    for page in result.pages:
        typer.echo(page)
    typer.echo(f"manifest sha256 {result.manifest_sha256}")
    for gate in result.gates:
        typer.echo(gate.line, err=not gate.met)
    for failure in result.failures:
        typer.echo(f"diskenc: {failure}", err=True)
    raise typer.Exit(result.exit_code)


def _nobody(*_: object) -> None:
    """Take the progress of a quiet run."""


def _as_json(result: Any) -> str:
    made = {
        "folder": str(result.folder),
        "pages": [str(page) for page in result.pages],
        "manifest_sha256": result.manifest_sha256,
        "gates": [{"line": gate.line, "met": gate.met} for gate in result.gates],
        "failures": [str(failure) for failure in result.failures],
        "exit_code": result.exit_code,
    }
    return json.dumps(made, indent=1)


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(help="Report folder, or the zip file of one.")],
    expect: Annotated[
        str | None, typer.Option("--expect-sha256", metavar="HEX", help="The manifest's hash as noted.")
    ] = None,
) -> None:
    """Hash every file of a report again and name what changed, is missing or is extra.

    Example: diskenc verify out/november --expect-sha256 9f86d081...
    """
    from diskenc_analysis.errors import ReportCheckError
    from diskenc_analysis.manifest import verify as check

    found = check(folder, expect)
    typer.echo(f"manifest sha256 {found.manifest_sha256}")
    for complaint in found.complaints:
        typer.echo(complaint, err=True)
    if found.complaints:
        raise ReportCheckError(f"{folder}: not as it was made: {len(found.complaints)} named above")
    typer.echo(f"all {found.files} files are as they were made")


@app.command()
def coverage(
    inventory: INVENTORY,
    by: Annotated[str | None, typer.Option(help="Group by a column, or tag:NAME.")] = None,
    capability: Annotated[
        str | None, typer.Option(help="One capability; all ten by default.", autocompletion=capabilities_like)
    ] = None,
    weight: Annotated[str | None, typer.Option(help="disks, gib or vms.")] = None,
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
    from diskenc_analysis.printing import write

    inv = de.load(
        inventory,
        engine="duckdb",
        memory_limit=MEMORY,
        verdict_only=True,
        keep_going=keep_going,
        expect_subscriptions=expect_subscriptions,
        captured_since=_days_ago(max_age),
    )
    inv.require_disks()
    summary = de.summarize(de.coverage(inv, edition), by, capability, weight)
    write(summary, form.value, out)
    note("\n".join([ledger_line(inv), *notes(inv)]))


app.command()(findings)
app.command()(cli_time.compare)
app.add_typer(cli_time.history_app, name="history")


@app.command()
def collect(
    out: Annotated[Path, typer.Option("-o", "--out", help="The export folder to make.")],
    subscription: Annotated[list[str] | None, typer.Option(help="Id; may be repeated. Default: all.")] = None,
    management_group: Annotated[list[str] | None, typer.Option(help="Id; may be repeated.")] = None,
    exclude: Annotated[list[str] | None, typer.Option(help="Id of a subscription to leave out.")] = None,
    source: Annotated[Source, typer.Option(help="Where the compute tables come from.")] = Source.compute,
    keys: Annotated[
        bool, typer.Option("--keys", help="Ask for key types: a call per vault and key.")
    ] = False,
    instance_view: Annotated[
        bool, typer.Option("--instance-view", help="Ask for the guests' word on encryption.")
    ] = False,
    restore_points: Annotated[
        bool, typer.Option("--restore-points", help="Ask for restore points: a call for each.")
    ] = False,
    cloud: Annotated[Cloud, typer.Option(help="Which of Azure's clouds.")] = Cloud.public,
    arm_endpoint: Annotated[str, typer.Option(help="Address of Azure Resource Manager.")] = "",
    authority: Annotated[str, typer.Option(help="Address of the host that signs in.")] = "",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what is in the folder.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be asked.")] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Most calls under way at once.")] = 8,
) -> None:
    """Read live Azure with your own sign-in into an export folder; reader rights are enough.

    Example: diskenc collect -o exports/2026-11-24 --keys
    """
    from diskenc_analysis import live
    from diskenc_analysis.live_watch import watching
    from diskenc_analysis.note import Scope

    wished = {"keys": keys, "instance_view": instance_view, "restore_points": restore_points}
    scope = Scope(
        subscriptions=tuple(subscription or ()),
        management_groups=tuple(management_group or ()),
        exclude=tuple(exclude or ()),
        source=source.value,
        options=tuple(name for name, value in wished.items() if value),
        cloud=cloud.value,
        arm_endpoint=arm_endpoint,
        authority=authority,
    )
    if dry_run:
        typer.echo("\n".join(live.plan(scope)))
        return
    with watching() as watch:
        outcome = live.run(out, scope, resume=resume, jobs=jobs, watch=watch)
    typer.echo(outcome.path)
    note(str(outcome.progress))
    if outcome.summary:
        raise IncompleteCollectionError(f"{outcome.path}: {outcome.summary}; go on with --resume")


@app.command()
def queries(
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Folder to write them to.")] = None,
) -> None:
    """Print, or write, the Resource Graph queries and the az and PowerShell commands of a whole export.

    Example: diskenc queries -o queries && queries/export.sh exports/2026-11-24
    """
    from diskenc_analysis import queries as made

    typer.echo(made.printed() if out is None else "\n".join(map(str, made.write(out))))


@app.command()
def sample(
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder to write to.")],
    disks: Annotated[int, typer.Option(min=1, help="How many disks, about.")] = 400,
    subscriptions: Annotated[int, typer.Option(min=1, help="How many subscriptions.")] = 6,
    seed: Annotated[int, typer.Option(help="Another seed is another tenant.")] = 7,
) -> None:
    """Write a made-up tenant that has every kind of disk, as ARM JSON lines.

    Example: diskenc sample -o tenant --disks 10000
    """
    from diskenc_analysis.sample import generate

    typer.echo(generate(out, disks=disks, subscriptions=subscriptions, seed=seed))


app.command()(options)
app.command()(lab)


def _parameters(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    import yaml

    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:  # a month 13 is a ValueError
        raise ParameterError(f"{path}: expected a YAML file of parameters, but: {error}") from None
    if not isinstance(values, dict) or not all(isinstance(name, str) for name in values):
        raise ParameterError(f"{path}: expected names and values, got {values!r:.200}")
    return values


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
