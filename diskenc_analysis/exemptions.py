"""Exemptions of Azure Policy: which scope they take out of which of Defender's rules, and until when."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from diskenc_analysis.defender_rules import Rule, defender_rules
from diskenc_analysis.frames import lazy, rows_of
from diskenc_analysis.scopes import EVERYWHERE, scope_key

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

_TAIL = r"/providers/microsoft\.authorization/policyexemptions/.*$"


def exemptions(inv: Inventory, as_of: str) -> dict[tuple[str, str], str]:
    """Say which scopes are exempt from which rule.

    Parameters
    ----------
    inv : Inventory
        With `exemptions` and `policy_assignments`.
    as_of : str
        Date as YYYY-MM-DD; empty where none is stated, and then an exemption that expires may be in force.

    Returns
    -------
    dict
        By scope and rule: `yes` or `maybe`. An exemption that has expired is left out.
    """
    assigned = dict(rows_of(lazy(inv.policy_assignments).select("key", "definition_id_key")))
    found: dict[tuple[str, str], str] = {}
    columns = ("key", "assignment_id_key", "expires", "policy_references")
    for key, assignment, expires, references in sorted(rows_of(lazy(inv.exemptions).select(*columns))):
        scope, time = scope_key(re.sub(_TAIL, "", key)), in_force(expires, as_of)
        for rule in defender_rules().values():
            covered = _covers(assigned.get(assignment) or "", rule, narrowed=_is_narrowed(references))
            word = _both(time, covered, "maybe" if scope == EVERYWHERE else "yes")
            if word and found.get((scope, rule.rule_id)) != "yes":
                found[scope, rule.rule_id] = word
    return found


def _both(*words: str) -> str:
    """Give `yes` where all say so, nothing where one says no, else `maybe`."""
    if "no" in words:
        return ""
    return "maybe" if "maybe" in words else "yes"


def _is_narrowed(references: str | None) -> bool:
    """Say whether an exemption is for some policies of an initiative, which names them in its own words."""
    return (references or "").strip() not in ("", "[]", "null")


def in_force(expires: str | None, as_of: str) -> str:
    """Say whether what expires is in force on a day.

    Parameters
    ----------
    expires : str or None
        Date or time in ISO form; the day itself still counts.
    as_of : str
        Date as YYYY-MM-DD, or empty.

    Returns
    -------
    str
        `yes`, `no`, or `maybe` where something expires and no day is stated.

    Examples
    --------
    >>> in_force(None, ""), in_force("2026-10-01T00:00:00Z", "2026-11-24"), in_force("2026-12-31", "")
    ('yes', 'no', 'maybe')
    """
    if not expires:
        return "yes"
    if not as_of:
        return "maybe"
    return "yes" if expires[:10] >= as_of else "no"


def _covers(definition: str, rule: Rule, *, narrowed: bool) -> str:
    """Say whether an assignment of a definition holds a rule; one that was not read may."""
    guid = definition.rpartition("/")[2]
    if guid == rule.policy_id:
        return "yes"
    if guid in rule.initiatives:
        return "maybe" if narrowed else "yes"
    return "maybe" if not guid or "/policysetdefinitions/" in definition else "no"
