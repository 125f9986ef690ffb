"""Several captures of one resource: the newest is used, the others are set aside and counted (RULES L7)."""

from __future__ import annotations

import duckdb

from diskenc_analysis.ledger import Ledger
from diskenc_analysis.schema import DIFFER, Table
from diskenc_analysis.spelling import type_of
from diskenc_analysis.unexported import REASON

_NOT_COMPARED = {"source", "id", "name", "location", "resource_group", "doubt"}


def set_aside_copies(connection: duckdb.DuckDBPyConnection, table: Table, ledger: Ledger) -> None:
    """Leave one row per key in a table.

    The newest capture stays. Where the order cannot be told, a full reply stays before a stub, and every
    column in which the full replies differ is put in `doubt`, so that no verdict rests on either.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Holds the table; its rows are changed in place.
    table : Table
        A table of ARM resources.
    ledger : Ledger
        Takes the counts, as `duplicate` or `older capture`.
    """
    name = table.name
    copied = f'SELECT key FROM "{name}" GROUP BY key HAVING count(*) > 1'
    if not connection.execute(f"{copied} LIMIT 1").fetchall():
        return
    connection.execute(f"CREATE OR REPLACE TEMP TABLE copied AS {copied}")
    compared = [c for c in table.column_names() if c not in _NOT_COMPARED and not c.endswith("_key")]
    dates = [ledger.captured_at(n) for n in range(len(ledger.sources))]
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE captured AS SELECT unnest(?::INTEGER[]) AS source, "
        "unnest(?::VARCHAR[]) AS captured_at",
        [list(range(len(dates))), dates],
    )
    connection.execute(_ranked_sql(table, compared))
    connection.execute(f'DELETE FROM "{name}" WHERE key IN (SELECT key FROM copied)')
    connection.execute(_kept_sql(table, compared))
    for source, key, reason, rows in connection.execute(_ASIDE_SQL).fetchall():
        ledger.set_aside(source, _type(ledger, source, table, key, rows), reason, rows, placed=True)
    connection.execute("DROP TABLE copied; DROP TABLE captured; DROP TABLE ranked")


def _ranked_sql(table: Table, compared: list[str]) -> str:
    """Rank the captures of each key; what verdicts rest on decides a tie before the rest."""
    first = {c.name for c in table.columns if c.verdict}
    verdict = ", ".join(f'"{c}"' for c in compared if c in first) or "NULL"
    prints = ", ".join(f'"{c}"' for c in compared)
    stub = "coalesce(starts_with(doubt, '*'), false)"
    return (
        "CREATE OR REPLACE TEMP TABLE ranked AS SELECT *, row_number() OVER same AS rank, "
        "first_value(print) OVER same AS kept_print, first_value(captured_at) OVER same AS kept_at FROM ("
        f"SELECT t.*, md5(concat_ws('|', row({prints})::VARCHAR)) AS print, "
        f"md5(concat_ws('|', row({verdict})::VARCHAR)) AS verdict_print, {stub} AS stub, captured_at, "
        "bool_or(captured_at IS NULL) OVER (PARTITION BY key) AS unordered "
        f'FROM "{table.name}" t JOIN copied USING (key) JOIN captured USING (source)) '
        "WINDOW same AS (PARTITION BY key ORDER BY CASE WHEN unordered THEN NULL ELSE captured_at END "
        "DESC NULLS LAST, stub, length(coalesce(doubt, '')), verdict_print, print, source)"
    )


def _kept_sql(table: Table, compared: list[str]) -> str:
    """Insert the kept rows again, with the columns that differ among captures of no known order in doubt."""
    rivals = "NOT stub AND (unordered OR captured_at = kept_at)"
    differ = ", ".join(
        f"CASE WHEN count(DISTINCT coalesce(\"{c}\"::VARCHAR, '')) "
        f"FILTER ({rivals} AND NOT contains(coalesce(doubt, ''), '{c}: {REASON}')) > 1 "
        f"THEN '{c}: {DIFFER}' END"
        for c in compared
    )
    own = ", ".join(f'"{c}"' for c in table.column_names() if c != "doubt")
    return (
        f'INSERT INTO "{table.name}" BY NAME SELECT {own}, '
        "nullif(concat_ws('; ', doubt, differing), '') AS doubt FROM ranked JOIN ("
        f"SELECT key, nullif(concat_ws('; ', {differ}), '') AS differing FROM ranked GROUP BY key) "
        "USING (key) WHERE rank = 1"
    )


_ASIDE_SQL = (
    "SELECT source, key, CASE WHEN print = kept_print THEN 'duplicate' "
    "WHEN NOT unordered AND captured_at < kept_at THEN 'older capture' "
    "WHEN stub THEN 'stub of a row that was read' "
    "ELSE 'other capture, order not known' END AS reason, count(*) "
    "FROM ranked WHERE rank > 1 GROUP BY ALL"
)


def _type(ledger: Ledger, source: int, table: Table, key: str, rows: int) -> str:
    """Name the ARM type under which rows of a key were counted when they were placed."""
    own = [t for t in table.types if ledger.placed[source, t] - ledger.moved[source, t] >= rows]
    named = type_of(key)
    return named if named in own else (own or list(table.types))[-1]
