"""What each exception comes to, counted by hand on five loose disks."""

from __future__ import annotations

import pandas as pd
import pytest

import diskenc_analysis as de
from diskenc_analysis import digest_controls as lists
from diskenc_analysis.errors import ParameterError
from diskenc_analysis.exceptionuse import USES
from tests.rules import GROUP, cmk, disk, disk_id, records, stores, vm, write

RULE = "cis_azure_3.0.0/8.4"
HEADER = "finding,scope,reason,owner,approver,expires\n"
RESOURCE_GROUP = GROUP.partition("/providers")[0]
#: CIS 8.4 asks unattached disks for a customer's key: a and b miss it, c has it, m-os belongs to a VM.
ESTATE = [
    *stores(),
    disk("a"),
    disk("b"),
    disk("c", encryption=cmk("standard")),
    vm("m"),
    disk("m-os", "m", system="Windows"),
]


@pytest.fixture(scope="module", params=["duckdb", "pandas", "polars", "arrow"])
def inv(request, tmp_path_factory):
    return de.load(write(tmp_path_factory.mktemp("used"), ESTATE), engine=request.param)


def used(inv, tmp_path, *lines, framework="cis_azure", as_of="2026-11-24"):
    path = tmp_path / "exceptions.csv"
    path.write_text(HEADER + "".join(f"{line}\n" for line in lines), encoding="utf-8")
    found = de.findings(inv, framework=framework, exceptions=path, as_of=as_of)
    return records(de.exception_uses(inv, found, path, as_of=as_of, framework=framework))


LASTS = "lab,me,you,2026-12-31"


def test_each_exception_says_what_it_covers(inv, tmp_path):
    found = used(
        inv,
        tmp_path,
        f"{RULE},{disk_id('a').upper()}/,{LASTS}",
        f"{RULE}:{disk_id('b').lower()},{RESOURCE_GROUP},{LASTS}",
        f"{RULE},,{LASTS}",
        f"{RULE},{disk_id('c')},{LASTS}",
        f"{RULE},{disk_id('m-os')},{LASTS}",
        f"{RULE},{disk_id('gone')},{LASTS}",
        f"{RULE}:{disk_id('a')},/subscriptions/elsewhere,{LASTS}",
        f"pci_dss_4.0.1/3.5.1.1,,{LASTS}",
    )
    numbers = [(row["use"], row["open"], row["met"], row["not_applicable"]) for row in found]
    assert numbers == [
        ("covers", 1, 0, 0),
        ("covers", 1, 0, 0),
        ("covers_part", 2, 1, 1),
        ("not_needed", 0, 1, 0),
        ("not_needed", 0, 0, 1),
        ("covers_nothing", 0, 0, 0),
        ("covers_nothing", 0, 0, 0),  # the finding is there, but not in that scope
        ("not_asked", 0, 0, 0),
    ]
    assert [row["line"] for row in found] == [2, 3, 4, 5, 6, 7, 8, 9]


def test_of_lines_that_say_the_same_the_last_counts_and_the_expired_stand_apart(inv, tmp_path):
    found = used(
        inv,
        tmp_path,
        f"{RULE},{disk_id('a')},old,me,you,2026-01-01",
        f"{RULE},{disk_id('a')},first,me,you,2026-12-31",
        f"{RULE},{disk_id('a').upper()},second,me,you,2027-12-31",
    )
    assert [(row["use"], row["in_force"]) for row in found] == [
        ("covers", "no"),
        ("repeated", "yes"),
        ("covers", "yes"),
    ]
    path = tmp_path / "exceptions.csv"
    rows = records(de.findings(inv, framework="cis_azure", exceptions=path, as_of="2026-11-24"))
    [row] = [one for one in rows if one["exception"]]
    assert row["exception_note"].startswith("second")


def test_rules_of_ones_own_are_asked_where_no_framework_is(inv, tmp_path):
    found = used(inv, tmp_path, f"contradiction,,{LASTS}", f"{RULE},,{LASTS}", framework=None)
    assert [row["use"] for row in found] == ["covers_nothing", "not_asked"]


def test_exceptions_without_a_date_are_refused(inv, tmp_path):
    with pytest.raises(ParameterError, match="as_of"):
        used(inv, tmp_path, f"{RULE},,{LASTS}", as_of="")


def test_the_report_lists_what_covers_nothing_first_and_counts_it(inv, tmp_path):
    lines = [f"{RULE},{disk_id('a')},{LASTS}", f"{RULE},{disk_id('gone')},<b>x</b>,me,you,2026-12-31"]
    uses = used(inv, tmp_path, *lines)
    shown = lists.exception_list(pd.DataFrame(uses))
    words = shown.headings.index("What it comes to")
    assert [line[words] for line in shown.lines] == [USES["covers_nothing"], USES["covers"]]
    assert "<b>x" not in shown._repr_html_()
    found = de.findings(inv, framework="cis_azure")
    said = lists.control_verdict(found, "cis_azure", uses).sentences
    assert "Exceptions that cover nothing, or not all that they name: 1." in said
    facts = lists.control_facts(inv, found, uses=uses)
    assert facts["exception_uses"] == [
        {"use": "covers", "exceptions": 1},
        {"use": "covers_nothing", "exceptions": 1},
    ]
