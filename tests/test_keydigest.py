"""The words and lists of the report on keys, from an estate small enough to be counted by hand."""

from __future__ import annotations

import json

import pytest

import diskenc_analysis as de
from diskenc_analysis import keydigest
from tests.rules import ade, cmk, des, disk, key_url, vault, vault_key, vm, write

DAY = "2026-11-24"


def key(name, **attributes):
    body = vault_key("kv", name, "RSA")
    return body | {"properties": body["properties"] | {"attributes": {"enabled": True, **attributes}}}


def estate():
    """Build a VM whose key expires in 30 days, one under ADE, a disk of the platform, and a gap."""
    safe = vault("kv")
    safe["properties"] |= {"enablePurgeProtection": True, "enableSoftDelete": True}
    safe["properties"]["enabledForDiskEncryption"] = True
    return [
        safe,
        key("k", exp="2026-12-24T00:00:00Z", created="2026-11-14T00:00:00Z"),
        key("kek"),
        key("spare"),
        des("one", key_url("kv", "k"), vault_name="kv"),
        des("idle", key_url("kv", "k2"), vault_name="kv"),
        vm("a"),
        disk("a-os", "a", system="Windows", encryption=cmk("one")),
        vm("b"),
        disk("b-os", "b", system="Windows", collection=ade(kek="kv")),
        disk("c", encryption=cmk("not-read")),
        disk("d"),
    ]


class Report:
    def __init__(self, folder, objects, as_of=DAY):
        self.inv = de.load(write(folder, objects), engine="polars")
        self.cov = de.coverage(self.inv)
        self.own = de.key_ownership(self.inv, self.cov, as_of=as_of)
        self.custody = de.custody(self.inv, self.own, as_of=as_of)
        self.checks = de.key_checks(self.inv, self.own, as_of=as_of)
        self.points = de.single_points(self.inv, self.own)
        self.as_of = as_of

    @property
    def frames(self):
        return self.cov, self.own, self.custody, self.checks, self.points


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return Report(tmp_path_factory.mktemp("digest"), estate())


def lines(shown):
    return [dict(zip(shown.headings, line, strict=True)) for line in shown.lines]


def test_the_verdict_in_words(report):
    owned, most, expiry, broken, links = keydigest.verdict(*report.frames, report.as_of).sentences
    # a-os, b-os and c of four; the key of c may lie in an HSM.
    assert owned == (
        "Of 4 disks and snapshots, 75% are under a key that the customer controls, "
        "0%–25% under one that is in an HSM."
    )
    assert most == "Most hangs on the vault kv.vault.azure.net: 2 VMs with 2 disks depend on it."
    assert expiry == (
        "On 2026-11-24, no keys in use are expired or disabled and 1 key in use (1 disk) expires within "
        "90 days; of 1 key in use (1 disk) that was not read."
    )
    # The set `one` and `idle` do not rotate; the key of `one` expires soon.
    assert broken.startswith(
        "The rules that each method sets for its key are broken 3 times (1 medium, 2 low); "
    )
    assert links == "Of 1 disk the chain to the key breaks off: see Missing links."


def test_without_a_day_that_is_said(tmp_path):
    undated = Report(tmp_path, estate(), as_of="")
    sentences = keydigest.verdict(*undated.frames, "").sentences
    assert "No day is stated for this report (as_of), so no expiry was judged." in sentences


def test_a_platform_estate_has_no_single_point(tmp_path):
    plain = Report(tmp_path, [disk("d")])
    sentences = keydigest.verdict(*plain.frames, DAY).sentences
    assert sentences[1] == "No disk is known to depend on a key, vault or disk encryption set of a customer."
    assert "broken nowhere; 0 checks could not be made." in sentences[3]


def test_single_points_name_their_use(report):
    first, *rest = lines(keydigest.points(report.points))
    assert (first["What"], first["VMs"], first["Disks"]) == ("vault", "2", "2")
    assert first["Used for"] == "Azure Disk Encryption, key; customer key"
    assert {(line["What"], line["Which"]) for line in rest} >= {
        ("disk encryption set", "rg-rules/one"),
        ("key", "kv.vault.azure.net/keys/kek"),
    }
    used = [line["Used for"] for line in lines(keydigest.consequences(report.points))]
    assert used == ["customer key", "Azure Disk Encryption, key", "unknown"]


def test_failures_stand_by_severity(report):
    found = dict(keydigest.failures(report.checks).lists)
    assert list(found) == ["Medium: 1", "Low: 2"]
    [line] = lines(found["Medium: 1"])
    assert (line["Where"], line["Found"]) == ("rg-rules/one → kv/k", "2026-12-24T00:00:00Z")


def test_every_rule_is_counted_by_result(report):
    found = {line["Rule"]: line for line in lines(keydigest.undecided(report.checks))}
    # `one` keeps it, the key of `idle` and the whole set of c were not read.
    counts = [found["key_type"][n] for n in ("Broken by", "Not read for", "Kept by")]
    assert counts == ["0", "2", "1"]


def test_the_keys_in_use(report):
    found = {line["Vault and key"]: line for line in lines(keydigest.keys(report.custody))}
    assert found.keys() == {"kv/k", "kv/kek", "unknown"}
    assert found["kv/k"]["State"] == "usable, expires 2026-12-24 (30 days)"
    assert found["kv/k"]["Rotated"] == "2026-11-14, by hand"
    assert found["kv/kek"]["State"] == "usable, no expiry date"
    assert found["kv/kek"]["Named by"] == "Azure Disk Encryption"
    assert found["unknown"]["Purge protection"] == "unknown"


def test_links_that_break_off_are_counted_by_reason(report):
    found = [(line["Why"], line["Links"]) for line in lines(keydigest.missing(report.own))]
    assert found == [("the disk encryption set is not in the inventory", "1")]


def test_what_no_disk_needs(report):
    found = {(line["What"], line["Which"]) for line in lines(keydigest.idle(report.custody))}
    assert found == {("disk encryption set", "rg-rules/idle → kv/k2"), ("key", "kv/spare")}


def test_facts_are_plain_and_whole(report):
    found = json.loads(json.dumps(keydigest.facts(report.inv, *report.frames, as_of=DAY)))
    assert (found["as_of"], found["disks"], found["idle"]) == (DAY, 4, 2)
    assert {row["key_owner"]: row["disks"] for row in found["by_subscription"]} == {
        "customer": 3,
        "platform": 1,
    }
    assert found["checks"]["key_expires_soon"] == {"fail": 1, "unknown": 2, "pass": 0}
    assert found["single_points"][0]["target"] == "kv.vault.azure.net"
    assert found["ledger"]["rows_read"] == len(estate())


def test_names_are_shown_as_text(tmp_path):
    evil = "<img src=x onerror=alert(1)>"
    odd = Report(tmp_path, [des(evil, key_url("kv", "k")), disk("d", encryption=cmk(evil))])
    shown = keydigest.points(odd.points)._repr_html_() + keydigest.keys(odd.custody)._repr_html_()
    assert "<img" not in shown
