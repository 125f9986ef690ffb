"""What the notebook on the way out of Azure Disk Encryption shows, one call per cell, and what it writes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

import narwhals as nw

from diskenc_analysis.datafiles import write_table
from diskenc_analysis.frames import lazy
from diskenc_analysis.migration_tables import as_date
from diskenc_analysis.migrationcounts import check_counts, counted, facts, standing
from diskenc_analysis.migrationlists import (
    check_list,
    other_list,
    path_list,
    vm_list,
    vm_reasons,
)
from diskenc_analysis.migrationverdict import verdict
from diskenc_analysis.outlook import outlook
from diskenc_analysis.plainrows import Row
from diskenc_analysis.steplists import steps, visible, write_runbooks
from diskenc_analysis.tables import HtmlTable, table
from diskenc_analysis.text import number
from diskenc_analysis.timeline import Slot, schedule
from diskenc_analysis.wavelists import progress_list, wave_list
from diskenc_analysis.waves import MACHINES, Effort

if TYPE_CHECKING:
    pass

__all__ = [
    "as_date",
    "assumptions",
    "check_counts",
    "check_list",
    "facts",
    "other_list",
    "outlook",
    "path_counts",
    "path_list",
    "progress_list",
    "schedule",
    "steps",
    "verdict",
    "visible",
    "vm_list",
    "vm_reasons",
    "wave_list",
    "write_runbooks",
    "write_tables",
]
_MEANINGS = {
    "mib_per_second": "throughput of the copy of one VM's disks, in MiB a second",
    "upload_hours": "fixed steps of a VM that is disabled and uploaded, without the copy and the decryption",
    "rebuild_hours": "all steps of a VM that is rebuilt",
    "replace_hours": "all steps of a session host or instance that is replaced",
    "window_hours": "length of a maintenance window",
    "parallel": "how many VMs are moved at once",
}


def path_counts(plan: Any) -> list[Row]:
    """Count the VMs by path and by what stands in their way.

    Parameters
    ----------
    plan : frame
        As `ade_migration` gives it.

    Returns
    -------
    list of dict
        `path`, `standing` and `pairs` (int).
    """
    own = lazy(plan).filter(nw.col("kind").is_in(MACHINES)).with_columns(standing=standing())
    return counted(own, ("path", "standing"))


def assumptions(effort: Effort, first: date | None, every: int) -> HtmlTable:
    """List every assumption behind hours, waves and their days.

    Parameters
    ----------
    effort : Effort
        The assumptions behind hours.
    first : date or None
        Day of the first window.
    every : int
        Days from one window to the next.

    Returns
    -------
    HtmlTable
    """
    lines = [
        {"Assumption": name, "Value": number(value), "What it is": _MEANINGS[name]}
        for name, value in asdict(effort).items()
    ]
    day = str(first) if first else "none stated"
    lines.append({"Assumption": "first_window", "Value": day, "What it is": "day of the first wave"})
    more = {"Assumption": "window_days", "Value": number(every)}
    lines.append(more | {"What it is": "days from one window to the next"})
    return table(lines, "Assumptions: none of them is measured")


def write_tables(
    folder: str | os.PathLike[str], plan: Any, slots: Sequence[Slot], progress: Any = None
) -> None:
    """Write every row behind the report as Parquet.

    Parameters
    ----------
    folder : path
        Where the files go. An empty name writes nothing, so that a notebook need not ask.
    plan : frame
        As `ade_migration` gives it.
    slots : sequence of Slot
        Its waves with their windows; without any there is no table of them.
    progress : frame or None
        As `ade_progress` gives it.

    Examples
    --------
    >>> write_tables("", None, ())
    """
    if not os.fspath(folder):
        return
    way = "What depends on Azure Disk Encryption, which way out is documented, and what stands in it?"
    write_table(folder, "ade_migration", plan, way, by=["kind", "id"])
    if slots:
        when = "Which VM is moved in which wave, in how many hours by the stated assumptions?"
        write_table(
            folder, "ade_waves", [_moved(slot, row) for slot in slots for row in slot.wave.machines], when
        )
    if progress is not None:
        became = "What became of the VMs under Azure Disk Encryption since the earlier inventory?"
        write_table(folder, "ade_progress", progress, became, by=["id"])


def _moved(slot: Slot, row: Row) -> Row:
    wave = slot.wave
    of_vm = {name: row[name] for name in ("id", "name", "path", "blocked_by", "disks", "gib", "unsized")}
    hours = None if row["hours"] is None else float(row["hours"])
    return (
        {"wave": wave.number, "group": wave.group, "day": slot.day}
        | of_vm
        | {"hours": hours, "fits_window": wave.fits, "too_late": slot.late}
    )
