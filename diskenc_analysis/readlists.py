"""The lists of what was read: rows by type, each file, and what cannot be answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from diskenc_analysis.folded import Lists
from diskenc_analysis.ledger import NO_FILE
from diskenc_analysis.plainrows import Row
from diskenc_analysis.results import sources
from diskenc_analysis.tables import HtmlTable, table
from diskenc_analysis.text import number

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory


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
