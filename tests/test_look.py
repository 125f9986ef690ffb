"""Every public figure has the one look, its words, and an answer to nothing."""

from __future__ import annotations

import inspect
import json

import plotly.express as px
import plotly.graph_objects as go
import plotly.io as pio
import pytest

from diskenc_analysis import charts, legend, look
from diskenc_analysis.errors import UnknownNameError

FIGURES = [
    name for name in charts.__all__ if name not in ("colors", "describe", "matrix_grid", "run_out_line")
]
WORDS = {"by": "subscription_name", "heading": "Subscription", "as_of": "2026-11-24"}


def of_nothing(name):
    make = getattr(charts, name)
    _, *others = inspect.signature(make).parameters.values()
    needed = {p.name: WORDS[p.name] for p in others if p.default is inspect.Parameter.empty}
    return make({} if name == "efforts" else [], **needed)


@pytest.mark.parametrize("name", FIGURES)
def test_nothing_is_drawn_as_nothing_with_words_and_the_look(name):
    figure = of_nothing(name)
    assert isinstance(figure, go.Figure)
    assert not figure.data
    assert figure.layout.annotations[0].text
    assert figure.layout.meta["alt"].startswith("Nothing to draw")
    assert figure.layout.meta["title"]
    assert json.loads(figure.layout.template.to_json()) == json.loads(pio.templates[look.TEMPLATE].to_json())


def test_both_themes_are_registered_with_plotly():
    assert {look.TEMPLATE, look.DARK_TEMPLATE} <= set(pio.templates)


def test_the_title_stands_above_the_legend():
    figure = charts.needs_by([{"subscription_name": "a", "need": "keep", "disks": 1, "gib": 1}])
    title = figure.layout.template.layout.title
    assert (title.y, title.yanchor) == (1, "top")
    # The legend begins where the room of the title ends.
    assert figure.layout.legend.y == pytest.approx(1 - look.TITLE_HEIGHT / figure.layout.height)


def test_hovering_over_a_count_also_says_what_is_unknown():
    row = {"subscription_name": "a", "gib": 1}
    found = [row | {"method": "host", "disks": 3}, row | {"method": "unknown", "disks": 1}]
    bars = {trace.name: trace.hovertext[0] for trace in charts.methods_by(found).data}
    assert bars["Encryption at host"].endswith("3 disks (75% of 4 disks)<br>Unknown: 1 disk")
    assert bars["Unknown"].endswith("Unknown: 1 disk (25% of 4 disks)")


def test_colours_of_a_column_are_those_of_the_charts():
    assert charts.colors("answer")["unknown"] == legend.part_of(legend.ANSWERS, "unknown").color
    with pytest.raises(UnknownNameError, match="key_owner"):
        charts.colors("key_owners")


def test_a_chart_of_ones_own_says_words_and_no_names_of_columns():
    rows = {"method": ["sse", "host", "new"], "gib": [4, 8, 2], "resource_group": ["a", "b", "a"]}
    figure = px.bar(rows, x="gib", y="resource_group", color="method", orientation="h")
    figure = charts.describe(figure, "GiB by resource group", "Fourteen GiB.")
    # A value that nobody listed stays as it is, behind the others; the order is that of the package's charts.
    assert [bar.name for bar in figure.data] == ["Encryption at host", "Storage encryption only", "new"]
    assert (figure.data[0].marker.color, figure.data[1].marker.pattern.shape) == ("#0072B2", ".")
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("GiB", "Resource group")
    assert not figure.layout.legend.title.text
    assert figure.layout.legend.y == pytest.approx(1 - look.TITLE_HEIGHT / figure.layout.height)
    hover = figure.data[0].hovertemplate
    assert hover.startswith("Method: Encryption at host<br>GiB: %{x}<br>Resource group: %{y}")
    assert figure.layout.template.layout.yaxis.title.standoff > 0


def test_names_in_a_chart_of_ones_own_are_text():
    evil = "<a href='https://example.org'>%{x}</a>"
    rows = {"resource_group": [evil], "tier": [evil], "gib": [4]}
    figure = px.bar(rows, x="gib", y="resource_group", color="tier", orientation="h")
    [bar] = charts.describe(figure, "GiB", "Four GiB.").data
    shown = "&lt;a href='https://example.org'&gt;%{x}&lt;/a&gt;"
    assert (bar.name, bar.y[0]) == (shown, shown)
    assert bar.hovertemplate.startswith(f"Tier: {shown.replace('%{', '% {')}<br>GiB: %{{x}}<br>")


def test_values_on_an_axis_of_ones_own_are_words_too():
    figure = px.bar({"temp_disk": ["no", "yes"], "disks": [1, 2]}, x="disks", y="temp_disk", orientation="h")
    figure = charts.describe(figure, "Disks", "Three disks.")
    assert list(figure.data[0].y) == ["No", "Yes"]
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("Disks", "Temp disk")
    assert charts.describe(go.Figure(), "Nothing", "Nothing.").layout.legend.y is None
