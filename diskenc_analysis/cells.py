"""SQL that makes objects of the cells of a flat file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diskenc_analysis import headers

#: Members whose text is never an object.
_PLAIN = ("id", "name", "type", "location")
_FROM_LINK = r"(?i)^https?://.*?/resource(/subscriptions/.*?/providers/[^/]+(?:/[^/]+/[^/]+)+).*$"
#: An apostrophe that a writer puts before what a spreadsheet would run.
_NEUTRAL = r"^''[-=+@\t\r]"
_WILD = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class Cells:
    """A relation of cells.

    Attributes
    ----------
    relation : str
        SQL that gives every row, and stores those that it rejects.
    sample : str
        The same without storing them, to look at some rows.
    columns : tuple of str
        SQL names of its columns.
    headers : tuple of str
        Their names as they came.
    texts : frozenset of str
        Those of `columns` that hold text; the others hold objects.
    """

    relation: str
    sample: str
    columns: tuple[str, ...]
    headers: tuple[str, ...]
    texts: frozenset[str]


def sql_path(path: Path) -> str:
    """Quote a path for SQL, whose wildcards DuckDB would otherwise follow to other files."""
    return sql_text(_WILD.sub(r"[\g<0>]", str(path)))


def sql_text(value: object) -> str:
    """Quote text for SQL.

    Examples
    --------
    >>> sql_text("it's")
    "'it''s'"
    """
    return "'" + str(value).replace("'", "''") + "'"


def objects(table: Cells, found: Mapping[str, int]) -> dict[str, str]:
    """SQL for each member at the top of a row.

    Parameters
    ----------
    table : Cells
        The cells.
    found : mapping of str to int
        Number of the column by member path, as `headers.members` gives it.

    Returns
    -------
    dict of str to str
        A JSON expression by member; an object of which every part is empty is null.
    """
    cells = {member: _cell(table, table.columns[at], member) for member, at in found.items()}
    if headers.is_defender(table.headers):
        cells |= _assessment(table)
    tree: dict[str, Any] = {}
    for member, sql in cells.items():
        *above, last = member.split(".")
        node = tree
        for name in above:
            node = node.setdefault(name, {})
        node[last] = sql
    return {name: _json(node) for name, node in tree.items()}


def _json(node: str | dict[str, Any]) -> str:
    if isinstance(node, str):
        return node
    leaves = _leaves(node)
    members = ", ".join(f"{sql_text(name)}, {_json(inner)}" for name, inner in node.items())
    return f"CASE WHEN coalesce({', '.join(leaves)}) IS NOT NULL THEN json_object({members}) END"


def _leaves(node: Mapping[str, Any]) -> Sequence[str]:
    inner = [[n] if isinstance(n, str) else _leaves(n) for n in node.values()]
    return [leaf for leaves in inner for leaf in leaves]


def _cell(table: Cells, column: str, member: str) -> str:
    """SQL that gives a cell as JSON: an object as such, text without the mark that keeps it from being run.

    Text that begins as an object and is none (a sheet cuts cells at 32,767 characters) must not be taken
    for one.
    """
    if column not in table.texts:
        return f"to_json({column})"
    text = f"nullif({column}, '')"
    plain = f"to_json(CASE WHEN regexp_matches({text}, '{_NEUTRAL}') THEN substr({text}, 2) ELSE {text} END)"
    if member == "id":
        return f"to_json(regexp_replace({text}, {sql_text(_FROM_LINK)}, '\\1'))"
    if member in _PLAIN:
        return plain
    return (
        f"CASE WHEN lower({text}) = 'null' THEN NULL WHEN regexp_matches({text}, '^\\s*[\\[{{]') THEN "
        f"CASE WHEN json_valid({text}) THEN {text}::JSON ELSE to_json('not JSON') END ELSE {plain} END"
    )


def _assessment(table: Cells) -> dict[str, str]:
    """SQL for what names an assessment: its id is made of the resource's and the recommendation's."""
    at = {headers.folded(name): column for name, column in zip(table.headers, table.columns, strict=True)}
    resource, own, state = (at[name] for name in ("resourceid", "recommendationid", "state"))
    made = f"{resource} || '/providers/{headers.DEFENDER_TYPE}/' || {own}"
    arm_id = f"CASE WHEN starts_with({own}, '/') THEN {own} ELSE {made} END"
    return {
        "id": f"to_json({arm_id})",
        "name": f"to_json(regexp_extract({own}, '[^/]+$'))",
        "type": f"to_json('{headers.DEFENDER_TYPE}')",
        "status.code": f"to_json(replace({state}, 'Not applicable', 'NotApplicable'))",
    }
