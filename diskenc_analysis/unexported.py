"""Columns that a flat export does not have: what they would say is unknown, and never absent."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from diskenc_analysis.flatfiles import ADVICE
from diskenc_analysis.headers import bare, is_read
from diskenc_analysis.ledger import Ledger
from diskenc_analysis.schema import Column, Table, tables

REASON = "column not exported"
#: Members that Resource Graph has no column for, and that no export was seen to hold.
_SELDOM = {"managedByExtended", "resources"}
#: Members of versions of the API that nobody asks for any more: an empty one says nothing of the newer.
_OLDER = {"encryptionSettings", "ownerId"}


def put_in_doubt(
    connection: duckdb.DuckDBPyConnection,
    source: int,
    exported: frozenset[str],
    ledger: Ledger,
    keys: Sequence[str] | None = None,
) -> None:
    """Put the columns in doubt that a flat file does not hold, in the rows that came from it.

    An empty cell is another thing: its column was exported, so the value is known to be absent (RULES:
    null equals absent in a wholly read object; a missing CSV column is unknown).

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Holds the tables; their rows are changed in place.
    source : int
        The file's number in the ledger.
    exported : frozenset of str
        Members that its columns hold, as `headers.members` gives them.
    ledger : Ledger
        Takes a note that names what is missing.
    keys : sequence of str, optional
        Which rows of the file it is about, where others of its rows are whole.
    """
    missing: dict[str, None] = {}
    for table in tables().values():
        lacking = lacks(table, exported) if table.types else []
        if lacking and _mark(connection, table, lacking, source, keys):
            missing |= dict.fromkeys(bare(column.paths[0]) for column in lacking)
    if missing:
        ledger.note(source, f"columns not exported: {', '.join(missing)}; {ADVICE}")


def lacks(table: Table, exported: frozenset[str]) -> list[Column]:
    """Name the columns that verdicts rest on and for which a flat file has none.

    Parameters
    ----------
    table : Table
        A table of ARM resources.
    exported : frozenset of str
        Members in the flat spelling.

    Returns
    -------
    list of Column
        Those of which the first path was not exported, nor another one by a column of its own, which for the
        members of older versions of the API is no answer.

    Examples
    --------
    >>> from diskenc_analysis.schema import table
    >>> [c.name for c in lacks(table("disks"), frozenset({"id", "properties", "sku"}))]
    ['managed_by']
    """
    columns = exported - {"properties"}
    return [
        column
        for column in table.columns
        if column.verdict
        and bare(column.paths[0]) not in _SELDOM
        and not is_read(column.paths[0], exported)
        and not any(is_read(path, columns) for path in column.paths if not _is_older(path))
    ]


def _is_older(path: str) -> bool:
    return bare(path).partition(".")[0] in _OLDER


def _mark(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    lacking: list[Column],
    source: int,
    keys: Sequence[str] | None,
) -> int:
    marks = ", ".join(f"CASE WHEN \"{c.name}\" IS NULL THEN '{c.name}: {REASON}' END" for c in lacking)
    doubt = f"nullif(concat_ws('; ', doubt, {marks}), '')"
    some, values = ("", []) if keys is None else (" AND key IN (SELECT unnest(?::VARCHAR[]))", [list(keys)])
    [(rows,)] = connection.execute(
        f'UPDATE "{table.name}" SET doubt = {doubt} WHERE source = {source}{some}', values
    ).fetchall()
    return int(rows)
