"""A sample tenant's kinds as lines of JSON to be filled in, each with its truth and its assessments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from diskenc_analysis.sample_arm import disk_body, disk_id, template, vhd_uri, vm_id
from diskenc_analysis.sample_kinds import Disk, Kind, Vm
from diskenc_analysis.sample_vm import extension_body, scale_set_body, vm_body

#: The file of the truth; a name that begins with a dot is never loaded.
TRUTH = ".truth.csv"
CAPABILITIES = (
    *("at_rest", "temp_disk", "caches", "data_flow", "customer_keys", "hsm", "no_vm_cpu", "custom_images"),
    *("enhanced_key_protection", "defender_status"),
)
_LAYERS = ("sse", "host", "ade", "confidential", "method", "key_owner", "key_store", "temp_disk_key_owner")
#: Columns of the truth.
COLUMNS = (
    *("disk_id", "kind_label", "kind", "role", "attachment", *_LAYERS, "conflict"),
    *(f"{capability}@{year}" for year in (2023, 2026) for capability in CAPABILITIES),
)
_WORDS = {"y": "yes", "n": "no", "-": "not_applicable", "?": "unknown"}
_DEFENDER = {"H": "Healthy", "U": "Unhealthy", "N": "NotApplicable", "?": "unknown"}
_FORMS = {"disk": "managed_disk", "snapshot": "snapshot", "vhd": "unmanaged_disk"}
_WINDOWS_KEY, _LINUX_KEY = "0cb5f317-a94b-6b80-7212-13a9cc8826af", "a40cc620-e72c-fdf4-c554-c6ca2cd705c0"
_HOST_KEY = "efbbd784-656d-473a-9863-ea7693bfcd2a"


@dataclass(frozen=True)
class Plan:
    """A kind as templates: lines for every copy, and the assessments that only some copies have."""

    kind: Kind
    lines: tuple[tuple[str, str], ...]
    assessments: tuple[str, ...]
    keys: frozenset[tuple[str, str]]
    name: str


def plan_of(kind: Kind) -> Plan:
    """Write a kind's bodies, truth and assessments as templates."""
    lines, read = [], [i for i, vm in enumerate(kind.vms) if vm.form != "absent"]
    for i in read:
        vm = kind.vms[i]
        table = "scale_set_vms" if vm.form == "instance" else "virtual_machines"
        lines.append((table, template(vm_body(kind, i))))
        if vm.apart:
            lines.append(("extensions", template(extension_body(kind, i))))
    if any(kind.vms[i].form in {"instance", "flexible"} for i in read):
        lines.append(("scale_sets", template(scale_set_body(kind))))
    for k, disk in enumerate(kind.disks):
        if disk.form in {"disk", "snapshot"}:
            lines.append(("disks" if disk.form == "disk" else "snapshots", template(disk_body(kind, k))))
        lines.append((TRUTH, ",".join([_row_id(kind, k), kind.label, *_truth(kind, disk)])))
    keys = frozenset(part.key for disk in kind.disks for part in disk.parts if part.key)
    made = tuple(line for i in read if kind.vms[i].form != "instance" for line in _assessments(kind, i))
    return Plan(kind, tuple(lines), made, keys, _name(kind))


def _name(kind: Kind) -> str:
    """Pattern of the name of the kind's first VM or of its scale set."""
    forms, images = {vm.form for vm in kind.vms}, {vm.image for vm in kind.vms}
    if "aks" in images:
        return "aks-nodepool1-{n:08d}-vmss"
    return "vmss-{app}-{n:05d}" if forms & {"instance", "flexible"} else "vm-{app}-{n:05d}"


def _row_id(kind: Kind, k: int) -> str:
    disk = kind.disks[k]
    if disk.form == "nameless":
        return f"{vm_id(kind, disk.owners[0])}#osdisk"
    if disk.form == "vhd":
        return vhd_uri(kind, k)
    return disk_id(kind, k, "%(rg_list)s" if disk.form == "ephemeral" else "%(rg_disk)s")


def _truth(kind: Kind, disk: Disk) -> list[str]:
    """The truth of one row, without id and label: what its parts and its VM say, the later the stronger."""
    vm = kind.vms[disk.owners[0]] if disk.owners else None
    found = {"host": "not_attached", "ade": "off", "confidential": "off", "conflict": ""}
    for layer in (disk.parts[0].truth, _host(vm), *(part.truth for part in disk.parts[1:])):
        found |= layer
    words = [_FORMS.get(disk.form, "ephemeral_os_disk"), disk.role, "attached" if vm else "unattached"]
    words += [found.get(column, "") for column in (*_LAYERS, "conflict")]
    for letters in disk.verdicts:
        words += [_WORDS[letter] for letter in letters[:-1]] + [_DEFENDER[letters[-1]]]
    return words


def _host(vm: Vm | None) -> dict[str, str]:
    if vm is None:
        return {}
    if vm.form == "absent":
        return {"host": "unknown", "method": "unknown", "temp_disk_key_owner": vm.temp_key}
    on = {"host": "on", "method": "host"} if vm.host else {"host": "off"}
    return on | {"temp_disk_key_owner": vm.temp_key}


def _assessments(kind: Kind, i: int) -> Iterator[str]:
    """What Defender says of a VM: by the rule of its system, and by the rule on encryption at host."""
    vm = kind.vms[i]
    letter = next(d.verdicts[1][-1] for d in kind.disks if i in d.owners)
    codes = {_HOST_KEY: "Healthy" if vm.host else "Unhealthy"}
    if letter in "HU":
        codes[_WINDOWS_KEY if vm.os == "Windows" else _LINUX_KEY] = _DEFENDER[letter]
    for key, code in codes.items():
        system = {_WINDOWS_KEY: "Windows virtual machines", _LINUX_KEY: "Linux virtual machines"}.get(key)
        title = f"{system} should enable Azure Disk Encryption or EncryptionAtHost"
        if system is None:
            title = "Virtual machines and virtual machine scale sets should have encryption at host enabled"
        details = {"Source": "Azure", "Id": vm_id(kind, i, "%(rg_owner)s")}
        head = {"type": "Microsoft.Security/assessments", "name": key}
        head["id"] = f"{vm_id(kind, i)}/providers/Microsoft.Security/assessments/{key}"
        body = {"displayName": title, "status": {"code": code}, "resourceDetails": details}
        yield template(head | {"properties": body})
