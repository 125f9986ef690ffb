"""Findings: each rule seeded, and none besides."""

from __future__ import annotations

import narwhals as nw
import pytest

import diskenc_analysis as de
from tests.rules import (
    HOST,
    cmk,
    disk,
    disk_id,
    instance,
    instance_id,
    listed,
    scale_set,
    set_id,
    snapshot,
    stores,
    vm,
    write,
)


def _snapshot(name: str, of: str, **given):
    return snapshot(
        name, creationData={"createOption": "Copy", "sourceResourceId": disk_id(of).upper()}, **given
    )


def _objects():
    customer, both = cmk("standard"), cmk("double", double=True)
    vhd = listed(None) | {
        "name": "vhd-os",
        "vhd": {"uri": "https://account.blob.core.windows.net/vhds/os.vhd"},
    }
    return [
        *stores(),
        disk("cmk", encryption=customer),
        disk("pmk"),
        disk("old", encryption=None),
        _snapshot("weaker", "cmk"),
        _snapshot("same", "cmk", encryption=customer),
        _snapshot("stronger", "pmk", encryption=both),
        _snapshot("of-old", "old"),
        _snapshot("of-gone", "gone"),
        _snapshot("strongest-of-gone", "gone", encryption=both),
        _snapshot("unread", "cmk", encryption=None),
        disk("other-set", encryption=cmk("premium-hsm")),
        _snapshot("part", "cmk", encryption=customer, incremental=True),
        _snapshot("part-other", "other-set", encryption=customer, incremental=True),
        _snapshot("whole-other", "other-set", encryption=customer, incremental=False),
        _snapshot("part-none", "cmk", incremental=True),
        _snapshot("part-of-gone", "gone", encryption=both, incremental=True),
        vm("vhd", os_disk=vhd),
        scale_set("set", security=HOST),
        instance("set", 0),
        disk("set_0-os", instance_id("set", 0), system="Windows"),
        instance("set", 1, security=HOST),
        disk("set_1-os", instance_id("set", 1), system="Windows"),
        disk("differs", encryption=cmk("double")),
    ]


@pytest.mark.parametrize("engine", ["duckdb", "pandas", "polars", "arrow"])
def test_every_seeded_finding_is_named_and_no_other(engine, tmp_path):
    inv = de.load(write(tmp_path, _objects()), engine=engine)
    found = nw.from_native(de.findings(inv)).lazy().collect()
    assert sorted(zip(found["rule_id"].to_list(), found["name"].to_list(), strict=True)) == [
        ("contradiction", "differs"),  # the disk says one key, its set gives both
        ("host_model_differs", "set_0-os"),
        ("snapshot_key_unread", "of-gone"),
        ("snapshot_key_unread", "of-old"),
        ("snapshot_key_unread", "unread"),
        ("snapshot_set_differs", "part-none"),
        ("snapshot_set_differs", "part-other"),  # a full snapshot may be under any set
        ("snapshot_weaker", "part-none"),
        ("snapshot_weaker", "weaker"),
        ("unmanaged_disk", "vhd-os"),
    ]


def test_evidence_says_what_was_compared(tmp_path):
    found = de.findings(de.load(write(tmp_path, _objects())))
    weaker = found.loc[found["rule_id"] == "snapshot_weaker"].set_index("name")
    text = weaker.loc["weaker", "evidence"]
    assert text == "storage encryption of the snapshot: platform; of its disk: customer"
    sets = found.loc[found["rule_id"] == "snapshot_set_differs"].set_index("name")
    named = [set_id(name).lower() for name in ("standard", "premium-hsm")]
    assert sets.loc["part-other", "evidence"] == (
        f"set of the incremental snapshot: {named[0]}; of its disk: {named[1]}"
    )
    assert sets.loc["part-none", "evidence"].startswith(
        "set of the incremental snapshot: none; of its disk: /"
    )
