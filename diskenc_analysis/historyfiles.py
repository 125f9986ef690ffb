"""The files of a history: their footers checked, and SQL to read them whatever their folders are called."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from pathlib import Path

from diskenc_analysis.errors import UnreadableInputError


def rows_in(file: Path) -> int:
    """Count the rows of a capture by its footer, without which a file was cut short or is none of ours.

    Parameters
    ----------
    file : Path
        A Parquet file of a history.

    Returns
    -------
    int

    Raises
    ------
    UnreadableInputError
        When it is no capture, or not all of one.

    Examples
    --------
    >>> rows_in(Path("no-such-file.parquet"))
    Traceback (most recent call last):
        ...
    diskenc_analysis.errors.UnreadableInputError: no-such-file.parquet: expected a capture of a history, ...
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        found = pq.read_metadata(file)
    except (OSError, pa.ArrowInvalid) as error:
        wanted = f"{file}: expected a capture of a history, but: {error}"
        raise UnreadableInputError(f"{wanted}; remove its folder and add the capture again") from None
    if "answers" not in found.schema.names:
        raise UnreadableInputError(
            f"{file}: expected a capture of a history, as diskenc history add makes it"
        )
    return int(found.num_rows)


def sql_of(home: Path, files: Sequence[Path], column: str) -> str:
    """Give SQL that reads captures, each with the date that its folder is named by.

    DuckDB's own reading of such folders would take a folder `name=prod` above the history for a column too,
    and a bracket in a name for a pattern.

    Parameters
    ----------
    home : Path
        The history.
    files : sequence of Path
        Its files, under the resolved path of it.
    column : str
        The column of the date, which the folders are named by.

    Returns
    -------
    str

    Examples
    --------
    >>> sql_of(Path("/h"), [Path("/h/day=2026-11-24/it's [a].parquet")], "day").partition("read_parquet")[2]
    "(['/h/day=2026-11-24/it''s [[]a].parquet'], filename = true, hive_partitioning = false)"
    """
    quoted = ", ".join("'" + glob.escape(str(file)).replace("'", "''") + "'" for file in files)
    begins = len(str(home.resolve())) + len(f"/{column}=") + 1
    return (
        f"SELECT * EXCLUDE (filename), substr(filename, {begins}, 10) AS {column} "
        f"FROM read_parquet([{quoted}], filename = true, hive_partitioning = false)"
    )
