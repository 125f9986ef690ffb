"""HTML tables that escape what they show and say what they cut."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from diskenc_analysis.errors import ParameterError, UnknownNameError
from diskenc_analysis.plainrows import Row, count_rows, rows
from diskenc_analysis.text import clean, heading, number, percent

__all__ = ["HtmlTable", "percent", "table", "templates"]
_CELL_LIMIT = 1200
_PLAIN_ROWS = 20
_LONG, _LONGER = 90, 300  # letters of a cell that holds a sentence, and several
_WORD, _PIECE = 14, 16  # letters of a word that a line takes whole, and of a piece of a hash
_RUN = re.compile(r"[0-9A-Za-z]{20,}")
_JOINT = re.compile(r"(?<=[_./#:=&?@,;-])(?=\w)|(?<=[a-z])(?=[A-Z])")
_HERE = "\x00"  # no text of a table holds it, since control characters are taken out
_ROUNDING = {"share_low": "down", "share_high": "up"}


@lru_cache(maxsize=1)
def templates() -> Environment:
    """Give the HTML templates, which escape every value put into them.

    Returns
    -------
    jinja2.Environment
        With autoescape on; a name that a template misses is an error.

    Examples
    --------
    >>> templates().from_string("{{ name }}").render(name="<b>")
    '&lt;b&gt;'
    """
    folder = Path(__file__).parent / "templates"
    made = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["breakable"] = breakable
    made.filters["breadth"] = breadth
    return made


def breakable(text: str) -> Markup:
    """Escape text, and say where a browser may break its long words: between their parts, and within hashes.

    Parameters
    ----------
    text : str
        As it is to be read. A break that is not needed does not show, and is no part of what is copied.

    Returns
    -------
    Markup

    Examples
    --------
    >>> print(breakable("data <1> disk_encryption_sets"))
    data &lt;1&gt; disk_<wbr>encryption_<wbr>sets
    """
    words = (_parted(word) if len(word) > _WORD else word for word in text.split(" "))
    return escape(" ".join(words)).replace(_HERE, Markup("<wbr>"))


def _parted(word: str) -> str:
    word = _RUN.sub(lambda run: _HERE.join(re.findall(f".{{1,{_PIECE}}}", run[0])), word)
    return _JOINT.sub(_HERE, word)


def breadth(text: str) -> Markup:
    """Give the class of a cell, as an attribute: of a sentence, of several, of a word not to be parted.

    Examples
    --------
    >>> print(breadth("2026-11-24"), breadth("yes"))
     class="word"
    """
    short = "-" in text and " " not in text and len(text) <= _PIECE  # a browser parts at a hyphen: dates too
    name = "longer" if len(text) > _LONGER else "long" if len(text) > _LONG else "word" if short else ""
    return Markup(f' class="{name}"' if name else "")  # noqa: S704 - words of our own


@dataclass(frozen=True)
class HtmlTable:
    """A table as text: what a notebook shows and a page carries.

    Attributes
    ----------
    caption : str
        What the table holds.
    headings : tuple of str
        One per column.
    right : tuple of bool
        Which columns are numbers, set to the right.
    lines : tuple of tuples of str
        The cells, as plain text; they are escaped when shown.
    total : int
        How many rows there are in all.
    sheet : str
        The sheet of the report's appendix that holds every row; empty where none does.

    Examples
    --------
    >>> HtmlTable("Disks", ("Name",), (False,), (("<x>",),), 3, "disks").cut
    '1 of 3 shown, all in the appendix: sheet disks'
    """

    caption: str
    headings: tuple[str, ...]
    right: tuple[bool, ...]
    lines: tuple[tuple[str, ...], ...]
    total: int
    sheet: str = ""

    @property
    def cut(self) -> str:
        """What was left out, in words; empty where nothing was."""
        if self.total <= len(self.lines):
            return ""
        where = f", all in the appendix: sheet {self.sheet}" if self.sheet else ""
        return f"{number(len(self.lines))} of {number(self.total)} shown{where}"

    def _repr_html_(self) -> str:
        return templates().get_template("table.html.j2").render(table=self)

    def __repr__(self) -> str:
        """Write the table as plain text, the first rows of it."""
        shown = self.lines[:_PLAIN_ROWS]
        widths = [max(map(len, column)) for column in zip(self.headings, *shown, strict=True)]
        text = [self._plain(line, widths) for line in (self.headings, *shown)]
        more = self.total - len(shown)
        return "\n".join([self.caption, *text, *([f"... and {number(more)} more"] if more else [])])

    def _plain(self, line: Sequence[str], widths: Sequence[int]) -> str:
        cells = zip(line, widths, self.right, strict=True)
        return "  ".join(
            cell.rjust(width) if right else cell.ljust(width) for cell, width, right in cells
        ).rstrip()


def table(
    frame: Any,
    caption: str,
    columns: Mapping[str, str] | Sequence[str] | None = None,
    limit: int = 200,
    total: int | None = None,
    sheet: str = "",
) -> HtmlTable:
    """Show a frame as a table.

    Parameters
    ----------
    frame : frame or list of dict
        Any engine's frame, in the order to be shown. A lazy one is read up to the limit only.
    caption : str
        What it holds, as plain text.
    columns : mapping or sequence of str, optional
        The columns to show in their order; a mapping also gives their headings.
    limit : int
        Most rows shown. Where there are more, the caption says so.
    total : int, optional
        How many rows there are, where the frame itself holds only the first of them.
    sheet : str
        The sheet of the report's appendix that holds every row; empty where none does.

    Returns
    -------
    HtmlTable
        Numbers stand right; columns named share, share_low and share_high are written as per cent.

    Raises
    ------
    ParameterError
        When the limit is below 1 or the caption is empty.
    UnknownNameError
        When a named column is not in the frame.

    Examples
    --------
    >>> table([{"name": "a", "share": 0.5}, {"name": "b", "share": None}], "Shares", limit=1)
    Shares
    Name  Share
    a       50%
    ... and 1 more
    """
    if limit < 1 or not caption.strip():
        raise ParameterError(f"a table needs a caption and a limit of 1 or more; got {caption!r}, {limit!r}")
    found = rows(frame, limit)
    counted = len(found) if len(found) < limit else count_rows(frame)
    names = _columns(found, columns)
    lines = tuple(tuple(_cell(name, row[name]) for name in names) for row in found)
    right = tuple(_is_number(name, found) for name in names)
    total = max(counted, total or 0)
    return HtmlTable(clean(caption, 300), tuple(names.values()), right, lines, total, sheet)


def _columns(found: Sequence[Row], columns: Mapping[str, str] | Sequence[str] | None) -> dict[str, str]:
    there = list(found[0]) if found else list(columns or [])
    wanted = there if columns is None else list(columns)
    for name in wanted:
        if name not in there:
            raise UnknownNameError.of("column", name, there)
    given = columns if isinstance(columns, Mapping) else {}
    return {name: given.get(name) or heading(name) for name in wanted}


def _cell(name: str, value: object) -> str:
    if name.startswith("share") and (value is None or isinstance(value, int | float)):
        return percent(value, _ROUNDING.get(name, "nearest"))
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return clean(value, _CELL_LIMIT) if str(value).strip() else ""


def _is_number(name: str, found: Sequence[Row]) -> bool:
    values = [row[name] for row in found if row[name] is not None]
    numbers = [isinstance(value, int | float) and not isinstance(value, bool) for value in values]
    return name.startswith("share") or (bool(numbers) and all(numbers))
