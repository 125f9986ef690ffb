"""The way out of Azure Disk Encryption: each path and check, worked out by hand from the documentation."""

from __future__ import annotations

import pytest

import diskenc_analysis as de
from diskenc_analysis import migration, migration_tables, schema
from diskenc_analysis.errors import ParameterError
from diskenc_analysis.note import Note, Part
from tests.rules import (
    CONFIDENTIAL_V5D,
    CVM,
    CVM_DISK,
    GROUP,
    V3,
    V5,
    ade,
    des,
    disk,
    disk_id,
    extension,
    instance,
    instance_id,
    key_url,
    listed,
    records,
    scale_set,
    secured,
    seen,
    snapshot,
    vm,
    vm_id,
    write,
)

SUBSCRIPTION = GROUP.split("/resourceGroups/")[0]
#: 37 days to the end of 2026, 365 of 2027, and 259 of 2028, a leap year, to 15 September: 661.
AS_OF = "2026-11-24"
WHERE = "westeurope"


def windows(name="w", *, data=True, **given):
    """A Windows VM with all its disks under Azure Disk Encryption."""
    made = [
        vm(name, data=[f"{name}-data"] if data else [], **given),
        disk(f"{name}-os", name, system="Windows", collection=ade()),
        extension(name),
    ]
    return [*made, disk(f"{name}-data", name, collection=ade())] if data else made


def linux(name, *, os_on, data_on):
    return [
        vm(name, data=[f"{name}-data"], system="Linux"),
        disk(f"{name}-os", name, system="Linux", collection=ade() if os_on else None),
        disk(f"{name}-data", name, collection=ade() if data_on else None),
        extension(name, volume="All" if os_on else "Data", system="Linux"),
    ]


def size(name=V3, *, host="True", regions=(WHERE,), temp_mb="32768", confidential=None):
    capabilities = {"MaxResourceVolumeMB": temp_mb, "EncryptionAtHostSupported": host}
    capabilities |= {"ConfidentialComputingType": confidential}
    return {
        "resourceType": "virtualMachines",
        "name": name,
        "locations": list(regions),
        "capabilities": [{"name": n, "value": v} for n, v in capabilities.items() if v is not None],
    }


def resource(path, kind, properties, *, scope=GROUP):
    own_id = f"{scope}/{path}"
    return {"id": own_id, "name": own_id.rpartition("/")[2], "type": kind, "location": WHERE} | {
        "properties": properties
    }


def plan(folder, *objects, as_of=AS_OF, engine="arrow", **given):
    inv = de.load(write(folder, objects), engine=engine)
    found = records(de.ade_migration(inv, as_of, **given))
    rows = {row["name"]: row for row in found}
    assert len(rows) == len(found)
    return rows


def told(row, *names):
    return tuple(row[name] for name in names)


# --- paths: MIG steps 2, 3, 5 and 6 ------------------------------------------------------------------------


def test_windows_is_disabled_and_uploaded_whichever_disks_are_encrypted(tmp_path):
    rows = plan(tmp_path, *windows("both"), *windows("alone", data=False))
    expected = ("on", "all", "windows", "upload", "current", "yes", 2, 128.0, 661)
    names = ("state", "scope", "os", "path", "generation", "kek", "disks", "gib", "days_left")
    assert told(rows["both"], *names) == expected
    assert told(rows["alone"], "scope", "path", "disks", "gib") == ("os", "upload", 1, 64.0)
    assert set(rows) == {"both", "alone"}


def test_linux_with_an_encrypted_os_disk_is_rebuilt(tmp_path):
    rows = plan(
        tmp_path,
        *linux("all", os_on=True, data_on=True),
        *linux("os", os_on=True, data_on=False),
        *linux("data", os_on=False, data_on=True),
    )
    assert {name: told(row, "scope", "path", "disks") for name, row in rows.items()} == {
        "all": ("all", "rebuild", 2),
        "os": ("os", "rebuild", 1),
        "data": ("data", "upload", 2),  # the new VM stands on a new OS disk
    }


def test_what_was_not_read_is_found_out_first(tmp_path):
    unread = [extension("unread"), vm("unread"), disk("unread-os", "unread", encryption=None)]
    no_system = vm("system", system=None)
    no_system["properties"]["storageProfile"]["osDisk"].pop("osType")
    rows = plan(tmp_path, *unread, no_system, disk("system-os", "system", collection=ade()))
    assert told(rows["unread"], "state", "path", "severity") == ("unknown", "read_first", "medium")
    # Decided by the operating system alone, which nothing says.
    assert told(rows["system"], "state", "os", "path", "severity") == ("on", "unknown", "read_first", "high")


def test_a_disk_in_doubt_leaves_the_scope_of_a_linux_vm_open(tmp_path):
    objects = [vm("l", data=["l-data"], system="Linux"), disk("l-data", "l", collection=ade())]
    rows = plan(tmp_path, *objects)  # the OS disk is in no export
    assert told(rows["l"], "state", "scope", "path", "unsized") == ("on", "unknown", "read_first", 1)


def test_session_hosts_are_replaced(tmp_path):
    image = {"publisher": "MicrosoftWindowsDesktop", "offer": "office-365", "sku": "win11-23h2-avd-m365"}
    tagged = windows("tagged", data=False)
    tagged[0]["tags"] = {"cm-resource-parent": f"{GROUP}/Microsoft.DesktopVirtualization/hostpools/pool"}
    rows = plan(tmp_path, *windows("image", data=False, image=image), *tagged)
    assert [row["path"] for row in rows.values()] == ["replace_host", "replace_host"]


def test_scale_sets_are_replaced(tmp_path):
    flexible = windows("flexible", data=False)
    flexible[0]["properties"]["virtualMachineScaleSet"] = {"id": scale_set("flex")["id"]}
    model = scale_set("by-model")
    model["properties"]["virtualMachineProfile"]["extensionProfile"] = {
        "extensions": [{"name": "ade", "properties": {"type": "AzureDiskEncryption"}}]
    }
    rows = plan(
        tmp_path,
        *(scale_set("uniform"), instance("uniform", 3)),
        disk("uniform_3-os", instance_id("uniform", 3), system="Windows", collection=ade()),
        *(scale_set("flex"), *flexible, model, scale_set("untouched")),
    )
    assert {row["path"] for row in rows.values()} == {"replace_set"}
    assert {name: told(row, "kind", "state") for name, row in rows.items()} == {
        "uniform_3": ("instance", "on"),
        "flexible": ("vm", "on"),
        "uniform": ("scale_set", "on"),
        "flex": ("scale_set", "on"),
        "by-model": ("scale_set", "unknown"),
    }


def test_once_on_needs_new_disks_and_copies_keep_the_mark(tmp_path):
    copy = {"createOption": "Copy", "sourceResourceId": disk_id("was-os")}
    rows = plan(
        tmp_path,
        *(vm("was"), disk("was-os", "was", collection=ade(enabled=False))),
        *(vm("copy"), disk("copy-os", "copy", system="Windows", creationData=copy)),
        *(vm("left"), disk("left-os", "left"), extension("left", "DisableEncryption")),
        *(vm("never"), disk("never-os", "never")),
    )
    assert {name: told(row, "state", "path", "severity") for name, row in rows.items()} == {
        "was": ("was_on", "new_disks", "low"),
        "copy": ("copied", "new_disks", "low"),
        "left": ("leftover", "new_disks", "low"),
    }


def test_a_confidential_vm_with_the_preview_is_a_class_apart(tmp_path):
    security = secured(f"{CVM_DISK}PlatformKey")
    rows = plan(
        tmp_path,
        vm("c", size=CONFIDENTIAL_V5D, security=CVM),
        disk("c-os", "c", system="Windows", security=security),
        extension("c"),
    )
    assert told(rows["c"], "state", "path", "scope") == ("preview", "undocumented", "none")
    assert {rows["c"][check] for check in migration_tables.checks()} == {"not_applicable"}


def test_the_generation_is_that_of_the_disks_and_of_the_extension(tmp_path):
    old = [vm("old"), disk("old-os", "old", collection=ade(version="1.0"))]
    by_extension = [vm("ext"), disk("ext-os", "ext", collection=ade(version=None))]
    rows = plan(tmp_path, *old, *by_extension, extension("ext", handler="1.1"))
    assert told(rows["old"], "generation") == ("entra",)
    assert told(rows["ext"], "generation") == ("entra",)  # 1.1 is the older one on Windows


# --- the date ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("as_of", "left", "severity", "words"),
    [
        ("2028-09-14", 1, "high", "unlocks until 2028-09-15"),
        ("2028-09-15", 0, "critical", "running, will not unlock after a reboot"),
        ("2029-09-15", -365, "critical", "running, will not unlock after a reboot"),
        (None, None, "high", "unlocks until 2028-09-15"),
    ],
)
def test_the_verdict_turns_on_the_day_of_the_retirement(tmp_path, as_of, left, severity, words):
    row = plan(tmp_path, *windows(data=False), as_of=as_of)["w"]
    assert told(row, "days_left", "severity", "verdict") == (left, severity, words)


def test_a_vm_that_stands_still_is_not_called_running(tmp_path):
    stopped = windows("s", data=False)
    stopped[0]["properties"]["extended"] = {
        "instanceView": {"powerState": {"code": "PowerState/deallocated"}}
    }
    row = plan(tmp_path, *stopped, as_of="2028-09-15")["s"]
    assert told(row, "severity", "verdict") == ("critical", "stopped, will not unlock when it is started")


def test_a_word_that_is_no_date_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="as_of: expected a date as YYYY-MM-DD, got 'soon'"):
        plan(tmp_path, *windows(), as_of="soon")


# --- dependents --------------------------------------------------------------------------------------------


def test_copies_and_backups_have_a_path_of_their_own(tmp_path):
    taken = {"createOption": "Copy", "sourceResourceId": disk_id("w-os")}
    image = {"storageProfile": {"osDisk": {"managedDisk": {"id": disk_id("w-os")}}}}
    point = "Microsoft.Compute/restorePointCollections"
    backup = (
        "Microsoft.RecoveryServices/vaults/v/backupFabrics/Azure/protectionContainers/c/protectedItems/item"
    )
    rows = plan(
        tmp_path,
        *windows(data=False),
        disk("loose", collection=ade(), system="Linux"),
        disk("loose-was", collection=ade(enabled=False)),
        snapshot("snap", collection=ade(), creationData=taken),
        snapshot("plain"),
        resource(
            f"{point}/c/restorePoints/p/diskRestorePoints/point",
            f"{point}/restorePoints/diskRestorePoints",
            {"sourceResourceId": disk_id("w-os")},
        ),
        resource("Microsoft.Compute/images/img", "Microsoft.Compute/images", image),
        resource(
            "Microsoft.Compute/galleries/g/images/i/versions/1.0.0",
            "Microsoft.Compute/galleries/images/versions",
            {"storageProfile": {"source": {"id": f"{GROUP}/Microsoft.Compute/images/img"}}},
        ),
        resource(
            backup,
            "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems",
            {"sourceResourceId": vm_id("w").upper()},
        ),
    )
    assert {name: told(row, "kind", "path", "state") for name, row in rows.items() if name != "w"} == {
        "loose": ("disk", "rescue", "on"),
        "loose-was": ("disk", "new_disks", "was_on"),
        "snap": ("snapshot", "retake", "on"),
        "point": ("restore_point", "retake", "on"),
        "img": ("image", "recapture", "on"),
        "1.0.0": ("image_version", "recapture", "on"),
        "item": ("backup_item", "new_backup", "on"),
    }
    assert rows["snap"]["vm_id"] == rows["item"]["vm_id"] == vm_id("w")
    assert rows["snap"]["gib"] == 64
    assert told(rows["w"], "snapshots", "restore_points", "backup") == ("blocks", "blocks", "blocks")


def test_other_snapshots_clear_the_check_and_none_read_leave_it_unknown(tmp_path):
    assert plan(tmp_path / "a", *windows(), snapshot("plain"))["w"]["snapshots"] == "clear"
    assert plan(tmp_path / "b", *windows())["w"]["snapshots"] == "unknown"


# --- checks ------------------------------------------------------------------------------------------------


def checked(folder, check, *objects, machine=None, **given):
    return plan(folder, *(machine or windows()), *objects, **given)["w"][check]


#: Sizes that are offered in a region, and whether a D4s_v3 there, which has a temp disk, can be kept.
OFFERED = {
    "nothing": ([], "unknown", "unknown"),
    "supported": ([size()], "clear", "clear"),
    "spelt": ([size()], "clear", "clear"),
    "silent": ([size(host=None)], "unknown", "unknown"),
    "legacy": ([size(host="False")], "blocks", "blocks"),
    "other": ([size(host="False"), size("Standard_D4ds_v5")], "blocks", "clear"),
    "without": ([size(host="False"), size(V5, temp_mb="0")], "blocks", "blocks"),
}


def test_the_size_in_its_region(tmp_path):
    objects = []
    for name, (sizes, _, _) in OFFERED.items():
        machine = windows(name, data=False)
        machine[0]["location"] = name
        spelt = name.title() if name == "spelt" else name
        objects += [*machine, *(one | {"locations": [spelt]} for one in sizes)]
    rows = plan(tmp_path, *objects)
    found = {name: told(row, "host_size", "resize") for name, row in rows.items()}
    assert found == {name: (host, resize) for name, (_, host, resize) in OFFERED.items()}


@pytest.mark.parametrize(("state", "said"), [("Registered", "clear"), ("NotRegistered", "blocks")])
def test_the_feature_of_the_subscription(tmp_path, state, said):
    registration = "featureProviders/Microsoft.Compute/subscriptionFeatureRegistrations"
    kind = "Microsoft.Features/featureProviders/subscriptionFeatureRegistrations"
    path = f"providers/Microsoft.Features/{registration}/EncryptionAtHost"
    assert checked(tmp_path, "feature", resource(path, kind, {"state": state}, scope=SUBSCRIPTION)) == said


def test_the_feature_of_another_subscription_says_nothing(tmp_path):
    other = resource(
        "providers/Microsoft.Features/providers/Microsoft.Compute/features/EncryptionAtHost",
        "Microsoft.Features/providers/features",
        {"state": "Registered"},
        scope="/subscriptions/99999999-2222-4333-8444-555555555555",
    )
    assert checked(tmp_path, "feature", other) == "unknown"


OPEN = {"networkAccessPolicy": "AllowAll"}
#: What the data disk of a VM is like, the check that it is asked, and its answer.
DISKS = [
    ({"sku": "UltraSSD_LRS", "sector": 512, "timeCreated": "2023-05-12T23:59:59Z"}, "sector_size", "blocks"),
    (
        {"sku": "PremiumV2_LRS", "sector": 512, "timeCreated": "2023-05-14T00:00:00Z"},
        "sector_size",
        "unknown",
    ),
    ({"sku": "UltraSSD_LRS", "sector": 4096, "timeCreated": "2020-01-01T00:00:00Z"}, "sector_size", "clear"),
    ({"sku": "UltraSSD_LRS", "timeCreated": "2020-01-01T00:00:00Z"}, "sector_size", "unknown"),
    ({"sku": "UltraSSD_LRS", "sector": 512}, "sector_size", "unknown"),
    ({"timeCreated": "2020-01-01T00:00:00Z"}, "sector_size", "clear"),
    ({"maxShares": 2}, "shared_disks", "blocks"),
    ({}, "shared_disks", "clear"),
    ({"state": "ActiveSAS"}, "active_sas", "blocks"),
    ({"state": "Reserved"}, "active_sas", "clear"),
    ({"diskState": None}, "active_sas", "unknown"),
    ({"networkAccessPolicy": "DenyAll"}, "export", "blocks"),
    ({"networkAccessPolicy": "AllowPrivate"}, "export", "unknown"),
    (OPEN | {"publicNetworkAccess": "Disabled"}, "export", "unknown"),
    (OPEN | {"dataAccessAuthMode": "AzureActiveDirectory"}, "export", "unknown"),
    (OPEN, "export", "clear"),
    ({}, "export", "unknown"),
]


def test_the_worst_disk_speaks_for_its_vm(tmp_path):
    objects = []
    for at, (given, _, _) in enumerate(DISKS):
        more = dict(given)
        creation = {"createOption": "Empty", "logicalSectorSize": more.pop("sector", None)}
        os_disk = disk(f"w{at}-os", f"w{at}", system="Windows", collection=ade(), **OPEN)
        data = disk(f"w{at}-data", f"w{at}", creationData=creation, **more)
        objects += [vm(f"w{at}", data=[f"w{at}-data"]), os_disk, data]
    rows = plan(tmp_path, *objects)
    found = [(given, check, rows[f"w{at}"][check]) for at, (given, check, _) in enumerate(DISKS)]
    assert found == DISKS


def test_a_disk_that_was_not_read_leaves_its_checks_unknown(tmp_path):
    machine = [vm("w", data=["gone"]), disk("w-os", "w", system="Windows", collection=ade())]
    row = plan(tmp_path, *machine)["w"]
    assert told(row, "shared_disks", "active_sas", "sector_size") == ("unknown", "unknown", "unknown")
    assert told(row, "disks", "gib", "unsized") == (2, 64.0, 1)


def test_write_accelerator_and_unmanaged_disks(tmp_path):
    fast = listed("w-data", writeAcceleratorEnabled=True)
    machine = [vm("w", data=[fast]), disk("w-os", "w", collection=ade()), disk("w-data", "w")]
    row = plan(tmp_path / "fast", *machine)["w"]
    # Nothing documents whether encryption at host goes with it.
    assert told(row, "write_accelerator", "unmanaged") == ("unknown", "clear")
    vhd = listed(None) | {"name": "v", "vhd": {"uri": "https://a.blob.core.windows.net/v/v.vhd"}}
    machine = [vm("w", data=[vhd]), disk("w-os", "w", collection=ade())]
    row = plan(tmp_path / "vhd", *machine)["w"]
    assert told(row, "write_accelerator", "unmanaged") == ("clear", "blocks")


def test_a_customer_key_needs_a_set_of_its_region(tmp_path):
    there = des("mine", key_url("kv", "k"))
    far = des("far", key_url("kv", "k")) | {"location": "eastus"}
    other = des("cvm", key_url("kv", "k"), kind="ConfidentialVmEncryptedWithCustomerKey")
    assert checked(tmp_path / "a", "customer_key") == "not_applicable"
    assert checked(tmp_path / "b", "customer_key", customer_key=True) == "unknown"
    assert checked(tmp_path / "c", "customer_key", there, customer_key=True) == "clear"
    assert checked(tmp_path / "d", "customer_key", far, customer_key=True) == "blocks"
    assert checked(tmp_path / "e", "customer_key", other, customer_key=True) == "blocks"


def test_the_place_of_the_vm(tmp_path):
    zonal, grouped = windows("zonal", data=False), windows("grouped", data=False)
    zonal[0]["zones"] = ["1"]
    group = f"{GROUP}/Microsoft.Compute/availabilitySets/set"
    grouped[0]["properties"]["availabilitySet"] = {"id": group}
    gone = disk("gone-os", "gone", system="Windows", collection=ade())
    rows = plan(tmp_path, *windows("free", data=False), *zonal, *grouped, gone)
    found = {name: row["placement"] for name, row in rows.items()}
    assert found == {"free": "clear", "zonal": "clear", "grouped": "unknown", "gone": "unknown"}


def test_a_domain_join_is_seen_by_its_extension_and_never_ruled_out(tmp_path):
    join = resource(
        "Microsoft.Compute/virtualMachines/w/extensions/join",
        "Microsoft.Compute/virtualMachines/extensions",
        {"publisher": "Microsoft.Compute", "type": "JsonADDomainExtension"},
    )
    assert checked(tmp_path / "a", "domain_join", join) == "blocks"
    assert checked(tmp_path / "b", "domain_join") == "unknown"


def assigned(guid, effect="Deny", *, scope=SUBSCRIPTION, what="policyDefinitions", **more):
    return resource(
        "providers/Microsoft.Authorization/policyAssignments/a",
        "Microsoft.Authorization/policyAssignments",
        {
            "policyDefinitionId": f"/providers/Microsoft.Authorization/{what}/{guid}",
            "scope": scope,
            "parameters": {"effect": {"value": effect}} if effect else {},
            **more,
        },
        scope=scope,
    )


def own_policy():
    body = assigned("00000000-0000-4000-8000-000000000000")
    body["properties"]["policyDefinitionId"] = SUBSCRIPTION + body["properties"]["policyDefinitionId"]
    return body


OTHER, OWN_SETS = "00000000-0000-4000-8000-000000000000", "d461a302-a187-421a-89ac-84acdb4edc04"
HOST_POLICY, EXPIRY = "fc4d8e41-e223-45ea-9bf5-eada37891d87", "98728c90-32c7-4049-8429-847dc0f4fe37"


@pytest.mark.parametrize(
    ("objects", "said"),
    [
        ([], "unknown"),
        ([assigned(EXPIRY)], "blocks"),
        ([assigned(HOST_POLICY, "deny", scope=GROUP.removesuffix("/providers"))], "blocks"),
        ([assigned(HOST_POLICY, scope=f"{SUBSCRIPTION}/resourceGroups/other")], "clear"),
        ([assigned(HOST_POLICY, "Audit")], "clear"),
        ([assigned(EXPIRY, enforcementMode="DoNotEnforce")], "clear"),
        ([assigned(EXPIRY, enforcementMode="Default")], "blocks"),
        ([assigned(HOST_POLICY, None)], "clear"),
        ([assigned(OWN_SETS)], "blocks"),
        # One that is not listed may deny the very VM or disk, unless its effect stops nothing.
        ([assigned(OTHER, "AuditIfNotExists")], "clear"),
        ([assigned(OTHER)], "unknown"),
        ([assigned(OTHER, None)], "unknown"),
        # Definitions of one's own deny what they like, and are not in an export.
        ([own_policy()], "unknown"),
        ([assigned(EXPIRY, notScopes=[GROUP.removesuffix("/providers").upper()])], "clear"),
        ([assigned(EXPIRY, notScopes=[f"{SUBSCRIPTION}/resourceGroups/other"])], "blocks"),
        # What an initiative denies, and whom a management group reaches, is not in an export.
        ([assigned("00000000-0000-4000-8000-000000000000", what="policySetDefinitions")], "unknown"),
        ([assigned(EXPIRY, scope="/providers/Microsoft.Management/managementGroups/mg")], "unknown"),
    ],
)
def test_deny_policies(tmp_path, objects, said):
    assert checked(tmp_path, "deny_policies", *objects) == said


@pytest.mark.parametrize(
    ("state", "said"), [("notEncrypted", "clear"), ("encrypted", "blocks"), (None, "unknown")]
)
def test_a_flag_that_fell_is_no_proof_of_decryption(tmp_path, state, said):
    view = [seen("w-os", state)] if state else None
    machine = [vm("w", view=view), disk("w-os", "w", collection=ade(enabled=False))]
    assert checked(tmp_path, "decrypted", machine=machine) == said


def test_what_blocks_and_what_is_not_known_is_summed_up(tmp_path):
    row = plan(tmp_path, *windows(), size(host="False"))["w"]
    assert row["blocked_by"] == "host_size; resize"
    assert "feature" in row["not_known"].split("; ")
    assert "choose a size that supports encryption at host" in row["must_do"]


# --- data and engines --------------------------------------------------------------------------------------


def test_every_check_and_path_is_whole():
    paths = migration_tables.paths()
    for rule in migration_tables.checks().values():
        answers = {part.split("=")[1] for part in rule["predicate"].split("; ")}
        assert answers <= set(migration_tables.ANSWERS)
        assert rule["missing"] == "unknown"
        assert set(rule["paths"].split("|")) <= set(paths)
        for field in rule["field"].split("; "):
            table, _, column = field.partition(".")
            assert column in [c.name for c in schema.table(table).columns]
        assert rule["source"].strip()
        assert rule["must_do"].strip()
    assert all(row["source"].strip() for row in (*paths.values(), *migration_tables.states().values()))


def test_the_plan_is_the_same_on_every_engine():
    plans = {
        name: records(de.ade_migration(de.load(de.sample_path(), engine=name), AS_OF))
        for name in ("duckdb", "pandas", "polars")
    }
    for name in ("pandas", "polars"):
        assert plans[name] == plans["duckdb"]
        assert list(plans[name][0]) == list(migration.COLUMNS)


def test_the_plan_of_nothing_is_empty(tmp_path):
    assert plan(tmp_path, vm("w"), disk("w-os", "w")) == {}


# --- what is known in part ---------------------------------------------------------------------------------


def test_an_encrypted_linux_os_disk_is_rebuilt_whatever_else_is_not_known(tmp_path):
    """The OS disk alone decides (MIG step 5); that the data disk is in no export changes nothing."""
    objects = [
        vm("l", data=["gone"], system="Linux"),
        disk("l-os", "l", system="Linux", collection=ade()),
    ]
    assert told(plan(tmp_path, *objects)["l"], "scope", "path") == ("unknown", "rebuild")


def test_data_disks_alone_are_not_said_of_a_vm_whose_os_disk_nothing_speaks_of(tmp_path):
    rows = plan(tmp_path, disk("l-data", "l", collection=ade()))  # neither the VM nor its OS disk was read
    assert told(rows["l"], "state", "scope", "path") == ("on", "unknown", "read_first")


def test_an_extension_that_was_not_read_in_full_may_be_the_preview_of_a_confidential_vm(tmp_path):
    unclear = extension("c")
    del unclear["properties"]["settings"]
    own = disk("c-os", "c", system="Windows", security=secured(f"{CVM_DISK}PlatformKey"))
    model = scale_set("model", security=CVM)
    model["properties"]["virtualMachineProfile"]["extensionProfile"] = {
        "extensions": [{"name": "ade", "properties": {"type": "AzureDiskEncryption"}}]
    }
    rows = plan(tmp_path, vm("c", size=CONFIDENTIAL_V5D, security=CVM), own, unclear, model)
    assert {name: told(row, "state", "path") for name, row in rows.items()} == {
        "c": ("preview", "undocumented"),
        "model": ("preview", "undocumented"),
    }


def test_a_linux_vm_that_signs_in_with_entra_is_joined(tmp_path):
    """The migration guide names this extension for joining a Linux VM again."""
    login = resource(
        "Microsoft.Compute/virtualMachines/w/extensions/AADSSHLoginForLinux",
        "Microsoft.Compute/virtualMachines/extensions",
        {"publisher": "Microsoft.Azure.ActiveDirectory", "type": "AADSSHLoginForLinux"},
    )
    assert checked(tmp_path, "domain_join", login) == "blocks"


@pytest.mark.parametrize(
    ("status", "said"), [("complete", "clear"), ("denied", "unknown"), ("partial", "unknown")]
)
def test_what_a_collection_could_not_read_is_not_said_to_be_none(tmp_path, status, said):
    """Those of another subscription were read; of this one's nobody knows unless it was read whole."""
    far = "/subscriptions/99999999-2222-4333-8444-555555555555"
    others = [snapshot("plain"), des("far", key_url("kv", "k")), assigned(HOST_POLICY, scope=far)]
    write(tmp_path, [*windows(), *({**one, "id": one["id"].replace(SUBSCRIPTION, far)} for one in others)])
    parts = [
        Part(
            name=kind.rpartition("/")[2],
            type=kind,
            key=SUBSCRIPTION.rpartition("/")[2],
            status=status,
            reason="" if status == "complete" else "HTTP 403 AuthorizationFailed",
        )
        for kind in (
            "microsoft.compute/snapshots",
            "microsoft.compute/diskencryptionsets",
            "microsoft.authorization/policyassignments",
        )
    ]
    (tmp_path / "export.json").write_text(Note(parts=parts).model_dump_json())
    found = records(de.ade_migration(de.load(tmp_path, engine="polars"), customer_key=True))
    [row] = [one for one in found if one["name"] == "w"]
    missing = "blocks" if said == "clear" else "unknown"
    assert told(row, "snapshots", "deny_policies", "customer_key") == (said, said, missing)


def test_the_place_of_a_vm_that_was_not_read_is_known_but_for_its_region(tmp_path):
    """Its id names subscription and group, so a policy there reaches it; sets go by its region."""
    gone = disk("gone-os", "gone", system="Windows", collection=ade())
    rows = plan(tmp_path, gone, assigned(EXPIRY), des("mine", key_url("kv", "k")), customer_key=True)
    assert told(rows["gone"], "deny_policies", "customer_key") == ("blocks", "unknown")
