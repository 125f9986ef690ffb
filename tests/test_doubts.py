"""Text, numbers and lists where an object belongs, deep in a VM: unknown, and never read as absent."""

import json

import pytest

from diskenc_analysis.coverage import coverage
from diskenc_analysis.exports import load
from tests.exported import PATHS, disk, disk_id, save, vm
from tests.rules import records

OFF, UNSURE = ("off", "off", "off"), "unknown"


def judged(folder, rows, size):
    """Judge rows, read as a small file or as a large one, on the engine that plans quickest."""
    path = save(folder / "rows.json", json.dumps(rows))
    [found] = records(coverage(load(path, engine="polars", small_bytes=size)))
    return found


def layers(folder, size, os_disk=None, **properties):
    """Give host, ade and confidential of the OS disk of a VM."""
    managed = {"id": disk_id("d")} | (os_disk or {}).pop("managedDisk", {})
    listed = {"name": "d", "osType": "Linux", "managedDisk": managed} | (os_disk or {})
    owner = vm("v", storageProfile={"osDisk": listed, "dataDisks": []}, **properties)
    rows = [disk("d", osType="Linux", diskState="Attached") | {"managedBy": owner["id"]}, owner]
    row = judged(folder, rows, size)
    return row["host"], row["ade"], row["confidential"]


@pytest.mark.parametrize("size", PATHS)
@pytest.mark.parametrize(
    ("os_disk", "expected"),
    [
        ({}, OFF),
        ({"encryptionSettings": None}, OFF),
        ({"encryptionSettings": {"enabled": "maybe"}}, ("off", UNSURE, "off")),
        ({"encryptionSettings": {"enabled": True}}, ("off", "on", "off")),
        ({"encryptionSettings": "AES"}, ("off", UNSURE, "off")),
        ({"encryptionSettings": [{"enabled": True}]}, ("off", UNSURE, "off")),
        ({"managedDisk": {"securityProfile": "secret"}}, ("off", "off", UNSURE)),
        ({"managedDisk": {"securityProfile": ["secret"]}}, ("off", "off", UNSURE)),
    ],
)
def test_disks_in_a_vm(tmp_path, size, os_disk, expected):
    assert layers(tmp_path, size, dict(os_disk)) == expected


@pytest.mark.parametrize("size", PATHS)
@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"encryptionSettings": [{"enabled": True}]}, "on"),
        ({"encryptionSettings": [{"enabled": "maybe"}]}, UNSURE),
        ({"encryptionSettings": {"enabled": True}}, UNSURE),
        ({"encryptionSettings": "AES"}, UNSURE),
        ({"statuses": "EncryptionState/encrypted"}, UNSURE),
        ({"statuses": {"code": "EncryptionState/encrypted"}}, UNSURE),
        ({"encryptionSettings": "AES", "statuses": [{"code": "EncryptionState/notEncrypted"}]}, "off"),
        ({"statuses": []}, "off"),
    ],
)
def test_statuses_of_the_instance_view(tmp_path, size, status, expected):
    view = {"disks": [{"name": "d"} | status]}
    assert layers(tmp_path, size, instanceView=view)[1] == expected


@pytest.mark.parametrize("size", PATHS)
@pytest.mark.parametrize("profile", ["on", 1, ["x"], [{"encryptionAtHost": True}]])
def test_a_security_profile_that_is_no_object(tmp_path, size, profile):
    assert layers(tmp_path, size, securityProfile=profile)[0] == UNSURE


NO_TEXT = [{}, {"a": 1}, ["x"], [{"a": 1}]]


@pytest.mark.parametrize("size", PATHS)
@pytest.mark.parametrize("kek", NO_TEXT)
def test_a_key_url_that_is_no_text_proves_no_key(tmp_path, size, kek):
    """K1: under ADE the key is the customer's where a KEK is named; what is named here cannot be read."""
    secret = {"secretUrl": "https://kv.vault.azure.net/secrets/s/1"}
    settings = [{"diskEncryptionKey": secret, "keyEncryptionKey": {"keyUrl": kek}}]
    collection = {"enabled": True, "encryptionSettings": settings}
    row = judged(tmp_path, [disk("d", encryptionSettingsCollection=collection)], size)
    assert (row["ade"], row["key_owner"], row["customer_keys"]) == ("on", UNSURE, UNSURE)


@pytest.mark.parametrize("size", PATHS)
@pytest.mark.parametrize("owner", [*NO_TEXT, 7, "v"])
def test_an_owner_that_is_no_id_leaves_open_whether_the_disk_is_attached(tmp_path, size, owner):
    row = judged(tmp_path, [disk("d", diskState=None) | {"managedBy": owner}], size)
    assert (row["attachment"], row["host"]) == (UNSURE, UNSURE)


@pytest.mark.parametrize("size", PATHS)
@pytest.mark.parametrize("type_", NO_TEXT)
def test_a_type_of_encryption_that_is_no_text_is_unknown(tmp_path, size, type_):
    row = judged(tmp_path, [disk("d", encryption={"type": type_})], size)
    assert (row["sse"], row["customer_keys"]) == (UNSURE, UNSURE)
