"""The numbers of the report on the way out of Azure Disk Encryption, counted and as data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import narwhals as nw

from diskenc_analysis.frames import Frame, choose, lazy
from diskenc_analysis.migration_tables import RETIREMENT, as_date, checks, days_left, states
from diskenc_analysis.outlook import Outlook
from diskenc_analysis.plainrows import Row, rows
from diskenc_analysis.progress import counts as progress_counts
from diskenc_analysis.results import sources
from diskenc_analysis.timeline import Slot
from diskenc_analysis.waves import MACHINES, Effort

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

_NO_PATH = ("read_first", "undocumented")


def counted(frame: Frame, by: Sequence[str], sums: Sequence[str] = ()) -> list[Row]:
    """Count the rows of a frame by columns of text without nulls, and sum other columns; sorted."""
    added = {name: nw.col(name).sum() for name in ("pairs", *sums)}
    grouped = frame.select(*by, *sums, pairs=nw.lit(1)).group_by(*by).agg(*added.values()).sort(*by)
    return rows(nw.to_native(grouped))


def standing() -> nw.Expr:
    """Say of each row of a plan whether anything stands in its way: `blocked`, `unknown` or `clear`.

    Where the path itself is not known nothing is clear; what is no VM is `not_asked`.
    """
    dark = (nw.col("not_known") != "") | nw.col("path").is_in(_NO_PATH)
    asked = nw.col("kind").is_in(MACHINES)
    return choose(
        [(~asked, "not_asked"), (nw.col("blocked_by") != "", "blocked"), (dark, "unknown")], "clear"
    )


def tally(plan: Any) -> list[Row]:
    """Count the rows of a plan by kind, state, path and standing.

    Parameters
    ----------
    plan : frame
        As `ade_migration` gives it.

    Returns
    -------
    list of dict
        `kind`, `state`, `path`, `severity`, `standing` and `pairs`, `disks`, `unsized` (int), `gib` (float).
    """
    by = ("kind", "state", "path", "severity", "standing")
    return counted(lazy(plan).with_columns(standing=standing()), by, ("disks", "unsized", "gib"))


def check_counts(plan: Any) -> list[Row]:
    """Count the answers of each check over the VMs that are under Azure Disk Encryption.

    Parameters
    ----------
    plan : frame
        As `ade_migration` gives it.

    Returns
    -------
    list of dict
        `check`, `answer` and `pairs` (int).
    """
    due = lazy(plan).filter(nw.col("kind").is_in(MACHINES), nw.col("state") == "on")
    found = counted(due, tuple(checks()))
    by: Counter[tuple[str, str]] = Counter()
    for row in found:
        by.update({(name, row[name]): row["pairs"] for name in checks()})
    return [{"check": name, "answer": answer, "pairs": n} for (name, answer), n in sorted(by.items())]


def facts(
    inv: Inventory,
    plan: Any,
    slots: Sequence[Slot],
    seen: Outlook,
    effort: Effort,
    as_of: str = "",
) -> dict[str, Any]:
    """Gather the numbers of the report.

    Parameters
    ----------
    inv : Inventory
        What was read.
    plan, slots, seen
        As for `verdict`.
    effort : Effort
        The assumptions behind hours.
    as_of : str
        The day that the report speaks for, or empty.

    Returns
    -------
    dict
        JSON primitives only.
    """
    return {
        "as_of": as_of or None,
        "retirement": str(RETIREMENT),
        "days_left": days_left(as_date(as_of)),
        "left": seen.left,
        "not_known": seen.unsure,
        "states": {state: row["words"] for state, row in states().items()},
        "plan": tally(plan),
        "checks": check_counts(plan),
        "assumptions": {line["Assumption"]: line["Value"] for line in effort.lines()},
        "waves": [_wave(slot) for slot in slots],
        "progress": None if seen.progress is None else progress_counts(seen.progress),
        "run_out": {
            "points": [{"day": str(point.day), "vms": point.vms} for point in seen.line.points],
            "ends": str(seen.line.ends) if seen.line.ends else None,
            "said": seen.line.said,
        },
        "ledger": dict(inv.totals) | {"files": sources(inv)},
    }


def _wave(slot: Slot) -> Row:
    wave = slot.wave
    return {
        "wave": wave.number,
        "group": wave.group,
        "vms": len(wave.machines),
        "hours": wave.hours,
        "fits": wave.fits,
        "day": str(slot.day) if slot.day else None,
        "left": slot.left,
        "late": slot.late,
    }
