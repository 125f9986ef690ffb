from __future__ import annotations

import gzip
import hashlib
import json
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diskenc_analysis import normalised, schema
from diskenc_analysis.errors import UnknownNameError, UnreadableInputError
from diskenc_analysis.exports import load
from diskenc_analysis.intake import NOT_READ
from diskenc_analysis.members import file_columns
from diskenc_analysis.normalised import NOT_OURS
from tests.exported import (
    CMK,
    COMPUTE,
    DIRECT,
    FORMS,
    GROUP,
    PATHS,
    PMK,
    SET_ID,
    SUBSCRIPTION,
    THOROUGH,
    VM_ID,
    by_name,
    counts,
    disk,
    disk_id,
    graph,
    lines,
    page,
    read,
    read_text,
    records,
    save,
    stub,
    subset,
    tables_of,
    vm,
)

DISKS, VMS = "microsoft.compute/disks", "microsoft.compute/virtualmachines"
SECRET, KEK = "https://kv.vault.azure.net/secrets/s/1", "https://kv.vault.azure.net/keys/k/1"
VAULT_ID = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv"
VOLUME = {
    "diskEncryptionKey": {"secretUrl": SECRET, "sourceVault": {"id": VAULT_ID}},
    "keyEncryptionKey": {"keyUrl": KEK, "sourceVault": {"id": VAULT_ID}},
}
#: What every spelling of the one disk below says, as the canonical table has it.
THE_DISK = {
    "location": "westeurope",
    "managed_by": VM_ID,
    "managed_by_key": VM_ID.lower(),
    "sku": "Premium_LRS",
    "os_type": "Windows",
    "size_gb": 127.0,
    "disk_state": "Attached",
    "encryption_type": CMK,
    "disk_encryption_set_id": SET_ID,
    "disk_encryption_set_id_key": SET_ID.lower(),
    "ade_enabled": True,
    "ade_version": "1.1",
    "security_type": "TrustedLaunch",
    "subscription_id": SUBSCRIPTION,
    "resource_group": "RG-Export",
    "doubt": None,
}
REST_BODY = {
    "osType": "Windows",
    "diskSizeGB": 127,
    "diskState": "Attached",
    "encryption": {"type": CMK, "diskEncryptionSetId": SET_ID},
    "encryptionSettingsCollection": {
        "enabled": True,
        "encryptionSettings": [VOLUME],
        "encryptionSettingsVersion": "1.1",
    },
    "securityProfile": {"securityType": "TrustedLaunch"},
}


def head(name):
    return {
        "id": disk_id(name),
        "name": name,
        "type": "Microsoft.Compute/disks",
        "location": "westeurope",
        "managedBy": VM_ID,
        "sku": {"name": "Premium_LRS", "tier": "Premium"},
    }


def command_line(name, size):
    """Spell the disk as `az disk list` does: flattened, filled up with nulls, the group beside every id."""
    nulls = dict.fromkeys(
        ("burstingEnabled", "diskAccessId", "extendedLocation", "shareInfo", "tags", "zones")
    )
    beside = {"resourceGroup": "RG-Export"}
    collection = {
        "enabled": True,
        "encryptionSettings": [
            {
                "diskEncryptionKey": {"secretUrl": SECRET, "sourceVault": {"id": VAULT_ID, **beside}},
                "keyEncryptionKey": {"keyUrl": KEK, "sourceVault": {"id": VAULT_ID, **beside}},
            }
        ],
        "encryptionSettingsVersion": "1.1",
    }
    encryption = {"diskEncryptionSetId": SET_ID, "type": CMK, **beside}
    security = {"secureVmDiskEncryptionSetId": None, "securityType": "TrustedLaunch"}
    body = {"diskState": "Attached", "osType": "Windows", size: 127, "encryption": encryption}
    body |= {"encryptionSettingsCollection": collection, "securityProfile": security}
    return head(name) | nulls | beside | body


def older_sdk(name):
    """Spell the disk as the Python SDK's `as_dict` did: flattened, in snake_case."""
    volume = {
        "disk_encryption_key": {"secret_url": SECRET, "source_vault": {"id": VAULT_ID}},
        "key_encryption_key": {"key_url": KEK, "source_vault": {"id": VAULT_ID}},
    }
    collection = {"enabled": True, "encryption_settings": [volume], "encryption_settings_version": "1.1"}
    row = head(name) | {"os_type": "Windows", "disk_size_gb": 127, "disk_state": "Attached"}
    row["managed_by"] = row.pop("managedBy")
    row |= {"encryption": {"type": CMK, "disk_encryption_set_id": SET_ID}}
    return row | {
        "encryption_settings_collection": collection,
        "security_profile": {"security_type": "TrustedLaunch"},
    }


def get_az_resource(name):
    """Spell the disk as PowerShell's Get-AzResource does: PascalCase around properties as ARM has them."""
    row = {"Id": disk_id(name), "ResourceId": disk_id(name), "Name": name, "ResourceName": name}
    row |= {"Type": "Microsoft.Compute/disks", "ResourceType": "Microsoft.Compute/disks"}
    row |= {"Location": "westeurope", "ManagedBy": VM_ID, "Sku": {"Name": "Premium_LRS", "Tier": "Premium"}}
    return row | {"ResourceGroupName": "RG-Export", "Tags": None, "Properties": REST_BODY}


def get_az_disk(name):
    """Spell the disk as PowerShell's Get-AzDisk does: PascalCase and flattened."""
    volume = {
        "DiskEncryptionKey": {"SecretUrl": SECRET, "SourceVault": {"Id": VAULT_ID}},
        "KeyEncryptionKey": {"KeyUrl": KEK, "SourceVault": {"Id": VAULT_ID}},
    }
    collection = {"Enabled": True, "EncryptionSettings": [volume], "EncryptionSettingsVersion": "1.1"}
    row = {"Id": disk_id(name), "Name": name, "Type": "Microsoft.Compute/disks", "Location": "westeurope"}
    row |= {"ManagedBy": VM_ID, "Sku": {"Name": "Premium_LRS"}, "OsType": "Windows", "DiskSizeGB": 127}
    row |= {"DiskState": "Attached", "Encryption": {"Type": CMK, "DiskEncryptionSetId": SET_ID}}
    return row | {
        "EncryptionSettingsCollection": collection,
        "SecurityProfile": {"SecurityType": "TrustedLaunch"},
    }


#: The one disk in every spelling.
SPELLINGS = {
    "rest": head("rest") | {"properties": REST_BODY},
    "graph": head("graph") | {"type": "microsoft.compute/disks", "kind": "", "properties": REST_BODY},
    "text": head("text") | {"properties": json.dumps(REST_BODY)},
    "cli": command_line("cli", "diskSizeGB"),
    "older_cli": command_line("older_cli", "diskSizeGb"),
    "older_sdk": older_sdk("older_sdk"),
    "get_az_resource": get_az_resource("get_az_resource"),
    "get_az_disk": get_az_disk("get_az_disk"),
    "no_type": {k: v for k, v in head("no_type").items() if k != "type"} | {"properties": REST_BODY},
    "friendly": head("friendly") | {"type": "Disk", "properties": REST_BODY},
}
#: Rows whose values are not what they should be, with what they say.
ODD = {
    "stub": (stub("stub"), {"encryption_type": None, "doubt": "*: no properties"}),
    "empty": (disk("empty") | {"properties": {}}, {"encryption_type": None, "doubt": "*: no properties"}),
    "prose": (disk("prose") | {"properties": "text"}, {"encryption_type": None, "doubt": "*: no properties"}),
    "aes": (
        disk("aes", encryption="AES"),
        {
            "encryption_type": None,
            "disk_state": "Unattached",
            "doubt": "encryption_type: wrong type; disk_encryption_set_id: wrong type",
        },
    ),
    "number": (
        disk("number", securityProfile=5),
        {
            "encryption_type": PMK,
            "security_type": None,
            "doubt": "security_type: wrong type; secure_vm_disk_encryption_set_id: wrong type",
        },
    ),
    "size": (disk("size", diskSizeGB="big"), {"size_gb": None, "doubt": "size_gb: wrong type"}),
    'quote"]}': (disk('quote"]}', note='\\"]}, {"id": "'), {"encryption_type": PMK, "doubt": None}),
    "both": (
        command_line("both", "diskSizeGB") | {"properties": {"unheardOf": 1}},
        {"encryption_type": None, "doubt": "*: no properties"},
    ),
}
MAYBE = vm("maybe", securityProfile={"encryptionAtHost": "maybe"})
KEY = {"key": {"kid": KEK, "kty": "RSA-HSM"}, "attributes": {"enabled": True, "exportable": False}}
ACCOUNT = {
    "cloudName": "AzureCloud",
    "id": SUBSCRIPTION,
    "isDefault": True,
    "name": "Prod",
    "state": "Enabled",
    "tenantId": "t",
    "user": {"name": "a@contoso.example", "type": "user"},
}
SIZE = {
    "resourceType": "virtualMachines",
    "name": "Standard_D4s_v5",
    "locations": ["westeurope"],
    "capabilities": [
        {"name": "MaxResourceVolumeMB", "value": "0"},
        {"name": "EncryptionAtHostSupported", "value": "True"},
    ],
    "restrictions": [],
}
SITE = {"id": f"{GROUP}/providers/Microsoft.Web/sites/s", "name": "s", "type": "Microsoft.Web/sites"}
SET_ASIDE = [SITE, {"count_": 3, "location": "westeurope"}, 5, None]
MIXED = [*SPELLINGS.values(), *(row for row, _ in ODD.values()), MAYBE, KEY, ACCOUNT, SIZE, *SET_ASIDE]


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """Load the same rows in every form, through both paths."""
    folder = tmp_path_factory.mktemp("mixed")
    paths = {name: save(folder / name, write(MIXED)) for name, write in FORMS.items()}
    return {(name, size): read(path, size) for name, path in paths.items() for size in PATHS}


@pytest.fixture(scope="module")
def inventory(mixed):
    return mixed["array.json", THOROUGH]


def test_every_form_gives_the_same_tables_through_both_paths(mixed, inventory):
    expected = tables_of(inventory)
    assert expected.keys() == {"ade_keys", "disks", "keys", "subscriptions", "vm_sizes", "vms"}
    for case, found in mixed.items():
        assert tables_of(found) == expected, case


@pytest.mark.parametrize("name", SPELLINGS)
def test_the_same_disk_is_read_from_every_spelling(inventory, name):
    row = by_name(inventory, "disks")[name]
    assert subset(row, THE_DISK) == THE_DISK
    assert (row["id"], row["key"]) == (disk_id(name), disk_id(name).lower())
    [volume] = [r for r in records(inventory, "ade_keys") if r["parent_key"] == row["key"]]
    assert (volume["secret_url"], volume["kek_url"]) == (SECRET, KEK)
    assert (volume["kek_vault_id"], volume["secret_vault_id_key"]) == (VAULT_ID, VAULT_ID.lower())


@pytest.mark.parametrize("size", PATHS)
@pytest.mark.parametrize("name", SPELLINGS)
def test_a_file_in_which_nothing_is_odd_is_read_the_same(tmp_path, name, size):
    inv = read_text(tmp_path, lines([SPELLINGS[name]]), size, "rows.jsonl")
    [row], [volume] = records(inv, "disks"), records(inv, "ade_keys")
    assert subset(row, THE_DISK) == THE_DISK
    assert (volume["secret_url"], volume["kek_vault_id"]) == (SECRET, VAULT_ID)


@pytest.mark.parametrize(
    ("last", "used", "doubts"),
    [
        (disk("last"), 5_001, 0),
        (disk("last", encryption="AES"), 5_001, 1),
        (older_sdk("last"), 5_001, 0),
        (SITE, 5_000, 0),
        ({"location": "westeurope"}, 5_000, 0),
        (5, 5_000, 0),
    ],
    ids=["alike", "wrong type", "spelling", "type", "no id", "no object"],
)
def test_the_last_of_many_rows_may_be_of_another_kind(tmp_path, last, used, doubts):
    rows = [*(disk(f"d{n}") for n in range(5_000)), last]
    inv = read_text(tmp_path, lines(rows), DIRECT, "rows.jsonl")
    assert (inv.totals["rows_read"], inv.totals["rows_used"], inv.count("disks")) == (5_001, used, used)
    assert len([r for r in records(inv, "disks") if r["doubt"]]) == doubts


def test_a_file_is_read_with_structs_that_end_where_text_is_wanted():
    columns = file_columns(schema.table("vms"), "nested")
    assert '"hardwareProfile" STRUCT("vmSize" VARCHAR)' in columns["properties"]
    assert '"osDisk" VARCHAR' in columns["properties"]
    # One struct cannot hold ultraSSDEnabled and ultraSsdEnabled.
    assert '"additionalCapabilities" VARCHAR' in columns["properties"]
    assert columns["sku"] == 'STRUCT("name" VARCHAR)'


@pytest.mark.parametrize("name", ODD)
def test_odd_values_are_doubts_and_never_absent(inventory, name):
    _, expected = ODD[name]
    assert subset(by_name(inventory, "disks")[name], expected) == expected


def test_a_flag_that_is_none_is_a_doubt(inventory):
    [row] = records(inventory, "vms")
    assert (row["encryption_at_host"], row["doubt"]) == (None, "encryption_at_host: wrong type")


def test_a_key_of_the_data_plane(inventory):
    [row] = records(inventory, "keys")
    expected = {"id": KEK, "key_url": KEK, "kty": "RSA-HSM", "enabled": True, "exportable": False}
    assert subset(row, expected) == expected


def test_a_subscription_of_the_command_line(inventory):
    [row] = records(inventory, "subscriptions")
    expected = {
        "id": f"/subscriptions/{SUBSCRIPTION}",
        "subscription_guid": SUBSCRIPTION,
        "display_name": "Prod",
    }
    assert subset(row, expected) == expected


def test_a_size(inventory):
    [row] = records(inventory, "vm_sizes")
    expected = {"size": "Standard_D4s_v5", "resource_volume_mb": 0.0, "encryption_at_host_supported": True}
    assert subset(row, expected) == expected


def test_every_row_of_the_mix_is_accounted_for(mixed):
    for case, found in mixed.items():
        assert found.totals == {"rows_read": 26, "rows_used": 22, "rows_set_aside": 4}, case
        by_type = counts(found)
        assert by_type[DISKS] == (18, 18, 0, ""), case
        assert by_type["microsoft.web/sites"] == (1, 0, 1, f"1 {NOT_OURS}"), case
        assert by_type[""][:3] == (3, 0, 3), case


def test_reasons_name_what_was_wrong_with_a_row(inventory):
    assert counts(inventory)[""] == (3, 0, 3, "1 no id; 2 not an object")


def test_the_ledger_names_the_shape_and_the_bytes(mixed):
    shapes = {
        name: records(inv, "ledger")[0]["shape"] for (name, size), inv in mixed.items() if size == DIRECT
    }
    assert shapes == {
        "array.json": "array",
        "lines.jsonl": "JSON lines",
        "page.json": "ARM page",
        "graph.json": "Resource Graph reply",
        "packed.jsonl.gz": "JSON lines",
    }
    for inv in mixed.values():
        for row in records(inv, "ledger"):
            assert row["sha256"] == hashlib.sha256(Path(row["source"]).read_bytes()).hexdigest()


@pytest.mark.parametrize("size", PATHS)
def test_a_read_for_the_verdict_alone_says_the_same_of_it(tmp_path, inventory, size):
    path = save(tmp_path / "array.json", json.dumps(MIXED))
    narrow = load(path, engine="duckdb", small_bytes=size, verdict_only=True)
    assert counts(narrow) == counts(inventory)
    for name, table in schema.tables().items():
        first = "key" if table.types else "parent_key"
        kept = [first, *(column.name for column in table.columns if column.verdict)]
        left = [column.name for column in table.columns if not column.verdict]
        found, expected = records(narrow, name), records(inventory, name)
        assert sorted(repr(subset(row, kept)) for row in found) == sorted(
            repr(subset(row, kept)) for row in expected
        )
        assert all(row[column] is None for row in found for column in left)
    doubts = [
        {name: row["doubt"] for name, row in by_name(inv, "disks").items()} for inv in (narrow, inventory)
    ]
    assert doubts[0] == doubts[1]


@pytest.mark.parametrize("size", PATHS)
@pytest.mark.parametrize(
    "given", ["-1", "1e400", "-1e400", '"nan"', '"inf"', "true", "{}", "[64]", '"64 GiB"']
)
def test_a_size_that_is_none_is_a_doubt(tmp_path, given, size):
    text = json.dumps([disk("d", diskSizeGB="SIZE")]).replace('"SIZE"', given)
    row = by_name(read_text(tmp_path, text, size), "disks")["d"]
    assert (row["size_gb"], row["doubt"]) == (None, "size_gb: wrong type")


@pytest.mark.parametrize("size", PATHS)
def test_broken_lines_amid_good_ones_are_set_aside(tmp_path, size):
    text = lines([disk("a")]) + '{"id": "/subscriptions/x\n' + lines([older_sdk("b"), disk("c")])
    inv = read_text(tmp_path, text, size, "rows.jsonl")
    assert by_name(inv, "disks").keys() == {"a", "b", "c"}
    assert counts(inv) == {"": (1, 0, 1, "1 unreadable"), DISKS: (3, 3, 0, "")}


@pytest.mark.parametrize("size", PATHS)
def test_a_table_reply_of_resource_graph(tmp_path, size):
    names = ("id", "name", "type", "properties")
    rows = [[disk("a")[n] for n in names], [SITE.get(n) for n in names], "odd"]
    columns = [{"name": name, "type": "string"} for name in names]
    reply = {"totalRecords": 9, "data": {"columns": columns, "rows": rows}, "resultTruncated": "false"}
    inv = read_text(tmp_path, json.dumps(reply, indent=1), size)
    assert by_name(inv, "disks")["a"]["encryption_type"] == PMK
    assert inv.totals == {"rows_read": 3, "rows_used": 1, "rows_set_aside": 2}
    assert {row["truncation_reason"] for row in records(inv, "ledger")} == {"3 of 9 records"}


@pytest.mark.parametrize("size", PATHS)
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (page([disk("a")], nextLink="https://management.example/2"), "next link left over"),
        (graph([disk("a")], skip_token="abc"), "skip token left over"),  # noqa: S106
        (graph([disk("a")], total_records=5), "1 of 5 records"),
        (graph([disk("a")], resultTruncated="true"), "resultTruncated is true"),
        (lines([{"value": [disk("a")], "nextLink": "https://management.example/2"}]), "next link left over"),
        (
            json.dumps([{"value": [disk("a")], "nextLink": "https://management.example/2"}]),
            "next link left over",
        ),
        (page([disk("a")], nextLink=None), ""),
    ],
)
def test_signs_of_a_cut_reach_the_ledger(tmp_path, text, reason, size):
    [row] = records(read_text(tmp_path, text, size), "ledger")
    assert (row["truncation_reason"], row["truncated"]) == (reason, bool(reason))


@pytest.mark.parametrize("size", PATHS)
def test_pages_one_after_the_other(tmp_path, size):
    pages = page([disk("a")], nextLink="https://management.example/2") + "\n" + page([disk("b"), SITE])
    inv = read_text(tmp_path, pages, size)
    assert by_name(inv, "disks").keys() == {"a", "b"}
    assert inv.totals["rows_read"] == 3


@pytest.mark.parametrize("members", [{}, {"facets": [{"data": [["]"] * 30_000]}]}])
def test_an_envelope_larger_than_a_small_file_is_read_like_a_small_one(tmp_path, members):
    rows = [disk(f"disk-{n}", note='x"]},{' * 20) for n in range(600)] + [SITE, older_sdk("s")]
    path = save(tmp_path / "graph.json", graph(rows, **members))
    assert path.stat().st_size > 256_000
    direct = load(path, engine="duckdb")
    assert direct.count("disks") == 601
    assert tables_of(direct) == tables_of(read(path, THOROUGH))
    assert counts(direct) == {DISKS: (601, 601, 0, ""), "microsoft.web/sites": (1, 0, 1, f"1 {NOT_OURS}")}


@pytest.mark.parametrize("size", PATHS)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_encodings(tmp_path, encoding, size):
    text = json.dumps([disk("é\u4e2d")], ensure_ascii=False)
    raw = b"\xff\xfe" + text.encode(encoding) if encoding == "utf-16-le" else text.encode(encoding)
    assert by_name(read_text(tmp_path, raw, size), "disks").keys() == {"é\u4e2d"}


def test_a_character_that_no_file_can_hold_costs_no_row(tmp_path):
    text = json.dumps([disk("a"), disk("b") | {"tags": {"t": "\ud800"}}])
    inv = read_text(tmp_path, text)
    assert counts(inv) == {DISKS: (2, 2, 0, "")}
    assert by_name(inv, "disks").keys() == {"a", "b"}


DEEP = "[" * 5000 + "]" * 5000


@pytest.mark.parametrize("size", PATHS)
@pytest.mark.parametrize("form", ["[{}]", "{}", '{{"value": [{}]}}'])
def test_a_row_nested_deeply_where_nothing_is_read_is_used(tmp_path, form, size):
    """The members that the tables want are not deep, so that nothing of the row is unknown."""
    inside = json.dumps(disk("b"))[:-2] + f', "deep": {DEEP}' + "}}"
    rows = ("\n" if form == "{}" else ",\n").join([json.dumps(disk("a")), inside, json.dumps(older_sdk("c"))])
    inv = read_text(tmp_path, form.format(rows), size, "rows.json")
    assert {n: r["encryption_type"] for n, r in by_name(inv, "disks").items()} == {
        "a": PMK,
        "b": PMK,
        "c": CMK,
    }
    assert counts(inv) == {DISKS: (3, 3, 0, "")}


@pytest.mark.parametrize("size", PATHS)
@pytest.mark.parametrize("form", ["[{}]", "{}", '{{"value": [{}]}}'])
@pytest.mark.parametrize(
    "row", [DEEP, f'{{"Id": "{disk_id("b")}", "Type": "Microsoft.Compute/disks", "x": {DEEP}}}']
)
def test_a_row_nested_too_deeply_is_set_aside(tmp_path, row, form, size):
    rows = ("\n" if form == "{}" else ",\n").join([json.dumps(disk("a")), row, json.dumps(disk("c"))])
    inv = read_text(tmp_path, form.format(rows), size, "rows.json")
    assert by_name(inv, "disks").keys() == {"a", "c"}
    assert counts(inv) == {"": (1, 0, 1, "1 nested too deeply"), DISKS: (2, 2, 0, "")}


def test_rows_that_were_read_but_not_stored_are_an_error(tmp_path, monkeypatch):
    path = save(tmp_path / "rows.json", json.dumps([disk("a")]))
    monkeypatch.setattr(normalised.json, "dumps", lambda *_, **__: "{")
    with pytest.raises(UnreadableInputError, match="of 1 rows for the table disks 0 could be stored"):
        read(path)


BAD_BYTES = lines([disk("a")]).replace("westeurope", "west\udcff").encode(errors="surrogateescape")


@pytest.mark.parametrize("size", PATHS)
@pytest.mark.parametrize(
    ("raw", "place"),
    [
        (b"<!DOCTYPE html><html>Sign in</html>", "expected JSON"),
        (b"", "the file is empty"),
        (json.dumps([disk("a")])[:-9].encode(), "(line 1, column|at byte) [0-9]+"),
        (b'[\n{"id": "/a"}\n{"id": "/b"}]', "(line 3, column 1|at byte [0-9]+)"),
        (page([disk("a")])[:-9].encode(), "(line [0-9]+, column [0-9]+|its end could not be found)"),
        (BAD_BYTES, "byte [0-9]+"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(tmp_path, raw, place, size):
    with pytest.raises(UnreadableInputError, match=rf"rows\.json: .*{place}") as caught:
        read_text(tmp_path, raw, size)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("size", PATHS)
def test_a_cut_archive_is_refused(tmp_path, size):
    path = tmp_path / "rows.json.gz"
    path.write_bytes(gzip.compress(json.dumps([disk("a")]).encode())[:-10])
    with pytest.raises(UnreadableInputError, match=r"rows\.json\.gz: expected a whole gzip archive"):
        read(path, size)


def test_a_missing_path_names_the_near_miss(tmp_path):
    save(tmp_path / "disks.json", "[]")
    with pytest.raises(
        UnreadableInputError, match=r'disk\.json: no such file or folder\. Did you mean "disks'
    ):
        load(tmp_path / "disk.json")


def test_an_empty_folder_is_an_error(tmp_path):
    with pytest.raises(UnreadableInputError, match="no files to read"):
        load(tmp_path)


def test_an_unknown_engine_names_the_near_miss(tmp_path):
    with pytest.raises(UnknownNameError, match=r'unknown engine \'panda\'.*Did you mean "pandas"'):
        load(tmp_path, engine="panda")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Make a folder of exports with files that are none, hidden ones, and one of a name with wildcards."""
    root = tmp_path_factory.mktemp("folder")
    save(root / "one" / "disks.json", json.dumps([disk("a")]))
    save(root / "two" / "DISKS.JSON", json.dumps([disk("b")]))
    save(root / "two" / "vms.ndjson", lines([vm("v")]))
    save(root / "two" / "deep" / "disks.json.gz", json.dumps([disk("c")]))
    save(root / "two" / "notes.txt", "no export")
    save(root / "two" / "disks.docx", "id")
    save(root / ".hidden" / "disks.json", json.dumps([disk("hidden")]))
    save(root / "one" / ".truth.json", json.dumps([disk("truth")]))
    save(root / "six" / "disks[1].json", json.dumps([disk("bracket")]))
    save(root / "six" / "disks1.json", json.dumps([disk("other")]))
    save(root / "[s]" / "disks.json", json.dumps([disk("folder")]))
    save(root / "s" / "disks.json", json.dumps([disk("s")]))
    return root


def names(paths, size=THOROUGH):
    return set(by_name(load(paths, engine="duckdb", small_bytes=size), "disks"))


def test_a_folder_is_searched_and_what_is_hidden_is_passed_over(folder):
    assert names(folder) == {"a", "b", "c", "s", "bracket", "folder", "other"}


def test_files_of_no_known_kind_are_in_the_ledger(folder):
    rows = records(load(folder, engine="duckdb"), "ledger")
    found = {Path(r["source"]).name: r["rows_read"] for r in rows if r["shape"].startswith("not read")}
    assert found == {"notes.txt": 0, "disks.docx": 0}
    assert len(rows) == 10


def test_one_file_alone_may_be_of_no_known_kind_too(folder):
    [row] = records(load(folder / "two" / "notes.txt", engine="duckdb"), "ledger")
    assert row["shape"] == NOT_READ


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("one/*.json", {"a"}),
        ("*/disks.json", {"a", "folder", "s"}),
        ("**/*.gz", {"c"}),
        ("tw?", {"b", "c"}),
        ("o*", {"a"}),
    ],
)
def test_patterns(folder, pattern, expected):
    assert names(folder / pattern) == expected


def test_a_pattern_without_a_match_is_an_error(folder):
    with pytest.raises(UnreadableInputError, match="no such file or folder"):
        load(folder / "none" / "*.json")


@pytest.mark.parametrize("size", PATHS)
def test_wildcards_in_a_name_lead_to_no_other_file(folder, size):
    assert names(folder / "six" / "disks[1].json", size) == {"bracket"}
    assert names(folder / "[s]", size) == {"folder"}


def test_a_hidden_file_is_read_when_it_is_named(folder):
    assert names(folder / "one" / ".truth.json") == {"truth"}


def test_several_paths_at_once(folder):
    assert names([folder / "one", str(folder / "two" / "deep")]) == {"a", "c"}
    assert names(path for path in [folder / "one"]) == {"a"}


@pytest.mark.parametrize("small", [0, 260, 10**9])
def test_files_of_both_sizes_end_in_the_same_tables(tmp_path, small):
    save(tmp_path / "a.json", json.dumps([disk("a"), older_sdk("s")]))
    save(tmp_path / "b.json", json.dumps([stub("b")]))
    inv = read(tmp_path, small)
    assert by_name(inv, "disks").keys() == {"a", "b", "s"}
    assert [r["source"] for r in by_name(inv, "disks").values()] == [0, 1, 0]
    assert [(Path(r["source"]).name, r["rows_used"]) for r in records(inv, "ledger")] == [
        ("a.json", 2),
        ("b.json", 1),
    ]


@pytest.mark.parametrize("size", PATHS)
def test_extensions_inside_a_vm_come_after_those_of_their_own(tmp_path, size):
    def extension(name, publisher):
        body = {"id": f"{VM_ID}/extensions/{name}", "name": name, "properties": {"publisher": publisher}}
        return body | {"type": "Microsoft.Compute/virtualMachines/extensions"}

    inside = [extension("e", "inside"), extension("f", "inside"), {"id": f"{VM_ID}/extensions/g"}]
    inv = read_text(tmp_path, [vm("vm-1") | {"resources": inside}, extension("e", "apart")], size)
    found = {r["key"].rpartition("/")[2]: r["publisher"] for r in records(inv, "extensions")}
    assert found == {"e": "apart", "f": "inside", "g": None}


def test_the_spill_goes_to_the_temporary_folder(tmp_path):
    inv = read_text(tmp_path, [disk("a")])
    [(folder,)] = inv.connection.execute("SELECT current_setting('temp_directory')").fetchall()
    assert Path(folder).parent == Path(tempfile.gettempdir())


#: Rows by kind, the reason for which one is set aside, and under which type it is counted.
KINDS = {
    "good": (disk, "", DISKS),
    "snake": (older_sdk, "", DISKS),
    "flat": (lambda name: command_line(name, "diskSizeGb"), "", DISKS),
    "pascal": (get_az_resource, "", DISKS),
    "stub": (stub, "", DISKS),
    "aes": (lambda name: disk(name, encryption="AES"), "", DISKS),
    "vm": (vm, "", VMS),
    "copy": (lambda _: disk("copied"), "duplicate", DISKS),
    "foreign": (lambda name: SITE | {"name": name}, NOT_OURS, "microsoft.web/sites"),
    "projected": (lambda name: {"count_": 1, "location": name}, "no id", ""),
    "scalar": (lambda _: 5, "not an object", ""),
}


@given(kinds=st.lists(st.sampled_from(sorted(KINDS)), max_size=40), form=st.sampled_from(sorted(FORMS)))
@settings(max_examples=20, deadline=None)
def test_every_row_is_accounted_for(kinds, form):
    rows = [disk("copied"), *(KINDS[kind][0](f"{kind}-{n}") for n, kind in enumerate(kinds))]
    expected = Counter({(DISKS, ""): 1})
    for kind in kinds:
        expected[KINDS[kind][2], KINDS[kind][1]] += 1
    with tempfile.TemporaryDirectory() as made:
        path = save(Path(made) / form, FORMS[form](rows))
        found = [read(path, size) for size in PATHS]
    for inv in found:
        for arm_type, (read_rows, used, _, reasons) in counts(inv).items():
            aside = {reason: n for (t, reason), n in expected.items() if t == arm_type and reason}
            assert used == expected[arm_type, ""]
            assert read_rows == used + sum(aside.values())
            assert reasons == "; ".join(f"{n} {reason}" for reason, n in sorted(aside.items()))
        assert inv.totals["rows_read"] == len(rows)
        assert inv.count("disks") + inv.count("vms") == inv.totals["rows_used"]
    assert tables_of(found[0]) == tables_of(found[1])


def test_ids_are_kept_as_they_came(tmp_path):
    shouted = disk("A") | {"id": disk_id("A").upper()}
    [row] = records(read_text(tmp_path, [shouted]), "disks")
    assert (row["id"], row["key"]) == (disk_id("A").upper(), disk_id("a").lower())
    assert row["resource_group"] == "RG-EXPORT"
    assert row["subscription_id"] == SUBSCRIPTION


def test_disks_in_a_vm_are_a_table_of_their_own(tmp_path):
    profile = {"osDisk": {"name": "os", "managedDisk": {"id": disk_id("OS")}}, "dataDisks": []}
    inv = read_text(tmp_path, [vm("vm-1", storageProfile=profile)])
    [row] = records(inv, "vm_disks")
    expected = {
        "parent_key": VM_ID.lower(),
        "origin": "os_disk",
        "disk_id_key": f"{COMPUTE}/disks/os".lower(),
    }
    assert subset(row, expected) == expected
