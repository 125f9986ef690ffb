"""The reading ledger: for each file and resource type, what was read, used and set aside, and why."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: Columns of the ledger, with their SQL types.
COLUMNS = {
    "source": "VARCHAR",
    "shape": "VARCHAR",
    "resource_type": "VARCHAR",
    "rows_read": "BIGINT",
    "rows_used": "BIGINT",
    "rows_set_aside": "BIGINT",
    "reasons": "VARCHAR",
    "truncated": "BOOLEAN",
    "truncation_reason": "VARCHAR",
    "notes": "VARCHAR",
    "captured_at": "VARCHAR",
    "sha256": "VARCHAR",
    "status": "VARCHAR",
}
#: What a collection can say of a part of it (a subscription and type) that is not whole.
UNREAD = ("denied", "failed", "partial")
#: The shape of a part of a collection that left no file.
NO_FILE = "no file"
_MORE = "skip token left over"


def sha256(path: Path) -> str:
    """Hash a file.

    Parameters
    ----------
    path : Path
        An existing file.

    Returns
    -------
    str
        SHA-256 in hexadecimal.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass
class _Source:
    path: Path
    shape: str = ""
    signs: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    digest: Future[str] | None = None
    collected_at: str = ""
    recorded_sha256: str = ""


@dataclass
class Ledger:
    """Counts of rows by file and resource type, filled while files are read.

    Examples
    --------
    >>> ledger = Ledger()
    >>> source = ledger.add(Path("2026-11-24/disks.json"))
    >>> ledger.place(source, "microsoft.compute/disks", 3)
    >>> ledger.set_aside(source, "microsoft.compute/disks", "duplicate", 1, placed=True)
    >>> [(r["rows_read"], r["rows_used"], r["reasons"]) for r in ledger.rows()]
    [(3, 2, '1 duplicate')]
    """

    sources: list[_Source] = field(default_factory=list)
    placed: Counter[tuple[int, str]] = field(default_factory=Counter)
    moved: Counter[tuple[int, str]] = field(default_factory=Counter)
    aside: Counter[tuple[int, str, str]] = field(default_factory=Counter)
    status: dict[tuple[int, str], tuple[str, str]] = field(default_factory=dict)

    def add(self, path: Path) -> int:
        """Open the account of a file and give its number."""
        self.sources.append(_Source(path))
        return len(self.sources) - 1

    def describe(self, source: int, shape: str, signs: list[str]) -> None:
        """Note the shape of a file and the signs that it was cut short."""
        self.sources[source].shape = shape
        self.sources[source].signs = signs

    def sign(self, source: int, signs: list[str]) -> None:
        """Add signs, found on the way, that a file was cut short; each is kept once."""
        one = self.sources[source]
        one.signs = list(dict.fromkeys([*one.signs, *signs]))

    def note(self, source: int, note: str) -> None:
        """Add what else to know of a file, such as the columns that it lacks; each is kept once."""
        one = self.sources[source]
        one.notes = list(dict.fromkeys([*one.notes, note]))

    def forget(self, source: int) -> None:
        """Take back every count of a file."""
        for counts in (self.placed, self.moved, self.aside):
            for key in [key for key in counts if key[0] == source]:
                del counts[key]

    def rows_of(self, source: int) -> int:
        """Give how many rows of a file were read so far."""
        placed = sum(rows for key, rows in self.placed.items() if key[0] == source)
        aside = sum(rows for key, rows in self.aside.items() if key[0] == source)
        return placed + aside - sum(rows for key, rows in self.moved.items() if key[0] == source)

    def hash_later(self, source: int, digest: Future[str]) -> None:
        """Note the future that will hold the file's SHA-256."""
        self.sources[source].digest = digest

    def place(self, source: int, arm_type: str, rows: int) -> None:
        """Count rows that went into a table."""
        self.placed[source, arm_type] += rows

    def set_aside(self, source: int, arm_type: str, reason: str, rows: int, *, placed: bool = False) -> None:
        """Count rows that are not used; `placed` says that `place` counted them before."""
        if rows:
            self.aside[source, arm_type, reason] += rows
            self.moved[source, arm_type] += rows if placed else 0

    def collected(self, source: int, arm_type: str, status: str, why: str) -> None:
        """Note what a collection says of a type in a source: complete, one of `UNREAD`, or not asked."""
        self.status[source, arm_type] = status, why

    def recorded(self, source: int, collected_at: str, digest: str) -> None:
        """Note when a file was collected, and the hash that it had then."""
        self.sources[source].collected_at = collected_at
        self.sources[source].recorded_sha256 = digest

    def captured_at(self, source: int) -> str | None:
        """Give the time at which a file was collected, else the last date that its path states, or None."""
        if self.sources[source].collected_at:
            return self.sources[source].collected_at
        dates = re.findall(r"(?<!\d)20\d\d-[01]\d-[0-3]\d(?!\d)", str(self.sources[source].path))
        return dates[-1] if dates else None

    def rows(self) -> list[dict[str, Any]]:
        """Give the ledger's rows, sorted by file and type; waits for the hashes."""
        self._settle()
        keys = {*self.placed, *((s, t) for s, t, _ in self.aside), *self.status}
        counted = {source for source, _ in keys}
        empty = {(n, "") for n in range(len(self.sources)) if n not in counted}
        return [self._row(source, arm_type) for source, arm_type in sorted(keys | empty)]

    def _settle(self) -> None:
        """Take back the signs of pages that together hold every record: `disks-1.json`, `disks-2.json`.

        Every one but the last must say that more is to come.
        """
        pages: dict[tuple[Path, str, str], list[tuple[_Source, int]]] = {}
        for one in self.sources:
            for found in filter(None, (re.fullmatch(r"(\d+) of (\d+) records", s) for s in one.signs)):
                name = re.sub(r"\d+", "", one.path.name)
                pages.setdefault((one.path.parent, name, found[2]), []).append((one, int(found[1])))
        for (_, _, total), members in pages.items():
            more = sum(_MORE in one.signs for one, _ in members)
            if more == len(members) - 1 and sum(rows for _, rows in members) == int(total):
                for one, _ in members:
                    one.signs = [s for s in one.signs if s != _MORE and not s.endswith(f"of {total} records")]

    def _row(self, source: int, arm_type: str) -> dict[str, Any]:
        one = self.sources[source]
        reasons = {r: n for (s, t, r), n in sorted(self.aside.items()) if (s, t) == (source, arm_type)}
        placed, set_aside = self.placed[source, arm_type], sum(reasons.values())
        used = placed - self.moved[source, arm_type]
        status, why = self.status.get((source, arm_type), ("", ""))
        digest = one.digest.result() if one.digest else None
        signs = [*one.signs, *([f"{status}: {why}"] if status in UNREAD else [])]
        if digest and one.recorded_sha256 not in ("", digest):
            signs.append("the file was changed after it was collected")
        return {
            "source": str(one.path),
            "shape": one.shape,
            "resource_type": arm_type,
            "rows_read": used + set_aside,
            "rows_used": used,
            "rows_set_aside": set_aside,
            "reasons": "; ".join(f"{n} {r}" for r, n in reasons.items()) or why * (status == "not asked"),
            "truncated": bool(signs),
            "truncation_reason": "; ".join(signs),
            "notes": "; ".join(one.notes),
            "captured_at": self.captured_at(source),
            "sha256": digest,
            "status": status,
        }
