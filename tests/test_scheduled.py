"""The templates for scheduled reports use options and parameters that there are."""

from __future__ import annotations

import configparser
import re
import shlex
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest
import typer
import yaml

from diskenc_analysis.cli import app
from diskenc_analysis.gates import parse
from diskenc_analysis.params import NOTEBOOKS

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "scheduled"
FILES = sorted(path for path in FOLDER.iterdir() if path.suffix != ".timer")
_REPORT = re.compile(r"diskenc report ((?:[^|\n\\']|\\\n)+)")


def commands(path):
    return [
        shlex.split(found.replace("\\\n", " ")) for found in _REPORT.findall(path.read_text(encoding="utf-8"))
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_option_exists_and_every_gate_can_be_read(path):
    report = typer.main.get_command(app).commands["report"]
    known = {name for parameter in report.params for name in parameter.opts}
    found = [word.rstrip("`,") for words in commands(path) for word in words if word.startswith("-")]
    assert found
    assert set(found) <= known
    for words in commands(path):
        for option, value in pairwise(words):
            if option == "--fail-under":
                parse(value)


def test_the_workflow_keeps_no_secret_and_the_report_of_a_missed_gate():
    text = (FOLDER / "report.yml").read_text(encoding="utf-8")
    workflow = yaml.safe_load(text)
    job = workflow["jobs"]["report"]
    assert workflow["permissions"] == {}
    assert job["permissions"] == {"contents": "read", "id-token": "write"}
    assert "secrets." not in text
    upload = next(step for step in job["steps"] if "upload-artifact" in step.get("uses", ""))
    assert upload["if"] == "${{ !cancelled() }}"
    assert workflow[True]["schedule"]  # YAML reads the key `on` as true


def test_the_units_are_units_and_shell():
    timer = configparser.ConfigParser(interpolation=None)
    timer.read(FOLDER / "diskenc-report.timer", encoding="utf-8")
    assert timer["Timer"]["Persistent"] == "true"
    service = (FOLDER / "diskenc-report.service").read_text(encoding="utf-8")
    command = next(line for line in service.splitlines() if line.startswith("ExecStart="))
    shell = shlex.split(command.removeprefix("ExecStart=").replace("$$", "$").replace("%%", "%"))
    assert shell[:2] == ["/bin/sh", "-c"]
    assert subprocess.run(["sh", "-n", "-c", shell[2]], check=False).returncode == 0


def test_the_papermill_line_gives_parameters_that_there_are():
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    [line] = [line for line in text.splitlines() if " papermill notebooks/" in line]
    assert set(re.findall(r"-p (\w+)", line)) <= set(NOTEBOOKS["coverage"].model_fields)


def test_the_parameter_file_is_valid():
    from diskenc_analysis.params import validate

    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    block = text.rsplit("miss:\n", 1)[1]
    values = yaml.safe_load("\n".join(line.strip() for line in block.splitlines()))
    assert validate("coverage", values).edition == "2026-04-02"


def test_the_crontab_line_is_shell():
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    [line] = [line.strip() for line in text.splitlines() if line.strip().startswith("17 3 ")]
    command = line.split(None, 5)[5].replace(r"\%", "%")
    assert "%" not in line.replace(r"\%", "")
    assert subprocess.run(["sh", "-n", "-c", command], check=False).returncode == 0
