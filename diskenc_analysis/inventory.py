"""The inventory: the canonical tables, as frames of one engine, with the reading ledger."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable
from functools import cached_property, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import narwhals as nw

from diskenc_analysis import parquet, schema, spark
from diskenc_analysis.errors import NO_EXPORT_YET, UnknownNameError, UnreadableInputError
from diskenc_analysis.gaps import gaps
from diskenc_analysis.ledger import COLUMNS, UNREAD

if TYPE_CHECKING:
    from os import PathLike

    import duckdb

_Made = TypeVar("_Made")

#: What kinds of frames an inventory can give.
ENGINES = ("pandas", "duckdb", "polars", "arrow", "spark")
#: In place of an engine: the one that is quicker, Arrow's tables for few rows and DuckDB for many.
AUTO = "auto"
#: Rows of disks, snapshots, VMs and their lists up to which DuckDB plans longer than Arrow works.
FEW_ROWS = 100_000


def check_engine(engine: str) -> None:
    """Refuse an engine that does not exist.

    Raises
    ------
    UnknownNameError
        With the near miss.
    """
    if engine not in (*ENGINES, AUTO):
        raise UnknownNameError.of("engine", engine, (*ENGINES, AUTO))


def fitting(connection: duckdb.DuckDBPyConnection) -> str:
    """Name the engine that is quicker for the tables of a connection: `arrow` or `duckdb`."""
    counts = " + ".join(f"(SELECT count(*) FROM {n})" for n in ("disks", "snapshots", "vms", "vm_disks"))
    [(rows,)] = connection.execute(f"SELECT {counts}").fetchall()
    return "arrow" if rows <= FEW_ROWS else "duckdb"


class Inventory:
    """Canonical tables of one tenant at one time.

    Every table of `schema.tables()` is an attribute, as a frame of the engine: `inv.disks`, `inv.vms`,
    `inv.ledger` ... What is worked out of them is kept: to judge other rows, put a frame in place of a table
    (`inv.disks = some`), since a frame that was handed out is a copy.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Holds the tables.
    engine : {"pandas", "duckdb", "polars", "arrow", "spark", "auto"}
        What kind of frames the attributes are; `auto` is Arrow's tables for few rows, else DuckDB's.
    ledger : list of dict, optional
        Rows of the ledger, with the columns of `ledger.COLUMNS`, where the connection does not hold it yet.
    folder : Path, optional
        The saved inventory that the tables are read from; Spark reads them there itself.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        engine: str,
        ledger: list[dict[str, Any]] | None = None,
        folder: Path | None = None,
    ) -> None:
        self.connection = connection
        self.engine = fitting(connection) if engine == AUTO else engine
        self.folder = folder
        self._frames: dict[str, Any] = {}
        self.replaced: dict[str, Any] = {}
        self._made: dict[Any, Any] = {}
        if ledger is None:
            return
        columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        connection.execute(f"CREATE OR REPLACE TABLE ledger ({columns})")
        if ledger:
            # One by one, a thousand rows take a second.
            lists = ", ".join(f"unnest(?::{kind}[])" for kind in COLUMNS.values())
            values = [[row[name] for row in ledger] for name in COLUMNS]
            connection.execute(f"INSERT INTO ledger SELECT {lists}", values)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or (name != "ledger" and name not in schema.tables()):
            raise AttributeError(name)
        if name not in self._frames:
            self._frames[name] = self._table(name)
        found = self._frames[name]
        # pandas alone is changed in place; a copy shares its memory until it is.
        return found.copy(deep=False) if self.engine == "pandas" else found

    def __setattr__(self, name: str, value: Any) -> None:
        if name in schema.tables():
            self.replace(name, value)
        else:
            super().__setattr__(name, value)

    def _table(self, name: str) -> Any:
        if self.engine == "spark":
            return spark.read_parquet(f"{self.folder}/{name}.parquet")
        order = "ORDER BY ALL" if name == "ledger" else ""
        return self.frame(f'SELECT * FROM "{name}" {order}')

    def replace(self, name: str, frame: Any) -> None:
        """Put other rows in place of a table, and forget what was worked out of it."""
        if self.engine == "arrow":
            frame = self._as_arrow(name, frame)
        self._frames[name] = self.replaced[name] = frame
        self._made.clear()

    def _as_arrow(self, name: str, frame: Any) -> Any:
        """Give a frame of any engine with the types of a table: Arrow joins no columns of unlike types."""
        import pyarrow as pa

        rows = nw.from_native(frame).lazy().collect("pyarrow").to_native()
        own = self.frame(f'SELECT * FROM "{name}" LIMIT 0').schema
        fields = [own.field(one.name) if one.name in own.names else one for one in rows.schema]
        return rows.cast(pa.schema(fields))

    def save(self, folder: str | PathLike[str]) -> Path:
        """Write the inventory as Parquet; see `parquet.save`."""
        return parquet.save(self.connection, folder)

    @staticmethod
    def open(folder: str | PathLike[str], engine: str = "pandas") -> Inventory:
        """Open an inventory that `save` wrote.

        Parameters
        ----------
        folder : path
            The folder.
        engine : {"pandas", "duckdb", "polars", "arrow", "spark", "auto"}
            What kind of frames the tables are.

        Returns
        -------
        Inventory

        Raises
        ------
        UnreadableInputError
            When the folder is no inventory, of another schema version, or a file was changed.
        UnknownNameError
            When the engine is unknown.
        """
        check_engine(engine)
        return Inventory(parquet.connect(folder), engine, folder=Path(folder))

    def through_parquet(self, engine: str) -> Inventory:
        """Hand the inventory to an engine that reads files, by way of a folder that goes with the process."""
        folder = Path(tempfile.mkdtemp(prefix="diskenc-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        return Inventory.open(self.save(folder / "inventory"), engine)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), "ledger", *schema.tables()]

    def __repr__(self) -> str:
        counts = {name: self.count(name) for name, table in schema.tables().items() if table.types}
        held = ", ".join(f"{name} {rows:,}" for name, rows in counts.items() if rows)
        return f"<Inventory of {held or 'nothing'}; engine {self.engine}>"

    def _repr_html_(self) -> str:
        from diskenc_analysis.glance import of_inventory

        return of_inventory(self)._repr_html_()

    def frame(self, sql: str) -> Any:
        """Run a query over the tables and give its result as a frame of the engine.

        Parameters
        ----------
        sql : str
            A SELECT over the canonical tables.

        Returns
        -------
        frame
            pandas (Arrow-backed), Polars, an Arrow table, or a DuckDB relation; for Spark pandas too, since
            it cannot query the connection.
        """
        return frame_of_engine(self.connection.sql(sql), self.engine)

    def count(self, name: str) -> int:
        """Count the rows of one table.

        Parameters
        ----------
        name : str
            Name of a canonical table.

        Returns
        -------
        int
        """
        schema.table(name)
        [(rows,)] = self.connection.execute(f'SELECT count(*) FROM "{name}"').fetchall()
        return int(rows)

    @cached_property
    def totals(self) -> dict[str, int]:
        """Rows read, used and set aside, over the whole ledger."""
        names = ("rows_read", "rows_used", "rows_set_aside")
        sums = ", ".join(f"coalesce(sum({n}), 0)::BIGINT" for n in names)
        [found] = self.connection.execute(f"SELECT {sums} FROM ledger").fetchall()
        return dict(zip(names, found, strict=True))

    @cached_property
    def unread(self) -> int:
        """Parts of a collection (a type and subscription each) that were denied, failed or cut short."""
        statuses = ", ".join(f"'{status}'" for status in UNREAD)
        [(parts,)] = self.connection.execute(
            f"SELECT count(*) FROM ledger WHERE status IN ({statuses})"
        ).fetchall()
        return int(parts)

    def gaps(self) -> Any:
        """Say what the inventory cannot answer.

        Returns
        -------
        pandas.DataFrame
            Columns `gap`, `rows` (int) and `consequence` (which verdicts it leaves unknown), one row per
            gap that there is.
        """
        return gaps(self.connection)

    def require_disks(self) -> None:
        """Check that there is anything that holds VM bytes.

        Raises
        ------
        UnreadableInputError
            When the inventory has neither disks nor VMs nor snapshots.
        """
        if not any(self.count(t) for t in ("disks", "vms", "snapshots")):
            read = self.totals["rows_read"]
            message = (
                f"the inventory has no disks: {read} rows were read, none of them a disk, VM or snapshot"
            )
            raise UnreadableInputError(f"{message}; the ledger says what was set aside. {NO_EXPORT_YET}")


def once(make: Callable[[Inventory], _Made]) -> Callable[[Inventory], _Made]:
    """Let a function of an inventory work once for each: its tables stay as they were read.

    Examples
    --------
    >>> from diskenc_analysis import load, sample_path
    >>> rows = once(lambda inv: [inv.count("disks")])
    >>> inv = load(sample_path())
    >>> rows(inv) is rows(inv)
    True
    """

    @wraps(make)
    def made(inv: Inventory) -> _Made:
        known: dict[Any, _Made] = inv._made  # noqa: SLF001
        if make not in known:
            known[make] = make(inv)
        return known[make]

    return made


def frame_of_engine(relation: duckdb.DuckDBPyRelation, engine: str) -> Any:
    """Give what a DuckDB relation holds as an engine's frame; for Spark, which cannot read it, as pandas'."""
    if engine == "duckdb":
        return relation
    if engine == "polars":
        return relation.pl()
    if engine == "arrow":
        return relation.to_arrow_table()
    import pandas as pd

    return relation.to_arrow_table().to_pandas(types_mapper=pd.ArrowDtype)
