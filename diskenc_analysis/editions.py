"""The encryption matrix as read from its files: editions, capabilities, methods and cells.

The facts are in `data/`: `encryption_matrix.csv`, `capabilities.csv`, `methods.csv` and `editions.csv`.
Only the standard library is used here, so that judging a disk needs no data frame.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache

from diskenc_analysis.errors import UnknownNameError
from diskenc_analysis.share import data_file

ORIGINS = ("table", "note", "inferred")

# Each boolean fact that a cell may depend on, in the words that follow "yes," or "no,".
CONDITIONS: dict[str, str] = {
    "has_des": "with a disk encryption set",
    "has_kek": "with a key encryption key",
    "custom_linux_image": "for a custom Linux image",
    "vm_size_v5_plus": "on VM sizes of version 5 and later",
    "ade_covers_temp_disk": "where the encrypted volumes include the temp disk",
    "cvm_temp_disk_opt_in": "where temp disk encryption is switched on",
    "no_host_cache": "where the disk has no host cache",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One row of the matrix for one capability and method.

    Attributes
    ----------
    value : str
        `yes`, `no`, `not_applicable`, a Defender status, or the key stores with HSMs, joined by `;`.
    condition : str
        A name in `CONDITIONS`, or empty. On a table row: true = the value, false = its opposite. On
        any other row: true = the value, false = the table row stands. Unknown = unknown.
    origin : str
        `table` (printed there), `note` (stated by a neighbouring page) or `inferred`.
    note : str
        On a table row what the table prints beside the value, else the footnote.
    source : str
        The document with its date.
    """

    value: str
    condition: str
    origin: str
    note: str
    source: str


@dataclass(frozen=True, slots=True)
class Capability:
    """One row title of the matrix.

    Attributes
    ----------
    name, label, question : str
        The column's name, the words for people, and the question that the row answers.
    combine : str
        `any` or `all`: how several methods on one disk combine (rule C1).
    counted_per : str
        `disk` or `vm`.
    seed_row : str
        The row's title in the table as published.
    order : int
        Place in the table, from 1.
    scopes : tuple of str
        Where the question does not arise, in any edition: names of `conditions.SCOPES`.
    protects : bool
        Whether a yes protects what is on the disk; the others say what a method costs.
    """

    name: str
    label: str
    question: str
    combine: str
    counted_per: str
    seed_row: str
    order: int
    scopes: tuple[str, ...]
    protects: bool


@dataclass(frozen=True, slots=True)
class Method:
    """One column title of the matrix; `note` holds what to know before choosing the method."""

    name: str
    label: str
    note: str
    source: str
    order: int


def records(name: str) -> list[dict[str, str]]:
    """Read one CSV file of the facts kept as data.

    Parameters
    ----------
    name : str
        File name, such as `encryption_matrix.csv`.

    Returns
    -------
    list of dict of str to str
        One per row, by column.

    Examples
    --------
    >>> records("editions.csv")[0]["edition"]
    '2023-05-15'
    """
    with data_file(name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def capabilities() -> dict[str, Capability]:
    """Give the ten capabilities, in the order of the table.

    Returns
    -------
    dict of str to Capability

    Examples
    --------
    >>> capabilities()["temp_disk"].counted_per
    'vm'
    """
    rows = sorted(records("capabilities.csv"), key=lambda row: int(row["order"]))
    return {row["capability"]: _capability(row) for row in rows}


def _capability(row: dict[str, str]) -> Capability:
    return Capability(
        name=row["capability"],
        label=row["label"],
        question=row["question"],
        combine=row["combine"],
        counted_per=row["counted_per"],
        seed_row=row["seed_row"],
        order=int(row["order"]),
        scopes=tuple(row["not_applicable_where"].split("|")),
        protects=row["protects"] == "yes",
    )


@cache
def methods() -> dict[str, Method]:
    """Give the four methods, in the order of the table.

    Returns
    -------
    dict of str to Method

    Examples
    --------
    >>> list(methods())
    ['sse', 'host', 'ade', 'confidential']
    """
    rows = sorted(records("methods.csv"), key=lambda row: int(row["order"]))
    return {
        row["method"]: Method(row["method"], row["label"], row["note"], row["source"], int(row["order"]))
        for row in rows
    }


@cache
def _labels() -> dict[str, str]:
    return {row["edition"]: row["label"] for row in records("editions.csv")}


def editions() -> list[str]:
    """Give the editions of the matrix, oldest first.

    Returns
    -------
    list of str
        ISO dates.

    Examples
    --------
    >>> editions()
    ['2023-05-15', '2026-04-02']
    """
    return sorted(_labels())


def resolve_edition(edition: str = "latest") -> str:
    """Find the edition that a name means.

    Parameters
    ----------
    edition : str
        One of `editions()`, or `latest`.

    Returns
    -------
    str

    Raises
    ------
    UnknownNameError
        When there is no such edition.

    Examples
    --------
    >>> resolve_edition("latest")
    '2026-04-02'
    """
    known = editions()
    if edition == "latest":
        return known[-1]
    if edition not in known:
        raise UnknownNameError.of("edition", edition, [*known, "latest"])
    return edition


def edition_label(edition: str = "latest") -> str:
    """Say which tables and notes an edition is made of.

    Parameters
    ----------
    edition : str
        One of `editions()`, or `latest`.

    Returns
    -------
    str

    Examples
    --------
    >>> edition_label("latest")
    'table of 2025-05-14 with notes to 2026-04-02'
    """
    return _labels()[resolve_edition(edition)]


def cells(edition: str = "latest") -> dict[tuple[str, str], list[Cell]]:
    """Give the matrix for judging: by capability and method, the table row first, then its notes.

    Parameters
    ----------
    edition : str
        One of `editions()`, or `latest`.

    Returns
    -------
    dict of (capability, method) to list of Cell
        Shared between callers: read it, do not change it.

    Raises
    ------
    UnknownNameError
        When there is no such edition.

    Examples
    --------
    >>> [(cell.value, cell.condition) for cell in cells("latest")["temp_disk", "sse"]]
    [('no', ''), ('yes', 'vm_size_v5_plus')]
    """
    return _cells(resolve_edition(edition))


@cache
def _cells(edition: str) -> dict[tuple[str, str], list[Cell]]:
    found: dict[tuple[str, str], list[Cell]] = {(cap, m): [] for cap in capabilities() for m in methods()}
    rows = sorted(records("encryption_matrix.csv"), key=lambda row: row["origin"] != "table")
    for row in rows:
        if row["edition"] == edition:
            cell = Cell(*(row[field] for field in ("value", "condition", "origin", "note", "source")))
            found[row["capability"], row["method"]].append(cell)
    return found
