"""The command; in processes of its own where imports, exit codes and streams are asked for."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys

import pytest

import diskenc_analysis as de
from tests.command import diskenc, process

SAMPLE = str(de.sample_path())
DISKS = str(de.sample_path() / "disks.jsonl")  # quicker to read where nothing else is asked


def test_help_imports_no_data_frames():
    code = (
        "import sys; sys.argv = ['diskenc', '--help']\n"
        "from diskenc_analysis.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = ('pandas', 'plotly', 'duckdb', 'azure', 'pyarrow', 'narwhals')\n"
        "print([m for m in heavy if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "coverage" in done.stdout
    assert done.stdout.rstrip().endswith("[]")


def test_version():
    assert process("--version").stdout == f"diskenc {de.__version__}\n"


def test_coverage_imports_neither_pandas_nor_plotly():
    code = (
        f"import sys; sys.argv = ['diskenc', 'coverage', {SAMPLE!r}, '--format', 'csv']\n"
        "from diskenc_analysis.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print([m for m in ('pandas', 'plotly', 'azure') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.rstrip().endswith("[]")


def test_coverage_as_json_counts_the_truth():
    with (de.sample_path() / ".truth.csv").open(encoding="utf-8", newline="") as file:
        truth = [row["customer_keys@2026"] for row in csv.DictReader(file)]
    done = process("coverage", SAMPLE, "--capability", "customer_keys", "--format", "json")
    [row] = json.loads(done.stdout)
    assert done.returncode == 0
    assert {name: row[name] for name in ("yes", "no", "not_applicable", "unknown", "total")} == {
        **{name: truth.count(name) for name in ("yes", "no", "not_applicable", "unknown")},
        "total": len(truth),
    }
    assert "970 rows read, 970 used, 0 set aside" in done.stderr


def test_coverage_prints_the_same_numbers_in_every_format(tmp_path):
    arguments = ("coverage", SAMPLE, "--by", "subscription_name", "--capability", "caches")
    rows = json.loads(diskenc(*arguments, "--format", "json").stdout)
    table = list(csv.DictReader(diskenc(*arguments, "--format", "csv").stdout.splitlines()))
    assert [float(row["yes"]) for row in table] == [row["yes"] for row in rows]
    assert len(diskenc(*arguments).stdout.splitlines()) == len(rows) + 1
    out = tmp_path / "out.parquet"
    assert diskenc(*arguments, "--format", "parquet", "-o", str(out)).returncode == 0
    import pyarrow.parquet as pq

    assert pq.read_table(out).column("yes").to_pylist() == [row["yes"] for row in rows]


#: What cannot be answered is refused before anything is read: exit 2, where reading would end in 3.
ABSENT = "no-such-folder"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("coverage", ABSENT), 3, "no-such-folder: no such file or folder"),
        (("coverage", ABSENT, "--by", "subscription"), 2, 'Did you mean "subscription_'),
        (("coverage", ABSENT, "--capability", "temp_disc"), 2, 'Did you mean "temp_disk"'),
        (("coverage", ABSENT, "--capability", "temp_disk", "--weight", "gib"), 2, "a fact of the VM"),
        (("coverage", ABSENT, "--edition", "2023-05-16"), 2, "2023-05-15"),
        (("coverage", ABSENT, "--format", "parquet"), 2, "needs a file"),
        (("coverage",), 2, "Missing argument"),
        (("report", DISKS, "--notebook", "coverag", "-o", "x"), 2, 'Did you mean "coverage"'),
        (("report", "no-such-folder", "-o", "x"), 3, "no-such-folder"),
        (("report", DISKS, "--as-of", "yesterday", "-o", "x"), 2, "yesterday"),
        (("sample", "-o", "x", "--disks", "0"), 2, "greater than or equal to 1"),
        (("report", DISKS, "-o", "x", "--fail-under", "temp_disc=95"), 2, 'Did you mean "temp_disk"'),
        (("report", DISKS, "-o", "x", "--fail-under", "temp_disk"), 2, "expected CAPABILITY=PERCENT"),
        (("report", DISKS, "-o", "x", "--fail-under", "temp_disk=101"), 2, "from 0 to 100, got 101"),
        (("report", DISKS, "-o", "/proc/x"), 2, "/proc/x cannot be written"),
        (("coverage", DISKS, "--format", "csv", "-o", "/proc/x.csv"), 2, "/proc/x.csv cannot be written"),
        (("coverage", DISKS, "--format", "parquet", "-o", "."), 2, "is a folder: name a file in it"),
        (("sample", "-o", "/proc/x"), 2, "/proc/x cannot be written"),
        (("verify", "."), 3, "expected a report folder with manifest.json"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_a_mistake_ends_in_a_message_and_its_exit_code(arguments, code, said, tmp_path):
    done = diskenc(*arguments, cwd=tmp_path)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_broken_input_is_named_with_its_place(tmp_path):
    (tmp_path / "disks.json").write_text('{"value": [{"id": "a"},\n {"id": ]}', encoding="utf-8")
    done = process("coverage", str(tmp_path))
    assert done.returncode == 3
    assert "disks.json" in done.stderr
    assert "line 2" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_export_without_disks_says_what_was_read(tmp_path):
    (tmp_path / "vaults.json").write_text(
        '[{"id": "/subscriptions/s/providers/Microsoft.KeyVault/vaults/v", "properties": {}}]',
        encoding="utf-8",
    )
    done = diskenc("coverage", str(tmp_path))
    assert done.returncode == 3
    assert "1 rows were read, none of them a disk, VM or snapshot" in done.stderr


def test_sample_is_written_where_asked(tmp_path):
    done = diskenc("sample", "-o", str(tmp_path / "tenant"), "--disks", "90", "--subscriptions", "2")
    assert done.returncode == 0
    inv = de.load(tmp_path / "tenant", engine="duckdb")
    assert inv.count("subscriptions") == 2


def test_a_file_is_no_place_for_a_folder(tmp_path):
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    for arguments in (("report", SAMPLE), ("sample",)):
        for out, said in (("file", "file exists and is not"), ("file/x", "cannot be written")):
            done = diskenc(*arguments, "-o", out, cwd=tmp_path)
            assert (done.returncode, said in done.stderr) == (2, True), done.stderr
            assert "Traceback" not in done.stderr
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1: x", "expected names and values, got {1: 'x'}"),
        ("- top", "expected names and values, got ['top']"),
        ("top: true", "'top' of notebook coverage: expected a whole number; got True"),
        ("edition: 2023-05-16", "unknown edition '2023-05-16'"),
        ("tops: 3", 'Did you mean "top"'),
    ],
)
def test_a_parameter_file_that_is_wrong_is_refused(tmp_path, text, said):
    (tmp_path / "p.yaml").write_text(text, encoding="utf-8")
    done = diskenc("report", SAMPLE, "-o", "out", "--params", "p.yaml", cwd=tmp_path)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["p.yaml"]


def test_a_report_is_gated_packed_and_verified(sample_report, tmp_path):
    # The sample has VMs without an encrypted temp disk, as its truth says.
    done, made = sample_report
    assert done["returncode"] == 1, done["stderr"]
    assert done["stderr"].startswith("gate temp_disk=100 missed. Temp disk: ")
    assert sorted(path.name for path in made.iterdir()) == ["out", "out.zip"]
    [told] = [line for line in done["stdout"].splitlines() if line.startswith("manifest sha256 ")]
    digest = told.split()[-1]
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    for where in ("out", "out.zip"):
        checked = diskenc("verify", where, "--expect-sha256", digest, cwd=tmp_path)
        assert (checked.returncode, checked.stdout.splitlines()[-1][:4]) == (0, "all "), checked.stderr
    (tmp_path / "out" / "facts.json").write_text("{}", encoding="utf-8")
    checked = diskenc("verify", "out", cwd=tmp_path)
    assert checked.returncode == 5
    assert checked.stderr.splitlines()[0] == "changed: facts.json"
    assert diskenc("verify", "out", "--expect-sha256", "0" * 64, cwd=tmp_path).returncode == 5


def test_a_report_of_no_disks_is_refused(tmp_path):
    (tmp_path / "empty.json").write_text("[]", encoding="utf-8")
    done = diskenc("report", "empty.json", "-o", "out", cwd=tmp_path)
    assert (done.returncode, "the inventory has no disks" in done.stderr) == (3, True), done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["empty.json"]


def test_names_that_begin_a_formula_are_neutralised_on_the_way_out(tmp_path):
    tenant = tmp_path / "disks.json"
    disk = {"id": "/subscriptions/s/resourceGroups/r/providers/Microsoft.Compute/disks/d", "location": "=1+1"}
    tenant.write_text(json.dumps([disk]), encoding="utf-8")
    done = diskenc("coverage", str(tenant), "--by", "location", "--capability", "at_rest", "--format", "csv")
    [row] = csv.DictReader(done.stdout.splitlines())
    assert row["location"] == "'=1+1"
