from __future__ import annotations

import re
from collections import Counter

import pytest

from diskenc_analysis import schema
from diskenc_analysis.errors import UnknownNameError

TABLES = schema.tables()
COLUMNS = [(table, column) for table in TABLES.values() for column in table.columns]
#: One step of a path: a member, an element, all elements, or the element of that name.
STEP = r"(\w+~?|\[\d+\]|\[\*\]|\[name=\w+\])"


def test_the_tables_that_the_verdicts_rest_on_are_there():
    resources = {
        "disks",
        "vms",
        "snapshots",
        "scale_sets",
        "extensions",
        "disk_encryption_sets",
        "key_vaults",
    }
    elements = {"vm_disks", "vm_disk_status", "disk_owners", "extension_status", "ade_keys"}
    assert resources | {"subscriptions", "managed_hsms", "keys", "vm_sizes", "assessments"} <= TABLES.keys()
    assert elements <= TABLES.keys()
    assert all(TABLES[name].types for name in resources)
    assert not any(TABLES[name].types for name in elements)


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=lambda value: value.name)
def test_every_path_follows_the_grammar(table, column):
    for path in column.paths:
        assert path == "." or re.fullmatch(rf"{STEP}(\.?{STEP})*", path), path
    assert column.dtype in {"string", "bool", "float", "json", "list", "ref"}
    assert column.meaning.strip()
    assert not table.types or all(path != "." for path in column.paths)


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_no_two_columns_differ_in_letter_case_alone(table):
    assert [n for n, count in Counter(map(str.lower, table.column_names())).items() if count > 1] == []


def test_every_table_is_filled_by_types_or_by_the_elements_of_another():
    for table in TABLES.values():
        assert bool(table.types) or table.child is not None
        if table.child:
            parent = {column.name: column.dtype for column in TABLES[table.child.parent].columns}
            assert {parent[name] for name in table.child.columns} == {"json"}


def test_an_arm_type_fills_one_table():
    types = [arm_type for table in TABLES.values() for arm_type in table.types]
    assert len(types) == len(set(types)) == len(schema.table_of_type())
    assert types == [arm_type.lower() for arm_type in types]


@pytest.mark.parametrize(
    ("arm_type", "table"),
    [
        ("microsoft.compute/disks", "disks"),
        ("microsoft.compute/virtualmachines", "vms"),
        ("microsoft.compute/virtualmachinescalesets/virtualmachines", "vms"),
        ("microsoft.compute/virtualmachinescalesets", "scale_sets"),
        ("microsoft.compute/virtualmachines/extensions", "extensions"),
        ("microsoft.compute/diskencryptionsets", "disk_encryption_sets"),
        ("microsoft.keyvault/vaults", "key_vaults"),
        ("microsoft.keyvault/managedhsms", "managed_hsms"),
        ("microsoft.security/assessments", "assessments"),
    ],
)
def test_where_an_arm_type_goes(arm_type, table):
    assert schema.table_of_type()[arm_type] == table


@pytest.mark.parametrize(
    ("table", "column", "path"),
    [
        ("disks", "encryption_type", "properties.encryption.type"),
        ("disks", "disk_encryption_set_id", "properties.encryption.diskEncryptionSetId"),
        ("disks", "managed_by", "managedBy"),
        ("disks", "managed_by", "properties.ownerId"),
        ("disks", "ade_enabled", "properties.encryptionSettingsCollection.enabled"),
        ("disks", "ade_enabled", "properties.encryptionSettings.enabled"),
        ("vms", "encryption_at_host", "properties.securityProfile.encryptionAtHost"),
        ("vm_disks", "security_encryption_type", "managedDisk.securityProfile.securityEncryptionType"),
        ("disk_encryption_sets", "key_url", "properties.activeKey.keyUrl"),
        ("key_vaults", "sku", "properties.sku.name"),
    ],
)
def test_paths_are_those_of_the_rest_api(table, column, path):
    [found] = [c for c in schema.table(table).columns if c.name == column]
    assert path in found.paths


def test_columns_of_a_resource_are_envelope_then_derived_then_its_own():
    names = schema.table("disk_accesses").column_names()
    derived = ["key", "subscription_id", "resource_group", "doubt", "source"]
    assert names == ["id", "name", "location", "tags", *derived, "connections"]


def test_columns_of_an_element_begin_with_its_parent_and_a_ref_has_its_key_beside_it():
    names = ["parent_key", "origin", "doubt", "vm_id", "vm_id_key"]
    assert schema.table("disk_owners").column_names() == names


@pytest.mark.parametrize(
    ("table", "column", "expected"),
    [
        ("disks", "ade_enabled", "BOOLEAN"),
        ("disks", "size_gb", "DOUBLE"),
        ("disks", "ade_settings", "VARCHAR"),
        ("disks", "managed_by_key", "VARCHAR"),
        ("disks", "source", "INTEGER"),
        ("extensions", "substatus_messages", "VARCHAR"),
    ],
)
def test_sql_types(table, column, expected):
    assert schema.table(table).column_type(column) == expected


def test_an_unknown_table_names_the_near_miss():
    with pytest.raises(UnknownNameError, match=r"unknown table 'disk'.*Did you mean \"disks\"\?"):
        schema.table("disk")


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("disk_encryption_set_id", "diskEncryptionSetId"),
        ("DiskEncryptionSetId", "diskEncryptionSetId"),
        ("encryption_at_host", "encryptionAtHost"),
        ("handware_profile", "hardwareProfile"),
        ("hardware_profile", "hardwareProfile"),
        ("ManagedBy", "managedBy"),
        ("diskSizeGb", "diskSizeGB"),
        ("ResourceId", "ResourceId"),
        ("LOCATION", "location"),
    ],
)
def test_spellings_lead_back_to_arms_own(spelling, name):
    assert schema.spellings()[schema.fold(spelling)] == name


def test_no_spelling_is_made_of_a_name_that_a_path_filters_by():
    assert schema.fold("MaxResourceVolumeMB") not in schema.spellings()
