"""Disks of a VM that are listed in no list, and an OS disk that is no object: unknown, and said so."""

import pytest

from diskenc_analysis.coverage import coverage
from diskenc_analysis.exports import load
from tests.exported import PATHS, disk, disk_id, save, vm
from tests.exported import lines as written
from tests.rules import ade, records

ENGINES = ("duckdb", "pandas", "polars", "arrow")
#: A size with a local disk, of which the platform encrypts none before the fifth version.
SIZE = {"hardwareProfile": {"vmSize": "Standard_D4s_v3"}}
NO_LIST = {"text": "none", "number": 7, "flag": True, "empty": {}, "object": {"lun": 0}}
NO_OBJECT = {"text": "none", "number": 7, "list": [], "listed": [{"caching": "None"}]}


def machine(name, storage, **of_disk):
    """Build a VM with this storage profile, whose extensions were read, and its OS disk."""
    owner = vm(name, storageProfile=storage, **SIZE) | {"resources": []}
    body = disk(name, osType="Windows", diskState="Attached", **of_disk)
    return [body | {"managedBy": owner["id"]}, owner]


def os_disk(name):
    return {"osType": "Windows", "caching": "ReadWrite", "managedDisk": {"id": disk_id(name)}}


def judged(folder, rows, size=0, engine="duckdb"):
    path = save(folder / "rows.jsonl", written(rows))
    found = records(coverage(load(path, engine=engine, small_bytes=size)))
    return {row["name"]: row for row in found}


def values(row, *names):
    return tuple(row[name] for name in names)


@pytest.mark.parametrize("size", PATHS)
def test_data_disks_that_are_no_list(tmp_path, size):
    """C3: ADE of any disk may cover the temp disk, and which disks there are is not known. C11: on all?"""
    rows, encrypted = [], {"encryptionSettingsCollection": ade()}
    for name, data in {**NO_LIST, "whole": []}.items():
        rows += machine(name, {"osDisk": os_disk(name), "dataDisks": data})
        rows += machine(f"{name}-ade", {"osDisk": os_disk(f"{name}-ade"), "dataDisks": data}, **encrypted)
    found = judged(tmp_path, rows, size)
    for name in NO_LIST:
        # Without ADE on its OS disk the VM is unhealthy, whatever other disks it has.
        assert values(found[name], "ade", "temp_disk", "defender_status") == ("off", "unknown", "Unhealthy")
        assert values(found[f"{name}-ade"], "ade", "defender_status") == ("on", "unknown")
        assert "the VM's list of data disks is of the wrong type" in found[name]["evidence"]
    assert values(found["whole"], "ade", "temp_disk", "defender_status") == ("off", "no", "Unhealthy")
    assert values(found["whole-ade"], "ade", "defender_status") == ("on", "Healthy")


@pytest.mark.parametrize("size", PATHS)
def test_an_os_disk_that_is_no_object(tmp_path, size):
    """L3: it may say that ADE of the older generation is on. C5: it may say that there is no host cache."""
    rows = [r for n, odd in NO_OBJECT.items() for r in machine(n, {"osDisk": odd, "dataDisks": []})]
    for row in map(judged(tmp_path, rows, size).get, NO_OBJECT):
        found = values(row, "ade", "temp_disk", "defender_status", "caches", "no_vm_cpu")
        assert set(found) == {"unknown"}
        assert "the VM's OS disk is of the wrong type" in row["evidence"]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_storage_profile_that_is_no_object_on_every_engine(tmp_path, engine):
    row = judged(tmp_path, machine("v", "none"), engine=engine)["v"]
    assert values(row, "ade", "temp_disk", "defender_status") == ("unknown", "unknown", "unknown")
    assert row["host"] == "off"  # the VM was read, and it has no security profile
