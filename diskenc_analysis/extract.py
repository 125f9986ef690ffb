"""SQL that takes the columns of a canonical table out of JSON, made from the paths of the schema.

Three nested steps, so that each JSON text is parsed once a row: *heads* (the members at the top of the
object or of its `properties`, still as JSON text), *parts* (all members wanted of one head, as a list),
then the columns. Both the reader of files and the tables made of elements use it.
"""

from __future__ import annotations

import re

from diskenc_analysis.members import AS_JSON, MemberPath, head_sql, heads_of, markers, parse, paths_of
from diskenc_analysis.schema import DIFFER, ENVELOPE, Column, Table


def _json_path(rest: str) -> str:
    return f"'${rest}'" if rest.startswith("[") else f"'$.{rest}'"


def _plain(rest: str) -> bool:
    return bool(rest) and "[*]" not in rest and not rest.startswith("[name=")


def _h(name: str, prefix: str = "h") -> str:
    """Name the SQL column of a head; members that differ in case alone get names that differ in more."""
    marked = re.sub("[A-Z]", lambda letter: f"^{letter[0].lower()}", name)
    return f'"{prefix}_{marked}"'


class _Parts:
    """Which members of each head are wanted, and how a column refers to one."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.wanted: dict[tuple[str, bool], list[str]] = {}
        for path in paths_of(table):
            if _plain(path.rest):
                rests = self.wanted.setdefault((path.head, path.lower), [])
                if path.rest not in rests:
                    rests.append(path.rest)

    def select(self) -> str:
        parts = []
        for (head, low), rests in self.wanted.items():
            text = f"lower({_h(head)})" if low else _h(head)
            members = ", ".join(map(_json_path, rests))
            guard = f"CASE WHEN starts_with({_h(head)}, '{{') OR starts_with({_h(head)}, '[') THEN {text} END"
            parts.append(f"TRY(json_extract_string({guard}, [{members}])) AS {_h(head, f'p{low:d}')}")
        return "".join(f", {p}" for p in parts)

    def value(self, path: MemberPath, dtype: str) -> str:
        head = _h(path.head)
        if not path.rest:
            return head
        if match := re.fullmatch(r"\[name=(\w+)\]\.(\w+)", path.rest):
            names, values = (f"TRY(json_extract_string({head}, '$[*].{m}'))" for m in ("name", match[2]))
            return f"{values}[list_position({names}, '{match[1]}')]"
        if not _plain(path.rest):
            found = f"TRY(json_extract_string({head}, {_json_path(path.rest)}))"
            return f"array_to_string({found}, ';')" if dtype == "list" else found
        at = self.wanted[(path.head, path.lower)].index(path.rest) + 1
        return f"{_h(path.head, f'p{path.lower:d}')}[{at}]"


def _value(column: Column, parts: _Parts) -> str:
    paths = [parse(p, parts.table) for p in column.paths]
    values = [f"nullif({parts.value(p, column.dtype)}, '')" for p in paths]
    return f"coalesce({', '.join(values)})" if len(values) > 1 else values[0]


def key_sql(text: str) -> str:
    """SQL for the key of an ARM id: lower case, one leading slash, none at the end."""
    usual = f"starts_with({text}, '/') AND NOT ends_with({text}, '/') AND NOT ends_with({text}, ' ')"
    return f"CASE WHEN {usual} THEN lower({text}) ELSE '/' || lower(trim({text}, '/ ')) END"


def named_sql(arm_id: str, arm_type: str) -> str:
    """SQL that tells whether an object names itself as ARM does; a friendly type such as `Disk` does not."""
    return f"coalesce(contains({arm_id}, '/') AND contains({arm_type}, '/'), false)"


def _columns(table: Table, parts: _Parts) -> list[str]:
    out = []
    for column in table.columns:
        value = _value(column, parts)
        if column.dtype in ("bool", "float"):
            value = f"try_cast({value} AS {column.sql_type})"
        out.append(f'{value} AS "{column.name}"')
        if column.dtype == "ref":
            out.append(f'{key_sql(value)} AS "{column.name}_key"')
    return out


def _doubts(table: Table, parts: _Parts) -> dict[str, str]:
    """Give for each column the SQL test of whether its value is of the wrong type (never read as absent)."""
    doubts = {}
    for column in table.columns:
        heads = {_h(path.head): None for path in (parse(p, table) for p in column.paths) if path.rest}
        tests = [f"NOT (starts_with({h}, '{{') OR starts_with({h}, '['))" for h in heads]
        value = _value(column, parts)
        if column.dtype in ("bool", "float"):
            tests.append(f"({value} IS NOT NULL AND try_cast({value} AS {column.sql_type}) IS NULL)")
        elif column.dtype == "json":
            tests.append(f"NOT (starts_with({value}, '{{') OR starts_with({value}, '['))")
        if tests:
            doubts[column.name] = " OR ".join(tests)
    return doubts


def _no_body(table: Table) -> str:
    body = [_h(h) for h, is_body in heads_of(table).items() if is_body]
    if not body or table.name in ("subscriptions", "keys"):
        return "false"
    return f"coalesce({', '.join(body)}) IS NULL"


def _derived(table: Table, parts: _Parts) -> dict[str, str]:
    doubts = _doubts(table, parts)
    named = ", ".join(f"CASE WHEN {test} THEN '{name}: wrong type' END" for name, test in doubts.items())
    wrong = f"WHEN {' OR '.join(doubts.values())} THEN concat_ws('; ', {named}) " if doubts else ""
    return {
        "key": "key",
        "subscription_id": "CASE WHEN starts_with(key, '/subscriptions/') THEN split_part(key, '/', 3) END",
        "resource_group": "CASE WHEN split_part(key, '/', 4) = 'resourcegroups' "
        "THEN split_part(ltrim(h_id, '/ '), '/', 4) END",
        "doubt": f"CASE WHEN {_no_body(table)} THEN '*: no properties' {wrong}END",
        "source": "source",
    }


def resources_sql(table: Table, relation: str, source: str, layout: str) -> str:
    """SQL that turns objects into rows of a table of ARM resources.

    Parameters
    ----------
    table : Table
        A table of ARM resources.
    relation : str
        SQL of what holds the objects: a `read_json` call with `file_columns`, or a relation with the JSON
        column `e`.
    source : str
        SQL expression for the number of the input file.
    layout : {"nested", "flat", "element", "loose"}
        How the relation holds them; `loose` is `element` for the flat ones alone.

    Returns
    -------
    str
        A SELECT whose columns are those of `table.column_names()`, then `arm_type` (lower case) and `odd`:
        0 a row of this layout, 1 without an id or a type, 2 spelt otherwise or with nothing in its body
        (both need the normalising pass), 3 of the other layout; in layout `element` also the object `e`.
    """
    parts = _Parts(table)
    envelope = [Column(n, "string", tuple(p.split("|")), "") for n, p in ENVELOPE.items()]
    columns = [
        *(f"{_value(c, parts)} AS {c.name}" for c in envelope),
        *(f"{sql} AS {name}" for name, sql in _derived(table, parts).items()),
        *_columns(table, parts),
    ]
    others = {"nested": "NOT has_properties", "flat": "has_properties", "loose": "has_properties"}
    return (
        f"SELECT {', '.join(columns)}, arm_type, CASE WHEN {others.get(layout, 'false')} THEN 3 "
        f"WHEN NOT {named_sql('h_id', 'arm_type')} THEN 1 WHEN marked OR hollow THEN 2 ELSE 0 END AS odd"
        f"{', e' if layout == 'element' else ''} FROM (SELECT *, {key_sql('h_id')} AS key{parts.select()} "
        f"FROM ({_heads_sql(table, relation, source, layout)}))"
    )


def _heads_sql(table: Table, relation: str, source: str, layout: str) -> str:
    def top(name: str) -> str:
        return f"e->>'$.{name}'" if layout in AS_JSON else f'"{name}"'

    heads = ", ".join(f"{head_sql(layout, h, body)} AS {_h(h)}" for h, body in heads_of(table).items())
    marked = " OR ".join(
        f"({where}coalesce({', '.join(map(top, names))}) IS NOT NULL)"
        for where, names in _marks(table, layout, f"{top('properties')} IS NULL AND ")
        if names
    )
    return _parsed_once(
        f"{heads}, lower({top('type')}) AS arm_type, "
        f"{top('properties')} IS NOT NULL AS has_properties, {marked or 'false'} AS marked, "
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
    inner = (f"e->>'$.properties.{h}'" if layout == "element" else f'properties."{h}"' for h in bodies)
    whole = "e->>'$.properties'" if layout == "element" else "properties"
    return f"{whole} IS NOT NULL AND coalesce({', '.join(inner)}) IS NULL"


def _marks(table: Table, layout: str, if_flat: str) -> list[tuple[str, list[str]]]:
    """Pair the markers that hold in a layout with the condition under which they do."""
    if layout not in AS_JSON:
        return [("", markers(table, layout))]
    return [("", markers(table, "nested")), (if_flat, markers(table, "flat"))]


def elements_sql(table: Table) -> str:
    """SQL that turns the elements of a parent's JSON columns into rows of a child table.

    Parameters
    ----------
    table : Table
        A table with a `child`.

    Returns
    -------
    str
        A SELECT whose columns are those of `table.column_names()`.
    """
    parts = _Parts(table)
    return (
        f"SELECT parent_key, origin, doubt, {', '.join(_columns(table, parts))} FROM ("
        f"SELECT parent_key, origin, doubt, h_e{parts.select()} FROM ("
        f"SELECT parent_key, origin, parent_doubt AS doubt, e->>'$' AS h_e FROM ({unnest_sql(table)})))"
    )


def unnest_sql(table: Table) -> str:
    """SQL for the elements of a parent's JSON columns: `parent_key`, `origin`, `parent_source`, `e`.

    `parent_doubt` puts all of an element in doubt where captures of its parent differ in that column.
    """
    if table.child is None:
        raise ValueError(table.name)
    selects = [
        f"SELECT key AS parent_key, '{column}' AS origin, source AS parent_source, "
        f"CASE WHEN contains(doubt, '{column}: {DIFFER}') THEN '*: {DIFFER}' END AS parent_doubt, "
        f"unnest(CASE WHEN starts_with({column}, '[') THEN TRY(json_extract({column}, '$[*]')) "
        f"WHEN starts_with({column}, '{{') AND json_valid({column}) THEN [{column}::JSON] END) AS e "
        f"FROM {table.child.parent} WHERE {column} IS NOT NULL"
        for column in table.child.columns
    ]
    return f"SELECT * FROM ({' UNION ALL '.join(selects)}) WHERE json_type(e) <> 'NULL'"
