from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re

import nbformat
import plotly.graph_objects as go
import pytest
from bs4 import BeautifulSoup
from plotly.offline import get_plotlyjs

from diskenc_analysis import charts
from diskenc_analysis.errors import ReportCheckError
from diskenc_analysis.page import make_page
from diskenc_analysis.pagecheck import check_html
from diskenc_analysis.tables import table

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"


def answer(group, yes=1, no=1):
    counts = {"yes": yes, "no": no, "not_applicable": 0, "unknown": 0, "total": yes + no}
    return {"subscription_name": group, "capability": "temp_disk", "weight": "vms"} | counts


def cell(data, source="x"):
    made = nbformat.v4.new_code_cell(source)
    made.outputs = [nbformat.v4.new_output("display_data", data=data)]
    return made


def chart(figure):
    return cell({"application/vnd.plotly.v1+json": json.loads(figure.to_json())})


def html(text):
    return cell({"text/html": text, "text/plain": "a table"})


def notebook(*cells):
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Title\n\n## Part"), *cells])


def soup(*cells):
    return BeautifulSoup(make_page(notebook(*cells)).html, "html.parser")


def test_a_chart_becomes_a_figure_with_its_words_and_numbers():
    page = soup(chart(charts.coverage_by([answer("prod")])))
    figure = page.find("figure")
    assert figure["aria-labelledby"] == "chart-1-title"
    assert page.find(id="chart-1-title").get_text() == "Temp disk, by subscription, lowest share first"
    assert "prod 50% of 2 VMs" in page.find(id=figure["aria-describedby"]).get_text()
    assert [td.get_text() for td in figure.find_all("td")] == ["prod", "1", "0", "1", "0", "50%", "VMs"]
    spec = json.loads(figure.find("script")["data-chart"] and figure.find("script").string)
    assert [trace["name"] for trace in spec["data"]] == ["Yes", "Unknown", "No", "Not applicable"]
    # The page writes the title, and holds the template once for each theme.
    assert "title" not in spec["layout"]
    assert "template" not in spec["layout"]
    assert spec["themed"] is True


def test_code_and_prompts_are_hidden():
    page = make_page(notebook(cell({"text/plain": "shown"}, source="secret_name = 1")))
    assert "secret_name" not in page.html
    assert "shown" in page.html
    assert "In&nbsp;[" not in page.html


def test_plotly_stands_in_the_page_once_and_unharmed():
    page = soup(chart(charts.headline([answer("a")])), chart(charts.headline([answer("b")])))
    [packed] = page.find_all("script", type="text/plain")
    assert gzip.decompress(base64.b64decode(packed.string)).decode() == get_plotlyjs()
    assert len(page.find_all("figure")) == 2


def test_a_page_without_charts_does_not_carry_plotly():
    page = soup(html("<p>x</p>"))
    assert page.find("script", type="text/plain") is None


def test_the_policy_names_the_scripts_by_hash():
    page = soup(chart(charts.headline([answer("a")])))
    policy = page.find("meta", {"http-equiv": "Content-Security-Policy"})["content"]
    running = [tag for tag in page.find_all("script") if not tag.get("type")]
    assert len(running) == 1
    for script in (running[0].string, get_plotlyjs()):
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert re.search(r"script-src[^;]*unsafe", policy) is None


def test_the_same_notebook_gives_the_same_bytes():
    first, second = (notebook(chart(charts.headline([answer("a")]))) for _ in range(2))
    assert first.cells[1].id != second.cells[1].id
    assert make_page(first).html == make_page(second).html


def test_contents_link_to_the_headings():
    page = soup(nbformat.v4.new_markdown_cell("## Second\n\n### Third & last"))
    links = [(a["href"], a.get_text()) for a in page.select("nav a")]
    assert links[:-1] == [("#part-1", "Part"), ("#part-2", "Second"), ("#part-3", "Third & last")]
    assert links[-1] == ("#part-4", "Sign-off")
    assert page.find(id="part-3").get_text() == "Third & last"
    assert page.title.get_text() == "Title"


def test_markup_in_names_is_text_everywhere():
    page = soup(chart(charts.coverage_by([answer(EVIL)])), html(table([{"n": EVIL}], EVIL)._repr_html_()))
    assert page.find("img") is None
    assert len([tag for tag in page.find_all("script") if not tag.get("type")]) == 1
    assert EVIL in [td.get_text() for td in page.find_all("td")]
    spec = json.loads(page.find("script", {"data-chart": True}).string)
    assert "<script" not in json.dumps(spec)


def test_readable_with_scripts_off():
    page = soup(chart(charts.headline([answer("a")])))
    assert "no chart is drawn" in page.noscript.get_text()
    # Open from the start: a script closes it once the chart is drawn.
    assert page.find("details", open=True).find("table") is not None


def test_stderr_is_left_to_the_executed_notebook():
    made = nbformat.v4.new_code_cell("x")
    made.outputs = [
        nbformat.v4.new_output("stream", name="stderr", text="/home/me/file.py: warning"),
        nbformat.v4.new_output("stream", name="stdout", text="<b>said</b>"),
    ]
    page = make_page(notebook(made)).html
    assert "/home/me" not in page
    assert "&lt;b&gt;said&lt;/b&gt;" in page


def test_a_chart_without_words_is_not_published():
    with pytest.raises(ReportCheckError, match="cell 2 has no title or alt text"):
        make_page(notebook(chart(go.Figure())))


def test_an_output_that_cannot_be_shown_is_not_dropped():
    with pytest.raises(ReportCheckError, match=r"cell 2 is of a kind.*jupyter\.widget"):
        make_page(notebook(cell({"application/vnd.jupyter.widget-view+json": {}})))


@pytest.mark.parametrize(
    "piece",
    [
        "<img src='https://example.org/x.png'>",
        "<img src='//example.org/x.png'>",
        "<img src='x.png'>",
        "<img srcset='x.png 2x' src='data:image/png;base64,AA'>",
        "<script src='https://example.org/x.js'></script>",
        "<script>alert(1)</script>",
        "<link rel='stylesheet' href='x.css'>",
        "<style>@import 'x.css';</style>",
        "<style>p { background: url(https://example.org/x.png) }</style>",
        "<p style='background: url(\"x.png\")'>x</p>",
        "<p onclick='alert(1)'>x</p>",
        "<IMG SRC=data:text/html,x>",
        "<a href='javascript:alert(1)'>x</a>",
        "<a href=' JavaScript:alert(1)'>x</a>",
        "<iframe srcdoc='x'></iframe>",
        "<form action='https://example.org'></form>",
        "<object data='x'></object>",
        "<base href='https://example.org'>",
        "<meta http-equiv='refresh' content='0; url=https://example.org'>",
        "<svg><use href='https://example.org/x.svg#a'/></svg>",
        "<svg><image xlink:href='https://example.org/x.png'/></svg>",
        "<video poster='x.png'></video>",
    ],
)
def test_html_that_loads_or_runs_is_refused(piece):
    with pytest.raises(ReportCheckError, match="an output of cell 2"):
        make_page(notebook(html(piece)))


@pytest.mark.parametrize(
    "piece",
    [
        "<a href='https://learn.microsoft.com/azure'>source</a>",
        "<a href='#part-1'>up</a>",
        "<a href='facts.json'>numbers</a>",
        "<img src='data:image/png;base64,AA' alt='x'>",
        "<style>p { color: red }</style>",
        "<svg><use href='#a'/></svg>",
        "<script type='application/json'>{}</script>",
        "<p>url(https://example.org) onclick=</p>",
    ],
)
def test_html_that_only_shows_is_let_through(piece):
    check_html(piece, "it")


def test_a_load_in_prose_is_refused_too():
    prose = nbformat.v4.new_markdown_cell("![logo](https://example.org/logo.png)")
    with pytest.raises(ReportCheckError, match="the page would load from outside"):
        make_page(notebook(prose))
