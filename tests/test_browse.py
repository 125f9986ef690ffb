from __future__ import annotations

import json
import os
import subprocess
import sys

import pandas as pd
import pytest

from diskenc_analysis.browse import STATIC, Browsed, browse, interactive
from diskenc_analysis.errors import UnknownNameError
from diskenc_analysis.tables import HtmlTable, table
from tests.shared import chromium

EVIL = "<script>alert(1)</script>"


def test_outside_of_a_notebook_it_is_a_plain_table():
    frame = pd.DataFrame({"name": [EVIL, "b", "c"], "gib": [1, 2, 3]}).query("gib > 1")
    shown = browse(frame, "Disks", {"name": "Disk"}, limit=1)
    assert isinstance(shown, HtmlTable)
    assert (shown.headings, shown.lines, shown.cut) == (("Disk",), (("b",),), "1 of 2 shown")
    assert not interactive()


def test_an_unknown_column_is_named():
    with pytest.raises(UnknownNameError, match='Did you mean "name"'):
        browse([{"name": "a"}], "Disks", ["nam"])


def test_names_are_text_in_an_interactive_table():
    pytest.importorskip("itables")
    frame = pd.DataFrame({"name": [EVIL]})
    html = Browsed(table(frame, "Disks"), frame)._repr_html_()
    assert EVIL not in html
    assert "alert(1)" in html


@pytest.mark.parametrize(("static", "expected"), [("", True), ("yes", False)])
def test_tables_are_interactive_in_a_kernel_but_not_in_that_of_a_report(static, expected):
    pytest.importorskip("itables")
    code = (
        "import json\n"
        "from ipykernel.kernelapp import IPKernelApp\n"
        "IPKernelApp.initialized = classmethod(lambda cls: True)\n"
        "from diskenc_analysis.browse import browse\n"
        "print(json.dumps(type(browse([{'a': 1}], 'x')).__name__))"
    )
    given = {**os.environ, STATIC: static}
    done = subprocess.run([sys.executable, "-c", code], env=given, capture_output=True, text=True, check=True)
    assert (json.loads(done.stdout) == "Browsed") is expected


def test_evidence_is_broad_beside_a_long_name(tmp_path):
    pytest.importorskip("itables")
    playwright = pytest.importorskip("playwright.sync_api")
    path = chromium()
    if path is None:
        pytest.skip("no Chromium found")
    from itables.javascript import generate_init_offline_itables_html
    from itables.options import dt_bundle

    name, evidence = f"vm-1_OsDisk_1_{'0123456789abcdef' * 3}", "its VM was not read [L2]; " * 9
    frame = pd.DataFrame({"name": [name], "subscription_name": ["contoso-prod"], "evidence": [evidence]})
    shown = (
        generate_init_offline_itables_html(dt_bundle) + Browsed(table(frame, "Disks"), frame)._repr_html_()
    )
    style = "width: 700px; font-size: 13px"
    (tmp_path / "page.html").write_text(f'<!DOCTYPE html><div style="{style}">{shown}</div>')
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto((tmp_path / "page.html").as_uri())
        page.wait_for_selector("td.dt-left")
        widths = page.evaluate("[...document.querySelectorAll('tbody td')].map(cell => cell.offsetWidth)")
        browser.close()
    assert widths[2] > 2 * widths[0] > 0
    assert sum(widths) <= 700


def test_whole_numbers_have_no_decimals_in_an_interactive_table(monkeypatch):
    pytest.importorskip("itables")
    monkeypatch.setattr(sys.modules[Browsed.__module__], "interactive", lambda: True)
    rows = {"vms": [80.0, None], "share": [0.5, 1.0], "name": ["a", "b"]}
    for frame in (pd.DataFrame(rows), pd.DataFrame(rows).convert_dtypes(dtype_backend="pyarrow")):
        shown = browse(frame, "VMs").frame
        assert [str(shown["vms"][0]), str(shown["share"][0])] == ["80", "0.5"]
        assert pd.isna(shown["vms"][1])
