"""Names, tags and words that try to become markup, script or a formula, or hide what they are."""

from __future__ import annotations

import csv
import json
import re
import zipfile
from xml.etree import ElementTree as ET

import nbformat
import pyarrow.parquet as pq
import pytest
from bs4 import BeautifulSoup
from python_calamine import load_workbook

from diskenc_analysis import report
from diskenc_analysis.appendix import write_appendix
from diskenc_analysis.datafiles import write_csv, write_table
from tests.shared import QUICK

SUBSCRIPTION = "5d0b3a9e-7c1f-4a5e-9a43-0c6f1f0e2b11"
LONG = "n" * 10_000
#: What each name is to look like in a CSV file; the Parquet holds the name itself.
NAMES = {
    "<img src=x onerror=alert(1)>": "<img src=x onerror=alert(1)>",
    "</script><script>alert(2)</script>": "</script><script>alert(2)</script>",
    "<a href='javascript:alert(3)'>x</a>": "<a href='javascript:alert(3)'>x</a>",
    '=HYPERLINK("https://example.org")': '\'=HYPERLINK("https://example.org")',
    "@SUM(1+1)": "'@SUM(1+1)",
    "+1": "'+1",
    "-2+3": "'-2+3",
    "  =1+1": "'  =1+1",
    "\uff1d1+1": "'\uff1d1+1",
    "\t=1+1": "'\ufffd=1+1",
    "a\r\nb": "a\ufffd\ufffdb",
    "gpj.\u202etxt": "gpj.\ufffdtxt",
    "zero\u200bwidth": "zero\ufffdwidth",
    "bell\x07": "bell\ufffd",
    "{{ 7 * 7 }} %{x} &lt;b&gt;": "{{ 7 * 7 }} %{x} &lt;b&gt;",
    LONG: LONG,
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """One disk for each name; the subscription, a tag and a word of the encryption are hostile too."""
    base = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Compute/disks"
    objects = [
        {
            "id": f"{base}/d{place:02}",
            "name": name,
            "location": "<b>north",
            "tags": {"=owner": name},
            "properties": {"diskSizeGB": 4, "encryption": {"type": "<script>alert(4)</script>"}},
        }
        for place, name in enumerate(NAMES)
    ]
    evil = "<script>alert(5)</script>\u202e=1+1"
    objects.append(
        {"id": f"/subscriptions/{SUBSCRIPTION}", "subscriptionId": SUBSCRIPTION, "displayName": evil}
    )
    folder = tmp_path_factory.mktemp("hostile") / "<b>in=1"
    folder.mkdir()
    (folder / "=disks.json").write_text(json.dumps(objects), encoding="utf-8")
    return report.render(
        folder, folder.parent / "out", params={"rows": 100} | QUICK, as_of="2026-11-24"
    ).folder


def test_parquet_keeps_the_exact_text(made):
    assert pq.read_table(made / "data" / "disks.parquet").column("name").to_pylist() == list(NAMES)


def test_csv_is_neutral_and_a_line_per_row(made):
    text = (made / "data" / "disks.csv").read_text(encoding="utf-8")
    assert len(text.splitlines()) == len(NAMES) + 1
    assert [row["name"] for row in csv.DictReader(text.splitlines())] == list(NAMES.values())
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u200b\u202a-\u202e\u2066-\u2069]", text)


def test_the_workbook_holds_text_and_no_formula_or_link(made):
    with zipfile.ZipFile(made / "appendix.xlsx") as book:
        sheets = [name for name in book.namelist() if name.startswith("xl/worksheets/")]
        text = "".join(book.read(name).decode() for name in sheets)
        assert not [name for name in book.namelist() if "rels" in name and "worksheets" in name]
    assert "<f>" not in text
    assert "hyperlink" not in text.lower().replace("=hyperlink(", "")
    rows = load_workbook(made / "appendix.xlsx").get_sheet_by_name("disks").to_python()
    column = rows[0].index("name")
    # The apostrophe of the CSV is a mark of the cell here.
    assert [row[column] for row in rows[1:]] == [shown.removeprefix("'") for shown in NAMES.values()]


def test_a_cell_that_begins_a_formula_is_marked_as_text(made):
    space = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
    with zipfile.ZipFile(made / "appendix.xlsx") as book:
        styles = ET.fromstring(book.read("xl/styles.xml"))  # noqa: S314 - made by us
        names = ET.fromstring(book.read("xl/workbook.xml")).findall(".//m:sheet", space)  # noqa: S314
        place = [sheet.get("name") for sheet in names].index("disks") + 1
        sheet = ET.fromstring(book.read(f"xl/worksheets/sheet{place}.xml"))  # noqa: S314
    formats = styles.findall(".//m:cellXfs/m:xf", space)
    marked = set()
    for cell in sheet.findall(".//m:c", space):
        if formats[int(cell.get("s", 0))].get("quotePrefix") == "1":
            marked.add("".join(cell.itertext()))
    assert marked >= {"@SUM(1+1)", "+1", "-2+3", "  =1+1", "\uff1d1+1"}


def test_the_page_shows_text_and_has_no_element_of_a_name(made):
    page = BeautifulSoup((made / "coverage.html").read_text(encoding="utf-8"), "html.parser")
    main = page.find("main")
    assert main.find(["img", "b"]) is None
    assert not [link for link in main.find_all("a") if "javascript" in link["href"]]
    running = [script.string for script in page.find_all("script") if not script.get("type")]
    assert len(running) == 1
    assert "alert(" not in running[0]
    cells = {cell.get_text() for cell in main.find_all("td")}
    assert "<img src=x onerror=alert(1)>" in cells
    assert "</script><script>alert(2)</script>" in cells
    assert "gpj.txt" in cells
    assert any(cell.startswith("nnn") and cell.endswith("…") and len(cell) <= 1200 for cell in cells)
    assert not re.search(r"[\u200b\u202a-\u202e\u2066-\u2069\x07]", main.get_text())


def test_labels_and_hover_of_charts_are_entities(made):
    executed = nbformat.read(made / "coverage.ipynb", as_version=4)
    outputs = [o.get("data", {}) for c in executed.cells if c.cell_type == "code" for o in c.outputs]
    drawn = [o["application/vnd.plotly.v1+json"] for o in outputs if "application/vnd.plotly.v1+json" in o]
    text = json.dumps([one["data"] for one in drawn])
    text += json.dumps([{k: v for k, v in one["layout"].items() if k != "meta"} for one in drawn])
    assert "&lt;script&gt;alert(5)&lt;/script&gt;" in text
    assert "<script" not in text


def test_index_and_manifest_name_files_as_text(made):
    index = BeautifulSoup((made / "index.html").read_text(encoding="utf-8"), "html.parser")
    assert index.find("script") is None
    manifest = json.loads((made / "manifest.json").read_text(encoding="utf-8"))
    assert list(manifest["inputs"]) == ["=disks.json"]


def test_the_workbook_types_its_columns_and_says_when_it_cuts(tmp_path, monkeypatch):
    rows = [
        {"name": "a", "n": 1, "share": 0.5, "on": True},
        {"name": "x" * 40_000, "n": None, "share": None, "on": None},
    ]
    write_table(tmp_path, "things", rows, "What is there?")
    files = [tmp_path / "things.parquet"]
    write_csv(files[0])
    write_appendix(tmp_path / "a.xlsx", files, "Things", "2026-11-24")
    book = load_workbook(tmp_path / "a.xlsx")
    heads, first, second = book.get_sheet_by_name("things").to_python()
    assert heads == ["name", "n", "share", "on"]
    assert (first, [type(value) for value in first]) == (["a", 1.0, 0.5, True], [str, float, float, bool])
    assert len(second[0]) == 32_767
    assert second[0].endswith("…")
    contents = book.get_sheet_by_name("contents").to_python()
    assert ["things", "What is there?", 2.0, 2.0] in contents
    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        sheet = archive.read("xl/worksheets/sheet2.xml").decode()
        assert "2026-11-24T00:00:00Z" in archive.read("docProps/core.xml").decode()
    assert '<autoFilter ref="A1:D3"/>' in sheet
    assert 'state="frozen"' in sheet
    monkeypatch.setattr("diskenc_analysis.appendix.MOST_ROWS", 1)
    write_appendix(tmp_path / "b.xlsx", files, "Things")
    book = load_workbook(tmp_path / "b.xlsx")
    assert len(book.get_sheet_by_name("things").to_python()) == 2
    assert ["things", "What is there?", 2.0, 1.0] in book.get_sheet_by_name("contents").to_python()
