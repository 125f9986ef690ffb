"""One run of a collection: parts read by a pool of workers, what cannot be read noted, the rest goes on.

A *part* is one type of one subscription (for Resource Graph: of a batch of them). A part whose rows lead to
others, as a scale set does to its instances, starts these once it is whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from threading import RLock
from typing import Any

from diskenc_analysis.live_asks import Ask, asks
from diskenc_analysis.live_folder import Folder, now
from diskenc_analysis.live_gate import Gate, StoppedError
from diskenc_analysis.live_http import Azure
from diskenc_analysis.live_pages import FaultError, Page
from diskenc_analysis.live_plan import Plan
from diskenc_analysis.live_scope import find, note_vanished, subscription_of
from diskenc_analysis.live_state import Job, Outcome, Progress
from diskenc_analysis.note import Part, Run

_TICK = 0.2
_CANDIDATES = 5


@dataclass
class Collection:
    """One run over an export folder.

    Attributes
    ----------
    folder : Folder
        What is filled.
    azure : Azure
        Whom to ask.
    gate : Gate
        Bounds the calls and ends them.
    watch : callable or None
        Called with the progress several times a second.
    """

    folder: Folder
    azure: Azure
    gate: Gate
    watch: Callable[[Progress], None] | None = None
    _plan: Plan = field(init=False)
    _stopped: str = ""
    _error: Exception | None = None
    _open: int = 0
    _progress: Progress = field(default_factory=Progress)
    _left_of: Counter[str] = field(default_factory=Counter)
    _lock: RLock = field(default_factory=RLock)

    def run(self) -> Outcome:
        """Ask for all that is not there yet.

        Returns
        -------
        Outcome

        Raises
        ------
        UnreadableInputError
            When the subscriptions cannot be listed, or there is none.
        """
        note = self.folder.note
        first, *rest = asks(note.scope.source, note.scope.options)
        note.runs.append(Run(started_at=now()))
        self.folder.save()  # so that a collection which is killed before its first part can go on
        try:
            self._find(first)
        except KeyboardInterrupt:
            self._stop("interrupted")
            return self._end()
        self._plan = Plan(rest, self.folder, note.subscriptions)
        self._plan.list_again()
        self._expect(note.subscriptions)
        self.folder.save()
        self.folder.keep_room()
        with ThreadPoolExecutor(2 * self.gate.most, "collect") as self._pool:
            try:
                self._begin()
                self._wait()
                if note.scope.source == "graph" and not self.gate.stop.is_set():
                    note_vanished(self.azure, self.folder, first)
            except KeyboardInterrupt:
                self._stop("interrupted")
            finally:
                self.gate.stop.set()
        return self._end()

    def _find(self, first: Ask) -> None:
        """Find the subscriptions, where they are not known whole from an earlier run."""
        note = self.folder.note
        if not note.subscriptions or any(name == first.name for name, _ in self.folder.earlier):
            known, note.subscriptions = note.subscriptions, find(self.azure, self.folder, first)
            if known not in ([], note.subscriptions):  # the batches of Resource Graph are others now
                batches = [part for part in self._parts() if part.key.startswith("tenant-")]
                self.folder.ask_again(part for part in batches if part.name != first.name)

    def _expect(self, subscriptions: list[str]) -> None:
        """Note every part before the first is asked for, so that one which is never reached is named."""
        for ask in self._plan.asks:
            for key, those in self._plan.keys(ask):
                if self.folder.expect(ask, key).status != "complete":
                    self._left_of.update(those)
        self._progress.rows = sum(part.rows for part in self._parts())
        self._progress.subscriptions = len(subscriptions)
        self._progress.subscriptions_done = sum(not self._left_of[one] for one in subscriptions)
        self._progress.parts = len(self._parts())
        self._progress.parts_done = sum(part.status == "complete" for part in self._parts())

    def _begin(self) -> None:
        for ask in self._plan.asks:
            if not ask.parent:
                for key, those in self._plan.keys(ask):
                    self._start_root(ask, key, those)

    def _start_root(self, ask: Ask, key: str, subscriptions: list[str]) -> None:
        part, children_wait = self.folder.parts[ask.name, key], self._plan.children_wait(ask, subscriptions)
        if ask.type and part.status == "complete":
            if children_wait:
                self._release(ask, subscriptions, self.folder.rows(part), [])
        elif ask.type or children_wait:
            self._start(ask, key, subscriptions, [self._request(ask, key, subscriptions)], [])

    def _request(self, ask: Ask, key: str, subscriptions: list[str]) -> partial[Iterator[Page]]:
        if ask.via == "graph":
            return partial(self.azure.query, ask, {"subscriptions": subscriptions})
        if ask.once:
            return partial(self._first_of, ask, subscriptions[:_CANDIDATES])
        return partial(self.azure.listed, ask, key)

    def _first_of(self, ask: Ask, subscriptions: list[str]) -> Iterator[Page]:
        """Ask one subscription after the other until one answers for all."""
        for one in subscriptions:
            pages = self.azure.listed(ask, one)
            try:
                first = next(pages)
            except FaultError as fault:
                if fault.fatal or one == subscriptions[-1]:
                    raise
                continue
            if first.rows or one == subscriptions[-1]:  # one that has not registered the provider has none
                yield first
                yield from pages
                return

    def _start(
        self,
        ask: Ask,
        key: str,
        subscriptions: list[str],
        requests: list[partial[Iterator[Page]]],
        causes: list[FaultError],
    ) -> None:
        job = Job(ask, subscriptions, self.folder.open(ask, key), len(requests), causes)
        with self._lock:
            self._open += len(requests)
        if not requests:
            self._finish(job)
        for request in requests:
            self._pool.submit(self._read, job, request)

    def _read(self, job: Job, request: partial[Iterator[Page]]) -> None:
        """Read the pages of one request, and close its part after the last; this is what the workers do."""
        try:
            if fault := self._fault_of(job, request):
                job.faults.append(fault)
            with self._lock:
                job.open -= 1
                if not job.open:
                    self._finish(job)
        except OSError as error:
            self._stop(f"could not write ({error.strerror or error})")
        except Exception as error:  # noqa: BLE001 - a mistake of ours: raised again by the main thread
            if not self.gate.stop.is_set():  # what comes after an end is of its making
                self._error = error
            self._stop("an error")
        finally:
            with self._lock:
                self._open -= 1

    def _fault_of(self, job: Job, request: partial[Iterator[Page]]) -> FaultError | None:
        """Read the pages of a request, and say what went wrong."""
        try:
            self._read_pages(job, request)
        except FaultError as fault:
            if fault.fatal:
                self._stop(fault.reason)
            return fault
        except StoppedError:
            return FaultError("failed", "not reached")
        except OSError as error:
            self._stop(f"could not write ({error.strerror or error})")
            return FaultError("failed", "could not be written")
        return None

    def _read_pages(self, job: Job, request: partial[Iterator[Page]]) -> None:
        if self.gate.stop.is_set():
            raise StoppedError
        leads = bool(self._plan.children(job.ask))
        for page in request():
            job.writer.write(page.rows)
            job.writer.part.total_records, job.writer.part.api_version = page.total, page.version
            if leads:
                job.parents += page.rows
            with self._lock:
                self._progress.rows += len(page.rows) if job.ask.type else 0

    def _finish(self, job: Job) -> None:
        """Close a part, and start those that its rows lead to."""
        job.close()
        with self._lock:
            self._progress.parts_done += bool(job.ask.type)
            self._left_of.subtract(job.subscriptions)
            self._progress.subscriptions_done = sum(left <= 0 for left in self._left_of.values())
        if self._plan.children(job.ask):
            self._release(job.ask, job.subscriptions, job.parents, [*job.causes, *job.faults])

    def _release(
        self, ask: Ask, subscriptions: list[str], parents: list[dict[str, Any]], faults: list[FaultError]
    ) -> None:
        """Start the parts that the rows of a part lead to; without the rows they are not to be had."""
        if self.gate.stop.is_set():
            return
        of: dict[str, list[dict[str, Any]]] = {one: [] for one in subscriptions}
        for row in parents:
            of.setdefault(subscription_of(row), []).append(row)
        if not faults and not all(subscription_of(row) in subscriptions for row in parents):
            faults = [FaultError("failed", "a row has no id that can be asked for")]
        cause = [FaultError(faults[0].status, f"{ask.name}: {faults[0].reason}")] if faults else []
        for child in self._plan.children(ask):
            for one in subscriptions:
                if self._plan.waits(child, [one]):
                    ids = [str(row["id"]) for row in of[one] if child.leads_to(row) and row.get("id")]
                    requests = [partial(self.azure.listed, child, id_) for id_ in ids]
                    self._start(child, one, [one], requests, list(cause))

    def _wait(self) -> None:
        while self._open and not self.gate.stop.wait(_TICK):
            self._look()

    def _look(self) -> None:
        self._progress.calls, self._progress.throttled = self.gate.calls, self.gate.throttled
        if self.watch:
            self.watch(self._progress)
        try:
            self.folder.save(force=False)
        except OSError as error:
            self._stop(f"could not write ({error.strerror or error})")

    def _stop(self, why: str) -> None:
        self._stopped = self._stopped or why
        self.gate.stop.set()

    def _end(self) -> Outcome:
        self.folder.give_room()
        if self._error:
            raise self._error
        run = self.folder.note.runs[-1]
        run.ended_at, run.stopped, run.lowest_concurrency = now(), self._stopped, int(self.gate.lowest)
        run.calls, run.throttled, run.clock_behind = (
            self.gate.calls,
            self.gate.throttled,
            int(self.gate.ahead),
        )
        self._look()
        try:
            self.folder.save()
        except OSError as error:
            self._stop(f"could not write ({error.strerror or error})")
        return Outcome(self.folder.path, self._parts(), self._stopped, self._progress)

    def _parts(self) -> list[Part]:
        return [part for part in list(self.folder.parts.values()) if part.type]
