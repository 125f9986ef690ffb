"""The figures of the time that is left: waves, and the run-out line, against the day of the retirement.

As in `charts`: each with its words and the numbers behind it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta

import plotly.graph_objects as go

from diskenc_analysis.bars import whole_ticks
from diskenc_analysis.look import LEGEND_HEIGHT, LINE_HEIGHT, TITLE_HEIGHT, blank, describe
from diskenc_analysis.migration_tables import RETIREMENT
from diskenc_analysis.run_out import RunOut
from diskenc_analysis.text import amount, clean, label, number
from diskenc_analysis.timeline import Slot

__all__ = ["run_out_line", "timeline"]
_LINE, _DATE, _LATE = "#0072B2", "#D55E00", "#D55E00"
_HEIGHT = 300
#: Months shown in the numbers behind a timeline.
_MONTHS = 60
_LEFT = "VMs left under Azure Disk Encryption"


def timeline(slots: Sequence[Slot]) -> go.Figure:
    """Draw how many VMs are left after each wave, against the day of the retirement.

    Parameters
    ----------
    slots : sequence of Slot
        As `timeline.schedule` gives them.

    Returns
    -------
    plotly Figure
        A falling line with a mark per wave; hollow where its hours are not known, a cross where it is late.
    """
    title = "VMs left after each wave, against the day of the retirement"
    dated = [(slot, slot.day) for slot in slots if slot.day is not None]
    if not dated:
        return blank(title, "no waves" if not slots else "no day is stated for the first wave")
    days = [day for _, day in dated]
    figure = go.Figure()
    before = dated[0][0].left + len(dated[0][0].wave.machines)
    line = {"color": _LINE, "width": 2, "shape": "hv"}
    figure.add_scatter(
        x=_iso([days[0], *days]),
        y=[before, *(slot.left for slot, _ in dated)],
        mode="lines",
        line=line,
        hoverinfo="skip",
        showlegend=False,
    )
    for name, symbol, color, late in _WAVES:
        mine = [(slot, day) for slot, day in dated if slot.late is late]
        if mine:
            figure.add_scatter(
                x=_iso([day for _, day in mine]),
                y=[slot.left for slot, _ in mine],
                mode="markers",
                name=name,
                marker={"symbol": symbol, "color": color, "size": 9, "line": {"width": 2, "color": color}},
                hovertext=[_hover(slot, day) for slot, day in mine],
                hoverinfo="text",
            )
    _frame(figure, [*days, RETIREMENT], before, _LEFT)
    return describe(figure, title, _waves_alt(slots), _COLUMNS, _by_month(dated))


_WAVES = (
    ("Wave in time", "circle", _LINE, False),
    ("Wave of unknown hours", "circle-open", _LINE, None),
    ("Wave that is too late", "x", _LATE, True),
)
_COLUMNS = ("Month", "Waves", "VMs moved", "VMs left")


def _hover(slot: Slot, day: date) -> str:
    wave = slot.wave
    hours = "not known" if wave.hours is None else number(wave.hours)
    head = f"<b>Wave {wave.number}, {label(wave.group)}</b><br>{day}"
    return (
        f"{head}<br>{amount(len(wave.machines), 'vms')}, hours: {hours}<br>{number(slot.left)} left after it"
    )


def _waves_alt(slots: Sequence[Slot]) -> str:
    late, open_ = (sum(slot.late is answer for slot in slots) for answer in (True, None))
    first, last = slots[0].day, slots[-1].day
    total = amount(sum(len(slot.wave.machines) for slot in slots), "vms")
    ends = f"from {first} to {last}" if last else f"from {first}, the last of them beyond a hundred years"
    waves = f"{number(len(slots))} wave{'' if len(slots) == 1 else 's'} of {total} in all, {ends}"
    said = f"{number(late)} on {RETIREMENT} or later" if late else f"none on {RETIREMENT} or later"
    return f"{waves}; {said}." + (f" Of {number(open_)} it is not known when they end." if open_ else "")


def _by_month(dated: Sequence[tuple[Slot, date]]) -> list[list[str]]:
    months = Counter(f"{day:%Y-%m}" for _, day in dated)
    moved: Counter[str] = Counter()
    left: dict[str, int] = {}
    for slot, day in dated:
        moved[f"{day:%Y-%m}"] += len(slot.wave.machines)
        left[f"{day:%Y-%m}"] = slot.left
    table = [[month, *(number(n) for n in (months[month], moved[month], left[month]))] for month in months]
    return table if len(table) <= _MONTHS else [*table[: _MONTHS - 1], ["…", "…", "…", "0"]]


def run_out_line(line: RunOut) -> go.Figure:
    """Draw the counts of VMs under Azure Disk Encryption, and where they lead at their pace.

    Parameters
    ----------
    line : RunOut
        As `run_out.run_out` gives it.

    Returns
    -------
    plotly Figure
        A line through the counts, dashed from the last on; the alt text says what is assumed.
    """
    title = "VMs left at the pace so far, against the day of the retirement"
    if not line.points:
        return blank(title, "no count of a stated day")
    figure = go.Figure()
    days, counts = [point.day for point in line.points], [point.vms for point in line.points]
    dots = {"color": _LINE, "size": 9}
    style = {"mode": "lines+markers", "line": {"color": _LINE, "width": 2}, "marker": dots}
    told = [f"{day}<br>{amount(n, 'vms')}" for day, n in zip(days, counts, strict=True)]
    figure.add_scatter(x=_iso(days), y=counts, name="Counted", hovertext=told, hoverinfo="text", **style)
    if line.ends and counts[-1]:
        figure.add_scatter(
            x=_iso([days[-1], line.ends]),
            y=[counts[-1], 0],
            name="If the pace stays",
            mode="lines",
            line={"color": _LINE, "width": 2, "dash": "dot"},
            hoverinfo="skip",
        )
    _frame(figure, [*days, RETIREMENT, *([line.ends] if line.ends else [])], max(counts), _LEFT)
    table = [[f"{day}", number(n)] for day, n in zip(days, counts, strict=True)]
    table += [[f"{line.ends}, if the pace stays", "0"]] if line.ends and counts[-1] else []
    return describe(figure, title, line.said, ["Day", _LEFT], table)


def _iso(days: Sequence[date]) -> list[str]:
    return [day.isoformat() for day in days]


def _frame(figure: go.Figure, days: Sequence[date], most: int, words: str) -> None:
    """Set the axes, and mark the day of the retirement."""
    first, last = min(days), max(days)
    room = timedelta(max(7, (last - first).days // 40))
    figure.update_xaxes(type="date", range=_iso([first - room, last + room]), showgrid=False)
    figure.update_yaxes(range=[-0.04 * max(most, 1), 1.12 * max(most, 1)], title_text=clean(words))
    figure.update_yaxes(zeroline=True, **whole_ticks(most))
    figure.add_shape(
        type="line",
        x0=RETIREMENT.isoformat(),
        x1=RETIREMENT.isoformat(),
        y0=0,
        y1=1,
        yref="paper",
        line={"color": _DATE, "width": 2, "dash": "dash"},
    )
    late = RETIREMENT - first > (last - first) / 2
    figure.add_annotation(
        x=RETIREMENT.isoformat(),
        y=1,
        yref="paper",
        text=f"Retirement {RETIREMENT}",
        showarrow=False,
        xanchor="right" if late else "left",
        xshift=-6 if late else 6,
        yanchor="top",
    )
    head = LINE_HEIGHT if len(figure.data) <= 2 else LEGEND_HEIGHT  # noqa: PLR2004 - what fits in a line
    height = TITLE_HEIGHT + head + _HEIGHT
    figure.update_layout(height=height, margin_t=TITLE_HEIGHT + head, margin_r=24)
    figure.update_layout(legend_y=1 - TITLE_HEIGHT / height)
