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
    extension,
    key_url,
    listed,
    records,
    secured,
    set_id,
    snapshot,
    stores,
    vault_key,
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
        # An api that does not state the public access is too old to state the sign-in.
        ("all|absent|absent|other|unread", ("unknown", "none", "unknown", "unknown")),
        ("none|absent|absent|other|unread", ("none", "none", "unknown", "closed")),
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
        disk("open", networkAccessPolicy="AllowAll", publicNetworkAccess="Enabled"),
        snapshot("copy"),
    ]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    inv = de.load(write(tmp_path_factory.mktemp("tenant"), _objects()), engine="duckdb")
    rows = records(de.disk_policies(inv, allowed_sets=[set_id("standard").upper()]))
    assert len(rows) == 10 * len(disk_policy_rules())
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
        ("export_sign_in", "plain-os", "unknown", "unknown", ""),
        ("export_sign_in", "open", "non_compliant", "no", ""),
        ("export_sign_in", "copy", "not_applicable", "unknown", ""),
        ("public_network", "open", "non_compliant", "no", ""),
        ("key_types", "plain-os", "not_applicable", "unknown", ""),
        ("key_types", "named-os", "unknown", "unknown", ""),  # no assignment in the export
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


SUBSCRIPTION = GROUP.partition("/resourceGroups/")[0]
ABOVE = "/providers/Microsoft.Management/managementGroups/root"
ALLOWED_SETS, KEY_TYPES = (
    disk_policy_rules()[name]["policy_id"] for name in ("policy_allowed_sets", "policy_key_types")
)


def _assigned(definition, parameters, *, scope=SUBSCRIPTION, name="one", kind="policyDefinitions", **more):
    body = {"policyDefinitionId": f"/providers/Microsoft.Authorization/{kind}/{definition}", "scope": scope}
    body |= {"parameters": {key: {"value": value} for key, value in parameters.items()}} | more
    own = f"{scope}/providers/Microsoft.Authorization/policyAssignments/{name}"
    return {"id": own, "name": name, "type": "Microsoft.Authorization/policyAssignments", "properties": body}


def _sets(*names, **more):
    return _assigned(
        ALLOWED_SETS, {"allowedEncryptionSets": [set_id(name).upper() for name in names]}, **more
    )


def _by_name(folder, policy, *objects, engine="polars"):
    rows = records(de.disk_policies(de.load(write(folder, objects), engine=engine)))
    return {row["name"]: row for row in rows if row["rule_id"] == policy}


@pytest.mark.parametrize(
    ("assigned", "standard", "double"),
    [
        ([], "unknown", "unknown"),
        ([_sets("standard")], "compliant", "non_compliant"),
        ([_sets()], "non_compliant", "non_compliant"),  # an empty list allows nothing
        ([_sets("standard", scope=f"{SUBSCRIPTION}/resourceGroups/RG-Rules")], "compliant", "non_compliant"),
        ([_sets("standard", scope=f"{SUBSCRIPTION}/resourceGroups/other")], "unknown", "unknown"),
        ([_sets("standard", notScopes=[f"{SUBSCRIPTION}/resourceGroups/rg-rules"])], "unknown", "unknown"),
        # Evaluated, though it stops nothing; and not evaluated at all.
        ([_sets("standard", enforcementMode="DoNotEnforce")], "compliant", "non_compliant"),
        (
            [_assigned(ALLOWED_SETS, {"allowedEncryptionSets": [], "effect": "Disabled"})],
            "unknown",
            "unknown",
        ),
        # A disk has to be on every list that reaches it.
        ([_sets("standard"), _sets("standard", "double", name="two")], "compliant", "non_compliant"),
        ([_sets("standard"), _sets("double", name="two")], "non_compliant", "non_compliant"),
        # Whether the management group holds the subscription is not known.
        ([_sets("standard", scope=ABOVE)], "unknown", "unknown"),
        ([_sets("standard"), _sets("double", scope=ABOVE, name="two")], "unknown", "non_compliant"),
        # The list was not read, or is none; a list that is narrowed to some places may not reach the disk.
        ([_assigned(ALLOWED_SETS, {})], "unknown", "unknown"),
        ([_assigned(ALLOWED_SETS, {"allowedEncryptionSets": "all"})], "unknown", "unknown"),
        ([_sets("standard", resourceSelectors=[{"name": "eu"}])], "unknown", "unknown"),
    ]
    + [
        # An initiative passes the list on under a name of its own; a parameter of another policy is none.
        (
            [
                _assigned(
                    "00000000-1111-4222-8333-444444444444",
                    {"allowedEncryptionSets_d461a302": [set_id("standard")], **effects},
                    kind="policySetDefinitions",
                )
            ],
            *verdicts,
        )
        for effects, verdicts in (
            ({}, ("compliant", "non_compliant")),
            ({"effect-702dd420": "Disabled"}, ("compliant", "non_compliant")),
            ({"networkEffect": "Disabled"}, ("compliant", "non_compliant")),
            # Turned off within the initiative; and an effect of which it is not told whose it is.
            ({f"effect-{ALLOWED_SETS}": "Disabled"}, ("unknown", "unknown")),
            ({"effect": "Disabled"}, ("unknown", "unknown")),
            ({"managedDisksEffect": "Disabled"}, ("unknown", "unknown")),
        )
    ]
    + [
        (
            [
                _assigned(
                    "00000000-1111-4222-8333-444444444444", {"allowedEncryptionSets": [set_id("standard")]}
                )
            ],
            "unknown",
            "unknown",
        ),
    ],
)
def test_allowed_sets_are_those_of_the_assignments(tmp_path, assigned, standard, double):
    objects = [*stores(), *assigned]
    objects += [disk(name, encryption=cmk(name)) for name in ("standard", "double")]
    found = _by_name(tmp_path, "policy_allowed_sets", *objects)
    assert (found["standard"]["policy_verdict"], found["double"]["policy_verdict"]) == (standard, double)
    if not assigned:
        assert "no policy assignment that was read holds one" in found["standard"]["decided_by"]


@pytest.mark.parametrize("parameters", ["text", ["x"], {"allowedEncryptionSets": "x"}, None])
def test_parameters_that_are_none_leave_the_policy_unknown(tmp_path, parameters):
    odd = _sets("a|b")
    odd["properties"]["parameters"] = parameters
    found = _by_name(tmp_path, "policy_allowed_sets", odd, disk("x", encryption=cmk("a|b")))
    assert found["x"]["policy_verdict"] == "unknown"


def test_a_set_with_a_name_of_any_kind_may_be_allowed(tmp_path):
    found = _by_name(tmp_path, "policy_allowed_sets", _sets("a|b"), disk("x", encryption=cmk("a|b")))
    assert found["x"]["policy_verdict"] == "compliant"


@pytest.mark.parametrize("engine", ["duckdb", "pandas", "polars", "arrow"])
def test_the_set_that_a_vm_names_is_held_to_the_list_where_the_vm_is(tmp_path, engine):
    named = listed("named-os") | {
        "managedDisk": {"id": disk_id("named-os"), "diskEncryptionSet": {"id": set_id("standard")}}
    }
    found = _by_name(
        tmp_path,
        "policy_allowed_sets",
        *stores(),
        _sets("standard"),
        vm("named", os_disk=named),
        disk("named-os", "named", system="Windows", encryption=cmk("standard")),
        disk("named-data", "named", encryption=cmk("double")),
        vm("later"),
        disk("later-os", "later", system="Windows", encryption=cmk("standard")),
        disk("of-gone", "gone", system="Windows", encryption=cmk("standard")),
        disk("plain"),
        engine=engine,
    )
    assert {name: row["policy_verdict"] for name, row in found.items()} == {
        "named-os": "compliant",
        "named-data": "not_applicable",  # data disks of a VM are not looked at
        "later-os": "non_compliant",  # its VM names no set
        "of-gone": "not_applicable",  # it has an owner, whose own list was not exported
        "plain": "non_compliant",  # no set is not on the list
    }


@pytest.mark.parametrize(
    ("assigned", "software", "hardware", "engine"),
    [
        ([], "unknown", "unknown", "duckdb"),
        ([_assigned(KEY_TYPES, {"allowedKeyTypes": ["RSA-HSM"]})], "non_compliant", "compliant", "pandas"),
        ([_assigned(KEY_TYPES, {"allowedKeyTypes": ["rsa"]})], "compliant", "non_compliant", "polars"),
        ([_assigned(KEY_TYPES, {})], "compliant", "compliant", "duckdb"),  # the default allows all four types
        (
            [_assigned(KEY_TYPES, {"allowedKeyTypes": ["EC"], "effect": "disabled"})],
            "unknown",
            "unknown",
            "duckdb",
        ),
        ([_assigned(KEY_TYPES, {"allowedKeyTypes": ["EC"]}, scope=ABOVE)], "unknown", "unknown", "duckdb"),
    ],
)
def test_key_types_are_held_to_the_list_where_the_vault_is(tmp_path, assigned, software, hardware, engine):
    objects = [*stores(), vault_key("kv-standard", "cmk", "RSA"), *assigned]
    names = ("standard", "premium-hsm", "premium-unread", "managed-hsm", "nowhere")
    objects += [disk(name, encryption=cmk(name)) for name in names]
    pool = {"keyUrl": key_url("pool", "k", "managedhsm.azure.net")}
    settings = {"enabled": True, "encryptionSettings": [{"keyEncryptionKey": pool}]}
    objects += [
        disk("kek", collection=ade()),
        disk("kek-hsm", collection=ade(kek="kv-premium")),
        disk("no-kek", collection=ade(kek=None)),
        disk("kek-pool", collection=settings),
        disk("kek-nameless", collection={"enabled": True}),
        disk("kek-was-on", collection=ade(enabled=False)),
        disk("both", collection=ade(kek="kv-premium"), encryption=cmk("standard")),
        vm("by-vm"),
        disk("by-vm-os", "by-vm", system="Windows"),
        extension("by-vm"),
    ]
    found = _by_name(tmp_path, "policy_key_types", *objects, disk("plain"), engine=engine)
    assert {name: row["policy_verdict"] for name, row in found.items()} == {
        "standard": software,
        "premium-hsm": hardware,
        "premium-unread": "unknown",  # the key was not read
        "managed-hsm": "not_applicable",  # the policy looks at vaults
        "nowhere": "unknown",  # the set was not read
        "plain": "not_applicable",
        # A key-encryption key is a key in a vault like any other.
        "kek": software,
        "kek-hsm": hardware,
        "no-kek": "not_applicable",  # the policy does not look at secrets
        "kek-pool": "not_applicable",
        "kek-nameless": "unknown",
        "kek-was-on": "not_applicable",
        "both": "non_compliant" if "non_compliant" in (software, hardware) else software,
        "by-vm-os": "unknown",  # the extension alone does not tell whether the disk is under its key
    }


def test_without_a_list_the_policy_on_allowed_sets_is_unknown():
    facts = {"kind": "managed_disk", "own_set": "no", "allowed": "no_list"}
    facts |= {"attachment": "unattached", "list_set": "", "list_allowed": ""}
    assert apply_policy("policy_allowed_sets", facts)["policy_verdict"] == "unknown"
