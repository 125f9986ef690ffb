"""A history summed by date, on any engine: answers, layers, and what was captured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw

from diskenc_analysis.editions import capabilities
from diskenc_analysis.errors import UnknownNameError
from diskenc_analysis.frames import Frame, choose, lazy, native_like, settled
from diskenc_analysis.grouping import group_of
from diskenc_analysis.history import DATE
from diskenc_analysis.summary import counted, tally, with_shares

#: What a share of disks is told of rather than an answer.
LAYERS = ("method", "key_owner", "key_store", "sse", "host", "ade", "confidential", "kind", "attachment")
_ANSWERS = ("yes", "no", "not_applicable", "unknown", "total", "share", "share_low", "share_high")
_WEIGHTS = ("disks", "gib")


def sums(history: Any, by: str | None = None, capability: str | None = None, weight: str = "disks") -> Any:
    """Sum the answers of a history by date.

    Every row of it holds its ten answers as one short text; so the engine counts the rows of each text by
    date and group, and all that follows is worked out on that small table.

    Parameters
    ----------
    history : frame
        As `history.read` gives it, of any engine.
    by : str, optional
        Column to group by besides, or `tag:NAME`.
    capability : str, optional
        One capability; all ten by default.
    weight : {"disks", "gib"}
        What is counted. Facts of the VM are counted per VM, and are left out where GiB are summed.

    Returns
    -------
    frame
        Of the same kind: `capture_date`, the group, `capability`, `weight`, and the columns of `summarize`;
        sorted by date, capability and group. A VM is counted in the group of its first disk.

    Raises
    ------
    UnknownNameError
        When a column, capability or weight does not exist.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = {"capture_date": ["2026-11-23", "2026-11-24"], "answers": ["33         ", "13         "]}
    >>> sums(pd.DataFrame(rows | {"gib": [1.0, 1.0]}), capability="at_rest")["yes"].tolist()
    [1.0, 0.0]
    """
    if capability is not None and capability not in capabilities():
        raise UnknownNameError.of("capability", capability, capabilities())
    if weight not in _WEIGHTS:
        raise UnknownNameError.of("weight", weight, _WEIGHTS)
    names = [capability] if capability else list(capabilities())
    if weight == "gib":
        names = [name for name in names if capabilities()[name].counted_per == "disk"]
    small = settled(_folded(lazy(history), by)).with_columns(_amount=nw.col(weight).cast(nw.Float64))
    order = list(capabilities())
    digits = {name: nw.col("answers").str.slice(order.index(name), 1) for name in names}
    out = with_shares(counted(small.with_columns(**digits), names, by=(DATE, "_group")))
    per_vm = [name for name in names if capabilities()[name].counted_per == "vm"]
    unit = choose([(nw.col("capability").is_in(per_vm), "vms")], weight) if per_vm else nw.lit(weight)
    place = choose([(nw.col("capability") == n, f"{at:02}") for at, n in enumerate(names)], "")
    out = out.with_columns(weight=unit, _order=place).sort(DATE, "_order", "_group")
    group = [] if by is None else [nw.col("_group").alias(by)]
    return native_like(history, out.select(DATE, *group, "capability", "weight", *_ANSWERS))


def _folded(frame: Frame, by: str | None) -> Frame:
    """Count disks and GiB by date, group and packed answers."""
    group = nw.lit("all") if by is None else group_of(frame, by)
    date = nw.col(DATE).cast(nw.String)  # Spark makes a date of a folder's name
    rows = frame.select(
        "answers", date.alias(DATE), _group=group, disks=nw.lit(1), gib=nw.col("gib").fill_null(0.0)
    )
    return rows.group_by(DATE, "_group", "answers").agg(nw.col("disks").sum(), nw.col("gib").sum())


def layers(history: Any, by: Sequence[str]) -> Any:
    """Count disks and GiB of a history by date and columns.

    Parameters
    ----------
    history : frame
        As `history.read` gives it, of any engine.
    by : sequence of str
        Columns, such as `method`.

    Returns
    -------
    frame
        Of the same kind: `capture_date`, the columns, `disks` (int) and `gib` (float), sorted.

    Raises
    ------
    UnknownNameError
        When a column does not exist.
    """
    return tally(history, by=[DATE, *by])


def captures(history: Any) -> Any:
    """List the captures of a history.

    Parameters
    ----------
    history : frame
        As `history.read` gives it, of any engine.

    Returns
    -------
    frame
        Of the same kind: `capture_date`, `capture` (tells it from others), `edition` of the matrix, `unread`
        (what was not read whole), `disks` and `gib`, sorted by date.
    """
    return tally(history, by=[DATE, "capture", "edition", "unread"])
