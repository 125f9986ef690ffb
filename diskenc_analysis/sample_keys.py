"""What lies behind the disks of a sample tenant: disk encryption sets, vaults, HSM, keys, VM sizes."""

from __future__ import annotations

from collections.abc import Iterator

from diskenc_analysis.sample_arm import template
from diskenc_analysis.sample_parts import VAULTS, Json, key_url, set_id, vault_id
from diskenc_analysis.sample_tenant import guid

#: Name, local disk in MB and confidential type of the VM sizes that are listed; names must tell the others.
VM_SIZES = (("D4s_v3", 32768, ""), ("D4s_v4", 0, ""), ("D4ds_v5", 153600, ""), ("DC4as_v5", 0, "SNP"))
_SET_TYPES = {"cmk": "EncryptionAtRestWithCustomerKey", "cvm": "ConfidentialVmEncryptedWithCustomerKey"}


def _set_body(use: str, store: str) -> Json:
    key: Json = {"keyUrl": key_url(use, store)}
    if store not in {"mhsm", "hub"}:  # a set names no vault of another subscription, and no managed HSM
        key["sourceVault"] = {"id": vault_id(store)}
    kind = _SET_TYPES.get(use, "EncryptionAtRestWithPlatformAndCustomerKeys")
    body = {"activeKey": key, "encryptionType": kind, "rotationToLatestKeyVersionEnabled": use == "cmk"}
    head = _head(set_id(use, store), "Microsoft.Compute/diskEncryptionSets")
    identity = {"type": "SystemAssigned", "principalId": "%(app)s", "tenantId": guid("tenant")}
    return head | {"identity": identity, "properties": body | {"provisioningState": "Succeeded"}}


def _vault_body(store: str) -> Json:
    sku = {"family": "A", "name": "standard" if store == "std" else "premium"}
    body: Json = {
        "sku": sku,
        "tenantId": guid("tenant"),
        "accessPolicies": [],
        "enabledForDiskEncryption": True,
    }
    body |= {"enableSoftDelete": True, "softDeleteRetentionInDays": 90, "enablePurgeProtection": True}
    body |= {"enableRbacAuthorization": True, "vaultUri": f"https://{VAULTS[store]}.vault.azure.net/"}
    return _head(vault_id(store), "Microsoft.KeyVault/vaults") | {"properties": body}


def _hsm_body() -> Json:
    path = (
        "/subscriptions/%(sub)s/resourceGroups/rg-keys/providers/Microsoft.KeyVault/managedHSMs/hsm-%(tag)s"
    )
    body: Json = {"tenantId": guid("tenant"), "hsmUri": "https://hsm-%(tag)s.managedhsm.azure.net/"}
    body |= {"enableSoftDelete": True, "softDeleteRetentionInDays": 90, "enablePurgeProtection": True}
    sku = {"family": "B", "name": "Standard_B1"}
    return _head(path, "Microsoft.KeyVault/managedHSMs") | {"sku": sku, "properties": body}


def _key_body(use: str, store: str) -> Json:
    """A key as the vault's ARM proxy lists it; confidential encryption needs an exportable one."""
    url, attributes = (
        key_url(use, store),
        {"enabled": True, "created": 1700000000, "exportable": use == "cvm"},
    )
    body: Json = {"attributes": attributes, "kty": "RSA-HSM" if store == "hsm" else "RSA", "keySize": 3072}
    body |= {"keyOps": ["wrapKey", "unwrapKey"], "keyUri": url.rpartition("/")[0], "keyUriWithVersion": url}
    if use == "cvm":
        body["release_policy"] = {"contentType": "application/json; charset=utf-8"}
    return _head(f"{vault_id(store)}/keys/{use}-{store}", "Microsoft.KeyVault/vaults/keys") | {
        "properties": body
    }


def _head(path: str, arm_type: str) -> Json:
    return {"id": path, "name": path.rpartition("/")[2], "type": arm_type, "location": "%(location)s"}


def key_lines(keys: set[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Sets, vaults, managed HSM and keys behind the disks of one subscription, as far as they can be read."""
    for use, store in sorted(keys):
        if use != "kek" and store != "gone":
            yield "disk_encryption_sets", template(_set_body(use, store))
        if store in {"std", "hsm"}:
            yield "keys", template(_key_body(use, store))
    stores = {store for _, store in keys}
    for store in ("std", "hsm"):
        if stores & {store, "prem" if store == "hsm" else store}:
            yield "key_vaults", template(_vault_body(store))
    if "mhsm" in stores:
        yield "managed_hsms", template(_hsm_body())


def size_line(name: str, megabytes: int, confidential: str, location: str) -> str:
    """Line of a VM size in a region, as `az vm list-skus` has it."""
    found = {"vCPUs": "4", "MemoryGB": "16", "MaxResourceVolumeMB": str(megabytes), "PremiumIO": "True"}
    found |= {"EncryptionAtHostSupported": "True", "HyperVGenerations": "V2" if confidential else "V1,V2"}
    if confidential:
        found["ConfidentialComputingType"] = confidential
    head = {"resourceType": "virtualMachines", "name": f"Standard_{name}", "tier": "Standard", "size": name}
    capabilities = [{"name": key, "value": value} for key, value in found.items()]
    return template(head | {"locations": [location], "capabilities": capabilities, "restrictions": []})
