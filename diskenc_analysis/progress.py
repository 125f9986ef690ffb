"""Progress on the way out of Azure Disk Encryption, between two inventories."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import narwhals as nw

from diskenc_analysis.frames import Frame, fresh, helper, lazy, low, native_of, rows_of
from diskenc_analysis.identity import subscription_names
from diskenc_analysis.migration import ade_migration
from diskenc_analysis.waves import MACHINES

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

#: What became of a VM, in words.
STATUSES = {
    "still": "Under it before and now",
    "off": "Off now, on the same VM",
    "gone": "VM is gone",
    "new": "New under it",
    "found": "Under it now, not known before",
    "unknown": "Under it before, not known now",
}
COLUMNS = ("id", "name", "subscription_id", "subscription_name", "status", "before", "now")
_ROW = ("id", "name", "subscription_id")
#: States of the plan in which a VM is known not to be under it, and those in which it is not known.
_OFF = ("off", "was_on", "copied", "leftover")
_DARK = ("unknown", "preview", "not_read")


def ade_progress(inv: Inventory, earlier: Inventory, plan: Any = None, plan_then: Any = None) -> Any:
    """Compare two inventories of one tenant: which VMs left Azure Disk Encryption, which are new under it.

    Parameters
    ----------
    inv : Inventory
        As it is now.
    earlier : Inventory
        As it was, of any engine.
    plan, plan_then : frame, optional
        `ade_migration` of both, where it is at hand.

    Returns
    -------
    frame
        Of the engine of `inv`, with the text columns of `COLUMNS`: one row per VM or instance that is
        known to be under Azure Disk Encryption in one of them. `status` is one of `STATUSES`; `before` and
        `now` are states of the plan, `off`, `absent` (its subscription was read, and it is not there) or
        `not_read`. A VM whose subscription was not read is never counted as gone.

    Examples
    --------
    >>> from diskenc_analysis import load, sample_path
    >>> inv = load(sample_path())
    >>> set(ade_progress(inv, inv)["status"])
    {'still'}
    """
    plans = ((inv, plan), (earlier, plan_then))
    now, before = (_machines(ade_migration(one) if made is None else made) for one, made in plans)
    keys = [key for key in now | before if "on" in (_state(now, key), _state(before, key))]
    seen = [_seen(one, have, keys) for one, have in ((earlier, before), (inv, now))]
    found = []
    for key in sorted(keys):
        row = now.get(key) or before[key]
        states = {name: states[key] for name, states in zip(("before", "now"), seen, strict=True)}
        found.append({n: row[n] for n in _ROW} | states | {"status": _status(**states)})
    made = helper(inv, "ade_progress", found, [n for n in COLUMNS if n != "subscription_name"])
    named = made.join(subscription_names(inv), on="subscription_id", how="left").select(*COLUMNS)
    return native_of(inv, fresh(inv, named.sort("id"), "ade_progress"))


def counts(found: Any) -> dict[str, int]:
    """Count the VMs by status, all of `STATUSES` in their order.

    Parameters
    ----------
    found : frame
        As `ade_progress` gives it.
    """
    listed = [status for (status,) in rows_of(lazy(found).select("status"))]
    return {status: listed.count(status) for status in STATUSES}


def _machines(plan: Any) -> dict[str, dict[str, str]]:
    columns = (*_ROW, "state")
    found = rows_of(lazy(plan).filter(nw.col("kind").is_in(MACHINES)).select(*columns))
    named = (dict(zip(columns, row, strict=True)) for row in found)
    return {"/" + row["id"].lower().strip("/ "): row for row in named}


def _state(machines: Mapping[str, Mapping[str, str]], key: str) -> str:
    return machines[key]["state"] if key in machines else ""


def _seen(inv: Inventory, have: Mapping[str, Mapping[str, str]], keys: Iterable[str]) -> dict[str, str]:
    """Say what an inventory says of each VM: its state in the plan, else whether it is there at all."""
    rest = [key for key in keys if key not in have]
    of = {key: (*key.split("/"), "", "")[2] for key in rest}
    asked = [{"key": key, "subscription": subscription} for key, subscription in of.items()]
    frame = helper(inv, "ade_asked", asked, ["key", "subscription"])
    there = _among(frame, "key", lazy(inv.vms).select(at=nw.col("key")))
    read = _among(frame, "subscription", lazy(inv.vms).select(at=low("subscription_id")))
    absent = {key: "absent" if of[key] in read else "not_read" for key in rest}
    return absent | dict.fromkeys(there, "off") | {key: _state(have, key) for key in keys if key in have}


def _among(asked: Frame, column: str, there: Frame) -> Collection[str]:
    found = asked.select(at=nw.col(column)).unique().join(there, on="at", how="semi")
    return {key for (key,) in rows_of(found)}


def _status(before: str, now: str) -> str:
    if before == "on":
        return _AFTER_ON.get(now, "unknown")
    return "found" if before in _DARK else "new"


_AFTER_ON = {"on": "still", "absent": "gone", **dict.fromkeys(_OFF, "off")}
