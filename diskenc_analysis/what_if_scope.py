"""Which VMs and disks a change on paper reaches, and what is left as it is because it cannot be judged."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import narwhals as nw

from diskenc_analysis.errors import ParameterError
from diskenc_analysis.facts import disk_facts
from diskenc_analysis.frames import Frame, fresh, given, key_of, lazy, rows_of
from diskenc_analysis.grouping import group_of

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

Where = Mapping[str, str | Sequence[str]]
#: Why something that was chosen is not changed, with the words for one and for several of them.
LEFT_OUT = {
    "unread_vm": ("VM that is not in the inventory", "VMs that are not in the inventory"),
    "no_vm": ("attached disk whose VM is not named", "attached disks whose VM is not named"),
    "shared": (
        "disk that is shared with a VM which is not changed",
        "disks that are shared with a VM which is not changed",
    ),
    "unread_disk": ("disk that a VM alone lists", "disks that a VM alone lists"),
    "old_disk": (
        "disk that is or was under Azure Disk Encryption and takes a customer's key only as a new disk",
        "disks that are or were under Azure Disk Encryption and take a customer's key only as new disks",
    ),
}
_MARKED = ("on", "was_on")
_CUSTOMER = ("customer", "platform_and_customer")

_FORM = 'expected an object of columns and values, such as {"subscription_name": "prod"}'


def parse_where(text: str) -> Where:
    """Read which disks a change is for.

    Parameters
    ----------
    text : str
        JSON: columns of the coverage frame, or `tag:NAME`, with a value or a list of values; empty for all.

    Returns
    -------
    dict of str to str or list of str

    Raises
    ------
    ParameterError
        When it is anything else.

    Examples
    --------
    >>> parse_where('{"location": ["north", "south"]}')
    {'location': ['north', 'south']}
    """
    try:
        found = json.loads(text or "{}")
    except ValueError:
        raise ParameterError(f"what_if_where: {_FORM}; got {text!r:.200}") from None
    lists = found.values() if isinstance(found, dict) else [None]
    values = [value for one in lists for value in (one if isinstance(one, list) else [one])]
    if not all(isinstance(value, str) for value in values):
        raise ParameterError(f"what_if_where: {_FORM}; got {text!r:.200}")
    return {str(name): value for name, value in found.items()}


@dataclass(frozen=True)
class Chosen:
    """What a change reaches.

    Attributes
    ----------
    vms : list of str
        Keys of the VMs to change: chosen, and in the inventory.
    renewed : list of str
        Keys of their disks that become new: those that no other VM uses.
    keyed : list of str
        Keys of the disks that get a customer's key, which those that have one do not.
    left_out : dict of str to int
        What was chosen and is not changed, by the reasons of `LEFT_OUT`.
    """

    vms: list[str]
    renewed: list[str]
    keyed: list[str]
    left_out: dict[str, int]


def chosen(inv: Inventory, cov: Any, where: Where, *, host: bool, customer_key: bool) -> Chosen:
    """Choose disks by their coverage, and with them all VMs that they are attached to.

    Parameters
    ----------
    inv : Inventory
        The tables as read.
    cov : frame
        Coverage of it.
    where : mapping of str to str or sequence of str
        Columns of the coverage frame, or `tag:NAME`, with the values to take; all must hold.
    host : bool
        Whether the VMs get encryption at host.
    customer_key : bool
        Whether the disks get a customer's key.

    Returns
    -------
    Chosen

    Raises
    ------
    UnknownNameError
        When `where` names a column that does not exist.
    """
    disks = _picked(inv, cov, where)
    owned = _owned(inv, disks)
    mine = owned.join(disks.select("disk_key"), on="disk_key", how="semi")
    asked = {key for (key,) in rows_of(mine.select("vm_key").unique())}
    there = lazy(inv.vms).select(vm_key=nw.col("key"))
    read = {key for (key,) in rows_of(mine.join(there, on="vm_key", how="semi").select("vm_key").unique())}
    pairs = rows_of(owned.join(_holding(owned, mine), on="disk_key", how="semi"))
    held: dict[str, set[str]] = {}
    for disk, vm in pairs:
        held.setdefault(disk, set()).add(vm)
    renewed = {disk for disk, vms in held.items() if vms <= read}
    left = {"unread_vm": len(asked - read)}
    left["shared"] = sum(bool(vms & read) and not vms <= read for vms in held.values())
    picked = {disk: (ade, sse) for disk, ade, sse in rows_of(disks.select("disk_key", "ade", "sse"))}
    left["no_vm"] = sum(disk not in held for disk in picked)
    own = lazy(inv.disks).select(disk_key=nw.col("key"))
    known = {key for (key,) in rows_of(disks.join(own, on="disk_key", how="semi").select("disk_key"))}
    wanting = {disk for disk, (_, sse) in picked.items() if sse not in _CUSTOMER}
    keyed = {disk for disk in wanting & known if not host or disk in renewed}
    if not host:
        old = {disk for disk in keyed if picked[disk][0] in _MARKED}
        left = {"old_disk": len(old)}
        keyed -= old
    if customer_key:
        left["unread_disk"] = len(wanting - known)
    counts = {name: left[name] for name in LEFT_OUT if left.get(name)}
    return Chosen(sorted(read), sorted(renewed), sorted(keyed), counts)


def _holding(owned: Frame, mine: Frame) -> Frame:
    """Give every disk of the VMs that the chosen disks are attached to."""
    vms = mine.select("vm_key").unique()
    return owned.join(vms, on="vm_key", how="semi").select("disk_key").unique()


def _picked(inv: Inventory, cov: Any, where: Where) -> Frame:
    frame = lazy(cov)
    frame = frame.filter(nw.col("kind") != "snapshot", nw.col("attachment") == "attached")
    for at, (column, wanted) in enumerate(where.items()):
        values = [wanted] if isinstance(wanted, str) else list(wanted)
        frame = frame.with_columns(group_of(frame, column).alias(f"_by{at}"))
        frame = frame.filter(nw.col(f"_by{at}").is_in(values))
    vm = nw.when(given("vm_id")).then(key_of("vm_id"))
    return fresh(inv, frame.select("ade", "sse", disk_key=key_of("disk_id"), vm_key=vm), "what_if_disks")


def _owned(inv: Inventory, disks: Frame) -> Frame:
    """Pair every disk with every VM that it is attached to; an unmanaged one has its VM from the coverage."""
    facts = disk_facts(inv)
    parts = [facts.rows.select("disk_key", "vm_key"), facts.extra.select("disk_key", "vm_key")]
    both = nw.concat([*parts, disks.select("disk_key", "vm_key")], how="vertical")
    return fresh(inv, both.filter(given("vm_key")).unique(), "what_if_owned")
