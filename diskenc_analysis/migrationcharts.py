"""The figures of the way out of Azure Disk Encryption: paths, and what stands in the way.

As in `charts`: from a summary and never from raw rows, each with its words and the numbers behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from diskenc_analysis.bars import count_bars
from diskenc_analysis.legend import Part
from diskenc_analysis.look import blank
from diskenc_analysis.migration_tables import checks, paths
from diskenc_analysis.plainrows import rows
from diskenc_analysis.text import amount, number

__all__ = ["blockers", "ways"]
STANDINGS = (
    Part("clear", "Nothing in the way", "#0072B2"),
    Part("unknown", "Something not known", "#8A8F98", "/"),
    Part("blocked", "Something in the way", "#D55E00"),
)
_ANSWERS = (
    Part("blocks", "In the way", "#D55E00"),
    Part("unknown", "Not known", "#8A8F98", "/"),
    Part("clear", "Clear", "#0072B2"),
    Part("not_applicable", "Not asked on its path", "rgba(138,143,152,0.28)"),
)


def ways(counts: Any) -> go.Figure:
    """Draw the VMs by path, and by what stands in their way.

    Parameters
    ----------
    counts : frame or list of dict
        Columns path, standing (`clear`, `unknown` or `blocked`), pairs (VMs).

    Returns
    -------
    plotly Figure
        One bar per path, the longest first.

    Examples
    --------
    >>> ways([{"path": "upload", "standing": "blocked", "pairs": 2}]).data[0].name
    'Something in the way'
    """
    title = "VMs by path, and by what stands in the way"
    groups: dict[str, dict[str, float]] = {}
    for row in rows(counts):
        bar = groups.setdefault(paths()[row["path"]]["short"], {})
        bar[row["standing"]] = bar.get(row["standing"], 0.0) + float(row["pairs"])
    ordered = sorted(groups.items(), key=lambda item: (-sum(item[1].values()), item[0]))
    return _vms(ordered, STANDINGS, title, "Path")


def blockers(counts: Any) -> go.Figure:
    """Draw each check by how many VMs it stands in the way of.

    Parameters
    ----------
    counts : frame or list of dict
        Columns check, answer, pairs (VMs).

    Returns
    -------
    plotly Figure
        One bar per check, most blocked first.

    Examples
    --------
    >>> blockers([{"check": "backup", "answer": "blocks", "pairs": 2}]).layout.yaxis.ticktext
    ('Encrypted backups',)
    """
    groups: dict[str, dict[str, float]] = {}
    for row in rows(counts):
        groups.setdefault(row["check"], {})[row["answer"]] = float(row["pairs"])
    worst = sorted(
        groups.items(), key=lambda item: (*(-item[1].get(part.key, 0.0) for part in _ANSWERS), item[0])
    )
    named = [(checks()[name]["short"], bar) for name, bar in worst]
    figure = _vms(named, _ANSWERS, "Checks of the VMs under Azure Disk Encryption, by their answer", "Check")
    if named:
        figure.update_layout(meta={**figure.layout.meta, "alt": _checks_alt(named)})
    return figure


def _checks_alt(named: Sequence[tuple[str, dict[str, float]]]) -> str:
    """Name the checks that block or are not known; every check is of the same VMs, so no sum is given."""
    total = amount(max(sum(bar.values()) for _, bar in named), "vms")
    parts = []
    for key, words in (("blocks", "In the way"), ("unknown", "Not known")):
        found = [(name, bar[key]) for name, bar in named if bar.get(key)]
        listed = "; ".join(f"{name} {number(n)}" for name, n in found) or "of none"
        parts.append(f"{words}: {listed}.")
    return f"Each check is of {total}. {' '.join(parts)}"


def _vms(
    groups: Sequence[tuple[object, dict[str, float]]], parts: Sequence[Part], title: str, heading: str
) -> go.Figure:
    if not groups:
        return blank(title, "no VMs")
    figure = count_bars(groups, parts, "vms", (title, heading))
    figure.update_xaxes(title_text="VMs")
    return figure
