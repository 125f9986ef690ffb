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
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import duckdb

from diskenc_analysis import envelopes, schema, shapes
from diskenc_analysis.dedupe import set_aside_copies
from diskenc_analysis.errors import UnknownNameError, UnreadableInputError, suggest
from diskenc_analysis.extract import SOURCE_MEMBER, elements_sql, file_columns, resources_sql, unnest_sql
from diskenc_analysis.inventory import ENGINES, Inventory
from diskenc_analysis.ledger import Ledger, sha256

if TYPE_CHECKING:
    from os import PathLike

_JSON = re.compile(r"\.(json|jsonl|ndjson)(\.gz)?$", re.IGNORECASE)
#: Larger files are read by DuckDB directly; the result is the same, the speed is not.
SMALL_BYTES = 256_000
NORMALISED = "normalised.jsonl"
NOT_OURS = "not a disk-related type"


def load(
    paths: str | PathLike[str] | Iterable[str | PathLike[str]],
    engine: str = "pandas",
    *,
    memory_limit: str | None = None,
    small_bytes: int = SMALL_BYTES,
) -> Inventory:
    """Read export files into an inventory.

    Parameters
    ----------
    paths : path or iterable of paths
        JSON files (array, JSON lines, ARM pages, Resource Graph replies; plain or `.gz`), folders, which
        are searched through, or glob patterns.
    engine : {"pandas", "duckdb", "polars"}
        What kind of frames the inventory's tables are.
    memory_limit : str, optional
        DuckDB's memory limit, such as `2GB`; it spills to a temporary folder beyond.
    small_bytes : int
        Size in bytes up to which a file goes through the thorough pass.

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
    if engine not in ENGINES:
        raise UnknownNameError.of("engine", engine, ENGINES)
    files = list(_files(paths))
    with tempfile.TemporaryDirectory(prefix="diskenc-") as scratch, ThreadPoolExecutor(1) as hasher:
        reader = _Reader(_connect(memory_limit), Path(scratch), hasher, small_bytes)
        for path in files:
            reader.read(path)
        return reader.finish(engine)


def _connect(memory_limit: str | None) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:")
    connection.execute("SET preserve_insertion_order = false")
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
        inner = (p for p in path.rglob("*") if p.is_file())
        return sorted(p for p in inner if not any(n.startswith(".") for n in p.relative_to(path).parts))
    if path.is_file():
        return [path]
    if any(c in path.name for c in "*?[") and (matches := sorted(path.parent.glob(path.name))):
        return [m for match in matches for m in _expand(match)]
    near = suggest(path.name, [p.name for p in path.parent.iterdir()]) if path.parent.is_dir() else ""
    raise UnreadableInputError(f"{path}: no such file or folder.{near}")


@dataclass
class _Reader:
    connection: duckdb.DuckDBPyConnection
    scratch: Path
    hasher: ThreadPoolExecutor
    small_bytes: int
    ledger: Ledger = field(default_factory=Ledger)
    lines: IO[str] | None = None
    waiting: dict[tuple[str, str], None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, table in schema.tables().items():
            columns = ", ".join(f'"{n}" {table.column_type(n)}' for n in table.column_names())
            self.connection.execute(f'CREATE TABLE "{name}" ({columns})')
        self.lines = (self.scratch / NORMALISED).open("w", encoding="utf-8")

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
                counts = self._count(opened)
                rows = sum(counts.values())
                self.ledger.describe(source, opened.shape, shapes.signs_of(opened.members, rows))
                for name in {_table(arm_type): None for arm_type, _ in counts}:
                    self._read_table(name, counts, opened, source)
            except duckdb.Error as error:
                raise UnreadableInputError(opened.explain(error)) from None

    def _count(self, opened: envelopes.Opened) -> Counter[tuple[str, bool]]:
        """Count the rows by type and by whether they have `properties`; no type stands for no name."""
        columns = {"id": "VARCHAR", "type": "VARCHAR", "properties": 'STRUCT("_" VARCHAR)'}
        sql = (
            "SELECT CASE WHEN id IS NULL OR type IS NULL THEN '' ELSE lower(type) END, "
            "properties IS NOT NULL, "
            f"count(*) FROM {_read_json(opened.path, columns, opened.format)} GROUP BY ALL"
        )
        return Counter({(t, nested): n for t, nested, n in self.connection.execute(sql).fetchall()})

    def _read_table(
        self, name: str | None, counts: Counter[tuple[str, bool]], opened: envelopes.Opened, source: int
    ) -> None:
        types = {t: counts[t, True] + counts[t, False] for t, _ in counts if _table(t) == name}
        if name is None:
            for arm_type, rows in types.items():
                if arm_type:
                    self.ledger.set_aside(source, arm_type, NOT_OURS, rows)
            if types.get(""):
                self._read_again(
                    f"SELECT e::VARCHAR, '' FROM {_objects(opened)} WHERE {_NAMELESS}", types, opened, source
                )
            return
        table = schema.table(name)
        inserted = 0
        for layout, nested in (("nested", True), ("flat", False)):
            if any(counts[t, nested] for t in types):
                relation = _read_json(opened.path, file_columns(table, layout), opened.format)
                inserted += self._insert(
                    table, resources_sql(table, relation, str(source), layout), "odd = 0"
                )
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
            if text is not None:
                shapes.unwrap(json.loads(text), parsed)
        self.ledger.set_aside(source, "", "unreadable", sum(t is None for t in texts))
        self._normalise(parsed.rows, source)

    def _normalise(self, rows: Iterable[Any], source: int) -> None:
        """Write rows as normalised JSON lines, to be read into their tables at the end."""
        if self.lines is None:
            raise RuntimeError
        for raw in rows:
            row = shapes.normalise(raw)
            arm_type = str((row or {}).get("type") or "").lower()
            reason = "not an object" if row is None else "no id" if "id" not in row else ""
            if not reason and not _table(arm_type):
                reason = NOT_OURS
            if reason:
                self.ledger.set_aside(source, arm_type, reason, 1)
                continue
            self.ledger.place(source, arm_type, 1)
            layout = "nested" if "properties" in (row or {}) else "flat"
            self.waiting[_table(arm_type) or "", layout] = None
            self.lines.write(json.dumps({**(row or {}), SOURCE_MEMBER: source}) + "\n")

    def finish(self, engine: str) -> Inventory:
        """Read the normalised rows, set copies aside, make the child tables and close the ledger."""
        if self.lines is not None:
            self.lines.close()
        for name, layout in self.waiting:
            table = schema.table(name)
            relation = _read_json(self.scratch / NORMALISED, file_columns(table, layout), "newline_delimited")
            self._insert(table, resources_sql(table, relation, SOURCE_MEMBER, layout), "odd <> 3")
        tables = schema.tables().values()
        for table in tables:
            if table.types:
                set_aside_copies(self.connection, table, self.ledger)
        for table in tables:
            if table.child:
                self.connection.execute(f'INSERT INTO "{table.name}" BY NAME {_child_sql(table)}')
        return Inventory(self.connection, engine, self.ledger.rows())


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
    return "'" + str(path).replace("'", "''") + "'"


def _read_json(path: Path, columns: dict[str, str], form: str) -> str:
    spec = ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items())
    options = f"columns = {{{spec}}}, format = '{form}', records = true, ignore_errors = true"
    return f"read_json({_quoted(path)}, {options})"


def _objects(opened: envelopes.Opened) -> str:
    errors = ", ignore_errors = true" if opened.format == "newline_delimited" else ""
    source = f"{_quoted(opened.path)}, format = '{opened.format}'{errors}"
    return f"(SELECT json AS e FROM read_json_objects({source}))"


_NAMELESS = "coalesce(e->>'$.id' IS NULL OR e->>'$.type' IS NULL, true)"
