"""Each rule of `data/key_rules.csv`, worked out by hand from FACTS 2.5, 2.7 and 6: broken, kept, not read."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

import diskenc_analysis as de
from diskenc_analysis.keyjudge import RESULTS, SEVERITIES, judge, key_rules
from tests.rules import (
    CVM_DISK,
    ade,
    cmk,
    des,
    disk,
    extension,
    key_url,
    records,
    secured,
    set_id,
    vault,
    vault_id,
    vault_key,
    vm,
    write,
)

DAY = "2026-11-24"
# 90 and 91 days after it: 2027-02-22 and 2027-02-23.
IN_90, IN_91, YESTERDAY, TODAY = "2027-02-22", "2027-02-23", "2026-11-23", "2026-11-24"
KINDS = {
    "customer": "EncryptionAtRestWithCustomerKey",
    "both": "EncryptionAtRestWithPlatformAndCustomerKeys",
    "confidential": "ConfidentialVmEncryptedWithCustomerKey",
}
WINDOWS_2022 = {"publisher": "MicrosoftWindowsServer", "offer": "WindowsServer", "sku": "2022-datacenter-g2"}
WINDOWS_2019 = WINDOWS_2022 | {"sku": "2019-datacenter"}


@dataclass(frozen=True)
class Case:
    """A set (or ADE) of its own with vault, key and disk; what is given changes them."""

    rule: str
    result: str
    kind: str = "customer"
    of_set: dict[str, Any] = field(default_factory=dict)
    of_vault: dict[str, Any] | None = field(default_factory=dict)
    of_key: dict[str, Any] | None = field(default_factory=dict)
    of_disk: dict[str, Any] = field(default_factory=dict)
    of_vm: dict[str, Any] | None = field(default_factory=dict)


def objects(case: Case, name: str) -> list[dict[str, Any]]:
    """Build all that is in order, but for what the case changes."""
    made: list[dict[str, Any]] = []
    if case.of_vault is not None:
        body = vault(name, "premium" if case.kind == "confidential" else "standard")
        flags = {"enablePurgeProtection": True, "enableSoftDelete": True, "enabledForDiskEncryption": True}
        body["properties"] |= flags
        made.append(_changed(body, case.of_vault))
    if case.of_key is not None:
        body = vault_key(name, "k", "RSA-HSM" if case.kind == "confidential" else "RSA")
        known = {"attributes": {"enabled": True, "exportable": True}, "release_policy": {"data": "x"}}
        body["properties"] |= known | {"keyOps": ["wrapKey", "unwrapKey"]}
        made.append(_changed(body, case.of_key))
    if case.kind.startswith("ade"):
        kek = name if case.kind == "ade" else None
        settings = ade(kek=kek)
        settings["encryptionSettings"][0]["diskEncryptionKey"] = {
            "secretUrl": f"https://{name}.vault.azure.net/secrets/s/1",
            "sourceVault": {"id": vault_id(name)},
        }
        if kek:
            settings["encryptionSettings"][0]["keyEncryptionKey"]["keyUrl"] = key_url(name, "k")
        machines = [] if case.of_vm is None else [vm(name, **case.of_vm)]
        return [
            *made,
            *machines,
            _changed(disk(f"{name}-os", name, system="Windows", collection=settings), case.of_disk),
        ]
    body = des(name, key_url(name, "k"), vault_name=name, kind=KINDS[case.kind])
    body["properties"]["rotationToLatestKeyVersionEnabled"] = True
    made.append(_changed(body, case.of_set))
    if case.kind == "confidential":
        return [*made, disk(name, security=secured(f"{CVM_DISK}CustomerKey", name))]
    return [*made, _changed(disk(name, encryption=cmk(name, double=case.kind == "both")), case.of_disk)]


def _changed(body, given):
    """Lay `properties` over those of the body, and the rest over its head."""
    head = {key: value for key, value in given.items() if key != "properties"}
    return body | head | {"properties": body["properties"] | given.get("properties", {})}


def props(**given):
    return {"properties": given}


def attributes(**given):
    return props(attributes=given)


def broken(rule, kind="customer", **given):
    return Case(rule, "fail", kind, **given)


def unread(rule, kind="customer", **given):
    return Case(rule, "unknown", kind, **given)


def kept(rule, kind="customer", **given):
    return Case(rule, "pass", kind, **given)


def expiring(date):
    return attributes(enabled=True, expires=None, exp=f"{date}T00:00:00Z")


AWAY = "/subscriptions/99999999-2222-4333-8444-555555555555"
CASES = [
    # A key that cannot be used stops the VMs (SSE): disabled, or expired on the day itself.
    broken("key_disabled", of_key=attributes(enabled=False)),
    broken("key_disabled", "both", of_key=attributes(enabled=False)),
    broken("key_disabled", "confidential", of_key=attributes(enabled=False)),
    kept("key_disabled"),
    unread("key_disabled", of_key=attributes()),
    unread("key_disabled", of_key=None),
    broken("key_expired", of_key=expiring(TODAY)),
    broken("key_expired", of_key=expiring(YESTERDAY)),
    kept("key_expired", of_key=expiring("2026-11-25")),
    kept("key_expired"),
    unread("key_expired", of_key=None),
    unread("key_expired", of_key=attributes(enabled=True, exp="soon")),
    # A key always says whether it is enabled: where it does not, its times were not read either.
    unread("key_expired", of_key=attributes()),
    broken("key_not_yet_valid", of_key=attributes(enabled=True, nbf="2026-11-25T00:00:00Z")),
    kept("key_not_yet_valid", of_key=attributes(enabled=True, nbf=f"{TODAY}T23:00:00Z")),
    kept("key_not_yet_valid"),
    unread("key_not_yet_valid", of_key=attributes(enabled=True, nbf="soon")),
    unread("key_not_yet_valid", of_key=attributes()),
    unread("key_not_yet_valid", of_key=None),
    broken("key_expires_soon", of_key=expiring(IN_90)),
    kept("key_expires_soon", of_key=expiring(IN_91)),
    kept("key_expires_soon", of_key=expiring(YESTERDAY)),  # that is key_expired
    unread("key_expires_soon", of_key=None),
    broken("kek_disabled", "ade", of_key=attributes(enabled=False)),
    kept("kek_disabled", "ade"),
    unread("kek_disabled", "ade", of_key=None),
    # ARM prints purge protection only where it is on (PAYLOADS 11).
    broken("purge_protection", of_vault=props(enablePurgeProtection=None)),
    broken("purge_protection", of_vault=props(enablePurgeProtection=False)),
    broken("purge_protection", "confidential", of_vault=props(enablePurgeProtection=None)),
    kept("purge_protection"),
    unread("purge_protection", of_vault=None),
    broken("soft_delete", of_vault=props(enableSoftDelete=False)),
    kept("soft_delete"),
    unread("soft_delete", of_vault=props(enableSoftDelete=None)),
    unread("soft_delete", of_vault=None),
    # CMKR: RSA of 2048, 3072 or 4096 bits, software or HSM.
    broken("key_type", of_key=props(kty="EC")),
    broken("key_type", of_key=props(kty="oct-HSM")),
    kept("key_type", of_key=props(kty="RSA-HSM")),
    kept("key_type"),
    unread("key_type", of_key=props(kty=None)),
    broken("key_size", of_key=props(keySize=1024)),
    kept("key_size", of_key=props(keySize=2048)),
    kept("key_size", "both", of_key=props(keySize=4096)),
    unread("key_size", of_key=props(keySize=None)),
    broken("vault_region", of_vault={"location": "northeurope"}),
    kept("vault_region", of_vault={"location": "West Europe"}),
    unread("vault_region", of_vault=None),
    # SDK: identity None after a move to another tenant.
    broken("identity", of_set={"identity": {"type": "None"}}),
    kept("identity"),
    unread("identity", of_set={"identity": None}),
    broken("rotation_error", of_set=props(autoKeyRotationError={"code": "KeyVaultAccessForbidden"})),
    kept("rotation_error"),
    broken("auto_rotation", of_set=props(rotationToLatestKeyVersionEnabled=None)),
    broken("auto_rotation", of_set=props(rotationToLatestKeyVersionEnabled=False)),
    kept("auto_rotation"),
    broken("previous_keys", of_set=props(previousKeys=[{"keyUrl": key_url("old", "k")}])),
    kept("previous_keys", of_set=props(previousKeys=[])),
    # SSE: earlier and new versions stay enabled until the rotation has ended; of this one no key was read.
    unread("previous_disabled", of_set=props(previousKeys=[{"keyUrl": key_url("old", "k")}])),
    unread("previous_disabled", of_set=props(previousKeys=["no object"])),
    kept("previous_disabled"),
    # SDK: the URL of the active key carries a version even with rotation on.
    broken("key_version", of_set=props(activeKey={"keyUrl": "https://x.vault.azure.net/keys/k/"})),
    kept("key_version"),
    # CMKR: sets, VMs and disks lie in one region and subscription.
    broken("set_region", of_set={"location": "northeurope"}),
    kept("set_region", of_set={"location": "West Europe"}),
    unread("set_region", of_set={"location": None}),
    kept("set_subscription"),
    # DBL: a set's type never changes, and each kind of encryption has its own.
    kept("set_type"),
    kept("set_type", "both"),
    kept("set_type", "confidential"),
    unread("set_type", of_set=props(encryptionType=None)),
    # CVMARM: premium vault or managed HSM; RSA-HSM of 3072 bits, exportable, wrap and unwrap, release policy.
    broken("confidential_tier", "confidential", of_vault=props(sku={"name": "standard"})),
    kept("confidential_tier", "confidential"),
    unread("confidential_tier", "confidential", of_vault=None),
    broken("confidential_key_type", "confidential", of_key=props(kty="RSA")),
    kept("confidential_key_type", "confidential"),
    unread("confidential_key_type", "confidential", of_key=None),
    broken("confidential_key_size", "confidential", of_key=props(keySize=4096)),
    kept("confidential_key_size", "confidential"),
    unread("confidential_key_size", "confidential", of_key=None),
    broken("confidential_exportable", "confidential", of_key=attributes(exportable=False)),
    kept("confidential_exportable", "confidential"),
    unread("confidential_exportable", "confidential", of_key=attributes(enabled=True)),
    kept("confidential_release", "confidential"),
    unread("confidential_release", "confidential", of_key=props(release_policy=None)),
    broken("confidential_operations", "confidential", of_key=props(keyOps=["wrapKey", "sign"])),
    kept("confidential_operations", "confidential", of_key=props(keyOps=["sign", "unwrapKey", "wrapKey"])),
    unread("confidential_operations", "confidential", of_key=props(keyOps=None)),
    # ADE-L, ADE-W: vault in the VM's region and subscription, enabled for disk encryption or an identity.
    broken("ade_region", "ade", of_vault={"location": "northeurope"}),
    broken("ade_region", "ade_secret", of_vault={"location": "northeurope"}),
    kept("ade_region", "ade"),
    unread("ade_region", "ade", of_vault=None),
    kept("ade_subscription", "ade"),
    kept("ade_subscription", "ade_secret", of_vault=None),  # the settings name the vault's id
    kept("ade_store", "ade"),
    kept("ade_store", "ade", of_vault=None),
    broken("ade_access", "ade", of_vault=props(enabledForDiskEncryption=False)),
    broken("ade_access", "ade_secret", of_vault=props(enabledForDiskEncryption=None)),
    kept("ade_access", "ade"),
    kept(
        "ade_access",
        "ade",
        of_vault=props(enabledForDiskEncryption=None),
        of_vm={"security": {"encryptionIdentity": {"userAssignedIdentityResourceId": "/subscriptions/s/i"}}},
    ),
    unread("ade_access", "ade", of_vault=None),
    unread(
        "ade_access",
        "ade",
        of_vault=props(enabledForDiskEncryption=None),
        of_vm=None,
    ),
    broken("kek_type", "ade", of_key=props(kty="EC")),
    kept("kek_type", "ade"),
    unread("kek_type", "ade", of_key=None),
    # FAQ-W: Windows Server 2022 and Windows 11 take 3072 or 4096 bits only.
    broken("kek_size_windows", "ade", of_key=props(keySize=2048), of_vm={"image": WINDOWS_2022}),
    kept("kek_size_windows", "ade", of_key=props(keySize=3072), of_vm={"image": WINDOWS_2022}),
    kept("kek_size_windows", "ade", of_key=props(keySize=2048), of_vm={"image": WINDOWS_2019}),
    kept("kek_size_windows", "ade", of_key=props(keySize=2048), of_vm={"system": "Linux"}),
    unread("kek_size_windows", "ade", of_key=props(keySize=2048), of_vm={"image": None}),
    kept("kek_size_windows", "ade", of_key=props(keySize=4096), of_vm={"image": None}),
]
NAMED = {f"kv-{at}": case for at, case in enumerate(CASES)}


@pytest.fixture(scope="module")
def checks(tmp_path_factory):
    """The results of each rule, by the host or set that a case is named after."""
    folder = write(
        tmp_path_factory.mktemp("rules"),
        [body for name, case in NAMED.items() for body in objects(case, name)],
    )
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in records(de.key_checks(de.load(folder, engine="duckdb"), as_of=DAY)):
        if row["use"] == "region":
            continue
        name = (row["set_id"] or "").rpartition("/")[2] or row["key_host"].partition(".")[0]
        found.setdefault((row["rule_id"], name), []).append(row)
    return found


@pytest.mark.parametrize(("name", "case"), NAMED.items(), ids=lambda one: getattr(one, "rule", one))
def test_rule(checks, name, case):
    [row] = checks[case.rule, name]
    assert row["result"] == case.result
    assert row["disks"] == 1


def test_every_rule_is_broken_by_a_case():
    covered = {case.rule for case in CASES if case.result == "fail"}
    # A missing release policy may be one that was not listed; the others have a case of their own below.
    assert {rule["rule_id"] for rule in key_rules()} - covered == {
        "confidential_release",
        "previous_disabled",
        "set_subscription",
        "set_limit",
        "cross_tenant_client",
        "cross_tenant_identity",
        "cross_tenant_disk",
        "ade_subscription",
        "ade_store",
        "set_type",
    }


def test_every_rule_has_its_source_and_known_words():
    for rule in key_rules():
        assert rule["source"]
        assert rule["title"]
        assert rule["severity"] in SEVERITIES
        assert rule["missing"] in RESULTS
        known = {"customer", "platform_and_customer", "confidential", "ade_key", "ade_secret", "region"}
        assert set(rule["applies_to"].split()) <= known
    assert len({rule["rule_id"] for rule in key_rules()}) == len(key_rules())


def checked(folder, *bodies, as_of=DAY):
    found = records(de.key_checks(de.load(write(folder, bodies), engine="polars"), as_of=as_of))
    return {(row["rule_id"], row["result"]): row for row in found}


def test_a_kek_in_a_managed_hsm_of_another_subscription(tmp_path):
    kek = {"keyUrl": key_url("pool", "k", "managedhsm.azure.net")}
    hsm = {
        "id": f"{AWAY}/resourceGroups/g/providers/Microsoft.KeyVault/managedHSMs/pool",
        "name": "pool",
        "type": "Microsoft.KeyVault/managedHSMs",
        "location": "westeurope",
        "properties": {"hsmUri": "https://pool.managedhsm.azure.net/"},
    }
    settings = {"enabled": True, "encryptionSettings": [{"keyEncryptionKey": kek}]}
    found = checked(tmp_path, hsm, disk("d", collection=settings))
    row = found["ade_subscription", "fail"]
    assert row["value"] == AWAY.rpartition("/")[2]
    assert row["expected"] == "11111111-2222-4333-8444-555555555555, as disk subscription id"
    assert found["ade_store", "fail"]["value"] == "managed_hsm"


REPLICA = {"name": "West Europe", "provisioningState": "Succeeded", "isPrimary": False}


@pytest.mark.parametrize(
    ("regions", "result", "value"),
    [
        # The documents ask for one region, and do not say whether a replica will do: unknown, never a miss.
        (
            [{"name": "northeurope", "isPrimary": True}, REPLICA],
            "unknown",
            "northeurope (replica in westeurope)",
        ),
        ([REPLICA | {"provisioningState": "Failed"}], "fail", "northeurope"),
        ([REPLICA | {"name": "eastus"}], "fail", "northeurope (replica in eastus)"),
        ([REPLICA | {"isPrimary": True}], "fail", "northeurope"),
        ([], "fail", "northeurope"),
        (None, "fail", "northeurope"),
        ("odd", "unknown", "northeurope"),
    ],
)
def test_a_replica_of_a_managed_hsm_may_be_near_enough(tmp_path, regions, result, value):
    hsm = {
        "id": f"{AWAY}/resourceGroups/g/providers/Microsoft.KeyVault/managedHSMs/pool",
        "name": "pool",
        "type": "Microsoft.KeyVault/managedHSMs",
        "location": "northeurope",
        "properties": {"hsmUri": "https://pool.managedhsm.azure.net/", "regions": regions},
    }
    one = des("hsm", key_url("pool", "k", "managedhsm.azure.net"))
    found = checked(tmp_path, hsm, one, disk("d", encryption=cmk("hsm")))
    assert found["vault_region", result]["value"] == value
    assert found["vault_region", result]["expected"] == "westeurope, as set location"


def test_an_earlier_version_that_is_disabled_breaks_the_rotation(tmp_path):
    old = vault_key("kv", "old", "RSA")
    old["properties"]["attributes"] = {"enabled": False}
    turning = des("s", key_url("kv", "k"))
    turning["properties"]["previousKeys"] = [{"keyUrl": key_url("kv", "old")}]
    found = checked(tmp_path, old, turning, disk("d", encryption=cmk("s")))
    assert found["previous_disabled", "fail"]["severity"] == "critical"


def test_a_set_of_another_subscription_than_its_disks(tmp_path):
    away = set_id("s").replace("/subscriptions/11111111-2222-4333-8444-555555555555", AWAY)
    far = des("s", key_url("kv", "k")) | {"id": away}
    named = cmk("s") | {"diskEncryptionSetId": away}
    assert checked(tmp_path, far, disk("d", encryption=named))["set_subscription", "fail"]["disks"] == 1


HOME = "11111111-2222-4333-8444-555555555555"
OURS, THEIRS = "aaaaaaaa-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000002"
TENANT = {
    "id": f"/subscriptions/{HOME}",
    "type": "Microsoft.Resources/subscriptions",
    "subscriptionId": HOME,
    "displayName": "home",
    "tenantId": OURS,
}


def abroad(
    rule, folder, *, client=None, identity="UserAssigned", tenant=THEIRS, of_disk=None, vault_read=True
):
    """Check a set whose vault lies in another tenant, with a disk of the given kind."""
    keeper = vault("kv")
    keeper["properties"]["tenantId"] = tenant
    body = des("s", key_url("kv", "k")) | {"identity": {"type": identity}}
    body["properties"]["federatedClientId"] = client
    bodies = [TENANT, *([keeper] if vault_read else []), body]
    found = checked(folder, *bodies, disk("d", encryption=cmk("s"), **(of_disk or {})))
    return {result for rule_id, result in found if rule_id == rule}


# XT: a key in another tenant needs the client of a multi-tenant app and a user-assigned identity.
@pytest.mark.parametrize(
    ("given", "result"),
    [
        ({}, "fail"),
        ({"client": "None"}, "fail"),
        ({"client": "cccc"}, "pass"),
        ({"tenant": OURS.upper()}, "pass"),
        ({"vault_read": False}, "unknown"),
        ({"vault_read": False, "client": "cccc"}, "pass"),
    ],
)
def test_a_key_in_another_tenant_needs_a_federated_client(tmp_path, given, result):
    assert abroad("cross_tenant_client", tmp_path, **given) == {result}


@pytest.mark.parametrize(
    ("identity", "client", "result"),
    [
        ("UserAssigned", "cccc", "pass"),
        ("SystemAssigned, UserAssigned", "cccc", "pass"),
        ("SystemAssigned", "cccc", "fail"),
        (None, "cccc", "unknown"),
        ("SystemAssigned", None, "pass"),
    ],
)
def test_a_key_in_another_tenant_needs_a_user_assigned_identity(tmp_path, identity, client, result):
    assert abroad("cross_tenant_identity", tmp_path, identity=identity, client=client) == {result}


def fast(sku, region):
    return {"of_disk": {"sku": sku, "head": {"location": region}}}


# XT: for Ultra and Premium SSD v2 in all regions except US Gov Virginia, Arizona, Texas and China North 3.
@pytest.mark.parametrize(
    ("given", "result"),
    [
        (fast("UltraSSD_LRS", "usgovvirginia"), "fail"),
        (fast("PremiumV2_LRS", "China North 3"), "fail"),
        (fast("PremiumV2_LRS", "westeurope"), "pass"),
        (fast("Premium_LRS", "usgovtexas"), "pass"),
        (fast("UltraSSD_LRS", "usgovarizona") | {"client": None, "tenant": OURS}, "pass"),
        (fast(None, "usgovarizona"), "unknown"),
    ],
)
def test_fast_disks_take_the_key_of_another_tenant_in_some_regions_only(tmp_path, given, result):
    assert abroad("cross_tenant_disk", tmp_path, **{"client": "cccc"} | given) == {result}


def test_the_sets_of_a_region_are_counted_by_subscription(tmp_path):
    sets = [des(name, key_url("kv", "k")) for name in ("a", "b", "c")]
    sets[1]["location"], sets[2]["location"] = "West Europe", "northeurope"
    rows = records(de.key_checks(de.load(write(tmp_path, sets), engine="polars"), as_of=DAY))
    found = [row for row in rows if row["rule_id"] == "set_limit"]
    assert {(row["chain"], row["value"], row["expected"], row["result"]) for row in found} == {
        (f"region:{HOME}/westeurope", "2", "fewer than 5000", "pass"),
        (f"region:{HOME}/northeurope", "1", "fewer than 5000", "pass"),
    }


# CMKR: up to 5000 sets per region and subscription; at 5000 there is no room for another.
@pytest.mark.parametrize(("sets", "result"), [("4999", "pass"), ("5000", "fail"), ("5001", "fail")])
def test_the_limit_of_sets(sets, result):
    [rule] = [rule for rule in key_rules() if rule["rule_id"] == "set_limit"]
    assert judge(rule, {"sets": sets}, "") == result


def test_sets_that_were_not_all_read_are_not_known_to_be_few(tmp_path):
    page = {"count": 1, "totalRecords": 2, "data": [des("a", key_url("kv", "k"))], "resultTruncated": "true"}
    (tmp_path / "sets.json").write_text(json.dumps(page), encoding="utf-8")
    rows = records(de.key_checks(de.load(tmp_path, engine="polars"), as_of=DAY))
    assert {row["result"] for row in rows if row["rule_id"] == "set_limit"} == {"unknown"}


def test_a_rule_that_some_disks_of_a_set_break_counts_those(tmp_path):
    objects = [
        vault("kv"),
        des("both", key_url("kv", "k"), vault_name="kv", kind=KINDS["both"]),
        disk("right", encryption=cmk("both", double=True)),
        disk("wrong", encryption=cmk("both")),
        disk("wrong-too", encryption=cmk("both")),
    ]
    found = checked(tmp_path, *objects)
    assert found["set_type", "fail"]["disks"] == 2
    assert found["set_type", "fail"]["gib"] == 128
    assert found["set_type", "fail"]["expected"] == "customer, as disk type"
    assert found["set_type", "pass"]["disks"] == 1


def test_a_set_that_no_disk_uses_is_checked_but_not_compared_with_disks(tmp_path):
    found = checked(tmp_path, vault("kv"), des("idle", key_url("kv", "k"), vault_name="kv"), disk("d"))
    assert found["purge_protection", "fail"]["disks"] == 0
    assert not any(rule == "set_type" for rule, _ in found)


def test_of_a_set_that_was_not_read_nothing_passes(tmp_path):
    found = checked(tmp_path, disk("d", encryption=cmk("gone")))
    # Its id, which the disk names, tells the subscription.
    assert {rule for rule, result in found if result != "unknown"} == {"set_subscription"}
    assert {row["set_id"] for row in found.values()} == {set_id("gone").lower()}
    assert not any(rule.startswith(("ade", "kek")) for rule, _ in found)


def test_without_a_day_no_expiry_is_judged(tmp_path):
    case = Case("key_expired", "unknown", of_key=expiring(YESTERDAY))
    found = checked(tmp_path, *objects(case, "kv-x"), as_of="")
    assert ("key_expired", "unknown") in found
    assert ("key_expires_soon", "unknown") in found


def test_failures_stand_first_the_severe_before_the_others(tmp_path):
    bodies = [
        *objects(broken("key_disabled", of_key=attributes(enabled=False)), "kv-a"),
        *objects(broken("auto_rotation", of_set=props(rotationToLatestKeyVersionEnabled=None)), "kv-b"),
        extension("other"),
    ]
    rows = records(de.key_checks(de.load(write(tmp_path, bodies), engine="polars"), as_of=DAY))
    assert [(row["rule_id"], row["result"]) for row in rows[:2]] == [
        ("key_disabled", "fail"),
        ("auto_rotation", "fail"),
    ]
    order = [RESULTS.index(row["result"]) for row in rows]
    assert order == sorted(order)
