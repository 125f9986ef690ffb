"""The lists of a coverage report: what was read, shares, misses, conflicts, and how it was made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import narwhals as nw
from markupsafe import Markup

from diskenc_analysis.editions import capabilities
from diskenc_analysis.fulltables import write_tables
from diskenc_analysis.ledger import NO_FILE
from diskenc_analysis.provenance import edition_changes, hashes, provenance
from diskenc_analysis.results import conflicting, coverage_facts, sources, write_facts
from diskenc_analysis.scope import ATTACHED, SNAPSHOTS, UNATTACHED, answers, by_size, held, only, with_scope
from diskenc_analysis.summary import tally
from diskenc_analysis.tables import HtmlTable, table, templates
from diskenc_analysis.text import Row, bounds, capability_label, count_rows, number, rows
from diskenc_analysis.verdict import verdict

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

__all__ = [
    "ATTACHED",
    "SNAPSHOTS",
    "UNATTACHED",
    "by_size",
    "conflicts",
    "coverage_facts",
    "edition_changes",
    "files",
    "gaps",
    "hashes",
    "held",
    "kinds",
    "misses",
    "only",
    "provenance",
    "reading",
    "shares",
    "verdict",
    "with_scope",
    "write_facts",
    "write_tables",
]
_MISSED = ("no", "Unhealthy", "unknown")
_SHORT = 6


@dataclass(frozen=True)
class Lists:
    """Tables that fold away, each under a heading of its own.

    Attributes
    ----------
    lists : tuple of (str, HtmlTable)
        Heading and table.
    otherwise : str
        What to say when there are none.

    Examples
    --------
    >>> Lists((), "No disk misses a capability.")
    No disk misses a capability.
    """

    lists: tuple[tuple[str, HtmlTable], ...]
    otherwise: str

    def _repr_html_(self) -> str:
        shown = [(heading, _shown(part)) for heading, part in self.lists]
        return templates().get_template("lists.html.j2").render(lists=shown, otherwise=self.otherwise)

    def __repr__(self) -> str:
        """Write the headings and the first rows of each table."""
        return "\n\n".join(f"{heading}\n{part!r}" for heading, part in self.lists) or self.otherwise


def _shown(part: HtmlTable) -> dict[str, Any]:
    """Give a table for the template of lists; a short one need not be folded."""
    html = Markup(part._repr_html_())  # noqa: S704 - escaped by its template
    return {"html": html, "short": len(part.lines) <= _SHORT}


def reading(inv: Inventory) -> HtmlTable:
    """Sum the ledger by resource type.

    Parameters
    ----------
    inv : Inventory
        What was read.

    Returns
    -------
    HtmlTable
        The last row is the sum. Rows read are always rows used plus rows set aside.
    """
    found = sources(inv)
    used = sorted({row["resource_type"] for row in found if row["rows_used"]})
    other = [row for row in found if row["resource_type"] not in used]
    lines = [_sum_of([row for row in found if row["resource_type"] == kind], kind) for kind in used]
    if other:
        lines.append(_sum_of(other, "other types, not used"))
    return table([*lines, _sum_of(found, "All")], "Rows read, by resource type")


def _sum_of(found: Sequence[Row], name: str) -> Row:
    counts = {"Read": "rows_read", "Used": "rows_used", "Set aside": "rows_set_aside"}
    sums = {words: sum(row[column] for row in found) for words, column in counts.items()}
    return {"Resource type": name, "Files": _count_files(found)} | sums


def _count_files(found: Sequence[Row]) -> int:
    return len({row["source"] for row in found if row["shape"] != NO_FILE})


def files(inv: Inventory, limit: int = 200) -> Lists:
    """List what was read: each file and resource type, with what was used and set aside.

    Parameters
    ----------
    inv : Inventory
        What was read.
    limit : int
        Most rows shown.

    Returns
    -------
    Lists
        Those with rows set aside, or with signs of a cut, stand first.
    """
    columns = {
        "source": "File",
        "resource_type": "Resource type",
        "rows_read": "Read",
        "rows_used": "Used",
        "rows_set_aside": "Set aside",
        "reasons": "Why",
        "truncation_reason": "Signs of a cut",
        "status": "Collected",
        "notes": "Notes",
        "captured_at": "Captured",
        "shape": "Shape",
    }
    found = sorted(
        sources(inv), key=lambda row: (not (row["rows_set_aside"] or row["truncated"]), row["source"])
    )
    heading = f"Each of the {number(_count_files(found))} files, those with rows set aside first"
    return Lists(
        ((heading, table(found, "Files read", columns, limit, sheet="files_read")),), "No file was read."
    )


def gaps(inv: Inventory) -> HtmlTable:
    """List what the inventory cannot answer.

    Parameters
    ----------
    inv : Inventory
        What was read.

    Returns
    -------
    HtmlTable
        With the verdicts that each gap leaves unknown.
    """
    columns = {"gap": "Gap", "rows": "Rows", "consequence": "Left unknown by it"}
    return table(inv.gaps(), "What this inventory cannot answer", columns)


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
