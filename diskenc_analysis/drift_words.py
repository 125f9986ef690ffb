"""What a comparison comes to, counted and in words. Regressions come first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals as nw

from diskenc_analysis.drift_rules import kinds
from diskenc_analysis.frames import choose, key_of, lazy, native_like, rows_of


def counts(frame: Any, by: tuple[str, ...] = ("direction", "what", "cause")) -> Any:
    """Count differences.

    Parameters
    ----------
    frame : frame
        As `compare` gives it, of any engine.
    by : tuple of str
        Columns to count by.

    Returns
    -------
    frame
        Of the same kind: the columns, `disks` (int) and `gib` (float), regressions first.

    Examples
    --------
    >>> from diskenc_analysis import compare, load, sample_path
    >>> inv = load(sample_path())
    >>> found = counts(compare(inv, inv, old_edition="2023-05-15"), ("direction", "cause"))
    >>> found[["direction", "cause"]].values.tolist()
    [['edition', 'edition']]
    """
    rows = lazy(frame).with_columns(**{name: nw.col(name).fill_null("") for name in by})
    rows = rows.select(*by, _one=nw.lit(1), _gib=nw.col("gib").fill_null(0.0))
    out = rows.group_by(list(by)).agg(nw.col("_one").sum().alias("disks"), nw.col("_gib").sum().alias("gib"))
    out = out.with_columns(nw.col("disks").cast(nw.Int64))
    if "direction" in by:
        rank = choose([(nw.col("direction") == name, f"{at:02}") for at, name in enumerate(kinds())], "")
        out = out.with_columns(_rank=rank).sort("_rank", *by).drop("_rank")
    else:
        out = out.sort(*by)
    return native_like(frame, out)


@dataclass(frozen=True)
class Conclusion:
    """What a comparison comes to.

    Attributes
    ----------
    sentences : tuple of str
        The first is the conclusion.
    regressions : int
        Disks that lost a protection.

    Examples
    --------
    >>> Conclusion(("No disk lost a protection.",), 0).regressions
    0
    """

    sentences: tuple[str, ...]
    regressions: int


def conclusion(frame: Any) -> Conclusion:
    """Put a comparison into words.

    Parameters
    ----------
    frame : frame
        As `compare` gives it, of any engine.

    Returns
    -------
    Conclusion

    Examples
    --------
    >>> from diskenc_analysis import compare, load, sample_path
    >>> inv = load(sample_path())
    >>> print(*conclusion(compare(inv, inv)).sentences)
    No disk lost a protection. Nothing differs between the two captures.
    """
    disks = lazy(frame).select("direction", disk=key_of("disk_id")).unique()
    found = {str(name): int(n) for name, n in rows_of(disks.group_by("direction").agg(nw.len().alias("n")))}
    lost = found.get("regression", 0)
    first = f"{_of(lost)} lost a protection" if lost else "No disk lost a protection"
    said = [f"{_of(n)}: {kinds()[name]['label'].lower()}" for name, n in _ranked(found) if name in _SAID]
    rest = [f"{'; '.join(said)}."] if said else []
    nothing = [] if found else ["Nothing differs between the two captures."]
    dark = found.get("reading", 0)
    read = [f"{_of(dark)} differ by what was read alone, which is neither better nor worse."] if dark else []
    by_id = lazy(frame).filter(nw.col("known_by") == "id").select(disk=key_of("disk_id")).unique()
    alone = int(rows_of(by_id.select(nw.len()))[0][0])
    why = "a capture states neither uniqueId nor timeCreated"
    blind = [f"{_of(alone)} with a difference known by id alone: {why}."]
    return Conclusion((f"{first}.", *rest, *read, *nothing, *(blind if alone else [])), lost)


_SAID = ("exposed", "no_longer_known", "improvement", "now_known", "added", "removed", "edition")


def _ranked(found: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(found.items(), key=lambda item: list(kinds()).index(item[0]))


def _of(count: int) -> str:
    return f"{count:,} {'disk' if count == 1 else 'disks'}"
