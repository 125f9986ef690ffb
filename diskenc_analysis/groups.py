"""The groups of a chart: the first of them, and the rest summed as others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


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
