"""Flat rows that `--query` cut down: what it left out is unknown, and whole flat rows stay whole."""

import json

import pytest

from tests.exported import COMPUTE, PATHS, PMK, by_name, covered, disk_id, lines, read_text, records

VM_ID = f"{COMPUTE}/virtualMachines/v"
#: What `az vm list` and `az disk list` print, without what has no value, as newer versions do.
WHOLE_VM = {
    "hardwareProfile": {"vmSize": "Standard_D4s_v3"},
    "id": VM_ID,
    "location": "westeurope",
    "name": "v",
    "provisioningState": "Succeeded",
    "resourceGroup": "RG-EXPORT",
    "storageProfile": {
        "dataDisks": [],
        "osDisk": {
            "name": "d",
            "osType": "Linux",
            "managedDisk": {"id": disk_id("d")},
            "caching": "ReadWrite",
        },
    },
    "type": "Microsoft.Compute/virtualMachines",
}
WHOLE_DISK = {
    "creationData": {"createOption": "FromImage"},
    "diskSizeGB": 30,
    "diskState": "Attached",
    "encryption": {"type": PMK},
    "id": disk_id("d"),
    "location": "westeurope",
    "managedBy": VM_ID,
    "name": "d",
    "osType": "Linux",
    "provisioningState": "Succeeded",
    "resourceGroup": "RG-EXPORT",
    "sku": {"name": "Premium_LRS"},
    "type": "Microsoft.Compute/disks",
}


def snake(value):
    """Spell members as the older SDK does."""
    if isinstance(value, dict):
        letters = {k: "".join(f"_{c.lower()}" if c.isupper() else c for c in k) for k in value}
        return {letters[k].replace("_g_b", "_gb"): snake(v) for k, v in value.items()}
    return [snake(v) for v in value] if isinstance(value, list) else value


def pascal(value):
    """Spell members as PowerShell does."""
    if isinstance(value, dict):
        return {k[0].upper() + k[1:]: pascal(v) for k, v in value.items()}
    return [pascal(v) for v in value] if isinstance(value, list) else value


SPELLINGS = {"cli": lambda row: row, "sdk": snake, "powershell": pascal}
#: What is projected out of the VM, and of the disk.
CUTS = {
    "sizes": ({"id", "name", "hardwareProfile"}, {"id", "name", "diskSizeGB", "managedBy"}),
    "with the place": (
        {"id", "name", "type", "location", "storageProfile"},
        {"id", "type", "location", "encryption"},
    ),
    "state": ({"id", "provisioningState", "storageProfile"}, {"id", "provisioningState", "creationData"}),
}


@pytest.mark.parametrize("size", PATHS)
@pytest.mark.parametrize("join", [json.dumps, lines], ids=["array", "lines"])
def test_whole_flat_rows_say_no(tmp_path, size, join):
    for n, spell in SPELLINGS.items():
        inv = read_text(tmp_path / n, join([spell(WHOLE_VM), spell(WHOLE_DISK)]), size)
        [row] = covered(inv)
        assert (row["host"], row["ade"], row["confidential"]) == ("off", "off", "off"), n
        assert {r["notes"] for r in records(inv, "ledger")} == {""}


@pytest.mark.parametrize("size", PATHS)
def test_rows_cut_by_a_query_do_not_say_no(tmp_path, size):
    for n, (of_vm, _) in CUTS.items():
        cut = {k: v for k, v in WHOLE_VM.items() if k in of_vm}
        inv = read_text(tmp_path / n, [cut, WHOLE_DISK], size)
        [row] = covered(inv)
        assert (row["host"], row["ade"], row["temp_disk"], row["defender_status"]) == (
            "unknown",
            "off",
            "unknown",
            "unknown",
        ), n
        assert any(r["notes"].startswith("columns not exported: ") for r in records(inv, "ledger"))


@pytest.mark.parametrize("size", PATHS)
def test_a_disk_cut_by_a_query_does_not_say_off(tmp_path, size):
    for n, (_, of_disk) in CUTS.items():
        cut = {k: v for k, v in WHOLE_DISK.items() if k in of_disk}
        [row] = covered(read_text(tmp_path / n, [WHOLE_VM, cut], size))
        assert (row["ade"], row["host"]) == ("unknown", "off"), n


@pytest.mark.parametrize("size", PATHS)
def test_values_that_a_query_took_out_are_read(tmp_path, size):
    """A null of a column that was projected is an answer: encryption at host is off."""
    cut = {"id": VM_ID, "name": "v", "vmSize": "Standard_D4s_v3", "encryptionAtHost": None}
    inv = read_text(tmp_path, [cut, cut | {"id": f"{VM_ID}2", "name": "w", "encryptionAtHost": True}], size)
    found = by_name(inv, "vms")
    assert [found[n]["vm_size"] for n in "vw"] == ["Standard_D4s_v3"] * 2
    assert [found[n]["encryption_at_host"] for n in "vw"] == [None, True]
    assert "encryption_at_host" not in found["v"]["doubt"]
    assert "security_type: column not exported" in found["v"]["doubt"]


@pytest.mark.parametrize("size", PATHS)
def test_a_listing_without_bodies_is_not_cut_but_empty(tmp_path, size):
    heads = ("id", "name", "type", "location", "managedBy", "sku")
    rows = [{k: v for k, v in WHOLE_DISK.items() if k in heads}]
    assert by_name(read_text(tmp_path, rows, size), "disks")["d"]["doubt"] == "*: no properties"


def test_cells_of_a_flat_file_are_not_cut(tmp_path):
    """Of a CSV the columns are known: what it has no column for is noted once, by the columns."""
    head, row = "id,name,diskState,encryption,provisioningState", f"{disk_id('d')},d,Unattached,,Succeeded"
    inv = read_text(tmp_path, f"{head}\n{row}\n", name="disks.csv")
    assert "encryption_type" not in by_name(inv, "disks")["d"]["doubt"]
    assert "ade_enabled: column not exported" in by_name(inv, "disks")["d"]["doubt"]
