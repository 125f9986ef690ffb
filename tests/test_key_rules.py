from __future__ import annotations

import pytest

from tests.rules import (
    CONFIDENTIAL_V5D,
    CVM,
    CVM_DISK,
    HOST,
    LATEST,
    PMK,
    V3,
    V5D,
    Case,
    ade,
    cmk,
    des,
    differences,
    disk,
    extension,
    judged_twice,
    key_url,
    one,
    secured,
    slug,
    vault,
    vault_key,
)

GUEST_STATE = "ConfidentialVM_VMGuestStateOnlyEncryptedWithPlatformKey"


def owner(rule: str, key_owner: str, customer_keys: str, *, machine: dict | None = None, **of_disk) -> Case:
    expected = {"key_owner": key_owner, "customer_keys": customer_keys}
    return one(rule, machine=machine, of_disk=of_disk, **expected)


# K1: confidential, else ADE, else SSE; the row "Customer control of keys" asks for a set or a KEK.
CUSTOMER = secured(f"{CVM_DISK}CustomerKey", "confidential")
PLATFORM = secured(f"{CVM_DISK}PlatformKey")
ONE_KEY, TWO_KEYS = cmk("standard"), cmk("double", double=True)
K1 = [
    owner("K1 storage platform key", "platform", "no", encryption=PMK),
    owner("K1 storage customer key", "customer", "yes", encryption=ONE_KEY),
    owner("K1 storage both keys", "platform_and_customer", "yes", encryption=TWO_KEYS),
    owner("K1 host platform key", "platform", "no", machine={"security": HOST}),
    owner("K1 host customer key", "customer", "yes", machine={"security": HOST}, encryption=ONE_KEY),
    owner(
        "K1 host both keys", "platform_and_customer", "yes", machine={"security": HOST}, encryption=TWO_KEYS
    ),
    owner("K1 ADE with KEK", "customer", "yes", collection=ade()),
    owner("K1 ADE without KEK", "customer_secret", "no", collection=ade(kek=None)),
    owner("K1 ADE no more", "platform", "no", collection=ade(enabled=False)),
    owner("K1 confidential customer key", "customer", "yes", machine={"security": CVM}, security=CUSTOMER),
    owner("K1 confidential platform key", "platform", "no", machine={"security": CVM}, security=PLATFORM),
    owner("K1 confidential before both keys", "customer", "yes", security=CUSTOMER, encryption=TWO_KEYS),
    # K1 names the confidential key, and C1 counts the customer's storage key below it as well.
    owner("K1 confidential before storage", "platform", "yes", security=PLATFORM, encryption=ONE_KEY),
    owner(
        "K1 guest state is no disk key", "customer", "yes", security=secured(GUEST_STATE), encryption=ONE_KEY
    ),
    owner("K1 guest state, platform key", "platform", "no", security=secured(GUEST_STATE)),
]


def stored(
    rule: str,
    key_store: str,
    hsm: str,
    *more: dict,
    encryption: dict | None = None,
    collection: dict | None = None,
) -> Case:
    given = {"encryption": encryption or PMK, "collection": collection}
    return one(rule, *more, of_disk=given, key_store=key_store, hsm=hsm)


def by_set(rule: str, key_store: str, hsm: str, key: str, *more: dict) -> Case:
    """Build a disk whose set has the key of that URL and names no vault."""
    return stored(rule, key_store, hsm, des(slug(rule), key), *more, encryption=cmk(slug(rule)))


def at_vault(rule: str, key_store: str, hsm: str, *more: dict) -> Case:
    """Build a disk whose key lies in a vault of its own, which `more` may hold."""
    return by_set(rule, key_store, hsm, key_url(own(rule), "cmk"), *more)


def own(rule: str) -> str:
    return f"kv-{slug(rule)}"


K2_PREMIUM = "K2 vault SKU in capitals"
K2_BARE = "K2 vault without SKU"
K3_RSA_HSM = "K3 vault SKU not read but HSM key type"
K3_EC_HSM = "K3 elliptic HSM key type"
K3_NOT_READ = "K3 premium key not read"
K3_STANDARD = "K3 standard vault key not read"
PORT = "https://KV-Premium.vault.azure.net:443/keys/hsm/0123456789abcdef0123456789abcdef"

# K2: FACTS 6 has the hosts; PAYLOADS 11 the spellings. K3 answers beside it.
STORES = [
    stored("K2 platform", "platform", "no"),
    stored("K2 standard", "key_vault_standard", "no", encryption=cmk("standard")),
    stored("K2 premium", "key_vault_premium", "yes", encryption=cmk("premium-hsm")),
    at_vault(K2_PREMIUM, "key_vault_premium", "unknown", vault(own(K2_PREMIUM), "PREMIUM")),
    by_set("K2 host in capitals with port", "key_vault_premium", "yes", PORT),
    at_vault("K2 vault not read", "key_vault", "unknown"),
    at_vault(K2_BARE, "key_vault", "unknown", vault(own(K2_BARE), None)),
    by_set("K2 China", "key_vault", "unknown", key_url("kv", "k", "vault.azure.cn")),
    by_set("K2 US Government", "key_vault", "unknown", key_url("kv", "k", "vault.usgovcloudapi.net")),
    by_set("K2 unknown host", "unknown", "unknown", "https://keys.example/keys/k/1"),
    stored("K2 set not read", "unknown", "unknown", encryption=cmk("no-such-set")),
    stored("K2 set without key", "unknown", "unknown", des("bare", ""), encryption=cmk("bare")),
    stored("K2 no encryption type", "unknown", "unknown", encryption={"x": 1}),
    stored("K2 managed HSM", "managed_hsm", "yes", encryption=cmk("managed-hsm")),
    by_set("K2 managed HSM in China", "managed_hsm", "yes", key_url("p", "k", "managedhsm.azure.cn")),
    by_set("K2 managed HSM in Gov", "managed_hsm", "yes", key_url("p", "k", "managedhsm.usgovcloudapi.net")),
    stored("K2 ADE KEK", "key_vault_standard", "no", collection=ade()),
    stored("K2 ADE KEK premium", "key_vault_premium", "yes", collection=ade(kek="kv-premium")),
    stored("K2 ADE KEK vault not read", "key_vault", "unknown", collection=ade(kek="kv-elsewhere")),
    # Its secret lies in the standard vault of `ade`, and is no key.
    stored("K2 ADE secret", "key_vault_standard", "no", collection=ade(kek=None)),
]

# K3: a vault's tier says only that an HSM key is possible; the key's type says that it is one (FACTS 6).
K3 = [
    stored("K3 no customer key", "platform", "no"),
    at_vault(K3_STANDARD, "key_vault_standard", "no", vault(own(K3_STANDARD))),
    at_vault(K3_NOT_READ, "key_vault_premium", "unknown", vault(own(K3_NOT_READ), "premium")),
    at_vault(K3_RSA_HSM, "key_vault", "yes", vault_key(own(K3_RSA_HSM), "cmk", "RSA-HSM")),
    at_vault(K3_EC_HSM, "key_vault", "yes", vault_key(own(K3_EC_HSM), "cmk", "EC-HSM")),
    one(
        "K3 host has the disk's key",
        machine={"security": HOST},
        of_disk={"encryption": cmk("premium-hsm")},
        hsm="yes",
    ),
    one(
        "K3 confidential",
        machine={"security": CVM},
        of_disk={"security": CUSTOMER},
        key_store="key_vault_premium",
        hsm="yes",
    ),
    one("K3 confidential platform key", of_disk={"security": PLATFORM}, key_store="platform", hsm="no"),
    one(
        "K3 confidential set not read",
        of_disk={"security": secured(f"{CVM_DISK}CustomerKey", "no")},
        hsm="unknown",
    ),
    one("K3 storage type unknown", of_disk={"encryption": None}, hsm="unknown"),
    # ADE's cell of the matrix lists Key Vault Premium alone.
    one(
        "K3 ADE KEK that names a managed HSM",
        of_disk={
            "collection": {
                "enabled": True,
                "encryptionSettings": [
                    {"keyEncryptionKey": {"keyUrl": key_url("p", "k", "managedhsm.azure.net")}}
                ],
            }
        },
        **{"hsm!": "yes"},
    ),
    # The secret of a disk without a KEK is no HSM key, whatever the tier of its vault.
    one(
        "K3 ADE secret in a premium vault",
        of_disk={
            "collection": {
                "enabled": True,
                "encryptionSettings": [
                    {"diskEncryptionKey": {"secretUrl": "https://kv-premium.vault.azure.net/secrets/bek/1"}}
                ],
            }
        },
        key_store="key_vault_premium",
        key_owner="customer_secret",
        customer_keys="no",
        hsm="no",
    ),
]

# K4: SSE (2026-04-02): the temp disk has a platform key under host encryption and on v5 and later.
K4 = [
    one(
        f"K4 {rule}",
        machine={"size": size, "security": security},
        of_disk={"encryption": encryption, "security": secured(GUEST_STATE) if security is CVM else None},
        **{"temp_disk_key_owner@2026": "platform", "key_owner": key_owner},
    )
    for rule, size, security, encryption, key_owner in (
        ("host on v3", V3, HOST, PMK, "platform"),
        ("host on v3, customer key", V3, HOST, ONE_KEY, "customer"),
        ("host on v3, both keys", V3, HOST, TWO_KEYS, "platform_and_customer"),
        ("host on v5, customer key", V5D, HOST, ONE_KEY, "customer"),
        ("v5, customer key", V5D, None, ONE_KEY, "customer"),
        ("v5, platform key", V5D, None, PMK, "platform"),
        ("confidential v5", CONFIDENTIAL_V5D, CVM, ONE_KEY, "customer"),
    )
]
K4 += [
    # Under ADE it is ADE's own key that encrypts the temp disk.
    Case(
        "K4 ADE on v3",
        [
            *one("K4 ADE on v3", of_disk={"collection": ade()}).objects,
            extension("k4-ade-on-v3"),
            disk("k4-free", encryption=ONE_KEY),
        ],
        {
            "k4-ade-on-v3-os": {"temp_disk_key_owner": "customer"},
            "k4-free": {"temp_disk_key_owner!": "customer"},
        },
    ),
]

CASES = [*K1, *STORES, *K3, *K4]


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    return judged_twice(tmp_path_factory.mktemp("keys"), CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_key_rule(case, rows):
    assert differences(case, rows) == {}


# Said at the head of RULES: the number of a rule stands in the evidence of the rows that it decided.
@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ("K1", "k1-ade-without-kek-os"),
        ("K2", "k2-managed-hsm-os"),
        ("K3", "k3-premium-key-not-read-os"),
        ("K4", "k4-host-on-v3-customer-key-os"),
    ],
)
def test_evidence_names_the_rule_that_decided(rows, rule, name):
    assert rule in rows[LATEST][name]["evidence"]
