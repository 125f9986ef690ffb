"""The sets that images, image versions, restore points and models of scale sets need, for every engine."""

from __future__ import annotations

import narwhals as nw

from diskenc_analysis.frames import Frame, choose, distinct, given, helper, kept, lazy
from diskenc_analysis.inventory import Inventory, once

#: The columns of the frame, in order.
COLUMNS = ("set", "kind", "copy_id", "region", "disk", "layer")
_SETS = {"sse": "disk_encryption_set_id_key", "confidential": "secure_vm_disk_encryption_set_id_key"}
_DATA = {"sse": "data_set_ids", "confidential": "data_secure_set_ids"}


@once
def image_sets(inv: Inventory) -> Frame:
    """Give every set that an image, an image version, a restore point or a scale set's model names.

    Parameters
    ----------
    inv : Inventory
        With `images`, `image_versions`, `restore_points` and `scale_sets`, as far as they were read.

    Returns
    -------
    Frame
        One row per set, copy, `region` (a version has sets of its own in each) and `disk` (`os`, `data` or,
        of a restore point, empty): `set` (key of its id), `kind` (`image`, `image_version`, `restore_point`,
        `scale_set`), `copy_id`, and `layer` (`sse` or `confidential`). The model of a scale set speaks for
        instances still to be made: those that are there are disks of the coverage, as snapshots are.
    """
    heads = {
        kind: lazy(table).select(parent_key=nw.col("key"), copy_id=nw.col("id"), place=nw.col("location"))
        for kind, table in (
            ("image", inv.images),
            ("image_version", inv.image_versions),
            ("scale_set", inv.scale_sets),
        )
    }
    images = lazy(inv.image_disks).join(heads["image"], on="parent_key", how="inner")
    role = choose([(nw.col("origin") == "os_disk", "os")], "data")
    found = [_named(images, "image", "place", role, _SETS["sse"], "sse")]
    regions = lazy(inv.image_regions).join(heads["image_version"], on="parent_key", how="inner")
    models = lazy(inv.model_disks).join(heads["scale_set"], on="parent_key", how="inner")
    points = lazy(inv.restore_points).with_columns(copy_id=nw.col("id"), place=nw.col("location"))
    for layer, column in _SETS.items():
        found.append(_named(regions, "image_version", "region", nw.lit("os"), column, layer))
        found.append(_named(points, "restore_point", "place", nw.lit(""), column, layer))
        found.append(_named(models, "scale_set", "place", role, column, layer))
    for layer, column in _DATA.items():
        listed = _listed(inv, regions, column)
        found.append(_named(listed, "image_version", "region", nw.lit("data"), "one", layer))
    return kept(inv, nw.concat(found, how="vertical").unique(), "image_sets")


def _named(frame: Frame, kind: str, region: str, disk: nw.Expr, column: str, layer: str) -> Frame:
    return frame.filter(given(column)).select(
        set=nw.col(column),
        kind=nw.lit(kind),
        copy_id=nw.col("copy_id"),
        region=nw.col(region),
        disk=disk,
        layer=nw.lit(layer),
    )


def _listed(inv: Inventory, frame: Frame, column: str) -> Frame:
    """Give each set of a list a row of its own; there are few lists, since many versions share their sets."""
    frame = frame.filter(given(column), nw.col(column) != "")
    pairs = [
        {column: text, "one": f"/{one.strip('/ ').lower()}"}
        for text in distinct(frame, column)
        for one in text.split(";")
        if one.strip("/ ")
    ]
    return frame.join(helper(inv, f"listed_{column}", pairs, [column, "one"]), on=column, how="inner")
