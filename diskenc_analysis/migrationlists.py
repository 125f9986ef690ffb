"""The lists of the report on the way out of Azure Disk Encryption: who depends on it, by which path, when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import narwhals as nw

from diskenc_analysis.frames import choose, lazy
from diskenc_analysis.migration_tables import checks, paths, states
from diskenc_analysis.migrationverdict import KINDS, check_counts, tally
from diskenc_analysis.progress import STATUSES
from diskenc_analysis.tables import HtmlTable, table
from diskenc_analysis.text import Row, count_rows, number, rows
from diskenc_analysis.timeline import Slot
from diskenc_analysis.waves import MACHINES

_SEVERITIES = ("critical", "high", "medium", "low")
_SCOPES = {"os": "OS disk", "data": "data disks", "all": "OS and data disks", "none": "no disk"}
_GENERATIONS = {"entra": "with Entra app", "current": "current generation"}
_SHEET = "ade_migration"


def path_list(plan: Any) -> HtmlTable:
    """List the paths that are taken, with what is to be done.

    Parameters
    ----------
    plan : frame
        As `ade_migration` gives it.

    Returns
    -------
    HtmlTable
        The paths of VMs first, each with its source.
    """
    vms: Counter[str] = Counter()
    others: Counter[str] = Counter()
    for row in tally(plan):
        (vms if row["kind"] in MACHINES else others)[row["path"]] += row["pairs"]
    lines = [
        {
            "Path": path["words"],
            "For": path["scope"],
            "VMs": vms[name],
            "Others": others[name],
            "Downtime": path["downtime"],
            "Steps": path["steps"],
            "Source": path["source"],
        }
        for name, path in sorted(paths().items(), key=lambda item: -vms[item[0]])
        if vms[name] or others[name]
    ]
    return table(lines, "Paths, and what each takes")


def check_list(plan: Any) -> HtmlTable:
    """List what may stand in the way of the VMs that are under Azure Disk Encryption.

    Parameters
    ----------
    plan : frame
        As `ade_migration` gives it.

    Returns
    -------
    HtmlTable
        One row per check, with the fields that it reads and its source.
    """
    found = {(row["check"], row["answer"]): row["pairs"] for row in check_counts(plan)}
    answers = {
        "In the way": "blocks",
        "Not known": "unknown",
        "Clear": "clear",
        "Not asked": "not_applicable",
    }
    lines = [
        {"Check": rule["label"]}
        | {words: found.get((name, answer), 0) for words, answer in answers.items()}
        | {"What to do": rule["must_do"], "Reads": rule["field"], "Source": rule["source"]}
        for name, rule in checks().items()
    ]
    return table(lines, "Checks of the VMs that are under Azure Disk Encryption")


def vm_list(plan: Any, slots: Sequence[Slot], limit: int = 25) -> HtmlTable:
    """List the VMs, the gravest first, then those with something in the way.

    Parameters
    ----------
    plan : frame
        As `ade_migration` gives it.
    slots : sequence of Slot
        Its waves with their windows.
    limit : int
        Most rows shown.

    Returns
    -------
    HtmlTable
    """
    own = lazy(plan).filter(nw.col("kind").is_in(MACHINES))
    waves = {row["id"]: (slot.wave.number, row["hours"]) for slot in slots for row in slot.wave.machines}
    lines = [
        {
            "VM": row["name"],
            "Where": _where(row),
            "Depends on it": _depends(row),
            "Path": f"{paths()[row['path']]['short']}: {row['reason']}",
            "In the way": _labels(row["blocked_by"]),
            "Not known": _labels(row["not_known"]),
            "To do": row["must_do"],
            "GiB": row["gib"],
            "Hours": waves.get(row["id"], ("", None))[1],
            "Wave": waves.get(row["id"], (None, None))[0],
            "Severity": f"{row['severity']}: {row['verdict']}",
            "Evidence": "; ".join(filter(None, (row["evidence"], row["conflicts"], row["alternative"]))),
        }
        for row in rows(nw.to_native(_gravest(own)), limit)
    ]
    total = count_rows(nw.to_native(own))
    return table(lines, "VMs and instances of scale sets", limit=limit, total=total, sheet=_SHEET)


def _gravest(frame: Any) -> Any:
    ranks = [(nw.col("severity") == name, f"{at}") for at, name in enumerate(_SEVERITIES)]
    free = choose([(nw.col("blocked_by") != "", "0")], "1")
    return frame.with_columns(_rank=choose(ranks, "9"), _free=free).sort("_rank", "_free", "id")


def _where(row: Row) -> str:
    return f"{row['subscription_name'] or row['subscription_id']} / {row['resource_group']}"


def _depends(row: Row) -> str:
    """Say what of a VM is, or was, under Azure Disk Encryption, and how."""
    if row["state"] in ("preview", "leftover"):
        return states()[row["state"]]["words"]
    kek = {"yes": "key encryption key", "no": "no key encryption key", "differs": "keys differ by disk"}
    parts = [
        states()[row["state"]]["words"],
        _SCOPES.get(row["scope"], "volumes not known"),
        row["os"].capitalize() if row["os"] != "unknown" else "system not known",
        _GENERATIONS.get(row["generation"], ""),
        kek.get(row["kek"], ""),
    ]
    return ", ".join(filter(None, parts))


def _labels(names: str) -> str:
    return "; ".join(checks()[name]["short"] for name in names.split("; ") if name) or "–"


def other_list(plan: Any, limit: int = 25) -> HtmlTable:
    """List what depends on Azure Disk Encryption and is no VM, the gravest first.

    Parameters
    ----------
    plan : frame
        As `ade_migration` gives it.
    limit : int
        Most rows shown.

    Returns
    -------
    HtmlTable
    """
    rest = lazy(plan).filter(~nw.col("kind").is_in(MACHINES))
    lines = [
        {
            "What": KINDS[row["kind"]][0],
            "Name": row["name"],
            "Where": _where(row),
            "Of the VM": (row["vm_id"] or "–").rpartition("/")[2],
            "State": states()[row["state"]]["words"],
            "Path": row["must_do"],
            "Severity": f"{row['severity']}: {row['verdict']}",
            "Evidence": row["evidence"] or "–",
        }
        for row in rows(nw.to_native(_gravest(rest)), limit)
    ]
    caption = "Scale sets, unattached disks, snapshots, restore points, images, backup items"
    total = count_rows(nw.to_native(rest))
    return table(lines, caption, limit=limit, total=total, sheet=_SHEET)


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
