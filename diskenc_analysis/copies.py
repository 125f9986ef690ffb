"""Snapshots, restore points, images and image versions: under the key of what they were made of or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw

from diskenc_analysis.chains import chains_of
from diskenc_analysis.frames import (
    Frame,
    choose,
    distinct,
    doubted,
    given,
    helper,
    kept,
    lazy,
    low,
    native_of,
)
from diskenc_analysis.keyrecords import UNREAD, Record

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

#: The columns of the frame, in order.
COLUMNS = ("kind", "copy_id", "source_id", "copy_key", "source_key", "same_key")
_PLATFORM = "encryptionatrestwithplatformkey"
#: Of a copy without a type, the set tells: without one it has no customer key.
_OF_SET: dict[str, nw.Expr] = {
    "set": nw.col("disk_encryption_set_id_key"),
    "type": nw.when(nw.col("disk_encryption_set_id_key").is_null())
    .then(nw.lit(_PLATFORM))
    .otherwise(nw.lit("")),
}


def copied_keys(inv: Inventory) -> Any:
    """Compare the storage key of each snapshot, restore point, image and image version with its source's.

    Parameters
    ----------
    inv : Inventory
        As `load` gives it.

    Returns
    -------
    frame
        Of the inventory's engine, one row per copy that names its source, text: `kind` (`snapshot`,
        `restore_point`, `image`, or `image_version`: its OS disk, once per key that a region has), `copy_id`,
        `source_id`, `copy_key` and `source_key` (`platform`, or the key as `host/keys/name`, or `unknown`),
        and `same_key`: `yes` where key or set are the same, `no` where both keys are known and differ, else
        `unknown`. Versions of a key are one key.

    Examples
    --------
    >>> from diskenc_analysis import load, sample_path
    >>> found = copied_keys(load(sample_path()))
    >>> sorted(set(found["same_key"]))
    ['no', 'yes']
    """
    typed = {"set": nw.col("disk_encryption_set_id_key"), "type": low("encryption_type")}
    made = [lazy(table).select(source=nw.col("key"), **typed) for table in (inv.disks, inv.snapshots)]
    images = (
        lazy(inv.images).filter(~doubted("disk_encryption_set_id")).select(source=nw.col("key"), **_OF_SET)
    )
    sources = nw.concat([*made, images], how="vertical")
    copies = kept(inv, _copies(inv, typed), "copies_named")
    sets = nw.concat([copies.select("set"), sources.select("set")], how="vertical").filter(given("set"))
    chains = chains_of(inv)
    names = [{"set": key, "label": _label(chains.of_set(key))} for key in distinct(sets, "set")]
    labels = helper(inv, "set_labels", names, ["set", "label"])
    mine = _labelled(copies, labels).rename({"label": "copy_key", "set": "copy_set"}).drop("type")
    theirs = _labelled(sources, labels).rename({"label": "source_key", "set": "source_set"}).drop("type")
    out = mine.join(theirs, on="source", how="left").with_columns(
        source_key=nw.col("source_key").fill_null(UNREAD)
    )
    known = (nw.col("copy_key") != UNREAD) & (nw.col("source_key") != UNREAD)
    one_set = nw.col("copy_set").fill_null("") == nw.col("source_set").fill_null("-")
    equal = nw.col("copy_key") == nw.col("source_key")
    same = choose([(known & equal, "yes"), (known, "no"), (one_set, "yes")], UNREAD)
    out = kept(inv, out.with_columns(same_key=same).select(*COLUMNS), "copied_keys")
    return native_of(inv, out)


def _copies(inv: Inventory, typed: dict[str, nw.Expr]) -> Frame:
    """Give every copy that names its source; an image without a set has no customer key."""
    found = [
        lazy(table).select(
            kind=nw.lit(kind),
            copy_id=nw.col("id"),
            source=nw.col("source_resource_id_key"),
            source_id=nw.col("source_resource_id"),
            **typed,
        )
        for kind, table in (("snapshot", inv.snapshots), ("restore_point", inv.restore_points))
    ]
    images = lazy(inv.image_disks).join(
        lazy(inv.images).select(parent_key=nw.col("key"), copy_id=nw.col("id")), on="parent_key", how="inner"
    )
    versions = lazy(inv.image_regions).join(
        lazy(inv.image_versions).select(
            "source_id", "source_id_key", parent_key=nw.col("key"), copy_id=nw.col("id")
        ),
        on="parent_key",
        how="inner",
    )
    for kind, frame in (("image", images), ("image_version", versions)):
        head = {
            "copy_id": nw.col("copy_id"),
            "source": nw.col("source_id_key"),
            "source_id": nw.col("source_id"),
        }
        found.append(frame.select(kind=nw.lit(kind), **head, **_OF_SET).unique())
    return nw.concat(found, how="vertical").filter(given("source"))


def _labelled(frame: Frame, labels: Frame) -> Frame:
    """Name the key of each row: the platform's by its type, a customer's by its set."""
    joined = frame.join(labels, on="set", how="left")
    by_set = nw.col("label").fill_null(UNREAD)
    label = nw.when(nw.col("type") == _PLATFORM).then(nw.lit("platform")).otherwise(by_set)
    return joined.with_columns(label=label)


def _label(chain: Record) -> str:
    host, name = chain["key_host"] or UNREAD, chain["key_name"] or UNREAD
    return UNREAD if UNREAD in (host, name) else f"{host}/keys/{name}"
