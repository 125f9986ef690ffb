"""The notebooks on two captures and on a history, as reports, and what they refuse."""

from __future__ import annotations

import json

import pytest

from diskenc_analysis import history
from diskenc_analysis.errors import ParameterError, UnreadableInputError
from diskenc_analysis.ledger import sha256
from diskenc_analysis.opening import read
from diskenc_analysis.report import Options, render
from tests.command import diskenc
from tests.shared import QUICK


def test_two_captures_make_a_report(over_time):
    facts = json.loads((over_time / "facts.json").read_text(encoding="utf-8"))["drift"]
    assert facts["regressions"] == 1
    lost = {row["what"]: row["cause"] for row in facts["differences"] if row["direction"] == "regression"}
    assert lost == dict.fromkeys(("temp_disk", "caches", "data_flow", "defender_status"), "host_off")
    page = (over_time / "drift.html").read_text(encoding="utf-8")
    assert "1 disk lost a protection." in page
    assert (over_time / "data" / "drift.csv").is_file()
    assert str(over_time.parent) not in (over_time / "drift.ipynb").read_text(encoding="utf-8")


def test_a_history_alone_makes_a_report(captures, tmp_path):
    """The notebook reads no inventory, so none is asked for; the manifest lists the captures instead."""
    for capture in captures:
        history.add(read(capture, engine="auto"), tmp_path / "store")
    (tmp_path / "quick.yaml").write_text(json.dumps(QUICK | {"target": 90}))
    asked = ("--history", "store", "--notebook", "trend", "--params", "quick.yaml", "-o", "out")
    done = diskenc("report", *asked, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    facts = json.loads((tmp_path / "out" / "facts.json").read_text(encoding="utf-8"))["trend"]
    assert [row["capture_date"] for row in facts["captures"]] == ["2026-10-24", "2026-11-24"]
    [temp] = [one for one in facts["pace"] if one["capability"] == "temp_disk"]
    assert (temp["then"], temp["now"], temp["met_on"]) == (1, 0, "")
    names = {path.stem for path in (tmp_path / "out" / "data").glob("*.parquet")}
    assert names == {"captures", "trend", "trend_by_subscription"}
    assert str(tmp_path) not in (tmp_path / "out" / "trend.ipynb").read_text(encoding="utf-8")
    files = (tmp_path / "store").glob("capture_date=*/*.parquet")
    expected = {file.relative_to(tmp_path / "store").as_posix(): sha256(file) for file in files}
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["inputs"] == {f"history/{name}": digest for name, digest in expected.items()}


def test_what_needs_an_inventory_is_not_run_without_one(tmp_path):
    cases = {
        ("--history", "store"): "notebook coverage: expected an inventory",
        (
            "--history",
            "store",
            "--notebook",
            "trend",
            "--notebook",
            "drift",
        ): "notebook drift: expected an inv",
        (
            "--history",
            "store",
            "--notebook",
            "trend",
            "--fail-under",
            "caches=9",
        ): "--fail-under: expected an inv",
        ("--notebook", "trend"): "notebook trend: expected a history",
    }
    for asked, said in cases.items():
        done = diskenc("report", *asked, cwd=tmp_path)
        assert (done.returncode, said in done.stderr, done.stderr.count("\n")) == (2, True, 1), done.stderr
    assert not (tmp_path / "out").exists()


def _ran(*_told):
    pytest.fail("a notebook ran")


def test_two_captures_are_needed(captures, tmp_path):
    with pytest.raises(ParameterError, match="expected two captures"):
        render(captures[1], tmp_path / "out", ["coverage", "drift"], progress=_ran)
    with pytest.raises(ParameterError, match="expected a history"):
        render(captures[1], tmp_path / "out", ["coverage", "trend"], progress=_ran)
    with pytest.raises(UnreadableInputError):
        render(captures[1], tmp_path / "out", ["drift"], {"baseline": str(tmp_path / "nowhere")})
    with pytest.raises(ParameterError, match="cannot go with redact"):
        render(captures[1], tmp_path / "out", ["trend"], options=Options(redact="names"))
    assert not (tmp_path / "out").exists()
