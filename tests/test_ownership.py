"""The chain from disk to key, worked out by hand from RULES K1-K3 and FACTS 6."""

from __future__ import annotations

import csv

import pytest

import diskenc_analysis as de
from diskenc_analysis.errors import ParameterError
from diskenc_analysis.share import sample_path
from tests.rules import (
    CVM_DISK,
    ade,
    cmk,
    des,
    disk,
    extension,
    key_url,
    listed,
    records,
    secured,
    set_id,
    snapshot,
    stores,
    vault,
    vault_id,
    vault_key,
    vm,
    write,
)

HOME = "11111111-2222-4333-8444-555555555555"
AWAY = "22222222-2222-4333-8444-555555555555"
TENANT, GUEST = "aaaaaaaa-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000002"
DAY = "2026-11-24"


def with_(body, **properties):
    return body | {"properties": body["properties"] | properties}


def subscription(guid, tenant):
    return {
        "id": f"/subscriptions/{guid}",
        "type": "Microsoft.Resources/subscriptions",
        "subscriptionId": guid,
        "displayName": "s",
        "tenantId": tenant,
    }


def owned(folder, *objects, engine="arrow", as_of=DAY):
    inv = de.load(write(folder, [*objects]), engine=engine)
    return records(de.key_ownership(inv, as_of=as_of))


def chain(row, *names):
    return tuple(row[name] for name in names)


LINK = ("layer", "decides", "holder", "needed", "store", "hsm_key", "reason")
GONE = "the disk encryption set is not in the inventory"
NO_KEY = "the key is not in the inventory"
SECRET = {"secretUrl": "https://kv-standard.vault.azure.net/secrets/bek/1"}
KEK = {"keyUrl": "https://KV-Premium.vault.azure.net:443/keys/kek/"}

#: Name, disk, and its links.
DISKS = [
    ("platform", {}, [("sse", "yes", "platform", "yes", "platform", "no", "")]),
    (
        "standard",
        {"encryption": cmk("standard")},
        # Its key `cmk` has no row, and the vault is a standard one: no HSM key (K3).
        [("sse", "yes", "customer", "yes", "key_vault_standard", "no", NO_KEY)],
    ),
    (
        "premium",
        {"encryption": cmk("premium-hsm")},
        [("sse", "yes", "customer", "yes", "key_vault_premium", "yes", "")],
    ),
    (
        "premium-unread",
        {"encryption": cmk("premium-unread")},
        [("sse", "yes", "customer", "yes", "key_vault_premium", "unknown", NO_KEY)],
    ),
    (
        "hsm",
        {"encryption": cmk("managed-hsm")},
        [
            (
                *("sse", "yes", "customer", "yes", "managed_hsm", "yes"),
                f"its managed HSM is not in the inventory; {NO_KEY}",
            )
        ],
    ),
    (
        "double",
        {"encryption": cmk("double", double=True)},
        [("sse", "yes", "platform_and_customer", "yes", "key_vault_standard", "no", NO_KEY)],
    ),
    (
        "set-gone",
        {"encryption": cmk("gone")},
        [("sse", "yes", "customer", "yes", "unknown", "unknown", GONE)],
    ),
    (
        "set-unnamed",
        {"encryption": {"type": "EncryptionAtRestWithCustomerKey"}},
        [("sse", "yes", "customer", "yes", "unknown", "unknown", "no disk encryption set is named")],
    ),
    (
        "type-unread",
        {"encryption": None},
        [("sse", "yes", "unknown", "unknown", "unknown", "unknown", "encryption.type was not read")],
    ),
    (
        "set-without-key",
        {"encryption": cmk("empty")},
        [("sse", "yes", "customer", "yes", "unknown", "unknown", "no key is named")],
    ),
    (
        "odd-host",
        {"encryption": cmk("odd-host")},
        [
            (
                *("sse", "yes", "customer", "yes", "unknown", "unknown"),
                f"its host is of no known cloud; {NO_KEY}",
            )
        ],
    ),
    (
        "platform-with-set",
        {"encryption": cmk("standard") | {"type": "EncryptionAtRestWithPlatformKey"}},
        [
            (
                *("sse", "yes", "platform", "unknown", "platform", "no"),
                f"platform key, yet a disk encryption set is named; {NO_KEY}",
            )
        ],
    ),
    # K1: ADE before storage encryption; without a KEK its secret lies in the customer's vault.
    (
        "kek",
        {"collection": ade()},
        [
            ("ade", "yes", "customer", "yes", "key_vault_standard", "no", ""),
            ("sse", "no", "platform", "yes", "platform", "no", ""),
        ],
    ),
    (
        "no-kek",
        {"collection": ade(kek=None)},
        [
            ("ade", "yes", "customer_secret", "yes", "key_vault_standard", "no", ""),
            ("sse", "no", "platform", "yes", "platform", "no", ""),
        ],
    ),
    (
        "two-volumes",
        {
            "collection": {
                "enabled": True,
                "encryptionSettings": [
                    {"diskEncryptionKey": SECRET},
                    {"diskEncryptionKey": SECRET, "keyEncryptionKey": KEK},
                ],
            }
        },
        [
            ("ade", "yes", "customer", "yes", "key_vault_premium", "yes", ""),
            ("ade", "yes", "customer_secret", "yes", "key_vault_standard", "no", ""),
            ("sse", "no", "platform", "yes", "platform", "no", ""),
        ],
    ),
    (
        "ade-nameless",
        {"collection": {"enabled": True}},
        [
            (
                *("ade", "yes", "unknown", "yes", "unknown", "unknown"),
                "Azure Disk Encryption names no key or secret that could be read",
            ),
            ("sse", "no", "platform", "yes", "platform", "no", ""),
        ],
    ),
    (
        "was-on",
        {"collection": ade(enabled=False)},
        [("sse", "yes", "platform", "yes", "platform", "no", "")],
    ),
    # K1: the confidential key before all; the storage layer below it is needed all the same.
    (
        "confidential",
        {"security": secured(f"{CVM_DISK}CustomerKey", "confidential"), "encryption": cmk("standard")},
        [
            ("confidential", "yes", "customer", "yes", "key_vault_premium", "yes", ""),
            ("sse", "no", "customer", "yes", "key_vault_standard", "no", NO_KEY),
        ],
    ),
    (
        "confidential-platform",
        {"security": secured(f"{CVM_DISK}PlatformKey")},
        [
            ("confidential", "yes", "platform", "yes", "platform", "no", ""),
            ("sse", "no", "platform", "yes", "platform", "no", ""),
        ],
    ),
]


@pytest.fixture(scope="module", params=["duckdb", "pandas", "polars", "arrow"])
def rows(request, tmp_path_factory):
    odd = des("odd-host", "https://keys.example/keys/k/1")
    objects = [*stores(), des("empty", ""), odd, *(disk(name, **given) for name, given, _ in DISKS)]
    return owned(tmp_path_factory.mktemp("own"), *objects, engine=request.param)


@pytest.mark.parametrize(("name", "links"), [(name, links) for name, _, links in DISKS])
def test_every_link_of_a_disk(rows, name, links):
    assert sorted(chain(row, *LINK) for row in rows if row["name"] == name) == links


def test_no_disk_is_lost_and_none_is_added(rows):
    assert {row["name"] for row in rows} == {name for name, _, _ in DISKS}
    assert sum(row["layer"] == "sse" for row in rows) == len(DISKS)


def test_the_url_is_followed_in_any_spelling(rows):
    [row] = [r for r in rows if r["name"] == "two-volumes" and r["holder"] == "customer"]
    assert chain(row, "key_host", "key_name", "key_version", "vault_id", "vault_sku") == (
        *("kv-premium.vault.azure.net", "kek", None),
        *(vault_id("kv-premium"), "premium"),
    )


def test_a_secret_is_followed_to_its_vault(rows):
    [row] = [r for r in rows if r["name"] == "no-kek" and r["layer"] == "ade"]
    assert chain(row, "key_host", "key_name", "vault_id", "key_state") == (
        *("kv-standard.vault.azure.net", None),
        *(vault_id("kv-standard"), "not_a_key"),
    )


# A vault of another subscription is named by no set (FACTS 2.5): it is found by the host of its key.
def test_subscriptions_and_tenants_are_compared(tmp_path):
    away = vault("kv-away")
    away |= {"id": away["id"].replace(HOME, AWAY)}
    near, far = vault("kv-near"), with_(away, tenantId=GUEST)
    objects = [
        *(subscription(HOME, TENANT), subscription(AWAY, TENANT), with_(near, tenantId=TENANT.upper()), far),
        des("near", key_url("kv-near", "k")),
        des("far", key_url("kv-away", "k")),
        with_(des("federated", key_url("kv-guest", "k")), federatedClientId="cccc"),
        with_(des("cleared", key_url("kv-guest", "k")), federatedClientId="None"),
        *(disk(name, encryption=cmk(name)) for name in ("near", "far", "federated", "cleared")),
        disk("unread", encryption=cmk("no-such-set")),
    ]
    found = {row["name"]: row for row in owned(tmp_path, *objects)}
    names = ("other_subscription", "other_tenant")
    assert chain(found["near"], *names) == ("no", "no")
    assert chain(found["far"], *names, "key_subscription_id") == ("yes", "yes", AWAY)
    assert chain(found["federated"], *names) == ("unknown", "yes")
    # A set without a federated client reaches no vault of another tenant, so its vault need not be read.
    assert chain(found["cleared"], *names) == ("unknown", "no")
    assert chain(found["unread"], *names) == ("unknown", "unknown")


def key_with(name, **attributes):
    return with_(vault_key("kv-standard", name, "RSA"), attributes=attributes)


@pytest.mark.parametrize(
    ("attributes", "as_of", "state"),
    [
        ({"enabled": True}, DAY, "usable"),
        ({"enabled": True}, "", "usable"),
        ({"enabled": False}, DAY, "disabled"),
        ({}, DAY, "unknown"),
        # 2026-11-24T00:00:00Z and the second before.
        ({"enabled": True, "exp": 1795478400}, DAY, "expired"),
        ({"enabled": True, "exp": 1795478400}, "2026-11-23", "usable"),
        ({"enabled": True, "exp": 1795478400}, "", "unknown"),
        ({"enabled": False, "exp": 1795478400}, DAY, "disabled"),
        ({"enabled": True, "exp": "soon"}, DAY, "unknown"),
        ({"enabled": True, "nbf": 1795478400}, "2026-11-23", "not_yet_valid"),
        ({"enabled": True, "nbf": 1795478400}, DAY, "usable"),
        ({"enabled": True, "nbf": 1795478400}, "", "unknown"),
    ],
)
def test_a_key_is_judged_on_the_day_that_is_asked(tmp_path, attributes, as_of, state):
    objects = [*stores(), key_with("cmk", **attributes), disk("d", encryption=cmk("standard"))]
    [row] = owned(tmp_path, *objects, as_of=as_of)
    assert (row["key_state"], row["reason"]) == (state, "")


@pytest.mark.parametrize("judge", [de.key_ownership, de.custody, de.key_checks])
def test_a_day_that_is_none_is_refused(tmp_path, judge):
    inv = de.load(write(tmp_path, [disk("d")]), engine="polars")
    with pytest.raises(ParameterError, match=r"as_of: expected a day as YYYY-MM-DD, got '24\.11\.2026'"):
        judge(inv, as_of="24.11.2026")


def test_another_version_of_a_key_says_nothing_of_this_one(tmp_path):
    other = key_with("cmk", enabled=False)
    other["properties"]["keyUriWithVersion"] = "https://kv-standard.vault.azure.net/keys/cmk/ffff"
    [row] = owned(tmp_path, *stores(), other, disk("d", encryption=cmk("standard")))
    assert row["key_state"] == "unknown"
    assert row["reason"] == "only other versions of the key are in the inventory"


# K3: an HSM key is proven for the version that is in use, or not at all.
@pytest.mark.parametrize(
    ("version", "hsm"), [("0123456789abcdef0123456789abcdef", "yes"), ("ffff", "unknown")]
)
def test_the_type_of_another_version_is_no_proof(tmp_path, version, hsm):
    key = vault_key("kv", "k", "RSA-HSM")
    key["properties"]["keyUriWithVersion"] = f"https://kv.vault.azure.net/keys/k/{version}"
    objects = [vault("kv", "premium"), key, des("s", key_url("kv", "k")), disk("d", encryption=cmk("s"))]
    [row] = owned(tmp_path, *objects)
    assert chain(row, "store", "hsm_key") == ("key_vault_premium", hsm)
    [verdict] = records(de.coverage(de.load(tmp_path, engine="polars")))
    assert (verdict["key_store"], verdict["hsm"]) == ("key_vault_premium", hsm)


# While a rotation is under way some disks are still under the earlier key.
@pytest.mark.parametrize(
    ("previous", "hsm"),
    [
        (key_url("pool-2", "k", "managedhsm.azure.net"), "yes"),
        (key_url("kv-standard", "cmk"), "unknown"),
        (key_url("kv-unread", "k"), "unknown"),
    ],
)
def test_a_key_of_a_rotation_under_way_counts_for_the_hsm(tmp_path, previous, hsm):
    turning = with_(
        des("s", key_url("pool", "k", "managedhsm.azure.net")), previousKeys=[{"keyUrl": previous}]
    )
    objects = [*stores(), turning, disk("d", encryption=cmk("s"))]
    [row] = owned(tmp_path, *objects)
    assert chain(row, "store", "hsm_key") == ("managed_hsm", hsm)
    [verdict] = records(de.coverage(de.load(tmp_path, engine="polars")))
    assert verdict["hsm"] == hsm


def test_a_vault_named_beside_a_key_of_another_vault_says_nothing_of_it(tmp_path):
    odd = des("s", key_url("kv-unread", "k"), vault_name="kv-standard")
    [row] = owned(tmp_path, *stores(), odd, disk("d", encryption=cmk("s")))
    assert chain(row, "store", "hsm_key", "vault_sku") == ("key_vault", "unknown", "unknown")
    assert "the vault that is named beside the key is another one" in row["reason"]


def test_a_managed_hsm_of_an_unknown_cloud_is_known_by_its_own_word(tmp_path):
    pool = {
        "id": vault_id("pool").replace("/vaults/", "/managedHSMs/"),
        "name": "pool",
        "type": "Microsoft.KeyVault/managedHSMs",
        "location": "apart",
        "properties": {"hsmUri": "https://pool.managedhsm.cloud.example:443/"},
    }
    objects = [
        pool,
        des("s", "https://POOL.managedhsm.cloud.example/keys/k/1/"),
        disk("d", encryption=cmk("s")),
    ]
    [row] = owned(tmp_path, *objects)
    assert chain(row, "store", "hsm_key", "reason") == ("managed_hsm", "yes", NO_KEY)


# RULES L3: the disk's own settings come first, then the VM's list, then the extension.
def test_keys_of_ade_come_from_the_nearest_place(tmp_path):
    entra = listed("old-os", encryptionSettings={"enabled": True, "diskEncryptionKey": SECRET})
    objects = [
        *stores(),
        vm("own"),
        disk("own-os", "own", system="Windows", collection=ade(kek="kv-premium")),
        extension("own"),
        vm("old", os_disk=entra),
        disk("old-os", "old", system="Windows"),
        vm("alone"),
        disk("alone-os", "alone", system="Windows"),
        extension("alone", KeyVaultURL="https://kv-standard.vault.azure.net/"),
    ]
    links = [row for row in owned(tmp_path, *objects) if row["layer"] == "ade"]
    found = {row["name"]: chain(row, "holder", "needed", "key_host", "key_name") for row in links}
    assert found == {
        "own-os": ("customer", "yes", "kv-premium.vault.azure.net", "kek"),
        "old-os": ("customer_secret", "yes", "kv-standard.vault.azure.net", None),
        # The extension alone does not tell whether the disk is encrypted (L3.4).
        "alone-os": ("unknown", "unknown", "kv-standard.vault.azure.net", "kek"),
    }


def test_a_set_that_only_the_vm_names(tmp_path):
    named = listed("eph-os") | {"diffDiskSettings": {"option": "Local"}}
    named["managedDisk"] = {"diskEncryptionSet": {"id": set_id("standard")}}
    [row] = owned(tmp_path, *stores(), vm("eph", os_disk=named))
    assert chain(row, "holder", "needed", "store", "set_id") == (
        *("unknown", "unknown", "key_vault_standard"),
        set_id("standard"),
    )


def test_a_set_in_a_subscription_that_was_not_read(tmp_path):
    away = set_id("x").replace(HOME, AWAY)
    [row] = owned(tmp_path, *stores(), disk("d", encryption=cmk("x") | {"diskEncryptionSetId": away}))
    assert row["reason"] == f"{GONE}: it lies in a subscription that was not read"


def test_captures_that_differ_on_the_key_leave_it_unknown(tmp_path):
    write(tmp_path / "one", [des("s", key_url("kv-a", "k")), disk("d", encryption=cmk("s"))])
    write(tmp_path / "two", [des("s", key_url("kv-b", "k"))])
    [row] = records(de.key_ownership(de.load(tmp_path, engine="polars")))
    assert chain(row, "holder", "store", "key_host", "other_subscription", "reason") == (
        *("customer", "unknown", "unknown", "unknown"),
        "what names its key cannot be trusted",
    )


def test_a_set_without_properties_leaves_all_unknown(tmp_path):
    stub = des("s", "") | {"properties": None}
    [row] = owned(tmp_path, stub, disk("d", encryption=cmk("s")))
    assert chain(row, "set_id", "set_type", "store", "key_state") == (
        set_id("s"),
        *("unknown", "unknown", "unknown"),
    )


def test_snapshots_and_unmanaged_disks_have_their_row(tmp_path):
    vhd = listed(None) | {"name": "vhd-os", "vhd": {"uri": "https://a.blob.core.windows.net/vhds/o.vhd"}}
    copy = snapshot("copy", encryption=cmk("standard"))
    found = owned(tmp_path, *stores(), copy, vm("vhd", os_disk=vhd))
    by_name = {row["name"]: chain(row, "kind", "holder", "store") for row in found}
    assert by_name["copy"] == ("snapshot", "customer", "key_vault_standard")
    assert by_name["vhd-os"] == ("unmanaged_disk", "unknown", "unknown")


@pytest.mark.parametrize("engine", ["duckdb", "pandas"])
def test_the_deciding_link_of_every_sample_disk_is_that_of_its_kind(engine):
    with (sample_path() / ".truth.csv").open(encoding="utf-8", newline="") as lines:
        truth = {row["disk_id"]: (row["key_owner"], row["key_store"]) for row in csv.DictReader(lines)}
    found = records(de.key_ownership(de.load(sample_path(), engine=engine), as_of=DAY))
    decided = {row["disk_id"]: (row["holder"], row["store"]) for row in found if row["decides"] == "yes"}
    # Where K1 cannot be settled no link decides, and the key is unknown.
    undecided = {row["disk_id"] for row in found} - decided.keys()
    assert {truth[disk_id] for disk_id in undecided} == {("unknown", "unknown")}
    # C9 of an ephemeral disk with a set: the verdict leaves the store open, the chain shows it.
    shown = {("unknown", "managed_hsm"): ("unknown", "unknown")}
    assert {i: shown.get(v, v) for i, v in decided.items()} == {i: truth[i] for i in decided}
