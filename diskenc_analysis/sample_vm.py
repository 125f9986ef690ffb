"""The ARM bodies of a sample tenant's virtual machines, scale sets and extensions, as templates."""

from __future__ import annotations

from diskenc_analysis.sample_arm import (
    COMPUTE,
    RG,
    disk_id,
    disk_name,
    image_of,
    is_trusted,
    merge,
    vhd_uri,
    vm_id,
    vm_name,
)
from diskenc_analysis.sample_kinds import Kind, Vm
from diskenc_analysis.sample_parts import VAULTS, Json, key_url, vault_id

_VMS, _SETS = "Microsoft.Compute/virtualMachines", "Microsoft.Compute/virtualMachineScaleSets"


def _entry(kind: Kind, k: int, vm: Vm) -> Json:
    """How a VM lists one of its disks."""
    disk = kind.disks[k]
    managed: Json = {"storageAccountType": disk.sku, "id": disk_id(kind, k, "%(rg_list)s")}
    entry: Json = {"osType": vm.os} if disk.role == "os" else {"lun": k, "toBeDetached": False}
    entry |= {"name": disk_name(kind, k), "caching": disk.caching, "managedDisk": managed}
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


def _status(kind: Kind, k: int) -> Json:
    """What the instance view says of one disk."""
    disk = kind.disks[k]
    codes = ["ProvisioningState/succeeded", *([f"EncryptionState/{disk.seen}"] if disk.seen else [])]
    status: Json = {"name": disk_name(kind, k), "statuses": [{"code": c, "level": "Info"} for c in codes]}
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
    return {
        "imageReference": image_of(vm),
        "osDisk": os_disk,
        "dataDisks": data,
        "diskControllerType": "SCSI",
    }


def _security(vm: Vm) -> Json:
    chips = {"uefiSettings": {"secureBootEnabled": True, "vTpmEnabled": True}}
    profile: Json = {"encryptionAtHost": True} if vm.host else {}
    if vm.image == "confidential":
        profile |= chips | {"securityType": "ConfidentialVM"}
    elif is_trusted(vm):
        profile |= chips | {"securityType": "TrustedLaunch"}
    return {"securityProfile": profile} if profile else {}


def vm_body(kind: Kind, i: int) -> Json:
    """ARM body of a virtual machine, or of an instance of a Uniform scale set."""
    vm, mine = kind.vms[i], [k for k, d in enumerate(kind.disks) if i in d.owners]
    uniform, set_id = vm.form == "instance", RG + "%(rg_vm)s" + COMPUTE + "virtualMachineScaleSets/%(vm)s"
    properties: Json = {"vmId": f"%(vmid{i})s", "hardwareProfile": {} if uniform else {"vmSize": vm.size}}
    properties |= {"storageProfile": _storage_profile(kind, i, mine), "provisioningState": "Succeeded"}
    properties |= _security(vm) | {"timeCreated": "%(created)s"}
    head: Json = {"name": vm_name(kind, i), "id": vm_id(kind, i)}
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
    profile = {"storageProfile": {"osDisk": os_disk, "imageReference": image_of(vm)}} | _security(vm)
    mode = "Uniform" if vm.form == "instance" else "Flexible"
    properties = {"orchestrationMode": mode, "virtualMachineProfile": profile, "timeCreated": "%(created)s"}
    head: Json = {"name": "%(vm)s", "id": f"{RG}%(rg_vm)s{COMPUTE}virtualMachineScaleSets/%(vm)s"}
    head |= {"type": _SETS, "location": "%(location)s", "tags": "%(tags)s"}
    head["sku"] = {"name": vm.size, "tier": "Standard", "capacity": len(kind.vms)}
    return head | {"properties": properties | {"provisioningState": "Succeeded"}}
