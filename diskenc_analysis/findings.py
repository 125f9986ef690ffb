"""Findings about single disks that follow from the verdict, one row each, for every engine."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from os import PathLike
from typing import TYPE_CHECKING, Any

import narwhals as nw

from diskenc_analysis.controls import Control, chosen, controls, judge_control
from diskenc_analysis.coverage import coverage
from diskenc_analysis.editions import records
from diskenc_analysis.exceptions import read_exceptions, with_exceptions
from diskenc_analysis.exposure import exposure
from diskenc_analysis.frames import Frame, choose, fresh, given, is_true, kept, key_of, lazy, native_like

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

_IDENTITY = ("disk_id", "name", "kind", "subscription_id", "subscription_name", "resource_group")
_NAMED = ("rule_id", "severity", "status", "title", "caveat")
#: The columns of the findings, in order.
COLUMNS = ("finding_id", *_NAMED, *_IDENTITY, "evidence", "exception", "exception_note")
#: How strong the key of the storage encryption is; the unknown has no rank.
_RANK = (("platform", "1"), ("customer", "2"), ("platform_and_customer", "3"))
_DRIFT = "the model of its scale set says"


@cache
def rules() -> dict[str, dict[str, str]]:
    """Read the rules of the findings from `data/findings.csv`.

    Returns
    -------
    dict of str to dict
        By `rule_id`: `severity`, `status`, `title` and `source`.

    Examples
    --------
    >>> rules()["unmanaged_disk"]["severity"]
    'high'
    """
    return {row["rule_id"]: row for row in records("findings.csv")}


def findings(
    inv: Inventory,
    cov: Any = None,
    framework: str | None = None,
    exceptions: str | PathLike[str] | None = None,
    as_of: str = "",
) -> Any:
    """Find what a person should look at, disk by disk; or judge every disk by the controls of a framework.

    Parameters
    ----------
    inv : Inventory
        As `load` gives it.
    cov : frame, optional
        Its coverage frame; worked out where it is not given.
    framework : str, optional
        A framework of `data/controls.csv` (its newest version that is no preview), `FRAMEWORK@VERSION`, or
        `all`. Without it the rules of `data/findings.csv` are applied.
    exceptions : path, optional
        CSV file of what was granted; see `exceptions.read_exceptions`.
    as_of : str
        Date as YYYY-MM-DD at which exceptions are judged; the last day of one still counts.

    Returns
    -------
    frame
        Of the inventory's engine, text throughout, with the columns of `COLUMNS`. By rule: one row per disk
        and rule that it meets. By framework: one row per disk and control with `status` `met`, `not_met`,
        `not_applicable` or `unknown`: evidence, and never a statement of compliance. What was not read is
        unknown, never a pass. `finding_id` is the same in every run: rule and id of the disk. `exception` is
        `excepted`, `expired` or empty; an excepted finding keeps its status.

    Raises
    ------
    UnknownNameError
        When there is no such framework or version.
    UnreadableInputError
        When the file of exceptions is wrong.
    ParameterError
        When there are exceptions and no date.

    Examples
    --------
    >>> from diskenc_analysis import load, sample_path
    >>> inv = load(sample_path())
    >>> sorted(set(findings(inv)["rule_id"]))[:2]
    ['contradiction', 'host_model_differs']
    >>> sorted(set(findings(inv, framework="pci_dss")["status"]))
    ['not_applicable', 'not_met', 'unknown']
    """
    granted = read_exceptions(exceptions, [*rules(), *controls()]) if exceptions else []
    asked = chosen(framework) if framework else ()
    native = coverage(inv) if cov is None else cov
    found = _by_control(inv, native, asked) if framework else _by_rule(inv, lazy(native))
    named = nw.concat([one.select(*_NAMED, *_IDENTITY, "evidence") for one in found], how="vertical")
    key = nw.concat_str([nw.col("rule_id"), nw.lit(":"), key_of("disk_id")])
    out = with_exceptions(inv, named.with_columns(finding_id=key), granted, as_of).select(*COLUMNS)
    out = fresh(inv, out.sort("disk_id", "rule_id"), "findings")
    return native_like(native, out)


def _by_control(inv: Inventory, cov: Any, asked: Sequence[Control]) -> list[Frame]:
    network = lazy(exposure(inv, cov)).select("disk_id", "network")
    disks = kept(inv, lazy(cov).join(network, on="disk_id", how="left"), "control_disks")
    return [judge_control(disks, one) for one in asked]


def _by_rule(inv: Inventory, disks: Frame) -> list[Frame]:
    contradicted = disks.filter(nw.col("conflicts") != "").with_columns(evidence=nw.col("conflicts"))
    return [
        _rule(disks.filter(nw.col("kind") == "unmanaged_disk"), "unmanaged_disk"),
        _rule(contradicted, "contradiction"),
        _rule(disks.filter(nw.col("evidence").str.contains(_DRIFT, literal=True)), "host_model_differs"),
        *_snapshots(inv, disks),
    ]


def _rule(frame: Frame, rule_id: str) -> Frame:
    rule = {n: nw.lit(rules()[rule_id][n]) for n in ("severity", "status", "title")}
    return frame.with_columns(rule_id=nw.lit(rule_id), caveat=nw.lit(""), **rule)


def _snapshots(inv: Inventory, disks: Frame) -> list[Frame]:
    """Compare the key of each snapshot with that of the disk that it was taken of."""
    ranked = disks.with_columns(
        key=key_of("disk_id"), rank=choose([(nw.col("sse") == sse, r) for sse, r in _RANK], "")
    )
    named = {"own_set": nw.col("disk_encryption_set_id_key").fill_null("")}
    sources = lazy(inv.snapshots).filter(given("source_resource_id_key"))
    sources = sources.select("key", "source_resource_id_key", incremental=is_true("incremental"), **named)
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
    differs = _other_set(inv, pairs.filter(known, nw.col("incremental")))
    return [
        _rule(weaker, "snapshot_weaker"),
        _rule(differs, "snapshot_set_differs"),
        _rule(unread, "snapshot_key_unread"),
    ]


def _other_set(inv: Inventory, pairs: Frame) -> Frame:
    """Give the snapshots whose set is not that of their disk; the platform's key counts as no set."""
    sets = lazy(inv.disks).select(
        source_resource_id_key=nw.col("key"), disk_set=nw.col("disk_encryption_set_id_key").fill_null("")
    )
    pairs = pairs.join(sets, on="source_resource_id_key", how="inner")
    mine, theirs = (
        nw.when(nw.col(name) == "").then(nw.lit("none")).otherwise(nw.col(name))
        for name in ("own_set", "disk_set")
    )
    words = [nw.lit("set of the incremental snapshot: "), mine, nw.lit("; of its disk: "), theirs]
    return pairs.filter(nw.col("own_set") != nw.col("disk_set")).with_columns(evidence=nw.concat_str(words))
