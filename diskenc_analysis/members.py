"""The members of a JSON object that a table wants: paths split into heads, and their spellings in a file.

A file is read in one *layout* at a time, for every column asked of it costs time in every row: `nested`
(the body under `properties`, as ARM has it) or `flat` (as the CLI prints it).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from diskenc_analysis.schema import ENVELOPE, Table

#: Envelope members that the flattened spelling of a body member must not take over.
TAKEN = {"id", "name", "type", "location", "region", "tags", "properties"}
#: Layouts in which the relation holds each object as the JSON value `e`.
AS_JSON = ("element", "loose")
#: A member that flat rows of older tools spell so, and others `diskSizeGB`; no specification has both.
OTHER_CASE = "diskSizeGb"
#: Column of the files that the normalising pass writes: which input a row came from.
SOURCE_MEMBER = "__source"


@dataclass(frozen=True)
class MemberPath:
    """One path of the schema: its head, what lies below, and how the head is to be read."""

    head: str
    rest: str
    body: bool
    lower: bool


def parse(path: str, table: Table) -> MemberPath:
    """Split a path into its head and what lies below it; an element is its own head."""
    if not table.types:
        return MemberPath("e", "" if path == "." else path, False, False)
    body = path.startswith("properties.")
    head, low, rest = re.fullmatch(r"(\w+)(~?)\.?(.*)", path.removeprefix("properties.")).groups()  # type: ignore[union-attr]
    return MemberPath(head, rest, body, bool(low))


def paths_of(table: Table) -> list[MemberPath]:
    """Split every path of a table, those of the envelope first."""
    envelope = [p for paths in ENVELOPE.values() for p in paths.split("|")] if table.types else []
    return [parse(p, table) for p in [*envelope, *(p for c in table.columns for p in c.paths)]]


def heads_of(table: Table) -> dict[str, bool]:
    """Name each head of the table and whether it is a member of `properties`."""
    heads: dict[str, bool] = {}
    for path in paths_of(table):
        heads[path.head] = heads.get(path.head, False) or path.body
    return heads


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def file_columns(table: Table, layout: str) -> dict[str, str]:
    """Give the column specification with which DuckDB reads the objects of one table from a file.

    DuckDB compares the names of a specification without regard to case, so of two spellings that differ in
    case alone the first is kept; rows in another spelling are found by their missing id or by the
    snake_case markers, and go through the normalising pass.

    Parameters
    ----------
    table : Table
        A table of ARM resources.
    layout : {"nested", "flat"}
        Where the body is.

    Returns
    -------
    dict of str to str
        SQL type by member name.

    Examples
    --------
    >>> from diskenc_analysis.schema import table
    >>> file_columns(table("disks"), "nested")["managedBy"]
    'VARCHAR'
    """
    heads = heads_of(table)
    nested = _distinct([h for h, body in heads.items() if body]) if layout == "nested" else []
    flat = [h for h, body in heads.items() if not body or (layout == "flat" and h not in TAKEN)]
    columns = dict.fromkeys(
        _distinct(["id", "type", SOURCE_MEMBER, *flat, *markers(table, layout)]), "VARCHAR"
    )
    members = ", ".join(f'"{n}" VARCHAR' for n in nested)
    columns["properties"] = f"STRUCT({members})" if nested else "VARCHAR"
    return columns


def markers(table: Table, layout: str) -> list[str]:
    """Name the snake_case members that show a row to be in that spelling."""
    heads = [h for h, body in heads_of(table).items() if not body or layout == "flat"]
    names = [_snake(h) for h in heads if _snake(h) != h.lower()]
    return _distinct([*names, *(["handware_profile"] if "hardwareProfile" in heads else [])])


def _distinct(names: list[str]) -> list[str]:
    return list({n.lower(): n for n in reversed(names)}.values())[::-1]


def head_sql(layout: str, name: str, body: bool) -> str:
    """SQL for one head of an object: a column of a file, or a member of the JSON value `e`."""
    if layout in AS_JSON:
        whole = f"e->>'$.properties.{name}'" if body else f"e->>'$.{name}'"
        return f"coalesce({whole}, e->>'$.{name}')" if body and name not in TAKEN else whole
    if layout == "flat":
        return "NULL::VARCHAR" if body and name in TAKEN else f'"{name}"'
    return f'properties."{name}"' if body else f'"{name}"'
