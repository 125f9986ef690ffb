"""Files that hold several: a `.zip` of a folder, and a workbook with its sheets.

Nothing is written where a name inside an archive says; each part gets a name of our own in a scratch folder.
"""

from __future__ import annotations

import csv
import datetime as dt
import os
import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from diskenc_analysis.errors import UnreadableInputError
from diskenc_analysis.packed import is_packed

_BOOKS = re.compile(r"\.(xlsx|xlsm|xlsb|xls|ods)$", re.IGNORECASE)
#: Ending of the CSV that a sheet is written as.
SHEET = ".sheet"
#: Rows above the header that a sheet may have: a title, a date.
_ABOVE = 20


def is_archive(name: str) -> bool:
    """Tell by its name whether a file holds several.

    Examples
    --------
    >>> is_archive("exports.zip"), is_archive("Disks.XLSX"), is_archive("disks.csv")
    (True, True, False)
    """
    return name.lower().endswith(".zip") or bool(_BOOKS.search(name))


def is_shown(name: str) -> bool:
    """Tell whether no part of a relative path is hidden: `.git`, `../above`, macOS's companions of files.

    Examples
    --------
    >>> is_shown("exports/disks.json"), is_shown("__MACOSX/exports/disks.json"), is_shown("../disks.json")
    (True, False, False)
    """
    return not any(part.startswith(".") or part == "__MACOSX" for part in PurePosixPath(name).parts)


def parts(path: Path, shown: Path, scratch: Path) -> Iterator[tuple[Path, Path]]:
    """Take an archive or a workbook apart, one part at a time.

    Parameters
    ----------
    path : Path
        The file.
    shown : Path
        Its name for people.
    scratch : Path
        Folder for the parts; each is removed before the next one is made.

    Yields
    ------
    tuple of Path
        The part (its ending kept, or `SHEET`), and its name for people: below the archive's own.

    Raises
    ------
    UnreadableInputError
        When it is broken, has a password, or does not fit on the disk.
    """
    found = _sheets(path, shown, scratch) if _BOOKS.search(shown.name) else _members(path, shown, scratch)
    for part, name in found:
        try:
            yield part, name
        finally:
            part.unlink(missing_ok=True)


def _members(path: Path, shown: Path, scratch: Path) -> Iterator[tuple[Path, Path]]:
    try:
        with zipfile.ZipFile(path) as archive:
            files = [info for info in archive.infolist() if not info.is_dir() and is_shown(info.filename)]
            for info in sorted(files, key=lambda info: info.filename):
                _check_room(info, shown, scratch)
                part = _new(scratch, Path(info.filename).suffix if is_packed(info.filename) else "")
                with archive.open(info) as file, part.open("wb") as out:
                    shutil.copyfileobj(file, out, 1 << 20)
                yield part, shown / info.filename.strip("/")
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError) as error:
        raise UnreadableInputError(
            f"{shown}: expected a whole zip archive without a password, but: {error}"
        ) from None


def _new(scratch: Path, ending: str) -> Path:
    number, name = tempfile.mkstemp(ending, dir=scratch)
    os.close(number)
    return Path(name)


def _check_room(info: zipfile.ZipInfo, shown: Path, scratch: Path) -> None:
    free = shutil.disk_usage(scratch).free
    if info.file_size > free:
        message = f"{info.filename} unpacks to {info.file_size:,} bytes, and {free:,} are free in {scratch}"
        raise UnreadableInputError(f"{shown}: {message}")


def _sheets(path: Path, shown: Path, scratch: Path) -> Iterator[tuple[Path, Path]]:
    import python_calamine as calamine

    try:
        with path.open("rb") as file:
            book = calamine.CalamineWorkbook.from_filelike(file)
        for at, name in enumerate(book.sheet_names):
            part = _new(scratch, SHEET)
            if _write_sheet(book.get_sheet_by_index(at).iter_rows(), part):
                yield part, shown / name
    except (calamine.CalamineError, OSError) as error:
        raise UnreadableInputError(f"{shown}: expected a workbook without a password, but: {error}") from None


def _write_sheet(rows: Any, part: Path) -> int:
    """Write the rows of a sheet as CSV, from the header on: the widest of the first rows."""
    ahead = [row for _, row in zip(range(_ABOVE), rows, strict=False)]
    widths = [sum(cell != "" for cell in row) for row in ahead]
    start = widths.index(max(widths)) if widths else 0
    written = 0
    with part.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        for row in (*ahead[start:], *rows):
            out.writerow([_cell(value) for value in row])
            written += 1
    return written


def _cell(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value.isoformat() if isinstance(value, dt.date | dt.time) else value
