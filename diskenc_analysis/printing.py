"""Summaries for a terminal or a script (table, CSV, JSON, Parquet), and rows for other tools."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import narwhals as nw

from diskenc_analysis.errors import ParameterError
from diskenc_analysis.place import placed_file


def write(summary: Any, form: str, out: Path | None, *, ordered: bool = False) -> None:
    """Print a summary, or write it to a file.

    Parameters
    ----------
    summary : frame
        A small frame of any engine.
    form : {"table", "csv", "json", "parquet"}
        How to print.
    out : Path, optional
        File; Parquet needs one.
    ordered : bool
        Whether the rows stand in their order already.

    Raises
    ------
    ParameterError
        When Parquet is asked for without a file, or the file cannot be written.
    """
    check_place(form, out)
    frame = nw.from_native(summary).lazy().collect()
    if not ordered:
        frame = frame.sort(*[c for c in frame.columns if c not in _NUMBERS], nulls_last=True)
    if out is not None and form == "parquet":
        with placed_file(out) as file:
            frame.write_parquet(file)
        return
    text = {"csv": _csv, "json": _json, "table": _table}[form](frame)
    if out is None:
        sys.stdout.write(text)
    else:
        with placed_file(out) as file:
            file.write_text(text, encoding="utf-8")


def check_place(form: str, out: Path | None) -> None:
    """Refuse to print what only a file can hold."""
    if form == "parquet" and out is None:
        raise ParameterError("--format parquet needs a file: add -o FILE")


def write_lines(frame: Any, form: str, out: Path | None) -> None:
    """Write rows as they stand, one a line, batch by batch.

    Parameters
    ----------
    frame : frame
        Of any engine and size.
    form : {"csv", "jsonl"}
        CSV is safe to open in a spreadsheet; JSON lines keep the exact text.
    out : Path, optional
        File; without one the rows go to the standard output.

    Raises
    ------
    ParameterError
        When the file cannot be written.
    """
    from diskenc_analysis.datafiles import record_batches, to_csv, to_json_lines

    write_rows = {"csv": to_csv, "jsonl": to_json_lines}[form]
    if out is None:
        write_rows(record_batches(frame), sys.stdout.buffer)
        return
    with placed_file(out) as work, work.open("wb") as file:
        write_rows(record_batches(frame), file)


_NUMBERS = (
    *("yes", "no", "not_applicable", "unknown", "total", "share", "share_low", "share_high"),
    *("disks", "gib"),
)


def _json(frame: nw.DataFrame[Any]) -> str:
    return json.dumps(list(frame.iter_rows(named=True)), indent=1) + "\n"


def _csv(frame: nw.DataFrame[Any]) -> str:
    import io

    from diskenc_analysis.datafiles import to_csv

    out = io.BytesIO()
    to_csv(frame.to_arrow().to_reader(), out)
    return out.getvalue().decode()


def _table(frame: nw.DataFrame[Any]) -> str:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for name in frame.columns:
        table.add_column(name, justify="right" if name in _NUMBERS else "left", overflow="fold")
    for row in frame.iter_rows(named=True):
        table.add_row(*[Text(_cell(name, value)) for name, value in row.items()])
    console = Console(width=None if sys.stdout.isatty() else 160)
    with console.capture() as captured:
        console.print(table)
    return captured.get()


def _cell(name: str, value: Any) -> str:
    if value is None:
        return "-"
    if name.startswith("share"):
        return f"{value:.1%}"
    if isinstance(value, float):
        return f"{value:,.0f}"
    return "".join(c if c.isprintable() else "?" for c in str(value))
