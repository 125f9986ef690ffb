from __future__ import annotations

import json
from types import SimpleNamespace

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from diskenc_analysis import digest, results, scope
from diskenc_analysis.editions import capabilities
from diskenc_analysis.verdict import verdict


def row(name, kind="managed_disk", attachment="attached", vm=None, **answers):
    """One disk: encrypted at rest, and no to all else unless it says otherwise."""
    values = dict.fromkeys(capabilities(), "no") | {"at_rest": "yes", "defender_status": "Unhealthy"}
    if attachment == "unattached":
        values |= dict.fromkeys(
            ("temp_disk", "caches", "data_flow", "no_vm_cpu", "custom_images"), "not_applicable"
        )
        values |= {"defender_status": "NotApplicable"}
    identity = {
        "disk_id": f"/d/{name}",
        "name": name,
        "kind": kind,
        "role": "data",
        "attachment": attachment,
        "subscription_id": "s-1",
        "subscription_name": None,
        "resource_group": "rg",
        "location": "westeurope",
        "vm_id": vm,
        "gib": 100.0,
        "tags": None,
        "method": "sse",
        "key_owner": "platform",
        "conflicts": "",
        "evidence": "because",
    }
    return identity | values | answers


ROWS = [
    row("a", vm="/vm/1", temp_disk="yes", customer_keys="yes", gib=300.0, defender_status="Healthy"),
    row("b", vm="/vm/2", temp_disk="unknown", customer_keys="unknown", defender_status="unknown"),
    row("c", vm="/vm/3", gib=None),
    row("d", vm="/vm/3", conflicts="<i>ADE with host</i>", gib=700.0),
    row("e", attachment="unattached", customer_keys="yes"),
    row("f", kind="snapshot", attachment="unattached"),
    row("g", kind="snapshot", attachment="unattached"),
]


def arrow(rows):
    """Text columns but for the size, as `coverage` gives them."""
    schema = pa.schema([(name, pa.float64() if name == "gib" else pa.string()) for name in ROWS[0]])
    return pa.Table.from_pylist(rows, schema=schema)


def frame_of(*rows):
    return arrow(list(rows)).to_pandas(types_mapper=pd.ArrowDtype)


@pytest.fixture(params=["pandas", "polars", "arrow", "duckdb"])
def cov(request):
    table = arrow(ROWS)
    makers = {
        "pandas": lambda: frame_of(*ROWS),
        "polars": lambda: pl.from_arrow(table),
        "arrow": lambda: table,
        "duckdb": lambda: duckdb.from_arrow(table),
    }
    return makers[request.param]()


@pytest.fixture
def inv():
    def line(source, kind, used, aside, **more):
        counts = {"rows_read": used + aside, "rows_used": used, "rows_set_aside": aside}
        base = {"shape": "array", "truncated": False, "truncation_reason": "", "captured_at": None}
        base |= {"status": "", "notes": ""}
        return {"source": source, "resource_type": kind, "reasons": "", "sha256": "ab"} | counts | base | more

    ledger = pd.DataFrame(
        [
            line("/x/y/one/disks.json", "microsoft.compute/disks", 7, 0),
            line("/x/y/two/all.json", "microsoft.compute/disks", 2, 1, reasons="1 older capture"),
            line("/x/y/two/all.json", "microsoft.web/sites", 0, 4, truncated=True),
        ]
    )
    totals = {"rows_read": 14, "rows_used": 9, "rows_set_aside": 5}
    return SimpleNamespace(ledger=ledger, totals=totals, gaps=list)


def with_gaps(inv, count):
    gap = {"gap": "disks without a VM", "rows": 3, "consequence": "host encryption"}
    return SimpleNamespace(**vars(inv) | {"gaps": lambda: [gap] * count})


def lines(shown):
    return [dict(zip(shown.headings, line, strict=True)) for line in shown.lines]


def test_the_verdict_uses_low_bounds_and_says_what_is_unknown(inv, cov):
    # VMs: 1 yes, 2 unknown, 3 no. Attached disks by customer keys: a yes, b unknown, c and d no.
    temp, attached, unattached, snapshots, *rest = verdict(inv, cov).sentences
    assert temp == (
        "Of 3 VMs with a local temp disk, at least 33.3% have it encrypted "
        "(at most 66.7%, since 1 is unknown)."
    )
    assert attached == (
        "Of 4 attached disks, 100% are encrypted at rest, and at least 25% are under a key that the customer "
        "controls (at most 50%, since 1 is unknown)."
    )
    assert unattached == (
        "Of 1 unattached disk, 100% are encrypted at rest, "
        "and 100% are under a key that the customer controls."
    )
    assert snapshots == (
        "Of 2 snapshots, 100% are encrypted at rest, and 0% are under a key that the customer controls."
    )
    assert rest == [
        "The data of 1 disk contradicts itself: see Conflicts.",
        "Some exports show signs of a cut: what was cut off is absent from every count here.",
        "5 of 14 rows read were set aside: see What was read.",
    ]


def test_the_verdict_says_what_it_stands_on(inv, cov):
    *_, gaps, basis = verdict(with_gaps(inv, 2), cov, "2023-05-15", "2026-11-24").sentences
    assert gaps == "2 gaps in what was read leave verdicts unknown: see What was read."
    assert basis == "Judged by the encryption matrix of 2023-05-15 (table of 2023-05-15), as of 2026-11-24."
    assert verdict(with_gaps(inv, 1), cov).sentences[-1].startswith("1 gap in what was read leaves")


def test_the_verdict_on_nothing(inv):
    assert verdict(inv, frame_of()).sentences == (
        "The inventory holds no disks, so there is nothing to judge.",
    )


def test_the_verdict_is_an_element_that_can_be_found(inv, cov):
    shown = verdict(inv, cov)._repr_html_()
    assert shown.startswith('<div class="verdict">\n<p>Of 3 VMs')


def test_unmanaged_disks_are_named_as_outside(inv):
    outside = dict.fromkeys(capabilities(), "not_applicable") | {"defender_status": "NotApplicable"}
    cov = frame_of(row("u", kind="unmanaged_disk", **outside))
    assert verdict(inv, cov).sentences[0] == (
        "1 attached disk is unmanaged and so outside of the encryption matrix."
    )


def test_parts_of_the_estate_are_told_apart(cov):
    parts = scope.with_scope(cov)
    found = {line["scope"]: line["disks"] for line in results.rows(results.tally(parts, by=["scope"]))}
    assert found == {"attached disks": 4, "unattached disks": 1, "snapshots": 2}
    assert results.count_rows(scope.only(cov, scope.SNAPSHOTS)) == 2


def test_sizes_leave_out_what_is_counted_per_vm(cov):
    found = {line["capability"]: line for line in scope.by_size(cov)}
    assert set(found) == set(capabilities()) - {"temp_disk", "defender_status"}
    # a 300 and e 100 of a 300, b 100, c none, d 700, e 100, f 100, g 100.
    assert (found["customer_keys"]["yes"], found["customer_keys"]["total"]) == (400, 1400)


def test_shares_stand_by_part(cov):
    found = {(line["Part"], line["Capability"]): line for line in lines(digest.shares(cov))}
    temp = found["attached disks", "Temp disk"]
    assert (temp["Counted in"], temp["Yes"], temp["Unknown"], temp["No"]) == ("VMs", "1", "1", "1")
    assert (temp["Share of yes"], temp["Share of GiB"]) == ("33.3%–66.7%", "–")
    keys = found["attached disks", "Customer control of keys"]
    # 300 yes, 100 unknown, 700 no of 1100 GiB: 27.27 % to 36.36 %.
    assert (keys["Share of yes"], keys["Share of GiB"]) == ("25%–50%", "27.2%–36.4%")
    assert ("unattached disks", "Temp disk") not in found


def test_misses_stand_known_before_unknown_and_large_before_small(cov):
    found = dict(digest.misses(cov).lists)
    keys = found["Customer control of keys: 4 no, 1 unknown"]
    assert [(line["Disk"], line["Answer"]) for line in lines(keys)] == [
        ("d", "no"),
        ("f", "no"),
        ("g", "no"),
        ("c", "no"),
        ("b", "unknown"),
    ]
    assert lines(keys)[0]["Where"] == "s-1 / rg"
    assert lines(keys)[0]["Evidence"] == "because"
    assert "Temp disk: 2 no, 1 unknown" in found
    # c and d of one VM are Unhealthy, b is not known.
    assert "Defender for Cloud status: 2 no, 1 unknown" in found
    assert not any(heading.startswith("Encrypted at rest") for heading in found)


def test_misses_are_capped_and_say_so(cov):
    found = dict(digest.misses(cov, limit=2).lists)
    assert (
        found["Customer control of keys: 4 no, 1 unknown"].cut
        == "2 of 5 shown, all in the appendix: sheet disks"
    )


def test_no_misses_are_said():
    yes = dict.fromkeys(capabilities(), "yes") | {"defender_status": "Healthy"}
    cov = frame_of(row("a", **yes))
    assert digest.misses(cov)._repr_html_().count("No disk misses a capability") == 1


def test_conflicts_are_listed_as_text(cov):
    shown = digest.conflicts(cov)
    assert [line["Contradiction"] for line in lines(shown)] == ["<i>ADE with host</i>"]
    assert "<i>" not in shown._repr_html_()


def test_the_ledger_is_summed_without_losing_a_row(inv):
    found = lines(digest.reading(inv))
    assert [tuple(line.values()) for line in found] == [
        ("microsoft.compute/disks", "2", "10", "9", "1"),
        ("other types, not used", "1", "4", "0", "4"),
        ("All", "2", "14", "9", "5"),
    ]


def test_files_with_rows_set_aside_stand_first_and_without_their_folder(inv):
    [(heading, shown)] = digest.files(inv).lists
    assert heading == "Each of the 2 files, those with rows set aside first"
    assert [line["File"] for line in lines(shown)] == ["two/all.json", "two/all.json", "one/disks.json"]


def test_facts_are_plain_and_whole(inv, cov, tmp_path):
    facts = digest.coverage_facts(inv, cov, edition="2023-05-15", as_of="2026-11-24")
    results.write_facts(tmp_path / "facts.json", facts)
    read = json.loads((tmp_path / "facts.json").read_text())
    assert (read["edition"], read["as_of"], read["disks"], read["conflicts"]) == (
        "2023-05-15",
        "2026-11-24",
        7,
        1,
    )
    assert read["capabilities"]["temp_disk"]["vms"] == {
        "yes": 1,
        "no": 1,
        "unknown": 1,
        "not_applicable": 0,
        "total": 3,
        "share": 0.5,
        "share_low": 0.333333,
        "share_high": 0.666667,
    }
    assert read["ledger"]["files"][0]["source"] == "one/disks.json"
    assert {line["subscription"] for line in read["by_subscription"]} == {"s-1"}


def test_facts_have_a_stable_order(inv):
    forth, back = (digest.coverage_facts(inv, frame_of(*rows)) for rows in (ROWS, ROWS[::-1]))
    assert json.dumps(forth) == json.dumps(back)


def test_what_is_no_number_is_null(tmp_path):
    results.write_facts(tmp_path / "f.json", {"a": float("nan"), "b": [1 / 3], "c": "ä"})
    assert (
        tmp_path / "f.json"
    ).read_bytes() == '{\n  "a": null,\n  "b": [\n    0.333333\n  ],\n  "c": "ä"\n}\n'.encode()


def test_provenance_leaves_out_where_files_lie():
    params = {"inventory": "/x/y/exports", "edition": "latest", "as_of": "", "top": 3, "facts_out": "/x/f"}
    found = {line["What"]: line["Value"] for line in lines(digest.provenance(params))}
    assert found["Edition of the matrix"] == "2026-04-02: table of 2025-05-14 with notes to 2026-04-02"
    assert found["As of"] == "no date stated"
    assert found["Parameter inventory"] == "exports"
    assert found["Parameter top"] == "3"
    assert "Parameter facts_out" not in found
    assert found["Version of duckdb"] == duckdb.__version__


@pytest.mark.parametrize("edition", ["latest", "2026-04-02", "2023-05-15"])
def test_a_report_shows_where_the_editions_differ(edition):
    shown = digest.edition_changes(edition)
    assert shown.caption == "Cells that differ between the editions 2023-05-15 and 2026-04-02"
    first = lines(shown)[0]
    assert (first["Capability"], first["Method"], first["2023-05-15"]) == (
        "Temp disk",
        "Storage encryption (SSE)",
        "no",
    )
