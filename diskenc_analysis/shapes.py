"""Objects out of text in any of the shapes that Azure's tools print, taken out of their envelopes.

With `spelling` this is the thorough pass, in Python, for small files and for the rows that the fast pass
could not read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from diskenc_analysis.errors import TooDeepError, UnreadableInputError
from diskenc_analysis.schema import fold
from diskenc_analysis.signs import BROKEN_OFF, signs_of

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
    TooDeepError
        When a record is nested deeper than Python's parser goes.

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
        raise TooDeepError(f"{name}: nested too deeply to be an Azure export") from None
    return parsed


def decoded(text: str) -> Any:
    """Decode one JSON value; a whole number longer than Python takes (4,300 digits) becomes infinite.

    Of members of one name the first counts.

    Examples
    --------
    >>> decoded("[7, " + "9" * 5000 + "]")
    [7.0, inf]
    """
    try:
        return json.loads(text, object_pairs_hook=_first)
    except json.JSONDecodeError:
        raise
    except ValueError:
        return json.loads(text, object_pairs_hook=_first, parse_int=float)


def _first(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object in which the first of several members of one name counts, as it does for DuckDB."""
    found = dict(pairs)
    if len(found) < len(pairs):
        found.update(reversed(pairs))
    return found


def _values(text: str, name: str) -> tuple[list[Any], Parsed]:
    try:
        return [decoded(text)], Parsed()
    except json.JSONDecodeError as error:
        return _many(text, name, error)


def _many(text: str, name: str, error: json.JSONDecodeError) -> tuple[list[Any], Parsed]:
    """Read JSON lines, of which the first tells that they are some; else values one after the other."""
    lines = list(filter(str.strip, text.split("\n")))
    if isinstance(_value(lines[0]), dict | list):
        values = [_value(line) for line in lines]
        readable = [v for v in values if v is not _BROKEN]
        signs = [BROKEN_OFF] if values[-1] is _BROKEN else []
        return readable, Parsed(shape="JSON lines", signs=signs, unreadable=len(values) - len(readable))
    try:
        return list(_sequence(text)), Parsed(shape="JSON values")
    except json.JSONDecodeError:
        at = f"line {error.lineno}, column {error.colno}"
        hint = " (this is an HTML page, perhaps of a sign-in)" if text.lstrip()[:1] == "<" else ""
        raise UnreadableInputError(f"{name}: {at}: expected JSON, but {error.msg}{hint}") from None


def _value(line: str) -> Any:
    try:
        return decoded(line)
    except json.JSONDecodeError:
        return _BROKEN


def _sequence(text: str) -> Iterator[Any]:
    number = float if re.search(r"\d{4300}", text) else None
    decoder, at = json.JSONDecoder(parse_int=number, object_pairs_hook=_first), 0
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
