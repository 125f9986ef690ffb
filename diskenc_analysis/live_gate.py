"""Politeness: how many calls are under way, and when the next may start.

Two policies of the SDK's pipeline. `Patience` is the SDK's own retry, to which a throttle is no failure.
`Gate` stands inside of it, lets a bounded number of calls through, halves that number when Azure throttles,
lets it grow again by one per round of good replies, and holds a subscription (or Resource Graph) back for as
long as Azure asked, before the next call would be refused.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from threading import Condition, Event
from typing import Any

from azure.core.exceptions import ServiceResponseError
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import HTTPPolicy, RetryPolicy

_THROTTLED = 429
_TENANT = "tenant"
_LEFT, _RESETS = "x-ms-user-quota-remaining", "x-ms-user-quota-resets-after"
_TICK = 0.25
#: Seconds that a call may take with all its waits: to be asked to wait longer is a refusal.
_PATIENCE = 3600
_MINUTE = 60


class StoppedError(Exception):
    """The collection was told to stop while a call waited."""


@dataclass
class _Lane:
    """What Azure throttles as one: the calls to a subscription, or the queries of the sign-in."""

    busy: int = 0
    held_until: float = 0.0
    most: int = 0
    left: int = 0
    resets_at: float = 0.0

    def waits(self, now: float) -> float:
        """Give the seconds until a call may start; a new window of the quota is as large as the last."""
        if self.most and now >= self.resets_at:
            self.left = self.most
        spent = self.most and self.left <= self.busy
        return max(self.held_until - now, max(self.resets_at - now, _TICK) if spent else 0.0)

    def note(self, left: int, resets_after: float, now: float) -> None:
        """Take a reading of the quota; replies overtake each other, so within a window the least counts."""
        self.left = min(left, self.left) if now < self.resets_at else left
        self.most, self.resets_at = max(self.most, left + 1), now + resets_after


@dataclass(eq=False)
class Gate(HTTPPolicy[Any, Any]):
    """Lets a bounded number of calls through, fewer when Azure throttles.

    Attributes
    ----------
    most : int
        Most calls under way.
    stop : Event
        Once set, no further call starts.
    calls, throttled : int
        Calls sent and 429s met so far.
    limit : float
        Calls that may be under way now.
    lowest : float
        The least that `limit` has been.
    ahead : float
        Seconds by which Azure's clock was last ahead of this machine's; less than a minute is none.
    """

    most: int
    stop: Event = field(default_factory=Event)
    calls: int = 0
    throttled: int = 0
    limit: float = field(init=False)
    lowest: float = field(init=False)
    ahead: float = 0.0
    _busy: int = 0
    _fell_at: float = 0.0
    _lanes: dict[str, _Lane] = field(default_factory=dict)
    _turn: Condition = field(default_factory=Condition)

    def __post_init__(self) -> None:
        self.limit = self.lowest = float(self.most)

    def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """Send a request when its turn has come, and learn from the reply.

        Raises
        ------
        ServiceResponseError
            When the reply is no whole JSON text, so that the retry asks again.
        StoppedError
            When `stop` is set.
        """
        lane = self._lane(request.http_request.url)
        with self._passage(lane) as started:
            response = self.next.send(request)
            self._learn(lane, response, started)
        reply = response.http_response
        if reply.status_code < 300:  # noqa: PLR2004 - HTTP
            try:
                reply.json()
            except (ValueError, RecursionError) as error:
                raise ServiceResponseError("the reply is no JSON text", error=error) from error
        return response

    def pause(self, seconds: float) -> None:
        """Wait between two tries of a call; `stop` ends it."""
        if self.stop.wait(seconds):
            raise StoppedError

    def _lane(self, url: str) -> _Lane:
        found = re.search(r"/subscriptions/([^/?]+)", url, re.IGNORECASE)
        with self._turn:
            return self._lanes.setdefault(found[1].lower() if found else _TENANT, _Lane())

    @contextmanager
    def _passage(self, lane: _Lane) -> Iterator[float]:
        with self._turn:
            while (wait := lane.waits(time.monotonic())) > 0 or self._busy >= int(self.limit):
                if self.stop.is_set():
                    raise StoppedError
                self._turn.wait(min(wait, _TICK) if wait > 0 else _TICK)
            if self.stop.is_set():
                raise StoppedError
            self._busy += 1
            lane.busy += 1
            self.calls += 1
        try:
            yield time.monotonic()
        finally:
            with self._turn:
                self._busy -= 1
                lane.busy -= 1
                self._turn.notify_all()

    def _learn(self, lane: _Lane, response: PipelineResponse[Any, Any], started: float) -> None:
        headers, now = response.http_response.headers, time.monotonic()
        with self._turn:
            self.ahead = _ahead(headers.get("Date", ""), self.ahead)
            if (left := headers.get(_LEFT, "")).isdecimal():
                lane.note(int(left), _seconds(headers.get(_RESETS, "")), now)
            if response.http_response.status_code != _THROTTLED:
                self.limit = min(self.most, self.limit + 1 / self.limit)
                return
            self.throttled += 1
            asked = Patience.asked_to_wait(response) or 0.0
            lane.held_until = max(lane.held_until, now + (asked if asked <= _PATIENCE else 0.0))
            if started >= self._fell_at:  # the calls of one round fall together, once
                self.limit, self._fell_at = max(1.0, self.limit / 2), now
                self.lowest = min(self.lowest, self.limit)


class Patience(RetryPolicy[Any, Any]):
    """The SDK's retry, to which a throttled call is no failure: only `timeout` ends it."""

    def __init__(self, gate: Gate, retries: int) -> None:
        super().__init__(
            retry_total=retries,
            retry_status=retries,
            retry_connect=retries,
            retry_read=retries,
            retry_backoff_max=60,
            timeout=_PATIENCE,
        )
        self._gate = gate

    @staticmethod
    def asked_to_wait(response: PipelineResponse[Any, Any]) -> float | None:
        """Give the seconds that a reply asks to wait, or None where it does not, or in an odd way."""
        headers = response.http_response.headers
        if until := _when(headers.get("Retry-After", "")):  # by Azure's clock, whatever ours says
            return max(0.0, until - (_when(headers.get("Date", "")) or time.time()))
        try:
            asked = RetryPolicy().get_retry_after(response)
        except (ValueError, OverflowError):
            return None
        return asked if asked is not None and math.isfinite(asked) else None

    def is_retry(self, settings: dict[str, Any], response: PipelineResponse[Any, Any]) -> bool:
        """Say whether to try again: not where that would be too long to wait for."""
        return (self.asked_to_wait(response) or 0.0) <= _PATIENCE and super().is_retry(settings, response)

    def increment(
        self, settings: dict[str, Any], response: Any = None, error: Exception | None = None
    ) -> bool:
        """Count a try, unless the call was only throttled."""
        reply = getattr(response, "http_response", None)
        if reply is not None and reply.status_code == _THROTTLED:
            settings["total"] += 1
            settings["status"] += 1
        return super().increment(settings, response, error)

    def sleep(self, settings: dict[str, Any], transport: Any, response: Any = None) -> None:  # noqa: ARG002
        """Wait as long as the reply asks, or longer from try to try; in a way that can be stopped."""
        asked = self.asked_to_wait(response) if response else None
        self._gate.pause(asked if asked is not None else self.get_backoff_time(settings))


def _ahead(date: str, otherwise: float) -> float:
    """Say by how many seconds a date is ahead of this machine's clock.

    Examples
    --------
    >>> _ahead("soon", 5.0), _ahead("Thu, 01 Jan 1970 00:00:00 GMT", 0.0) < -1e9
    (5.0, True)
    """
    told = _when(date)
    if told is None:
        return otherwise
    found = told - time.time()
    return found if abs(found) >= _MINUTE else 0.0


def _when(date: str) -> float | None:
    """Read a date of HTTP as seconds since 1970; None where it is something else."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def _seconds(text: str) -> float:
    """Read `hh:mm:ss`, of at most an hour.

    Examples
    --------
    >>> _seconds("00:00:05"), _seconds("")
    (5.0, 0.0)
    """
    found = re.fullmatch(r"(\d+):(\d+):(\d+(?:\.\d+)?)", text.strip())
    asked = int(found[1]) * 3600 + int(found[2]) * 60 + float(found[3]) if found else 0.0
    return min(asked, float(_PATIENCE))
