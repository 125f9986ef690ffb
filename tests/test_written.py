from __future__ import annotations

import csv
import json

import duckdb
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest
from python_calamine import load_workbook

import diskenc_analysis as de
from diskenc_analysis.errors import ParameterError, UnknownNameError

ROWS = [{"name": '=HYPERLINK("x")', "gib": 8.0}, {"name": "b", "gib": None}]


def frames():
    frame = pl.DataFrame(ROWS)
    relation = duckdb.connect().from_arrow(frame.to_arrow())
    return {
        "pandas": pd.DataFrame(ROWS),
        "polars": frame,
        "arrow": frame.to_arrow(),
        "duckdb": relation,
        "list": ROWS,
    }


@pytest.mark.parametrize("engine", frames())
def test_every_kind_of_file_holds_the_rows_and_no_formula(engine, tmp_path):
    frame = frames()[engine]
    for kind in ("csv", "jsonl", "parquet", "xlsx"):
        assert de.write(frame, tmp_path / f"open [1].{kind}") == tmp_path / f"open [1].{kind}"
    found = list(csv.DictReader((tmp_path / "open [1].csv").read_text().splitlines()))
    assert found == [{"name": '\'=HYPERLINK("x")', "gib": "8"}, {"name": "b", "gib": ""}]
    assert [json.loads(line) for line in (tmp_path / "open [1].jsonl").read_text().splitlines()] == ROWS
    assert pq.read_table(tmp_path / "open [1].parquet").to_pylist() == ROWS
    book = load_workbook(tmp_path / "open [1].xlsx")
    rows = book.get_sheet_by_name("open -1-").to_python()
    assert ["name", "gib"] in rows
    assert "the same frame has every row" in str(book.get_sheet_by_name("contents").to_python())
    assert ['=HYPERLINK("x")', 8.0] in rows  # as text: the file has no formula
    assert not any(path.name.startswith(".") for path in tmp_path.iterdir())


def test_what_cannot_be_written_says_why_and_leaves_nothing(tmp_path):
    with pytest.raises(UnknownNameError, match=r"\.xls.*\.xlsx"):
        de.write(ROWS, tmp_path / "open.xls")
    with pytest.raises(ParameterError, match="expected a frame"):
        de.write("open", tmp_path / "open.csv")
    with pytest.raises(ParameterError, match="cannot be written"):
        de.write(ROWS, "/proc/no-such/open.csv")
    assert list(tmp_path.iterdir()) == []
