"""What a change would buy: coverage before, and after it was made on paper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import narwhals as nw

from diskenc_analysis.coverage import coverage
from diskenc_analysis.errors import ParameterError
from diskenc_analysis.frames import low
from diskenc_analysis.inventory import Inventory
from diskenc_analysis.on_paper import brought_home, paper, put
from diskenc_analysis.plainrows import Row, rows
from diskenc_analysis.summary import summarize
from diskenc_analysis.what_if_scope import LEFT_OUT, Chosen, Where, chosen

__all__ = ["LEFT_OUT", "WhatIf", "Where", "what_if"]
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
    left_out : dict of str to int
        What was chosen and yet not changed, by the reasons of `LEFT_OUT`; those without any are absent.

    Examples
    --------
    >>> WhatIf(None, None, 2, 0, {"unread_vm": 1}).vms
    2
    """

    before: Any
    after: Any
    vms: int
    disks: int
    left_out: Mapping[str, int]

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
    cov: Any = None,
) -> WhatIf:
    """Judge the inventory as if encryption at host or a customer's key were switched on.

    A VM under Azure Disk Encryption, or once under it, gets encryption at host only with new disks and a new
    VM; so its disks count as new here: without its flags, its lineage and its extension. Nothing is changed
    where the change cannot be judged: a VM that was not read keeps its disks as they are, and so does a disk
    that is shared with a VM which is not changed; `left_out` counts them.

    Parameters
    ----------
    inv : Inventory
        As `load` gives it; it is not changed.
    host : {"on"}, optional
        Switch encryption at host on for the VMs of the chosen disks.
    where : mapping of str to str or sequence of str, optional
        Which disks: columns of the coverage frame, or `tag:NAME`, with the values to take; all must hold.
        Without it, all attached disks. Every VM that a chosen disk is attached to is chosen with it.
    customer_key : bool
        Put the storage encryption of the chosen disks under a customer's key, by a set that is still to be
        made: in which store its key will lie is not known. A disk that is or was under Azure Disk Encryption
        takes one only as a new disk, so only together with `host`.
    edition : str
        Edition of the encryption matrix.
    cov : frame, optional
        Coverage of the inventory by that edition, where it is at hand.

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
    before = coverage(inv, edition) if cov is None else cov
    picked = chosen(inv, before, where or {}, host=host is not None, customer_key=customer_key)
    with paper(inv) as copy:
        if host:
            _host_on(copy, picked)
        if customer_key:
            _under_key(copy, picked.keyed)
        after = brought_home(inv, copy, coverage(copy, edition))
    counts = (len(picked.vms) if host else 0, len(picked.keyed) if customer_key else 0)
    return WhatIf(before, after, *counts, picked.left_out)


def _host_on(inv: Inventory, picked: Chosen) -> None:
    """Switch encryption at host on; what was under Azure Disk Encryption is new then."""
    vms = picked.vms
    put(inv, "vms", vms, "key", {"encryption_at_host": nw.lit(value=True)})
    fresh = dict.fromkeys(("ade_enabled", "ade_settings", "ade_volumes", "ade_version"))
    lineage = dict.fromkeys(("source_resource_id", "source_resource_id_key"))
    put(inv, "disks", picked.renewed, "key", {**fresh, **lineage})
    put(inv, "vm_disks", vms, "parent_key", dict.fromkeys(("ade_enabled", "ade_settings")))
    put(inv, "vm_disk_status", vms, "parent_key", dict.fromkeys(("status_codes", "ade_enabled")))
    put(inv, "extension_status", vms, "parent_key", {"extension_type": None})
    ade = low("extension_type").str.contains(_ADE)
    gone = {"extension_type": nw.when(ade).then(nw.lit("removed")).otherwise(nw.col("extension_type"))}
    owner = nw.col("key").str.replace_all(r"/extensions/[^/]*$", "")
    put(inv, "extensions", vms, "_owner", gone, owner)


def _under_key(inv: Inventory, disks: list[str]) -> None:
    own_set = nw.concat_str([nw.lit("/subscriptions/"), low("subscription_id"), nw.lit(_SET)])
    changed = {
        "encryption_type": nw.lit("EncryptionAtRestWithCustomerKey"),
        "disk_encryption_set_id": own_set,
        "disk_encryption_set_id_key": own_set,
    }
    put(inv, "disks", disks, "key", changed)
