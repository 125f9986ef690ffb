"""What each Defender recommendation says by its own logic, and why a report differs, once per profile."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from diskenc_analysis.share import data_file

Facts = Mapping[str, str]
HEALTHY, UNHEALTHY, NOT_APPLICABLE = "Healthy", "Unhealthy", "NotApplicable"
NOT_EVALUATED, UNKNOWN = "not_evaluated", "unknown"
#: What a rule may be predicted to say.
PREDICTED = (HEALTHY, UNHEALTHY, NOT_APPLICABLE, NOT_EVALUATED, UNKNOWN)
_REPORTS = {"healthy": HEALTHY, "unhealthy": UNHEALTHY, "notapplicable": NOT_APPLICABLE}
_FORMS = {
    "vm": "virtual machine",
    "scale_set": "scale set",
    "instance": "instance of a Uniform scale set, whose model alone is judged",
}


@dataclass(frozen=True)
class Rule:
    """One recommendation of Defender for Cloud, a row of `data/defender_rules.csv`.

    Attributes
    ----------
    rule_id, assessment_key, policy_id, title, state, source : str
        Its names and GUIDs; `state` is `active` or `deprecated`.
    judges : tuple of str
        Of `vm`, `scale_set`.
    os : str
        `windows`, `linux`, or empty for both.
    reads : str
        What decides: `host_flag`, `guest_assignment`, or `assessment` (another recommendation).
    guest_assignment : str
        Name of the guest configuration assignment that it reads.
    clouds, absent_clouds : tuple of str
        Where it is known to be, and known not to be.
    initiatives : tuple of str
        GUIDs of the initiatives that hold it.
    """

    rule_id: str
    assessment_key: str
    policy_id: str
    title: str
    state: str
    judges: tuple[str, ...]
    os: str
    reads: str
    guest_assignment: str
    clouds: tuple[str, ...]
    absent_clouds: tuple[str, ...]
    initiatives: tuple[str, ...]
    source: str


_LISTS = ("judges", "clouds", "absent_clouds", "initiatives")


def _table(name: str) -> list[dict[str, str]]:
    with data_file(name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def defender_rules() -> dict[str, Rule]:
    """Read the recommendations on disk encryption.

    Returns
    -------
    dict of str to Rule
        By `rule_id`, as `data/defender_rules.csv` has them.

    Examples
    --------
    >>> defender_rules()["defender_host"].clouds
    ('public', 'usgovernment')
    >>> [rule.rule_id for rule in defender_rules().values() if "usgovernment" not in rule.absent_clouds]
    ['defender_host']
    """
    rows = _table("defender_rules.csv")
    split = ({n: tuple(filter(None, row[n].split("|"))) for n in _LISTS} for row in rows)
    return {row["rule_id"]: Rule(**(row | lists)) for row, lists in zip(rows, split, strict=True)}  # type: ignore[arg-type]


@cache
def exclusions() -> tuple[dict[str, str], ...]:
    """Read which VMs the rules leave out: rows of `data/defender_exclusions.csv`."""
    return tuple(_table("defender_exclusions.csv"))


@cache
def outcomes() -> dict[str, dict[str, str]]:
    """Read what may come of a comparison: `label`, `disagrees`, `meaning` and `action` by outcome.

    Examples
    --------
    >>> outcomes()["stale"]["disagrees"]
    'yes'
    """
    return {row["outcome"]: row for row in _table("defender_outcomes.csv")}


@cache
def clouds() -> dict[str, dict[str, str]]:
    """Read the clouds and the names of their regions.

    Examples
    --------
    >>> clouds()["public"]["label"]
    'Azure public cloud'
    """
    return {row["cloud"]: row for row in _table("clouds.csv")}


def cloud_of(location: str) -> str:
    """Tell the cloud from the name of a region.

    Parameters
    ----------
    location : str
        Such as `westeurope`.

    Returns
    -------
    str
        `public`, `usgovernment`, `china`, or `unknown` where no region is given.

    Examples
    --------
    >>> cloud_of("usgovvirginia"), cloud_of("westeurope"), cloud_of("")
    ('usgovernment', 'public', 'unknown')
    """
    found = (name for name, row in clouds().items() if re.search(row["region_pattern"], location.lower()))
    return next(found, UNKNOWN)


@dataclass(frozen=True)
class Prediction:
    """What a rule says of a resource, the fields that decided, and on what it rests."""

    status: str
    evidence: str
    basis: str = "scope"


def predict(rule: Rule, facts: Facts) -> Prediction:
    """Say what a rule gives on the facts of one resource.

    Parameters
    ----------
    rule : Rule
        One of `defender_rules()`.
    facts : mapping
        `seen`, `form`, `cloud`, `os`, `host`, `excluded` (id of an exclusion, empty or `unknown`), `guest`
        (state of the guest assignment, `none`, or `unread` where no assignments were read) and `matrix`
        (the Defender row of the matrix).

    Returns
    -------
    Prediction

    Examples
    --------
    >>> facts = {"seen": "yes", "form": "vm", "cloud": "public", "host": "off"}
    >>> predict(defender_rules()["defender_host"], facts).status
    'Unhealthy'
    """
    scope = _scope(rule, facts)
    if scope:
        return scope
    return _by_host(facts) if rule.reads == "host_flag" else _by_guest(facts)


def _scope(rule: Rule, facts: Facts) -> Prediction | None:
    """Say why the rule does not judge the resource, or cannot be told to."""
    cloud = clouds().get(facts["cloud"], {"label": "a cloud that is not known"})["label"]
    if rule.state == "deprecated":
        return Prediction(NOT_APPLICABLE, "the rule is deprecated", "deprecated")
    if facts["cloud"] in rule.absent_clouds:
        return Prediction(NOT_APPLICABLE, f"the rule does not exist in {cloud}")
    if facts["seen"] != "yes":
        return Prediction(UNKNOWN, "the resource itself is not in the inventory")
    if facts["cloud"] not in rule.clouds:
        return Prediction(UNKNOWN, f"whether the rule exists in {cloud} is not documented")
    if facts["form"] not in rule.judges:
        return Prediction(NOT_APPLICABLE, f"the rule does not judge this: {_FORMS[facts['form']]}")
    return _os_scope(rule, facts) if rule.os else None


def _os_scope(rule: Rule, facts: Facts) -> Prediction | None:
    excluded = {row["exclusion"]: row["words"] for row in exclusions()}.get(facts["excluded"])
    if facts["os"] not in ("unknown", rule.os):
        return Prediction(NOT_APPLICABLE, f"the rule judges {rule.os.capitalize()} alone")
    if excluded:
        return Prediction(NOT_APPLICABLE, f"the rule leaves this out: {excluded}")
    if facts["os"] == UNKNOWN:
        return Prediction(UNKNOWN, "the operating system of the VM was not read")
    if facts["excluded"] == UNKNOWN:
        return Prediction(
            UNKNOWN, "whether the rule leaves the VM out rests on fields that cannot be trusted"
        )
    return None


def _by_host(facts: Facts) -> Prediction:
    of = "the scale set's model" if facts["form"] == "scale_set" else "the VM"
    status = {"on": HEALTHY, "off": UNHEALTHY}.get(facts["host"], UNKNOWN)
    said = facts["host"] if status != UNKNOWN else "not to be trusted or not read"
    return Prediction(status, f"encryption at host of {of}: {said}", "flag")


_GUEST = {"compliant": HEALTHY, "noncompliant": UNHEALTHY, "pending": NOT_EVALUATED, "none": NOT_EVALUATED}


def _by_guest(facts: Facts) -> Prediction:
    """Take what the evaluation inside of the VM found; nothing else stands in for it."""
    guest = facts["guest"]
    if guest in _GUEST:
        words = {"none": "no guest configuration assignment"}.get(guest, f"guest configuration: {guest}")
        return Prediction(_GUEST[guest], words, "assignment")
    if guest != "unread":
        return Prediction(UNKNOWN, f"guest configuration: {guest}", "assignment")
    words = "guest configuration assignments were not read; the matrix's row by what the VM and its disks say"
    return Prediction(UNKNOWN, f"{words}: {facts['matrix']}", "assignment")


def compare(rule: Rule, facts: Facts) -> dict[str, str]:
    """Compare what a rule gives with what Defender reports.

    Parameters
    ----------
    rule : Rule
        One of `defender_rules()`.
    facts : mapping
        As `predict` takes them, with `reported` (status as it came, `none`, or `differ`), `exempt` (`yes`,
        `maybe` or empty) and `told` (`yes` where the subscription has any report).

    Returns
    -------
    dict of str to str
        `predicted`, `evidence`, `reported`, `outcome` and `reason`.
    """
    made = predict(rule, facts)
    reported = _REPORTS.get(facts["reported"], "" if facts["reported"] == "none" else UNKNOWN)
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
        return _unpredicted(made, reported)
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
    none = "for this resource" if facts["told"] == "yes" else "for its subscription at all"
    return "not_reported", f"the inventory holds no report {none}"


def _unpredicted(made: Prediction, reported: str) -> tuple[str, str]:
    if made.status == UNKNOWN:
        return UNKNOWN, f"Defender reports {reported}"
    if reported == NOT_APPLICABLE:
        return ("out_of_scope" if made.status == NOT_APPLICABLE else NOT_EVALUATED), ""
    if made.status == NOT_EVALUATED and reported == UNHEALTHY:
        return NOT_EVALUATED, "the policy counts a missing evaluation as a miss: no finding about the disks"
    return "unexplained", f"yet Defender reports {reported}"


def _turned_off(facts: Facts) -> tuple[str, str]:
    if facts["exempt"] == "yes":
        return "exempted", "an exemption in force covers it, so Defender reports NotApplicable"
    if facts["exempt"] == "maybe":
        return UNKNOWN, "Defender reports NotApplicable; an exemption may cover it, which was not fully read"
    return "unexplained", "yet Defender reports NotApplicable, and no exemption covers it"


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
