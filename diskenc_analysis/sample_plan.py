"""A sample tenant's kinds as lines of JSON to be filled in, each with its truth."""

from __future__ import annotations

from dataclasses import dataclass

from diskenc_analysis.sample_arm import disk_body, disk_id, template, vhd_uri, vm_id
from diskenc_analysis.sample_defender import Target, targets_of
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


@dataclass(frozen=True)
class Plan:
    """A kind as templates: lines for every copy, and what Defender judges of it."""

    kind: Kind
    lines: tuple[tuple[str, str], ...]
    targets: tuple[Target, ...]
    keys: frozenset[tuple[str, str]]
    name: str


def plan_of(kind: Kind) -> Plan:
    """Write a kind's bodies and truth as templates."""
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
    return Plan(kind, tuple(lines), targets_of(kind), keys, _name(kind))


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
