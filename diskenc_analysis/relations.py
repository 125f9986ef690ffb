"""The rows of a JSON file as SQL relations, in the ways in which DuckDB can read them."""

from __future__ import annotations

from pathlib import Path

from diskenc_analysis.cells import sql_path
from diskenc_analysis.envelopes import Opened
from diskenc_analysis.extract import named_sql
from diskenc_analysis.members import OTHER_CASE

_KINDS = {
    "id": "VARCHAR",
    "type": "VARCHAR",
    "properties": 'STRUCT("_" VARCHAR)',
    OTHER_CASE: "VARCHAR",
}


def typed(opened: Opened, columns: dict[str, str], *, tolerant: bool = False) -> str:
    """SQL that reads a file with a specification of its columns.

    Parameters
    ----------
    opened : Opened
        The file.
    columns : dict of str to str
        SQL type by member name.
    tolerant : bool
        Whether a value of another type is read as null. Otherwise the query fails with
        `duckdb.InvalidInputException`: one that ends has proved that there is no such value.

    Returns
    -------
    str
        For a FROM clause.
    """
    spec = ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items())
    errors = ", ignore_errors = true" if tolerant else ""
    options = f"columns = {{{spec}}}, format = '{opened.format}', records = true{errors}"
    return f"read_json({sql_path(opened.path)}, {options})"


def objects(path: Path, form: str) -> str:
    """SQL that reads the objects of a file as the JSON column `e`; a broken line is null."""
    errors = ", ignore_errors = true" if form == "newline_delimited" else ""
    return f"(SELECT json AS e FROM read_json_objects({sql_path(path)}, format = '{form}'{errors}))"


def kinds_sql(opened: Opened) -> str:
    """SQL that counts the rows by type, or none where they do not name themselves, and by layout."""
    return (
        f"SELECT CASE WHEN {named_sql('id', 'type')} THEN lower(type) ELSE '' END, CASE WHEN properties "
        f"IS NOT NULL THEN 'nested' WHEN {OTHER_CASE} IS NOT NULL THEN 'loose' ELSE 'flat' END, "
        f"count(*) FROM {typed(opened, _KINDS, tolerant=True)} GROUP BY ALL"
    )


def nameless_sql(opened: Opened) -> str:
    """SQL for the text of the rows that do not name themselves, with an empty type."""
    named = named_sql("e->>'$.id'", "e->>'$.type'")
    return f"SELECT e::VARCHAR, '' FROM {objects(opened.path, opened.format)} WHERE NOT {named}"
