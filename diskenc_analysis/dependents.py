"""How much hangs on a key, a vault or a set: disks, VMs, GiB and subscriptions, for every engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import narwhals as nw

from diskenc_analysis.disklists import disk_lists
from diskenc_analysis.frames import Frame, given, helper, kept, key_of, lazy, native_of, rows_of
from diskenc_analysis.imagekeys import image_sets

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

#: What is counted: disks and VMs known to need the key, those that may, and the size of the former; then
#: the images, gallery image versions and restore points whose disks name a set (snapshots count as disks),
#: and the scale sets whose model does.
COUNTS = ("disks", "possible_disks", "vms", "possible_vms", "gib", "subscriptions", "copies", "models")
NOTHING: dict[str, float] = dict.fromkeys(COUNTS, 0)


def depending(inv: Inventory, own: Any, targets: Iterable[tuple[str, str]]) -> dict[str, dict[str, float]]:
    """Count what depends on each of several targets.

    Parameters
    ----------
    inv : Inventory
        What was read.
    own : frame
        Its key ownership frame.
    targets : iterable of (str, str)
        A chain, and what it leads to: a key, a vault, a set, or the chain itself. A chain may have several.

    Returns
    -------
    dict
        By target: `disks`, `vms`, `gib` and `subscriptions` that are known to need it, and `possible_disks`
        and `possible_vms` of which it is not known; `copies` are the images, gallery image versions and
        restore points that need it, `models` the scale sets whose model does. All VMs of a shared disk count.
    """
    names = [{"chain": chain, "target": target} for chain, target in sorted(set(targets))]
    links = lazy(own).filter(given("chain")).with_columns(sure=(nw.col("needed") == "yes").cast(nw.Int64))
    wanted = helper(inv, "targets", names, ["chain", "target"])
    links = links.join(wanted, on="chain", how="inner")
    made_of = image_sets(inv).select("copy_id", "kind", chain=nw.col("set"))
    made_of = made_of.join(wanted, on="chain", how="inner").select("target", "copy_id", "kind").unique()
    is_model = nw.col("kind") == "scale_set"
    disks = links.group_by("target", "disk_id").agg(
        nw.col("sure").max(), nw.col("gib").max(), nw.col("subscription_id").min()
    )
    disks = kept(inv, disks, "target_disks")
    owned = disks.join(owners(inv, own), on="disk_id", how="inner").group_by("target", "vm")
    held = disks.filter(nw.col("sure") == 1).select("target", "subscription_id").unique()
    found: dict[str, dict[str, float]] = {}
    for name, frame in (
        (("disks", "possible_disks"), _sums(disks)),
        (("vms", "possible_vms"), _sums(owned.agg(nw.col("sure").max()))),
        (("gib",), _gib(disks)),
        (("subscriptions",), _rows(held)),
        (("copies",), _rows(made_of.filter(~is_model))),
        (("models",), _rows(made_of.filter(is_model))),
    ):
        for target, *values in rows_of(frame):
            found.setdefault(target, dict(NOTHING)).update(zip(name, map(float, values), strict=True))
    return found


def _sums(frame: Frame) -> Frame:
    frame = frame.with_columns(unsure=1 - nw.col("sure"))
    return frame.group_by("target").agg(nw.col("sure").sum(), nw.col("unsure").sum())


def _rows(frame: Frame) -> Frame:
    return frame.with_columns(n=nw.lit(1)).group_by("target").agg(nw.col("n").sum())


def _gib(disks: Frame) -> Frame:
    known = disks.filter(nw.col("sure") == 1).with_columns(gib=nw.col("gib").fill_null(0.0))
    return known.group_by("target").agg(nw.col("gib").sum())


def owners(inv: Inventory, own: Any) -> Frame:
    """Pair every disk with all VMs that own it.

    Parameters
    ----------
    inv : Inventory
        With `disk_owners` and the VMs' own lists.
    own : frame
        With `disk_id` and `vm_id`.

    Returns
    -------
    Frame
        `disk_id` and `vm` (its id in lower case), without duplicates.
    """
    at = nw.col("disk_id").str.to_lowercase().str.strip_chars("/ ")
    disks = lazy(own).select("disk_id", "vm_id").unique().with_columns(at=at)
    first = disks.filter(given("vm_id")).select("disk_id", vm=key_of("vm_id"))
    shared = lazy(inv.disk_owners).select(at=nw.col("parent_key"), vm=nw.col("vm_id_key"))
    listed = disk_lists(inv).select(at=nw.col("disk_key"), vm=nw.col("vm_key"))
    more = nw.concat([shared, listed], how="vertical").filter(given("vm"), given("at"))
    more = more.with_columns(at=nw.col("at").str.strip_chars("/ ")).unique()
    joined = disks.select("disk_id", "at").join(more, on="at", how="inner").select("disk_id", "vm")
    return nw.concat([first, joined], how="vertical").unique()


def subscription_names(inv: Inventory) -> dict[str, str]:
    """Give the names of the subscriptions that have one, by id."""
    found = rows_of(lazy(inv.subscriptions).select("subscription_id", "display_name"))
    return {sub: name for sub, name in sorted(found, key=str) if sub and name}


def handed(
    inv: Inventory,
    name: str,
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[str],
    numbers: Sequence[str] = COUNTS,
) -> Any:
    """Hand a small table back as a frame of the inventory's engine.

    Parameters
    ----------
    inv : Inventory
        Gives the engine.
    name : str
        Name of the table where the engine is DuckDB.
    rows : sequence of mappings
        In the order to be shown.
    columns : sequence of str
        Which columns to make.
    numbers : sequence of str
        Those of them that become floats; the others are text.

    Returns
    -------
    frame
    """
    texts = [{c: None if row[c] is None else str(row[c]) for c in columns} for row in rows]
    frame = helper(inv, f"{name}_text", texts, columns)
    cast = {c: nw.col(c).cast(nw.Float64) for c in columns if c in numbers}
    frame = kept(inv, frame.with_columns(**cast).select(*columns), name)
    return native_of(inv, frame)
