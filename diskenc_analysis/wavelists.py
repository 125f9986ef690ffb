"""The lists of waves, and of what became of the VMs since an earlier inventory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import narwhals as nw

from diskenc_analysis.frames import choose, lazy
from diskenc_analysis.migration_tables import paths
from diskenc_analysis.plainrows import count_rows, rows
from diskenc_analysis.progress import STATUSES
from diskenc_analysis.tables import HtmlTable, table
from diskenc_analysis.text import number
from diskenc_analysis.timeline import Slot


def wave_list(slots: Sequence[Slot], limit: int = 25) -> HtmlTable:
    """List the waves with their windows.

    Parameters
    ----------
    slots : sequence of Slot
        As `timeline.schedule` gives them.
    limit : int
        Most rows shown.

    Returns
    -------
    HtmlTable
    """
    fits, late = (
        {True: "yes", False: "longer", None: "not known"},
        {True: "yes", False: "no", None: "not known"},
    )
    lines = [
        {
            "Wave": slot.wave.number,
            "Group": slot.wave.group,
            "Day": slot.day,
            "VMs": len(slot.wave.machines),
            "GiB": sum(row["gib"] for row in slot.wave.machines),
            "Paths": _paths_of(slot),
            "Something in the way": sum(bool(row["blocked_by"]) for row in slot.wave.machines),
            "Hours": slot.wave.hours,
            "Fits the window": fits[slot.wave.fits],
            "Left after it": slot.left,
            "Too late": late[slot.late],
        }
        for slot in slots[:limit]
    ]
    return table(lines, "Waves", limit=limit, total=len(slots), sheet="ade_waves")


def _paths_of(slot: Slot) -> str:
    by = Counter(paths()[row["path"]]["short"] for row in slot.wave.machines)
    return "; ".join(f"{words} {number(n)}" for words, n in sorted(by.items()))


def progress_list(found: Any, limit: int = 25) -> HtmlTable | None:
    """List the VMs that left Azure Disk Encryption or came under it since an earlier inventory.

    Parameters
    ----------
    found : frame or None
        As `ade_progress` gives it; None where there is no earlier inventory.
    limit : int
        Most rows shown.

    Returns
    -------
    HtmlTable or None
        Those that are new first, and those that stayed last.
    """
    if found is None:
        return None
    order = ("new", "found", "unknown", "gone", "off", "still")
    ranks = [(nw.col("status") == name, f"{at}") for at, name in enumerate(order)]
    ordered = lazy(found).with_columns(_rank=choose(ranks, "9")).sort("_rank", "id")
    lines = [
        {
            "VM": row["name"],
            "Subscription": row["subscription_name"] or row["subscription_id"],
            "What became of it": STATUSES[row["status"]],
            "Before": row["before"].replace("_", " "),
            "Now": row["now"].replace("_", " "),
        }
        for row in rows(nw.to_native(ordered), limit)
    ]
    return table(
        lines, "VMs by what became of them", limit=limit, total=count_rows(found), sheet="ade_progress"
    )
