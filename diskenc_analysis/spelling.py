"""Objects in ARM's own spelling, with an id and a type even where they carry theirs elsewhere."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from diskenc_analysis.schema import fold, path_names, spellings

#: Members whose inner names are people's own, or are read in any case: never respelt.
_OPAQUE = {"tags", "settings", "parameters"}
_SKUS = "Microsoft.Compute/skus"
#: What stands in `properties`, as far down as four levels go.
_BODY = re.compile(r'"properties"\s*+:\s*+\{((?:[^{}]++|\{(?:[^{}]++|\{(?:[^{}]++|\{[^{}]*+\})*+\})*+\})*+)')


def normalise(row: Any) -> dict[str, Any] | None:
    """Spell one object as ARM does and give it its id and type.

    Parameters
    ----------
    row : object
        A row as it came.

    Returns
    -------
    dict or None
        The row in ARM's spelling; None where it is no object.

    Examples
    --------
    >>> row = normalise({"Id": "/subscriptions/s/providers/Microsoft.Compute/disks/d", "disk_state": "X"})
    >>> row["type"], row["diskState"]
    ('Microsoft.Compute/disks', 'X')
    """
    if not isinstance(row, dict):
        return None
    out: dict[str, Any] = _respell(row)
    _give_id(out)
    if isinstance(out.get("properties"), str):
        out["properties"] = _object(out["properties"])
    if not isinstance(out.get("properties"), dict) or not out["properties"]:
        out.pop("properties", None)  # text where an object belongs says nothing: the row counts as a stub
    if not isinstance(out.get("type"), str) or "/" not in out["type"]:
        out["type"] = _type(out)
    return out


def _respell(value: Any) -> Any:
    if isinstance(value, list):
        return [_respell(v) for v in value]
    if not isinstance(value, dict):
        return value
    known = spellings()
    out: dict[str, Any] = {}
    for key, inner in value.items():
        name = key if key in _OPAQUE else known.get(fold(str(key)), str(key))
        if name not in out or out[name] is None:
            out[name] = inner if name in _OPAQUE else _respell(inner)
    return out


@cache
def _telling() -> dict[str, str]:
    """Map folded names that are no likely tags to their spelling: those of two words, and the main two."""
    names = [n for n in path_names() if re.match("[a-z]+[A-Z]", n)]
    return {fold(n): spellings()[fold(n)] for n in (*names, "encryption", "properties")}


def is_odd(text: str) -> bool:
    """Tell whether a member that the tables want is spelt in another case than ARM's, or in snake_case.

    Parameters
    ----------
    text : str
        Some JSON, such as the beginning of a file.

    Returns
    -------
    bool
        False where only tags look so.

    Examples
    --------
    >>> is_odd('{"Tags": {"Name": "x"}}'), is_odd('{"EncryptionAtHost": true}')
    (False, True)
    >>> is_odd('{"properties": {"disk_state": "Unattached"}}')
    True
    """
    found = {name for name in re.findall(r'"(\w+)"\s*:', text) if "_" not in name}
    for body in _BODY.findall(text):  # whole rows in snake_case are flat, and known by their id or a marker
        found |= {name for name in re.findall(r'"(\w+)"\s*:', body) if "_" in name}
    return any(fold(name) in _telling() for name in found - set(path_names()) - {"properties"})


#: A member that begins with a capital letter, or has an underline.
_CAPITAL = re.compile(rb'"([A-Z]\w*|[a-z]+_\w+)"\s*:')


def is_odd_at_a_glance(block: bytes) -> bool:
    """Tell the same as `is_odd` five times as fast, but for spellings in small letters alone.

    Examples
    --------
    >>> is_odd_at_a_glance(b'{"EncryptionAtHost": true}'), is_odd_at_a_glance(b'{"encryptionAtHost": true}')
    (True, False)
    """
    names = {name.decode("utf-8", "replace") for name in _CAPITAL.findall(block)}
    suspects = {name for name in names if fold(name) in _telling()} - set(path_names())
    capital = any("_" not in name for name in suspects)
    return capital or (bool(suspects) and is_odd(block.decode("utf-8", "replace")))


def _object(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _give_id(out: dict[str, Any]) -> None:
    """Fill `id` where the object names itself in another member."""
    if isinstance(out.get("resourceType"), str) and "capabilities" in out:
        regions = out["locations"] if isinstance(out.get("locations"), list) else []
        out["id"] = "/".join(["/skus", out["resourceType"], str(out.get("name")), *map(str, regions)])
        out["type"] = _SKUS
    elif not out.get("id") and (kid := _kid(out)):
        out["id"], out["type"] = kid, "Microsoft.KeyVault/vaults/keys"
    elif not out.get("id") and isinstance(out.get("ResourceId"), str):
        out["id"] = out["ResourceId"]
    elif "cloudName" in out and re.fullmatch(r"[0-9a-fA-F-]{36}", str(out.get("id"))):
        out |= {
            "subscriptionId": out["id"],
            "displayName": out.get("name"),
            "id": f"/subscriptions/{out['id']}",
        }
    if not isinstance(out.get("id"), str) or not out["id"].strip():
        out.pop("id", None)


def _kid(out: dict[str, Any]) -> Any:
    """Give the URL by which a key of the data plane names itself: in a list, or alone with its parts."""
    return out["key"].get("kid") if isinstance(out.get("key"), dict) else out.get("kid")


def _type(out: dict[str, Any]) -> str | None:
    """Read the ARM type out of the id."""
    resource_type = out.get("resourceType", out.get("ResourceType"))
    if isinstance(resource_type, str) and "/" in resource_type:
        return resource_type
    return type_of(str(out.get("id", "")))


def type_of(arm_id: str) -> str | None:
    """Read the ARM type out of an ARM id.

    Parameters
    ----------
    arm_id : str
        Id of a resource or a subscription, in any letter case.

    Returns
    -------
    str or None
        None where the id names no type.

    Examples
    --------
    >>> type_of("/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v/extensions/")
    'Microsoft.Compute/virtualMachines/extensions'
    """
    before, *after = re.split("/providers/", arm_id, flags=re.IGNORECASE)
    segments = after[-1].strip("/").split("/") if after else []
    if len(segments) > 1:
        return "/".join([segments[0], *segments[1::2]])
    return (
        "Microsoft.Resources/subscriptions" if re.fullmatch(r"(?i)/?subscriptions/[^/]+/?", before) else None
    )
