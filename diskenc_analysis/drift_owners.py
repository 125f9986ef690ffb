"""Disks that several VMs share, in two captures: whether the set of their VMs is the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals as nw

from diskenc_analysis.frames import Frame, fresh, given

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

_BOTH = ["old_key", "key"]


def by_owners(found: Frame, inv: Inventory, old: Frame, new: Frame) -> Frame:
    """Tell a disk that has several VMs by the set of them, whichever of them its row names.

    Parameters
    ----------
    found : Frame
        Disks that are in both captures: `old_key`, `key`, `old_vm_key`, `vm_key`, and `flags`, where `vm`
        says that the row names another VM.
    inv : Inventory
        Gives the engine.
    old, new : Frame
        `disk_key` and `vm_key`: every VM of the disks that have several in the one capture or the other.

    Returns
    -------
    Frame
        The same; where a disk has several VMs in either capture, `named` stands in place of `vm`, and `came`
        and `went` where the set has a VM more or less. VMs that moved with their disk are known by name.
    """
    was = old.select(old_key=nw.col("disk_key"), vm=nw.col("vm_key"))
    now = new.select(key=nw.col("disk_key"), vm=nw.col("vm_key"))
    keys = found.select(*_BOTH, "old_vm_key", "vm_key")
    shared = [
        keys.join(was.select("old_key").unique(), on="old_key", how="semi"),
        keys.join(now.select("key").unique(), on="key", how="semi"),
    ]
    keys = fresh(inv, nw.concat(shared, how="vertical").unique(), "drift_shared")
    was, now = _vms(keys, was, "old_key", "old_vm_key"), _vms(keys, now, "key", "vm_key")
    for word, one, other in (("came", now, was), ("went", was, now)):
        more = one.join(other, on=[*_BOTH, "vm"], how="anti").select(*_BOTH).unique()
        keys = keys.join(more.with_columns(nw.lit(f"+{word}").alias(word)), on=_BOTH, how="left")
    words = nw.concat_str([nw.col(word).fill_null("") for word in ("came", "went")])
    out = found.join(keys.select(*_BOTH, set=words), on=_BOTH, how="left")
    flags = nw.concat_str([nw.col("flags").str.replace_all("+vm", "+named", literal=True), nw.col("set")])
    return out.with_columns(flags=nw.when(given("set")).then(flags).otherwise(nw.col("flags"))).drop("set")


def _vms(keys: Frame, owners: Frame, by: str, named: str) -> Frame:
    """Pair disks with all their VMs: where there is but one, it is the one that the row names."""
    vm = nw.when(given("vm")).then(nw.col("vm")).otherwise(nw.col(named))
    moved = nw.col("old_key") != nw.col("key")
    name = nw.when(moved).then(vm.str.replace_all(r"^.*/", "")).otherwise(vm)
    return keys.join(owners, on=by, how="left").select(*_BOTH, vm=name).filter(nw.col("vm") != "")
