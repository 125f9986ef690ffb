"""When exports were made and of which subscriptions, and what the command tells of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from typer.testing import CliRunner

from diskenc_analysis.captures import EXPECTED, expected_subscriptions
from diskenc_analysis.cli import app
from diskenc_analysis.errors import ParameterError
from diskenc_analysis.exports import load
from tests.exported import SUBSCRIPTION, disk, page, records, save, vm

OTHER = "99999999-2222-4333-8444-555555555555"


def loaded(path, **options):
    return load(path, engine="duckdb", **options)


def notes(inv):
    return {row["source"].rpartition("/")[2]: row["notes"] for row in records(inv, "ledger")}


def gaps(inv):
    frame = inv.gaps()
    return dict(zip(frame["gap"], frame["rows"], strict=True))


OLD = "files whose capture is old, or more than a day from that of another table"
ABSENT = "expected subscriptions of which nothing was read"


@pytest.mark.parametrize(
    ("disks", "vms", "expected"),
    [
        ("2026-11-24", "2026-11-24", ""),
        ("2026-11-23", "2026-11-24", ""),
        ("2026-11-22", "2026-11-24", "disks captured 2 days before another table"),
        ("2026-02-30", "2026-11-24", ""),
        ("undated", "2026-11-24", ""),
    ],
)
def test_tables_captured_more_than_a_day_apart_are_noted(tmp_path, disks, vms, expected):
    save(tmp_path / disks / "disks.json", page([disk("a")]))
    save(tmp_path / vms / "vms.json", page([vm("v")]))
    inv = loaded(tmp_path)
    assert notes(inv) == {"disks.json": expected, "vms.json": ""}
    assert gaps(inv).get(OLD, 0) == bool(expected)


def test_an_older_capture_beside_a_new_one_is_no_table_apart(tmp_path):
    for day in ("2026-11-01", "2026-11-24"):
        save(tmp_path / f"disks-{day}.json", page([disk("a")]))
        save(tmp_path / f"vms-{day}.json", page([vm("v")]))
    assert set(notes(loaded(tmp_path)).values()) == {""}


def test_captures_from_before_a_day_are_noted(tmp_path):
    save(tmp_path / "disks-2026-11-20.json", page([disk("a")]))
    save(tmp_path / "vms-2026-11-21.json", page([vm("v")]))
    inv = loaded(tmp_path, captured_since=date(2026, 11, 21))
    assert notes(inv) == {
        "disks-2026-11-20.json": "captured 1 days before 2026-11-21",
        "vms-2026-11-21.json": "",
    }
    assert gaps(inv)[OLD] == 1


def test_subscriptions_that_are_absent_are_named(tmp_path):
    row = {
        "id": f"/subscriptions/{OTHER}",
        "type": "Microsoft.Resources/subscriptions",
        "displayName": "Other",
    }
    save(tmp_path / "rows.json", page([disk("a"), row]))
    wanted = save(tmp_path / "wanted.txt", f"\ufeff# ours\n{SUBSCRIPTION.upper()}  Prod\n\n{OTHER},Other\n")
    inv = loaded(tmp_path / "rows.json", expect_subscriptions=wanted)
    assert notes(inv) == {"rows.json": "", "wanted.txt": f"1 of 2 are absent: {OTHER}"}
    [listed] = [row for row in records(inv, "ledger") if row["shape"] == EXPECTED]
    assert (listed["rows_read"], len(listed["sha256"])) == (0, 64)
    assert gaps(inv)[ABSENT] == 1
    save(wanted, SUBSCRIPTION)
    assert ABSENT not in gaps(loaded(tmp_path / "rows.json", expect_subscriptions=wanted))


def test_a_line_that_is_no_subscription_is_named(tmp_path):
    path = save(tmp_path / "wanted.txt", f"{SUBSCRIPTION}\nProd\n")
    with pytest.raises(ParameterError, match=r"wanted\.txt: line 2: expected the GUID .*'prod'"):
        expected_subscriptions(path)


@pytest.mark.parametrize("raw", [None, b"\xff\xfe\x00"])
def test_a_list_that_cannot_be_read_is_an_error(tmp_path, raw):
    path = tmp_path / "wanted.txt"
    if raw:
        path.write_bytes(raw)
    with pytest.raises(ParameterError, match=r"wanted\.txt: expected a text file"):
        expected_subscriptions(path)


class TestCommand:
    def run(self, *arguments):
        return CliRunner().invoke(app, ["coverage", *map(str, arguments)])

    def test_what_was_lost_and_what_is_absent_is_told(self, tmp_path):
        save(tmp_path / "in" / "a.json", page([disk("a")]))
        broken = save(tmp_path / "in" / "b.json", "[")
        wanted = save(tmp_path / "wanted.txt", OTHER)
        assert self.run(tmp_path / "in").exit_code != 0
        result = self.run(tmp_path / "in", "--keep-going", "--expect-subscriptions", wanted)
        assert result.exit_code == 0
        assert f"{broken}: line 1, column 2" in result.stderr
        assert f"{wanted}: 1 of 1 are absent: {OTHER}" in result.stderr

    def test_an_old_capture_is_told(self, tmp_path):
        day = datetime.now(UTC).date() - timedelta(days=40)
        save(tmp_path / f"{day}" / "a.json", page([disk("a")]))
        assert "captured" not in self.run(tmp_path, "--max-age", 50).stderr
        assert "captured 10 days before" in self.run(tmp_path, "--max-age", 30).stderr
