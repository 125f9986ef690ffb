"""What hangs on a key, a vault or a set, counted by hand; custody on a stated day."""

from __future__ import annotations

import pytest

import diskenc_analysis as de
from diskenc_analysis.blast import losses
from diskenc_analysis.errors import ParameterError, UnknownNameError
from tests.rules import (
    PMK,
    ade,
    cmk,
    des,
    disk,
    disk_id,
    extension,
    key_url,
    records,
    secured,
    set_id,
    vault,
    vault_id,
    vault_key,
    vm,
    vm_id,
    write,
)

DAY = "2026-11-24"
CONFIDENTIAL = "ConfidentialVmEncryptedWithCustomerKey"
SECRETS = "https://kv-secrets.vault.azure.net/secrets/s/1"


def _set(name, key, **properties):
    body = des(name, key)
    return body | {"properties": body["properties"] | properties}


def estate():
    """Build five VMs: two share a disk, one is under ADE with its secret in another vault than its KEK."""
    old = {"keyUrl": key_url("kv-old", "former").replace("kv-old", "KV-Old")}
    settings = ade(kek="kv-keys")
    settings["encryptionSettings"][0]["diskEncryptionKey"] = {"secretUrl": SECRETS}
    return [
        *(vault(name) for name in ("kv-keys", "kv-old", "kv-idle")),
        vault_key("kv-keys", "k", "RSA"),
        vault_key("kv-keys", "kek", "RSA"),
        vault_key("kv-idle", "spare", "RSA"),
        _set("one", key_url("kv-keys", "k"), previousKeys=[old]),
        _set("two", key_url("kv-keys", "k").replace("vault.azure.net", "VAULT.azure.net:443")),
        _set("idle", key_url("kv-idle", "idle")),
        vm("a", data=["shared"]),
        disk("a-os", "a", system="Windows", encryption=cmk("one")),
        vm("b", data=["shared"]),
        disk("b-os", "b", system="Windows"),
        disk("shared", "a", encryption=cmk("two"), maxShares=2, head={"managedByExtended": [vm_id("b")]}),
        vm("c"),
        disk("c-os", "c", system="Windows", collection=settings),
        vm("d"),
        disk("d-os", "d", system="Windows"),
        extension("d", kek="kv-keys"),
        disk("loose", encryption=cmk("one")),
        vm("e"),
        disk("e-os", "e", system="Windows", encryption=cmk("not-read")),
    ]


@pytest.fixture(scope="module", params=["duckdb", "pandas", "polars", "arrow"])
def inv(request, tmp_path_factory):
    return de.load(write(tmp_path_factory.mktemp("blast"), estate()), engine=request.param)


@pytest.fixture(scope="module")
def own(inv):
    return de.key_ownership(inv, as_of=DAY)


def counts(found, *names):
    return tuple(found.counts[name] for name in names)


ALL = ("disks", "vms", "gib", "subscriptions", "possible_disks", "possible_vms")


def test_a_key_takes_all_its_sets_and_all_vms_of_a_shared_disk(inv, own):
    # a-os, shared and loose, of 64 GiB each; the VMs a (twice) and b, which owns the shared disk too.
    found = de.blast_radius(inv, key="https://KV-keys.vault.azure.net:443/keys/K/ffff", own=own)
    assert found.target == "kv-keys.vault.azure.net/keys/k"
    assert counts(found, *ALL) == (3, 2, 192, 1, 0, 0)
    assert {row["name"] for row in records(found.links)} == {"a-os", "shared", "loose"}
    # e-os hangs on a key that was not read.
    assert found.unread_disks == 1
    assert found.happens == (losses()["customer"]["happens"],)


def test_a_vault_takes_the_keys_of_ade_and_what_may_be_under_it(inv, own):
    # Besides these c-os by its KEK; d-os only if its extension did encrypt it (L3.4).
    for spelling in (
        "kv-keys",
        "KV-KEYS.vault.azure.net",
        "https://kv-keys.vault.azure.net/",
        vault_id("kv-keys"),
    ):
        found = de.blast_radius(inv, vault=spelling, own=own)
        assert counts(found, *ALL) == (4, 3, 256, 1, 1, 1)
    assert any("[inferred]" in text for text in found.happens)


def test_the_vault_of_the_secret_counts_beside_that_of_its_kek(inv, own):
    assert counts(de.blast_radius(inv, vault="kv-secrets.vault.azure.net", own=own), "disks", "vms") == (1, 1)


def test_keys_of_a_rotation_under_way_count(inv, own):
    found = de.blast_radius(inv, key=key_url("kv-old", "former"), own=own)
    assert counts(found, "disks", "vms", "gib") == (2, 1, 128)
    assert counts(de.blast_radius(inv, vault="kv-old", own=own), "disks") == (2,)


def test_a_set_by_id_or_name(inv, own):
    for spelling in ("one", set_id("one"), set_id("one").upper() + "/"):
        assert counts(de.blast_radius(inv, des=spelling, own=own), "disks", "vms") == (2, 1)
    assert counts(de.blast_radius(inv, des="not-read", own=own), "disks", "vms") == (1, 1)
    idle = de.blast_radius(inv, des="idle", own=own)
    assert counts(idle, *ALL) == (0, 0, 0, 0, 0, 0)
    assert records(idle.links) == []


def test_what_is_asked_must_be_one_thing_that_exists(inv, own):
    with pytest.raises(ParameterError, match="expected one of key, vault and des; got key, des"):
        de.blast_radius(inv, key="x", des="y", own=own)
    with pytest.raises(UnknownNameError, match=r"no vault 'kv-key' .*Did you mean \"kv-keys\""):
        de.blast_radius(inv, vault="kv-key", own=own)


def test_a_name_that_several_sets_have_is_refused(tmp_path):
    other = des("one", key_url("kv-keys", "k"))
    other["id"] = other["id"].replace("rg-rules", "rg-other")
    inv = de.load(write(tmp_path, [*estate(), other]), engine="polars")
    with pytest.raises(ParameterError, match="set 'one' fits 2"):
        de.blast_radius(inv, des="one")


def test_the_ranking_is_by_vms_then_disks(inv, own):
    found = records(de.single_points(inv, own))
    rows = [(row["kind"], row["target"].rpartition("/")[2], row["vms"], row["disks"]) for row in found]
    assert rows == [
        ("vault", "kv-keys.vault.azure.net", 3, 4),
        ("key", "k", 2, 3),
        ("set", "two", 2, 1),
        ("set", "one", 1, 2),
        ("vault", "kv-old.vault.azure.net", 1, 2),
        ("key", "former", 1, 2),
        # d-os may be under the KEK, and its secret in a vault that its extension does not name.
        ("key", "kek", 1, 1),
        ("set", "not-read", 1, 1),
        ("vault", "kv-secrets.vault.azure.net", 1, 1),
    ]


def test_custody_counts_each_chain_and_names_keys_that_protect_nothing(inv, own):
    found = records(de.custody(inv, own, as_of=DAY))
    by_set = {row["set_name"]: row for row in found if row["use"] == "set"}
    assert {name: (row["disks"], row["vms"]) for name, row in by_set.items()} == {
        "one": (2, 1),
        "two": (1, 2),
        "not-read": (1, 1),
        "idle": (0, 0),
    }
    assert by_set["one"]["previous_keys"].startswith("kv-old.vault.azure.net#former#")
    unused = [(row["key_host"], row["key_name"]) for row in found if row["use"] == "none"]
    assert unused == [("kv-idle.vault.azure.net", "spare")]


def test_consequences_name_their_source():
    assert set(losses()) == {
        "customer",
        "platform_and_customer",
        "confidential",
        "ade_key",
        "ade_secret",
        "scale_set_model",
        "unknown",
    }
    assert all(row["source"] and row["origin"] in ("stated", "inferred") for row in losses().values())


# 2048 bits are 256 bytes: 342 letters of base64 without padding.
def data_plane_key(**attributes):
    key = {"kid": key_url("kv", "k"), "kty": "RSA", "n": "A" * 342, "key_ops": ["wrapKey"]}
    return {"key": key, "attributes": {"enabled": True, "exportable": False} | attributes}


def custody(folder, *bodies, as_of=DAY):
    found = records(de.custody(de.load(write(folder, bodies), engine="polars"), as_of=as_of))
    [row] = [row for row in found if row["use"] == "set"]
    return row


def test_a_key_as_the_data_plane_shows_it(tmp_path):
    # 2026-12-24 is 30 days after the day, 2026-08-16 is 100 days before it.
    times = {"expires": "2026-12-24T08:00:00+00:00", "created": "2026-08-16T23:00:00+00:00"}
    row = custody(tmp_path, des("s", key_url("kv", "k")), data_plane_key(**times))
    assert (row["kty"], row["key_size"], row["key_ops"]) == ("rsa", "2048", "wrapkey")
    assert (row["key_state"], row["days_left"]) == ("usable", 30)
    assert (row["rotated_by"], row["rotation_age"]) == ("key version", 100)
    assert row["expires"] == "2026-12-24T08:00:00Z"


def test_the_rotation_of_the_set_comes_before_the_age_of_the_key(tmp_path):
    rotated = _set("s", key_url("kv", "k"), lastKeyRotationTimestamp="2026-11-14T04:41:35.079872+00:00")
    row = custody(tmp_path, rotated, data_plane_key(created=1700000000))
    assert (row["rotated_by"], row["rotation_age"], row["rotated"]) == ("set", 10, "2026-11-14T04:41:35Z")


def test_without_a_day_there_are_no_ages(tmp_path):
    row = custody(tmp_path, des("s", key_url("kv", "k")), data_plane_key(created=1700000000, exp=1), as_of="")
    assert (row["days_left"], row["rotation_age"], row["key_state"]) == (None, None, "unknown")


def test_what_was_not_read_is_unknown_and_what_is_left_out_is_empty(tmp_path):
    row = custody(tmp_path, _set("s", key_url("kv", "k")))
    assert (row["purge_protection"], row["vault_sku"], row["kty"]) == ("unknown",) * 3
    assert row["reason"] == "its vault is not in the inventory; the key is not in the inventory"
    row = custody(tmp_path, des("s", key_url("kv", "k")), vault("kv"), disk("d", encryption=PMK))
    assert (row["purge_protection"], row["vault_sku"]) == (None, "standard")


def test_a_disk_of_two_layers_counts_once_for_a_shared_vault(tmp_path):
    both = secured("ConfidentialVM_DiskEncryptedWithCustomerKey", "cvm")
    bodies = [
        des("cvm", key_url("kv", "c"), kind=CONFIDENTIAL),
        des("sse", key_url("kv", "s")),
        vm("x"),
        disk("x-os", "x", encryption=cmk("sse"), security=both),
    ]
    inv = de.load(write(tmp_path, bodies), engine="polars")
    assert counts(de.blast_radius(inv, vault="kv"), "disks", "vms", "gib") == (1, 1, 64)
    assert disk_id("x-os") in {row["disk_id"] for row in records(de.blast_radius(inv, vault="kv").links)}
