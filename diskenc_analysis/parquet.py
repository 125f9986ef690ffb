"""An inventory on disk: one Parquet file per table, with the schema's version and a hash of each file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from diskenc_analysis import schema
from diskenc_analysis.errors import UnreadableInputError
from diskenc_analysis.ledger import sha256
from diskenc_analysis.place import placed_folder

if TYPE_CHECKING:
    from os import PathLike

INDEX = "inventory.json"
_KIND = "diskenc inventory"


def save(connection: duckdb.DuckDBPyConnection, folder: str | PathLike[str]) -> Path:
    """Write an inventory as Parquet, beside the target first, so that it is there whole or not at all.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Holds the canonical tables and the ledger.
    folder : path
        The folder to make; one that holds something else is not touched.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ParameterError
        When the folder exists and is no inventory.
    """
    target = Path(folder)
    with placed_folder(target, is_saved, f"an inventory (no {INDEX})") as work:
        _write(connection, work)
    return target


def is_saved(folder: Path) -> bool:
    """Say whether a folder is one that `save` wrote."""
    return (folder / INDEX).is_file() and (folder / "ledger.parquet").is_file()


def _write(connection: duckdb.DuckDBPyConnection, work: Path) -> None:
    files = {}
    for name in ("ledger", *schema.tables()):
        path = work / f"{name}.parquet"
        order = "ORDER BY ALL" if name == "ledger" else ""
        connection.execute(
            f"COPY (SELECT * FROM \"{name}\" {order}) TO '{_quoted(path)}' (FORMAT parquet, COMPRESSION zstd)"
        )
        files[path.name] = {"sha256": sha256(path), "bytes": path.stat().st_size}
    index = {"kind": _KIND, "schema_version": schema.SCHEMA_VERSION, "files": files}
    (work / INDEX).write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def in_memory() -> duckdb.DuckDBPyConnection:
    """Connect to a database in memory, whose tables are not packed anew after they were written.

    That would take one core seconds between two statements; what does not fit is packed as it spills.
    """
    return duckdb.connect(":memory:", config={"checkpoint_threshold": "1TB"})


def connect(folder: str | PathLike[str]) -> duckdb.DuckDBPyConnection:
    """Open an inventory that `save` wrote; no export is read again.

    Parameters
    ----------
    folder : path
        The folder.

    Returns
    -------
    duckdb.DuckDBPyConnection
        With the canonical tables and the ledger as views on the files.

    Raises
    ------
    UnreadableInputError
        When the folder is no inventory, of another schema version, or a file was changed.
    """
    path = Path(folder)
    _check(path)
    connection = in_memory()
    for name in ("ledger", *schema.tables()):
        connection.execute(
            f"CREATE VIEW \"{name}\" AS SELECT * FROM read_parquet('{_quoted(path / name)}.parquet')"
        )
    return connection


def _check(path: Path) -> None:
    try:
        index = json.loads((path / INDEX).read_text(encoding="utf-8"))
        version, files = index["schema_version"], index["files"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnreadableInputError(f"{path}: expected a saved inventory with {INDEX}, but: {error}") from None
    if version != schema.SCHEMA_VERSION:
        message = f"expected schema version {schema.SCHEMA_VERSION}, got {version}: read the exports again"
        raise UnreadableInputError(f"{path}: {message}")
    for name in ("ledger", *schema.tables()):
        file = path / f"{name}.parquet"
        if not file.is_file() or sha256(file) != files.get(file.name, {}).get("sha256"):
            raise UnreadableInputError(
                f"{file}: expected the file that was saved, but it is missing or changed"
            )
