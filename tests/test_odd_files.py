"""Files as people and old tools leave them: odd spellings amid a file, projected arrays, cut last lines."""

import csv
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from diskenc_analysis.errors import UnreadableInputError
from diskenc_analysis.readings import readings
from tests.exported import (
    CMK,
    DIRECT,
    PATHS,
    PMK,
    by_name,
    counts,
    disk,
    disk_id,
    judged,
    lines,
    page,
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
    found = dict(judged(read_text(tmp_path, lines(rows), size, "rows.jsonl"), "name", "ade"))
    assert found.pop(f"d{at}") == "on"
    assert len(found) == 499
    assert set(found.values()) == {"off"}


def test_a_block_in_an_odd_spelling_amid_a_large_file(tmp_path):
    rows = [disk(f"d{n}", note="x" * 500) for n in range(4_000)]
    for row in rows[1_500:2_500]:
        row["properties"]["EncryptionSettingsCollection"] = {"enabled": True}
    found = judged(read_text(tmp_path, lines(rows), DIRECT, "rows.jsonl"), "ade")
    assert found.count(("on",)) == 1_000


@pytest.mark.parametrize("settings", ["EncryptionSettingsCollection", "encryption_settings_collection"])
def test_one_member_in_an_odd_spelling_in_a_file_of_some_megabytes(tmp_path, settings):
    rows = [disk(f"d{n}", note="x" * 500) for n in range(4_000)]  # three megabytes
    for at in range(400, 4_000, 400):
        rows[at]["properties"][settings] = {"enabled": True}
    found = judged(read_text(tmp_path, lines(rows), DIRECT, "rows.jsonl"), "name", "ade")
    assert {name for name, state in found if state == "on"} == {f"d{at}" for at in range(400, 4_000, 400)}


@pytest.mark.parametrize("size", PATHS)
def test_a_bare_array_of_projected_columns(tmp_path, size):
    row = {"id": disk_id("d"), "name": "d", "type": TYPE.lower(), "properties_encryption_type": CMK}
    rows = [row, row | {"id": disk_id("e"), "name": "e", "properties_encryption_type": PMK}]
    inv = read_text(tmp_path, json.dumps(rows, indent=1), size)
    assert by_name(inv, "disks")["d"]["encryption_type"] == CMK
    assert "ade_enabled: column not exported" in by_name(inv, "disks")["e"]["doubt"]
    assert records(inv, "ledger")[0]["notes"].startswith("columns not exported: ")


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


@pytest.mark.parametrize("size", PATHS)
def test_lines_that_break_off_are_a_cut_export_of_any_size(tmp_path, size):
    inv = read_text(tmp_path, lines([disk("a"), disk("b")])[:-30], size, "rows.jsonl")
    assert counts(inv)[""] == (1, 0, 1, "1 unreadable")
    assert {r["truncation_reason"] for r in records(inv, "ledger")} == {"the last line is no whole JSON"}
    amid = read_text(tmp_path / "amid", lines([disk("a")]) + "{no\n" + lines([disk("b")]), size, "rows.jsonl")
    assert counts(amid)[""] == (1, 0, 1, "1 unreadable")
    assert {r["truncation_reason"] for r in records(amid, "ledger")} == {""}


@pytest.mark.parametrize("size", PATHS)
@pytest.mark.parametrize("twice", ["diskSizeGB", "encryption", "properties"])
def test_of_a_member_that_is_there_twice_the_first_counts(tmp_path, size, twice):
    """JSON leaves open which of them counts; a file must not mean another thing when it grows."""
    first, second = json.dumps(disk("a")), json.dumps(disk("a", diskSizeGB=65, encryption={"type": CMK}))
    values = {"properties": json.loads(second)["properties"], **json.loads(second)["properties"]}
    again = f'"{twice}": {json.dumps(values[twice])}'
    text = f"{first[:-1]}, {again}}}" if twice == "properties" else f"{first[:-2]}, {again}}}}}"
    inv = read_text(tmp_path, f"{text}\n{json.dumps(disk('b'))}\n", size, "rows.jsonl")
    row = by_name(inv, "disks")["a"]
    assert (row["size_gb"], row["encryption_type"]) == (64, PMK)


HALF = "\ud800"  # one half of a character beyond the first plane, which no file can hold


@pytest.mark.parametrize("size", PATHS)
@pytest.mark.parametrize("join", [json.dumps, lines, page], ids=["array", "lines", "page"])
def test_half_a_character_refuses_no_file_and_costs_no_row(tmp_path, size, join):
    whole, escaped = "\U0001f600", "C:\\ud800"  # a character of two halves, and a path that looks like one
    rows = [disk(n) | {"tags": {"t": t}} for n, t in zip("abcd", (HALF, whole, escaped, "x"), strict=True)]
    inv = read_text(tmp_path, join(rows), size, "rows.jsonl" if join is lines else "rows.json")
    assert {n: json.loads(row["tags"])["t"] for n, row in by_name(inv, "disks").items() if n != "a"} == {
        "b": whole,
        "c": escaped,
        "d": "x",
    }
    assert counts(inv) == {TYPE.lower(): (4, 4, 0, "")}


@pytest.mark.parametrize("size", PATHS)
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_byte_order_mark(tmp_path, encoding, size):
    text = json.dumps([disk("é\u4e2d")], ensure_ascii=False)
    assert by_name(read_text(tmp_path, text.encode(encoding), size), "disks").keys() == {"é\u4e2d"}


def denied(action="Microsoft.Compute/disks/read"):
    message = f"The client 'ann@x.com' does not have authorization to perform action '{action}' over '/x'."
    return {"error": {"code": "AuthorizationFailed", "message": message}}


@pytest.mark.parametrize("size", PATHS)
@pytest.mark.parametrize(
    "join", [json.dumps, lambda row: json.dumps(row, indent=2)], ids=["line", "indented"]
)
def test_an_error_saved_as_an_export_is_a_read_that_was_denied(tmp_path, join, size):
    save(tmp_path / "vms.json", join(denied("Microsoft.Compute/virtualMachines/read")))
    inv = read_text(tmp_path, [disk("d")], size, "disks.json")
    inv = read(tmp_path, size)
    assert counts(inv)["microsoft.compute/virtualmachines"] == (1, 0, 1, "1 error reply: AuthorizationFailed")
    [row] = [r for r in records(inv, "ledger") if r["source"].endswith("vms.json")]
    assert row["truncated"]
    # Not the message: it names people and resources, which no pseudonym would cover.
    assert row["truncation_reason"] == "denied: AuthorizationFailed"
    assert "denied: AuthorizationFailed" in readings(inv).of("vms", "any")


@pytest.mark.parametrize("size", PATHS)
def test_errors_of_other_kinds_are_named(tmp_path, size):
    rows = [{"error": {"code": "SubscriptionNotFound", "message": "no such"}}, {"error": "text"}, disk("d")]
    inv = read_text(tmp_path, lines(rows), size, "rows.jsonl")
    assert counts(inv)[""] == (2, 0, 2, "1 error reply: SubscriptionNotFound; 1 no id")
    assert {r["truncation_reason"] for r in records(inv, "ledger")} == {"failed: SubscriptionNotFound"}
