"""Coverage at its edges: nothing to judge, and what reading less leaves the same."""

from __future__ import annotations

import narwhals as nw
import pytest

import diskenc_analysis as de
from diskenc_analysis import editions, summary
from diskenc_analysis.coverage import COLUMNS
from diskenc_analysis.errors import ParameterError, UnknownNameError
from tests.rules import HOST, disk, judged, records, vault, vm, write


@pytest.mark.parametrize("engine", ["duckdb", "pandas", "polars", "arrow"])
def test_an_inventory_without_disks_gives_no_rows(engine, tmp_path):
    cov = de.coverage(de.load(write(tmp_path, [vault("kv")]), engine=engine))
    assert tuple(nw.from_native(cov).columns) == COLUMNS
    assert records(cov) == []
    assert records(de.summarize(cov, capability="caches")) == []


@pytest.mark.parametrize("engine", ["duckdb", "pandas", "polars", "arrow"])
@pytest.mark.parametrize("objects", [[disk("alone")], [vm("alone")]], ids=["a disk", "a VM"])
def test_one_object_is_enough(objects, engine, tmp_path):
    [row] = records(de.coverage(de.load(write(tmp_path, objects), engine=engine)))
    assert row["at_rest"] == "yes"


def test_reading_only_what_verdicts_rest_on_changes_none():
    whole, part = (de.load(de.sample_path(), engine="duckdb", verdict_only=only) for only in (False, True))
    rows = [sorted(map(str, de.coverage(inv).fetchall())) for inv in (whole, part)]
    assert rows[0] == rows[1]
    assert len(rows[0]) == 400


@pytest.mark.parametrize("engine", ["duckdb", "pandas", "polars", "arrow"])
def test_a_few_columns_are_those_of_all(engine):
    inv = de.load(de.sample_path(), engine=engine)
    wanted = ("name", "subscription_name", "kind", "gib", "temp_disk", "evidence")
    whole = de.coverage(inv)
    few, fewer = de.coverage(inv, columns=wanted), de.coverage(inv, columns=("name", "evidence"))
    assert len(records(fewer)) == 400  # and what was handed out before stays as it was
    assert tuple(nw.from_native(few).columns) == wanted
    kept = [{name: row[name] for name in wanted} for row in records(whole)]
    assert sorted(map(str, records(few))) == sorted(map(str, kept))


def test_a_column_that_there_is_not_is_refused():
    with pytest.raises(UnknownNameError, match="temp_disk"):
        de.coverage(de.load(de.sample_path(), engine="duckdb"), columns=("temp_disc",))


def test_columns_that_no_frame_can_have_are_refused_and_leave_what_was_handed_out():
    inv = de.load(de.sample_path(), engine="duckdb")
    whole = de.coverage(inv)
    for columns in ((), ("name", "gib", "name")):
        with pytest.raises(ParameterError, match=r"each once, got \["):
            de.coverage(inv, columns=columns)
    assert tuple(nw.from_native(de.coverage(inv, columns="gib")).columns) == ("gib",)
    assert len(records(whole)) == 400


def test_a_sum_reads_the_columns_that_it_names():
    inv = de.load(de.sample_path(), engine="duckdb")
    whole = de.coverage(inv).to_df()
    for by, weight in [
        ("subscription_name", None),
        ("tag:env", "gib"),
        (None, "vms"),
        ("key_owner", "disks"),
    ]:
        few = de.coverage(inv, columns=summary.needed(by, None)).to_df()
        assert list(few.columns) == list(summary.needed(by, None))
        sums = [records(de.summarize(frame, by, None, weight)) for frame in (few, whole)]
        assert sums[0] == sums[1]


@pytest.fixture
def changed(tmp_path_factory, monkeypatch):
    """Give a function that has the kit read one of its data files with one text in place of another."""
    original = editions.data_file

    def change(name, old, new):
        text = original(name).read_text(encoding="utf-8")
        assert text.count(old) == 1
        copy = tmp_path_factory.mktemp("data") / name
        copy.write_text(text.replace(old, new), encoding="utf-8")
        monkeypatch.setattr(editions, "data_file", lambda n: copy if n == name else original(n))
        _forget()

    yield change
    monkeypatch.undo()
    _forget()


def _forget():
    for function in vars(editions).values():
        if hasattr(function, "cache_clear"):
            function.cache_clear()


def _judged(folder, capability, edition, **of_disk):
    objects = [vm("on", security=HOST), disk("on-os", "on", **of_disk), vm("off"), disk("off-os", "off")]
    rows = judged(folder, *objects, edition=edition)
    return {name: rows[name][capability] for name in ("on-os", "off-os")}


def test_a_changed_cell_changes_the_verdict_without_code(tmp_path, changed):
    cell = "2026-04-02,enhanced_key_protection,host,no,"
    changed("encryption_matrix.csv", cell, cell.replace(",no,", ",yes,"))
    found = [_judged(tmp_path / e, "enhanced_key_protection", e) for e in ("latest", "2023-05-15")]
    assert found == [{"on-os": "yes", "off-os": "no"}, {"on-os": "no", "off-os": "no"}]


def test_a_condition_on_a_cell_of_the_vm_is_asked(tmp_path, changed):
    cell = "2026-04-02,defender_status,host,Healthy,,table"
    changed("encryption_matrix.csv", cell, cell.replace(",,", ",vm_size_v5_plus,"))
    # The size is older than version 5.
    assert _judged(tmp_path, "defender_status", "latest") == {"on-os": "Unhealthy", "off-os": "Unhealthy"}


def test_where_a_question_does_not_arise_is_data(tmp_path, changed):
    before = _judged(tmp_path / "before", "caches", "2023-05-15", sku="UltraSSD_LRS")
    changed("capabilities.csv", "|no_host_cache", "")
    after = _judged(tmp_path / "after", "caches", "2023-05-15", sku="UltraSSD_LRS")
    assert (before["on-os"], after["on-os"]) == ("not_applicable", "yes")


def test_the_cell_as_published(tmp_path):
    assert _judged(tmp_path, "enhanced_key_protection", "latest") == {"on-os": "no", "off-os": "no"}
