"""Shares of the coverage frame with their bounds, and plain counts, for charts and gates (RULES C12)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw

from diskenc_analysis.editions import capabilities
from diskenc_analysis.errors import ParameterError, UnknownNameError
from diskenc_analysis.frames import Frame, choose, native_like
from diskenc_analysis.grouping import frame_of, group_of

WEIGHTS = ("disks", "gib", "vms")
_VALUES = {
    "yes": ("yes", "Healthy"),
    "no": ("no", "Unhealthy"),
    "not_applicable": ("not_applicable", "NotApplicable"),
    "unknown": ("unknown",),
}
NAMES = tuple(_VALUES)
_COLUMNS = ("capability", "weight", *NAMES, "total", "share", "share_low", "share_high")
#: Digits that sort the answers from the worst to the best (RULES C3), for the answers of several disks.
DIGITS = {"no": "1", "unknown": "2", "yes": "3", "not_applicable": "4"}
_CODES = {DIGITS[value]: words for value, words in _VALUES.items()}
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
    if by is not None and not isinstance(by, str):
        raise ParameterError(f"expected one column to group by, got {by!r}; de.tally counts by several")
    check(capability, weight)
    names = list(capabilities()) if capability is None else [capability]
    frame = frame_of(cov)
    group = nw.lit("all") if by is None else group_of(frame, by)
    weights = {name: _weight(name, weight) for name in names}
    parts = []
    for one in dict.fromkeys(weights.values()):
        asked = [name for name in names if weights[name] == one]
        rows = _per_vm(frame, group, asked) if one == "vms" else _per_disk(frame, group, asked, one)
        if by is None:  # also of no disks at all there is an answer
            none = {n: nw.lit("") for n in asked}
            rows = nw.concat(
                [rows, frame.select(nw.len()).select(_group=nw.lit("all"), **none, _amount=nw.lit(0.0))]
            )
        parts.append(with_shares(counted(rows, asked)).with_columns(weight=nw.lit(one)))
    out = nw.concat(parts, how="vertical") if len(parts) > 1 else parts[0]
    # An engine is free to give the parts in any order, and a report has to have the same bytes each time.
    order = choose([(nw.col("capability") == n, f"{at:02}") for at, n in enumerate(names)], "")
    out = out.with_columns(_order=order).sort("_order", "_group")
    return native_like(cov, out.select(*([] if by is None else [nw.col("_group").alias(by)]), *_COLUMNS))


def needed(by: str | None, capability: str | None) -> tuple[str, ...]:
    """Name the columns of coverage that `summarize` reads, for `coverage` to make no others.

    Examples
    --------
    >>> needed("subscription_name", "temp_disk")
    ('subscription_id', 'subscription_name', 'kind', 'attachment', 'vm_id', 'gib', 'temp_disk')
    """
    group = () if by is None else ("tags",) if by.startswith("tag:") else ("subscription_id", by)
    names = capabilities() if capability is None else [capability]
    return tuple(dict.fromkeys([*group, "kind", "attachment", "vm_id", "gib", *names]))


def check(capability: str | None, weight: str | None) -> None:
    """Refuse a question that has no answer; a command does so before it reads anything.

    Parameters
    ----------
    capability, weight : str, optional
        As for `summarize`.

    Raises
    ------
    UnknownNameError
        When there is no such capability or weight.
    ParameterError
        When a fact of the VM is to be weighed by GiB (RULES C3).

    Examples
    --------
    >>> check("temp_disk", "vms")
    """
    if capability is not None and capability not in capabilities():
        raise UnknownNameError.of("capability", capability, capabilities())
    if weight is not None and weight not in WEIGHTS:
        raise UnknownNameError.of("weight", weight, WEIGHTS)
    if capability and weight == "gib" and capabilities()[capability].counted_per == "vm":
        message = f"{capability} is a fact of the VM: expected weight 'vms' or 'disks', got 'gib'"
        raise ParameterError(message)


def _weight(name: str, weight: str | None) -> str:
    of_vm = capabilities()[name].counted_per == "vm"
    if weight is None or (weight == "gib" and of_vm):
        return "vms" if of_vm else "disks"
    return weight


def code(name: str) -> nw.Expr:
    """Give the answer as a digit, from the worst to the best."""
    return choose([(nw.col(name).is_in(words), digit) for digit, words in _CODES.items()], _UNCOUNTED)


def _per_disk(frame: Frame, group: nw.Expr, names: Sequence[str], weight: str) -> Frame:
    amount = nw.col("gib").fill_null(0.0) if weight == "gib" else nw.lit(1.0)
    return frame.select(_group=group, **{name: code(name) for name in names}, _amount=amount)


def _per_vm(frame: Frame, group: nw.Expr, names: Sequence[str]) -> Frame:
    """Keep one row per VM; a disk whose VM is not known but may exist stands for one.

    A fact of the VM is that of its best disk: a shared one has taken the worst of several VMs, and an
    unmanaged one lies outside of the matrix. Of the facts of its disks the worst is that of the VM.
    """
    codes, outside = {n: code(n) for n in names}, nw.col("kind") == "unmanaged_disk"
    of_vm = [n for n in names if capabilities()[n].counted_per == "vm"]
    codes |= {n: nw.when(outside).then(nw.lit(_OUTSIDE)).otherwise(codes[n]) for n in of_vm}
    frame = frame.select("attachment", _group=group, _vm=_vm_key(), **codes)
    grouped = frame.filter(~nw.col("_vm").is_null()).group_by("_group", "_vm")
    owned = grouped.agg(*[nw.col(n).max() if n in of_vm else nw.col(n).min() for n in names])
    owned = owned.with_columns(**{n: _inside(n) for n in names})
    settled = {n: (nw.col("attachment") == "unattached") | (nw.col(n) != DIGITS["unknown"]) for n in names}
    loose = frame.filter(nw.col("_vm").is_null())
    loose = loose.with_columns(**{n: _put(n, settled[n], _UNCOUNTED) for n in names})
    columns = ("_group", *names)
    both: Frame = nw.concat([owned.select(*columns), loose.select(*columns)], how="vertical")
    return both.with_columns(_amount=nw.lit(1.0))


def on_one_disk(frame: Frame) -> Frame:
    """Put the answers that are facts of the VM on one disk of each VM, so that VMs are counted by a sum.

    Parameters
    ----------
    frame : Frame
        Coverage.

    Returns
    -------
    Frame
        With `vm_NAME` for each of these capabilities: a digit as `code` gives it, on the first disk of the VM
        and on disks whose VM is not known but may exist; empty on the others.
    """
    names = [name for name, one in capabilities().items() if one.counted_per == "vm"]
    outside = nw.col("kind") == "unmanaged_disk"
    codes = {n: nw.when(outside).then(nw.lit(_OUTSIDE)).otherwise(code(n)) for n in names}
    rows = frame.select("disk_id", _vm=_vm_key(), **codes).filter(~nw.col("_vm").is_null())
    first = rows.group_by("_vm").agg(nw.col("disk_id").min(), *[nw.col(n).max() for n in names])
    first = first.select("disk_id", _first=nw.lit("yes"), **{f"vm_{n}": _inside(n) for n in names})
    loose = nw.col("vm_id").is_null() & (nw.col("attachment") != "unattached")
    out = frame.join(first, on="disk_id", how="left")
    unsure = {n: loose & (nw.col(n) == "unknown") for n in names}
    other = {n: nw.when(unsure[n]).then(nw.lit(DIGITS["unknown"])).otherwise(nw.lit("")) for n in names}
    told = ~nw.col("_first").is_null()
    return out.with_columns(
        **{f"vm_{n}": nw.when(told).then(nw.col(f"vm_{n}")).otherwise(other[n]) for n in names}
    ).drop("_first")


def _inside(name: str) -> nw.Expr:
    """Give the answer of a VM; one that has unmanaged disks alone lies outside of the matrix."""
    return _put(name, nw.col(name) == _OUTSIDE, DIGITS["not_applicable"])


def _vm_key() -> nw.Expr:
    """Give the VM's id in one spelling; the usual one is left alone, for stripping it costs the most."""
    low = nw.col("vm_id").str.to_lowercase()
    usual = low.str.starts_with("/") & ~low.str.ends_with("/")
    return nw.when(usual).then(low).otherwise(nw.concat_str([nw.lit("/"), low.str.strip_chars("/ ")]))


def _put(name: str, where: nw.Expr, value: str) -> nw.Expr:
    return nw.when(where).then(nw.lit(value)).otherwise(nw.col(name))


def counted(rows: Frame, names: Sequence[str], by: Sequence[str] = ("_group",)) -> Frame:
    """Sum the answers by group, of all capabilities in one pass, then give each its row."""
    parts = {
        f"{name}/{value}": nw.when(nw.col(name) == digit).then(nw.col("_amount")).otherwise(nw.lit(0.0))
        for name in names
        for value, digit in DIGITS.items()
    }
    sums = [nw.col(column).sum() for column in parts]
    alike = rows.group_by([*by, *names]).agg(nw.col("_amount").sum())  # few rows, whose answers are the same
    wide = alike.select(*by, **parts).group_by(list(by)).agg(*sums)
    tall = [
        wide.select(*by, capability=nw.lit(name), **{v: nw.col(f"{name}/{v}") for v in NAMES})
        for name in names
    ]
    return nw.concat(tall, how="vertical") if len(tall) > 1 else tall[0]


def with_shares(out: Frame) -> Frame:
    """Add the total, the share of yes and its bounds to rows of answers (RULES C12)."""
    yes, no, dark = nw.col("yes"), nw.col("no"), nw.col("unknown")
    known, all_ = yes + no, yes + no + dark
    none = nw.lit(None, nw.Float64)
    return out.with_columns(
        total=all_ + nw.col("not_applicable"),
        share=nw.when(known > 0).then(yes / known).otherwise(none),
        share_low=nw.when(all_ > 0).then(yes / all_).otherwise(none),
        share_high=nw.when(all_ > 0).then((yes + dark) / all_).otherwise(none),
    )


def tally(cov: Any, by: str | Sequence[str]) -> Any:
    """Count disks and GiB by one or more columns.

    Parameters
    ----------
    cov : frame
        The coverage frame, of any engine.
    by : str or sequence of str
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
    by = [by] if isinstance(by, str) else by
    frame = frame_of(cov)
    groups = {f"_by{at}": group_of(frame, name) for at, name in enumerate(by)}
    rows = frame.select(**groups, _one=nw.lit(1), _gib=nw.col("gib").fill_null(0.0))
    out = rows.group_by(list(groups)).agg(
        nw.col("_one").sum().alias("disks"), nw.col("_gib").sum().alias("gib")
    )
    out = out.with_columns(nw.col("disks").cast(nw.Int64)).sort(*groups)
    return native_like(cov, out.rename(dict(zip(groups, by, strict=True))))
