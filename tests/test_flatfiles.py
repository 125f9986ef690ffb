"""CSV of every kind: what the portal, Resource Graph, PowerShell and Defender write, read like JSON."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from pathlib import Path

import pytest

from diskenc_analysis.errors import UnreadableInputError
from diskenc_analysis.exports import load
from tests.exported import (
    CMK,
    PATHS,
    PMK,
    SET_ID,
    VM_ID,
    by_name,
    counts,
    disk,
    disk_id,
    judged,
    page,
    read_text,
    records,
    save,
    subset,
    tables_of,
    vm,
)

DISKS, VMS = "microsoft.compute/disks", "microsoft.compute/virtualmachines"
BOM = b"\xef\xbb\xbf"
LINK = "https://portal.azure.com/#@contoso.onmicrosoft.com/resource"


def cells(rows, delimiter=",", **options):
    """Write rows as CSV: objects as JSON text, as the portal's export does."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n", **options)
    for row in rows:
        writer.writerow([json.dumps(v) if isinstance(v, dict | list) else v for v in row])
    return out.getvalue()


def table(rows):
    """Write ARM objects as Resource Graph's explorer does: a column for each member at the top."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    return cells([names, *([row.get(name, "") for name in names] for row in rows)])


def verdicts(inv, *columns):
    """Give some columns of the coverage by disk name."""
    return {name: values for name, *values in judged(inv, "name", *columns)}


WHOLE = [
    disk("a", encryption={"type": CMK, "diskEncryptionSetId": SET_ID})
    | {"managedBy": VM_ID, "sku": {"name": "Premium_LRS"}},
    disk("b") | {"managedBy": "", "sku": {"name": "Standard_LRS"}, "tags": {"owner": 'x, "y"\nz'}},
    vm("vm-1", securityProfile={"encryptionAtHost": True}, storageProfile={"dataDisks": []}) | {"sku": None},
]


@pytest.mark.parametrize("size", PATHS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_whole_objects_in_cells_say_what_json_says(tmp_path, size, encoding):
    expected = tables_of(read_text(tmp_path, WHOLE, size))
    (tmp_path / "rows.json").unlink()
    found = read_text(tmp_path, table(WHOLE).encode(encoding), size, "rows.csv")
    assert tables_of(found) == expected
    assert counts(found) == {DISKS: (2, 2, 0, ""), VMS: (1, 1, 0, "")}
    assert {r["shape"] for r in records(found, "ledger")} == {"CSV"}
    assert {r["notes"] for r in records(found, "ledger")} == {""}


@pytest.mark.parametrize("size", PATHS)
@pytest.mark.parametrize(
    "header", ["NAME,TYPE,RESOURCE LINK,", "NOME,TIPO,LIGAÇÃO DO RECURSO,", "NAME,TYP,RESSOURCENLINK,"]
)
def test_the_portals_list_is_a_list_of_stubs(tmp_path, size, header):
    """The header ends in a comma that no row has; type and region are friendly; no encryption is there."""
    text = f"{header}\r\nd-1,Disk,{LINK}{disk_id('d-1')}\r\n"
    inv = read_text(tmp_path, BOM + text.encode(), size, "AzureResources.csv")
    [row] = records(inv, "disks")
    assert (row["id"], row["encryption_type"], row["doubt"][:16]) == (
        disk_id("d-1"),
        None,
        "*: no properties",
    )
    assert counts(inv) == {DISKS: (1, 1, 0, "")}
    [(sse, host, ade)] = verdicts(inv, "sse", "attachment", "ade").values()
    assert (sse, host, ade) == ("unknown", "unknown", "unknown")


def test_a_link_to_a_page_of_the_resource_names_the_resource(tmp_path):
    text = f"NAME,RESOURCE LINK,\nd,{LINK}{disk_id('d')}/overview\n"
    assert [r["id"] for r in records(read_text(tmp_path, text, name="a.csv"), "disks")] == [disk_id("d")]


@pytest.mark.parametrize("name", ["encryptionSettings", "properties_encryptionSettings"])
def test_empty_cells_of_an_older_version_do_not_answer_for_the_newer(tmp_path, name):
    """FACTS 2.2: the disk's flag is in encryptionSettingsCollection; encryptionSettings is of 2017 alone."""
    header = f"id,name,type,location,encryption_type,securityProfile,ownerId,{name}"
    row = f"{disk_id('d')},d,microsoft.compute/disks,westeurope,{PMK},,,"
    inv = read_text(tmp_path, f"{header}\n{row}\n", name="disks.csv")
    assert verdicts(inv, "ade", "attachment", "no_vm_cpu")["d"] == ["unknown", "unknown", "unknown"]
    settings = '"{""enabled"": true}"'
    said = read_text(tmp_path / "said", f"{header}\n{row}{settings}\n", name="disks.csv")
    assert verdicts(said, "ade")["d"] == ["on"]


def test_a_missing_column_is_unknown_and_an_empty_cell_is_not(tmp_path):
    header = "id,name,type,managedBy,sku_name,properties_encryption_type"
    row = f"{disk_id('d')},d,microsoft.compute/disks,,Premium_LRS,{PMK}"
    some = read_text(tmp_path / "some", f"{header}\n{row}\n", name="some.csv")
    more = read_text(
        tmp_path / "more",
        f"{header},properties_encryptionSettingsCollection_enabled,properties_securityProfile_securityType\n{row},,\n",
        name="more.csv",
    )
    facts = ("sse", "ade", "confidential", "attachment", "key_owner")
    assert verdicts(some, *facts)["d"] == ["platform", "unknown", "unknown", "unattached", "unknown"]
    assert verdicts(more, *facts)["d"] == ["platform", "off", "off", "unattached", "platform"]
    doubt = by_name(some, "disks")["d"]["doubt"]
    assert "ade_enabled: column not exported" in doubt
    assert "encryption_type" not in doubt
    assert "managed_by" not in doubt
    [note] = {r["notes"] for r in records(some, "ledger")}
    assert note.startswith("columns not exported: ")
    assert "encryptionSettingsCollection" in note
    assert note.endswith("export it with the queries that `diskenc queries` prints")


def test_a_vm_without_the_column_of_host_encryption_does_not_say_off(tmp_path):
    save(tmp_path / "disks.json", page([disk("d") | {"managedBy": VM_ID}]))
    text = f"id,name,type,vmSize\n{VM_ID},vm-1,microsoft.compute/virtualmachines,Standard_D4s_v5\n"
    save(tmp_path / "vms.csv", text)
    assert verdicts(load(tmp_path, engine="duckdb"), "host", "data_flow")["d"] == ["unknown", "unknown"]
    save(
        tmp_path / "vms.csv", text.replace("vmSize\n", "vmSize,encryptionAtHost\n").replace("_v5\n", "_v5,\n")
    )
    assert verdicts(load(tmp_path, engine="duckdb"), "host", "data_flow")["d"] == ["off", "no"]
    save(
        tmp_path / "vms.csv",
        text.replace("vmSize\n", "vmSize,encryptionAtHost\n").replace("_v5\n", "_v5,True\n"),
    )
    assert verdicts(load(tmp_path, engine="duckdb"), "host", "data_flow")["d"] == ["on", "yes"]


def test_managed_by_of_a_whole_body_is_unknown_without_its_column(tmp_path):
    rows = [{n: v for n, v in disk("d").items() if n != "managedBy"}]
    inv = read_text(tmp_path, table(rows), name="rows.csv")
    assert by_name(inv, "disks")["d"]["doubt"] == "managed_by: column not exported; sku: column not exported"
    assert verdicts(inv, "attachment", "sse")["d"] == ["unknown", "platform"]


#: Get-AzDisk | Export-Csv of PowerShell 5.1: a first line of its own, and class names where objects were.
EXPORT_CSV = (
    "#TYPE Microsoft.Azure.Commands.Compute.Automation.Models.PSDiskList\r\n"
    '"ResourceGroupName","ManagedBy","Sku","OsType","DiskSizeGB","EncryptionSettingsCollection","DiskState",'
    '"Encryption","SecurityProfile","Id","Name","Type","Location"\r\n'
    f'"RG-Export","{VM_ID}","Microsoft.Azure.Management.Compute.Models.DiskSku","Windows","127",,"Attached",'
    f'"Microsoft.Azure.Management.Compute.Models.Encryption",,"{disk_id("d")}","d",'
    '"Microsoft.Compute/disks","westeurope"\r\n'
)


@pytest.mark.parametrize("size", PATHS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_class_names_of_powershell_are_the_wrong_type_and_never_absent(tmp_path, size, encoding):
    inv = read_text(tmp_path, EXPORT_CSV.encode(encoding), size, "disks.csv")
    row = by_name(inv, "disks")["d"]
    expected = {
        "size_gb": 127.0,
        "os_type": "Windows",
        "disk_state": "Attached",
        "encryption_type": None,
        "sku": None,
    }
    assert subset(row, expected) == expected
    doubts = dict(part.split(": ") for part in row["doubt"].split("; "))
    assert doubts["encryption_type"] == doubts["sku"] == "wrong type"
    assert doubts["size_bytes"] == "column not exported"
    assert not {"ade_enabled", "security_type"} & set(doubts)
    assert verdicts(inv, "sse", "ade", "confidential")["d"] == ["unknown", "off", "off"]


def test_a_semicolon_and_a_line_that_names_it(tmp_path):
    text = f'sep=;\nid;name;diskSizeGB\n{disk_id("d")};"d";64\n'
    row = by_name(read_text(tmp_path, text, name="excel.csv"), "disks")["d"]
    assert (row["id"], row["size_gb"]) == (disk_id("d"), 64.0)


def test_a_comma_at_the_end_of_every_row_is_no_column(tmp_path):
    text = f"id,name\n{disk_id('d')},d,\n{disk_id('e')},e,\n"
    assert by_name(read_text(tmp_path, text, name="rows.csv"), "disks").keys() == {"d", "e"}


def test_an_apostrophe_that_neutralises_a_formula_is_no_part_of_the_name(tmp_path):
    text = cells(
        [["id", "name", "tags"], [disk_id("x"), "'=cmd|x", {"a": "'=b"}], [disk_id("y"), "'quoted'", ""]]
    )
    rows = {r["key"][-1]: r for r in records(read_text(tmp_path, text, name="rows.csv"), "disks")}
    assert [rows[k]["name"] for k in "xy"] == ["=cmd|x", "'quoted'"]
    assert json.loads(rows["x"]["tags"]) == {"a": "'=b"}


@pytest.mark.parametrize("size", PATHS)
@pytest.mark.parametrize("cell", ['{"type": "EncryptionAtRest', "[1, 2", "{}}"])
def test_a_cell_that_was_cut_is_the_wrong_type(tmp_path, size, cell):
    """Sheets cut a cell at 32,767 characters."""
    text = cells(
        [
            ["id", "type", "encryption", "encryptionSettingsCollection"],
            [disk_id("d"), "Microsoft.Compute/disks", cell, cell],
        ]
    )
    inv = read_text(tmp_path, text, size, "rows.csv")
    [row] = records(inv, "disks")
    assert row["encryption_type"] is None
    assert "encryption_type: wrong type" in row["doubt"]
    assert "ade_enabled: wrong type" in row["doubt"]


def test_properties_that_were_cut_are_a_stub(tmp_path):
    text = cells(
        [["id", "type", "managedBy", "properties"], [disk_id("d"), "Microsoft.Compute/disks", "", '{"enc']]
    )
    assert records(read_text(tmp_path, text, name="rows.csv"), "disks")[0]["doubt"].startswith(
        "*: no properties"
    )


@pytest.mark.parametrize("size", PATHS)
def test_rows_of_another_width_are_set_aside(tmp_path, size):
    rows = [
        f"{disk_id('a')},a,Unattached",
        f"{disk_id('b')},b",
        f"{disk_id('c')},c,x,y",
        f'{disk_id("d")},"d',
    ]
    text = "\n".join(["id,name,diskState", *rows])
    inv = read_text(tmp_path, text, size, "rows.csv")
    assert by_name(inv, "disks").keys() == {"a"}
    assert counts(inv) == {"": (3, 0, 3, "3 unreadable"), DISKS: (1, 1, 0, "")}


def test_a_row_without_an_id_is_set_aside(tmp_path):
    inv = read_text(tmp_path, f"id,name\n{disk_id('a')},a\n,b\n", name="rows.csv")
    assert counts(inv)[""] == (1, 0, 1, "1 no id")


def test_a_header_alone_is_no_row_and_no_error(tmp_path):
    inv = read_text(tmp_path, "id,name,properties\n", name="rows.csv")
    assert inv.totals == {"rows_read": 0, "rows_used": 0, "rows_set_aside": 0}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("\n \n", "the file is empty"),
        (
            "Name,Type,Location,Subscription,Tags\nd,Disk,East US,Prod,{}\n",
            r"expected a column with the resources' ids \(id, ResourceId, RESOURCE LINK\), got Name, Type",
        ),
        ("Name,Type\nd,Disk\n", "got Name, Type; export it with the queries that `diskenc queries` prints"),
        ("<!DOCTYPE html>\n<title>Sign in</title>\n", "HTML page, perhaps of a sign-in"),
    ],
)
def test_a_csv_that_names_no_resource_is_refused(tmp_path, text, message):
    with pytest.raises(UnreadableInputError, match=rf"rows\.csv: .*{message}") as caught:
        read_text(tmp_path, text, name="rows.csv")
    assert caught.value.exit_code == 3


def test_two_columns_of_ids_without_a_known_name_are_not_guessed_at(tmp_path):
    text = f"RECURSO,DONO\n{disk_id('a')},{VM_ID}\n"
    with pytest.raises(UnreadableInputError, match="got RECURSO, DONO"):
        read_text(tmp_path, text, name="rows.csv")


#: The header as a public script of Defender's users has it.
RECOMMENDATIONS = """exportedTimestamp subscriptionId subscriptionName resourceGroup resourceType resourceName
resourceId recommendationId recommendationName recommendationDisplayName description remediationSteps severity
state notApplicableReason firstEvaluationDate statusChangeDate controls azurePortalRecommendationLink
nativeCloudAccountId tactics techniques cloud owner eta dueDate gracePeriod""".split()  # noqa: SIM905
KEY = "d57a4221-a804-52ca-3dea-768284f06bb7"


@pytest.mark.parametrize("own", [KEY, f"{VM_ID.lower()}/providers/Microsoft.Security/assessments/{KEY}"])
def test_recommendations_of_defender_are_assessments(tmp_path, own):
    values = {
        "resourceId": VM_ID.lower(),
        "recommendationId": own,
        "state": "Not applicable",
        "cloud": "Azure",
    }
    values |= {
        "resourceType": "virtualmachines",
        "resourceName": "vm-1",
        "notApplicableReason": "OffByPolicy",
    }
    values |= {"recommendationDisplayName": "Disk encryption should be applied on virtual machines"}
    text = cells([RECOMMENDATIONS, [values.get(name, "") for name in RECOMMENDATIONS]])
    inv = read_text(tmp_path, text, name="recommendations.csv")
    [row] = records(inv, "assessments")
    expected = {
        "name": KEY,
        "key": f"{VM_ID.lower()}/providers/microsoft.security/assessments/{KEY}",
        "status": "NotApplicable",
        "cause": "OffByPolicy",
        "resource_id_key": VM_ID.lower(),
        "resource_source": "Azure",
        "doubt": None,
    }
    assert subset(row, expected) == expected
    assert counts(inv) == {"microsoft.security/assessments": (1, 1, 0, "")}


def test_steampipe_and_projected_names_are_members(tmp_path):
    text = (
        "id,name,type,region,managed_by,sku_name,encryption_type,encryption_settings_collection_enabled\n"
        f"{disk_id('d')},d,Microsoft.Compute/disks,westeurope,{VM_ID},Premium_LRS,{CMK},true\n"
    )
    row = by_name(read_text(tmp_path, text, name="rows.csv"), "disks")["d"]
    expected = {"location": "westeurope", "managed_by": VM_ID, "sku": "Premium_LRS", "encryption_type": CMK}
    assert subset(row, expected | {"ade_enabled": True}) == expected | {"ade_enabled": True}


def test_a_projected_os_type_makes_no_disk_of_its_own(tmp_path):
    names = "id,name,type,properties_storageProfile_osDisk_osType"
    text = f"{names}\n{VM_ID},v,microsoft.compute/virtualmachines,Linux\n"
    inv = read_text(tmp_path, text, name="rows.csv")
    assert by_name(inv, "vms")["v"]["os_type"] == "Linux"
    assert inv.count("vm_disks") == 0


def test_a_partial_row_does_not_contradict_a_whole_one(tmp_path):
    save(
        tmp_path / "disks.json",
        page([disk("d", encryptionSettingsCollection={"enabled": True}) | {"managedBy": VM_ID}]),
    )
    save(tmp_path / "portal.csv", f"id,name,managedBy,diskState\n{disk_id('d')},d,{VM_ID},Unattached\n")
    inv = load(tmp_path, engine="duckdb")
    row = by_name(inv, "disks")["d"]
    assert (row["encryption_type"], row["ade_enabled"], row["doubt"]) == (PMK, True, None)


def test_wildcards_and_quotes_in_a_path_lead_to_no_other_file(tmp_path):
    path = save(tmp_path / "it's [1]*.csv", f"id,name\n{disk_id('a')},a\n")
    save(tmp_path / "it's 1x.csv", f"id,name\n{disk_id('b')},b\n")
    assert by_name(load(path, engine="duckdb"), "disks").keys() == {"a"}


def test_the_ledger_hashes_the_file_that_came(tmp_path):
    path = save(tmp_path / "rows.csv", f"id,name\n{disk_id('a')},a\n")
    [row] = records(load(path, engine="duckdb"), "ledger")
    assert Path(row["source"]) == path
    assert row["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
