"""The queries of a complete export, and the script that runs them, against a stand-in for the Azure CLI."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from diskenc_analysis.cli import app
from diskenc_analysis.errors import ParameterError
from diskenc_analysis.exports import load
from diskenc_analysis.queries import queries, write
from diskenc_analysis.schema import TYPES
from tests.exported import COMPUTE, SUBSCRIPTION, by_name, disk, records, save, vm

KQL = {name: text for name, text in queries().items() if name.endswith(".kql")}
#: Types that Resource Graph has no rows for, instances, whose extensions come with them, and the name that
#: Azure Resource Manager has for a feature.
NOT_IN_GRAPH = {
    "microsoft.compute/skus",
    "microsoft.keyvault/vaults/keys",
    "microsoft.keyvault/managedhsms/keys",
    "microsoft.compute/restorepointcollections/restorepoints/diskrestorepoints",
    "microsoft.compute/virtualmachinescalesets/virtualmachines/extensions",
    "microsoft.compute/virtualmachinescalesets/extensions",
    "microsoft.features/providers/features",
}


@pytest.mark.parametrize("name", KQL)
def test_every_query_gives_whole_rows_in_an_order(name):
    """Without an order pages do not fit together; without the id Resource Graph gives no skip token."""
    text = KQL[name]
    assert text.rstrip().endswith("| order by id asc")
    [columns] = re.findall(r"\| project (.*)", text)
    assert {"id", "name", "type", "properties"} <= set(columns.split(", "))
    assert not re.search(r"\|\s*(limit|take|sample|mv-expand|join)\b", text)


def test_every_type_of_the_tables_is_asked_for():
    asked = set(re.findall(r"'(microsoft\.[^']+)'", "".join(KQL.values())))
    assert asked == {arm_type for types in TYPES.values() for arm_type in types} - NOT_IN_GRAPH


def test_disks_are_asked_for_with_their_owner_and_sku():
    assert {"managedBy", "sku", "tags"} <= set(re.findall(r"\w+", KQL["resources.kql"]))


def test_the_command_prints_them_all():
    result = CliRunner().invoke(app, ["queries"])
    assert result.exit_code == 0
    for name, text in queries().items():
        assert f"=== {name} ===\n{text}" in result.output


def test_the_command_writes_them(tmp_path):
    result = CliRunner().invoke(app, ["queries", "-o", str(tmp_path / "made")])
    assert result.exit_code == 0
    assert {p.name: p.read_text(encoding="utf-8") for p in (tmp_path / "made").iterdir()} == queries()
    assert os.access(tmp_path / "made" / "export.sh", os.X_OK)


def test_a_folder_that_is_a_file_is_an_error(tmp_path):
    path = save(tmp_path / "file", "")
    with pytest.raises(ParameterError, match="file: expected a folder to write to"):
        write(path)


#: Answers the commands of the script: Resource Graph in pages of two rows, by the rows that ROWS holds.
STAND_IN = r"""
import json, os, sys
args, rows = sys.argv[1:], json.load(open(os.environ["ROWS"]))
given = lambda name: args[args.index(name) + 1] if name in args else ""
if args[:2] == ["graph", "query"]:
    name = os.path.basename(given("--graph-query")).removesuffix(".kql")
    found, start = rows["graph"].get(name, []), int(given("--skip-token") or 0)
    more = str(start + 2) if start + 2 < len(found) else None
    page = found[start : start + 2]
    reply = {"count": len(page), "data": page, "skip_token": more, "total_records": len(found)}
    print(json.dumps(reply, indent=2))
else:
    command = " ".join(args[: next((i for i, a in enumerate(args) if a.startswith("-")), len(args))])
    hsm = given("--resource-type") == "hsm" or "--hsm-name" in args or ".managedhsm." in given("--id")
    command += " hsm" if hsm else ""
    answer = rows["other"][command]
    print(answer if isinstance(answer, str) else json.dumps(answer, indent=2))
"""
KEY_URL = "https://kv.vault.azure.net/keys/k"
HSM_URL = "https://mhsm.managedhsm.azure.net/keys/k"


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_the_script_makes_an_export_that_loads_whole(tmp_path):
    whole = vm(
        "vm-1", instanceView={"disks": [{"name": "os", "statuses": [{"code": "EncryptionState/encrypted"}]}]}
    )
    size = {
        "resourceType": "virtualMachines",
        "name": "Standard_D4s_v5",
        "locations": ["westeurope"],
        "capabilities": [],
    }
    answers = {
        "graph": {
            "resources": [disk(name) for name in "abcde"],
            "subscriptions": [
                {
                    "id": f"/subscriptions/{SUBSCRIPTION}",
                    "name": "Prod",
                    "type": "microsoft.resources/subscriptions",
                    "subscriptionId": SUBSCRIPTION,
                    "properties": {"state": "Enabled"},
                }
            ],
        },
        "other": {
            "vm list-skus": [size],
            "account list": SUBSCRIPTION,
            "vm list": f"{COMPUTE}/virtualMachines/vm-1",
            "vm get-instance-view": [whole],
            "keyvault list": "kv",
            "keyvault key list": KEY_URL,
            "keyvault key show": {
                "key": {"kid": f"{KEY_URL}/1", "kty": "RSA-HSM"},
                "attributes": {"enabled": True},
            },
            "keyvault list hsm": "mhsm",
            "keyvault key list hsm": HSM_URL,
            "keyvault key show hsm": {
                "key": {"kid": f"{HSM_URL}/2", "kty": "RSA-HSM"},
                "attributes": {"enabled": True},
            },
        },
    }
    write(tmp_path / "queries")
    az = save(tmp_path / "bin" / "az", f"#!{sys.executable}\n{STAND_IN}")
    az.chmod(0o755)
    save(tmp_path / "rows.json", json.dumps(answers))
    environment = os.environ | {
        "PATH": f"{az.parent}:{os.environ['PATH']}",
        "ROWS": str(tmp_path / "rows.json"),
    }
    out = tmp_path / "exports" / "2026-11-24"
    script = str(tmp_path / "queries" / "export.sh")
    subprocess.run([script, str(out)], env=environment, check=True, stdin=subprocess.DEVNULL)
    inv = load(out, engine="duckdb")
    assert by_name(inv, "disks").keys() == set("abcde")
    assert by_name(inv, "vms").keys() == {"vm-1"}
    assert [row["status_codes"] for row in records(inv, "vm_disk_status")] == ["EncryptionState/encrypted"]
    assert [row["size"] for row in records(inv, "vm_sizes")] == ["Standard_D4s_v5"]
    keys = sorted((row["key_url"], row["kty"]) for row in records(inv, "keys"))
    assert keys == [(f"{KEY_URL}/1", "RSA-HSM"), (f"{HSM_URL}/2", "RSA-HSM")]
    assert [row["display_name"] for row in records(inv, "subscriptions")] == ["Prod"]
    assert {row["captured_at"] for row in records(inv, "ledger")} == {"2026-11-24"}
    assert {row["truncation_reason"] for row in records(inv, "ledger")} == {""}
    (out / "resources-0002.json").unlink()
    cut = load(out, engine="duckdb")
    assert {r["truncation_reason"] for r in records(cut, "ledger") if r["truncated"]} == {
        "skip token left over; 2 of 5 records",
        "1 of 5 records",
    }
