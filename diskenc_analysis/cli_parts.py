"""What the commands share: their common arguments, how they print, and what they say of what was read."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from diskenc_analysis.errors import ParameterError

INVENTORY = Annotated[str, typer.Argument(help="File, folder or glob pattern of exports.")]
#: DuckDB's share of the 2 GB that a command may take; the rest is Python, and what DuckDB does not count.
MEMORY = "1700MB"
KEEP_GOING = "Load the rest where a file cannot be read; the ledger names the loss."


_NO_VMS = (
    "no VM was read, so all that a VM decides is unknown: temp disk, caches, data flow, Defender status; "
    "export the virtual machines as well, as `diskenc queries` writes it"
)
_STATE = {"quiet": False}


def be_quiet(value: bool) -> bool:
    """Keep what is said beside the result to oneself, for as long as the command runs."""
    _STATE["quiet"] = value
    return value


def is_quiet() -> bool:
    """Say whether `--quiet` was given."""
    return _STATE["quiet"]


def note(text: str) -> None:
    """Say something beside the result, on the standard error, unless it is to be quiet."""
    if not is_quiet():
        typer.echo(text, err=True)


def editions_like(begun: str) -> list[str]:
    """Complete the name of an edition."""
    from diskenc_analysis.editions import editions

    return [name for name in (*editions(), "latest") if name.startswith(begun)]


def capabilities_like(begun: str) -> list[str]:
    """Complete the name of a capability."""
    from diskenc_analysis.editions import capabilities

    return [name for name in capabilities() if name.startswith(begun)]


def groups_like(begun: str) -> list[str]:
    """Complete the name of a column that many disks share, or the beginning of a tag."""
    from diskenc_analysis.coverage import COLUMNS

    own = ("disk_id", "name", "vm_id", "gib", "tags", "conflicts", "evidence")
    return [name for name in (*COLUMNS, "tag:") if name not in own and name.startswith(begun)]


def weights_like(begun: str) -> list[str]:
    """Complete what is counted."""
    return [name for name in ("disks", "gib", "vms") if name.startswith(begun)]


def requirements_like(begun: str) -> list[str]:
    """Complete the name of a requirement."""
    from diskenc_analysis.option_list import requirements

    return [name for name in requirements() if name.startswith(begun)]


def notebooks_like(begun: str) -> list[str]:
    """Complete the name of a notebook."""
    from diskenc_analysis.share import notebook_dir

    return [path.stem for path in sorted(notebook_dir().glob("*.ipynb")) if path.stem.startswith(begun)]


class Format(StrEnum):
    """How a command prints."""

    table = "table"
    csv = "csv"
    json = "json"
    parquet = "parquet"


def inventory_of(path: str, keep_going: bool, *, verdict_only: bool = False) -> Any:
    """Read an inventory with all its columns, which a report made of one does not hold."""
    import diskenc_analysis as de
    from diskenc_analysis.manifest import is_report

    if is_report(Path(path)):
        raise ParameterError(f"{path} is a report: name the exports, or the saved inventory, behind it")
    inv = de.read(path, "auto", MEMORY, keep_going=keep_going, verdict_only=verdict_only)
    inv.require_disks()
    return inv


def ledger_line(inv: Any) -> str:
    """Sum the ledger in a line."""
    totals = inv.totals
    read, used, aside = (totals[f"rows_{n}"] for n in ("read", "used", "set_aside"))
    collected = f"; {inv.unread:,} parts of the collection were not read whole" if inv.unread else ""
    return f"{read:,} rows read, {used:,} used, {aside:,} set aside{collected}"


def notes(inv: Any) -> list[str]:
    """Give what the ledger notes of the files: lost, old, without columns, or with subscriptions absent.

    An export without VMs is noted too, since most of what is asked is a VM's to decide.
    """
    sql = "SELECT DISTINCT source, notes FROM ledger WHERE notes <> '' ORDER BY ALL"
    found = inv.connection.execute(sql).fetchall()
    said = [note if note.startswith(source) else f"{source}: {note}" for source, note in found]
    return said if inv.count("vms") else [*said, _NO_VMS]
