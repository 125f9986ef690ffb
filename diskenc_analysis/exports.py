"""Export files of any shape, read by DuckDB into an `Inventory`.

Small files, and rows in an unusual spelling, go through `shapes` into one file of normalised JSON lines;
large files are read by DuckDB directly. Both end in the same SQL, made by `extract` from the schema.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import duckdb

from diskenc_analysis import parquet
from diskenc_analysis.archives import is_shown
from diskenc_analysis.captures import expected_subscriptions, note_absent, note_times
from diskenc_analysis.collected import NOTE, read_note, take_in
from diskenc_analysis.errors import NO_EXPORT_YET, UnreadableInputError, suggest
from diskenc_analysis.intake import Intake
from diskenc_analysis.inventory import Inventory, check_engine
from diskenc_analysis.ledger import sha256
from diskenc_analysis.reader import Reader

if TYPE_CHECKING:
    from os import PathLike

#: Larger files are read by DuckDB directly; the result is the same, the speed is not.
SMALL_BYTES = 256_000
_WILD = re.compile(r"[*?\[]")


def load(
    paths: str | PathLike[str] | Iterable[str | PathLike[str]],
    engine: str = "pandas",
    *,
    memory_limit: str | None = None,
    small_bytes: int = SMALL_BYTES,
    verdict_only: bool = False,
    keep_going: bool = False,
    expect_subscriptions: str | PathLike[str] | None = None,
    captured_since: date | None = None,
) -> Inventory:
    """Read export files into an inventory.

    Parameters
    ----------
    paths : path or iterable of paths
        JSON (arrays, JSON lines, ARM pages, Resource Graph replies), CSV, Parquet, workbooks, each but the
        last two also as `.gz` or `.zst`, a `.zip` of any of them, folders, which are searched through, or
        glob patterns.
    engine : {"pandas", "duckdb", "polars", "arrow", "spark", "auto"}
        What kind of frames the inventory's tables are. For Spark, DuckDB reads the files and hands the
        tables over as Parquet.
    memory_limit : str, optional
        DuckDB's memory limit, such as `2GB`; it spills to a temporary folder beyond.
    small_bytes : int
        Size in bytes up to which a file goes through the thorough pass.
    verdict_only : bool
        Read those columns alone on which a verdict rests, which is faster; the others stay empty.
    keep_going : bool
        Pass over a file that cannot be read at all: the ledger then says why it is missing.
    expect_subscriptions : path, optional
        Text file with the GUID of one subscription a line; the ledger says which of them are absent.
    captured_since : datetime.date, optional
        The ledger notes captures from before that day. Files and folders tell theirs by a date in the name.

    Returns
    -------
    Inventory

    Raises
    ------
    UnreadableInputError
        When a path does not exist, or (unless `keep_going`) a file cannot be read at all.
    UnknownNameError
        When the engine is unknown.
    ParameterError
        When the list of expected subscriptions cannot be read.

    Examples
    --------
    >>> from diskenc_analysis.share import sample_path
    >>> inv = load(sample_path(), engine="duckdb")
    >>> inv.count("subscriptions")
    6
    """
    check_engine(engine)
    listed = Path(expect_subscriptions) if expect_subscriptions else None
    expected = expected_subscriptions(listed) if listed else []
    files = list(_files(paths))
    with tempfile.TemporaryDirectory(prefix="diskenc-") as scratch, ThreadPoolExecutor(1) as hasher:
        reader = Reader(_connect(memory_limit), Path(scratch), small_bytes, verdict_only)
        intake = Intake(reader, hasher, keep_going)
        with reader.rows.lines:
            notes = {path: note for path in files if path.name == NOTE and (note := read_note(path))}
            for path in files:
                if path not in notes:
                    intake.take(path)
            for path, note in notes.items():
                reader.ledger.hash_later(take_in(path, note, reader.ledger), hasher.submit(sha256, path))
        reader.finish()
        note_times(reader.ledger, captured_since)
        if listed:
            source = reader.ledger.add(listed)
            reader.ledger.hash_later(source, hasher.submit(sha256, listed))
            note_absent(reader.ledger, source, expected, reader.connection)
        inv = Inventory(reader.connection, "duckdb" if engine == "spark" else engine, reader.ledger.rows())
        return inv.through_parquet(engine) if engine == "spark" else inv


def _connect(memory_limit: str | None) -> duckdb.DuckDBPyConnection:
    connection = parquet.in_memory()
    connection.execute("SET preserve_insertion_order = false")
    spill = Path(tempfile.gettempdir()) / f"diskenc-spill-{uuid4().hex}"  # made once it is needed
    connection.execute("SET temp_directory = ?", [str(spill)])
    if memory_limit:
        connection.execute("SET memory_limit = ?", [memory_limit])
    return connection


def _files(paths: str | PathLike[str] | Iterable[str | PathLike[str]]) -> Iterator[Path]:
    """List the files to read, in a stable order; hidden ones are passed over."""
    single = isinstance(paths, str | Path) or hasattr(paths, "__fspath__")
    found = 0
    for path in map(Path, [paths] if single else paths):  # type: ignore[arg-type]
        for one in _expand(path):
            found += 1
            yield one
    if not found:
        raise UnreadableInputError(
            f"{paths}: no files to read; expected exports of Azure resources. {NO_EXPORT_YET}"
        )


def _expand(path: Path) -> list[Path]:
    if path.is_dir():
        for saved in filter(parquet.is_saved, [path, *(p.parent for p in path.rglob(parquet.INDEX))]):
            raise UnreadableInputError(f"{saved}: this is a saved inventory; open it with Inventory.open")
        return sorted(p for p in path.rglob("*") if p.is_file() and _is_shown(p, path))
    if path.is_file():
        return [path]
    plain = list(takewhile(lambda part: not _WILD.search(part), path.parts))
    if len(plain) < len(path.parts):
        base = Path(*plain)
        matches = sorted(base.glob(str(Path(*path.parts[len(plain) :]))))
        if found := [m for match in matches if _is_shown(match, base) for m in _expand(match)]:
            return found
    near = suggest(path.name, [p.name for p in path.parent.iterdir()]) if path.parent.is_dir() else ""
    raise UnreadableInputError(f"{path}: no such file or folder.{near} {NO_EXPORT_YET}")


def _is_shown(path: Path, folder: Path) -> bool:
    return is_shown(path.relative_to(folder).as_posix())
