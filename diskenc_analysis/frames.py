"""Small pieces of narwhals that the transforms share: nulls spelled out, three-valued flags, profiles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import narwhals as nw

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

Frame = nw.LazyFrame[Any]

#: Separates the parts of a profile's key; no fact holds it.
_BAR = "|"


def lazy(frame: Any) -> Frame:
    """Wrap a native frame of any engine."""
    return nw.from_native(frame).lazy()


def low(name: str) -> nw.Expr:
    """Give a text column in lower case, with nulls as the empty string."""
    return nw.col(name).fill_null("").str.to_lowercase()


def choose(cases: Sequence[tuple[nw.Expr, str]], otherwise: str) -> nw.Expr:
    """Give the value of the first case whose condition is true.

    Parameters
    ----------
    cases : sequence of (nw.Expr, str)
        Conditions, which are never null, and their values.
    otherwise : str
        Value where none is true.

    Returns
    -------
    nw.Expr
    """
    out: Any = nw.lit(otherwise)
    for condition, value in reversed(cases):
        out = nw.when(condition).then(nw.lit(value)).otherwise(out)
    return out  # type: ignore[no-any-return]


def words(name: str, meanings: Mapping[str, str], other: str, absent: str) -> nw.Expr:
    """Translate a text column: a word that is not among the meanings is `other`, none at all is `absent`."""
    cases = [(low(name) == arm, word) for arm, word in meanings.items()]
    return choose([*cases, (low(name) == "", absent)], other)


def is_true(name: str) -> nw.Expr:
    """Say whether a boolean column is true, with null as false."""
    return nw.col(name).fill_null(value=False)


def given(name: str) -> nw.Expr:
    """Say whether a column holds a value."""
    return ~nw.col(name).is_null()


def doubted(*names: str) -> nw.Expr:
    """Say whether the reader put any of the columns of its row in doubt."""
    return nw.col("doubt").fill_null("").str.contains(rf"(?:^|; )(?:\*|{'|'.join(names)}):")


def with_profile(frame: Frame, facts: Iterable[str]) -> Frame:
    """Add the column `profile`: the facts of a row as one text, with nulls spelled out."""
    parts = [nw.col(name).fill_null("") for name in facts]
    return frame.with_columns(profile=nw.concat_str(parts, separator=_BAR))


def profiles(frame: Frame, facts: Sequence[str]) -> list[dict[str, str]]:
    """Collect the distinct profiles of a frame.

    Parameters
    ----------
    frame : Frame
        With a column `profile` made by `with_profile`.
    facts : sequence of str
        The same facts, in the same order.

    Returns
    -------
    list of dict
        One dict of facts per distinct profile, with `profile` itself, sorted by it.
    """
    found = frame.select("profile").unique().collect()
    keys = sorted(str(key) for key in found["profile"].to_list())
    return [{"profile": key, **dict(zip(facts, key.split(_BAR), strict=True))} for key in keys]


def helper(inv: Inventory, rows: Sequence[Mapping[str, str | None]], columns: Sequence[str]) -> Frame:
    """Hand a small table back to the engine of an inventory.

    Parameters
    ----------
    inv : Inventory
        Gives the engine, and the connection that every DuckDB frame must come through.
    rows : sequence of mappings
        Rows of text.
    columns : sequence of str
        Which columns to make.

    Returns
    -------
    Frame
    """
    import pyarrow as pa

    table = pa.table({c: pa.array([r[c] for r in rows], pa.string()) for c in columns})
    if inv.engine == "duckdb":
        return lazy(inv.connection.from_arrow(table))
    if inv.engine == "polars":
        import polars as pl

        return lazy(pl.from_arrow(table))
    import pandas as pd

    return lazy(table.to_pandas(types_mapper=pd.ArrowDtype))


def kept(inv: Inventory, frame: Frame, name: str) -> Frame:
    """Work a frame out once, so that what is built on it does not work it out again.

    A DuckDB relation is a query: without this, three summaries would run it three times.
    """
    if inv.engine != "duckdb":
        return frame.collect().lazy()
    inv.connection.execute(f'DROP TABLE IF EXISTS "{name}"')
    nw.to_native(frame).create(name)
    return lazy(inv.connection.table(name))
