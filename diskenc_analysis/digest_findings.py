"""The lists of the reports on Defender and on controls: one call per notebook cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import narwhals as nw

from diskenc_analysis.controls import Control, chosen
from diskenc_analysis.defender_outcomes import outcomes
from diskenc_analysis.defender_rules import clouds, defender_rules
from diskenc_analysis.editions import edition_label, resolve_edition
from diskenc_analysis.exceptions import OPEN
from diskenc_analysis.exceptionuse import IDLE, USES
from diskenc_analysis.frames import lazy
from diskenc_analysis.policy_rules import disk_policy_rules
from diskenc_analysis.results import sources
from diskenc_analysis.standing import STANDINGS, count_standings, standings
from diskenc_analysis.tables import HtmlTable, table
from diskenc_analysis.text import Row, amount, count_rows, number, rows
from diskenc_analysis.verdict import Verdict

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

_DISAGREES = tuple(name for name, row in outcomes().items() if row["disagrees"] == "yes")


def pairs(frame: Any, by: Sequence[str]) -> list[Row]:
    """Count the rows of a frame by columns.

    Parameters
    ----------
    frame : frame
        Of any engine.
    by : sequence of str
        Text columns; a null is `(none)`.

    Returns
    -------
    list of dict
        The columns and `pairs` (int), sorted by the columns.
    """
    filled = lazy(frame).select(**{name: nw.col(name).fill_null("(none)") for name in by}, pairs=nw.lit(1))
    counted = filled.group_by(list(by)).agg(nw.col("pairs").sum()).sort(*by)
    return [row | {"pairs": int(row["pairs"])} for row in rows(nw.to_native(counted))]


def defender_verdict(found: Any) -> Verdict:
    """Put the comparison with Defender into words.

    Parameters
    ----------
    found : frame
        As `defender` gives it.
    """
    counts = {row["outcome"]: row["pairs"] for row in pairs(found, ["outcome"])}
    both = counts.get("agree", 0) + counts.get("stale", 0) + counts.get("unexplained", 0)
    off = sum(counts.get(name, 0) for name in _DISAGREES)
    causes = [(outcomes()[n]["label"], counts[n]) for n in _DISAGREES if counts.get(n)]
    listed = "; ".join(f"{words}: {number(count)}" for words, count in causes)
    same = number(counts.get("agree", 0))
    said = [
        f"Of {amount(both, 'pair')} of resource and rule that both sides judge, {same} agree.",
        f"{amount(off, 'pair')} disagree or say nothing of the disks. {listed}.",
    ]
    unsure = counts.get("unknown", 0) + counts.get("not_reported", 0)
    said.append(f"{amount(unsure, 'pair')} could not be compared: see the list of outcomes.")
    return Verdict(tuple(said if off else (said[0], said[2])))


def outcome_counts(found: Any) -> HtmlTable:
    """Count the pairs by outcome, with what it means and what to do."""
    counts = {row["outcome"]: row["pairs"] for row in pairs(found, ["outcome"])}
    lines = [
        {
            "Outcome": row["label"],
            "Pairs": counts.get(name, 0),
            "What it means": row["meaning"],
            "What to do": row["action"],
        }
        for name, row in outcomes().items()
    ]
    return table(lines, "Outcomes of the comparison")


def disagreements(found: Any, limit: int = 25) -> HtmlTable:
    """List the disagreements, those without an explanation first."""
    first = ("unexplained", "stale", "exempted", "not_evaluated", "deprecated_rule")
    kept = lazy(found).filter(nw.col("outcome").is_in(list(_DISAGREES)))
    found_rows = rows(nw.to_native(kept))
    listed = sorted(
        found_rows, key=lambda row: (first.index(row["outcome"]), row["resource_id"], row["rule_id"])
    )
    lines = [
        {
            "Resource": row["name"],
            "Where": f"{row['subscription_name'] or row['subscription_id']} / {row['resource_group']}",
            "Rule": defender_rules()[row["rule_id"]].short,
            "Given": row["predicted"],
            "Reported": row["reported"] or "–",
            "Matrix": row["matrix_status"] or "–",
            "Cause": outcomes()[row["outcome"]]["label"],
            "Why": row["reason"],
            "What to do": row["action"],
        }
        for row in listed[:limit]
    ]
    return table(lines, "Disagreements with Defender", limit=limit, total=len(listed), sheet="defender")


def rule_list() -> HtmlTable:
    """List the recommendations, where they exist and what they read."""
    reads = {"host_flag": "encryption at host", "guest_assignment": "guest configuration"}
    reads["assessment"] = "another recommendation"
    lines = [
        {
            "Rule": one.short,
            "Id": one.rule_id,
            "Title": one.title,
            "State": one.state,
            "Reads": reads[one.reads],
            "Clouds": ", ".join(clouds()[name]["label"] for name in one.clouds),
            "Recommendation": one.assessment_key,
            "Policy": one.policy_id,
            "Source": one.source,
        }
        for one in defender_rules().values()
    ]
    return table(lines, "Recommendations of Defender on disk encryption")


def rule_names() -> dict[str, str]:
    """Give the recommendations in a few words, by id, for charts."""
    return {one.rule_id: one.short for one in defender_rules().values()}


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


def policy_gaps(found: Any) -> HtmlTable:
    """Count what each built-in policy gives, and where it is not what is so."""
    counted = pairs(found, ["rule_id", "policy_verdict", "gap"])

    def of(rule: str, column: str, value: str) -> int:
        return sum(row["pairs"] for row in counted if (row["rule_id"], row[column]) == (rule, value))

    lines = [
        {
            "Policy": row["title"],
            "Compliant": of(rule, "policy_verdict", "compliant"),
            "Flagged": of(rule, "policy_verdict", "non_compliant"),
            "Unknown": of(rule, "policy_verdict", "unknown"),
            "Good but flagged": of(rule, "gap", "good_disk_flagged"),
            "Bad but passed": of(rule, "gap", "bad_disk_passed"),
            "Lacking and not looked at": of(rule, "gap", "not_looked_at"),
            "Looks at": row["evaluates"],
            "Overlooks": row["blind_spot"],
        }
        for rule, row in disk_policy_rules().items()
    ]
    return table(lines, "Built-in policies on disks, by their own logic")


def exposed(found: Any, limit: int = 25) -> HtmlTable:
    """Count who could download the disks, and by what."""
    lines = [
        {
            "Exposure": row["exposure"].replace("_", " "),
            "Kind": row["kind"].replace("_", " "),
            "Disks": row["pairs"],
            "Why": row["reason"],
        }
        for row in pairs(found, ["exposure", "kind", "reason"])
    ]
    return table(lines, "Who could download a disk", limit=limit)


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
    name = "all frameworks" if framework == "all" else _framework(chosen(framework)[0])
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
    of = "" if whole else f" of {_framework(chosen(framework)[0])}"
    return table(lines, f"Controls{of}, and what the disks give for each", limit=200)


def _framework(one: Control) -> str:
    return f"{one.framework_name} {one.version}"


def _named(one: Control) -> str:
    return f"{_framework(one)}: {one.control}"


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


def _rows(uses: Any) -> list[Row]:
    return [] if uses is None else rows(uses)


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


def defender_facts(inv: Inventory, found: Any, edition: str = "latest", as_of: str = "") -> dict[str, Any]:
    """Gather the numbers of the report on Defender."""
    return _head(inv, edition, as_of) | {
        "outcomes": pairs(found, ["rule_id", "outcome"]),
        "agreement": pairs(found, ["predicted", "reported"]),
        "clouds": pairs(found, ["cloud"]),
    }


def control_facts(
    inv: Inventory, found: Any, edition: str = "latest", as_of: str = "", uses: Any = None
) -> dict[str, Any]:
    """Gather the numbers of the report on controls."""
    return _head(inv, edition, as_of) | {
        "controls": standings(found, ["rule_id"]),
        "by_subscription": standings(found, ["subscription_name"]),
        "exceptions": [row for row in pairs(found, ["exception"]) if row["exception"]],
        "exception_uses": [
            {"use": use, "exceptions": count}
            for use in USES
            if (count := sum(row["use"] == use for row in _rows(uses)))
        ],
    }


def _head(inv: Inventory, edition: str, as_of: str) -> dict[str, Any]:
    return {
        "edition": resolve_edition(edition),
        "edition_label": edition_label(edition),
        "as_of": as_of or None,
        "ledger": dict(inv.totals) | {"files": sources(inv)},
    }
