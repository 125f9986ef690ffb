"""Coverage at its edges: nothing to judge, and what reading less leaves the same."""

from __future__ import annotations

import pytest

import diskenc_analysis as de
from diskenc_analysis import editions
from diskenc_analysis.coverage import COLUMNS
from tests.rules import HOST, disk, judged, records, vault, vm, write


@pytest.mark.parametrize("engine", ["duckdb", "pandas", "polars"])
def test_an_inventory_without_disks_gives_no_rows(engine, tmp_path):
    cov = de.coverage(de.load(write(tmp_path, [vault("kv")]), engine=engine))
    assert tuple(cov.columns) == COLUMNS
    assert records(cov) == []
    assert records(de.summarize(cov, capability="caches")) == []


@pytest.mark.parametrize("engine", ["duckdb", "pandas", "polars"])
@pytest.mark.parametrize("objects", [[disk("alone")], [vm("alone")]], ids=["a disk", "a VM"])
def test_one_object_is_enough(objects, engine, tmp_path):
    [row] = records(de.coverage(de.load(write(tmp_path, objects), engine=engine)))
    assert row["at_rest"] == "yes"


def test_reading_only_what_verdicts_rest_on_changes_none():
    whole, part = (de.load(de.sample_path(), engine="duckdb", verdict_only=only) for only in (False, True))
    rows = [sorted(map(str, de.coverage(inv).fetchall())) for inv in (whole, part)]
    assert rows[0] == rows[1]
    assert len(rows[0]) == 400


@pytest.fixture
def changed_matrix(tmp_path, monkeypatch):
    """Give the kit a matrix in which one cell of the newest edition is another one."""
    text = editions.data_file("encryption_matrix.csv").read_text(encoding="utf-8")
    cell = "2026-04-02,enhanced_key_protection,host,no,"
    assert text.count(cell) == 1
    copy = tmp_path / "encryption_matrix.csv"
    copy.write_text(text.replace(cell, cell.replace(",no,", ",yes,")), encoding="utf-8")
    original = editions.data_file
    monkeypatch.setattr(editions, "data_file", lambda name: copy if name == copy.name else original(name))
    _forget()
    yield
    monkeypatch.undo()
    _forget()


def _forget():
    for function in vars(editions).values():
        if hasattr(function, "cache_clear"):
            function.cache_clear()


def _protected(folder, edition):
    objects = [vm("on", security=HOST), disk("on-os", "on"), vm("off"), disk("off-os", "off")]
    rows = judged(folder, *objects, edition=edition)
    return {name: rows[name]["enhanced_key_protection"] for name in ("on-os", "off-os")}


@pytest.mark.usefixtures("changed_matrix")
def test_a_changed_cell_changes_the_verdict_without_code(tmp_path):
    assert _protected(tmp_path / "new", "latest") == {"on-os": "yes", "off-os": "no"}
    assert _protected(tmp_path / "seed", "2023-05-15") == {"on-os": "no", "off-os": "no"}


def test_the_cell_as_published(tmp_path):
    assert _protected(tmp_path, "latest") == {"on-os": "no", "off-os": "no"}
