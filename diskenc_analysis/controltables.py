"""The tables of the report on controls: what each control gives, the findings, and the exceptions."""

from __future__ import annotations

from typing import Any

import narwhals as nw

from diskenc_analysis.controls import Control, chosen
from diskenc_analysis.exceptions import OPEN
from diskenc_analysis.exceptionuse import USES
from diskenc_analysis.frames import lazy
from diskenc_analysis.plainrows import count_rows, rows
from diskenc_analysis.standing import STANDINGS, standings
from diskenc_analysis.tables import HtmlTable, table
from diskenc_analysis.text import number


def control_names(framework: str) -> dict[str, str]:
    """Give what each control of a framework asks, by its id, for charts.

    Parameters
    ----------
    framework : str
        As `controls.chosen` takes it.
    """
    whole = framework == "all"
    named = ((one, one.control_id if whole else one.control) for one in chosen(framework))
    return {one.control_id: f"{name} {one.title}" for one, name in named}


def control_list(found: Any, framework: str) -> HtmlTable:
    """List the controls with their counts, their caveats and their sources."""
    counts = {(row["rule_id"], row["standing"]): row["pairs"] for row in standings(found, ["rule_id"])}
    whole = framework == "all"
    lines = [
        {"Control": _named(one) if whole else one.control, "Asks": one.title}
        | {name.replace("_", " ").capitalize(): counts.get((one.control_id, name), 0) for name in STANDINGS}
        | {"Caveat": one.caveat or "–", "Source": one.source}
        for one in chosen(framework)
    ]
    of = "" if whole else f" of {framework_name(chosen(framework)[0])}"
    return table(lines, f"Controls{of}, and what the disks give for each", limit=200)


def framework_name(one: Control) -> str:
    """Give the framework and the version of a control, as they are printed."""
    return f"{one.framework_name} {one.version}"


def _named(one: Control) -> str:
    return f"{framework_name(one)}: {one.control}"


def unmet(found: Any, limit: int = 25) -> HtmlTable:
    """List the findings that are not met or unknown, those not met first and those excepted last."""
    open_ones = lazy(found).filter(nw.col("status").is_in(OPEN))
    ordered = open_ones.with_columns(last=nw.col("exception") == "excepted")
    shown = rows(nw.to_native(ordered.sort("last", "status", "disk_id", "rule_id")), limit)
    lines = [
        {
            "Control": row["rule_id"],
            "Asks": row["title"],
            "Disk": row["name"],
            "Where": f"{row['subscription_name'] or row['subscription_id']} / {row['resource_group']}",
            "Status": row["status"].replace("_", " "),
            "Exception": row["exception_note"] and f"{row['exception']}: {row['exception_note']}",
            "Evidence": row["evidence"],
        }
        for row in shown
    ]
    if not any(line["Exception"] for line in lines):
        lines = [{name: text for name, text in line.items() if name != "Exception"} for line in lines]
    total = count_rows(nw.to_native(open_ones))
    return table(lines, "Findings that are not met, or unknown", limit=limit, total=total, sheet="controls")


def exception_list(uses: Any, limit: int = 25) -> HtmlTable:
    """List the exceptions with what they cover, those that cover nothing first.

    Parameters
    ----------
    uses : frame
        As `exception_uses` gives it.
    limit : int
        Most rows.
    """
    order = {use: n for n, use in enumerate(("covers_nothing", "not_needed", "repeated", "covers_part"))}
    listed = sorted(rows(uses), key=lambda row: (order.get(row["use"], len(order)), row["line"]))
    lines = [
        {
            "Line": number(row["line"]),
            "Finding": row["finding"],
            "Scope": row["scope"] or "all",
            "What it comes to": USES[row["use"]],
            "Open": row["open"],
            "Met": row["met"],
            "In force": row["in_force"],
            "Until": row["expires"],
            "Granted": f"{row['reason']} (owner {row['owner']}, approved by {row['approver']})",
        }
        for row in listed[:limit]
    ]
    title = "Exceptions and what they cover"
    return table(lines, title, limit=limit, total=len(listed), sheet="exceptions")
