"""What depends on Azure Disk Encryption and is no VM: loose disks, snapshots, images, backups, scale sets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import narwhals as nw

from diskenc_analysis.frames import Frame, choose, distinct, given, kept, lazy, low
from diskenc_analysis.migration_disks import Marks
from diskenc_analysis.migration_rules import Mark

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

_PLACE = ("subscription_id", "resource_group", "location", "tags")
#: The columns that rows of VMs and of dependents share.
ROW = ("id", "name", "kind", *_PLACE, "vm_id", "disks", "gib", "unsized", "facts")
_MODEL = {
    "model": Mark("unknown", "unknown", "", "unknown", "none", "its model has the extension [L3.4]", ""),
    "preview": Mark("preview", "unknown", "", "unknown", "none", "its model has the extension [L6]", ""),
}


@dataclass(frozen=True)
class Dependents:
    """What depends on Azure Disk Encryption besides the VMs.

    Attributes
    ----------
    rows : Frame
        With the columns of `ROW`; `facts` is the kind and the name of a mark.
    known : dict of str to Mark
        The mark behind each value of `facts`.
    """

    rows: Frame
    known: dict[str, Mark]


def dependents(inv: Inventory, found: Marks, vms: Frame) -> Dependents:
    """Find what depends on Azure Disk Encryption besides the VMs.

    Parameters
    ----------
    inv : Inventory
        The tables as read.
    found : Marks
        Its disks and snapshots.
    vms : Frame
        The VMs of the plan: `vm_key` and `id`.

    Returns
    -------
    Dependents
    """
    touched = found.rows.filter(nw.col("mark").is_in(found.touched()))
    of_disk = touched.select(nw.col("mark"), "vm_key", source=nw.col("disk_key"))
    of_vm = found.owned.filter(nw.col("mark").is_in(found.touched()))
    of_vm = of_vm.group_by("vm_key").agg(nw.col("mark").min()).with_columns(source=nw.col("vm_key"))
    of_vm = of_vm.select("mark", "vm_key", "source")
    images = _images(inv, nw.concat([of_disk, of_vm], how="vertical"))
    of_image = images.select("mark", "vm_key", source=nw.col("key"))
    sources = nw.concat([of_disk, of_vm, of_image], how="vertical")
    parts = [
        _sized(lazy(inv.disks), touched.filter(~given("vm_key")), "disk"),
        _sized(lazy(inv.snapshots), _snapshots(inv, touched, of_disk), "snapshot"),
        _row(_of(inv.restore_points, "source_resource_id_key", of_disk), "restore_point"),
        _row(images, "image"),
        _row(_of(inv.image_versions, "source_id_key", sources), "image_version"),
        _row(_of(inv.backup_items, "source_id_key", of_vm), "backup_item"),
        _row(_scale_sets(inv, of_vm), "scale_set"),
    ]
    rows = nw.concat(parts, how="vertical").join(
        vms.select("vm_key", vm_id=nw.col("id")), on="vm_key", how="left"
    )
    rows = kept(inv, rows.select(*ROW), "ade_dependents")
    known = {**found.known, **_MODEL}
    return Dependents(rows, {text: known[text.partition("/")[2]] for text in distinct(rows, "facts")})


def _snapshots(inv: Inventory, touched: Frame, of_disk: Frame) -> Frame:
    """Give each marked snapshot the VM of the disk that it was taken of."""
    taken = lazy(inv.snapshots).select(disk_key=nw.col("key"), source=nw.col("source_resource_id_key"))
    owners = of_disk.select("source", "vm_key")
    marked = touched.select("disk_key", "mark").join(taken, on="disk_key", how="inner")
    return marked.join(owners, on="source", how="left").select("disk_key", "mark", "vm_key")


def _sized(table: Frame, marked: Frame, kind: str) -> Frame:
    size = nw.when(given("size_gb")).then(nw.col("size_gb")).otherwise(nw.col("size_bytes") / 2**30)
    rows = table.with_columns(own_gib=size, disk_key=nw.col("key")).join(marked, on="disk_key", how="inner")
    return _row(rows, kind, gib=nw.col("own_gib"))


def _row(rows: Frame, kind: str, gib: nw.Expr | None = None) -> Frame:
    """Give rows of any table the columns of the plan; what has no size of its own weighs nothing."""
    size = nw.lit(None, nw.Float64) if gib is None else gib
    counted = 0 if gib is None else 1
    unsized = nw.when(size.is_null()).then(nw.lit(counted)).otherwise(nw.lit(0))
    return rows.select(
        "id",
        "name",
        *_PLACE,
        "vm_key",
        kind=nw.lit(kind),
        disks=nw.lit(counted, nw.Int64),
        gib=size.fill_null(0.0),
        unsized=unsized.cast(nw.Int64),
        facts=nw.concat_str([nw.lit(f"{kind}/"), nw.col("mark")]),
    )


def _of(table: object, column: str, sources: Frame) -> Frame:
    """Join a table with the marks of what its rows were made of."""
    marked = sources.group_by("source").agg(nw.col("mark").min(), nw.col("vm_key").min())
    return lazy(table).with_columns(source=nw.col(column)).join(marked, on="source", how="inner")


def _images(inv: Inventory, sources: Frame) -> Frame:
    """Find the images made of a marked VM, OS disk or snapshot."""
    columns = ("source_vm_id_key", "os_disk_id_key", "os_snapshot_id_key")
    names = ("id", "name", *_PLACE, "key", "mark", "vm_key")
    found = nw.concat([_of(inv.images, column, sources).select(*names) for column in columns], how="vertical")
    return found.group_by("id", "name", *_PLACE, "key").agg(nw.col("mark").min(), nw.col("vm_key").min())


def _scale_sets(inv: Inventory, of_vm: Frame) -> Frame:
    """Find the scale sets whose instances are marked, or whose model has the extension."""
    vms = lazy(inv.vms).select(vm_key=nw.col("key"), flexible=nw.col("scale_set_id_key"))
    in_set = nw.col("vm_key").str.replace_all(r"/virtualmachines/[^/]*$", "")
    uniform = nw.col("vm_key").str.contains("/virtualmachinescalesets/")
    key = nw.when(given("flexible")).then(nw.col("flexible")).otherwise(in_set)
    members = of_vm.join(vms, on="vm_key", how="left").filter(uniform | given("flexible"))
    members = members.select(source=key, mark=nw.col("mark"))
    model = choose([(low("security_type") == "confidentialvm", "preview")], "model")
    extended = lazy(inv.scale_sets).filter(low("extension_list").str.contains("azurediskencryption"))
    extended = extended.select(source=nw.col("key"), mark=model)
    marked = nw.concat([members, extended], how="vertical").group_by("source").agg(nw.col("mark").min())
    none = nw.lit(None, nw.String)
    return (
        lazy(inv.scale_sets)
        .with_columns(source=nw.col("key"), vm_key=none)
        .join(marked, on="source", how="inner")
    )
