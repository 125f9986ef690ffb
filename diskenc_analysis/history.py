"""The history of a tenant: the coverage of one capture after the other, as Parquet that any engine reads.

A folder `capture_date=YYYY-MM-DD` holds the one capture of that date. It appears whole, and nothing that
stands is written again: the same capture adds nothing, and another one of the same date is refused.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import narwhals as nw

from diskenc_analysis import spark
from diskenc_analysis.coverage import COLUMNS, coverage
from diskenc_analysis.datafiles import write_table
from diskenc_analysis.editions import capabilities, resolve_edition
from diskenc_analysis.errors import ParameterError, UnreadableInputError
from diskenc_analysis.frames import lazy
from diskenc_analysis.historyfiles import rows_in, sql_of
from diskenc_analysis.historytenants import note_tenants, require_tenant, tenants_of
from diskenc_analysis.inventory import AUTO, FEW_ROWS, check_engine, frame_of_engine
from diskenc_analysis.place import added_folder, placed_file
from diskenc_analysis.readings import READ, readings
from diskenc_analysis.summary import code, on_one_disk

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

#: The column of the date, by which the folders are named.
DATE = "capture_date"
_MARK, _ABOUT = "_diskenc_history.json", {"kind": "diskenc history", "version": 1}
_QUESTION = "How was every disk protected at the time of this capture?"
_LONGEST = 400


@dataclass(frozen=True)
class Added:
    """What became of a capture.

    Attributes
    ----------
    date : str
        Its date.
    disks : int
        Rows of it that stand in the history.
    new : bool
        Whether they were added now.

    Examples
    --------
    >>> print(Added("2026-11-24", 400, False))
    2026-11-24: stands already, nothing was added
    """

    date: str
    disks: int
    new: bool

    def __str__(self) -> str:
        if not self.new:
            return f"{self.date}: stands already, nothing was added"
        return f"{self.date}: {self.disks:,} {'disk' if self.disks == 1 else 'disks'} added"


def add(
    inv: Inventory,
    folder: str | os.PathLike[str],
    captured: str | None = None,
    edition: str = "latest",
    *,
    other_tenant: bool = False,
) -> Added:
    """Append the coverage of one capture to a history.

    Parameters
    ----------
    inv : Inventory
        The capture.
    folder : path
        The history; a folder that is not there is made.
    captured : str, optional
        Date of the capture as YYYY-MM-DD; else the newest one that its ledger knows.
    edition : str
        Edition of the encryption matrix, or `latest`.
    other_tenant : bool
        Whether to take a capture of another tenant than those that stand.

    Returns
    -------
    Added
        The same capture again adds nothing.

    Raises
    ------
    ParameterError
        When no date is known, the folder is no history, another capture of that date stands there, or those
        that stand are known to be of another tenant.
    UnreadableInputError
        When the inventory has no disks.

    Examples
    --------
    >>> import tempfile
    >>> from diskenc_analysis import load, sample_path
    >>> print(add(load(sample_path()), tempfile.mkdtemp(), "2026-11-24"))
    2026-11-24: 400 disks added
    """
    inv.require_disks()
    home, day, judge = Path(folder), _day(inv, captured), resolve_edition(edition)
    name, place = f"{_fingerprint(inv)}-{judge}", home / f"{DATE}={_day(inv, captured)}"
    _open_for_writing(home)
    if not _free(place):
        return _standing(place, day, name)
    tenants = tenants_of(inv)
    if not other_tenant:
        require_tenant(tenants, home)
    with added_folder(place) as work:
        rows = _rows(inv, coverage(inv, judge), name, judge)
        if inv.engine == "spark":
            spark.write_parquet(rows, work / f"{name}.parquet", ["disk_id"])
        else:
            write_table(work, name, rows, _QUESTION, by=["disk_id"])
        note_tenants(tenants, work)
        disks = _count(work)
    return Added(day, disks, new=True)


def _day(inv: Inventory, captured: str | None) -> str:
    day = captured or readings(inv).date
    try:
        return date.fromisoformat(day).isoformat()
    except ValueError:
        said = f"got {day!r}" if day else "and no file or folder of the export has one in its name"
        raise ParameterError(f"expected the date of the capture as YYYY-MM-DD, {said}: give it") from None


def _fingerprint(inv: Inventory) -> str:
    """Tell a capture by the hashes of its files."""
    found = inv.connection.execute("SELECT DISTINCT sha256 FROM ledger WHERE sha256 IS NOT NULL").fetchall()
    return hashlib.sha256("\n".join(sorted(digest for (digest,) in found)).encode()).hexdigest()[:16]


def _open_for_writing(home: Path) -> None:
    """Make the folder a history, unless it is one already or holds something else."""
    if (home / _MARK).is_file():
        return
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise ParameterError(f"{home} exists and is no history (no {_MARK}): name another folder")
    with placed_file(home / _MARK) as file:
        file.write_text(json.dumps(_ABOUT) + "\n", encoding="utf-8")


def _free(place: Path) -> bool:
    """Say whether nothing stands there; a folder that is empty, by a crash or a hand, holds nothing."""
    if place.is_dir() and not any(place.iterdir()):
        place.rmdir()
    return not place.exists()


def _standing(place: Path, day: str, name: str) -> Added:
    there = [file.stem for file in place.glob("*.parquet")]
    if not there:
        raise ParameterError(f"{place} holds no capture but other files: remove that folder first")
    if there == [name]:
        return Added(day, _count(place), new=False)
    mark, edition = name.split("-", 1)
    if there[0].startswith(mark):
        raise ParameterError(
            f"{place} holds this capture, judged by the edition {there[0].split('-', 1)[1]}: a history keeps "
            f"what stands; give --edition {there[0].split('-', 1)[1]}, or begin another history for {edition}"
        )
    raise ParameterError(
        f"{place} holds another capture of that date: a history keeps one for each date and never replaces "
        "it; remove that folder first if it is wrong, or give another date"
    )


def _count(place: Path) -> int:
    return sum(rows_in(file) for file in place.glob("*.parquet"))


def _rows(inv: Inventory, cov: Any, name: str, edition: str) -> Any:
    """Give the rows as they are kept: the coverage, its answers packed, and what the capture is."""
    per_vm = [n for n, one in capabilities().items() if one.counted_per == "vm"]
    frame = on_one_disk(lazy(cov))
    codes = {f"_{n}": nw.col(f"vm_{n}") if n in per_vm else code(n) for n in capabilities()}
    frame = frame.with_columns(**codes)
    # A character for each capability: a digit, or a blank where it is counted on another disk of the VM.
    packed = [nw.when(nw.col(n) == "").then(nw.lit(" ")).otherwise(nw.col(n)) for n in codes]
    about = {"capture": name.partition("-")[0], "edition": edition, "unread": _unread(inv)}
    out = frame.with_columns(answers=nw.concat_str(packed), **{n: nw.lit(v) for n, v in about.items()})
    return nw.to_native(out.select(*COLUMNS, "answers", *about))


def _unread(inv: Inventory) -> str:
    """Say what the capture did not read whole."""
    found = {f"{table}: {words}" for (table, _), words in readings(inv).said.items() if words != READ}
    text = "; ".join(sorted(found))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."


def is_history(folder: str | os.PathLike[str]) -> bool:
    """Say whether a folder is a history."""
    return (Path(folder) / _MARK).is_file()


def captures_in(home: Path) -> list[Path]:
    """List the files of a history, by date."""
    return sorted(home.glob(f"{DATE}=*/*.parquet"))


def read(folder: str | os.PathLike[str], engine: str = "duckdb") -> Any:
    """Open a history.

    Parameters
    ----------
    folder : path
        As `add` made it.
    engine : {"duckdb", "pandas", "polars", "arrow", "spark", "auto"}
        What kind of frame to give. DuckDB and Spark read what is asked of it; the others hold all of it.
        `auto` is Arrow's table for few rows, else DuckDB's.

    Returns
    -------
    frame
        One row per disk and capture: the columns of the coverage, `answers` (a character per capability, see
        `historysums`), `capture`, `edition`, `unread` and `capture_date`; text but for `gib` (float).

    Raises
    ------
    UnreadableInputError
        When the folder is no history, or holds no capture.
    UnknownNameError
        When the engine is unknown.

    Examples
    --------
    >>> read("no-such-folder")
    Traceback (most recent call last):
        ...
    diskenc_analysis.errors.UnreadableInputError: no-such-folder: expected a history, as diskenc ...
    """
    check_engine(engine)
    home = Path(folder)
    if not is_history(home):
        raise UnreadableInputError(f"{home}: expected a history, as diskenc history add makes it")
    files = captures_in(home.resolve())
    if not files:
        raise UnreadableInputError(f"{home}: the history holds no capture yet")
    rows = sum(map(rows_in, files))
    if engine == AUTO:
        engine = "arrow" if rows <= FEW_ROWS else "duckdb"
    if engine == "spark":
        found = lazy(spark.read_parquet(str(home)))
        return nw.to_native(found.with_columns(nw.col(DATE).cast(nw.String)))
    return frame_of_engine(duckdb.connect(":memory:").sql(sql_of(home, files, DATE)), engine)
