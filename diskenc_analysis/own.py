"""A figure of one's own, made with plotly, brought to the words, the order and the look of the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from diskenc_analysis import legend, look
from diskenc_analysis.editions import capabilities
from diskenc_analysis.text import capability_label, heading, label, noun

__all__ = ["describe"]
_HEIGHT = 450  # px, which plotly takes where a figure names no height


def describe(
    figure: go.Figure,
    title: str,
    alt: str,
    columns: Iterable[str] = (),
    table: Iterable[Sequence[object]] = (),
) -> go.Figure:
    """Give a chart of one's own the look of the others: words for columns and their values, title, alt text.

    Parameters
    ----------
    figure : plotly Figure
        Changed in place. Columns are known by the titles of axes and legend, as plotly express sets them;
        a column of its own values (`method`, `key_owner`, `key_store`, an answer) gets their words, order,
        colours and patterns too.
    title : str
        What it shows, as plain text.
    alt : str
        The main facts in a sentence, for those who do not see the chart.
    columns : iterable of str
        Headings of the numbers behind it.
    table : iterable of sequences
        The numbers, a row each, as they should be read.

    Returns
    -------
    plotly Figure
        The same figure.

    Raises
    ------
    ParameterError
        When title or alt is empty: a chart that some readers cannot read is not published.

    Examples
    --------
    >>> import plotly.express as px
    >>> rows = {"method": ["host", "sse"], "gib": [8, 4], "location": ["a", "a"]}
    >>> figure = px.bar(rows, x="gib", y="location", color="method")
    >>> [trace.name for trace in describe(figure, "GiB", "Twelve GiB.").data]
    ['Encryption at host', 'Storage encryption only']
    >>> figure.layout.xaxis.title.text
    'GiB'
    """
    named = [figure.layout[axis].title.text for axis in ("xaxis", "yaxis")]
    group = figure.layout.legend.title.text
    _traces(figure, legend.parts_of(group))
    for axis, column in zip("xy", named, strict=True):
        _axis(figure, axis, column)
    for trace in figure.data:
        _hover(trace, [name for name in (*named, group) if name])
    if group:
        _legend(figure)
    return look.describe(figure, title, alt, columns, table)


def _words(column: str) -> str:
    return capability_label(column) if column in capabilities() else heading(noun(column))


def _traces(figure: go.Figure, parts: Mapping[str, legend.Part]) -> None:
    """Put the traces of a column's values into the order of the others, in their words and colours."""
    place = {key: at for at, key in enumerate(parts)}
    figure.data = sorted(figure.data, key=lambda trace: place.get(trace.name, len(place)))
    for trace in figure.data:
        if not trace.name:
            continue
        part, word = parts.get(trace.name), _value(trace.name, parts)
        if trace.hovertemplate:
            shown = f"={word}<br>".replace("%{", "% {")  # no name is a place for a value
            trace.hovertemplate = trace.hovertemplate.replace(f"={trace.name}<br>", shown)
        trace.name = word
        if part and trace.type == "bar":
            trace.marker.update(legend.marker(part))


def _axis(figure: go.Figure, axis: str, column: str | None) -> None:
    if not column:
        return
    figure.layout[f"{axis}axis"].title.text = _words(column)
    parts = legend.parts_of(column)
    for trace in figure.data:
        values = trace[axis]
        if values is not None and any(isinstance(value, str) for value in values):
            trace[axis] = [_value(value, parts) for value in values]


def _value(value: Any, parts: Mapping[str, legend.Part]) -> Any:
    """Give a value its word; other text is a name that anyone may have chosen, and plotly reads markup."""
    if not isinstance(value, str):
        return value
    return parts[value].label if value in parts else label(value)


def _hover(trace: Any, columns: Iterable[str]) -> None:
    if not trace.hovertemplate:
        return
    for column in columns:
        trace.hovertemplate = trace.hovertemplate.replace(f"{column}=", f"{_words(column)}: ")


def _legend(figure: go.Figure) -> None:
    """Lay the legend under the title, which names what it tells apart."""
    height = figure.layout.height or _HEIGHT
    top = look.TITLE_HEIGHT + look.LEGEND_HEIGHT
    figure.update_layout(
        height=height,
        legend={"title_text": "", "y": 1 - look.TITLE_HEIGHT / height},
        margin_t=top,
    )
