"""The groups of a chart: the first of them, and the rest summed as others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from diskenc_analysis.errors import ParameterError, UnknownNameError
from diskenc_analysis.plainrows import Row, rows

#: What a summary holds beside its groups.
_NUMBERS = (
    *("capability", "weight", "yes", "no", "not_applicable", "unknown", "total"),
    *("share", "share_low", "share_high", "disks", "gib"),
)


def cut(groups: Sequence[tuple[Any, Any]], top: int, add: Callable[..., Any]) -> tuple[list[Any], str]:
    """Keep the first groups and sum the rest into one named others.

    Parameters
    ----------
    groups : sequence of (name, counts)
        In the order of the chart.
    top : int
        How many keep their own row.
    add : callable
        Sums a list of counts.

    Returns
    -------
    groups : list of (name, counts)
        At most `top` and one.
    note : str
        What the title has to say of it; empty where all are shown.

    Examples
    --------
    >>> cut([("a", {"x": 1}), ("b", {"x": 2}), ("c", {"x": 3})], 1, add_counts)
    ([('a', {'x': 1}), ('others (2)', {'x': 5.0})], ' (1 of 3, the rest as others)')
    """
    if len(groups) <= top:
        return list(groups), ""
    rest = [counts for _, counts in groups[top:]]
    shown = [*groups[:top], (f"others ({len(rest)})", add(rest))]
    return shown, f" ({top} of {len(groups)}, the rest as others)"


def add_counts(found: Sequence[dict[str, float]]) -> dict[str, float]:
    """Sum counts key by key.

    Examples
    --------
    >>> add_counts([{"x": 1.0}, {"x": 2.0, "y": 1.0}])
    {'x': 3.0, 'y': 1.0}
    """
    keys = dict.fromkeys(key for counts in found for key in counts)
    return {key: float(sum(counts.get(key, 0.0) for counts in found)) for key in keys}


def read_summary(
    frame: Any, by: str | None, *needed: str, made_by: str = "de.summarize(cov, by=...)"
) -> tuple[list[Row], str]:
    """Read a summary and find the column that holds its groups.

    Parameters
    ----------
    frame : frame or list of dict
        A row per group, and per what else is needed.
    by : str, optional
        The column, where it is named; else the one that the summary has beside its own.
    *needed : str
        Columns that it must have beside.
    made_by : str
        The call that makes such a summary, for the error.

    Returns
    -------
    list of dict, str
        The rows and the column; the subscription of no rows, and where it is one of several.

    Raises
    ------
    ParameterError
        When it holds a row per disk, or more than one column of groups.
    UnknownNameError
        When a column is missing.

    Examples
    --------
    >>> read_summary([{"location": "x", "method": "host", "disks": 2}], None, "method", "disks")[1]
    'location'
    """
    found = summary_rows(frame, *([by] if by else []), *needed, made_by=made_by)
    own = {*needed, *_NUMBERS}
    groups = [name for name in found[0] if name not in own] if found and not by else []
    default = by or ("subscription_name" if "subscription_name" in groups or not found else "")
    if not default and len(groups) != 1:
        said = f"name the one that holds the groups, by={groups[0]!r}" if groups else f"draw {made_by}"
        raise ParameterError(f"expected a summary with one column of groups, got {len(groups)}: {said}")
    return found, default or groups[0]


def summary_rows(frame: Any, *needed: str, made_by: str) -> list[Row]:
    """Read a summary with the columns it must have, and refuse a frame of disks."""
    found = rows(frame)
    if found and "disk_id" in found[0]:
        raise ParameterError(f"expected a summary, got a row per disk: draw {made_by}")
    missing = [name for name in needed if found and name not in found[0]]
    if missing:
        raise UnknownNameError.of("column of the summary", missing[0], found[0])
    return found
