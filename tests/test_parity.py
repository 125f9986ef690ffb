"""One code path over several engines: the sample gives the same rows through each of them."""

from __future__ import annotations

import pytest

import diskenc_analysis as de
from tests.rules import LATEST, SEED, records, sample_coverage, write
from tests.test_properties import entra, world

ENGINES = ("pandas", "duckdb", "polars", "arrow")
BY = ["subscription_name", "method"]


def in_order(rows):
    return sorted(rows, key=lambda row: [str(value) for value in row.values()])


@pytest.fixture(scope="module")
def covered():
    return {
        (engine, edition): frame for engine in ENGINES for edition, frame in sample_coverage(engine).items()
    }


@pytest.fixture(scope="module")
def rows(covered):
    return {key: in_order(records(frame)) for key, frame in covered.items()}


@pytest.mark.parametrize("edition", [SEED, LATEST])
@pytest.mark.parametrize("engine", ENGINES[1:])
def test_coverage_is_the_same(rows, engine, edition):
    one, other = rows["pandas", edition], rows[engine, edition]
    differing = [(a, b) for a, b in zip(one, other, strict=True) if a != b]
    assert len(one) == 400
    assert differing == []


def test_contradictions_and_gaps_are_judged_the_same(tmp_path):
    """Many rules are tried on one engine alone; here are most ways for objects to speak of each other."""
    folder = write(tmp_path, [*world(), *entra()])
    judged, checked = {}, {}
    for engine in ENGINES:
        inv = de.load(folder, engine=engine)
        judged[engine] = in_order(records(de.coverage(inv)))
        checked[engine] = in_order(records(de.key_checks(inv, as_of="2026-11-24")))
    for engine in ENGINES[1:]:
        assert judged[engine] == judged["pandas"]
        assert checked[engine] == checked["pandas"]
    assert any(row["conflicts"] for row in judged["pandas"])


@pytest.mark.parametrize("engine", ENGINES[1:])
def test_columns_stand_in_the_same_order(rows, engine):
    assert list(rows[engine, LATEST][0]) == list(rows["pandas", LATEST][0])


@pytest.mark.parametrize("capability", ["temp_disk", "customer_keys"])
@pytest.mark.parametrize("engine", ENGINES[1:])
def test_summary_is_the_same(covered, engine, capability):
    frames = [covered[name, LATEST] for name in ("pandas", engine)]
    summaries = [in_order(records(de.summarize(frame, capability=capability))) for frame in frames]
    assert summaries[0] == summaries[1]
    assert len(summaries[0]) == 6


@pytest.mark.parametrize("engine", ENGINES)
def test_sizes_are_groups_of_the_same_name(covered, engine):
    found = records(de.summarize(covered[engine, LATEST], by="gib", capability="at_rest"))
    assert {"64", "128", "1024"} <= {row["gib"] for row in found}
    assert not [row for row in found if "." in row["gib"]]


@pytest.mark.parametrize("engine", ENGINES[1:])
def test_tally_is_the_same(covered, engine):
    tallies = [in_order(records(de.tally(covered[name, LATEST], by=BY))) for name in ("pandas", engine)]
    assert tallies[0] == tallies[1]
    assert sum(row["disks"] for row in tallies[0]) == 400


@pytest.fixture(scope="module")
def of_keys():
    """The frames about keys through each engine, as sorted rows."""
    found = {}
    for engine in ENGINES:
        inv = de.load(de.sample_path(), engine=engine)
        own = de.key_ownership(inv, as_of="2026-11-24")
        made = {"own": own, "custody": de.custody(inv, own, as_of="2026-11-24")}
        made |= {"checks": de.key_checks(inv, own, as_of="2026-11-24"), "points": de.single_points(inv, own)}
        made |= {"copies": de.copied_keys(inv)}
        found[engine] = {name: in_order(records(frame)) for name, frame in made.items()}
    return found


@pytest.mark.parametrize("name", ["own", "custody", "checks", "points", "copies"])
@pytest.mark.parametrize("engine", ENGINES[1:])
def test_frames_about_keys_are_the_same(of_keys, engine, name):
    assert of_keys[engine][name] == of_keys["pandas"][name]
    assert of_keys[engine][name]


@pytest.mark.parametrize("engine", ENGINES)
def test_frames_are_of_the_engine(covered, engine):
    modules = {cls.__module__ for cls in type(covered[engine, LATEST]).__mro__}
    assert any(engine in module for module in modules)
