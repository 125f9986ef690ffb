"""Export files of any shape, read by DuckDB into an `Inventory`.

Small files, and rows in an unusual spelling, go through `shapes` into one file of normalised JSON lines;
large files are read by DuckDB directly. Both end in the same SQL, made by `extract` from the schema.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from uuid import uuid4

import duckdb

from diskenc_analysis import envelopes, schema, shapes
from diskenc_analysis.dedupe import set_aside_copies
from diskenc_analysis.errors import UnreadableInputError, suggest
from diskenc_analysis.extract import (
    OTHER_CASE,
    SOURCE_MEMBER,
    elements_sql,
    file_columns,
    named_sql,
    resources_sql,
    unnest_sql,
)
from diskenc_analysis.inventory import Inventory, check_engine
from diskenc_analysis.ledger import Ledger, sha256

if TYPE_CHECKING:
    from os import PathLike

_JSON = re.compile(r"\.(json|jsonl|ndjson)(\.gz)?$", re.IGNORECASE)
#: Larger files are read by DuckDB directly; the result is the same, the speed is not.
SMALL_BYTES = 256_000
NORMALISED = "normalised.jsonl"
NOT_OURS = "not a disk-related type"
_WILD = re.compile(r"[*?\[]")


def load(
    paths: str | PathLike[str] | Iterable[str | PathLike[str]],
    engine: str = "pandas",
    *,
    memory_limit: str | None = None,
    small_bytes: int = SMALL_BYTES,
    verdict_only: bool = False,
) -> Inventory:
    """Read export files into an inventory.

    Parameters
    ----------
    paths : path or iterable of paths
        JSON files (array, JSON lines, ARM pages, Resource Graph replies; plain or `.gz`), folders, which
        are searched through, or glob patterns.
    engine : {"pandas", "duckdb", "polars", "spark"}
        What kind of frames the inventory's tables are. For Spark, DuckDB reads the files and hands the
        tables over as Parquet.
    memory_limit : str, optional
        DuckDB's memory limit, such as `2GB`; it spills to a temporary folder beyond.
    small_bytes : int
        Size in bytes up to which a file goes through the thorough pass.
    verdict_only : bool
        Read those columns alone on which a verdict rests, which is faster; the others stay empty.

    Returns
    -------
    Inventory

    Raises
    ------
    UnreadableInputError
        When a path does not exist, or a file cannot be read at all.
    UnknownNameError
        When the engine is unknown.

    Examples
    --------
    >>> from diskenc_analysis.share import sample_path
    >>> inv = load(sample_path(), engine="duckdb")
    >>> inv.count("subscriptions")
    6
    """
    check_engine(engine)
    files = list(_files(paths))
    with tempfile.TemporaryDirectory(prefix="diskenc-") as scratch, ThreadPoolExecutor(1) as hasher:
        reader = _Reader(_connect(memory_limit), Path(scratch), hasher, small_bytes, verdict_only)
        with reader.lines:
            for path in files:
                reader.read(path)
        return reader.finish(engine)


def _connect(memory_limit: str | None) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:")
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
        raise UnreadableInputError(f"{paths}: no files to read; expected JSON exports of Azure resources")


def _expand(path: Path) -> list[Path]:
    if path.is_dir():
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
    raise UnreadableInputError(f"{path}: no such file or folder.{near}")


def _is_shown(path: Path, folder: Path) -> bool:
    return not any(name.startswith(".") for name in path.relative_to(folder).parts)


@dataclass
class _Reader:
    connection: duckdb.DuckDBPyConnection
    scratch: Path
    hasher: ThreadPoolExecutor
    small_bytes: int
    verdict_only: bool = False
    ledger: Ledger = field(default_factory=Ledger)
    lines: IO[str] = field(init=False)
    waiting: Counter[tuple[str, str]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        for name, table in schema.tables().items():
            columns = ", ".join(f'"{n}" {table.column_type(n)}' for n in table.column_names())
            self.connection.execute(f'CREATE TABLE "{name}" ({columns})')
        self.lines = (self.scratch / NORMALISED).open("w", encoding="utf-8", errors="replace")

    def _wanted(self, name: str) -> schema.Table:
        table = schema.table(name)
        return table.narrowed() if self.verdict_only else table

    def read(self, path: Path) -> None:
        """Read one file; its rows end in the tables or in the ledger's set-aside counts."""
        source = self.ledger.add(path)
        if not _JSON.search(path.name):
            self.ledger.describe(source, "not read: not a JSON file", [])
            return
        self.ledger.hash_later(source, self.hasher.submit(sha256, path))
        if path.stat().st_size <= self.small_bytes:
            self._read_small(path, source)
        else:
            self._read_large(path, source)

    def _read_small(self, path: Path, source: int) -> None:
        parsed = shapes.parse(envelopes.read_text(path), str(path))
        self.ledger.describe(source, parsed.shape, parsed.signs)
        self.ledger.set_aside(source, "", "unreadable", parsed.unreadable)
        self._normalise(parsed.rows, source)

    def _read_large(self, path: Path, source: int) -> None:
        """Let DuckDB read the file: a light pass to count, then one per table and layout that it holds."""
        with envelopes.opened(path, self.scratch) as opened:
            try:
                found, counts = self._counted(opened)
                self.ledger.describe(source, found.shape, shapes.signs_of(found.members, counts.total()))
                for name in {_table(arm_type): None for arm_type, _ in counts}:
                    self._read_table(name, counts, found, source)
            except duckdb.Error as error:
                raise UnreadableInputError(opened.explain(error)) from None

    def _counted(self, opened: envelopes.Opened) -> tuple[envelopes.Opened, Counter[tuple[str, str]]]:
        """Count the rows, uncut where the cut went wrong: pages one after the other, long last members."""
        try:
            return opened, self._count(opened)
        except duckdb.Error:
            if opened.whole is None:
                raise
            with suppress(duckdb.Error):
                return opened.uncut(), self._count(opened.uncut())
            raise

    def _count(self, opened: envelopes.Opened) -> Counter[tuple[str, str]]:
        """Count the rows by type, or none where they do not name themselves, and by layout."""
        columns = {
            "id": "VARCHAR",
            "type": "VARCHAR",
            "properties": 'STRUCT("_" VARCHAR)',
            OTHER_CASE: "VARCHAR",
        }
        sql = (
            f"SELECT CASE WHEN {named_sql('id', 'type')} THEN lower(type) ELSE '' END, CASE WHEN properties "
            f"IS NOT NULL THEN 'nested' WHEN {OTHER_CASE} IS NOT NULL THEN 'loose' ELSE 'flat' END, "
            f"count(*) FROM {_read_json(opened.path, columns, opened.format)} GROUP BY ALL"
        )
        return Counter({(t, layout): n for t, layout, n in self.connection.execute(sql).fetchall()})

    def _read_table(
        self, name: str | None, counts: Counter[tuple[str, str]], opened: envelopes.Opened, source: int
    ) -> None:
        types: Counter[str] = Counter()
        for (arm_type, _), rows in counts.items():
            if _table(arm_type) == name:
                types[arm_type] += rows
        if name is None:
            for arm_type, rows in types.items():
                if arm_type:
                    self.ledger.set_aside(source, arm_type, NOT_OURS, rows)
            if types.get(""):
                self._read_again(
                    f"SELECT e::VARCHAR, '' FROM {_objects(opened)} WHERE {_NAMELESS}", types, opened, source
                )
            return
        table = self._wanted(name)
        inserted = 0
        layouts = {layout for arm_type, layout in counts if arm_type in types}
        for layout in sorted(layouts - ({"flat"} if "loose" in layouts else set())):
            spec = (opened.path, file_columns(table, layout), opened.format)
            relation = _objects(opened) if layout == "loose" else _read_json(*spec)
            inserted += self._insert(table, resources_sql(table, relation, str(source), layout), "odd = 0")
        missing: Counter[str] = Counter()
        if inserted < sum(types.values()):
            sql = resources_sql(table, _objects(opened), str(source), "element")
            again = f"SELECT e::VARCHAR, arm_type FROM ({sql}) WHERE odd = 2 AND {_of(table)}"
            missing = self._read_again(again, {"": sum(types.values()) - inserted}, opened, source)
        for arm_type, rows in types.items():
            self.ledger.place(source, arm_type, rows - missing[arm_type])

    def _insert(self, table: schema.Table, sql: str, where: str) -> int:
        [(rows,)] = self.connection.execute(
            f'INSERT INTO "{table.name}" BY NAME SELECT * EXCLUDE (arm_type, odd) FROM ({sql}) '
            f"WHERE {where} AND {_of(table)}"
        ).fetchall()
        return int(rows)

    def _read_again(
        self, sql: str, expected: dict[str, int], opened: envelopes.Opened, source: int
    ) -> Counter[str]:
        """Send the rows that the fast pass could not use through the thorough one; count them by type."""
        cursor = self.connection.cursor().execute(sql)
        seen: Counter[str] = Counter()
        while batch := cursor.fetchmany(10_000):
            seen.update(arm_type for _, arm_type in batch)
            self._thorough([text for text, _ in batch], source)
        if seen.total() != expected[""]:
            message = f"of {expected['']} rows in an unusual spelling {seen.total()} were found again"
            raise UnreadableInputError(f"{opened.shown}: {message}")
        return seen

    def _thorough(self, texts: list[str | None], source: int) -> None:
        parsed = shapes.Parsed()
        for text in texts:
            try:
                shapes.unwrap(json.loads(text or ""), parsed)
            except (ValueError, RecursionError):
                parsed.unreadable += 1
        self.ledger.sign(source, parsed.signs)
        self.ledger.set_aside(source, "", "unreadable", parsed.unreadable)
        self._normalise(parsed.rows, source)

    def _normalise(self, rows: Iterable[Any], source: int) -> None:
        """Write rows as normalised JSON lines, to be read into their tables at the end."""
        for raw in rows:
            try:
                self._write(shapes.normalise(raw), source)
            except RecursionError:
                self.ledger.set_aside(source, "", "nested too deeply", 1)

    def _write(self, row: dict[str, Any] | None, source: int) -> None:
        arm_type = str((row or {}).get("type") or "").lower()
        reason = "not an object" if row is None else "no id" if "id" not in row else ""
        if not reason and not _table(arm_type):
            reason = NOT_OURS
        if row is None or reason:
            self.ledger.set_aside(source, arm_type, reason, 1)
            return
        self.lines.write(json.dumps({**row, SOURCE_MEMBER: source}, ensure_ascii=False) + "\n")
        self.ledger.place(source, arm_type, 1)
        self.waiting[_table(arm_type) or "", "nested" if "properties" in row else "flat"] += 1

    def finish(self, engine: str) -> Inventory:
        """Read the normalised rows, set copies aside, make the child tables and close the ledger."""
        for (name, layout), rows in self.waiting.items():
            table = self._wanted(name)
            relation = _read_json(self.scratch / NORMALISED, file_columns(table, layout), "newline_delimited")
            stored = self._insert(table, resources_sql(table, relation, SOURCE_MEMBER, layout), "odd <> 3")
            if stored != rows:
                raise UnreadableInputError(f"of {rows} rows for the table {name} {stored} could be stored")
        tables = schema.tables().values()
        for table in tables:
            if table.types:
                set_aside_copies(self.connection, table, self.ledger)
        for table in tables:
            if table.child:
                self.connection.execute(
                    f'INSERT INTO "{table.name}" BY NAME {_child_sql(self._wanted(table.name))}'
                )
        inv = Inventory(self.connection, "duckdb" if engine == "spark" else engine, self.ledger.rows())
        return inv.through_parquet(engine) if engine == "spark" else inv


def _child_sql(table: schema.Table) -> str:
    """SQL for the rows that other tables carry inside; a resource exported on its own comes first."""
    if table.child is None:
        raise ValueError(table.name)
    if not table.child.whole:
        return elements_sql(table)
    sql = resources_sql(table, f"({unnest_sql(table)})", "parent_source", "element")
    return (
        f"SELECT * EXCLUDE (arm_type, odd, e) FROM ({sql}) WHERE key IS NOT NULL "
        f'AND key NOT IN (SELECT key FROM "{table.name}") QUALIFY row_number() OVER (PARTITION BY key) = 1'
    )


def _table(arm_type: str | None) -> str | None:
    return schema.table_of_type().get(arm_type or "")


def _of(table: schema.Table) -> str:
    types = ", ".join(f"'{t}'" for t in table.types)
    return f"arm_type IN ({types})"


def _quoted(path: Path) -> str:
    """Quote a path, whose wildcards DuckDB would otherwise follow to other files."""
    return "'" + _WILD.sub(r"[\g<0>]", str(path)).replace("'", "''") + "'"


def _read_json(path: Path, columns: dict[str, str], form: str) -> str:
    spec = ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items())
    options = f"columns = {{{spec}}}, format = '{form}', records = true, ignore_errors = true"
    return f"read_json({_quoted(path)}, {options})"


def _objects(opened: envelopes.Opened) -> str:
    errors = ", ignore_errors = true" if opened.format == "newline_delimited" else ""
    source = f"{_quoted(opened.path)}, format = '{opened.format}'{errors}"
    return f"(SELECT json AS e FROM read_json_objects({source}))"


_NAMELESS = "NOT " + named_sql("e->>'$.id'", "e->>'$.type'")
