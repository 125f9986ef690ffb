"""The layers of a sample disk: the ARM fragments that show each, and what they amount to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

Json = dict[str, Any]
#: Vault of each store. The keys of `std` and `hsm` are listed with their type, those of the premium vault
#: `prem` are not, and the vault `hub` is not in the inventory. With `gone` the disk encryption set is not.
VAULTS = {"std": "kv-std-%(tag)s", "hsm": "kv-prm-%(tag)s", "prem": "kv-prm-%(tag)s", "hub": "kv-hub-%(tag)s"}
_STORES = {"std": "key_vault_standard", "hsm": "key_vault_premium", "prem": "key_vault_premium"}
_STORES |= {"mhsm": "managed_hsm", "hub": "key_vault", "gone": "unknown"}
_SSE = "EncryptionAtRestWith"


@dataclass(frozen=True)
class Part:
    """One layer of a disk: `body` in the disk's properties, `entry` in the VM, and what they amount to.

    `truth` names columns of the coverage frame; `key` is the use and the store of the key behind the layer.
    """

    body: Mapping[str, Any] = field(default_factory=dict)
    truth: Mapping[str, str] = field(default_factory=dict)
    entry: Mapping[str, Any] = field(default_factory=dict)
    key: tuple[str, str] | None = None


def vault_id(store: str) -> str:
    """Template of a vault's id; the hub's vault lies in a subscription that is not in the inventory."""
    owner = "%(hub)s" if store == "hub" else "%(sub)s"
    return (
        f"/subscriptions/{owner}/resourceGroups/rg-keys/providers/Microsoft.KeyVault/vaults/{VAULTS[store]}"
    )


def key_url(use: str, store: str) -> str:
    """Template of a key's URL, with its version.

    Examples
    --------
    >>> key_url("cmk", "mhsm") % {"tag": "eu", "version": "0" * 32}
    'https://hsm-eu.managedhsm.azure.net/keys/cmk-mhsm/00000000000000000000000000000000'
    """
    host = "hsm-%(tag)s.managedhsm.azure.net" if store == "mhsm" else f"{VAULTS[store]}.vault.azure.net"
    return f"https://{host}/keys/{use}-{store}/%(version)s"


def set_id(use: str, store: str) -> str:
    """Template of the id of the disk encryption set for a use (`cmk`, `double`, `cvm` ...) and a store."""
    group = "/subscriptions/%(sub)s/resourceGroups/rg-keys"
    return f"{group}/providers/Microsoft.Compute/diskEncryptionSets/des-{use}-{store}"


def _keys(owner: str, store: str) -> Json:
    return {"key_owner": owner, "key_store": _STORES[store]}


def _set(mode: str, name: str, use: str, store: str) -> Part:
    """Storage encryption by a disk encryption set."""
    body = {"encryption": {"diskEncryptionSetId": set_id(use, store), "type": _SSE + name}}
    entry = {"managedDisk": {"diskEncryptionSet": {"id": set_id(use, store)}}}
    return Part(body, {"sse": mode, "method": "sse"} | _keys(mode, store), entry, (use, store))


def _ade_settings(store: str, kek: bool = True) -> Json:
    """Settings of one ADE volume: its secret, and the key-encryption key (KEK) where there is one."""
    vault, host = {"id": vault_id(store)}, f"https://{VAULTS[store]}.vault.azure.net"
    secret = {"sourceVault": vault, "secretUrl": f"{host}/secrets/%(secret)s/%(version)s"}
    # ADE's URLs carry the port now and then, as recorded ones do.
    url = key_url("kek", store).replace(".net/", ".net:443/" if store == "hsm" else ".net/")
    wrapped = {"keyEncryptionKey": {"sourceVault": vault, "keyUrl": url}} if kek else {}
    return {"diskEncryptionKey": secret} | wrapped


def _ade(store: str = "std", kek: bool = True) -> Part:
    """ADE as the disk itself states it."""
    settings = {"enabled": True, "encryptionSettings": [_ade_settings(store, kek)]}
    body = {"encryptionSettingsCollection": settings | {"encryptionSettingsVersion": "1.1"}}
    owner = _keys("customer" if kek else "customer_secret", store)
    return Part(body, {"ade": "on", "method": "ade"} | owner, key=("kek", store))


def _confidential(value: str, security_type: str, on_vm: str, store: str = "") -> Part:
    """Confidential encryption of an OS disk as disk and VM state it."""
    profile: Json = {"securityType": f"ConfidentialVM_{security_type}"}
    entry: Json = {"securityEncryptionType": on_vm}
    truth: Json = {"confidential": value}
    if value in {"platform", "customer"}:
        truth["method"] = "confidential"
    if store:
        profile["secureVMDiskEncryptionSetId"] = set_id("cvm", store)
        entry["diskEncryptionSet"] = {"id": set_id("cvm", store)}
        truth |= _keys("customer", store)
    key = ("cvm", store) if store else None
    return Part({"securityProfile": profile}, truth, {"managedDisk": {"securityProfile": entry}}, key)


def _sse_unknown(body: Json) -> Part:
    return Part(body, {"sse": "unknown", "method": "sse", "key_owner": "unknown", "key_store": "unknown"})


_PLATFORM = {"sse": "platform", "method": "sse", "key_owner": "platform", "key_store": "platform"}
_UNKNOWN = {"method": "unknown", "key_owner": "unknown", "key_store": "unknown"}
#: Storage encryption with the platform's key, which a disk has where nothing else is said.
PMK = Part({"encryption": {"type": f"{_SSE}PlatformKey"}}, _PLATFORM)
# C9: no disk states it, but the key is the platform's unless the VM names a set.
_LOCAL = Part({}, _PLATFORM)
_WAS_ON = {"enabled": False, "encryptionSettingsVersion": "1.1"}
_ENTRA = {"encryptionSettings": _ade_settings("std") | {"enabled": True}}
#: Parts by the word for them in a line of the table of kinds.
PARTS = {
    "no_type": _sse_unknown({}),
    "odd_type": _sse_unknown({"encryption": {"type": f"{_SSE}TenantKey"}}),
    "double-std": _set("platform_and_customer", "PlatformAndCustomerKeys", "double", "std"),
    "mixed-std": _set("customer", "CustomerKey", "mixed", "std"),
    **{f"cmk-{store}": _set("customer", "CustomerKey", "cmk", store) for store in _STORES},
    "ade-std": _ade(),
    "ade-hsm": _ade("hsm"),
    "ade-secret": _ade(kek=False),
    "legacy-os": Part({}, _ade().truth, _ENTRA, ("kek", "std")),
    "legacy-data": Part({}, _ade().truth),
    "was_on": Part({"encryptionSettingsCollection": _WAS_ON}, {"ade": "was_on"}),
    "alone": Part({}, _UNKNOWN | {"ade": "unknown"}, key=("kek", "prem")),
    "cvm": _confidential("platform", "DiskEncryptedWithPlatformKey", "DiskWithVMGuestState"),
    "cvm-hsm": _confidential("customer", "DiskEncryptedWithCustomerKey", "DiskWithVMGuestState", "hsm"),
    "cvm-mhsm": _confidential("customer", "DiskEncryptedWithCustomerKey", "DiskWithVMGuestState", "mhsm"),
    "guest_state": _confidential(
        "guest_state_only", "VMGuestStateOnlyEncryptedWithPlatformKey", "VMGuestStateOnly"
    ),
    "no_tpm": _confidential("non_persisted_tpm", "NonPersistedTPM", "NonPersistedTPM"),
    "vault": Part(key=("kek", "std")),
    "local": _LOCAL,
    "local_whole": replace(_LOCAL, entry={"diffDiskSettings": {"enableFullCaching": True}}),
    "vhd": Part({}, _UNKNOWN | {"sse": "storage_account", "method": "unmanaged"}),
    "partial": Part({}, {"host": "partial", "method": "sse", "temp_disk_key_owner": ""}),
}
PARTS["local_set"] = replace(PARTS["cmk-mhsm"], body={}, truth=_UNKNOWN | {"sse": "unknown"})
