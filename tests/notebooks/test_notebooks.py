from __future__ import annotations

import ast
import csv
import json
from collections import Counter

import nbformat
import pytest
from bs4 import BeautifulSoup

from diskenc_analysis.editions import capabilities
from diskenc_analysis.share import notebook_dir, sample_path

ANSWERS = ("yes", "no", "unknown", "not_applicable")
NOTEBOOKS = sorted(notebook_dir().glob("*.ipynb"))


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return nbformat.read(request.param, as_version=4)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_the_source_is_stripped_and_valid(notebook):
    nbformat.validate(notebook)
    assert all(not cell.outputs and cell.execution_count is None for cell in code(notebook))
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
    assert "papermill" not in notebook.metadata


def test_the_first_code_cell_holds_the_parameters_as_literals(notebook):
    first, *rest = code(notebook)
    assert first.metadata.tags == ["parameters"]
    assert not any("parameters" in cell.metadata.get("tags", []) for cell in rest)
    for node, line in zip(ast.parse(first.source).body, first.source.splitlines(), strict=True):
        assert isinstance(node, ast.Assign)
        assert isinstance(node.value, ast.Constant)
        assert "  # " in line


def test_cells_are_thin(notebook):
    for cell in code(notebook):
        tree = ast.parse(cell.source)
        kinds = {type(node) for node in ast.walk(tree)}
        assert not kinds & {ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.For, ast.While}, cell.source
        # Parameters are a literal a line, and as many as there are.
        assert "parameters" in cell.metadata.get("tags", []) or len(cell.source.splitlines()) <= 12, (
            cell.source
        )


def test_imports_stand_in_one_cell(notebook):
    importing = [
        cell.id
        for cell in code(notebook)
        if any(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(ast.parse(cell.source)))
    ]
    assert len(importing) == 1


@pytest.fixture(scope="module")
def reported(sample_report):
    """The facts that the notebooks gather from the sample, and the sample's own truth."""
    truth_file = sample_path() / ".truth.csv"
    if not truth_file.is_file():
        pytest.skip("the sample has no truth file")
    with truth_file.open(encoding="utf-8", newline="") as lines:
        truth = list(csv.DictReader(lines))
    _, where = sample_report
    return json.loads((where / "out" / "facts.json").read_text()), truth


def test_the_matrix_of_an_edition_is_printed_once(sample_report):
    _, where = sample_report
    page = BeautifulSoup((where / "out" / "choose_method.html").read_text(encoding="utf-8"), "html.parser")
    cells = [cell.get_text(strip=True) for cell in page.find_all("td")]
    # Customer control of keys under Azure Disk Encryption, which is the same in both editions.
    assert cells.count("yes, with a key encryption key") == 2


@pytest.fixture(scope="module")
def sample(reported):
    facts, truth = reported
    return facts["coverage"], truth


@pytest.mark.parametrize("column", ["method", "key_owner"])
def test_tallies_of_the_sample_agree_with_its_truth(sample, column):
    facts, truth = sample
    found = {row[column]: row["disks"] for row in facts[f"{column}s"]}
    assert found == Counter(row[column] for row in truth)


def test_kinds_of_the_sample_agree_with_its_truth(sample):
    facts, truth = sample
    found = {(row["kind"], row["attachment"]): row["disks"] for row in facts["by_kind"]}
    assert found == Counter((row["kind"], row["attachment"]) for row in truth)


@pytest.mark.parametrize("name", [c.name for c in capabilities().values() if c.counted_per == "disk"])
def test_shares_of_the_sample_agree_with_its_truth(sample, name):
    facts, truth = sample
    column = f"{name}@{facts['edition'][:4]}"
    counts = Counter(row[column] for row in truth)
    found = facts["capabilities"][name]["disks"]
    assert {value: found[value] for value in ANSWERS} == {value: counts[value] for value in ANSWERS}
    asked = counts["yes"] + counts["no"] + counts["unknown"]
    assert found["share_low"] == pytest.approx(counts["yes"] / asked, abs=1e-6)
    assert found["share_high"] == pytest.approx((counts["yes"] + counts["unknown"]) / asked, abs=1e-6)


def test_conflicts_of_the_sample_agree_with_its_truth(sample):
    facts, truth = sample
    assert facts["conflicts"] == sum(bool(row["conflict"]) for row in truth)


def test_every_row_of_the_sample_is_in_the_ledger(sample):
    facts, _ = sample
    ledger = facts["ledger"]
    files = sample_path().glob("*.jsonl")
    lines = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files)
    assert ledger["rows_read"] == lines == ledger["rows_used"] + ledger["rows_set_aside"]


@pytest.fixture(scope="module")
def keys(reported):
    facts, truth = reported
    return facts["key_ownership"], truth


@pytest.mark.parametrize("columns", [("key_owner", "key_store"), ("key_owner", "hsm")])
def test_owners_and_stores_of_the_sample_agree_with_its_truth(keys, columns):
    facts, truth = keys
    found = Counter()
    for row in facts["key_owners"]:
        found[tuple(row[name] for name in columns)] += row["disks"]
    year = {"hsm": "hsm@2026"}
    assert found == Counter(tuple(row[year.get(name, name)] for name in columns) for row in truth)


def test_every_sample_disk_has_its_links(keys):
    facts, truth = keys
    found = Counter()
    for row in facts["links"]:
        found[row["layer"]] += row["disks"]
    # One each for storage encryption; one more where a disk is, or may be, under another layer with keys.
    assert found["sse"] == len(truth)
    assert found["ade"] == sum(row["ade"] in ("on", "unknown") for row in truth)
    assert found["confidential"] == sum(row["confidential"] in ("platform", "customer") for row in truth)


def test_broken_rules_of_the_sample_are_those_that_were_built_in(keys):
    facts, _ = keys
    broken = {rule: results["fail"] for rule, results in facts["checks"].items() if results["fail"]}
    # Built in: one key expired on 2026-09-30; two subscriptions whose keys expire within 90 days (five
    # of them behind sets in use); a vault without purge protection; a set whose rotation failed, one whose
    # rotation is under way, one of another type; a vault that is not enabled for ADE, with two keys;
    # and five sets that do not rotate.
    assert broken == {
        "key_expired": 1,
        "key_expires_soon": 5,
        "purge_protection": 1,
        "rotation_error": 1,
        "previous_keys": 1,
        "set_type": 1,
        "ade_access": 2,
        "auto_rotation": 5,
    }


def test_the_plan_of_the_sample_agrees_with_its_truth(reported):
    facts, truth = reported
    plan = facts["ade_migration"]["plan"]
    # One disk under it is loose, two are snapshots; 47 more are held by its 33 VMs, of which two have it on
    # data disks alone: their OS disks are copied too, for the new VM stands on one.
    on = Counter((row["kind"], row["attachment"]) for row in truth if row["ade"] == "on")
    assert on == {
        ("managed_disk", "attached"): 47,
        ("managed_disk", "unattached"): 1,
        ("snapshot", "unattached"): 2,
    }
    counted = Counter()
    for row in plan:
        if row["state"] == "on":
            counted[row["kind"]] += row["disks"]
    assert counted == {"vm": 47 + 2, "disk": 1, "snapshot": 2}
    assert (
        facts["ade_migration"]["left"] == sum(wave["vms"] for wave in facts["ade_migration"]["waves"]) == 33
    )
