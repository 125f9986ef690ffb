"""Files into the canonical tables: small ones by way of `shapes`, large ones by DuckDB itself.

Both end in the same SQL, made by `extract` from the schema, and in the ledger.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from diskenc_analysis import envelopes, projected, relations, schema, shapes, signs, spelling, unexported
from diskenc_analysis.dedupe import set_aside_copies
from diskenc_analysis.errors import TooDeepError, UnreadableInputError
from diskenc_analysis.extract import child_sql, resources_sql
from diskenc_analysis.halves import mended
from diskenc_analysis.ledger import Ledger
from diskenc_analysis.members import JSON_TWIN, SOURCE_MEMBER, file_columns
from diskenc_analysis.normalised import NOT_OURS, TOO_DEEP, Mark, Normalised
from diskenc_analysis.spots import glances, looks


@dataclass
class Reader:
    """Reads files one by one into the canonical tables of a connection; `rows` wait for the end."""

    connection: duckdb.DuckDBPyConnection
    scratch: Path
    small_bytes: int
    verdict_only: bool = False
    ledger: Ledger = field(default_factory=Ledger)
    rows: Normalised = field(init=False)

    def __post_init__(self) -> None:
        self.connection.execute("; ".join(map(_create_sql, schema.tables().values())))
        self.rows = Normalised(self.scratch / "normalised.jsonl", self.ledger)

    def _wanted(self, name: str) -> schema.Table:
        table = schema.table(name)
        return table.narrowed() if self.verdict_only else table

    def read(self, path: Path, source: int) -> None:
        """Read one JSON file; its rows end in the tables or in the ledger's set-aside counts."""
        if path.stat().st_size <= self.small_bytes:
            self._read_small(path, source)
        else:
            self._read_large(path, source)

    def _read_small(self, path: Path, source: int) -> None:
        """Let Python read the file whole; where a row is nested too deeply for it, DuckDB reads them all."""
        mark = self.rows.mark()
        try:
            parsed = shapes.parse(envelopes.read_text(path), str(path))
            self.ledger.describe(source, parsed.shape, parsed.signs)
            self.ledger.set_aside(source, "", "unreadable", parsed.unreadable)
            self.rows.add(parsed, source)
            deep = self.ledger.aside[source, "", TOO_DEEP] > 0
        except TooDeepError:
            deep = True
        if deep:
            self.forget(source, mark)
            self._read_large(path, source)

    def _read_large(self, path: Path, source: int) -> None:
        """Let DuckDB read the file, and again without halves of characters where they were in its way."""
        mark, fault = self.rows.mark(), None
        with envelopes.opened(path, self.scratch) as opened:
            try:
                self._read_opened(opened, source)
            except (duckdb.Error, UnreadableInputError) as error:
                fault = error
            if not fault and not self.ledger.aside[source, "", "unreadable"]:
                return
            if whole := mended(opened, self.scratch):
                fault = None
                self.forget(source, mark)
                try:
                    self._read_opened(whole, source)
                except duckdb.Error as error:
                    fault = error
            if isinstance(fault, duckdb.Error):
                raise UnreadableInputError(opened.explain(fault)) from None
            if fault:
                raise fault
            unread = self.ledger.aside[source, "", "unreadable"]
            if unread and opened.format == "newline_delimited" and envelopes.breaks_off(opened.path):
                self.ledger.sign(source, [signs.BROKEN_OFF])

    def _read_opened(self, opened: envelopes.Opened, source: int) -> None:
        """Read in one pass, or one to count, then one per table and layout in the file."""
        seen = list(looks(opened.path))
        odd = any(map(spelling.is_odd, seen)) or any(map(spelling.is_odd_at_a_glance, glances(opened.path)))
        if not odd and self._read_alike(opened, source):
            return
        found, counts = self._counted(opened)
        self.ledger.describe(source, found.shape, signs.signs_of(found.members, counts.total()))
        if odd or self._is_projected(found, counts, seen, source):
            everything = f"SELECT e::VARCHAR, '' FROM {relations.objects(found.path, found.format)}"
            self._read_again(everything, {"": counts.total()}, found, source)
            return
        for name in {_table(arm_type): None for arm_type, _ in counts}:
            self._read_table(name, counts, found, source)

    def _read_alike(self, opened: envelopes.Opened, source: int) -> bool:
        """Read a file whose rows are all of one type, as ARM has it; the first that is not undoes it."""
        name = _table(opened.first_type)
        if name is None:
            return False
        table = self._wanted(name)
        relation = relations.typed(opened, file_columns(table, "nested"))
        alike = f"odd = 0 AND arm_type = '{opened.first_type}'"
        try:
            sql = resources_sql(table, relation, str(source), "nested")
            rows = self._insert(table, sql, f"CASE WHEN {alike} THEN true ELSE error('another kind') END")
        except duckdb.InvalidInputException:
            return False
        self.ledger.describe(source, opened.shape, signs.signs_of(opened.members, rows))
        self.ledger.place(source, opened.first_type, rows)
        return True

    def _is_projected(
        self, opened: envelopes.Opened, counts: Counter[tuple[str, str]], seen: list[str], source: int
    ) -> bool:
        """Tell whether a query chose the columns, so that every row needs the thorough pass."""
        chosen = opened.shape == projected.REPLY or any(map(projected.COLUMN.search, seen))
        if chosen and not any(layout == "nested" for _, layout in counts):
            self.rows.projections.add(source)
        return source in self.rows.projections

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
        counted = self._answer(relations.kinds_sql(opened))
        return Counter({(arm_type, layout): rows for arm_type, layout, rows in counted})

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
                self._read_again(relations.nameless_sql(opened), types, opened, source)
            return
        table = self._wanted(name)
        layouts = {layout for arm_type, layout in counts if arm_type in types}
        kept = sorted(layouts - ({"flat"} if "loose" in layouts else set()))
        inserted = sum(self._insert_layout(table, layout, opened, source) for layout in kept)
        missing: Counter[str] = Counter()
        if inserted < sum(types.values()):
            relation, known = relations.objects(opened.path, opened.format), source in self.rows.flat
            sql = resources_sql(table, relation, str(source), "element", known=known)
            again = f"SELECT e::VARCHAR, arm_type FROM ({sql}) WHERE odd = 2 AND {_of(table)}"
            missing = self._read_again(again, {"": sum(types.values()) - inserted}, opened, source)
        for arm_type, rows in types.items():
            self.ledger.place(source, arm_type, rows - missing[arm_type])

    def _insert_layout(self, table: schema.Table, layout: str, opened: envelopes.Opened, source: int) -> int:
        """Insert the rows of one layout; where a value is of another type than it should be, as JSON."""
        good, known = f"odd = 0 AND {_of(table)}", source in self.rows.flat
        if layout in JSON_TWIN:
            relation = relations.typed(opened, file_columns(table, layout))
            with suppress(duckdb.InvalidInputException):
                return self._insert(
                    table, resources_sql(table, relation, str(source), layout, known=known), good
                )
        twin = JSON_TWIN.get(layout, layout)
        return self._insert(
            table,
            resources_sql(
                table, relations.objects(opened.path, opened.format), str(source), twin, known=known
            ),
            good,
        )

    def _insert(self, table: schema.Table, sql: str, where: str) -> int:
        [(rows,)] = self._answer(
            f'INSERT INTO "{table.name}" BY NAME SELECT * EXCLUDE (arm_type, odd) FROM ({sql}) WHERE {where}'
        )
        return int(rows)

    def _answer(self, sql: str) -> list[tuple[Any, ...]]:
        try:
            return self.connection.execute(sql).fetchall()
        except UnicodeDecodeError as error:  # DuckDB's message quotes bytes that are no text
            raise duckdb.InvalidInputException(str(error)) from None

    def _read_again(
        self, sql: str, expected: dict[str, int], opened: envelopes.Opened, source: int
    ) -> Counter[str]:
        """Send the rows that the fast pass could not use through the thorough one; count them by type."""
        cursor = self.connection.cursor().execute(sql)
        seen: Counter[str] = Counter()
        while batch := cursor.fetchmany(10_000):
            seen.update(arm_type for _, arm_type in batch)
            self.rows.add_texts([text for text, _ in batch], source)
        if seen.total() != expected[""]:
            message = f"of {expected['']} rows in an unusual spelling {seen.total()} were found again"
            raise UnreadableInputError(f"{opened.shown}: {message}")
        return seen

    def forget(self, source: int, mark: Mark) -> None:
        """Take back every row of the file that was read since a mark."""
        for table in schema.tables().values():
            if table.types:
                self.connection.execute(f'DELETE FROM "{table.name}" WHERE source = {source}')
        self.rows.forget(source, mark)

    def finish(self) -> None:
        """Read the normalised rows, set copies aside, and make the child tables."""
        for (name, layout), rows in self.rows.waiting.items():
            table = self._wanted(name)
            relation = relations.objects(self.rows.path, "newline_delimited")
            sql = resources_sql(table, relation, f"(e->>'$.{SOURCE_MEMBER}')", JSON_TWIN[layout])
            stored = self._insert(table, sql, f"odd <> 3 AND {_of(table)}")
            if stored != rows:
                raise UnreadableInputError(f"of {rows} rows for the table {name} {stored} could be stored")
        filled = {_table(arm_type) for _, arm_type in self.ledger.placed}
        tables = schema.tables().values()
        for source, members in self.rows.exported.items():
            unexported.put_in_doubt(self.connection, source, members, self.ledger)
        for (source, members), keys in self.rows.cut.items():
            unexported.put_in_doubt(self.connection, source, members, self.ledger, keys)
        for table in tables:
            if table.name in filled:
                set_aside_copies(self.connection, table, self.ledger)
        for table in tables:
            if table.child and table.child.parent in filled and self._holds_any(table.child):
                self.connection.execute(
                    f'INSERT INTO "{table.name}" BY NAME {child_sql(self._wanted(table.name))}'
                )

    def _holds_any(self, child: schema.Child) -> bool:
        """Look whether any parent carries such rows: to plan their SQL takes longer than to look."""
        held = " OR ".join(f'"{column}" IS NOT NULL' for column in child.columns)
        return bool(self._answer(f'SELECT 1 FROM "{child.parent}" WHERE {held} LIMIT 1'))


def _create_sql(table: schema.Table) -> str:
    columns = ", ".join(f'"{n}" {table.column_type(n)}' for n in table.column_names())
    return f'CREATE TABLE "{table.name}" ({columns})'


def _table(arm_type: str | None) -> str | None:
    return schema.table_of_type().get(arm_type or "")


def _of(table: schema.Table) -> str:
    types = ", ".join(f"'{t}'" for t in table.types)
    return f"arm_type IN ({types})"
