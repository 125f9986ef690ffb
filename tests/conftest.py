from __future__ import annotations

import json
import subprocess
import sys

import pytest

from diskenc_analysis.share import sample_path
from tests.loopback import Loopback
from tests.shared import once
from tests.tenant import ROWS

#: The files that take longest, the longest first; those that share a report stand apart, so that none waits.
LONG = (
    *("test_spark.py", "test_redact.py", "test_render.py", "test_notebooks.py", "test_exports.py"),
    *("test_live_faults.py", "test_fuzz.py", "test_parity.py", "ade_migration.ipynb", "test_drift.py"),
    *("test_migrationreport.py", "test_layers.py", "test_history.py", "test_hostile.py", "test_blast.py"),
    *("test_findings_files.py", "test_properties.py", "test_time.py", "test_browser.py", "test_cli.py"),
)


def pytest_collection_modifyitems(items):
    place = {name: n for n, name in enumerate(LONG)}
    items.sort(key=lambda item: place.get(item.path.name, len(LONG)))


@pytest.fixture
def azure(tmp_path, monkeypatch):
    """Azure on the loopback interface, and an environment that signs in to it."""
    with Loopback(ROWS, page_rows=2) as server:
        for name, value in server.environment(tmp_path).items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture(scope="session")
def sample_report(tmp_path_factory):
    """The sample's report by the command, and a gate that it misses: what the process said, and where it ran.

    Not to be changed.
    """

    def make(folder):
        code = "from diskenc_analysis.cli import main; main()"
        given = ("-o", "out", "--as-of", "2026-11-24", "--fail-under", "temp_disk=100", "--zip")
        command = [sys.executable, "-c", code, "report", str(sample_path()), *given]
        where = folder / "made"
        where.mkdir()
        done = subprocess.run(command, capture_output=True, text=True, cwd=where, check=False, timeout=600)
        said = {"returncode": done.returncode, "stdout": done.stdout, "stderr": done.stderr}
        (folder / "process.json").write_text(json.dumps(said), encoding="utf-8")

    folder = once(tmp_path_factory, "sample", make)
    return json.loads((folder / "process.json").read_text(encoding="utf-8")), folder / "made"
