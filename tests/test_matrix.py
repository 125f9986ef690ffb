"""The published table, written down by hand from the documents, against the matrix as data."""

from __future__ import annotations

import csv
import re
import subprocess
import sys

import pytest

from diskenc_analysis.editions import ORIGINS
from diskenc_analysis.errors import UnknownNameError
from diskenc_analysis.matrix import (
    CONDITIONS,
    capabilities,
    cells,
    describe,
    edition_label,
    editions,
    matrix,
    matrix_diff,
    methods,
    resolve_edition,
)
from diskenc_analysis.share import data_file

SEED, NEWEST = "2023-05-15", "2026-04-02"
METHODS = ("sse", "host", "ade", "confidential")
BOTH_STORES = "key_vault_premium;managed_hsm"

# Row by row: storage encryption, encryption at host, Azure Disk Encryption, confidential disk encryption.
SEED_TABLE = {
    "at_rest": ("yes", "yes", "yes", "yes"),
    "temp_disk": ("no", "yes", "yes", "no"),
    "caches": ("no", "yes", "yes", "yes"),
    "data_flow": ("no", "yes", "yes", "yes"),
    "customer_keys": (
        ("yes", "has_des"),
        ("yes", "has_des"),
        ("yes", "has_kek"),
        ("yes", "has_des"),
    ),
    "hsm": (BOTH_STORES, BOTH_STORES, "key_vault_premium", BOTH_STORES),
    "no_vm_cpu": ("yes", "yes", "no", "no"),
    "custom_images": ("yes", "yes", ("no", "custom_linux_image"), "yes"),
    "enhanced_key_protection": ("no", "no", "no", "yes"),
    "defender_status": ("Unhealthy", "Healthy", "Healthy", "NotApplicable"),
}
# The two cells that were printed otherwise in 2025, and the one that a footnote made conditional.
NEWER_CELLS = {
    ("temp_disk", "ade"): ("yes", "ade_covers_temp_disk"),
    ("temp_disk", "confidential"): ("yes", "cvm_temp_disk_opt_in"),
}


def _pair(cell: str | tuple[str, str]) -> tuple[str, str]:
    return (cell, "") if isinstance(cell, str) else cell


EVERY_CELL = [
    (capability, method, *_pair(cell))
    for capability, row in SEED_TABLE.items()
    for method, cell in zip(METHODS, row, strict=True)
]


@pytest.fixture
def rows() -> list[dict[str, str]]:
    with data_file("encryption_matrix.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(("capability", "method", "value", "condition"), EVERY_CELL)
def test_the_seed_edition_is_the_seed_table_cell_for_cell(capability, method, value, condition):
    (cell,) = cells(SEED)[capability, method]
    assert (cell.value, cell.condition, cell.origin, cell.note) == (value, condition, "table", "")


def test_the_seed_table_has_forty_cells_and_nothing_else(rows):
    assert len(EVERY_CELL) == 40
    assert sum(row["edition"] == SEED for row in rows) == 40
    assert set(cells(SEED)) == {(capability, method) for capability, method, *_ in EVERY_CELL}


@pytest.mark.parametrize(("capability", "method", "value", "condition"), EVERY_CELL)
def test_the_newest_table_differs_only_where_the_documents_do(capability, method, value, condition):
    first, *notes = cells(NEWEST)[capability, method]
    assert (first.value, first.condition) == NEWER_CELLS.get((capability, method), (value, condition))
    assert first.origin == "table"
    assert all(note.origin in ("note", "inferred") and note.note for note in notes)


def test_the_newest_edition_says_what_stands_beside_the_table():
    assert cells(NEWEST)["temp_disk", "host"][0].note == "platform-managed key only"
    assert cells(NEWEST)["temp_disk", "confidential"][0].note == "preview"
    version5 = cells(NEWEST)["temp_disk", "sse"][1]
    assert (version5.value, version5.condition, version5.origin) == ("yes", "vm_size_v5_plus", "note")
    assert "2026-04-02" in version5.source
    ade = cells(NEWEST)["temp_disk", "ade"][1]
    assert (ade.value, ade.condition, ade.origin) == ("yes", "ade_covers_temp_disk", "note")
    assert {date in ade.source for date in ("2025-09-23", "2026-02-20")} == {True}


@pytest.mark.parametrize("method", METHODS)
def test_a_disk_without_a_host_cache_has_none_to_encrypt(method):
    assert ("not_applicable", "no_host_cache", "inferred") in [
        (cell.value, cell.condition, cell.origin) for cell in cells(NEWEST)["caches", method]
    ]


def test_every_row_uses_declared_words_only(rows):
    assert {row["condition"] for row in rows} - {""} == set(CONDITIONS)
    assert {row["origin"] for row in rows} == set(ORIGINS)
    assert {row["edition"] for row in rows} == set(editions())
    assert {row["capability"] for row in rows} == set(capabilities())
    assert {row["method"] for row in rows} == set(methods()) == set(METHODS)


def test_every_row_names_its_dated_source(rows):
    undated = [row["source"] for row in rows if not re.search(r"\d{4}-\d\d-\d\d|undated", row["source"])]
    assert undated == []
    assert not [row["source"] for row in rows if "://" in row["source"]]


def test_a_conditional_table_row_can_be_turned_round(rows):
    turned = [row for row in rows if row["origin"] == "table" and row["condition"]]
    assert {row["value"] for row in turned} == {"yes", "no"}


def test_a_footnote_without_condition_changes_no_answer():
    for edition in editions():
        for first, *notes in cells(edition).values():
            explaining = [note for note in notes if not note.condition]
            assert all(note.value == first.value for note in explaining)
            # Beside a conditional footnote it would hide the condition from whoever reads the last row.
            assert not explaining or len(explaining) == len(notes)


def test_the_editions_are_named_and_labelled():
    assert editions() == [SEED, NEWEST]
    assert resolve_edition("latest") == NEWEST
    assert edition_label(SEED) == "table of 2023-05-15"
    assert edition_label() == "table of 2025-05-14 with notes to 2026-04-02"


def test_capabilities_combine_and_count_as_the_rules_say():
    found = capabilities()
    assert list(found) == list(SEED_TABLE)
    assert {name for name, cap in found.items() if cap.combine == "all"} == {"no_vm_cpu", "custom_images"}
    assert {name for name, cap in found.items() if cap.counted_per == "vm"} == {
        "temp_disk",
        "defender_status",
    }
    assert {cap.combine for cap in found.values()} == {"any", "all"}
    assert {cap.counted_per for cap in found.values()} == {"disk", "vm"}
    assert [cap.order for cap in found.values()] == list(range(1, 11))
    assert found["caches"].seed_row == "Encryption of caches"
    assert all(cap.question.endswith("?") for cap in found.values())


def test_a_cell_cannot_be_changed():
    with pytest.raises(AttributeError):
        cells(SEED)["at_rest", "sse"][0].value = "no"


def test_the_tidy_frame_holds_every_row_as_arrow_text(rows):
    frame = matrix()
    assert list(frame.columns) == list(rows[0])
    assert frame.to_dict("records") == [row for row in rows if row["edition"] == NEWEST]
    assert {str(dtype) for dtype in frame.dtypes} == {"string[pyarrow]"}
    assert not frame.isna().to_numpy().any()


def test_the_wide_frame_is_the_table_as_printed():
    frame = matrix(SEED, wide=True)
    assert frame.shape == (10, 5)
    assert list(frame.columns[1:]) == [method.label for method in methods().values()]
    printed = frame.set_index("Capability").iloc[:, [0, 2]].to_numpy().tolist()
    assert printed == [
        ["yes", "yes"],
        ["no", "yes"],
        ["no", "yes"],
        ["no", "yes"],
        ["yes, with a disk encryption set", "yes, with a key encryption key"],
        ["Azure Key Vault Premium and Managed HSM", "Azure Key Vault Premium"],
        ["yes", "no"],
        ["yes", "no, for a custom Linux image"],
        ["no", "no"],
        ["Unhealthy", "Healthy"],
    ]
    assert frame.iloc[9, 4] == "Not applicable"


def test_the_wide_frame_of_the_newest_edition_shows_its_footnotes():
    frame = matrix(wide=True).set_index("Capability")
    assert frame.loc["Temp disk"].tolist() == [
        "no; yes, on VM sizes of version 5 and later",
        "yes (platform-managed key only)",
        "yes, where the encrypted volumes include the temp disk",
        "yes, where temp disk encryption is switched on (preview)",
    ]


def test_the_difference_between_the_editions_names_cell_words_and_source():
    frame = matrix_diff(SEED, NEWEST)
    assert list(frame.columns) == ["capability", "method", "old", "new", "origin", "source"]
    changed = list(zip(frame["capability"], frame["method"], frame["origin"], strict=True))
    assert changed == [
        ("temp_disk", "sse", "note"),
        ("temp_disk", "host", "table"),
        ("temp_disk", "ade", "note"),
        ("temp_disk", "confidential", "table"),
        *(("caches", method, "inferred") for method in METHODS),
    ]
    confidential = frame.iloc[3]
    assert confidential["old"] == "no"
    assert confidential["new"] == "yes, where temp disk encryption is switched on (preview)"
    assert "2025-05-14" in confidential["source"]


def test_an_edition_does_not_differ_from_itself_and_differs_both_ways():
    assert matrix_diff(NEWEST).empty
    back = matrix_diff(NEWEST, SEED)
    assert len(back) == 8
    assert set(back["source"]) == {"Overview of managed disk encryption options (2023-05-15)"}


@pytest.mark.parametrize("call", [cells, matrix, edition_label, resolve_edition, matrix_diff])
def test_an_unknown_edition_is_named_with_its_near_miss(call):
    with pytest.raises(UnknownNameError, match=r"2023-05-16.*Did you mean \"2023-05-15\"\?"):
        call("2023-05-16")


def test_each_answer_is_said_once():
    assert describe(cells(NEWEST)["temp_disk", "ade"]) == (
        "yes, where the encrypted volumes include the temp disk"
    )


def test_reading_the_matrix_needs_no_data_frame():
    code = (
        "import sys; from diskenc_analysis.matrix import cells; cells();"
        "print(sorted({'pandas', 'pyarrow', 'plotly'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
