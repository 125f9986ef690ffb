"""When the exports were made, and of which subscriptions: the ledger notes what does not fit together."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

import duckdb

from diskenc_analysis.errors import ParameterError
from diskenc_analysis.ledger import Ledger
from diskenc_analysis.schema import table_of_type, tables

#: Shape, in the ledger, of the file that lists the subscriptions.
EXPECTED = "list of expected subscriptions"
_APART = timedelta(days=1)


def expected_subscriptions(path: Path) -> list[str]:
    """Read a list of subscriptions.

    Parameters
    ----------
    path : Path
        Text with the GUID of one subscription a line; what follows a blank, a comma or `#` is a remark.

    Returns
    -------
    list of str
        The GUIDs in lower case, sorted, each once.

    Raises
    ------
    ParameterError
        When the file cannot be read, or a line is no GUID; names the line.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ParameterError(
            f"{path}: expected a text file with one subscription a line, but: {error}"
        ) from None
    found = set()
    for number, line in enumerate(lines, start=1):
        word = re.split(r"[#,\s]", line.strip())[0].lower()
        if word and not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", word):
            raise ParameterError(f"{path}: line {number}: expected the GUID of a subscription, got {word!r}")
        found |= {word} - {""}
    return sorted(found)


def note_absent(
    ledger: Ledger, source: int, expected: list[str], connection: duckdb.DuckDBPyConnection
) -> None:
    """Note which of the expected subscriptions no resource was read of.

    Parameters
    ----------
    ledger : Ledger
        Takes the note.
    source : int
        Number of the file that lists them.
    expected : list of str
        Their GUIDs, in lower case.
    connection : duckdb.DuckDBPyConnection
        Holds the tables; a subscription that is only named there is absent all the same.
    """
    named = [t.name for t in tables().values() if t.types and t.name != "subscriptions"]
    sql = " UNION ".join(f'SELECT subscription_id FROM "{name}"' for name in named)
    there = {row[0] for row in connection.execute(sql).fetchall()}
    absent = [guid for guid in expected if guid not in there]
    ledger.describe(source, EXPECTED, [])
    if absent:
        ledger.note(source, f"{len(absent)} of {len(expected)} are absent: {', '.join(absent)}")


def note_times(ledger: Ledger, since: date | None = None) -> None:
    """Note tables that were captured more than a day before another one, and captures that are too old.

    Parameters
    ----------
    ledger : Ledger
        Its files say when they were captured in their paths; takes the notes.
    since : date, optional
        Captures from before that day are noted.
    """
    dates = {n: at for n in range(len(ledger.sources)) if (at := _date(ledger.captured_at(n)))}
    newest = _newest(ledger, dates)
    last = max(newest.values(), default=date.min)
    for source, name in _used(ledger):
        if source in dates and dates[source] == newest[name] and last - newest[name] > _APART:
            ledger.note(source, f"{name} captured {(last - newest[name]).days} days before another table")
    for source, at in dates.items():
        if since and at < since:
            ledger.note(source, f"captured {(since - at).days} days before {since}")


def _date(text: str | None) -> date | None:
    """Give a date that there is: a path may hold digits that look like one."""
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None


def _used(ledger: Ledger) -> list[tuple[int, str]]:
    """Give each file and table of which rows are used."""
    used = {k for k, rows in ledger.placed.items() if rows - ledger.moved[k] > 0}
    return sorted({(source, table_of_type()[arm_type]) for source, arm_type in used})


def _newest(ledger: Ledger, dates: dict[int, date]) -> dict[str, date]:
    newest: dict[str, date] = {}
    for source, name in _used(ledger):
        if source in dates:
            newest[name] = max(newest.get(name, date.min), dates[source])
    return newest
