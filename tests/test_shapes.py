from __future__ import annotations

import json

import pytest

from diskenc_analysis.errors import UnreadableInputError
from diskenc_analysis.shapes import Parsed, parse, unwrap
from diskenc_analysis.signs import signs_of
from diskenc_analysis.spelling import normalise, type_of

A, B = {"id": "/a"}, {"id": "/b"}
DISK = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/disks/d"


def taken(text):
    found = parse(text, "export.json")
    return found.rows, found.shape


def indented(*values):
    return "\n".join(json.dumps(value, indent=2) for value in values)


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        (json.dumps([A, B]), "array"),
        (json.dumps([A, B], indent=2), "array"),
        (json.dumps({"value": [A, B]}), "ARM page"),
        (json.dumps({"value": [A, B], "Count": 2}), "ARM page"),
        (json.dumps([{"value": [A]}, {"value": [B]}]), "ARM page"),
        (json.dumps({"data": [A, B]}), "Resource Graph reply"),
        (
            json.dumps({"data": {"columns": [{"name": "id"}], "rows": [["/a"], ["/b"]]}}),
            "Resource Graph reply",
        ),
        (json.dumps([[A], [B]]), "array"),
        (f"{json.dumps(A)}\n{json.dumps(B)}\n", "JSON lines"),
        (f"{json.dumps(A)}\r\n\r\n{json.dumps(B)}\r\n", "JSON lines"),
        (f"{json.dumps([A])}\n{json.dumps([B])}\n", "JSON lines"),
        (f"{json.dumps({'value': [A]})}\n{json.dumps({'value': [B]})}", "JSON lines"),
        (indented(A, B), "JSON values"),
        (indented({"value": [A]}, {"value": [B]}), "JSON values"),
        (json.dumps(A) + json.dumps(B), "JSON values"),
    ],
)
def test_the_same_rows_come_out_of_every_shape(text, shape):
    assert taken(text) == ([A, B], shape)


def test_one_object_is_a_row():
    assert taken(indented(A)) == ([A], "object")


def test_an_object_with_an_id_is_no_envelope_whatever_it_holds():
    row = {"id": "/a", "value": [1], "data": [2]}
    assert taken(json.dumps(row)) == ([row], "object")


def test_a_table_reply_keeps_rows_that_are_none():
    reply = {"data": {"columns": [{"name": "id"}, {"name": "name"}], "rows": [["/a", "a"], 5, None]}}
    assert taken(json.dumps(reply))[0] == [{"id": "/a", "name": "a"}, 5, None]


@pytest.mark.parametrize("columns", [None, 5, "id", [5]])
def test_a_table_reply_without_columns_gives_rows_without_names(columns):
    assert taken(json.dumps({"data": {"columns": columns, "rows": [["/a"]]}}))[0] == [{}]


def test_values_that_hold_an_empty_object_on_a_line_are_no_json_lines():
    rows = [{"id": name, "zones": [{}, {}]} for name in "ab"]
    assert taken(indented(*rows)) == (rows, "JSON values")


def test_broken_lines_are_counted():
    found = parse('{"id": "/a"}\n{"id": "/b\n5\n{"id": "/c"}\n', "export.jsonl")
    assert (found.rows, found.unreadable) == ([{"id": "/a"}, 5, {"id": "/c"}], 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "export.json: the file is empty"),
        (" \n\t", "export.json: the file is empty"),
        ("<!DOCTYPE html><title>Sign in</title>", "line 1, column 1: expected JSON.*HTML page"),
        ("no such subscription", "export.json: line 1, column 1: expected JSON"),
        ('[{"id": "/a"}, {"id": "/b"', "export.json: line 1, column 27"),
        ('[\n{"id": "/a"},\n{"id": "/b"}\n', "export.json: line 4, column 1"),
        ('[\n{"id": "/a"}\n{"id": "/b"}\n]', "export.json: line 3, column 1"),
        ('{"value": [\n{"id": "/a"}', "export.json: line 2, column 13"),
        ("[" * 100_000, "export.json: nested too deeply"),
    ],
)
def test_what_is_no_json_is_refused_with_its_place(text, message):
    with pytest.raises(UnreadableInputError, match=message):
        parse(text, "export.json")


@pytest.mark.parametrize(
    ("members", "signs"),
    [
        ({"nextlink": "https://management.example/more"}, ["next link left over"]),
        ({"nextlink": ""}, []),
        ({"skiptoken": "abc"}, ["skip token left over"]),
        ({"resulttruncated": "true"}, ["resultTruncated is true"]),
        ({"resulttruncated": True}, ["resultTruncated is true"]),
        ({"resulttruncated": "false"}, []),
        ({"totalrecords": 3}, ["2 of 3 records"]),
        ({"totalrecords": 2}, []),
        ({"totalrecords": "many"}, []),
        ({"skiptoken": "abc", "totalrecords": 9}, ["skip token left over", "2 of 9 records"]),
    ],
)
def test_signs_of_a_cut(members, signs):
    assert signs_of(members, rows=2) == signs


def test_signs_are_read_in_every_spelling():
    for name in ("$skipToken", "skipToken", "skip_token", "SkipToken"):
        assert parse(json.dumps({"data": [A], name: "abc"}), "export.json").signs == ["skip token left over"]


def test_each_page_gives_its_signs():
    found = parse(
        indented({"value": [A], "nextLink": "https://management.example/2"}, {"value": [B]}), "x.json"
    )
    assert found.signs == ["next link left over"]


def test_lists_in_lists_are_taken_apart():
    parsed = Parsed()
    unwrap([[A, [B]], {"value": [[A]]}, 5], parsed)
    assert parsed.rows == [A, B, A, 5]


@pytest.mark.parametrize("row", [None, 5, "text", True, [A]])
def test_what_is_no_object_is_no_row(row):
    assert normalise(row) is None


def test_arms_own_spelling_stays_as_it_is():
    row = {
        "id": DISK,
        "name": "d",
        "type": "Microsoft.Compute/disks",
        "properties": {"diskState": "Reserved"},
    }
    assert normalise(row) == row


def test_powershell_gives_id_and_resource_id():
    row = {
        "Id": DISK,
        "ResourceId": DISK,
        "ResourceType": "Microsoft.Compute/disks",
        "Sku": {"Name": "Premium_LRS"},
    }
    found = normalise(row)
    assert (found["id"], found["type"], found["sku"]) == (
        DISK,
        "Microsoft.Compute/disks",
        {"name": "Premium_LRS"},
    )


def test_powershells_resource_id_stands_in_for_an_id():
    assert normalise({"ResourceId": DISK, "Name": "d"})["id"] == DISK


def test_snake_case_is_respelt_at_every_depth():
    row = {
        "id": DISK,
        "encryption": {"disk_encryption_set_id": "/x"},
        "encryption_settings_collection": {
            "encryption_settings": [{"disk_encryption_key": {"secret_url": "u"}}]
        },
    }
    found = normalise(row)
    assert found["encryption"] == {"diskEncryptionSetId": "/x"}
    [volume] = found["encryptionSettingsCollection"]["encryptionSettings"]
    assert volume == {"diskEncryptionKey": {"secretUrl": "u"}}


def test_of_two_spellings_the_first_that_holds_a_value_is_used():
    assert normalise({"id": DISK, "disk_size_gb": None, "diskSizeGb": 4, "diskSizeGB": 8})["diskSizeGB"] == 4
    assert normalise({"id": DISK, "diskSizeGB": 8, "disk_size_gb": None})["diskSizeGB"] == 8


def test_the_misspelt_hardware_profile_of_an_older_sdk_is_read():
    assert normalise({"id": DISK, "handware_profile": {"vm_size": "S"}})["hardwareProfile"] == {"vmSize": "S"}


def test_names_that_people_gave_are_never_respelt():
    tags = {"disk_state": "x", "DiskState": "y", "ID": 1}
    settings = {"Volume_Type": "All", "KeyVaultURL": "u"}
    found = normalise({"id": DISK, "Tags": tags, "properties": {"settings": settings}})
    assert found["tags"] == tags
    assert found["properties"]["settings"] == settings


@pytest.mark.parametrize("value", [None, "", "  ", 5, ["/x"]])
def test_an_id_that_is_none_is_taken_away(value):
    assert "id" not in normalise({"id": value, "type": "Microsoft.Compute/disks"})


@pytest.mark.parametrize("value", [None, "", 5, "Disk", "disks"])
def test_a_type_that_is_none_is_read_off_the_id(value):
    assert normalise({"id": DISK, "type": value})["type"] == "Microsoft.Compute/disks"


@pytest.mark.parametrize("value", [None, "text", 5, [1], True, {}, "{}", "[1"])
def test_properties_that_say_nothing_are_taken_away(value):
    assert "properties" not in normalise({"id": DISK, "properties": value})


def test_properties_may_be_an_object_in_text():
    found = normalise({"id": DISK, "properties": '{"disk_state": "Reserved", "diskSizeGB": 4}'})
    assert found["properties"]["diskSizeGB"] == 4


def test_the_id_of_a_key_is_its_kid():
    key = {"kid": "https://v.vault.azure.net/keys/k/1", "kty": "RSA-HSM"}
    found = normalise({"key": key, "attributes": {"enabled": True}})
    assert (found["id"], found["type"]) == (key["kid"], "Microsoft.KeyVault/vaults/keys")


def test_a_subscription_of_the_command_line_gets_an_arm_id():
    guid = "11111111-2222-4333-8444-555555555555"
    found = normalise({"cloudName": "AzureCloud", "id": guid, "name": "Prod", "state": "Enabled"})
    assert found["id"] == f"/subscriptions/{guid}"
    assert (found["subscriptionId"], found["displayName"]) == (guid, "Prod")
    assert found["type"] == "Microsoft.Resources/subscriptions"


@pytest.mark.parametrize(
    ("locations", "arm_id"),
    [
        (["eastus"], "/skus/virtualMachines/Standard_D4s_v5/eastus"),
        (None, "/skus/virtualMachines/Standard_D4s_v5"),
        (5, "/skus/virtualMachines/Standard_D4s_v5"),
        ("eastus", "/skus/virtualMachines/Standard_D4s_v5"),
    ],
)
def test_a_size_gets_an_id_of_its_name_and_regions(locations, arm_id):
    row = {
        "resourceType": "virtualMachines",
        "name": "Standard_D4s_v5",
        "capabilities": [],
        "locations": locations,
    }
    assert normalise(row)["id"] == arm_id
    assert normalise(row)["type"] == "Microsoft.Compute/skus"


@pytest.mark.parametrize(
    ("arm_id", "expected"),
    [
        (DISK, "Microsoft.Compute/disks"),
        (DISK.upper(), "MICROSOFT.COMPUTE/DISKS"),
        (DISK.lower(), "microsoft.compute/disks"),
        (DISK + "/", "Microsoft.Compute/disks"),
        (
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachineScaleSets/v/virtualMachines/0",
            "Microsoft.Compute/virtualMachineScaleSets/virtualMachines",
        ),
        (
            f"{DISK}/providers/Microsoft.Security/assessments/efbbd784",
            "Microsoft.Security/assessments",
        ),
        ("/subscriptions/s", "Microsoft.Resources/subscriptions"),
        ("subscriptions/s/", "Microsoft.Resources/subscriptions"),
        ("/subscriptions/s/resourceGroups/g", None),
        ("https://v.vault.azure.net/keys/k/1", None),
        ("", None),
    ],
)
def test_the_type_that_an_id_names(arm_id, expected):
    assert type_of(arm_id) == expected
