"""Findings as files that other tools read: ids that stay, formats, exceptions, exit codes."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest

import diskenc_analysis as de
from diskenc_analysis.printing import write_lines
from tests.command import diskenc
from tests.rules import cmk, disk, disk_id, records, snapshot, stores, vm, write

SAMPLE = str(de.sample_path())
RULE = "cis_azure_3.0.0/8.4"
HEADER = "finding,scope,reason,owner,approver,expires\n"


def _objects(*, upper: bool = False):
    """Give two loose disks; another capture spells their ids in upper case."""
    made = [
        *stores(),
        disk("loose"),
        disk("loose-cmk", encryption=cmk("standard")),
        snapshot("copy"),
        vm("a"),
    ]
    for one in made if upper else ():
        head, slash, tail = one["id"].partition("/subscriptions")
        one["id"] = f"{head}{slash}{tail.upper()}"
    return made


def _ids(folder, objects, engine):
    found = records(de.findings(de.load(write(folder, objects), engine=engine), framework="cis_azure"))
    return {row["finding_id"]: row["status"] for row in found}


@pytest.mark.parametrize("engine", ["duckdb", "pandas", "polars", "arrow"])
def test_an_id_stays_in_any_case_order_and_engine(engine, tmp_path):
    first = _ids(tmp_path / "a", _objects(), "duckdb")
    assert first[f"{RULE}:{disk_id('loose').lower()}"] == "not_met"
    assert first[f"{RULE}:{disk_id('loose-cmk').lower()}"] == "met"
    assert _ids(tmp_path / "b", _objects(upper=True)[::-1], engine) == first


def test_an_id_stays_between_captures_while_the_finding_changes(tmp_path):
    before = _ids(tmp_path / "a", [*stores(), disk("x")], "duckdb")
    after = _ids(tmp_path / "b", [*stores(), disk("x", encryption=cmk("standard")), disk("y")], "duckdb")
    key = f"{RULE}:{disk_id('x').lower()}"
    assert (before[key], after[key]) == ("not_met", "met")
    assert set(before) < set(after)


@pytest.mark.parametrize("engine", ["duckdb", "pandas", "polars", "arrow"])
def test_both_formats_hold_the_same_rows(engine, tmp_path):
    found = de.findings(de.load(write(tmp_path, _objects()), engine=engine), framework="cis_azure")
    for form in ("csv", "jsonl"):
        write_lines(found, form, tmp_path / f"out.{form}")
    lines = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
    objects = [json.loads(line) for line in lines]
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert len(objects) == 4 * 4  # two loose disks, one that a VM alone lists, and a snapshot; four controls
    blank = [{name: value or "" for name, value in row.items()} for row in objects]
    assert blank == table
    assert set(objects[0]) >= {"finding_id", "rule_id", "severity", "status", "evidence", "exception"}


def test_the_command_writes_to_a_file_by_its_name_or_to_the_standard_output(tmp_path):
    done = diskenc("findings", SAMPLE, "--framework", "cis_azure", "-o", str(tmp_path / "out.jsonl"))
    assert (done.returncode, done.stdout) == (0, "")
    objects = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    said = re.search(r"([\d,]+) findings: ([\d,]+) met, ([\d,]+) unknown, ([\d,]+) not met", done.stderr)
    total, met, unknown, missed = (int(text.replace(",", "")) for text in said.groups())
    assert total == len(objects)
    statuses = [row["status"] for row in objects]
    assert [met, unknown, missed] == [statuses.count(name) for name in ("met", "unknown", "not_met")]
    printed = diskenc("findings", SAMPLE, "--framework", "cis_azure@3.0.0").stdout
    assert [row["finding_id"] for row in csv.DictReader(io.StringIO(printed))] == [
        row["finding_id"] for row in objects
    ]


def test_excepted_findings_stay_and_are_counted_apart(tmp_path):
    folder = write(tmp_path / "tenant", [*stores(), disk("loose"), disk("other")])
    granted = tmp_path / "exceptions.csv"
    granted.write_text(f"{HEADER}{RULE},{disk_id('loose')},lab,me,you,2026-12-31\n", encoding="utf-8")
    asked = ("findings", str(folder), "--framework", "cis_azure", "--exceptions", str(granted))
    now = diskenc(*asked, "--as-of", "2026-12-31", "--format", "jsonl")
    later = diskenc(*asked, "--as-of", "2027-01-01", "--format", "jsonl")
    # Loose disks: managed (met), not attached (not applicable), no key (not met), network unread (unknown).
    assert "8 findings: 2 met, 2 unknown, 1 not met, 1 excepted, 2 not applicable" in now.stderr
    assert "8 findings: 2 met, 2 unknown, 2 not met, 2 not applicable" in later.stderr
    words = {}
    for name, done in (("now", now), ("later", later)):
        [row] = [
            one
            for one in map(json.loads, done.stdout.splitlines())
            if (one["name"], one["rule_id"]) == ("loose", RULE)
        ]
        words[name] = (row["status"], row["exception"], row["exception_note"][:3])
    assert words == {"now": ("not_met", "excepted", "lab"), "later": ("not_met", "expired", "lab")}


def test_exceptions_that_cover_nothing_or_a_part_are_listed(tmp_path):
    folder = write(tmp_path / "tenant", [*stores(), disk("loose"), disk("cmk", encryption=cmk("standard"))])
    granted = tmp_path / "exceptions.csv"
    lines = (f"{RULE},{disk_id('loose')}", f"{RULE},", f"{RULE},{disk_id('none')}")
    text = "".join(f"{line},lab,me,you,2026-12-31\n" for line in lines)
    granted.write_text(HEADER + text, encoding="utf-8")
    asked = ("findings", str(folder), "--framework", "cis_azure", "--exceptions", str(granted))
    said = diskenc(*asked, "--as-of", "2026-11-24").stderr.splitlines()
    assert "3 exceptions (covers: 1, covers part: 1, covers nothing: 1)" in said
    assert f"  line 3: {RULE} in all covers a part: the rest that it names is met (1 open, 1 met)" in said
    assert (
        f"  line 4: {RULE} in {disk_id('none')} covers nothing: there is no such finding in its scope"
        in (said[3].rpartition(" (")[0])
    )


def test_names_of_strangers_begin_no_formula_in_csv_and_stand_as_they_are_in_json(tmp_path):
    name = '=HYPERLINK("http://x")\u202e'
    folder = write(tmp_path / "tenant", [*stores(), disk("a") | {"name": name}])
    printed = diskenc("findings", str(folder), "--framework", "cis_azure")
    [cell] = {row["name"] for row in csv.DictReader(io.StringIO(printed.stdout))}
    assert cell == "'" + name.replace("\u202e", "\ufffd")
    lines = diskenc(
        "findings", str(folder), "--framework", "cis_azure", "--format", "jsonl"
    ).stdout.splitlines()
    assert {json.loads(line)["name"] for line in lines} == {name}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--framework", "cis_azur"), 2, 'Did you mean "cis_azure"'),
        (("--exceptions", "none.csv", "--as-of", "2026-11-24"), 3, "none.csv: expected a CSV file"),
        (("--exceptions", "wrong.csv", "--as-of", "2026-11-24"), 3, "wrong.csv, line 2, column 'expires'"),
        (("--exceptions", "good.csv"), 2, "as_of"),
        (("--as-of", "tomorrow"), 2, "as_of: expected a date as YYYY-MM-DD, got 'tomorrow'"),
        (("--edition", "2020-01-01"), 2, "edition"),
        (("-o", "."), 2, "is a folder"),
    ],
)
def test_a_mistake_ends_in_one_line_and_its_exit_code(arguments, code, said, tmp_path):
    (tmp_path / "wrong.csv").write_text(f"{HEADER}{RULE},,why,me,you,soon\n", encoding="utf-8")
    (tmp_path / "good.csv").write_text(f"{HEADER}{RULE},,why,me,you,2026-12-31\n", encoding="utf-8")
    done = diskenc("findings", SAMPLE, *arguments, cwd=tmp_path)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_unreadable_exports_are_named(tmp_path):
    (tmp_path / "disks.json").write_text("{", encoding="utf-8")
    done = diskenc("findings", str(tmp_path))
    assert done.returncode == 3
    assert "disks.json" in done.stderr
