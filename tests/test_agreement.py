"""The charts and the lists of the reports on Defender and on controls, from counts made by hand."""

from __future__ import annotations

import duckdb
import pandas as pd
import polars as pl
import pytest

from diskenc_analysis import agreement, digest_controls, digest_defender
from diskenc_analysis.controls import chosen
from diskenc_analysis.standing import standings

EVIL = "<b>x</b><script>alert(1)</script>"
ENGINES = {
    "pandas": lambda frame: frame,
    "polars": pl.from_pandas,
    "arrow": lambda frame: pl.from_pandas(frame).to_arrow(),
    "duckdb": lambda frame: duckdb.connect().from_df(frame),
}


def pair(given, told, pairs=1):
    return {"predicted": given, "reported": told, "pairs": pairs}


def drawn(figure):
    """Give the numbers behind a chart by row and column."""
    head, *_ = [figure.layout.meta["columns"]]
    return {
        (row[0], name): text
        for row in figure.layout.meta["rows"]
        for name, text in zip(head[1:], row[1:], strict=True)
    }


COUNTS = [
    pair("Healthy", "Healthy", 5),
    pair("Unhealthy", "Healthy", 2),
    pair("Unhealthy", "NotApplicable", 1),
    pair("NotApplicable", "", 40),
    pair("Healthy", "", 7),
    pair("not_evaluated", "Unhealthy", 3),
    pair("unknown", "unknown", 1),
]


def test_each_cell_of_the_matrix_has_its_count():
    found = drawn(agreement.agreement(COUNTS))
    assert len(found) == 5 * 5
    assert found["Unhealthy", "Healthy"] == "2"
    assert found["Not evaluated", "Unhealthy"] == "3"
    assert found["Not applicable", "No report"] == "40"
    assert sum(int(text) for text in found.values()) == 59


def test_cells_that_agree_differ_and_are_open_have_their_own_colour():
    figure = agreement.agreement(COUNTS)
    shown = {trace.name: {text for line in trace.text for text in line if text} for trace in figure.data}
    assert shown == {"agree": {"5", "40"}, "differ": {"2", "1"}, "open": {"7", "3", "1"}, "none": {"0"}}
    # Rows are numbered from the top, and no cell belongs to two colours.
    coloured = [
        (down, across)
        for trace in figure.data
        for down, line in enumerate(trace.z)
        for across, value in enumerate(line)
        if value is not None
    ]
    assert len(coloured) == len(set(coloured)) == 5 * 5
    assert figure.layout.yaxis.autorange == "reversed"


def test_the_words_beside_the_matrix_count_silence_apart():
    alt = agreement.agreement(COUNTS).layout.meta["alt"]
    assert alt == (
        "Given and reported are the same in 5 pairs and differ in 3; in 40 the rule does not apply and "
        "nothing is reported; in 11 one of the two is not known."
    )


def test_charts_of_nothing_say_so():
    for figure, words in (
        (agreement.agreement([]), "no VMs"),
        (agreement.causes_by([{"rule_id": "a", "outcome": "agree", "pairs": 9}]), "no disagreements"),
        (agreement.controls_by([], "rule_id", "Control"), "no findings"),
    ):
        assert words in str(figure.layout.annotations)
        assert figure.layout.meta["alt"]


def cause(group, outcome, pairs, by="rule_id"):
    return {by: group, "outcome": outcome, "pairs": pairs}


def bars(figure):
    return {trace.name: list(trace.x) for trace in figure.data}


def test_disagreements_stand_by_cause_with_the_unexplained_first():
    figure = agreement.causes_by(
        [
            cause("small", "stale", 1),
            cause("large", "stale", 8),
            cause("odd", "unexplained", 1),
            cause("large", "agree", 99),
            cause("odd", "exempted", 2),
        ]
    )
    assert list(figure.layout.yaxis.ticktext) == ["odd", "large", "small"]
    assert bars(figure) == {
        "Defender is stale": [0, 8, 1],
        "Exempted in Azure": [2, 0, 0],
        "Not explained": [1, 0, 0],
    }
    assert [note.text for note in figure.layout.annotations] == ["3 pairs", "8 pairs", "1 pair"]
    assert figure.layout.xaxis.title.text == "Pairs of resource and rule"


@pytest.mark.parametrize("draw", ["causes", "controls"])
def test_beyond_top_the_rest_is_one_row_named_others(draw):
    if draw == "causes":
        rows = [cause(f"s{n}", "stale", n, "place") for n in range(1, 6)]
        figure = agreement.causes_by(rows, "place", "Subscription", top=2)
    else:
        rows = [{"place": f"s{n}", "standing": "not_met", "pairs": n} for n in range(1, 6)]
        figure = agreement.controls_by(rows, "place", "Subscription", top=2)
    assert list(figure.layout.yaxis.ticktext) == ["s5", "s4", "others (3)"]
    [trace] = figure.data
    # The bar of the others would dwarf the rest: each bar is whole, and its total stands beside it.
    assert list(trace.x) == [100, 100, 100]
    assert [note.text.split()[0] for note in figure.layout.annotations] == ["5", "4", "6"]
    assert "(2 of 5, the rest as others)" in figure.layout.meta["title"]


def test_findings_stand_by_control_with_the_excepted_apart():
    figure = agreement.controls_by(
        [
            {"rule_id": "8.2", "standing": "met", "pairs": 3},
            {"rule_id": "8.3", "standing": "excepted", "pairs": 2},
            {"rule_id": "8.3", "standing": "not_met", "pairs": 1},
        ],
        "rule_id",
        "Control",
    )
    assert bars(figure) == {"Met": [0, 3], "Not met": [1, 0], "Excepted": [2, 0]}
    assert "8.3" in figure.layout.meta["alt"]


def test_a_rule_is_named_by_its_title_and_its_id_stays_findable():
    rows = [cause("defender_host", "stale", 2), cause("defender_linux", "stale", 1)]
    figure = agreement.causes_by(rows, names=digest_defender.rule_names())
    first, second = figure.layout.yaxis.ticktext
    assert first == "Encryption at host"
    assert second == "Linux: Azure Disk Encryption or<br>encryption at host"  # two lines of 34 letters
    assert figure.data[0].hovertext[0].startswith("<b>Encryption at host</b><br>defender_host<br>")
    assert figure.layout.meta["columns"][:2] == ["Rule", "Id"]
    assert [row[1] for row in figure.layout.meta["rows"]] == ["defender_host", "defender_linux"]


def test_a_control_is_named_by_what_it_asks_and_others_have_no_id():
    rows = [
        {"rule_id": f"cis_azure_3.0.0/8.{n}", "standing": "not_met", "pairs": 9 - n} for n in (2, 3, 4, 5)
    ]
    figure = agreement.controls_by(
        rows, "rule_id", "Control", top=2, names=digest_controls.control_names("cis_azure")
    )
    assert list(figure.layout.yaxis.ticktext) == [
        "8.2 VMs use managed disks",
        "8.3 OS and data disks are<br>encrypted with a customer's key",
        "others (2)",
    ]
    assert [row[1] for row in figure.layout.meta["rows"]] == [
        "cis_azure_3.0.0/8.2",
        "cis_azure_3.0.0/8.3",
        "–",
    ]
    long = digest_controls.control_names("all")["pci_dss_4.0.1/3.5.1.2"]
    figure = agreement.controls_by(
        [{"rule_id": "x", "standing": "met", "pairs": 1}], "rule_id", "Control", names={"x": long + EVIL}
    )
    [tick] = figure.layout.yaxis.ticktext
    assert tick.endswith("…")
    assert tick.count("<") == 1


def test_names_of_strangers_are_no_markup_and_two_of_one_look_stay_two():
    rows = [cause(EVIL, "stale", 1, "place"), cause(EVIL + "\u200b", "stale", 2, "place")]
    figure = agreement.causes_by(rows, "place", "Subscription")
    [trace] = figure.data
    assert list(trace.x) == [2, 1]
    assert "<script" not in "".join(figure.layout.yaxis.ticktext)
    assert "<script" not in "".join(trace.hovertext)


def told(name, outcome, rule="defender_host", **more):
    row = {"resource_id": f"/vm/{name}", "name": name, "rule_id": rule, "outcome": outcome}
    row |= {"subscription_name": None, "subscription_id": "s-1", "resource_group": "rg", "cloud": "public"}
    row |= {"predicted": "Healthy", "reported": "Unhealthy", "matrix_status": "", "reason": "because"}
    return row | {"action": "look"} | more


DEFENDER = [
    *[told(f"a{n}", "agree", reported="Healthy") for n in range(3)],
    told("s1", "stale"),
    told("u1", "unexplained") | {"name": EVIL},
    told("g1", "not_evaluated"),
    told("q1", "not_reported", reported=""),
    told("o1", "out_of_scope", reported="", predicted="NotApplicable"),
]


@pytest.mark.parametrize("engine", ENGINES)
def test_the_verdict_on_defender_names_every_cause(engine):
    found = ENGINES[engine](pd.DataFrame(DEFENDER))
    assert digest_defender.defender_verdict(found).sentences == (
        "Of 5 pairs of resource and rule that both sides judge, 3 agree.",
        (
            "3 pairs disagree or say nothing of the disks. Defender is stale: 1; "
            "Not evaluated in the guest: 1; Disagrees and is not explained: 1."
        ),
        "1 pair could not be compared: see the list of outcomes.",
    )


def test_without_disagreements_the_verdict_says_none():
    found = digest_defender.defender_verdict(pd.DataFrame(DEFENDER[:3])).sentences
    assert found[0] == "Of 3 pairs of resource and rule that both sides judge, 3 agree."
    assert len(found) == 2


@pytest.mark.parametrize("engine", ENGINES)
def test_disagreements_are_listed_the_unexplained_first(engine):
    shown = digest_defender.disagreements(ENGINES[engine](pd.DataFrame(DEFENDER)), limit=2)
    assert shown.total == 3
    assert "2 of 3 shown" in shown.cut
    cause = shown.headings.index("Cause")
    assert [line[cause] for line in shown.lines] == ["Disagrees and is not explained", "Defender is stale"]
    assert shown.lines[1][shown.headings.index("Where")] == "s-1 / rg"
    assert "<script" not in shown._repr_html_()


def test_every_outcome_is_counted_and_every_rule_listed():
    shown = digest_defender.outcome_counts(pd.DataFrame(DEFENDER))
    counts = {line[0]: line[1] for line in shown.lines}
    assert len(counts) == 9
    assert (counts["Agree"], counts["Defender is stale"], counts["Unknown"]) == ("3", "1", "0")
    names = [f"defender_{name}" for name in ("host", "windows", "linux", "ade")]
    assert [line[1] for line in digest_defender.rule_list().lines] == names


def test_policies_are_counted_by_verdict_and_gap():
    rows = [
        {"rule_id": "policy_customer_key", "policy_verdict": "non_compliant", "gap": "good_disk_flagged"},
        {"rule_id": "policy_customer_key", "policy_verdict": "non_compliant", "gap": ""},
        {"rule_id": "policy_double", "policy_verdict": "compliant", "gap": "bad_disk_passed"},
    ]
    shown = digest_defender.policy_gaps(pd.DataFrame(rows))
    found = {line[0]: dict(zip(shown.headings, line, strict=True)) for line in shown.lines}
    keys = found["OS and data disks should be encrypted with a customer-managed key"]
    assert (keys["Flagged"], keys["Good but flagged"], keys["Compliant"]) == ("2", "1", "0")
    double = [line for name, line in found.items() if "double encrypted" in name]
    assert double[0]["Bad but passed"] == "1"


def finding(name, control, status, exception=""):
    note = "lab (owner me, approved by you, until 2026-12-31)" if exception else ""
    row = {"rule_id": f"cis_azure_3.0.0/{control}", "status": status, "exception": exception}
    row |= {"disk_id": f"/d/{name}", "name": name, "exception_note": note, "evidence": "because"}
    row |= {"title": "what the control asks"}
    return row | {"subscription_name": "one", "subscription_id": "s-1", "resource_group": "rg"}


FOUND = [
    finding("a", "8.3", "met"),
    finding("b", "8.3", "not_met"),
    finding("c", "8.3", "not_met", "excepted"),
    finding("d", "8.3", "unknown"),
    finding("e", "8.3", "not_met", "expired"),
    finding("a", "8.4", "not_applicable"),
]


@pytest.mark.parametrize("engine", ENGINES)
def test_standings_count_the_excepted_apart_and_the_expired_as_they_are(engine):
    found = standings(ENGINES[engine](pd.DataFrame(FOUND)), ["rule_id"])
    assert {(row["rule_id"][-3:], row["standing"]): row["pairs"] for row in found} == {
        ("8.3", "met"): 1,
        ("8.3", "not_met"): 2,
        ("8.3", "excepted"): 1,
        ("8.3", "unknown"): 1,
        ("8.4", "not_applicable"): 1,
    }


def test_the_verdict_on_controls_counts_the_excepted_apart_and_claims_nothing():
    said = digest_controls.control_verdict(pd.DataFrame(FOUND), "cis_azure").sentences
    assert said == (
        (
            "Of 5 pairs of disk and control of CIS Microsoft Azure Foundations Benchmark 3.0.0, 1 are met, "
            "1 are excepted, 2 are not met and 1 are unknown."
        ),
        "Findings that stand again, since their exception has expired: 1.",
        "This is evidence on disks, and no statement of compliance.",
    )


def test_the_list_of_controls_has_all_of_them_with_their_caveats():
    shown = digest_controls.control_list(pd.DataFrame(FOUND), "cis_azure")
    assert "CIS Microsoft Azure Foundations Benchmark 3.0.0" in shown.caption
    found = {line[0]: dict(zip(shown.headings, line, strict=True)) for line in shown.lines}
    assert list(found) == ["8.2", "8.3", "8.4", "8.5"]
    counts = {
        name: found["8.3"][name] for name in ("Met", "Unknown", "Not met", "Excepted", "Not applicable")
    }
    assert list(counts.values()) == ["1", "1", "2", "1", "0"]
    every = digest_controls.control_list(pd.DataFrame(FOUND), "all")
    assert len(every.lines) == len(chosen("all"))
    assert "PCI DSS 4.0.1: 3.5.1.2" in [line[0] for line in every.lines]


def test_open_findings_are_listed_the_excepted_last():
    shown = digest_controls.unmet(pd.DataFrame(FOUND))
    disk, note = shown.headings.index("Disk"), shown.headings.index("Exception")
    assert [line[disk] for line in shown.lines] == ["b", "e", "d", "c"]
    assert shown.lines[1][note].startswith("expired: lab")
    assert shown.lines[3][note].startswith("excepted: lab")
    assert "Exception" not in digest_controls.unmet(pd.DataFrame(FOUND[:2])).headings
    assert digest_controls.unmet(pd.DataFrame(FOUND), limit=1).total == 4
