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

from diskenc_analysis.live_asks import Ask, asks, batches
from diskenc_analysis.live_folder import Folder, Part, now
from diskenc_analysis.live_gate import Gate, StoppedError
from diskenc_analysis.live_http import Azure, FaultError, Page
from diskenc_analysis.live_scope import SUBSCRIPTIONS, find, subscription_of
from diskenc_analysis.live_state import Job, Outcome, Progress

_TICK = 0.2


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
    _asks: list[Ask] = field(default_factory=list)
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
        scope = self.folder.head["scope"]
        self._asks = asks(scope["source"], scope["options"])
        self.folder.head.setdefault("runs", []).append({"started_at": now(), "ended_at": ""})
        head = self.folder.head
        if SUBSCRIPTIONS in self.folder.incomplete or "subscriptions" not in head:
            head["subscriptions"] = find(self.azure, self.folder, self._asks[0])
        subscriptions = head["subscriptions"]
        self._plan(subscriptions)
        self.folder.save()
        with ThreadPoolExecutor(2 * self.gate.most, "collect") as self._pool:
            try:
                self._begin(subscriptions)
                self._wait()
            except KeyboardInterrupt:
                self._stop("interrupted")
            finally:
                self.gate.stop.set()
        return self._end()

    def _plan(self, subscriptions: list[str]) -> None:
        """Note every part before the first is asked for, so that one which is never reached is named."""
        for ask in self._asks:
            if ask.name != SUBSCRIPTIONS:
                for key, those in self._keys(ask, subscriptions):
                    part = self.folder.parts.setdefault((ask.name, key), Part(ask.name, ask.type, key))
                    if part.status != "complete":
                        self._left_of.update(those)
        self._progress.rows = sum(part.rows for part in self._parts())
        self._progress.subscriptions = len(subscriptions)
        self._progress.subscriptions_done = sum(not self._left_of[one] for one in subscriptions)
        self._progress.parts = len(self._parts())
        self._progress.parts_done = sum(part.status == "complete" for part in self._parts())

    @staticmethod
    def _keys(ask: Ask, subscriptions: list[str]) -> Iterator[tuple[str, list[str]]]:
        """Give the keys of an ask's parts, with the subscriptions of each."""
        if ask.via == "graph":
            yield from ((f"tenant-{n}", batch) for n, batch in enumerate(batches(subscriptions), start=1))
        elif ask.once:
            yield "once", subscriptions
        else:
            yield from ((one, [one]) for one in subscriptions)

    def _begin(self, subscriptions: list[str]) -> None:
        for ask in self._asks:
            if not ask.parent and ask.name != SUBSCRIPTIONS:
                for key, those in self._keys(ask, subscriptions):
                    self._start_root(ask, key, those)

    def _start_root(self, ask: Ask, key: str, subscriptions: list[str]) -> None:
        part = self.folder.parts[ask.name, key]
        if part.status == "complete" and ask.type:
            if any(self._waits(child, subscriptions) for child in self._children(ask)):
                self._release(ask, subscriptions, self.folder.rows(part), [])
            return
        if not ask.type and not any(self._waits(child, subscriptions) for child in self._children(ask)):
            return
        if ask.via == "graph":
            requests = [partial(self.azure.query, ask, {"subscriptions": subscriptions})]
        elif ask.once:
            requests = [partial(self._first_of, ask, subscriptions)]
        else:
            requests = [partial(self.azure.listed, ask, key)]
        self._start(ask, key, subscriptions, requests, [])

    def _children(self, ask: Ask) -> list[Ask]:
        return [child for child in self._asks if child.parent == ask.name]

    def _waits(self, ask: Ask, subscriptions: list[str]) -> bool:
        """Whether an ask, or one that it leads to, is not complete for some of the subscriptions."""
        if not ask.type:
            return any(self._waits(child, subscriptions) for child in self._children(ask))
        return any(self.folder.parts[ask.name, one].status != "complete" for one in subscriptions)

    def _first_of(self, ask: Ask, subscriptions: list[str]) -> Iterator[Page]:
        """Ask one subscription after the other until one answers for all."""
        for last, one in enumerate(subscriptions, start=1 - len(subscriptions)):
            try:
                yield from self.azure.listed(ask, one)
            except FaultError as fault:
                if last == 0 or fault.fatal or fault.status != "denied":
                    raise
            else:
                return

    def _start(
        self,
        ask: Ask,
        key: str,
        subscriptions: list[str],
        requests: list[partial[Iterator[Page]]],
        faults: list[FaultError],
    ) -> None:
        job = Job(ask, subscriptions, self.folder.open(ask, key), len(requests), len(requests), faults)
        with self._lock:
            self._open += len(requests)
        if not requests:
            self._finish(job)
        for request in requests:
            self._pool.submit(self._read, job, request)

    def _read(self, job: Job, request: partial[Iterator[Page]]) -> None:
        """Read the pages of one request; this is what the workers do."""
        try:
            self._read_pages(job, request)
        except FaultError as fault:
            job.faults.append(fault)
            if fault.fatal:
                self._stop(fault.reason)
        except StoppedError:
            job.faults.append(FaultError("not asked", "not reached"))
        except OSError as error:
            self._stop(f"could not write ({error.strerror or error})")
            job.faults.append(FaultError("failed", "could not be written"))
        except Exception as error:  # noqa: BLE001 - a mistake of ours: raised again by the main thread
            self._error = error
            self._stop("an error")
        with self._lock:
            job.open -= 1
            if not job.open:
                self._finish(job)
            self._open -= 1

    def _read_pages(self, job: Job, request: partial[Iterator[Page]]) -> None:
        if self.gate.stop.is_set():
            raise StoppedError
        leads = bool(self._children(job.ask))
        for page in request():
            job.writer.write(page.rows)
            job.writer.part.total_records = page.total
            if leads:
                job.parents += [{"id": row.get("id"), "row": row} for row in page.rows]
            with self._lock:
                self._progress.rows += len(page.rows) if job.ask.type else 0

    def _finish(self, job: Job) -> None:
        """Close a part, and start those that its rows lead to."""
        job.close()
        with self._lock:
            self._progress.parts_done += bool(job.ask.type)
            self._left_of.subtract(job.subscriptions)
            self._progress.subscriptions_done = sum(left <= 0 for left in self._left_of.values())
        if self._children(job.ask):
            self._release(job.ask, job.subscriptions, [parent["row"] for parent in job.parents], job.faults)

    def _release(
        self, ask: Ask, subscriptions: list[str], parents: list[dict[str, Any]], faults: list[FaultError]
    ) -> None:
        """Start the parts that the rows of a part lead to; without the rows they are not to be had."""
        of: dict[str, list[dict[str, Any]]] = {one: [] for one in subscriptions}
        for row in parents:
            of.setdefault(subscription_of(row), []).append(row)
        cause = [FaultError(faults[0].status, f"{ask.name}: {faults[0].reason}")] if faults else []
        for child in self._children(ask):
            for one in subscriptions:
                if self._waits(child, [one]):
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
        if self._error:
            raise self._error
        last = {"ended_at": now(), "stopped": self._stopped, "lowest_concurrency": int(self.gate.lowest)}
        last |= {"calls": self.gate.calls, "throttled": self.gate.throttled}
        self.folder.head["runs"][-1] |= last
        self._look()
        try:
            self.folder.save()
        except OSError as error:
            self._stop(f"could not write ({error.strerror or error})")
        return Outcome(self.folder.path, self._parts(), self._stopped, self._progress)

    def _parts(self) -> list[Part]:
        return [part for part in list(self.folder.parts.values()) if part.type]
