"""The lists of the report on the way out of Azure Disk Encryption: who depends on it, by which path, when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import narwhals as nw

from diskenc_analysis.folded import Lists
from diskenc_analysis.frames import choose, lazy
from diskenc_analysis.migration_tables import checks, paths, states
from diskenc_analysis.migrationcounts import check_counts, tally
from diskenc_analysis.migrationverdict import KINDS
from diskenc_analysis.plainrows import Row, count_rows, rows
from diskenc_analysis.tables import HtmlTable, table
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
    waves = {row["id"]: (slot.wave.number, row["hours"]) for slot in slots for row in slot.wave.machines}
    found, total = _vms(plan, limit)
    lines = [
        {
            "VM": row["name"],
            "Where": _where(row),
            "Depends on it": _depends(row),
            "Path": paths()[row["path"]]["short"],
            "In the way": _labels(row["blocked_by"]),
            "GiB": row["gib"],
            "Hours": waves.get(row["id"], (None, None))[1],
            "Wave": waves.get(row["id"], (None, None))[0],
            "Severity": f"{row['severity']}: {row['verdict']}",
        }
        for row in found
    ]
    return table(lines, "VMs and instances of scale sets", limit=limit, total=total, sheet=_SHEET)


def vm_reasons(plan: Any, limit: int = 25) -> Lists:
    """List why each VM has its path, what is not known of it, and what is to be done.

    Parameters
    ----------
    plan : frame
        As `ade_migration` gives it.
    limit : int
        Most rows shown.

    Returns
    -------
    Lists
        In the order of `vm_list`.
    """
    found, total = _vms(plan, limit)
    lines = [
        {
            "VM": row["name"],
            "Why this path, and the evidence": _joined(row, "reason", "evidence", "conflicts"),
            "Not known": _labels(row["not_known"]),
            "To do": row["must_do"],
            "Or": row["alternative"] or "–",
        }
        for row in found
    ]
    shown = table(lines, "VMs with their reasons", limit=limit, total=total, sheet=_SHEET)
    parts = (("Why, what is not known, and what is to be done", shown),) if lines else ()
    return Lists(parts, "No VM depends on it.")


def _joined(row: Row, *names: str) -> str:
    return "; ".join(row[name] for name in names if row[name])


def _vms(plan: Any, limit: int) -> tuple[list[Row], int]:
    own = lazy(plan).filter(nw.col("kind").is_in(MACHINES))
    return rows(nw.to_native(_gravest(own)), limit), count_rows(nw.to_native(own))


def _gravest(frame: Any) -> Any:
    ranks = [(nw.col("severity") == name, f"{at}") for at, name in enumerate(_SEVERITIES)]
    free = choose([(nw.col("blocked_by") != "", "0")], "1")
    return frame.with_columns(_rank=choose(ranks, "9"), _free=free).sort("_rank", "_free", "id")


def _where(row: Row) -> str:
    return f"{row['subscription_name'] or row['subscription_id']} / {row['resource_group']}"


def _depends(row: Row) -> str:
    """Say what of a VM is, or was, under Azure Disk Encryption, and how."""
    state = "" if row["state"] == "on" else states()[row["state"]]["words"]
    if row["state"] in ("preview", "leftover"):
        return state
    kek = {"yes": "key encryption key", "no": "no key encryption key", "differs": "keys differ by disk"}
    parts = [
        _SCOPES.get(row["scope"], "volumes not known"),
        row["os"].capitalize() if row["os"] != "unknown" else "system not known",
        _GENERATIONS.get(row["generation"], ""),
        kek.get(row["kek"], ""),
        state,
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
