"""Objects out of text in any of the shapes that Azure's tools print, in ARM's own spelling.

This is the thorough pass, in Python, for small files and for the rows that the fast pass could not read:
it takes rows out of their envelopes, respells PascalCase and snake_case members as ARM spells them, and
gives an id and a type to objects that carry theirs elsewhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from diskenc_analysis.errors import UnreadableInputError
from diskenc_analysis.schema import fold, spellings

#: Members whose inner names are people's own, or are read in any case: never respelt.
_OPAQUE = {"tags", "settings", "parameters"}
_SKUS = "Microsoft.Compute/skus"
_BROKEN = object()


@dataclass
class Parsed:
    """What one text holds.

    Attributes
    ----------
    rows : list
        The objects, out of their envelopes, as they came.
    shape : str
        The shape as recognised.
    signs : list of str
        Signs that the export was cut short.
    unreadable : int
        Records that are not JSON.
    """

    rows: list[Any] = field(default_factory=list)
    shape: str = "object"
    signs: list[str] = field(default_factory=list)
    unreadable: int = 0


def parse(text: str, name: str) -> Parsed:
    """Take the objects out of a JSON text.

    Parameters
    ----------
    text : str
        One JSON value, JSON lines, or JSON values one after the other.
    name : str
        File name, for the error message.

    Returns
    -------
    Parsed

    Raises
    ------
    UnreadableInputError
        When the text holds no JSON at all; names the file, the line and the column.

    Examples
    --------
    >>> found = parse('{"value": [{"id": "a"}], "nextLink": "https://more"}', "page.json")
    >>> found.rows, found.shape, found.signs
    ([{'id': 'a'}], 'ARM page', ['next link left over'])
    """
    if not text.strip():
        raise UnreadableInputError(f"{name}: the file is empty; expected JSON objects")
    try:
        values, parsed = _values(text, name)
        for value in values:
            unwrap(value, parsed)
    except RecursionError:
        raise UnreadableInputError(f"{name}: nested too deeply to be an Azure export") from None
    return parsed


def _values(text: str, name: str) -> tuple[list[Any], Parsed]:
    try:
        return [json.loads(text)], Parsed()
    except json.JSONDecodeError as error:
        return _many(text, name, error)


def _many(text: str, name: str, error: json.JSONDecodeError) -> tuple[list[Any], Parsed]:
    """Read JSON lines, of which the first tells that they are some; else values one after the other."""
    lines = list(filter(str.strip, text.split("\n")))
    if isinstance(_value(lines[0]), dict | list):
        values = [_value(line) for line in lines]
        readable = [v for v in values if v is not _BROKEN]
        return readable, Parsed(shape="JSON lines", unreadable=len(values) - len(readable))
    try:
        return list(_sequence(text)), Parsed(shape="JSON values")
    except json.JSONDecodeError:
        at = f"line {error.lineno}, column {error.colno}"
        hint = " (this is an HTML page, perhaps of a sign-in)" if text.lstrip()[:1] == "<" else ""
        raise UnreadableInputError(f"{name}: {at}: expected JSON, but {error.msg}{hint}") from None


def _value(line: str) -> Any:
    try:
        return json.loads(line)
    except (json.JSONDecodeError, RecursionError):
        return _BROKEN


def _sequence(text: str) -> Iterator[Any]:
    decoder, at = json.JSONDecoder(), 0
    while match := re.compile(r"\S").search(text, at):
        value, at = decoder.raw_decode(text, match.start())
        yield value


def unwrap(value: Any, parsed: Parsed) -> None:
    """Add the rows of a value, which may be a page, a reply, a list of pages or a row.

    Parameters
    ----------
    value : object
        One decoded JSON value.
    parsed : Parsed
        Takes the rows, the shape and the signs of a cut.
    """
    rows = value if isinstance(value, list) else _rows_of(value)
    if rows is None:
        parsed.rows.append(value)
        return
    if isinstance(value, dict):
        members = {fold(k).strip("$"): v for k, v in value.items()}
        if parsed.shape in ("object", "array"):
            parsed.shape = "ARM page" if "value" in members else "Resource Graph reply"
        parsed.signs += signs_of(members, len(rows))
    elif parsed.shape == "object":
        parsed.shape = "array"
    for one in rows:
        unwrap(one, parsed)


def _rows_of(value: Any) -> list[Any] | None:
    """Give the rows of an envelope, or None where the value is no envelope."""
    if not isinstance(value, dict):
        return None
    members = {fold(k): v for k, v in value.items()}
    if "id" in members:
        return None
    for name in ("value", "data"):
        inner = members.get(name)
        if isinstance(inner, list):
            return inner
        if isinstance(inner, dict) and isinstance(inner.get("rows"), list):
            columns = inner.get("columns")
            names = (
                [c.get("name") for c in columns if isinstance(c, dict)] if isinstance(columns, list) else []
            )
            return [
                dict(zip(names, row, strict=False)) if isinstance(row, list) else row for row in inner["rows"]
            ]
    return None


def signs_of(members: dict[str, Any], rows: int) -> list[str]:
    """Read the signs of a cut export off the members of an envelope.

    Parameters
    ----------
    members : dict
        Members by folded name, without `$`.
    rows : int
        How many rows the envelope holds.

    Returns
    -------
    list of str

    Examples
    --------
    >>> signs_of({"totalrecords": 5}, 3)
    ['3 of 5 records']
    """
    signs = []
    if members.get("nextlink"):
        signs.append("next link left over")
    if members.get("skiptoken"):
        signs.append("skip token left over")
    if str(members.get("resulttruncated", "")).lower() == "true":
        signs.append("resultTruncated is true")
    total = members.get("totalrecords")
    if isinstance(total, int) and total > rows:
        signs.append(f"{rows} of {total} records")
    return signs


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


def _object(text: str) -> Any:
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return None


def _give_id(out: dict[str, Any]) -> None:
    """Fill `id` where the object names itself in another member."""
    if isinstance(out.get("resourceType"), str) and "capabilities" in out:
        regions = out["locations"] if isinstance(out.get("locations"), list) else []
        out["id"] = "/".join(["/skus", out["resourceType"], str(out.get("name")), *map(str, regions)])
        out["type"] = _SKUS
    elif "id" not in out and isinstance(out.get("key"), dict) and out["key"].get("kid"):
        out["id"], out["type"] = out["key"]["kid"], "Microsoft.KeyVault/vaults/keys"
    elif "id" not in out and isinstance(out.get("ResourceId"), str):
        out["id"] = out["ResourceId"]
    elif "cloudName" in out and re.fullmatch(r"[0-9a-fA-F-]{36}", str(out.get("id"))):
        out |= {
            "subscriptionId": out["id"],
            "displayName": out.get("name"),
            "id": f"/subscriptions/{out['id']}",
        }
    if not isinstance(out.get("id"), str) or not out["id"].strip():
        out.pop("id", None)


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
