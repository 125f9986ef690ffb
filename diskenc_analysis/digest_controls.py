"""The lists of the report on controls: one call per notebook cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from diskenc_analysis.controls import chosen
from diskenc_analysis.controltables import (
    control_list,
    control_names,
    exception_list,
    framework_name,
    unmet,
)
from diskenc_analysis.exceptionuse import IDLE, USES
from diskenc_analysis.plainrows import Row, rows
from diskenc_analysis.results import origin
from diskenc_analysis.standing import count_standings, pairs, standings
from diskenc_analysis.text import amount, number
from diskenc_analysis.verdict import Verdict

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

__all__ = ["control_facts", "control_list", "control_names", "control_verdict", "exception_list", "unmet"]


def control_verdict(found: Any, framework: str, uses: Any = None) -> Verdict:
    """Put the findings of a framework into words that claim no compliance.

    Parameters
    ----------
    found : frame
        As `findings` gives it for a framework.
    framework : str
        As `controls.chosen` takes it.
    uses : frame or list of dict, optional
        The exceptions, as `exception_uses` gives them.
    """
    counts = count_standings(found)
    noted = {row["exception"]: row["pairs"] for row in pairs(found, ["exception"])}
    name = "all frameworks" if framework == "all" else framework_name(chosen(framework)[0])
    asked = sum(count for name, count in counts.items() if name != "not_applicable")
    met, missed, unsure = (number(counts.get(n, 0)) for n in ("met", "not_met", "unknown"))
    excepted = f"{number(counts['excepted'])} are excepted, " if counts.get("excepted") else ""
    said = f"Of {amount(asked, 'pair')} of disk and control of {name}, {met} are met, "
    said += f"{excepted}{missed} are not met and {unsure} are unknown."
    expired = (
        f"Findings that stand again, since their exception has expired: {number(noted.get('expired', 0))}."
    )
    more = [expired] if noted.get("expired") else []
    idle = [row for row in _rows(uses) if row["use"] in IDLE]
    if idle:
        more.append(f"Exceptions that cover nothing, or not all that they name: {number(len(idle))}.")
    return Verdict((said, *more, "This is evidence on disks, and no statement of compliance."))


def control_facts(
    inv: Inventory, found: Any, edition: str = "latest", as_of: str = "", uses: Any = None
) -> dict[str, Any]:
    """Gather the numbers of the report on controls."""
    return origin(inv, edition, as_of) | {
        "controls": standings(found, ["rule_id"]),
        "by_subscription": standings(found, ["subscription_name"]),
        "exceptions": [row for row in pairs(found, ["exception"]) if row["exception"]],
        "exception_uses": [
            {"use": use, "exceptions": count}
            for use in USES
            if (count := sum(row["use"] == use for row in _rows(uses)))
        ],
    }


def _rows(uses: Any) -> list[Row]:
    return [] if uses is None else rows(uses)
