"""The disks of two captures side by side: the same one, one that moved, one that came, one that went.

A disk is known by its `uniqueId` where both captures state it, or else by the second of its creation: Azure
gives the ARM id of a disk to another one once the first was deleted or moved, and a disk that was moved is
found again under its new id. Where neither is stated, the id alone decides, without regard to letter case.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import narwhals as nw

from diskenc_analysis.drift_owners import by_owners
from diskenc_analysis.drift_sides import COLUMNS, KEPT
from diskenc_analysis.frames import Frame, choose, fresh, given, helper, low

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory
    from diskenc_analysis.readings import Readings


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
        One row per disk: the columns of `side`, those of the older capture with `old_` before them,
        `known_by` (what tells that it is the same disk; empty where one capture alone has it), and `flags`:
        words joined by `+`, see `drift_rules.changes`.
    """
    earlier = old.select("key", "kind_key", **{f"old_{name}": nw.col(name) for name in KEPT})
    same = earlier.join(new, on="key", how="inner")
    other = fresh(inv, same.filter(_other_disk()), "drift_other")
    gone = earlier.join(new.select("key"), on="key", how="anti")
    gone = fresh(inv, nw.concat([gone, other.select(*_GONE)], how="vertical"), "drift_gone")
    came = new.join(earlier.select("key"), on="key", how="anti").select(*COLUMNS)
    came = fresh(inv, nw.concat([came, other.select(*COLUMNS)], how="vertical"), "drift_came")
    found = [_paired(same.filter(~_other_disk()))]
    for number, (expr, word) in enumerate(((_by_guid, "unique_id"), (_by_second, "time_created"))):
        moved = _matched(gone, came, expr)
        moved = fresh(inv, _paired(moved, word), f"moved{number}")
        found.append(moved)
        gone = gone.join(moved.select(key=nw.col("old_key")), on="key", how="anti")
        came = came.join(moved.select("key"), on="key", how="anti")
    # Of the disks that have the id of another one, those that nobody moved: the old one was made anew.
    anew = other.join(gone.select("key"), on="key", how="semi").join(came.select("key"), on="key", how="semi")
    anew = fresh(inv, _paired(anew), "drift_anew")
    gone, came = (one.join(anew.select("key"), on="key", how="anti") for one in (gone, came))
    both = by_owners(nw.concat([*found, anew], how="vertical"), inv, *owners)
    parts = [both.select(*_PAIR), _lost(gone), _new(came, since)]
    return nw.concat(parts, how="vertical")


_PAIR = (*KEPT, *(f"old_{name}" for name in KEPT), "known_by", "flags")
_GONE = ("key", "kind_key", *(f"old_{name}" for name in KEPT))


def _paired(frame: Frame, by: str = "") -> Frame:
    """Give pairs of the same id, or of a disk that was moved and is known by something else."""
    guids, times = _stated("unique_id"), _stated("created")
    known = nw.lit(by) if by else choose([(guids, "unique_id"), (times, "time_created")], "id")
    old_key = nw.col("old_key" if by else "key")
    return frame.with_columns(flags=_flags(moved=bool(by)), known_by=known, old_key=old_key).select(
        "key", "old_key", *_PAIR
    )


def _lost(gone: Frame) -> Frame:
    none = {name: _null(name) for name in KEPT}
    return gone.with_columns(**none, known_by=nw.lit(""), flags=_instance("old_vm_key")).select(*_PAIR)


def _new(came: Frame, since: str) -> Frame:
    none = {f"old_{name}": _null(name) for name in KEPT}
    newer = choose([(nw.col("created").str.slice(0, 10) > (since or "9"), "newer+")], "")
    flags = nw.concat_str([newer, _instance("vm_key")])
    return came.with_columns(**none, known_by=nw.lit(""), flags=flags).select(*_PAIR)


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
    found = _single(left).join(_single(right), on="mark", how="inner")
    return found.filter(~_differ("unique_id"))


def _single(frame: Frame) -> Frame:
    marked = frame.filter(nw.col("mark") != "")
    counted = marked.group_by("mark").agg(nw.len().alias("_rows"))
    return marked.join(counted.filter(nw.col("_rows") == 1).select("mark"), on="mark", how="semi")


def _stated(name: str) -> nw.Expr:
    return (nw.col(name) != "") & (nw.col(f"old_{name}") != "")


def _differ(name: str) -> nw.Expr:
    return _stated(name) & (nw.col(name) != nw.col(f"old_{name}"))


def _other_disk() -> nw.Expr:
    """Say whether one id is that of two disks, so far as both captures tell."""
    return _differ("unique_id") | (~_stated("unique_id") & _differ("created"))


def _flags(*, moved: bool) -> nw.Expr:
    """Say in which ways the same disk differs."""
    machine, before = nw.col("vm_key"), nw.col("old_vm_key")
    if moved:  # its VM has most often moved with it, and so has another id
        machine, before = (one.str.replace_all(r"^.*/", "") for one in (machine, before))
    size, old_size = nw.col("vm_size"), nw.col("old_vm_size")
    cases = {
        "recreated": _other_disk(),
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
