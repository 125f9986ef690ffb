"""Charts of Defender's agreement and of findings by control, from counts and never from raw rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from diskenc_analysis.bars import count_bars
from diskenc_analysis.charts import TOP
from diskenc_analysis.grid import add_cells, label_axes
from diskenc_analysis.groups import add_counts, cut
from diskenc_analysis.legend import Part
from diskenc_analysis.look import (
    CELL_INK,
    EMPTY_CELL,
    EMPTY_INK,
    ROW_HEIGHT,
    SHARE_SCALE,
    UNKNOWN_CELL,
    blank,
    describe,
    size,
)
from diskenc_analysis.plainrows import Row, rows
from diskenc_analysis.text import label, number

#: Causes in the order of a bar, with a second cue for those who do not tell the colours apart.
CAUSES = (
    Part("stale", "Defender is stale", "#0072B2"),
    Part("not_evaluated", "Not evaluated in the guest", "#56B4E9", "."),
    Part("exempted", "Exempted in Azure", "#009E73"),
    Part("deprecated_rule", "Deprecated rule still reporting", "#E69F00", "x"),
    Part("unexplained", "Not explained", "#D55E00", "/"),
)
STATUSES = (
    Part("met", "Met", "#0072B2"),
    Part("unknown", "Unknown", "#8A8F98", "/"),
    Part("not_met", "Not met", "#D55E00"),
    Part("excepted", "Excepted", "#E69F00", "x"),
    Part("not_applicable", "Not applicable", "rgba(138,143,152,0.28)"),
)
_PREDICTED = ("Healthy", "Unhealthy", "NotApplicable", "not_evaluated", "unknown")
_REPORTED = ("Healthy", "Unhealthy", "NotApplicable", "unknown", "")
_WORDS = {"not_evaluated": "Not evaluated", "unknown": "Unknown", "": "No report"}
_WORDS["NotApplicable"] = "Not applicable"
_KNOWN = ("Healthy", "Unhealthy", "NotApplicable")
_HEAD = 60  # px for the labels of the columns


def agreement(counts: Any, title: str = "What the rules give, and what Defender reports") -> go.Figure:
    """Draw how often each predicted status meets each reported one.

    Parameters
    ----------
    counts : frame or list of dict
        Columns predicted, reported, pairs.
    title : str
        Title of the chart.

    Returns
    -------
    plotly Figure
        Rows are what the rules give, columns what is reported; the diagonal of Healthy and Unhealthy agrees.

    Examples
    --------
    >>> agreement([{"predicted": "Healthy", "reported": "Healthy", "pairs": 3}]).data[0].text[0][0]
    '3'
    """
    found = rows(counts)
    if not found:
        return blank(title, "no VMs")
    cells = {(row["predicted"], row["reported"]): row["pairs"] for row in found}
    figure = go.Figure()
    for kind, color in _CELLS.items():
        _cells_of(figure, cells, kind, color)
    columns, lines = [[_WORDS.get(name, name) for name in names] for names in (_REPORTED, _PREDICTED)]
    label_axes(figure, columns, lines, title_text="Reported", title_standoff=4)
    figure.update_yaxes(title_text="Given", title_standoff=12, ticklabelstandoff=6)
    figure.update_layout(margin_r=8)
    size(figure, len(lines), ROW_HEIGHT + 8, head=_HEAD)
    named = zip(_PREDICTED, lines, strict=True)
    table = [[word, *(_shown(cells, given, told) for told in _REPORTED)] for given, word in named]
    return describe(figure, title, _agreement_alt(cells), ["Given by the rule", *columns], table)


_CELLS: dict[str, str] = {
    "agree": str(SHARE_SCALE[2][1]),
    "differ": str(SHARE_SCALE[0][1]),
    "open": UNKNOWN_CELL,
    "none": EMPTY_CELL,
}


def _kind(given: str, told: str, count: float) -> str:
    if not count:
        return "none"
    if given in _KNOWN and told in _KNOWN:
        return "agree" if given == told else "differ"
    return "agree" if (given, told) == ("NotApplicable", "") else "open"


def _shown(cells: Mapping[tuple[str, str], float], given: str, told: str) -> str:
    return number(cells.get((given, told), 0))


def _cells_of(figure: go.Figure, cells: Mapping[tuple[str, str], float], kind: str, color: str) -> None:
    grid = [[(g, t) for t in _REPORTED] for g in _PREDICTED]
    mine = [[_kind(g, t, cells.get((g, t), 0)) == kind for g, t in line] for line in grid]
    if not any(map(any, mine)):
        return
    text = [
        [_shown(cells, *pair) if own else "" for pair, own in zip(line, owns, strict=True)]
        for line, owns in zip(grid, mine, strict=True)
    ]
    z = [[0 if own else None for own in line] for line in mine]
    hover = [[_hover(g, t, cells) for t in _REPORTED] for g in _PREDICTED]
    add_cells(figure, kind, z, text, hover, color, ink=EMPTY_INK if kind == "none" else CELL_INK)


def _hover(given: str, told: str, cells: Mapping[tuple[str, str], float]) -> str:
    words = f"Given: {_WORDS.get(given, given)}<br>Reported: {_WORDS.get(told, told)}"
    return f"{words}<br>{_shown(cells, given, told)} pairs"


def _agreement_alt(cells: Mapping[tuple[str, str], float]) -> str:
    kinds: dict[str, float] = {}
    for (given, told), count in cells.items():
        kind = _kind(given, told, count)
        kinds[kind] = kinds.get(kind, 0) + count
    quiet = cells.get(("NotApplicable", ""), 0)
    kinds["agree"] = kinds.get("agree", 0) - quiet
    same, other, rest = (number(kinds.get(name, 0)) for name in ("agree", "differ", "open"))
    return (
        f"Given and reported are the same in {same} pairs and differ in {other}; in {number(quiet)} the rule "
        f"does not apply and nothing is reported; in {rest} one of the two is not known."
    )


def causes_by(
    counts: Any,
    by: str = "rule_id",
    heading: str = "Rule",
    top: int = TOP,
    names: Mapping[str, str] | None = None,
) -> go.Figure:
    """Draw the disagreements by cause.

    Parameters
    ----------
    counts : frame or list of dict
        Columns `by`, outcome, pairs; other outcomes than disagreements are left out.
    by : str
        Column of the groups.
    heading : str
        What the groups are.
    top : int
        Groups shown; the rest is one named others, and then bars are shares of their own total.
    names : mapping, optional
        Titles that people understand, by id of a rule or control; the id stays in hover text and table.

    Returns
    -------
    plotly Figure
        One bar per group.

    Examples
    --------
    >>> causes_by([{"rule_id": "a", "outcome": "stale", "pairs": 2}]).data[0].x
    (2.0,)
    """
    title = f"Disagreements with Defender by cause and {heading.lower()}"
    found = [row for row in rows(counts) if row["outcome"] in {part.key for part in CAUSES}]
    if not found:
        return blank(title, "no disagreements")
    groups, words = (
        _groups(found, by, "outcome", "unexplained"),
        (title, heading, "Pairs of resource and rule"),
    )
    return _bars(groups, CAUSES, "pair", words, top, names)


def controls_by(
    counts: Any, by: str, heading: str, top: int = TOP, names: Mapping[str, str] | None = None
) -> go.Figure:
    """Draw where the findings stand by control, or by subscription.

    Parameters
    ----------
    counts : frame or list of dict
        Columns `by`, standing, pairs, as `standing.standings` gives them.
    by : str
        Column of the groups.
    heading : str
        What the groups are.
    top : int
        Groups shown; the rest is one named others, and then bars are shares of their own total.
    names : mapping, optional
        Titles that people understand, by id of a rule or control; the id stays in hover text and table.

    Returns
    -------
    plotly Figure
        One bar per group; most not met first.

    Examples
    --------
    >>> controls_by([{"rule_id": "a", "standing": "met", "pairs": 2}], "rule_id", "Control").data[0].name
    'Met'
    """
    title = f"Findings by {heading.lower()}"
    found = rows(counts)
    if not found:
        return blank(title, "no findings")
    groups = _groups(found, by, "standing", "not_met")
    return _bars(groups, STATUSES, "finding", (title, heading, "Findings"), top, names)


def _groups(found: Sequence[Row], by: str, part: str, worst: str) -> list[tuple[Any, dict[str, float]]]:
    """Count the parts of each group; most of the worst part first, and of those alike the largest."""
    groups: dict[Any, dict[str, float]] = {}
    for row in found:
        counts = groups.setdefault(row[by], {})
        counts[row[part]] = counts.get(row[part], 0.0) + float(row["pairs"])
    return sorted(
        groups.items(), key=lambda one: (-one[1].get(worst, 0.0), -sum(one[1].values()), str(one[0]))
    )


def _bars(
    groups: Sequence[tuple[Any, dict[str, float]]],
    parts: Sequence[Part],
    unit: str,
    words: tuple[str, str, str],
    top: int,
    names: Mapping[str, str] | None,
) -> go.Figure:
    title, heading, axis = words
    shown, note = cut(groups, top, add_counts)
    titled = [((names or {}).get(group, group), counts) for group, counts in shown]
    ids = [group if group in names else "" for group, _ in shown] if names else []
    # Beside hundreds of others in one bar, no length of a single group could be read: its parts can.
    share = bool(note)
    figure = count_bars(titled, parts, unit, (f"{title}{note}", heading), share, ids)
    figure.update_xaxes(title_text=label(f"{axis}, as shares of the row" if share else axis))
    return figure
