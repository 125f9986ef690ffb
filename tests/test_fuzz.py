"""Real shapes, damaged at random: a documented error or rows that are accounted for, and no wrong verdict."""

from __future__ import annotations

import copy
import csv
import io
import json
import tempfile
from pathlib import Path

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from diskenc_analysis.errors import UnreadableInputError
from diskenc_analysis.exports import load
from tests.exported import (
    CMK,
    COMPUTE,
    DIRECT,
    FORMS,
    GROUP,
    SET_ID,
    THOROUGH,
    disk_id,
    judged,
    save,
    tables_of,
)

VM_ID = f"{COMPUTE}/virtualMachines/vm-1"
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv"
STORED = "https://kv.vault.azure.net/secrets/s/1"
#: What the rows below say of the disk: a key of the customer, encryption at host, ADE on, not confidential.
TRUTH = {"sse": "customer", "host": "on", "ade": "on", "confidential": "off"}
#: What a member that is absent, or null, means instead; the owner's absence leaves no host to ask.
ABSENT = {
    "sse": {"unknown"},
    "host": {"off", "not_attached", "unknown"},
    "ade": {"off", "unknown"},
    "confidential": set(),
}

REST = [
    {
        "id": disk_id("d"),
        "name": "d",
        "type": "Microsoft.Compute/disks",
        "location": "westeurope",
        "managedBy": VM_ID,
        "sku": {"name": "Premium_LRS"},
        "tags": {"owner": "a"},
        "properties": {
            "diskSizeGB": 64,
            "diskState": "Attached",
            "encryption": {"type": CMK, "diskEncryptionSetId": SET_ID},
            "encryptionSettingsCollection": {
                "enabled": True,
                "encryptionSettings": [
                    {"diskEncryptionKey": {"secretUrl": STORED, "sourceVault": {"id": VAULT}}}
                ],
                "encryptionSettingsVersion": "1.1",
            },
            "securityProfile": {"securityType": "TrustedLaunch"},
        },
    },
    {
        "id": VM_ID,
        "name": "vm-1",
        "type": "Microsoft.Compute/virtualMachines",
        "location": "westeurope",
        "properties": {
            "hardwareProfile": {"vmSize": "Standard_D4s_v5"},
            "securityProfile": {"encryptionAtHost": True},
            "storageProfile": {"dataDisks": [{"lun": 0, "managedDisk": {"id": disk_id("d")}, "name": "d"}]},
        },
    },
]
#: The same as the command line prints it.
FLAT = [{**{n: v for n, v in row.items() if n != "properties"}, **row["properties"]} for row in REST]
#: Values that belong nowhere.
ODD = [
    5,
    -1.5,
    "text",
    "",
    "5",
    [],
    {},
    ["x"],
    {"x": 1},
    [[]],
    "{",
    "a'b\"c;--",
    "\u0000",
    10**400,
    "é" * 300,
]


def places(value, at=()):
    """Give the place of every value inside."""
    found = [at] if at else []
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inner:
        found += places(one, (*at, name))
    return found


def damaged(rows, place, how, odd):
    """Change one value of the rows."""
    out = copy.deepcopy(rows)
    node = out
    for name in place[:-1]:
        node = node[name]
    name = place[-1]
    if how == "replace":
        node[name] = odd
    elif how == "null":
        node[name] = None
    elif how == "delete":
        del node[name]
    return out


def loaded(path, size):
    """Load a file, or give None where that is refused as it should be."""
    try:
        return load(path, engine="duckdb", small_bytes=size)
    except UnreadableInputError as error:
        if str(path) not in str(error):
            raise
        return None


def check(inv):
    """Check that every row is used or set aside, and stands in a table if it is used."""
    totals = inv.totals
    assert totals["rows_read"] == totals["rows_used"] + totals["rows_set_aside"]
    there = sum(inv.count(name) for name in ("disks", "vms", "disk_encryption_sets"))
    assert there == totals["rows_used"]


#: No shrinking: each example loads files several times.
FEW = settings(max_examples=8, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
CASES = [
    (rows, place, how, odd)
    for rows in (REST, FLAT)
    for place in places(rows)
    for how in ("replace", "null", "delete")
    for odd in (ODD if how == "replace" else [None])
]


def numbered(rows, number):
    """Give the rows ids of their own."""
    text = json.dumps(rows).replace(f'{disk_id("d")}"', f'{disk_id(f"d{number}")}"')
    return json.loads(text.replace(f'{VM_ID}"', f'{VM_ID}-{number}"'))


def allowed(layer, place, how, odd):
    """Say what a layer may be after one change: as it was, unknown, or what an absent value means."""
    gone = how in ("null", "delete") or odd in ("", {})
    owner = place[0] == 1 or place == (0, "managedBy")
    return {TRUTH[layer], "unknown"} | (ABSENT[layer] if gone or owner else set())


@given(
    chosen=st.lists(st.integers(0, len(CASES) - 1), min_size=60, max_size=150),
    form=st.sampled_from(["array.json", "lines.jsonl", "page.json"]),
)
@settings(FEW, max_examples=5)
def test_one_changed_value_makes_no_wrong_verdict(chosen, form):
    cases = [CASES[n] for n in chosen]
    rows = numbered(REST, "whole")
    for number, (base, place, how, odd) in enumerate(cases):
        rows += damaged(numbered(base, number), place, how, odd)
    with tempfile.TemporaryDirectory() as made:
        path = save(Path(made) / form, FORMS[form](rows))
        both = [loaded(path, size) for size in (THOROUGH, DIRECT)]
    assert tables_of(both[0]) == tables_of(both[1])
    assert both[0].totals == both[1].totals
    for inv in both:
        check(inv)
    found = {str(row[0]).lower(): row[1:] for row in judged(both[0], "disk_id", *TRUTH)}
    assert found[disk_id("dwhole").lower()] == tuple(TRUTH.values())
    for number, (_, place, how, odd) in enumerate(cases):
        for layer, value in zip(TRUTH, found.get(disk_id(f"d{number}").lower(), ()), strict=False):
            assert value in allowed(layer, place, how, odd), (layer, value, place, how, odd)


@given(
    form=st.sampled_from(sorted(FORMS)),
    at=st.floats(0, 1),
    what=st.sampled_from(["cut", "byte", "insert"]),
    byte=st.integers(0, 255),
)
@FEW
def test_damaged_bytes_are_refused_or_accounted_for(form, at, what, byte):
    with tempfile.TemporaryDirectory() as made:
        path = save(Path(made) / form, FORMS[form](REST))
        raw = path.read_bytes()
        n = int(at * (len(raw) - 1))
        tail = {"cut": b"", "byte": raw[n + 1 :], "insert": raw[n:]}[what]
        path.write_bytes(raw[:n] + (b"" if what == "cut" else bytes([byte])) + tail)
        for size in (THOROUGH, DIRECT):
            if inv := loaded(path, size):
                check(inv)


HEADER = "id,name,type,managedBy,encryption,diskSizeGB,tags"
CELLS = [
    disk_id("d"),
    "d",
    "Microsoft.Compute/disks",
    VM_ID,
    json.dumps({"type": CMK}),
    "64",
    '{"a": "b, c"}',
]
CSV = "\ufeff" + HEADER + "\r\n" + ",".join('"' + c.replace('"', '""') + '"' for c in CELLS) + "\r\n"


@given(at=st.floats(0, 1), what=st.sampled_from(["cut", "byte", "insert"]), byte=st.integers(0, 255))
@FEW
def test_a_damaged_csv_is_refused_or_accounted_for(at, what, byte):
    raw = CSV.encode()
    n = int(at * (len(raw) - 1))
    tail = {"cut": b"", "byte": raw[n + 1 :], "insert": raw[n:]}[what]
    with tempfile.TemporaryDirectory() as made:
        path = save(Path(made) / "rows.csv", raw[:n] + (b"" if what == "cut" else bytes([byte])) + tail)
        both = [loaded(path, size) for size in (THOROUGH, DIRECT)]
    assert (both[0] is None) == (both[1] is None)
    if both[0] and both[1]:
        assert tables_of(both[0]) == tables_of(both[1])
        for inv in both:
            check(inv)
            ades = [row[0] for row in judged(inv, "ade")] if inv.count("disks") else []
            assert set(ades) <= {"unknown"}


@given(cells=st.lists(st.lists(st.text(max_size=12), min_size=1, max_size=4), max_size=5))
@FEW
def test_any_table_of_text_is_refused_or_accounted_for(cells):
    out = io.StringIO()
    csv.writer(out).writerows([["id", "name", "properties"], *cells])
    with tempfile.TemporaryDirectory() as made:
        path = save(Path(made) / "rows.csv", out.getvalue().encode("utf-8", "replace"))
        both = [loaded(path, size) for size in (THOROUGH, DIRECT)]
    for inv in both:
        if inv:
            check(inv)
            assert inv.count("disks") == inv.totals["rows_used"]
