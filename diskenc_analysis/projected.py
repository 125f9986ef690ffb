"""Rows of a Resource Graph query that projects single values: flat, and without what it left out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from diskenc_analysis.headers import members
from diskenc_analysis.members import WHOLE, heads_of
from diskenc_analysis.schema import fold, table, table_of_type
from diskenc_analysis.spelling import type_of

#: Shape of the replies that may hold such rows.
REPLY = "Resource Graph reply"
#: Name that Resource Graph gives to a value out of the properties.
COLUMN = re.compile(r"properties_\w", re.IGNORECASE)
_DISK = ("type", "location", "encryption", "encryptionSettingsCollection", "securityProfile")
#: Members, perhaps null, that settle what verdicts rest on: a row with all of them lacks nothing of weight.
_ENOUGH = {
    "disks": _DISK,
    "snapshots": _DISK,
    "vms": ("type", "location", "hardwareProfile", "storageProfile", "securityProfile"),
    "scale_sets": ("type", "location", "virtualMachineProfile"),
}


def is_projected(rows: Iterable[Any], *, reply: bool = True) -> bool:
    """Tell whether no row has its properties: the query took single values out of them.

    Parameters
    ----------
    rows : iterable of object
        All rows of a file.
    reply : bool
        Whether Resource Graph's envelope is around them; else a column such as `properties_diskState` has
        to tell, since the az CLI prints whole rows without properties too.

    Returns
    -------
    bool

    Examples
    --------
    >>> is_projected([{"id": "/a", "properties_diskState": "Attached"}]), is_projected([{"properties": {}}])
    (True, False)
    """
    names = {str(name) for row in rows if isinstance(row, dict) for name in row}
    return "properties" not in map(fold, names) and (reply or any(map(COLUMN.match, names)))


def is_cut(row: Mapping[str, Any]) -> bool:
    """Tell whether a query cut a flat row down: what is absent from it need not be absent.

    Such as `az vm list --query "[].{id:id, size:hardwareProfile.vmSize}"` prints. A listing of resources
    without their properties is no such row: nothing of its body is there.

    Parameters
    ----------
    row : mapping of str to object
        A row as it came, in any spelling.

    Returns
    -------
    bool

    Examples
    --------
    >>> row = {"id": "/subscriptions/s/providers/Microsoft.Compute/disks/d", "diskState": "Unattached"}
    >>> is_cut(row)
    True
    >>> is_cut(row | {"provisioningState": "Succeeded", "location": "west", "creationData": {}})
    False
    """
    folded = {fold(str(name)): value for name, value in row.items()}
    name = table_of_type().get(str(type_of(str(folded.get("id"))) or "").lower(), "")
    if "properties" in folded or name not in WHOLE:
        return False
    whole = all(folded.get(fold(member)) is not None for member in WHOLE[name])
    if whole or {fold(member) for member in _ENOUGH[name]} <= set(folded):
        return False
    return _has_body(name, tuple(map(str, row)))


@lru_cache(maxsize=64)
def _has_body(name: str, columns: Sequence[str]) -> bool:
    bodies = {head.partition(".")[0] for head, body in heads_of(table(name)).items() if body}
    return any(member.partition(".")[0] in bodies for member in _members(columns))


def spread(row: dict[str, Any]) -> tuple[dict[str, Any], frozenset[str]]:
    """Put the values of a flat row where ARM has them.

    Parameters
    ----------
    row : dict
        Values by column, such as `properties_encryption_type`.

    Returns
    -------
    row : dict
        The members; a column that holds nothing is left out, as null is.
    exported : frozenset of str
        Which members the columns are for.

    Examples
    --------
    >>> spread({"id": "/a", "properties_encryption_type": "X", "sku_name": None})[0]
    {'id': '/a', 'encryption': {'type': 'X'}}
    """
    names = tuple(map(str, row))
    found, values = _members(names), list(row.values())
    out: dict[str, Any] = {n: v for at, (n, v) in enumerate(row.items()) if at not in found.values()}
    for member, at in found.items():
        if values[at] is not None:
            _put(out, member.split("."), values[at])
    return out, frozenset(found)


@lru_cache(maxsize=64)
def _members(names: Sequence[str]) -> dict[str, int]:
    return members(names)


def _put(node: dict[str, Any], path: Sequence[str], value: Any) -> None:
    for name in path[:-1]:
        node = node.setdefault(name, {})
    node[path[-1]] = value
