"""Runs that are ended or killed, or that find the disk full: what stood there stands, and nothing is left."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from diskenc_analysis.errors import ParameterError
from diskenc_analysis.leftovers import claimed, let_go, sweep
from diskenc_analysis.place import placed_file, placed_folder

COMMAND = [sys.executable, "-c", "from diskenc_analysis.cli import main; main()"]
#: Fills a folder without end, as a run of the command does that has long to go.
ENDLESS = """
import signal, sys, time
for number in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)  # whoever runs the tests may have them ignored
from pathlib import Path
from diskenc_analysis.ending import tidily
from diskenc_analysis.place import placed_folder
with tidily():
    with placed_folder(Path(sys.argv[1]), lambda folder: True, "ours") as work:
        (work / "half").write_text("half")
        print("writing", flush=True)
        time.sleep(60)
"""


@pytest.fixture
def standing(tmp_path):
    """A folder as an earlier run left it."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "old").write_text("old")
    return out


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def writing(out):
    process = subprocess.Popen([sys.executable, "-c", ENDLESS, str(out)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_run_that_is_asked_to_end_cleans_up_and_dies_of_it(standing, number):
    process = writing(standing)
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode == -number  # which a shell shows as 128 + number
    assert names(standing.parent) == ["out"]
    assert names(standing) == ["old"]


def test_what_a_killed_run_left_goes_with_the_next(standing):
    process = writing(standing)
    process.kill()
    process.communicate(timeout=30)
    assert len(names(standing.parent)) == 2
    with placed_folder(standing, lambda _: True, "ours") as work:
        (work / "new").write_text("new")
    assert names(standing.parent) == ["out"]
    assert names(standing) == ["new"]


def test_what_a_living_run_works_in_is_left_alone(standing):
    process = writing(standing)
    with placed_folder(standing, lambda _: True, "ours") as work:
        (work / "new").write_text("new")
    left = [name for name in names(standing.parent) if name != "out"]
    process.kill()
    process.communicate(timeout=30)
    assert len(left) == 1
    assert (standing.parent / left[0] / "out" / "half").is_file()


def test_a_folder_of_another_name_is_no_leftover(tmp_path):
    other, _ = claimed(tmp_path / "out[1]")
    let_go(_)
    sweep(tmp_path / "out1")
    assert other.is_dir()
    sweep(tmp_path / "out[1]")
    assert not other.exists()


def test_an_end_that_nohup_wards_off_stays_warded_off():
    code = (
        "import os, signal\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "from diskenc_analysis.ending import tidily\n"
        "with tidily():\n    os.kill(os.getpid(), signal.SIGHUP)\n    print('on')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "on\n")


def test_a_report_that_is_ended_stops_its_notebooks_and_leaves_nothing(tmp_path, tenant_folder):
    out = tmp_path / "out"
    command = [*COMMAND, "report", str(tenant_folder), "-o", str(out), "--notebook", "coverage"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    limit = time.monotonic() + 60
    while not list(tmp_path.glob(".out.*/out.scratch/run/coverage/tmp")):  # its kernel starts
        assert time.monotonic() < limit
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGTERM
    assert [path for path in tmp_path.iterdir() if path != tenant_folder] == []


@pytest.mark.parametrize("place", [placed_file, lambda path: placed_folder(path, lambda _: True, "ours")])
def test_a_full_disk_is_said_in_a_line_and_what_was_there_stands(tmp_path, place):
    target = tmp_path / "out"
    with (
        pytest.raises(ParameterError, match=r"out cannot be written: No space left on device"),
        place(target),
    ):
        raise OSError(28, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_a_file_beyond_a_limit_leaves_the_old_report_and_no_half(standing, tenant_folder):
    (standing / "manifest.json").write_text('{"kind": "diskenc report"}')
    done = subprocess.run(
        [*COMMAND, "report", str(tenant_folder), "-o", str(standing), "--notebook", "controls"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000)),
    )
    assert done.returncode == 2
    assert done.stderr == (
        f"diskenc: {standing} cannot be written: File too large. What was there stands as it was\n"
    )
    assert names(standing) == ["manifest.json", "old"]
    assert [name for name in names(standing.parent) if name.startswith(".")] == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_standard_output_is_said_in_a_line():
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "queries"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "diskenc: the output, or a passing file, cannot be written: No space left on device"
    ]


@pytest.fixture
def tenant_folder(tmp_path):
    from tests.rules import disk, vm, write

    return write(tmp_path / "in", [vm("w"), disk("w-os", "w")])
