"""The ARM bodies of a sample tenant's disks and snapshots, and the ids and names of what it holds.

A body is a template: `%(name)s` marks what differs between the copies of one kind.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from diskenc_analysis.sample_kinds import Disk, Kind, Vm
from diskenc_analysis.sample_parts import Json

RG = "/subscriptions/%(sub)s/resourceGroups/"
COMPUTE = "/providers/Microsoft.Compute/"
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


def vm_name(kind: Kind, i: int) -> str:
    """Template of a VM's name."""
    names = {"instance": f"%(vm)s_{i}", "flexible": f"%(vm)s_7c3a51e{i}"}
    return names.get(kind.vms[i].form, "%(vm)s" if i == 0 else f"%(vm)s-{i + 1}")


def vm_id(kind: Kind, i: int, group: str = "%(rg_vm)s") -> str:
    """Template of a VM's id, whose resource group comes in another letter case here and there."""
    inner = f"virtualMachineScaleSets/%(vm)s/virtualMachines/{i}"
    path = inner if kind.vms[i].form == "instance" else f"virtualMachines/{vm_name(kind, i)}"
    return f"{RG}{group}{COMPUTE}{path}"


def disk_name(kind: Kind, k: int) -> str:
    """Template of the name of a disk or snapshot."""
    disk = kind.disks[k]
    if disk.form == "snapshot":
        return f"{disk_name(kind, 0)}-snap"
    vm = vm_name(kind, disk.owners[0]) if disk.owners else "%(vm)s"
    if disk.role == "data" and disk.owners and kind.vms[0].image == "aks":
        return f"pvc-%(guid{k})s"
    return f"{vm}_OsDisk_1_%(hex{k})s" if disk.role == "os" else f"{vm}-data-{k:02d}"


def disk_id(kind: Kind, k: int, group: str = "%(rg_disk)s") -> str:
    """Template of a disk's or snapshot's id, with its resource group in that place's letter case."""
    folder = "snapshots" if kind.disks[k].form == "snapshot" else "disks"
    return f"{RG}{group}{COMPUTE}{folder}/{disk_name(kind, k)}"


def image_of(vm: Vm) -> Json:
    """Reference to the image that a VM was made from."""
    own = {
        "managed": "images/img-ubuntu-base",
        "gallery": _GALLERY,
        "aks": _GALLERY.replace("hardened", "aks"),
    }
    if vm.image in own:
        return {"id": f"{RG}rg-images{COMPUTE}{own[vm.image]}"}
    publisher, offer, sku, version = _PLATFORM["Confidential" if vm.image == "confidential" else vm.os]
    names = {"publisher": publisher, "offer": offer, "sku": sku, "version": "latest"}
    return names | {"exactVersion": version}


def _creation(disk: Disk, vm: Vm | None) -> Json:
    if disk.role == "data":
        return {"createOption": "Empty"}
    image = image_of(vm or Vm("Standard_D4s_v3"))
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
    if vm and disk.role == "os" and is_trusted(vm):
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
    head: Json = {"name": disk_name(kind, k), "id": disk_id(kind, k), "type": f"Microsoft.Compute/{folder}"}
    owner, shares = _sharing(kind, disk)
    head |= {"location": "%(location)s", "tags": "%(tags)s"} | owner
    head["sku"] = {"name": sku, "tier": re.sub(r"SSD|V2|_.*", "", sku)}
    if not sku.startswith(("Premium_", "Standard_")):
        head["zones"] = ["1"]
    return head | {"properties": _disk_properties(kind, k, vm) | shares}


def is_trusted(vm: Vm) -> bool:
    """Say whether a VM is a trusted launch one."""
    return vm.image == "platform" and not vm.ade and (vm.form == "absent" or vm.size.endswith("v5"))


def vhd_uri(kind: Kind, k: int) -> str:
    """URI of an unmanaged disk's blob."""
    return f"https://stlegacy%(tag)s.blob.core.windows.net/vhds/{disk_name(kind, k)}.vhd"
