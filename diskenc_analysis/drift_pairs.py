"""The disks of two captures side by side: the same one, one that moved, one that came, one that went.

A disk is known by its ARM id without regard to letter case. Azure gives that id to another disk once the
first was deleted, so `uniqueId`, or else the second of its creation, tells whether it is still the same;
and by these a disk that was moved is found again under its new id.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import narwhals as nw

from diskenc_analysis.drift_owners import by_owners
from diskenc_analysis.errors import ParameterError
from diskenc_analysis.frames import Frame, choose, fresh, given, helper, key_of, lazy, low

if TYPE_CHECKING:
    from diskenc_analysis.coverage import Judged
    from diskenc_analysis.inventory import Inventory
    from diskenc_analysis.readings import Readings

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
_COLUMNS = (*PLACE, *_FACTS, "verdict", "then")
_KEPT = (*PLACE, "vm_key", "vm_size", "unique_id", "created", "verdict", "then")


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
    return rows.with_columns(**filled, kind_key=kind).select(*_COLUMNS)


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
        When the inventories are of different engines.
    """
    if old.engine != new.engine:
        raise ParameterError(
            f"expected two inventories of one engine, got {old.engine!r} and {new.engine!r}: load both alike"
        )
    if new.engine != "duckdb" or old.connection is new.connection:
        return fresh(new, frame, "drift_old")
    reader = nw.to_native(frame).to_arrow_reader(65_536)
    new.connection.register("drift_reader", reader)
    held = fresh(new, lazy(new.connection.view("drift_reader")), "drift_old")
    new.connection.unregister("drift_reader")
    return held


def pairs(old: Frame, new: Frame, inv: Inventory, since: str, owners: tuple[Frame, Frame]) -> Frame:
    """Bring the disks of two captures together.

    Parameters
    ----------
    old, new : Frame
        As `side` gives them, of one engine.
    inv : Inventory
        Gives the engine.
    since : str
        Date of the older capture, or empty: a disk that was made after it is new for sure.
    owners : tuple of Frame
        The VMs of the shared disks of both, as `judged` gives them.

    Returns
    -------
    Frame
        One row per disk: the columns of `side`, those of the older capture with `old_` before them, and
        `flags`: words joined by `+`, see `drift_rules.changes`.
    """
    earlier = old.select("key", "kind_key", **{f"old_{name}": nw.col(name) for name in _KEPT})
    same = earlier.join(new, on="key", how="inner")
    gone = fresh(inv, earlier.join(new.select("key"), on="key", how="anti"), "drift_gone")
    came = fresh(inv, new.join(earlier.select("key"), on="key", how="anti"), "drift_came")
    found = same.select("key", *_PAIR, old_key=nw.col("key"), flags=_flags(moved=False))
    for number, expr in enumerate((_by_guid, _by_second)):
        moved = _matched(gone, came, expr)
        moved = fresh(inv, moved.select("old_key", "key", *_PAIR, flags=_flags(moved=True)), f"moved{number}")
        found = nw.concat([found, moved.select("key", *_PAIR, "old_key", "flags")], how="vertical")
        gone = gone.join(moved.select(key=nw.col("old_key")), on="key", how="anti")
        came = came.join(moved.select("key"), on="key", how="anti")
    found = by_owners(found, inv, *owners).select(*_PAIR, "flags")
    none = {name: _null(name) for name in _KEPT}
    lost = gone.select(
        *[none[n].alias(n) for n in _KEPT], *[f"old_{n}" for n in _KEPT], flags=_instance("old_vm_key")
    ).select(*_PAIR, "flags")
    newer = choose([(nw.col("created").str.slice(0, 10) > (since or "9"), "newer+")], "")
    newer = nw.concat_str([newer, _instance("vm_key")])
    fresh_ones = came.select(*_KEPT, *[none[n].alias(f"old_{n}") for n in _KEPT], flags=newer)
    return nw.concat([found, lost, fresh_ones.select(*_PAIR, "flags")], how="vertical")


_PAIR = (*_KEPT, *(f"old_{name}" for name in _KEPT))


def _instance(vm_key: str) -> nw.Expr:
    """Flag a disk of an instance of a scale set, which is exported apart from other VMs."""
    return choose([(nw.col(vm_key).str.contains("/virtualmachinescalesets/", literal=True), "instance")], "")


def _null(name: str) -> nw.Expr:
    return nw.lit(None, nw.Float64) if name == "gib" else nw.lit(None, nw.String)


def _by_guid(prefix: str) -> nw.Expr:
    return nw.col(f"{prefix}unique_id")


def _by_second(prefix: str) -> nw.Expr:
    """Give name and second of creation; where either capture has no GUID nothing better is there."""
    told = (nw.col(f"{prefix}created") != "") & ~nw.col(f"{prefix}name").is_null()
    parts = [
        nw.col(f"{prefix}name").str.to_lowercase(),
        nw.col(f"{prefix}created"),
        nw.col("kind_key"),
    ]
    return nw.when(told).then(nw.concat_str(parts, separator="|")).otherwise(nw.lit(""))


def _matched(gone: Frame, came: Frame, expr: object) -> Frame:
    """Match disks that went with disks that came, where the mark is on one disk of each side alone."""
    left = gone.with_columns(mark=expr("old_"), old_key=nw.col("key")).drop("key", "kind_key")  # type: ignore[operator]
    right = came.with_columns(mark=expr(""))  # type: ignore[operator]
    return _single(left).join(_single(right), on="mark", how="inner")


def _single(frame: Frame) -> Frame:
    marked = frame.filter(nw.col("mark") != "")
    counted = marked.group_by("mark").agg(nw.len().alias("_rows"))
    return marked.join(counted.filter(nw.col("_rows") == 1).select("mark"), on="mark", how="semi")


def _flags(*, moved: bool) -> nw.Expr:
    """Say in which ways the same disk differs."""
    guids = (nw.col("unique_id") != "") & (nw.col("old_unique_id") != "")
    times = (nw.col("created") != "") & (nw.col("old_created") != "")
    by_guid = nw.col("unique_id") != nw.col("old_unique_id")
    by_time = ~guids & times & (nw.col("created") != nw.col("old_created"))
    machine, before = nw.col("vm_key"), nw.col("old_vm_key")
    if moved:  # its VM has most often moved with it, and so has another id
        machine, before = (one.str.replace_all(r"^.*/", "") for one in (machine, before))
    size, old_size = nw.col("vm_size"), nw.col("old_vm_size")
    cases = {
        "recreated": (guids & by_guid) | by_time,
        "vm": machine != before,
        "size": (size != "") & (old_size != "") & (size != old_size) & (machine == before),
    }
    if moved:
        cases["recreated"] = nw.lit(value=False)
        cases |= {
            "group": low("resource_group") != low("old_resource_group"),
            "subscription": low("subscription_id") != low("old_subscription_id"),
            "name": low("name") != low("old_name"),
        }
    words = [choose([(holds, f"+{word}")], "") for word, holds in cases.items()]
    return nw.concat_str([nw.lit(""), *words])


def with_reading(frame: Frame, inv: Inventory, old: Readings, new: Readings) -> Frame:
    """Add how the subscription of each disk was read in both captures, as JSON, where not whole in both.

    Parameters
    ----------
    frame : Frame
        As `pairs` gives it.
    inv : Inventory
        Gives the engine.
    old, new : Readings
        What each capture read.

    Returns
    -------
    Frame
        With `reading`.
    """
    from diskenc_analysis.readings import READ, TABLES

    rows = []
    for name in sorted(old.subscriptions() | new.subscriptions()):
        states = {table: (old.of(table, name), new.of(table, name)) for table in TABLES}
        told = {table: both for table, both in states.items() if both != (READ, READ)}
        rows.append({"sub_key": name, "reading": json.dumps(told) if told else ""})
    table = helper(inv, "drift_reading", rows, ["sub_key", "reading"])
    own = nw.when(given("subscription_id")).then(low("subscription_id")).otherwise(low("old_subscription_id"))
    joined = frame.with_columns(sub_key=own).join(table, on="sub_key", how="left")
    return joined.with_columns(reading=nw.col("reading").fill_null("")).drop("sub_key")
