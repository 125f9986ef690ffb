"""`diskenc options` and `diskenc lab`: what an analyst asks before there is a report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from diskenc_analysis.cli_parts import Format, editions_like, note, requirements_like


def options(
    requires: Annotated[
        list[str] | None,
        typer.Option(help="What the disks are to meet; may be repeated.", autocompletion=requirements_like),
    ] = None,
    edition: Annotated[
        str, typer.Option(help="Edition of the encryption matrix.", autocompletion=editions_like)
    ] = "latest",
    given: Annotated[list[str] | None, typer.Option(help="Condition of the matrix that holds.")] = None,
    form: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="File to write to.")] = None,
) -> None:
    """Say which encryption option meets requirements, on what condition; JSON and CSV add costs and sources.

    Example: diskenc options --requires end_to_end --requires customer_keys
    """
    from diskenc_analysis.option_list import requirements
    from diskenc_analysis.options import options as found
    from diskenc_analysis.printing import write

    frame = found(requires or (), edition, given=given or ())
    short = ["option", "fits", "conditions", "missing"]
    write(frame[short] if form is Format.table else frame, form.value, out, ordered=True)
    note(f"Requirements: {', '.join(requirements())}")


def lab(
    folder: Annotated[Path, typer.Argument(help="Folder of yours to copy the notebooks to.")] = Path("lab"),
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace notebooks there that differ.")
    ] = False,
) -> None:
    """Copy the notebooks into a folder of yours, and say how to open them; what stands there is kept.

    Example: diskenc lab lab && jupyter lab lab
    """
    from diskenc_analysis.lab import copy_notebooks

    copied, *how = copy_notebooks(folder, overwrite=overwrite).lines
    typer.echo(copied)
    note("\n".join(how))
