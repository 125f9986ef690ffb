"""The export folder that `collect` fills: rows as JSON lines, and `export.json`, which says what they are.

A page is written whole or not at all. `export.json` is replaced in one step, and a part counts as complete
there only once its file is closed, so a collection that was killed can go on.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from diskenc_analysis.collected import NOTE, read_note
from diskenc_analysis.errors import ParameterError
from diskenc_analysis.leftovers import LOCKS, hold, let_go
from diskenc_analysis.live_asks import Ask
from diskenc_analysis.live_secrets import line
from diskenc_analysis.note import Note, Part, Status

_EXISTS = "exists already: name another folder, or go on with --resume"
_ROOM = ".room"
_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)


def now() -> str:
    """Give the time in UTC to the second, as `export.json` writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Writer:
    """Writes the rows of one part, page by page; several threads may hand pages in."""

    part: Part
    folder: Path
    keep: bool
    earlier: Part | None = None
    _fd: int = -1
    _digest: Any = field(default_factory=hashlib.sha256)
    _lock: Lock = field(default_factory=Lock)

    def write(self, rows: list[dict[str, Any]]) -> None:
        """Add a page.

        Raises
        ------
        OSError
            When the disk does not take it; what was written of the page is taken back.
        """
        lines = [line(row) for row in rows] if self.keep else []
        data = "".join(text for text, _ in lines).encode("ascii")
        with self._lock:
            self.part.redacted += sum(found for _, found in lines)
            if data:
                self._append(data)
            self._digest.update(data)
            self.part.rows += len(rows)
            self.part.bytes += len(data)
            self.part.pages += 1

    def _append(self, data: bytes) -> None:
        if self._fd < 0:
            self._hidden.parent.mkdir(mode=0o700, exist_ok=True)
            self._fd = os.open(self._hidden, _NEW, 0o600)
        start, rest = self.part.bytes, memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._fd, rest) :]
        except OSError:
            os.ftruncate(self._fd, start)
            os.lseek(self._fd, start, os.SEEK_SET)
            raise

    @property
    def _hidden(self) -> Path:
        """Where the rows are until the part is closed: `load` passes hidden files over."""
        return self.folder / self.part.name / f".{self.part.key}.jsonl"

    def close(self, status: Status, reason: str) -> None:
        """Close the file, note its hash, and give it its name; keep an earlier run's where that had more.

        The status is noted last: whatever comes between, a part is not complete without its file.
        """
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        named = self.folder / self.part.name / f"{self.part.key}.jsonl"
        if self.earlier and status != "complete" and self.part.rows < self.earlier.rows:
            self._hidden.unlink(missing_ok=True)
            for name, value in self.earlier:
                setattr(self.part, name, value)
            return
        if self.part.bytes:
            self.part.file = f"{self.part.name}/{self.part.key}.jsonl"
            self.part.sha256 = self._digest.hexdigest()
            self._hidden.replace(named)
        else:
            for path in (self._hidden, named):
                path.unlink(missing_ok=True)
        self.part.status, self.part.reason = status, reason


class Folder:
    """An export folder and its `export.json`.

    Parameters
    ----------
    path : Path
        The folder; `make` makes it, readable by its owner alone.
    resume : bool
        Whether to go on with a collection that is there.

    Raises
    ------
    ParameterError
        When the folder holds something already and `resume` is not set, or holds no collection to go on with.
    """

    def __init__(self, path: Path, *, resume: bool = False) -> None:
        self.path = path
        self.note = Note()
        self.parts: dict[tuple[str, str], Part] = {}
        self.earlier: dict[tuple[str, str], Part] = {}
        self._saved, self._took = 0.0, 0.0
        self._held: int | None = None
        self._made = False
        if resume:
            self._take_up()
        elif path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise ParameterError(f"{path} {_EXISTS}")

    def make(self) -> None:
        """Make the folder, and hold it: another collection may not write there meanwhile.

        Raises
        ------
        ParameterError
            When another does, or has since this one began.
        OSError
            When the folder cannot be made.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._held is None:
            self._hold()
            if any(self.path.iterdir()):
                raise ParameterError(f"{self.path} {_EXISTS}")
        self.path.chmod(0o700)
        self._made = True

    def _hold(self) -> None:
        self._held = hold(self.path, wait=False)
        if self._held is None and LOCKS:
            raise ParameterError(f"{self.path}: another collection is being written there")

    def keep_room(self) -> None:
        """Keep room for the last `export.json`, so that a full disk does not make all be asked again.

        What is noted of a part grows as it is read, to less than thrice of what is noted beforehand.
        """
        try:
            fd = os.open(self.path / _ROOM, _NEW, 0o600)
            with os.fdopen(fd, "wb") as file:
                file.write(bytes(3 * (self.path / NOTE).stat().st_size))
        except OSError:  # what rows there is room for are worth more
            self.give_room()

    def give_room(self) -> None:
        """Give the room back."""
        with suppress(OSError):
            (self.path / _ROOM).unlink(missing_ok=True)

    def let_go(self) -> None:
        """End the hold of the folder."""
        let_go(self._held)
        self._held = None

    def discard(self) -> None:
        """Remove the folder where nothing was collected into it."""
        interrupted = any(run.stopped for run in self.note.runs)  # which can go on
        if not self._made or not self.path.is_dir() or self.note.subscriptions or interrupted:
            return
        if {path.name for path in self.path.iterdir()} <= {NOTE}:
            (self.path / NOTE).unlink(missing_ok=True)
            self.path.rmdir()

    def _take_up(self) -> None:
        note = read_note(self.path / NOTE)
        if note is None:
            raise ParameterError(f"{self.path}: expected a collection to go on with, but there is no {NOTE}")
        self._hold()
        self.note = read_note(self.path / NOTE) or note  # as it is now that nobody else writes it
        note = self.note
        self.parts = {(part.name, part.key): part for part in note.parts}
        self.ask_again(part for part in note.parts if not self._is_whole(part))

    def ask_again(self, parts: Iterable[Part]) -> None:
        """Take parts as not whole; what was read of them stays until there is more."""
        for part in list(parts):
            self.earlier[part.name, part.key] = self.parts.pop((part.name, part.key))
            if part.status == "complete":
                part.status, part.reason = "partial", "no longer whole"

    @property
    def left(self) -> list[Part] | None:
        """What an earlier run left to be read; None where it did not get so far as to know its parts."""
        kept = [part for part in self.earlier.values() if part.type]
        return kept if self.note.subscriptions and self.note.parts else None

    def _is_whole(self, part: Part) -> bool:
        """Whether a part need not be asked again: complete, and its file as it was."""
        return part.status == "complete" and (self._has_file(part) if part.file else not part.bytes)

    def _has_file(self, part: Part) -> bool:
        path = self.path / part.file
        if not path.is_file() or path.stat().st_size != part.bytes:
            return False
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == part.sha256

    def expect(self, ask: Ask, key: str) -> Part:
        """Note a part that is to be asked for, with what an earlier run has read of it."""
        default = self.earlier.get((ask.name, key)) or Part(name=ask.name, type=ask.type, key=key)
        return self.parts.setdefault((ask.name, key), default)

    def open(self, ask: Ask, key: str) -> Writer:
        """Begin a part anew; what an earlier run has read of it stays until there is more."""
        part = Part(name=ask.name, type=ask.type, key=key, started_at=now())
        self.parts[ask.name, key] = part
        return Writer(part, self.path, bool(ask.type), self._there(ask.name, key))

    def _there(self, name: str, key: str) -> Part | None:
        """Give what an earlier run has read of a part, where its file is as it was."""
        part = self.earlier.get((name, key))
        return part if part and part.file and self._has_file(part) else None

    def rows(self, part: Part) -> list[dict[str, Any]]:
        """Read the rows of a part back."""
        if not part.file:
            return []
        with (self.path / part.file).open(encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def save(self, *, force: bool = True) -> None:
        """Write `export.json`; without `force` seldom enough that it costs little."""
        begun = time.monotonic()
        if not force and begun - self._saved < max(2.0, 20 * self._took):
            return
        self.note.parts = [self.parts[key] for key in sorted(list(self.parts))]  # noqa: C414 - threads add to it
        text = self.note.model_dump_json(indent=1) + "\n"
        temporary = self.path / f".{NOTE}"
        fd = os.open(temporary, _NEW, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(text)
        temporary.replace(self.path / NOTE)
        self._saved = time.monotonic()
        self._took = self._saved - begun
