"""What a sample tenant's kinds are made of, and the ARM bodies and truth rows that follow from them.

A body is a template: `%(name)s` marks what differs between the copies of one kind.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
Lines = list[tuple[str, str]]
CAPABILITIES = "at_rest temp_disk caches data_flow customer_keys hsm no_vm_cpu custom_images".split()
CAPABILITIES += ["enhanced_key_protection", "defender_status"]
_LAYERS = "sse host ade confidential method key_owner key_store temp_disk_key_owner conflict".split()
TRUTH_COLUMNS = ["disk_id", "kind_label", "kind", "role", "attachment", *_LAYERS]
TRUTH_COLUMNS += [f"{c}@{year}" for year in (2023, 2026) for c in CAPABILITIES]
_WORDS = {"y": "yes", "n": "no", "-": "not_applicable", "?": "unknown"}
_DEFENDER = {"H": "Healthy", "U": "Unhealthy", "N": "NotApplicable", "?": "unknown"}
_KINDS = {"disk": "managed_disk", "snapshot": "snapshot", "vhd": "unmanaged_disk"}
_RG = "/subscriptions/%(sub)s/resourceGroups/"
_COMPUTE = "/providers/Microsoft.Compute/"
_PLATFORM = {
    "Windows": ("MicrosoftWindowsServer", "WindowsServer", "2022-datacenter-g2", "20348.2700.240905"),
    "Linux": ("Canonical", "0001-com-ubuntu-server-jammy", "22_04-lts-gen2", "22.04.202409120"),
}
_GALLERY = "galleries/gal_hardened/images/ubuntu-2204/versions/3.1.0"


@dataclass(frozen=True)
class Part:
    """One layer of a disk: the ARM fragments that show it, and the truth that they amount to.

    `body` goes under the disk's `properties`, `entry` into the VM's entry for the disk, `truth` names columns of
    the coverage frame, and `key` is the use and the store of the key behind it.
    """

    body: Mapping[str, Any]
    truth: Mapping[str, str]
    entry: Mapping[str, Any] = field(default_factory=dict)
    key: tuple[str, str] | None = None


@dataclass(frozen=True)
class Ade:
    """Settings of an ADE extension; `legacy` is the generation with an Entra app, `message` its substatus."""

    operation: str
    volume: str = ""
    store: str = ""
    legacy: bool = False
    message: str = ""


@dataclass(frozen=True)
class Vm:
    """A virtual machine; `form` is `vm`, `instance` (Uniform), `flexible`, or `absent` where it may not be read.

    `temp_key` is the truth of `temp_disk_key_owner`. `own_file` lists its extension apart, `agent` adds one that
    is not ADE's, `view` tells whether its instance view was read.
    """

    size: str = "Standard_D4s_v3"
    os: str = "Windows"
    image: str = "platform"
    host: bool = False
    temp_key: str = ""
    form: str = "vm"
    ade: Ade | None = None
    own_file: bool = False
    agent: bool = False
    view: bool = False
    power: str = "running"


@dataclass(frozen=True)
class Disk:
    """A row of the coverage frame; `form` is `disk`, `snapshot`, `vhd`, `ephemeral` or (without an id) `nameless`.

    `caps` has a letter per capability: y, n, - (not applicable), ? (unknown), and H, U, N, ? for Defender; a second
    word where the newest edition differs from the seed. `parts` begin with storage encryption. `seen` is what the
    instance view says. `owners` and `source` are positions among the kind's VMs and disks. `truth` overrides what
    the parts and the VM amount to.
    """

    caps: str
    parts: tuple[Part, ...]
    role: str = "os"
    form: str = "disk"
    sku: str = "Premium_LRS"
    caching: str = "ReadWrite"
    seen: str = ""
    owners: tuple[int, ...] = (0,)
    source: int = 0
    full_caching: bool = False
    state: str = ""
    truth: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Kind:
    """An archetype: VMs and disks that come together, and how often which subscription has them (home first)."""

    label: str
    mix: str
    vms: tuple[Vm, ...]
    disks: tuple[Disk, ...]

    @property
    def scale_set(self) -> bool:
        """Whether its VMs belong to a scale set."""
        return any(vm.form in {"instance", "flexible"} for vm in self.vms)


def merge(base: Mapping[str, Any], more: Mapping[str, Any]) -> Json:
    """Merge two objects, level by level.

    Examples
    --------
    >>> merge({"a": {"b": 1}}, {"a": {"c": 2}})
    {'a': {'b': 1, 'c': 2}}
    """
    both = {k: merge(base[k], v) if isinstance(v, Mapping) and k in base else v for k, v in more.items()}
    return {**base, **both}


def template(body: Mapping[str, Any]) -> str:
    """Write an object as one line of JSON whose numbers and tags are filled in unquoted.

    Examples
    --------
    >>> template({"diskSizeGB": "%(gib0)s", "name": "%(vm)s"})
    '{"diskSizeGB":%(gib0)s,"name":"%(vm)s"}'
    """
    text = json.dumps(body, separators=(",", ":"))
    return re.sub(r'"(%\((?:gib|bytes|iops|mbps)\d\)s|%\(tags\)s)"', r"\1", text)


def _vm_name(kind: Kind, i: int) -> str:
    names = {"instance": f"%(vm)s_{i}", "flexible": f"%(vm)s_{0x7C3A51E0 + i:08x}"}
    return names.get(kind.vms[i].form, "%(vm)s" if i == 0 else f"%(vm)s-{i + 1}")


def _vm_id(kind: Kind, i: int, group: str = "%(rg_vm)s") -> str:
    inner = f"virtualMachineScaleSets/%(vm)s/virtualMachines/{i}"
    path = inner if kind.vms[i].form == "instance" else f"virtualMachines/{_vm_name(kind, i)}"
    return f"{_RG}{group}{_COMPUTE}{path}"


def _disk_name(kind: Kind, k: int) -> str:
    disk = kind.disks[k]
    if disk.form == "snapshot":
        return f"{_disk_name(kind, disk.source)}-snap"
    vm = _vm_name(kind, disk.owners[0]) if disk.owners else "%(vm)s"
    if kind.label.startswith("aks") and disk.role == "data":
        return f"pvc-%(guid{k})s"
    return f"{vm}_OsDisk_1_%(hex{k})s" if disk.role == "os" else f"{vm}-data-{k:02d}"


def _disk_id(kind: Kind, k: int, group: str = "%(rg_disk)s") -> str:
    folder = "snapshots" if kind.disks[k].form == "snapshot" else "disks"
    return f"{_RG}{group}{_COMPUTE}{folder}/{_disk_name(kind, k)}"


def _image(vm: Vm) -> Json:
    own = {"managed": "images/img-ubuntu-base", "gallery": _GALLERY, "aks": _GALLERY.replace("hardened", "aks")}
    if vm.image in own:
        return {"id": f"{_RG}rg-images{_COMPUTE}{own[vm.image]}"}
    publisher, offer, sku, version = _PLATFORM[vm.os]
    names = {"publisher": publisher, "offer": offer, "sku": sku, "version": "latest"}
    return names | {"exactVersion": version}


def _creation(disk: Disk, vm: Vm | None) -> Json:
    if disk.role == "data":
        return {"createOption": "Empty"}
    image = _image(vm or Vm())
    if vm and vm.image in {"gallery", "aks"}:
        return {"createOption": "FromImage", "galleryImageReference": image}
    path = "/Publishers/{publisher}/ArtifactTypes/VMImage/Offers/{offer}/Skus/{sku}/Versions/{exactVersion}"
    platform = "/Subscriptions/%(sub)s/Providers/Microsoft.Compute/Locations/%(location)s" + path
    reference = image["id"] if "id" in image else platform.format(**image)
    return {"createOption": "FromImage", "imageReference": {"id": reference}}


def _sharing(kind: Kind, disk: Disk) -> tuple[Json, Json]:
    if not disk.owners:
        return {}, {}
    ids = [_vm_id(kind, i, "%(rg_owner)s") for i in disk.owners]
    if len(ids) == 1:
        return {"managedBy": ids[0]}, {}
    return {"managedBy": ids[0], "managedByExtended": ids}, {
        "maxShares": len(ids),
        "shareInfo": [{"vmUri": i} for i in ids],
    }


def disk_body(kind: Kind, k: int) -> Json:
    """ARM body of a managed disk or a snapshot."""
    disk = kind.disks[k]
    vm = kind.vms[disk.owners[0]] if disk.owners else None
    snapshot = disk.form == "snapshot"
    n = disk.source if snapshot else k
    owner, shares = _sharing(kind, disk)
    origin = {"createOption": "Copy", "sourceResourceId": _disk_id(kind, disk.source)}
    state = disk.state or ("Unattached" if vm is None else "Reserved" if vm.power != "running" else "Attached")
    system = {"osType": vm.os if vm else "Windows", "hyperVGeneration": "V2"} if disk.role == "os" else {}
    size = {"diskSizeGB": f"%(gib{n})s"}
    if not snapshot:
        size |= {"diskIOPSReadWrite": f"%(iops{k})s", "diskMBpsReadWrite": f"%(mbps{k})s"}
    properties = system | {"creationData": origin if snapshot else _creation(disk, vm)} | size | shares
    if vm and disk.role == "os" and _trusted(vm):
        properties["securityProfile"] = {"securityType": "TrustedLaunch"}
    for part in disk.parts:
        properties = merge(properties, part.body)
    properties |= {"networkAccessPolicy": "AllowAll", "publicNetworkAccess": "Enabled"}
    properties |= {"timeCreated": "%(created)s", "provisioningState": "Succeeded", "diskState": state}
    properties |= {"diskSizeBytes": f"%(bytes{n})s", "uniqueId": f"%(guid{k})s"}
    sku = "Standard_ZRS" if snapshot else disk.sku
    if snapshot:
        properties["incremental"] = True
    elif sku == "Premium_LRS":
        properties["tier"] = f"%(tier{k})s"
    arm_type = f"Microsoft.Compute/{'snapshots' if snapshot else 'disks'}"
    head = {"name": _disk_name(kind, k), "id": _disk_id(kind, k), "type": arm_type, "location": "%(location)s"}
    zones = {"zones": ["1"]} if sku in {"UltraSSD_LRS", "PremiumV2_LRS"} else {}
    tier = sku.split("_")[0].replace("SSD", "").replace("V2", "")
    head |= {"tags": "%(tags)s"} | owner | {"sku": {"name": sku, "tier": tier}} | zones
    return head | {"properties": properties}


def _trusted(vm: Vm) -> bool:
    return vm.image == "platform" and vm.ade is None and (vm.form == "absent" or vm.size.endswith("v5"))


def _entry(kind: Kind, k: int, vm: Vm) -> Json:
    """How a VM lists one of its disks."""
    disk = kind.disks[k]
    managed: Json = {"storageAccountType": disk.sku, "id": _disk_id(kind, k, "%(rg_list)s")}
    entry: Json = {"osType": vm.os} if disk.role == "os" else {"lun": k, "toBeDetached": False}
    entry |= {"name": _disk_name(kind, k), "caching": disk.caching, "managedDisk": managed}
    entry |= {"createOption": "FromImage" if disk.role == "os" else "Attach", "deleteOption": "Detach"}
    if disk.form in {"ephemeral", "nameless"}:
        entry |= {"diffDiskSettings": {"option": "Local", "placement": "ResourceDisk"}, "deleteOption": "Delete"}
        if disk.full_caching:
            entry["diffDiskSettings"]["enableFullCaching"] = True
    if disk.form == "vhd":
        del entry["managedDisk"]
        entry["vhd"] = {"uri": vhd_uri(kind, k)}
    for part in disk.parts:
        entry = merge(entry, part.entry)
    if disk.form == "nameless":
        del entry["managedDisk"]["id"]
    if vm.power == "running":
        return entry | {"diskSizeGB": f"%(gib{k})s"}
    # A stopped VM lists its disks by id alone.
    entry["managedDisk"].pop("storageAccountType", None)
    return entry


def vhd_uri(kind: Kind, k: int) -> str:
    """URI of an unmanaged disk's blob."""
    return f"https://stlegacy%(tag)s.blob.core.windows.net/vhds/{_disk_name(kind, k)}.vhd"


def _status(kind: Kind, k: int) -> Json:
    """What the instance view says of one disk."""
    disk = kind.disks[k]
    found = [{"code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Provisioning succeeded"}]
    status: Json = {"name": _disk_name(kind, k)}
    if disk.seen:
        words = "Encryption is enabled on disk" if disk.seen == "encrypted" else "Disk is not encrypted"
        found.append({"code": f"EncryptionState/{disk.seen}", "level": "Info", "displayStatus": words})
    collections = [p.body["encryptionSettingsCollection"] for p in disk.parts if "encryptionSettingsCollection" in p.body]
    if disk.seen == "encrypted" and collections:
        status["encryptionSettings"] = [{"enabled": True} | s for s in collections[0]["encryptionSettings"]]
    return status | {"statuses": found}


def _instance_view(kind: Kind, i: int, mine: list[int]) -> Json:
    vm = kind.vms[i]
    view: Json = {"disks": [_status(kind, k) for k in mine], "hyperVGeneration": "V2"}
    if vm.ade and vm.ade.message:
        code = "ComponentStatus/Microsoft.Azure.Security/succeeded"
        name = extension_body(kind, i)["name"]
        substatus = {"code": code, "level": "Info", "message": vm.ade.message}
        view["extensions"] = [{"name": name, "type": f"Microsoft.Azure.Security.{name}", "substatuses": [substatus]}]
    power = {"code": f"PowerState/{vm.power}", "level": "Info", "displayStatus": f"VM {vm.power}"}
    return view | {"statuses": [power]}


def extension_body(kind: Kind, i: int) -> Json:
    """ARM body of a VM's ADE extension, or of its monitoring agent where it has no ADE."""
    vm = kind.vms[i]
    if vm.ade is None:
        publisher, name, version = "Microsoft.Azure.Monitor", f"AzureMonitor{vm.os}Agent", "1.0"
        settings: Json = {}
    else:
        publisher, name = "Microsoft.Azure.Security", "AzureDiskEncryption" + "ForLinux" * (vm.os == "Linux")
        versions = {"Windows": ("2.2", "1.1"), "Linux": ("1.1", "0.1")}
        version, settings = versions[vm.os][vm.ade.legacy], _ade_settings(vm.ade)
    vm_id = _vm_id(kind, i)
    head = {"name": name, "id": f"{vm_id}/extensions/{name}", "type": "Microsoft.Compute/virtualMachines/extensions"}
    properties = {"autoUpgradeMinorVersion": True, "provisioningState": "Succeeded", "publisher": publisher}
    properties |= {"type": name, "typeHandlerVersion": version, "settings": settings}
    return head | {"location": "%(location)s", "properties": properties}


def _ade_settings(ade: Ade) -> Json:
    settings = {"EncryptionOperation": ade.operation, "SequenceVersion": "%(version)s"}
    if ade.volume:
        settings["VolumeType"] = ade.volume
    if not ade.operation.startswith("Disable"):
        store = ade.store or "std"
        uri = f"https://{VAULTS[store]}.vault.azure.net/"
        settings |= {"KeyVaultURL": uri, "KeyVaultResourceId": vault_id(store)}
    if ade.store:
        settings |= {"KeyEncryptionKeyURL": key_url("kek", ade.store), "KekVaultResourceId": vault_id(ade.store)}
        settings["KeyEncryptionAlgorithm"] = "RSA-OAEP"
    return settings | ({"AADClientID": "%(app)s"} if ade.legacy else {})


def _storage_profile(kind: Kind, i: int, mine: list[int]) -> Json:
    vm = kind.vms[i]
    entries = [(kind.disks[k].role, _entry(kind, k, vm)) for k in mine]
    data = [entry for role, entry in entries if role == "data"]
    os_disk = next(entry for role, entry in entries if role == "os")
    return {"imageReference": _image(vm), "osDisk": os_disk, "dataDisks": data, "diskControllerType": "SCSI"}


def _security(vm: Vm) -> Json:
    chips = {"uefiSettings": {"secureBootEnabled": True, "vTpmEnabled": True}}
    profile: Json = {"encryptionAtHost": True} if vm.host else {}
    if vm.image == "confidential":
        profile |= chips | {"securityType": "ConfidentialVM"}
    elif _trusted(vm):
        profile |= chips | {"securityType": "TrustedLaunch"}
    return {"securityProfile": profile} if profile else {}


def vm_body(kind: Kind, i: int) -> Json:
    """ARM body of a virtual machine, or of an instance of a Uniform scale set."""
    vm, mine = kind.vms[i], [k for k, d in enumerate(kind.disks) if i in d.owners]
    uniform, set_id = vm.form == "instance", _RG + "%(rg_vm)s" + _COMPUTE + "virtualMachineScaleSets/%(vm)s"
    properties: Json = {"vmId": f"%(vmid{i})s", "hardwareProfile": {} if uniform else {"vmSize": vm.size}}
    properties |= {"storageProfile": _storage_profile(kind, i, mine), "provisioningState": "Succeeded"}
    properties |= _security(vm) | {"timeCreated": "%(created)s"}
    head: Json = {"name": _vm_name(kind, i), "id": _vm_id(kind, i)}
    head |= {"type": "Microsoft.Compute/virtualMachines", "location": "%(location)s", "tags": "%(tags)s"}
    if any(kind.disks[k].sku == "UltraSSD_LRS" for k in mine):
        properties["additionalCapabilities"] = {"ultraSSDEnabled": True}
    if vm.view:
        properties["instanceView"] = _instance_view(kind, i, mine)
    if vm.form == "flexible":
        head["managedBy"], properties["virtualMachineScaleSet"] = set_id, {"id": set_id}
    if uniform:
        head |= {"type": "Microsoft.Compute/virtualMachineScaleSets/virtualMachines", "instanceId": str(i)}
        head["sku"] = {"name": vm.size, "tier": "Standard"}
        properties |= {"latestModelApplied": vm.host == kind.vms[-1].host, "modelDefinitionApplied": "VirtualMachineScaleSet"}
    if vm.ade or vm.agent:
        extension = extension_body(kind, i)
        head["resources"] = [{"id": extension["id"]} if vm.own_file else extension]
    return head | {"properties": properties}


def scale_set_body(kind: Kind) -> Json:
    """ARM body of the scale set; its model is as its last instance."""
    vm = kind.vms[-1]
    os_disk = {"osType": vm.os, "createOption": "FromImage", "caching": "ReadWrite"}
    storage = {"osDisk": os_disk | {"managedDisk": {"storageAccountType": "Premium_LRS"}}, "imageReference": _image(vm)}
    profile = {"storageProfile": storage} | _security(vm)
    mode = "Uniform" if vm.form == "instance" else "Flexible"
    properties = {"orchestrationMode": mode, "virtualMachineProfile": profile, "provisioningState": "Succeeded"}
    head = {"name": "%(vm)s", "id": f"{_RG}%(rg_vm)s{_COMPUTE}virtualMachineScaleSets/%(vm)s"}
    head |= {"type": "Microsoft.Compute/virtualMachineScaleSets", "location": "%(location)s", "tags": "%(tags)s"}
    sku = {"name": vm.size, "tier": "Standard", "capacity": len(kind.vms)}
    return head | {"sku": sku, "properties": properties | {"timeCreated": "%(created)s"}}
