"""Full tables as files: Parquet and JSON lines with the exact bytes, and CSV that is safe to open."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import narwhals as nw

from diskenc_analysis.neutral import neutral

if TYPE_CHECKING:
    import pyarrow as pa

#: Rows that are held in memory at once, and the rows of a Parquet row group.
BATCH = 65_536
_QUESTION = b"question"


def write_table(
    folder: str | os.PathLike[str], name: str, frame: Any, question: str, by: Sequence[str] = ()
) -> None:
    """Write one table as Parquet. The same rows give the same bytes, whatever order they came in.

    Parameters
    ----------
    folder : path
        Where it goes. An empty name writes nothing, so that a notebook need not ask.
    name : str
        Name of the file, without its suffix.
    frame : frame or list of dict
        Of any engine; a lazy one is read batch by batch.
    question : str
        What the table answers; it heads the sheet of the appendix.
    by : sequence of str
        Columns to sort by, which should tell all rows apart; none where the order is fixed already.

    Examples
    --------
    >>> write_table("", "disks", [{"name": "a"}], "Which disks are there?")
    """
    if not os.fspath(folder):
        return
    import pyarrow.parquet as pq

    reader = record_batches(frame, by)
    schema = _typed(reader.schema).with_metadata({_QUESTION: question.encode()})
    Path(folder).mkdir(parents=True, exist_ok=True)
    with pq.ParquetWriter(Path(folder) / f"{name}.parquet", schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch.cast(schema))


def record_batches(frame: Any, by: Sequence[str] = ()) -> pa.RecordBatchReader:
    """Give the rows of a frame batch by batch.

    Parameters
    ----------
    frame : frame or list of dict
        Of any engine; a lazy one is not collected whole where its engine can help it.
    by : sequence of str
        Columns to sort by.

    Returns
    -------
    pyarrow.RecordBatchReader
        Of at most `BATCH` rows a batch.
    """
    import pyarrow as pa

    if isinstance(frame, list):
        return pa.Table.from_pylist(frame).to_reader(BATCH)
    lazy = nw.from_native(frame).lazy()
    ordered = lazy.sort(*by, nulls_last=True) if by else lazy
    native = ordered.to_native()
    if hasattr(native, "to_arrow_reader"):  # DuckDB
        return native.to_arrow_reader(BATCH)
    return ordered.collect().to_arrow().to_reader(BATCH)


def _typed(schema: pa.Schema) -> pa.Schema:
    """Give the types that every engine's frame ends in."""
    import pyarrow as pa

    return pa.schema([pa.field(field.name, _type(field.type)) for field in schema])


def _type(kind: pa.DataType) -> pa.DataType:
    import pyarrow as pa

    types = pa.types
    if types.is_large_string(kind) or types.is_string_view(kind) or types.is_null(kind):
        return pa.string()
    # DuckDB sums whole numbers into decimals.
    return pa.float64() if types.is_decimal(kind) else kind


def question(file: Path) -> str:
    """Read what a table answers.

    Parameters
    ----------
    file : Path
        Written by `write_table`.

    Returns
    -------
    str
        The question, as plain text.
    """
    import pyarrow.parquet as pq

    return str((pq.read_schema(file).metadata or {}).get(_QUESTION, b"").decode())


def write_csv(file: Path) -> Path:
    """Write a table as CSV beside its Parquet, safe to open in a spreadsheet.

    Parameters
    ----------
    file : Path
        Written by `write_table`.

    Returns
    -------
    Path
        The CSV file: UTF-8, a line per row; what would begin a formula has an apostrophe before it.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    target = file.with_suffix(".csv")
    with pq.ParquetFile(file) as source, target.open("wb") as out:
        batches = source.iter_batches(BATCH)
        to_csv(pa.RecordBatchReader.from_batches(source.schema_arrow, batches), out)
    return target


def to_csv(reader: pa.RecordBatchReader, out: BinaryIO) -> None:
    """Write rows as CSV that is safe to open in a spreadsheet.

    Parameters
    ----------
    reader : pyarrow.RecordBatchReader
        The rows.
    out : binary file
        Gets UTF-8, a line per row.

    Examples
    --------
    >>> import io, pyarrow as pa
    >>> out = io.BytesIO()
    >>> to_csv(pa.table({"name": ["=1+1", None]}).to_reader(), out)
    >>> print(out.getvalue().decode().strip())
    "name"
    "'=1+1"
    """
    import pyarrow.csv

    schema = _typed(reader.schema)
    options = pyarrow.csv.WriteOptions(quoting_style="needed")
    with pyarrow.csv.CSVWriter(out, schema, write_options=options) as writer:
        for batch in reader:
            writer.write_batch(neutral(batch.cast(schema)))


def to_json_lines(reader: pa.RecordBatchReader, out: BinaryIO) -> None:
    r"""Write rows as JSON lines: every column in every line, control characters escaped.

    Parameters
    ----------
    reader : pyarrow.RecordBatchReader
        The rows.
    out : binary file
        Gets UTF-8, an object per line; a null is `null`.

    Examples
    --------
    >>> import io, pyarrow as pa
    >>> out = io.BytesIO()
    >>> to_json_lines(pa.table({"name": ["=1\n", None]}).to_reader(), out)
    >>> print(out.getvalue().decode().strip())
    {"name":"=1\n"}
    {"name":null}
    """
    import duckdb

    with duckdb.connect() as connection:
        for batch in reader:
            connection.register("t", batch)
            lines = connection.execute("SELECT to_json(t) AS line FROM t").fetchall()
            out.writelines(f"{text}\n".encode() for (text,) in lines)
