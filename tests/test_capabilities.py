from __future__ import annotations

import math
import re

import pytest

import diskenc_analysis as de
from diskenc_analysis.errors import ParameterError
from tests.rules import (
    CAPABILITIES,
    CONFIDENTIAL_V2,
    CONFIDENTIAL_V5D,
    CVM,
    CVM_DISK,
    HOST,
    LATEST,
    NO_SUCH_SIZE,
    SEED,
    V3,
    V4,
    V5,
    V5D,
    Case,
    ade,
    agent,
    cmk,
    differences,
    disk,
    extension,
    image_id,
    judged_twice,
    listed,
    one,
    records,
    secured,
    seen,
    set_id,
    slug,
    snapshot,
    vm,
    vm_id,
    write,
)

CVM_PLATFORM, CVM_CUSTOMER = (
    secured(f"{CVM_DISK}PlatformKey"),
    secured(f"{CVM_DISK}CustomerKey", "confidential"),
)
NONE: dict = {}


def on_ade(rule: str, *, volume: object = "All", operation: str = "EnableEncryption", **given) -> Case:
    """Build a VM whose OS disk has ADE, with the extension that says which volumes."""
    expected = {k: v for k, v in given.items() if k not in {"machine", "collection"}}
    machine = given.get("machine", {})
    own = extension(slug(rule), operation, volume, system=machine.get("system", "Windows"))
    return one(rule, own, machine=machine, of_disk={"collection": given.get("collection", ade())}, **expected)


# The table itself, read off the document: SEED and FACTS 1.1. Size v3 has a temp disk, the image is a
# marketplace's, ADE is on Windows with volume type All. Letters in the order of the document's rows.
CELLS = [
    one("cells SSE", verdict="ynnnnnyynU"),
    one("cells SSE with DES", of_disk={"encryption": cmk("premium-hsm")}, verdict="ynnnyyyynU"),
    one(
        "cells SSE with DES on managed HSM", of_disk={"encryption": cmk("managed-hsm")}, verdict="ynnnyyyynU"
    ),
    one("cells host", machine={"security": HOST}, verdict="yyyynnyynH"),
    one(
        "cells host with DES",
        machine={"security": HOST},
        of_disk={"encryption": cmk("managed-hsm")},
        verdict="yyyyyyyynH",
    ),
    on_ade("cells ADE with KEK", collection=ade(kek="kv-premium"), verdict="yyyyyynynH"),
    on_ade("cells ADE without KEK", collection=ade(kek=None), verdict="yyyynnnynH"),
    on_ade(
        "cells ADE on a custom Linux image",
        operation="EnableEncryptionFormatAll",
        machine={"system": "Linux", "image": {"id": image_id("golden")}},
        verdict="yyyyynnnnH",
    ),
    one(
        "cells confidential",
        agent("cells-confidential"),
        machine={"security": CVM, "size": CONFIDENTIAL_V2},
        of_disk={"security": CVM_PLATFORM},
        verdict="ynyynnnyyN",
    ),
    one(
        "cells confidential with DES",
        agent("cells-confidential-with-des"),
        machine={"security": CVM, "size": CONFIDENTIAL_V2},
        of_disk={"security": CVM_CUSTOMER},
        verdict="ynyyyynyyN",
    ),
]

# Where the two editions differ (FACTS 1.1, 1.3): temp disk alone, and an ephemeral OS disk with it.
EDITIONS = [
    one(
        "editions v5 local disk",
        machine={"size": V5D},
        **{"verdict@2023": "ynnnnnyynU", "verdict@2026": "yynnnnyynU"},
    ),
    on_ade(
        "editions ADE of the OS volume",
        volume="OS",
        **{"verdict@2023": "yyyyynnynH", "verdict@2026": "ynyyynnynH"},
    ),
    one(
        "editions confidential v5",
        machine={"security": CVM, "size": CONFIDENTIAL_V5D},
        of_disk={"security": CVM_PLATFORM},
        **{"verdict@2023": "ynyynnnyyN", "verdict@2026": "yyyynnnyyN"},
    ),
]

# C1: any yes, else any unknown, else no; all-of for no_vm_cpu and custom_images.
C1 = [
    # An unknown owner: host would change temp disk, caches, flow and Defender, and nothing else.
    Case(
        "C1 host unknown", [disk("c1-gone", "gone", system="Windows")], {"c1-gone": {"verdict": "y???nnyyn?"}}
    ),
    # ADE answers what the host would: any-of is decided. Its temp disk and Defender depend on the VM.
    Case(
        "C1 host unknown under ADE",
        [disk("c1-gone-ade", "gone", system="Windows", collection=ade(kek="kv-premium"))],
        {"c1-gone-ade": {"verdict": "y?yyyynyn?"}},
    ),
    # ADE that may be on would use the CPU; host encryption decides the any-of rows.
    one(
        "C1 ADE unknown on an encrypted host",
        extension("c1-ade-unknown-on-an-encrypted-host"),
        machine={"security": HOST},
        ade="unknown",
        verdict="yyyy?.?ynH",
    ),
    one("C1 ADE unknown alone", extension("c1-ade-unknown-alone"), verdict="y????.?yn?"),
    one(
        "C1 confidential and host",
        machine={"security": CVM | HOST, "size": CONFIDENTIAL_V2},
        of_disk={"security": CVM_PLATFORM},
        verdict="yyyynnnyyN",
    ),
    one(
        "C1 storage key under host",
        machine={"security": HOST},
        of_disk={"encryption": cmk("no-such-set")},
        verdict="yyyyy?yynH",
    ),
    one(
        "C1 storage type unknown under host",
        machine={"security": HOST},
        of_disk={"encryption": None},
        verdict="yyyy??yynH",
    ),
]

# C2, C5, C7: the rows that are asked of a running VM are not asked of a disk without one.
FREE = "y---nn--nN"
C2 = [
    Case("C2 unattached", [disk("c2-free")], {"c2-free": {"verdict": FREE, "attachment": "unattached"}}),
    Case(
        "C2 with customer key",
        [disk("c2-key", encryption=cmk("premium-hsm"))],
        {"c2-key": {"verdict": "y---yy--nN"}},
    ),
    Case("C2 OS disk", [disk("c2-os", system="Linux")], {"c2-os": {"verdict": FREE, "role": "os"}}),
    Case("C2 with ADE", [disk("c2-ade", collection=ade())], {"c2-ade": {"verdict": "y---yn--nN"}}),
    Case("C2 confidential", [disk("c2-cvm", security=CVM_CUSTOMER)], {"c2-cvm": {"verdict": "y---yy--yN"}}),
    Case("C2 upload", [disk("c2-up", state="ReadyToUpload")], {"c2-up": {"verdict": FREE}}),
    Case("C2 export", [disk("c2-sas", state="ActiveSAS")], {"c2-sas": {"verdict": FREE}}),
    Case("C2 snapshot", [snapshot("c2-snap")], {"c2-snap": {"verdict": FREE, "kind": "snapshot"}}),
    Case(
        "C2 snapshot with customer key",
        [snapshot("c2-snap-key", encryption=cmk("premium-hsm"))],
        {"c2-snap-key": {"verdict": "y---yy--nN", "attachment": "unattached"}},
    ),
    # A listing without properties and owner tells neither owners nor shares.
    Case(
        "C2 attachment unknown",
        [{k: v for k, v in disk("c2-stub").items() if k != "properties"}],
        {"c2-stub": {"attachment": "unknown", "verdict": "y?????????", "defender_status": "unknown"}},
    ),
]


def shared(rule: str, first: dict | None, second: dict | None, owner: str = "a", **expected: str) -> Case:
    """Build a disk of two VMs with an OS disk each; None stands for a VM that is not in the inventory."""
    name, rows = slug(rule), {slug(rule): expected}
    owners = [f"{name}-{letter}" for letter in "ab"]
    ids = [vm_id(owner) for owner in owners]
    objects = [disk(name, f"{name}-{owner}", head={"managedByExtended": ids}, maxShares=2)]
    for machine, given in zip(owners, (first, second), strict=True):
        if given is not None:
            data = listed(name, caching=None)
            objects += [vm(machine, data=[data], **given), disk(f"{machine}-os", machine, system="Windows")]
    return Case(rule, objects, rows)


ON_HOST = {"security": HOST}
WORST = {"temp_disk": "no", "defender_status": "Unhealthy"}
C3_SHARED = [
    shared("C3 shared both on", ON_HOST, ON_HOST, temp_disk="yes", defender_status="Healthy"),
    shared("C3 shared one on", ON_HOST, NONE, **WORST),
    shared("C3 shared none on", NONE, NONE, **WORST),
    shared("C3 shared one on one unread", ON_HOST, None, temp_disk="unknown", defender_status="unknown"),
    shared("C3 shared one off one unread", NONE, None, **WORST),
]
# Whichever of its VMs `managedBy` names, all of them count.
C3_SHARED += [
    shared("C3 shared owner last one off", ON_HOST, NONE, owner="b", host="partial", caches="no", **WORST),
    shared("C3 shared owner last one on", NONE, ON_HOST, owner="b", host="partial", caches="no", **WORST),
    shared(
        "C3 shared owner last unread",
        ON_HOST,
        None,
        owner="b",
        temp_disk="unknown",
        defender_status="unknown",
        host="unknown",
    ),
]
# K4: a VM without a temp disk says nothing of whose key the others' temp disks have.
C3_SHARED.append(
    shared(
        "C3 shared one without a temp disk",
        ON_HOST,
        ON_HOST | {"size": V5},
        temp_disk="yes",
        temp_disk_key_owner="platform",
    )
)
ONE_ON = C3_SHARED[1].expected | {
    "c3-shared-one-on-a-os": {"temp_disk": "yes", "defender_status": "Healthy"},
    "c3-shared-one-on-b-os": WORST,
}
C3_SHARED[1] = Case("C3 shared one on", C3_SHARED[1].objects, ONE_ON)

LINUX = {"system": "Linux"}
# Windows reaches the temp disk with All, Linux with format-all (FACTS 1.3); the seed prints a plain yes.
C3_ADE = [
    on_ade(
        f"C3 {rule}",
        volume=volume,
        operation=operation,
        machine=machine,
        **{"temp_disk@2023": "yes", "temp_disk@2026": answer},
    )
    for rule, machine, operation, volume, answer in (
        ("Windows All", NONE, "EnableEncryption", "All", "yes"),
        ("Windows ALL", NONE, "EnableEncryption", "ALL", "yes"),
        ("Windows OS", NONE, "EnableEncryption", "OS", "no"),
        ("Windows null", NONE, "EnableEncryption", None, "unknown"),
        ("Windows number", NONE, "EnableEncryption", 2, "unknown"),
        ("Linux All", LINUX, "EnableEncryption", "All", "no"),
        ("Linux Data", LINUX, "EnableEncryption", "Data", "no"),
        ("Linux format All", LINUX, "EnableEncryptionFormatAll", "All", "yes"),
        ("Linux format Data", LINUX, "EnableEncryptionFormatAll", "Data", "yes"),
    )
]
C3 = [
    *C3_SHARED,
    *C3_ADE,
    one(
        "C3 no extension",
        of_disk={"collection": ade()},
        **{"temp_disk@2023": "yes", "temp_disk@2026": "unknown"},
    ),
    on_ade("C3 was on", operation="DisableEncryption", collection=ade(enabled=False), temp_disk="no"),
    # Any disk's evidence covers the VM's temp disk, and every row of the VM has the same answer.
    Case(
        "C3 copied to all rows",
        [
            vm("c3-rows", data=["c3-rows-late"], view=[seen("c3-rows-late", "notEncrypted")]),
            extension("c3-rows"),
            disk("c3-rows-os", "c3-rows", system="Windows", collection=ade()),
            disk("c3-rows-late", "c3-rows"),
        ],
        {
            "c3-rows-os": {"temp_disk": "yes", "defender_status": "Unhealthy"},
            "c3-rows-late": {"temp_disk": "yes", "defender_status": "Unhealthy", "caches": "no"},
        },
    ),
]

# C4: FACTS 2.9 and trap 18; PAYLOADS 17: capabilities are text.
C4 = [
    one("C4 no local disk v4", machine={"size": V4}, temp_disk="not_applicable"),
    one("C4 no local disk v5", machine={"size": V5}, temp_disk="not_applicable"),
    one("C4 no local disk on host", machine={"size": V5, "security": HOST}, temp_disk="not_applicable"),
    on_ade("C4 no local disk under ADE", machine={"size": V4}, temp_disk="not_applicable"),
    one("C4 unknown size", machine={"size": NO_SUCH_SIZE}, temp_disk="unknown"),
    one("C4 unknown size on host", machine={"size": NO_SUCH_SIZE, "security": HOST}, verdict="y?yynnyynH"),
    one("C4 v3", machine={"size": V3}, temp_disk="no"),
    one("C4 v5", machine={"size": V5D}, **{"temp_disk@2023": "no", "temp_disk@2026": "yes"}),
    one("C4 v6", machine={"size": "Standard_D4ds_v6"}, **{"temp_disk@2023": "no", "temp_disk@2026": "yes"}),
    one("C4 letter case", machine={"size": "STANDARD_D4DS_V5"}, **{"temp_disk@2026": "yes"}),
    one("C4 v5 on host", machine={"size": V5D, "security": HOST}, temp_disk="yes"),
]


def sizes() -> list[dict]:
    """Capabilities as the SKU list prints them; these names tell the generation only."""
    found = []
    for name, capabilities in {
        "Standard_ZZ1_v3": {"MaxResourceVolumeMB": "32768"},
        "Standard_ZZ2_v3": {"MaxResourceVolumeMB": "0"},
        "Standard_ZZ3_v3": {"MaxResourceVolumeMB": "0", "NvmeDiskSizeInMiB": "450560"},
        "Standard_ZZ4_v6": {"MaxResourceVolumeMB": "0", "NvmeDiskSizeInMiB": "450560"},
        "Odd_Scsi": {"MaxResourceVolumeMB": "32768"},
    }.items():
        pairs = [{"name": key, "value": value} for key, value in capabilities.items()]
        found.append(
            {
                "resourceType": "virtualMachines",
                "name": name,
                "locations": ["westeurope"],
                "capabilities": pairs,
            }
        )
    return found


C4 += [
    one("C4 SKU with SCSI disk", *sizes(), machine={"size": "Standard_ZZ1_v3"}, temp_disk="no"),
    one("C4 SKU with none", machine={"size": "Standard_ZZ2_v3"}, temp_disk="not_applicable"),
    one("C4 SKU with NVMe disk", machine={"size": "Standard_ZZ3_v3"}, temp_disk="no"),
    one(
        "C4 SKU with NVMe disk v6",
        machine={"size": "Standard_ZZ4_v6"},
        **{"temp_disk@2023": "no", "temp_disk@2026": "yes"},
    ),
    one("C4 SKU not in the list", machine={"size": "Standard_ZZ5_v3"}, temp_disk="unknown"),
    # It has a local disk, and may or may not be v5: the seed does not ask.
    one(
        "C4 SKU of no generation",
        machine={"size": "Odd_Scsi"},
        **{"temp_disk@2023": "no", "temp_disk@2026": "unknown"},
    ),
]


def cached(
    rule: str, caching: str | None, caches: str, *, sku: str = "Premium_LRS", host: bool = True
) -> Case:
    """Build a VM with a data disk of that host caching."""
    name = slug(rule)
    body = vm(name, security=HOST if host else None, data=[listed(f"{name}-data", caching=caching)])
    objects = [body, disk(f"{name}-os", name, system="Windows"), disk(f"{name}-data", name, sku=sku)]
    return Case(rule, objects, {f"{name}-data": {"caches": caches, "data_flow": "yes" if host else "no"}})


C5 = [
    cached("C5 read-write on host", "ReadWrite", "yes"),
    cached("C5 read-only on host", "ReadOnly", "yes"),
    cached("C5 read-only", "ReadOnly", "no", host=False),
    cached("C5 none on host", "None", "not_applicable"),
    cached("C5 none", "None", "not_applicable", host=False),
    cached("C5 not stated on host", None, "yes"),
    cached("C5 not stated", None, "no", host=False),
    cached("C5 Ultra", "None", "not_applicable", sku="UltraSSD_LRS"),
    cached("C5 Ultra, not stated", None, "not_applicable", sku="UltraSSD_LRS", host=False),
    cached("C5 Premium v2", None, "not_applicable", sku="PremiumV2_LRS"),
    cached("C5 Premium v2, said to be cached", "ReadOnly", "not_applicable", sku="PremiumV2_LRS", host=False),
]

C6 = [
    shared("C6 both on", ON_HOST, ON_HOST, caches="yes", data_flow="yes"),
    shared("C6 one on", ON_HOST, NONE, caches="no", data_flow="no"),
    shared("C6 none on", NONE, NONE, caches="no", data_flow="no"),
    shared("C6 one on one unread", ON_HOST, None, caches="unknown", data_flow="unknown"),
    shared("C6 one off one unread", NONE, None, caches="no", data_flow="no"),
]

# C7: image shapes of FACTS 2.3.
CUSTOM, GALLERY = (
    {"id": image_id("golden")},
    {"id": image_id("x").replace("images/x", "galleries/g/images/i")},
)
C7 = [
    one("C7 SSE on a custom Linux image", machine=LINUX | {"image": CUSTOM}, custom_images="yes"),
    one("C7 host on a custom Linux image", machine=LINUX | {"image": CUSTOM} | ON_HOST, custom_images="yes"),
    on_ade("C7 ADE on a custom Linux image", machine=LINUX | {"image": CUSTOM}, custom_images="no"),
    on_ade(
        "C7 ADE on a gallery Linux image", machine=LINUX | {"image": GALLERY}, **{"custom_images!": "yes"}
    ),
    on_ade("C7 ADE on a custom Windows image", machine={"image": CUSTOM}, custom_images="yes"),
    on_ade("C7 ADE on a marketplace Linux image", machine=LINUX, custom_images="yes"),
    on_ade("C7 ADE on Linux without image", machine=LINUX | {"image": None}, custom_images="unknown"),
    one(
        "C7 ADE unknown on a custom Linux image",
        extension("c7-ade-unknown-on-a-custom-linux-image", system="Linux"),
        machine=LINUX | {"image": CUSTOM},
        ade="unknown",
        custom_images="unknown",
    ),
    Case(
        "C7 Linux OS disk whose VM is not read",
        [disk("c7-gone", "gone", system="Linux", collection=ade())],
        {"c7-gone": {"custom_images": "unknown"}},
    ),
    Case(
        "C7 data disk",
        [
            vm("c7-data", data=["c7-data-1"], system="Linux", image=CUSTOM),
            disk("c7-data-os", "c7-data", system="Linux", collection=ade()),
            disk("c7-data-1", "c7-data", collection=ade()),
        ],
        {"c7-data-os": {"custom_images": "no"}, "c7-data-1": {"custom_images": "not_applicable"}},
    ),
]


def opted(
    rule: str, temp_disk: str, *, host: bool = False, size: str = CONFIDENTIAL_V2, ext: bool = True
) -> Case:
    """Build a confidential VM with the preview of its temp disk on, or with another extension only."""
    name = slug(rule)
    own = extension(name, "EnableEncryptionFormatAll", "Data", system="Linux") if ext else agent(name)
    machine = {"security": CVM | (HOST if host else {}), "size": size, "system": "Linux"}
    expected = {"temp_disk@2023": "yes" if host else "no", "temp_disk@2026": temp_disk}
    return one(rule, own, machine=machine, of_disk={"security": CVM_PLATFORM}, **expected)


C8 = [
    opted("C8 opted in", "yes"),
    opted("C8 not opted in", "no", ext=False),
    opted("C8 not opted in on host", "yes", ext=False, host=True),
    opted("C8 not opted in on v5", "yes", ext=False, size=CONFIDENTIAL_V5D),
    one(
        "C8 no local disk",
        machine={"security": CVM, "size": "Standard_DC4as_v5"},
        of_disk={"security": CVM_PLATFORM},
        temp_disk="not_applicable",
    ),
]


def ephemeral(
    rule: str, verdicts: tuple[str, str], *, local: dict | None = None, own_set: str = "", **machine
) -> Case:
    """Build a VM whose OS disk lies on the host; no disk resource is behind it."""
    name = slug(rule)
    entry = listed(f"{name}-os", caching="ReadOnly", diffDiskSettings={"option": "Local"} | (local or {}))
    managed: dict = {"storageAccountType": "StandardSSD_LRS"}
    managed |= {"diskEncryptionSet": {"id": own_set}} if own_set else {}
    guarded = machine.pop("guarded", None)
    managed |= {"securityProfile": {"securityEncryptionType": guarded}} if guarded else {}
    body = vm(name, os_disk=entry | {"managedDisk": managed}, **machine)
    row = {"kind": "ephemeral_os_disk", "verdict@2023": verdicts[0], "verdict@2026": verdicts[1]}
    row["key_owner"] = "unknown" if own_set else "platform"
    return Case(rule, [body], {f"{name}-os": row})


WHOLE = {"enableFullCaching": True}
C9 = [
    ephemeral("C9 v3", ("nn-nnnyynU", "nn-nnnyynU"), size=V3),
    ephemeral("C9 v3 on host", ("yy-ynnyynH", "yy-ynnyynH"), size=V3, security=HOST),
    ephemeral("C9 v5", ("nn-nnnyynU", "yy-nnnyynU"), size=V5D),
    ephemeral("C9 v5 on host", ("yy-ynnyynH", "yy-ynnyynH"), size=V5D, security=HOST),
    # SSE: any ephemeral OS disk of a v5 size, so also in the cache of a size without a local disk.
    ephemeral("C9 v5 in the cache", (".--nnnyynU", "y--nnnyynU"), size=V5),
    ephemeral("C9 full caching", ("nn--nnyynU", "nn--nnyynU"), size=V3, local=WHOLE),
    ephemeral("C9 full caching on v5", ("nn--nnyynU", "yy--nnyynU"), size=V5D, local=WHOLE),
    ephemeral(
        "C9 with a set", ("yy-y?.yynH", "yy-y?.yynH"), size=V3, security=HOST, own_set=set_id("standard")
    ),
    ephemeral("C9 unknown size", (".?-nnnyynU", "??-nnnyynU"), size=NO_SUCH_SIZE),
]
C9_CONFIDENTIAL = ephemeral(
    "C9 confidential",
    ("yn-ynnnyyN", "yy-ynnnyyN"),
    size=CONFIDENTIAL_V5D,
    security=CVM,
    guarded="DiskWithVMGuestState",
)
C9 += [C9_CONFIDENTIAL]


def blob(name: str) -> dict:
    return {
        "name": name,
        "caching": "ReadWrite",
        "vhd": {"uri": f"https://store.blob.core.windows.net/vhds/{name}.vhd"},
    }


OUTSIDE = {"kind": "unmanaged_disk", "sse": "storage_account", "method": "unmanaged", "verdict": "---------N"}
C10 = [
    Case(
        "C10 unmanaged disks",
        [vm("c10", os_disk=blob("c10-os"), data=[blob("c10-data")])],
        {"c10-os": OUTSIDE, "c10-data": OUTSIDE},
    ),
    Case(
        "C10 on an encrypted host",
        [vm("c10-h", os_disk=blob("c10-h-os"), security=HOST)],
        {"c10-h-os": OUTSIDE},
    ),
    Case(
        "C10 beside a managed disk",
        [
            vm("c10-mix", os_disk=blob("c10-mix-os"), security=HOST, data=["c10-mix-data"]),
            disk("c10-mix-data", "c10-mix"),
        ],
        {"c10-mix-os": OUTSIDE, "c10-mix-data": {"defender_status": "Healthy", "caches": "yes"}},
    ),
]


def machine_of(rule: str, status: str, *, data: dict | None = None, read: bool = True, **given) -> Case:
    """Build a VM whose OS disk has ADE, and a data disk whose own object may be missing."""
    name = slug(rule)
    objects = [vm(name, data=[f"{name}-data"], **given), extension(name)]
    objects += [disk(f"{name}-os", name, system="Windows", collection=ade())]
    objects += [disk(f"{name}-data", name, **(data or {}))] if read else []
    return Case(
        rule,
        objects,
        {f"{name}-os": {"defender_status": status}, f"{name}-data": {"defender_status": status}},
    )


def guarded(rule: str, security_type: str, *, host: bool = False) -> Case:
    security = CVM | (HOST if host else {})
    name, kind = slug(rule), secured(f"ConfidentialVM_{security_type}")
    objects = [
        vm(name, data=[f"{name}-data"], security=security, size=CONFIDENTIAL_V5D),
        disk(f"{name}-data", name),
    ]
    objects += [disk(f"{name}-os", name, security=kind)]
    rows = {f"{name}-{role}": {"defender_status": "NotApplicable"} for role in ("os", "data")}
    return Case(rule, objects, rows)


C11 = [
    guarded("C11 confidential disk", "DiskEncryptedWithPlatformKey"),
    guarded("C11 guest state only", "VMGuestStateOnlyEncryptedWithPlatformKey"),
    guarded("C11 no TPM kept", "NonPersistedTPM"),
    guarded("C11 confidential on host", "DiskEncryptedWithPlatformKey", host=True),
    one(
        "C11 trusted launch",
        machine={"security": {"securityType": "TrustedLaunch"}},
        defender_status="Unhealthy",
    ),
    one("C11 customer key alone", of_disk={"encryption": cmk("standard")}, defender_status="Unhealthy"),
    one("C11 host", machine={"security": HOST}, defender_status="Healthy"),
    machine_of("C11 ADE on all disks", "Healthy", data={"collection": ade()}),
    machine_of("C11 ADE was on the data disk", "Unhealthy", data={"collection": ade(enabled=False)}),
    machine_of(
        "C11 ADE not on the data disk",
        "Unhealthy",
        view=[seen("c11-ade-not-on-the-data-disk-data", "notEncrypted")],
    ),
    machine_of("C11 data disk not read", "unknown", read=False),
    # Owned by the disk's own word only: it is one of the VM's disks nevertheless.
    Case(
        "C11 data disk that the VM does not list",
        [
            *machine_of("C11 unlisted", "", data={"collection": ade()}).objects,
            disk("c11-unlisted-other", "c11-unlisted"),
        ],
        {
            "c11-unlisted-os": {"defender_status": "Unhealthy"},
            "c11-unlisted-other": {"defender_status": "Unhealthy"},
        },
    ),
    # The disk's own security type tells that its VM is a ConfidentialVM.
    Case(
        "C11 confidential VM not read",
        [disk("c11-cvm-gone", "c11-cvm-not-read", security=CVM_PLATFORM)],
        {"c11-cvm-gone": {"defender_status": "NotApplicable"}},
    ),
    Case("C11 VM not read", [disk("c11-gone", "gone")], {"c11-gone": {"defender_status": "unknown"}}),
]

CASES = [*CELLS, *EDITIONS, *C1, *C2, *C3, *C4, *C5, *C6, *C7, *C8, *C9, *C10, *C11]


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    return judged_twice(tmp_path_factory.mktemp("capabilities"), CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_capability(case, rows):
    assert differences(case, rows) == {}


@pytest.mark.parametrize("edition", [SEED, LATEST])
def test_c3_facts_of_a_vm_are_equal_on_all_its_rows(rows, edition):
    of_vm: dict[str, set] = {}
    for row in rows[edition].values():
        if (
            row["vm_id"]
            and row["kind"] != "unmanaged_disk"
            and not row["name"].startswith(("c3-shared", "c6-"))
        ):
            of_vm.setdefault(row["vm_id"].lower(), set()).add((row["temp_disk"], row["defender_status"]))
    assert {owner: found for owner, found in of_vm.items() if len(found) > 1} == {}


@pytest.mark.parametrize("edition", [SEED, LATEST])
def test_only_the_documented_values_occur(rows, edition):
    values = {value for row in rows[edition].values() for value in (row[name] for name in CAPABILITIES[:-1])}
    statuses = {row["defender_status"] for row in rows[edition].values()}
    assert values == {"yes", "no", "not_applicable", "unknown"}
    assert statuses == {"Healthy", "Unhealthy", "NotApplicable", "unknown"}


def test_editions_differ_on_temp_disk_and_ephemeral_disks_only(rows):
    differing = {
        capability
        for name, row in rows[SEED].items()
        for capability in CAPABILITIES
        if row[capability] != rows[LATEST][name][capability] and row["kind"] != "ephemeral_os_disk"
    }
    assert differing == {"temp_disk"}


# C12: two VMs on encrypted hosts, one not, one without a local disk, three disks whose VM is not read.
C12 = [
    *(body for n in (1, 2) for body in (vm(f"on{n}", security=HOST), disk(f"on{n}-os", f"on{n}"))),
    *(vm("off"), disk("off-os", "off"), vm("none", size=V4), disk("none-os", "none")),
    *(disk(f"gone{n}-os", f"gone{n}") for n in (1, 2, 3)),
]


@pytest.fixture(scope="module")
def inventory(tmp_path_factory):
    return de.load(write(tmp_path_factory.mktemp("shares"), C12), engine="pandas")


@pytest.fixture(scope="module")
def covered(inventory):
    return de.coverage(inventory)


def test_latest_is_the_newest_edition(inventory, covered):
    assert records(covered) == records(de.coverage(inventory, edition=LATEST))


def test_c12_share_with_its_bounds(covered):
    [row] = records(de.summarize(covered, by=None, capability="temp_disk"))
    counts = [row[name] for name in ("yes", "no", "not_applicable", "unknown", "total")]
    assert counts == [2, 1, 1, 3, 7]
    assert math.isclose(row["share"], 2 / 3)
    assert math.isclose(row["share_low"], 2 / 6)
    assert math.isclose(row["share_high"], 5 / 6)


def test_c12_healthy_counts_as_yes(covered):
    [row] = records(de.summarize(covered, by=None, capability="defender_status"))
    assert [row[name] for name in ("yes", "no", "not_applicable", "unknown")] == [2, 2, 0, 3]
    assert math.isclose(row["share_low"], 2 / 7)


@pytest.mark.parametrize(
    ("capability", "weight"), [("temp_disk", "vms"), ("defender_status", "vms"), ("caches", "disks")]
)
def test_c3_default_weight(covered, capability, weight):
    [row] = records(de.summarize(covered, by=None, capability=capability))
    assert row["weight"] == weight


@pytest.mark.parametrize("capability", ["temp_disk", "defender_status"])
def test_c3_gib_are_no_weight_of_a_vm(covered, capability):
    with pytest.raises(ParameterError, match="fact of the VM"):
        de.summarize(covered, by=None, capability=capability, weight="gib")


def test_c2_headlines_count_attached_unattached_and_snapshots_apart(tmp_path):
    bodies = [vm("a", security=HOST), disk("a-os", "a"), disk("free"), disk("free2"), snapshot("snap")]
    cov = de.coverage(de.load(write(tmp_path, bodies), engine="pandas"))
    tally = records(de.tally(cov, by=["kind", "attachment"]))
    assert {(row["kind"], row["attachment"]): row["disks"] for row in tally} == {
        ("managed_disk", "attached"): 1,
        ("managed_disk", "unattached"): 2,
        ("snapshot", "unattached"): 1,
    }
    # C12: nothing answered yes, no or unknown, so there is no share.
    [free] = [r for r in records(de.summarize(cov, by="attachment", capability="data_flow")) if r["yes"] == 0]
    assert [free[name] for name in ("not_applicable", "share", "share_low", "share_high")] == [
        3,
        None,
        None,
        None,
    ]


# Said at the head of RULES: the number of a rule stands in the evidence of the rows that it decided.
@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ("C2", "c2-free"),
        ("C3", "c3-windows-all-os"),
        ("C4", "c4-no-local-disk-v4-os"),
        ("C5", "c5-none-data"),
        ("C6", "c6-one-on"),
        ("C7", "c7-ade-on-a-custom-linux-image-os"),
        ("C8", "c8-opted-in-os"),
        ("C9", "c9-v5-os"),
        ("C10", "c10-os"),
        ("C11", "c11-guest-state-only-os"),
    ],
)
def test_evidence_names_the_rule_that_decided(rows, rule, name):
    assert re.search(rf"\b{rule}\b", rows[LATEST][name]["evidence"])
