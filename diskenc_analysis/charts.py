"""Plotly figures, one function each, drawn from a summary and never from the raw rows.

Every figure carries in `layout.meta` its title, a text alternative and the numbers behind it. Names are
written as text: markup in them is shown, not obeyed. All public figures are found here; those on one topic
stand in modules of their own, which are loaded when they are asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import plotly.graph_objects as go

from diskenc_analysis.bars import add_answers, answer_bars, count_bars, shares, value
from diskenc_analysis.editions import capabilities
from diskenc_analysis.errors import ParameterError, UnknownNameError
from diskenc_analysis.groups import add_counts, cut, read_summary, summary_rows
from diskenc_analysis.heat import cell_chart, mean_low
from diskenc_analysis.legend import KEY_OWNERS, METHODS, Part, part_of
from diskenc_analysis.legend import colors as colors  # noqa: PLC0414 - offered here
from diskenc_analysis.look import TEMPLATE as TEMPLATE  # noqa: PLC0414 - offered here
from diskenc_analysis.look import blank
from diskenc_analysis.own import describe as describe  # noqa: PLC0414 - offered here
from diskenc_analysis.plainrows import Row
from diskenc_analysis.text import capability_label, noun

_HERE = ("colors", "coverage_by", "describe", "headline", "heatmap", "key_owners_by", "methods_by")
_TOPICS = {
    "agreement": ("agreement", "causes_by", "controls_by"),
    "keycharts": ("key_expiry", "key_flow", "rotation_age"),
    "migrationcharts": ("blockers", "ways"),
    "optioncharts": ("efforts", "matrix_grid", "needs_by"),
    "timecharts": ("run_out_line", "timeline"),
    "waterfall": ("what_if_waterfall",),
}
__all__ = [*_HERE, *(name for names in _TOPICS.values() for name in names)]  # noqa: PLE0604 - see __getattr__
TOP = 25


def __getattr__(name: str) -> Any:
    for topic, names in _TOPICS.items():
        if name in names:
            return getattr(import_module(f"diskenc_analysis.{topic}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


def headline(summary: Any, title: str = "Protection by capability") -> go.Figure:
    """Draw the share of yes per capability, with what is unknown and what does not apply.

    Parameters
    ----------
    summary : frame
        `summarize(cov, by=None, capability=None)`: one row per capability.
    title : str
        Title, which should name the part of the estate that was summed.

    Returns
    -------
    plotly Figure
        One bar per capability, lowest share first; the text beside a bar gives the bounds (rule C12).

    Examples
    --------
    >>> headline([]).layout.annotations[0].text
    'no disks'
    """
    read = summary_rows(summary, "capability", "total", made_by="de.summarize(cov, by=None)")
    found = [row for row in read if row["total"]]
    ordered = sorted(found, key=lambda row: (_asked(row), *_worst(row), row["capability"]))
    names = [capability_label(row["capability"]) for row in ordered]
    return answer_bars(ordered, names, "Capability", title)


def coverage_by(
    summary: Any, by: str | None = None, capability: str | None = None, top: int = TOP
) -> go.Figure:
    """Draw one capability by group, lowest share first.

    Parameters
    ----------
    summary : frame
        `summarize(cov, by=..., capability=...)`: one row per group.
    by : str, optional
        The column that holds the groups; by default the one that it was summed by.
    capability : str, optional
        Which capability, when the summary holds several.
    top : int
        Groups shown; the rest is one row named others.

    Returns
    -------
    plotly Figure
        One bar per group.

    Raises
    ------
    ParameterError
        When the summary lacks the column or the capability, or holds several and none is named.

    Examples
    --------
    >>> row = {"location": "x", "capability": "temp_disk", "weight": "vms", "yes": 1, "total": 1}
    >>> coverage_by([row], by="location").data[0].name
    'Yes'
    """
    read, by = read_summary(summary, by, "capability", "total")
    found = [row for row in read if row["total"]]
    if not found:
        return blank(f"Coverage by {noun(by)}")
    name = _one_capability(found, capability)
    ordered = sorted(
        (row for row in found if row["capability"] == name), key=lambda row: _group_order(row, by)
    )
    groups = [(row[by], row) for row in ordered]
    shown, note = cut(groups, top, add_answers)
    title = f"{capability_label(name)}, by {noun(by)}, lowest share first{note}"
    return answer_bars([row for _, row in shown], [key for key, _ in shown], noun(by).capitalize(), title)


def methods_by(tally: Any, by: str | None = None, weight: str = "disks", top: int = TOP) -> go.Figure:
    """Draw how much each encryption method protects, by group.

    Parameters
    ----------
    tally : frame
        `tally(cov, by=[by, "method"])`: columns by, method, disks, gib.
    by : str, optional
        The column that holds the groups; by default the one that it was summed by.
    weight : {"disks", "gib"}
        What the length of a bar means.
    top : int
        Groups shown; the rest is one row named others.

    Returns
    -------
    plotly Figure
        One bar per group; most storage-encryption-only, unmanaged and unknown first.

    Examples
    --------
    >>> row = {"location": "x", "method": "host", "disks": 2, "gib": 64}
    >>> methods_by([row], by="location").data[0].name
    'Encryption at host'
    """
    found, by = _counted(tally, by, "method", weight, METHODS)
    ordered = _weakest_first(found, ("sse", "unmanaged", "unknown"))
    return _count_chart(ordered, METHODS, by, weight, top, "Encryption method")


def key_owners_by(
    tally: Any,
    by: str | None = None,
    weight: str = "disks",
    top: int = TOP,
    *,
    share: bool = False,
) -> go.Figure:
    """Draw who holds the keys, by group.

    Parameters
    ----------
    tally : frame
        `tally(cov, by=[by, "key_owner"])`: columns by, key_owner, disks, gib.
    by : str, optional
        The column that holds the groups; by default the one that it was summed by.
    weight : {"disks", "gib"}
        What the length of a bar means.
    top : int
        Groups shown; the rest is one row named others.
    share : bool
        Whether each bar is whole at 100 % of its group, which shows small groups beside large ones.

    Returns
    -------
    plotly Figure
        One bar per group; most platform-managed and unknown keys first.

    Examples
    --------
    >>> row = {"location": "x", "key_owner": "customer", "disks": 2, "gib": 64}
    >>> key_owners_by([row], by="location", weight="gib").data[0].x
    (64.0,)
    """
    found, by = _counted(tally, by, "key_owner", weight, KEY_OWNERS)
    ordered = _weakest_first(found, ("platform", "unknown"))
    return _count_chart(ordered, KEY_OWNERS, by, weight, top, "Key ownership", share=share)


def heatmap(summary: Any, by: str | None = None, top: int = TOP) -> go.Figure:
    """Draw all capabilities by group, the low bound of the share as the colour.

    Parameters
    ----------
    summary : frame
        `summarize(cov, by=..., capability=None)`: one row per group and capability.
    by : str, optional
        The column that holds the groups; by default the one that it was summed by.
    top : int
        Groups shown; the rest is one row named others.

    Returns
    -------
    plotly Figure
        A cell where nothing is known says unknown and is grey, never 0 %; one where the question
        applies to nothing is empty.

    Examples
    --------
    >>> row = {"location": "x", "capability": "temp_disk", "weight": "vms", "unknown": 3, "total": 3}
    >>> [trace.name for trace in heatmap([row], by="location").data]
    ['Unknown']
    """
    read, by = read_summary(summary, by, "capability", "total")
    found = [row for row in read if row["total"]]
    if not found:
        return blank(f"Coverage by {noun(by)}")
    there = {row["capability"] for row in found}
    names = [name for name in capabilities() if name in there] + sorted(there - set(capabilities()))
    grouped: dict[Any, dict[str, Row]] = {}
    for row in found:
        grouped.setdefault(row[by], {})[row["capability"]] = row
    ordered = sorted(grouped.items(), key=lambda item: (mean_low(item[1]), str(item[0])))
    shown, note = cut(ordered, top, _add_cells)
    title = f"Capabilities by {noun(by)}, lowest shares first{note}"
    return cell_chart(shown, names, noun(by).capitalize(), title)


def _add_cells(found: Sequence[dict[str, Row]]) -> dict[str, Row]:
    names = dict.fromkeys(name for cells in found for name in cells)
    return {name: add_answers([cells[name] for cells in found if name in cells]) for name in names}


def _counted(
    tally: Any, by: str | None, part: str, weight: str, parts: Sequence[Part]
) -> tuple[list[tuple[Any, dict[str, float]]], str]:
    if weight not in ("disks", "gib"):
        raise UnknownNameError.of("weight", weight, ("disks", "gib"))
    groups: dict[Any, dict[str, float]] = {}
    found, by = read_summary(tally, by, part, weight, made_by=f'de.tally(cov, by=[..., "{part}"])')
    for row in found:
        counts = groups.setdefault(row[by], {})
        key = part_of(parts, row[part]).key
        counts[key] = counts.get(key, 0.0) + value(row, weight)
    return list(groups.items()), by


def _weakest_first(groups: list[tuple[Any, dict[str, float]]], weak: Sequence[str]) -> list[tuple[Any, Any]]:
    return sorted(groups, key=lambda item: (-sum(item[1].get(key, 0.0) for key in weak), str(item[0])))


def _count_chart(
    groups: list[tuple[Any, Any]],
    parts: Sequence[Part],
    by: str,
    weight: str,
    top: int,
    what: str,
    *,
    share: bool = False,
) -> go.Figure:
    shown, note = cut(groups, top, add_counts)
    unit = "GiB" if weight == "gib" else "disks"
    title = f"{what} by {noun(by)}, {'share of' if share else 'in'} {unit}{note}"
    return count_bars(shown, parts, weight, (title, noun(by).capitalize()), share)


def _one_capability(found: Sequence[Row], capability: str | None) -> str:
    names = sorted({row["capability"] for row in found})
    if capability is None and len(names) > 1:
        raise ParameterError(
            f"the summary holds {len(names)} capabilities ({', '.join(names)}): name one of them"
        )
    if capability is not None and capability not in names:
        raise UnknownNameError.of("capability of the summary", capability, names)
    return capability or names[0]


def _asked(row: Row) -> bool:
    """Sort what applies to nothing last."""
    return shares(row)[0] is None


def _worst(row: Row) -> tuple[float, float]:
    return (shares(row)[0] or 0.0, -value(row, "no"))


def _group_order(row: Row, by: str) -> tuple[bool, float, float, str]:
    return (_asked(row), *_worst(row), str(row[by]))
