"""The run-out line: when no VM would be left under Azure Disk Encryption, if the pace stays as it was."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from diskenc_analysis.errors import ParameterError
from diskenc_analysis.migration_tables import RETIREMENT, as_date
from diskenc_analysis.plainrows import rows
from diskenc_analysis.text import amount, number

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

_FORM = "expected DATE=COUNT, parted by semicolons, such as 2026-09-01=40; 2026-10-01=35"
_FAR = 36_500  # days
_MONTH = 30


@dataclass(frozen=True, order=True)
class Point:
    """How many VMs were under Azure Disk Encryption on a day.

    Attributes
    ----------
    day : date
        Of the capture.
    vms : int
        Those known to be under it.
    """

    day: date
    vms: int


@dataclass(frozen=True)
class RunOut:
    """The line through what was counted, drawn on.

    Attributes
    ----------
    points : tuple of Point
        By day, each day once.
    ends : date or None
        When none would be left; None where that is not known, or the count does not fall.
    said : str
        The same in words, with what it assumes.

    Examples
    --------
    >>> run_out([Point(date(2026, 1, 1), 40), Point(date(2026, 1, 11), 30)]).ends
    datetime.date(2026, 2, 10)
    """

    points: tuple[Point, ...]
    ends: date | None
    said: str


def parse_points(text: str) -> list[Point]:
    """Read a list of counts.

    Parameters
    ----------
    text : str
        `DATE=COUNT`, parted by semicolons; empty for none.

    Returns
    -------
    list of Point

    Raises
    ------
    ParameterError
        When a part is written otherwise.

    Examples
    --------
    >>> parse_points("2026-09-01=40; 2026-10-01=35")[1].vms
    35
    """
    return [_point(part.strip()) for part in text.split(";") if part.strip()]


def _point(part: str) -> Point:
    day, _, count = (piece.strip() for piece in part.partition("="))
    if not re.fullmatch(r"\d{1,9}", count, flags=re.ASCII):
        raise ParameterError(f"points: {_FORM}; got {part!r}")
    try:
        return Point(date.fromisoformat(day), int(count))
    except ValueError:
        raise ParameterError(f"points: {_FORM}; got {part!r}") from None


def captured(inv: Inventory, as_of: str = "") -> date | None:
    """Say which day an inventory speaks for: the one stated, else that of its newest file.

    Parameters
    ----------
    inv : Inventory
        As `load` gives it.
    as_of : str
        As YYYY-MM-DD, or empty.

    Returns
    -------
    date or None
        None where no file says when it was made.

    Raises
    ------
    ParameterError
        When `as_of` is no date.
    """
    told = as_date(as_of)
    days = [str(row["captured_at"])[:10] for row in rows(inv.ledger) if row["captured_at"]]
    known = [day for day in days if re.fullmatch(r"\d{4}-\d\d-\d\d", day, flags=re.ASCII)]
    return told or (date.fromisoformat(max(known)) if known else None)


def run_out(points: Iterable[Point]) -> RunOut:
    """Draw the line from the first count to the last on to nought.

    Parameters
    ----------
    points : iterable of Point
        In any order.

    Returns
    -------
    RunOut
        Unknown where fewer than two days were counted.

    Raises
    ------
    ParameterError
        When two counts of one day differ.
    """
    ordered = tuple(sorted(set(points)))
    for one, other in pairwise(ordered):
        if one.day == other.day:
            raise ParameterError(f"points: expected one count for {one.day}, got {one.vms} and {other.vms}")
    if ordered and not ordered[-1].vms:
        day = ordered[-1].day
        return RunOut(ordered, day, f"On {day} no VM is known to be under Azure Disk Encryption.")
    if len(ordered) < 2:  # noqa: PLR2004 - a line needs two points
        said = "When none will be left is not known: a pace needs counts of two days or more"
        return RunOut(ordered, None, f"{said}, and there {'is one' if ordered else 'is none'}.")
    return _drawn(ordered)


def _drawn(points: Sequence[Point]) -> RunOut:
    first, last = points[0], points[-1]
    days, fell = (last.day - first.day).days, first.vms - last.vms
    span = f"From {first.day} to {last.day} the count of VMs under Azure Disk Encryption"
    if fell <= 0:
        how = "rose" if fell < 0 else "did not change"
        said = f"{span} {how} ({number(first.vms)}, then {number(last.vms)}): at that pace there is no end."
        return RunOut(tuple(points), None, said)
    ahead = -(-last.vms * days // fell)  # rounded up
    pace = f"{span} fell from {number(first.vms)} to {number(last.vms)}, "
    pace += f"by {number(fell * _MONTH / days)} in {_MONTH} days. "
    pace += "If that pace stays, and no VM is encrypted anew, "
    if ahead > _FAR:
        return RunOut(tuple(points), None, f"{pace}some are left for more than a hundred years.")
    ends = last.day + timedelta(ahead)
    return RunOut(tuple(points), ends, f"{pace}none is left on {ends}, {_against(ends)}{_needed(last, ends)}")


def _against(ends: date) -> str:
    apart = (RETIREMENT - ends).days
    if not apart:
        return f"on the day of the retirement ({RETIREMENT})."
    side = "before" if apart > 0 else "after"
    days = f"{number(abs(apart))} day{'' if abs(apart) == 1 else 's'}"
    return f"{days} {side} the retirement on {RETIREMENT}."


def _needed(last: Point, ends: date) -> str:
    """Say which pace would do, where the one of the past does not."""
    left = (RETIREMENT - last.day).days
    if ends < RETIREMENT or left <= 0:
        return ""
    return f" In time would be {amount(last.vms * _MONTH / left, 'vms')} in {_MONTH} days."
