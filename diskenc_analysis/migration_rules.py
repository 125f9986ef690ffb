"""The way out of Azure Disk Encryption, decided once per combination of facts.

What is decided is data: see `migration_tables`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from diskenc_analysis.conditions import opted_in
from diskenc_analysis.layers import Facts
from diskenc_analysis.migration_tables import answer, checks, paths, states, verdict

#: Which state of several disks is that of their VM.
_STATES = ("on", "preview", "unknown", "was_on", "copied")
_ROLES = {("os",): "os", ("data",): "data", ("data", "os"): "all"}
_STOPPED = ("deallocated", "stopped")


@dataclass(frozen=True)
class Mark:
    """What one disk has to do with Azure Disk Encryption.

    Attributes
    ----------
    state : str
        `on`, `unknown`, `was_on`, `copied` or `off`.
    role, kek, os : str
        Of the disk; `kek` says whether its key is wrapped by a key encryption key.
    status : str
        What the instance view says of it: `encrypted`, `not_encrypted`, `unclear` or `none`.
    evidence, conflicts : str
        What decided, joined by `; `.
    """

    state: str
    role: str
    kek: str
    os: str
    status: str
    evidence: str
    conflicts: str


def judge_machine(facts: Facts, marks: Sequence[Mark], as_of: date | None) -> dict[str, str]:
    """Decide state, scope, path, checks and verdict of one VM.

    Parameters
    ----------
    facts : mapping
        The facts of the VM, as `migration_facts.machines` gives them.
    marks : sequence of Mark
        Of its disks, each combination once.
    as_of : date or None
        The day that the verdict speaks for.

    Returns
    -------
    dict of str to str
        `state`, `scope`, `os`, `generation`, `kek`, `path`, `reason`, `must_do`, `alternative`, `severity`,
        `verdict`, `blocked_by`, `not_known`, `evidence`, `conflicts`, and one answer per check.
    """
    state = _state(facts, marks)
    scope, system = _scope(state, marks, facts), _system(facts, marks)
    os_on = any(mark.state == "on" and mark.role == "os" for mark in marks)
    path, reason = _path(state, scope, system, facts, os_on=os_on)
    known = {**facts, "decrypted": _decrypted(marks)}
    answers = {check: answer(check, known[check], path) for check in checks()}
    blocking = [check for check in answers if answers[check] == "blocks"]
    keks = {mark.kek for mark in marks if mark.state == "on"}
    return {
        "state": state,
        "scope": scope,
        "os": system,
        "generation": facts["generation"],
        "kek": keks.pop() if len(keks) == 1 else "differs" if keks else "",
        "path": path,
        "reason": reason,
        "must_do": "; ".join([paths()[path]["words"], *(checks()[check]["must_do"] for check in blocking)]),
        "alternative": _alternative(state, path, facts),
        **verdict(state, as_of, stopped=facts["power"] in _STOPPED),
        "blocked_by": "; ".join(blocking),
        "not_known": "; ".join(check for check in answers if answers[check] == "unknown"),
        "evidence": _joined(mark.evidence for mark in marks),
        "conflicts": _joined(mark.conflicts for mark in marks),
        **answers,
    }


def _joined(texts: Iterable[str]) -> str:
    return "; ".join(sorted({part for text in texts for part in text.split("; ") if part}))


def _state(facts: Facts, marks: Sequence[Mark]) -> str:
    there = {mark.state for mark in marks}
    opted = opted_in({**facts, "ade_states": "+".join(sorted(there))})
    if facts["vm_kind"] == "confidential" and facts["ext"] in ("enable", "unclear") and opted is not False:
        there.add("preview")
    return next((state for state in _STATES if state in there), "leftover")


def _scope(state: str, marks: Sequence[Mark], facts: Facts) -> str:
    """Name the volumes that are under Azure Disk Encryption, or were; a disk in doubt leaves it unknown.

    So does an OS disk that nothing speaks of, where neither it nor its VM was read.
    """
    roles = {mark.role for mark in marks if mark.state == state}
    unsure = {mark.role for mark in marks if mark.state == "unknown"} if state == "on" else set()
    unsure |= set() if facts["os_disk"] == "seen" else {"os"}
    if state in ("preview", "leftover"):
        return "none"
    return "unknown" if unsure - roles else _ROLES.get(tuple(sorted(roles)), "unknown")


def _decrypted(marks: Sequence[Mark]) -> str:
    statuses = {mark.status for mark in marks}
    if "encrypted" in statuses:
        return "encrypted"
    return "not_encrypted" if statuses == {"not_encrypted"} else ""


def _system(facts: Facts, marks: Sequence[Mark]) -> str:
    own = {mark.os for mark in marks if mark.role == "os"} - {"unknown"}
    if len(own) == 1:
        return own.pop()
    return facts["vm_os"] if facts["vm_os"] in ("windows", "linux") else "unknown"


def _path(state: str, scope: str, system: str, facts: Facts, *, os_on: bool) -> tuple[str, str]:
    """Choose the documented path, and say why; the first case that holds decides."""
    missing = "operating system" if system == "unknown" else "scope"
    cases = (
        (state == "preview", "undocumented", "the extension alone switches on the temp disk preview [L6]"),
        (state == "unknown", "read_first", "whether it is under Azure Disk Encryption was not read"),
        (
            facts["in_set"] == "yes" and state != "leftover",
            "replace_set",
            "instance of a scale set: only new instances take encryption at host",
        ),
        (
            state != "on",
            "new_disks",
            f"{states()[state]['words']}: the same disks are refused by encryption at host",
        ),
        (
            facts["session_host"] == "yes",
            "replace_host",
            "Azure Virtual Desktop session host: replaced, not moved",
        ),
        (system == "windows", "upload", "Windows: can be decrypted, whichever disks are encrypted"),
        (scope == "data", "upload", "data disks alone are encrypted: can be decrypted on Linux too"),
        (
            system == "linux" and os_on,
            "rebuild",
            "Linux with an encrypted OS disk: cannot be decrypted",
        ),
        (True, "read_first", f"under Azure Disk Encryption, but its {missing} was not read"),
    )
    return next((path, reason) for holds, path, reason in cases if holds)


def _alternative(state: str, path: str, facts: Facts) -> str:
    """Name the other target that the retirement notice suggests; a new VM is needed for it in any case."""
    if state != "on" or path == "replace_set":
        return ""
    known = {"yes": "sizes are offered in the region", "no": "no size is offered in the region"}
    return (
        f"new confidential VM: {known.get(facts['confidential_size'], 'sizes of the region were not read')}"
    )


def judge_copy(kind: str, mark: Mark, as_of: date | None) -> dict[str, str]:
    """Decide the path of what is no VM: an unattached disk, a snapshot, an image, a backup.

    Parameters
    ----------
    kind : str
        `disk`, `snapshot`, `restore_point`, `image`, `image_version`, `backup_item` or `scale_set`.
    mark : Mark
        Of the disk itself, or of what it was taken of.
    as_of : date or None
        The day that the verdict speaks for.

    Returns
    -------
    dict of str to str
        As `judge_machine` gives it.
    """
    path = _OF_KIND[kind]
    if mark.state == "preview":
        path = "undocumented"
    if kind == "disk" and mark.state != "on":
        path = "read_first" if mark.state == "unknown" else "new_disks"
    said = verdict(mark.state, as_of)
    if said["verdict"] == states()["on"]["verdict_after"]:
        said["verdict"] = "encrypted, will not unlock on a VM that is started"
    return {
        "state": mark.state,
        "scope": mark.role if mark.role in ("os", "data") else "unknown",
        "os": mark.os,
        "generation": "",
        "kek": mark.kek if mark.state == "on" else "",
        "path": path,
        "reason": f"{kind.replace('_', ' ')}: {states()[mark.state]['words']}",
        "must_do": paths()[path]["words"],
        "alternative": "",
        **said,
        "blocked_by": "",
        "not_known": "",
        "evidence": mark.evidence,
        "conflicts": mark.conflicts,
        **dict.fromkeys(checks(), "not_applicable"),
    }


_OF_KIND: Mapping[str, str] = {
    "disk": "rescue",
    "snapshot": "retake",
    "restore_point": "retake",
    "image": "recapture",
    "image_version": "recapture",
    "backup_item": "new_backup",
    "scale_set": "replace_set",
}
