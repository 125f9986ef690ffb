"""What lies behind the disks of a sample tenant: disk encryption sets, vaults, HSM, keys, VM sizes."""

from __future__ import annotations

from collections.abc import Iterator

from diskenc_analysis.sample_arm import template
from diskenc_analysis.sample_parts import VAULTS, Json, key_url, set_id, vault_id
from diskenc_analysis.sample_tenant import guid

#: Name, local disk in MB and confidential type of the VM sizes that are listed; names must tell the others.
VM_SIZES = (("D4s_v3", 32768, ""), ("D4s_v4", 0, ""), ("D4ds_v5", 153600, ""), ("DC4as_v5", 0, "SNP"))
_SET_TYPES = {"cmk": "EncryptionAtRestWithCustomerKey", "cvm": "ConfidentialVmEncryptedWithCustomerKey"}
#: When the keys of a subscription were made and when they expire, in seconds since 1970, by its profile.
_LIVES = {
    "eu": (1782864000, 1814400000),  # 2026-07-01 to 2027-07-01
    "us": (1764547200, 1797724800),  # 2025-12-01 to 2026-12-20
    "ac": (1738281600, 1801353600),  # 2025-01-31 to 2027-01-31
    "co": (1790812800, None),  # 2026-10-01
    "le": (1700000000, None),  # 2023-11-14
}
#: Profile and use of a key that has expired, and when: 2026-09-30.
_EXPIRED = ("le", "cmk", 1790726400)


def _set_body(use: str, store: str, code: str) -> Json:
    key: Json = {"keyUrl": key_url(use, store)}
    if store not in {"mhsm", "hub"}:  # a set names no vault of another subscription, and no managed HSM
        key["sourceVault"] = {"id": vault_id(store)}
    kind = _SET_TYPES.get(use, "EncryptionAtRestWithPlatformAndCustomerKeys")
    body: Json = {"activeKey": key, "encryptionType": kind, "rotationToLatestKeyVersionEnabled": use == "cmk"}
    body |= _rotation(use, store, code)
    head = _head(set_id(use, store), "Microsoft.Compute/diskEncryptionSets")
    return head | {"identity": _identity(use, store), "properties": body | {"provisioningState": "Succeeded"}}


def _identity(use: str, store: str) -> Json:
    """Who a set is to its vault; a vault of another tenant takes a user-assigned identity alone."""
    if store != "hub":
        return {"type": "SystemAssigned", "principalId": "%(app)s", "tenantId": guid("tenant")}
    group = set_id(use, store).rpartition("/providers/")[0]
    own = f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-{use}-{store}"
    return {"type": "UserAssigned", "userAssignedIdentities": {own: {}}}


def _rotation(use: str, store: str, code: str) -> Json:
    """How the rotation of a set stands: done, stopped by an error, under way, or of another tenant's key."""
    if store == "hub":
        return {"federatedClientId": guid("federated")}
    if (code, use) == ("us", "cmk") and store == "std":
        return {"autoKeyRotationError": {"code": "KeyVaultAccessForbidden", "message": "access was denied"}}
    if (code, use) == ("eu", "double"):
        return {"previousKeys": [{"keyUrl": key_url(use, store).replace("%(version)s", "0" * 32)}]}
    done = {"lastKeyRotationTimestamp": "2026-10-12T08:30:00.1234567+00:00"}
    return done if (code, use) == ("eu", "cmk") else {}


def _vault_body(store: str, code: str) -> Json:
    sku = {"family": "A", "name": "standard" if store == "std" else "premium"}
    body: Json = {
        "sku": sku,
        "tenantId": guid("tenant"),
        "accessPolicies": [],
    }
    # ARM leaves both flags out where they are off.
    body |= {} if (code, store) == ("le", "hsm") else {"enabledForDiskEncryption": True}
    body |= {"enableSoftDelete": True, "softDeleteRetentionInDays": 90}
    body |= {} if code == "ac" else {"enablePurgeProtection": True}
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


def _key_body(use: str, store: str, code: str) -> Json:
    """A key as the vault's ARM proxy lists it; confidential encryption needs an exportable one."""
    url, (created, expires) = key_url(use, store), _LIVES.get(code, (1700000000, None))
    expires = _EXPIRED[2] if (code, use) == _EXPIRED[:2] else expires
    attributes: Json = {"enabled": True, "created": created, "exportable": use == "cvm"}
    attributes |= {"exp": expires} if expires else {}
    body: Json = {"attributes": attributes, "kty": "RSA-HSM" if store == "hsm" else "RSA", "keySize": 3072}
    body |= {"keyOps": ["wrapKey", "unwrapKey"], "keyUri": url.rpartition("/")[0], "keyUriWithVersion": url}
    if use == "cvm":
        body["release_policy"] = {"contentType": "application/json; charset=utf-8"}
    return _head(f"{vault_id(store)}/keys/{use}-{store}", "Microsoft.KeyVault/vaults/keys") | {
        "properties": body
    }


def _head(path: str, arm_type: str) -> Json:
    return {"id": path, "name": path.rpartition("/")[2], "type": arm_type, "location": "%(location)s"}


def key_lines(keys: set[tuple[str, str]], code: str) -> Iterator[tuple[str, str]]:
    """Sets, vaults, managed HSM and keys behind the disks of one subscription, as far as they can be read."""
    for use, store in sorted(keys):
        if use != "kek" and store != "gone":
            yield "disk_encryption_sets", template(_set_body(use, store, code))
        if store in {"std", "hsm"}:
            yield "keys", template(_key_body(use, store, code))
    stores = {store for _, store in keys}
    for store in ("std", "hsm"):
        if stores & {store, "prem" if store == "hsm" else store}:
            yield "key_vaults", template(_vault_body(store, code))
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
