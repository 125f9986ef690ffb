"""Effort of a migration by stated assumptions, and waves that fit a maintenance window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import narwhals as nw

from diskenc_analysis.errors import ParameterError
from diskenc_analysis.frames import lazy
from diskenc_analysis.grouping import group_of
from diskenc_analysis.plainrows import Row, rows

MACHINES = ("vm", "instance")
#: Classes of size in GiB, each up to and including its number.
_SIZES = (128.0, 512.0, 2048.0)


@dataclass(frozen=True)
class Effort:
    """The assumptions behind hours; none of them is measured, and a report prints them all.

    Attributes
    ----------
    mib_per_second : float
        Throughput of the copy of one VM's disks.
    upload_hours, rebuild_hours, replace_hours : float
        Fixed steps of a path, in hours of one VM; the time of decryption is not known.
    window_hours : float
        Length of a maintenance window.
    parallel : int
        How many VMs are moved at once in it.

    Raises
    ------
    ParameterError
        When a number is not above nought.

    Examples
    --------
    >>> Effort(mib_per_second=100).hours({"path": "upload", "gib": 351.5625, "unsized": 0})
    3.0
    """

    mib_per_second: float = 100.0
    upload_hours: float = 2.0
    rebuild_hours: float = 16.0
    replace_hours: float = 1.0
    window_hours: float = 8.0
    parallel: int = 4

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value <= 0:
                raise ParameterError(f"{field.name}: expected a number above 0, got {value}")

    def hours(self, row: Row) -> float | None:
        """Give hours = GiB / throughput + fixed steps; None where a size or the path is not known.

        What is replaced or rebuilt is not copied disk by disk, so its GiB do not count.
        """
        fixed = {
            "upload": self.upload_hours,
            "rebuild": self.rebuild_hours,
            "replace_host": self.replace_hours,
            "replace_set": self.replace_hours,
        }.get(row["path"])
        if fixed is None or (row["path"] == "upload" and row["unsized"]):
            return None
        return fixed + (row["gib"] * 1024 / self.mib_per_second / 3600 if row["path"] == "upload" else 0.0)

    def lines(self) -> list[Row]:
        """Give every assumption with its value, for a table."""
        return [{"Assumption": name, "Value": float(value)} for name, value in asdict(self).items()]


@dataclass(frozen=True)
class Wave:
    """VMs that are moved in one window.

    Attributes
    ----------
    number : int
        From 1 on.
    group : str
        Subscription, tag value or class of size.
    machines : tuple of dict
        Rows of the plan, each with `hours` besides (float, or None where it is not known).
    hours : float or None
        How long the wave takes with as many VMs at once as the assumptions say.
    fits : bool or None
        Whether that is within the window; None where it is not known.
    """

    number: int
    group: str
    machines: tuple[Row, ...]
    hours: float | None
    fits: bool | None


def waves(plan: Any, by: str = "subscription_name", effort: Effort | None = None) -> tuple[Wave, ...]:
    """Put the VMs that are under Azure Disk Encryption into waves.

    Parameters
    ----------
    plan : frame
        As `ade_migration` gives it, of any engine.
    by : str
        A column of the plan, `tag:NAME`, or `size` (classes of GiB). A wave holds VMs of one group.
    effort : Effort, optional
        The assumptions.

    Returns
    -------
    tuple of Wave
        By group; in each what nothing blocks comes first, then the shorter. VMs that are longer than the
        window share no wave with those that fit; those whose hours are not known are the last wave of their
        group.

    Raises
    ------
    UnknownNameError
        When there is no such column.
    """
    rule = effort or Effort()
    frame = lazy(plan)
    group = nw.lit("") if by == "size" else group_of(frame, by)
    due = frame.with_columns(_group=group).filter(nw.col("kind").is_in(MACHINES), nw.col("state") == "on")
    found = [row | {"hours": rule.hours(row)} for row in rows(due)]
    groups: dict[str, list[Row]] = {}
    for row in sorted(found, key=lambda row: (bool(row["blocked_by"]), row["hours"] or 0.0, row["id"])):
        groups.setdefault(_size_class(row) if by == "size" else row.pop("_group"), []).append(row)
    packed = [(name, part) for name in sorted(groups) for part in _pack(groups[name], rule)]
    return tuple(_wave(at, name, part, rule) for at, (name, part) in enumerate(packed, 1))


def _size_class(row: Row) -> str:
    if row["unsized"]:
        return "4 size not known in full"
    names = [f"{at} up to {limit:,.0f} GiB" for at, limit in enumerate(_SIZES)]
    found = next((name for name, limit in zip(names, _SIZES, strict=True) if row["gib"] <= limit), None)
    return found or f"3 over {_SIZES[-1]:,.0f} GiB"


def _pack(found: Sequence[Row], rule: Effort) -> list[list[Row]]:
    """Fill one wave after the other, each VM into the lane that is free first.

    VMs that are longer than the window stand beside their like, as many as are moved at once.
    """
    parts: list[list[Row]] = []
    lanes: list[float] = []
    long = False
    for row in (row for row in found if row["hours"] is not None):
        over = row["hours"] > rule.window_hours
        room = len(parts[-1]) < rule.parallel if over and parts else _fits(lanes, row, rule)
        if not parts or over != long or not room:
            parts.append([])
            lanes = [0.0] * rule.parallel
        parts[-1].append(row)
        lanes[lanes.index(min(lanes))] += row["hours"]
        long = over
    unknown = [row for row in found if row["hours"] is None]
    return [*parts, unknown] if unknown else parts


def _fits(lanes: Sequence[float], row: Row, rule: Effort) -> bool:
    return bool(lanes) and min(lanes) + row["hours"] <= rule.window_hours


def _wave(number: int, group: str, machines: Sequence[Row], rule: Effort) -> Wave:
    if any(row["hours"] is None for row in machines):
        return Wave(number, group, tuple(machines), None, None)
    lanes = [0.0] * rule.parallel
    for row in machines:
        lanes[lanes.index(min(lanes))] += row["hours"]
    return Wave(number, group, tuple(machines), max(lanes), max(lanes) <= rule.window_hours)
