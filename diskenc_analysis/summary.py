"""Shares of the coverage frame with their bounds, and plain counts, for charts and gates (RULES C12)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import narwhals as nw

from diskenc_analysis.editions import capabilities
from diskenc_analysis.errors import ParameterError, UnknownNameError
from diskenc_analysis.frames import Frame, choose, lazy

WEIGHTS = ("disks", "gib", "vms")
_VALUES = {
    "yes": ("yes", "Healthy"),
    "no": ("no", "Unhealthy"),
    "not_applicable": ("not_applicable", "NotApplicable"),
    "unknown": ("unknown",),
}
_NAMES = tuple(_VALUES)
_COLUMNS = ("capability", "weight", *_NAMES, "total", "share", "share_low", "share_high")
#: Digits that sort the answers from the worst to the best (RULES C3), for the answers of several disks.
_DIGITS = {"no": "1", "unknown": "2", "yes": "3", "not_applicable": "4"}
_CODES = {_DIGITS[value]: words for value, words in _VALUES.items()}
_OUTSIDE, _UNCOUNTED = "0", ""


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
    frame = lazy(cov)
    group = None if by is None else _group(frame, by)
    parts = [
        _one(frame, group, name, _weight(name, weight)).with_columns(_order=nw.lit(order))
        for order, name in enumerate(names)
    ]
    out = nw.concat(parts, how="vertical") if len(parts) > 1 else parts[0]
    # An engine is free to give the parts in any order, and a report has to have the same bytes each time.
    if by is None:
        return _native(cov, out.sort("_order").drop("_order"))
    out = out.sort("_order", "_group").drop("_order")
    return _native(cov, out.select(nw.col("_group").alias(by), *_COLUMNS))


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


def _group(frame: Frame, by: str) -> nw.Expr:
    """Give the group of each row, which is never null."""
    if by.startswith("tag:"):
        return _tag(by[4:])
    columns = frame.collect_schema().names()
    if by not in columns:
        raise UnknownNameError.of("column", by, columns)
    group = nw.col(by)
    if by == "subscription_name" and "subscription_id" in columns:
        group = nw.when(~group.is_null()).then(group).otherwise(nw.col("subscription_id"))
    return group.cast(nw.String).fill_null("(none)")


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


def _one(frame: Frame, group: nw.Expr | None, name: str, weight: str) -> Frame:
    """Count the answers to one question; an answer goes by a digit, from the worst to the best."""
    code = choose([(nw.col(name).is_in(words), digit) for digit, words in _CODES.items()], _UNCOUNTED)
    rows = {"_group": nw.lit("all") if group is None else group, "_code": code}
    if weight == "vms":
        frame = _per_vm(frame, rows, of_vm=capabilities()[name].counted_per == "vm")
    else:
        amount = nw.col("gib").fill_null(0.0) if weight == "gib" else nw.lit(1.0)
        frame = frame.select(**rows, _amount=amount)
    counted = [
        nw.when(nw.col("_code") == digit).then(nw.col("_amount")).otherwise(nw.lit(0.0)).alias(value)
        for value, digit in _DIGITS.items()
    ]
    frame = frame.with_columns(*counted)
    if group is None:
        return _shares(frame.select(*[nw.col(v).sum().fill_null(0.0) for v in _NAMES]), [], name, weight)
    sums = [nw.col(value).sum().alias(f"s_{value}") for value in _NAMES]
    out = frame.group_by("_group").agg(*sums).rename({f"s_{value}": value for value in _NAMES})
    return _shares(out, ["_group"], name, weight)


def _per_vm(frame: Frame, rows: Mapping[str, nw.Expr], *, of_vm: bool) -> Frame:
    """Keep one row per VM; a disk whose VM is not known but may exist stands for one.

    A fact of the VM is that of its best disk: a shared one has taken the worst of several VMs, and an
    unmanaged one lies outside of the matrix. Of the facts of its disks the worst is that of the VM.
    """
    frame = frame.with_columns(**rows, _amount=nw.lit(1.0))
    owned = frame.filter(~nw.col("vm_id").is_null())
    owned = owned.with_columns(_vm=nw.col("vm_id").str.to_lowercase().str.strip_chars("/ "))
    if of_vm:
        outside = nw.col("kind") == "unmanaged_disk"
        code = nw.when(outside).then(nw.lit(_OUTSIDE)).otherwise(nw.col("_code"))
        owned = owned.with_columns(_code=code)
    worst_or_best = nw.col("_code").max() if of_vm else nw.col("_code").min()
    owned = owned.group_by("_group", "_vm").agg(worst_or_best)
    if of_vm:
        code = nw.when(nw.col("_code") == _OUTSIDE).then(nw.lit(_DIGITS["not_applicable"]))
        owned = owned.with_columns(_code=code.otherwise(nw.col("_code")))
    loose = (nw.col("attachment") != "unattached") & (nw.col("_code") == _DIGITS["unknown"])
    code = nw.when(loose).then(nw.col("_code")).otherwise(nw.lit(_UNCOUNTED))
    ownerless = frame.filter(nw.col("vm_id").is_null()).with_columns(_code=code)
    columns = ("_group", "_code")
    both = nw.concat([owned.select(*columns), ownerless.select(*columns)], how="vertical")
    return both.with_columns(_amount=nw.lit(1.0))


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
    ).select(*keys, *_COLUMNS)


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
    groups = {f"_by{at}": _group(frame, name) for at, name in enumerate(by)}
    rows = frame.select(**groups, _one=nw.lit(1), _gib=nw.col("gib").fill_null(0.0))
    out = rows.group_by(list(groups)).agg(
        nw.col("_one").sum().alias("disks"), nw.col("_gib").sum().alias("gib")
    )
    out = out.with_columns(nw.col("disks").cast(nw.Int64)).sort(*groups)
    return _native(cov, out.rename(dict(zip(groups, by, strict=True))))


def _native(like: Any, frame: Frame) -> Any:
    """Give the result as the same kind of frame as came in; an eager frame gives an eager one."""
    eager = isinstance(nw.from_native(like), nw.DataFrame)
    return nw.to_native(nw.maybe_reset_index(frame.collect()) if eager else frame)
