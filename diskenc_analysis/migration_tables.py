"""What the way out of Azure Disk Encryption rests on: its paths, checks, states and policies, and the date.

The rows are `data/migration_states.csv`, `migration_paths.csv`, `migration_checks.csv` and
`migration_policies.csv`.
"""

from __future__ import annotations

import csv
from datetime import date
from functools import cache

from diskenc_analysis.errors import ParameterError
from diskenc_analysis.share import data_file

#: From this day on, disks under Azure Disk Encryption do not unlock after a reboot (retirement notice).
RETIREMENT = date(2028, 9, 15)
ANSWERS = ("clear", "blocks", "unknown", "not_applicable")


def _read(name: str, key: str) -> dict[str, dict[str, str]]:
    with data_file(f"migration_{name}.csv").open(encoding="utf-8", newline="") as file:
        return {row[key]: row for row in csv.DictReader(file)}


@cache
def paths() -> dict[str, dict[str, str]]:
    """Read the documented paths away from Azure Disk Encryption.

    Returns
    -------
    dict of str to dict
        By `path`: `scope`, `words`, `short`, `steps`, `downtime` (none, hours, days, unknown) and `source`.

    Examples
    --------
    >>> paths()["rebuild"]["downtime"]
    'days'
    """
    return _read("paths", "path")


@cache
def checks() -> dict[str, dict[str, str]]:
    """Read what may stand in the way.

    Returns
    -------
    dict of str to dict
        By `check_id`: `label`, `short`, `field` (of the canonical tables), `predicate` (fact=answer; ...),
        `missing` (the answer where the field was not read), `paths` (those it is asked of), `must_do`,
        `source`.

    Examples
    --------
    >>> checks()["active_sas"]["predicate"]
    'no=clear; yes=blocks'
    """
    return _read("checks", "check_id")


@cache
def states() -> dict[str, dict[str, str]]:
    """Read what a machine or copy has to do with Azure Disk Encryption, with severity and verdict.

    Examples
    --------
    >>> states()["on"]["severity_after"]
    'critical'
    """
    return _read("states", "state")


@cache
def policies() -> dict[str, dict[str, str]]:
    """Read the policy definitions whose effect Deny stands in the way, by GUID."""
    return _read("policies", "definition")


def as_date(as_of: str | date | None) -> date | None:
    """Read the date that a plan speaks for.

    Parameters
    ----------
    as_of : str, date or None
        As YYYY-MM-DD; empty or None where none is stated. The clock is never asked.

    Returns
    -------
    date or None

    Raises
    ------
    ParameterError
        When the text is no date.

    Examples
    --------
    >>> as_date("2028-09-15"), as_date("")
    (datetime.date(2028, 9, 15), None)
    """
    try:
        return as_of if isinstance(as_of, date) else date.fromisoformat(as_of) if as_of else None
    except ValueError:
        raise ParameterError(f"as_of: expected a date as YYYY-MM-DD, got {as_of!r}") from None


def days_left(as_of: date | None) -> int | None:
    """Count the days from a date to the retirement; below nought after it.

    Examples
    --------
    >>> days_left(date(2028, 9, 14)), days_left(None)
    (1, None)
    """
    return None if as_of is None else (RETIREMENT - as_of).days


def answer(check: str, fact: str, path: str) -> str:
    """Answer one check from its fact by the predicate in the data.

    Parameters
    ----------
    check : str
        Its id.
    fact : str
        One of the words of its predicate; anything else counts as not read.
    path : str
        A check that is not asked on a path is `not_applicable`.

    Returns
    -------
    {"clear", "blocks", "unknown", "not_applicable"}

    Examples
    --------
    >>> [answer("host_size", fact, path) for fact, path in (("no", "upload"), ("", "upload"), ("", "retake"))]
    ['blocks', 'unknown', 'not_applicable']
    """
    rule = checks()[check]
    if path not in rule["paths"].split("|"):
        return "not_applicable"
    return dict(part.split("=") for part in rule["predicate"].split("; ")).get(fact, rule["missing"])


def verdict(state: str, as_of: date | None, *, stopped: bool = False) -> dict[str, str]:
    """Say how grave a state is on a day, and in which words.

    Examples
    --------
    >>> verdict("on", date(2028, 9, 15))
    {'severity': 'critical', 'verdict': 'running, will not unlock after a reboot'}
    """
    row, after = states()[state], as_of is not None and as_of >= RETIREMENT
    words = row["verdict_after" if after else "verdict"]
    if after and stopped and state == "on":
        words = "stopped, will not unlock when it is started"
    return {"severity": row["severity_after" if after else "severity"], "verdict": words}
