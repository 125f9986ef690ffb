"""VM sizes: whether a size has a local disk and is of the fifth generation or later (RULES C4, K4)."""

from __future__ import annotations

import csv
import re
from functools import cache
from typing import TYPE_CHECKING

from diskenc_analysis.share import data_file

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory


@cache
def _rules() -> list[tuple[re.Pattern[str], str, str]]:
    with data_file("vm_sizes.csv").open(encoding="utf-8", newline="") as file:
        return [(re.compile(r["pattern"]), r["local_disk"], r["v5_plus"]) for r in csv.DictReader(file)]


def by_name(size: str) -> tuple[str, str]:
    """Tell from a size's name whether it has a local disk and is of version 5 or later.

    Parameters
    ----------
    size : str
        Such as `Standard_D4ds_v5`, in any case.

    Returns
    -------
    tuple of (str, str)
        `local_disk` and `v5_plus`, each `yes`, `no` or `unknown`; the rules are in `data/vm_sizes.csv`.

    Examples
    --------
    >>> by_name("Standard_D4ds_v5"), by_name("Standard_D4s_v5"), by_name("Standard_D4s_v3")
    (('yes', 'yes'), ('no', 'yes'), ('yes', 'no'))
    >>> by_name("Something_New")
    ('unknown', 'unknown')
    """
    for pattern, local_disk, v5_plus in _rules():
        if pattern.fullmatch(size.strip().lower()):
            return local_disk, v5_plus
    return "unknown", "unknown"


def size_facts(inv: Inventory) -> list[dict[str, str]]:
    """Judge every size that the inventory's VMs have.

    A resource-SKU row decides where it states `MaxResourceVolumeMB` or `NvmeDiskSizeInMiB`, of which one
    above zero is a local disk; else the naming rules do.

    Parameters
    ----------
    inv : Inventory
        With `vms` and `vm_sizes`.

    Returns
    -------
    list of dict
        `size` (lower case), `local_disk`, `v5_plus` and `size_from` (`sku`, `name` or `nothing`).
    """
    sizes = inv.connection.execute(
        "SELECT DISTINCT lower(vm_size) FROM vms WHERE vm_size IS NOT NULL"
    ).fetchall()
    listed = dict(
        inv.connection.execute(
            "SELECT lower(size), max(greatest(coalesce(resource_volume_mb, 0), coalesce(nvme_disk_mib, 0))) "
            "FROM vm_sizes WHERE coalesce(resource_volume_mb, nvme_disk_mib) IS NOT NULL "
            "AND lower(resource_type) = 'virtualmachines' "
            "GROUP BY ALL"
        ).fetchall()
    )
    rows = []
    for (size,) in sorted(sizes):
        local_disk, v5_plus = by_name(size)
        source = "nothing" if local_disk == v5_plus == "unknown" else "name"
        if size in listed:
            local_disk, source = ("yes" if listed[size] > 0 else "no"), "sku"
        rows.append({"size": size, "local_disk": local_disk, "v5_plus": v5_plus, "size_from": source})
    return rows
