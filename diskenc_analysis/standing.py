"""Where findings stand: their status, with those that a person has excepted counted apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw

from diskenc_analysis.frames import lazy
from diskenc_analysis.plainrows import Row, rows

#: Where a finding may stand; one whose exception has expired stands where its status says.
STANDINGS = ("met", "unknown", "not_met", "excepted", "not_applicable")


def pairs(frame: Any, by: Sequence[str]) -> list[Row]:
    """Count the rows of a frame by columns.

    Parameters
    ----------
    frame : frame
        Of any engine.
    by : sequence of str
        Text columns; a null is `(none)`.

    Returns
    -------
    list of dict
        The columns and `pairs` (int), sorted by the columns.
    """
    filled = lazy(frame).select(**{name: nw.col(name).fill_null("(none)") for name in by}, pairs=nw.lit(1))
    counted = filled.group_by(list(by)).agg(nw.col("pairs").sum()).sort(*by)
    return [row | {"pairs": int(row["pairs"])} for row in rows(nw.to_native(counted))]


def standings(found: Any, by: Sequence[str] = ()) -> list[Row]:
    """Count findings by columns and by where they stand.

    Parameters
    ----------
    found : frame
        As `findings` gives it, of any engine.
    by : sequence of str
        Text columns; a null is `(none)`.

    Returns
    -------
    list of dict
        The columns, `standing` (one of `STANDINGS`) and `pairs` (int), sorted.

    Examples
    --------
    >>> import pandas as pd
    >>> found = pd.DataFrame({"status": ["not_met", "not_met"], "exception": ["excepted", "expired"]})
    >>> standings(found)
    [{'standing': 'excepted', 'pairs': 1}, {'standing': 'not_met', 'pairs': 1}]
    """
    excepted = nw.col("exception") == "excepted"
    standing = nw.when(excepted).then(nw.lit("excepted")).otherwise(nw.col("status"))
    return pairs(nw.to_native(lazy(found).with_columns(standing=standing)), [*by, "standing"])


def count_standings(found: Any) -> dict[str, int]:
    """Count findings by where they stand.

    Parameters
    ----------
    found : frame
        As `findings` gives it.

    Returns
    -------
    dict of str to int
        By standing; those of which there are none are left out.

    Examples
    --------
    >>> import pandas as pd
    >>> count_standings(pd.DataFrame({"status": ["met"], "exception": [""]}))
    {'met': 1}
    """
    return {row["standing"]: row["pairs"] for row in standings(found)}
