"""The members of a JSON object that a table wants: paths split into heads, and their spellings in a file.

A file is read in one *layout* at a time, for every column asked of it costs time in every row: `nested`
(the body under `properties`, as ARM has it) or `flat` (as the CLI prints it).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from diskenc_analysis.schema import ENVELOPE, Table

#: Envelope members that the flattened spelling of a body member must not take over.
TAKEN = {"id", "name", "type", "location", "region", "tags", "properties"}
#: Layouts in which the relation holds each object as the JSON value `e`.
AS_JSON = ("element", "exact", "loose")
#: The layout that reads the same rows as JSON, in which a value of the wrong type is seen.
JSON_TWIN = {"nested": "exact", "flat": "loose"}
#: A member that flat rows of older tools spell so, and others `diskSizeGB`; no specification has both.
OTHER_CASE = "diskSizeGb"
#: Column of the files that the normalising pass writes: which input a row came from.
SOURCE_MEMBER = "__source"

#: Members that every whole flat row has, whichever tool printed it, by the table that it belongs to.
WHOLE = {
    "disks": ("provisioningState", "location", "creationData"),
    "snapshots": ("provisioningState", "location", "creationData"),
    "vms": ("provisioningState", "location", "storageProfile"),
    "scale_sets": ("provisioningState", "location"),
}


@dataclass(frozen=True)
class MemberPath:
    """One path of the schema: its head (dotted where it lies deeper), what lies below, and how it is read."""

    head: str
    rest: str
    body: bool
    lower: bool

    def deeper(self) -> MemberPath:
        """Move the next plain member into the head; the path stays the same where there is none."""
        found = re.fullmatch(r"(\w+)(~?)\.?(.*)", self.rest)
        if self.lower or not found:
            return self
        name, low, rest = found.groups()
        return MemberPath(f"{self.head}.{name}".lstrip("."), rest, self.body, bool(low))


def paths_of(table: Table, layout: str = "element") -> dict[str, MemberPath]:
    """Split every path of a table, those of the envelope first.

    A head of JSON is the first member alone, so that a value of the wrong type is seen. A head of a file lies
    as deep as a struct can lead: at a value, or where the JSON text itself is wanted.
    """
    envelope = [p for paths in ENVELOPE.values() for p in paths.split("|")] if table.types else []
    texts = [*envelope, *(p for c in table.columns for p in c.paths)]
    if not table.types:
        return {p: MemberPath("e", "" if p == "." else p, False, False) for p in texts}
    whole = {p: MemberPath("", p.removeprefix("properties."), False, False).deeper() for p in texts}
    bodies = {whole[p].head for p in texts if p.startswith("properties.")}
    paths = {p: replace(path, body=path.head in bodies) for p, path in whole.items()}
    return paths if layout in AS_JSON else _deepened(paths)


def _deepened(paths: dict[str, MemberPath]) -> dict[str, MemberPath]:
    """Lead every head down to where its member has to stay text."""
    ends: set[str] = set()
    spelt: dict[str, str] = {}
    for path in paths.values():
        above, below = path, path.deeper()
        while below != above:
            if spelt.setdefault(below.head.lower(), below.head) != below.head:
                ends.add(above.head)  # a struct has no names that differ in case alone
            above, below = below, below.deeper()
        ends.add(above.head)
    return {text: _until(path, ends) for text, path in paths.items()}


def _until(path: MemberPath, ends: set[str]) -> MemberPath:
    return path if path.head in ends else _until(path.deeper(), ends)


def heads_of(table: Table, layout: str = "element") -> dict[str, bool]:
    """Name each head of the table and whether it is a member of `properties`."""
    return {path.head: path.body for path in paths_of(table, layout).values()}


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
    heads = heads_of(table, layout)
    flat = [h for h, body in heads.items() if not body or (layout == "flat" and h not in TAKEN)]
    tops = {h.partition(".")[0] for h in flat}
    telling = [m for m in WHOLE.get(table.name, ()) if layout == "flat" and m not in tops]
    columns = _types(["id", "type", SOURCE_MEMBER, *flat, *telling, *markers(table, layout)])
    nested = _types(h for h, body in heads.items() if body and layout == "nested")
    return {**columns, "properties": _struct(nested) if nested else "VARCHAR"}


def _types(heads: Iterable[str]) -> dict[str, str]:
    """Give the SQL type of each first member of heads; of names that differ in case alone, of the first."""
    below: dict[str, tuple[str, list[str]]] = {}
    for head in heads:
        name, _, rest = head.partition(".")
        below.setdefault(name.lower(), (name, []))[1].append(rest)
    return {name: _struct(_types(rests)) if all(rests) else "VARCHAR" for name, rests in below.values()}


def _struct(members: dict[str, str]) -> str:
    listed = ", ".join(f'"{name}" {kind}' for name, kind in members.items())
    return f"STRUCT({listed})"


def markers(table: Table, layout: str) -> list[str]:
    """Name the snake_case members that show a row to be in that spelling."""
    heads = [h for h, body in heads_of(table).items() if not body or layout == "flat"]
    names = [_snake(h) for h in heads if _snake(h) != h.lower()]
    return _distinct([*names, *(["handware_profile"] if "hardwareProfile" in heads else [])])


def _distinct(names: list[str]) -> list[str]:
    return list({n.lower(): n for n in reversed(names)}.values())[::-1]


def head_sql(layout: str, name: str, body: bool) -> str:
    """SQL for one head of an object: a column of a file, or a member of the JSON value `e`."""
    if body and name in TAKEN and layout in ("flat", "loose"):
        return "NULL::VARCHAR"
    if layout in AS_JSON:
        whole, beside = f"e->>'$.properties.{name}'", f"e->>'$.{name}'"
        if layout == "element" and body and name not in TAKEN:
            return f"coalesce({whole}, {beside})"
        return whole if body and layout != "loose" else beside
    quoted = name.replace(".", '"."')
    return f'properties."{quoted}"' if body and layout == "nested" else f'"{quoted}"'
