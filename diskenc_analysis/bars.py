"""Stacked bars: how counts and answers become segments, hover texts and the numbers beside them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

import plotly.graph_objects as go

from diskenc_analysis.legend import ANSWERS, Part, marker
from diskenc_analysis.look import LEGEND_HEIGHT, LINE_HEIGHT, LINE_LETTERS, ROW_HEIGHT, blank, describe, size
from diskenc_analysis.plainrows import Row
from diskenc_analysis.text import amount, bounds, clean, label, number, percent

AXIS_LABEL = 34
_SECOND_LINE = 14  # px
_FEW = 8
_KEYS = [part.key for part in ANSWERS]


def value(row: Row, key: str) -> float:
    """Give a number of a row, nought where there is none.

    Parameters
    ----------
    row : dict
        One row of a summary.
    key : str
        Column.

    Returns
    -------
    float
        The number.

    Examples
    --------
    >>> value({"yes": None}, "yes")
    0.0
    """
    return float(row.get(key) or 0)


def whole_ticks(most: float) -> dict[str, Any]:
    """Give the ticks of an axis of counts: never between two whole numbers, which would print one twice.

    Parameters
    ----------
    most : float
        The longest bar.

    Returns
    -------
    dict
        Settings of a plotly axis.

    Examples
    --------
    >>> whole_ticks(2), whole_ticks(200)
    ({'tickformat': ',d', 'dtick': 1}, {'tickformat': ',d'})
    """
    return {"tickformat": ",d"} | ({"dtick": 1} if most <= _FEW else {})


def shares(row: Row) -> tuple[float | None, float | None]:
    """Work out the bounds of a row's share from its counts (rule C12).

    Parameters
    ----------
    row : dict
        With yes, no and unknown.

    Returns
    -------
    tuple of float
        Low and high bound; `None` twice where the question applies to nothing.

    Examples
    --------
    >>> shares({"yes": 1, "no": 1, "unknown": 2})
    (0.25, 0.75)
    >>> shares({"yes": 0, "no": 0, "unknown": 0})
    (None, None)
    """
    yes, no, unknown = (value(row, key) for key in ("yes", "no", "unknown"))
    asked = yes + no + unknown
    return (yes / asked, (yes + unknown) / asked) if asked else (None, None)


def add_answers(found: Iterable[Row]) -> Row:
    """Sum rows of answers into one.

    Parameters
    ----------
    found : iterable of dict
        Rows of one capability.

    Returns
    -------
    dict
        With yes, no, not_applicable, unknown, total and the weight of the first.

    Examples
    --------
    >>> add_answers([{"yes": 1, "total": 1, "weight": "vms"}, {"yes": 2, "total": 3}])["yes"]
    3.0
    """
    listed = list(found)
    keys = [*_KEYS, "total"]
    return {"weight": listed[0].get("weight", "disks")} | {
        key: sum(value(row, key) for row in listed) for key in keys
    }


def answer_bars(found: Sequence[Row], names: Sequence[object], heading: str, title: str) -> go.Figure:
    """Draw rows of answers as bars of equal length.

    Parameters
    ----------
    found : sequence of dict
        Rows with yes, no, not_applicable, unknown, total, weight.
    names : sequence
        What each row is of; the first stands on top.
    heading : str
        Heading of the names in the table behind the chart.
    title : str
        Title of the chart.

    Returns
    -------
    plotly Figure
        Stacked to 100 % of the row's total; the bounds stand beside the bar.

    Examples
    --------
    >>> answer_bars([{"yes": 3, "no": 1, "total": 4, "weight": "vms"}], ["a"], "Group", "T").data[0].x
    (75.0,)
    """
    if not found:
        return blank(title)
    figure = go.Figure()
    for part in ANSWERS:
        lengths = [100 * value(row, part.key) / value(row, "total") for row in found]
        _segment(
            figure, part, lengths, [_answer_hover(row, name) for row, name in zip(found, names, strict=True)]
        )
    _rows_of(figure, names, [_beside(row) for row in found])
    figure.update_xaxes(ticksuffix="%", range=[0, 100], dtick=25)
    facts = "; ".join(f"{clean(name)} {_beside(row)}" for row, name in _ends(found, names))
    alt = f"Share of yes, from its low to its high bound: {facts}."
    columns = [heading, "Yes", "Unknown", "No", "Not applicable", "Share of yes", "Counted in"]
    table = [[name, *_answer_cells(row)] for row, name in zip(found, names, strict=True)]
    return describe(figure, title, alt, columns, table)


def _answer_cells(row: Row) -> list[str]:
    unit = {"disks": "disks", "vms": "VMs", "gib": "GiB"}.get(row["weight"], str(row["weight"]))
    return [*(number(value(row, key)) for key in _KEYS), bounds(*shares(row)), unit]


def _answer_hover(row: Row, name: object) -> str:
    low, high = shares(row)
    lines = [f"<b>{label(name)}</b>", f"Share of yes: {bounds(low, high)}"]
    lines += [f"{part.label}: {amount(value(row, part.key), row['weight'])}" for part in ANSWERS]
    return "<br>".join(lines)


def _beside(row: Row) -> str:
    asked = sum(value(row, key) for key in ("yes", "no", "unknown"))
    return f"{bounds(*shares(row))} of {amount(asked, row['weight'])}" if asked else "not applicable"


def _ends(found: Sequence[Row], names: Sequence[object], most: int = 12) -> list[tuple[Row, object]]:
    """Give all rows where they are few, else the first and the last ones, for the text alternative."""
    pairs = list(zip(found, names, strict=True))
    return pairs if len(pairs) <= most else [*pairs[:5], *pairs[-2:]]


def count_bars(
    groups: Sequence[tuple[object, dict[str, float]]],
    parts: Sequence[Part],
    weight: str,
    words: Sequence[str],
    share: bool = False,
    ids: Sequence[str] = (),
) -> go.Figure:
    """Draw counts as bars, a segment for each part.

    Parameters
    ----------
    groups : sequence of (name, counts by part key)
        The first stands on top.
    parts : sequence of Part
        The segments in their order.
    weight : {"disks", "gib"}
        What is counted.
    words : sequence of str
        Title of the chart and heading of the names.
    share : bool
        Whether a bar is whole at 100 % of its own total, so that small groups can be read beside large ones.
    ids : sequence of str
        What each group is called in tables and files, where its name is a title: shown on hovering and in
        the table behind the chart. Titles may take two lines.

    Returns
    -------
    plotly Figure
        The total stands beside the bar.

    Examples
    --------
    >>> count_bars([("a", {"sse": 2.0})], [Part("sse", "SSE", "#000")], "disks", ("T", "Group")).data[0].x
    (2.0,)
    """
    title, heading = words
    if not groups:
        return blank(title)
    figure = go.Figure()
    used = [part for part in parts if any(counts.get(part.key) for _, counts in groups)]
    totals = [sum(counts.values()) for _, counts in groups]
    whole = [total / 100 if share else 1.0 for total in totals]
    under = [f"<br>{label(one)}" if one else "" for one in ids] or [""] * len(groups)
    for part in used:
        hover = [
            _count_hover(group, part, weight, under=more) for group, more in zip(groups, under, strict=True)
        ]
        lengths = [
            counts.get(part.key, 0.0) / (unit or 1.0) for (_, counts), unit in zip(groups, whole, strict=True)
        ]
        _segment(figure, part, lengths, hover)
    names = [name for name, _ in groups]
    _rows_of(figure, names, [amount(total, weight) for total in totals], lines=2 if ids else 1)
    if share:
        figure.update_xaxes(ticksuffix="%", range=[0, 100], dtick=25)
    else:
        title_text = "GiB" if weight == "gib" else "Disks"
        figure.update_xaxes(rangemode="tozero", title_text=title_text, **whole_ticks(max(totals)))
    table = [
        [name, *(number(counts.get(part.key, 0.0)) for part in used), number(total)]
        for (name, counts), total in zip(groups, totals, strict=True)
    ]
    columns = [heading, *(part.label for part in used), "Total"]
    if ids:
        columns.insert(1, "Id")
        table = [[name, one or "–", *numbers] for (name, *numbers), one in zip(table, ids, strict=True)]
    return describe(figure, title, _count_alt(groups, used, weight), columns, table)


def _count_hover(group: tuple[object, dict[str, float]], part: Part, weight: str, *, under: str) -> str:
    name, counts = group
    here, total = counts.get(part.key, 0.0), sum(counts.values())
    share = percent(here / total) if total else "n/a"
    line = f"{part.label}: {amount(here, weight)} ({share} of {amount(total, weight)})"
    dark = counts.get("unknown", 0.0) if part.key != "unknown" else 0.0
    more = f"<br>Unknown: {amount(dark, weight)}" if dark else ""
    return f"<b>{label(name, 120)}</b>{under}<br>{line}{more}"


def _count_alt(groups: Sequence[tuple[object, dict[str, float]]], parts: Sequence[Part], weight: str) -> str:
    sums = {part.label: sum(counts.get(part.key, 0.0) for _, counts in groups) for part in parts}
    total = sum(sums.values())
    facts = "; ".join(f"{name} {amount(n, weight)} ({percent(n / total)})" for name, n in sums.items() if n)
    return f"{amount(total, weight)} in all: {facts}. The first row is {clean(groups[0][0])}."


def _segment(figure: go.Figure, part: Part, lengths: Sequence[float], hover: Sequence[str]) -> None:
    """Add one part of every bar. Rows are numbered, so that two groups of one name stay two bars."""
    settings: dict[str, Any] = {"orientation": "h", "hoverinfo": "text", "hovertext": list(hover)}
    figure.add_bar(
        x=list(lengths), y=list(range(len(lengths))), name=part.label, marker=marker(part), **settings
    )


def _rows_of(figure: go.Figure, names: Sequence[object], beside: Sequence[str], lines: int = 1) -> None:
    count = len(names)
    side = {"x": 1, "xref": "paper", "xanchor": "left", "xshift": 8, "showarrow": False, "font_size": 12}
    for place, text in enumerate(beside):
        figure.add_annotation(y=place, yref="y", text=text, **side)
    ticks = [label(name, AXIS_LABEL) if lines == 1 else _wrapped(name) for name in names]
    height = ROW_HEIGHT + (_SECOND_LINE if any("<br>" in tick for tick in ticks) else 0)
    figure.update_yaxes(tickmode="array", tickvals=list(range(count)), ticktext=ticks)
    figure.update_yaxes(range=[count - 0.5, -0.5], showgrid=False, zeroline=False, ticklabelstandoff=6)
    width = 16 + round(7.2 * max(len(text) for text in beside))
    figure.update_layout(barmode="stack", bargap=0.28, margin_r=width)
    words = sum(len(trace.name) for trace in figure.data)
    size(figure, count, height, LEGEND_HEIGHT if words > LINE_LETTERS else LINE_HEIGHT)


def _wrapped(name: object) -> str:
    """Break a title into two lines; what is longer is cut, and whole on hovering."""
    found = textwrap.wrap(clean(name, 0), AXIS_LABEL, max_lines=2, placeholder="…")
    return "<br>".join(label(line, 0) for line in found)
