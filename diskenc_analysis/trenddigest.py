"""What the notebook on a history shows: one call per cell."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from typing import Any

from diskenc_analysis import history, historysums
from diskenc_analysis.datafiles import write_table
from diskenc_analysis.editions import capabilities, edition_label
from diskenc_analysis.errors import ParameterError
from diskenc_analysis.plainrows import Row, rows
from diskenc_analysis.sample_months import months
from diskenc_analysis.tables import HtmlTable, table
from diskenc_analysis.text import bounds, capability_label, number, percent
from diskenc_analysis.trend import Pace, pace
from diskenc_analysis.verdict import Verdict

_ASSUMED = (
    "A date of a target assumes that the low bound goes on in a straight line, with the estate as it is: no "
    "one can know that. What is read for the first time moves the bound as well as what is encrypted."
)


def opened(folder: str, engine: str, inventory: str = "") -> Any:
    """Open a history; without a name that of the bundled sample's last months.

    Parameters
    ----------
    folder : str
        The history, or empty.
    engine : str
        What holds its rows.
    inventory : str
        The inventory of the report: made-up months would pass for its own.

    Raises
    ------
    ParameterError
        When an inventory is named and no history.
    """
    if inventory and not folder:
        raise ParameterError(
            "expected a history, as diskenc history add makes it: name its folder (parameter history; "
            "diskenc report takes it from a file, --params FILE)"
        )
    return history.read(folder or months(), engine)


def held(frame: Any) -> list[Row]:
    """Hold sums in memory, since every cell asks for them."""
    return rows(frame)


def paces(sums: Any, captures: Any, target: float, window: int) -> list[Pace]:
    """Work out the pace of every capability that protects."""
    found, when = rows(sums), rows(captures)
    return [pace(found, when, n, target, window) for n, one in capabilities().items() if one.protects]


def verdict(found: Sequence[Pace], captures: Any, groups: Any, capability: str) -> Verdict:
    """Put the trend into words, first that of the capability in question."""
    when = rows(captures)
    chosen = next((one for one in found if one.capability == capability), None)
    first = f"{capability_label(capability)}: {chosen.said}" if chosen else ""
    span = f"{len(when)} captures from {when[0]['capture_date']} to {when[-1]['capture_date']}"
    if len(when) == 1:
        span = f"1 capture of {when[0]['capture_date']}"
    size = f"{span}, the last of {number(when[-1]['disks'])} disks."
    dark = [row["capture_date"] for row in when if row["unread"]]
    read = (
        f"Not read whole, and left out of the pace: {', '.join(dark[:6])}{' ...' if dark[6:] else ''}."
        if dark
        else ""
    )
    counted = set(_subscriptions(groups).values())
    differ = "The captures hold different numbers of subscriptions: shares move with these too."
    parts = [first, size, read, differ if len(counted) > 1 else "", _ASSUMED]
    return Verdict(tuple(filter(None, parts)))


def _subscriptions(groups: Any) -> Counter[str]:
    return Counter(row["capture_date"] for row in rows(groups))


def targets(found: Sequence[Pace], target: float) -> HtmlTable:
    """List when each capability would meet the target at the present pace."""
    lines = [
        {
            "Capability": capability_label(one.capability),
            "Low bound": percent(one.now, "down"),
            "In 30 days": "–" if one.per_month is None else f"{100 * one.per_month:+.1f} points",
            "Met on": one.met_on or "–",
            "In words": one.said,
        }
        for one in found
    ]
    return table(lines, f"When {target:g}% would be met at the present pace")


def captured(captures: Any, groups: Any) -> HtmlTable:
    """List the captures."""
    counted = _subscriptions(groups)
    lines = [
        {
            "Capture": row["capture_date"],
            "Disks": row["disks"],
            "GiB": row["gib"],
            "Subscriptions": counted.get(row["capture_date"], 0),
            "Edition of the matrix": row["edition"],
            "Not read whole": row["unread"] or "–",
        }
        for row in rows(captures)
    ]
    return table(lines[::-1], "Captures, the newest first", limit=60)


def latest(sums: Any) -> HtmlTable:
    """List the answers of the first and the last capture."""
    found = rows(sums)
    days = sorted({row["capture_date"] for row in found})
    at = {(row["capture_date"], row["capability"]): row for row in found}
    lines = [_line(name, at.get((days[0], name)), at.get((days[-1], name))) for name in capabilities()]
    return table(lines, f"Answers of {days[0]} and of {days[-1]}")


def _line(name: str, old: Row | None, new: Row | None) -> Row:
    told = {"Capability": capability_label(name), "Counted in": "–" if new is None else new["weight"]}
    for when, row in (("first", old), ("last", new)):
        told |= {
            f"Share, {when}": bounds(row["share_low"], row["share_high"]) if row else "n/a",
            f"Unknown, {when}": row["unknown"] if row else None,
        }
    return told


def names(rows_of_history: Any) -> dict[str, str]:
    """Give each subscription the name that it had last; one that was never named keeps its id."""
    found = rows(historysums.layers(rows_of_history, ["subscription_id", "subscription_name"]))
    last: dict[str, str] = {}
    for row in sorted(found, key=lambda row: row["capture_date"]):
        if row["subscription_name"] != "(none)":
            last[row["subscription_id"]] = row["subscription_name"]
    return last


def facts(sums: Any, captures: Any, found: Sequence[Pace], as_of: str = "") -> dict[str, Any]:
    """Gather the numbers of the trend."""
    when = rows(captures)
    edition = when[-1]["edition"]
    return {
        "edition": edition,
        "edition_label": edition_label(edition),
        "as_of": as_of or None,
        "captures": when,
        "pace": [vars(one) | {"per_month": one.per_month} for one in found],
        "sums": rows(sums),
    }


def write(folder: str | os.PathLike[str], sums: Any, captures: Any, groups: Any) -> None:
    """Write the sums as Parquet.

    Examples
    --------
    >>> write("", None, None, None)
    """
    if not os.fspath(folder):
        return
    write_table(folder, "trend", sums, "How did the answers go over time?")
    write_table(folder, "trend_by_subscription", groups, "How did they go in each subscription?")
    write_table(folder, "captures", captures, "Which captures does the history hold?")
