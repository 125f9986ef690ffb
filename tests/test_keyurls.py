"""Key URLs in every spelling (FACTS 6, PAYLOADS 11), and hostile ones."""

from __future__ import annotations

import pytest

import diskenc_analysis as de
from diskenc_analysis.keyurls import KeyUrl, key_name, parse, store_of
from tests.rules import disk, records, write

VERSION = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (f"https://kv.vault.azure.net/keys/k/{VERSION}", ("kv.vault.azure.net", "keys", "k", VERSION)),
        (f"https://KV.Vault.Azure.Net:443/Keys/K/{VERSION}/", ("kv.vault.azure.net", "keys", "k", VERSION)),
        ("https://kv.vault.azure.net/keys/kek/", ("kv.vault.azure.net", "keys", "kek", "")),
        ("kv.vault.azure.cn:443/secrets/s", ("kv.vault.azure.cn", "secrets", "s", "")),
        ("https://kv.vault.azure.net/", ("kv.vault.azure.net", "", "", "")),
        (
            "https://p.managedhsm.usgovcloudapi.net/keys/k",
            ("p.managedhsm.usgovcloudapi.net", "keys", "k", ""),
        ),
        ("  https://kv.vault.azure.net/keys/k?x=1#y ", ("kv.vault.azure.net", "keys", "k", "")),
        # What stands before an @ is no host.
        ("https://p.managedhsm.azure.net@kv.example/keys/k/1", ("kv.example", "keys", "k", "1")),
        ("https://[", ("[", "", "", "")),
        ("no url", ("no url", "", "", "")),
        ("", ("", "", "", "")),
        (None, ("", "", "", "")),
    ],
)
def test_a_url_is_taken_apart(url, expected):
    assert parse(url) == KeyUrl(*expected)


def test_versions_and_spellings_of_one_key_share_a_name():
    spellings = ["HTTPS://KV.vault.azure.net/keys/K/1", "kv.vault.azure.net:443/keys/k/2/"]
    assert {key_name(url) for url in spellings} == {"kv.vault.azure.net#k"}


@pytest.mark.parametrize(
    ("name", "store"),
    [
        ("kv.vault.azure.net", "key_vault"),
        ("kv.vault.azure.cn", "key_vault"),
        ("kv.vault.usgovcloudapi.net", "key_vault"),
        ("p.managedhsm.azure.net", "managed_hsm"),
        ("p.managedhsm.azure.cn", "managed_hsm"),
        ("p.managedhsm.usgovcloudapi.net", "managed_hsm"),
        ("vault.azure.net", ""),
        ("kv.vault.microsoftazure.de", ""),  # a cloud of which no host name is verified
        ("kv.vault.azure.net.example.org", ""),
        ("example.org", ""),
        ("", ""),
    ],
)
def test_the_store_follows_from_the_host(name, store):
    assert store_of(name) == store


@pytest.mark.parametrize("url", ["https://a|b.vault.azure.net/keys/k|x/1", "https://[", "|", "¦~+"])
def test_a_hostile_url_is_judged_and_not_obeyed(tmp_path, url):
    volume = {"keyEncryptionKey": {"keyUrl": url}, "diskEncryptionKey": {"secretUrl": url}}
    settings = {"enabled": True, "encryptionSettings": [volume]}
    [row] = records(
        de.coverage(de.load(write(tmp_path, [disk("odd", collection=settings)]), engine="polars"))
    )
    assert (row["key_owner"], row["key_store"]) == ("customer", "unknown")
