"""Shares of the coverage frame with their bounds, and plain counts, for charts and gates (RULES C12)."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import narwhals as nw

from diskenc_analysis.editions import capabilities
from diskenc_analysis.errors import ParameterError, UnknownNameError
from diskenc_analysis.frames import Frame, lazy

WEIGHTS = ("disks", "gib", "vms")
_VALUES = {
    "yes": ("yes", "Healthy"),
    "no": ("no", "Unhealthy"),
    "not_applicable": ("not_applicable", "NotApplicable"),
    "unknown": ("unknown",),
}
_NAMES = ("yes", "no", "not_applicable", "unknown")


def summarize(
    cov: Any, by: str | None = "subscription_name", capability: str | None = None, weight: str | None = None
) -> Any:
    """Sum the verdicts of one or all capabilities by group.

    Parameters
    ----------
    cov : frame
        The coverage frame, of any engine.
    by : str or None
        Column to group by, `tag:NAME` for a tag, or None for all disks at once.
    capability : str or None
        One capability, or None for all ten.
    weight : {"disks", "gib", "vms"}, optional
        What is counted. Facts of the VM (`temp_disk`, `defender_status`) are counted per VM by default,
        the others per disk.

    Returns
    -------
    frame
        Of the same kind: the group, `capability`, `weight`, `yes`, `no`, `not_applicable`, `unknown`,
        `total` (float, in the weight's unit), and the fractions `share` = yes / (yes + no),
        `share_low` = yes / (yes + no + unknown), `share_high` = (yes + unknown) / (yes + no + unknown),
        null where nothing is counted.

    Raises
    ------
    UnknownNameError
        When a column, capability or weight does not exist.
    ParameterError
        When a fact of the VM is to be weighed by GiB (RULES C3).

    Examples
    --------
    >>> import pandas as pd
    >>> cov = pd.DataFrame({"at_rest": ["yes", "yes", "unknown"], "gib": [1.0, 1.0, 2.0]})
    >>> out = summarize(cov, by=None, capability="at_rest", weight="gib")
    >>> out[["yes", "unknown", "share", "share_low"]].iloc[0].tolist()
    [2.0, 2.0, 1.0, 0.5]
    """
    names = list(capabilities()) if capability is None else [capability]
    for name in names:
        _check(name, weight, explicit=capability is not None)
    frame, group = _grouped(lazy(cov), by)
    parts = [
        _one(frame, group, name, _weight(name, weight)).with_columns(_order=nw.lit(order))
        for order, name in enumerate(names)
    ]
    out = nw.concat(parts, how="vertical") if len(parts) > 1 else parts[0]
    # An engine is free to give the parts in any order, and a report has to have the same bytes each time.
    return _native(cov, out.sort("_order", *([group] if group else []), nulls_last=True).drop("_order"))


def _check(name: str, weight: str | None, *, explicit: bool) -> None:
    if name not in capabilities():
        raise UnknownNameError.of("capability", name, capabilities())
    if weight is not None and weight not in WEIGHTS:
        raise UnknownNameError.of("weight", weight, WEIGHTS)
    if explicit and weight == "gib" and capabilities()[name].counted_per == "vm":
        message = f"{name} is a fact of the VM: expected weight 'vms' or 'disks', got 'gib'"
        raise ParameterError(message)


def _weight(name: str, weight: str | None) -> str:
    of_vm = capabilities()[name].counted_per == "vm"
    if weight is None or (weight == "gib" and of_vm):
        return "vms" if of_vm else "disks"
    return weight


def _grouped(frame: Frame, by: str | None) -> tuple[Frame, str | None]:
    """Make the group a column without nulls."""
    if by is None:
        return frame, None
    columns = frame.collect_schema().names()
    if by.startswith("tag:"):
        return frame.with_columns(_tag(by[4:]).alias(by)), by
    if by not in columns:
        raise UnknownNameError.of("column", by, columns)
    if by == "subscription_name" and "subscription_id" in columns:
        name = nw.when(~nw.col(by).is_null()).then(nw.col(by)).otherwise(nw.col("subscription_id"))
        frame = frame.with_columns(name.alias(by))
    return frame.with_columns(nw.col(by).cast(nw.String).fill_null("(none)")), by


def _tag(name: str) -> nw.Expr:
    """Read one tag out of the JSON text of all; Azure compares tag names without regard to case.

    Escaped quotes and backslashes are set aside first, so that the next quote ends the value.
    """
    text = nw.col("tags").fill_null("")
    for escaped, mark in _ESCAPED:
        text = text.str.replace_all(escaped, mark, literal=True)
    quoted = json.dumps(name, ensure_ascii=False)[1:-1]
    for escaped, mark in _ESCAPED:
        quoted = quoted.replace(escaped, mark)
    member = '(?is)^.*?"' + re.sub(r"([.^$*+?{}\[\]|()\\])", r"\\\1", quoted) + r"\"\s*:\s*\""
    value = text.str.replace_all(member, "").str.replace_all(r'(?s)".*$', "")
    for (_, mark), plain in zip(_ESCAPED, ("\\", '"'), strict=True):
        value = value.str.replace_all(mark, plain, literal=True)
    return nw.when(text.str.contains(member)).then(value).otherwise(nw.lit("(no tag)"))


#: Escapes of JSON, and a character that no tag can hold in place of each; the backslash first.
_ESCAPED = (("\\\\", "\x02"), ('\\"', "\x01"))


def _one(frame: Frame, group: str | None, name: str, weight: str) -> Frame:
    keys = [group] if group else []
    frame = frame.with_columns(_all=nw.lit("all"))
    if weight == "vms":
        frame = _per_vm(frame, keys, name)
    amount = nw.col("gib").fill_null(0.0) if weight == "gib" else nw.lit(1.0)
    counted = [
        nw.when(nw.col(name).is_in(words)).then(amount).otherwise(nw.lit(0.0)).alias(f"_{value}")
        for value, words in _VALUES.items()
    ]
    sums = [nw.col(f"_{value}").sum().alias(f"s_{value}") for value in _NAMES]
    out = frame.with_columns(*counted).group_by(keys or ["_all"]).agg(*sums)
    out = out.rename({f"s_{value}": f"{value}" for value in _NAMES})
    return _shares(out, keys, name, weight)


def _per_vm(frame: Frame, keys: list[str], name: str) -> Frame:
    """Keep one row per VM; a disk whose VM is not known but may exist stands for one."""
    owned = frame.filter(~nw.col("vm_id").is_null()).with_columns(_vm=nw.col("vm_id").str.to_lowercase())
    owned = owned.filter(~nw.col("kind").is_in(["unmanaged_disk", "snapshot"]))
    owned = owned.group_by([*keys, "_all", "_vm"]).agg(nw.col(name).min())
    loose = frame.filter(nw.col("vm_id").is_null(), nw.col(name) == "unknown")
    return nw.concat([owned.drop("_vm"), loose.select(*keys, "_all", name)], how="vertical")


def _shares(out: Frame, keys: list[str], name: str, weight: str) -> Frame:
    yes, no, dark = nw.col("yes"), nw.col("no"), nw.col("unknown")
    known, all_ = yes + no, yes + no + dark
    none = nw.lit(None, nw.Float64)
    return out.with_columns(
        capability=nw.lit(name),
        weight=nw.lit(weight),
        total=all_ + nw.col("not_applicable"),
        share=nw.when(known > 0).then(yes / known).otherwise(none),
        share_low=nw.when(all_ > 0).then(yes / all_).otherwise(none),
        share_high=nw.when(all_ > 0).then((yes + dark) / all_).otherwise(none),
    ).select(*keys, "capability", "weight", *_NAMES, "total", "share", "share_low", "share_high")


def tally(cov: Any, by: Sequence[str]) -> Any:
    """Count disks and GiB by one or more columns.

    Parameters
    ----------
    cov : frame
        The coverage frame, of any engine.
    by : sequence of str
        Columns to group by.

    Returns
    -------
    frame
        Of the same kind: the columns, `disks` (int) and `gib` (float), sorted by the columns.

    Raises
    ------
    UnknownNameError
        When a column does not exist.
    """
    frame = lazy(cov)
    for name in by:
        frame, _ = _grouped(frame, name)
    frame = frame.with_columns(_one=nw.lit(1), gib=nw.col("gib").fill_null(0.0))
    out = frame.group_by(list(by)).agg(nw.col("_one").sum().alias("disks"), nw.col("gib").sum().alias("_gib"))
    return _native(
        cov,
        out.with_columns(nw.col("disks").cast(nw.Int64)).rename({"_gib": "gib"}).sort(*by, nulls_last=True),
    )


def _native(like: Any, frame: Frame) -> Any:
    """Give the result as the same kind of frame as came in; an eager frame gives an eager one."""
    eager = isinstance(nw.from_native(like), nw.DataFrame)
    return nw.to_native(nw.maybe_reset_index(frame.collect()) if eager else frame)
