"""The parts of an estate that are counted apart: attached disks, unattached ones, snapshots (rule C2)."""

from __future__ import annotations

from typing import Any

import narwhals as nw

from diskenc_analysis.plainrows import Row, count_rows, rows
from diskenc_analysis.summary import summarize

ATTACHED = "attached disks"
UNATTACHED = "unattached disks"
UNSURE = "disks of unknown attachment"
SNAPSHOTS = "snapshots"
#: Rows of a coverage frame that are held in memory: some 300 MB.
IN_MEMORY = 200_000
SCOPES = (ATTACHED, UNATTACHED, UNSURE, SNAPSHOTS)


def with_scope(cov: Any) -> Any:
    """Add the part of the estate that a row is counted in.

    Parameters
    ----------
    cov : frame
        Coverage, one row per disk.

    Returns
    -------
    frame
        The same kind of frame, with the column `scope`: one of `SCOPES`.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"kind": ["managed_disk", "snapshot"], "attachment": ["attached", "unattached"]})
    >>> with_scope(frame)["scope"].tolist()
    ['attached disks', 'snapshots']
    """
    attachment = nw.col("attachment")
    disks = nw.when(attachment == "unattached").then(nw.lit(UNATTACHED)).otherwise(nw.lit(UNSURE))
    disks = nw.when(attachment == "attached").then(nw.lit(ATTACHED)).otherwise(disks)
    scope = nw.when(nw.col("kind") == "snapshot").then(nw.lit(SNAPSHOTS)).otherwise(disks)
    return nw.from_native(cov).with_columns(scope=scope).to_native()


def only(cov: Any, scope: str) -> Any:
    """Keep the rows of one part of the estate.

    Parameters
    ----------
    cov : frame
        Coverage, one row per disk.
    scope : str
        One of `SCOPES`.

    Returns
    -------
    frame
        The same kind of frame, without the others.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"kind": ["managed_disk", "snapshot"], "attachment": ["attached", "unattached"]})
    >>> len(only(frame, ATTACHED))
    1
    """
    return nw.from_native(with_scope(cov)).filter(nw.col("scope") == scope).drop("scope").to_native()


def held(cov: Any, most: int = IN_MEMORY) -> Any:
    """Hold a coverage frame in memory where it fits, since a database plans each of many counts anew.

    Parameters
    ----------
    cov : frame
        Coverage, one row per disk, of any engine.
    most : int
        Most rows to hold.

    Returns
    -------
    frame
        A pyarrow table with the same rows and columns, or the frame itself where it has more rows.

    Examples
    --------
    >>> import pandas as pd
    >>> held(pd.DataFrame({"kind": ["snapshot"]})).to_pylist()
    [{'kind': 'snapshot'}]
    """
    if count_rows(cov) > most:
        return cov
    frame = nw.from_native(cov)
    return (frame.collect() if isinstance(frame, nw.LazyFrame) else frame).to_arrow()


def by_size(cov: Any) -> list[Row]:
    """Sum in GiB the capabilities that are counted per disk; those of a VM have no size.

    Parameters
    ----------
    cov : frame
        Coverage, one row per disk.

    Returns
    -------
    list of dict
        Rows of `summarize`, one per capability.
    """
    return [row for row in rows(summarize(cov, by=None, weight="gib")) if row["weight"] == "gib"]


def answers(cov: Any, weight: str | None = None) -> dict[tuple[str, str], Row]:
    """Sum all capabilities by part of the estate.

    Parameters
    ----------
    cov : frame
        Coverage, one row per disk.
    weight : {"disks", "gib", "vms"}, optional
        As for `summarize`.

    Returns
    -------
    dict
        Rows of `summarize` by scope and capability, without parts that hold nothing.
    """
    found = rows(summarize(with_scope(cov), by="scope", weight=weight))
    order = {name: place for place, name in enumerate(SCOPES)}
    found.sort(key=lambda row: order[row["scope"]])
    return {(row["scope"], row["capability"]): row for row in found}
