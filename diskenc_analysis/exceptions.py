"""Exceptions that a person has granted: a file of findings, scopes and reasons, judged at a date."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import date
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import narwhals as nw

from diskenc_analysis.errors import ParameterError, UnreadableInputError, suggest
from diskenc_analysis.frames import Frame, choose, given, helper, key_of
from diskenc_analysis.scopes import join_scopes, scope_key

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory


@dataclass(frozen=True)
class Granted:
    """One row of the file of exceptions.

    Attributes
    ----------
    finding : str
        A rule or control, such as `cis_azure_3.0.0/8.3`, or the whole `finding_id` of one disk.
    scope : str
        ARM id of a subscription, resource group or disk; empty for everywhere.
    reason, owner, approver : str
        Why, for whom, and by whom.
    expires : str
        Last day, as YYYY-MM-DD.
    """

    finding: str
    scope: str
    reason: str
    owner: str
    approver: str
    expires: str


_COLUMNS = tuple(one.name for one in fields(Granted))


def read_exceptions(path: str | PathLike[str]) -> list[Granted]:
    """Read a CSV file of exceptions.

    Parameters
    ----------
    path : path
        With the columns finding, scope, reason, owner, approver and expires.

    Returns
    -------
    list of Granted

    Raises
    ------
    UnreadableInputError
        When the file cannot be read, lacks a column, or a row lacks a value or has a wrong date; with the
        line.
    """
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            _check_header(path, reader.fieldnames or [])
            return [_granted(path, line, row) for line, row in enumerate(reader, start=2)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UnreadableInputError(f"{path}: expected a CSV file of exceptions, but: {error}") from None


def _check_header(path: str | PathLike[str], found: Iterable[str]) -> None:
    there = list(found)
    for name in _COLUMNS:
        if name not in there:
            near = suggest(name, there)
            raise UnreadableInputError(f"{path}, line 1: expected the column {name!r}, got {there}.{near}")


def _granted(path: str | PathLike[str], line: int, row: dict[str, str]) -> Granted:
    made = Granted(**{name: (row[name] or "").strip() for name in _COLUMNS})
    for name in ("finding", "reason", "owner", "approver"):
        if not getattr(made, name):
            raise UnreadableInputError(f"{path}, line {line}: expected a value in {name!r}, got nothing")
    try:
        return replace(made, expires=date.fromisoformat(made.expires).isoformat())
    except ValueError:
        said = f"expected a date as YYYY-MM-DD in 'expires', got {made.expires!r}"
        raise UnreadableInputError(f"{path}, line {line}: {said}") from None


def with_exceptions(inv: Inventory, found: Frame, granted: Iterable[Granted], as_of: str) -> Frame:
    """Mark the findings that an exception covers; those whose exception has expired stand again.

    Parameters
    ----------
    inv : Inventory
        Gives the engine.
    found : Frame
        Findings with `finding_id`, `rule_id`, `disk_id`, `subscription_id` and `resource_group`.
    granted : iterable of Granted
        The exceptions.
    as_of : str
        Date as YYYY-MM-DD at which they are judged.

    Returns
    -------
    Frame
        With `exception` (`excepted`, `expired` or empty) and `exception_note` besides.

    Raises
    ------
    ParameterError
        When there are exceptions and no date.
    """
    listed = list(granted)
    if listed and not as_of:
        raise ParameterError("exceptions expire: say at which date they are judged (as_of, as YYYY-MM-DD)")
    parts = {
        "excepted": [one for one in listed if one.expires >= as_of],
        "expired": [one for one in listed if one.expires < as_of],
    }
    found = found.with_columns(key=key_of("disk_id"))
    for word, ones in parts.items():
        found = _noted(inv, found, ones, word)
    states = choose([(given(f"_{word}"), word) for word in parts], "")
    note = nw.coalesce(*[nw.col(f"_{word}") for word in parts]).fill_null("")
    return found.with_columns(exception=states, exception_note=note).drop(
        "key", *[f"_{word}" for word in parts]
    )


def _noted(inv: Inventory, found: Frame, granted: Iterable[Granted], word: str) -> Frame:
    """Bring the note of an exception to the findings it covers: by finding, else by rule and scope."""
    by_scope = {(scope_key(one.scope), one.finding): _note(one) for one in granted}
    rows = [{"finding_id": finding, "_own": note} for (_, finding), note in by_scope.items()]
    scoped = f"_scope_{word}"
    found = join_scopes(inv, found, by_scope, "rule_id", scoped)
    if not rows:
        return found.rename({scoped: f"_{word}"})
    one_each = {row["finding_id"]: row for row in rows}
    own = helper(inv, f"own_{word}", list(one_each.values()), ["finding_id", "_own"])
    found = found.join(own, on="finding_id", how="left")
    return found.with_columns(**{f"_{word}": nw.coalesce("_own", scoped)}).drop("_own", scoped)


def _note(one: Granted) -> str:
    return f"{one.reason} (owner {one.owner}, approved by {one.approver}, until {one.expires})"
