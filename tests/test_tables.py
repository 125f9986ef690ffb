from __future__ import annotations

import datetime as dt

import duckdb
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from diskenc_analysis.errors import ParameterError, UnknownNameError
from diskenc_analysis.tables import table

EVIL = "</td><script>alert(1)</script><img src=x onerror=alert(1)>"


def soup(shown):
    return BeautifulSoup(shown._repr_html_(), "html.parser")


def test_a_table_has_a_caption_and_headings_with_a_scope():
    page = soup(table([{"name": "a", "disks": 3}], "Disks", {"name": "Name", "disks": "Count"}))
    assert page.caption.get_text(strip=True) == "Disks"
    assert [(th.get_text(), th["scope"]) for th in page.find_all("th")] == [("Name", "col"), ("Count", "col")]
    assert [td.get_text() for td in page.find_all("td")] == ["a", "3"]


def test_numbers_stand_right_and_text_does_not():
    page = soup(table([{"name": "1", "disks": 1234567, "ok": True}], "Disks"))
    assert [td.get("class") for td in page.find_all("td")] == [None, ["right"], None]
    assert [td.get_text() for td in page.find_all("td")] == ["1", "1,234,567", "yes"]


def test_shares_are_per_cent_rounded_outward():
    page = soup(
        table(
            [
                {"share": 2 / 3, "share_low": 2 / 3, "share_high": 8 / 9},
                dict.fromkeys(("share", "share_low", "share_high")),
            ],
            "Shares",
        )
    )
    assert [td.get_text() for td in page.find_all("td")] == ["66.7%", "66.6%", "88.9%", "n/a", "n/a", "n/a"]


def test_what_is_cut_is_said():
    frame = pd.DataFrame({"n": range(1240)})
    shown = table(frame, "Rows", limit=200)
    assert len(shown.lines) == 200
    assert shown.cut == "200 of 1,240 shown"
    assert "(200 of 1,240 shown)" in soup(shown).caption.get_text()
    assert table(frame, "Rows", limit=1240).cut == ""
    assert table([{"n": 1}], "Rows", total=7).cut == "1 of 7 shown"


def test_a_lazy_frame_is_cut_by_its_engine():
    shown = table(duckdb.sql("SELECT i AS n FROM range(1000000) t(i)"), "Rows", limit=3)
    assert list(shown.lines) == [("0",), ("1",), ("2",)]
    assert shown.total == 1000000


def test_no_rows_is_a_table_that_says_none():
    assert "None." in soup(table([], "Rows", {"name": "Name"})).get_text()
    assert "None." in soup(table(pd.DataFrame({"name": []}), "Rows", {"name": "Name"})).get_text()


def test_markup_is_shown_not_obeyed():
    shown = table([{EVIL: EVIL}], EVIL, {EVIL: EVIL})
    page = soup(shown)
    assert page.find("script") is None
    assert page.find("img") is None
    assert page.td.get_text() == EVIL
    assert page.th.get_text() == EVIL


def test_bidirectional_characters_are_taken_out():
    assert soup(table([{"name": "a\u202eb\nc"}], "Rows")).td.get_text() == "ab c"


def test_nulls_and_dates():
    when = dt.datetime(2026, 4, 2, 3, 4, tzinfo=dt.UTC)
    shown = table([{"a": None, "b": "", "c": when, "d": 0.25}], "Rows")
    assert shown.lines == (("–", "", "2026-04-02T03:04:00+00:00", "0.2"),)


def test_plain_text_lists_the_first_rows():
    text = repr(table([{"name": f"d{n}", "disks": n} for n in range(30)], "Disks"))
    lines = text.splitlines()
    assert lines[:3] == ["Disks", "Name  Disks", "d0        0"]
    assert lines[-1] == "... and 10 more"
    assert len(lines) == 23


def test_wrong_arguments():
    with pytest.raises(UnknownNameError, match='Did you mean "name"'):
        table([{"name": "a"}], "Rows", ["nmae"])
    with pytest.raises(ParameterError, match="limit of 1"):
        table([{"name": "a"}], "Rows", limit=0)
    with pytest.raises(ParameterError, match="caption"):
        table([{"name": "a"}], " ")


def test_long_words_may_break_between_their_parts_and_hold_the_same_text():
    name = "vm-api_OsDisk_1_c6c46e23b3c41eb2794604429d2b1706"
    shown = table([{"name": name, "word": "unattached"}], "Rows")._repr_html_()
    assert "vm-<wbr>api_<wbr>OsDisk_<wbr>1_<wbr>c6c46e23b3c41eb2<wbr>794604429d2b1706" in shown.replace(
        "Os<wbr>Disk", "OsDisk"
    )
    assert ">unattached<" in shown
    assert soup(table([{"name": name}], "Rows")).td.get_text() == name
