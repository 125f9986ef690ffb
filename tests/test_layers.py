from __future__ import annotations

import pytest

import diskenc_analysis as de
from tests.rules import (
    CONFIDENTIAL_V2,
    CVM,
    CVM_DISK,
    HOST,
    LATEST,
    PMK,
    V3,
    V5,
    Case,
    ade,
    agent,
    cmk,
    des,
    differences,
    disk,
    disk_id,
    extension,
    image_id,
    instance,
    instance_id,
    judged,
    judged_twice,
    key_url,
    listed,
    one,
    records,
    rows_of,
    scale_set,
    secured,
    seen,
    set_id,
    slug,
    snapshot,
    vault,
    vault_key,
    vm,
    vm_id,
    write,
)

LINUX = {"system": "Linux"}
ENTRA = {"AADClientID": "00000000-1111-4222-8333-444444444444"}


ELSEWHERE = set_id("x").replace("11111111-", "99999999-")
# L1. FACTS 2.2 has the values of encryption.type; PAYLOADS 1 and 7 have what lacks it.
UNKNOWN_KEY = {"sse": "unknown", "key_owner": "unknown", "customer_keys": "unknown", "at_rest": "yes"}
L1 = [
    one("L1 platform key", of_disk={"encryption": PMK}, sse="platform", key_owner="platform", at_rest="yes"),
    one("L1 customer key", of_disk={"encryption": cmk("standard")}, sse="customer", key_owner="customer"),
    one(
        "L1 both keys",
        of_disk={"encryption": cmk("double", double=True)},
        sse="platform_and_customer",
        key_owner="platform_and_customer",
    ),
    one("L1 no encryption member", of_disk={"encryption": None}, **UNKNOWN_KEY, hsm="unknown", conflicts=""),
    one("L1 encryption without type", of_disk={"encryption": {}}, **UNKNOWN_KEY),
    one("L1 unknown type", of_disk={"encryption": {"type": "EncryptionAtRestWithTenantKey"}}, **UNKNOWN_KEY),
    one(
        "L1 no encryption but confidential customer key decides",
        of_disk={"encryption": None, "security": secured(f"{CVM_DISK}CustomerKey", "confidential")},
        machine={"security": CVM},
        sse="unknown",
        key_owner="customer",
        customer_keys="yes",
    ),
    one(
        "L1 no encryption but KEK decides",
        of_disk={"encryption": None, "collection": ade()},
        sse="unknown",
        key_owner="customer",
        customer_keys="yes",
    ),
    one(
        "L1 no encryption but ADE without KEK decides",
        of_disk={"encryption": None, "collection": ade(kek=None)},
        sse="unknown",
        key_owner="customer_secret",
        customer_keys="no",
    ),
    one(
        "L1 unread set leaves store and hsm unknown only",
        of_disk={"encryption": cmk("in-another-tenant")},
        sse="customer",
        key_owner="customer",
        customer_keys="yes",
        key_store="unknown",
        hsm="unknown",
        conflicts="",
    ),
    # Trap 21: a set that another subscription hides is a set that was not read, and contradicts nothing.
    one(
        "L1 set of another subscription",
        of_disk={"encryption": cmk("x") | {"diskEncryptionSetId": ELSEWHERE}},
        sse="customer",
        customer_keys="yes",
        key_store="unknown",
        hsm="unknown",
        # Nothing was read of its subscription: that is listed, though no verdict changes by it.
        **{"conflicts~": "no subscription that was read"},
    ),
    Case(
        "L1 null equals absent",
        [
            vm("l1-null"),
            disk("l1-null-os", "l1-null") | {"properties": {"encryption": None, "osType": "Linux"}},
        ],
        {"l1-null-os": UNKNOWN_KEY},
    ),
    # PAYLOADS 7: a listing of resources has no properties, so nothing that they would say is known.
    Case(
        "L1 stub",
        [vm("l1-stub"), {k: v for k, v in disk("l1-stub-os", "l1-stub").items() if k != "properties"}],
        {"l1-stub-os": UNKNOWN_KEY | {"attachment": "attached", "ade": "unknown", "no_vm_cpu": "unknown"}},
    ),
]

# L2. FACTS 2.3: absent is off in a VM that was read; PAYLOADS 5: so are null and false.
OFF = {"host": "off", "attachment": "attached", "caches": "no", "data_flow": "no"}
ON = {"host": "on", "attachment": "attached", "caches": "yes", "data_flow": "yes"}
NO_OWNER_READ = {"attachment": "attached", "host": "unknown", "verdict": "y???nnyyn?"}
SHARED = {"maxShares": 2, "creationData": {"createOption": "Empty"}}


def shared(rule: str, first: dict | None, second: dict | None, **expected: str) -> Case:
    """Build a disk of two VMs, of which None stands for one that is not in the inventory."""
    name = rule.lower().replace(" ", "-")
    owners = [f"{name}-{letter}" for letter in "ab"]
    ids = [vm_id(owner) for owner in owners]
    body = disk(
        name, owners[0], head={"managedByExtended": ids}, shareInfo=[{"vmUri": i} for i in ids], **SHARED
    )
    read = [
        vm(owner, **given) for owner, given in zip(owners, (first, second), strict=True) if given is not None
    ]
    return Case(rule, [body, *read], {name: expected})


L2 = [
    one("L2 flag true", machine={"security": HOST}, **ON),
    one("L2 no security profile", **OFF),
    one("L2 flag absent", machine={"security": {"securityType": "TrustedLaunch"}}, **OFF),
    one("L2 flag false", machine={"security": {"encryptionAtHost": False}}, **OFF),
    one("L2 flag null", machine={"security": {"encryptionAtHost": None}}, **OFF),
    one("L2 profile null", machine={"securityProfile": None}, **OFF),
    one(
        "L2 other owners of the wrong type",
        machine={"security": HOST},
        of_disk={"head": {"managedByExtended": "several"}},
        host="unknown",
        attachment="attached",
        data_flow="unknown",
    ),
    Case("L2 owner not read", [disk("l2-gone", "gone", system="Windows")], {"l2-gone": NO_OWNER_READ}),
    Case(
        "L3 by the disk alone where its VM was not read",
        [disk("l3-gone", "gone", system="Windows"), disk("l3-loose")],
        {
            "l3-gone": {"ade": "off", "evidence~": "Encryption on the disk; its VM was not read"},
            "l3-loose": {"ade": "off", "evidence~": "no sign of Azure Disk Encryption [L3]"},
        },
    ),
    Case(
        "L2 no owner",
        [disk("l2-free")],
        {"l2-free": {"host": "not_attached", "attachment": "unattached", "method": "sse"}},
    ),
    Case(
        "L2 empty owner of Resource Graph",
        [disk("l2-empty", head={"managedBy": ""})],
        {"l2-empty": {"host": "not_attached", "attachment": "unattached"}},
    ),
    one("L2 deallocated VM", machine={"security": HOST}, of_disk={"state": "Reserved"}, **ON),
    one("L2 export under way", machine={"security": HOST}, of_disk={"state": "ActiveSAS"}, **ON),
    Case(
        "L2 owner in another letter case",
        [vm("l2-case", security=HOST), disk("l2-case-os", vm_id("L2-CASE").upper())],
        {"l2-case-os": ON},
    ),
    Case(
        "L2 owner by managedByExtended alone",
        [vm("l2-ext", security=HOST), disk("l2-ext-data", head={"managedByExtended": [vm_id("l2-ext")]})],
        {"l2-ext-data": ON},
    ),
    Case(
        "L2 owner by shareInfo alone",
        [vm("l2-info", security=HOST), disk("l2-info-data", shareInfo=[{"vmUri": vm_id("l2-info")}])],
        {"l2-info-data": ON},
    ),
    Case(
        "L2 owner by the VM's own disk list alone",
        [
            vm("l2-list", security=HOST, data=["l2-list-data"]),
            disk("l2-list-os", "l2-list"),
            disk("l2-list-data"),
        ],
        {"l2-list-data": ON | {"role": "data"}, "l2-list-os": ON | {"role": "os"}},
    ),
    Case(
        "L2 instance on though its model is off",
        [
            scale_set("l2-new"),
            instance("l2-new", 0, security=HOST),
            disk("l2-new_0-os", instance_id("l2-new", 0)),
        ],
        {"l2-new_0-os": ON},
    ),
    Case(
        "L2 instance off though its model is on",
        [
            scale_set("l2-old", security=HOST),
            instance("l2-old", 0),
            disk("l2-old_0-os", instance_id("l2-old", 0)),
        ],
        {"l2-old_0-os": OFF},
    ),
    shared("L2 shared both on", {"security": HOST}, {"security": HOST}, host="on"),
    shared("L2 shared one on", {"security": HOST}, {}, host="partial"),
    shared("L2 shared none on", {}, {}, host="off"),
    shared("L2 shared one on one unread", {"security": HOST}, None, host="unknown"),
    shared("L2 shared one off one unread", {}, None, host="unknown"),
]

# PAYLOADS 7: a listing without properties states the owner, here of a disk that its VM does not list.
STUB = {k: v for k, v in disk("l2-stub", "l2-stub-vm").items() if k != "properties"}
L2 += [
    Case("L2 stub with an owner", [vm("l2-stub-vm", security=HOST), STUB], {"l2-stub": ON}),
    Case(
        "L2 stub with an owner that was not read",
        [STUB | {"id": disk_id("l2-lost"), "name": "l2-lost", "managedBy": vm_id("l2-lost-vm")}],
        {"l2-lost": {"attachment": "attached", "host": "unknown"}},
    ),
]

# L3, in its order of trust. FACTS 2.2, 2.7 (generations by handler version), 2.8; PAYLOADS 3 and 4.
ADE_ON = {"ade": "on", "method": "ade", "no_vm_cpu": "no"}
ADE_OFF = {"ade": "off", "no_vm_cpu": "yes"}
BOTH = '{"os": "Encrypted", "data": "Encrypted"}'
OS_ONLY = '{"os": "Encrypted", "data": "NotEncrypted"}'
IN_PROGRESS = '{"os": "Encrypted", "data": "EncryptionInProgress"}'


def entra(
    rule: str, system: str, handler: str, message: str, *, data: str, settings: dict | None = None
) -> Case:
    """Build a VM of the generation with an Entra app: its disks say nothing, its substatus says it."""
    name = rule.lower().replace(" ", "-")
    old = {"enabled": True} | ade()["encryptionSettings"][0]
    body = vm(
        name, system=system, os_disk=listed(f"{name}-os", encryptionSettings=old), data=[f"{name}-data"]
    )
    more = ENTRA if settings is None else settings
    ext = extension(name, system=system, handler=handler, messages=[message], **more)
    rows = {f"{name}-os": ADE_ON, f"{name}-data": {"ade": data}}
    return Case(rule, [body, ext, disk(f"{name}-os", name, system=system), disk(f"{name}-data", name)], rows)


L3 = [
    one("L3 no sign of ADE", **ADE_OFF, conflicts=""),
    one("L3 1 collection enabled", of_disk={"collection": ade()}, **ADE_ON),
    one("L3 1 collection without version", of_disk={"collection": ade(version=None)}, **ADE_ON),
    one("L3 1 collection of the older generation", of_disk={"collection": ade(version="1.0")}, **ADE_ON),
    one("L3 1 collection disabled", of_disk={"collection": ade(enabled=False)}, ade="was_on", method="sse"),
    one(
        "L3 1 older settings enabled",
        of_disk={"encryptionSettings": {"enabled": True, **ade()["encryptionSettings"][0]}},
        **ADE_ON,
    ),
    one("L3 1 older settings disabled", of_disk={"encryptionSettings": {"enabled": False}}, ade="was_on"),
    one(
        "L3 1 disk is trusted before instance view",
        machine={"view": [seen("l3-1-disk-is-trusted-before-instance-view-os", "notEncrypted")]},
        of_disk={"collection": ade()},
        ade="on",
    ),
    one("L3 2 view encrypted", machine={"view": [seen("l3-2-view-encrypted-os", "encrypted")]}, **ADE_ON),
    one("L3 2 view in capitals", machine={"view": [seen("l3-2-view-in-capitals-os", "ENCRYPTED")]}, **ADE_ON),
    one(
        "L3 2 view not encrypted",
        machine={"view": [seen("l3-2-view-not-encrypted-os", "notEncrypted")]},
        **ADE_OFF,
    ),
    # `enabled: false` is was_on whoever says it, and no proof that the disk is decrypted (FACTS trap 8).
    one(
        "L3 2 view disabled",
        machine={"view": [{"name": "l3-2-view-disabled-os", "encryptionSettings": [{"enabled": False}]}]},
        ade="was_on",
        method="sse",
        no_vm_cpu="unknown",
    ),
    one("L3 2 view of another disk", machine={"view": [seen("some-other-disk", "encrypted")]}, **ADE_OFF),
    one("L3 2 empty view", machine={"view": []}, **ADE_OFF),
    one(
        "L3 2 view is trusted before the extension",
        extension("l3-2-view-is-trusted-before-the-extension"),
        machine={"view": [seen("l3-2-view-is-trusted-before-the-extension-os", "notEncrypted")]},
        ade="off",
    ),
    entra("L3 3 windows with app", "Windows", "1.1", BOTH, data="on"),
    entra("L3 3 linux with app", "Linux", "0.1", BOTH, data="on"),
    entra("L3 3 windows by handler version", "Windows", "1.1", BOTH, data="on", settings={}),
    entra("L3 3 data not encrypted", "Windows", "1.1", OS_ONLY, data="off"),
    one(
        "L3 3 settings disabled on the VM",
        machine={
            "os_disk": listed("l3-3-settings-disabled-on-the-vm-os", encryptionSettings={"enabled": False})
        },
        ade="was_on",
    ),
    # Linux 1.1 is the generation without an app: its substatus decides nothing, so the extension is alone.
    one(
        "L3 4 substatus without app",
        extension("l3-4-substatus-without-app", system="Linux", messages=[BOTH]),
        machine=LINUX,
        ade="unknown",
        **{"conflicts!": ""},
    ),
    one("L3 4 extension alone", extension("l3-4-extension-alone"), ade="unknown", **{"conflicts!": ""}),
    one(
        "L3 4 extension inside the VM",
        machine={"resources": [extension("l3-4-extension-inside-the-vm")]},
        ade="unknown",
        **{"conflicts!": ""},
    ),
    one(
        "L3 4 extension that disabled",
        extension("l3-4-extension-that-disabled", "DisableEncryption"),
        **ADE_OFF,
        conflicts="",
    ),
    one("L3 4 another extension", agent("l3-4-another-extension"), **ADE_OFF, conflicts=""),
    # FACTS 2.8: PowerShell's states beside the two are neither.
    entra("L3 3 in progress", "Linux", "0.1", IN_PROGRESS, data="unknown"),
    one(
        "L3 4 known from the instance view alone",
        machine={"instanceView": {"extensions": [{"type": "Microsoft.Azure.Security.AzureDiskEncryption"}]}},
        ade="unknown",
        **{"conflicts!": ""},
    ),
    # Payload 3, azure-cli 7059: the generation with an Entra app leaves no flag on data disks, so a flag on
    # the OS disk is no sign that the extension left the data disk out, be the VM read or not.
    Case(
        "L3 4 extension with app beside a flagged disk",
        [
            extension("l3-4-app", handler="1.1", **ENTRA),
            disk("l3-4-app-os", "l3-4-app", system="Windows", collection=ade(version="1.0")),
            disk("l3-4-app-data", "l3-4-app"),
        ],
        {"l3-4-app-os": {"ade": "on"}, "l3-4-app-data": {"ade": "unknown", "no_vm_cpu": "unknown"}},
    ),
    # What is decrypted was not marked by the extension of today.
    Case(
        "L3 4 beside a disk that was under ADE",
        [
            vm("l3-4-beside", data=["l3-4-beside-data"]),
            extension("l3-4-beside"),
            disk("l3-4-beside-os", "l3-4-beside", system="Windows"),
            disk("l3-4-beside-data", "l3-4-beside", collection=ade(enabled=False)),
        ],
        {"l3-4-beside-os": {"ade": "unknown", "conflicts!": ""}, "l3-4-beside-data": {"ade": "was_on"}},
    ),
    # Trap 11: Windows has no such scope, so it leaves no disk out.
    one(
        "L3 4 windows data volumes alone",
        extension("l3-4-windows-data-volumes-alone", volume="Data"),
        ade="unknown",
        no_vm_cpu="unknown",
        caches="unknown",
        **{"conflicts!": ""},
    ),
    # K1: absent from an object that was read whole.
    one(
        "L3 1 collection without volumes",
        of_disk={"collection": {"enabled": True}},
        ade="on",
        key_owner="customer_secret",
        customer_keys="no",
    ),
    # FACTS 2.3: attached as the OS disk, and no image named.
    one(
        "L3 1 attached OS disk",
        machine={
            "image": None,
            "os_disk": listed("l3-1-attached-os-disk-os", createOption="Attach"),
            **LINUX,
        },
        of_disk={"collection": ade()},
        custom_images="no",
    ),
    one(
        "L2 flag of the wrong type",
        machine={"security": {"encryptionAtHost": 1}},
        host="unknown",
        data_flow="unknown",
    ),
    Case(
        "L3 disk without VM", [disk("l3-free", collection=ade())], {"l3-free": {"ade": "on", "method": "ade"}}
    ),
    # Off only if nothing says otherwise, on whichever of a disk's VMs.
    *[
        Case(
            f"L3 4 extension on VM {letter} of a shared disk",
            [
                *shared(f"l3-4-shared-{letter}", {}, {}).objects,
                extension(f"l3-4-shared-{letter}-{letter}"),
            ],
            {f"l3-4-shared-{letter}": {"ade": "unknown", "no_vm_cpu": "unknown", "conflicts!": ""}},
        )
        for letter in "ab"
    ],
    Case("L3 snapshot", [snapshot("l3-snap", collection=ade())], {"l3-snap": {"ade": "on"}}),
    Case("L3 snapshot off", [snapshot("l3-snap-plain")], {"l3-snap-plain": {"ade": "off"}}),
]

# L4: FACTS 3.2 traps 4, 7 and 8.
WAS_ON = {
    "ade": "was_on",
    "method": "sse",
    "caches": "no",
    "data_flow": "no",
    "temp_disk": "no",
    "key_owner": "platform",
}
L4 = [
    one("L4 not seen decrypted", of_disk={"collection": ade(enabled=False)}, **WAS_ON, no_vm_cpu="unknown"),
    one(
        "L4 seen decrypted",
        machine={"view": [seen("l4-seen-decrypted-os", "notEncrypted")]},
        of_disk={"collection": ade(enabled=False)},
        **WAS_ON,
        no_vm_cpu="yes",
    ),
    one("L4 not eligible", of_disk={"collection": ade(enabled=False)}, **{"evidence~": "not eligible"}),
]

# L5. FACTS 2.2, 2.3 and traps 1 to 3, 20; no_vm_cpu and enhanced_key_protection are the matrix's last rows.
GUEST = {
    "method": "sse",
    "caches": "no",
    "data_flow": "no",
    "enhanced_key_protection": "no",
    "no_vm_cpu": "yes",
}
DISK = {"method": "confidential", "caches": "yes", "data_flow": "yes", "enhanced_key_protection": "yes"}
NOT_VISIBLE = {"evidence~": "guest encryption not visible"}
VTPM = {"evidence~": "vTPM"}
GUEST_STATE = "ConfidentialVM_VMGuestStateOnlyEncryptedWithPlatformKey"
NO_TPM = "ConfidentialVM_NonPersistedTPM"


def by_disk(
    rule: str, security_type: str, own_set: str | None = None, *, security: dict = CVM, **expected: str
) -> Case:
    return one(
        rule,
        machine={"security": security},
        of_disk={"security": secured(security_type, own_set)},
        **expected,
    )


def by_vm(rule: str, security_encryption_type: str, own_set: str | None = None, **expected: str) -> Case:
    """Build a confidential VM that alone says how its OS disk is encrypted."""
    profile: dict = {"securityEncryptionType": security_encryption_type}
    profile |= {"diskEncryptionSet": {"id": set_id(own_set)}} if own_set else {}
    entry = listed(f"{slug(rule)}-os")
    entry["managedDisk"]["securityProfile"] = profile
    return one(rule, machine={"security": CVM, "os_disk": entry}, **expected)


L5 = [
    by_disk("L5 disk platform key", f"{CVM_DISK}PlatformKey", **DISK, confidential="platform"),
    by_disk(
        "L5 disk customer key", f"{CVM_DISK}CustomerKey", "confidential", **DISK, confidential="customer"
    ),
    by_disk("L5 disk guest state", GUEST_STATE, **GUEST, confidential="guest_state_only"),
    by_disk("L5 disk no TPM", NO_TPM, **GUEST, confidential="non_persisted_tpm"),
    by_disk("L5 guest state not visible", GUEST_STATE, **NOT_VISIBLE),
    by_disk("L5 no TPM not visible", NO_TPM, **NOT_VISIBLE),
    by_disk("L5 trusted launch", "TrustedLaunch", security={}, **GUEST, confidential="off"),
    one("L5 standard", machine={"security": {"securityType": "Standard"}}, **GUEST, confidential="off"),
    by_vm("L5 VM platform key", "DiskWithVMGuestState", **DISK, confidential="platform"),
    by_vm("L5 VM customer key", "DiskWithVMGuestState", "confidential", **DISK, confidential="customer"),
    by_vm("L5 VM guest state", "VMGuestStateOnly", **GUEST, confidential="guest_state_only"),
    by_vm("L5 VM no TPM", "NonPersistedTPM", **GUEST, confidential="non_persisted_tpm"),
    by_vm("L5 vTPM of disk encryption", "DiskWithVMGuestState", **VTPM),
    by_vm("L5 vTPM of guest state", "VMGuestStateOnly", **VTPM),
    by_disk(
        "L5 guest state on an encrypted host",
        GUEST_STATE,
        security=CVM | HOST,
        confidential="guest_state_only",
        method="host",
        caches="yes",
        data_flow="yes",
        enhanced_key_protection="no",
    ),
    Case(
        "L5 data disk of a confidential VM",
        [
            vm("l5-data", security=CVM, data=["l5-data-1", "l5-data-2"]),
            disk("l5-data-os", "l5-data", security=secured(f"{CVM_DISK}PlatformKey")),
            disk("l5-data-1", "l5-data"),
            disk("l5-data-2", "l5-data", security=secured(f"{CVM_DISK}CustomerKey", "confidential")),
        ],
        {
            "l5-data-1": {"confidential": "off", "method": "sse", "enhanced_key_protection": "no"},
            "l5-data-2": {"confidential": "customer", "method": "confidential"},
        },
    ),
]

# L6: FACTS 1.3; the size is one with a local disk and older than v5, so that C4 does not answer for C8.
OWN = secured(f"{CVM_DISK}PlatformKey")


def opted(rule: str, temp_disk: str, *more: dict, collection: dict | None = None) -> Case:
    expected = {"confidential": "platform", "method": "confidential", "ade!": "on"}
    expected |= {"temp_disk@2023": "no", "temp_disk@2026": temp_disk} | (
        {} if collection else {"conflicts": ""}
    )
    machine = {"security": CVM, "size": CONFIDENTIAL_V2, "system": "Linux"}
    return one(rule, *more, machine=machine, of_disk={"security": OWN, "collection": collection}, **expected)


def enable(rule: str, operation: str = "EnableEncryptionFormatAll", outcome: str = "Succeeded") -> dict:
    return extension(rule, operation, "Data", system="Linux", outcome=outcome)


def stub(rule: str) -> dict:
    """Build an extension as a listing echoes it: without what it is."""
    return {n: v for n, v in agent(rule).items() if n != "properties"}


def secured_by_the_vm(rule: str, own: dict | None) -> Case:
    """Build a confidential VM that alone names the set of its OS disk."""
    name = f"{slug(rule)}-os"
    profile = {"securityEncryptionType": "DiskWithVMGuestState", "diskEncryptionSet": {"id": set_id("cvm")}}
    managed = {"id": disk_id(name), "securityProfile": profile}
    machine = {"security": CVM, "os_disk": listed(name, managedDisk=managed)}
    return one(rule, machine=machine, of_disk={"security": own}, **OF_POOL)


OF_POOL = {"confidential": "customer", "key_store": "managed_hsm", "hsm": "yes", "conflicts": ""}
LISTED_SET = [
    secured_by_the_vm("L5 set that the VM alone names", None),
    secured_by_the_vm("L5 set that the disk leaves out", secured(f"{CVM_DISK}CustomerKey")),
    Case(
        "L5 set of confidential disks in a managed HSM",
        [
            des(
                "cvm",
                key_url("pool", "k", "managedhsm.azure.net"),
                kind="ConfidentialVmEncryptedWithCustomerKey",
            )
        ],
        {},
    ),
]
L6 = [
    opted("L6 extension enabled", "yes", enable("l6-extension-enabled")),
    opted("L6 extension failed", "no", enable("l6-extension-failed", outcome="Failed")),
    opted("L6 extension disabled", "no", enable("l6-extension-disabled", "DisableEncryption")),
    opted("L6 flag against it", "no", enable("l6-flag-against-it"), collection=ade(enabled=False)),
    opted("L6 only another extension", "no", agent("l6-only-another-extension")),
    opted("L6 extensions of other VMs", "unknown"),
    opted(
        "L6 extension that is no more than an id", "unknown", stub("l6-extension-that-is-no-more-than-an-id")
    ),
    # ADE may be on or off or once have been on: only the last speaks against the opt-in.
    one(
        "L6 flag not read",
        enable("l6-flag-not-read"),
        machine={"security": CVM, "size": CONFIDENTIAL_V2, "system": "Linux"},
        of_disk={"security": OWN, "collection": "not an object"},
        ade="unknown",
        temp_disk="unknown",
    ),
    one(
        "L6 never sets ade",
        enable("l6-never-sets-ade"),
        machine={"security": CVM, "size": CONFIDENTIAL_V2},
        of_disk={"security": OWN},
        ade="off",
        conflicts="",
    ),
]

# L8: under each consistent reading; what agrees stands. RULES L8, FACTS traps 6, 7, 11 and 21.
CONFLICT = {"conflicts!": ""}
L8 = [
    one("L8 nothing to say", conflicts=""),
    # A customer's key by either reading: ADE's KEK, or else the set. None reads as neither.
    one(
        "L8 ADE that was disabled with a customer key",
        extension("l8-ade-that-was-disabled-with-a-customer-key", "DisableEncryption"),
        of_disk={"encryption": cmk("standard"), "collection": ade()},
        ade="on",
        customer_keys="yes",
        caches="unknown",
    ),
    # ADE (All) yyyyynnynH, host yyyynnyynH.
    one(
        "L8 ADE with host",
        extension("l8-ade-with-host"),
        machine={"security": HOST},
        of_disk={"collection": ade()},
        ade="on",
        host="on",
        verdict="yyyy?n?ynH",
        **CONFLICT,
    ),
    # Without a KEK neither reading has a customer's key.
    one(
        "L8 ADE without KEK with host",
        extension("l8-ade-without-kek-with-host", kek=None),
        machine={"security": HOST},
        of_disk={"collection": ade(kek=None)},
        verdict="yyyynn?ynH",
        **CONFLICT,
    ),
    # Volume type OS: ADE leaves the temp disk open in the newest edition, the host does not.
    one(
        "L8 ADE of the OS volume with host",
        extension("l8-ade-of-the-os-volume-with-host", volume="OS"),
        machine={"security": HOST},
        of_disk={"collection": ade()},
        **{"verdict@2023": "yyyy?n?ynH", "verdict@2026": "y?yy?n?ynH", "conflicts!": ""},
    ),
    # ADE with a KEK yyyyynnynH, or the set alone ynnnynyynU.
    one(
        "L8 ADE with customer key",
        extension("l8-ade-with-customer-key"),
        of_disk={"collection": ade(), "encryption": cmk("standard")},
        ade="on",
        sse="customer",
        verdict="y???yn?yn?",
        **CONFLICT,
    ),
    one(
        "L8 ADE without KEK with customer key",
        extension("l8-ade-without-kek-with-customer-key", kek=None),
        of_disk={"collection": ade(kek=None), "encryption": cmk("standard")},
        verdict="y????n?yn?",
        **CONFLICT,
    ),
    # By the disk's type and by its set's type alike the customer has a key.
    one(
        "L8 set of another type",
        of_disk={"encryption": cmk("double")},
        sse="customer",
        verdict="ynnnynyynU",
        **CONFLICT,
    ),
    one(
        "L8 set for confidential disks",
        of_disk={"encryption": cmk("confidential")},
        sse="customer",
        **CONFLICT,
    ),
    # The type says platform, the set says customer.
    one(
        "L8 platform key with a set",
        of_disk={"encryption": PMK | {"diskEncryptionSetId": set_id("standard")}},
        sse="platform",
        customer_keys="unknown",
        hsm="no",
        **CONFLICT,
    ),
    # Trap 9: no single signal is trusted. ADE (All) yyyyynnynH, or the platform key alone ynnnnnyynU.
    one(
        "L8 flag on and seen decrypted",
        extension("l8-flag-on-and-seen-decrypted"),
        machine={"view": [seen("l8-flag-on-and-seen-decrypted-os", "notEncrypted")]},
        of_disk={"collection": ade()},
        ade="on",
        verdict="y????n?yn?",
        **CONFLICT,
    ),
    one(
        "L8 flag on and last disabled",
        extension("l8-flag-on-and-last-disabled", "DisableEncryption"),
        of_disk={"collection": ade()},
        ade="on",
        verdict="y????n?yn?",
        **CONFLICT,
    ),
    # Linux lets go of its data volumes alone: that says nothing of the OS disk.
    one(
        "L8 flag on and data volumes disabled",
        extension("l8-flag-on-and-data-volumes-disabled", "DisableEncryption", "Data", system="Linux"),
        machine=LINUX,
        of_disk={"collection": ade()},
        ade="on",
        caches="yes",
        conflicts="",
    ),
    one(
        "L8 flag on and disabling failed",
        extension("l8-flag-on-and-disabling-failed", "DisableEncryption", outcome="Failed"),
        of_disk={"collection": ade()},
        ade="on",
        caches="yes",
        conflicts="",
    ),
    one(
        "L8 flag off and the VM says on",
        machine={
            "os_disk": listed("l8-flag-off-and-the-vm-says-on-os", encryptionSettings={"enabled": True})
        },
        of_disk={"collection": ade(enabled=False)},
        ade="was_on",
        caches="unknown",
        data_flow="unknown",
        **CONFLICT,
    ),
    # Trap 3: TrustedLaunch is no encryption, and no confidential VM has such a disk.
    one(
        "L8 trusted launch on a confidential VM",
        machine={
            "security": CVM,
            "os_disk": listed(
                "l8-trusted-launch-on-a-confidential-vm-os",
                managedDisk={
                    "id": disk_id("l8-trusted-launch-on-a-confidential-vm-os"),
                    "securityProfile": {"securityEncryptionType": "DiskWithVMGuestState"},
                },
            ),
        },
        of_disk={"security": secured("TrustedLaunch")},
        confidential="platform",
        enhanced_key_protection="unknown",
        **CONFLICT,
    ),
    Case(
        "L8 Windows data volumes alone",
        [
            vm(
                "l8-wd",
                data=["l8-wd-data"],
                view=[seen("l8-wd-os", "notEncrypted"), seen("l8-wd-data", "encrypted")],
            ),
            extension("l8-wd", volume="Data"),
            disk("l8-wd-os", "l8-wd", system="Windows"),
            disk("l8-wd-data", "l8-wd", collection=ade()),
        ],
        {
            "l8-wd-os": {"ade": "off", "defender_status": "Unhealthy"},
            "l8-wd-data": {"ade": "on", "caches": "yes", "defender_status": "Unhealthy", "conflicts!": ""},
        },
    ),
]

CASES = [*L1, *L2, *L3, *L4, *L5, *LISTED_SET, *L6, *L8]


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    return judged_twice(tmp_path_factory.mktemp("layers"), CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_layer(case, rows):
    assert differences(case, rows) == {}


def test_l2_state_says_attached_and_no_owner_column(tmp_path):
    rows = judged(tmp_path, disk("d1", state="Attached"), disk("d2", state="Reserved"))
    found = {(row["attachment"], row["host"], row["data_flow"]) for row in rows.values()}
    assert found == {("attached", "unknown", "unknown")}


def test_l6_extensions_not_read_leave_the_opt_in_unknown(tmp_path):
    body = vm("a", security=CVM, size=CONFIDENTIAL_V2)
    row = judged(tmp_path, body, disk("a-os", "a", security=OWN))["a-os"]
    assert (row["temp_disk"], row["caches"]) == ("unknown", "yes")


# L7: a VM with its OS disk, twice.
IOPS = {"diskIOPSReadWrite": 900}
TRUSTED = {"security": secured("TrustedLaunch")}
BEFORE = [
    *(vm("used"), disk("used-os", "used")),
    *(vm("weaker", security=HOST), disk("weaker-os", "weaker", encryption=cmk("s"))),
    *(vm("shouted"), disk("shouted-os", "shouted")),
]
AFTER = [
    *(vm("used", security=HOST), disk("used-os", "used", encryption=cmk("s"))),
    *(vm("weaker"), disk("weaker-os", "weaker")),
    vm("shouted", security=HOST),
    disk("shouted-os", "shouted", encryption=cmk("s"))
    | {"id": disk_id("SHOUTED-OS").replace("/rg-", "/RG-")},
]
ONE = [
    *(vm("differ"), disk("differ-os", "differ", collection=ade(), **TRUSTED)),
    *(vm("agree", security=HOST), disk("agree-os", "agree")),
]
OTHER = [
    *(vm("differ", security=HOST), disk("differ-os", "differ", encryption=cmk("s"), **TRUSTED)),
    *(vm("agree", security=HOST), disk("agree-os", "agree", **IOPS)),
]


def captures(folder, first, second):
    """Write two captures, the paths of which may tell their dates."""
    for inner, bodies in (first, second):
        write(folder / inner, bodies)
    inv = de.load(folder, engine="polars")
    return rows_of(inv), records(inv.ledger)


@pytest.mark.parametrize(
    "folders",
    [("2026-01-01", "2026-02-01"), ("b/2026-01-01", "a/2026-02-01")],
    ids=["older first", "newer first"],
)
def test_l7_newest_capture_is_used_and_the_older_is_accounted_for(tmp_path, folders):
    rows, ledger = captures(tmp_path, *zip(folders, (BEFORE, AFTER), strict=True))
    found = {name.lower(): (row["sse"], row["host"]) for name, row in rows.items()}
    assert found == {
        "used-os": ("customer", "on"),
        "weaker-os": ("platform", "off"),
        "shouted-os": ("customer", "on"),
    }
    aside = {(e["captured_at"], e["reasons"], e["rows_set_aside"]) for e in ledger if e["rows_set_aside"]}
    assert aside == {("2026-01-01", "3 older capture", 3)}


def test_l7_layers_that_differ_are_unknown_when_order_cannot_be_told(tmp_path):
    rows, ledger = captures(tmp_path, ("one", ONE), ("two", OTHER))
    layers = {
        name: [row[layer] for layer in ("sse", "host", "ade", "confidential")] for name, row in rows.items()
    }
    assert layers == {
        "differ-os": ["unknown", "unknown", "unknown", "off"],
        "agree-os": ["platform", "on", "off", "off"],
    }
    assert sum(entry["rows_set_aside"] for entry in ledger) == 4


CACHED, UNCACHED = listed("m-os", caching="ReadOnly"), listed("m-os", caching="None")
ON_HOST = disk("m-os", "m", system="Windows")
DISABLE = extension("m", "DisableEncryption")
LIES_IN = {"encryption": cmk("s"), "system": "Windows"}
TO_PREMIUM = des("s", key_url("kv-premium", "k"), vault_name="kv-premium")
TO_STANDARD = des("s", key_url("kv-standard", "k"), vault_name="kv-standard")
STORES = [vault("kv-premium", "premium"), vault("kv-standard"), vault_key("kv-premium", "k", "RSA-HSM")]
# What two captures say of one thing, what both say besides, and what must not be told of the disk then.
DIFFERING = {
    "owner or none": ([disk("m-os", "m")], [disk("m-os")], [], {"attachment": "unknown", "host": "unknown"}),
    "owners": (
        [disk("m-os", "m"), vm("m", security=HOST), vm("n", os_disk=listed("n-os"))],
        [disk("m-os", "n")],
        [],
        {"host": "unknown", "data_flow": "unknown"},
    ),
    "size": ([vm("m", size=V5)], [vm("m", size=V3)], [ON_HOST], {"temp_disk": "unknown", "host": "off"}),
    "caching": (
        [vm("m", security=HOST, os_disk=CACHED)],
        [vm("m", security=HOST, os_disk=UNCACHED)],
        [ON_HOST],
        {"caches": "unknown", "data_flow": "yes"},
    ),
    "type of storage": (
        [disk("m-os", "m", sku="Premium_LRS")],
        [disk("m-os", "m", sku="UltraSSD_LRS")],
        [vm("m", security=HOST)],
        {"caches": "unknown", "data_flow": "yes"},
    ),
    "operating system": (
        [vm("m", system="Linux", image={"id": image_id("own")})],
        [vm("m", system="Windows", image={"id": image_id("own")})],
        [disk("m-os", "m", collection=ade())],
        {"custom_images": "unknown", "ade": "on"},
    ),
    "extension": (
        [extension("m")],
        [DISABLE],
        [vm("m"), ON_HOST],
        {"ade": "unknown", "no_vm_cpu": "unknown"},
    ),
    "key of the set": (
        [TO_PREMIUM],
        [TO_STANDARD],
        [*STORES, vm("m"), disk("m-os", "m", **LIES_IN)],
        {"key_store": "unknown", "hsm": "unknown", "customer_keys": "yes"},
    ),
    "tier of the vault": (
        [vault("kv-premium", "premium")],
        [vault("kv-premium", "standard")],
        [TO_PREMIUM, vm("m"), disk("m-os", "m", **LIES_IN)],
        {"key_store": "key_vault", "hsm": "unknown"},
    ),
    "type of the key": (
        [vault_key("kv-premium", "k", "RSA-HSM")],
        [vault_key("kv-premium", "k", "RSA")],
        [vault("kv-premium", "premium"), TO_PREMIUM, vm("m"), disk("m-os", "m", **LIES_IN)],
        {"key_store": "key_vault_premium", "hsm": "unknown"},
    ),
    "KEK or none": (
        [disk("m-os", "m", collection=ade())],
        [disk("m-os", "m", collection=ade(kek=None))],
        [vm("m")],
        {"ade": "on", "key_owner": "unknown", "customer_keys": "unknown"},
    ),
    "set or another": (
        [disk("m-os", "m", encryption=cmk("s"))],
        [disk("m-os", "m", encryption=cmk("t"))],
        [*STORES, TO_PREMIUM, vm("m")],
        {"sse": "customer", "key_store": "unknown", "hsm": "unknown"},
    ),
}


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("what", DIFFERING)
def test_l7_no_verdict_rests_on_what_differs_in_captures_of_no_known_order(tmp_path, what, swapped):
    one, other, both, expected = DIFFERING[what]
    first, second = (other, one) if swapped else (one, other)
    rows, _ = captures(tmp_path, ("one", [*first, *both]), ("two", second))
    assert {column: rows["m-os"][column] for column in expected} == expected


# Said at the head of RULES: the number of a rule stands in the evidence of the rows that it decided.
@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ("L1", "l1-no-encryption-member-os"),
        ("L2", "l2-flag-true-os"),
        ("L3", "l3-1-collection-enabled-os"),
        ("L4", "l4-not-seen-decrypted-os"),
        ("L5", "l5-disk-platform-key-os"),
        ("L6", "l6-never-sets-ade-os"),
        ("L8", "l8-ade-with-host-os"),
    ],
)
def test_evidence_names_the_rule_that_decided(rows, rule, name):
    assert rule in rows[LATEST][name]["evidence"]
