"""Which facts of a disk are known to have changed between two captures, by `data/drift_causes.csv`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from diskenc_analysis.editions import records

#: Words of facts and layers that say nothing of the disk.
_DARK = frozenset(
    ("", "unknown", "unread", "unclear", "doubt", "no_row", "missing", "unstated", "unrecognised")
)

#: Facts and layers that Azure Disk Encryption decides where it is on: its key goes unseen together with it.
OF_ADE = frozenset(("ade", "kek", "key_owner", "key_store"))


@dataclass(frozen=True)
class Seen:
    """A disk as one capture shows it.

    Attributes
    ----------
    row : mapping
        Layers and capabilities, as columns of the coverage frame.
    facts : mapping
        The facts that were judged.
    """

    row: Mapping[str, str]
    facts: Mapping[str, str]

    def value(self, name: str) -> str:
        """Give a layer or a fact by name."""
        return self.row[name] if name in self.row else self.facts.get(name, "")


def causes(capability: str, old: Seen, new: Seen, flags: frozenset[str]) -> list[tuple[str, str]]:
    """Name the facts that changed and on which a capability rests.

    Parameters
    ----------
    capability : str
        One of the ten, or a layer.
    old, new : Seen
        The disk in both captures.
    flags : frozenset of str
        Which of `recreated`, `vm`, `owners`, `size` ... differ, see `drift_rules.changes`.

    Returns
    -------
    list of (cause, reason)
        Empty where no fact is known to have changed.
    """
    listed = [row for row in _causes() if "*" in row["what"] or capability in row["what"]]
    return [(row["cause"], row["reason"]) for row in listed if _holds(row, old, new, flags)]


@cache
def cause_labels() -> dict[str, str]:
    """Give each cause in few words, for charts.

    Examples
    --------
    >>> cause_labels()["host_off"], cause_labels()["reading"]
    ('Host encryption off', 'Only the reading')
    """
    more = {"reading": "Only the reading", "conflict": "A contradiction", "edition": "Edition of the matrix"}
    more |= {"vm": "Its VM, or another disk of it", "other": "Another fact of the disk"}
    return {row["cause"]: row["label"] for row in records("drift_causes.csv")} | more


@cache
def _causes() -> tuple[dict[str, Any], ...]:
    rows = records("drift_causes.csv")
    return tuple(row | {"what": frozenset(row["what"].split("|"))} for row in rows)


#: By what a fact needs to speak of the same machines, the flags that say it does not: of the `one` VM that
#: the row names, or of `all` VMs of a shared disk, whichever its row names.
_OTHER_VM = {
    "": frozenset[str](),
    "one": frozenset(("vm", "named", "came", "went")),
    "all": frozenset(("vm", "came", "went")),
}


def _holds(row: Mapping[str, Any], old: Seen, new: Seen, flags: frozenset[str]) -> bool:
    names, _, more = row["fact"].partition(":")
    if flags & _OTHER_VM[row["same_vm"]]:  # the facts of two VMs differ: nothing was switched on either
        return False
    if names.startswith("+") and names[1:] not in flags:
        return False
    if names in ("+vm", "+owners"):
        # Azure Disk Encryption is the disk's own: that it was not read again has nothing to do with the VM.
        return said_in_both(old, new) or bool(_steps("host", old, new))
    names = more if names.startswith("+") else names
    if not names:
        return True
    if not any(_among(a, row["old"]) and _among(b, row["new"]) for a, b in _steps(names, old, new)):
        return False
    return names not in OF_ADE or said_in_both(old, new)


def _steps(names: str, old: Seen, new: Seen) -> list[tuple[str, str]]:
    """Give the values that differ and are known on both sides."""
    found = [(old.value(name), new.value(name)) for name in names.split("|")]
    return [step for step in found if step[0] != step[1] and not _DARK & set(step) and not vague(*step)]


def vague(old: str, new: str) -> bool:
    """Say whether one of two values only says less than the other: a vault of unread SKU may be the same.

    Examples
    --------
    >>> vague("key_vault", "key_vault_premium"), vague("key_vault", "managed_hsm")
    (True, False)
    """
    vaults = all(store.startswith("key_vault") for store in (old, new))
    return vaults and old != new and "key_vault" in (old, new)


def _among(value: str, listed: str) -> bool:
    return listed == "*" or value in listed.split("|")


def said_in_both(old: Seen, new: Seen) -> bool:
    """Say whether the source that says "on" in one capture was read in the other one too (RULES L3).

    Azure Disk Encryption may be told by the instance view or the extension alone. Where that was not
    read again, `off` rests on less than `on` did, and the step between them says nothing of the disk.
    """
    on, other = (old, new) if old.row["ade"] == "on" else (new, old)
    if on.row["ade"] == other.row["ade"]:
        return True
    if on.row["ade"] != "on" or other.row["ade"] == "was_on" or on.facts["flag"] == "on":
        return True
    if on.facts.get("vm_flag") == "on":
        return other.facts.get("seen") == "yes"
    if on.facts.get("status") == "encrypted":
        return other.facts.get("status") != "none"
    return other.facts.get("ext") not in ("", "unread", None)


def contradicted(old: Seen, new: Seen, flags: frozenset[str]) -> list[tuple[str, str]]:
    """Name the contradiction that a change of layers brought or ended (RULES L8).

    Where the layers themselves did not change, a contradiction comes of what else was read.
    """
    layers = ("sse", "host", "ade", "confidential")
    if old.row["conflicts"] == new.row["conflicts"]:
        return []
    if not any(causes(name, old, new, flags) for name in layers if old.row[name] != new.row[name]):
        return []
    return [("conflict", "its layers changed, and contradict each other in one of the captures")]
