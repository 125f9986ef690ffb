"""The innermost SQL of `extract`: the heads of each object, and what tells how the object is spelt."""

from __future__ import annotations

import re

from diskenc_analysis.members import AS_JSON, WHOLE, head_sql, heads_of, markers
from diskenc_analysis.schema import Table

#: Tables whose rows may say all beside `properties`.
_BODILESS = ("subscriptions", "keys")


def head_name(name: str, prefix: str = "h") -> str:
    """Name the SQL column of a head; members that differ in case alone get names that differ in more."""
    marked = re.sub("[A-Z]", lambda letter: f"^{letter[0].lower()}", name)
    return f'"{prefix}_{marked}"'


def heads_sql(table: Table, relation: str, source: str, layout: str, *, known: bool = False) -> str:
    """SQL for the heads of objects, and for what tells their layout; parameters as of `resources_sql`."""

    def top(name: str) -> str:
        return f"e->>'$.{name}'" if layout in AS_JSON else f'"{name}"'

    heads = ", ".join(
        f"{head_sql(layout, h, body)} AS {head_name(h)}" for h, body in heads_of(table, layout).items()
    )
    bodies = [h for h, body in heads_of(table).items() if body and table.name not in _BODILESS]
    marked = " OR ".join(
        f"({where}coalesce({', '.join(map(top, names))}) IS NOT NULL)"
        for where, names in _marks(table, layout, f"{top('properties')} IS NULL AND ")
        if names
    )
    no_body = _none([head_sql(layout, h, True) for h in bodies])
    lacking = [f"{top(member)} IS NULL" for member in WHOLE.get(table.name, ())]
    if lacking and not known and layout not in ("nested", "exact"):  # a query may have cut it down
        cut = f"{top('properties')} IS NULL AND ({' OR '.join(lacking)}) AND NOT ({no_body})"
        marked = f"{marked or 'false'} OR ({cut})"
    return _parsed_once(
        f"{heads}, lower({top('type')}) AS arm_type, "
        f"{top('properties')} IS NOT NULL AS has_properties, {marked or 'false'} AS marked, "
        f"{no_body} AS no_body, "
        f"{_hollow(table, layout)} AS hollow, {source} AS source{', e' if layout == 'element' else ''}",
        relation,
    )


def _parsed_once(columns: str, relation: str) -> str:
    """SQL for columns of which those of `e` are taken out in one go: each `->>` parses the whole object.

    A filter above would be pushed below and take them out again, for each of its terms; `unnest` stops it.
    """
    paths = list(dict.fromkeys(re.findall(r"e->>('[^']+')", columns)))
    for at, path in enumerate(paths, start=1):
        columns = columns.replace(f"e->>{path}", f"m[{at}]")
    taken = f"(SELECT *, unnest([json_extract_string(e, [{', '.join(paths)}])]) AS m FROM {relation})"
    return f"SELECT {columns} FROM {taken if paths else relation}"


def _hollow(table: Table, layout: str) -> str:
    """SQL that tells whether there are `properties` but nothing in them that the table knows."""
    bodies = [h for h, body in heads_of(table).items() if body]
    if not bodies or layout in ("flat", "loose"):
        return "false"
    inner = [f"e->>'$.properties.{h}'" if layout in AS_JSON else f'properties."{h}"' for h in bodies]
    whole = "e->>'$.properties'" if layout in AS_JSON else "properties"
    return f"{whole} IS NOT NULL AND {_none(inner)}"


def _none(values: list[str]) -> str:
    return " AND ".join(f"{value} IS NULL" for value in values) or "false"


def _marks(table: Table, layout: str, if_flat: str) -> list[tuple[str, list[str]]]:
    """Pair the markers that hold in a layout with the condition under which they do."""
    if layout not in AS_JSON:
        return [("", markers(table, layout))]
    return [("", markers(table, "nested")), (if_flat, markers(table, "flat"))]
