"""Azure's built-in disk policies by their real logic, and who could download a disk, by hand."""

from __future__ import annotations

import pytest

import diskenc_analysis as de
from diskenc_analysis.exposure import judge_access
from diskenc_analysis.policy_rules import apply_policy, disk_policy_rules
from tests.rules import (
    CVM,
    CVM_DISK,
    GROUP,
    ade,
    cmk,
    disk,
    disk_id,
    listed,
    records,
    secured,
    set_id,
    snapshot,
    stores,
    vm,
    write,
)

ACCESS = f"{GROUP}/Microsoft.Compute/diskAccesses/link"


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        # network policy | public access | sign-in mode | state | disk access
        ("all|on|none|other|unread", ("public", "none", "not_required", "public")),
        ("all|on|entra|other|unread", ("public", "none", "required", "public")),
        ("all|on|absent|sas|unread", ("public", "active", "not_required", "link_out")),
        ("all|off|absent|other|unread", ("none", "none", "not_required", "closed")),
        ("all|absent|absent|other|unread", ("unknown", "none", "not_required", "unknown")),
        ("private|on|none|other|connected", ("private", "none", "not_required", "private")),
        ("private|off|none|sas|unconnected", ("private", "active", "not_required", "link_out")),
        ("none|on|none|other|unread", ("none", "none", "not_required", "closed")),
        ("none|off|none|sas|unread", ("none", "active", "not_required", "closed")),
        ("absent|absent|absent|other|unread", ("unknown", "none", "unknown", "unknown")),
        ("unknown|on|none|unknown|unread", ("unknown", "unknown", "not_required", "unknown")),
        ("absent|off|none|other|unread", ("unknown", "none", "not_required", "unknown")),
        ("||||", ("not_applicable",) * 4),
    ],
)
def test_who_could_download_a_disk(facts, expected):
    found = judge_access(facts)
    assert tuple(found[name] for name in ("network", "link", "sign_in", "exposure")) == expected


def test_exposure_is_read_from_disks_and_snapshots(tmp_path):
    link = {"id": ACCESS, "name": "link", "type": "Microsoft.Compute/diskAccesses"}
    approved = {"properties": {"privateLinkServiceConnectionState": {"status": "Approved"}}}
    link["properties"] = {"privateEndpointConnections": [approved]}
    private = {"networkAccessPolicy": "AllowPrivate", "diskAccessId": ACCESS.upper()}
    objects = [
        link,
        disk("private", **private),
        disk("open", state="ActiveSAS", networkAccessPolicy="AllowAll", publicNetworkAccess="Enabled"),
        snapshot("copy", networkAccessPolicy="DenyAll", diskState="Unattached"),
    ]
    found = {
        row["name"]: row for row in records(de.exposure(de.load(write(tmp_path, objects), engine="polars")))
    }
    assert {name: row["exposure"] for name, row in found.items()} == {
        "private": "private",
        "open": "link_out",
        "copy": "closed",
    }
    assert "approved private endpoint" in found["private"]["reason"]


def _objects():
    named = listed("named-os") | {
        "managedDisk": {"id": disk_id("named-os"), "diskEncryptionSet": {"id": set_id("standard")}}
    }
    named_os = disk("named-os", "named", system="Windows", encryption=cmk("standard"))
    return [
        *stores(),
        *[vm("plain"), disk("plain-os", "plain", system="Windows")],
        *[vm("named", os_disk=named), named_os],
        *[vm("later"), disk("later-os", "later", system="Windows", encryption=cmk("standard"))],
        *[vm("ade"), disk("ade-os", "ade", system="Windows", collection=ade())],
        vm("cvm", security=CVM),
        disk("cvm-os", "cvm", system="Windows", security=secured(f"{CVM_DISK}CustomerKey", "confidential")),
        disk("double", encryption=cmk("double", double=True)),
        disk("unread", encryption=cmk("nowhere")),
        disk("loose-ade", collection=ade()),
        snapshot("copy"),
    ]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    inv = de.load(write(tmp_path_factory.mktemp("tenant"), _objects()), engine="duckdb")
    rows = records(de.disk_policies(inv, allowed_sets=[set_id("standard").upper()]))
    assert len(rows) == 9 * len(disk_policy_rules())
    return {(row["rule_id"].removeprefix("policy_"), row["name"]): row for row in rows}


@pytest.mark.parametrize(
    ("policy", "name", "verdict", "truth", "gap"),
    [
        ("customer_key", "plain-os", "non_compliant", "no", ""),
        ("customer_key", "named-os", "compliant", "yes", ""),
        # The model of the VM does not name the set that its disk was given later.
        ("customer_key", "later-os", "non_compliant", "yes", "good_disk_flagged"),
        ("customer_key", "ade-os", "non_compliant", "yes", "good_disk_flagged"),
        ("customer_key", "cvm-os", "non_compliant", "yes", "good_disk_flagged"),
        ("customer_key", "double", "compliant", "yes", ""),
        ("customer_key", "copy", "not_applicable", "no", "not_looked_at"),
        ("double", "plain-os", "not_applicable", "no", "not_looked_at"),
        ("double", "named-os", "non_compliant", "no", ""),
        ("double", "cvm-os", "non_compliant", "no", ""),
        ("double", "double", "compliant", "yes", ""),
        ("double", "unread", "unknown", "no", ""),
        ("allowed_sets", "named-os", "compliant", "unknown", ""),
        ("allowed_sets", "later-os", "non_compliant", "unknown", ""),
        ("allowed_sets", "double", "non_compliant", "unknown", ""),
        ("unattached", "loose-ade", "compliant", "yes", ""),
        ("unattached", "double", "non_compliant", "yes", "good_disk_flagged"),
        ("unattached", "plain-os", "not_applicable", "unknown", ""),
        ("managed_disks", "plain-os", "compliant", "yes", ""),
        ("export_sign_in", "plain-os", "non_compliant", "no", ""),
        ("public_network", "plain-os", "unknown", "unknown", ""),
    ],
)
def test_each_policy_by_its_own_logic(found, policy, name, verdict, truth, gap):
    row = found[policy, name]
    assert (row["policy_verdict"], row["in_truth"], row["gap"]) == (verdict, truth, gap)
    assert bool(row["why"]) == bool(gap)


@pytest.mark.parametrize(
    ("policy", "public", "verdict"),
    [
        ("all", "on", "non_compliant"),
        ("all", "off", "compliant"),
        ("private", "on", "compliant"),
        ("none", "on", "compliant"),
        ("absent", "absent", "unknown"),
        ("all", "absent", "unknown"),
    ],
)
def test_the_policy_on_public_access_takes_either_field(policy, public, verdict):
    facts = {"kind": "managed_disk", "own_set": "no", "policy": policy, "public": public}
    assert apply_policy("policy_public_network", facts)["policy_verdict"] == verdict


def test_without_a_list_the_policy_on_allowed_sets_is_unknown():
    facts = {"kind": "managed_disk", "own_set": "no", "allowed": "no_list"}
    assert apply_policy("policy_allowed_sets", facts)["policy_verdict"] == "unknown"
