"""Azure Disk Encryption retires: what depends on it, the documented way out, and what stands in the way."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import narwhals as nw

from diskenc_analysis.frames import Frame, choose, given, helper, kept
from diskenc_analysis.identity import subscription_names
from diskenc_analysis.migration_dependents import ROW, dependents
from diskenc_analysis.migration_disks import held_marks, marks
from diskenc_analysis.migration_facts import machines
from diskenc_analysis.migration_rules import judge_copy, judge_machine
from diskenc_analysis.migration_tables import as_date, checks, days_left

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

_PLACE = ("subscription_id", "subscription_name", "resource_group", "location", "tags", "vm_id")
_WHAT = ("os", "scope", "generation", "kek", "state")
_WAY = ("path", "reason", "must_do", "alternative", "severity")
_OPEN = ("blocked_by", "not_known", "evidence", "conflicts")
_JUDGED = (*_WHAT, *_WAY, "verdict", *checks(), *_OPEN)
#: The columns of the plan, in order.
COLUMNS = (
    "id",
    "name",
    "kind",
    *_PLACE,
    *_WHAT,
    "disks",
    "gib",
    "unsized",
    *_WAY,
    "days_left",
    "verdict",
    *checks(),
    *_OPEN,
)


def ade_migration(inv: Inventory, as_of: str | date | None = None, *, customer_key: bool = False) -> Any:
    """Plan the way out of Azure Disk Encryption, for everything that depends on it or once did.

    Parameters
    ----------
    inv : Inventory
        As `load` gives it.
    as_of : str or date, optional
        The day that the plan speaks for, as YYYY-MM-DD. Without one no days are counted, and the verdicts are
        those of before the retirement on 2028-09-15.
    customer_key : bool
        Whether the new disks shall be under a customer's key, which needs a disk encryption set at hand.

    Returns
    -------
    frame
        Of the inventory's engine, with the columns of `COLUMNS`: one row per VM, instance, scale set,
        unattached disk, snapshot, restore point, image and backup item. Text but for `disks` (int, those to
        be moved), `gib` (float, of those whose size is known), `unsized` (int, the others) and `days_left`
        (int or null). Each check of `data/migration_checks.csv` is a column: `clear`, `blocks`, `unknown` or
        `not_applicable`.

    Raises
    ------
    ParameterError
        When `as_of` is no date.

    Examples
    --------
    >>> from diskenc_analysis import load, sample_path
    >>> plan = ade_migration(load(sample_path()), as_of="2026-11-24")
    >>> int(plan["days_left"].min()), sorted(set(plan["severity"]))
    (661, ['high', 'low', 'medium'])
    """
    day = as_date(as_of)
    found = marks(inv)
    rows, known = machines(inv, found, customer_key=customer_key)
    verdicts = [
        {"facts": name, **judge_machine(facts, held_marks(facts["held"], found.known), day)}
        for name, facts in known.items()
    ]
    copies = dependents(inv, found, rows)
    verdicts += [
        {"facts": text, **judge_copy(text.partition("/")[0], mark, day)}
        for text, mark in copies.known.items()
    ]
    name = f"{day}_{customer_key}"
    table = helper(inv, f"migration_verdicts_{name}", verdicts, ["facts", *_JUDGED])
    every = nw.concat([_identified(rows), copies.rows], how="vertical").join(table, on="facts", how="left")
    every = every.join(subscription_names(inv), on="subscription_id", how="left")
    days = days_left(day)
    # No row holds fewer than nought disks: a null of a number's type, which pandas makes of no literal.
    left = nw.when(nw.col("disks") < 0).then(nw.col("disks")) if days is None else nw.lit(days, nw.Int64)
    out = kept(
        inv, every.with_columns(days_left=left).select(*COLUMNS).sort("kind", "id"), f"migration_{name}"
    )
    eager = inv.engine in ("pandas", "polars", "arrow")
    return nw.to_native(nw.maybe_reset_index(out.collect()) if eager else out)


def _identified(rows: Frame) -> Frame:
    """Name the VMs, those that were not read by their id alone."""
    key = nw.col("vm_key")
    instance = key.str.contains("/virtualmachinescalesets/")
    own = {
        "id": key,
        "name": key.str.replace_all(r"^.*/", ""),
        "subscription_id": key.str.replace_all(r"^/subscriptions/|/.*$", ""),
        "resource_group": key.str.replace_all(r"^.*/resourcegroups/|/.*$", ""),
    }
    read = {name: nw.when(given(name)).then(nw.col(name)).otherwise(made) for name, made in own.items()}
    named = rows.with_columns(kind=choose([(instance, "instance")], "vm"), **read)
    return named.with_columns(vm_id=nw.col("id")).select(*ROW)
