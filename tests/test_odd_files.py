"""Files as people and old tools leave them: odd spellings amid a file, projected arrays, cut last lines."""

import csv
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from diskenc_analysis.coverage import coverage
from diskenc_analysis.errors import UnreadableInputError
from tests.exported import (
    CMK,
    DIRECT,
    PATHS,
    PMK,
    by_name,
    counts,
    disk,
    disk_id,
    lines,
    read,
    read_text,
    records,
    save,
)

TYPE = "Microsoft.Compute/disks"


@pytest.mark.parametrize("size", PATHS)
@pytest.mark.parametrize("settings", ["EncryptionSettingsCollection", "encryption_settings_collection"])
@pytest.mark.parametrize("at", [0, 250, 499])
def test_one_member_in_an_odd_spelling_amid_a_file(tmp_path, size, settings, at):
    rows = [disk(f"d{n}") for n in range(500)]
    rows[at]["properties"][settings] = {"enabled": True}
    found = coverage(read_text(tmp_path, lines(rows), size, "rows.jsonl")).df().set_index("name")["ade"]
    assert found[f"d{at}"] == "on"
    assert set(found.drop(f"d{at}")) == {"off"}


def test_a_block_in_an_odd_spelling_amid_a_large_file(tmp_path):
    rows = [disk(f"d{n}", note="x" * 500) for n in range(4_000)]
    for row in rows[1_500:2_500]:
        row["properties"]["EncryptionSettingsCollection"] = {"enabled": True}
    found = coverage(read_text(tmp_path, lines(rows), DIRECT, "rows.jsonl")).df().set_index("name")["ade"]
    assert (found == "on").sum() == 1_000


@pytest.mark.parametrize("size", PATHS)
def test_a_bare_array_of_projected_columns(tmp_path, size):
    row = {"id": disk_id("d"), "name": "d", "type": TYPE.lower(), "properties_encryption_type": CMK}
    rows = [row, row | {"id": disk_id("e"), "name": "e", "properties_encryption_type": PMK}]
    inv = read_text(tmp_path, json.dumps(rows, indent=1), size)
    assert by_name(inv, "disks")["d"]["encryption_type"] == CMK
    assert "ade_enabled: column not exported" in by_name(inv, "disks")["e"]["doubt"]
    assert records(inv, "ledger")[0]["notes"].startswith("columns not exported: ")


def test_lines_that_break_off_are_a_cut_export(tmp_path):
    inv = read_text(tmp_path, lines([disk("a"), disk("b")])[:-30], name="rows.jsonl")
    assert counts(inv)[""] == (1, 0, 1, "1 unreadable")
    assert {r["truncation_reason"] for r in records(inv, "ledger")} == {"the last line is no whole JSON"}


@pytest.mark.parametrize("size", PATHS)
@pytest.mark.parametrize("join", [json.dumps, lines], ids=["array", "lines"])
def test_a_number_of_thousands_of_digits_is_a_doubt(tmp_path, size, join):
    text = join([disk("a", diskSizeGB=77), disk("b")]).replace("77", "9" * 5_000)
    row = by_name(read_text(tmp_path, text, size), "disks")["a"]
    assert (row["size_gb"], row["doubt"]) == (None, "size_gb: wrong type")


def test_text_of_parquet_that_is_not_marked_as_text(tmp_path):
    row = {k: v if isinstance(v, str) else json.dumps(v) for k, v in disk("a").items()}
    columns = {name: pa.array([value.encode()], pa.binary()) for name, value in row.items()}
    pq.write_table(pa.table(columns), tmp_path / "disks.parquet")
    assert by_name(read(tmp_path / "disks.parquet"), "disks")["a"]["encryption_type"] == PMK


def test_tabs_between_the_cells(tmp_path):
    row = disk("a")
    with (tmp_path / "disks.tsv").open("w", newline="") as file:
        out = csv.writer(file, delimiter="\t")
        out.writerows([row, [v if isinstance(v, str) else json.dumps(v) for v in row.values()]])
    assert by_name(read(tmp_path / "disks.tsv"), "disks")["a"]["encryption_type"] == PMK


def test_thousands_of_columns_without_an_id_are_refused_at_once(tmp_path):
    head = ",".join(f"c{n}" for n in range(3_000))
    with pytest.raises(UnreadableInputError, match="expected a column with the resources' ids"):
        read(save(tmp_path / "wide.csv", f"{head}\n{',' * 2_999}\n"))
