"""Any frame as a file to hand on, safe to open in a spreadsheet."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from diskenc_analysis.appendix import write_appendix
from diskenc_analysis.datafiles import record_batches, to_csv, to_json_lines, write_table
from diskenc_analysis.errors import ParameterError, UnknownNameError
from diskenc_analysis.place import placed_file

_SHEET = 31  # letters of a sheet's name, as Excel has it
_WHOLE = "written as .csv or .parquet, the same frame has every row"


def write(frame: Any, file: str | os.PathLike[str], title: str = "") -> Path:
    """Write a frame as a file, by its suffix: .xlsx, .csv, .jsonl or .parquet.

    Names and tags are text that strangers chose: what a spreadsheet would take for a formula is text in the
    workbook and has an apostrophe before it in the CSV. JSON lines and Parquet keep every byte.

    Parameters
    ----------
    frame : frame or list of dict
        Of any engine.
    file : path
        Where it goes; a file there is replaced once the new one is whole.
    title : str
        What it shows, for a workbook; by default the name of the file.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    UnknownNameError
        When the suffix is another one.
    ParameterError
        When it is given no frame, or nothing can be written there.

    Examples
    --------
    >>> print(write([{"name": "=1+1"}], Path(tempfile.mkdtemp()) / "open.csv").read_text().strip())
    "name"
    "'=1+1"
    """
    target = Path(file)
    if target.suffix.lower() not in _KINDS:
        raise UnknownNameError.of("kind of file", target.suffix or target.name, _KINDS)
    if not isinstance(frame, list) and not hasattr(frame, "columns"):
        raise ParameterError(f"expected a frame to write, got {type(frame).__name__}")
    with placed_file(target) as made:
        _KINDS[target.suffix.lower()](frame, made, title or target.stem)
    return target


def _workbook(frame: Any, made: Path, title: str) -> None:
    with tempfile.TemporaryDirectory() as work:
        name = "".join("-" if sign in "[]:*?/\\'" else sign for sign in made.stem)[:_SHEET]
        write_table(work, name, frame, title)
        write_appendix(made, [Path(work) / f"{name}.parquet"], title, whole=_WHOLE)


def _csv(frame: Any, made: Path, _title: str) -> None:
    with made.open("wb") as out:
        to_csv(record_batches(frame), out)


def _lines(frame: Any, made: Path, _title: str) -> None:
    with made.open("wb") as out:
        to_json_lines(record_batches(frame), out)


def _parquet(frame: Any, made: Path, title: str) -> None:
    with tempfile.TemporaryDirectory() as work:
        write_table(work, "rows", frame, title)
        shutil.copyfile(Path(work) / "rows.parquet", made)


_KINDS: dict[str, Callable[[Any, Path, str], None]] = {
    ".xlsx": _workbook,
    ".csv": _csv,
    ".jsonl": _lines,
    ".parquet": _parquet,
}
