"""The appendix of a report: one workbook, a sheet for each question, with every row that Excel can hold."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diskenc_analysis.datafiles import BATCH, question
from diskenc_analysis.neutral import FORMULA, visible
from diskenc_analysis.text import number

if TYPE_CHECKING:
    import pyarrow as pa

#: Excel's own bounds.
MOST_ROWS, MOST_LETTERS = 1_048_575, 32_767
_EPOCH = dt.datetime(1980, 1, 1)  # noqa: DTZ001 - a workbook's times have no zone
_WIDTHS = {"evidence": 70, "conflicts": 50, "disk_id": 60, "vm_id": 60, "question": 70, "consequence": 60}


#: Where the rows are that a sheet cannot hold.
_IN_FOLDER = "the folder data/ holds every row"


def write_appendix(
    target: Path, files: Sequence[Path], title: str, as_of: str = "", whole: str = _IN_FOLDER
) -> None:
    """Write tables as one workbook. The same tables give the same bytes.

    Parameters
    ----------
    target : Path
        The .xlsx file.
    files : sequence of Path
        Parquet files written by `datafiles.write_table`, each a sheet of its name.
    title : str
        What the workbook is about.
    as_of : str
        Its date, as YYYY-MM-DD; empty means none stated.
    whole : str
        Where a reader finds every row, for the contents.

    Notes
    -----
    Numbers, dates and flags keep their type. Text is never a formula or a link, and a cell that begins
    like one is marked as text for whoever edits it.
    """
    import xlsxwriter

    created = dt.datetime.fromisoformat(as_of) if as_of else _EPOCH
    with xlsxwriter.Workbook(target, {"constant_memory": True, "default_date_format": "yyyy-mm-dd"}) as book:
        book.set_properties({"title": title, "created": created})
        writer = _Writer(book)
        writer.contents(title, files, whole)
        for file in files:
            writer.sheet(file)


class _Writer:
    """Writes sheets in one book, with the formats that they share."""

    def __init__(self, book: Any) -> None:
        self.book = book
        self.head = book.add_format({"bold": True, "bg_color": "#E8ECF1", "bottom": 1})
        self.title = book.add_format({"bold": True, "font_size": 14})
        self.quoted = book.add_format({"quote_prefix": True})

    def contents(self, title: str, files: Sequence[Path], whole: str) -> None:
        """Write the first sheet: what each of the others answers."""
        import pyarrow.parquet as pq

        sheet = self.book.add_worksheet("contents")
        sheet.write_string(0, 0, title, self.title)
        self._heads(sheet, ["sheet", "question", "rows", "rows shown"], 2)
        for place, file in enumerate(files, 3):
            rows = pq.read_metadata(file).num_rows
            self._text(sheet, place, 0, file.stem)
            self._text(sheet, place, 1, question(file))
            sheet.write_number(place, 2, rows)
            sheet.write_number(place, 3, min(rows, MOST_ROWS))
        rest = f"A sheet holds {number(MOST_ROWS)} rows at most; {whole}."
        sheet.write_string(len(files) + 4, 0, rest)

    def sheet(self, file: Path) -> None:
        """Write one table: heads that stay in sight, a filter, a row per row."""
        import pyarrow.parquet as pq

        sheet = self.book.add_worksheet(file.stem[:31])
        with pq.ParquetFile(file) as source:
            names, rows = source.schema_arrow.names, min(source.metadata.num_rows, MOST_ROWS)
            self._heads(sheet, names, 0)
            sheet.freeze_panes(1, 1)
            sheet.autofilter(0, 0, max(rows, 1), len(names) - 1)
            first = 1
            for batch in source.iter_batches(BATCH):
                first = self._batch(sheet, visible(batch), first)

    def _heads(self, sheet: Any, names: Sequence[str], row: int) -> None:
        for place, name in enumerate(names):
            sheet.set_column(place, place, _WIDTHS.get(name, max(14, len(name) + 4)))
            sheet.write_string(row, place, name, self.head)

    def _batch(self, sheet: Any, batch: pa.RecordBatch, first: int) -> int:
        columns = [column.to_pylist() for column in batch.columns]
        last: int = min(first + batch.num_rows, MOST_ROWS + 1)
        for row in range(first, last):
            for place, column in enumerate(columns):
                value = column[row - first]
                if isinstance(value, str):
                    self._text(sheet, row, place, value)
                elif value is not None:
                    sheet.write(row, place, value)
        return last

    def _text(self, sheet: Any, row: int, place: int, text: str) -> None:
        if not text:
            return
        if len(text) > MOST_LETTERS:
            text = text[: MOST_LETTERS - 1] + "…"
        sheet.write_string(row, place, text, self.quoted if text.lstrip().startswith(FORMULA) else None)
