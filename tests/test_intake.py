"""Archives, workbooks, Parquet, compressed files, and folders that mix them all."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import io
import json
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from diskenc_analysis.errors import UnreadableInputError
from diskenc_analysis.exports import load
from diskenc_analysis.intake import NOT_READ, UNREADABLE
from diskenc_analysis.prepared import prepare
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
    lines,
    page,
    records,
    save,
    subset,
    tables_of,
    vm,
)

DISKS = "microsoft.compute/disks"
SET = {"type": CMK, "diskEncryptionSetId": SET_ID}


def zstd(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    with pa.output_stream(str(path), compression="zstd") as out:
        out.write(text.encode())
    return path


def zipped(path, members):
    """Write a zip of names and contents."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def book(path, sheets):
    """Write a workbook of sheets by name, each a list of rows."""
    with xlsxwriter.Workbook(str(path)) as made:
        for name, rows in sheets.items():
            sheet = made.add_worksheet(name)
            for at, row in enumerate(rows):
                sheet.write_row(at, 0, row)
    return path


def csv_of(name):
    return (
        f'id,name,type,encryption\n{disk_id(name)},{name},microsoft.compute/disks,"{{""type"":""{PMK}""}}"\n'
    )


def sheet_of(name, *above):
    header = ["id", "name", "type", "diskSizeGB", "properties_encryption", "zones", "timeCreated"]
    row = [disk_id(name), name, "microsoft.compute/disks", 64.0, json.dumps(SET), "", "2024-05-01"]
    return [*above, header, row]


def loaded(path, size=10**9, **options):
    return load(path, engine="duckdb", small_bytes=size, **options)


def ledger(inv, *columns):
    return [tuple(row[c] for c in columns) for row in records(inv, "ledger")]


@pytest.mark.parametrize("size", PATHS)
def test_zstandard(tmp_path, size):
    zstd(tmp_path / "a.json.zst", page([disk("a")]))
    zstd(tmp_path / "b.csv.ZST", csv_of("b"))
    assert by_name(loaded(tmp_path, size), "disks").keys() == {"a", "b"}


@pytest.mark.parametrize("size", PATHS)
@pytest.mark.parametrize("name", ["a.jsonl.zst", "a.csv.zst"])
def test_a_cut_archive_of_zstandard_is_refused(tmp_path, size, name):
    path = zstd(
        tmp_path / name,
        lines([disk(f"d{n}", note=hashlib.sha256(bytes([n])).hexdigest()) for n in range(99)]),
    )
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(UnreadableInputError, match=rf"{name}: expected a whole Zstandard archive"):
        loaded(path, size)


@pytest.mark.parametrize("size", PATHS)
def test_a_zip_of_a_folder_with_everything_in_it(tmp_path, size):
    inner = zipped(tmp_path / "inner.zip", {"deep.json": page([disk("f")])}).read_bytes()
    workbook = book(tmp_path / "w.xlsx", {"Sheet1": sheet_of("d")}).read_bytes()
    table = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([disk("e")]), table)
    members = {
        "exports/": "",
        "exports/a.json": page([disk("a")]),
        "exports/b.csv": csv_of("b"),
        "exports/deep/c.jsonl.gz": gzip.compress(lines([disk("c")]).encode()),
        "exports/d.xlsx": workbook,
        "exports/e.parquet": table.getvalue(),
        "exports/inner.zip": inner,
        "exports/notes.txt": "no export",
        "exports/.hidden.json": page([disk("hidden")]),
        "__MACOSX/exports/._a.json": b"\x00\x05\x16\x07",
        "../../above.json": page([disk("above")]),
    }
    (tmp_path / "inner.zip").unlink()
    (tmp_path / "w.xlsx").unlink()
    path = zipped(tmp_path / "exports.zip", members)
    inv = loaded(tmp_path, size)
    assert by_name(inv, "disks").keys() == set("abcdef")
    found = [
        (str(Path(source).relative_to(path)), used) for source, used in ledger(inv, "source", "rows_used")
    ]
    assert found == [
        ("exports/a.json", 1),
        ("exports/b.csv", 1),
        ("exports/d.xlsx/Sheet1", 1),
        ("exports/deep/c.jsonl.gz", 1),
        ("exports/e.parquet", 1),
        ("exports/inner.zip/deep.json", 1),
        ("exports/notes.txt", 0),
    ]
    assert {row["sha256"] for row in records(inv, "ledger")} == {
        hashlib.sha256(path.read_bytes()).hexdigest()
    }


def test_an_absolute_name_in_a_zip_writes_nowhere_else(tmp_path):
    target = tmp_path / "target.json"
    path = zipped(tmp_path / "a.zip", {str(target): page([disk("a")])})
    inv = loaded(path)
    assert not target.exists()
    assert by_name(inv, "disks").keys() == {"a"}
    assert ledger(inv, "source")[0][0].startswith(f"{path}/")


@pytest.mark.parametrize("raw", [b"", b"PK\x03\x04 no zip", b"<html>Sign in</html>"])
def test_what_is_no_zip_is_refused(tmp_path, raw):
    with pytest.raises(UnreadableInputError, match=r"a\.zip: expected a whole zip archive"):
        loaded(save(tmp_path / "a.zip", raw))


def test_a_changed_member_of_a_zip_is_refused(tmp_path):
    path = zipped(tmp_path / "a.zip", {"a.json": page([disk("a")])})
    raw = bytearray(path.read_bytes())
    raw[60] ^= 255
    path.write_bytes(raw)
    with pytest.raises(UnreadableInputError, match=r"a\.zip"):
        loaded(path)


def test_a_broken_member_of_a_zip_is_named(tmp_path):
    path = zipped(tmp_path / "a.zip", {"x/broken.json": '[{"id": '})
    with pytest.raises(UnreadableInputError, match=r"^\S*/a\.zip/x/broken\.json: line 1, column"):
        loaded(path)


@pytest.mark.parametrize("size", PATHS)
def test_sheets_of_a_workbook(tmp_path, size):
    sheets = {
        "Disks": sheet_of("a", ["Export of the disks"], [], ["made on", "2026-11-24"]),
        "More.json": sheet_of("b"),
        "Empty": [],
    }
    inv = loaded(book(tmp_path / "export.xlsx", sheets), size)
    assert by_name(inv, "disks").keys() == {"a", "b"}
    expected = {"size_gb": 64.0, "encryption_type": CMK, "disk_encryption_set_id": SET_ID}
    assert subset(by_name(inv, "disks")["a"], expected) == expected
    assert [(Path(s).name, shape) for s, shape in ledger(inv, "source", "shape")] == [
        ("Disks", "sheet of a workbook"),
        ("More.json", "sheet of a workbook"),
    ]


def test_dates_and_flags_of_a_sheet_are_text(tmp_path):
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as made:
        sheet = made.add_worksheet()
        sheet.write_row(0, 0, ["id", "type", "encryptionAtHost", "provisioningState"])
        sheet.write_row(1, 0, [VM_ID, "Microsoft.Compute/virtualMachines", True])
        sheet.write_datetime(1, 3, dt.datetime(2024, 5, 1), made.add_format({"num_format": "yyyy-mm-dd"}))  # noqa: DTZ001
    [row] = records(loaded(tmp_path / "a.xlsx"), "vms")
    assert row["encryption_at_host"] is True
    assert row["provisioning_state"].startswith("2024-05-01")


@pytest.mark.parametrize("raw", [b"", b"no workbook", b"PK\x03\x04 no workbook"])
def test_what_is_no_workbook_is_refused(tmp_path, raw):
    with pytest.raises(UnreadableInputError, match=r"a\.xlsx: expected a workbook"):
        loaded(save(tmp_path / "a.xlsx", raw))


def test_a_sheet_without_ids_is_refused_by_its_name(tmp_path):
    path = book(tmp_path / "a.xlsx", {"Notes": [["what", "who"], ["disks", "me"]]})
    with pytest.raises(
        UnreadableInputError, match=r"a\.xlsx/Notes: expected a column .*got what, who; export"
    ):
        loaded(path)


@pytest.mark.parametrize("size", PATHS)
def test_nested_parquet_says_what_json_says(tmp_path, size):
    rows = [
        disk("a", encryption=SET) | {"managedBy": VM_ID, "sku": {"name": "Premium_LRS"}},
        disk("b", diskSizeBytes=2**40) | {"managedBy": None, "sku": {"name": "StandardSSD_LRS"}},
    ]
    save(tmp_path / "rows.json", page(rows))
    expected = tables_of(loaded(tmp_path / "rows.json"))
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "rows.parquet")
    found = loaded(tmp_path / "rows.parquet", size)
    assert tables_of(found) == expected
    assert ledger(found, "shape", "rows_used", "notes") == [("Parquet", 2, "")]


@pytest.mark.parametrize("size", PATHS)
def test_flat_parquet_is_like_a_csv(tmp_path, size):
    row = {"id": disk_id("a"), "name": "a", "type": "microsoft.compute/disks", "managed_by": VM_ID}
    row |= {"properties.encryption.type": PMK, "properties.diskSizeGB": 32, "sku": '{"name":"Premium_LRS"}'}
    row |= {"properties.encryptionSettingsCollection.enabled": True}
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "rows.parquet")
    found = by_name(loaded(tmp_path / "rows.parquet", size), "disks")["a"]
    expected = {
        "managed_by": VM_ID,
        "encryption_type": PMK,
        "size_gb": 32.0,
        "sku": "Premium_LRS",
        "ade_enabled": True,
    }
    assert subset(found, expected) == expected
    assert "security_type: column not exported" in found["doubt"]
    assert "ade_settings" not in found["doubt"]


@pytest.mark.parametrize("raw", [b"", b"PAR1 no parquet", b"PAR1\x00\x00PAR1"])
def test_what_is_no_parquet_is_refused(tmp_path, raw):
    with pytest.raises(UnreadableInputError, match=r"a\.parquet: expected a parquet"):
        loaded(save(tmp_path / "a.parquet", raw))


def test_a_saved_inventory_is_no_export(tmp_path):
    save(tmp_path / "a.json", page([disk("a")]))
    loaded(tmp_path / "a.json").save(tmp_path / "saved")
    for path in (tmp_path, tmp_path / "saved"):
        with pytest.raises(UnreadableInputError, match=r"saved: .*Inventory\.open"):
            loaded(path)


@pytest.mark.parametrize("size", PATHS)
def test_keep_going_loads_the_rest_and_tells_the_loss(tmp_path, size):
    save(tmp_path / "a.json", page([disk("a")]))
    save(tmp_path / "b.json", json.dumps([disk("b")])[:-9])
    save(tmp_path / "c.csv", "Name,Type\nd,Disk\n")
    save(tmp_path / "d.jsonl.gz", b"").write_bytes(b"\x1f\x8b no gzip")
    zipped(tmp_path / "e.zip", {"x.json": page([disk("x")]), "y.json": "<html>Sign in</html>"})
    save(tmp_path / "f.txt", "no export")
    with pytest.raises(UnreadableInputError):
        loaded(tmp_path, size)
    inv = loaded(tmp_path, size, keep_going=True)
    assert by_name(inv, "disks").keys() == {"a", "x"}
    found = {
        str(Path(s).relative_to(tmp_path)): (shape, note)
        for s, shape, note in ledger(inv, "source", "shape", "notes")
    }
    assert {name for name, (shape, _) in found.items() if shape == UNREADABLE} == {
        "b.json",
        "c.csv",
        "d.jsonl.gz",
        "e.zip/y.json",
    }
    assert found["f.txt"] == (NOT_READ, "")
    assert found["c.csv"][1].startswith(f"{tmp_path}/c.csv: expected a column")
    assert found["e.zip/y.json"][1].startswith(f"{tmp_path}/e.zip/y.json: ")
    assert inv.totals == {"rows_read": 2, "rows_used": 2, "rows_set_aside": 0}
    gaps = dict(zip(*(inv.gaps()[c] for c in ("gap", "rows")), strict=True))
    assert gaps["files that could not be read"] == 4
    assert gaps["files of a kind that is not read"] == 1


def test_nothing_of_a_file_that_breaks_off_is_kept(tmp_path):
    """The first table is in place, with rows for the thorough pass waiting, when the second one fails."""
    rows = [disk("a"), {"Id": disk_id("odd"), "Type": "Microsoft.Compute/disks"}, vm("v")]
    save(tmp_path / "a.json", json.dumps(rows) + '{"id"')
    save(tmp_path / "b.json", page([disk("b")]))
    inv = loaded(tmp_path, 0, keep_going=True)
    assert by_name(inv, "disks").keys() == {"b"}
    assert counts(inv)[DISKS] == (1, 1, 0, "")
    assert inv.totals == {"rows_read": 1, "rows_used": 1, "rows_set_aside": 0}


def test_scratch_files_do_not_outlive_their_part(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    (tmp_path / "tmp").mkdir()
    zipped(tmp_path / "e.zip", {"x.json": page([disk("x")]), "b.csv": csv_of("b")})
    with pytest.raises(UnreadableInputError):
        loaded([tmp_path / "e.zip", save(tmp_path / "broken.json", "[")])
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_report_goes_on_without_what_cannot_be_read_where_it_is_told_to(tmp_path):
    save(tmp_path / "in" / "disks.jsonl", lines([disk("a")]))
    save(tmp_path / "in" / "broken.json", "<html>")
    with pytest.raises(UnreadableInputError, match=r"broken\.json"):
        prepare(tmp_path / "in", tmp_path / "one")
    start = prepare(tmp_path / "in", tmp_path / "two", keep_going=True)
    assert start.inv.count("disks") == 1
    assert len(counts(start.inv)) == 2
