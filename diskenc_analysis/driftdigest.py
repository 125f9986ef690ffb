"""What the notebook on two captures shows: one call per cell."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import narwhals as nw

from diskenc_analysis.datafiles import write_table
from diskenc_analysis.drift_rules import kinds
from diskenc_analysis.drift_words import conclusion, counts
from diskenc_analysis.editions import edition_label, resolve_edition
from diskenc_analysis.errors import ParameterError
from diskenc_analysis.folded import Lists
from diskenc_analysis.frames import lazy
from diskenc_analysis.inventory import Inventory
from diskenc_analysis.opening import read
from diskenc_analysis.plainrows import Row, count_rows, rows
from diskenc_analysis.readings import require_order
from diskenc_analysis.results import sources
from diskenc_analysis.sample_months import earlier
from diskenc_analysis.share import sample_path
from diskenc_analysis.tables import HtmlTable, table
from diskenc_analysis.text import capability_label, number
from diskenc_analysis.verdict import Verdict

_LAYERS = {
    "sse": "Storage encryption",
    "host": "Encryption at host",
    "ade": "Azure Disk Encryption",
    "confidential": "Confidential disk encryption",
}
_QUESTION = "What changed between the two captures, disk by disk, and why?"


def sides(old: str, new: str, engine: str) -> tuple[Inventory, Inventory]:
    """Open both captures; without names those of the bundled sample.

    Parameters
    ----------
    old, new : str
        What `read` takes. Two empty names mean the bundled sample, and as it was a month before.
    engine : str
        For both.

    Raises
    ------
    ParameterError
        When one of the two is named alone, or the older one is of a later day.
    """
    if bool(old) != bool(new):
        raise ParameterError(
            "expected two captures to compare: name the newer (inventory) and the older (parameter baseline; "
            "diskenc report takes it from a file, --params FILE)"
        )
    if old:
        before, after = read(old, engine), read(new, engine)
        require_order(before, after)
        return before, after
    with tempfile.TemporaryDirectory(prefix="diskenc-") as scratch:
        return read(earlier(Path(scratch)), engine), read(sample_path(), engine)


def verdict(found: Any, edition: str = "latest", as_of: str = "") -> Verdict:
    """Put the comparison into words."""
    date = f", as of {as_of}" if as_of else ""
    judge = f"{resolve_edition(edition)} ({edition_label(edition)})"
    basis = f"Both are judged by the encryption matrix of {judge}{date}."
    return Verdict((*conclusion(found).sentences, basis))


def directions(found: Any) -> HtmlTable:
    """Count differences and disks by direction, with what each direction means."""
    disks = rows(_unique(found))
    of = {row["direction"]: row["disks"] for row in disks}
    told = {row["direction"]: row["disks"] for row in rows(counts(found, ("direction",)))}
    lines = [
        {
            "Direction": row["label"],
            "Disks": of.get(name, 0),
            "Differences": told.get(name, 0),
            "What it means": row["meaning"],
        }
        for name, row in kinds().items()
    ]
    return table(lines, "Differences by direction")


def _unique(found: Any) -> Any:
    once = lazy(found).select("direction", "disk_id").unique().with_columns(one=nw.lit(1))
    grouped = once.group_by("direction").agg(nw.col("one").sum().alias("disks"))
    return nw.to_native(grouped)


def events(found: Any) -> HtmlTable:
    """Count what happened to disks as a whole."""
    counted = [row for row in rows(counts(found, ("change", "what", "reason"))) if row["change"] == "disk"]
    lines = [
        {
            "Event": row["what"].replace("_", " "),
            "Disks": row["disks"],
            "GiB": row["gib"],
            "Why": row["reason"],
        }
        for row in counted
    ]
    return table(lines, "Disks that came, went, moved or were attached elsewhere")


def lists(found: Any, limit: int = 25) -> Lists:
    """List the differences by direction, regressions first.

    Parameters
    ----------
    found : frame
        As `compare` gives it.
    limit : int
        Most rows of each list.
    """
    told = {row["direction"]: row["disks"] for row in rows(counts(found, ("direction",)))}
    made = tuple(
        (f"{row['label']}: {number(told[name])}", _list(found, name, limit, told[name]))
        for name, row in kinds().items()
        if name in told
    )
    return Lists(made, "Nothing differs between the two captures.")


def _list(found: Any, direction: str, limit: int, total: int) -> HtmlTable:
    frame = nw.to_native(lazy(found).filter(nw.col("direction") == direction))
    lines = [
        {
            "Disk": row["name"],
            "Where": f"{row['subscription_name'] or row['subscription_id']} / {row['resource_group'] or '–'}",
            "What": _LAYERS.get(row["what"]) or capability_label(row["what"]),
            "From": row["old"].replace("_", " ") or _place(row, "old_disk_id"),
            "To": row["new"].replace("_", " ") or _place(row, "disk_id"),
            "Why": row["reason"],
            "Evidence that differs": _differing(row["old_evidence"], row["evidence"]),
        }
        for row in rows(frame, limit)
    ]
    return table(lines, kinds()[direction]["meaning"], limit=limit, total=total, sheet="drift")


def _place(row: Row, column: str) -> str:
    """Give the group and name of a disk that is in another place than it was."""
    if row["what"] not in ("moved", "renamed"):
        return "–"
    parts = str(row[column] or "").split("/")
    return " / ".join(parts[4:5] + parts[-1:]) or "–"


def _differing(old: str, new: str) -> str:
    """Give what the evidence of either capture says alone; all of it is in the appendix."""
    parts = old.split("; "), new.split("; ")
    sides = zip(("before", "now"), parts, parts[::-1], strict=True)
    said = [(when, "; ".join(p for p in mine if p and p not in other)) for when, mine, other in sides]
    return " | ".join(f"{when}: {text}" for when, text in said if text)


def facts(
    old: Inventory, new: Inventory, found: Any, edition: str = "latest", as_of: str = ""
) -> dict[str, Any]:
    """Gather the numbers of the comparison."""
    return {
        "edition": resolve_edition(edition),
        "as_of": as_of or None,
        "regressions": conclusion(found).regressions,
        "differences": rows(counts(found, ("direction", "change", "what", "cause"))),
        "ledger": dict(new.totals) | {"files": sources(new)},
        "old_ledger": dict(old.totals) | {"files": sources(old)},
    }


def write(folder: str | os.PathLike[str], found: Any) -> None:
    """Write every difference as Parquet.

    Examples
    --------
    >>> write("", None)
    """
    if os.fspath(folder) and count_rows(found):
        write_table(folder, "drift", found, _QUESTION)
