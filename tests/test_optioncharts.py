from __future__ import annotations

import pytest

from diskenc_analysis import charts
from diskenc_analysis.editions import capabilities, methods

SEED, NEWEST = "2023-05-15", "2026-04-02"


def grid(figure):
    """The words of every cell by (row, column), whatever layer they stand in."""
    return {
        (row, column): (trace.name, word)
        for trace in figure.data
        for row, line in enumerate(trace.text)
        for column, word in enumerate(line)
        if word
    }


def test_the_seed_matrix_is_drawn_cell_for_cell():
    found = grid(charts.matrix_grid(SEED))
    assert len(found) == 40
    # By hand, from the published table: temp disk no, yes, yes, no; customer keys with a condition in all.
    assert [found[1, column] for column in range(4)] == [
        ("No", "no"),
        ("Yes", "yes"),
        ("Yes", "yes"),
        ("No", "no"),
    ]
    assert {found[4, column] for column in range(4)} == {("On a condition", "yes if")}
    assert [found[9, column][1] for column in range(4)] == ["Unhealthy", "Healthy", "Healthy", "n/a"]
    assert found[9, 3][0] == "No answer"
    assert found[7, 2] == ("On a condition", "no if")


def test_what_differs_between_the_editions_is_marked():
    found = grid(charts.matrix_grid(NEWEST, against=SEED))
    marked = {place for place, (_, word) in found.items() if word.endswith("≠")}
    # Rows 1 and 2 are the temp disk and the caches: all four cells of both.
    assert marked == {(row, column) for row in (1, 2) for column in range(4)}
    assert found[1, 0] == ("On a condition", "no, yes if ≠")
    meta = charts.matrix_grid(NEWEST, against=SEED).layout.meta
    assert "8 cells say otherwise than in the edition 2023-05-15" in meta["alt"]
    assert [len(meta["rows"]), len(meta["columns"])] == [len(capabilities()), len(methods()) + 1]


def test_hovering_over_a_cell_says_condition_and_the_other_edition():
    layer = next(t for t in charts.matrix_grid(NEWEST, against=SEED).data if t.name == "On a condition")
    assert "no; yes, on VM sizes of version 5 and later" in layer.hovertext[1][0]
    assert "2023-05-15: no" in layer.hovertext[1][0]


def test_efforts_are_drawn_by_option_in_the_order_given():
    counts = {"host": {"keep": 3, "anew": 1, "unknown": 2}, "ade": {"keep": 3, "in_place": 3}}
    figure = charts.efforts(counts)
    assert list(figure.layout.yaxis.ticktext) == ["Encryption at host", "Azure Disk Encryption (ADE)"]
    bars = {trace.name: list(trace.x) for trace in figure.data}
    assert bars["Unknown"] == [2, 0]
    assert bars["A new disk or VM"] == [1, 0]
    assert (
        "Encryption at host: meets it already 3, a new disk or VM 1, unknown 2" in figure.layout.meta["alt"]
    )


@pytest.mark.parametrize("figure", [charts.efforts({}), charts.needs_by([])])
def test_nothing_is_said_to_be_nothing(figure):
    assert figure.layout.annotations[0].text == "no disks"


def test_needs_by_group_stand_with_most_to_change_first():
    def row(group, need, disks):
        return {"subscription_name": group, "need": need, "disks": disks, "gib": 0}

    figure = charts.needs_by([row("a", "keep", 9), row("b", "change", 2), row("c", "change", 1)], top=2)
    assert list(figure.layout.yaxis.ticktext) == ["b", "c", "others (1)"]


@pytest.mark.parametrize("name", charts.__all__)
def test_every_public_figure_is_found_in_one_place(name):
    assert callable(getattr(charts, name))
    assert name in dir(charts)
