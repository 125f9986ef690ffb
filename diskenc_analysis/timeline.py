"""When waves can be done: one maintenance window after the other, against the day of the retirement."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from diskenc_analysis.errors import ParameterError
from diskenc_analysis.migration_tables import RETIREMENT
from diskenc_analysis.waves import Wave

_DAY = 24.0
_FAR = 36_500  # days: a schedule beyond a hundred years has no date


@dataclass(frozen=True)
class Slot:
    """The window of one wave.

    Attributes
    ----------
    wave : Wave
        What is moved in it.
    day : date or None
        The day that it begins on; None where no first day is stated, or it lies beyond a hundred years.
    left : int
        How many VMs are left to be moved after it.
    late : bool or None
        Whether it ends on the day of the retirement or later; None where its day or its hours are not known.

    Examples
    --------
    >>> Slot(Wave(1, "a", (), 4.0, True), date(2028, 9, 14), 0, False).late
    False
    """

    wave: Wave
    day: date | None
    left: int
    late: bool | None


def schedule(made: Sequence[Wave], first: date | None, every: int = 7) -> tuple[Slot, ...]:
    """Give each wave a window, in their order, the first one on a stated day.

    Parameters
    ----------
    made : sequence of Wave
        As `waves` gives them.
    first : date or None
        Day of the first window. The clock is never asked: without a day nothing is dated.
    every : int
        Days from one window to the next. A wave that is longer than that takes the next window besides.

    Returns
    -------
    tuple of Slot

    Raises
    ------
    ParameterError
        When `every` is below 1.

    Examples
    --------
    >>> two = [Wave(1, "a", ({},), 4.0, True), Wave(2, "a", ({},), 4.0, True)]
    >>> [(str(slot.day), slot.left) for slot in schedule(two, date(2027, 1, 4))]
    [('2027-01-04', 1), ('2027-01-11', 0)]
    """
    if every < 1:
        raise ParameterError(f"expected 1 or more days between windows, got {every}")
    left, ahead, found = sum(len(wave.machines) for wave in made), 0, []
    for wave in made:
        left -= len(wave.machines)
        day = None if first is None or ahead > _FAR else first + timedelta(ahead)
        found.append(Slot(wave, day, left, _late(wave, day)))
        ahead += every * max(1, math.ceil((wave.hours or 0.0) / (_DAY * every)))
    return tuple(found)


def _late(wave: Wave, day: date | None) -> bool | None:
    if day is None:
        return None
    if day >= RETIREMENT:
        return True
    return None if wave.hours is None else day + timedelta(math.ceil(wave.hours / _DAY) - 1) >= RETIREMENT
