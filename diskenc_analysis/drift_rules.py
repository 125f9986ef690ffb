"""What changed on one disk between two captures, and why: decided once per distinct pair of verdicts.

Unknown is never yes and never no: a step to or from it is neither a regression nor an improvement.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import NamedTuple

from diskenc_analysis.drift_causes import OF_ADE, Seen, causes, contradicted, said_in_both, vague
from diskenc_analysis.editions import capabilities, records
from diskenc_analysis.readings import FOUND_IN, INSTANCES, READ

#: The layers, and what follows from them, that are compared beside the capabilities.
LAYERS = ("sse", "host", "ade", "confidential", "key_owner", "key_store")
_SAME = {"Healthy": "yes", "Unhealthy": "no", "NotApplicable": "not_applicable"}
_READING = ("reading", "what was read of the disk, its VM or its key differs: see both evidences")
_SIBLING = ("vm", "its VM or another disk of it changed: see both evidences")
_OTHER = ("other", "another fact of the disk changed: see both evidences")
_NAMES = {
    "vms": "VMs",
    "instances": "instances of scale sets",
    "disk_encryption_sets": "disk encryption sets",
    "key_vaults": "key vaults",
    "managed_hsms": "managed HSMs",
}


class Change(NamedTuple):
    """One thing that differs between two captures of a disk.

    Attributes
    ----------
    direction : str
        One of `kinds()`.
    change : str
        `disk`, `capability` or `layer`.
    what : str
        The event, capability or layer.
    old, new : str
        Its values.
    cause, reason : str
        The first cause as one word, and all of them in words.
    """

    direction: str
    change: str
    what: str
    old: str
    new: str
    cause: str
    reason: str


@cache
def kinds() -> dict[str, dict[str, str]]:
    """Give the directions of a change with their label and meaning, regressions first.

    Examples
    --------
    >>> next(iter(kinds()))
    'regression'
    """
    return {row["direction"]: row for row in records("drift_kinds.csv")}


@cache
def _directions() -> dict[tuple[str, str, bool], str]:
    rows = records("drift_directions.csv")
    return {(row["old"], row["new"], row["protects"] == "yes"): row["direction"] for row in rows}


def direction(capability: str, old: str, new: str) -> str:
    """Say what a step of a capability means, whatever its cause.

    Parameters
    ----------
    capability : str
        One of the ten.
    old, new : str
        Answers that differ.

    Returns
    -------
    str
        One of `kinds()`.

    Examples
    --------
    >>> direction("caches", "yes", "no"), direction("caches", "unknown", "no")
    ('regression', 'now_known')
    >>> direction("no_vm_cpu", "yes", "no"), direction("defender_status", "Healthy", "Unhealthy")
    ('changed', 'regression')
    """
    protects = capabilities()[capability].protects
    return _directions()[_SAME.get(old, old), _SAME.get(new, new), protects]


Reading = Mapping[str, tuple[str, str]]


def changes(
    old: Seen | None, new: Seen | None, flags: frozenset[str], reading: Reading, then: Seen | None = None
) -> list[Change]:
    """Compare a disk in two captures.

    Parameters
    ----------
    old, new : Seen or None
        The disk in each, judged by the same edition; None where it is not there.
    flags : frozenset of str
        `recreated`, `group`, `subscription`, `name`, `vm`, `size` where these differ, `newer` where an
        added disk was made after the older capture, `instance` where a disk that came or went is one of an
        instance of a scale set. Of a disk that has several VMs, in place of `vm`: `named` where its row names
        another of them, `came` and `went` where there is one more or less.
    reading : mapping of str to (str, str)
        By table, how its subscription was read in both captures, where not whole in both.
    then : Seen, optional
        The disk in the older capture by the edition of that time, where that is another one.

    Returns
    -------
    list of Change
        Empty where nothing differs.
    """
    if old is None or new is None:
        return [_came_or_went(old, new, flags, reading)]
    flags = _of_machines(old, new, flags)
    found = [*_events(old, new, flags)]
    found += _capabilities(old, new, flags, reading)
    found += _layers(old, new, flags, reading)
    return found + _by_edition(old, then)


def _of_machines(old: Seen, new: Seen, flags: frozenset[str]) -> frozenset[str]:
    """Say whether the disk is on another VM, or shared by others (`owners`): so far as both are known.

    A VM that one capture alone names did not come or go where the other does not tell all of them.
    """
    if (old.row["attachment"], new.row["attachment"]) != ("attached", "attached"):
        return flags - {"vm"}
    sides = ("came", old), ("went", new)
    told = any(word in flags and side.value("more_owners") != "yes" for word, side in sides)
    return flags | {"owners"} if told else flags


def _came_or_went(old: Seen | None, new: Seen | None, flags: frozenset[str], reading: Reading) -> Change:
    """Tell a disk that was added or removed from one that the other capture may not have read."""
    seen = new or old
    assert seen is not None  # noqa: S101 - a pair has at least one side
    other = 0 if old is None else 1
    table = FOUND_IN[seen.row["kind"]]
    table = INSTANCES if table == "vms" and "instance" in flags else table
    words = reading.get(table, (READ, READ))[other]
    values = ("", seen.row["method"]) if old is None else (seen.row["method"], "")
    if words != READ and "newer" not in flags:
        what = ("unread_before", "unread_now")[other]
        said = (
            f"absent from the {('older', 'newer')[other]} capture, where it may not have been read: {words}"
        )
        return Change("reading", "disk", what, *values, "reading", said)
    what = ("added", "removed")[other]
    return Change(what, "disk", what, *values, what, f"the disk was {what}")


def _events(old: Seen, new: Seen, flags: frozenset[str]) -> Iterator[Change]:
    """Give what happened to the disk as a whole."""
    cases = {
        "recreated": ("recreated" in flags, "another disk stands under the same name"),
        "moved": (bool({"group", "subscription"} & flags), "the disk is in another place"),
        "renamed": ("name" in flags, "the same disk has another name"),
    }
    for what, (holds, reason) in cases.items():
        if holds:
            yield Change("changed", "disk", what, "", "", what, reason)
    places = old.row["attachment"], new.row["attachment"]
    if "vm" in flags:
        yield Change("changed", "disk", "reattached", *places, "reattached", "it is attached to another VM")
    elif "owners" in flags:
        said = "other VMs share it than before"
        yield Change("changed", "disk", "owners_changed", *places, "owners_changed", said)
    elif places[0] != places[1] and "unknown" not in places:
        what = "detached" if places[1] == "unattached" else "attached"
        yield Change("changed", "disk", what, *places, what, f"the disk was {what}")


def _capabilities(old: Seen, new: Seen, flags: frozenset[str], reading: Reading) -> Iterator[Change]:
    for name, one in capabilities().items():
        before, after = old.row[name], new.row[name]
        if before == after:
            continue
        known = causes(name, old, new, flags) or contradicted(old, new, flags)
        dark = "unknown" in (before, after) or old.row["ade"] != new.row["ade"]
        if not known and dark:
            yield Change("reading", "capability", name, before, after, "reading", _read_words(reading))
            continue
        known = known or [_SIBLING if one.counted_per == "vm" else _OTHER]
        towards = direction(name, before, after)
        yield Change(towards, "capability", name, before, after, known[0][0], _told(known))


def _layers(old: Seen, new: Seen, flags: frozenset[str], reading: Reading) -> Iterator[Change]:
    for name in LAYERS:
        before, after = old.row[name], new.row[name]
        if before == after:
            continue
        known = causes(name, old, new, flags)
        dark = "unknown" in (before, after) or vague(before, after)
        dark = dark or (name in OF_ADE and not said_in_both(old, new))
        if dark and not known:
            yield Change("reading", "layer", name, before, after, "reading", _read_words(reading))
        else:
            known = known or [_OTHER]
            yield Change("changed", "layer", name, before, after, known[0][0], _told(known))


def _by_edition(old: Seen, then: Seen | None) -> list[Change]:
    """List the answers on the older capture in which the two editions differ."""
    if then is None:
        return []
    reason = "the editions of the matrix differ on the same facts"
    return [
        Change("edition", "capability", name, then.row[name], old.row[name], "edition", reason)
        for name in capabilities()
        if then.row[name] != old.row[name]
    ]


def _told(known: list[tuple[str, str]]) -> str:
    return "; ".join(dict.fromkeys(reason for _, reason in known))


def _read_words(reading: Reading) -> str:
    """Say which tables of the subscription were read in one capture and not in the other."""
    found = []
    for table, (old, new) in reading.items():
        if old != new:
            side, words = ("newer", new) if new != READ else ("older", old)
            found.append(f"{_NAMES.get(table, table)} in the {side} capture: {words}")
    return "; ".join(found) or _READING[1]
