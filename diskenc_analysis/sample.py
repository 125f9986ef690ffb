"""A made-up Azure tenant with every kind of disk and the truth about each: same arguments, same bytes."""

from __future__ import annotations

import json
import random
from bisect import bisect
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import TextIO
from uuid import NAMESPACE_DNS, uuid5

from diskenc_analysis.errors import ParameterError
from diskenc_analysis.sample_arm import (
    disk_body,
    disk_id,
    extension_body,
    scale_set_body,
    template,
    vhd_uri,
    vm_body,
    vm_id,
)
from diskenc_analysis.sample_kinds import KINDS, VAULTS, Disk, Json, Kind, Vm, key_url, set_id, vault_id

#: The file of the truth; a name that begins with a dot is never loaded.
TRUTH = ".truth.csv"
#: Tables that have a file of JSON lines each, where there is anything in them.
TABLES = (
    *("subscriptions", "virtual_machines", "scale_sets", "scale_set_vms", "extensions", "disks", "snapshots"),
    *("disk_encryption_sets", "key_vaults", "managed_hsms", "keys", "vm_sizes", "assessments"),
)
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
#: Code, name, environment, region and share in percent of each subscription profile.
_PROFILES = (
    ("eu", "contoso-prod-eu", "Prod", "westeurope", 28),
    ("us", "contoso-prod-us", "Prod", "eastus", 22),
    ("le", "contoso-legacy-ade", "Prod", "uksouth", 16),
    ("co", "contoso-confidential", "Prod", "northeurope", 10),
    ("sb", "contoso-dev-sandbox", "Dev", "westus2", 14),
    ("ac", "contoso-acquired", "Prod", "eastus2", 10),
)
_APPS = ("web", "api", "sql", "erp", "etl", "sap", "mail", "file", "bi", "hr")
_OWNERS = ("platform-team", "data-team", "r.ivanova@contoso.example", "R&D <lab>")
#: Size in GiB, IOPS, MB/s and tier of Premium SSD disks; the first two are OS disks of Linux and Windows.
_DISK_SIZES = (
    *((30, 120, 25, "P4"), (127, 500, 100, "P10"), (64, 240, 50, "P6"), (128, 500, 100, "P10")),
    *((256, 1100, 125, "P15"), (512, 2300, 150, "P20"), (1024, 5000, 200, "P30"), (2048, 7500, 250, "P40")),
)
#: Name, local disk in MB and confidential type of the VM sizes that are listed; names must tell the others.
_VM_SIZES = (("D4s_v3", 32768, ""), ("D4s_v4", 0, ""), ("D4ds_v5", 153600, ""), ("DC4as_v5", 0, "SNP"))
_SET_TYPES = {"cmk": "EncryptionAtRestWithCustomerKey", "cvm": "ConfidentialVmEncryptedWithCustomerKey"}
_WINDOWS_KEY, _LINUX_KEY = "0cb5f317-a94b-6b80-7212-13a9cc8826af", "a40cc620-e72c-fdf4-c554-c6ca2cd705c0"
_HOST_KEY = "efbbd784-656d-473a-9863-ea7693bfcd2a"


def _guid(*words: object) -> str:
    return str(uuid5(NAMESPACE_DNS, ".".join(map(str, words)) + ".contoso.example"))


@dataclass
class _Subscription:
    code: str
    name: str
    env: str
    location: str
    share: int
    tag: str
    rows: int = 0
    keys: set[tuple[str, str]] = field(default_factory=set)
    common: dict[str, object] = field(init=False)
    tags: list[str] = field(init=False)
    node_tags: str = field(init=False)

    def __post_init__(self) -> None:
        own: Json = {"sub": _guid(self.name), "hub": _guid("hub"), "tag": self.tag, "location": self.location}
        own |= {"app": _guid(self.name, "app"), "secret": _guid(self.name, "secret")}
        self.common = own | {"version": _guid(self.name, "version").replace("-", "")}
        head = {"env": self.env.lower(), "costCenter": f"CC-{1000 + self.share}"}
        owners = _OWNERS if self.code == "sb" else _OWNERS[:3]
        # Nobody has tagged what came with an acquisition.
        made = [{"owner": "unknown"}, {}] if self.code == "ac" else [head | {"owner": o} for o in owners]
        self.tags = [json.dumps(tags, separators=(",", ":")) for tags in made]
        self.node_tags = json.dumps(made[0] | {"aks-managed-poolName": "nodepool1"}, separators=(",", ":"))


def _subscriptions(count: int) -> list[_Subscription]:
    made = []
    for i in range(count):
        code, name, env, location, share = _PROFILES[i % len(_PROFILES)]
        again = f"{1 + i // len(_PROFILES)}" if i >= len(_PROFILES) else ""
        made.append(_Subscription(code, f"{name}-{again}".rstrip("-"), env, location, share, code + again))
    return made


@dataclass(frozen=True)
class _Plan:
    """A kind as templates: lines for every copy, and the assessments that only some copies have."""

    kind: Kind
    lines: tuple[tuple[str, str], ...]
    assessments: tuple[str, ...]
    keys: frozenset[tuple[str, str]]
    name: str


def _plan(kind: Kind) -> _Plan:
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
    return _Plan(kind, tuple(lines), made, keys, _name(kind))


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


def _draw(rng: random.Random, subs: list[_Subscription], disks: int) -> Iterator[tuple[_Subscription, _Plan]]:
    """Place each kind once in its home, then fill each subscription up to its share."""
    plans, codes = [_plan(kind) for kind in KINDS], [profile[0] for profile in _PROFILES]
    left = disks
    for plan in plans:
        if len(plan.kind.disks) <= left:
            left -= len(plan.kind.disks)
            sub = subs[codes.index(next(iter(plan.kind.mix))) % len(subs)]
            sub.rows += len(plan.kind.disks)
            yield sub, plan
    spare = next(plan for plan in plans if plan.kind.label == "free_pmk")
    for sub, rows in zip(subs, _shares(subs, disks, left), strict=True):
        weights = list(accumulate(plan.kind.mix.get(sub.code, 0) for plan in plans))
        while rows > 0:
            plan = plans[bisect(weights, rng.random() * weights[-1])]
            plan = plan if len(plan.kind.disks) <= rows else spare
            rows -= len(plan.kind.disks)  # noqa: PLW2901
            yield sub, plan


def _shares(subs: list[_Subscription], disks: int, left: int) -> list[int]:
    """Split what is left so that each subscription comes near its share of all."""
    total = sum(sub.share for sub in subs)
    lacking = [max(0, disks * sub.share // total - sub.rows) for sub in subs]
    shares = [left * lack // max(1, sum(lacking)) for lack in lacking]
    shares[0] += left - sum(shares)
    return shares


def _fields(rng: random.Random, n: int, sub: _Subscription, plan: _Plan) -> dict[str, object]:
    """What differs between the copies of a kind."""
    app = _APPS[n % len(_APPS)]
    group = f"RG-{app.capitalize()}-{sub.env}"
    tags = sub.tags[n % len(sub.tags)]
    if plan.name.startswith("aks"):
        group, tags = f"MC_rg-aks-{sub.env.lower()}_aks-{app}_{sub.location}", sub.node_tags
    upper, case = group.upper(), n // len(_APPS) % 10
    values: dict[str, object] = {"vm": plan.name.format(app=app, n=n), "tags": tags}
    values["rg_disk"] = upper if case in {0, 3} else group
    values["rg_vm"] = upper if case in {2, 3} else group
    values["rg_owner"] = group.lower() if case == 1 else group
    values["rg_list"] = upper if case == 4 else group  # noqa: PLR2004
    day = f"202{2 + n % 4}-{1 + n % 12:02d}-{1 + n % 28:02d}"
    values["created"] = f"{day}T{n % 24:02d}:15:00.{n % 10000:07d}+00:00"
    for i in range(len(plan.kind.vms)):
        values[f"vmid{i}"] = _dashed(f"{rng.getrandbits(128):032x}")
    for k, disk in enumerate(plan.kind.disks):
        values |= _disk_fields(rng.getrandbits(128), k, disk, plan.kind)
    return values


def _dashed(text: str) -> str:
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _disk_fields(bits: int, k: int, disk: Disk, kind: Kind) -> dict[str, object]:
    text = f"{bits:032x}"
    windows = not kind.vms or kind.vms[0].os == "Windows"
    gib, iops, mbps, tier = _DISK_SIZES[int(windows) if disk.role == "os" else 2 + bits % 6]
    sizes = {f"gib{k}": gib, f"bytes{k}": gib * 2**30, f"iops{k}": iops, f"mbps{k}": mbps, f"tier{k}": tier}
    return {f"hex{k}": text, f"guid{k}": _dashed(text), **sizes}


def _set_body(use: str, store: str) -> Json:
    key: Json = {"keyUrl": key_url(use, store)}
    if store not in {"mhsm", "hub"}:  # a set names no vault of another subscription, and no managed HSM
        key["sourceVault"] = {"id": vault_id(store)}
    kind = _SET_TYPES.get(use, "EncryptionAtRestWithPlatformAndCustomerKeys")
    body = {"activeKey": key, "encryptionType": kind, "rotationToLatestKeyVersionEnabled": use == "cmk"}
    head = _head(set_id(use, store), "Microsoft.Compute/diskEncryptionSets")
    identity = {"type": "SystemAssigned", "principalId": "%(app)s", "tenantId": _guid("tenant")}
    return head | {"identity": identity, "properties": body | {"provisioningState": "Succeeded"}}


def _vault_body(store: str) -> Json:
    sku = {"family": "A", "name": "standard" if store == "std" else "premium"}
    body: Json = {
        "sku": sku,
        "tenantId": _guid("tenant"),
        "accessPolicies": [],
        "enabledForDiskEncryption": True,
    }
    body |= {"enableSoftDelete": True, "softDeleteRetentionInDays": 90, "enablePurgeProtection": True}
    body |= {"enableRbacAuthorization": True, "vaultUri": f"https://{VAULTS[store]}.vault.azure.net/"}
    return _head(vault_id(store), "Microsoft.KeyVault/vaults") | {"properties": body}


def _hsm_body() -> Json:
    path = (
        "/subscriptions/%(sub)s/resourceGroups/rg-keys/providers/Microsoft.KeyVault/managedHSMs/hsm-%(tag)s"
    )
    body: Json = {"tenantId": _guid("tenant"), "hsmUri": "https://hsm-%(tag)s.managedhsm.azure.net/"}
    body |= {"enableSoftDelete": True, "softDeleteRetentionInDays": 90, "enablePurgeProtection": True}
    sku = {"family": "B", "name": "Standard_B1"}
    return _head(path, "Microsoft.KeyVault/managedHSMs") | {"sku": sku, "properties": body}


def _key_body(use: str, store: str) -> Json:
    """A key as the vault's ARM proxy lists it; confidential encryption needs an exportable one."""
    url, attributes = (
        key_url(use, store),
        {"enabled": True, "created": 1700000000, "exportable": use == "cvm"},
    )
    body: Json = {"attributes": attributes, "kty": "RSA-HSM" if store == "hsm" else "RSA", "keySize": 3072}
    body |= {"keyOps": ["wrapKey", "unwrapKey"], "keyUri": url.rpartition("/")[0], "keyUriWithVersion": url}
    if use == "cvm":
        body["release_policy"] = {"contentType": "application/json; charset=utf-8"}
    return _head(f"{vault_id(store)}/keys/{use}-{store}", "Microsoft.KeyVault/vaults/keys") | {
        "properties": body
    }


def _head(path: str, arm_type: str) -> Json:
    return {"id": path, "name": path.rpartition("/")[2], "type": arm_type, "location": "%(location)s"}


def _key_lines(keys: set[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Sets, vaults, managed HSM and keys behind the disks of one subscription, as far as they can be read."""
    for use, store in sorted(keys):
        if use != "kek" and store != "gone":
            yield "disk_encryption_sets", template(_set_body(use, store))
        if store in {"std", "hsm"}:
            yield "keys", template(_key_body(use, store))
    stores = {store for _, store in keys}
    for store in ("std", "hsm"):
        if stores & {store, "prem" if store == "hsm" else store}:
            yield "key_vaults", template(_vault_body(store))
    if "mhsm" in stores:
        yield "managed_hsms", template(_hsm_body())


def _size_line(name: str, megabytes: int, confidential: str, location: str) -> str:
    found = {"vCPUs": "4", "MemoryGB": "16", "MaxResourceVolumeMB": str(megabytes), "PremiumIO": "True"}
    found |= {"EncryptionAtHostSupported": "True", "HyperVGenerations": "V2" if confidential else "V1,V2"}
    if confidential:
        found["ConfidentialComputingType"] = confidential
    head = {"resourceType": "virtualMachines", "name": f"Standard_{name}", "tier": "Standard", "size": name}
    capabilities = [{"name": key, "value": value} for key, value in found.items()]
    return template(head | {"locations": [location], "capabilities": capabilities, "restrictions": []})


class _Files:
    """The tenant's files, made when something is first written to them."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder, self._stack = folder, stack
        self._open: dict[str, TextIO] = {}

    def write(self, name: str, line: str) -> None:
        """Add a line to a table's file, or to the truth."""
        if name not in self._open:
            path = self._folder / (name if name == TRUTH else f"{name}.jsonl")
            file = path.open("w", encoding="utf-8", newline="\n", buffering=1 << 20)
            self._open[name] = self._stack.enter_context(file)
        self._open[name].write(line + "\n")


def generate(out: Path, disks: int = 400, subscriptions: int = 6, seed: int = 7) -> Path:
    """Write a made-up tenant as ARM returns it, JSON lines by resource type, and the truth beside it.

    Parameters
    ----------
    out : Path
        Folder to write; it is made, and files of these names in it are replaced.
    disks : int
        How many rows the coverage frame of the tenant has: disks, snapshots, ephemeral and unmanaged disks.
        From 400 on every kind is there.
    subscriptions : int
        How many subscriptions, of six profiles that repeat.
    seed : int
        Seed of names and of chance.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ParameterError
        When there is to be no disk or no subscription.

    Examples
    --------
    >>> import tempfile
    >>> folder = generate(Path(tempfile.mkdtemp()), disks=10, subscriptions=1)
    >>> len((folder / ".truth.csv").read_text(encoding="utf-8").splitlines())
    11
    """
    if disks < 1 or subscriptions < 1:
        raise ParameterError(f"expected at least 1 disk and 1 subscription, got {disks} and {subscriptions}")
    out.mkdir(parents=True, exist_ok=True)
    for name in (*(f"{table}.jsonl" for table in TABLES), TRUTH):
        (out / name).unlink(missing_ok=True)
    subs, rng = _subscriptions(subscriptions), random.Random(seed)  # noqa: S311
    with ExitStack() as stack:
        files = _Files(out, stack)
        files.write(TRUTH, ",".join(COLUMNS))
        for n, (sub, plan) in enumerate(_draw(rng, subs, disks), start=1):
            _write_copy(files, plan, sub.common | _fields(rng, n, sub, plan), n)
            sub.keys.update(plan.keys)
        _write_rest(files, subs)
    return out


def _write_copy(files: _Files, plan: _Plan, values: Mapping[str, object], n: int) -> None:
    for name, line in plan.lines:
        files.write(name, line % values)
    if n % 3 == 0:  # Defender has assessed some of the VMs
        for line in plan.assessments:
            files.write("assessments", line % values)


def _write_rest(files: _Files, subs: list[_Subscription]) -> None:
    for sub in subs:
        guid = sub.common["sub"]
        head = {"id": f"/subscriptions/{guid}", "type": "Microsoft.Resources/subscriptions"}
        body = {
            "subscriptionId": guid,
            "displayName": sub.name,
            "tenantId": _guid("tenant"),
            "state": "Enabled",
        }
        files.write("subscriptions", template(head | body))
        for name, line in _key_lines(sub.keys):
            files.write(name, line % sub.common)
    for location in sorted({sub.location for sub in subs}):
        for size in _VM_SIZES:
            files.write("vm_sizes", _size_line(*size, location))
