"""Small pieces of narwhals that the transforms share: nulls spelled out, three-valued flags, profiles."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any

import narwhals as nw

from diskenc_analysis import schema, spark

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

Frame = nw.LazyFrame[Any]

#: Separates the parts of a profile; no fact holds it.
BAR = "|"


def lazy(frame: Any) -> Frame:
    """Wrap a native frame of any engine."""
    wrapped: Frame = nw.from_native(frame).lazy()
    return wrapped


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


def key_of(name: str) -> nw.Expr:
    """Give an ARM id as the joins compare it: in lower case, one slash before it and none behind."""
    return nw.concat_str([nw.lit("/"), nw.col(name).str.to_lowercase().str.strip_chars("/ ")])


def id_part(name: str, before: str) -> nw.Expr:
    """Give the part of an ARM id behind one of its words, in any case, such as `subscriptions`."""
    # By what is around it: one engine calls a group of a pattern $1, the next \\1.
    head = nw.col(name).str.replace_all(f"(?i)^(?:/[^/]*)*?/{before}/", "")
    return head.str.replace_all(r"(?s)/.*$", "")


def is_true(name: str) -> nw.Expr:
    """Say whether a boolean column is true, with null as false."""
    return nw.col(name).fill_null(value=False)


def given(name: str) -> nw.Expr:
    """Say whether a column holds a value."""
    return ~nw.col(name).is_null()


def doubted(*names: str, reason: str = "") -> nw.Expr:
    """Say whether the reader put any of the columns of its row in doubt, for any reason or the one given."""
    pattern = rf"(?:^|; )(?:\*|{'|'.join(names)}): {reason}"
    found = nw.col("doubt").fill_null("").str.contains(pattern)
    # Few rows have doubts: without this the pattern would be looked for in all.
    return nw.when(nw.col("doubt").is_null()).then(nw.lit(value=False)).otherwise(found)


def unless_doubted(value: nw.Expr, otherwise: str | None, *names: str) -> nw.Expr:
    """Give a value, or another where one of the columns that it rests on is in doubt."""
    return nw.when(doubted(*names)).then(nw.lit(otherwise, nw.String)).otherwise(value)


def differing(table: str, *ignored: str) -> nw.Expr:
    """Say whether captures of unknown order differ in a column on which the layers rest (RULES L7)."""
    names = [c.name for c in schema.table(table).columns if c.verdict and c.name not in ignored]
    return doubted(*names, reason=schema.DIFFER)


def profile(facts: Sequence[str]) -> nw.Expr:
    """Give the facts of a row as one text, with nulls spelled out: null keys never match in a join."""
    return nw.concat_str([nw.col(name).fill_null("") for name in facts], separator=BAR)


def rows_of(frame: Frame) -> list[tuple[Any, ...]]:
    """Collect a small frame as rows, without pandas or Arrow where the engine is DuckDB."""
    native = nw.to_native(frame)
    if hasattr(native, "fetchall"):  # DuckDB
        return list(native.fetchall())
    if hasattr(native, "toLocalIterator"):  # Spark
        return [tuple(row) for row in native.collect()]
    eager = frame.collect()
    columns = [eager[name].to_arrow().to_pylist() for name in eager.columns]
    return list(zip(*columns, strict=True))


def distinct(frame: Frame, column: str) -> list[str]:
    """Collect the distinct values of a text column, sorted."""
    # DuckDB would number the rows of each value for `unique`: five times the work of a group.
    found = frame.group_by(column).agg(nw.len().alias("_rows")).select(column)
    return sorted(str(value) for (value,) in rows_of(found))


def fold(
    inv: Inventory, frame: Frame, facts: Mapping[str, nw.Expr], part: str
) -> tuple[Frame, dict[str, dict[str, str]]]:
    """Fold facts of few values into one short column.

    Parameters
    ----------
    inv : Inventory
        Gives the engine.
    frame : Frame
        Has what the expressions need.
    facts : mapping of str to nw.Expr
        Text facts by name.
    part : str
        Name of the column to add, and the first letter of its values.

    Returns
    -------
    frame : Frame
        With the column `part`; its values sort as the facts do, the first fact first.
    known : dict
        The facts behind each value.
    """
    kept_rows = kept(
        inv, frame.with_columns(**facts).with_columns(_profile=profile(list(facts))), f"part_{part}"
    )
    found = distinct(kept_rows, "_profile")
    width = len(str(len(found)))
    names = [{"_profile": text, part: f"{part[0]}{i:0{width}}"} for i, text in enumerate(found)]
    out = kept_rows.join(helper(inv, f"names_{part}", names, ["_profile", part]), on="_profile", how="left")
    known = {n[part]: dict(zip(facts, n["_profile"].split(BAR), strict=True)) for n in names}
    return out.drop("_profile", *facts), known


def gathered(frame: Frame, by: str, column: str, values: Sequence[str]) -> Frame:
    """Join the distinct values of a column for each group, as numbers: `+0+3` is the first and the fourth.

    Parameters
    ----------
    frame : Frame
        With both columns.
    by : str
        Column of the groups.
    column : str
        Text column whose values are among those given.
    values : sequence of str
        What the numbers stand for.

    Returns
    -------
    Frame
        One row per group: `by` and `column`.
    """
    flags = [(nw.col(column) == value).cast(nw.Int64).alias(f"_v{i}") for i, value in enumerate(values)]
    grouped = frame.select(by, *flags).group_by(by).agg(*[nw.col(f"_v{i}").max() for i in range(len(values))])
    parts = [
        nw.when(nw.col(f"_v{i}") == 1).then(nw.lit(f"+{i}")).otherwise(nw.lit("")) for i in range(len(values))
    ]
    return grouped.select(by, nw.concat_str([nw.lit(""), *parts]).alias(column))


def helper(
    inv: Inventory, name: str, rows: Sequence[Mapping[str, str | None]], columns: Sequence[str]
) -> Frame:
    """Hand a small table back to the engine of an inventory.

    Parameters
    ----------
    inv : Inventory
        Gives the engine, and the connection that every DuckDB frame must come through.
    name : str
        Name of the table where the engine is DuckDB.
    rows : sequence of mappings
        Rows of text.
    columns : sequence of str
        Which columns to make.

    Returns
    -------
    Frame
    """
    if inv.engine == "duckdb":
        values = [
            json.dumps([{c: r[c] for c in columns} for r in rows]),
            json.dumps([dict.fromkeys(columns, "VARCHAR")]),
        ]
        sql = "SELECT u.* FROM (SELECT unnest(from_json(?::JSON, ?)) AS u)"
        inv.connection.execute(f'CREATE OR REPLACE TABLE "{name}" AS {sql}', values)
        return lazy(inv.connection.table(name))
    if inv.engine == "spark":
        schema = ", ".join(f"`{c}` string" for c in columns)
        return lazy(spark.session().createDataFrame([tuple(r[c] for c in columns) for r in rows], schema))
    import pyarrow as pa

    table = pa.table({c: pa.array([r[c] for r in rows], pa.string()) for c in columns})
    if inv.engine == "arrow":
        return lazy(table)
    if inv.engine == "polars":
        import polars as pl

        return lazy(pl.from_arrow(table))
    import pandas as pd

    return lazy(table.to_pandas(types_mapper=pd.ArrowDtype))


_NUMBERS = count()


def native_of(inv: Inventory, frame: Frame) -> Any:
    """Give a frame as the inventory's engine has its tables: Polars and Arrow hold them in memory."""
    return nw.to_native(frame.collect() if inv.engine in ("polars", "arrow") else frame)


def native_like(like: Any, frame: Frame) -> Any:
    """Give a frame as the same kind as another; beside an eager frame it is eager."""
    eager = isinstance(nw.from_native(like), nw.DataFrame)
    return nw.to_native(nw.maybe_reset_index(frame.collect()) if eager else frame)


def fresh(inv: Inventory, frame: Frame, name: str) -> Frame:
    """Work a result out under a name of its own, which no later call with other arguments replaces."""
    return kept(inv, frame, f"{name}_{next(_NUMBERS)}")


def kept(inv: Inventory, frame: Frame, name: str) -> Frame:
    """Work a frame out once, so that what is built on it does not work it out again.

    A DuckDB relation is a query: without this, three summaries would run it three times.
    """
    if inv.engine == "spark":
        return lazy(nw.to_native(frame).localCheckpoint())
    if inv.engine != "duckdb":
        return frame.collect().lazy()
    inv.connection.execute(f'DROP TABLE IF EXISTS "{name}"')
    nw.to_native(frame).create(name)
    return lazy(inv.connection.table(name))


def settled(frame: Frame) -> Frame:
    """Work a small frame of any engine out once, where many parts are built on it."""
    native = nw.to_native(frame)
    if hasattr(native, "localCheckpoint"):  # Spark
        return lazy(native.localCheckpoint())
    if not hasattr(native, "create"):
        return frame.collect().lazy()
    name = f"settled_{next(_NUMBERS)}"  # DuckDB: a table of the relation's own connection
    native.create(name)
    return lazy(native.query("settled", f'SELECT * FROM "{name}"'))
