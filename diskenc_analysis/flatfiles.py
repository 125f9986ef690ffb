"""CSV and Parquet files, written again as JSON lines, which the reader reads like any other export.

A cell that holds an object becomes that object, a column `encryption_type` becomes a member of an object,
and an empty cell becomes null: the column was exported, so the value is known to be absent. A column that
is not there at all is told by `FlatFile.exported`, for its values are unknown.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from diskenc_analysis import headers
from diskenc_analysis.cells import Cells, objects, sql_path, sql_text
from diskenc_analysis.envelopes import plain_file
from diskenc_analysis.errors import UnreadableInputError

#: What tells people how to make an export that is complete.
ADVICE = "export it with the queries that `diskenc queries` prints"
_ID = re.compile(
    r"(?i)(https?://[^ ]*/resource)?/?subscriptions/[^/]+(/resourcegroups/[^/]+)?/providers/.+/.+/.+"
)
_STORED = "store_rejects = true, rejects_table = 'flat_rejects', rejects_scan = 'flat_scans'"
_IGNORED = "ignore_errors = true"
#: Lines above the header: of PowerShell's Export-Csv, and of sheets that name their delimiter.
_ABOVE = re.compile(r"#TYPE |sep=.\s*$")
_SAMPLE = 200
#: Longest row of a CSV; a VM with all its extensions takes some ten thousand bytes.
_ROW_BYTES = 16_777_216


@dataclass(frozen=True)
class FlatFile:
    """A table of cells, written again as JSON lines.

    Attributes
    ----------
    path : Path
        The JSON lines.
    exported : frozenset of str
        The members that the columns hold, in the flat spelling.
    rejected : int
        Rows that have another number of cells than the header.
    """

    path: Path
    exported: frozenset[str]
    rejected: int


def written(path: Path, kind: str, connection: duckdb.DuckDBPyConnection, scratch: Path) -> FlatFile:
    """Write a CSV or Parquet file again as JSON lines.

    Parameters
    ----------
    path : Path
        The file; a CSV may be compressed and in UTF-8 or UTF-16, with or without a byte order mark.
    kind : {"csv", "sheet", "parquet"}
        What it is; a sheet of a workbook comes as CSV.
    connection : duckdb.DuckDBPyConnection
        Reads the file.
    scratch : Path
        Folder for the JSON lines and a decompressed copy.

    Returns
    -------
    FlatFile

    Raises
    ------
    UnreadableInputError
        When the file is empty or broken, or no column holds the resources' ids.
    """
    try:
        plain = path if kind == "parquet" else plain_file(path, scratch / "copy.csv")
        table = _parquet(plain, connection) if kind == "parquet" else _csv(plain, path)
        found = _members(table, connection, path)
        target = scratch / "flat.jsonl"
        rows = ", ".join(f'{sql} AS "{head}"' for head, sql in objects(table, found).items())
        connection.execute(f"COPY (SELECT {rows} FROM {table.relation}) TO {sql_text(target)} (FORMAT json)")
        return FlatFile(target, _exported(table, found), _rejected(kind, connection))
    except (duckdb.Error, csv.Error) as error:
        reason = str(error).split("\n", maxsplit=1)[0]
        raise UnreadableInputError(f"{path}: expected a {kind} of Azure resources, but: {reason}") from None
    finally:
        (scratch / "copy.csv").unlink(missing_ok=True)


def _parquet(path: Path, connection: duckdb.DuckDBPyConnection) -> Cells:
    relation = f"read_parquet({sql_path(path)}, binary_as_string = true)"  # old writers mark no text
    found = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    names = tuple(str(row[0]) for row in found)
    quoted = tuple('"' + name.replace('"', '""') + '"' for name in names)
    texts = frozenset(sql for sql, row in zip(quoted, found, strict=True) if row[1] in ("VARCHAR", "JSON"))
    nested = [str(row[1]).endswith((")", "[]")) and not str(row[1]).startswith("DECIMAL") for row in found]
    plain = frozenset(sql for sql, deep in zip(quoted, nested, strict=True) if not deep) - texts
    casts = ", ".join(f"{sql}::VARCHAR AS {sql}" if sql in plain else sql for sql in quoted)
    whole = f"(SELECT {casts} FROM {relation})"
    return Cells(whole, whole, quoted, names, texts | plain)


def _csv(path: Path, shown: Path) -> Cells:
    skip, delimiter, names = _header(path, shown)
    columns = tuple(f"c{at}" for at in range(len(names)))
    spec = ", ".join(f"'{column}': 'VARCHAR'" for column in columns)
    options = (
        f"columns = {{{spec}}}, header = false, skip = {skip}, auto_detect = false, "
        f"delim = {sql_text(delimiter)}, quote = '\"', escape = '\"', max_line_size = {_ROW_BYTES}"
    )
    whole, sample = (f"read_csv({sql_path(path)}, {options}, {errors})" for errors in (_STORED, _IGNORED))
    return Cells(whole, sample, columns, names, frozenset(columns))


def _header(path: Path, shown: Path) -> tuple[int, str, tuple[str, ...]]:
    """Give the number of lines to skip, the delimiter and the names, past the lines that tools put above.

    The portal ends its header in a comma that no row has; other tools end the rows so.
    """
    csv.field_size_limit(_ROW_BYTES)
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        for number, line in enumerate(file, start=1):
            if line.strip() and not _ABOVE.match(line):
                delimiter = max(",;\t|", key=line.count)
                names = tuple(name.strip() for name in next(csv.reader([line], delimiter=delimiter)))
                first = next(csv.reader(file, delimiter=delimiter), names)
                if len(first) == len(names) - 1 and not names[-1]:
                    return number, delimiter, names[:-1]
                spare = ("",) if len(first) == len(names) + 1 and not first[-1] else ()
                return number, delimiter, (*names, *spare)
    raise UnreadableInputError(f"{shown}: the file is empty; expected a header and rows")


def _members(table: Cells, connection: duckdb.DuckDBPyConnection, path: Path) -> dict[str, int]:
    found = headers.members(table.headers)
    if "id" not in found and not {"kid", "key.kid"} & set(found) and not headers.is_defender(table.headers):
        at = _id_column(table, connection, set(found.values()))
        if at is None:
            names = ", ".join(filter(None, table.headers))[:300]
            hint = " (this is an HTML page, perhaps of a sign-in)" if names.startswith("<") else ""
            message = (
                f"expected a column with the resources' ids (id, ResourceId, RESOURCE LINK), got {names}"
            )
            raise UnreadableInputError(f"{path}: {message}{hint}; {ADVICE}")
        found = {"id": at} | found
    return found


def _id_column(table: Cells, connection: duckdb.DuckDBPyConnection, taken: set[int]) -> int | None:
    """Find the column whose cells are resource ids or the portal's links, whatever it is called."""
    free = [at for at, sql in enumerate(table.columns) if at not in taken and sql in table.texts]
    rows = connection.execute(f"SELECT * FROM {table.sample} LIMIT {_SAMPLE}").fetchall() if free else []
    cells = {at: [row[at] for row in rows if row[at]] for at in free}
    matching = [at for at in free if cells[at] and all(map(_ID.match, cells[at]))]
    return matching[0] if len(matching) == 1 else None


def _exported(table: Cells, found: Mapping[str, int]) -> frozenset[str]:
    return frozenset({*found, *(("id", "name", "type") if headers.is_defender(table.headers) else ())})


def _rejected(kind: str, connection: duckdb.DuckDBPyConnection) -> int:
    """Count the rows that DuckDB could not take, and forget them."""
    if kind == "parquet":
        return 0
    [(rows,)] = connection.execute("SELECT count(DISTINCT line) FROM flat_rejects").fetchall()
    connection.execute("DROP TABLE flat_rejects; DROP TABLE flat_scans")
    return int(rows)
