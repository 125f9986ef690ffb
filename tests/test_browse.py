from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pandas as pd
import pytest

from diskenc_analysis.browse import STATIC, Browsed, browse, interactive
from diskenc_analysis.errors import UnknownNameError
from diskenc_analysis.tables import HtmlTable, table

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


def test_a_column_of_sentences_has_room():
    frame = pd.DataFrame({"name": ["a-long-name-" * 4, None], "evidence": ["why it is so; " * 8, ""]})
    shown = Browsed(table([], "Disks"), frame)._repr_html_()
    assert re.search(r'"targets": ?\[1\], ?"width": ?"30em"', shown)
