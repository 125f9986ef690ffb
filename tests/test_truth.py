"""Made-up tenants against the truth that was written down for each of their disks."""

from __future__ import annotations

import csv
from collections import Counter

import pytest

import diskenc_analysis as de
from diskenc_analysis.sample import TRUTH, generate
from diskenc_analysis.share import sample_path
from tests.rules import CAPABILITIES, YEARS, records, sample_coverage

FACTS = (
    *("kind", "role", "attachment", "sse", "host", "ade", "confidential", "method", "key_owner"),
    *("key_store", "temp_disk_key_owner"),
)


@pytest.fixture(scope="module", params=["bundled", "generated"])
def tenant(request, tmp_path_factory):
    """Give a tenant's truth by disk id, its coverage by year, and how many disks were asked for."""
    if request.param == "bundled":
        folder, disks, covered = sample_path(), 400, sample_coverage("duckdb")
    else:
        folder, disks = generate(tmp_path_factory.mktemp("tenant"), disks=3000, seed=20261124), 3000
        inv = de.load(folder, engine="duckdb")
        covered = {edition: de.coverage(inv, edition=edition) for edition in YEARS.values()}
    with (folder / TRUTH).open(encoding="utf-8", newline="") as file:
        truth = {row["disk_id"].lower(): row for row in csv.DictReader(file)}
    found = {year: records(covered[edition]) for year, edition in YEARS.items()}
    assert [len(rows) for rows in found.values()] == [disks, disks]
    return truth, {year: {row["disk_id"].lower(): row for row in rows} for year, rows in found.items()}, disks


def wrong(truth, found, column, value_of):
    """List the cases in which a column is not as the truth has it, by kind of disk, and count them."""
    differing: Counter = Counter()
    for disk_id, row in truth.items():
        got = value_of(found[disk_id])
        if got != row[column]:
            differing[f"{row['kind_label']}: expected {row[column]!r}, got {got!r}"] += 1
    return dict(differing)


def test_every_disk_has_one_row(tenant):
    truth, found, disks = tenant
    assert len(truth) == disks
    for rows in found.values():
        assert set(rows) == set(truth)


@pytest.mark.parametrize("column", FACTS)
def test_facts_are_as_the_truth_has_them(tenant, column):
    truth, found, disks = tenant
    differing = wrong(truth, found["2026"], column, lambda row: row[column])
    assert differing == {}, f"{sum(differing.values())} of {disks} cases differ in {column}"


@pytest.mark.parametrize("year", YEARS)
@pytest.mark.parametrize("capability", CAPABILITIES)
def test_verdicts_are_as_the_truth_has_them(tenant, capability, year):
    truth, found, disks = tenant
    differing = wrong(truth, found[year], f"{capability}@{year}", lambda row: row[capability])
    assert differing == {}, f"{sum(differing.values())} of {disks} cases differ in {capability} of {year}"


@pytest.mark.parametrize("year", YEARS)
def test_conflicts_are_named_where_the_truth_has_one(tenant, year):
    truth, found, disks = tenant
    differing: Counter = Counter()
    for disk_id, row in truth.items():
        conflicts = found[year][disk_id]["conflicts"]
        if bool(row["conflict"]) != bool(conflicts):
            differing[f"{row['kind_label']}: truth {row['conflict']!r}, conflicts {conflicts!r}"] += 1
    assert dict(differing) == {}, f"{sum(differing.values())} of {disks} cases differ in conflicts"


def test_every_column_of_the_truth_is_asked_for(tenant):
    truth, _, _ = tenant
    columns = {name.partition("@")[0] for name in next(iter(truth.values()))}
    assert columns == {*FACTS, *CAPABILITIES, "disk_id", "kind_label", "conflict"}
