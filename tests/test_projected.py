"""Resource Graph replies of queries that take single values: what they left out is unknown."""

from __future__ import annotations

import json

import pytest

from tests.exported import (
    CMK,
    PATHS,
    SET_ID,
    VM_ID,
    by_name,
    disk,
    disk_id,
    graph,
    judged,
    read_text,
    records,
    stub,
)

ROW = {
    "id": disk_id("d"),
    "name": "d",
    "type": "microsoft.compute/disks",
    "managedBy": "",
    "sku_name": "Premium_LRS",
    "properties_encryption_type": CMK,
    "properties_encryption_diskEncryptionSetId": SET_ID,
    "count_": 1,
}


def table(rows):
    """Write rows as the older format of Resource Graph does."""
    names = list(rows[0])
    columns = [{"name": name, "type": "string"} for name in names]
    values = [[row[name] for name in names] for row in rows]
    return json.dumps({"totalRecords": len(rows), "data": {"columns": columns, "rows": values}}, indent=1)


@pytest.mark.parametrize("size", PATHS)
@pytest.mark.parametrize("form", [graph, table])
def test_projected_values_are_read_and_the_rest_is_unknown(tmp_path, form, size):
    inv = read_text(tmp_path, form([ROW, ROW | {"id": disk_id("e"), "name": "e"}]), size)
    row = by_name(inv, "disks")["d"]
    assert (row["encryption_type"], row["disk_encryption_set_id"], row["sku"]) == (CMK, SET_ID, "Premium_LRS")
    assert "ade_enabled: column not exported" in row["doubt"]
    [note] = {r["notes"] for r in records(inv, "ledger")}
    assert note.startswith("columns not exported: ")
    facts = judged(inv, "name", "sse", "ade", "confidential", "attachment")
    assert min(facts) == ("d", "customer", "unknown", "unknown", "unattached")


@pytest.mark.parametrize("size", PATHS)
def test_a_projected_vm_without_host_encryption_does_not_say_off(tmp_path, size):
    row = {
        "id": VM_ID,
        "name": "vm-1",
        "type": "microsoft.compute/virtualmachines",
        "vmSize": "Standard_D4s_v5",
    }
    said = read_text(tmp_path / "a", graph([row | {"encryptionAtHost": None}]), size)
    left_out = read_text(tmp_path / "b", graph([row]), size)
    assert "encryption_at_host" not in by_name(said, "vms")["vm-1"]["doubt"]
    assert "encryption_at_host: column not exported" in by_name(left_out, "vms")["vm-1"]["doubt"]


@pytest.mark.parametrize("size", PATHS)
def test_whole_rows_are_not_projected(tmp_path, size):
    inv = read_text(tmp_path, graph([disk("a"), stub("b")]), size)
    assert [row["doubt"] for row in records(inv, "disks")] == [None, "*: no properties"]
    assert {r["notes"] for r in records(inv, "ledger")} == {""}
