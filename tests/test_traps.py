"""The traps of the facts, one named test each: what data says that looks like something else."""

from __future__ import annotations

import pytest

import diskenc_analysis as de
from tests.rules import (
    CONFIDENTIAL_V5D,
    CVM,
    CVM_DISK,
    HOST,
    LATEST,
    SEED,
    V4,
    V5D,
    ade,
    cmk,
    disk,
    disk_id,
    extension,
    instance,
    instance_id,
    listed,
    records,
    rows_of,
    scale_set,
    secured,
    seen,
    snapshot,
    stores,
    verdict,
    vm,
    vm_id,
    write,
)

GUEST_STATE = secured("ConfidentialVM_VMGuestStateOnlyEncryptedWithPlatformKey")
NO_TPM = secured("ConfidentialVM_NonPersistedTPM")
TRUSTED = secured("TrustedLaunch")
LATE = {"view": [seen("t10-os", "encrypted"), seen("t10-late", "notEncrypted")]}
SHOUTED = instance_id("t24", 0).upper().replace("/SUBSCRIPTIONS", "/subscriptions")
BEK = [seen("t23-os", "encrypted"), seen("BEK VOLUME", "encrypted")]
SHARED = [vm_id("t15-a"), vm_id("t15-b")]
ODD_TYPE, ODD_SECURITY = "EncryptionAtRestWithQuantumKey", "ConfidentialVM_DiskEncryptedWithMoonKey"


def pair(name: str, *, machine: dict | None = None, **of_disk) -> list[dict]:
    """Build a VM with its OS disk."""
    given = {"system": (machine or {}).get("system", "Windows")} | of_disk
    return [vm(name, **(machine or {})), disk(f"{name}-os", name, **given)]


def copy_of(name: str) -> dict:
    return {"createOption": "Copy", "sourceResourceId": disk_id(name)}


OBJECTS = [
    *stores(),
    *pair("plain"),
    *pair("t1", machine={"security": CVM, "size": CONFIDENTIAL_V5D}, security=GUEST_STATE),
    *pair("t2", machine={"security": CVM, "size": CONFIDENTIAL_V5D}, security=NO_TPM),
    *pair("t3", machine={"security": {"securityType": "TrustedLaunch"}}, security=TRUSTED),
    *pair("t4", collection=ade(enabled=False)),
    disk("t5-copy", system="Windows", creationData=copy_of("t4-os")),
    disk("t5-copy-plain", system="Windows", creationData=copy_of("plain-os")),
    snapshot("t5-snap", creationData=copy_of("t4-os")),
    snapshot("t5-snap-plain", creationData=copy_of("plain-os")),
    *pair("t6", machine={"security": HOST}, collection=ade()),
    extension("t6"),
    *pair("t6-was", machine={"security": HOST}, collection=ade(enabled=False)),
    *pair("t7", collection=ade(), encryption=cmk("standard")),
    extension("t7"),
    *pair("t7-was", collection=ade(enabled=False), encryption=cmk("standard")),
    *pair("t8", collection=ade(enabled=False)),
    extension("t8", "DisableEncryption"),
    *pair("t9-no-extension", collection=ade()),
    *pair("t9-leftover"),
    extension("t9-leftover"),
    *pair("t10", machine={"data": ["t10-late"]} | LATE, collection=ade()),
    extension("t10"),
    disk("t10-late", "t10"),
    *pair("t11-windows", machine={"data": ["t11-windows-data"]}),
    extension("t11-windows", volume="Data"),
    disk("t11-windows-data", "t11-windows", collection=ade()),
    *pair("t11-linux", machine={"system": "Linux", "data": ["t11-linux-data"]}),
    extension("t11-linux", volume="Data", system="Linux"),
    disk("t11-linux-data", "t11-linux", collection=ade()),
    *pair("t12", machine={"data": ["t12-data"]}, collection=ade()),
    extension("t12"),
    disk("t12-data", "t12"),
    scale_set("t13", security=HOST),
    instance("t13", 0, latestModelApplied=False),
    disk("t13_0-os", instance_id("t13", 0), system="Windows"),
    instance("t13", 1, security=HOST, latestModelApplied=True),
    disk("t13_1-os", instance_id("t13", 1), system="Windows"),
    disk("t14-free"),
    disk("t14-free-ade", collection=ade()),
    *pair("t15-a", machine={"security": HOST, "data": ["t15-shared"]}),
    *pair("t15-b", machine={"data": ["t15-shared"]}),
    disk("t15-shared", "t15-a", head={"managedByExtended": SHARED}, maxShares=2),
    *pair("t16", machine={"security": HOST}, state="Reserved"),
    *pair("t16-sas", machine={"security": HOST}, state="ActiveSAS"),
    disk("t16-free-sas", state="ActiveSAS"),
    vm(
        "t17",
        security=HOST,
        os_disk=listed("t17-os", caching="ReadOnly", diffDiskSettings={"option": "Local"})
        | {"managedDisk": {"id": disk_id("t17-os"), "storageAccountType": "StandardSSD_LRS"}},
    ),
    *pair("t18", machine={"size": V4}),
    *pair("t19", machine={"security": HOST, "data": ["t19-ultra", "t19-v2"]}),
    disk("t19-ultra", "t19", sku="UltraSSD_LRS"),
    disk("t19-v2", "t19", sku="PremiumV2_LRS"),
    *pair("t20", machine={"security": CVM}, security=secured(f"{CVM_DISK}CustomerKey", "confidential")),
    *pair("t21-differs", encryption=cmk("double")),
    *pair("t21-unread", encryption=cmk("behind-rbac")),
    *pair(
        "t22",
        machine={"security": CVM, "data": ["t22-data"]},
        security=secured(f"{CVM_DISK}CustomerKey", "confidential"),
    ),
    disk("t22-data", "t22", encryption=cmk("managed-hsm")),
    *pair(
        "t23",
        machine={"view": BEK},
        collection=ade(),
    ),
    scale_set("t24"),
    instance("t24", 0, security=HOST, data=["t24-data"]),
    disk(
        "t24_0-os",
        SHOUTED,
        system="Windows",
    ),
    disk("t24-data"),
    *pair("t25", encryption={"type": ODD_TYPE}),
    *pair("t25-security", machine={"security": CVM}, security=secured(ODD_SECURITY)),
    *pair("t26", machine={"size": V5D}),
]


@pytest.fixture(scope="module")
def inventory(tmp_path_factory):
    return de.load(write(tmp_path_factory.mktemp("traps"), OBJECTS), engine="duckdb")


@pytest.fixture(scope="module")
def rows(inventory):
    return rows_of(inventory, LATEST)


@pytest.fixture(scope="module")
def seed_rows(inventory):
    return rows_of(inventory, SEED)


def of(row, *columns):
    return tuple(row[column] for column in columns)


def test_trap_01_confidential_vm_is_not_confidential_disk_encryption(rows):
    row = rows["t1-os"]
    assert of(row, "confidential", "method", "enhanced_key_protection") == ("guest_state_only", "sse", "no")
    assert of(row, "caches", "data_flow", "no_vm_cpu", "customer_keys") == ("no", "no", "yes", "no")


def test_trap_02_non_persisted_tpm_encrypts_itself_out_of_sight(rows):
    row = rows["t2-os"]
    assert of(row, "confidential", "method", "caches") == ("non_persisted_tpm", "sse", "no")
    assert "not visible" in row["evidence"]


def test_trap_03_trusted_launch_says_nothing_about_encryption(rows):
    assert rows["t3-os"]["confidential"] == "off"
    assert verdict(rows["t3-os"]) == verdict(rows["plain-os"]) == "ynnnnnyynU"


def test_trap_04_collection_that_is_disabled_is_not_ade(rows):
    row = rows["t4-os"]
    assert of(row, "ade", "method", "caches", "defender_status") == ("was_on", "sse", "no", "Unhealthy")
    assert "not eligible" in row["evidence"]


@pytest.mark.parametrize("name", ["t5-copy", "t5-snap"])
def test_trap_05_history_of_ade_sticks_to_copies(rows, name):
    row = rows[name]
    assert row["ade"] != "on"
    # The flag behind it has no field in ARM: the lineage is all that tells it from a copy of a plain disk.
    assert row["evidence"] != rows[f"{name}-plain"]["evidence"]


def test_trap_06_ade_with_host_is_flagged_and_not_scored(rows):
    row = rows["t6-os"]
    assert of(row, "ade", "host", "no_vm_cpu", "customer_keys") == ("on", "on", "unknown", "unknown")
    assert row["conflicts"]


def test_trap_06_disk_that_had_ade_on_an_encrypted_host_is_flagged(rows):
    assert rows["t6-was-os"]["conflicts"]


def test_trap_07_ade_with_a_customer_key_is_flagged(rows):
    row = rows["t7-os"]
    assert of(row, "ade", "sse", "no_vm_cpu", "caches") == ("on", "customer", "unknown", "unknown")
    assert row["conflicts"]


def test_trap_07_disk_that_had_ade_with_a_customer_key_is_flagged(rows):
    assert rows["t7-was-os"]["conflicts"]


def test_trap_08_disabled_is_no_proof_of_decryption(rows):
    assert of(rows["t8-os"], "ade", "no_vm_cpu") == ("was_on", "unknown")


def test_trap_09_removed_extension_does_not_decrypt(rows):
    assert of(rows["t9-no-extension-os"], "ade", "caches", "no_vm_cpu") == ("on", "yes", "no")


def test_trap_09_leftover_extension_does_not_encrypt(rows):
    row = rows["t9-leftover-os"]
    assert of(row, "ade", "caches", "defender_status") == ("unknown", "unknown", "unknown")
    assert row["conflicts"]


def test_trap_10_data_disk_attached_later_is_not_covered(rows):
    assert of(rows["t10-os"], "ade", "caches", "defender_status") == ("on", "yes", "Unhealthy")
    assert of(rows["t10-late"], "ade", "caches", "defender_status") == ("off", "no", "Unhealthy")


def test_trap_11_data_volumes_alone_do_not_exist_on_windows(rows):
    assert rows["t11-windows-os"]["conflicts"] or rows["t11-windows-data"]["conflicts"]
    assert rows["t11-linux-os"]["conflicts"] == rows["t11-linux-data"]["conflicts"] == ""


def test_trap_12_all_volumes_is_an_upper_bound(rows):
    assert rows["t12-os"]["ade"] == "on"
    assert rows["t12-data"]["ade"] != "on"
    assert rows["t12-data"]["caches"] != "yes"


def test_trap_13_instance_counts_and_not_the_model(rows):
    assert of(rows["t13_0-os"], "host", "data_flow", "defender_status") == ("off", "no", "Unhealthy")
    assert of(rows["t13_1-os"], "host", "data_flow", "defender_status") == ("on", "yes", "Healthy")


def test_trap_14_no_host_encryption_without_a_host(rows):
    assert of(rows["t14-free"], "host", "method", "data_flow") == ("not_attached", "sse", "not_applicable")
    assert of(rows["t14-free-ade"], "host", "method", "at_rest") == ("not_attached", "ade", "yes")


def test_trap_15_shared_disk_whose_hosts_differ(rows):
    assert of(rows["t15-shared"], "host", "data_flow", "temp_disk") == ("partial", "no", "no")
    assert (rows["t15-a-os"]["host"], rows["t15-b-os"]["host"]) == ("on", "off")


def test_trap_16_state_does_not_tell_attachment(rows):
    assert of(rows["t16-os"], "attachment", "host") == ("attached", "on")
    assert of(rows["t16-sas-os"], "attachment", "host") == ("attached", "on")
    assert of(rows["t16-free-sas"], "attachment", "host") == ("unattached", "not_attached")


def test_trap_17_ephemeral_os_disk_has_a_row_and_no_resource(rows, inventory):
    row = rows["t17-os"]
    assert of(row, "kind", "role", "attachment") == ("ephemeral_os_disk", "os", "attached")
    assert verdict(row) == "yy-ynnyynH"
    assert "not in the inventory" not in row["evidence"]
    missing = [gap for gap in records(inventory.gaps()) if "VMs list" in gap["gap"]]
    assert missing == []


def test_trap_18_size_without_a_local_disk_has_nothing_to_encrypt(rows):
    assert rows["t18-os"]["temp_disk"] == "not_applicable"


def test_trap_19_ultra_and_premium_v2_have_no_cache(rows):
    assert [rows[name]["caches"] for name in ("t19-ultra", "t19-v2", "t19-os")] == [
        "not_applicable",
        "not_applicable",
        "yes",
    ]


def test_trap_20_confidential_customer_key_lies_elsewhere(rows):
    row = rows["t20-os"]
    assert of(row, "sse", "confidential", "key_owner") == ("platform", "customer", "customer")
    assert of(row, "customer_keys", "hsm", "key_store") == ("yes", "yes", "key_vault_premium")


def test_trap_21_set_of_another_type_is_flagged(rows):
    row = rows["t21-differs-os"]
    assert of(row, "sse", "customer_keys") == ("customer", "yes")
    assert row["conflicts"]


def test_trap_21_set_that_is_not_read_is_not_platform(rows):
    row = rows["t21-unread-os"]
    assert of(row, "sse", "customer_keys", "key_store", "hsm") == ("customer", "yes", "unknown", "unknown")


def test_trap_22_two_sets_of_one_vm_are_joined_per_disk(rows):
    assert of(rows["t22-os"], "confidential", "key_store") == ("customer", "key_vault_premium")
    assert of(rows["t22-data"], "confidential", "key_store") == ("off", "managed_hsm")


def test_trap_23_bek_volume_is_no_disk(rows):
    assert [name for name in rows if "bek" in name.lower()] == []
    assert of(rows["t23-os"], "ade", "defender_status") == ("on", "Healthy")


def test_trap_24_instances_of_a_uniform_set_own_their_disks(rows):
    assert of(rows["t24_0-os"], "attachment", "host", "role") == ("attached", "on", "os")
    assert of(rows["t24-data"], "attachment", "host", "role") == ("attached", "on", "data")


def test_trap_25_unknown_words_are_kept_and_not_read_as_anything(rows):
    assert of(rows["t25-os"], "sse", "key_owner", "customer_keys") == ("unknown", "unknown", "unknown")
    assert of(rows["t25-os"], "at_rest") == ("yes",)
    assert ODD_TYPE in rows["t25-os"]["evidence"]
    assert of(rows["t25-security-os"], "confidential", "enhanced_key_protection") == ("unknown", "unknown")
    assert ODD_SECURITY in rows["t25-security-os"]["evidence"]


def test_trap_26_temp_disk_of_v5_is_at_rest_only(rows, seed_rows):
    assert verdict(rows["t26-os"]) == "yynnnnyynU"
    assert verdict(seed_rows["t26-os"]) == "ynnnnnyynU"
    assert of(rows["t26-os"], "method", "host") == ("sse", "off")


def test_every_trap_has_a_test(rows):
    named = {name[5:12] for name in globals() if name.startswith("test_trap_")}
    assert named == {f"trap_{n:02d}" for n in range(1, 27)}
    assert len(rows) == sum(o["type"].endswith(("/disks", "/snapshots")) for o in OBJECTS) + 1
