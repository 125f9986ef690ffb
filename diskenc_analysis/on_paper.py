"""An inventory changed on paper: a copy that shares the tables, and what came of it brought back."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any

import narwhals as nw

from diskenc_analysis import schema
from diskenc_analysis.frames import Frame, helper, lazy, native_of
from diskenc_analysis.inventory import Inventory

_NUMBERS = count()


@contextmanager
def paper(inv: Inventory) -> Iterator[Inventory]:
    """Give the same tables as another inventory, so that what is worked out of them stays apart.

    With DuckDB the copy lives in a database in memory, which is detached when the block ends: take its
    results out with `brought_home` before that.

    Parameters
    ----------
    inv : Inventory
        It is not changed.

    Yields
    ------
    Inventory
        Of the same engine.
    """
    if inv.engine != "duckdb":
        copy = Inventory(inv.connection, inv.engine, folder=inv.folder)
        for table, frame in inv.replaced.items():
            copy.replace(table, frame)
        yield copy
        return
    name = f"on_paper_{secrets.token_hex(4)}"
    connection = inv.connection.cursor()
    home = _home(inv)
    connection.execute(f"ATTACH ':memory:' AS {name}")
    try:
        for table in (*schema.tables(), "ledger"):
            if (frame := inv.replaced.get(table)) is not None:
                inv.connection.execute(f'CREATE TABLE {name}."{table}" AS SELECT * FROM frame')
            else:
                connection.execute(f'CREATE VIEW {name}."{table}" AS SELECT * FROM {home}."{table}"')
        connection.execute(f"USE {name}")
        yield Inventory(connection, inv.engine)
    finally:
        connection.execute(f"USE {home}")
        connection.execute(f"DETACH {name}")
        connection.close()


def _home(inv: Inventory) -> str:
    [(home,)] = inv.connection.execute("SELECT current_database()").fetchall()
    return f'"{home}".main'


def brought_home(inv: Inventory, copy: Inventory, frame: Any) -> Any:
    """Take a result out of a copy, so that it outlives it.

    Parameters
    ----------
    inv : Inventory
        Where the copy came from.
    copy : Inventory
        Of `paper`.
    frame : frame
        Worked out of the copy.

    Returns
    -------
    frame
        The same rows, of the inventory's own connection where the engine is DuckDB.
    """
    if inv.engine != "duckdb":
        return frame
    name = f"brought_home_{next(_NUMBERS)}"
    copy.connection.execute(f'CREATE TABLE {_home(inv)}."{name}" AS SELECT * FROM frame')
    return inv.connection.table(name)


def put(
    copy: Inventory,
    table: str,
    keys: Sequence[str],
    key: str,
    values: Mapping[str, nw.Expr | None],
    made: nw.Expr | None = None,
) -> None:
    """Change columns of the rows whose key is among those given.

    Parameters
    ----------
    copy : Inventory
        Of `paper`.
    table : str
        Name of the canonical table.
    keys : sequence of str
        Which rows.
    key : str
        The column that holds the key.
    values : mapping of str to nw.Expr or None
        The new values by column; None empties it.
    made : nw.Expr, optional
        What the key is made of, where the table has no such column.
    """
    # A name of its own each time: what was put before is a query yet, and would read a later list.
    name = f"chosen_{next(_NUMBERS)}"
    these = helper(copy, name, [{key: k, "_chosen": "yes"} for k in keys], [key, "_chosen"])
    frame = lazy(getattr(copy, table))
    frame = frame if made is None else frame.with_columns(made.alias(key))
    rows: Frame = frame.join(these, on=key, how="left")
    chosen = ~nw.col("_chosen").is_null()
    # A null that is written out is a false in pandas; one that is left out stays a null everywhere.
    new = {
        n: nw.when(~chosen).then(nw.col(n))
        if value is None
        else nw.when(chosen).then(value).otherwise(nw.col(n))
        for n, value in values.items()
    }
    rows = rows.with_columns(**new).drop("_chosen", *([] if made is None else [key]))
    copy.replace(table, _settled(copy, rows))


def _settled(copy: Inventory, rows: Frame) -> Any:
    return nw.to_native(rows.collect()) if copy.engine == "pandas" else native_of(copy, rows)
