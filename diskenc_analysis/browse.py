"""A frame to look through: a table that sorts and filters where itables is at hand, a plain one elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any

import narwhals as nw

from diskenc_analysis.tables import HtmlTable, table

__all__ = ["STATIC", "Browsed", "browse", "interactive", "start"]
#: Set in the kernel of a report, whose page runs no scripts of others.
STATIC = "DISKENC_STATIC"
_MOST = 10_000
#: Letters of a cell above which it is a long name, and above which it is read as sentences.
_NAME, _SENTENCE = 24, 90
#: Names give way to sentences: else an id of a disk leaves its evidence a column of one word a line.
_STYLE = (
    "<style>td.diskenc-broad { min-width: 26em; } "
    "td.diskenc-name { min-width: 11em; max-width: 16em; overflow-wrap: anywhere; } "
    "tr:has(> td.diskenc-broad) > td { vertical-align: top; }</style>"
)


def interactive() -> bool:
    """Say whether tables may be interactive: itables is installed, a notebook runs, and it is no report's.

    Returns
    -------
    bool

    Examples
    --------
    >>> interactive()
    False
    """
    if os.environ.get(STATIC) or find_spec("itables") is None:
        return False
    kernels = sys.modules.get("ipykernel.kernelapp")  # which every kernel has imported
    return kernels is not None and bool(kernels.IPKernelApp.initialized())


def start() -> None:
    """Load what interactive tables need into the notebook, from itables and never from the network."""
    if interactive():
        import itables

        itables.init_notebook_mode(all_interactive=False, connected=False)


class Browsed:
    """A frame as an interactive table; as plain text where there is no notebook.

    Parameters
    ----------
    plain : HtmlTable
        What it is elsewhere.
    frame : pandas.DataFrame
        The rows.
    """

    def __init__(self, plain: HtmlTable, frame: Any) -> None:
        self.plain, self.frame = plain, frame

    def _repr_html_(self) -> str:
        import itables

        longest = [_longest(self.frame[column]) for column in self.frame]
        broad = [place for place, letters in enumerate(longest) if letters > _SENTENCE]
        named = [place for place, letters in enumerate(longest) if _NAME < letters <= _SENTENCE]
        look: dict[str, Any] = {
            "classes": "display compact",
            "columnDefs": [
                {"className": "dt-left", "targets": "_all"},
                {"className": "dt-left diskenc-broad", "targets": broad},
                {"className": "dt-left diskenc-name", "targets": named},
            ],
            "autoWidth": False,
            "connected": False,
            "allow_html": False,
        }
        return _STYLE + str(itables.to_html_datatable(self.frame, self.plain.caption, **look))

    def __repr__(self) -> str:
        """Write the first rows as plain text."""
        return repr(self.plain)


def _longest(column: Any) -> int:
    return max((len(cell) for cell in column if isinstance(cell, str)), default=0)


def browse(
    frame: Any,
    caption: str,
    columns: Mapping[str, str] | Sequence[str] | None = None,
    limit: int = 25,
) -> Browsed | HtmlTable:
    """Show a frame to look through.

    Parameters
    ----------
    frame : frame
        Any engine's frame, in the order to be shown.
    caption : str
        What it holds, as plain text.
    columns : mapping or sequence of str, optional
        The columns to show; a mapping also gives their headings.
    limit : int
        Most rows of a plain table, which says so. An interactive one has up to 10,000.

    Returns
    -------
    Browsed or HtmlTable
        Interactive after `start`, where itables is installed; else the plain table. Both escape names.

    Raises
    ------
    UnknownNameError
        When a named column is not in the frame.

    Examples
    --------
    >>> browse([{"name": "a", "gib": 8}], "Disks")
    Disks
    Name  GiB
    a       8
    """
    plain = table(frame, caption, columns, limit)
    if not interactive():
        return plain
    import pandas as pd

    native = pd.DataFrame(frame) if isinstance(frame, list) else frame
    shown = nw.maybe_reset_index(nw.from_native(native).lazy().head(_MOST).collect()).to_pandas()
    shown.columns.name = None
    for column in shown.select_dtypes("float"):
        # Counts and sizes are floats where an engine summed them; nobody reads 80.0 VMs.
        numbers = shown[column].astype("Float64")
        known = numbers.dropna().to_numpy("float64")
        if all(map(float.is_integer, known.tolist())):
            shown[column] = numbers.astype("Int64")
    named = columns if isinstance(columns, Mapping) else {}
    return Browsed(plain, shown[list(columns)].rename(columns=dict(named)) if columns else shown)
