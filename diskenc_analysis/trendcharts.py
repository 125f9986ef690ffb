"""The figures about coverage over time, from the sums of a history; what is unknown is a band of its own."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from diskenc_analysis.bars import shares, value
from diskenc_analysis.editions import capabilities
from diskenc_analysis.heat import cell_chart, mean_low
from diskenc_analysis.legend import KEY_OWNERS, METHODS, Part, marker, part_of
from diskenc_analysis.look import blank, describe
from diskenc_analysis.plainrows import Row, rows
from diskenc_analysis.text import bounds, capability_label, clean, label, number, percent
from diskenc_analysis.trend import thinned

__all__ = ["bands", "by_group", "layers"]
_LINE, _BAND, _MARK = "#0072B2", "rgba(138,143,152,0.45)", "#757d87"
#: Months stand so far below the axis that the nought beside them is read apart.
_LOWER: dict[str, Any] = {"ticklabelstandoff": 8}
#: The axis of one capture, whose day would be parted into seconds.
_ONE: dict[str, Any] = {"type": "category"}
_COLUMNS, _HEIGHT, _SHOWN, _CELLS = 2, 168, 24, 12
_PARTS = {"method": METHODS, "key_owner": KEY_OWNERS}
_TITLES = {"method": "Encryption method over time", "key_owner": "Key ownership over time"}


def bands(sums: Any, captures: Any, target: float | None = None) -> go.Figure:
    """Draw the share of yes of each capability over time, with what is unknown as a band above it.

    Parameters
    ----------
    sums : frame or list of dict
        `historysums.sums(history)`.
    captures : frame or list of dict
        `historysums.captures(history)`: where the edition of the matrix changes, a line says so; a point is
        hollow where a capture was not read whole.
    target : float, optional
        Per cent; drawn as a dotted line for the capabilities that protect.

    Returns
    -------
    plotly Figure
        One small chart per capability. The line is what is known to be yes, the top of the band what may be.

    Examples
    --------
    >>> row = {"capture_date": "2026-11-24", "capability": "caches", "yes": 1, "no": 1, "unknown": 2}
    >>> [list(trace.y) for trace in bands([row], []).data[:2]]
    [[25.0], [75.0]]
    """
    title = "Share of yes over time, by capability"
    found = [row for row in rows(sums) if shares(row)[0] is not None]
    if not found:
        return blank(title, "no captures")
    there = {row["capability"] for row in found}
    names = [name for name in capabilities() if name in there]
    lines = -(-len(names) // _COLUMNS)
    figure = make_subplots(
        rows=lines,
        cols=_COLUMNS,
        shared_xaxes=True,
        subplot_titles=[label(capability_label(name)) for name in names],
        horizontal_spacing=0.09,
        vertical_spacing=0.32 / max(lines, 2),
    )
    changes = _edition_changes(rows(captures))
    cut = [row["capture_date"] for row in rows(captures) if row["unread"]]
    for at, name in enumerate(names):
        place = {"row": at // _COLUMNS + 1, "col": at % _COLUMNS + 1}
        _band(figure, [row for row in found if row["capability"] == name], place, cut, first=at == 0)
        for day in changes:
            figure.add_vline(x=day, line={"color": _MARK, "dash": "dash", "width": 1}, **place)
        if target is not None and capabilities()[name].protects:
            figure.add_hline(y=target, line={"color": _MARK, "dash": "dot", "width": 1}, **place)
    figure.update_yaxes(range=[0, 101], ticksuffix="%", dtick=50)
    figure.update_layout(height=130 + _HEIGHT * lines, margin={"t": 118, "b": 30, "l": 8, "r": 16})
    captured = {row["capture_date"] for row in found}
    figure.update_xaxes(**(_LOWER | {"nticks": 5} if len(captured) > 1 else _ONE))
    figure.update_annotations(font_size=13)
    days = thinned(sorted(captured), _SHOWN)
    cells = {(row["capture_date"], row["capability"]): bounds(*shares(row)) for row in found}
    table = [[day, *(cells.get((day, name), "n/a") for name in names)] for day in days]
    columns = ["Capture", *(capability_label(name) for name in names)]
    return describe(figure, title, _bands_alt(found, names, changes, cut), columns, table)


def _band(
    figure: go.Figure, found: Sequence[Row], place: dict[str, int], cut: Sequence[str], *, first: bool
) -> None:
    days = [row["capture_date"] for row in found]
    bounded = [shares(row) for row in found]
    lows = [_hundredths(low or 0.0, math.floor) for low, _ in bounded]
    highs = [_hundredths(high or 0.0, math.ceil) for _, high in bounded]
    one = len(days) == 1
    symbols = ["circle-open" if day in cut else "circle" for day in days]
    points = {"size": 6, "symbol": symbols if cut else "circle"}
    own = {"mode": "lines+markers", "marker": points, "showlegend": first}
    # A template instead of a text at each point: a year of days would make a page too large to mail. The axis
    # puts the sign of per cent behind its numbers.
    told = [f"{_day_of(one)}: at {word} %{{y}}<extra></extra>" for word in ("least", "most")]
    line = {"color": _LINE, "width": 2}
    names = {"name": "Known to be yes", "legendgroup": "low", "hovertemplate": told[0]}
    figure.add_scatter(x=days, y=lows, line=line, **names, **own, **place)
    figure.add_scatter(
        x=days,
        y=highs,
        name="Unknown: may be yes or no",
        legendgroup="band",
        showlegend=first,
        mode="lines+markers" if one else "lines",  # of one capture the band is a point
        marker={"size": 6, "symbol": "diamond"},
        line={"color": _BAND, "width": 1},
        fill="tonexty",
        fillcolor=_BAND,
        fillpattern={"shape": "/", "bgcolor": _BAND, "fgcolor": "rgba(255,255,255,0.8)", "size": 6},
        hovertemplate=told[1],
        **place,
    )


def _day_of(one: bool) -> str:
    """Give the day of a point for a template; the axis of one capture alone holds no dates but words."""
    return "%{x}" if one else "%{x|%Y-%m-%d}"


def _hundredths(share: float, whole: Callable[[float], int]) -> float:
    """Give a share in hundredths of a per cent, in the direction that never promises too much."""
    return whole(round(10_000 * share, 6)) / 100


def _edition_changes(captures: Sequence[Row]) -> list[str]:
    return [new["capture_date"] for old, new in pairwise(captures) if old["edition"] != new["edition"]]


def _bands_alt(found: Sequence[Row], names: Sequence[str], changes: Sequence[str], cut: Sequence[str]) -> str:
    facts = []
    for name in names:
        mine = [row for row in found if row["capability"] == name]
        facts.append(f"{capability_label(name)} {bounds(*shares(mine[0]))} to {bounds(*shares(mine[-1]))}")
    days = sorted({row["capture_date"] for row in found})
    turned = f" The edition of the matrix changed on {', '.join(changes)}." if changes else ""
    dark = f" Not read whole: {', '.join(cut)}." if cut else ""
    return f"Share of yes from {days[0]} to {days[-1]}: {'; '.join(facts)}.{turned}{dark}"


def layers(counts: Any, column: str) -> go.Figure:
    """Draw how the disks are divided over time.

    Parameters
    ----------
    counts : frame or list of dict
        `historysums.layers(history, [column])`.
    column : {"method", "key_owner"}
        What they are divided by.

    Returns
    -------
    plotly Figure
        Areas that add up to all disks of each capture.

    Examples
    --------
    >>> layers([{"capture_date": "2026-11-24", "method": "host", "disks": 2}], "method").data[0].y
    (100.0,)
    """
    parts, title = _PARTS[column], f"{_TITLES[column]}, as a share of disks"
    found = rows(counts)
    if not found:
        return blank(title, "no captures")
    days = sorted({row["capture_date"] for row in found})
    sums: dict[tuple[str, str], float] = {}
    for row in found:
        key = row["capture_date"], part_of(parts, row[column]).key
        sums[key] = sums.get(key, 0.0) + value(row, "disks")
    totals = {day: sum(n for (at, _), n in sums.items() if at == day) for day in days}
    used = [part for part in parts if any(name == part.key for _, name in sums)]
    figure = go.Figure()
    for part in used:
        _area(figure, part, days, [sums.get((day, part.key), 0.0) for day in days], totals)
    figure.update_yaxes(range=[0, 100], ticksuffix="%", dtick=25)
    figure.update_xaxes(**(_LOWER if len(days) > 1 else _ONE))
    figure.update_layout(height=430, margin={"t": 118, "b": 40, "l": 8, "r": 16}, barmode="stack")
    table = [
        [day, *(number(sums.get((day, part.key), 0.0)) for part in used), number(totals[day])]
        for day in thinned(days, _SHOWN)
    ]
    alt = "; ".join(
        f"{p.label} {_share_of(sums, p, days[0], totals)} to {_share_of(sums, p, days[-1], totals)}"
        for p in used
    )
    return describe(
        figure,
        title,
        f"From {days[0]} to {days[-1]}: {alt}.",
        ["Capture", *(p.label for p in used), "Disks"],
        table,
    )


def _share_of(sums: dict[tuple[str, str], float], part: Part, day: str, totals: dict[str, float]) -> str:
    return percent(sums.get((day, part.key), 0.0) / totals[day])


def _area(
    figure: go.Figure, part: Part, days: Sequence[str], counts: Sequence[float], totals: dict[str, float]
) -> None:
    # Of an area the pattern's own ground counts, where a bar takes the colour of its marker.
    pattern = {"shape": part.pattern, "bgcolor": part.color, "fgcolor": "rgba(255,255,255,0.75)", "size": 6}
    heights = [round(100 * count / totals[day], 2) for day, count in zip(days, counts, strict=True)]
    hover = (
        f"<b>{part.label}</b><br>{_day_of(len(days) == 1)}: %{{customdata:,}} disks, %{{y}}<extra></extra>"
    )
    told = {"name": part.label, "customdata": [round(count) for count in counts], "hovertemplate": hover}
    if len(days) == 1:  # an area needs two captures
        figure.add_bar(x=list(days), y=heights, marker=marker(part), width=0.5, **told)
        return
    figure.add_scatter(
        x=list(days),
        y=heights,
        stackgroup="one",
        mode="lines",
        line={"width": 0.5, "color": part.color},
        fillcolor=part.color,
        fillpattern=pattern if part.pattern else None,
        **told,
    )


def by_group(sums: Any, by: str, capability: str, names: Any = None, top: int = 25) -> go.Figure:
    """Draw one capability by group over time, the low bound of the share as the colour.

    Parameters
    ----------
    sums : frame or list of dict
        `historysums.sums(history, by=by, capability=capability)`.
    by : str
        Column of the groups.
    capability : str
        Which one.
    names : mapping, optional
        Names of the groups where the column holds ids.
    top : int
        Groups shown: those with the lowest shares at last.

    Returns
    -------
    plotly Figure
        A row per group, a column per capture (twelve at most). A group that a capture does not have is empty.

    Examples
    --------
    >>> row = {"capture_date": "2026-11-24", "s": "a", "capability": "caches", "yes": 1, "no": 1, "total": 2}
    >>> list(by_group([row], "s", "caches").data[0].z[0])
    [0.5]
    """
    found = [row for row in rows(sums) if row["total"] and row["capability"] == capability]
    title = f"{capability_label(capability)} by subscription over time"
    if not found:
        return blank(title, "no captures")
    days = thinned(sorted({row["capture_date"] for row in found}), _CELLS)
    grid: dict[str, dict[str, Row]] = {}
    for row in found:
        if row["capture_date"] in days:
            grid.setdefault(row[by], {})[row["capture_date"]] = row
    ordered = sorted(grid.items(), key=lambda item: (mean_low({"": item[1].get(days[-1], {})}), str(item[0])))
    cut = f", the {top} lowest of {len(ordered)}" if len(ordered) > top else ""
    named = [(clean((names or {}).get(key, key)), cells) for key, cells in ordered[:top]]
    figure = cell_chart(named, days, "Subscription", f"{title}, lowest share first{cut}")
    figure.layout.meta["alt"] = _last_alt(ordered, days[-1], names or {})
    return figure


def _last_alt(ordered: Sequence[tuple[str, dict[str, Row]]], day: str, names: Any) -> str:
    """Say how the groups stand at last; what is wholly unknown has no share."""
    last = [(key, cells[day]) for key, cells in ordered if day in cells]
    known = [(key, row) for key, row in last if value(row, "yes") + value(row, "no")]
    dark = sum(1 for _, row in last if shares(row)[0] is not None) - len(known)
    ends = [f"{clean(names.get(key, key))} with {bounds(*shares(row))}" for key, row in known]
    said = f"the lowest is {ends[0]}, the highest {ends[-1]}" if ends else "no share is known"
    return f"On {day} of {len(last)} subscriptions: {said}; {dark} wholly unknown."
