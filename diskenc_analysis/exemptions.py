"""Which scopes exemptions and assignments of Azure Policy take out of Defender's rules, and until when."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from diskenc_analysis.defender_rules import Rule, defender_rules
from diskenc_analysis.effects import parameter_values, turned_off
from diskenc_analysis.frames import lazy, rows_of
from diskenc_analysis.scopes import EVERYWHERE, is_filled, reaches, read_json, scope_key

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

_TAIL = r"/providers/microsoft\.authorization/policyexemptions/.*$"
_ASSIGNED = r"/providers/microsoft\.authorization/policyassignments/.*$"
#: How a scope may be taken out of a rule, the surest first.
WORDS = ("yes", "left_out", "off", "maybe")
#: Words of which an effect of Defender's rules on disk encryption has one in its name.
_ABOUT = ("disk", "encrypt")


def exemptions(inv: Inventory, as_of: str) -> dict[tuple[str, str], str]:
    """Say which scopes are taken out of which rule.

    Parameters
    ----------
    inv : Inventory
        With `exemptions` and `policy_assignments`.
    as_of : str
        Date as YYYY-MM-DD; empty where none is stated, and then an exemption that expires may be in force.

    Returns
    -------
    dict
        By scope and rule, one of `WORDS`: `yes` for an exemption in force, `left_out` where every assignment
        of the rule that reaches the scope leaves it out (notScopes), `off` where every one of them turns it
        off (an effect of Disabled), `maybe` where one of these was not read whole. An exemption that has
        expired is left out.
    """
    found = _left_out(inv)
    assigned = dict(rows_of(lazy(inv.policy_assignments).select("key", "definition_id_key")))
    columns = ("key", "assignment_id_key", "expires", "policy_references", "resource_selectors")
    for key, assignment, expires, *narrowing in rows_of(lazy(inv.exemptions).select(*columns)):
        scope, time = scope_key(re.sub(_TAIL, "", key)), in_force(expires, as_of)
        narrowed = any(is_filled(text) for text in narrowing)
        for rule in defender_rules().values():
            covered = _covers(assigned.get(assignment) or "", rule, narrowed=narrowed)
            word = _both(time, covered, "maybe" if scope == EVERYWHERE else "yes")
            known = found.get((scope, rule.rule_id), "")
            if word and (not known or WORDS.index(word) < WORDS.index(known)):
                found[scope, rule.rule_id] = word
    return found


def _left_out(inv: Inventory) -> dict[tuple[str, str], str]:
    """Give the scopes that assignments leave out, or in which they turn a rule off, by rule."""
    columns = ("key", "scope", "definition_id_key", "not_scopes", "resource_selectors", "parameters")
    assigned = [
        (scope_key(scope or re.sub(_ASSIGNED, "", key)), definition or "", *rest)
        for key, scope, definition, *rest in rows_of(lazy(inv.policy_assignments).select(*columns))
    ]
    found: dict[tuple[str, str], str] = {}
    for rule in defender_rules().values():
        mine = [one for row in assigned if (one := _assigned(rule, *row)).covers != "no"]
        for one in mine:
            for place in one.left:
                others = [other for other in mine if place not in other.left and reaches(other.scope, place)]
                known = one.covers == "yes" and not others and place != EVERYWHERE
                found[place, rule.rule_id] = "left_out" if known else "maybe"
        for one in mine:
            others = [other for other in mine if other.off != "yes" and reaches(other.scope, one.scope)]
            sure = one.off == "yes" and one.covers == "yes" and one.scope != EVERYWHERE
            if one.off != "no" and found.get((one.scope, rule.rule_id)) != "left_out":
                found[one.scope, rule.rule_id] = "off" if sure and not others else "maybe"
    return found


@dataclass(frozen=True)
class _Assigned:
    """An assignment that holds a rule, or may: where, which scopes it leaves out, whether it turns it off."""

    scope: str
    covers: str
    left: set[str]
    off: str


def _assigned(
    rule: Rule, scope: str, definition: str, left: str | None, selectors: str | None, parameters: str | None
) -> _Assigned:
    covers = _covers(definition, rule, narrowed=is_filled(selectors))
    own = definition.rpartition("/")[2] == rule.policy_id
    off = turned_off(parameter_values(parameters), rule.policy_id, _ABOUT, own=own)
    return _Assigned(scope, covers, {scope_key(one) for one in _listed(left)}, off)


def _listed(text: str | None) -> list[str]:
    """Read a JSON list of texts."""
    return [one for one in read_json(text, []) if isinstance(one, str)]


def _both(*words: str) -> str:
    """Give `yes` where all say so, nothing where one says no, else `maybe`."""
    if "no" in words:
        return ""
    return "maybe" if "maybe" in words else "yes"


def in_force(expires: str | None, as_of: str) -> str:
    """Say whether what expires is in force on a day.

    Parameters
    ----------
    expires : str or None
        Date or time in ISO form. The day itself still counts; whether a time on that day does is not known.
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
    >>> in_force("2026-11-24", "2026-11-24"), in_force("2026-11-24T00:00:00Z", "2026-11-24")
    ('yes', 'maybe')
    """
    if not expires:
        return "yes"
    day = expires[:10]
    if not as_of or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", day):
        return "maybe"
    if day == as_of and len(expires) > len(day):
        return "maybe"
    return "yes" if day >= as_of else "no"


def _covers(definition: str, rule: Rule, *, narrowed: bool) -> str:
    """Say whether an assignment of a definition holds a rule; one that was not read may."""
    guid = definition.rpartition("/")[2]
    if guid == rule.policy_id or guid in rule.initiatives:
        return "maybe" if narrowed else "yes"
    return "maybe" if not guid or "/policysetdefinitions/" in definition else "no"
