"""The heat map: shares as colours, with what is unknown kept apart from what is nought."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import plotly.graph_objects as go

from diskenc_analysis.bars import shares, value
from diskenc_analysis.grid import Scale, add_cells, label_axes
from diskenc_analysis.legend import ANSWERS
from diskenc_analysis.look import (
    CELL_INK,
    EMPTY_CELL,
    EMPTY_INK,
    ROW_HEIGHT,
    SHARE_SCALE,
    UNKNOWN_CELL,
    describe,
    size,
)
from diskenc_analysis.plainrows import Row
from diskenc_analysis.text import amount, bounds, capability_label, clean, label, percent

Cells = dict[str, Row]
_ROW_LABEL = 26
_HEAD = 158  # px for the slanted labels of the columns


def cell_chart(
    shown: Sequence[tuple[Any, Cells]], names: Sequence[str], heading: str, title: str
) -> go.Figure:
    """Draw a grid of shares.

    Parameters
    ----------
    shown : sequence of (name, cells by capability)
        The rows; the first stands on top. A cell is a row of answers.
    names : sequence of str
        The capabilities, in the order of the columns.
    heading : str
        Heading of the names in the table behind the chart.
    title : str
        Title of the chart.

    Returns
    -------
    plotly Figure
        Up to three layers: shares, what is wholly unknown, and what does not apply.

    Examples
    --------
    >>> cell_chart([("a", {"temp_disk": {"yes": 1, "unknown": 1}})], ["temp_disk"], "Group", "T").data[0].z[0]
    [0.5]
    """
    figure = go.Figure()
    grid = [[cells.get(name, {}) for name in names] for _, cells in shown]
    kinds = {"Share of yes, low bound": _known, "Unknown": _all_unknown, "Not applicable": _no_question}
    for kind, test in kinds.items():
        if any(test(cell) for line in grid for cell in line):
            _layer(figure, kind, grid, test, [key for key, _ in shown], names)
    words = [label(capability_label(name)) for name in names]
    # Plotly hides a slanted label that leaves the plot, unless told otherwise.
    slanted = {"tickangle": -60, "ticklabeloverflow": "allow"}
    label_axes(figure, words, [label(key, _ROW_LABEL) for key, _ in shown], **slanted)
    figure.update_layout(margin_r=64)
    size(figure, len(shown), ROW_HEIGHT + 3, head=_HEAD)
    columns = [heading, *(capability_label(name) for name in names)]
    table = [[key, *(_cell_text(cells.get(name, {})) for name in names)] for key, cells in shown]
    return describe(figure, title, _heat_alt(shown), columns, table)


def _layer(
    figure: go.Figure,
    kind: str,
    grid: Sequence[Sequence[Row]],
    test: Callable[[Row], bool],
    keys: Sequence[Any],
    names: Sequence[str],
) -> None:
    """Add the cells of one kind: what is unknown gets a layer, and so a colour, of its own."""
    colors: dict[str, Scale] = {"Unknown": UNKNOWN_CELL, "Not applicable": EMPTY_CELL}
    z = [[(shares(cell)[0] or 0.0) if test(cell) else None for cell in line] for line in grid]
    words = [[_cell_text(cell, short=True) if test(cell) else "" for cell in line] for line in grid]
    pairs = zip(keys, grid, strict=True)
    hover = [[_cell_hover(key, *cell) for cell in zip(names, line, strict=True)] for key, line in pairs]
    ink = EMPTY_INK if kind == "Not applicable" else CELL_INK
    add_cells(figure, kind, z, words, hover, colors.get(kind, SHARE_SCALE), ink=ink, size=10.5)


def _known(cell: Row) -> bool:
    return value(cell, "yes") + value(cell, "no") > 0


def _all_unknown(cell: Row) -> bool:
    return not _known(cell) and value(cell, "unknown") > 0


def _no_question(cell: Row) -> bool:
    return not _known(cell) and not _all_unknown(cell)


def _cell_text(cell: Row, short: bool = False) -> str:
    if _all_unknown(cell):
        return "unknown"
    low, high = shares(cell)
    if low is None or high is None:
        return "–" if short else "not applicable"
    return bounds(low, high, digits=0).replace("%–", "–") if short else bounds(low, high)


def _cell_hover(key: Any, name: str, cell: Row) -> str:
    weight = cell.get("weight", "disks")
    counts = (f"{part.label}: {amount(value(cell, part.key), weight)}" for part in ANSWERS)
    return "<br>".join([f"<b>{label(key)}</b>", label(capability_label(name)), _cell_text(cell), *counts])


def _heat_alt(shown: Sequence[tuple[Any, Cells]]) -> str:
    blind = sum(_all_unknown(cell) for _, cells in shown for cell in cells.values())
    lowest, highest = shown[0], shown[-1]
    ends = (f"{clean(key)} averages {percent(mean_low(cells), 'down')}" for key, cells in (lowest, highest))
    facts = " and the last row ".join(ends)
    return f"By low bounds, the first row {facts}; {blind} cells are wholly unknown."


def mean_low(cells: Cells) -> float:
    """Average the low bounds of a row, to put the lowest first.

    Parameters
    ----------
    cells : dict
        Rows of answers by capability.

    Returns
    -------
    float
        From 0 to 1; 1 where no question applies.

    Examples
    --------
    >>> mean_low({"caches": {"yes": 1, "no": 1}, "hsm": {"not_applicable": 2}})
    0.5
    """
    lows = [low for low, _ in map(shares, cells.values()) if low is not None]
    return sum(lows) / len(lows) if lows else 1.0
