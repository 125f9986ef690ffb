from __future__ import annotations

import json

import duckdb
import pandas as pd
import plotly.graph_objects as go
import polars as pl
import pytest

from diskenc_analysis import charts
from diskenc_analysis.errors import ParameterError, UnknownNameError

EVIL = "<b>x</b><script>alert(1)</script>"


def answer(group, yes=0, no=0, unknown=0, na=0, capability="temp_disk", weight="vms"):
    counts = {"yes": yes, "no": no, "not_applicable": na, "unknown": unknown}
    return (
        {"subscription_name": group, "capability": capability, "weight": weight}
        | counts
        | {"total": yes + no + unknown + na}
    )


def tallied(group, method, disks, gib=0, owner="platform"):
    return {"subscription_name": group, "method": method, "key_owner": owner, "disks": disks, "gib": gib}


def bars(figure):
    return {trace.name: list(trace.x) for trace in figure.data}


def test_a_bar_is_the_share_of_all_that_was_counted():
    figure = charts.headline([answer(None, yes=5, no=2, unknown=1, na=2)])
    assert bars(figure) == {"Yes": [50], "Unknown": [10], "No": [20], "Not applicable": [20]}


def test_the_bounds_leave_out_what_does_not_apply():
    # yes 5, no 2, unknown 1: 5/8 = 62.5% to 6/8 = 75%; the two that do not apply are in neither.
    figure = charts.headline([answer(None, yes=5, no=2, unknown=1, na=2)])
    assert [note.text for note in figure.layout.annotations] == ["62.5%–75% of 8 VMs"]
    assert "62.5%–75% of 8 VMs" in figure.layout.meta["alt"]


def test_the_lowest_share_stands_first_and_what_applies_to_nothing_last():
    summary = [
        answer(None, yes=9, no=1, capability="at_rest", weight="disks"),
        answer(None, na=4, capability="caches", weight="disks"),
        answer(None, yes=1, no=3, capability="temp_disk"),
        answer(None, yes=1, unknown=9, capability="hsm", weight="disks"),
    ]
    figure = charts.headline(summary)
    assert list(figure.layout.yaxis.ticktext) == [
        "Customer key in an HSM",
        "Temp disk",
        "Encrypted at rest",
        "Caches",
    ]
    assert figure.layout.annotations[3].text == "not applicable"
    # Row 0 is drawn on top.
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]


def test_the_numbers_behind_a_chart_stand_in_its_meta():
    meta = charts.headline([answer(None, yes=5, no=2, unknown=1, na=2)]).layout.meta
    assert meta["columns"] == [
        "Capability",
        "Yes",
        "Unknown",
        "No",
        "Not applicable",
        "Share of yes",
        "Counted in",
    ]
    assert meta["rows"] == [["Temp disk", "5", "1", "2", "2", "62.5%–75%", "VMs"]]


@pytest.mark.parametrize("make", [charts.headline, charts.coverage_by, charts.heatmap, charts.methods_by])
def test_nothing_gives_a_figure_that_says_so(make):
    for frame in ([], pd.DataFrame({"subscription_name": [], "capability": [], "method": [], "disks": []})):
        figure = make(frame)
        assert [note.text for note in figure.layout.annotations] == ["no disks"]
        assert figure.layout.meta["alt"] == "Nothing to draw: no disks."


def test_groups_over_the_limit_are_summed_as_others():
    summary = [answer(f"s{n}", yes=n, no=10 - n) for n in range(5)]
    figure = charts.coverage_by(summary, top=3)
    assert list(figure.layout.yaxis.ticktext) == ["s0", "s1", "s2", "others (2)"]
    # s3 and s4: 3 + 4 yes of 20.
    assert figure.layout.annotations[3].text == "35% of 20 VMs"
    assert "(3 of 5, the rest as others)" in figure.layout.meta["title"]


def test_two_groups_of_one_name_stay_two_bars():
    figure = charts.coverage_by([answer("prod", yes=1), answer("prod", no=1)])
    assert list(figure.data[0].y) == [0, 1]
    assert list(figure.layout.yaxis.ticktext) == ["prod", "prod"]


def test_several_capabilities_need_a_name():
    summary = [answer("a", yes=1), answer("a", yes=1, capability="hsm")]
    with pytest.raises(ParameterError, match=r"holds 2 capabilities \(hsm, temp_disk\)"):
        charts.coverage_by(summary)
    with pytest.raises(UnknownNameError, match='Did you mean "temp_disk"'):
        charts.coverage_by(summary, capability="temp_disc")
    assert bars(charts.coverage_by(summary, capability="hsm"))["Yes"] == [100]


def test_a_missing_column_is_named():
    with pytest.raises(UnknownNameError, match="'location'"):
        charts.coverage_by([answer("a", yes=1)], by="location")


def test_methods_are_stacked_with_the_weakest_group_first():
    tally = [
        tallied("big", "host", 90, 900),
        tallied("big", "sse", 1, 10),
        tallied("weak", "sse", 5, 50),
        tallied("weak", "new_method", 2, 20),
    ]
    figure = charts.methods_by(tally)
    assert list(figure.layout.yaxis.ticktext) == ["weak", "big"]
    # A method that nobody listed counts as unknown.
    assert bars(figure) == {
        "Encryption at host": [0, 90],
        "Storage encryption only": [5, 1],
        "Unknown": [2, 0],
    }
    assert bars(charts.methods_by(tally, weight="gib"))["Encryption at host"] == [0, 900]
    # 90 + 1 + 5 + 2 = 98 disks, of which 90 are 91.8%.
    assert "98 disks in all: Encryption at host 90 disks (91.8%)" in figure.layout.meta["alt"]


def test_a_weight_that_a_tally_has_not():
    with pytest.raises(UnknownNameError, match="disks, gib"):
        charts.methods_by([tallied("a", "host", 1)], weight="vms")


def test_key_owners():
    tally = [tallied("a", "sse", 3, owner="customer"), tallied("a", "sse", 1, owner="platform")]
    assert bars(charts.key_owners_by(tally)) == {"Customer-managed key": [3], "Platform-managed key": [1]}


def test_unknown_is_not_shown_as_nought_in_a_heat_map():
    summary = [
        answer("a", unknown=4),
        answer("a", no=4, capability="hsm"),
        answer("a", na=4, capability="caches"),
        answer("a", yes=1, no=2, unknown=1, capability="at_rest"),
    ]
    layers = {trace.name: trace for trace in charts.heatmap(summary).data}
    assert set(layers) == {"Share of yes, low bound", "Unknown", "Not applicable"}
    # Columns in the order of the matrix: at_rest, temp_disk, caches, hsm.
    assert layers["Share of yes, low bound"].text[0] == ["25–50%", "", "", "0%"]
    assert layers["Share of yes, low bound"].z[0] == [0.25, None, None, 0.0]
    assert layers["Unknown"].text[0] == ["", "unknown", "", ""]
    assert layers["Not applicable"].text[0] == ["", "", "–", ""]


def test_a_heat_map_sums_others_cell_by_cell():
    summary = [answer(f"s{n}", yes=n, no=4 - n) for n in range(4)]
    meta = charts.heatmap(summary, top=2).layout.meta
    assert meta["rows"] == [["s0", "0%"], ["s1", "25%"], ["others (2)", "62.5%"]]


@pytest.mark.parametrize("make", [charts.coverage_by, charts.heatmap])
def test_markup_in_a_name_is_shown_not_obeyed(make):
    figure = make([answer(EVIL, yes=1), answer("b", no=1)])
    drawn = json.loads(figure.to_json())
    meta = drawn["layout"].pop("meta")
    assert "<script" not in json.dumps(drawn)
    assert "&lt;script&gt;" in json.dumps(drawn)
    assert EVIL in [row[0] for row in meta["rows"]]


def test_a_template_in_a_name_is_not_filled_in():
    figure = charts.coverage_by([answer("%{x} %{customdata[0]}", yes=1)])
    assert figure.data[0].hovertemplate is None
    assert figure.data[0].hoverinfo == "text"


@pytest.mark.parametrize("engine", ["pandas", "polars", "arrow", "duckdb"])
def test_any_engine_gives_the_same_chart(engine):
    frame = pd.DataFrame([answer("a", yes=1, no=1), answer("b", yes=1, unknown=1)])
    frames = {"pandas": frame, "polars": pl.from_pandas(frame), "duckdb": duckdb.from_df(frame)}
    frames["arrow"] = frames["polars"].to_arrow()
    assert charts.coverage_by(frames[engine]) == charts.coverage_by(frame.to_dict("records"))


def test_a_chart_without_words_is_refused():
    with pytest.raises(ParameterError, match="title and an alt text"):
        charts.describe(go.Figure(), "Title", " ")


def test_every_value_has_its_own_colour():
    from diskenc_analysis.legend import ANSWERS, KEY_OWNERS, METHODS

    for parts in (ANSWERS, METHODS, KEY_OWNERS):
        assert len({part.color for part in parts}) == len(parts)
        assert next(part for part in parts if part.key == "unknown").pattern


COUNTS = {"disks": 2, "gib": 64, "yes": 1, "no": 1, "total": 2, "unknown": 0, "weight": "disks"}


@pytest.mark.parametrize(
    "name", ["coverage_by", "heatmap", "methods_by", "key_owners_by", "key_flow", "needs_by"]
)
def test_a_chart_goes_by_the_column_that_its_summary_was_summed_by(name):
    part = {
        "methods_by": {"method": "host"},
        "key_owners_by": {"key_owner": "customer"},
        "needs_by": {"need": "keep"},
    }
    part |= {"key_flow": {"method": "host", "key_store": "platform"}}
    row = {"resource_group": "rg-1"} | part.get(name, {"capability": "caches"})
    figure = getattr(charts, name)([row | COUNTS])
    assert "resource group" in figure.layout.meta["title"]
    with pytest.raises(ParameterError, match=r"a row per disk: draw de\.(summarize|tally)\("):
        getattr(charts, name)([{"disk_id": "x", "method": "host"}])
    with pytest.raises(ParameterError, match="by='location'"):
        getattr(charts, name)([{"location": "x"} | row | COUNTS])
    with pytest.raises(UnknownNameError, match='Did you mean "resource_group"'):
        getattr(charts, name)([row | COUNTS], by="resource_groups")


def test_the_headline_takes_a_summary_of_all_and_no_rows_of_disks():
    assert charts.headline([{"capability": "caches"} | COUNTS]).data[0].name == "Yes"
    with pytest.raises(ParameterError, match=r"draw de\.summarize\(cov, by=None\)"):
        charts.headline([{"disk_id": "x", "method": "host"}])
