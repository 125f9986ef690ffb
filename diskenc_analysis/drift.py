"""Two inventories compared, disk by disk: what changed, and why. Regressions come first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import narwhals as nw

from diskenc_analysis.coverage import Judged, judged
from diskenc_analysis.drift_causes import Seen
from diskenc_analysis.drift_pairs import pairs, with_reading
from diskenc_analysis.drift_rules import LAYERS, Change, changes, kinds
from diskenc_analysis.drift_sides import PLACE, brought, side
from diskenc_analysis.editions import capabilities, resolve_edition
from diskenc_analysis.frames import Frame, fresh, given, helper, native_of, rows_of
from diskenc_analysis.readings import readings

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

#: The columns of the frame, in order.
COLUMNS = (
    "direction",
    "change",
    "what",
    "old",
    "new",
    "cause",
    "reason",
    "disk_id",
    "old_disk_id",
    "known_by",
    "name",
    "kind",
    "subscription_id",
    "subscription_name",
    "resource_group",
    "location",
    "vm_id",
    "old_vm_id",
    "gib",
    "evidence",
    "old_evidence",
)
_EVENTS = (
    "added",
    "removed",
    "unread_before",
    "unread_now",
    "recreated",
    "moved",
    "renamed",
    "attached",
    "detached",
    "reattached",
    "owners_changed",
)


def compare(old: Inventory, new: Inventory, edition: str = "latest", old_edition: str | None = None) -> Any:
    """Compare two inventories of one tenant.

    Parameters
    ----------
    old, new : Inventory
        As `load` or `read` gives them, of one engine, or by `auto`.
    edition : str
        Edition of the encryption matrix by which both are judged, or `latest`.
    old_edition : str, optional
        The edition by which the older one was judged at its time: where that gives another answer on the
        same facts, a row says so.

    Returns
    -------
    frame
        One row per difference, of the engine of `new`, with the columns of `COLUMNS`, all text but `gib`
        (float, GiB): `direction` (one of `drift_rules.kinds()`), `change` (`disk`, `capability`, `layer`),
        `what`, `old`, `new`, `cause` (the first one, as a word), `reason` (all of them) and `known_by`: what
        tells that it is the same disk (`unique_id`, `time_created`, or `id` alone where a capture states
        neither; empty where one capture alone has the disk). Regressions first, then by what changed and by
        disk. A disk without a difference has no row.

    Raises
    ------
    UnknownNameError
        When an edition is unknown.
    ParameterError
        When the inventories are of different engines, other than Arrow and DuckDB.

    Notes
    -----
    A regression is a step from yes to no of a capability that protects. A step to or from `unknown` or
    `not_applicable` is none, and no improvement either; where no fact is known to have changed,
    `direction` is `reading`, and `reason` says what was not read.

    Examples
    --------
    >>> from diskenc_analysis import load, sample_path
    >>> inv = load(sample_path())
    >>> len(compare(inv, load(sample_path())))
    0
    >>> set(compare(inv, inv, old_edition="2023-05-15")["direction"])
    {'edition'}
    """
    earlier = old_edition if old_edition and resolve_edition(old_edition) != resolve_edition(edition) else ""
    then = judged(old, earlier) if earlier else None
    before = judged(old, edition)
    was, had = (brought(one, old, new) for one in (side(old, before, then), before.owners))
    after = judged(new, edition)
    read = readings(old), readings(new)
    found = pairs(was, fresh(new, side(new, after), "drift_new"), new, read[0].date, (had, after.owners))
    keys = ("old_verdict", "verdict", "flags", "reading", "old_then")
    told = with_reading(found, new, *read)
    told = told.with_columns(**{name: nw.col(name).fill_null("") for name in keys})
    told = fresh(new, told.with_columns(pair=nw.concat_str([*keys], separator="¦")), "drift_pairs")
    distinct = rows_of(told.select("pair", *keys).unique())
    table = _table(new, distinct, before, after, then)
    out = told.join(table, on="pair", how="inner")
    newest = {n: nw.when(given("disk_id")).then(nw.col(n)).otherwise(nw.col(f"old_{n}")) for n in PLACE}
    out = out.with_columns(**{f"_{n}": value for n, value in newest.items()}).drop(*PLACE)
    out = out.rename({f"_{n}": n for n in PLACE}).sort("rank", "disk_id", "old_disk_id")
    return native_of(new, out.select(*COLUMNS))


def _table(
    inv: Inventory, distinct: list[tuple[Any, ...]], before: Judged, after: Judged, then: Judged | None
) -> Frame:
    """Judge every distinct pair once: a row per pair and change, with the evidence of both captures."""
    rows = []
    for pair, old, new, flags, reading, earlier in sorted(distinct):
        was, now = _seen(before, old), _seen(after, new)
        once = _seen(then, earlier) if then else None
        words = frozenset(flags.split("+")) - {""}
        for one in changes(was, now, words, json.loads(reading or "{}"), once):
            seen = now or was
            assert seen is not None  # noqa: S101 - a pair has at least one side
            more = {"kind": seen.row["kind"], "evidence": _evidence(now), "old_evidence": _evidence(was)}
            rows.append({"pair": pair, "rank": _rank(one)} | one._asdict() | more)
    return helper(inv, "drift_changes", rows, ["pair", "rank", *Change._fields, *_MORE])


_MORE = ("kind", "evidence", "old_evidence")


def _seen(found: Judged | None, verdict: str) -> Seen | None:
    return Seen(found.verdicts[verdict], found.facts[verdict]) if found and verdict else None


def _evidence(seen: Seen | None) -> str:
    return seen.row["evidence"] if seen else ""


def _rank(one: Change) -> str:
    """Give a text that sorts regressions first, then by what changed."""
    order = (*_EVENTS, *capabilities(), *LAYERS)
    return f"{list(kinds()).index(one.direction):02}{order.index(one.what):02}"
