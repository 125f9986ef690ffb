"""SQL that takes the columns of a canonical table out of JSON, made from the paths of the schema.

Nested steps, so that each JSON text is parsed once a row and each value is worked out once: *heads* (members
of the object, as deep as its layout leads, as text), *parts* (all members wanted of one head, as a list),
*values*, the same in their type, then the columns. Both the reader of files and the tables made of elements
use it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from diskenc_analysis.heads import head_name, heads_sql
from diskenc_analysis.members import MemberPath, paths_of
from diskenc_analysis.schema import DIFFER, ENVELOPE, WRONG, Column, Table

#: SQL that tells rows of the other layout.
_OTHERS = {
    **dict.fromkeys(("nested", "exact"), "NOT has_properties"),
    **dict.fromkeys(("flat", "loose"), "has_properties"),
}

#: More than any number of the tables can be: a disk has at most some 7e13 bytes.
_MOST = "1e18"


def _json_path(rest: str) -> str:
    return f"'${rest}'" if rest.startswith("[") else f"'$.{rest}'"


def _plain(rest: str) -> bool:
    return bool(rest) and "[*]" not in rest and not rest.startswith("[name=")


def _above(rest: str) -> dict[str, str]:
    """Give what has to hold a member, the head itself first as an empty name: `{` an object, `[` a list."""
    if not rest:
        return {}
    steps = {rest[: m.start()]: "{" if m[0] == "." else "[" for m in re.finditer(r"[.\[]", rest)}
    return {"": "{", **{step: opening for step, opening in steps.items() if not step or _plain(step)}}


class _Parts:
    """Which members of each head are wanted, and how a column refers to one."""

    def __init__(self, table: Table, layout: str = "element") -> None:
        self.paths = paths_of(table, layout)
        self.wanted: dict[tuple[str, bool], list[str]] = {}
        for path in self.paths.values():
            for rest in filter(_plain, (path.rest, *_above(path.rest))):
                rests = self.wanted.setdefault((path.head, path.lower), [])
                if rest not in rests:
                    rests.append(rest)

    def select(self) -> str:
        parts = []
        for (head, low), rests in self.wanted.items():
            name = head_name(head)
            text = f"lower({name})" if low else name
            members = ", ".join(map(_json_path, rests))
            guard = f"CASE WHEN starts_with({name}, '{{') OR starts_with({name}, '[') THEN {text} END"
            parts.append(f"TRY(json_extract_string({guard}, [{members}])) AS {head_name(head, f'p{low:d}')}")
        return "".join(f", {p}" for p in parts)

    def value(self, path: MemberPath, dtype: str) -> str:
        head = head_name(path.head)
        if not path.rest:
            return head
        if match := re.fullmatch(r"\[name=(\w+)\]\.(\w+)", path.rest):
            names, values = (f"TRY(json_extract_string({head}, '$[*].{m}'))" for m in ("name", match[2]))
            return f"{values}[list_position({names}, '{match[1]}')]"
        if not _plain(path.rest):
            found = f"TRY(json_extract_string({head}, {_json_path(path.rest)}))"
            return f"array_to_string({found}, ';')" if dtype == "list" else found
        return self._member(path, path.rest)

    def _member(self, path: MemberPath, rest: str) -> str:
        at = self.wanted[(path.head, path.lower)].index(rest) + 1
        return f"{head_name(path.head, f'p{path.lower:d}')}[{at}]"

    def misplaced(self, path: MemberPath) -> list[str]:
        """Give the SQL tests of whether something else stands where an object or a list has to be."""
        steps = _above(path.rest).items()
        holders = {self._member(path, step) if step else head_name(path.head): mark for step, mark in steps}
        return [f"NOT starts_with({holder}, '{mark}')" for holder, mark in holders.items()]


def _v(column: Column) -> str:
    """Name the SQL column of a value, before it gets its type."""
    return f'"v_{column.name}"'


def _typed(column: Column) -> str:
    """Name the SQL column of a value in its type: null where it is not of it."""
    return f'"c_{column.name}"'


def _value(column: Column, parts: _Parts) -> str:
    values = [f"nullif({parts.value(parts.paths[p], column.dtype)}, '')" for p in column.paths]
    found = f"coalesce({', '.join(values)})" if len(values) > 1 else values[0]
    return f"{found} AS {_v(column)}"


def key_sql(text: str) -> str:
    """SQL for the key of an ARM id: lower case, one leading slash, none at the end."""
    return f"lower({_trimmed(text)})"


def _trimmed(text: str) -> str:
    usual = f"starts_with({text}, '/') AND NOT ends_with({text}, '/') AND NOT ends_with({text}, ' ')"
    return f"CASE WHEN {usual} THEN {text} ELSE '/' || trim({text}, '/ ') END"


def named_sql(arm_id: str, arm_type: str) -> str:
    """SQL that tells whether an object names itself as ARM does; a friendly type such as `Disk` does not."""
    return f"coalesce(contains({arm_id}, '/') AND contains({arm_type}, '/'), false)"


def _cast(column: Column) -> str:
    """SQL for a column's value in its type, null where it is not of it.

    1 and yes are no flags; all numbers of the tables are sizes or counts, finite and not negative; an object
    is no text, and what has no slash is no id.
    """
    value = _v(column)
    if column.dtype == "bool":
        return f"CASE lower({value}) WHEN 'true' THEN true WHEN 'false' THEN false END"
    if column.dtype == "float":
        cast = f"try_cast({value} AS {column.sql_type})"
        return f"CASE WHEN {cast} BETWEEN 0 AND {_MOST} THEN {cast} END"
    test = _no_text(column)
    return f"CASE WHEN NOT ({test}) THEN {value} END" if test else value


def _no_text(column: Column) -> str:
    """SQL that tells whether a value is no text, or no id, where the verdict rests on one; or nothing."""
    value = _v(column)
    if not column.verdict or column.dtype not in ("string", "ref"):
        return ""
    if column.dtype == "ref":
        return f"starts_with({value}, '{{') OR starts_with({value}, '[') OR NOT contains({value}, '/')"
    # A name may begin with a bracket: [Prod] Main.
    return " OR ".join(f"starts_with({value}, '{start}')" for start in ("{", '["', "[{"))


def _columns(table: Table) -> list[str]:
    out = []
    for column in table.columns:
        out.append(f'{_typed(column)} AS "{column.name}"')
        if column.dtype == "ref":
            out.append(f'{key_sql(_typed(column))} AS "{column.name}_key"')
    return out


def _with_values(table: Table, columns: Sequence[Column], parts: _Parts, relation: str) -> str:
    """SQL that adds the values of the columns to a relation with the parts, as text and in their type."""
    values = ", ".join(_value(c, parts) for c in columns)
    typed = ", ".join(f"{_cast(c)} AS {_typed(c)}" for c in table.columns)
    return f"SELECT *, {typed} FROM (SELECT *, {values} FROM ({relation}))"


def _doubts(table: Table, parts: _Parts) -> dict[str, list[str]]:
    """Give for each column the SQL tests of whether its value is of the wrong type (never read as absent)."""
    doubts = {}
    for column in table.columns:
        tests = [test for p in column.paths for test in parts.misplaced(parts.paths[p])]
        value = _v(column)
        if column.dtype == "json":
            right = " OR ".join(f"starts_with({value}, '{mark}')" for mark in column.openings)
            tests.append(f"NOT ({right})")
        elif column.dtype in ("bool", "float") or _no_text(column):
            tests.append(f"({value} IS NOT NULL AND {_typed(column)} IS NULL)")
        if tests:
            doubts[column.name] = list(dict.fromkeys(tests))
    return doubts


def _wrong(table: Table, parts: _Parts) -> str:
    """SQL that names the columns whose value is of the wrong type; null where there is none."""
    doubts = _doubts(table, parts)
    named = ", ".join(f"CASE WHEN {' OR '.join(t)} THEN '{name}: {WRONG}' END" for name, t in doubts.items())
    any_of = dict.fromkeys(test for tests in doubts.values() for test in tests)
    return f"CASE WHEN {' OR '.join(any_of)} THEN concat_ws('; ', {named}) END" if doubts else "NULL"


def _derived(table: Table, parts: _Parts) -> dict[str, str]:
    return {
        "key": "key",
        "subscription_id": "CASE WHEN starts_with(key, '/subscriptions/') THEN split_part(key, '/', 3) END",
        "resource_group": "CASE WHEN split_part(key, '/', 4) = 'resourcegroups' "
        "THEN split_part(trimmed, '/', 5) END",
        "doubt": f"CASE WHEN no_body THEN '*: no properties' ELSE {_wrong(table, parts)} END",
        "source": "source",
    }


def resources_sql(table: Table, relation: str, source: str, layout: str, *, known: bool = False) -> str:
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
    layout : {"nested", "flat", "element", "exact", "loose"}
        How the relation holds them; `exact` and `loose` are `element` for the nested or the flat ones alone.
    known : bool
        Whether it is known which columns a flat row could have: then what it lacks does not tell that a query
        cut it down.

    Returns
    -------
    str
        A SELECT whose columns are those of `table.column_names()`, then `arm_type` (lower case) and `odd`:
        0 a row of this layout, 1 without an id or a type, 2 spelt otherwise, cut down or with nothing in its
        body (both need the normalising pass), 3 of the other layout; in layout `element` also the object `e`.
    """
    parts = _Parts(table, layout)
    envelope = [Column(n, "string", tuple(p.split("|")), "") for n, p in ENVELOPE.items()]
    wanted = [*envelope, *table.columns]
    relation = (
        f"SELECT *, lower({_trimmed('h_id')}) AS key, {_trimmed('h_id')} AS trimmed{parts.select()} "
        f"FROM ({heads_sql(table, relation, source, layout, known=known)})"
    )
    columns = [
        *(f"{_v(c)} AS {c.name}" for c in envelope),
        *(f"{sql} AS {name}" for name, sql in _derived(table, parts).items()),
        *_columns(table),
    ]
    return (
        f"SELECT {', '.join(columns)}, arm_type, CASE WHEN {_OTHERS.get(layout, 'false')} THEN 3 "
        f"WHEN NOT {named_sql('h_id', 'arm_type')} THEN 1 WHEN marked OR hollow THEN 2 ELSE 0 END AS odd"
        f"{', e' if layout == 'element' else ''} FROM ({_with_values(table, wanted, parts, relation)})"
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
    parts = _Parts(table)
    relation = (
        f"SELECT parent_key, origin, doubt, h_e{parts.select()} FROM ("
        "SELECT parent_key, origin, parent_doubt AS doubt, "
        f"CASE WHEN starts_with(e, '{{') THEN e ELSE e->>'$' END AS h_e FROM ({unnest_sql(table)}))"
    )
    return (
        f"SELECT parent_key, origin, coalesce(doubt, {_wrong(table, parts)}) AS doubt, "
        f"{', '.join(_columns(table))} FROM ({_with_values(table, table.columns, parts, relation)})"
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
        f"unnest(CASE WHEN starts_with({column}, '[') THEN TRY(json_extract({column}, '$[*]'))::VARCHAR[] "
        f"WHEN starts_with({column}, '{{') AND json_valid({column}) THEN [{column}] END) AS e "
        f"FROM {table.child.parent} WHERE {column} IS NOT NULL"
        for column in table.child.columns
    ]
    return f"SELECT * FROM ({' UNION ALL '.join(selects)}) WHERE e <> 'null'"


def child_sql(table: Table) -> str:
    """SQL for the rows that other tables carry inside; a resource exported on its own comes first."""
    if table.child is None:
        raise ValueError(table.name)
    if not table.child.whole:
        return elements_sql(table)
    sql = resources_sql(table, f"({unnest_sql(table)})", "parent_source", "element")
    unsure = " OR ".join(f"contains(doubt, '{c}: {DIFFER}')" for c in table.child.columns)
    parents = f'SELECT key FROM "{table.child.parent}" WHERE {unsure}'
    return (
        "SELECT * EXCLUDE (arm_type, odd, e) REPLACE (CASE WHEN regexp_replace(key, '(/[^/]+){2}$', '') IN "
        f"({parents}) THEN concat_ws('; ', doubt, '*: {DIFFER}') ELSE doubt END AS doubt) "
        f"FROM ({sql}) WHERE key IS NOT NULL "
        f'AND key NOT IN (SELECT key FROM "{table.name}") QUALIFY row_number() OVER (PARTITION BY key) = 1'
    )
