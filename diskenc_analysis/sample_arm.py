"""The ARM bodies of a sample tenant's kinds.

A body is a template: `%(name)s` marks what differs between the copies of one kind.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from diskenc_analysis.sample_kinds import VAULTS, Disk, Json, Kind, Vm, key_url, vault_id

_VMS, _SETS = "Microsoft.Compute/virtualMachines", "Microsoft.Compute/virtualMachineScaleSets"
_RG = "/subscriptions/%(sub)s/resourceGroups/"
_COMPUTE = "/providers/Microsoft.Compute/"
_PLATFORM = {
    "Windows": ("MicrosoftWindowsServer", "WindowsServer", "2022-datacenter-g2", "20348.2700.240905"),
    "Confidential": (
        "Canonical",
        "0001-com-ubuntu-confidential-vm-jammy",
        "22_04-lts-cvm",
        "22.04.202409090",
    ),
    "Linux": ("Canonical", "0001-com-ubuntu-server-jammy", "22_04-lts-gen2", "22.04.202409120"),
}
_GALLERY = "galleries/gal_hardened/images/ubuntu-2204/versions/3.1.0"


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
    names = {"instance": f"%(vm)s_{i}", "flexible": f"%(vm)s_7c3a51e{i}"}
    return names.get(kind.vms[i].form, "%(vm)s" if i == 0 else f"%(vm)s-{i + 1}")


def vm_id(kind: Kind, i: int, group: str = "%(rg_vm)s") -> str:
    """Template of a VM's id, whose resource group comes in another letter case here and there."""
    inner = f"virtualMachineScaleSets/%(vm)s/virtualMachines/{i}"
    path = inner if kind.vms[i].form == "instance" else f"virtualMachines/{_vm_name(kind, i)}"
    return f"{_RG}{group}{_COMPUTE}{path}"


def _disk_name(kind: Kind, k: int) -> str:
    disk = kind.disks[k]
    if disk.form == "snapshot":
        return f"{_disk_name(kind, 0)}-snap"
    vm = _vm_name(kind, disk.owners[0]) if disk.owners else "%(vm)s"
    if disk.role == "data" and disk.owners and kind.vms[0].image == "aks":
        return f"pvc-%(guid{k})s"
    return f"{vm}_OsDisk_1_%(hex{k})s" if disk.role == "os" else f"{vm}-data-{k:02d}"


def disk_id(kind: Kind, k: int, group: str = "%(rg_disk)s") -> str:
    """Template of a disk's or snapshot's id, with its resource group in that place's letter case."""
    folder = "snapshots" if kind.disks[k].form == "snapshot" else "disks"
    return f"{_RG}{group}{_COMPUTE}{folder}/{_disk_name(kind, k)}"


def _image(vm: Vm) -> Json:
    own = {
        "managed": "images/img-ubuntu-base",
        "gallery": _GALLERY,
        "aks": _GALLERY.replace("hardened", "aks"),
    }
    if vm.image in own:
        return {"id": f"{_RG}rg-images{_COMPUTE}{own[vm.image]}"}
    publisher, offer, sku, version = _PLATFORM["Confidential" if vm.image == "confidential" else vm.os]
    names = {"publisher": publisher, "offer": offer, "sku": sku, "version": "latest"}
    return names | {"exactVersion": version}


def _creation(disk: Disk, vm: Vm | None) -> Json:
    if disk.role == "data":
        return {"createOption": "Empty"}
    image = _image(vm or Vm("Standard_D4s_v3"))
    if vm and vm.image in {"gallery", "aks"}:
        return {"createOption": "FromImage", "galleryImageReference": image}
    path = "/Publishers/{publisher}/ArtifactTypes/VMImage/Offers/{offer}/Skus/{sku}/Versions/{exactVersion}"
    platform = "/Subscriptions/%(sub)s/Providers/Microsoft.Compute/Locations/%(location)s" + path
    reference = image["id"] if "id" in image else platform.format(**image)
    return {"createOption": "FromImage", "imageReference": {"id": reference}}


def _sharing(kind: Kind, disk: Disk) -> tuple[Json, Json]:
    """Owners of a disk, at its top level and among its properties."""
    ids = [vm_id(kind, i, "%(rg_owner)s") for i in disk.owners]
    head: Json = {"managedBy": ids[0]} if ids else {}
    if len(ids) < 2:  # noqa: PLR2004
        return head, {}
    shares = {"maxShares": len(ids), "shareInfo": [{"vmUri": i} for i in ids]}
    return head | {"managedByExtended": ids}, shares


def _disk_properties(kind: Kind, k: int, vm: Vm | None) -> Json:
    disk, snapshot = kind.disks[k], kind.disks[k].form == "snapshot"
    n = 0 if snapshot else k
    system: Json = (
        {"osType": vm.os if vm else "Windows", "hyperVGeneration": "V2"} if disk.role == "os" else {}
    )
    origin = (
        {"createOption": "Copy", "sourceResourceId": disk_id(kind, 0)} if snapshot else _creation(disk, vm)
    )
    body = system | {"creationData": origin, "diskSizeGB": f"%(gib{n})s"}
    body |= {"incremental": True} if snapshot else _speed(disk, k)
    if vm and disk.role == "os" and _trusted(vm):
        body["securityProfile"] = {"securityType": "TrustedLaunch"}
    for part in disk.parts:
        body = merge(body, part.body)
    if "encryption" in body:  # an api version too old for it has none of these
        body |= {"networkAccessPolicy": "AllowAll", "publicNetworkAccess": "Enabled"}
    state = "Unattached" if vm is None else "Reserved" if vm.power != "running" else "Attached"
    body |= {"timeCreated": "%(created)s", "provisioningState": "Succeeded", "diskState": disk.state or state}
    return body | {"diskSizeBytes": f"%(bytes{n})s", "uniqueId": f"%(guid{k})s"}


def _speed(disk: Disk, k: int) -> Json:
    body = {"diskIOPSReadWrite": f"%(iops{k})s", "diskMBpsReadWrite": f"%(mbps{k})s"}
    return body | ({"tier": f"%(tier{k})s"} if disk.sku == "Premium_LRS" else {})


def disk_body(kind: Kind, k: int) -> Json:
    """ARM body of a managed disk or a snapshot."""
    disk = kind.disks[k]
    vm = kind.vms[disk.owners[0]] if disk.owners else None
    folder, sku = ("snapshots", "Standard_ZRS") if disk.form == "snapshot" else ("disks", disk.sku)
    head: Json = {"name": _disk_name(kind, k), "id": disk_id(kind, k), "type": f"Microsoft.Compute/{folder}"}
    owner, shares = _sharing(kind, disk)
    head |= {"location": "%(location)s", "tags": "%(tags)s"} | owner
    head["sku"] = {"name": sku, "tier": re.sub(r"SSD|V2|_.*", "", sku)}
    if not sku.startswith(("Premium_", "Standard_")):
        head["zones"] = ["1"]
    return head | {"properties": _disk_properties(kind, k, vm) | shares}


def _trusted(vm: Vm) -> bool:
    return vm.image == "platform" and not vm.ade and (vm.form == "absent" or vm.size.endswith("v5"))


def _entry(kind: Kind, k: int, vm: Vm) -> Json:
    """How a VM lists one of its disks."""
    disk = kind.disks[k]
    managed: Json = {"storageAccountType": disk.sku, "id": disk_id(kind, k, "%(rg_list)s")}
    entry: Json = {"osType": vm.os} if disk.role == "os" else {"lun": k, "toBeDetached": False}
    entry |= {"name": _disk_name(kind, k), "caching": disk.caching, "managedDisk": managed}
    entry |= {"createOption": "FromImage" if disk.role == "os" else "Attach", "deleteOption": "Detach"}
    if disk.form in {"ephemeral", "nameless"}:
        managed["storageAccountType"] = "StandardSSD_LRS"
        local = {"option": "Local", "placement": "ResourceDisk"}
        entry |= {"diffDiskSettings": local, "caching": "ReadOnly", "deleteOption": "Delete"}
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
    codes = ["ProvisioningState/succeeded", *([f"EncryptionState/{disk.seen}"] if disk.seen else [])]
    status: Json = {"name": _disk_name(kind, k), "statuses": [{"code": c, "level": "Info"} for c in codes]}
    for part in disk.parts:
        volumes = part.body.get("encryptionSettingsCollection", {}).get("encryptionSettings", [])
        if volumes and disk.seen:
            status["encryptionSettings"] = [{"enabled": True} | volume for volume in volumes]
    return status


def _instance_view(kind: Kind, i: int, mine: list[int]) -> Json:
    vm = kind.vms[i]
    view: Json = {"disks": [_status(kind, k) for k in mine], "hyperVGeneration": "V2"}
    if vm.legacy:
        code = "ComponentStatus/Microsoft.Azure.Security/succeeded"
        name = extension_body(kind, i)["name"]
        substatus = {"code": code, "level": "Info", "message": '{"os": "Encrypted", "data": "Encrypted"}'}
        handler = f"Microsoft.Azure.Security.{name}"
        view["extensions"] = [{"name": name, "type": handler, "substatuses": [substatus]}]
    power = {"code": f"PowerState/{vm.power}", "level": "Info", "displayStatus": f"VM {vm.power}"}
    return view | {"statuses": [power]}


def extension_body(kind: Kind, i: int) -> Json:
    """ARM body of a VM's ADE extension, or of its monitoring agent where it has no ADE."""
    vm = kind.vms[i]
    if not vm.ade:
        publisher, name, version = "Microsoft.Azure.Monitor", f"AzureMonitor{vm.os}Agent", "1.0"
        settings: Json = {}
    else:
        publisher, name = "Microsoft.Azure.Security", "AzureDiskEncryption" + "ForLinux" * (vm.os == "Linux")
        versions = {"Windows": ("2.2", "1.1"), "Linux": ("1.1", "0.1")}
        version, settings = versions[vm.os][vm.legacy], _ade_settings(vm)
    head = {"name": name, "id": f"{vm_id(kind, i)}/extensions/{name}", "type": f"{_VMS}/extensions"}
    properties = {"autoUpgradeMinorVersion": True, "provisioningState": "Succeeded", "publisher": publisher}
    properties |= {"type": name, "typeHandlerVersion": version, "settings": settings}
    return head | {"location": "%(location)s", "properties": properties}


def _ade_settings(vm: Vm) -> Json:
    operation, volume, *keks = vm.ade
    settings = {"EncryptionOperation": operation, "SequenceVersion": "%(secret)s", "VolumeType": volume}
    if not operation.startswith("Disable"):
        store = keks[0] if keks else "std"
        settings["KeyVaultURL"] = f"https://{VAULTS[store]}.vault.azure.net/"
        settings["KeyVaultResourceId"] = vault_id(store)
    for kek in keks:
        settings |= {"KeyEncryptionKeyURL": key_url("kek", kek), "KekVaultResourceId": vault_id(kek)}
        settings["KeyEncryptionAlgorithm"] = "RSA-OAEP"
    return settings | ({"AADClientID": "%(app)s"} if vm.legacy else {})


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
    head: Json = {"name": _vm_name(kind, i), "id": vm_id(kind, i)}
    head |= {"type": _VMS, "location": "%(location)s", "tags": "%(tags)s"}
    if any(kind.disks[k].sku == "UltraSSD_LRS" for k in mine):
        properties["additionalCapabilities"] = {"ultraSSDEnabled": True}
    if vm.view:
        properties["instanceView"] = _instance_view(kind, i, mine)
    if vm.form == "flexible":
        head["managedBy"], properties["virtualMachineScaleSet"] = set_id, {"id": set_id}
    if uniform:
        head |= {"type": f"{_SETS}/virtualMachines", "instanceId": str(i)}
        head["sku"] = {"name": vm.size, "tier": "Standard"}
        properties["latestModelApplied"] = vm.host == kind.vms[-1].host
        properties["modelDefinitionApplied"] = "VirtualMachineScaleSet"
    if vm.ade or vm.agent:
        extension = extension_body(kind, i)
        head["resources"] = [{"id": extension["id"]} if vm.apart else extension]
    return head | {"properties": properties}


def scale_set_body(kind: Kind) -> Json:
    """ARM body of the scale set; its model is as its last instance."""
    vm = kind.vms[-1]
    os_disk: Json = {"osType": vm.os, "createOption": "FromImage", "caching": "ReadWrite"}
    os_disk["managedDisk"] = {"storageAccountType": "Premium_LRS"}
    profile = {"storageProfile": {"osDisk": os_disk, "imageReference": _image(vm)}} | _security(vm)
    mode = "Uniform" if vm.form == "instance" else "Flexible"
    properties = {"orchestrationMode": mode, "virtualMachineProfile": profile, "timeCreated": "%(created)s"}
    head: Json = {"name": "%(vm)s", "id": f"{_RG}%(rg_vm)s{_COMPUTE}virtualMachineScaleSets/%(vm)s"}
    head |= {"type": _SETS, "location": "%(location)s", "tags": "%(tags)s"}
    head["sku"] = {"name": vm.size, "tier": "Standard", "capacity": len(kind.vms)}
    return head | {"properties": properties | {"provisioningState": "Succeeded"}}
