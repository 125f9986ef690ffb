"""What an analyst sees who looks at an inventory or a coverage frame."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from bs4 import BeautifulSoup

import diskenc_analysis as de

EVIL = "<script>alert(1)</script>"
COMPUTE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute"


def disk(name, **owner):
    body = {"diskSizeGB": 8, "encryption": {"type": "EncryptionAtRestWithPlatformKey"}}
    row = {"id": f"{COMPUTE}/disks/{name}", "name": name, "type": "Microsoft.Compute/disks"}
    return row | {"properties": body} | owner


@pytest.fixture(params=["pandas", "duckdb", "polars", "arrow"])
def inv(request, tmp_path):
    rows = [disk(EVIL), disk("b", managedBy=f"{COMPUTE}/virtualMachines/gone")]
    (tmp_path / "disks.json").write_text(json.dumps(rows), encoding="utf-8")
    return de.load(tmp_path, engine=request.param)


def text(html):
    return BeautifulSoup(html.replace("<wbr>", ""), "html.parser").get_text(" ", strip=True)


def test_an_inventory_shows_counts_gaps_and_next_steps(inv):
    shown = text(inv._repr_html_())
    assert "Inventory: 2 disks" in shown
    assert "2 read, 2 used, 0 set aside" in shown
    assert "disks whose VM is not in the inventory" in shown
    assert "cov = de.coverage(inv)" in shown


def test_a_coverage_shows_shares_unknowns_and_names_as_text(inv):
    html = de.glance(de.coverage(inv))._repr_html_()
    assert "<script" not in html
    shown = text(html)
    assert "Coverage of 2 disks and snapshots" in shown
    assert EVIL in shown
    # One disk is unattached, the other's VM was not read: of caches nothing is known.
    assert "Caches 0 0 1 1 0%–100% disks" in shown
    assert "Unknown for some: Temp disk, Caches" in shown


def test_a_pandas_coverage_is_a_frame_that_shows_itself(tmp_path):
    (tmp_path / "disks.json").write_text(json.dumps([disk("a")]), encoding="utf-8")
    cov = de.coverage(de.load(tmp_path))
    assert isinstance(cov, pd.DataFrame)
    assert "Coverage of 1 disks" in text(cov._repr_html_())
    assert [type(one) for one in (cov.query("at_rest == 'yes'"), cov.copy(), cov[["name"]])] == [
        pd.DataFrame
    ] * 3


def test_an_inventory_without_disks_says_how_to_get_some(tmp_path):
    vault = {"id": "/subscriptions/s/providers/Microsoft.KeyVault/vaults/v", "properties": {}}
    (tmp_path / "vaults.json").write_text(json.dumps([vault]), encoding="utf-8")
    inv = de.load(tmp_path)
    shown = text(inv._repr_html_())
    assert "Inventory without disks" in shown
    assert "diskenc queries" in shown
    empty = de.coverage(inv)
    assert "Coverage of 0 disks and snapshots" in text(empty._repr_html_())
