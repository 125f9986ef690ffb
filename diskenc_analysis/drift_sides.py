"""The disks of one capture with what tells them apart, handed to the engine of the other capture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals as nw

from diskenc_analysis.errors import ParameterError
from diskenc_analysis.frames import Frame, fresh, key_of, lazy, low

if TYPE_CHECKING:
    from diskenc_analysis.coverage import Judged
    from diskenc_analysis.inventory import Inventory

#: What identifies a disk to a person; of the newer capture where the disk is in both.
PLACE = (
    "disk_id",
    "name",
    "subscription_id",
    "subscription_name",
    "resource_group",
    "location",
    "vm_id",
    "gib",
)
_FACTS = ("key", "kind_key", "vm_key", "vm_size", "unique_id", "created")
#: The columns of a side.
COLUMNS = (*PLACE, *_FACTS, "verdict", "then")
#: What is kept of either capture in a pair.
KEPT = (*PLACE, "vm_key", "vm_size", "unique_id", "created", "verdict", "then")


def side(inv: Inventory, found: Judged, then: Judged | None = None) -> Frame:
    """Give the disks of one capture with what tells them apart.

    Parameters
    ----------
    inv : Inventory
        The capture.
    found : Judged
        Its disks.
    then : Judged, optional
        The same by another edition of the matrix.

    Returns
    -------
    Frame
        The columns of `PLACE`, the keys, and `verdict` and `then`: the numbers of the verdicts.
    """
    rows = found.rows.with_columns(key=key_of("disk_id"), vm_key=key_of("vm_id"))
    own = nw.concat([_own(lazy(inv.disks)), _own(lazy(inv.snapshots))], how="vertical")
    sizes = lazy(inv.vms).select(vm_key=nw.col("key"), vm_size=low("vm_size"))
    rows = rows.join(own, on="key", how="left").join(sizes, on="vm_key", how="left")
    if then is None:
        rows = rows.with_columns(then=nw.lit(""))
    else:
        other = then.rows.select(key=key_of("disk_id"), then=nw.col("verdict"))
        rows = rows.join(other, on="key", how="left")
    words = ("vm_key", "vm_size", "unique_id", "created")
    filled = {name: nw.col(name).fill_null("") for name in words}
    kind = nw.col("key").str.replace_all(r"/[^/]*$", "").str.replace_all(r"^.*/", "")
    return rows.with_columns(**filled, kind_key=kind).select(*COLUMNS)


def _own(frame: Frame) -> Frame:
    """Take what a disk says of its identity; a time that is not written as ARM does tells nothing."""
    time = nw.col("time_created").fill_null("")
    second = nw.when(time.str.contains(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d.*(?:Z|\+00:00)$"))
    created = second.then(time.str.slice(0, 19)).otherwise(nw.lit(""))
    return frame.select("key", unique_id=low("unique_id"), created=created)


def brought(frame: Frame, old: Inventory, new: Inventory) -> Frame:
    """Hand the rows of one inventory to the engine of another, since two connections share no relation.

    Raises
    ------
    ParameterError
        When the inventories are of different engines, other than Arrow and DuckDB.
    """
    unlike = {old.engine, new.engine} == {"arrow", "duckdb"}  # as `auto` finds them for few and for many rows
    if old.engine != new.engine and not unlike:
        raise ParameterError(
            f"expected two inventories of one engine, got {old.engine!r} and {new.engine!r}: load both alike"
        )
    if unlike:
        frame = lazy(frame.collect("pyarrow").to_native())
    if new.engine != "duckdb" or old.connection is new.connection:
        return fresh(new, frame, "drift_old")
    native = nw.to_native(frame)
    reader = native if unlike else native.to_arrow_reader(65_536)
    new.connection.register("drift_reader", reader)
    held = fresh(new, lazy(new.connection.view("drift_reader")), "drift_old")
    new.connection.unregister("drift_reader")
    return held
