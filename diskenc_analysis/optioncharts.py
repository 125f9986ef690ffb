"""Charts of the encryption matrix itself, and of what each encryption option would take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from diskenc_analysis.bars import count_bars
from diskenc_analysis.charts import TOP
from diskenc_analysis.editions import Cell, capabilities, cells, methods, resolve_edition
from diskenc_analysis.grid import add_cells, label_axes
from diskenc_analysis.groups import add_counts, cut, read_summary
from diskenc_analysis.legend import Part
from diskenc_analysis.look import ROW_HEIGHT, SHARE_SCALE, UNKNOWN_CELL, blank, describe, size
from diskenc_analysis.matrix import describe as in_words
from diskenc_analysis.option_list import all_options
from diskenc_analysis.text import label, noun, number

__all__ = ["efforts", "matrix_grid", "needs_by"]
_HEAD = 60  # px for the labels of the columns, in two lines
#: What a disk would have to do, the least first.
EFFORTS = (
    Part("keep", "Meets it already", "#0072B2"),
    Part("in_place", "A change in place", "#56B4E9", "."),
    Part("anew", "A new disk or VM", "#E69F00", "x"),
    Part("no_way", "Not reached by the option", "#D55E00"),
    Part("unknown", "Unknown", "#8A8F98", "/"),
    Part("not_applicable", "Not applicable", "rgba(138,143,152,0.28)"),
)
_NEEDS = (EFFORTS[0], Part("change", "To change", "#E69F00", "x"), *EFFORTS[-2:])
_KINDS = {
    "Yes": str(SHARE_SCALE[2][1]),
    "On a condition": str(SHARE_SCALE[1][1]),
    "No": str(SHARE_SCALE[0][1]),
}
_KINDS["No answer"] = UNKNOWN_CELL
_YES, _NO = ("yes", "Healthy"), ("no", "Unhealthy")
_SHORT = {"key_vault_premium;managed_hsm": "vault, HSM", "key_vault_premium": "vault", "NotApplicable": "n/a"}
_CHANGED = " ≠"


def matrix_grid(edition: str = "latest", against: str | None = None, *, numbers: bool = True) -> go.Figure:
    """Draw the encryption matrix as a grid of answers.

    Parameters
    ----------
    edition : str
        One of `editions()`, or `latest`.
    against : str, optional
        Another edition: cells that say otherwise there are marked.
    numbers : bool
        Whether a page gives the answers as a table beneath; not where that table stands beside the chart.

    Returns
    -------
    plotly Figure
        A row per capability and a column per method; hovering gives the whole answer with its conditions.

    Raises
    ------
    UnknownNameError
        When there is no such edition.

    Examples
    --------
    >>> [trace.name for trace in matrix_grid("2023-05-15").data]
    ['Yes', 'On a condition', 'No', 'No answer']
    """
    table, name = cells(edition), resolve_edition(edition)
    old = cells(against) if against else table
    grid = [[(cap, method) for method in methods()] for cap in capabilities()]
    figure = go.Figure()
    words = [[_cell(table[pair], old[pair]) for pair in line] for line in grid]
    hover = [[_hover(pair, table, old, against) for pair in line] for line in grid]
    for kind, color in _KINDS.items():
        mine = [[_kind(table[pair]) == kind for pair in line] for line in grid]
        z = [[0.0 if own else None for own in line] for line in mine]
        pairs = [zip(*both, strict=True) for both in zip(words, mine, strict=True)]
        shown = [[word if own else "" for word, own in line] for line in pairs]
        if any(map(any, mine)):
            add_cells(figure, kind, z, shown, hover, color)
    across = [label(method.label).replace(" (", "<br>(") for method in methods().values()]
    down = [label(cap.label) for cap in capabilities().values()]
    label_axes(figure, across, down, tickangle=0)
    size(figure, len(down), ROW_HEIGHT + 6, head=_HEAD)
    figure.update_layout(margin_r=8)
    differing = [pair for line in grid for pair in line if in_words(table[pair]) != in_words(old[pair])]
    columns = ["Capability", *(method.label for method in methods().values())]
    rows = [[capabilities()[line[0][0]].label, *(in_words(table[pair]) for pair in line)] for line in grid]
    behind = (columns, rows) if numbers else ()
    return describe(figure, _title(name, against), _alt(table, differing, against), *behind)


def _title(edition: str, against: str | None) -> str:
    mark = f"; ≠ marks what the edition {resolve_edition(against)} says otherwise" if against else ""
    return f"The encryption matrix, edition {edition}{mark}"


def _kind(rows: Sequence[Cell]) -> str:
    """Tell a plain answer from one on a condition: footnotes that explain leave it as it is."""
    first, *notes = rows
    if first.condition or any(note.condition and note.value != "not_applicable" for note in notes):
        return "On a condition"
    if first.value in (*_YES, *_NO):
        return "Yes" if first.value in _YES else "No"
    return "No answer" if first.value == "NotApplicable" else "On a condition"


def _cell(rows: Sequence[Cell], old: Sequence[Cell]) -> str:
    first, *notes = rows
    word = _SHORT.get(first.value, first.value)
    others = (note.value for note in notes if note.condition and note.value != "not_applicable")
    other = next((value for value in others if value != first.value), "")
    word = f"{word}, {other} if" if other else f"{word} if" if first.condition else word
    return label(word) + (_CHANGED if in_words(rows) != in_words(old) else "")


def _hover(
    pair: tuple[str, str],
    table: Mapping[tuple[str, str], Sequence[Cell]],
    old: Mapping[tuple[str, str], Sequence[Cell]],
    against: str | None,
) -> str:
    cap, method = capabilities()[pair[0]], methods()[pair[1]]
    lines = [f"<b>{label(cap.label)}</b>", label(method.label), label(in_words(table[pair]), 200)]
    if against and in_words(table[pair]) != in_words(old[pair]):
        lines.append(f"{label(resolve_edition(against))}: {label(in_words(old[pair]), 200)}")
    return "<br>".join(lines)


def _alt(
    table: Mapping[tuple[str, str], Sequence[Cell]], differing: Sequence[tuple[str, str]], against: str | None
) -> str:
    plain = {
        method.label: [cap.label for cap in capabilities().values() if _kind(table[cap.name, name]) == "Yes"]
        for name, method in methods().items()
    }
    said = "; ".join(f"{method} {len(caps)}" for method, caps in plain.items())
    told = f"Of {len(capabilities())} questions a plain yes is given by {said}."
    if against:
        told += f" {len(differing)} cells say otherwise than in the edition {resolve_edition(against)}."
    return told


def efforts(counts: Mapping[str, Mapping[str, float]], what: str = "the requirements") -> go.Figure:
    """Draw what each option would take on the disks of an inventory.

    Parameters
    ----------
    counts : mapping of str to mapping
        By option, the counts that `option_moves.effort` gives.
    what : str
        What the disks are to meet, for the title.

    Returns
    -------
    plotly Figure
        One bar per option, in the order given.

    Examples
    --------
    >>> efforts({"host": {"keep": 2, "anew": 1}}).layout.yaxis.ticktext
    ('Encryption at host',)
    """
    title = f"What each option takes for {what}, in disks"
    if not any(sum(row.values()) for row in counts.values()):
        return blank(title)
    known = all_options()
    groups: list[tuple[object, dict[str, float]]] = [
        (known[name].label if name in known else name, {key: float(n) for key, n in row.items()})
        for name, row in counts.items()
    ]
    figure = count_bars(groups, EFFORTS, "disks", (title, "Option"))
    said = "; ".join(f"{name}: {_parts(row)}" for name, row in groups)
    figure.update_layout(meta={**figure.layout.meta, "alt": f"{said}."})
    return figure


def _parts(counts: Mapping[str, float]) -> str:
    there = (part for part in EFFORTS if counts.get(part.key))
    return ", ".join(f"{part.label[0].lower()}{part.label[1:]} {number(counts[part.key])}" for part in there)


def needs_by(tally: Any, by: str | None = None, top: int = TOP) -> go.Figure:
    """Draw how many disks would have to change, by group.

    Parameters
    ----------
    tally : frame
        `tally(disks_to_change(...), by=[by, "need"])`: columns by, need, disks, gib.
    by : str, optional
        The column that holds the groups; by default the one that it was summed by.
    top : int
        Groups shown; the rest is one row named others.

    Returns
    -------
    plotly Figure
        One bar per group, most to change first.

    Examples
    --------
    >>> needs_by([{"location": "x", "need": "keep", "disks": 2, "gib": 64}], by="location").data[0].name
    'Meets it already'
    """
    groups: dict[object, dict[str, float]] = {}
    found, by = read_summary(tally, by, "need", "disks", made_by='de.tally(changes, by=[..., "need"])')
    for row in found:
        counts = groups.setdefault(row[by], {})
        counts[row["need"]] = counts.get(row["need"], 0.0) + float(row["disks"])
    ordered = sorted(groups.items(), key=lambda item: (-item[1].get("change", 0.0), str(item[0])))
    shown, note = cut(ordered, top, add_counts)
    title = f"Disks that would have to change, by {noun(by)}{note}"
    return count_bars(shown, _NEEDS, "disks", (title, noun(by).capitalize()))
