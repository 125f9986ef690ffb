"""The encryption options and the requirements that one may have of them, as they stand in `data/`.

An option is a method of the matrix, or two that may be used together (`options.csv`); a requirement comes to
one or more capabilities (`requirements.csv`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from diskenc_analysis.editions import capabilities, records
from diskenc_analysis.errors import UnknownNameError


@dataclass(frozen=True, slots=True)
class Option:
    """One way to encrypt: a method of the matrix, or two of them together.

    Attributes
    ----------
    name, label, scope, source : str
        Its name, the words for people, what it covers, and the document that offers it.
    methods : tuple of str
        Methods of the matrix, the one that decides the key first.
    others : tuple of str
        What protects the data disks, where the option reaches the OS disk alone.

    Examples
    --------
    >>> all_options()["confidential_host"].methods
    ('confidential', 'host')
    """

    name: str
    label: str
    methods: tuple[str, ...]
    others: tuple[str, ...]
    scope: str
    source: str


@cache
def all_options() -> dict[str, Option]:
    """Give the options in the order in which equal ones are offered.

    Returns
    -------
    dict of str to Option

    Examples
    --------
    >>> list(all_options())
    ['sse', 'host', 'confidential', 'confidential_host', 'ade']
    """
    rows = sorted(records("options.csv"), key=lambda row: int(row["order"]))
    return {row["option"]: _option(row) for row in rows}


def _option(row: Mapping[str, str]) -> Option:
    methods, others = parts(row["methods"]), parts(row["others"])
    return Option(row["option"], row["label"], methods, others, row["scope"], row["source"])


def requirements() -> dict[str, str]:
    """Give the requirements that can be asked for, with their words.

    Returns
    -------
    dict of str to str
        Those of `data/requirements.csv`, then every capability of the matrix that is none of them.

    Examples
    --------
    >>> requirements()["end_to_end"]
    'Encrypted from end to end: at rest, temp disk, caches and the way to storage'
    """
    known = {row["requirement"]: row["label"] for row in records("requirements.csv")}
    return known | {name: cap.label for name, cap in capabilities().items() if name not in known}


def asked(requires: str | Iterable[str] | None) -> dict[str, None]:
    """Give the capabilities that requirements come to, each once and in order.

    Parameters
    ----------
    requires : str or iterable of str
        Names of requirements or capabilities.

    Returns
    -------
    dict of str to None
        The capabilities.

    Raises
    ------
    UnknownNameError
        When there is no such requirement.

    Examples
    --------
    >>> list(asked(["hsm", "temp_disk"]))
    ['customer_keys', 'hsm', 'temp_disk']
    """
    return dict.fromkeys(name for row in wanted(requires) for name in parts(row["capabilities"]))


def wanted(requires: str | Iterable[str] | None) -> list[dict[str, str]]:
    """Find the rows of requirements; a capability that has none asks for itself.

    Parameters
    ----------
    requires : str or iterable of str
        Names of requirements or capabilities.

    Returns
    -------
    list of dict of str to str
        With `capabilities` and `given`.

    Raises
    ------
    UnknownNameError
        When there is no such requirement.

    Examples
    --------
    >>> wanted("caches")
    [{'capabilities': 'caches', 'given': ''}]
    """
    known = {row["requirement"]: row for row in records("requirements.csv")}
    plain = {name: {"capabilities": name, "given": ""} for name in capabilities()}
    names = [requires] if isinstance(requires, str) else list(requires or ())
    for name in names:
        if name not in requirements():
            raise UnknownNameError.of("requirement", name, requirements())
    return [known.get(name) or plain[name] for name in names]


def parts(text: str) -> tuple[str, ...]:
    """Split the cell of a data file that holds several names.

    Parameters
    ----------
    text : str
        Names, with bars between them.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> parts("sse|host"), parts("")
    (('sse', 'host'), ())
    """
    return tuple(part for part in text.split("|") if part)
