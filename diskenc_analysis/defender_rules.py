"""What each Defender recommendation says by its own logic, once per profile."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from diskenc_analysis.editions import records

Facts = Mapping[str, str]
HEALTHY, UNHEALTHY, NOT_APPLICABLE = "Healthy", "Unhealthy", "NotApplicable"
NOT_EVALUATED, UNKNOWN = "not_evaluated", "unknown"
#: The statuses of a report, in lower case.
REPORTS = {"healthy": HEALTHY, "unhealthy": UNHEALTHY, "notapplicable": NOT_APPLICABLE}
#: The states of a guest configuration assignment.
GUEST_STATES = {"compliant": HEALTHY, "noncompliant": UNHEALTHY, "pending": NOT_EVALUATED}
_GUEST = GUEST_STATES | {"none": NOT_EVALUATED}
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
    rule_id, assessment_key, policy_id, title, short, state, source : str
        Its names and GUIDs, its title as printed and in a few words; `state` is `active` or `deprecated`.
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
    short: str
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
    rows = records("defender_rules.csv")
    split = ({n: tuple(filter(None, row[n].split("|"))) for n in _LISTS} for row in rows)
    return {row["rule_id"]: Rule(**(row | lists)) for row, lists in zip(rows, split, strict=True)}  # type: ignore[arg-type]


@cache
def detected() -> dict[str, dict[str, str]]:
    """Say what each recommendation detects by the documents, in words: `data/defender_detects.csv`.

    Returns
    -------
    dict of str to dict of str to str
        By edition of the encryption matrix and `rule_id`; one that an edition does not list is left out.

    Examples
    --------
    >>> detected()["2023-05-15"]["defender_ade"]
    'Azure Disk Encryption'
    >>> "defender_host" in detected()["2023-05-15"]
    False
    """
    words = {"ade": "Azure Disk Encryption", "host": "encryption at host"}
    found: dict[str, dict[str, str]] = {}
    for row in records("defender_detects.csv"):
        what = " and ".join(words[one] for one in row["detects"].split("|"))
        note = f" ({row['note']})" if row["note"] else ""
        found.setdefault(row["edition"], {})[row["rule_id"]] = f"{what}{note}"
    return found


@cache
def exclusions() -> tuple[dict[str, str], ...]:
    """Read which VMs the rules leave out: rows of `data/defender_exclusions.csv`."""
    return tuple(records("defender_exclusions.csv"))


@cache
def clouds() -> dict[str, dict[str, str]]:
    """Read the clouds and the names of their regions.

    Examples
    --------
    >>> clouds()["public"]["label"]
    'Azure public cloud'
    """
    return {row["cloud"]: row for row in records("clouds.csv")}


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


def _by_guest(facts: Facts) -> Prediction:
    """Take what the evaluation inside of the VM found; nothing else stands in for it."""
    guest = facts["guest"]
    if guest in _GUEST:
        words = {"none": "no guest configuration assignment"}.get(guest, f"guest configuration: {guest}")
        return Prediction(_GUEST[guest], words, "assignment")
    if guest != "unread":
        return Prediction(UNKNOWN, f"guest configuration: {guest}", "assignment")
    words = "no guest configuration of its subscription was read; the matrix's row by the VM and its disks"
    return Prediction(UNKNOWN, f"{words}: {facts['matrix']}", "assignment")
