from __future__ import annotations

import narwhals as nw
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from diskenc_analysis import schema
from diskenc_analysis.coverage import coverage
from diskenc_analysis.drift import compare
from diskenc_analysis.errors import UnknownNameError, UnreadableInputError
from diskenc_analysis.exports import load
from diskenc_analysis.inventory import Inventory
from diskenc_analysis.ledger import COLUMNS
from tests.exported import (
    CMK,
    COMPUTE,
    SET_ID,
    SUBSCRIPTION,
    VM_ID,
    disk,
    disk_id,
    page,
    save,
    stub,
    tables_of,
    vm,
)

PROFILE = {
    "osDisk": {"name": "os", "managedDisk": {"id": disk_id("os")}},
    "dataDisks": [
        {"name": "lost", "lun": 0, "managedDisk": {"id": disk_id("lost")}},
        {
            "name": "local",
            "lun": 1,
            "managedDisk": {"id": disk_id("local")},
            "diffDiskSettings": {"option": "Local"},
        },
    ],
}
ROWS = [
    disk("os") | {"managedBy": VM_ID},
    disk("orphan") | {"managedBy": f"{COMPUTE}/virtualMachines/gone"},
    disk("keyed", encryption={"type": CMK, "diskEncryptionSetId": SET_ID}),
    disk("aes", encryption="AES"),
    stub("stub"),
    vm("vm-1", storageProfile=PROFILE),
    {"id": "/x/providers/Microsoft.Web/sites/s", "type": "Microsoft.Web/sites"},
]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    content = page(ROWS, nextLink="https://management.example/2")
    return save(tmp_path_factory.mktemp("exports") / "all.json", content)


@pytest.fixture(scope="module")
def inventory(path):
    return load(path, engine="duckdb")


def plain(frame):
    """Give the rows of a frame of any engine, with None for what is missing."""
    if isinstance(frame, pd.DataFrame):
        return pa.Table.from_pandas(frame, preserve_index=False).to_pylist()
    if isinstance(frame, pl.DataFrame):
        return frame.to_dicts()
    if isinstance(frame, pa.Table):
        return frame.to_pylist()
    return [dict(zip(frame.columns, row, strict=True)) for row in frame.fetchall()]


@pytest.mark.parametrize("engine", ["pandas", "polars", "arrow"])
def test_every_engine_gives_the_same_tables(path, inventory, engine):
    other = load(path, engine=engine)
    for name, table in schema.tables().items():
        expected, found = plain(getattr(inventory, name)), plain(getattr(other, name))
        assert sorted(map(repr, found)) == sorted(map(repr, expected)), name
        assert nw.from_native(getattr(other, name)).columns == table.column_names()
    assert plain(other.ledger) == plain(inventory.ledger)


def test_pandas_frames_are_backed_by_arrow(path):
    frame = load(path).vms
    assert isinstance(frame, pd.DataFrame)
    assert {type(dtype) for dtype in frame.dtypes} == {pd.ArrowDtype}
    assert frame["encryption_at_host"].dtype == "bool[pyarrow]"
    assert frame["encryption_at_host"].isna().all()


def test_frames_are_those_of_the_engine(path, inventory):
    assert isinstance(load(path, engine="polars").disks, pl.DataFrame)
    assert isinstance(load(path, engine="arrow").disks, pa.Table)
    assert type(inventory.disks).__name__ == "DuckDBPyRelation"
    assert inventory.disks is inventory.disks


def test_auto_takes_arrow_for_few_rows_and_duckdb_for_many(path, inventory, tmp_path, monkeypatch):
    saved = inventory.save(tmp_path / "saved")
    few = load(path, engine="auto"), Inventory.open(saved, "auto")
    rows = sum(inventory.count(name) for name in ("disks", "snapshots", "vms", "vm_disks"))
    monkeypatch.setattr("diskenc_analysis.inventory.FEW_ROWS", rows)
    just = load(path, engine="auto")
    monkeypatch.setattr("diskenc_analysis.inventory.FEW_ROWS", rows - 1)
    many = load(path, engine="auto"), Inventory.open(saved, "auto")
    assert [inv.engine for inv in (*few, just, *many)] == ["arrow"] * 3 + ["duckdb"] * 2
    judged = [sorted(map(str, plain(coverage(inv)))) for inv in (few[0], many[0])]
    assert judged[0] == judged[1]


@pytest.mark.parametrize("engines", [("arrow", "duckdb"), ("duckdb", "arrow")])
def test_two_captures_of_which_one_is_large_are_compared(path, tmp_path, engines):
    """What `auto` finds for each is the kit's choice, so that nobody has to know of it."""
    later = save(tmp_path / "later.json", page([*ROWS, disk("more")]))
    old, new = (load(file, engine=engine) for file, engine in zip((path, later), engines, strict=True))
    found = compare(old, new)
    assert type(found) is type(new.disks)
    assert [(row["change"], row["name"]) for row in plain(found)] == [("disk", "more")]


def test_the_ledger_has_its_columns_in_order(inventory):
    assert inventory.ledger.columns == list(COLUMNS)


def test_an_unknown_attribute_is_none_of_the_tables(inventory):
    for name in ("diskz", "_disks", "count_of"):
        assert not hasattr(inventory, name)
    assert {"disks", "vms", "ledger", "gaps"} <= set(dir(inventory))


def test_it_says_what_it_holds(inventory):
    assert repr(inventory) == "<Inventory of disks 5, vms 1; engine duckdb>"


def test_count(inventory):
    assert (inventory.count("disks"), inventory.count("vm_disks"), inventory.count("snapshots")) == (5, 3, 0)
    with pytest.raises(UnknownNameError, match='Did you mean "disks"'):
        inventory.count("disk")


def test_totals(inventory):
    assert inventory.totals == {"rows_read": 7, "rows_used": 6, "rows_set_aside": 1}


def test_a_query_gives_a_frame(path):
    frame = load(path, engine="polars").frame("SELECT count(*) AS n FROM disks WHERE encryption_type IS NULL")
    assert frame.to_dicts() == [{"n": 2}]


def test_gaps_are_counted(inventory):
    gaps = {row["gap"].split(" (")[0]: row["rows"] for row in plain(inventory.gaps())}
    assert gaps == {
        "disks whose VM is not in the inventory": 1,
        "disks that VMs list but that are not in the inventory": 1,
        "disks without their storage encryption": 2,
        "disk encryption sets that disks name but that are not in the inventory": 1,
        "disks and snapshots whose size is not known": 1,
        "subscriptions without a name": 1,
        "disks and VMs whose object carries no properties": 1,
        "disks and VMs with values that cannot be trusted": 1,
        "rows that were set aside": 1,
        "files with signs that the export was cut short": 1,
    }
    assert all(row["consequence"] for row in plain(inventory.gaps()))


def test_what_is_whole_has_no_gaps(tmp_path):
    subscription = {"id": f"/subscriptions/{SUBSCRIPTION}", "type": "Microsoft.Resources/subscriptions"}
    rows = [disk("os") | {"managedBy": VM_ID}, vm("vm-1"), subscription | {"displayName": "Prod"}]
    inv = load(save(tmp_path / "whole.json", page(rows)), engine="duckdb")
    assert plain(inv.gaps()) == []
    inv.require_disks()


def test_an_inventory_without_disks_is_refused(tmp_path):
    inv = load(save(tmp_path / "sites.json", page(ROWS[-1:])), engine="duckdb")
    assert repr(inv) == "<Inventory of nothing; engine duckdb>"
    with pytest.raises(UnreadableInputError, match="no disks: 1 rows were read, none of them"):
        inv.require_disks()


def test_what_is_saved_opens_as_it_was(inventory, tmp_path):
    opened = Inventory.open(inventory.save(tmp_path / "saved"), engine="duckdb")
    assert tables_of(opened) == tables_of(inventory)
    assert plain(opened.ledger) == plain(inventory.ledger)


@pytest.mark.parametrize("engine", ["pandas", "polars", "arrow", "duckdb"])
def test_other_rows_in_place_of_a_table_are_judged_anew(path, engine):
    """What is worked out of the tables once is forgotten, so that no verdict is that of rows that went."""
    inv = load(path, engine=engine)
    before = len(nw.from_native(coverage(inv)).lazy().collect())
    inv.disks = nw.from_native(inv.disks).filter(nw.col("name") == "os").to_native()
    inv.vm_disks = nw.from_native(inv.vm_disks).filter(nw.col("disk_name") == "os").to_native()
    after = nw.from_native(coverage(inv)).lazy().collect()
    assert before > len(after) > 0
    assert set(after["name"].to_list()) == {"os"}


@pytest.mark.parametrize("made", ["rows", "pandas", "polars"])
def test_rows_of_any_kind_can_stand_in_place_of_a_table_of_arrow(path, made):
    """Arrow joins no columns of unlike types, and columns that are empty throughout have none."""
    inv = load(path, engine="arrow")
    kind, rows = inv.disks.schema, [row for row in plain(inv.disks) if row["name"] == "os"]
    frames = {"rows": pa.Table.from_pylist, "pandas": pd.DataFrame, "polars": pl.DataFrame}
    inv.disks = frames[made](rows)
    assert inv.disks.schema.equals(kind)
    assert [row["method"] for row in plain(coverage(inv)) if row["name"] == "os"] == ["sse"]


@pytest.mark.filterwarnings("ignore::pandas.errors.ChainedAssignmentError")
def test_what_is_done_to_a_frame_leaves_the_inventory_as_it_was(path):
    inv = load(path, engine="pandas")
    frame = inv.disks
    frame["name"] = "other"
    del frame["id"]
    assert "other" not in set(inv.disks["name"])
    assert "id" in inv.disks
