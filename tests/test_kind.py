"""What a newcomer meets on the way in: errors that say what to do next, and a command made for scripts."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

import diskenc_analysis as de
from diskenc_analysis.cli_parts import editions_like, notebooks_like, requirements_like
from diskenc_analysis.errors import DiskencError, UnreadableInputError
from tests.command import diskenc

NEXT = ("diskenc collect", "diskenc queries", "de.load(de.sample_path())")
COMPUTE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute"


@pytest.mark.parametrize("make", ["wrong", "empty", "vaults"])
def test_where_nothing_was_exported_the_error_says_what_to_do(tmp_path, make):
    vault = {"id": "/subscriptions/s/providers/Microsoft.KeyVault/vaults/v", "properties": {}}
    (tmp_path / "empty").mkdir()
    (tmp_path / "vaults").mkdir()
    (tmp_path / "vaults" / "v.json").write_text(json.dumps([vault]), encoding="utf-8")
    with pytest.raises(UnreadableInputError) as raised:
        de.load(tmp_path / make).require_disks()
    assert all(step in str(raised.value) for step in NEXT)


def test_an_export_without_vms_says_what_is_missing(tmp_path):
    disk = {"id": f"{COMPUTE}/disks/d", "type": "Microsoft.Compute/disks", "properties": {"diskSizeGB": 8}}
    (tmp_path / "disks.json").write_text(json.dumps([disk]), encoding="utf-8")
    gaps = de.load(tmp_path).gaps()
    first = gaps.iloc[0]
    assert (first["gap"], first["rows"]) == ("disks in an inventory without any VM", 1)
    assert "diskenc queries" in first["consequence"]
    assert "no VM was read" in diskenc("coverage", str(tmp_path)).stderr


def test_a_notebook_shows_the_message_and_no_traceback():
    assert UnreadableInputError("no disks")._render_traceback_() == ["UnreadableInputError: no disks"]
    assert issubclass(UnreadableInputError, DiskencError)


def test_options_as_json_carry_costs_and_sources_and_quiet_says_no_more():
    done = diskenc(
        "--quiet", "options", "--requires", "temp_disk", "--requires", "no_vm_cpu", "--format", "json"
    )
    assert (done.returncode, done.stderr) == (0, "")
    first = json.loads(done.stdout)[0]
    assert (first["option"], first["fits"]) == ("host", "yes")
    assert "2026-04-02" in first["sources"]
    told = diskenc("options", "--requires", "temp_disc")
    assert (told.returncode, 'Did you mean "temp_disk"' in told.stderr) == (2, True)


def test_a_quiet_coverage_prints_the_result_alone():
    plain, quiet = (
        diskenc(*flag, "coverage", str(de.sample_path()), "--capability", "hsm", "--format", "json")
        for flag in ((), ("-q",))
    )
    assert plain.stdout == quiet.stdout
    assert (bool(plain.stderr), quiet.stderr) == (True, "")


def test_every_command_has_an_example_and_completion_is_offered():
    assert "--install-completion" in diskenc("--help").stdout
    for name in (
        "report",
        "coverage",
        "collect",
        "queries",
        "sample",
        "verify",
        "lab",
        "options",
        "findings",
    ):
        assert "Example: " in diskenc(name, "--help").stdout, name


def test_names_are_completed():
    assert editions_like("2023") == ["2023-05-15"]
    assert requirements_like("temp") == ["temp_disk"]
    assert "choose_method" in notebooks_like("ch")


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("diskenc cov", "coverage"),
        ("diskenc report --notebook ch", "choose_method"),
        ("diskenc report --fail", "--fail-under"),
        ("diskenc coverage x --capability te", "temp_disk"),
        ("diskenc coverage x --by subscription_n", "subscription_name"),
        ("diskenc coverage x --by t", "temp_disk_key_owner temp_disk tag:"),
        ("diskenc coverage x --weight v", "vms"),
        ("diskenc history show h --by loc", "location"),
    ],
)
def test_what_the_script_of_bash_asks_is_answered(typed, offered):
    words = {"_DISKENC_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": f"{typed.count(' ')}"}
    code = "import sys; sys.argv[0] = 'diskenc'; from diskenc_analysis.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | words, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == offered.split()


def test_lab_says_how_to_go_on_unless_it_is_to_be_quiet(tmp_path):
    told, quiet = diskenc("lab", str(tmp_path / "a")), diskenc("-q", "lab", str(tmp_path / "b"))
    assert told.stdout.splitlines() == [f"9 notebooks copied to {tmp_path / 'a'}"]
    assert "begin with explore.ipynb" in told.stderr
    assert (quiet.stdout, quiet.stderr) == (f"9 notebooks copied to {tmp_path / 'b'}\n", "")
