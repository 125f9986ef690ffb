"""The pace of coverage: where a target would be met if it went on as it did, and what that assumes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

Row = Mapping[str, Any]
#: Later dates are no forecast.
_FURTHEST = 3650


@dataclass(frozen=True)
class Pace:
    """How a capability went, and when a target would be met.

    Attributes
    ----------
    capability : str
        One of the ten.
    since, until : str
        Dates of the two captures that the pace is taken from; empty where there are none.
    then, now : float or None
        The low bounds of the share at these dates.
    met_on : str
        The first date at which the target would be met, or empty.
    said : str
        All of it in words, with the reason where there is no date.
    """

    capability: str
    since: str = ""
    until: str = ""
    then: float | None = None
    now: float | None = None
    met_on: str = ""
    said: str = ""

    @property
    def per_month(self) -> float | None:
        """The change in 30 days, as a fraction."""
        if self.then is None or self.now is None or self.since == self.until:
            return None
        return (self.now - self.then) / _days(self.since, self.until) * 30


def pace(
    rows: Sequence[Row], captures: Sequence[Row], capability: str, target: float = 95, window: int = 90
) -> Pace:
    """Extend the pace of the last captures to a target.

    Parameters
    ----------
    rows : sequence of mappings
        As `historysums.sums` gives them, of all disks: `capture_date`, `capability`, `yes`, `no`, `unknown`.
    captures : sequence of mappings
        As `historysums.captures` gives them.
    capability : str
        One of the ten.
    target : float
        Share in per cent, that the low bound is to reach.
    window : int
        Days before the last capture, within which the pace is taken.

    Returns
    -------
    Pace
        From the first to the last capture in the window which were read whole, and judged by the edition of
        the last one: what was not read, or is judged otherwise, is no pace.

    Examples
    --------
    >>> days = [{"capture_date": f"2026-11-{day}", "edition": "e", "unread": ""} for day in (10, 20)]
    >>> counts = [{"yes": 50, "no": 40, "unknown": 10}, {"yes": 60, "no": 40, "unknown": 0}]
    >>> rows = [a | b | {"capability": "caches"} for a, b in zip(days, counts)]
    >>> pace(rows, days, "caches", target=70).met_on
    '2026-11-30'
    """
    aim = Fraction(str(target)) / 100
    whole = {row["capture_date"]: row["edition"] for row in captures if not row["unread"]}
    found = [(row["capture_date"], _low(row)) for row in rows if row["capability"] == capability]
    known = [(day, low) for day, low in found if day in whole and low is not None]
    if not known:
        return Pace(capability, said="No capture that was read whole asks this of any disk.")
    until, now = known[-1]
    known = [(d, low) for d, low in known if whole[d] == whole[until] and _days(d, until) <= window]
    since, then = known[0]
    told = Pace(capability, since, until, float(then), float(now))
    return _with_words(told, then, now, aim, window)


def _with_words(told: Pace, then: Fraction, now: Fraction, aim: Fraction, window: int) -> Pace:
    goal = f"{float(aim * 100):g}%"
    if now >= aim:
        return _said(told, f"At least {_percent(now)} on {told.until}: {goal} is met.")
    if told.since == told.until:
        return _said(told, f"No pace: only the capture of {told.until} within {window} days is comparable.")
    ends = f"From {told.since} to {told.until} the low bound went from {_percent(then)} to {_percent(now)}"
    if now <= then:
        return _said(told, f"{ends}: at that pace {goal} is never met.")
    days = math.ceil((aim - now) / (now - then) * _days(told.since, told.until))
    if days > _FURTHEST:
        return _said(told, f"{ends}: at that pace {goal} is more than ten years away.")
    met = (date.fromisoformat(told.until) + timedelta(days=days)).isoformat()
    return _said(told, f"{ends}: at that pace {goal} is met on {met}.", met)


def _said(told: Pace, words: str, met_on: str = "") -> Pace:
    values = (told.capability, told.since, told.until, told.then, told.now)
    return Pace(*values, met_on=met_on, said=words)


def _low(row: Row) -> Fraction | None:
    """Work the low bound out of the counts, without the rounding of a float."""
    asked = int(row["yes"] + row["no"] + row["unknown"])
    return Fraction(int(row["yes"]), asked) if asked else None


def _percent(share: Fraction) -> str:
    return f"{math.floor(share * 1000) / 10:g}%"


def _days(since: str, until: str) -> int:
    return (date.fromisoformat(until) - date.fromisoformat(since)).days


def thinned(dates: Sequence[str], most: int) -> list[str]:
    """Take dates evenly, the first and the last among them.

    Parameters
    ----------
    dates : sequence of str
        In order.
    most : int
        How many, 2 or more.

    Returns
    -------
    list of str

    Examples
    --------
    >>> thinned(["a", "b", "c", "d", "e"], 3)
    ['a', 'c', 'e']
    """
    if len(dates) <= most:
        return list(dates)
    return [dates[round(at * (len(dates) - 1) / (most - 1))] for at in range(most)]
