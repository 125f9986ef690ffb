"""Exports in the spellings and shapes of Azure's tools, and what the reader makes of them, for its tests."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from diskenc_analysis import schema
from diskenc_analysis.coverage import coverage
from diskenc_analysis.exports import load
from diskenc_analysis.inventory import Inventory

Json = dict[str, Any]
#: Sizes in bytes up to which a file is small: with the first every file is, with the second none.
THOROUGH, DIRECT = 10**9, 0
PATHS = (THOROUGH, DIRECT)

SUBSCRIPTION = "11111111-2222-4333-8444-555555555555"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/RG-Export"
COMPUTE = f"{GROUP}/providers/Microsoft.Compute"
PMK, CMK = "EncryptionAtRestWithPlatformKey", "EncryptionAtRestWithCustomerKey"
SET_ID, VM_ID = f"{COMPUTE}/diskEncryptionSets/des-1", f"{COMPUTE}/virtualMachines/vm-1"


def disk_id(name: str) -> str:
    return f"{COMPUTE}/disks/{name}"


def disk(name: str, **properties: object) -> Json:
    """Build a managed disk as ARM's REST reply has it."""
    body = {"diskSizeGB": 64, "diskState": "Unattached", "encryption": {"type": PMK}} | properties
    head = {"id": disk_id(name), "name": name, "type": "Microsoft.Compute/disks", "location": "westeurope"}
    return head | {"properties": body}


def vm(name: str, **properties: object) -> Json:
    """Build a virtual machine as ARM's REST reply has it."""
    body = {"hardwareProfile": {"vmSize": "Standard_D4s_v5"}} | properties
    head = {"id": f"{COMPUTE}/virtualMachines/{name}", "name": name}
    return head | {"type": "Microsoft.Compute/virtualMachines", "location": "westeurope", "properties": body}


def stub(name: str) -> Json:
    """Build a disk as a listing of all resources has it: without its properties."""
    return {k: v for k, v in disk(name).items() if k != "properties"}


def lines(rows: Iterable[object]) -> str:
    return "\n".join(json.dumps(row) for row in rows) + "\n"


def page(rows: list[Any], **members: object) -> str:
    """Write the reply of ARM's list operations, indented as tools save it."""
    return json.dumps({"value": rows, **members}, indent=1)


def graph(rows: list[Any], **members: object) -> str:
    """Write Resource Graph's reply as `az graph query` prints it."""
    head = {"count": len(rows), "data": rows, "skip_token": None, "total_records": len(rows)}
    return json.dumps(head | members, indent=2)


#: How the same rows are written, by the file's name.
FORMS = {
    "array.json": json.dumps,
    "lines.jsonl": lines,
    "page.json": page,
    "graph.json": graph,
    "packed.jsonl.gz": lines,
}


def save(path: Path, content: str | bytes) -> Path:
    """Write a file, packed where its name says so."""
    raw = content.encode() if isinstance(content, str) else content
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return path


def tables_of(inv: Inventory) -> dict[str, list[tuple[Any, ...]]]:
    """Give every table that holds anything, without the column `source`, in an order of its own."""
    found = {}
    for name, table in schema.tables().items():
        columns = ", ".join(f'"{c}"' for c in table.column_names() if c != "source")
        rows = inv.connection.execute(f'SELECT {columns} FROM "{name}"').fetchall()
        if rows:
            found[name] = sorted(rows, key=repr)
    return found


def records(inv: Inventory, table: str) -> list[Json]:
    """Give the rows of a table as dictionaries, by key or by whatever column comes first."""
    cursor = inv.connection.execute(f'SELECT * FROM "{table}" ORDER BY ALL')
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def by_name(inv: Inventory, table: str) -> dict[str, Json]:
    """Give the rows of a table of ARM resources by their name."""
    return {row["name"]: row for row in records(inv, table)}


def counts(inv: Inventory) -> dict[str, tuple[int, int, int, str]]:
    """Give what the ledger counts, by resource type: read, used, set aside, and why."""
    rows = records(inv, "ledger")
    names = ("rows_read", "rows_used", "rows_set_aside", "reasons")
    assert all(row["rows_read"] == row["rows_used"] + row["rows_set_aside"] for row in rows)
    assert all(row["rows_used"] >= 0 for row in rows)
    return {row["resource_type"]: tuple(row[n] for n in names) for row in rows}


def read(path: Path, small_bytes: int = THOROUGH) -> Inventory:
    return load(path, engine="duckdb", small_bytes=small_bytes)


def read_text(
    folder: Path, content: object, small_bytes: int = THOROUGH, name: str = "rows.json"
) -> Inventory:
    """Save text, bytes, or rows as an array, and load them."""
    text = content if isinstance(content, str | bytes) else json.dumps(content)
    return read(save(folder / name, text), small_bytes)


def judged(inv: Inventory, *columns: str) -> list[tuple[Any, ...]]:
    """Give columns of the coverage."""
    return [tuple(row[name] for name in columns) for row in covered(inv)]


def covered(inv: Inventory) -> list[Json]:
    """Give the rows of the coverage, judged on Arrow, which plans no tiny tables."""
    rows: list[Json] = coverage(Inventory(inv.connection, "arrow")).to_pylist()
    return rows


def subset(row: Mapping[str, Any], expected: Mapping[str, Any]) -> Json:
    """Cut a row down to the columns that are expected, for a readable comparison."""
    return {name: row[name] for name in expected}
