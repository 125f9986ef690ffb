"""What Defender reports beside what its rule gives: whether the two agree, and why not, once per profile."""

from __future__ import annotations

from functools import cache

from diskenc_analysis.defender_rules import (
    HEALTHY,
    NOT_APPLICABLE,
    NOT_EVALUATED,
    REPORTS,
    UNHEALTHY,
    UNKNOWN,
    Facts,
    Prediction,
    Rule,
    predict,
)
from diskenc_analysis.editions import records


@cache
def outcomes() -> dict[str, dict[str, str]]:
    """Read what may come of a comparison: `label`, `disagrees`, `meaning` and `action` by outcome.

    Examples
    --------
    >>> outcomes()["stale"]["disagrees"]
    'yes'
    """
    return {row["outcome"]: row for row in records("defender_outcomes.csv")}


def compare(rule: Rule, facts: Facts) -> dict[str, str]:
    """Compare what a rule gives with what Defender reports.

    Parameters
    ----------
    rule : Rule
        One of `defender_rules()`.
    facts : mapping
        As `predict` takes them, with `reported` (status as it came, `none`, or `differ`), `exempt` (one of
        `exemptions.WORDS`, or empty) and `told` (`yes` where the subscription has any report).

    Returns
    -------
    dict of str to str
        `predicted`, `evidence`, `reported`, `outcome` and `reason`.
    """
    made = predict(rule, facts)
    reported = REPORTS.get(facts["reported"], "" if facts["reported"] == "none" else UNKNOWN)
    outcome, why = _outcome(made, reported, facts)
    reason = "; ".join(filter(None, [made.evidence, why, _beside(made, facts)]))
    return {
        "predicted": made.status,
        "evidence": made.evidence,
        "reported": reported,
        "outcome": outcome,
        "reason": reason,
    }


def _outcome(made: Prediction, reported: str, facts: Facts) -> tuple[str, str]:
    if made.basis == "deprecated":
        return ("deprecated_rule", "Defender still reports it") if reported else ("out_of_scope", "")
    if not reported:
        return _silent(made, facts)
    if reported == UNKNOWN:
        return UNKNOWN, "several reports differ, or the status is no word that Defender is known to use"
    if made.status not in (HEALTHY, UNHEALTHY):
        return _unpredicted(made, reported, facts)
    return _both(made, reported, facts)


def _both(made: Prediction, reported: str, facts: Facts) -> tuple[str, str]:
    if reported == NOT_APPLICABLE:
        return _turned_off(facts)
    return ("agree", "") if reported == made.status else _contrary(made, reported)


def _silent(made: Prediction, facts: Facts) -> tuple[str, str]:
    if made.status == NOT_APPLICABLE:
        return "out_of_scope", ""
    if made.status in (NOT_EVALUATED, UNKNOWN):
        return made.status, ""
    if facts["exempt"]:
        return "not_reported", f"the inventory holds no report on it; {_TAKEN_OUT[facts['exempt']]}"
    none = "for this resource" if facts["told"] == "yes" else "for its subscription at all"
    return "not_reported", f"the inventory holds no report {none}"


def _unpredicted(made: Prediction, reported: str, facts: Facts) -> tuple[str, str]:
    taken_out = _TAKEN_OUT.get(facts["exempt"], "") if reported == NOT_APPLICABLE else ""
    if made.status == UNKNOWN:
        return UNKNOWN, "; ".join(filter(None, [f"Defender reports {reported}", taken_out]))
    if made.status == NOT_EVALUATED and reported == NOT_APPLICABLE:
        return ("exempted", taken_out) if facts["exempt"] in _SURE else (NOT_EVALUATED, taken_out)
    if reported == NOT_APPLICABLE:
        return "out_of_scope", ""
    if made.status == NOT_EVALUATED and reported == UNHEALTHY:
        return NOT_EVALUATED, "the policy counts a missing evaluation as a miss: no finding about the disks"
    return "unexplained", f"yet Defender reports {reported}"


_SURE = ("yes", "left_out", "off")
_TAKEN_OUT = {
    "yes": "an exemption in force covers it",
    "left_out": "the assignment of the policy leaves its scope out (notScopes)",
    "off": "the assignment turns the policy off (an effect of Disabled)",
    "maybe": "an exemption, a scope left out or an effect turned off may be why, which was not fully read",
}


def _turned_off(facts: Facts) -> tuple[str, str]:
    if not facts["exempt"]:
        return "unexplained", "yet Defender reports NotApplicable, and no exemption covers it"
    outcome = "exempted" if facts["exempt"] in _SURE else UNKNOWN
    return outcome, f"Defender reports NotApplicable; {_TAKEN_OUT[facts['exempt']]}"


def _contrary(made: Prediction, reported: str) -> tuple[str, str]:
    if made.basis == "flag":
        return "stale", f"the rule reads this field alone, yet Defender reports {reported}"
    if made.basis == "assignment":
        return "stale", f"Defender has not followed the guest configuration and reports {reported}"
    return "unexplained", f"Defender reports {reported}, from inside of the VM, where more is seen than here"


def _beside(made: Prediction, facts: Facts) -> str:
    """Say where a rule departs from the documents' own table."""
    if made.basis != "flag" or made.status != UNHEALTHY:
        return ""
    if facts["matrix"] == HEALTHY:
        return "the matrix says Healthy, for there Azure Disk Encryption counts too"
    if facts["matrix"] == NOT_APPLICABLE and facts["form"] == "vm":
        return "the matrix says NotApplicable, yet the rule does not leave confidential VMs out"
    return ""
