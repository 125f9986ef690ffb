"""What a change would buy: coverage before, and after it was made on paper."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw

from diskenc_analysis import schema
from diskenc_analysis.coverage import coverage
from diskenc_analysis.errors import ParameterError
from diskenc_analysis.frames import Frame, helper, lazy, low, rows_of
from diskenc_analysis.inventory import Inventory
from diskenc_analysis.summary import group_of, summarize
from diskenc_analysis.text import Row, rows

Where = Mapping[str, str | Sequence[str]]
_SET = "/resourcegroups/what-if/providers/microsoft.compute/diskencryptionsets/to-be-made"
_ADE = r"(?:^|\.)azurediskencryption"


@dataclass(frozen=True)
class WhatIf:
    """Coverage before and after a change.

    Attributes
    ----------
    before, after : frame
        Coverage frames of the inventory's engine.
    vms, disks : int
        How many VMs get encryption at host, and how many disks a customer's key.
    """

    before: Any
    after: Any
    vms: int
    disks: int

    def gains(self, by: str | None = None, capability: str | None = None) -> list[Row]:
        """Compare the answers.

        Parameters
        ----------
        by, capability : str or None
            As for `summarize`.

        Returns
        -------
        list of dict
            The group where one was asked for, `capability`, `weight`, `total`, and `yes`, `no`, `unknown`,
            each with `_before` and `_after`.
        """
        key = ("capability",) if by is None else (by, "capability")
        old, new = (
            {tuple(row[n] for n in key): row for row in rows(summarize(frame, by=by, capability=capability))}
            for frame in (self.before, self.after)
        )
        return [
            {n: row[n] for n in (*key, "weight", "total")}
            | {f"{n}_before": row[n] for n in ("yes", "no", "unknown")}
            | {f"{n}_after": new[at][n] for n in ("yes", "no", "unknown")}
            for at, row in old.items()
        ]


def what_if(
    inv: Inventory,
    host: str | None = None,
    where: Where | None = None,
    *,
    customer_key: bool = False,
    edition: str = "latest",
) -> WhatIf:
    """Judge the inventory as if encryption at host or a customer's key were switched on.

    A VM under Azure Disk Encryption, or once under it, gets encryption at host only with new disks and a new
    VM; so its disks count as new here: without its flags, its lineage and its extension.

    Parameters
    ----------
    inv : Inventory
        As `load` gives it; it is not changed.
    host : {"on"}, optional
        Switch encryption at host on for the VMs of the chosen disks.
    where : mapping of str to str or sequence of str, optional
        Which disks: columns of the coverage frame, or `tag:NAME`, with the values to take; all must hold.
        Without it, all attached disks.
    customer_key : bool
        Put the storage encryption of the chosen disks under a customer's key, by a set that is still to be
        made: in which store its key will lie is not known.
    edition : str
        Edition of the encryption matrix.

    Returns
    -------
    WhatIf

    Raises
    ------
    ParameterError
        When nothing is to be changed, or `host` is another word than `on`.
    UnknownNameError
        When `where` names a column that does not exist.

    Examples
    --------
    >>> from diskenc_analysis import load, sample_path
    >>> made = what_if(load(sample_path()), host="on", where={"subscription_name": "contoso-dev-sandbox"})
    >>> [row["yes_after"] > row["yes_before"] for row in made.gains(capability="caches")]
    [True]
    """
    if host not in (None, "on") or (host is None and not customer_key):
        raise ParameterError(f'expected host="on", customer_key=True or both; got {host=}, {customer_key=}')
    before = coverage(inv, edition)
    disks, vms = _chosen(before, where or {})
    after = _copy(inv)
    if host:
        _host_on(after, vms)
    if customer_key:
        _under_key(after, disks)
    made = coverage(after, edition)
    return WhatIf(before, made, len(vms) if host else 0, len(disks) if customer_key else 0)


def _chosen(cov: Any, where: Where) -> tuple[list[str], list[str]]:
    """Give the keys of the chosen disks, and of their VMs."""
    frame = lazy(cov)
    frame = frame.filter(nw.col("kind") != "snapshot", nw.col("attachment") == "attached")
    for at, (column, wanted) in enumerate(where.items()):
        values = [wanted] if isinstance(wanted, str) else list(wanted)
        frame = frame.with_columns(group_of(frame, column).alias(f"_by{at}"))
        frame = frame.filter(nw.col(f"_by{at}").is_in(values))
    found = rows_of(frame.select(low("disk_id").alias("disk"), low("vm_id").alias("vm")))
    keys = [sorted({"/" + row[at].strip("/ ") for row in found if row[at]}) for at in (0, 1)]
    return keys[0], keys[1]


def _copy(inv: Inventory) -> Inventory:
    """Give the same tables under another name, so that what is worked out of them stays apart."""
    if inv.engine != "duckdb":
        return Inventory(inv.connection, inv.engine, folder=inv.folder)
    name = f"what_if_{secrets.token_hex(4)}"
    connection = inv.connection.cursor()
    [(home,)] = connection.execute("SELECT current_database()").fetchall()
    connection.execute(f"ATTACH ':memory:' AS {name}")
    for table in (*schema.tables(), "ledger"):
        connection.execute(f'CREATE VIEW {name}."{table}" AS SELECT * FROM "{home}".main."{table}"')
    connection.execute(f"USE {name}")
    return Inventory(connection, inv.engine)


def _put(inv: Inventory, table: str, keys: list[str], key: str, values: Mapping[str, nw.Expr | None]) -> None:
    """Change columns of the rows whose key is among those given."""
    rows, chosen = _marked(inv, table, keys, key)
    # A null that is written out is a false in pandas; one that is left out stays a null everywhere.
    new = {
        n: nw.when(~chosen).then(nw.col(n))
        if value is None
        else nw.when(chosen).then(value).otherwise(nw.col(n))
        for n, value in values.items()
    }
    inv._frames[table] = nw.to_native(_settled(inv, rows.with_columns(**new).drop("_chosen")))  # noqa: SLF001


def _marked(inv: Inventory, table: str, keys: list[str], key: str) -> tuple[Frame, nw.Expr]:
    chosen = helper(
        inv, f"chosen_{table}_{key}", [{key: k, "_chosen": "yes"} for k in keys], [key, "_chosen"]
    )
    return lazy(getattr(inv, table)).join(chosen, on=key, how="left"), ~nw.col("_chosen").is_null()


def _settled(inv: Inventory, frame: Frame) -> Any:
    return frame.collect() if inv.engine in ("pandas", "polars") else frame


def _host_on(inv: Inventory, vms: list[str]) -> None:
    """Switch encryption at host on; what was under Azure Disk Encryption is new then."""
    _put(inv, "vms", vms, "key", {"encryption_at_host": nw.lit(value=True)})
    fresh = dict.fromkeys(("ade_enabled", "ade_settings", "ade_volumes", "ade_version"))
    lineage = dict.fromkeys(("source_resource_id", "source_resource_id_key"))
    _put(inv, "disks", vms, "managed_by_key", {**fresh, **lineage})
    _put(inv, "vm_disks", vms, "parent_key", dict.fromkeys(("ade_enabled", "ade_settings")))
    _put(inv, "vm_disk_status", vms, "parent_key", dict.fromkeys(("status_codes", "ade_enabled")))
    _put(inv, "extension_status", vms, "parent_key", {"extension_type": None})
    owner = nw.col("key").str.replace_all(r"/extensions/[^/]*$", "")
    inv._frames["extensions"] = nw.to_native(lazy(inv.extensions).with_columns(_owner=owner))  # noqa: SLF001
    ade = low("extension_type").str.contains(_ADE)
    gone = {"extension_type": nw.when(ade).then(nw.lit("removed")).otherwise(nw.col("extension_type"))}
    _put(inv, "extensions", vms, "_owner", gone)
    rows = _settled(inv, lazy(inv.extensions).drop("_owner"))
    inv._frames["extensions"] = nw.to_native(rows)  # noqa: SLF001


def _under_key(inv: Inventory, disks: list[str]) -> None:
    own_set = nw.concat_str([nw.lit("/subscriptions/"), low("subscription_id"), nw.lit(_SET)])
    changed = {
        "encryption_type": nw.lit("EncryptionAtRestWithCustomerKey"),
        "disk_encryption_set_id": own_set,
        "disk_encryption_set_id_key": own_set,
    }
    _put(inv, "disks", disks, "key", changed)
