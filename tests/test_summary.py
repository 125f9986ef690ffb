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
    return dict(zip(names, (sub, caches, temp, gib, vm, json.dumps(tags), kind, defender), strict=True))


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
        "duckdb": duckdb.from_arrow(pl.DataFrame(ROWS).to_arrow()),
    }


@pytest.fixture(params=["pandas", "polars", "duckdb"])
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


def test_tally_counts_disks_and_gib(cov):
    assert _collect(de.tally(cov, by=["subscription_name"])) == [
        {"subscription_name": "a", "disks": 3, "gib": 60.0},
        {"subscription_name": "b", "disks": 3, "gib": 12.0},
    ]


def test_nothing_gives_no_shares():
    empty = _frames()["pandas"].head(0)
    assert _collect(de.summarize(empty, capability="caches")) == []
    assert _collect(de.tally(empty, by=["subscription_name"])) == []
