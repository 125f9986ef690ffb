from __future__ import annotations

import json

import pytest

from diskenc_analysis import charts, keycharts
from diskenc_analysis.errors import UnknownNameError

EVIL = "<b>x</b><script>alert(1)</script>"


def flow(group, method, store, disks, gib=0):
    return {"subscription_name": group, "method": method, "key_store": store, "disks": disks, "gib": gib}


def key(**given):
    row = {"use": "set", "store": "managed_hsm", "disks": 1, "expires": None, "days_left": None}
    return row | {"auto_rotation": "yes", "rotation_error": None, "rotation_age": 10} | given


def bars(figure):
    rows = figure.layout.yaxis.ticktext
    return {
        (rows[y], trace.name): x for trace in figure.data for x, y in zip(trace.x, trace.y, strict=True) if x
    }


def bands(figure):
    node, link = figure.data[0].node, figure.data[0].link
    ends = zip(link.source, link.target, link.value, strict=True)
    return {(node.label[source], node.label[target]): value for source, target, value in ends}


def test_the_flow_is_summed_on_both_sides_of_a_method():
    figure = keycharts.key_flow(
        [
            flow("a", "host", "platform", 3),
            flow("a", "host", "managed_hsm", 2),
            flow("b", "host", "platform", 1),
            flow("b", "sse", "platform", 4),
        ]
    )
    assert bands(figure) == {
        ("a", "Encryption at host"): 5,
        ("b", "Encryption at host"): 1,
        ("b", "Storage encryption only"): 4,
        ("Encryption at host", "Platform"): 4,
        ("Encryption at host", "Managed HSM"): 2,
        ("Storage encryption only", "Platform"): 4,
    }
    # 8 of 10 disks have the platform's key.
    assert "Platform 8 disks (80%)" in figure.layout.meta["alt"]
    assert figure.layout.meta["rows"][0] == ["b", "Storage encryption only", "Platform", "4"]


def test_the_flow_keeps_the_largest_groups_and_sums_the_others():
    rows = [flow(f"s{n:03}", "sse", "platform", n) for n in range(1, 301)]
    figure = keycharts.key_flow(rows, top=25)
    groups = [name for name in figure.data[0].node.label if name[0] == "s"]
    assert groups == [f"s{n}" for n in range(300, 285, -1)]
    # The sum of 1 to 285.
    assert bands(figure)["others (285)", "Storage encryption only"] == 285 * 286 / 2
    assert "(15 of 300, the rest as others)" in figure.layout.meta["title"]


def test_the_flow_in_gib():
    figure = keycharts.key_flow([flow("a", "ade", "key_vault_standard", 2, gib=64)], weight="gib")
    assert set(bands(figure).values()) == {64}
    with pytest.raises(UnknownNameError, match="disks, gib"):
        keycharts.key_flow([], weight="vms")


def test_a_store_that_nobody_listed_is_unknown():
    figure = keycharts.key_flow([flow("a", "new", "new", 2)])
    assert bands(figure) == {("a", "Unknown"): 2, ("Unknown", "Unknown"): 2}


def test_markup_in_a_name_is_shown_not_obeyed():
    figure = keycharts.key_flow([flow(EVIL, "sse", "platform", 1)])
    drawn = json.loads(figure.to_json())
    meta = drawn["layout"].pop("meta")
    assert "<script" not in json.dumps(drawn)
    assert meta["rows"][0][0] == EVIL


@pytest.mark.parametrize(
    ("expires", "days_left", "span"),
    [
        ("2026-11-24T00:00:00Z", 0, "Expired"),
        ("2026-11-25T00:00:00Z", 1, "Within 30 days"),
        ("2026-12-24T00:00:00Z", 30, "Within 30 days"),
        ("2026-12-25T00:00:00Z", 31, "31 to 90 days"),
        ("2027-11-25T00:00:00Z", 366, "More than a year"),
        (None, None, "No expiry date"),
        ("unknown", None, "Not read"),
        ("2026-12-25T00:00:00Z", None, "No day stated"),
    ],
)
def test_expiry_in_spans(expires, days_left, span):
    figure = keycharts.key_expiry([key(expires=expires, days_left=days_left, disks=3)], "2026-11-24")
    assert bars(figure) == {(span, "Managed HSM"): 3}
    assert figure.layout.meta["alt"].startswith(f"By time: {span} 3 disks.")


def test_expiry_stands_in_the_order_of_time_and_leaves_out_what_has_none():
    rows = [
        key(disks=7),
        key(days_left=-1, expires="2026-11-23", store="key_vault_standard"),
        key(use="ade_secret", disks=100),
        key(use="none", disks=100),
        key(use="ade_key", days_left=5, expires="2026-11-29", disks=2),
    ]
    figure = keycharts.key_expiry(rows, "2026-11-24")
    assert list(figure.layout.yaxis.ticktext) == ["Expired", "Within 30 days", "No expiry date"]
    assert bars(figure)["Expired", "Key vault, standard"] == 1


@pytest.mark.parametrize(
    ("given", "span", "how"),
    [
        ({"rotation_age": 90}, "Up to 90 days", "Automatic"),
        ({"rotation_age": 91, "auto_rotation": "no"}, "91 to 365 days", "By hand"),
        ({"rotation_age": 1096, "auto_rotation": None}, "More than 3 years", "By hand"),
        ({"rotation_age": None}, "Not read", "Automatic"),
        ({"rotation_error": "Forbidden"}, "Up to 90 days", "Automatic, stopped by an error"),
        ({"auto_rotation": "unknown", "rotation_error": "unknown"}, "Up to 90 days", "Unknown"),
    ],
)
def test_rotation_in_spans(given, span, how):
    assert bars(keycharts.rotation_age([key(**given)])) == {(span, how): 1}


@pytest.mark.parametrize(
    "figure", [keycharts.key_flow([]), keycharts.key_expiry([], ""), keycharts.rotation_age([])]
)
def test_nothing_gives_a_figure_that_says_so(figure):
    assert [note.text for note in figure.layout.annotations] == ["no disks"]


def test_shares_show_a_small_group_beside_a_large_one():
    tally = [
        {"subscription_name": "big", "key_owner": "customer", "disks": 9000, "gib": 1},
        {"subscription_name": "big", "key_owner": "platform", "disks": 1000, "gib": 1},
        {"subscription_name": "small", "key_owner": "customer", "disks": 1, "gib": 1},
    ]
    figure = charts.key_owners_by(tally, share=True)
    found = {trace.name: list(trace.x) for trace in figure.data}
    assert found == {"Customer-managed key": [90, 100], "Platform-managed key": [10, 0]}
    assert [note.text for note in figure.layout.annotations] == ["10,000 disks", "1 disk"]
    assert figure.layout.meta["title"] == "Key ownership by subscription, share of disks"
