"""The commands that make exports: `diskenc collect`, `diskenc queries` and `diskenc sample`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from diskenc_analysis.cli_parts import note
from diskenc_analysis.errors import IncompleteCollectionError


class Source(StrEnum):
    """Where `diskenc collect` takes the compute tables from."""

    compute = "compute"
    graph = "graph"


class Cloud(StrEnum):
    """Azure's clouds."""

    public = "public"
    usgovernment = "usgovernment"
    china = "china"


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
        typer.echo("\n".join(live.plan(scope, out if resume else None)))
        return
    with watching() as watch:
        outcome = live.run(out, scope, resume=resume, jobs=jobs, watch=watch)
    typer.echo(outcome.path)
    note(str(outcome.progress))
    if outcome.summary:
        raise IncompleteCollectionError(f"{outcome.path}: {outcome.summary}; go on with --resume")


def queries(
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Folder to write them to.")] = None,
) -> None:
    """Print, or write, the Resource Graph queries and the az and PowerShell commands of a whole export.

    Example: diskenc queries -o queries && queries/export.sh exports/2026-11-24
    """
    from diskenc_analysis import queries as made

    typer.echo(made.printed() if out is None else "\n".join(map(str, made.write(out))))


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
