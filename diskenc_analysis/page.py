"""One offline HTML file of an executed notebook: charts drawn from it, locked against any load.

The chart library stands in the page once, packed, and a fixed loader unpacks it. The policy names these
two scripts by hash, so a script that got in with the data would not run.
"""

from __future__ import annotations

import copy
import gzip
import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import plotly.io as pio
from bs4 import BeautifulSoup
from markupsafe import Markup
from nbconvert import HTMLExporter, TemplateExporter
from nbformat import NotebookNode
from plotly.offline import get_plotlyjs

from diskenc_analysis.errors import ReportCheckError
from diskenc_analysis.head import Head
from diskenc_analysis.look import DARK_TEMPLATE, TEMPLATE, TITLE_HEIGHT
from diskenc_analysis.pagecheck import check_html
from diskenc_analysis.tables import HtmlTable, templates

_PLOTLY = "application/vnd.plotly.v1+json"
_SHOWN = ("text/html", "image/svg+xml", "image/png", "text/markdown", "text/plain")
_SHORT = 24  # longest number, or word in place of one; what is longer is prose
_FOLDER = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Page:
    """A finished page.

    Attributes
    ----------
    html : str
        The whole file.
    charts : int
        How many charts it draws.

    Examples
    --------
    >>> Page("<p>", 0).charts
    0
    """

    html: str
    charts: int


def make_page(notebook: NotebookNode, head: Head | None = None) -> Page:
    """Make the HTML of an executed notebook. The same outputs give the same bytes.

    Parameters
    ----------
    notebook : NotebookNode
        As executed; it is not changed.
    head : Head, optional
        What stands at the top.

    Returns
    -------
    Page
        Code and prompts hidden; each plotly output a figure with its text alternative and numbers.

    Raises
    ------
    ReportCheckError
        When an output could not be shown, has no text alternative, or would load something.

    Examples
    --------
    >>> import nbformat
    >>> page = make_page(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Title")]))
    >>> "<title>Title</title>" in page.html, page.charts
    (True, 0)
    """
    prepared = copy.deepcopy(notebook)
    charts = 0
    for place, cell in enumerate(prepared.cells, 1):
        cell["id"] = f"cell-{place}"
        if cell.cell_type == "code":
            charts = _prepare_outputs(cell, place, charts)
    resources = {"page": _furniture(charts) | {"head": (head or Head()).html()}}
    # HTMLExporter's own method parses and writes the finished page again, plotly.js and all.
    html, _ = TemplateExporter.from_notebook_node(_exporter(), prepared, resources)
    check_html(html, "the page", scripts=(_loader(),))
    return Page(html, charts)


def _prepare_outputs(cell: NotebookNode, place: int, charts: int) -> int:
    kept = [output for output in cell.outputs if not _is_log(output)]
    for output in kept:
        data = output.get("data", {})
        if _PLOTLY in data:
            charts += 1
            output["data"] = {"text/html": _figure(data[_PLOTLY], f"chart-{charts}", f"cell {place}")}
        elif "data" in output:
            _check_output(data, f"an output of cell {place}")
    cell["outputs"] = kept
    return charts


def _is_log(output: NotebookNode) -> bool:
    """What went to stderr stays in the executed notebook: it names files and processes of the machine."""
    return output.output_type == "stream" and output.get("name") == "stderr"


def _check_output(data: Mapping[str, Any], place: str) -> None:
    if not any(kind in data for kind in _SHOWN):
        raise ReportCheckError(f"{place} is of a kind that a page cannot show: {', '.join(sorted(data))}")
    check_html(data.get("text/html", ""), place)


def _figure(spec: Mapping[str, Any], name: str, place: str) -> str:
    """Make the figure of one plotly output."""
    layout = dict(spec.get("layout", {}))
    meta = layout.pop("meta", None) or {}
    if not meta.get("alt") or not meta.get("title"):
        raise ReportCheckError(
            f"a chart in {place} has no title or alt text; charts.describe(figure, title, alt) gives it both"
        )
    _take_title(layout)
    drawn = {"data": spec.get("data", []), "layout": layout, "themed": _take_theme(layout)}
    height = int(layout.get("height") or 450)
    return str(
        templates()
        .get_template("figure.html.j2")
        .render(
            id=name,
            title=meta["title"],
            alt=meta["alt"],
            height=height,
            numbers=_numbers(meta),
            spec=Markup(_data_block(drawn)),  # noqa: S704 - `<` is escaped in it, so it cannot end its element
        )
    )


def _take_title(layout: dict[str, Any]) -> None:
    """Take the title and its room out of a chart, since the page writes it above."""
    layout.pop("title", None)
    if "height" in layout and "t" in layout.get("margin", {}):
        layout["height"] -= TITLE_HEIGHT
        layout["margin"] = layout["margin"] | {"t": layout["margin"]["t"] - TITLE_HEIGHT}
        layout["legend"] = layout.get("legend", {}) | {"y": 1}


def _take_theme(layout: dict[str, Any]) -> bool:
    """Take our own template out of a chart, since the page holds it once for each theme."""
    ours = bool(layout.get("template") == json.loads(_theme(TEMPLATE)))
    if ours:
        del layout["template"]
    return ours


def _numbers(meta: Mapping[str, Any]) -> Markup | None:
    if not meta.get("rows"):
        return None
    headings = tuple(map(str, meta["columns"]))
    lines = tuple(tuple(map(str, line)) for line in meta["rows"])
    columns = list(zip(*lines, strict=True))[1:]
    right = (False, *(max(map(len, column)) <= _SHORT for column in columns))
    numbers = HtmlTable(meta["title"], headings, right, lines, len(lines))
    return Markup(numbers._repr_html_())  # noqa: S704 - escaped by its template


def _data_block(value: object) -> str:
    """Write JSON that stays inside a script element whatever the data says."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


@cache
def _theme(name: str) -> str:
    return json.dumps(pio.templates[name].to_plotly_json(), sort_keys=True)


@cache
def _plotly() -> str:
    script: str = get_plotlyjs()
    return script


@cache
def _packed(script: str) -> str:
    """Pack a script for the loader; packing takes longer than all else of a page, so it is done once."""
    return b64encode(gzip.compress(script.encode(), 9, mtime=0)).decode()


@cache
def _loader() -> str:
    return (_FOLDER / "diskenc" / "page.js").read_text(encoding="utf-8")


@cache
def _hash(script: str) -> str:
    return f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'"


def _furniture(charts: int) -> dict[str, Any]:
    """Give what every page holds besides the notebook: style, scripts, and the policy that names them."""
    plotly = _plotly()
    allowed = " ".join([_hash(_loader()), *([_hash(plotly)] if charts else [])])
    policy = f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:"
    return {
        "charts": charts,
        "policy": f"{policy}; base-uri 'none'; form-action 'none'",
        "style": (_FOLDER / "diskenc" / "page.css").read_text(encoding="utf-8"),
        "loader": _loader(),
        "plotly": _packed(plotly) if charts else "",
        "light": _data_block(json.loads(_theme(TEMPLATE))),
        "dark": _data_block(json.loads(_theme(DARK_TEMPLATE))),
    }


def _exporter() -> HTMLExporter:
    exporter = HTMLExporter(
        template_name="diskenc",
        extra_template_basedirs=[str(_FOLDER)],
        exclude_input=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
    )
    exporter.register_filter("outline", _outline)
    return exporter


def _outline(content: str) -> dict[str, Any]:
    """Number the headings of a page, and list them for its contents."""
    soup = BeautifulSoup(content, "html.parser")
    entries = []
    for place, heading in enumerate(soup.find_all(["h2", "h3"]), 1):
        heading["id"] = f"part-{place}"
        entries.append({"id": f"part-{place}", "level": heading.name[1], "text": heading.get_text()})
    for image in soup.find_all("img", alt=False):
        image["alt"] = "An image without a description"
    title = soup.find("h1")
    return {"body": str(soup), "entries": entries, "title": title.get_text() if title else "Report"}
