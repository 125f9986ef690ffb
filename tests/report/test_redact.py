from __future__ import annotations

import json
import re
import stat
import zipfile
from collections import Counter

import pytest

from diskenc_analysis import report
from diskenc_analysis.coverage import COLUMNS, coverage
from diskenc_analysis.errors import ParameterError, UnknownNameError
from diskenc_analysis.exports import load
from diskenc_analysis.manifest import verify
from diskenc_analysis.ownership import key_ownership
from diskenc_analysis.pseudonyms import Pseudonyms
from diskenc_analysis.redact import pseudonyms, redacted
from diskenc_analysis.report import Options
from diskenc_analysis.share import sample_path
from tests.rules import records
from tests.shared import QUICK

SUB, TENANT = "5d0b3a9e-7c1f-4a5e-9a43-0c6f1f0e2b11", "9c1e7f52-3b0d-4f53-8a8e-64d1f3a0c977"
VERSION = "0123456789abcdef0123456789abcdef"
#: Every name below is distinct, and no word of the report.
NAMES = (
    *("zq-subscription", "Zq Holding (EU)", "zq-group", "zq-vm", "zq-osdisk", "zq-datadisk", "zq-set"),
    *("zq-vault", "zq-key", "zq-owner@example.org", "zq-export"),
)
NAMING = ("disk_id", "name", "subscription_id", "subscription_name", "resource_group", "vm_id", "tags")
IDS = (SUB, TENANT, VERSION)


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    """One VM, its two disks, a set, a vault and a key, named as nothing else is."""
    group = f"/subscriptions/{SUB}/resourceGroups/zq-group/providers"
    compute = f"{group}/Microsoft.Compute"
    des, vault = f"{compute}/diskEncryptionSets/zq-set", f"{group}/Microsoft.KeyVault/vaults/zq-vault"
    key = f"https://zq-vault.vault.azure.net/keys/zq-key/{VERSION}"
    customer = {"type": "EncryptionAtRestWithCustomerKey", "diskEncryptionSetId": des}

    def disk(name):
        return {
            "id": f"{compute}/disks/{name}",
            "name": name,
            "location": "westeurope",
            "tags": {"owner": "zq-owner@example.org"},
            "managedBy": f"{compute}/virtualMachines/ZQ-VM",
            "properties": {"diskSizeGB": 64, "diskState": "Attached", "encryption": customer},
        }

    profile = {
        "osDisk": {
            "name": "zq-osdisk",
            "osType": "Linux",
            "managedDisk": {"id": f"{compute}/disks/zq-osdisk"},
        },
        "dataDisks": [
            {"lun": 0, "name": "zq-datadisk", "managedDisk": {"id": f"{compute}/disks/zq-datadisk"}}
        ],
    }
    objects = [
        {
            "id": f"/subscriptions/{SUB}",
            "subscriptionId": SUB,
            "displayName": "Zq Holding (EU)",
            "tenantId": TENANT,
        },
        disk("zq-osdisk"),
        disk("zq-datadisk"),
        {
            "id": f"{compute}/virtualMachines/zq-vm",
            "name": "zq-vm",
            "properties": {"hardwareProfile": {"vmSize": "Standard_D4s_v3"}, "storageProfile": profile},
        },
        {
            "id": des,
            "name": "zq-set",
            "properties": {
                "encryptionType": "EncryptionAtRestWithCustomerKey",
                "activeKey": {"keyUrl": key, "sourceVault": {"id": vault}},
            },
        },
        {"id": vault, "name": "zq-vault", "properties": {"sku": {"name": "premium"}, "tenantId": TENANT}},
    ]
    folder = tmp_path_factory.mktemp("in") / "zq-export"
    folder.mkdir()
    (folder / "zq-subscription.json").write_text(json.dumps(objects))
    return folder


@pytest.fixture(scope="module", params=["names", "ids", "all"])
def made(request, exports, tmp_path_factory):
    out = tmp_path_factory.mktemp(request.param) / "report"
    gates = [
        "customer_keys=100@resource_group=zq-group",
        "customer_keys=100@subscription_name=Zq Holding (EU)",
    ]
    return request.param, report.render(
        exports, out, params=QUICK, options=Options(gates=gates, zipped=True, redact=request.param)
    )


def contents(folder):
    """Every file, and every file in those that are archives, as text."""
    import pyarrow.parquet as pq

    for path in sorted(folder.rglob("*")):
        if path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as book:
                yield (
                    path.name,
                    "".join(book.read(name).decode("utf-8", "replace") for name in book.namelist()),
                )
        elif path.suffix == ".parquet":
            yield path.name, json.dumps(pq.read_table(path).to_pylist(), default=str, ensure_ascii=False)
        elif path.is_file():
            yield path.name, path.read_text(encoding="utf-8").replace("<wbr>", "")


def test_no_output_holds_an_original(made):
    mode, result = made
    originals = {"names": NAMES, "ids": IDS, "all": (*NAMES, *IDS)}[mode]
    found = [
        (file, original)
        for file, text in contents(result.folder)
        for original in originals
        if original.lower() in text.lower()
    ]
    assert found == []
    assert verify(result.folder).complaints == ()
    assert {outcome.met for outcome in result.gates} == {True}


def test_what_was_not_to_be_replaced_is_there(made):
    mode, result = made
    kept = {"names": (SUB,), "ids": ("zq-datadisk", "Zq Holding (EU)"), "all": ()}[mode]
    text = dict(contents(result.folder))["disks.csv"]
    assert all(original in text for original in kept)


def test_the_key_file_tells_the_originals_and_lies_outside(made):
    mode, result = made
    file = result.folder.with_name("report.key.json")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    originals = json.loads(file.read_text())["originals"]
    disks = dict(contents(result.folder))["disks.csv"]
    shown = {pseudonym for pseudonym in originals if pseudonym in disks}
    wanted = {"names": {"zq-datadisk", "zq-vm"}, "ids": {SUB}, "all": {"zq-datadisk", "zq-vm", SUB}}[mode]
    assert wanted <= {originals[pseudonym].lower() for pseudonym in shown}
    assert "report.key.json" not in zipfile.ZipFile(result.folder.with_name("report.zip")).namelist()


def test_the_page_says_that_names_are_pseudonyms(made):
    _, result = made
    for page in result.pages:
        assert "are pseudonyms, the same for the same original" in page.read_text()


def test_pseudonyms_are_the_same_in_the_next_run(tmp_path):
    from diskenc_analysis.redact import write_key

    key = tmp_path / "key.json"
    first = pseudonyms("all", key)
    name = first.name("vm-1")
    write_key(first, key)
    again = pseudonyms("all", key)
    assert again.name("VM-1") == name
    assert again.originals[name] == "vm-1"
    assert pseudonyms("all", tmp_path / "other.json").name("vm-1") != name


def test_another_file_is_no_key(tmp_path):
    for text in ("", "{}", "[]", '{"kind": "x", "secret": "00", "originals": {}}'):
        (tmp_path / "key.json").write_text(text)
        with pytest.raises(ParameterError, match="expected the key file of a redacted report"):
            pseudonyms("all", tmp_path / "key.json")
    with pytest.raises(UnknownNameError, match='Did you mean "names"'):
        pseudonyms("name", tmp_path / "none")


@pytest.fixture(scope="module")
def sample():
    return load(sample_path(), engine="polars")


@pytest.fixture(scope="module")
def covered(sample):
    return coverage(sample)


@pytest.mark.parametrize("mode", ["names", "ids", "all"])
def test_the_verdicts_of_the_sample_stay_the_same(sample, covered, mode):
    said = [name for name in COLUMNS if name not in NAMING]
    hidden = redacted(sample, Pseudonyms(mode, b"secret"))
    plain, other = (
        Counter(tuple(row[name] for name in said) for row in records(frame))
        for frame in (covered, coverage(hidden))
    )
    assert other == plain
    assert plain.total() == 400


def test_every_chain_to_a_key_can_still_be_followed(sample):
    hidden = redacted(sample, Pseudonyms("all", b"secret"))
    said = ("layer", "holder", "needed", "store", "hsm_key", "key_state", "reason")
    said += ("other_subscription", "other_tenant")
    plain, other = (
        Counter(tuple(row[name] for name in said) for row in records(key_ownership(one, as_of="2026-11-24")))
        for one in (sample, hidden)
    )
    assert other == plain


def test_every_name_and_guid_of_the_sample_is_replaced(sample):
    covered = records(coverage(redacted(sample, Pseudonyms("all", b"secret"))))
    said = ("name", "subscription_name", "resource_group", "disk_id")
    rows = [tuple(row[name] for name in said) for row in covered]
    assert len(rows) == 400
    assert all(
        re.fullmatch(r"(?:mc_)?name-[a-z2-7]{13}|\d+", text) for row in rows for text in row[:3] if text
    )
    assert all(
        guid.startswith("00000000-")
        for *_, text in rows
        for guid in re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", text)
    )


def test_what_azure_ships_keeps_its_name():
    made = Pseudonyms("names", b"secret")
    image = "/subscriptions/s/providers/Microsoft.Compute/locations/westeurope/publishers/p/offers/o"
    assert made.arm(image) == image
    assert made.arm("/providers/Microsoft.Authorization/policyDefinitions/x").endswith("policyDefinitions/x")
    assert made.url("https://kv.vault.azure.net:443/").endswith(".vault.azure.net:443/")
    assert "sig=" not in made.url("https://account.blob.core.windows.net/vhds/a.vhd?sig=secret")


def test_a_name_that_is_a_word_of_a_sentence_leaves_other_words_alone():
    made = Pseudonyms("names", b"secret")
    pseudonym = made.name("data")
    assert made.prose("The data of metadata. See data.") == f"The {pseudonym} of metadata. See {pseudonym}."
