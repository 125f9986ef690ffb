"""SQL that takes the columns of a canonical table out of JSON, made from the paths of the schema.

Three nested steps, so that each JSON text is parsed once a row: *heads* (the members at the top of the
object or of its `properties`, still as JSON text), *parts* (all members wanted of one head, as a list),
then the columns. Both the reader of files and the tables made of elements use it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from diskenc_analysis.schema import ENVELOPE, Column, Table

#: Envelope members that the flattened spelling of a body member must not take over.
_TAKEN = {"id", "name", "type", "location", "region", "tags", "properties"}
#: Column of the files that the normalising pass writes: which input a row came from.
SOURCE_MEMBER = "__source"


@dataclass(frozen=True)
class _Path:
    head: str
    rest: str
    body: bool
    lower: bool


def _parse(path: str) -> _Path:
    """Split a path into its head and what lies below it."""
    body = path.startswith("properties.")
    inner = path.removeprefix("properties.")
    match = re.match(r"(\w+)(~?)\.?(.*)$", inner, re.DOTALL)
    if match is None:  # the path "." : the element itself
        return _Path("", "", False, False)
    return _Path(match[1], match[3], body, bool(match[2]))


def _paths(table: Table) -> list[_Path]:
    envelope = [_parse(p) for paths in ENVELOPE.values() for p in paths.split("|")] if table.types else []
    return [*envelope, *(_parse(p) for c in table.columns for p in c.paths)]


def _heads(table: Table) -> dict[str, bool]:
    """Name each head of the table and whether it is a member of `properties`."""
    heads: dict[str, bool] = {}
    for path in _paths(table):
        heads[path.head] = heads.get(path.head, False) or path.body
    return heads


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def file_columns(table: Table) -> dict[str, str]:
    """Give the column specification with which DuckDB reads the objects of one table from a file.

    DuckDB compares the names of a specification without regard to case, so of two spellings that differ in
    case alone the first is kept; rows in another spelling are found by their missing id or by the
    snake_case markers, and go through the normalising pass.

    Parameters
    ----------
    table : Table
        A table of ARM resources.

    Returns
    -------
    dict of str to str
        SQL type by member name.

    Examples
    --------
    >>> from diskenc_analysis.schema import table
    >>> file_columns(table("disks"))["managedBy"]
    'VARCHAR'
    """
    heads = _heads(table)
    nested = _distinct([h for h, body in heads.items() if body])
    top = _distinct(["id", "type", SOURCE_MEMBER, *heads, *markers(table)])
    columns = dict.fromkeys(top, "VARCHAR")
    members = ", ".join(f'"{n}" VARCHAR' for n in nested)
    columns["properties"] = f"STRUCT({members})" if nested else "VARCHAR"
    return columns


def markers(table: Table) -> list[str]:
    """Name the snake_case members that show a row to be in that spelling."""
    heads = _heads(table)
    names = [_snake(h) for h in heads if _snake(h) != h.lower()]
    return _distinct([*names, *(["handware_profile"] if "hardwareProfile" in heads else [])])


def _distinct(names: list[str]) -> list[str]:
    return list({n.lower(): n for n in reversed(names)}.values())[::-1]


def _file_head(table: Table) -> Callable[[str, bool], str]:
    known = {n.lower() for n in file_columns(table)}

    def head(name: str, body: bool) -> str:
        if not body:
            return f'"{name}"'
        flat = name not in _TAKEN and name.lower() in known
        return f'coalesce(properties."{name}", "{name}")' if flat else f'properties."{name}"'

    return head


def _element_head(name: str, body: bool) -> str:
    if not name:
        return "e->>'$'"
    if body and name in _TAKEN:
        return f"e->>'$.properties.{name}'"
    return f"coalesce(e->>'$.properties.{name}', e->>'$.{name}')" if body else f"e->>'$.{name}'"


def _json_path(rest: str) -> str:
    return f"'${rest}'" if rest.startswith("[") else f"'$.{rest}'"


def _plain(rest: str) -> bool:
    return bool(rest) and "[*]" not in rest and "[name=" not in rest


def _h(name: str) -> str:
    return f'"h_{name}"'


class _Parts:
    """Which members of each head are wanted, and how a column refers to one."""

    def __init__(self, table: Table) -> None:
        self.wanted: dict[tuple[str, bool], list[str]] = {}
        for path in _paths(table):
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
            parts.append(f'TRY(json_extract_string({guard}, [{members}])) AS "p_{head}_{low}"')
        return "".join(f", {p}" for p in parts)

    def value(self, path: _Path, dtype: str) -> str:
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
        return f'"p_{path.head}_{path.lower}"[{at}]'


def _value(column: Column, parts: _Parts) -> str:
    values = [f"nullif({parts.value(_parse(p), column.dtype)}, '')" for p in column.paths]
    return f"coalesce({', '.join(values)})" if len(values) > 1 else values[0]


def key_sql(text: str) -> str:
    """SQL for the key of an ARM id: lower case, one leading slash, none at the end."""
    return f"'/' || lower(trim({text}, '/ '))"


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


def _doubts(table: Table, parts: _Parts) -> list[str]:
    """One SQL text or null per column that may hold a value of the wrong type (never read as absent)."""
    doubts = []
    for column in table.columns:
        tests = [
            f"NOT (starts_with({_h(path.head)}, '{{') OR starts_with({_h(path.head)}, '['))"
            for path in map(_parse, column.paths)
            if path.rest
        ]
        value = _value(column, parts)
        if column.dtype in ("bool", "float"):
            tests.append(f"({value} IS NOT NULL AND try_cast({value} AS {column.sql_type}) IS NULL)")
        elif column.dtype == "json":
            tests.append(f"NOT (starts_with({value}, '{{') OR starts_with({value}, '['))")
        if tests:
            doubts.append(f"CASE WHEN {' OR '.join(tests)} THEN '{column.name}: wrong type' END")
    return doubts


def _no_body(table: Table) -> str:
    body = [_h(h) for h, is_body in _heads(table).items() if is_body]
    if not body or table.name in ("subscriptions", "keys"):
        return "false"
    return f"NOT has_properties AND coalesce({', '.join(body)}) IS NULL"


def _derived(table: Table, parts: _Parts) -> dict[str, str]:
    doubts = ", ".join(_doubts(table, parts)) or "NULL"
    return {
        "key": "key",
        "subscription_id": "CASE WHEN starts_with(key, '/subscriptions/') THEN split_part(key, '/', 3) END",
        "resource_group": "CASE WHEN split_part(key, '/', 4) = 'resourcegroups' "
        "THEN split_part(trim(h_id, '/ '), '/', 4) END",
        "doubt": f"CASE WHEN {_no_body(table)} THEN '*: no properties' "
        f"ELSE nullif(concat_ws('; ', {doubts}), '') END",
        "source": "source",
    }


def resources_sql(table: Table, relation: str, source: str, elements: bool = False) -> str:
    """SQL that turns objects into rows of a table of ARM resources.

    Parameters
    ----------
    table : Table
        A table of ARM resources.
    relation : str
        SQL of what holds the objects: a `read_json` call with `file_columns`, or, with `elements`, a
        relation with the JSON column `e`.
    source : str
        SQL expression for the number of the input file.
    elements : bool
        Whether the objects are JSON values rather than columns.

    Returns
    -------
    str
        A SELECT whose columns are those of `table.column_names()`, then `arm_type`, `odd` (1 where id or
        type are missing, 2 where the row of this table is spelt otherwise or has nothing in its body, else
        0: odd rows need the normalising pass), and with `elements` the object `e`.
    """
    parts = _Parts(table)
    envelope = [Column(n, "string", tuple(p.split("|")), "") for n, p in ENVELOPE.items()]
    columns = [
        *(f"{_value(c, parts)} AS {c.name}" for c in envelope),
        *(f"{sql} AS {name}" for name, sql in _derived(table, parts).items()),
        *_columns(table, parts),
    ]
    types = ", ".join(f"'{t}'" for t in table.types)
    return (
        f"SELECT {', '.join(columns)}, arm_type, CASE WHEN h_id IS NULL OR arm_type IS NULL THEN 1 "
        f"WHEN arm_type IN ({types}) AND (marked OR ({_empty(table)})) THEN 2 ELSE 0 END AS odd"
        f"{', e' if elements else ''} FROM (SELECT *, {key_sql('h_id')} AS key{parts.select()} "
        f"FROM ({_heads_sql(table, relation, source, elements)}))"
    )


def _empty(table: Table) -> str:
    bodies = [_h(h) for h, body in _heads(table).items() if body]
    return f"has_properties AND coalesce({', '.join(bodies)}) IS NULL" if bodies else "false"


def _heads_sql(table: Table, relation: str, source: str, elements: bool) -> str:
    head = _element_head if elements else _file_head(table)
    top = (lambda n: f"e->>'$.{n}'") if elements else (lambda n: f'"{n}"')
    heads = ", ".join(f"{head(h, body)} AS {_h(h)}" for h, body in _heads(table).items())
    marked = f"coalesce({', '.join(map(top, markers(table)))}) IS NOT NULL" if markers(table) else "false"
    return (
        f"SELECT {heads}, lower({top('type')}) AS arm_type, {top('properties')} IS NOT NULL AS has_properties, "
        f"{marked} AS marked, {source} AS source{', e' if elements else ''} FROM {relation}"
    )


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
    if table.child is None:
        raise ValueError(table.name)
    parts = _Parts(table)
    heads = ", ".join(f"{_element_head(h, False)} AS {_h(h)}" for h in _heads(table))
    return (
        f"SELECT parent_key, origin, {', '.join(_columns(table, parts))} FROM ("
        f"SELECT *{parts.select()} FROM (SELECT parent_key, origin, {heads} FROM ({unnest_sql(table)})))"
    )


def unnest_sql(table: Table) -> str:
    """SQL for the elements of a parent's JSON columns: `parent_key`, `origin`, `parent_source`, `e`."""
    if table.child is None:
        raise ValueError(table.name)
    selects = [
        f"SELECT key AS parent_key, '{column}' AS origin, source AS parent_source, unnest(CASE "
        f"WHEN starts_with({column}, '[') THEN TRY(json_extract({column}, '$[*]')) "
        f"WHEN starts_with({column}, '{{') AND json_valid({column}) THEN [{column}::JSON] END) AS e "
        f"FROM {table.child.parent} WHERE {column} IS NOT NULL"
        for column in table.child.columns
    ]
    return f"SELECT * FROM ({' UNION ALL '.join(selects)}) WHERE json_type(e) <> 'NULL'"
