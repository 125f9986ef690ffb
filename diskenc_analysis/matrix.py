"""The encryption matrix: as a frame, in words, and compared between editions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from diskenc_analysis.editions import (
    CONDITIONS,
    Capability,
    Cell,
    Method,
    capabilities,
    cells,
    edition_label,
    editions,
    methods,
    records,
    resolve_edition,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "CONDITIONS",
    "Capability",
    "Cell",
    "Method",
    "capabilities",
    "cells",
    "describe",
    "edition_label",
    "editions",
    "matrix",
    "matrix_diff",
    "methods",
    "resolve_edition",
]

_COLUMNS = ("edition", "capability", "method", "value", "condition", "origin", "note", "source")
_WORDS = {
    "not_applicable": "not applicable",
    "NotApplicable": "Not applicable",
    "key_vault_premium": "Azure Key Vault Premium",
    "managed_hsm": "Managed HSM",
}


def describe(rows: Iterable[Cell]) -> str:
    """Write one cell of the matrix in words.

    Parameters
    ----------
    rows : iterable of Cell
        The rows of that cell.

    Returns
    -------
    str
        Each different answer once, with its condition and what the table prints beside it.

    Examples
    --------
    >>> describe(cells("latest")["customer_keys", "ade"])
    'yes, with a key encryption key'
    >>> describe(cells("latest")["hsm", "sse"])
    'Azure Key Vault Premium and Managed HSM'
    """
    said: dict[tuple[str, str], str] = {}
    for row in rows:
        said.setdefault((row.value, row.condition), _phrase(row))
    return "; ".join(said.values())


def _phrase(row: Cell) -> str:
    value = " and ".join(_WORDS.get(part, part) for part in row.value.split(";"))
    condition = f", {CONDITIONS[row.condition]}" if row.condition else ""
    printed = f" ({row.note})" if row.note and row.origin == "table" else ""
    return value + condition + printed


def matrix(edition: str = "latest", *, wide: bool = False) -> pd.DataFrame:
    """Give the matrix as a frame.

    Parameters
    ----------
    edition : str
        One of `editions()`, or `latest`.
    wide : bool
        False gives tidy rows, one per cell and per footnote. True gives the table as printed: ten
        rows, a column `Capability` and one column per method, cells in words.

    Returns
    -------
    pandas.DataFrame
        All columns Arrow-backed strings; empty where there is nothing to say.

    Raises
    ------
    UnknownNameError
        When there is no such edition.

    Examples
    --------
    >>> matrix("2023-05-15").shape
    (40, 8)
    >>> matrix(wide=True).shape
    (10, 5)
    """
    name = resolve_edition(edition)
    if wide:
        return text_frame(_printed(name), ["Capability", *(method.label for method in methods().values())])
    rows = [[row[column] for column in _COLUMNS] for row in records("encryption_matrix.csv")]
    return text_frame([row for row in rows if row[0] == name], _COLUMNS)


def _printed(edition: str) -> list[list[str]]:
    table = cells(edition)
    return [
        [cap.label, *(describe(table[cap.name, method]) for method in methods())]
        for cap in capabilities().values()
    ]


def text_frame(rows: Sequence[Sequence[str]], columns: Sequence[str]) -> pd.DataFrame:
    """Make a frame of Arrow-backed strings.

    Parameters
    ----------
    rows : sequence of sequences of str
        The cells.
    columns : sequence of str
        Their names.

    Returns
    -------
    pandas.DataFrame

    Examples
    --------
    >>> text_frame([["a"]], ["name"]).dtypes.iloc[0]
    string[pyarrow]
    """
    import pandas as pd
    import pyarrow as pa

    return pd.DataFrame(rows, columns=list(columns), dtype=pd.ArrowDtype(pa.string()))


def matrix_diff(old: str, new: str = "latest") -> pd.DataFrame:
    """Compare two editions, cell by cell.

    Parameters
    ----------
    old, new : str
        Two of `editions()`, or `latest`.

    Returns
    -------
    pandas.DataFrame
        One row per cell that differs: `capability`, `method`, `old`, `new` (in words), and the
        `origin` and `source` of what the new edition says otherwise. Columns are Arrow-backed strings.

    Raises
    ------
    UnknownNameError
        When there is no such edition.

    Examples
    --------
    >>> matrix_diff("2023-05-15", "2026-04-02").loc[0, ["method", "old", "new"]].tolist()
    ['sse', 'no', 'no; yes, on VM sizes of version 5 and later']
    """
    before, after = cells(old), cells(new)
    pairs = ((key, before[key], after[key]) for key in before)
    rows = [_change(key, was, now) for key, was, now in pairs if describe(was) != describe(now)]
    return text_frame(rows, ["capability", "method", "old", "new", "origin", "source"])


def _change(key: tuple[str, str], was: list[Cell], now: list[Cell]) -> list[str]:
    said = {_phrase(row) for row in was}
    fresh = [row for row in now if _phrase(row) not in said] or now
    # A condition that a footnote states in full is the footnote's, though the table row carries it too.
    stated = {row.condition for row in fresh if row.origin != "table"}
    fresh = [row for row in fresh if row.origin != "table" or row.condition not in stated]
    origin, source = (_joined(getattr(row, field) for row in fresh) for field in ("origin", "source"))
    return [*key, describe(was), describe(now), origin, source]


def _joined(parts: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(part for part in parts if part))
