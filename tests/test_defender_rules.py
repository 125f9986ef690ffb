"""The truth table of each Defender rule, by hand from its policy definition, per cloud."""

from __future__ import annotations

import pytest

from diskenc_analysis.defender_outcomes import compare, outcomes
from diskenc_analysis.defender_rules import cloud_of, defender_rules, detected, predict
from diskenc_analysis.editions import records

BASE = {
    "seen": "yes",
    "form": "vm",
    "cloud": "public",
    "os": "windows",
    "host": "off",
    "excluded": "",
    "guest": "unread",
    "matrix": "Unhealthy",
}
SAID = {"reported": "none", "exempt": "", "told": "yes"}


def status(rule, **facts):
    return predict(defender_rules()[rule], BASE | facts).status


def outcome(rule, reported, **facts):
    return compare(defender_rules()[rule], BASE | SAID | facts | {"reported": reported})["outcome"]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"host": "on"}, "Healthy"),
        ({"host": "off"}, "Unhealthy"),
        ({"host": "unknown"}, "unknown"),
        ({"host": "off", "matrix": "Healthy"}, "Unhealthy"),  # Azure Disk Encryption is not looked at
        ({"host": "off", "excluded": "confidential", "matrix": "NotApplicable"}, "Unhealthy"),
        ({"host": "off", "excluded": "ultra"}, "Unhealthy"),
        ({"form": "scale_set", "host": "on", "os": "unknown"}, "Healthy"),
        ({"form": "scale_set", "host": "off", "os": "unknown"}, "Unhealthy"),
        ({"form": "instance", "host": "on"}, "NotApplicable"),  # the model is judged, not the instance
        ({"seen": "no", "host": "unknown"}, "unknown"),
        ({"cloud": "usgovernment", "host": "on"}, "Healthy"),
        ({"cloud": "usgovernment", "host": "off"}, "Unhealthy"),
        ({"cloud": "china", "host": "on"}, "unknown"),  # no source says whether the rule is there
        ({"cloud": "unknown", "host": "on"}, "unknown"),
    ],
)
def test_the_host_rule_reads_one_flag_and_leaves_nothing_out(facts, expected):
    assert status("defender_host", **facts) == expected


@pytest.mark.parametrize(
    ("rule", "mine", "other"),
    [("defender_windows", "windows", "linux"), ("defender_linux", "linux", "windows")],
)
@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"guest": "compliant"}, "Healthy"),
        ({"guest": "compliant", "host": "off", "matrix": "Unhealthy"}, "Healthy"),  # the guest decides
        ({"guest": "noncompliant", "matrix": "Healthy"}, "Unhealthy"),
        ({"guest": "pending"}, "not_evaluated"),
        ({"guest": "none", "matrix": "Healthy"}, "not_evaluated"),  # never healthy by default
        ({"guest": "differ"}, "unknown"),
        # The rule evaluates inside of the VM: what was not read of that, no flag outside stands in for.
        *[
            ({"guest": "unread", "matrix": matrix}, "unknown")
            for matrix in ("Healthy", "Unhealthy", "unknown", "NotApplicable")
        ],
        *[
            ({"guest": "compliant", "excluded": one}, "NotApplicable")
            for one in ("confidential", "ultra", "basic_size", "aks", "databricks", "aks_image")
        ],
        ({"guest": "compliant", "excluded": "unknown"}, "unknown"),
        ({"guest": "compliant", "os": "unknown"}, "unknown"),
        ({"guest": "compliant", "form": "scale_set"}, "NotApplicable"),
        ({"guest": "compliant", "form": "instance"}, "NotApplicable"),
        ({"guest": "compliant", "seen": "no"}, "unknown"),
        ({"guest": "compliant", "cloud": "usgovernment"}, "NotApplicable"),  # only the host rule is there
        ({"guest": "noncompliant", "cloud": "usgovernment"}, "NotApplicable"),
        ({"guest": "compliant", "cloud": "china"}, "unknown"),
    ],
)
def test_the_rules_on_the_guest_read_its_assignment(rule, mine, other, facts, expected):
    assert status(rule, **{"os": mine} | facts) == expected
    assert status(rule, os=other, guest="compliant") == "NotApplicable"


@pytest.mark.parametrize("cloud", ["public", "usgovernment", "china"])
@pytest.mark.parametrize("host", ["on", "off", "unknown"])
def test_the_deprecated_rule_should_say_nothing(cloud, host):
    assert status("defender_ade", cloud=cloud, host=host) == "NotApplicable"
    assert outcome("defender_ade", "none", cloud=cloud, host=host) == "out_of_scope"
    assert outcome("defender_ade", "unhealthy", cloud=cloud, host=host) == "deprecated_rule"


def test_what_each_rule_detects_by_the_documents_is_that_of_each_edition():
    """The footnote of the seed's table, and that of the newest; neither says more of a rule."""
    both = "Azure Disk Encryption and encryption at host"
    assert detected() == {
        "2023-05-15": {
            "defender_ade": "Azure Disk Encryption",
            "defender_windows": f"{both} (a preview then)",
            "defender_linux": f"{both} (a preview then)",
        },
        "2026-04-02": {
            "defender_host": "encryption at host",
            "defender_windows": both,
            "defender_linux": both,
            "defender_ade": "Azure Disk Encryption (still listed, though its policy is deprecated)",
        },
    }
    assert set(detected()) == {row["edition"] for row in records("editions.csv")}


def test_the_government_cloud_has_the_host_rule_alone():
    there = [rule.rule_id for rule in defender_rules().values() if "usgovernment" not in rule.absent_clouds]
    assert there == ["defender_host"]


@pytest.mark.parametrize(
    ("location", "cloud"),
    [
        ("usgovvirginia", "usgovernment"),
        ("usdodeast", "usgovernment"),
        ("USGovArizona", "usgovernment"),
        ("chinanorth3", "china"),
        ("westus2", "public"),
        ("uksouth", "public"),
        ("", "unknown"),
    ],
)
def test_a_region_tells_its_cloud(location, cloud):
    assert cloud_of(location) == cloud


@pytest.mark.parametrize(
    ("rule", "reported", "facts", "expected"),
    [
        ("defender_host", "healthy", {"host": "on"}, "agree"),
        ("defender_host", "unhealthy", {"host": "off"}, "agree"),
        ("defender_host", "unhealthy", {"host": "on"}, "stale"),
        ("defender_host", "healthy", {"host": "off"}, "stale"),
        ("defender_host", "notapplicable", {"host": "off"}, "unexplained"),
        ("defender_host", "notapplicable", {"host": "off", "exempt": "yes"}, "exempted"),
        ("defender_host", "notapplicable", {"host": "off", "exempt": "maybe"}, "unknown"),
        ("defender_host", "healthy", {"host": "on", "exempt": "yes"}, "agree"),
        ("defender_host", "none", {"host": "on"}, "not_reported"),
        ("defender_host", "healthy", {"host": "unknown"}, "unknown"),
        ("defender_host", "differ", {"host": "on"}, "unknown"),
        ("defender_host", "brandnew", {"host": "on"}, "unknown"),
        ("defender_host", "healthy", {"form": "instance"}, "unexplained"),
        ("defender_windows", "healthy", {"guest": "compliant"}, "agree"),
        ("defender_windows", "unhealthy", {"guest": "compliant"}, "stale"),
        ("defender_windows", "unhealthy", {"guest": "none"}, "not_evaluated"),
        ("defender_windows", "none", {"guest": "none"}, "not_evaluated"),
        ("defender_windows", "notapplicable", {"guest": "pending"}, "not_evaluated"),
        ("defender_windows", "healthy", {"guest": "none"}, "unexplained"),
        ("defender_windows", "notapplicable", {"guest": "none", "exempt": "yes"}, "exempted"),
        ("defender_windows", "notapplicable", {"guest": "none", "exempt": "left_out"}, "exempted"),
        ("defender_windows", "notapplicable", {"guest": "none", "exempt": "maybe"}, "not_evaluated"),
        ("defender_windows", "notapplicable", {"guest": "unread", "exempt": "yes"}, "unknown"),
        ("defender_host", "notapplicable", {"host": "off", "exempt": "left_out"}, "exempted"),
        ("defender_host", "unhealthy", {"host": "off", "exempt": "left_out"}, "agree"),
        ("defender_windows", "unhealthy", {"guest": "unread", "matrix": "Healthy"}, "unknown"),
        ("defender_windows", "none", {"excluded": "ultra"}, "out_of_scope"),
        ("defender_windows", "notapplicable", {"excluded": "confidential"}, "out_of_scope"),
        ("defender_windows", "unhealthy", {"excluded": "aks"}, "unexplained"),
        ("defender_linux", "none", {}, "out_of_scope"),
    ],
)
def test_each_pair_has_its_outcome(rule, reported, facts, expected):
    assert outcome(rule, reported, **facts) == expected


def test_every_outcome_has_words_and_something_to_do():
    for row in outcomes().values():
        assert row["label"]
        assert row["meaning"]
        assert row["action"]
        assert row["disagrees"] in ("yes", "no")


def test_a_reason_says_where_the_rule_departs_from_the_documents():
    said = BASE | SAID | {"reported": "unhealthy"}
    rule = defender_rules()["defender_host"]
    assert "Azure Disk Encryption counts" in compare(rule, said | {"matrix": "Healthy"})["reason"]
    assert "confidential VMs" in compare(rule, said | {"matrix": "NotApplicable"})["reason"]
