"""The pace and its date, worked out by hand, and the charts of drift and trend."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from diskenc_analysis import driftcharts, driftdigest, trendcharts, trenddigest
from diskenc_analysis.editions import capabilities
from diskenc_analysis.errors import ParameterError
from diskenc_analysis.legend import KEY_OWNERS, METHODS
from diskenc_analysis.trend import pace


def capture(day, edition="e", unread=""):
    return {"capture_date": day, "edition": edition, "unread": unread, "disks": 100, "gib": 1.0}


def answer(day, yes, no, unknown=0, capability="caches"):
    counts = {"yes": yes, "no": no, "unknown": unknown, "not_applicable": 0, "total": yes + no + unknown}
    asked = yes + no + unknown
    bounds = {"share_low": yes / asked, "share_high": (yes + unknown) / asked} if asked else {}
    return {"capture_date": day, "capability": capability, "weight": "disks"} | counts | bounds


DAYS = ("2026-09-01", "2026-10-01", "2026-10-31")
CAPTURES = [capture(day) for day in DAYS]


@pytest.mark.parametrize(
    ("counts", "target", "met_on", "said"),
    [
        # 50 to 60 of 100 in 60 days are 10 points; 35 more take 210 days after 2026-10-31.
        ([(50, 50), (52, 48), (60, 40)], 95, "2027-05-29", "at that pace 95% is met on 2027-05-29"),
        # A third of a point a day: 12 days for 4 points, 13 for the first beyond.
        ([(40, 60), (50, 50), (60, 40)], 64, "2026-11-12", "met on 2026-11-12"),
        ([(40, 60), (50, 50), (60, 40)], 64.1, "2026-11-13", "met on 2026-11-13"),
        ([(50, 50), (60, 40), (50, 50)], 95, "", "at that pace 95% is never met"),
        ([(50, 50), (50, 50), (49, 51)], 95, "", "never met"),
        ([(50, 50), (52, 48), (96, 4)], 95, "", "At least 96% on 2026-10-31: 95% is met."),
        ([(5000, 5000), (5000, 5000), (5001, 4999)], 95, "", "more than ten years away"),
    ],
)
def test_a_target_is_met_where_the_line_meets_it(counts, target, met_on, said):
    rows = [answer(day, *count) for day, count in zip(DAYS, counts, strict=True)]
    found = pace(rows, CAPTURES, "caches", target)
    assert (found.met_on, said in found.said) == (met_on, True), found.said


def test_the_unknown_counts_against_the_pace():
    """Known yes stays at 50 while 20 unknown turn out to be no: the low bound does not move."""
    rows = [answer(DAYS[0], 50, 30, 20), answer(DAYS[2], 50, 50)]
    assert "never met" in pace(rows, CAPTURES, "caches").said


def test_what_was_not_read_whole_and_another_edition_set_no_pace():
    rows = [answer(day, yes, 100 - yes) for day, yes in zip(DAYS, (10, 50, 60), strict=True)]
    cut = [capture(DAYS[0], unread="disks: cut"), *CAPTURES[1:]]
    assert (pace(rows, cut, "caches").since, pace(rows, cut, "caches").then) == (DAYS[1], 0.5)
    older = [capture(DAYS[0], edition="old"), *CAPTURES[1:]]
    assert pace(rows, older, "caches").since == DAYS[1]
    last = [*CAPTURES[:2], capture(DAYS[2], unread="disks: denied")]
    assert pace(rows, last, "caches").until == DAYS[1]
    assert "Only one" not in pace(rows, CAPTURES, "caches", window=10).said
    assert pace(rows, CAPTURES, "caches", window=10).said.startswith(
        "No pace: only the capture of 2026-10-31"
    )
    assert pace([], CAPTURES, "caches").said.startswith("No capture")
    assert pace([answer(DAYS[0], 0, 0)], CAPTURES, "caches").said.startswith("No capture")


def test_unknown_is_a_band_above_what_is_known():
    rows = [answer(DAYS[0], 50, 30, 20), answer(DAYS[1], 60, 40)]
    figure = trendcharts.bands(rows, CAPTURES, target=95)
    low, high = figure.data
    assert (list(low.y), list(high.y)) == ([50, 60], [70, 60])
    assert high.fill == "tonexty"
    assert "Caches 50%–70% to 60%" in figure.layout.meta["alt"]
    assert figure.layout.meta["rows"][0] == [DAYS[0], "50%–70%"]


def test_a_change_of_edition_is_marked():
    rows = [answer(day, 1, 1) for day in DAYS]
    turned = [*CAPTURES[:2], capture(DAYS[2], edition="next")]
    assert "changed on 2026-10-31" in trendcharts.bands(rows, turned).layout.meta["alt"]
    assert len(trendcharts.bands(rows, turned).layout.shapes) == 1
    assert len(trendcharts.bands(rows, CAPTURES).layout.shapes) == 0


def test_the_target_is_drawn_where_a_yes_protects():
    """No VM CPU used says what a method costs: nobody promised a share of it."""
    rows = [answer(day, 1, 1, capability=name) for name in ("caches", "no_vm_cpu") for day in DAYS]
    figure = trendcharts.bands(rows, CAPTURES, target=95)
    [shape] = figure.layout.shapes
    assert shape.y0 == 95
    assert figure.layout.annotations[0].text == "Caches"
    assert shape.yref == "y"  # of the first small chart


def test_a_capture_that_was_not_read_whole_is_a_hollow_point_and_named():
    rows = [answer(day, 1, 1) for day in DAYS]
    cut = [*CAPTURES[:2], capture(DAYS[2], unread="disks: denied")]
    figure = trendcharts.bands(rows, cut)
    assert list(figure.data[0].marker.symbol) == ["circle", "circle", "circle-open"]
    assert "Not read whole: 2026-10-31." in figure.layout.meta["alt"]
    assert "Not read whole" not in trendcharts.bands(rows, CAPTURES).layout.meta["alt"]


def test_one_capture_alone_is_drawn_as_well():
    """A line and an area need two points: of one, the unknown would not be seen at all."""
    figure = trendcharts.bands([answer(DAYS[0], 50, 30, 20)], CAPTURES[:1])
    assert figure.layout.xaxis.type == "category"  # else its day would be parted into seconds
    low, high = figure.data[:2]
    assert (low.mode, high.mode) == ("lines+markers", "lines+markers")
    rows = [{"capture_date": DAYS[0], "method": name, "disks": 1, "gib": 0.0} for name in ("host", "unknown")]
    found = trendcharts.layers(rows, "method")
    assert {(trace.type, trace.name, trace.y) for trace in found.data} == {
        ("bar", "Encryption at host", (50,)),
        ("bar", "Unknown", (50,)),
    }
    assert found.layout.barmode == "stack"


def test_a_year_of_daily_captures_leaves_a_page_that_can_be_mailed():
    """Plotly itself takes 2.0 MB of a page of at most 2.5 MB."""
    first = date(2025, 11, 25)
    days = [(first + timedelta(days=at)).isoformat() for at in range(365)]
    rows = [answer(d, 61_003 + at, 30_001, 8_996, n) for at, d in enumerate(days) for n in capabilities()]
    figures = [trendcharts.bands(rows, [capture(day) for day in days], target=95)]
    for column, parts in (("method", METHODS), ("key_owner", KEY_OWNERS)):
        found = [
            {"capture_date": day, column: part.key, "disks": 10_001 + at, "gib": 0.0}
            for at, day in enumerate(days)
            for part in parts
        ]
        figures.append(trendcharts.layers(found, column))
    assert sum(len(figure.to_json()) for figure in figures) < 400_000


def test_what_is_hovered_over_is_never_better_than_it_is():
    """Of 99.999% at least 99.99% are told and not all; of what may be, no less than may be."""
    low, high = trendcharts.bands([answer(day, 99_998, 1, 1) for day in DAYS], CAPTURES).data
    assert (low.y[0], high.y[0]) == (99.99, 100)
    assert (low.hovertemplate, high.hovertemplate) == (
        "%{x|%Y-%m-%d}: at least %{y}<extra></extra>",
        "%{x|%Y-%m-%d}: at most %{y}<extra></extra>",
    )
    exact = trendcharts.bands([answer(day, 57, 43) for day in DAYS], CAPTURES).data
    assert [trace.y[0] for trace in exact] == [57, 57]


def test_months_stand_below_the_nought_of_the_axis_beside_them():
    rows = [answer(day, 1, 1) for day in DAYS]
    layered = [{"capture_date": day, "method": "host", "disks": 1, "gib": 0.0} for day in DAYS]
    for figure in (trendcharts.bands(rows, CAPTURES), trendcharts.layers(layered, "method")):
        assert figure.layout.xaxis.ticklabelstandoff >= 8


def test_layers_add_up_to_all_disks_and_words_that_nobody_listed_are_unknown():
    rows = [
        {"capture_date": DAYS[0], "method": name, "disks": n, "gib": 0.0}
        for name, n in (("host", 3), ("sse", 5), ("new-fangled", 2))
    ]
    figure = trendcharts.layers(rows, "method")
    assert {trace.name: list(trace.y) for trace in figure.data} == {
        "Encryption at host": [30],
        "Storage encryption only": [50],
        "Unknown": [20],
    }


def test_a_subscription_that_a_capture_lacks_is_empty_and_an_unknown_one_is_grey():
    rows = [answer(DAYS[0], 1, 1) | {"s": "a"}, answer(DAYS[1], 1, 1) | {"s": "a"}]
    rows += [answer(DAYS[1], 0, 0, 4) | {"s": "<b>"}]
    figure = trendcharts.by_group(rows, "s", "caches", {"a": "prod"})
    layers = {trace.name: [list(line) for line in trace.z] for trace in figure.data}
    assert layers["Unknown"] == [[None, 0], [None, None]]
    assert layers["Share of yes, low bound"] == [[None, None], [0.5, 0.5]]
    assert list(figure.layout.yaxis.ticktext) == ["&lt;b&gt;", "prod"]
    # What is wholly unknown is no nought per cent in words either.
    assert figure.layout.meta["alt"] == (
        "On 2026-10-01 of 2 subscriptions: the lowest is prod with 50%, the highest prod with 50%; "
        "1 wholly unknown."
    )


@pytest.mark.parametrize(
    "figure",
    [
        trendcharts.bands([], []),
        trendcharts.layers([], "method"),
        trendcharts.by_group([], "s", "caches"),
        driftcharts.by_capability([]),
        driftcharts.by_cause([]),
    ],
)
def test_nothing_is_said_where_there_is_nothing(figure):
    assert figure.layout.meta["alt"].startswith("Nothing to draw")


def counted(name, direction, disks, **more):
    return {"change": "capability", "what": name, "direction": direction, "disks": disks} | more


def test_bars_hold_answers_by_direction_and_layers_are_left_out():
    rows = [counted("caches", "regression", 2), counted("caches", "reading", 3)]
    rows += [{"change": "layer", "what": "host", "direction": "changed", "disks": 9}]
    figure = driftcharts.by_capability(rows)
    assert {trace.name: trace.x for trace in figure.data} == {
        "Regression": (2.0,),
        "Only the reading changed": (3.0,),
    }
    assert figure.layout.meta["alt"].endswith(
        "Temp disk and Defender for Cloud status are answers of a VM, counted on each of its disks."
    )
    causes = [
        counted("caches", "improvement", 9, cause="host_on"),
        counted("caches", "regression", 1, cause="resized"),
    ]
    figure = driftcharts.by_cause(causes)
    assert list(figure.layout.yaxis.ticktext) == ["VM resized", "Host encryption on"]
    # By cause and by capability the sums are the same: each caption says what its own chart shows.
    assert figure.layout.meta["alt"] == (
        "Regressions by cause: VM resized 1. Improvements by cause: Host encryption on 9."
    )
    cut = driftcharts.by_cause(causes, top=1)
    assert list(cut.layout.yaxis.ticktext) == ["VM resized", "others (1)"]


def test_one_capture_alone_is_no_comparison():
    with pytest.raises(ParameterError, match="expected two captures"):
        driftdigest.sides("", "somewhere", "duckdb")


def test_the_months_of_the_sample_never_pass_for_those_of_an_inventory():
    with pytest.raises(ParameterError, match="expected a history, as diskenc history add makes it"):
        trenddigest.opened("", "duckdb", "somewhere")


def test_an_axis_of_few_answers_prints_no_number_twice():
    row = counted("caches", "regression", 1, cause="host_off")
    few = driftcharts.by_cause([row])
    assert (few.layout.xaxis.dtick, few.layout.xaxis.tickformat) == (1, ",d")
    assert driftcharts.by_cause([row | {"disks": 100}]).layout.xaxis.dtick is None


def test_a_moved_disk_is_listed_with_both_places():
    def at(group):
        return f"/subscriptions/s/resourceGroups/{group}/providers/Microsoft.Compute/disks/d"

    moved = {"what": "moved", "old_disk_id": at("here"), "disk_id": at("there")}
    assert driftdigest._place(moved, "old_disk_id") == "here / d"
    assert driftdigest._place(moved, "disk_id") == "there / d"
    assert driftdigest._place(moved | {"what": "recreated"}, "disk_id") == "–"


def test_the_verdict_says_what_the_pace_rests_on():
    rows = [answer(day, yes, 100 - yes) for day, yes in zip(DAYS, (50, 52, 60), strict=True)]
    cut = [*CAPTURES[:2], capture(DAYS[2], unread="disks: denied")]
    found = trenddigest.paces(rows, cut, 95, 90)
    groups = [{"capture_date": DAYS[0]}, {"capture_date": DAYS[1]}, {"capture_date": DAYS[1]}]
    said = " ".join(trenddigest.verdict(found, cut, groups, "caches").sentences)
    assert said.startswith("Caches: From 2026-09-01 to 2026-10-01 the low bound went from 50% to 52%")
    assert "left out of the pace: 2026-10-31" in said
    assert "different numbers of subscriptions" in said
    assert "straight line" in said
