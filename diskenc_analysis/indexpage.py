"""The first page of a report folder: what each notebook found, which gates were met, what lies beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bs4 import BeautifulSoup
from markupsafe import Markup
from nbformat import NotebookNode

from diskenc_analysis.head import Head
from diskenc_analysis.pagecheck import check_html
from diskenc_analysis.tables import templates

_STYLE = Path(__file__).parent / "templates" / "diskenc" / "page.css"
_PURPOSES = {
    ".html": "a page to read, offline",
    ".ipynb": "the executed notebook behind it",
    ".parquet": "every row, with the exact bytes",
    ".csv": "every row, safe to open in a spreadsheet",
    ".xlsx": "every row as a workbook, a sheet per question",
    ".json": "the numbers as data",
    ".txt": "steps for a person to review",
}


@dataclass(frozen=True)
class Chapter:
    """What the index says of one notebook.

    Attributes
    ----------
    name : str
        Name of the notebook.
    title : str
        Its heading; its name where it failed.
    verdict : tuple of str
        The sentences of its verdict.
    failure : str
        Why it has no page; empty where it has one.

    Examples
    --------
    >>> Chapter("drift", failure="cell 3").failure
    'cell 3'
    """

    name: str
    title: str = ""
    verdict: tuple[str, ...] = ()
    failure: str = ""

    @classmethod
    def of(cls, name: str, executed: NotebookNode) -> Chapter:
        """Take title and verdict out of an executed notebook.

        Parameters
        ----------
        name : str
            Name of the notebook.
        executed : NotebookNode
            As executed.

        Returns
        -------
        Chapter
        """
        prose = (
            line
            for cell in executed.cells
            if cell.cell_type == "markdown"
            for line in cell.source.splitlines()
        )
        title = next((line.removeprefix("# ").strip() for line in prose if line.startswith("# ")), name)
        outputs = (out for cell in executed.cells if cell.cell_type == "code" for out in cell.outputs)
        shown = (str(out.get("data", {}).get("text/html", "")) for out in outputs)
        verdicts = (BeautifulSoup(html, "html.parser") for html in shown if 'class="verdict"' in html)
        said = (part.get_text(strip=True) for soup in verdicts for part in soup.select(".verdict p"))
        return cls(name, title, tuple(said))


def make_index(
    chapters: Sequence[Chapter], head: Head, files: Sequence[tuple[str, int]], as_of: str = ""
) -> str:
    """Make the index of a report folder. The same contents give the same bytes.

    Parameters
    ----------
    chapters : sequence of Chapter
        One per notebook.
    head : Head
        What stands at the top.
    files : sequence of (str, int)
        Name and size in bytes of each file beside it.
    as_of : str
        The date that the report speaks for, or empty.

    Returns
    -------
    str
        A page that needs no script and loads nothing.

    Examples
    --------
    >>> "<h2>drift</h2>" in make_index([Chapter("drift", failure="cell 3")], Head(), [])
    True
    """
    listed = [(name, size, _PURPOSES.get(Path(name).suffix, "")) for name, size in files]
    style = Markup(_STYLE.read_text(encoding="utf-8"))  # noqa: S704 - a file of this package
    html = (
        templates()
        .get_template("index.html.j2")
        .render(chapters=chapters, head=head, files=listed, as_of=as_of, style=style)
    )
    check_html(html, "the index")
    return html
