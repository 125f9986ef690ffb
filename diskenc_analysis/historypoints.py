"""How many VMs were under Azure Disk Encryption at each capture of a history, for the run-out line."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date

import narwhals as nw

from diskenc_analysis import history
from diskenc_analysis.frames import key_of, lazy, rows_of
from diskenc_analysis.historysums import captures
from diskenc_analysis.run_out import Point


@dataclass(frozen=True)
class Counted:
    """The counts of a history.

    Attributes
    ----------
    points : tuple of Point
        One per capture that can be compared with the newest, by date.
    left_out : int
        Captures that read other parts than the newest: their counts would feign progress, or hide it.

    Examples
    --------
    >>> Counted((), 0).left_out
    0
    """

    points: tuple[Point, ...]
    left_out: int


def of_history(folder: str | os.PathLike[str]) -> Counted:
    """Count the VMs that are known to be under Azure Disk Encryption, capture by capture.

    Parameters
    ----------
    folder : path
        A history, as `diskenc history add` makes it.

    Returns
    -------
    Counted

    Raises
    ------
    UnreadableInputError
        When the folder is no history, or holds no capture.
    """
    frame = lazy(history.read(folder))
    told = sorted(rows_of(lazy(captures(nw.to_native(frame))).select(history.DATE, "unread")))
    unread = {str(day): text for day, text in told}
    alike = [day for day, text in unread.items() if text == told[-1][1]]
    on = frame.filter(nw.col("ade") == "on", nw.col("attachment") == "attached", ~nw.col("vm_id").is_null())
    vms = on.select(day=nw.col(history.DATE), vm=key_of("vm_id")).unique()
    counts = {str(day): int(n) for day, n in rows_of(vms.group_by("day").agg(nw.len()))}
    points = tuple(Point(date.fromisoformat(day), counts.get(day, 0)) for day in alike)
    return Counted(points, len(unread) - len(alike))
