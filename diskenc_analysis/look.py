"""The one look of every chart: plotly templates, sizes, and the text a chart must carry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import plotly.graph_objects as go
import plotly.io as pio

from diskenc_analysis.errors import ParameterError
from diskenc_analysis.legend import METHODS
from diskenc_analysis.text import clean, label

TEMPLATE = "diskenc"
DARK_TEMPLATE = "diskenc_dark"
ROW_HEIGHT = 27
TITLE_HEIGHT = 40  # px above the legend; a page that writes the title itself takes it away
LEGEND_HEIGHT, LINE_HEIGHT, LINE_LETTERS = 68, 34, 40  # px of a legend: long, or short enough for one line
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"


# Light enough at both ends for one dark ink on every cell, in either theme.
SHARE_SCALE = [[0.0, "#F2A065"], [0.5, "#F7F1E5"], [1.0, "#7DB8E0"]]
CELL_INK, UNKNOWN_CELL, EMPTY_CELL = "#14171b", "#B6BCC5", "rgba(138,143,152,0.18)"
EMPTY_INK = "#757d87"


def _template(ink: str, grid: str, ground: str) -> go.layout.Template:
    lines = {"gridcolor": grid, "linecolor": grid, "zerolinecolor": grid}
    axis = lines | {
        "automargin": True,
        "title": {"font": {"size": 13}, "standoff": 12},
        "separatethousands": True,
    }
    hover = {"bgcolor": ground, "bordercolor": ink, "font": {"color": ink, "family": _FONT}, "align": "left"}
    layout = {
        "font": {"family": _FONT, "size": 13, "color": ink},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "colorway": [part.color for part in METHODS],
        "hoverlabel": hover,
        "xaxis": axis,
        "yaxis": axis,
        "legend": {
            "orientation": "h",
            "traceorder": "normal",
            "x": 0,
            "xref": "container",
            "y": 1,
            "yref": "container",
            "yanchor": "top",
        },
        # Left to itself, plotly puts the title into the middle of the margin, and so onto the legend.
        "title": {"x": 0, "xref": "container", "xanchor": "left", "font": {"size": 16}}
        | {"y": 1, "yref": "container", "yanchor": "top", "pad": {"l": 8, "t": 10}},
        "margin": {"l": 8, "r": 8, "t": TITLE_HEIGHT + LEGEND_HEIGHT, "b": 40},
    }
    return go.layout.Template(layout=layout)


pio.templates[TEMPLATE] = _template("#1b1f24", "#d5d9df", "#ffffff")
pio.templates[DARK_TEMPLATE] = _template("#e6e9ee", "#3d444d", "#1d2127")


def describe(
    figure: go.Figure,
    title: str,
    alt: str,
    columns: Iterable[str] = (),
    table: Iterable[Sequence[object]] = (),
) -> go.Figure:
    """Give a chart its title, its text alternative and the numbers behind it.

    Parameters
    ----------
    figure : plotly Figure
        Changed in place.
    title : str
        What it shows, as plain text.
    alt : str
        The main facts in a sentence, for those who do not see the chart.
    columns : iterable of str
        Headings of the numbers.
    table : iterable of sequences
        The numbers, a row each, as they should be read.

    Returns
    -------
    plotly Figure
        The same figure, with `layout.meta` filled: title, alt, columns, rows.

    Raises
    ------
    ParameterError
        When title or alt is empty: a chart that some readers cannot read is not published.

    Examples
    --------
    >>> describe(go.Figure(), "Disks", "Two disks.").layout.meta["alt"]
    'Two disks.'
    """
    if not title.strip() or not alt.strip():
        raise ParameterError(f"a chart needs a title and an alt text; got title={title!r}, alt={alt!r}")
    lines = [[clean(cell, 120) for cell in line] for line in table]
    meta = {"title": clean(title, 200), "alt": clean(alt, 0), "columns": list(columns), "rows": lines}
    figure.update_layout(template=TEMPLATE, meta=meta, title_text=label(title, 200))
    return figure


def blank(title: str, text: str = "no disks") -> go.Figure:
    """Make the figure of nothing, which says so.

    Parameters
    ----------
    title : str
        What it would have shown.
    text : str
        What to say in its place.

    Returns
    -------
    plotly Figure
        Without traces.

    Examples
    --------
    >>> blank("Disks").layout.annotations[0].text
    'no disks'
    """
    note = {"text": text, "x": 0.5, "y": 0.5, "xref": "paper", "yref": "paper", "showarrow": False}
    hidden = {"visible": False}
    figure = go.Figure(layout={"annotations": [note], "xaxis": hidden, "yaxis": hidden, "height": 180})
    return describe(figure, title, f"Nothing to draw: {text}.")


def size(figure: go.Figure, rows: int, row_height: int = ROW_HEIGHT, head: int = LEGEND_HEIGHT) -> None:
    """Set the height of a chart by its rows, with room for title and head.

    Parameters
    ----------
    figure : plotly Figure
        Changed in place.
    rows : int
        How many.
    row_height : int
        In px.
    head : int
        Room in px for the legend or the labels above the rows.

    Examples
    --------
    >>> figure = go.Figure()
    >>> size(figure, 10)
    >>> figure.layout.height
    428
    """
    height = TITLE_HEIGHT + head + row_height * rows + 50
    figure.update_layout(height=height, margin_t=TITLE_HEIGHT + head, legend_y=1 - TITLE_HEIGHT / height)
