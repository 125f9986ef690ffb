"""The lists of the disks: by kind, shares, what they miss, and contradictions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw

from diskenc_analysis.editions import capabilities
from diskenc_analysis.folded import Lists
from diskenc_analysis.plainrows import Row, count_rows, rows
from diskenc_analysis.results import conflicting
from diskenc_analysis.scope import answers
from diskenc_analysis.summary import tally
from diskenc_analysis.tables import HtmlTable, table
from diskenc_analysis.text import bounds, capability_label, number

_MISSED = ("no", "Unhealthy", "unknown")


def kinds(cov: Any) -> HtmlTable:
    """Count the rows by kind and attachment.

    Parameters
    ----------
    cov : frame
        Coverage.

    Returns
    -------
    HtmlTable
        One row per kind and attachment, with the GiB.
    """
    columns = {"kind": "Kind", "attachment": "Attachment", "disks": "Rows", "gib": "GiB"}
    found = sorted(
        rows(tally(cov, by=["kind", "attachment"])), key=lambda row: (row["kind"], row["attachment"])
    )
    return table(found, "Rows by kind and attachment", columns)


def shares(cov: Any) -> HtmlTable:
    """List the shares of all capabilities, for each part of the estate, by count and by size.

    Parameters
    ----------
    cov : frame
        Coverage.

    Returns
    -------
    HtmlTable
        Capabilities of a VM are not counted in GiB.
    """
    sizes = {key: row for key, row in answers(cov, weight="gib").items() if row["weight"] == "gib"}
    lines = [
        {
            "Part": scope,
            "Capability": capability_label(name),
            "Counted in": {"vms": "VMs"}.get(row["weight"], row["weight"]),
            "Yes": row["yes"],
            "Unknown": row["unknown"],
            "No": row["no"],
            "Not applicable": row["not_applicable"],
            "Share of yes": bounds(row["share_low"], row["share_high"]),
            "Share of GiB": _size_share(sizes.get((scope, name))),
        }
        for (scope, name), row in answers(cov).items()
        if row["yes"] + row["no"] + row["unknown"]
    ]
    return table(lines, "Share of yes by part of the estate, from the low to the high bound")


def _size_share(row: Mapping[str, Any] | None) -> str:
    return bounds(row["share_low"], row["share_high"]) if row else "–"


def misses(cov: Any, limit: int = 25) -> Lists:
    """List the disks that miss each capability, or about which it is not known.

    Parameters
    ----------
    cov : frame
        Coverage.
    limit : int
        Most disks listed per capability.

    Returns
    -------
    Lists
        One table per capability: those known to miss it first, the largest of them before the smaller.
    """
    found = ((name, _missing(cov, name)) for name in capabilities())
    lists = tuple(_miss_list(name, frame, limit) for name, frame in found if count_rows(frame))
    return Lists(lists, "No disk misses a capability, and none is unknown.")


def _missing(cov: Any, capability: str) -> Any:
    frame = _named(cov).filter(nw.col(capability).is_in(_MISSED))
    known = nw.when(nw.col(capability) == "unknown").then(nw.lit(1)).otherwise(nw.lit(0))
    ordered = frame.with_columns(known=known, size=-nw.col("gib").fill_null(0)).sort(
        "known", "size", "disk_id"
    )
    return ordered.to_native()


def _named(cov: Any) -> Any:
    """Put the id of a subscription where its name is not known."""
    name = nw.coalesce("subscription_name", "subscription_id")
    return nw.from_native(cov).with_columns(subscription_name=name)


def _miss_list(name: str, frame: Any, limit: int) -> tuple[str, HtmlTable]:
    total = count_rows(frame)
    unsure = count_rows(nw.from_native(frame).filter(nw.col("known") == 1).to_native())
    heading = f"{capability_label(name)}: {number(total - unsure)} no, {number(unsure)} unknown"
    last = {"Answer": name, "Evidence": "evidence"}
    return heading, _disks(frame, capabilities()[name].question, limit, last)


def _disks(frame: Any, caption: str, limit: int, last: Mapping[str, str]) -> HtmlTable:
    """List disks: who they are, and the columns that the list is about."""
    lines = [_who(row) | {words: row[column] for words, column in last.items()} for row in rows(frame, limit)]
    return table(lines, caption, limit=limit, total=count_rows(frame), sheet="disks")


def _who(row: Row) -> Row:
    return {
        "Disk": row["name"],
        "Where": f"{row['subscription_name'] or '–'} / {row['resource_group'] or '–'}",
        "What": f"{row['kind'].replace('_', ' ')}, {row['attachment']}",
        "Method": row["method"],
        "GiB": row["gib"],
    }


def conflicts(cov: Any, limit: int = 100) -> HtmlTable:
    """List the disks whose data contradicts itself.

    Parameters
    ----------
    cov : frame
        Coverage.
    limit : int
        Most disks listed.

    Returns
    -------
    HtmlTable
        Sorted by disk id, with the contradiction and the evidence.
    """
    frame = _named(conflicting(cov)).sort("disk_id").to_native()
    last = {"Contradiction": "conflicts", "Evidence": "evidence"}
    return _disks(frame, "Disks whose data contradicts itself", limit, last)
