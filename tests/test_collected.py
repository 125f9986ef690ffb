"""`export.json` beside exports: what it says reaches the ledger, and what it cannot say is an error."""

from __future__ import annotations

import hashlib
import json

import pytest

import diskenc_analysis as de
from diskenc_analysis import digest
from diskenc_analysis.errors import UnreadableInputError
from diskenc_analysis.note import Note, Part, Request
from tests.exported import disk

KIND = "microsoft.compute/disks"


def folder_of(tmp_path, *parts, **more):
    """Make an export folder by hand, with a file for each part that has rows."""
    for part in parts:
        (tmp_path / part.name).mkdir(exist_ok=True)
        if part.rows:
            rows = [disk(f"{part.key}{n}") for n in range(part.rows)]
            data = "".join(json.dumps(row) + "\n" for row in rows).encode()
            (tmp_path / part.name / f"{part.key}.jsonl").write_bytes(data)
            part.file, part.sha256 = f"{part.name}/{part.key}.jsonl", hashlib.sha256(data).hexdigest()
    (tmp_path / "export.json").write_text(Note(parts=list(parts), **more).model_dump_json())
    return tmp_path


def part(key, status, rows=0, **more):
    return Part(name="disks", type=KIND, key=key, status=status, rows=rows, **more)


def ledger(path):
    return {row["source"].rpartition("/")[2]: row for row in de.load(path).ledger.to_dict("records")}


def test_each_part_is_a_row_whether_it_left_a_file_or_not(tmp_path):
    found = ledger(
        folder_of(
            tmp_path,
            part("a", "complete", 2),
            part("b", "complete"),
            part("c", "denied", reason="HTTP 403 AuthorizationFailed"),
            part("d", "partial", 1, reason="HTTP 500", total_records=4),
        )
    )
    said = {name: (row["status"], row["rows_used"], row["truncated"]) for name, row in found.items()}
    assert said == {
        "a.jsonl": ("complete", 2, False),
        "b.jsonl": ("complete", 0, False),
        "c.jsonl": ("denied", 0, True),
        "d.jsonl": ("partial", 1, True),
        "export.json": ("", 0, False),
    }
    assert found["d.jsonl"]["truncation_reason"] == "partial: HTTP 500; 1 of 4 records"


def test_parts_that_only_lead_to_others_are_no_rows(tmp_path):
    lead = Part(name="galleries", type="", key="a", status="complete")
    assert list(ledger(folder_of(tmp_path, part("a", "complete", 1), lead))) == ["a.jsonl", "export.json"]


def test_the_time_of_collection_orders_two_captures(tmp_path):
    for name, day in (("one", "2026-11-23"), ("two", "2026-11-24")):
        (tmp_path / name).mkdir()
        folder_of(tmp_path / name, part("a", "complete", 1, ended_at=f"{day}T06:00:00Z"))
    used = {row["captured_at"]: row["rows_used"] for row in de.load(tmp_path).ledger.to_dict("records")}
    assert used == {"2026-11-23T06:00:00Z": 0, "2026-11-24T06:00:00Z": 1, None: 0}


def test_a_changed_file_is_no_longer_what_was_collected(tmp_path):
    path = folder_of(tmp_path, part("a", "complete", 1))
    with (path / "disks" / "a.jsonl").open("a") as file:
        file.write("\n")
    assert ledger(path)["a.jsonl"]["truncation_reason"] == "the file was changed after it was collected"


def test_gaps_tell_denied_from_cut_and_from_not_asked(tmp_path):
    parts = [part("a", "complete", 1), part("b", "denied"), part("c", "failed"), part("d", "partial", 1)]
    inv = de.load(folder_of(tmp_path, *parts, not_asked={"microsoft.keyvault/vaults/keys": "not wished"}))
    gaps = dict(zip(inv.gaps()["gap"], inv.gaps()["rows"], strict=True))
    assert gaps["files with signs that the export was cut short"] == 1
    assert gaps["parts of the collection (a type and subscription each) that were denied or failed"] == 2
    assert gaps["types that the collection did not ask for"] == 1


def test_the_tables_of_a_report_count_files_alone_and_show_the_status(tmp_path):
    inv = de.load(folder_of(tmp_path, part("a", "complete", 1), part("b", "denied")))
    [(heading, table)] = digest.files(inv).lists
    assert heading.startswith("Each of the 2 files")  # a.jsonl and export.json
    assert table.lines[0][table.headings.index("Collected")] == "denied"
    record = hashlib.sha256((tmp_path / "export.json").read_bytes()).hexdigest()
    assert [line[2] for line in digest.hashes(inv).lines if line[0] == "export.json"] == [record]
    assert len(digest.hashes(inv).lines) == 2


def test_a_saved_inventory_keeps_the_status(tmp_path):
    inv = de.load(folder_of(tmp_path, part("a", "complete", 1), part("b", "denied")))
    again = de.Inventory.open(inv.save(tmp_path / "saved"))
    assert sorted(again.ledger["status"]) == ["", "complete", "denied"]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"status": "green"}, r"parts\.0\.status"),
        ({"rows": "many"}, r"parts\.0\.rows"),
    ],
)
def test_a_record_that_was_changed_by_hand_is_refused_by_place(tmp_path, change, place):
    path = folder_of(tmp_path, part("a", "complete", 1)) / "export.json"
    note = json.loads(path.read_text())
    note["parts"][0] |= change
    path.write_text(json.dumps(note))
    with pytest.raises(UnreadableInputError, match=rf"export\.json: expected the record .* {place}"):
        de.load(tmp_path)


def test_a_record_that_was_cut_is_refused(tmp_path):
    path = folder_of(tmp_path, part("a", "complete", 1)) / "export.json"
    path.write_text(path.read_text()[:-10])
    with pytest.raises(UnreadableInputError, match=r"export\.json: expected the record of a collection"):
        de.load(tmp_path)


def test_an_export_that_happens_to_be_named_so_is_read(tmp_path):
    (tmp_path / "export.json").write_text(json.dumps([disk("d1")]))
    assert de.load(tmp_path).count("disks") == 1


def test_the_record_says_what_was_asked(tmp_path):
    request = Request(name="disks", type=KIND, request="/p", api_version="2026-03-02", asked="once")
    path = folder_of(tmp_path, part("a", "complete", 1), asks=[request])
    assert json.loads((path / "export.json").read_text())["asks"][0]["api_version"] == "2026-03-02"
