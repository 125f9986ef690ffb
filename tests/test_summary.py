"""Shares, their bounds, weights and groups, worked out by hand (RULES C3, C12)."""

from __future__ import annotations

import json

import narwhals as nw
import pandas as pd
import pytest

import diskenc_analysis as de
from diskenc_analysis.errors import ParameterError, UnknownNameError

_VM1, _VM2, _VM3 = (f"/subscriptions/s/VMs/{n}" for n in (1, 2, 3))


def _row(sub, caches, temp, gib, vm=None, tags=None, kind="managed_disk", defender="unknown"):
    names = ("subscription_name", "caches", "temp_disk", "gib", "vm_id", "tags", "kind", "defender_status")
    row = dict(zip(names, (sub, caches, temp, gib, vm, json.dumps(tags), kind, defender), strict=True))
    return row | {"attachment": "unattached" if kind == "snapshot" else "attached" if vm else "unknown"}


ROWS = [
    _row("a", "yes", "yes", 10.0, _VM1, {"env": "prod"}, defender="Healthy"),
    _row("a", "no", "yes", 30.0, _VM1.upper(), {"ENV": "prod"}, defender="Healthy"),
    _row("a", "unknown", "no", 20.0, _VM2, {"env": 'te"st\\'}, defender="Unhealthy"),
    _row("b", "not_applicable", "not_applicable", 5.0, _VM3, {"x": "env"}, defender="NotApplicable"),
    _row("b", "unknown", "unknown", None, None, {"a.c*(": "v"}),  # attached or not: no VM is known
    _row("b", "not_applicable", "not_applicable", 7.0, None, {}, "snapshot", "NotApplicable"),
]
_NUMBERS = ("yes", "no", "not_applicable", "unknown", "total", "share", "share_low", "share_high")


def _frames():
    import duckdb
    import polars as pl

    frame = pd.DataFrame(ROWS).convert_dtypes(dtype_backend="pyarrow")
    return {
        "pandas": frame,
        "polars": pl.DataFrame(ROWS),
        "arrow": pl.DataFrame(ROWS).to_arrow(),
        "duckdb": duckdb.from_arrow(pl.DataFrame(ROWS).to_arrow()),
    }


@pytest.fixture(params=["pandas", "polars", "arrow", "duckdb"])
def cov(request):
    return _frames()[request.param]


def _collect(frame) -> list[dict]:
    return nw.from_native(frame).lazy().collect("pyarrow").to_native().to_pylist()


def _by(frame, group: str) -> dict[str, tuple]:
    return {row[group]: tuple(row[n] for n in _NUMBERS) for row in _collect(frame)}


def test_shares_have_bounds(cov):
    [row] = _collect(de.summarize(cov, by=None, capability="caches"))
    # One yes, one no, two unknown, two to which it does not apply.
    assert tuple(row[n] for n in _NUMBERS) == (1, 1, 2, 2, 6, 0.5, 0.25, 0.75)


def test_gib_weighs_by_size_and_an_unknown_size_as_none(cov):
    [row] = _collect(de.summarize(cov, by=None, capability="caches", weight="gib"))
    assert tuple(row[n] for n in _NUMBERS) == (10, 30, 12, 20, 72, 0.25, 10 / 60, 30 / 60)


def test_facts_of_the_vm_are_counted_once_per_vm(cov):
    found = _by(de.summarize(cov, capability="temp_disk"), "subscription_name")
    # VM 1 has two disks, spelt in two cases; a disk whose VM is unknown stands for one, a snapshot for none.
    assert found == {
        "a": (1, 1, 0, 0, 2, 0.5, 0.5, 0.5),
        "b": (0, 0, 1, 1, 2, None, 0.0, 1.0),
    }


def test_defender_words_are_counted_as_yes_and_no(cov):
    [row] = _collect(de.summarize(cov, by=None, capability="defender_status"))
    assert tuple(row[n] for n in _NUMBERS) == (1, 1, 1, 1, 4, 0.5, 1 / 3, 2 / 3)


def test_tags_are_read_without_regard_to_case_and_never_as_a_pattern(cov):
    found = _by(de.summarize(cov, by="tag:Env", capability="caches"), "tag:Env")
    assert {name: row[4] for name, row in found.items()} == {"prod": 2, 'te"st\\': 1, "(no tag)": 3}
    found = _by(de.summarize(cov, by="tag:a.c*(", capability="caches"), "tag:a.c*(")
    assert {name: row[4] for name, row in found.items()} == {"v": 1, "(no tag)": 5}


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"by": "subscription"}, UnknownNameError, 'Did you mean "subscription_name"'),
        ({"capability": "cache"}, UnknownNameError, 'Did you mean "caches"'),
        ({"weight": "GiB"}, UnknownNameError, "disks, gib, vms"),
        ({"capability": "temp_disk", "weight": "gib"}, ParameterError, "a fact of the VM"),
    ],
)
def test_mistakes_name_the_near_miss(arguments, error, said):
    with pytest.raises(error, match=said):
        de.summarize(_frames()["pandas"], **arguments)


def _summed(rows: list[dict], **given) -> list[tuple]:
    frame = pd.DataFrame(rows).convert_dtypes(dtype_backend="pyarrow")
    return [tuple(row[n] for n in _NUMBERS[:5]) for row in _collect(de.summarize(frame, by=None, **given))]


def test_a_shared_disk_makes_no_vm_worse_than_it_is():
    # VM 2 has an open temp disk; the disk that it shares with VM 1 has taken the worst, and names VM 1.
    rows = [
        _row("a", "yes", "yes", 1.0, _VM1, defender="Healthy"),
        _row("a", "no", "no", 1.0, _VM1, defender="Unhealthy"),
        _row("a", "no", "no", 1.0, _VM2, defender="Unhealthy"),
    ]
    assert _summed(rows, capability="temp_disk") == [(1, 1, 0, 0, 2)]
    assert _summed(rows, capability="defender_status") == [(1, 1, 0, 0, 2)]


def test_of_the_disks_of_a_vm_the_worst_counts_and_what_does_not_apply_hides_none():
    rows = [
        *[_row("a", caches, "yes", 1.0, _VM1) for caches in ("not_applicable", "yes")],
        *[_row("a", caches, "yes", 1.0, _VM2) for caches in ("yes", "unknown", "not_applicable")],
        *[_row("a", caches, "yes", 1.0, _VM3) for caches in ("unknown", "no")],
        _row("a", "unknown", "not_applicable", 1.0, None, kind="snapshot"),  # of no VM
    ]
    assert _summed(rows, capability="caches", weight="vms") == [(1, 1, 0, 1, 3)]


def test_a_vm_of_unmanaged_disks_is_counted_outside_of_the_matrix():
    rows = [
        _row("a", "not_applicable", "not_applicable", 1.0, _VM1, kind="unmanaged_disk"),
        _row("a", "no", "no", 1.0, _VM2),
        _row("a", "not_applicable", "not_applicable", 1.0, _VM2, kind="unmanaged_disk"),
    ]
    assert _summed(rows, capability="temp_disk") == [(0, 1, 1, 0, 2)]


def test_a_vm_that_was_not_read_is_one_in_every_spelling():
    spelt = (_VM1, _VM1.upper() + "/", _VM1[1:])
    rows = [_row("a", "unknown", "unknown", 1.0, vm) for vm in spelt]
    assert _summed(rows, capability="temp_disk") == [(0, 0, 0, 1, 1)]


def test_a_group_without_vms_is_shown_with_none(cov):
    found = _by(de.summarize(cov, by="kind", capability="temp_disk"), "kind")
    assert found["snapshot"] == (0, 0, 0, 0, 0, None, None, None)


@pytest.mark.parametrize(
    ("by", "weight", "groups"),
    [("caches", "disks", 4), ("caches", "vms", 4), ("gib", "gib", 6), ("vm_id", "vms", 5)],
)
def test_any_column_may_be_the_group(cov, by, weight, groups):
    assert len(_collect(de.summarize(cov, by=by, capability="caches", weight=weight))) == groups


def test_tally_counts_disks_and_gib(cov):
    assert _collect(de.tally(cov, by=["subscription_name"])) == [
        {"subscription_name": "a", "disks": 3, "gib": 60.0},
        {"subscription_name": "b", "disks": 3, "gib": 12.0},
    ]


def test_nothing_gives_no_shares():
    empty = _frames()["pandas"].head(0)
    assert _collect(de.summarize(empty, capability="caches")) == []
    [row] = _collect(de.summarize(empty, by=None, capability="caches"))
    assert tuple(row[n] for n in _NUMBERS) == (0, 0, 0, 0, 0, None, None, None)
    assert _collect(de.tally(empty, by=["subscription_name"])) == []


def test_what_is_mistaken_for_a_coverage_or_an_inventory_is_said_kindly():
    inv = de.load(de.sample_path(), engine="polars")
    with pytest.raises(ParameterError, match=r"expected an inventory, got str: inv = de\.load"):
        de.coverage("exports/")
    for ask in (de.summarize, lambda found: de.tally(found, by=["method"])):
        with pytest.raises(ParameterError, match=r"de\.coverage\(inv\) gives, got Inventory"):
            ask(inv)
    with pytest.raises(ParameterError, match=r"one column to group by.*de\.tally"):
        de.summarize(pd.DataFrame(ROWS), by=["subscription_name", "kind"])
    with pytest.raises(UnknownNameError, match="tag:NAME"):
        de.summarize(pd.DataFrame(ROWS), by="environment")


def test_a_tally_takes_one_column_by_its_name():
    assert de.tally(pd.DataFrame(ROWS), by="kind")["disks"].tolist() == [5, 1]
