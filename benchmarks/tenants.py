"""Saved inventories to measure on: a made-up tenant, and tenfold ones made of it as Parquet."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import duckdb

from diskenc_analysis import load
from diskenc_analysis.ledger import sha256
from diskenc_analysis.sample import generate
from diskenc_analysis.schema import SCHEMA_VERSION

#: The largest tenant that is generated disk by disk; beyond, it is copied under other subscriptions.
GENERATED = 1_000_000


def exports(folder: Path, disks: int) -> Path:
    """Make the exports of a tenant, once."""
    home = folder / f"exports-{disks}"
    return home if home.exists() else generate(home, disks=disks)


def inventory(folder: Path, disks: int) -> Path:
    """Make the saved inventory of a tenant, once."""
    home = folder / f"inventory-{SCHEMA_VERSION}-{disks}"
    if home.exists():
        return home
    if disks <= GENERATED:
        return load(exports(folder, disks), engine="duckdb", memory_limit="4GB").save(home)
    return _copied(inventory(folder, GENERATED), home, disks // GENERATED)


def _copied(source: Path, home: Path, times: int) -> Path:
    """Write every row so many times, each time under other subscriptions."""
    work = home.with_suffix(".partial")
    work.mkdir()
    connection = duckdb.connect()
    connection.execute("SET preserve_insertion_order = false; SET memory_limit = '4GB'")
    index = json.loads((source / "inventory.json").read_text(encoding="utf-8"))
    for name in index["files"]:
        rows = f"read_parquet('{source / name}')"
        copies = f"(SELECT unnest(range({1 if name == 'ledger.parquet' else times})) AS n)"
        kinds = connection.sql(f"SELECT * FROM {rows} LIMIT 0")
        columns = ", ".join(_shifted(c, str(t)) for c, t in zip(kinds.columns, kinds.types, strict=True))
        sql = f"SELECT {columns} FROM {rows} t, {copies} c"
        connection.execute(f"COPY ({sql}) TO '{work / name}' (FORMAT parquet, COMPRESSION zstd)")
        index["files"][name] = {"sha256": sha256(work / name), "bytes": (work / name).stat().st_size}
    (work / "inventory.json").write_text(json.dumps(index), encoding="utf-8")
    return work.rename(home)


def _shifted(column: str, kind: str) -> str:
    """Put the number of the copy in place of the first letters of every subscription's id."""
    if kind != "VARCHAR":
        return f't."{column}"'
    mark = "lpad(c.n::VARCHAR, 2, '0')"
    if column == "subscription_id":
        return f'CASE WHEN c.n = 0 THEN t."{column}" ELSE {mark} || t."{column}"[3:] END AS "{column}"'
    moved = f"regexp_replace(t.\"{column}\", '(?i)(/subscriptions/)[0-9a-f]{{2}}', '\\1' || {mark}, 'g')"
    return f'CASE WHEN c.n = 0 THEN t."{column}" ELSE {moved} END AS "{column}"'


if __name__ == "__main__":
    # In a process of its own: the system hands the peak memory of a parent on to what it starts.
    for size in sys.argv[2:]:
        inventory(Path(sys.argv[1]), int(size))
