"""The waterfall of a what-if: the count before, what each group gains or loses, and the count after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from diskenc_analysis.bars import AXIS_LABEL, whole_ticks
from diskenc_analysis.look import LINE_HEIGHT, blank, describe, size
from diskenc_analysis.plainrows import Row, rows
from diskenc_analysis.text import amount, capability_label, clean, label, noun, number

__all__ = ["what_if_waterfall"]
TOP = 25
_PLUS, _MINUS = "+", "\u2212"
_GAIN, _LOSS, _TOTAL = "#0072B2", "#D55E00", "#8A8F98"


def what_if_waterfall(
    gains: Any, by: str = "subscription_name", capability: str | None = None, top: int = TOP
) -> go.Figure:
    """Draw how the count of yes changes, group by group.

    Parameters
    ----------
    gains : list of dict
        `WhatIf.gains(by=..., capability=...)`.
    by : str
        The column that holds the groups.
    capability : str, optional
        Which capability, where the gains hold several: the one that changes most if none is named.
    top : int
        Groups shown, the largest changes first; the rest is one bar named others.

    Returns
    -------
    plotly Figure
        A bar before, one for each group that changes, and one after. What is unknown stands in the numbers
        and in the text: it is no yes.

    Examples
    --------
    >>> row = {"capability": "caches", "weight": "disks", "total": 4, "location": "north"}
    >>> row |= {"yes_before": 1, "yes_after": 3, "no_before": 2, "no_after": 0}
    >>> figure = what_if_waterfall([row | {"unknown_before": 1, "unknown_after": 1}], by="location")
    >>> list(figure.data[0].x)
    [1.0, 2.0, 3.0]
    """
    found = [row for row in rows(gains) if row["total"]]
    name = capability or _most(found)
    if not name:
        return blank("What the change would buy", "nothing would change")
    mine = [row for row in found if row["capability"] == name]
    title = f"{capability_label(name)}: yes before and after, by {noun(by)}"
    steps = sorted((row for row in mine if _step(row)), key=lambda row: (-abs(_step(row)), str(row[by])))
    shown = [(clean(row[by]), _step(row)) for row in steps[:top]]
    if rest := steps[top:]:
        shown.append((f"others ({len(rest)})", sum(map(_step, rest))))
    first, last = (sum(float(row[f"yes_{when}"]) for row in mine) for when in ("before", "after"))
    return _drawn(first, last, shown, mine, (by, title))


def _most(found: Sequence[Row]) -> str:
    """Name the capability that changes most; the first of them where several do."""
    sums: dict[str, float] = {}
    for row in found:
        sums[row["capability"]] = sums.get(row["capability"], 0.0) + abs(_step(row))
    return max(sums, key=lambda name: sums[name]) if any(sums.values()) else ""


def _step(row: Row) -> float:
    return float(row["yes_after"]) - float(row["yes_before"])


def _drawn(
    first: float,
    last: float,
    steps: Sequence[tuple[str, float]],
    mine: Sequence[Row],
    words: tuple[str, str],
) -> go.Figure:
    by, title = words
    weight = mine[0]["weight"] if mine else "disks"
    names = ["Before", *(name for name, _ in steps), "After"]
    values = [first, *(step for _, step in steps), last]
    count = len(names)
    told = [number(first), *(_signed(step) for _, step in steps), number(last)]
    figure = go.Figure()
    figure.add_waterfall(
        orientation="h",
        measure=["absolute", *("relative" for _ in steps), "total"],
        x=values,
        y=list(range(count)),
        text=told,
        textposition="outside",
        cliponaxis=False,
        hovertext=[f"<b>{label(n)}</b><br>{t}" for n, t in zip(names, told, strict=True)],
        hoverinfo="text",
        increasing={"marker": {"color": _GAIN}},
        decreasing={"marker": {"color": _LOSS}},
        totals={"marker": {"color": _TOTAL}},
        connector={"line": {"color": _TOTAL, "width": 1}},
        showlegend=False,
    )
    figure.update_yaxes(tickmode="array", tickvals=list(range(count)))
    figure.update_yaxes(ticktext=[label(name, AXIS_LABEL) for name in names])
    figure.update_yaxes(range=[count - 0.5, -0.5], showgrid=False, zeroline=False, ticklabelstandoff=6)
    figure.update_xaxes(rangemode="tozero", title_text=_unit(weight), **whole_ticks(max(first, last)))
    figure.update_layout(margin_r=72)
    size(figure, count, head=LINE_HEIGHT // 2)
    table = [[name, text] for name, text in zip(names, told, strict=True)]
    return describe(
        figure, title, _alt(first, last, steps, mine, weight), [noun(by).capitalize(), "Yes"], table
    )


def _signed(step: float) -> str:
    return f"{_PLUS if step > 0 else _MINUS}{number(abs(step))}"


def _unit(weight: str) -> str:
    return {"vms": "VMs", "gib": "GiB"}.get(weight, "Disks")


def _alt(
    first: float, last: float, steps: Sequence[tuple[str, float]], mine: Sequence[Row], weight: str
) -> str:
    dark = [sum(float(row[f"unknown_{when}"]) for row in mine) for when in ("before", "after")]
    said = f"Yes for {amount(first, weight)} before and {number(last)} after"
    parts = "; ".join(f"{name} {_signed(step)}" for name, step in steps[:5]) or "no group changes"
    return f"{said}: {parts}. Unknown: {number(dark[0])} before, {number(dark[1])} after."
