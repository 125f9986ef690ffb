"""The figures about what changed between two captures, from counts and never from raw rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from diskenc_analysis.bars import count_bars
from diskenc_analysis.drift_causes import cause_labels
from diskenc_analysis.drift_rules import kinds
from diskenc_analysis.editions import capabilities
from diskenc_analysis.legend import Part
from diskenc_analysis.look import blank
from diskenc_analysis.plainrows import rows
from diskenc_analysis.text import capability_label, number

__all__ = ["by_capability", "by_cause"]
_LOOKS = {
    "regression": ("#D55E00", ""),
    "exposed": ("#E69F00", "x"),
    "no_longer_known": ("#CC79A7", "\\"),
    "reading": ("#8A8F98", "/"),
    "improvement": ("#0072B2", ""),
    "now_known": ("#56B4E9", "."),
    "scope": ("rgba(138,143,152,0.28)", ""),
    "changed": ("#009E73", "-"),
}


def _parts() -> list[Part]:
    return [Part(name, kinds()[name]["label"], *look) for name, look in _LOOKS.items()]


def by_capability(counts: Any) -> go.Figure:
    """Draw how many disks changed in which direction, by capability.

    Parameters
    ----------
    counts : frame or list of dict
        `drift_words.counts(found, ("change", "what", "direction"))`.

    Returns
    -------
    plotly Figure
        One bar per capability that changed, in the order of the matrix.

    Examples
    --------
    >>> row = {"change": "capability", "what": "caches", "direction": "regression", "disks": 2}
    >>> by_capability([row]).data[0].name
    'Regression'
    """
    title = "What changed, by capability"
    found = [row for row in rows(counts) if row["change"] == "capability" and row["direction"] in _LOOKS]
    groups: dict[str, dict[str, float]] = {}
    for row in found:
        counted = groups.setdefault(row["what"], {})
        counted[row["direction"]] = counted.get(row["direction"], 0.0) + float(row["disks"])
    named = [(capability_label(name), groups[name]) for name in capabilities() if name in groups]
    figure = _drawn(named, title, "Capability")
    per_vm = [capability_label(name) for name, one in capabilities().items() if one.counted_per == "vm"]
    if named:
        figure.layout.meta["alt"] += (
            f" {' and '.join(per_vm)} are answers of a VM, counted on each of its disks."
        )
    return figure


def by_cause(counts: Any, top: int = 25) -> go.Figure:
    """Draw why capabilities changed.

    Parameters
    ----------
    counts : frame or list of dict
        `drift_words.counts(found, ("change", "cause", "direction"))`.
    top : int
        Causes shown; the others are one bar.

    Returns
    -------
    plotly Figure
        One bar per cause, that with the most regressions first.

    Examples
    --------
    >>> row = {"change": "capability", "cause": "resized", "direction": "improvement", "disks": 2}
    >>> by_cause([row]).data[0].x
    (2.0,)
    """
    found = [row for row in rows(counts) if row["change"] == "capability" and row["direction"] in _LOOKS]
    groups: dict[str, dict[str, float]] = {}
    for row in found:
        counted = groups.setdefault(str(cause_labels().get(row["cause"], row["cause"])), {})
        counted[row["direction"]] = counted.get(row["direction"], 0.0) + float(row["disks"])
    ordered = sorted(groups.items(), key=lambda item: (_order(item[1]), item[0]))
    shown, rest = ordered[:top], ordered[top:]
    if rest:
        names = dict.fromkeys(name for _, counted in rest for name in counted)
        added = {name: sum(counted.get(name, 0.0) for _, counted in rest) for name in names}
        shown = [*shown, (f"others ({len(rest)})", added)]
    figure = _drawn(shown, "Why it changed", "Cause")
    if shown:
        figure.layout.meta["alt"] = _causes_alt(shown)
    return figure


_TOLD = {"regression": "Regressions", "improvement": "Improvements", "reading": "Only read differently"}


def _causes_alt(shown: Sequence[tuple[object, dict[str, float]]]) -> str:
    """Say which causes brought most of each direction; the sums stand with the other chart."""
    found = []
    for direction, words in _TOLD.items():
        counted = [(name, counts[direction]) for name, counts in shown if counts.get(direction)]
        most = sorted(counted, key=lambda item: -item[1])[:_MOST]
        if most and direction != "reading":
            found.append(f"{words} by cause: {', '.join(f'{name} {number(n)}' for name, n in most)}.")
        elif most:
            found.append(f"{words}: {number(sum(n for _, n in counted))}.")
    return " ".join(found) or f"The first cause is {shown[0][0]}."


_MOST = 4


def _order(counted: dict[str, float]) -> tuple[float, ...]:
    return tuple(-counted.get(name, 0.0) for name in _LOOKS)


def _drawn(groups: Sequence[tuple[object, dict[str, float]]], title: str, heading: str) -> go.Figure:
    if not groups:
        return blank(title, "no answer differs")
    figure = count_bars(groups, _parts(), "answer", (title, heading))
    figure.update_xaxes(title_text="Answers of disks")
    return figure
