"""Findings about single disks that follow from the verdict, one row each, for every engine."""

from __future__ import annotations

import csv
from functools import cache
from typing import TYPE_CHECKING, Any

import narwhals as nw

from diskenc_analysis.coverage import coverage
from diskenc_analysis.frames import Frame, choose, given, key_of, lazy
from diskenc_analysis.share import data_file

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

_IDENTITY = ("disk_id", "name", "kind", "subscription_id", "subscription_name", "resource_group")
#: The columns of the findings, in order.
COLUMNS = ("rule_id", "severity", "title", *_IDENTITY, "evidence")
#: How strong the key of the storage encryption is; the unknown has no rank.
_RANK = (("platform", "1"), ("customer", "2"), ("platform_and_customer", "3"))
_DRIFT = "the model of its scale set says"


@cache
def rules() -> dict[str, dict[str, str]]:
    """Read the rules of the findings from `data/findings.csv`.

    Returns
    -------
    dict of str to dict
        By `rule_id`: `severity`, `title` and `source`.

    Examples
    --------
    >>> rules()["unmanaged_disk"]["severity"]
    'high'
    """
    with data_file("findings.csv").open(encoding="utf-8", newline="") as file:
        return {row["rule_id"]: row for row in csv.DictReader(file)}


def findings(inv: Inventory, cov: Any = None) -> Any:
    """Find what a person should look at, disk by disk.

    Parameters
    ----------
    inv : Inventory
        As `load` gives it.
    cov : frame, optional
        Its coverage frame; worked out where it is not given.

    Returns
    -------
    frame
        Of the inventory's engine, with the columns of `COLUMNS`: one row per disk and rule of
        `data/findings.csv`. What was not read is a finding of its own, never a pass.

    Examples
    --------
    >>> from diskenc_analysis import load, sample_path
    >>> found = findings(load(sample_path()))
    >>> sorted(set(found["rule_id"]))[:2]
    ['contradiction', 'host_model_differs']
    """
    native = coverage(inv) if cov is None else cov
    disks = lazy(native)
    found = [
        _rule(disks.filter(nw.col("kind") == "unmanaged_disk"), "unmanaged_disk"),
        _rule(
            disks.filter(nw.col("conflicts") != "").with_columns(evidence=nw.col("conflicts")),
            "contradiction",
        ),
        _rule(disks.filter(nw.col("evidence").str.contains(_DRIFT, literal=True)), "host_model_differs"),
        *_snapshots(inv, disks),
    ]
    out = nw.concat(found, how="vertical")
    return nw.to_native(out.collect() if isinstance(nw.from_native(native), nw.DataFrame) else out)


def _rule(frame: Frame, rule_id: str) -> Frame:
    rule = {n: nw.lit(rules()[rule_id][n]) for n in ("severity", "title")}
    return frame.with_columns(rule_id=nw.lit(rule_id), **rule).select(*COLUMNS)


def _snapshots(inv: Inventory, disks: Frame) -> list[Frame]:
    """Compare the key of each snapshot with that of the disk that it was taken of."""
    ranked = disks.with_columns(
        key=key_of("disk_id"), rank=choose([(nw.col("sse") == sse, r) for sse, r in _RANK], "")
    )
    sources = (
        lazy(inv.snapshots).filter(given("source_resource_id_key")).select("key", "source_resource_id_key")
    )
    source = ranked.select(
        source_resource_id_key=nw.col("key"), source_sse=nw.col("sse"), source_rank=nw.col("rank")
    )
    pairs = ranked.join(sources, on="key", how="inner").join(source, on="source_resource_id_key", how="left")
    source_rank, source_sse = nw.col("source_rank").fill_null(""), nw.col("source_sse").fill_null("not read")
    words = [
        nw.lit("storage encryption of the snapshot: "),
        nw.col("sse"),
        nw.lit("; of its disk: "),
        source_sse,
    ]
    pairs = pairs.with_columns(evidence=nw.concat_str(words), source_rank=source_rank)
    known = (nw.col("rank") != "") & (nw.col("source_rank") != "")
    weaker = pairs.filter(known, nw.col("rank") < nw.col("source_rank"))
    # A snapshot under both keys is as strong as any disk, whatever that one has.
    unread = pairs.filter(~known, nw.col("rank") != "3")
    return [_rule(weaker, "snapshot_weaker"), _rule(unread, "snapshot_key_unread")]
