"""Tiny ARM objects for the tests of the rules, and what the kit makes of them."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import narwhals as nw

import diskenc_analysis as de
from diskenc_analysis.share import sample_path

Json = dict[str, Any]
#: Column by column, the row of each disk name.
Rows = dict[str, dict[str, str]]

SEED, LATEST = "2023-05-15", "2026-04-02"
YEARS = {"2023": SEED, "2026": LATEST}
#: The ten capabilities, in the order of the letters of a verdict.
CAPABILITIES = (
    *("at_rest", "temp_disk", "caches", "data_flow", "customer_keys", "hsm", "no_vm_cpu", "custom_images"),
    *("enhanced_key_protection", "defender_status"),
)
LETTERS = {
    "yes": "y",
    "no": "n",
    "not_applicable": "-",
    "unknown": "?",
    "Healthy": "H",
    "Unhealthy": "U",
    "NotApplicable": "N",
}
GROUP = "/subscriptions/11111111-2222-4333-8444-555555555555/resourceGroups/rg-rules/providers"

# Sizes with a local disk and without: before v5, then v5; confidential ones with a local disk; a made-up one.
V3, V4, V5D, V5 = "Standard_D4s_v3", "Standard_D4s_v4", "Standard_D4ds_v5", "Standard_D4s_v5"
CONFIDENTIAL_V2, CONFIDENTIAL_V5D, NO_SUCH_SIZE = "Standard_DC4s_v2", "Standard_DC4ads_v5", "Experimental_Q8"

PMK: Json = {"type": "EncryptionAtRestWithPlatformKey"}
HOST: Json = {"encryptionAtHost": True}
CVM: Json = {"securityType": "ConfidentialVM"}
MARKETPLACE: Json = {
    "publisher": "Canonical",
    "offer": "ubuntu-24_04-lts",
    "sku": "server",
    "version": "latest",
}
CVM_DISK = "ConfidentialVM_DiskEncryptedWith"
NO_VERDICT = "----------"


def vm_id(name: str) -> str:
    return f"{GROUP}/Microsoft.Compute/virtualMachines/{name}"


def instance_id(scale_set: str, number: int) -> str:
    return f"{GROUP}/Microsoft.Compute/virtualMachineScaleSets/{scale_set}/virtualMachines/{number}"


def disk_id(name: str) -> str:
    return f"{GROUP}/Microsoft.Compute/disks/{name}"


def set_id(name: str) -> str:
    return f"{GROUP}/Microsoft.Compute/diskEncryptionSets/{name}"


def vault_id(name: str) -> str:
    return f"{GROUP}/Microsoft.KeyVault/vaults/{name}"


def image_id(name: str) -> str:
    return f"{GROUP}/Microsoft.Compute/images/{name}"


def _resource(resource_id: str, properties: Json, **head: Any) -> Json:
    after = resource_id.rpartition("/providers/")[2].split("/")
    kind = "/".join([after[0], *after[1::2]])
    body = {"id": resource_id, "name": after[-1], "type": kind, "location": "westeurope"}
    return {**body, **head, "properties": properties}


def _given(**members: Any) -> Json:
    """Leave out what is None: a test that wants a null gives it through `more`."""
    return {name: value for name, value in members.items() if value is not None}


def cmk(name: str, *, double: bool = False) -> Json:
    """Storage encryption with a customer's key, through a disk encryption set."""
    kind = "PlatformAndCustomerKeys" if double else "CustomerKey"
    return {"type": f"EncryptionAtRestWith{kind}", "diskEncryptionSetId": set_id(name)}


def ade(*, enabled: bool = True, kek: str | None = "kv-standard", version: str | None = "1.1") -> Json:
    """`encryptionSettingsCollection` of a disk, with the vault that holds the KEK if there is one."""
    volume: Json = {"diskEncryptionKey": _secret("kv-standard")}
    if kek:
        volume["keyEncryptionKey"] = {"keyUrl": key_url(kek, "kek"), "sourceVault": {"id": vault_id(kek)}}
    settings = [volume] if enabled else None
    return _given(enabled=enabled, encryptionSettingsVersion=version, encryptionSettings=settings)


def _secret(vault_name: str) -> Json:
    url = f"https://{vault_name}.vault.azure.net/secrets/bek/0123456789abcdef0123456789abcdef"
    return {"secretUrl": url, "sourceVault": {"id": vault_id(vault_name)}}


def key_url(vault_name: str, name: str, host: str = "vault.azure.net") -> str:
    return f"https://{vault_name}.{host}/keys/{name}/0123456789abcdef0123456789abcdef"


def secured(security_type: str, secure_set: str | None = None) -> Json:
    """`securityProfile` of a disk."""
    own = secure_set and set_id(secure_set)
    return _given(securityType=security_type, secureVMDiskEncryptionSetId=own)


def listed(name: str | None, *, caching: str | None = "ReadWrite", **more: Any) -> Json:
    """Build a disk as its VM lists it."""
    managed = {"id": disk_id(name)} if name else None
    return _given(name=name, caching=caching, managedDisk=managed, createOption="FromImage") | more


def vm(
    name: str,
    *,
    data: Sequence[str | Json] = (),
    os_disk: Json | None = None,
    size: str = V3,
    system: str = "Windows",
    image: Json | None = MARKETPLACE,
    security: Json | None = None,
    view: Sequence[Json] | None = None,
    resources: Sequence[Json] | None = None,
    **more: Any,
) -> Json:
    """Build a VM whose OS disk is named after it, with `-os`."""
    entries = [listed(entry) if isinstance(entry, str) else entry for entry in data]
    lead = {"osType": system} | (os_disk or listed(f"{name}-os"))
    numbered = [{"lun": lun} | entry for lun, entry in enumerate(entries)]
    storage = _given(imageReference=image, osDisk=lead, dataDisks=numbered)
    body = {"hardwareProfile": {"vmSize": size}, "storageProfile": storage, "provisioningState": "Succeeded"}
    body |= _given(securityProfile=security, instanceView=None if view is None else {"disks": list(view)})
    head = _given(resources=None if resources is None else list(resources))
    return _resource(vm_id(name), body | more, **head)


def instance(scale_set: str, number: int, *, data: Sequence[str | Json] = (), **given: Any) -> Json:
    """Build an instance of a Uniform scale set; its OS disk is named after set and number."""
    body = vm(f"{scale_set}_{number}", data=data, **given)
    body["sku"] = {"name": body["properties"].pop("hardwareProfile")["vmSize"]}
    own_id = instance_id(scale_set, number)
    return body | {"id": own_id, "type": "Microsoft.Compute/virtualMachineScaleSets/virtualMachines"}


def scale_set(name: str, *, security: Json | None = None, disks: Sequence[Json] = ()) -> Json:
    """Build a Uniform scale set with its model: its security, and the `managedDisk` of each disk."""
    listed_disks = [{"createOption": "FromImage", "managedDisk": one} for one in disks]
    os_disk = {"osType": "Windows", "createOption": "FromImage"} | (listed_disks[0] if listed_disks else {})
    data = {"dataDisks": [one | {"lun": lun} for lun, one in enumerate(listed_disks[1:])]}
    profile = {"storageProfile": {"osDisk": os_disk} | (data if disks else {})}
    properties = {
        "orchestrationMode": "Uniform",
        "virtualMachineProfile": profile | _given(securityProfile=security),
    }
    own_id = f"{GROUP}/Microsoft.Compute/virtualMachineScaleSets/{name}"
    return _resource(own_id, properties, sku={"name": V3})


def seen(disk_name: str, state: str, **more: Any) -> Json:
    """Build what the instance view says of one disk."""
    codes = ["ProvisioningState/succeeded", f"EncryptionState/{state}"]
    return {"name": disk_name, "statuses": [{"code": code} for code in codes]} | more


def disk(
    name: str,
    owner: str | None = None,
    *,
    system: str | None = None,
    encryption: Json | None = PMK,
    collection: Json | None = None,
    security: Json | None = None,
    sku: str = "Premium_LRS",
    state: str | None = None,
    head: Json | None = None,
    **more: Any,
) -> Json:
    """Build a managed disk; `owner` is the name or the whole id of its VM."""
    managed_by = owner if not owner or owner.startswith("/") else vm_id(owner)
    properties = _given(osType=system, encryption=encryption, encryptionSettingsCollection=collection)
    properties |= _given(securityProfile=security, creationData={"createOption": "Empty"}, diskSizeGB=64)
    properties["diskState"] = state or ("Attached" if owner else "Unattached")
    top = _given(managedBy=managed_by) | (head or {})
    return _resource(disk_id(name), properties | more, sku={"name": sku}, **top)


def snapshot(
    name: str, *, encryption: Json | None = PMK, collection: Json | None = None, **more: Any
) -> Json:
    properties = _given(encryption=encryption, encryptionSettingsCollection=collection, diskSizeGB=64)
    return _resource(
        f"{GROUP}/Microsoft.Compute/snapshots/{name}", properties | more, sku={"name": "Standard_LRS"}
    )


def des(
    name: str, key: str, *, vault_name: str | None = None, kind: str = "EncryptionAtRestWithCustomerKey"
) -> Json:
    """Build a disk encryption set with the URL of its active key."""
    source = vault_name and {"id": vault_id(vault_name)}
    active = _given(keyUrl=key, sourceVault=source)
    properties = {"encryptionType": kind, "activeKey": active, "provisioningState": "Succeeded"}
    return _resource(set_id(name), properties, identity={"type": "SystemAssigned"})


def vault(name: str, sku: str | None = "standard") -> Json:
    properties = _given(sku=_given(name=sku, family="A"), vaultUri=f"https://{name}.vault.azure.net/")
    return _resource(vault_id(name), properties)


def vault_key(vault_name: str, name: str, kty: str) -> Json:
    """Build a key as the control plane lists it, without key material."""
    url = key_url(vault_name, name)
    properties = {"kty": kty, "keySize": 3072, "keyUri": url.rpartition("/")[0], "keyUriWithVersion": url}
    return _resource(f"{vault_id(vault_name)}/keys/{name}", properties)


def extension(
    owner: str,
    operation: str = "EnableEncryption",
    volume: Any = "All",
    *,
    system: str = "Windows",
    handler: str | None = None,
    outcome: str = "Succeeded",
    kek: str | None = "kv-standard",
    messages: Sequence[str] = (),
    **settings: Any,
) -> Json:
    """Build the Azure Disk Encryption extension of a VM, of the generation without an Entra app."""
    linux = system == "Linux"
    name = "AzureDiskEncryptionForLinux" if linux else "AzureDiskEncryption"
    public = {"EncryptionOperation": operation, "VolumeType": volume, "SequenceVersion": "1"}
    public |= {"KeyEncryptionKeyURL": key_url(kek, "kek") if kek else None}
    body: Json = {"publisher": "Microsoft.Azure.Security", "type": name, "provisioningState": outcome}
    body |= {"typeHandlerVersion": handler or ("1.1" if linux else "2.2"), "settings": public | settings}
    if messages:
        body["instanceView"] = {"substatuses": [{"message": text} for text in messages]}
    return _resource(f"{vm_id(owner)}/extensions/{name}", body)


def agent(owner: str) -> Json:
    """Build an extension that has nothing to do with disks."""
    body = {"publisher": "Microsoft.Azure.Monitor", "type": "AzureMonitorWindowsAgent", "settings": {}}
    body |= {"provisioningState": "Succeeded", "typeHandlerVersion": "1.0"}
    return _resource(f"{vm_id(owner)}/extensions/AzureMonitorWindowsAgent", body)


def stores() -> list[Json]:
    """Vaults, keys and sets that many cases use: in a standard vault, a premium one and a managed HSM."""
    made = [vault("kv-standard"), vault("kv-premium", "Premium"), vault_key("kv-standard", "kek", "RSA")]
    made += [vault_key("kv-premium", "hsm", "RSA-HSM"), vault_key("kv-premium", "kek", "RSA-HSM")]
    made += [des("standard", key_url("kv-standard", "cmk"), vault_name="kv-standard")]
    made += [des("premium-hsm", key_url("kv-premium", "hsm"), vault_name="kv-premium")]
    made += [des("premium-unread", key_url("kv-premium", "unread"), vault_name="kv-premium")]
    made += [des("managed-hsm", key_url("pool", "key", "managedhsm.azure.net"))]
    confidential = "ConfidentialVmEncryptedWithCustomerKey"
    made += [des("confidential", key_url("kv-premium", "hsm"), vault_name="kv-premium", kind=confidential)]
    both = "EncryptionAtRestWithPlatformAndCustomerKeys"
    return [*made, des("double", key_url("kv-standard", "cmk"), vault_name="kv-standard", kind=both)]


@dataclass(frozen=True)
class Case:
    """Objects, and what is expected of rows: by row name, the value of columns.

    A column holds in both editions unless it ends in `@2023` or `@2026`. The pseudo column `verdict` is the
    letters of the ten capabilities (y, n, - not applicable, ? unknown; H, U, N); a full stop stands for any.
    A column that ends in `!` must not have the value, one that ends in `~` must contain it.
    """

    rule: str
    objects: Sequence[Json]
    expected: Mapping[str, Mapping[str, str]]


def slug(rule: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", rule.lower()).strip("-")


def one(
    rule: str,
    *more: Json,
    machine: Json | None = None,
    of_disk: Json | None = None,
    **expected: str,
) -> Case:
    """Build a case of one VM with its OS disk, and what is expected of that disk."""
    name = slug(rule)
    given = {"system": (machine or {}).get("system", "Windows")} | (of_disk or {})
    objects = [vm(name, **(machine or {})), disk(f"{name}-os", name, **given), *more]
    return Case(rule, objects, {f"{name}-os": expected})


def differences(case: Case, judged_rows: Mapping[str, Rows]) -> dict[str, str]:
    """Say where the kit's rows, by edition, are not as the case expects."""
    found = {}
    for name, columns in case.expected.items():
        for column, value in columns.items():
            bare, _, year = column.partition("@")
            for edition in [YEARS[year]] if year else [SEED, LATEST]:
                got = _value(judged_rows[edition].get(name), bare.rstrip("!~"))
                if not _as_expected(bare, got, value):
                    found[f"{name} {bare}@{edition[:4]}"] = f"expected {value!r}, got {got!r}"
    return found


def _value(row: Mapping[str, str] | None, column: str) -> str:
    if row is None:
        return "no such row"
    return verdict(row) if column == "verdict" else row[column]


def _as_expected(column: str, got: str, value: str) -> bool:
    if column.endswith("!"):
        return got not in {value, "no such row"}
    if column.endswith("~"):
        return value.lower() in got.lower()
    return re.fullmatch(value.replace("?", r"\?"), got) is not None if column == "verdict" else got == value


def verdict(row: Mapping[str, str]) -> str:
    return "".join(LETTERS.get(row[capability], "*") for capability in CAPABILITIES)


def write(folder: Path, objects: Iterable[Json]) -> Path:
    """Write objects as JSON lines, one file per ARM type."""
    files: dict[str, list[str]] = defaultdict(list)
    for body in objects:
        files[str(body.get("type", "other")).rpartition("/")[2]].append(json.dumps(body))
    folder.mkdir(parents=True, exist_ok=True)
    for name, lines in files.items():
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def records(frame: Any) -> list[Json]:
    """Collect a frame of any engine, as a list of rows."""
    rows: list[Json] = nw.from_native(frame).lazy().collect("polars").to_native().to_dicts()
    return rows


def rows_of(inv: Any, edition: str = "latest") -> Rows:
    found = records(de.coverage(inv, edition=edition))
    rows = {row["name"]: row for row in found}
    assert len(rows) == len(found), "every disk has one row, and the tests give each its own name"
    return rows


def judged(folder: Path, *objects: Json, edition: str = "latest", engine: str = "arrow") -> Rows:
    """Write, load and judge objects; rows by disk name."""
    return rows_of(de.load(write(folder, objects), engine=engine), edition)


def judged_twice(folder: Path, cases: Iterable[Case]) -> dict[str, Rows]:
    """Judge the objects of many cases as one inventory, in both editions."""
    objects = [*stores(), *(body for case in cases for body in case.objects)]
    inv = de.load(write(folder, objects), engine="duckdb")
    return {edition: rows_of(inv, edition) for edition in (SEED, LATEST)}


@cache
def sample_coverage(engine: str) -> dict[str, Any]:
    """Judge the bundled sample in both editions, once for all tests of a run."""
    inv = de.load(sample_path(), engine=engine)
    return {edition: de.coverage(inv, edition=edition) for edition in (SEED, LATEST)}
