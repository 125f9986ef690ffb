"""The lists of a coverage report: what was read, shares, misses, conflicts, and how it was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import narwhals as nw
from markupsafe import Markup

from diskenc_analysis.editions import capabilities, edition_label, editions, resolve_edition
from diskenc_analysis.matrix import matrix_diff
from diskenc_analysis.results import conflicting, coverage_facts, sources, versions, write_facts
from diskenc_analysis.scope import ATTACHED, SNAPSHOTS, UNATTACHED, answers, only, with_scope
from diskenc_analysis.summary import tally
from diskenc_analysis.tables import HtmlTable, table, templates
from diskenc_analysis.text import bounds, capability_label, count_rows, number, rows
from diskenc_analysis.verdict import verdict

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

__all__ = [
    "ATTACHED",
    "SNAPSHOTS",
    "UNATTACHED",
    "conflicts",
    "coverage_facts",
    "edition_changes",
    "files",
    "gaps",
    "hashes",
    "kinds",
    "misses",
    "only",
    "provenance",
    "shares",
    "verdict",
    "with_scope",
    "write_facts",
]
_MISSED = {"no": "no", "Unhealthy": "no", "unknown": "unknown"}
_WHO = {
    "name": "Disk",
    "subscription_name": "Subscription",
    "resource_group": "Resource group",
    "kind": "Kind",
    "attachment": "Attachment",
    "method": "Method",
}


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
        shown = [(heading, Markup(part._repr_html_())) for heading, part in self.lists]  # noqa: S704 - escaped by its template
        return templates().get_template("lists.html.j2").render(lists=shown, otherwise=self.otherwise)

    def __repr__(self) -> str:
        """Write the headings and the first rows of each table."""
        return "\n\n".join(f"{heading}\n{part!r}" for heading, part in self.lists) or self.otherwise


def files(inv: Inventory, limit: int = 200) -> HtmlTable:
    """List what was read: each file and resource type, with what was used and set aside.

    Parameters
    ----------
    inv : Inventory
        What was read.
    limit : int
        Most rows shown.

    Returns
    -------
    HtmlTable
        Rows read are always rows used plus rows set aside.
    """
    columns = {
        "source": "File",
        "shape": "Shape",
        "resource_type": "Resource type",
        "rows_read": "Read",
        "rows_used": "Used",
        "rows_set_aside": "Set aside",
        "reasons": "Why",
        "truncation_reason": "Signs of a cut",
        "captured_at": "Captured",
    }
    return table(sources(inv), "Files read, with what was used of them", columns, limit)


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
    sizes = answers(cov, weight="gib")
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
    frame = nw.from_native(cov).filter(nw.col(capability).is_in(list(_MISSED)))
    known = nw.when(nw.col(capability) == "unknown").then(nw.lit(1)).otherwise(nw.lit(0))
    ordered = frame.with_columns(known=known, size=-nw.col("gib").fill_null(0)).sort(
        "known", "size", "disk_id"
    )
    return ordered.to_native()


def _miss_list(name: str, frame: Any, limit: int) -> tuple[str, HtmlTable]:
    total = count_rows(frame)
    unsure = count_rows(nw.from_native(frame).filter(nw.col("known") == 1).to_native())
    heading = f"{capability_label(name)}: {number(total - unsure)} no, {number(unsure)} unknown"
    columns = _WHO | {"gib": "GiB", name: "Answer", "evidence": "Evidence"}
    return heading, table(frame, capabilities()[name].question, columns, limit, total)


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
    frame = nw.from_native(conflicting(cov)).sort("disk_id").to_native()
    columns = _WHO | {"conflicts": "Contradiction", "evidence": "Evidence"}
    return table(frame, "Disks whose data contradicts itself", columns, limit)


def provenance(params: Mapping[str, Any]) -> HtmlTable:
    """List how the report was made: edition, parameters, versions.

    Parameters
    ----------
    params : mapping
        The notebook's parameters.

    Returns
    -------
    HtmlTable
        Where files lie on this machine is left out.
    """
    edition = str(params["edition"])
    made = {"Edition of the matrix": f"{resolve_edition(edition)}: {edition_label(edition)}"}
    made["As of"] = str(params["as_of"]) or "no date stated"
    given = {
        f"Parameter {name}": _shown(name, value) for name, value in params.items() if name != "facts_out"
    }
    made |= given | {f"Version of {name}": value for name, value in versions().items()}
    return table([{"What": what, "Value": value} for what, value in made.items()], "How this report was made")


def _shown(name: str, value: object) -> str:
    if name == "inventory":
        return Path(str(value)).name if value else "the bundled sample"
    return str(value) or "(empty)"


def hashes(inv: Inventory, limit: int = 200) -> HtmlTable:
    """List the SHA-256 of each file that was read.

    Parameters
    ----------
    inv : Inventory
        What was read.
    limit : int
        Most files listed.

    Returns
    -------
    HtmlTable
        One row per file.
    """
    found = {row["source"]: {"File": row["source"], "SHA-256": row["sha256"]} for row in sources(inv)}
    return table(list(found.values()), "Input files by hash", limit=limit)


def edition_changes(edition: str = "latest") -> HtmlTable:
    """List the cells in which an edition of the matrix differs from the one before, or from the next.

    Parameters
    ----------
    edition : str
        The edition that judged the report.

    Returns
    -------
    HtmlTable
        One row per cell that differs.
    """
    known, ours = editions(), resolve_edition(edition)
    place = known.index(ours)
    other = known[place - 1] if place else known[min(place + 1, len(known) - 1)]
    old, new = sorted((ours, other))
    columns = {"capability": "Capability", "method": "Method", "old": old, "new": new, "source": "Source"}
    return table(matrix_diff(old, new), f"Cells that differ between the editions {old} and {new}", columns)
