"""The commands `diskenc report` and `diskenc verify`."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from diskenc_analysis.cli_parts import KEEP_GOING, is_quiet, notebooks_like
from diskenc_analysis.errors import ParameterError

_GATE = "Exit 1 below a share: CAPABILITY=PERCENT, or CAPABILITY=PERCENT@COLUMN=PATTERN; may be repeated."


class Redaction(StrEnum):
    """What `diskenc report --redact` replaces."""

    names = "names"
    ids = "ids"
    all = "all"


def report(
    inventory: Annotated[
        str | None, typer.Argument(help="File, folder or glob pattern of exports; trend alone needs none.")
    ] = None,
    out: Annotated[Path, typer.Option("-o", "--out", help="The report folder.")] = Path("out/report"),
    notebook: Annotated[
        list[str] | None, typer.Option(help="Which notebook; may be repeated.", autocompletion=notebooks_like)
    ] = None,
    history: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A history, for trend; ade_migration takes it too.")
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
    given = _parameters(params) | ({"history": str(history)} if history else {})
    result = render(inventory, out, notebook or REPORTED, given, as_of, told, options=wish)
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
