from __future__ import annotations

import csv
import hashlib
import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from diskenc_analysis.errors import ParameterError
from diskenc_analysis.sample import TABLES, generate
from diskenc_analysis.sample_kinds import KINDS
from diskenc_analysis.sample_plan import CAPABILITIES, COLUMNS, TRUTH
from diskenc_analysis.share import sample_path

YES_NO = {"yes", "no", "not_applicable", "unknown"}
ENVELOPE = {"id", "name", "type", "location", "properties"}
TYPES = {
    "subscriptions": "Microsoft.Resources/subscriptions",
    "virtual_machines": "Microsoft.Compute/virtualMachines",
    "scale_sets": "Microsoft.Compute/virtualMachineScaleSets",
    "scale_set_vms": "Microsoft.Compute/virtualMachineScaleSets/virtualMachines",
    "extensions": "Microsoft.Compute/virtualMachines/extensions",
    "disks": "Microsoft.Compute/disks",
    "snapshots": "Microsoft.Compute/snapshots",
    "disk_encryption_sets": "Microsoft.Compute/diskEncryptionSets",
    "key_vaults": "Microsoft.KeyVault/vaults",
    "managed_hsms": "Microsoft.KeyVault/managedHSMs",
    "keys": "Microsoft.KeyVault/vaults/keys",
    "assessments": "Microsoft.Security/assessments",
    "guest_assignments": "Microsoft.GuestConfiguration/guestConfigurationAssignments",
    "policy_assignments": "Microsoft.Authorization/policyAssignments",
    "exemptions": "Microsoft.Authorization/policyExemptions",
}
#: Resources on other resources, which have no place of their own.
WITHOUT_LOCATION = {"assessments", "guest_assignments", "policy_assignments", "exemptions"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return generate(tmp_path_factory.mktemp("tenant"))


@pytest.fixture(scope="module")
def tables(folder):
    return {name: payloads(folder, name) for name in TABLES}


@pytest.fixture(scope="module")
def truth(folder):
    return rows(folder)


def payloads(folder, name):
    return [json.loads(line) for line in (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def rows(folder):
    with (folder / TRUTH).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def digests(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def of_kind(truth, label):
    return [row for row in truth if row["kind_label"] == label]


def verdict(row, year):
    return [row[f"{capability}@{year}"] for capability in CAPABILITIES]


def test_same_arguments_give_the_same_bytes(tmp_path, folder):
    assert digests(generate(tmp_path / "again")) == digests(folder)


def test_another_seed_gives_other_bytes(tmp_path, folder):
    other = digests(generate(tmp_path / "other", seed=8))
    assert other.keys() == digests(folder).keys()
    assert other["disks.jsonl"] != digests(folder)["disks.jsonl"]


def test_bytes_do_not_depend_on_the_hash_seed(tmp_path, folder):
    imports = "from pathlib import Path; from diskenc_analysis.sample import generate"
    command = f"{imports}; generate(Path({str(tmp_path)!r}))"
    root = Path(__file__).resolve().parents[1]
    environment = os.environ | {"PYTHONHASHSEED": "12345", "PYTHONPATH": str(root)}
    subprocess.run([sys.executable, "-c", command], check=True, env=environment)
    assert digests(tmp_path) == digests(folder)


def test_bundled_tenant_is_what_generate_writes(folder):
    assert digests(sample_path()) == digests(folder)


def test_bundled_tenant_is_small():
    assert sum(path.stat().st_size for path in sample_path().iterdir()) < 1_500_000


@pytest.mark.parametrize("subscriptions", [1, 4, 6, 13])
def test_every_kind_is_there_from_400_disks_on(tmp_path, subscriptions):
    made = rows(generate(tmp_path, subscriptions=subscriptions))
    assert {row["kind_label"] for row in made} == {kind.label for kind in KINDS}
    assert len(payloads(tmp_path, "subscriptions")) == subscriptions


@pytest.mark.parametrize("disks", [1, 2, 135, 400, 777])
def test_as_many_rows_as_asked_for_each_once(tmp_path, disks):
    made = rows(generate(tmp_path, disks=disks, subscriptions=3))
    assert len({row["disk_id"].lower() for row in made}) == len(made) == disks


@pytest.mark.parametrize(("disks", "subscriptions"), [(0, 6), (400, 0)])
def test_nothing_to_make_is_an_error(tmp_path, disks, subscriptions):
    with pytest.raises(ParameterError, match="at least 1 disk and 1 subscription"):
        generate(tmp_path, disks=disks, subscriptions=subscriptions)


def test_old_tables_go(tmp_path):
    (tmp_path / "managed_hsms.jsonl").write_text("{}\n", encoding="utf-8")
    generate(tmp_path, disks=1, subscriptions=1)
    assert not (tmp_path / "managed_hsms.jsonl").exists()


def test_a_folder_of_others_is_left_alone(tmp_path):
    (tmp_path / "notes.jsonl").write_text("{}\n", encoding="utf-8")
    with pytest.raises(ParameterError, match="is not a sample tenant"):
        generate(tmp_path, disks=1, subscriptions=1)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.jsonl"]


def test_ten_profiles_of_names_repeat_with_numbers(tmp_path):
    made = payloads(generate(tmp_path, subscriptions=8), "subscriptions")
    assert [row["displayName"] for row in made][-3:] == [
        "contoso-acquired",
        "contoso-prod-eu-2",
        "contoso-prod-us-2",
    ]


@pytest.mark.parametrize("table", TYPES)
def test_payloads_have_arm_members(tables, table):
    assert tables[table]
    for body in tables[table]:
        assert body["type"] == TYPES[table]
        assert body["id"].startswith("/subscriptions/")
        wanted = (
            {"subscriptionId", "displayName", "tenantId", "state"} if table == "subscriptions" else ENVELOPE
        )
        assert wanted - body.keys() <= ({"location"} if table in WITHOUT_LOCATION else set())


def test_sizes_are_resource_skus(tables):
    for body in tables["vm_sizes"]:
        capabilities = {c["name"]: c["value"] for c in body["capabilities"]}
        assert body["resourceType"] == "virtualMachines"
        assert len(body["locations"]) == 1
        assert capabilities["EncryptionAtHostSupported"] == "True"
    listed = {body["name"] for body in tables["vm_sizes"]}
    used = {vm["properties"]["hardwareProfile"]["vmSize"] for vm in tables["virtual_machines"]}
    assert listed & used
    assert {"Standard_E8s_v3", "Standard_DC4ads_v5"} <= used - listed


def test_no_template_mark_is_left(folder):
    for path in folder.iterdir():
        assert "%(" not in path.read_text(encoding="utf-8"), path.name


def test_every_truth_row_has_its_payload(tables, truth):
    vms = tables["virtual_machines"] + tables["scale_set_vms"]
    storage = {vm["id"]: vm["properties"]["storageProfile"] for vm in vms}
    entries = [entry for s in storage.values() for entry in (s["osDisk"], *s["dataDisks"])]
    local = {e["managedDisk"]["id"] for e in entries if "diffDiskSettings" in e and "id" in e["managedDisk"]}
    nameless = {
        f"{vm}#osdisk"
        for vm, s in storage.items()
        if "diffDiskSettings" in s["osDisk"] and "id" not in s["osDisk"]["managedDisk"]
    }
    expected = {
        "managed_disk": {disk["id"] for disk in tables["disks"]},
        "snapshot": {snapshot["id"] for snapshot in tables["snapshots"]},
        "ephemeral_os_disk": local | nameless,
        "unmanaged_disk": {entry["vhd"]["uri"] for entry in entries if "vhd" in entry},
    }
    found = defaultdict(set)
    for row in truth:
        found[row["kind"]].add(row["disk_id"])
    assert found == expected
    assert local
    assert nameless


def test_owners_are_there_but_for_the_acquired_subscription(tables):
    acquired = next(s["id"] for s in tables["subscriptions"] if s["displayName"] == "contoso-acquired")
    vms = {vm["id"].lower() for vm in tables["virtual_machines"] + tables["scale_set_vms"]}
    assert not any(vm.startswith(acquired) for vm in vms)
    for disk in tables["disks"]:
        if "managedBy" in disk:
            assert (disk["managedBy"].lower() in vms) == (not disk["id"].startswith(acquired))


def test_letter_case_of_resource_groups_differs_now_and_then(tables):
    vms = {vm["id"] for vm in tables["virtual_machines"] + tables["scale_set_vms"]}
    known = {vm.lower() for vm in vms}
    owners = [d["managedBy"] for d in tables["disks"] if d.get("managedBy", "").lower() in known]
    differing = sum(owner not in vms for owner in owners)
    assert 0 < differing < len(owners) / 2


def test_verdicts_on_a_vm_are_equal_on_all_its_rows(tables, truth):
    owner = {
        disk["id"]: disk.get("managedBy", "").lower()
        for disk in tables["disks"]
        if "shareInfo" not in disk["properties"]
    }
    for vm in tables["virtual_machines"]:
        os_disk = vm["properties"]["storageProfile"]["osDisk"]
        if "diffDiskSettings" in os_disk:
            owner[os_disk["managedDisk"].get("id", f"{vm['id']}#osdisk")] = vm["id"].lower()
    found = defaultdict(set)
    for row in truth:
        if owner.get(row["disk_id"]):
            shown = [row[f"{c}@{y}"] for c in ("temp_disk", "defender_status") for y in (2023, 2026)]
            found[owner[row["disk_id"]]].add((*shown, row["temp_disk_key_owner"]))
    assert len(found) > 150
    assert {vm for vm, shown in found.items() if len(shown) != 1} == set()


def test_truth_keeps_to_the_words_of_the_frame(truth):
    words = {
        "kind": {"managed_disk", "ephemeral_os_disk", "unmanaged_disk", "snapshot"},
        "role": {"os", "data"},
        "attachment": {"attached", "unattached"},
        "sse": {"platform", "customer", "platform_and_customer", "storage_account", "unknown"},
        "host": {"on", "off", "partial", "not_attached", "unknown"},
        "ade": {"on", "off", "was_on", "unknown"},
        "confidential": {"off", "platform", "customer", "guest_state_only", "non_persisted_tpm"},
        "method": {"confidential", "ade", "host", "sse", "unmanaged", "unknown"},
        "key_owner": {"platform", "customer", "platform_and_customer", "customer_secret", "unknown"},
        "key_store": {
            "platform",
            "key_vault_standard",
            "key_vault_premium",
            "key_vault",
            "managed_hsm",
            "unknown",
        },
        "temp_disk_key_owner": {"", "platform", "customer", "customer_secret", "unknown"},
    }
    assert list(truth[0]) == list(COLUMNS)
    for column, expected in words.items():
        assert {row[column] for row in truth} == expected, column
    for row in truth:
        for year in (2023, 2026):
            *nine, status = verdict(row, year)
            assert set(nine) <= YES_NO
            assert status in {"Healthy", "Unhealthy", "NotApplicable", "unknown"}


def test_nothing_about_a_vm_is_asked_of_what_no_vm_owns(truth):
    free = [row for row in truth if row["attachment"] == "unattached"]
    assert {row["kind"] for row in free} == {"managed_disk", "snapshot"}
    for row in free:
        assert row["host"] == "not_attached"
        for year in (2023, 2026):
            asked = ("temp_disk", "caches", "data_flow", "no_vm_cpu", "custom_images")
            assert {row[f"{capability}@{year}"] for capability in asked} == {"not_applicable"}
            assert row[f"defender_status@{year}"] == "NotApplicable"


def test_custom_images_are_asked_of_os_disks_only(truth):
    for row in truth:
        if row["role"] == "data":
            assert row["custom_images@2023"] == row["custom_images@2026"] == "not_applicable"


def test_matrix_columns_stand_as_printed_for_plain_kinds(truth):
    # The four columns of the comparison table of 2023-05-15, row by row, for an OS disk with a temp disk.
    assert verdict(of_kind(truth, "pmk")[0], 2023) == [
        *("yes", "no", "no", "no", "no", "no", "yes", "yes", "no", "Unhealthy"),
    ]
    assert verdict(of_kind(truth, "host_cmk_hsm")[0], 2023) == [
        *("yes", "yes", "yes", "yes", "yes", "yes", "yes", "yes", "no", "Healthy"),
    ]
    assert verdict(of_kind(truth, "ade_linux_custom_image")[0], 2023) == [
        *("yes", "yes", "yes", "yes", "yes", "no", "no", "no", "no", "Healthy"),
    ]
    assert verdict(of_kind(truth, "cvm_temp_disk_opt_in")[0], 2023) == [
        *("yes", "no", "yes", "yes", "no", "no", "no", "yes", "yes", "NotApplicable"),
    ]


@pytest.mark.parametrize(
    ("label", "seed", "newest"),
    [
        ("pmk_v5_temp_disk", "no", "yes"),
        ("pmk_v5_no_temp_disk", "not_applicable", "not_applicable"),
        ("pmk_size_unknown", "unknown", "unknown"),
        ("host_pmk", "yes", "yes"),
        ("ade_windows", "yes", "yes"),
        ("ade_windows_os_only", "yes", "no"),
        ("ade_linux", "yes", "no"),
        ("ade_linux_format_all", "yes", "yes"),
        ("ade_no_extension", "yes", "unknown"),
        ("cvm_temp_disk_opt_in", "no", "yes"),
        ("vm_unread_pmk", "unknown", "unknown"),
    ],
)
def test_temp_disk_by_edition(truth, label, seed, newest):
    found = {(row["temp_disk@2023"], row["temp_disk@2026"]) for row in of_kind(truth, label)}
    assert found == {(seed, newest)}


def test_a_disk_attached_after_ade_is_judged_by_itself(truth):
    assert [row["ade"] for row in of_kind(truth, "ade_late_data_disk")][:3] == ["on", "on", "off"]
    assert {row["defender_status@2026"] for row in of_kind(truth, "ade_late_data_disk")} == {"Unhealthy"}


def test_an_instance_is_not_its_model(tables, truth):
    disk_ids = {row["disk_id"]: row["host"] for row in of_kind(truth, "uniform_drift")}
    owners = {d["managedBy"].lower(): disk_ids[d["id"]] for d in tables["disks"] if d["id"] in disk_ids}
    for vm in tables["scale_set_vms"]:
        if vm["id"].lower() in owners:
            on = vm["properties"].get("securityProfile", {}).get("encryptionAtHost", False)
            assert owners[vm["id"].lower()] == ("on" if on else "off")
            assert vm["properties"]["latestModelApplied"] is on
    assert set(owners.values()) == {"on", "off"}


def test_conflicts_are_named_and_what_differs_is_unknown(truth):
    named = {row["conflict"]: row for row in truth if row["conflict"]}
    assert named.keys() == {
        *("ade_extension_alone", "ade_with_host", "ade_with_customer_key", "set_type", "windows_data_only"),
    }
    both = named["ade_with_host"]
    assert (both["ade"], both["host"]) == ("on", "on")
    assert (both["caches@2026"], both["no_vm_cpu@2026"], both["customer_keys@2026"]) == (
        "yes",
        "unknown",
        "unknown",
    )
