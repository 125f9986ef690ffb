"""A frame of any engine as plain Python rows."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import narwhals as nw

Row = dict[str, Any]


def rows(frame: Any, limit: int | None = None) -> list[Row]:
    """Read a frame of any engine as plain Python rows.

    Parameters
    ----------
    frame : frame or list of dict
        pandas, Polars, pyarrow, DuckDB, or anything narwhals takes. Lazy ones are collected here,
        so hand over a summary, or give a limit.
    limit : int, optional
        Most rows to read.

    Returns
    -------
    list of dict
        One per row; a null is `None` whatever the engine calls it.

    Examples
    --------
    >>> import pandas as pd
    >>> rows(pd.DataFrame({"a": [1, None]}, dtype="Int64"))
    [{'a': 1}, {'a': None}]
    """
    if isinstance(frame, list):
        return frame[:limit]
    table = nw.from_native(frame)
    if limit is not None:
        table = table.head(limit)
    # The index of pandas, which a query leaves with holes, is no column.
    eager = table.collect() if isinstance(table, nw.LazyFrame) else nw.maybe_reset_index(table)
    return [{name: _plain(value) for name, value in row.items()} for row in eager.to_arrow().to_pylist()]


def _plain(value: Any) -> Any:
    """Make a number of a decimal, which is what DuckDB's sums of whole numbers come as."""
    if not isinstance(value, Decimal):
        return value
    return int(value) if value == value.to_integral_value() else float(value)


def count_rows(frame: Any) -> int:
    """Count the rows of a frame of any engine.

    Parameters
    ----------
    frame : frame or list of dict
        As for `rows`; a lazy one is counted by its engine.

    Returns
    -------
    int
        Number of rows.

    Examples
    --------
    >>> import pandas as pd
    >>> count_rows(pd.DataFrame({"a": [1, 2]}))
    2
    """
    if isinstance(frame, list):
        return len(frame)
    table = nw.from_native(frame)
    if isinstance(table, nw.LazyFrame):
        return int(table.select(nw.len()).collect().item())
    return len(table)
