from __future__ import annotations

import duckdb
import pandas as pd
import polars as pl
import pytest

from diskenc_analysis.plainrows import count_rows, rows
from diskenc_analysis.text import amount, bounds, clean, label, noun, number, percent


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (0, "0%"),
        (1, "100%"),
        (0.5, "50%"),
        (0.29, "29%"),
        (2 / 3, "66.7%"),
        (0.9999, "99.9%"),
        (0.0001, "0.1%"),
    ],
)
def test_percent_shows_0_and_100_only_where_exact(share, expected):
    assert percent(share) == expected


def test_bounds_are_rounded_outward():
    # 2/3 = 66.66...% and 8/9 = 88.88...%: a low bound of 66.7% would claim more than is known.
    assert bounds(2 / 3, 8 / 9) == "66.6%–88.9%"
    assert bounds(0.29, 0.57) == "29%–57%"
    assert bounds(0.9999, 1.0) == "99.9%–100%"
    assert bounds(2 / 3, 8 / 9, digits=0) == "66%–89%"


def test_a_share_of_nothing_is_no_number():
    assert percent(None) == "n/a"
    assert bounds(None, None) == "n/a"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("plain", "plain"),
        ("\u202egnp.exe", "gnp.exe"),
        ("zero\u200bwidth", "zerowidth"),
        ("two\r\n lines\t", "two lines"),
        ("bell\x07\x1b[31m", "bell[31m"),
        ("\u2066\u2069", "(empty)"),
        (None, "(none)"),
        ("a" * 80, "a" * 59 + "…"),
    ],
)
def test_clean_leaves_one_visible_line(name, expected):
    assert clean(name) == expected


def test_label_cuts_before_it_escapes():
    # A cut inside of an entity would show half of it.
    assert label("<" * 70) == "&lt;" * 59 + "…"
    assert label("a&b <b>") == "a&amp;b &lt;b&gt;"


def test_words():
    assert amount(1, "vms") == "1 VM"
    assert amount(2500, "gib") == "2,500 GiB"
    assert number(1234.5) == "1,234.5"
    assert noun("subscription_name") == "subscription"
    assert noun("tag:cost\u202e centre") == "tag cost centre"


@pytest.mark.parametrize("engine", ["pandas", "filtered", "arrow", "polars", "lazy", "duckdb"])
def test_rows_are_the_same_from_every_engine(engine):
    data = {"name": ["a", None], "count": [1, 2]}
    frames = {
        "pandas": lambda: pd.DataFrame(data),
        "filtered": lambda: pd.DataFrame({"name": ["x", "a", None], "count": [0, 1, 2]}).query("count > 0"),
        "arrow": lambda: pd.DataFrame(data).convert_dtypes(dtype_backend="pyarrow"),
        "polars": lambda: pl.DataFrame(data),
        "lazy": lambda: pl.LazyFrame(data),
        "duckdb": lambda: duckdb.sql("SELECT * FROM (VALUES ('a', 1), (NULL, 2)) t(name, count)"),
    }
    frame = frames[engine]()
    assert rows(frame) == [{"name": "a", "count": 1}, {"name": None, "count": 2}]
    assert rows(frame, limit=1) == [{"name": "a", "count": 1}]
    assert count_rows(frame) == 2


def test_a_sum_of_whole_numbers_is_a_whole_number():
    [row] = rows(duckdb.sql("SELECT sum(i) AS n, sum(i / 8) AS x FROM (VALUES (1), (2)) t(i)"))
    assert row == {"n": 3, "x": 0.375}
    assert isinstance(row["n"], int)
