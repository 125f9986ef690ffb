"""The lists of the report on Defender: one call per notebook cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw

from diskenc_analysis.defender_outcomes import outcomes
from diskenc_analysis.defender_rules import clouds, defender_rules, detected
from diskenc_analysis.frames import lazy
from diskenc_analysis.plainrows import rows
from diskenc_analysis.policy_rules import disk_policy_rules
from diskenc_analysis.results import origin
from diskenc_analysis.standing import pairs
from diskenc_analysis.tables import HtmlTable, table
from diskenc_analysis.text import amount, number
from diskenc_analysis.verdict import Verdict

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

__all__ = [
    "defender_facts",
    "defender_verdict",
    "disagreements",
    "exposed",
    "outcome_counts",
    "pairs",
    "policy_gaps",
    "rule_list",
    "rule_names",
]
_DISAGREES = tuple(name for name, row in outcomes().items() if row["disagrees"] == "yes")


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
            **{
                f"Detects, by the document of {edition}": listed.get(one.rule_id, "not listed")
                for edition, listed in detected().items()
            },
            "Clouds": ", ".join(clouds()[name]["label"] for name in one.clouds),
            "Recommendation; policy": f"{one.assessment_key}; {one.policy_id}",
            "Source": one.source,
        }
        for one in defender_rules().values()
    ]
    return table(lines, "Recommendations of Defender on disk encryption")


def rule_names() -> dict[str, str]:
    """Give the recommendations in a few words, by id, for charts."""
    return {one.rule_id: one.short for one in defender_rules().values()}


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


def defender_facts(inv: Inventory, found: Any, edition: str = "latest", as_of: str = "") -> dict[str, Any]:
    """Gather the numbers of the report on Defender."""
    return origin(inv, edition, as_of) | {
        "outcomes": pairs(found, ["rule_id", "outcome"]),
        "agreement": pairs(found, ["predicted", "reported"]),
        "clouds": pairs(found, ["cloud"]),
    }
