"""What was read of each subscription, table by table: what is absent may exist and not have been read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from diskenc_analysis.errors import ParameterError
from diskenc_analysis.schema import table_of_type

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

#: The tables on which verdicts rest, and in which disks are found.
TABLES = (
    "disks",
    "snapshots",
    "vms",
    "instances",
    "extensions",
    "disk_encryption_sets",
    "key_vaults",
    "managed_hsms",
    "keys",
)
#: Instances of scale sets stand among the VMs, but are exported by themselves.
INSTANCES = "instances"
_OF_SCALE_SET = "/virtualmachinescalesets/"
READ = "read"
#: In which table a kind of disk is found.
FOUND_IN = {
    "managed_disk": "disks",
    "snapshot": "snapshots",
    "ephemeral_os_disk": "vms",
    "unmanaged_disk": "vms",
}
_ALL = ""
_NOTHING = "nothing of the subscription was read"
_NO_ROWS = "the export holds none"


@dataclass(frozen=True)
class Readings:
    """What one inventory read.

    Attributes
    ----------
    rows : dict
        Rows by table and subscription id, in lower case; of no subscription under the empty text.
    said : dict
        What the ledger says of a table and subscription: `read`, or why it was not read whole. The empty
        text in place of a subscription speaks of all.
    date : str
        Newest date of capture, as YYYY-MM-DD, or empty.

    Examples
    --------
    >>> Readings({("vms", "a"): 2, ("disks", "b"): 1}, {}, "").of("disks", "a")
    'read'
    >>> Readings({("vms", "a"): 2}, {}, "").of("disks", "a")
    'the export holds none'
    >>> Readings({("vms", "a"): 2}, {("vms", "a"): "denied"}, "").of("vms", "a")
    'denied'
    """

    rows: dict[tuple[str, str], int]
    said: dict[tuple[str, str], str]
    date: str

    def of(self, table: str, subscription: str) -> str:
        """Say whether a table was read whole in a subscription.

        Parameters
        ----------
        table : str
            One of `TABLES`.
        subscription : str
            Its id, in lower case.

        Returns
        -------
        str
            `read`, or why what is absent there may exist all the same.
        """
        said = self.said.get((table, subscription)) or self.said.get((table, _ALL))
        if said:
            return said
        if self.rows.get((table, subscription)):
            return READ
        if not any(self.rows.get((one, subscription)) for one in TABLES):
            return _NOTHING
        there = any(rows for (one, _), rows in self.rows.items() if one == table)
        return READ if there else _NO_ROWS

    def subscriptions(self) -> set[str]:
        """Give the subscriptions that it knows of."""
        return {name for _, name in (*self.rows, *self.said)} - {_ALL}


def readings(inv: Inventory, more: Sequence[str] = ()) -> Readings:
    """Gather what an inventory read, from its tables and its ledger.

    Parameters
    ----------
    inv : Inventory
        As read.
    more : sequence of str
        Tables to ask for besides `TABLES`.

    Returns
    -------
    Readings

    Examples
    --------
    >>> from diskenc_analysis import load, sample_path
    >>> readings(load(sample_path(), engine="duckdb")).of("disks", "no such subscription")
    'nothing of the subscription was read'
    """
    parts = [
        f"SELECT {_named(table)}, coalesce(lower(subscription_id), ''), count(*)"
        f' FROM "{table}" GROUP BY ALL'
        for table in (*TABLES, *more)
        if table != INSTANCES
    ]
    rows = inv.connection.execute(" UNION ALL ".join(parts)).fetchall()
    found: dict[tuple[str, str], str] = {}
    sql = "SELECT source, shape, resource_type, truncated, truncation_reason, status, reasons FROM ledger"
    for source, shape, arm_type, cut, reason, status, why in inv.connection.execute(sql).fetchall():
        words = _words(shape, cut, reason, status, why)
        for table in _tables(shape, arm_type, (*TABLES, *more)):
            where = Path(source).stem.lower() if status not in ("", "not asked") else _ALL
            where = _ALL if where.startswith("tenant-") or where == "once" else where
            if words and found.get((table, where), READ) == READ:
                found[table, where] = words
    dates = inv.connection.execute("SELECT max(captured_at) FROM ledger WHERE rows_used > 0").fetchall()
    return Readings({(t, s): n for t, s, n in rows}, _settled(found), str(dates[0][0] or "")[:10])


def require_order(old: Inventory, new: Inventory) -> None:
    """Refuse captures that are in the wrong order by their dates: every loss would read as a gain.

    Parameters
    ----------
    old, new : Inventory
        As they were named.

    Raises
    ------
    ParameterError
        When both have a date, and that of the older one is later.
    """
    then, now = readings(old).date, readings(new).date
    if then and now and then > now:
        raise ParameterError(
            f"expected the older capture first, got one of {then} before one of {now}: swap them"
        )


def _named(table: str) -> str:
    """Give SQL that names the table of a row."""
    whole = f"'{table}'"
    return f"if(contains(key, '{_OF_SCALE_SET}'), '{INSTANCES}', {whole})" if table == "vms" else whole


def _words(shape: str, cut: bool, reason: str, status: str, why: str) -> str:
    """Say how a file or a part of a collection was read; empty where the ledger says nothing of it."""
    if shape == "unreadable":
        return "a file could not be read"
    if cut:
        return reason if status else f"the export was cut short: {reason}"
    if status == "not asked":
        return f"not asked: {why}" if why else "not asked"
    return READ if status == "complete" else ""


def _tables(shape: str, arm_type: str, asked: tuple[str, ...]) -> tuple[str, ...]:
    """Give the tables of which a row of the ledger speaks; a lost file may have held anything."""
    if shape == "unreadable":
        return asked
    table = table_of_type().get(arm_type, "")
    if table == "vms" and _OF_SCALE_SET in arm_type:
        return (INSTANCES,)
    return (table,) if table in asked else ()


def _settled(found: dict[tuple[str, str], str]) -> dict[tuple[str, str], str]:
    """Take back what is said of all subscriptions where it says no more than that a batch was read."""
    return {at: words for at, words in found.items() if not (at[1] == _ALL and words == READ)}
