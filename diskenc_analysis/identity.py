"""The identity columns of every disk row: name, place, size, tags, and the VM and subscription by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals as nw

from diskenc_analysis.disklists import disk_places
from diskenc_analysis.frames import Frame, given, lazy

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

_PLACE = ("subscription_id", "resource_group", "location")


def identity(inv: Inventory, rows: Frame) -> Frame:
    """Give disk rows their identity columns.

    Parameters
    ----------
    inv : Inventory
        The tables as read.
    rows : Frame
        With `disk_key` and `vm_key`.

    Returns
    -------
    Frame
        With `disk_id`, `name`, `subscription_id`, `subscription_name`, `resource_group`, `location`,
        `vm_id` (as it came), `gib` (float, GiB) and `tags` (JSON text) besides.
    """
    owner = {"managed_by": nw.lit(None, nw.String)}
    known = nw.concat(
        [_own(lazy(inv.disks)), _own(lazy(inv.snapshots).with_columns(**owner)), _listed_only(inv)],
        how="vertical",
    )
    vms = lazy(inv.vms).select(vm_key=nw.col("key"), seen_id=nw.col("id"))
    out = known.join(rows, on="disk_key", how="inner").join(vms, on="vm_key", how="left")
    out = out.join(subscription_names(inv), on="subscription_id", how="left")
    vm_id = nw.when(given("seen_id")).then(nw.col("seen_id")).otherwise(nw.col("owner_id"))
    return out.with_columns(vm_id=nw.when(given("vm_key")).then(vm_id).otherwise(nw.lit(None, nw.String)))


def _own(frame: Frame) -> Frame:
    size = nw.when(given("size_gb")).then(nw.col("size_gb")).otherwise(nw.col("size_bytes") / 2**30)
    return frame.select(
        "name",
        *_PLACE,
        "tags",
        disk_key=nw.col("key"),
        disk_id=nw.col("id"),
        gib=size,
        owner_id=nw.col("managed_by"),
    )


def _listed_only(inv: Inventory) -> Frame:
    """Give the identity of disks that only a VM's list names."""
    rows = disk_places(inv).join(lazy(inv.disks).select(disk_key=nw.col("key")), on="disk_key", how="anti")
    rows = rows.join(lazy(inv.vms).select(*_PLACE, "id", vm_key=nw.col("key")), on="vm_key", how="left")
    made = nw.concat_str([nw.col("id"), nw.col("place")])
    own_id = nw.when(given("vhd_uri")).then(nw.col("vhd_uri")).otherwise(made)
    rows = rows.with_columns(list_id=nw.when(given("disk_id")).then(nw.col("disk_id")).otherwise(own_id))
    names = ("disk_name", *_PLACE, "list_id", "size_gb", "id")
    grouped = rows.group_by("disk_key").agg(*[nw.col(n).min() for n in names])
    return grouped.select(
        nw.col("disk_name").alias("name"),
        *_PLACE,
        tags=nw.lit(None, nw.String),
        disk_key=nw.col("disk_key"),
        disk_id=nw.col("list_id"),
        gib=nw.col("size_gb"),
        owner_id=nw.col("id"),
    )


def subscription_names(inv: Inventory) -> Frame:
    """Name the subscriptions, those that share a name with their ids: else one would hide another."""
    named = lazy(inv.subscriptions).filter(given("subscription_id"), given("display_name"))
    named = named.group_by("subscription_id").agg(nw.col("display_name").min())
    ids = named.group_by("display_name").agg(
        nw.col("subscription_id").min().alias("first"), nw.col("subscription_id").max().alias("last")
    )
    told = nw.concat_str([nw.col("display_name"), nw.lit(" ("), nw.col("subscription_id"), nw.lit(")")])
    alone = nw.when(nw.col("first") == nw.col("last")).then(nw.col("display_name"))
    named = named.join(ids, on="display_name", how="inner")
    return named.select("subscription_id", subscription_name=alone.otherwise(told))
