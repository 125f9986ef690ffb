"""The state of a collection while it runs, and what it came to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from diskenc_analysis.live_asks import Ask
from diskenc_analysis.live_folder import Writer, now
from diskenc_analysis.live_pages import FaultError
from diskenc_analysis.note import Part, Status


@dataclass
class Progress:
    """How far a collection has come.

    Attributes
    ----------
    parts, parts_done, subscriptions, subscriptions_done, rows : int
        Counts; a subscription is done when all its parts are.
    calls, throttled : int
        Calls sent, and how many of them Azure throttled.
    """

    parts: int = 0
    parts_done: int = 0
    subscriptions: int = 0
    subscriptions_done: int = 0
    rows: int = 0
    calls: int = 0
    throttled: int = 0

    def __str__(self) -> str:
        """Write the counts as one line."""
        done = f"{self.subscriptions_done:,} of {self.subscriptions:,} subscriptions, {self.rows:,} rows"
        return f"{done}, {self.calls:,} calls, {self.throttled:,} throttled"


@dataclass
class Outcome:
    """What a collection came to.

    Attributes
    ----------
    path : Path
        The folder.
    parts : list of Part
        All that was asked for.
    stopped : str
        Why the collection ended early, or empty.
    progress : Progress
        The counts at the end.
    """

    path: Path
    parts: list[Part]
    stopped: str
    progress: Progress

    @property
    def summary(self) -> str:
        """What could not be read, in one line; empty where all was."""
        unread = Counter(part.status for part in self.parts if part.status != "complete")
        if not unread:
            return self.stopped
        counts = ", ".join(f"{n} {status}" for status, n in sorted(unread.items()))
        parts = f"{unread.total()} of {len(self.parts)} parts were not read whole ({counts})"
        said = f"{parts}; export.json names them"
        return f"{self.stopped}: {said}" if self.stopped else said


@dataclass
class Job:
    """A part while it is read: its requests that are still open, and the rows that lead to others."""

    ask: Ask
    subscriptions: list[str]
    writer: Writer
    requests: int
    causes: list[FaultError] = field(default_factory=list)
    faults: list[FaultError] = field(default_factory=list)
    parents: list[dict[str, Any]] = field(default_factory=list)
    open: int = field(init=False)

    def __post_init__(self) -> None:
        self.open = self.requests

    def status(self) -> tuple[Status, str]:
        """Say what became of the part, and why: a fault of its own, or one of the part that leads to it."""
        faults = [*self.causes, *self.faults]
        if not faults:
            return "complete", ""
        some = self.writer.part.pages or len(self.faults) < self.requests
        counts = (
            f" ({len(self.faults)} of {self.requests} requests)" if self.faults and self.requests > 1 else ""
        )
        return "partial" if some else faults[0].status, faults[0].reason + counts

    def close(self) -> None:
        """Close the part: its file, its time, and last what became of it."""
        part = self.writer.part
        part.ended_at = now()
        self.writer.close(*self.status())
