"""The numbers of a report as data: `facts.json`, and the versions of what made them."""

from __future__ import annotations

import json
import math
import os
import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import narwhals as nw

import diskenc_analysis
from diskenc_analysis.editions import capabilities, edition_label, resolve_edition
from diskenc_analysis.plainrows import Row, count_rows, rows
from diskenc_analysis.scope import answers, by_size
from diskenc_analysis.summary import summarize, tally

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

_PACKAGES = ("duckdb", "narwhals", "nbconvert", "pandas", "papermill", "plotly", "pyarrow")
_ANSWER = ("yes", "no", "unknown", "not_applicable", "total", "share", "share_low", "share_high")


def coverage_facts(inv: Inventory, cov: Any, edition: str = "latest", as_of: str = "") -> dict[str, Any]:
    """Gather the numbers of a coverage report.

    Parameters
    ----------
    inv : Inventory
        What was read.
    cov : frame
        Coverage of it.
    edition : str
        Edition of the matrix that judged it.
    as_of : str
        The date that the report speaks for, or empty.

    Returns
    -------
    dict
        JSON primitives only: edition, counts, shares of all disks, by part of the estate and by
        subscription, methods and key owners, conflicts, and the ledger.
    """
    return origin(inv, edition, as_of) | {
        "disks": count_rows(cov),
        "by_kind": _sorted(tally(cov, by=["kind", "attachment"])),
        "capabilities": _capabilities(cov),
        "by_scope": [_answer(row, scope=scope) for (scope, _), row in answers(cov).items()],
        "by_subscription": _by_subscription(cov),
        "methods": _sorted(tally(cov, by=["method"])),
        "key_owners": _sorted(tally(cov, by=["key_owner"])),
        "conflicts": count_rows(conflicting(cov)),
    }


def origin(inv: Inventory, edition: str, as_of: str) -> dict[str, Any]:
    """Say where the numbers of a report come from.

    Parameters
    ----------
    inv : Inventory
        What was read.
    edition : str
        Edition of the matrix that judged it.
    as_of : str
        The date that the report speaks for, or empty.

    Returns
    -------
    dict
        The edition and its label, the date, and the ledger.
    """
    return {
        "edition": resolve_edition(edition),
        "edition_label": edition_label(edition),
        "as_of": as_of or None,
        "ledger": dict(inv.totals) | {"files": sources(inv)},
    }


def conflicting(cov: Any) -> Any:
    """Keep the disks whose data contradicts itself.

    Parameters
    ----------
    cov : frame
        Coverage.

    Returns
    -------
    frame
        The same kind of frame.

    Examples
    --------
    >>> import pandas as pd
    >>> len(conflicting(pd.DataFrame({"conflicts": ["", None, "ade with host"]})))
    1
    """
    return nw.from_native(cov).filter(nw.col("conflicts").fill_null("") != "").to_native()


def sources(inv: Inventory) -> list[Row]:
    """Give the ledger with its files named from the folder that holds them all.

    Parameters
    ----------
    inv : Inventory
        What was read.

    Returns
    -------
    list of dict
        Rows of the ledger. Where the files lie on this machine is left out: it is no part of a report.
    """
    found = rows(inv.ledger)
    paths = [Path(row["source"]) for row in found]
    root = Path(os.path.commonpath([path.parent for path in paths])) if paths else Path()
    return [
        row | {"source": path.relative_to(root).as_posix()} for row, path in zip(found, paths, strict=True)
    ]


def _capabilities(cov: Any) -> dict[str, Any]:
    counted = {row["capability"]: row for row in rows(summarize(cov, by=None))}
    sized = {row["capability"]: row for row in by_size(cov)}
    names = [name for name in capabilities() if name in counted]
    return {
        name: {row["weight"]: _answer(row) for row in (counted[name], sized.get(name)) if row}
        for name in names
    }


def _by_subscription(cov: Any) -> list[dict[str, Any]]:
    found = rows(summarize(cov, by="subscription_name"))
    order = {name: place for place, name in enumerate(capabilities())}
    found.sort(key=lambda row: (str(row["subscription_name"]), order[row["capability"]]))
    return [_answer(row, subscription=row["subscription_name"]) for row in found]


def _answer(row: Mapping[str, Any], **which: str) -> dict[str, Any]:
    names = {"capability": row["capability"], "weight": row["weight"]} if which else {}
    return which | names | {key: _whole(row[key]) for key in _ANSWER}


def _whole(value: Any) -> Any:
    """Write a count as the whole number it is."""
    return int(value) if isinstance(value, float) and value.is_integer() and value > 1 else value


def _sorted(frame: Any) -> list[Row]:
    return sorted(rows(frame), key=lambda row: [str(value) for value in row.values()])


def write_facts(path: str | os.PathLike[str], facts: Mapping[str, Any]) -> None:
    """Write numbers as JSON, the same numbers to the same bytes.

    Parameters
    ----------
    path : path
        File to write. An empty name writes nothing, so that a notebook need not ask.
    facts : mapping
        JSON primitives; fractions are rounded to six digits, and what is not a number is null.

    Examples
    --------
    >>> write_facts("", {"share": 0.5})
    """
    if os.fspath(path):
        text = json.dumps(_rounded(facts), ensure_ascii=False, indent=2, allow_nan=False)
        Path(path).write_text(text + "\n", encoding="utf-8", newline="\n")


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _rounded(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(part) for part in value]
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value


def versions() -> dict[str, str]:
    """Give the versions of what makes a report.

    Returns
    -------
    dict of str to str
        This package, Python, and the libraries that read, judge and draw.

    Examples
    --------
    >>> list(versions())[:2]
    ['diskenc_analysis', 'python']
    """
    found = {"diskenc_analysis": diskenc_analysis.__version__, "python": platform.python_version()}
    return found | {name: _version(name) for name in _PACKAGES}


def commit() -> str:
    """Name the git commit that this package was run from.

    Returns
    -------
    str
        Its hash, with `-dirty` where files were changed since; `not a checkout` for an installed package.

    Examples
    --------
    >>> isinstance(commit(), str)
    True
    """
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return "not a checkout"
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return "not known"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
