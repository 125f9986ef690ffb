"""Coverage at its edges: nothing to judge, and what reading less leaves the same."""

from __future__ import annotations

import pytest

import diskenc_analysis as de
from diskenc_analysis.coverage import COLUMNS
from tests.rules import disk, records, vault, vm, write


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
