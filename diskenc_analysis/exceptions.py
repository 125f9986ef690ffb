"""Exceptions that a person has granted: a file of findings, scopes and reasons, judged at a date."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import narwhals as nw

from diskenc_analysis.errors import ParameterError, UnreadableInputError, suggest
from diskenc_analysis.frames import Frame, choose, given, key_of
from diskenc_analysis.scopes import EVERYWHERE, join_scopes, scope_key

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
    line : int
        Where it stands in its file.
    """

    finding: str
    scope: str
    reason: str
    owner: str
    approver: str
    expires: str
    line: int = 0


#: The statuses of a finding that a person has to do with.
OPEN = ("not_met", "unknown")
_COLUMNS = tuple(one.name for one in fields(Granted) if one.name != "line")


def read_exceptions(path: str | PathLike[str], known: Iterable[str] = ()) -> list[Granted]:
    """Read a CSV file of exceptions.

    Parameters
    ----------
    path : path
        With the columns finding, scope, reason, owner, approver and expires, in any order.
    known : iterable of str
        The rules that exist; empty checks no names.

    Returns
    -------
    list of Granted

    Raises
    ------
    UnreadableInputError
        When the file cannot be read, lacks a column, or a cell is empty, misspelt or no date; with file,
        line, column, what was expected and what stands there.
    """
    rules = list(known)
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = _header(path, next(reader, []))
            cells = ((_Place(path, reader.line_num), row) for row in reader if any(row))
            return [_granted(place, header, row, rules) for place, row in cells]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UnreadableInputError(f"{path}: expected a CSV file of exceptions, but: {error}") from None


@dataclass(frozen=True)
class _Place:
    path: str | PathLike[str]
    line: int

    def wrong(self, column: str, expected: str, got: str, near: str = "") -> UnreadableInputError:
        said = f"expected {expected}, got {got or 'nothing'}.{near}"
        return UnreadableInputError(f"{self.path}, line {self.line}, column {column!r}: {said}")


def _header(path: str | PathLike[str], found: list[str]) -> list[str]:
    there = [name.strip().lower() for name in found]
    for name in _COLUMNS:
        if there.count(name) != 1:
            near = "" if name in there else suggest(name, there)
            said = f"expected one column {name!r}, got {', '.join(there) or 'nothing'}.{near}"
            raise UnreadableInputError(f"{path}, line 1: {said}")
    return there


def _granted(place: _Place, header: list[str], row: list[str], rules: list[str]) -> Granted:
    if len(row) > len(header):
        cells = f"{len(header)} cells (a comma within a cell needs quotes about the cell)"
        raise place.wrong(header[-1], cells, str(len(row)))
    cell = dict.fromkeys(header, "") | dict(zip(header, (one.strip() for one in row), strict=False))
    made = Granted(**{name: cell[name] for name in _COLUMNS}, line=place.line)
    for name in ("finding", "reason", "owner", "approver"):
        if not getattr(made, name):
            raise place.wrong(name, "a value", "")
    if made.scope and scope_key(made.scope) == EVERYWHERE:
        raise place.wrong(
            "scope", "the ARM id of a subscription, resource group or disk, or nothing for all", made.scope
        )
    finding, expires = _finding(place, made.finding, rules), _expires(place, made.expires)
    return replace(made, finding=finding, expires=expires)


def _finding(place: _Place, text: str, rules: list[str]) -> str:
    """Give a finding as the findings spell it: the rule as it is, and the disk in lower case."""
    rule, parted, disk = text.partition(":")
    if rules and rule not in rules:
        expected = "the rule_id or finding_id of a finding"
        raise place.wrong("finding", expected, repr(text), suggest(rule, rules))
    return f"{rule}:{disk.lower().rstrip('/')}" if parted else rule


def _expires(place: _Place, text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise place.wrong("expires", "a date as YYYY-MM-DD", repr(text)) from None


def with_exceptions(inv: Inventory, found: Frame, granted: Iterable[Granted], as_of: str) -> Frame:
    """Mark the findings that an exception covers; those whose exception has expired stand again.

    Parameters
    ----------
    inv : Inventory
        Gives the engine.
    found : Frame
        Findings with `finding_id`, `rule_id`, `status`, `disk_id`, `subscription_id` and `resource_group`.
    granted : iterable of Granted
        The exceptions.
    as_of : str
        Date as YYYY-MM-DD at which they are judged.

    Returns
    -------
    Frame
        With `exception` (`excepted`, `expired` or empty) and `exception_note` besides: on findings that are
        not met or unknown, and on no others.

    Raises
    ------
    ParameterError
        When there are exceptions and no date, or what is given is none.
    """
    listed = list(granted)
    parts = {
        "excepted": [one for one in listed if one.expires >= as_of],
        "expired": [one for one in listed if one.expires < as_of],
    }
    check_day(listed, as_of)
    found = found.with_columns(key=key_of("disk_id"))
    for word, ones in parts.items():
        found = _noted(inv, found, ones, word)
    # What is met, or not asked of the disk, needs no exception.
    is_open = nw.col("status").is_in(OPEN)
    states = choose([(is_open & given(f"_{word}"), word) for word in parts], "")
    notes = nw.coalesce(*[nw.col(f"_{word}") for word in parts]).fill_null("")
    note = nw.when(is_open).then(notes).otherwise(nw.lit(""))
    return found.with_columns(exception=states, exception_note=note).drop(
        "key", *[f"_{word}" for word in parts]
    )


def check_day(granted: Sequence[Granted], as_of: str) -> None:
    """Refuse exceptions without a date at which they are judged, and a date that is none."""
    if granted and not as_of:
        raise ParameterError("exceptions expire: say at which date they are judged (as_of, as YYYY-MM-DD)")
    try:
        date.fromisoformat(as_of or "2000-01-01")
    except ValueError:
        raise ParameterError(f"as_of: expected a date as YYYY-MM-DD, got {as_of!r}") from None


def _noted(inv: Inventory, found: Frame, granted: Iterable[Granted], word: str) -> Frame:
    """Bring the note of an exception to what it covers within its scope: one finding, else a rule."""
    by_scope = {(scope_key(one.scope), one.finding): _note(one) for one in granted}
    own, ruled = (
        {key: note for key, note in by_scope.items() if (":" in key[1]) is whole} for whole in (True, False)
    )
    found = join_scopes(inv, found, own, "finding_id", f"_own_{word}")
    found = join_scopes(inv, found, ruled, "rule_id", f"_ruled_{word}")
    both = nw.coalesce(f"_own_{word}", f"_ruled_{word}")
    return found.with_columns(**{f"_{word}": both}).drop(f"_own_{word}", f"_ruled_{word}")


def _note(one: Granted) -> str:
    return f"{one.reason} (owner {one.owner}, approved by {one.approver}, until {one.expires})"
