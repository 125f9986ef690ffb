from __future__ import annotations

import hashlib
from concurrent.futures import Future
from pathlib import Path

import pytest

from diskenc_analysis.ledger import COLUMNS, Ledger, sha256

DISKS = "microsoft.compute/disks"


@pytest.fixture
def ledger():
    return Ledger()


def test_rows_of_the_ledger_have_its_columns(ledger):
    ledger.add(Path("disks.json"))
    assert [list(row) for row in ledger.rows()] == [list(COLUMNS)]


def test_a_file_without_rows_has_a_row_of_zeros(ledger):
    source = ledger.add(Path("notes.txt"))
    ledger.describe(source, "not read: not a JSON file", [])
    [row] = ledger.rows()
    assert (row["shape"], row["resource_type"]) == ("not read: not a JSON file", "")
    assert (row["rows_read"], row["rows_used"], row["rows_set_aside"]) == (0, 0, 0)
    assert (row["truncated"], row["sha256"]) == (False, None)


def test_rows_are_counted_by_file_and_type(ledger):
    first, second = ledger.add(Path("b.json")), ledger.add(Path("a.json"))
    ledger.place(first, DISKS, 2)
    ledger.place(first, DISKS, 3)
    ledger.place(second, DISKS, 1)
    ledger.set_aside(first, "microsoft.web/sites", "not a disk-related type", 4)
    found = [(r["source"], r["resource_type"], r["rows_read"], r["rows_used"]) for r in ledger.rows()]
    assert found == [
        ("b.json", DISKS, 5, 5),
        ("b.json", "microsoft.web/sites", 4, 0),
        ("a.json", DISKS, 1, 1),
    ]


def test_what_is_set_aside_was_read_whether_it_was_placed_before_or_not(ledger):
    source = ledger.add(Path("disks.json"))
    ledger.place(source, DISKS, 5)
    ledger.set_aside(source, DISKS, "older capture", 2, placed=True)
    ledger.set_aside(source, DISKS, "no id", 1)
    [row] = ledger.rows()
    assert (row["rows_read"], row["rows_used"], row["rows_set_aside"]) == (6, 3, 3)
    assert row["reasons"] == "1 no id; 2 older capture"


def test_nothing_set_aside_is_no_reason(ledger):
    source = ledger.add(Path("disks.json"))
    ledger.place(source, DISKS, 1)
    ledger.set_aside(source, DISKS, "unreadable", 0)
    assert [row["reasons"] for row in ledger.rows()] == [""]


def test_a_sign_of_a_cut_is_told_once(ledger):
    source = ledger.add(Path("page.json"))
    ledger.describe(source, "ARM page", ["next link left over"])
    ledger.sign(source, ["next link left over", "resultTruncated is true"])
    [row] = ledger.rows()
    assert row["truncated"] is True
    assert row["truncation_reason"] == "next link left over; resultTruncated is true"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("exports/2026-11-24/disks.json", "2026-11-24"),
        ("2025-01-31/tenant-2026-02-01.json", "2026-02-01"),
        ("exports/disks_2026-11-24T08-00.json", "2026-11-24"),
        ("exports/disks.json", None),
        ("exports/20261124/disks.json", None),
        ("exports/2026-31-24/disks.json", None),
        ("build-12026-11-245.json", None),
    ],
)
def test_the_path_states_when_it_was_captured(ledger, path, expected):
    assert ledger.captured_at(ledger.add(Path(path))) == expected


def test_hashes_are_those_of_the_bytes_and_are_waited_for(ledger, tmp_path):
    path = tmp_path / "disks.json"
    path.write_bytes(b"[]")
    done: Future[str] = Future()
    ledger.hash_later(ledger.add(path), done)
    done.set_result(sha256(path))
    assert [row["sha256"] for row in ledger.rows()] == [hashlib.sha256(b"[]").hexdigest()]
