"""What the commands of Azure's tools print, after their documentation, and what the tables make of it."""

from __future__ import annotations

import json

import pytest

from tests.exported import (
    CMK,
    COMPUTE,
    GROUP,
    PATHS,
    PMK,
    SET_ID,
    VM_ID,
    counts,
    disk_id,
    judged,
    lines,
    read_text,
    records,
    subset,
)

VAULT_ID = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv"
KEY = "https://kv.vault.azure.net/keys/k"
SET_NAME = f"{COMPUTE}/virtualMachineScaleSets/vmss"


def only(inv, table):
    [row] = records(inv, table)
    return row


#: `az vm list -d`: flattened, null-filled, with the details at the top.
VM_DETAILS = {
    "additionalCapabilities": None,
    "fqdns": "",
    "hardwareProfile": {"vmSize": "Standard_D4s_v5", "vmSizeProperties": None},
    "id": VM_ID,
    "instanceView": None,
    "location": "westeurope",
    "macAddresses": "00-0D-3A-00-00-00",
    "name": "vm-1",
    "powerState": "VM running",
    "privateIps": "10.0.0.4",
    "publicIps": "",
    "resourceGroup": "RG-Export",
    "resources": None,
    "securityProfile": {"encryptionAtHost": None, "securityType": "TrustedLaunch", "uefiSettings": None},
    "storageProfile": {
        "dataDisks": [],
        "imageReference": {"publisher": "Canonical", "offer": "ubuntu", "sku": "server", "id": None},
        "osDisk": {
            "caching": "ReadWrite",
            "diskSizeGb": None,
            "managedDisk": {"id": disk_id("os"), "resourceGroup": "RG-Export", "storageAccountType": None},
            "name": "os",
            "osType": "Linux",
            "encryptionSettings": None,
        },
    },
    "tags": None,
    "type": "Microsoft.Compute/virtualMachines",
    "zones": None,
}
#: `az vmss list-instances` of a Uniform set.
INSTANCE = {
    "id": f"{SET_NAME}/virtualMachines/3",
    "instanceId": "3",
    "hardwareProfile": {},
    "latestModelApplied": False,
    "location": "westeurope",
    "name": "vmss_3",
    "resourceGroup": "RG-EXPORT",
    "securityProfile": {"encryptionAtHost": True, "securityType": None},
    "sku": {"capacity": None, "name": "Standard_D2s_v3", "tier": "Standard"},
    "storageProfile": {
        "dataDisks": [],
        "osDisk": {"managedDisk": {"id": disk_id("i")}, "name": "i", "osType": "Linux"},
    },
    "type": "Microsoft.Compute/virtualMachineScaleSets/virtualMachines",
}


@pytest.mark.parametrize("size", PATHS)
class TestCommandLine:
    def test_vm_list_details(self, tmp_path, size):
        inv = read_text(tmp_path, [VM_DETAILS], size)
        expected = {
            "vm_size": "Standard_D4s_v5",
            "encryption_at_host": None,
            "security_type": "TrustedLaunch",
        }
        expected |= {
            "power_state": "VM running",
            "image_publisher": "Canonical",
            "os_type": "Linux",
            "doubt": None,
        }
        assert subset(only(inv, "vms"), expected) == expected
        assert only(inv, "vm_disks")["disk_id"] == disk_id("os")

    def test_vmss_list_instances(self, tmp_path, size):
        inv = read_text(tmp_path, [INSTANCE], size)
        expected = {"vm_size": "Standard_D2s_v3", "encryption_at_host": True, "latest_model_applied": False}
        assert subset(only(inv, "vms"), expected | {"doubt": None}) == expected | {"doubt": None}
        [(host,)] = judged(inv, "host")
        assert host == "on"

    def test_vm_list_skus(self, tmp_path, size):
        def sku(region, hosted):
            return {
                "apiVersions": None,
                "capabilities": [
                    {"name": "MaxResourceVolumeMB", "value": "153600"},
                    {"name": "EncryptionAtHostSupported", "value": hosted},
                    {"name": "ConfidentialComputingType", "value": "SNP"},
                ],
                "capacity": None,
                "costs": None,
                "family": "standardDSv3Family",
                "kind": None,
                "locationInfo": [{"location": region, "zoneDetails": [], "zones": ["1"]}],
                "locations": [region],
                "name": "Standard_D4s_v3",
                "resourceType": "virtualMachines",
                "restrictions": [
                    {"reasonCode": "NotAvailableForSubscription", "type": "Zone", "values": [region]}
                ],
                "size": "D4s_v3",
                "tier": "Standard",
            }

        inv = read_text(tmp_path, [sku("westeurope", "True"), sku("EastUS", "False")], size)
        found = {
            r["regions"]: (r["resource_volume_mb"], r["encryption_at_host_supported"])
            for r in records(inv, "vm_sizes")
        }
        assert found == {'["westeurope"]': (153600.0, True), '["EastUS"]': (153600.0, False)}
        assert {r["size"] for r in records(inv, "vm_sizes")} == {"Standard_D4s_v3"}

    def test_security_assessment_list(self, tmp_path, size):
        guid = "d57a4221-a804-52ca-3dea-768284f06bb7"
        row = {
            "additionalData": {},
            "displayName": "Disk encryption should be applied on virtual machines",
            "id": f"{VM_ID.lower()}/providers/Microsoft.Security/assessments/{guid}",
            "links": None,
            "metadata": None,
            "name": guid,
            "resourceDetails": {"id": VM_ID.lower(), "source": "Azure"},
            "resourceGroup": "rg-export",
            "status": {"cause": "OffByPolicy", "code": "NotApplicable", "description": "The rule is off"},
            "type": "Microsoft.Security/assessments",
        }
        expected = {
            "status": "NotApplicable",
            "cause": "OffByPolicy",
            "resource_source": "Azure",
            "doubt": None,
        }
        expected |= {"resource_id_key": VM_ID.lower(), "display_name": row["displayName"]}
        assert subset(only(read_text(tmp_path, [row], size), "assessments"), expected) == expected

    def test_keyvault_list_and_show(self, tmp_path, size):
        head = {
            "id": VAULT_ID,
            "location": "westeurope",
            "name": "kv",
            "resourceGroup": "RG-Export",
            "tags": {},
        }
        head |= {"type": "Microsoft.KeyVault/vaults"}
        listed = only(read_text(tmp_path, [head], size), "key_vaults")
        assert (listed["sku"], listed["doubt"]) == (None, "*: no properties")
        body = {"sku": {"family": "A", "name": "Premium"}, "vaultUri": "https://kv.vault.azure.net/"}
        body |= {"enablePurgeProtection": None, "enableSoftDelete": True, "enabledForDiskEncryption": True}
        shown = only(read_text(tmp_path, [head, head | {"properties": body}], size), "key_vaults")
        expected = {"sku": "Premium", "vault_uri": "https://kv.vault.azure.net/", "purge_protection": None}
        assert subset(shown, expected | {"doubt": None}) == expected | {"doubt": None}

    def test_keyvault_key_list_and_show(self, tmp_path, size):
        attributes = {"enabled": True, "exportable": False, "expires": None, "recoveryLevel": "Recoverable"}
        listed = {"attributes": attributes, "kid": KEY, "managed": None, "name": "k", "tags": None}
        shown = {"attributes": attributes, "managed": None, "releasePolicy": None, "tags": None}
        shown |= {"key": {"kid": f"{KEY}/1", "kty": "RSA-HSM", "keyOps": ["wrapKey"], "n": "x"}}
        inv = read_text(tmp_path, [listed, shown], size)
        found = {r["key_url"]: (r["kty"], r["enabled"]) for r in records(inv, "keys")}
        assert found == {KEY: (None, True), f"{KEY}/1": ("RSA-HSM", True)}
        assert counts(inv) == {"microsoft.keyvault/vaults/keys": (2, 2, 0, "")}


@pytest.mark.parametrize("size", PATHS)
def test_dictionaries_of_older_software_kits(tmp_path, size):
    """`as_dict` up to azure-mgmt-compute 37: snake_case, flattened, without nulls; one name misspelt."""
    machine = {
        "id": VM_ID,
        "name": "vm-1",
        "type": "Microsoft.Compute/virtualMachines",
        "location": "westeurope",
        "handware_profile": {"vm_size": "Standard_D4s_v5"},
        "security_profile": {"encryption_at_host": True, "security_type": "ConfidentialVM"},
        "storage_profile": {
            "os_disk": {
                "os_type": "Linux",
                "name": "os",
                "managed_disk": {
                    "id": disk_id("os"),
                    "security_profile": {
                        "security_encryption_type": "DiskWithVMGuestState",
                        "disk_encryption_set": {"id": SET_ID},
                    },
                },
            },
            "data_disks": [],
        },
    }
    des = {
        "id": SET_ID,
        "name": "des-1",
        "type": "Microsoft.Compute/diskEncryptionSets",
        "encryption_type": "ConfidentialVmEncryptedWithCustomerKey",
        "active_key": {"source_vault": {"id": VAULT_ID}, "key_url": f"{KEY}/1"},
        "rotation_to_latest_key_version_enabled": True,
    }
    inv = read_text(tmp_path, lines([machine, des]), size, "rows.jsonl")
    expected = {"vm_size": "Standard_D4s_v5", "encryption_at_host": True, "security_type": "ConfidentialVM"}
    assert subset(only(inv, "vms"), expected) == expected
    listed = {"disk_id": disk_id("os"), "security_encryption_type": "DiskWithVMGuestState"}
    listed |= {"secure_vm_disk_encryption_set_id": SET_ID}
    assert subset(only(inv, "vm_disks"), listed) == listed
    kept = {"key_url": f"{KEY}/1", "vault_id": VAULT_ID, "auto_rotation": True}
    assert subset(only(inv, "disk_encryption_sets"), kept) == kept


#: Get-AzDisk | ConvertTo-Json to its default depth: what lies deeper is a class name or `@{...}`.
POWERSHELL = {
    "ResourceGroupName": "RG-EXPORT",
    "ManagedBy": VM_ID,
    "Sku": {"Name": "Premium_LRS", "Tier": "Premium"},
    "Zones": None,
    "OsType": 0,
    "DiskSizeGB": 127,
    "EncryptionSettingsCollection": {
        "Enabled": True,
        "EncryptionSettings": "Microsoft.Azure.Management.Compute.Models.EncryptionSettingsElement",
        "EncryptionSettingsVersion": "1.1",
    },
    "Encryption": {"DiskEncryptionSetId": SET_ID, "Type": CMK},
    "SecurityProfile": None,
    "DiskState": "Attached",
    "Id": disk_id("d"),
    "Name": "d",
    "Type": "Microsoft.Compute/disks",
    "Location": "westeurope",
    "Tags": {},
}
FLAT = {
    "encryption_type": CMK,
    "ade_enabled": True,
    "sku": "Premium_LRS",
    "size_gb": 127.0,
    "managed_by": VM_ID,
}


@pytest.mark.parametrize("size", PATHS)
@pytest.mark.parametrize(
    "wrap",
    [
        lambda row: row,
        lambda row: [row, row | {"Id": disk_id("e"), "Name": "e"}],
        lambda row: {"value": [row], "Count": 1},
        lambda row: {"Data": [row], "SkipToken": None},
    ],
)
def test_convertto_json_of_a_disk(tmp_path, wrap, size):
    """One object alone is no array; PowerShell 5.1 wraps arrays in `value` and `Count`."""
    inv = read_text(tmp_path, json.dumps(wrap(POWERSHELL), indent=4), size)
    row = next(r for r in records(inv, "disks") if r["name"] == "d")
    assert subset(row, FLAT) == FLAT
    assert "ade_volumes: wrong type" in row["doubt"]
    assert inv.count("ade_keys") == 0


@pytest.mark.parametrize("size", PATHS)
def test_convertto_json_that_was_not_deep_enough(tmp_path, size):
    row = {"Id": disk_id("d"), "ResourceId": disk_id("d"), "Name": "d", "Type": "Microsoft.Compute/disks"}
    cut = row | {"Properties": "@{diskState=Attached; encryption=}"}
    inv = read_text(tmp_path, [cut], size)
    assert (only(inv, "disks")["encryption_type"], only(inv, "disks")["doubt"]) == (None, "*: no properties")
    name = "Microsoft.Azure.Management.Compute.Models.Encryption"
    inv = read_text(tmp_path, [POWERSHELL | {"Encryption": name}], size)
    assert "encryption_type: wrong type" in only(inv, "disks")["doubt"]
    [(sse,)] = judged(inv, "sse")
    assert sse == "unknown"


@pytest.mark.parametrize("size", PATHS)
def test_a_bare_array_of_an_older_graph_extension(tmp_path, size):
    """`plan` and `sku` are empty objects where there is none, `managedBy` and `kind` empty text."""
    row = {"id": disk_id("d"), "name": "d", "type": "microsoft.compute/disks", "kind": "", "managedBy": ""}
    row |= {"plan": {}, "sku": {}, "identity": None, "zones": None, "tags": None}
    row |= {"properties": {"diskState": "Unattached", "encryption": {"type": PMK}}}
    found = only(read_text(tmp_path, [row], size), "disks")
    expected = {"encryption_type": PMK, "managed_by": None, "sku": None, "doubt": None}
    assert subset(found, expected) == expected
