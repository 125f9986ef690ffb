from __future__ import annotations

import json
from pathlib import Path

import pytest

from diskenc_analysis.exports import load
from tests.exported import (
    COMPUTE,
    DIRECT,
    PATHS,
    SET_ID,
    by_name,
    counts,
    disk,
    disk_id,
    read_text,
    records,
    save,
    stub,
    subset,
    vm,
)

DISKS = "microsoft.compute/disks"
OLD, NEW = "2026-01-31", "2026-02-01"


@pytest.fixture
def captured(tmp_path):
    """Load rows by the file that holds them, and give the disk `d` with the ledger's reasons by file."""

    def load_them(*files, order=slice(None)):
        paths = [save(tmp_path / name, json.dumps(rows)) for name, rows in files]
        inv = load(paths[order], engine="duckdb")
        ledger = records(inv, "ledger")
        reasons = {Path(r["source"]).relative_to(tmp_path).as_posix(): r["reasons"] for r in ledger}
        assert sum(r["rows_read"] for r in ledger) == sum(len(rows) for _, rows in files)
        assert sum(r["rows_used"] for r in ledger) == inv.count("disks")
        return by_name(inv, "disks")["d"], reasons

    return load_them


@pytest.mark.parametrize("size", PATHS)
def test_the_same_row_twice_is_a_duplicate(tmp_path, size):
    inv = read_text(tmp_path, [disk("d"), disk("e"), disk("d"), disk("d")], size)
    assert counts(inv) == {DISKS: (4, 2, 2, "2 duplicate")}
    assert {name: row["doubt"] for name, row in by_name(inv, "disks").items()} == {"d": None, "e": None}


def test_the_same_row_in_two_files_counts_where_it_was_read_first(captured):
    row, reasons = captured(("a.json", [disk("d")]), ("b.json", [disk("d"), disk("e")]))
    assert reasons == {"a.json": "", "b.json": "1 duplicate"}
    assert (row["source"], row["doubt"]) == (0, None)


def test_ids_that_differ_in_letter_case_are_one(captured):
    shouted = disk("d") | {"id": disk_id("d").upper()}
    row, reasons = captured(("a.json", [disk("d")]), ("b.json", [shouted]))
    assert reasons == {"a.json": "", "b.json": "1 duplicate"}
    assert (row["id"], row["doubt"]) == (disk_id("d"), None)


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)], ids=["stub last", "stub first"])
def test_a_full_reply_stays_before_a_stub(captured, order):
    row, reasons = captured(("full.json", [disk("d")]), ("resources.json", [stub("d")]), order=order)
    assert reasons == {"full.json": "", "resources.json": "1 stub of a row that was read"}
    assert (row["size_gb"], row["doubt"]) == (64.0, None)


def test_a_full_reply_stays_before_a_stub_whatever_else_they_say(tmp_path):
    names = [f"disk-{n}" for n in range(12)]
    inv = read_text(tmp_path, [row(name) for name in names for row in (stub, disk)])
    assert {name: row["doubt"] for name, row in by_name(inv, "disks").items()} == dict.fromkeys(names)
    assert counts(inv) == {DISKS: (24, 12, 12, "12 stub of a row that was read")}


def test_two_stubs_are_one_stub(captured):
    row, reasons = captured(("a.json", [stub("d"), stub("d")]))
    assert (reasons, row["doubt"]) == ({"a.json": "1 duplicate"}, "*: no properties")


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)], ids=["old first", "new first"])
def test_the_newest_capture_is_used(captured, order):
    row, reasons = captured(
        (f"{OLD}/disks.json", [disk("d", diskState="Attached", diskSizeGB=32)]),
        (f"{NEW}/disks.json", [disk("d", diskState="Reserved")]),
        order=order,
    )
    assert reasons == {f"{OLD}/disks.json": "1 older capture", f"{NEW}/disks.json": ""}
    assert (row["disk_state"], row["size_gb"], row["doubt"]) == ("Reserved", 64.0, None)


def test_an_older_capture_that_says_the_same_is_a_duplicate(captured):
    row, reasons = captured((f"{OLD}/disks.json", [disk("d")]), (f"{NEW}/disks.json", [disk("d")]))
    assert reasons == {f"{OLD}/disks.json": "1 duplicate", f"{NEW}/disks.json": ""}
    assert row["doubt"] is None


@pytest.mark.parametrize(
    ("first", "second"),
    [("a.json", "b.json"), (f"{OLD}/a.json", f"{OLD}/b.json"), (f"{OLD}/a.json", "b.json")],
    ids=["no dates", "same date", "one date"],
)
def test_captures_of_no_known_order_put_what_differs_in_doubt(captured, first, second):
    row, reasons = captured(
        (first, [disk("d", diskState="Attached", encryption={"type": "EncryptionAtRestWithCustomerKey"})]),
        (second, [disk("d", diskState="Reserved")]),
    )
    assert row["doubt"] == "disk_state: captures differ; encryption_type: captures differ"
    assert sorted(reasons.values()) == ["", "1 other capture, order not known"]


def test_a_value_beside_none_differs(captured):
    named = {"type": "EncryptionAtRestWithCustomerKey", "diskEncryptionSetId": SET_ID}
    row, _ = captured(
        ("a.json", [disk("d", encryption=named)]),
        ("b.json", [disk("d", encryption={"type": named["type"]})]),
    )
    assert row["doubt"] == "disk_encryption_set_id: captures differ"


def test_names_and_regions_may_be_spelt_otherwise(captured):
    row, reasons = captured(("a.json", [disk("d")]), ("b.json", [disk("d") | {"location": "West Europe"}]))
    assert (row["doubt"], reasons) == (None, {"a.json": "", "b.json": "1 duplicate"})


def test_only_captures_of_the_newest_day_can_contradict_each_other(captured):
    row, reasons = captured(
        (f"{OLD}/disks.json", [disk("d", diskState="Unattached", diskSizeGB=8)]),
        (f"{NEW}/a.json", [disk("d", diskState="Attached")]),
        (f"{NEW}/b.json", [disk("d", diskState="Reserved")]),
    )
    assert row["doubt"] == "disk_state: captures differ"
    assert row["size_gb"] == 64.0
    assert reasons[f"{OLD}/disks.json"] == "1 older capture"
    assert sorted(reasons.values()) == ["", "1 older capture", "1 other capture, order not known"]


def test_a_stub_contradicts_nothing(captured):
    row, reasons = captured(("a.json", [stub("d"), disk("d"), disk("d")]))
    assert row["doubt"] is None
    assert reasons == {"a.json": "1 duplicate; 1 stub of a row that was read"}


def test_doubts_of_their_own_stay(captured):
    row, _ = captured(
        ("a.json", [disk("d", encryption="AES", diskState="Attached")]),
        ("b.json", [disk("d", encryption="AES", diskState="Reserved")]),
    )
    wrong = "encryption_type: wrong type; disk_encryption_set_id: wrong type"
    assert row["doubt"] == f"{wrong}; disk_state: captures differ"


def extension(path, arm_type, publisher="p"):
    row = {
        "id": f"{COMPUTE}/{path}/extensions/e",
        "name": "e",
        "type": f"Microsoft.Compute/{arm_type}/extensions",
    }
    return row | {"properties": {"publisher": publisher}}


@pytest.mark.parametrize("size", PATHS)
def test_copies_are_counted_under_their_own_type(tmp_path, size):
    rows = [extension("virtualMachines/v", "virtualMachines")] * 2
    rows += [
        extension("virtualMachineScaleSets/s/virtualMachines/0", "virtualMachineScaleSets/virtualMachines")
    ]
    rows += [extension("virtualMachineScaleSets/s", "virtualMachineScaleSets")] * 3
    inv = read_text(tmp_path, rows, size)
    assert inv.count("extensions") == 3
    assert counts(inv) == {
        "microsoft.compute/virtualmachines/extensions": (2, 1, 1, "1 duplicate"),
        "microsoft.compute/virtualmachinescalesets/virtualmachines/extensions": (1, 1, 0, ""),
        "microsoft.compute/virtualmachinescalesets/extensions": (3, 1, 2, "2 duplicate"),
    }


def test_copies_whose_id_names_another_type_are_counted_where_they_were_placed(tmp_path):
    vms = [vm("v") | {"type": "Microsoft.Compute/virtualMachineScaleSets/virtualMachines"}] * 2
    assert counts(read_text(tmp_path, vms)) == {
        "microsoft.compute/virtualmachinescalesets/virtualmachines": (2, 1, 1, "1 duplicate")
    }


def test_elements_come_from_the_row_that_stays(tmp_path):
    def machine(name):
        return vm("v", storageProfile={"osDisk": {"name": name}})

    save(tmp_path / OLD / "vms.json", json.dumps([machine("old")]))
    save(tmp_path / NEW / "vms.json", json.dumps([machine("new"), machine("new")]))
    inv = load(tmp_path, engine="duckdb", small_bytes=DIRECT)
    expected = {"parent_key": f"{COMPUTE}/virtualMachines/v".lower(), "disk_name": "new"}
    assert [subset(row, expected) for row in records(inv, "vm_disks")] == [expected]
