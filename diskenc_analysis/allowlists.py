"""Lists of what is allowed, from the parameters of policy assignments, and where each of them holds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import narwhals as nw

from diskenc_analysis.effects import parameter_values, turned_off
from diskenc_analysis.frames import doubted, lazy, low, rows_of
from diskenc_analysis.scopes import EVERYWHERE, is_filled, reaches, read_json, scope_key

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

#: Words of which an effect of the policies with such lists has one in its name.
_ABOUT = ("disk", "encrypt", "key")
_TAIL = re.compile(r"/providers/microsoft\.authorization/policyassignments/.*$")


@dataclass(frozen=True)
class AllowList:
    """What one assignment allows.

    Attributes
    ----------
    scope : str
        Where it holds, see `scope_key`; the empty string is everywhere for sure.
    left : frozenset of str
        Scopes that it leaves out.
    values : frozenset of str or None
        What is allowed, in lower case; `None` where it could not be read.
    narrowed : bool
        Whether it holds for some places or types alone, in a way that is not seen into.
    """

    scope: str
    left: frozenset[str]
    values: frozenset[str] | None
    narrowed: bool = False

    def holds(self, place: str) -> str:
        """Say whether it holds at a resource group: `yes`, `no` or `maybe`."""
        if any(reaches(one, place) for one in self.left if one != EVERYWHERE):
            return "no"
        within = any(
            one != place and reaches(place, one) for one in (*self.left, self.scope) if one != EVERYWHERE
        )
        above = EVERYWHERE in (self.scope, *self.left)
        if not reaches(self.scope, place) and not within:
            return "no"
        return "maybe" if within or above or self.narrowed else "yes"


def given_list(values: Sequence[str]) -> list[AllowList]:
    """Make of what a caller allows the list that holds everywhere; of nothing, no list.

    Examples
    --------
    >>> given_list([]), given_list(["/subscriptions/A/x/"])[0].values
    ([], frozenset({'/subscriptions/a/x'}))
    """
    keys = frozenset(scope_key(one) for one in values)
    return [AllowList("", frozenset(), keys)] if keys else []


def allow_lists(
    inv: Inventory, definition: str, parameter: str, default: Sequence[str] = ()
) -> list[AllowList]:
    """Read the lists that assignments of a policy hold, or of an initiative with a parameter of that name.

    An assignment that is not enforced (`DoNotEnforce`) is evaluated all the same; one whose effect is
    `Disabled` is not. Where an initiative has such an effect and it is not told of which policy, the list
    may hold or not.

    Parameters
    ----------
    inv : Inventory
        With `policy_assignments`.
    definition : str
        GUID of the policy.
    parameter : str
        Name of the parameter with the list; an initiative names it so, with an ending of its own.
    default : sequence of str
        What the policy allows where an assignment names nothing; empty where it has no default.

    Returns
    -------
    list of AllowList
    """
    doubt = doubted("parameters", "not_scopes", "definition_id")
    unread = nw.when(doubt).then(nw.lit("yes")).otherwise(nw.lit(""))
    columns = ("key", "scope", "parameters", "not_scopes", "resource_selectors")
    frame = lazy(inv.policy_assignments).select(
        *columns,
        definition=low("definition_id"),
        unread=unread,
    )
    found = (
        _read(row, definition, parameter.lower(), default)
        for row in sorted(rows_of(frame.select(*columns, "definition", "unread")), key=str)
    )
    return [one for one in found if one]


def _read(row: Sequence[Any], definition: str, parameter: str, default: Sequence[str]) -> AllowList | None:
    key, scope, parameters, not_scopes, selectors, assigned, unread = row
    mine = assigned.rstrip("/").rpartition("/")[2] == definition
    named = parameter_values(parameters)
    lists = [value for name, value in named.items() if name.startswith(parameter)]
    off = turned_off(named, definition, _ABOUT, own=mine)
    if off == "yes" or not (mine or (lists and "/policysetdefinitions/" in assigned)):
        return None
    place = scope_key(scope or _TAIL.sub("", key))
    left = frozenset(scope_key(one) for one in read_json(not_scopes, []) if isinstance(one, str))
    values = None if unread else _values(lists, default)
    return AllowList(place, left, values, is_filled(selectors) or off == "maybe")


def _values(lists: Sequence[Any], default: Sequence[str]) -> frozenset[str] | None:
    found = lists or ([list(default)] if default else [])
    if len(found) != 1 or not isinstance(found[0], list):
        return None
    return frozenset(_plain(str(one)) for one in found[0])


def _plain(value: str) -> str:
    return scope_key(value) if "/" in value else value.strip().lower()


def allowed(lists: Sequence[AllowList], place: str, value: str) -> str:
    """Say whether something is allowed at a place by every list that holds there.

    Parameters
    ----------
    lists : sequence of AllowList
        As `allow_lists` gives them.
    place : str
        Scope of the resource group, in lower case.
    value : str
        Key of a disk encryption set, or a type of key; empty for none.

    Returns
    -------
    str
        `yes`, `no`, `unknown`, or `no_list` where no list reaches the place.

    Examples
    --------
    >>> lists = given_list(["/subscriptions/a/one"])
    >>> allowed(lists, "/subscriptions/a/resourcegroups/b", "/subscriptions/a/one")
    'yes'
    >>> allowed(lists, "/subscriptions/a/resourcegroups/b", ""), allowed([], "", "")
    ('no', 'no_list')
    """
    here = [(one, one.holds(place)) for one in lists]
    here = [(one, holds) for one, holds in here if holds != "no"]
    if not here:
        return "no_list"
    words = {_word(one, value, holds) for one, holds in here}
    return next(word for word in ("no", "unknown", "yes") if word in words)


def _word(one: AllowList, value: str, holds: str) -> str:
    if one.values is None or holds == "maybe":
        return "unknown"
    return "yes" if value.lower() in one.values else "no"
