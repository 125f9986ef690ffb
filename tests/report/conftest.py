"""A tenant small enough to be worked out by hand, with names that try to become markup."""

from __future__ import annotations

import json
import pickle

import pytest

from diskenc_analysis import history, report
from diskenc_analysis.opening import read
from tests import rules
from tests.shared import ASKED, once

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"
SUBSCRIPTION = "/subscriptions/11111111-1111-4111-8111-111111111111"
_COMPUTE = f"{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Compute"
_PLATFORM = {"type": "EncryptionAtRestWithPlatformKey"}
_CUSTOMER = {
    "type": "EncryptionAtRestWithCustomerKey",
    "diskEncryptionSetId": f"{_COMPUTE}/diskEncryptionSets/des",
}


def disk(name, gib, encryption, vm=None):
    owner = {"managedBy": f"{_COMPUTE}/virtualMachines/{vm}"} if vm else {}
    properties = {
        "diskSizeGB": gib,
        "diskState": "Attached" if vm else "Unattached",
        "encryption": encryption,
        "timeCreated": "2026-01-01T00:00:00Z",
    }
    return {
        "id": f"{_COMPUTE}/disks/{name}",
        "name": name,
        "type": "Microsoft.Compute/disks",
        "location": "westeurope",
        "properties": properties,
    } | owner


def vm(name, os_disk, data_disks, *, host):
    managed = [
        {"lun": n, "name": d, "managedDisk": {"id": f"{_COMPUTE}/disks/{d}"}}
        for n, d in enumerate(data_disks)
    ]
    os = {"name": os_disk, "osType": "Linux", "managedDisk": {"id": f"{_COMPUTE}/disks/{os_disk}"}}
    return {
        "id": f"{_COMPUTE}/virtualMachines/{name}",
        "name": name,
        "type": "Microsoft.Compute/virtualMachines",
        "location": "westeurope",
        "properties": {
            "hardwareProfile": {"vmSize": "Standard_D4s_v3"},
            "storageProfile": {"osDisk": os, "dataDisks": managed},
            "securityProfile": {"encryptionAtHost": host},
        },
    }


def snapshot(name, gib):
    return {
        "id": f"{_COMPUTE}/snapshots/{name}",
        "name": name,
        "type": "Microsoft.Compute/snapshots",
        "location": "westeurope",
        "properties": {"diskSizeGB": gib, "encryption": _PLATFORM},
    }


def subscription(name):
    return {
        "id": SUBSCRIPTION,
        "type": "Microsoft.Resources/subscriptions",
        "subscriptionId": SUBSCRIPTION.rsplit("/", 1)[1],
        "displayName": name,
        "state": "Enabled",
    }


@pytest.fixture(scope="session")
def tenant(tmp_path_factory):
    """Two VMs, one with encryption at host; three attached disks, one unattached, one snapshot."""
    return once(tmp_path_factory, "tenant", _write_tenant)


def _write_tenant(folder):
    content = {
        "disks": [
            disk("os-1", 128, _PLATFORM, "vm-1"),
            disk("data-1", 256, _CUSTOMER, "vm-1"),
            disk(EVIL.replace("/", "%"), 64, _PLATFORM, "vm-2"),
            disk("left-over", 32, _PLATFORM),
        ],
        "vms": [
            vm("vm-1", "os-1", ["data-1"], host=True),
            vm("vm-2", EVIL.replace("/", "%"), [], host=False),
        ],
        "snapshots": [snapshot("copy", 128)],
        "subscriptions": [subscription(EVIL)],
    }
    for name, objects in content.items():
        (folder / f"{name}.json").write_text(json.dumps(objects))


@pytest.fixture(scope="session")
def rendered(tenant, tmp_path_factory):
    """The report of that tenant, and what was told of its progress; not to be changed."""

    def make(folder):
        seen = []
        out = folder / "report" / "re{port}"
        made = report.render(tenant, out, as_of="2026-11-24", progress=lambda *told: seen.append(told))
        (folder / "told").write_bytes(pickle.dumps((made, seen)))

    return pickle.loads((once(tmp_path_factory, "rendered", make) / "told").read_bytes())  # noqa: S301 - ours


@pytest.fixture(scope="session")
def captures(tmp_path_factory):
    """Two exports, a month apart; encryption at host was switched off between them."""
    evil = "</script><img src=x onerror=alert(1)>"
    head = {"tags": {evil: evil}}

    def make(folder):
        for day, security in (("2026-10-24", rules.HOST), ("2026-11-24", None)):
            machine = rules.vm("a", size=rules.V3, security=security)
            rules.write(folder / day, [machine, rules.disk("a-os", "a", system="Windows", head=head)])

    return sorted(once(tmp_path_factory, "captures", make).glob("20*"))


@pytest.fixture(scope="session")
def over_time(captures, tmp_path_factory):
    """The report of the later export, with the earlier one and a history of both; not to be changed."""

    def make(folder):
        for capture in captures:
            history.add(read(capture, engine="auto"), folder / "store")
        given = {"baseline": str(captures[0]), "history": str(folder / "store")}
        made = report.render(captures[1], folder / "out", ASKED, given, as_of="2026-11-24")
        assert made.exit_code == 0, made.failures

    return once(tmp_path_factory, "over-time", make) / "out"
