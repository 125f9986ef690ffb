"""Grids of labelled cells: one way to draw them for shares, agreements and the matrix itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from diskenc_analysis.look import CELL_INK

Scale = str | Sequence[Sequence[object]]


def add_cells(
    figure: go.Figure,
    name: str,
    z: Sequence[Sequence[float | None]],
    words: Sequence[Sequence[str]],
    hover: Sequence[Sequence[str]],
    scale: Scale,
    *,
    ink: str = CELL_INK,
    size: float = 13,
) -> None:
    """Add the cells of one kind to a grid: each kind is a layer of its own, and so has its own colour.

    Parameters
    ----------
    figure : plotly Figure
        Changed in place.
    name : str
        The kind, in words.
    z : rows of float or None
        The shade of a cell from 0 to 1; None where it is of another kind.
    words, hover : rows of str
        What stands in a cell, and what is said of it; escaped already.
    scale : str or colour scale
        One colour for all, or a scale from 0 to 1.
    ink : str
        Colour of the words.
    size : float
        Size of the words in px.

    Examples
    --------
    >>> figure = go.Figure()
    >>> add_cells(figure, "Yes", [[0, None]], [["yes", ""]], [["", ""]], "#fff")
    >>> figure.data[0].name
    'Yes'
    """
    figure.add_heatmap(
        z=z,
        name=name,
        text=words,
        texttemplate="%{text}",
        textfont={"size": size, "color": ink},
        hovertext=hover,
        hoverinfo="text",
        hoverongaps=False,
        zmin=0,
        zmax=1,
        colorscale=[[0, scale], [1, scale]] if isinstance(scale, str) else scale,
        showscale=False,
        xgap=2,
        ygap=2,
    )


def label_axes(figure: go.Figure, across: Sequence[str], down: Sequence[str], **more: Any) -> None:
    """Write the names of columns above a grid, and those of rows beside it; the first row stands on top.

    Parameters
    ----------
    figure : plotly Figure
        Changed in place.
    across, down : sequence of str
        Names of columns and rows, escaped already.
    **more
        Settings of the column axis.

    Examples
    --------
    >>> figure = go.Figure()
    >>> label_axes(figure, ["a", "b"], ["x"])
    >>> figure.layout.xaxis.ticktext
    ('a', 'b')
    """
    plain = {"showgrid": False, "zeroline": False, "ticks": ""}
    figure.update_xaxes(tickvals=list(range(len(across))), ticktext=list(across), side="top", **plain, **more)
    figure.update_yaxes(tickvals=list(range(len(down))), ticktext=list(down), autorange="reversed", **plain)
