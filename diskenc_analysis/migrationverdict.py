"""The verdict of the report on the way out of Azure Disk Encryption, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from diskenc_analysis.migration_tables import RETIREMENT, as_date, days_left, paths
from diskenc_analysis.migrationcounts import tally
from diskenc_analysis.outlook import Outlook
from diskenc_analysis.plainrows import Row
from diskenc_analysis.progress import STATUSES
from diskenc_analysis.progress import counts as progress_counts
from diskenc_analysis.text import amount, number
from diskenc_analysis.timeline import Slot
from diskenc_analysis.verdict import Verdict
from diskenc_analysis.waves import MACHINES

if TYPE_CHECKING:
    pass

#: Kinds of the plan, for one and for several.
KINDS = {
    "vm": ("VM", "VMs"),
    "instance": ("instance of a scale set", "instances of scale sets"),
    "scale_set": ("scale set", "scale sets"),
    "disk": ("unattached disk", "unattached disks"),
    "snapshot": ("snapshot", "snapshots"),
    "restore_point": ("restore point", "restore points"),
    "image": ("image", "images"),
    "image_version": ("image version", "image versions"),
    "backup_item": ("backup item", "backup items"),
}
_PAST = ("was_on", "copied", "leftover")


def verdict(plan: Any, slots: Sequence[Slot], seen: Outlook, as_of: str = "") -> Verdict:
    """Put the way out into words.

    Parameters
    ----------
    plan : frame
        As `ade_migration` gives it.
    slots : sequence of Slot
        Its waves with their windows.
    seen : Outlook
        What is left, and how it came to that.
    as_of : str
        The day that the report speaks for, or empty.

    Returns
    -------
    Verdict
        The first sentence is the conclusion; what was not read is said.
    """
    found = tally(plan)
    own = [row for row in found if row["kind"] in MACHINES]
    due = [row for row in own if row["state"] == "on"]
    said = [_first(seen, as_of), _open(seen)]
    if due:
        said += [_ways(due), _standing(due), _waves(slots)]
    said += [_others(found), _apart(own), _progress(seen), *_line(seen, due=bool(due))]
    return Verdict(tuple(sentence for sentence in said if sentence))


def _first(seen: Outlook, as_of: str) -> str:
    left = days_left(as_date(as_of))
    if not seen.left:
        return "No VM is known to depend on Azure Disk Encryption."
    depends = f"{amount(seen.left, 'vms')} depend{'s' if seen.left == 1 else ''} on Azure Disk Encryption"
    if left is None:
        return f"{depends}, which retires on {RETIREMENT}."
    if left > 0:
        return f"{depends}, which retires in {number(left)} day{'' if left == 1 else 's'}, on {RETIREMENT}."
    return f"{depends}, which retired on {RETIREMENT}: none of them will unlock after a reboot."


def _open(seen: Outlook) -> str:
    return f"Of {amount(seen.unsure, 'vms')} it is not known." if seen.unsure else ""


def _ways(due: Sequence[Row]) -> str:
    by: Counter[str] = Counter()
    for row in due:
        by[row["path"]] += row["pairs"]
    listed = "; ".join(f"{paths()[path]['short'].lower()} {number(n)}" for path, n in by.most_common())
    gib, disks, unsized = (sum(row[name] for row in due) for name in ("gib", "disks", "unsized"))
    size = f"{amount(gib, 'gib')} on {amount(disks, 'disks')} are to be moved"
    return f"Their ways out: {listed}. {size}{f', {number(unsized)} of unknown size' if unsized else ''}."


def _standing(due: Sequence[Row]) -> str:
    by = {
        n: sum(row["pairs"] for row in due if row["standing"] == n) for n in ("clear", "unknown", "blocked")
    }
    clear, dark, blocked = (number(n) for n in by.values())
    return f"Something stands in the way of {blocked}, something is not known of {dark}, {clear} are clear."


def _waves(slots: Sequence[Slot]) -> str:
    if not slots:
        return ""
    long, open_ = (sum(slot.wave.fits is fits for slot in slots) for fits in (False, None))
    said = f"By the assumptions below they make {number(len(slots))} wave{'' if len(slots) == 1 else 's'}"
    notes = [f"{number(long)} longer than a window"] if long else []
    notes += [f"{number(open_)} of unknown hours"] if open_ else []
    said += f" ({', '.join(notes)})" if notes else ""
    if slots[0].day is None:
        return f"{said}; no day is stated for the first."
    late = sum(slot.late is True for slot in slots)
    last = slots[-1].day or "a day beyond a hundred years"
    end = f"{number(late)} of them on {RETIREMENT} or later" if late else f"all begin before {RETIREMENT}"
    return f"{said}, from {slots[0].day} to {last}: {end}."


def _others(found: Sequence[Row]) -> str:
    by = Counter({kind: 0 for kind in KINDS if kind not in MACHINES})
    for row in found:
        if row["kind"] in by and row["state"] == "on":
            by[row["kind"]] += row["pairs"]
    listed = ", ".join(f"{number(n)} {KINDS[kind][n != 1]}" for kind, n in by.items() if n)
    return f"Beside VMs, what stays encrypted or was made of them: {listed}." if listed else ""


def _apart(own: Sequence[Row]) -> str:
    past, preview = (
        sum(row["pairs"] for row in own if row["state"] in names) for names in (_PAST, ("preview",))
    )
    said = [f"{amount(past, 'vms')} off it or copied from it (new disks only if more is wanted)"] * (past > 0)
    said += [f"{amount(preview, 'vms')} with the temp disk preview alone (not documented)"] * (preview > 0)
    return f"Besides: {'; '.join(said)}." if said else ""


def _line(seen: Outlook, *, due: bool) -> list[str]:
    captures = f"capture{'' if seen.left_out == 1 else 's'} of the history, not counted here,"
    reads = "reads" if seen.left_out == 1 else "read"
    note = f"{number(seen.left_out)} {captures} {reads} other parts than the newest." if seen.left_out else ""
    return [seen.line.said, note] if due or seen.progress is not None or len(seen.line.points) > 1 else []


def _progress(seen: Outlook) -> str:
    if seen.progress is None:
        return ""
    by = progress_counts(seen.progress)
    listed = "; ".join(f"{STATUSES[name].lower()} {number(n)}" for name, n in by.items() if n)
    return f"Since the earlier inventory: {listed or 'none before and none now'}.".replace("vm", "VM")
