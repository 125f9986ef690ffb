"""What a sample tenant is made of: every kind of disk, the ARM fragments that show it, and its truth.

The truth is worked out by hand from the documentation's matrix and the rules of the verdict, whose numbers
(L layers, K keys, C capabilities) stand beside it; nothing here asks the code that it is there to check.
"""

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


@dataclass(frozen=True)
class Vm:
    """A virtual machine: a `vm`, an `instance` (Uniform), `flexible`, or `absent` where it cannot be read.

    `temp_key` is the truth of `temp_disk_key_owner`. `ade` is the operation, the volume type and the store of
    the key-encryption key of its ADE extension, `legacy` the generation with an Entra app; `apart` lists the
    extension in a file of its own, `agent` is another extension, `view` an instance view.
    """

    size: str
    os: str = "Windows"
    image: str = "platform"
    host: bool = False
    temp_key: str = ""
    form: str = "vm"
    ade: tuple[str, ...] = ()
    legacy: bool = False
    apart: bool = False
    agent: bool = False
    view: bool = False
    power: str = "running"


@dataclass(frozen=True)
class Disk:
    """A row of coverage: `disk`, `snapshot`, `vhd`, `ephemeral`, or `nameless` (ephemeral without an id).

    `verdicts` are the letters for both editions, `parts` begin with storage encryption, `seen` is what the
    instance view says, and `owners` are positions among the kind's VMs.
    """

    verdicts: tuple[str, str]
    parts: tuple[Part, ...]
    role: str
    form: str = "disk"
    sku: str = "Premium_LRS"
    caching: str = "ReadWrite"
    seen: str = ""
    owners: tuple[int, ...] = (0,)
    state: str = ""


@dataclass(frozen=True)
class Kind:
    """An archetype: VMs and disks that come together, and its weight in each subscription profile."""

    label: str
    mix: Mapping[str, int]
    vms: tuple[Vm, ...]
    disks: tuple[Disk, ...]


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
_PMK = Part({"encryption": {"type": f"{_SSE}PlatformKey"}}, _PLATFORM)
# C9: no disk states it, but the key is the platform's unless the VM names a set.
_LOCAL = Part({}, _PLATFORM)
_WAS_ON = {"enabled": False, "encryptionSettingsVersion": "1.1"}
_ENTRA = {"encryptionSettings": _ade_settings("std") | {"enabled": True}}
_PARTS = {
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
_PARTS["local_set"] = replace(_PARTS["cmk-mhsm"], body={}, truth=_UNKNOWN | {"sse": "unknown"})
_SIZES = {
    "v3": "Standard_D4s_v3",
    "v4": "Standard_D4s_v4",
    "v5": "Standard_D4s_v5",
    "v5d": "Standard_D4ds_v5",
    "e3": "Standard_E8s_v3",
    "e5d": "Standard_E8ds_v5",
    "f2": "Standard_F4s_v2",
    "ds2": "Standard_DS3_v2",
    "cvm": "Standard_DC4as_v5",
    "cvmd": "Standard_DC4ads_v5",
    "odd": "Experimental_Q8",
    "gone": "",
}
_FLAGS: dict[str, Json] = {
    "linux": {"os": "Linux"},
    "uniform": {"form": "instance"},
    "flexible": {"form": "flexible"},
    "absent": {"form": "absent"},
    "seen": {"seen": "encrypted"},
    "plain": {"seen": "notEncrypted"},
    "uncached": {"caching": "None"},
    "ultra": {"sku": "UltraSSD_LRS", "caching": "None"},
    "premium_v2": {"sku": "PremiumV2_LRS", "caching": "None"},
}
_OPERATIONS = {"Enable": "EnableEncryption", "Disable": "DisableEncryption"}
_OPERATIONS["FormatAll"] = "EnableEncryptionFormatAll"

#: One kind a line: label | how often which subscription has it, its home first | VMs | disks and snapshots.
#: A verdict's letters: at_rest temp_disk caches data_flow customer_keys hsm no_vm_cpu custom_images
#: enhanced_key_protection defender_status: y, n, - (not applicable) or ? (unknown), Defender's H, U, N or ?.
#: After a slash stand those of the newest edition where it differs from the seed. Data disks: no image (C7).
_TABLE = """
# Storage encryption alone (C1, C11). Temp disk (C4): v3 has one, v4 and v5 by their `d`; v5: the newest.
pmk | sb20 us6 le5 | v3 | os ynnnnnyynU; data ynnnnny-nU
pmk_v4_no_temp_disk | sb4 us2 | v4 linux | os y-nnnnyynU
pmk_v5_no_temp_disk | sb9 us5 | v5 | os y-nnnnyynU; data y-nnnny-nU
pmk_v5_temp_disk | sb9 us5 | v5d key=platform | os ynnnnnyynU/yynnnnyynU; data ynnnnny-nU/yynnnny-nU
pmk_size_unknown | sb2 | odd key=unknown | os y?nnnnyynU
pmk_deallocated | sb5 | v3 view power=deallocated | os ynnnnnyynU; data ynnnnny-nU
pmk_cache_none | us2 | v3 | os ynnnnnyynU; data yn-nnny-nU uncached
custom_image | sb3 | v3 linux image=managed | os ynnnnnyynU
old_api | le2 | v3 | os ynnn??yynU no_type
odd_encryption_type | us1 | v3 | os ynnnnnyynU; data ynnn??y-nU odd_type
# Customer keys by a set (L1, K1); `hsm` by the store and the key type (K2, K3). A set of another type than
# the disk's: a customer's key by either reading (L8).
cmk_standard | us6 | v3 | os ynnnynyynU cmk-std; data ynnnyny-nU cmk-std
cmk_premium_hsm_key | us3 eu2 | e3 | os ynnnyyyynU cmk-hsm; data ynnnyyy-nU cmk-hsm
cmk_premium_key_unread | us2 | f2 | os ynnny?yynU cmk-prem
cmk_managed_hsm | us1 eu1 | v3 | os ynnnyyyynU cmk-mhsm
cmk_vault_unread | us1 | v3 | os ynnny?yynU cmk-hub
cmk_set_unread | us1 | v3 | os ynnny?yynU cmk-gone
cmk_set_type_differs | us1 | v3 | os ynnnnnyynU; data ynnnyny-nU mixed-std !set_type
double | us3 | v3 | os ynnnynyynU double-std; data ynnnyny-nU double-std
# Encryption at host (L2): caches, flow, and a temp disk if any, by the platform's key (K4, C11).
host_pmk | us8 eu4 | v3 host key=platform | os yyyynnyynH; data yyyynny-nH
host_cmk | eu12 us8 | v3 host key=platform | os yyyyynyynH cmk-std; data yyyyyny-nH cmk-std
host_cmk_v5 | eu20 us16 | v5 host | os y-yyyyyynH cmk-hsm; data y-yyyyy-nH cmk-hsm
host_cmk_hsm | eu14 us9 | e5d host key=platform | os yyyyyyyynH cmk-mhsm; data yyyyyyy-nH cmk-mhsm
host_double | eu6 | v3 host key=platform | os yyyyynyynH double-std; data yyyyyny-nH double-std
host_gallery_image | eu3 | v3 linux image=gallery host key=platform | os yyyynnyynH
# No cache on Ultra and Premium SSD v2 (C5).
ultra | us2 | v5 | os y-nnnnyynU; data y--nnny-nU ultra
ultra_host | eu3 | v5 host | os y-yynnyynH; data y--ynny-nH ultra
premium_v2 | us2 | v5 | os y-nnnnyynU; data y--nnny-nU premium_v2
premium_v2_host | eu3 | v5 host | os y-yyynyynH cmk-std; data y--yyny-nH cmk-std premium_v2
# Shared disks: the worst of their VMs (C3), flow by all of them (C6), no cache (C5).
shared_host_both | eu3 | v3 host key=platform; v3 host key=platform
  | os yyyynnyynH; os yyyynnyynH vm=1; data yy-ynny-nH vm=0,1 uncached
shared_host_one | us1 | v3 host key=platform; v3
  | os yyyynnyynH; os ynnnnnyynU vm=1; data yn-nnny-nU vm=0,1 uncached partial
shared_host_none | sb1 | v3; v3 | os ynnnnnyynU; os ynnnnnyynU vm=1; data yn-nnny-nU vm=0,1 uncached
# ADE (L3) uses the CPU, and a KEK is the customer's key (K1). Temp disk in the newest edition: Windows All,
# Linux format-all; no extension, no volume type (C3). Healthy if every disk of the VM is covered (C11).
ade_windows | le14 | v3 view ade=Enable,All,std key=customer
  | os yyyyynnynH ade-std seen; data yyyyynn-nH ade-std seen
ade_windows_hsm_kek | le5 | v3 view ade=Enable,ALL,hsm key=customer
  | os yyyyyynynH ade-hsm seen
ade_windows_no_kek | le8 | v3 view ade=Enable,All apart key=customer_secret
  | os yyyynnnynH ade-secret seen; data yyyynnn-nH ade-secret seen
ade_windows_os_only | le4 | v3 view ade=Enable,OS,std
  | os yyyyynnynU/ynyyynnynU ade-std seen; data yynnnny-nU/ynnnnny-nU plain
ade_linux_format_all | le5 | v3 linux view ade=FormatAll,Data,std apart key=customer
  | os yynnnnyynU plain; data yyyyynn-nU ade-std seen
ade_linux | le8 | v3 linux view ade=Enable,All,std
  | os yyyyynnynH/ynyyynnynH ade-std seen; data yyyyynn-nH/ynyyynn-nH ade-std seen
ade_linux_custom_image | le3 | v3 linux image=gallery view ade=Enable,All,std
  | os yyyyynnnnH/ynyyynnnnH ade-std seen
ade_late_data_disk | le3 | v3 view ade=Enable,All,std key=customer
  | os yyyyynnynU ade-std seen; data yyyyynn-nU ade-std seen; data yynnnny-nU plain
ade_no_extension | le2 | v3 linux key=unknown | os yyyyynnynH/y?yyynnynH ade-std
ade_legacy_windows | le3 | v3 ade=Enable,All,std legacy key=customer | os yyyyynnynH legacy-os
ade_legacy_linux | le2 | v3 linux view ade=Enable,All,std legacy
  | os yyyyynnynH/ynyyynnynH legacy-os; data yyyyynn-nH/ynyyynn-nH legacy-data
# L4: protects nothing, and the CPU is free again once the instance view says notEncrypted.
ade_was_on_decrypted | le3 | v3 view ade=Disable,All
  | os ynnnnnyynU was_on plain; data ynnnnny-nU was_on plain
ade_was_on_unseen | le2 | v3 | os ynnnnn?ynU was_on
ade_disable_only | le2 | v3 ade=Disable,All | os ynnnnnyynU; data ynnnnny-nU
# L3 (4), L8: the extension by itself yields no more than unknown. ADE with host or with a customer's SSE key:
# as either would be alone, and unknown where they differ.
ade_extension_alone | le1 | v3 ade=Enable,All,prem key=unknown
  | os y??????yn? alone !ade_extension_alone; data y??????-n? alone !ade_extension_alone
ade_with_host | le1 | v3 host view ade=Enable,All,std key=platform
  | os yyyy?n?ynH ade-std seen !ade_with_host
ade_with_cmk | le1 | v3 view ade=Enable,All,std key=unknown
  | os y???yn?yn? cmk-std ade-std seen !ade_with_customer_key
ade_windows_data_only | le1 | v5 view ade=Enable,Data,std
  | os y-nnnnyynU plain !windows_data_only; data y-yyynn-nU ade-std seen !windows_data_only
# Confidential (L5): NotApplicable for all three kinds (C11), data disks off, temp disk by C4 and C8. The
# extension only switches the preview of the temp disk on (L6).
cvm_platform | co8 | cvm | os y-yynnnyyN cvm
cvm_customer_vault | co10 | cvm | os y-yyyynyyN cvm-hsm; data y-nnyny-nN cmk-std
cvm_customer_hsm | co8 | cvm | os y-yyyynyyN cvm-mhsm
cvm_guest_state | co3 | cvm | os y-nnnnyynN guest_state
cvm_guest_state_cmk | co2 | cvm | os y-nnynyynN cmk-std guest_state
cvm_non_persisted_tpm | co2 | cvm | os y-nnnnyynN no_tpm
cvm_data_host | co5 | cvmd host key=platform | os yyyynnnyyN cvm; data yyyynny-nN
cvm_temp_disk_opt_in | co5 | cvmd ade=FormatAll,Data,std key=platform
  | os ynyynnnyyN/yyyynnnyyN cvm vault; data ynnnnny-nN/yynnnny-nN
cvm_no_opt_in | co3 | cvmd agent key=platform
  | os ynyynnnyyN/yyyynnnyyN cvm; data ynnnnny-nN/yynnnny-nN
# No VM (C2).
free_pmk | sb6 us2 co1 ac1 | | data y---nn--nN
free_os_pmk | sb3 | | os y---nn--nN
free_cmk | us2 eu1 | | data y---yn--nN cmk-std
free_ade | le2 | | os y---yn--nN ade-std
free_active_sas | sb1 | | data y---nn--nN state=ActiveSAS
snapshot_pmk | sb3 | v5 | os y-nnnnyynU; os y---nn--nN form=snapshot
snapshot_cmk | eu3 | v3 host key=platform | os yyyyynyynH cmk-std; os y---yn--nN cmk-std form=snapshot
snapshot_ade | le2 | v3 view ade=Enable,All,std key=customer
  | os yyyyynnynH ade-std seen; os y---yn--nN ade-std form=snapshot
snapshot_weaker | us1 | v3 | os ynnnynyynU cmk-std; os y---nn--nN form=snapshot
# Ephemeral OS disks (C9), unmanaged disks (C10).
ephemeral | sb2 | v3 | os nn-nnnyynU local form=nameless; data ynnnnny-nU
ephemeral_host | us1 | v3 host key=platform | os yy-ynnyynH local form=ephemeral
ephemeral_v5 | sb2 | v5d key=platform | os nn-nnnyynU/yy-nnnyynU local form=ephemeral
ephemeral_v5_host | us2 | v5d host key=platform | os yy-ynnyynH local form=nameless
ephemeral_with_set | us1 | v5d host key=platform | os yy-y??yynH local_set form=ephemeral
ephemeral_full_cache | sb1 | v5d key=platform | os nn--nnyynU/yy--nnyynU local_whole form=ephemeral
unmanaged | le2 | ds2 | os ---------N vhd form=vhd; data ---------N vhd form=vhd
# Scale sets: the instance, never the model (L2).
uniform_drift | us1 | v3 uniform; v3 host uniform key=platform | os ynnnnnyynU; os yyyynnyynH vm=1
uniform_host | eu3 | v5 host uniform; v5 host uniform | os y-yyynyynH cmk-std; os y-yyynyynH cmk-std vm=1
flexible_host | eu3 | v5d host flexible key=platform | os yyyynnyynH; data yyyynny-nH
aks | sb4 | v5d linux image=aks uniform key=platform
  | os ynnnnnyynU/yynnnnyynU; data ynnnnny-nU/yynnnny-nU
aks_host | eu4 | v5d linux image=aks host uniform key=platform | os yyyyynyynH cmk-std; data yyyynny-nH
# Owner not in the inventory: host unknown (L2), size unknown (C4), ADE by the disk itself (L3).
vm_unread_pmk | ac10 | gone absent key=unknown | os y???nnyyn?; data y???nny-n?
vm_unread_cmk | ac5 | gone absent key=unknown | os y???ynyyn? cmk-std; data y???yny-n? cmk-std
vm_unread_ade | ac3 | gone absent key=unknown | os y?yyynnyn? ade-std
"""


def _vm(text: str) -> Vm:
    size, *flags = text.split()
    given: Json = {"os": "Linux", "image": "confidential"} if size.startswith("cvm") else {}
    for flag in flags:
        name, _, value = flag.partition("=")
        if name == "ade":
            operation, *more = value.split(",")
            given["ade"] = (_OPERATIONS[operation], *more)
        else:
            given |= _FLAGS.get(flag) or {"temp_key" if name == "key" else name: value or True}
    return Vm(_SIZES[size], **given)


def _disk(text: str, vms: int) -> Disk:
    role, letters, *flags = text.split()
    parts, given = [], {"caching": "ReadOnly"} if role == "data" else {}
    for flag in flags:
        if flag[0] == "!":
            parts.append(Part({}, {"conflict": flag[1:]}))
        elif flag in _PARTS:
            parts.append(_PARTS[flag])
        else:
            given |= _FLAGS.get(flag) or dict([flag.split("=")])
    if not parts or "sse" not in parts[0].truth:
        parts.insert(0, _PMK)
    owners = (
        tuple(map(int, given.pop("vm", "0").split(","))) if vms and given.get("form") != "snapshot" else ()
    )
    seed, _, newest = letters.partition("/")
    return Disk((seed, newest or seed), tuple(parts), role, owners=owners, **given)


def _kind(line: str) -> Kind:
    label, mix, vms, disks = (cell.strip() for cell in line.split("|"))
    weights = {word[:2]: int(word[2:]) for word in mix.split()}
    machines = tuple(_vm(text) for text in vms.split(";") if text)
    return Kind(label, weights, machines, tuple(_disk(text, len(machines)) for text in disks.split(";")))


def _kinds(table: str) -> tuple[Kind, ...]:
    lines = [line for line in table.strip().split("\n") if not line.startswith("#")]
    return tuple(_kind(line) for line in "\n".join(lines).replace("\n  |", " |").split("\n"))


#: Every kind of the sample, in the order of the table.
KINDS = _kinds(_TABLE)
