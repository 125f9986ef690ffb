"""Where the way out of Azure Disk Encryption stands: what is left, what became of it, when it would end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import narwhals as nw

from diskenc_analysis.errors import ParameterError
from diskenc_analysis.frames import lazy
from diskenc_analysis.historypoints import Counted, of_history
from diskenc_analysis.migration import ade_migration
from diskenc_analysis.opening import read
from diskenc_analysis.plainrows import count_rows
from diskenc_analysis.progress import ade_progress
from diskenc_analysis.run_out import Point, RunOut, captured, parse_points, run_out
from diskenc_analysis.waves import MACHINES

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory


@dataclass(frozen=True)
class Outlook:
    """What is left, and how it came to that.

    Attributes
    ----------
    left : int
        VMs and instances known to be under Azure Disk Encryption.
    unsure : int
        Those of which it is not known.
    progress : frame or None
        As `ade_progress` gives it; None where there is no earlier inventory.
    line : RunOut
        The run-out line.
    left_out : int
        Captures of the history that cannot be compared; see `historypoints`.
    """

    left: int
    unsure: int
    progress: Any
    line: RunOut
    left_out: int = 0


def machines(plan: Any, state: str) -> int:
    """Count the VMs and instances of a plan that are in a state.

    Parameters
    ----------
    plan : frame
        As `ade_migration` gives it.
    state : str
        Such as `on`.
    """
    found = lazy(plan).filter(nw.col("kind").is_in(MACHINES), nw.col("state") == state)
    return count_rows(nw.to_native(found))


def outlook(
    inv: Inventory,
    plan: Any,
    as_of: str = "",
    *,
    baseline: str = "",
    baseline_as_of: str = "",
    points: str = "",
    history: str = "",
) -> Outlook:
    """Look back and ahead.

    Parameters
    ----------
    inv : Inventory
        As it is now.
    plan : frame
        `ade_migration(inv)`.
    as_of : str
        The day that it speaks for, as YYYY-MM-DD; empty for that of its newest file.
    baseline : str
        An earlier inventory of the same tenant: file, folder or pattern; empty for none.
    baseline_as_of : str
        The day that it speaks for; as for `as_of`.
    points : str
        More counts, as `run_out.parse_points` reads them.
    history : str
        A folder of `diskenc history` that gives more counts; empty for none.

    Returns
    -------
    Outlook
        A count whose day is not known is left out of the line.

    Raises
    ------
    UnreadableInputError
        When the earlier inventory cannot be read or holds no disks, or the folder is no history.
    ParameterError
        When the counts are written otherwise, or two of one day differ, or the earlier inventory is of
        a later day.
    """
    left = machines(plan, "on")
    counted = [(captured(inv, as_of), left)]
    progress = None
    if baseline:
        earlier = read(baseline, inv.engine)
        earlier.require_disks()
        then = ade_migration(earlier)
        day = captured(earlier, baseline_as_of)
        _in_order(day, counted[0][0])
        counted.append((day, machines(then, "on")))
        progress = ade_progress(inv, earlier, plan, then)
    known = [Point(day, vms) for day, vms in counted if day is not None]
    past = of_history(history) if history else Counted((), 0)
    line = run_out([*parse_points(points), *past.points, *known])
    return Outlook(left, machines(plan, "unknown"), progress, line, past.left_out)


def _in_order(then: date | None, now: date | None) -> None:
    if then and now and then > now:
        raise ParameterError(f"baseline: expected an inventory of {now} or before, got one of {then}")
