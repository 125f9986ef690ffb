"""`diskenc compare`: its output, refusals and exit codes."""

from __future__ import annotations

import csv
import json
import shutil

import pytest

from tests.command import diskenc
from tests.rules import HOST, V5, disk, vm, write


@pytest.fixture(scope="module")
def captures(tmp_path_factory):
    """A VM that loses encryption at host, and a disk named like a formula that goes."""
    folder = tmp_path_factory.mktemp("captures")
    old = [vm("a", size=V5, security=HOST), disk("a-os", "a", system="Windows"), disk("=cmd")]
    new = [vm("a", size=V5), disk("a-os", "a", system="Windows")]
    return str(write(folder / "old", old)), str(write(folder / "new", new))


def test_a_regression_ends_in_exit_code_1_where_it_is_asked_for(captures):
    done = diskenc("compare", *captures, "--fail-on-regression")
    assert done.returncode == 1, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["direction", "what", "cause", "disks", "gib"]
    assert [line.split()[:3] for line in lines[1:4]] == [
        ["regression", "caches", "host_off"],
        ["regression", "data_flow", "host_off"],
        ["regression", "defender_status", "host_off"],
    ]
    assert done.stderr.splitlines()[:2] == ["1 disk lost a protection.", "1 disk: removed."]
    assert diskenc("compare", *captures).returncode == 0


def test_the_way_back_is_no_regression(captures):
    done = diskenc("compare", *reversed(captures), "--fail-on-regression")
    assert (done.returncode, done.stderr.splitlines()[0]) == (0, "No disk lost a protection.")


def test_every_difference_is_a_row_and_formulas_are_disarmed(captures, tmp_path):
    done = diskenc("compare", *captures, "--format", "json")
    rows = json.loads(done.stdout)
    assert [row["direction"] for row in rows][:3] == ["regression"] * 3
    assert {row["name"] for row in rows} == {"a-os", "=cmd"}
    out = tmp_path / "drift.csv"
    assert diskenc("compare", *captures, "--format", "csv", "-o", str(out)).returncode == 0
    with out.open(encoding="utf-8", newline="") as file:
        written = list(csv.DictReader(file))
    assert [row["what"] for row in written] == [row["what"] for row in rows]
    assert {row["name"] for row in written} == {"a-os", "'=cmd"}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("nowhere",), 3, "no such file or folder"),
        (("empty",), 3, "the inventory has no disks"),
        (("report",), 2, "is a report: name the exports"),
        (("--edition", "2023-05-16"), 2, "unknown edition '2023-05-16'"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_a_line(captures, tmp_path, arguments, code, said):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "disks.json").write_text("[]", encoding="utf-8")
    (tmp_path / "report").mkdir()
    manifest = json.dumps({"kind": "diskenc report", "files": {}})
    (tmp_path / "report" / "manifest.json").write_text(manifest, encoding="utf-8")
    given = captures if arguments[0].startswith("--") else captures[1:]
    done = diskenc("compare", *arguments, *given, cwd=tmp_path)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert "Traceback" not in done.stderr


def test_captures_in_the_wrong_order_are_refused_since_a_loss_would_read_as_a_gain(captures, tmp_path):
    for day, folder in zip(("2026-10-24", "2026-11-24"), captures, strict=True):
        shutil.copytree(folder, tmp_path / day)
    done = diskenc("compare", str(tmp_path / "2026-11-24"), str(tmp_path / "2026-10-24"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "got one of 2026-11-24 before one of 2026-10-24: swap them" in done.stderr
    assert diskenc("compare", str(tmp_path / "2026-10-24"), str(tmp_path / "2026-11-24")).returncode == 0


def test_a_day_that_the_calendar_does_not_have_is_refused_in_a_line(captures, tmp_path):
    (tmp_path / "p.yaml").write_text("first_window: 2027-13-09\n")
    done = diskenc("report", captures[0], "--params", str(tmp_path / "p.yaml"), "-o", str(tmp_path / "out"))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "expected a YAML file of parameters" in done.stderr
