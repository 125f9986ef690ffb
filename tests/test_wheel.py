"""The built wheel, installed outside of the checkout, does what a newcomer does first."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CODE = "from diskenc_analysis.cli import main; main()"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with the wheel alone in it; its dependencies are those of this interpreter."""
    pytest.importorskip("hatchling")
    made, target = tmp_path_factory.mktemp("wheel"), tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(made)]
    subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=True)
    [wheel] = made.glob("*.whl")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*install, "--target", str(target), str(wheel)], capture_output=True, check=True)
    return target


@pytest.fixture
def run(installed, tmp_path):
    def go(*arguments, code=CODE):
        given = {**os.environ, "PYTHONPATH": str(installed)}
        command = [sys.executable, "-c", code, *arguments]
        return subprocess.run(command, cwd=tmp_path, env=given, capture_output=True, text=True, check=False)

    return go


def test_the_wheel_alone_is_imported_and_brings_notebooks_and_data(run, installed):
    code = "import diskenc_analysis as de; print(de.__file__); print(de.sample_path())"
    where = run(code=code).stdout.split()
    assert [Path(path).is_relative_to(installed) for path in where] == [True, True]
    assert not (installed / "notebooks").exists()
    assert not (installed / "data").exists()


def test_sample_report_and_lab_work_outside_of_the_checkout(run, tmp_path):
    made = run("sample", "-o", "tenant", "--disks", "60", "--subscriptions", "2")
    assert made.returncode == 0, made.stderr
    done = run("report", "tenant", "-o", "out", "--notebook", "choose_method")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "choose_method.html").stat().st_size > 10_000
    copied = run("lab", "mine")
    assert copied.returncode == 0, copied.stderr
    assert "jupyter lab mine" in copied.stderr
    there = {path.name for path in (tmp_path / "mine").iterdir()}
    assert there == {path.name for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert json.loads((tmp_path / "mine" / "explore.ipynb").read_text(encoding="utf-8"))["nbformat"] == 4
