"""Rows of the thorough pass, written as JSON lines in the one spelling that `extract` reads."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from diskenc_analysis import projected, schema, shapes, signs, spelling
from diskenc_analysis.ledger import Ledger
from diskenc_analysis.members import SOURCE_MEMBER

Mark = tuple[int, Counter[tuple[str, str]]]
TOO_DEEP = "nested too deeply"
NOT_OURS = "not a disk-related type"


@dataclass
class Normalised:
    """The rows written so far, with what is known of the files that they came from.

    Attributes
    ----------
    path : Path
        The file of JSON lines.
    ledger : Ledger
        Takes the rows that cannot be used.
    waiting : Counter
        Rows by table and layout.
    exported : dict
        The members that the columns of a flat file hold.
    projections, flat : set of int
        Files whose rows are to be spread, and those of cells, whose columns are known.
    cut : dict
        The keys of flat rows that a query cut down, by file and by the members that are left.
    """

    path: Path
    ledger: Ledger
    waiting: Counter[tuple[str, str]] = field(default_factory=Counter)
    exported: dict[int, frozenset[str]] = field(default_factory=dict)
    projections: set[int] = field(default_factory=set)
    flat: set[int] = field(default_factory=set)
    cut: dict[tuple[int, frozenset[str]], list[str]] = field(default_factory=dict)
    lines: IO[str] = field(init=False)

    def __post_init__(self) -> None:
        self.lines = self.path.open("w", encoding="utf-8", errors="replace")

    def add_texts(self, texts: list[str | None], source: int) -> None:
        """Parse the JSON texts of rows, and write them."""
        parsed = shapes.Parsed()
        for text in texts:
            try:
                shapes.unwrap(shapes.decoded(text or ""), parsed)
            except RecursionError:
                self.ledger.set_aside(source, "", TOO_DEEP, 1)
            except ValueError:
                parsed.unreadable += 1
        self.ledger.sign(source, parsed.signs)
        self.ledger.set_aside(source, "", "unreadable", parsed.unreadable)
        self.add(parsed, source)

    def add(self, parsed: shapes.Parsed, source: int) -> None:
        """Write rows as normalised JSON lines, to be read into their tables at the end."""
        if projected.is_projected(parsed.rows, reply=parsed.shape == projected.REPLY):
            self.projections.add(source)
        for raw in parsed.rows:
            try:
                self._write(spelling.normalise(self._spread(raw, source)), source)
            except RecursionError:
                self.ledger.set_aside(source, "", TOO_DEEP, 1)

    def _spread(self, row: Any, source: int) -> Any:
        """Put the values of a projected row in place, and note which members there are columns for."""
        if not isinstance(row, dict):
            return row
        if source in self.projections:
            row, exported = projected.spread(row)
            self.exported[source] = self.exported.get(source, frozenset()) | exported
        elif source not in self.flat and projected.is_cut(row):
            row, exported = projected.spread(row)
            self.cut.setdefault((source, exported), []).append(schema.key_of(row["id"]))
        return row

    def _write(self, row: dict[str, Any] | None, source: int) -> None:
        arm_type = str((row or {}).get("type") or "").lower()
        reason = "not an object" if row is None else "no id" if "id" not in row else ""
        table = schema.table_of_type().get(arm_type)
        if not reason and not table:
            reason = NOT_OURS
        if row and reason == "no id" and (error := signs.error_reply(row)):
            arm_type, reason = error.arm_type, f"error reply: {error.code}"
            self.ledger.sign(source, [error.sign])
        if row is None or reason:
            self.ledger.set_aside(source, arm_type, reason, 1)
            return
        self.lines.write(json.dumps({**row, SOURCE_MEMBER: source}, ensure_ascii=False) + "\n")
        self.ledger.place(source, arm_type, 1)
        self.waiting[table or "", "nested" if "properties" in row else "flat"] += 1

    def mark(self) -> Mark:
        """Note how far the normalised rows go."""
        return self.lines.tell(), self.waiting.copy()

    def forget(self, source: int, mark: Mark) -> None:
        """Take back the rows of a file that were written since a mark."""
        self.lines.seek(mark[0])
        self.lines.truncate()
        self.waiting = mark[1]
        self.exported.pop(source, None)
        self.cut = {at: keys for at, keys in self.cut.items() if at[0] != source}
        self.ledger.forget(source)
