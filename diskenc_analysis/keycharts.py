"""The figures about keys: where they lie, when they expire, how long ago they were rotated.

As in `charts`: from a summary and never from raw rows, each with its words and the numbers behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import plotly.graph_objects as go

from diskenc_analysis.bars import count_bars
from diskenc_analysis.errors import UnknownNameError
from diskenc_analysis.groups import read_summary
from diskenc_analysis.legend import KEY_STORES, METHODS, Part, part_of
from diskenc_analysis.look import ROW_HEIGHT, blank, describe
from diskenc_analysis.plainrows import Row, rows
from diskenc_analysis.text import amount, clean, label, noun, number, percent

__all__ = ["key_expiry", "key_flow", "rotation_age"]
TOP = 15
_NEUTRAL = "#9AA3AE"
_ROTATION = (
    Part("auto", "Automatic", "#0072B2"),
    Part("error", "Automatic, stopped by an error", "#D55E00", "x"),
    Part("hand", "By hand", "#E69F00", "."),
    Part("unknown", "Unknown", "#8A8F98", "/"),
)
_EXPIRY = (
    *((0, "Expired"), (30, "Within 30 days"), (90, "31 to 90 days")),
    *((180, "91 to 180 days"), (365, "181 to 365 days")),
)
_AGES = ((90, "Up to 90 days"), (365, "91 to 365 days"), (730, "1 to 2 years"), (1095, "2 to 3 years"))
_NOT_READ = "Not read"


def key_flow(tally: Any, by: str | None = None, weight: str = "disks", top: int = TOP) -> go.Figure:
    """Draw which method each group uses, and where the keys of that method lie.

    Parameters
    ----------
    tally : frame
        `tally(cov, by=[by, "method", "key_store"])`: columns by, method, key_store, disks, gib.
    by : str, optional
        The column that holds the groups; by default the one that it was summed by.
    weight : {"disks", "gib"}
        What the width of a band means.
    top : int
        Groups shown, 15 at most since thinner bands are not told apart; the rest is one named others.

    Returns
    -------
    plotly Figure
        A Sankey diagram from groups to methods to key stores, the largest groups first.

    Examples
    --------
    >>> row = {"subscription_name": "a", "method": "host", "key_store": "platform", "disks": 2, "gib": 64}
    >>> list(key_flow([row]).data[0].link.value)
    [2.0, 2.0]
    """
    if weight not in ("disks", "gib"):
        raise UnknownNameError.of("weight", weight, ("disks", "gib"))
    made_by = 'de.tally(cov, by=[..., "method", "key_store"])'
    read, by = read_summary(tally, by, "method", "key_store", weight, made_by=made_by)
    found = [row for row in read if row[weight]]
    if not found:
        return blank("From subscription to method to key store")
    top = min(top, TOP)
    names = _largest(found, by, weight, top)
    flows: dict[tuple[str, str, str], float] = {}
    for row in found:
        group = names.get(row[by], "")
        parts = part_of(METHODS, row["method"]).label, part_of(KEY_STORES, row["key_store"]).label
        flows[group, *parts] = flows.get((group, *parts), 0.0) + float(row[weight])
    unit = "GiB" if weight == "gib" else "disks"
    groups = len({row[by] for row in found})
    note = f" ({top} of {groups}, the rest as others)" if groups > top else ""
    figure = _sankey(flows, list(dict.fromkeys(names.values())), unit)
    ordered = sorted(flows.items(), key=lambda item: (-item[1], item[0]))
    table = [[*key, number(value)] for key, value in ordered]
    columns = [noun(by).capitalize(), "Method", "Key store", unit if weight == "gib" else "Disks"]
    title = f"From {noun(by)} to method to key store, in {unit}{note}"
    return describe(figure, title, _flow_alt(flows, weight), columns, table)


def _largest(found: Sequence[Row], by: str, weight: str, top: int) -> dict[Any, str]:
    """Name each group: the largest by their own names, the others together."""
    sums: dict[Any, float] = {}
    for row in found:
        sums[row[by]] = sums.get(row[by], 0.0) + float(row[weight])
    ordered = sorted(sums, key=lambda group: (-sums[group], str(group)))
    rest = ordered[top:]
    return {g: clean(g) for g in ordered[:top]} | dict.fromkeys(rest, f"others ({len(rest)})")


def _sankey(flows: dict[tuple[str, str, str], float], groups: Sequence[str], unit: str) -> go.Figure:
    """Draw three columns of nodes; a band has the colour of the method that it comes from or goes to."""
    methods = [part for part in METHODS if any(part.label == key[1] for key in flows)]
    stores = [part for part in KEY_STORES if any(part.label == key[2] for key in flows)]
    nodes = [("group", name) for name in groups] + [("method", p.label) for p in methods]
    nodes += [("store", p.label) for p in stores]
    place = {node: at for at, node in enumerate(nodes)}
    bands: dict[tuple[int, int, str], float] = {}
    for (group, method, store), value in flows.items():
        color = next(part.color for part in methods if part.label == method)
        path = place["group", group], place["method", method], place["store", store]
        for band in ((path[0], path[1], color), (path[1], path[2], color)):
            bands[band] = bands.get(band, 0.0) + value
    ends = sorted(bands)
    figure = go.Figure()
    figure.add_sankey(
        arrangement="snap",
        valueformat=",d",
        valuesuffix=f" {unit}",
        node={
            "label": [label(name, 34) for _, name in nodes],
            "color": [_NEUTRAL] * len(groups) + [part.color for part in (*methods, *stores)],
            "pad": 16,
            "thickness": 14,
            "line": {"width": 0},
        },
        link={
            "source": [source for source, _, _ in ends],
            "target": [target for _, target, _ in ends],
            "value": [bands[band] for band in ends],
            "color": [_faint(color) for _, _, color in ends],
        },
    )
    figure.update_layout(height=max(340, 120 + ROW_HEIGHT * max(len(groups), 8)), margin={"t": 56, "b": 16})
    return figure


def _faint(color: str) -> str:
    """Give a colour that bands may cross in."""
    red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.38)"


def _flow_alt(flows: dict[tuple[str, str, str], float], weight: str) -> str:
    total, sums = sum(flows.values()), dict.fromkeys((part.label for part in KEY_STORES), 0.0)
    for (_, _, store), value in flows.items():
        sums[store] += value
    facts = "; ".join(f"{name} {amount(n, weight)} ({percent(n / total)})" for name, n in sums.items() if n)
    group, method, store = max(flows, key=lambda key: (flows[key], key))
    most = f"The widest band goes from {group} by {method} to {store}."
    return f"{amount(total, weight)} in all, by where their key lies: {facts}. {most}"


def key_expiry(custody: Any, as_of: str) -> go.Figure:
    """Draw how many disks depend on keys that expire soon, later, or never.

    Parameters
    ----------
    custody : frame
        `custody(inv, as_of=...)`: one row per key in use.
    as_of : str
        The day that it was judged on, for the title; empty where none was stated.

    Returns
    -------
    plotly Figure
        One bar per span of time, stacked by where the key lies. A disk with two keys counts for each.

    Examples
    --------
    >>> row = {"use": "set", "store": "managed_hsm", "disks": 3, "expires": "2026-12-01", "days_left": 7}
    >>> key_expiry([row], "2026-11-24").layout.yaxis.ticktext
    ('Within 30 days',)
    """
    title = (
        f"Disks by the time until their key expires, as of {as_of}"
        if as_of
        else "Disks by expiry of their key"
    )
    order = [
        *(words for _, words in _EXPIRY),
        "More than a year",
        "No expiry date",
        "No day stated",
        _NOT_READ,
    ]
    return _spans(custody, title, order, _expiry_span, lambda row: row["store"], KEY_STORES)


def _expiry_span(row: Row) -> str:
    if row["expires"] is None:
        return "No expiry date"
    if row["days_left"] is None:
        return _NOT_READ if row["expires"] == "unknown" else "No day stated"
    return _span(row["days_left"], _EXPIRY, "More than a year")


def rotation_age(custody: Any) -> go.Figure:
    """Draw how many disks depend on keys that were rotated lately, or long ago.

    Parameters
    ----------
    custody : frame
        `custody(inv, as_of=...)`: one row per key in use.

    Returns
    -------
    plotly Figure
        One bar per span of time, stacked by how the key is rotated. The age is that of the set's last
        rotation, else of the key's version.

    Examples
    --------
    >>> row = {"use": "set", "auto_rotation": "yes", "rotation_error": None, "disks": 3, "rotation_age": 400}
    >>> rotation_age([row]).layout.yaxis.ticktext
    ('1 to 2 years',)
    """
    title = "Disks by the time since their key was rotated"
    order = [*(words for _, words in _AGES), "More than 3 years", _NOT_READ]
    return _spans(custody, title, order, _age_span, _rotation, _ROTATION)


def _age_span(row: Row) -> str:
    age = row["rotation_age"]
    return _NOT_READ if age is None else _span(age, _AGES, "More than 3 years")


def _rotation(row: Row) -> str:
    if row["rotation_error"] not in (None, "unknown"):
        return "error"
    known = {"yes": "auto", "no": "hand", None: "hand"}
    return known.get(row["auto_rotation"], "unknown")


def _span(days: float, spans: Sequence[tuple[int, str]], beyond: str) -> str:
    return next((words for most, words in spans if days <= most), beyond)


def _spans(
    custody: Any,
    title: str,
    order: Sequence[str],
    span: Callable[[Row], str],
    part: Callable[[Row], str],
    parts: Sequence[Part],
) -> go.Figure:
    """Draw disks by span of time; a secret of Azure Disk Encryption is no key, and has no time here."""
    groups: dict[str, dict[str, float]] = {}
    for row in rows(custody):
        if row["use"] in ("set", "ade_key") and row["disks"]:
            counts = groups.setdefault(span(row), {})
            key = part_of(parts, part(row)).key
            counts[key] = counts.get(key, 0.0) + float(row["disks"])
    ordered = [(words, groups[words]) for words in order if words in groups]
    figure = count_bars(ordered, parts, "disks", (title, "Time"))
    if ordered:
        spans = "; ".join(f"{words} {amount(sum(counts.values()), 'disks')}" for words, counts in ordered)
        figure.update_layout(
            meta={**figure.layout.meta, "alt": f"By time: {spans}. {figure.layout.meta['alt']}"}
        )
    return figure
