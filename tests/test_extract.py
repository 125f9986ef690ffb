from __future__ import annotations

import json
import re

import duckdb
import pytest

from diskenc_analysis import schema
from diskenc_analysis.extract import (
    elements_sql,
    key_sql,
    named_sql,
    resources_sql,
)
from diskenc_analysis.members import file_columns, markers
from diskenc_analysis.schema import Child, Column, Table
from tests.exported import CMK, PMK, VM_ID, disk, disk_id, stub, vm

RESOURCES = [table for table in schema.tables().values() if table.types]
ELEMENTS = [table for table in schema.tables().values() if table.child and not table.types]
LAYOUTS = ("nested", "flat", "element", "loose")
#: A table of one column for each piece of the grammar of paths.
GRAMMAR = Table(
    "grammar",
    (
        Column("member", "string", ("properties.a.b",), ""),
        Column("first", "string", ("properties.a.b|top.c|properties.a.x",), ""),
        Column("either", "string", ("properties.a.x", "top.c"), ""),
        Column("at", "string", ("properties.list[0].v",), ""),
        Column("every", "list", ("properties.list[*].v",), ""),
        Column("named", "string", ("pairs[name=N2].value",), ""),
        Column("lower", "string", ("properties.settings~.keyurl",), ""),
        Column("head", "json", ("properties.a",), ""),
        Column("flag", "bool", ("properties.a.flag",), ""),
        Column("number", "float", ("properties.a.number",), ""),
        Column("owner", "ref", ("managedBy",), ""),
    ),
    ("test.things/things",),
)


@pytest.fixture(scope="module")
def connection():
    return duckdb.connect()


def relation(*rows):
    """Put objects into a relation of one JSON column."""
    values = ", ".join("('" + json.dumps(row).replace("'", "''") + "'::JSON)" for row in rows)
    return f"(SELECT e FROM (VALUES {values}) AS t(e))"


def selected(connection, sql):
    cursor = connection.execute(sql)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def taken(connection, table, *rows, layout="element"):
    return selected(connection, resources_sql(table, relation(*rows), "7", layout))


@pytest.fixture
def one(connection):
    """Take one object apart as a row of a table."""

    def take(table, **members):
        row = {"id": "/x/y", "type": (*table.types, "test.things/things")[0]} | members
        [found] = taken(connection, table, row)
        return found

    return take


@pytest.mark.parametrize("table", RESOURCES, ids=lambda table: table.name)
class TestEveryTableOfResources:
    @pytest.mark.parametrize("layout", LAYOUTS)
    def test_its_sql_binds(self, connection, tmp_path, table, layout):
        (tmp_path / "none.json").write_text("")
        columns = ", ".join(f"'{name}': '{kind}'" for name, kind in file_columns(table, layout).items())
        source = f"read_json('{tmp_path}/none.json', columns = {{{columns}}}, format = 'newline_delimited')"
        if layout in ("element", "loose"):
            source = "(SELECT NULL::JSON AS e WHERE false)"
        cursor = connection.execute(resources_sql(table, source, "0", layout))
        names = [column[0] for column in cursor.description]
        expected = [*table.column_names(), "arm_type", "odd", *(["e"] if layout == "element" else [])]
        assert sorted(names) == sorted(expected)
        assert cursor.fetchall() == []

    @pytest.mark.parametrize("layout", ["nested", "flat"])
    def test_its_specification_has_no_names_that_differ_in_case_alone(self, table, layout):
        names = [name.lower() for name in file_columns(table, layout)]
        assert len(names) == len(set(names))
        assert {"id", "type", "properties"} <= set(names)

    def test_an_object_without_members_is_a_row_of_nulls(self, connection, table):
        [row] = taken(connection, table, {"id": "/x/y", "type": table.types[0]})
        own = [name for name in table.column_names() if name not in ("id", "key", "doubt", "source")]
        assert {row[name] for name in own} == {None}


@pytest.mark.parametrize("table", ELEMENTS, ids=lambda table: table.name)
def test_the_sql_of_every_table_of_elements_binds(connection, table):
    columns = ", ".join(f'NULL::VARCHAR AS "{name}"' for name in table.child.columns)
    parent = f"(SELECT '/x' AS key, 0 AS source, NULL::VARCHAR AS doubt, {columns} WHERE false)"
    sql = elements_sql(table).replace(f"FROM {table.child.parent} ", f"FROM {parent} ")
    cursor = connection.execute(sql)
    assert [column[0] for column in cursor.description] == table.column_names()


def test_every_piece_of_the_grammar(one):
    row = one(
        GRAMMAR,
        properties={
            "a": {"b": "B", "flag": True, "number": 2.5},
            "list": [{"v": "first"}, {"w": "none"}, {"v": "third"}],
            "settings": {"KeyURL": "HTTPS://Vault/Key"},
        },
        top={"c": "C"},
        pairs=[{"name": "N1", "value": "1"}, {"name": "N2", "value": "2"}],
        managedBy="/A/B/",
    )
    assert (row["member"], row["at"], row["every"], row["named"]) == ("B", "first", "first;third", "2")
    assert row["either"] == "C"
    assert row["lower"] == "https://vault/key"
    assert json.loads(row["head"]) == {"b": "B", "flag": True, "number": 2.5}
    assert (row["flag"], row["number"]) == (True, 2.5)
    assert (row["owner"], row["owner_key"]) == ("/A/B/", "/a/b")
    assert row["doubt"] is None


def test_null_empty_text_and_absence_are_one(one):
    for nothing in ({"b": None, "flag": None}, {"b": "", "flag": ""}, {"z": 1}):
        row = one(GRAMMAR, properties={"a": nothing}, managedBy="")
        assert (row["member"], row["flag"], row["owner"], row["owner_key"], row["doubt"]) == (None,) * 5


def test_a_name_that_no_element_has_gives_nothing(one):
    row = one(GRAMMAR, properties={"a": {}}, pairs=[{"name": "N1", "value": "1"}, {"value": "2"}])
    assert (row["named"], row["doubt"]) == (None, None)


@pytest.mark.parametrize("encryption", ["AES", 5, True])
def test_a_value_where_an_object_belongs_is_a_doubt_and_never_absent(one, encryption):
    row = one(schema.table("disks"), properties={"encryption": encryption, "diskState": "Reserved"})
    assert row["encryption_type"] is None
    assert row["doubt"] == "encryption_type: wrong type; disk_encryption_set_id: wrong type"


@pytest.mark.parametrize(
    ("value", "flag", "doubt"),
    [
        (True, True, None),
        (False, False, None),
        ("true", True, None),
        ("False", False, None),
        (None, None, None),
        ("maybe", None, "encryption_at_host: wrong type"),
        ({}, None, "encryption_at_host: wrong type"),
        ([True], None, "encryption_at_host: wrong type"),
    ],
)
def test_flags(one, value, flag, doubt):
    row = one(schema.table("vms"), properties={"securityProfile": {"encryptionAtHost": value}})
    assert (row["encryption_at_host"], row["doubt"]) == (flag, doubt)


@pytest.mark.parametrize(
    ("value", "size", "doubt"),
    [(64, 64.0, None), ("64", 64.0, None), (0.5, 0.5, None), ("64 GiB", None, "size_gb: wrong type")],
)
def test_numbers(one, value, size, doubt):
    row = one(schema.table("disks"), properties={"diskSizeGB": value})
    assert (row["size_gb"], row["doubt"]) == (size, doubt)


@pytest.mark.parametrize("value", ["none", 5, True])
def test_a_value_where_a_list_belongs_is_a_doubt(one, value):
    row = one(schema.table("vms"), properties={"instanceView": {"disks": value}, "timeCreated": "x"})
    assert row["doubt"] == "instance_disks: wrong type"


@pytest.mark.parametrize(
    "members",
    [{}, {"properties": {}}, {"properties": None}, {"properties": "text"}, {"properties": {"unheardOf": 1}}],
)
def test_an_object_whose_body_says_nothing_is_in_doubt_as_a_whole(one, members):
    for name in ("disks", "vms", "disk_encryption_sets"):
        assert one(schema.table(name), **members)["doubt"] == "*: no properties"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("/Subscriptions/S/X", "/subscriptions/s/x"),
        ("/subscriptions/s/x/", "/subscriptions/s/x"),
        ("subscriptions/s/x", "/subscriptions/s/x"),
        ("/subscriptions/s/x ", "/subscriptions/s/x"),
        ("https://V.vault.azure.net/Keys", "/https://v.vault.azure.net/keys"),
        (None, None),
    ],
)
def test_keys_of_ids(connection, text, key):
    assert connection.execute(f"SELECT {key_sql('t')} FROM (SELECT ?::VARCHAR AS t)", [text]).fetchall() == [
        (key,)
    ]


@pytest.mark.parametrize(
    ("arm_id", "arm_type", "named"),
    [
        ("/x/y", "Microsoft.Compute/disks", True),
        ("/x/y", "Disk", False),
        ("5", "Microsoft.Compute/disks", False),
        ("", "Microsoft.Compute/disks", False),
        (None, "Microsoft.Compute/disks", False),
        ("/x/y", None, False),
    ],
)
def test_what_names_itself(connection, arm_id, arm_type, named):
    sql = f"SELECT {named_sql('a', 'b')} FROM (SELECT ?::VARCHAR AS a, ?::VARCHAR AS b)"
    assert connection.execute(sql, [arm_id, arm_type]).fetchall() == [(named,)]


def test_subscription_and_group_are_read_off_the_id_as_it_came(connection):
    row = disk("d") | {"id": disk_id("d").replace("/resourceGroups/", "/RESOURCEGROUPS/")}
    [found] = taken(connection, schema.table("disks"), row)
    assert found["id"] == row["id"]
    assert (found["subscription_id"], found["resource_group"]) == (
        "11111111-2222-4333-8444-555555555555",
        "RG-Export",
    )
    assert found["key"] == disk_id("d").lower()


@pytest.mark.parametrize("arm_id", ["/skus/virtualMachines/x", "https://v.vault.azure.net/keys/k/1"])
def test_ids_outside_a_subscription_have_neither(one, arm_id):
    row = one(schema.table("disks"), id=arm_id)
    assert (row["subscription_id"], row["resource_group"]) == (None, None)


FLAT = {k: v for k, v in disk("f").items() if k != "properties"} | {
    "encryption": {"type": CMK},
    "diskSizeGb": 32,
    "creationData": {"createOption": "Empty"},
    "provisioningState": "Succeeded",
}


@pytest.mark.parametrize(
    ("row", "element", "loose"),
    [
        (disk("a"), 0, 3),
        (FLAT, 0, 0),
        (FLAT | {"provisioningState": None}, 2, 2),  # a query may have cut it down
        (stub("a"), 0, 0),
        (disk("a") | {"type": None}, 1, 3),
        (FLAT | {"id": "f"}, 1, 1),
        (disk("a") | {"managed_by": VM_ID}, 2, 3),
        (FLAT | {"disk_state": "Reserved"}, 2, 2),
        (disk("a") | {"disk_state": "Reserved"}, 0, 3),
        (disk("a") | {"properties": {"disk_state": "Reserved"}}, 2, 3),
        (FLAT | {"properties": {}}, 2, 3),
        (FLAT | {"properties": "text"}, 2, 3),
    ],
)
def test_which_rows_need_the_normalising_pass(connection, row, element, loose):
    assert [r["odd"] for r in taken(connection, schema.table("disks"), row)] == [element]
    assert [r["odd"] for r in taken(connection, schema.table("disks"), row, layout="loose")] == [loose]


def test_flat_rows_may_spell_the_size_either_way(connection):
    newer = {k: v for k, v in FLAT.items() if k != "diskSizeGb"} | {"diskSizeGB": 16}
    found = taken(connection, schema.table("disks"), FLAT, newer, layout="loose")
    assert [(row["size_gb"], row["encryption_type"]) for row in found] == [(32.0, CMK), (16.0, CMK)]


def test_a_flat_extension_keeps_its_arm_type_apart_from_its_own(connection):
    row = {"id": f"{VM_ID}/extensions/e", "type": "Microsoft.Compute/virtualMachines/extensions"}
    row |= {"publisher": "Microsoft.Azure.Security", "typePropertiesType": "AzureDiskEncryption"}
    [found] = taken(connection, schema.table("extensions"), row)
    assert found["extension_type"] == "AzureDiskEncryption"
    assert found["arm_type"] == "microsoft.compute/virtualmachines/extensions"


def test_the_body_of_a_reply_comes_before_members_of_that_name_beside_it(connection):
    [found] = taken(connection, schema.table("disks"), disk("a") | {"encryption": {"type": CMK}})
    assert found["encryption_type"] == PMK


def test_markers_are_the_names_that_only_snake_case_has():
    disks = schema.table("disks")
    assert {"managed_by", "managed_by_extended"} <= set(markers(disks, "nested"))
    assert "disk_state" not in markers(disks, "nested")
    assert {"disk_state", "encryption_settings_collection"} <= set(markers(disks, "flat"))
    assert "handware_profile" in markers(schema.table("vms"), "flat")
    for table in RESOURCES:
        for layout in ("nested", "flat"):
            assert all(re.fullmatch(r"[a-z]+(_[a-z]+)+", name) for name in markers(table, layout))


def elements(connection, table, **columns):
    """Take the elements of a parent's JSON columns apart."""
    given = {name: columns.get(name) for name in table.child.columns}
    texts = ", ".join(
        f"'{json.dumps(v)}' AS {name}" if v is not None else f"NULL::VARCHAR AS {name}"
        for name, v in given.items()
    )
    parent = f"(SELECT '/p' AS key, 0 AS source, NULL::VARCHAR AS doubt, {texts})"
    return selected(connection, elements_sql(table).replace(f"FROM {table.child.parent} ", f"FROM {parent} "))


def test_disks_of_a_vm_are_its_os_disk_and_its_data_disks(connection):
    os_disk = {"name": "os", "caching": "ReadWrite", "managedDisk": {"id": disk_id("os")}}
    data = [{"name": "d0", "lun": 0, "vhd": {"uri": "https://a/b.vhd"}}, {"name": "d1", "lun": 1}]
    found = elements(connection, schema.table("vm_disks"), os_disk=os_disk, data_disks=data)
    assert sorted((r["origin"], r["disk_name"], r["lun"], r["disk_id_key"], r["vhd_uri"]) for r in found) == [
        ("data_disks", "d0", "0", None, "https://a/b.vhd"),
        ("data_disks", "d1", "1", None, None),
        ("os_disk", "os", None, disk_id("os").lower(), None),
    ]
    assert {r["parent_key"] for r in found} == {"/p"}


def test_owners_of_a_disk_are_ids_or_objects_that_hold_one(connection):
    found = elements(
        connection,
        schema.table("disk_owners"),
        managed_by_extended=[VM_ID, VM_ID + "2"],
        share_info=[{"vmUri": VM_ID}, None],
    )
    assert sorted((r["origin"], r["vm_id"]) for r in found) == [
        ("managed_by_extended", VM_ID),
        ("managed_by_extended", VM_ID + "2"),
        ("share_info", VM_ID),
    ]


def test_the_older_settings_of_ade_are_one_element(connection):
    settings = {"enabled": True, "keyEncryptionKey": {"keyUrl": "https://v/keys/k/1"}}
    [found] = elements(connection, schema.table("ade_keys"), ade_volumes=settings)
    assert (found["kek_url"], found["secret_url"]) == ("https://v/keys/k/1", None)


def test_statuses_of_a_disk_are_joined(connection):
    codes = [
        {"code": "ProvisioningState/succeeded"},
        {"level": "Info"},
        {"code": "EncryptionState/encrypted"},
    ]
    view = [{"name": "os", "statuses": codes, "encryptionSettings": [{"enabled": True}]}]
    [found] = elements(connection, schema.table("vm_disk_status"), instance_disks=view)
    assert found["status_codes"] == "ProvisioningState/succeeded;EncryptionState/encrypted"
    assert found["ade_enabled"] is True


@pytest.mark.parametrize("value", [None, [], [None], "text", 5])
def test_what_holds_no_elements_gives_no_rows(connection, value):
    assert elements(connection, schema.table("vm_disks"), data_disks=value) == []


def test_a_path_of_dot_is_the_element_itself(connection):
    table = Table("t", (Column("whole", "string", (".",), ""),), (), Child("vms", ("os_disk",)))
    assert [r["whole"] for r in elements(connection, table, os_disk=["a", "b"])] == ["a", "b"]


def test_objects_are_handed_on_as_they_came(connection):
    row = vm("v", odd={"a": [1, None, "é\u2028"]})
    [found] = taken(connection, schema.table("vms"), row)
    assert json.loads(found["e"]) == row
    assert found["source"] == 7
