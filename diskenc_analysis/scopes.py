"""What is said of a scope (a subscription, a resource group, a resource), brought to the rows under it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import narwhals as nw

from diskenc_analysis.frames import Frame, helper

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

#: Stands for a scope above the subscriptions, whose extent an inventory does not tell.
EVERYWHERE = "*"
_LEVELS = ("resource", "group", "subscription", "everywhere")


def scope_key(scope: str) -> str:
    """Give a scope as the joins compare it.

    Parameters
    ----------
    scope : str
        An ARM id of a resource, resource group, subscription or management group, in any case.

    Returns
    -------
    str
        In lower case with one slash before it and none behind; `*` for a management group or nothing.

    Examples
    --------
    >>> scope_key("subscriptions/AB/resourceGroups/Rg/")
    '/subscriptions/ab/resourcegroups/rg'
    >>> scope_key("/providers/Microsoft.Management/managementGroups/root")
    '*'
    """
    bare = scope.strip("/ ").lower()
    return f"/{bare}" if bare.startswith("subscriptions/") else EVERYWHERE


def reaches(scope: str, place: str) -> bool:
    """Say whether a scope may reach a place below it; one above the subscriptions may reach all.

    Parameters
    ----------
    scope, place : str
        As `scope_key` gives them.

    Returns
    -------
    bool

    Examples
    --------
    >>> reaches("/subscriptions/a", "/subscriptions/a/resourcegroups/b"), reaches("/subscriptions/a", "*")
    (True, False)
    """
    return scope == EVERYWHERE or f"{place}/".startswith(f"{scope}/")


def read_json(text: str | None, otherwise: Any) -> Any:
    """Read JSON that somebody else wrote; what is none, or is of another kind, is as good as absent.

    Parameters
    ----------
    text : str or None
        Such as the parameters of an assignment.
    otherwise : list or dict
        What is given in its place, and the kind that is wanted.

    Examples
    --------
    >>> read_json('["a"]', []), read_json("text", []), read_json("[]", {})
    (['a'], [], {})
    """
    try:
        found = json.loads(text) if text else otherwise
    except ValueError:
        return otherwise
    return found if isinstance(found, type(otherwise)) else otherwise


def is_filled(text: str | None) -> bool:
    """Say whether an assignment or exemption is narrowed: to some policies, to places or to types."""
    return (text or "").strip() not in ("", "[]", "null")


def scope_keys() -> dict[str, nw.Expr]:
    """Give, for each level of scope, the key of the row's own scope there.

    Returns
    -------
    dict of str to nw.Expr
        Of frames with `key`, `subscription_id` and `resource_group`.
    """
    sub = nw.concat_str([nw.lit("/subscriptions/"), nw.col("subscription_id").str.to_lowercase()])
    group = nw.concat_str([sub, nw.lit("/resourcegroups/"), nw.col("resource_group").str.to_lowercase()])
    return dict(zip(_LEVELS, (nw.col("key"), group, sub, nw.lit(EVERYWHERE)), strict=True))


def join_scopes(
    inv: Inventory, frame: Frame, said: Mapping[tuple[str, str], str], by: str, column: str
) -> Frame:
    """Bring to each row what is said of its scope and rule; the narrowest scope counts.

    Parameters
    ----------
    inv : Inventory
        Gives the engine.
    frame : Frame
        With `key`, `subscription_id`, `resource_group` and the column `by`.
    said : mapping
        By scope (see `scope_key`) and value of `by`: a word.
    by : str
        Column that holds the rule.
    column : str
        Column to add; null where nothing is said.

    Returns
    -------
    Frame
    """
    rows = [{"_scope": scope, by: rule, "_said": word} for (scope, rule), word in said.items()]
    if not rows:
        return frame.with_columns(**{column: nw.lit(None, nw.String)})
    table = helper(inv, f"scopes_{column}", rows, ["_scope", by, "_said"])
    for level, key in scope_keys().items():
        one = table.rename({"_said": f"_{level}"})
        frame = frame.with_columns(_scope=key).join(one, on=["_scope", by], how="left").drop("_scope")
    words = [nw.col(f"_{level}") for level in _LEVELS]
    return frame.with_columns(**{column: nw.coalesce(*words)}).drop(*[f"_{level}" for level in _LEVELS])
