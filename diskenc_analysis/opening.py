"""An inventory from wherever it is: saved before, or exports to be read."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from diskenc_analysis import parquet
from diskenc_analysis.exports import load
from diskenc_analysis.inventory import Inventory

_Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]


def read(
    paths: _Paths,
    engine: str = "pandas",
    memory_limit: str | None = None,
    *,
    keep_going: bool = False,
    verdict_only: bool = False,
) -> Inventory:
    """Open a saved inventory, or read exports.

    Parameters
    ----------
    paths : path or iterable of paths
        A folder that `Inventory.save` wrote, or what `load` takes.
    engine : {"pandas", "duckdb", "polars", "arrow", "spark", "auto"}
        What kind of frames the inventory's tables are.
    memory_limit : str, optional
        DuckDB's memory limit while it reads exports, such as `2GB`.
    keep_going : bool
        Load the rest where a file cannot be read, and name it in the ledger.
    verdict_only : bool
        Read of exports those columns alone on which a verdict rests.

    Returns
    -------
    Inventory

    Raises
    ------
    UnreadableInputError
        When there is nothing to read, or it cannot be read.
    UnknownNameError
        When the engine is unknown.

    Examples
    --------
    >>> import tempfile
    >>> from diskenc_analysis.share import sample_path
    >>> folder = read(sample_path(), engine="duckdb").save(Path(tempfile.mkdtemp()) / "inventory")
    >>> read(folder, engine="duckdb").count("subscriptions")
    6
    """
    if isinstance(paths, str | os.PathLike) and parquet.is_saved(Path(paths)):
        return Inventory.open(paths, engine)
    return load(paths, engine, memory_limit=memory_limit, keep_going=keep_going, verdict_only=verdict_only)
