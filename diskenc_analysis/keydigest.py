"""The lists of a report on keys: where they lie, single points of failure, and missing links."""

from __future__ import annotations

from typing import Any

import narwhals as nw

from diskenc_analysis.blast import losses
from diskenc_analysis.datafiles import write_table
from diskenc_analysis.folded import Lists
from diskenc_analysis.keyrecords import UNREAD
from diskenc_analysis.keytables import USES, failures, keys, undecided, where, words
from diskenc_analysis.keyverdict import facts, is_idle, short, verdict
from diskenc_analysis.plainrows import count_rows, rows
from diskenc_analysis.summary import tally
from diskenc_analysis.tables import HtmlTable, table
from diskenc_analysis.text import number

__all__ = [
    "abroad",
    "consequences",
    "copies",
    "facts",
    "failures",
    "idle",
    "keys",
    "missing",
    "of_other_type",
    "points",
    "stores",
    "undecided",
    "verdict",
    "write_tables",
]


def write_tables(folder: str, own: Any, custody: Any, checks: Any, single_points: Any, copied: Any) -> None:
    """Write every row behind a report on keys as Parquet; an empty name writes nothing.

    Examples
    --------
    >>> write_tables("", None, None, None, None, None)
    """
    links = "By which key is every disk protected, and how far could it be followed?"
    write_table(folder, "key_ownership", own, links, by=["disk_id", "layer", "chain", "key_url"])
    write_table(folder, "keys", custody, "Which keys are in use or idle, and how are they kept?")
    write_table(folder, "key_checks", checks, "Which rules of custody are met, broken or undecided?")
    write_table(folder, "single_points", single_points, "What stops if a key, a vault or a set goes?")
    fit = "Are snapshots, restore points and images under the key of what they were made of?"
    write_table(folder, "copied_keys", copied, fit, by=["kind", "copy_id", "source_id", "copy_key"])


def points(found: Any, limit: int = 25) -> HtmlTable:
    """List what most hangs on.

    Parameters
    ----------
    found : frame
        `single_points`.
    limit : int
        Most rows shown.

    Returns
    -------
    HtmlTable
        Most VMs first.
    """
    lines = [
        {
            "What": _KINDS.get(row["kind"], row["kind"]),
            "Which": short(row["target"]),
            "Subscription": row["subscription"],
            "Used for": "; ".join(USES[use] for use in row["uses"].split(", ")),
            "VMs": row["vms"],
            "Disks": row["disks"],
            "GiB": row["gib"],
            "Disks that may": row["possible_disks"],
            "Images and restore points": row["copies"],
            "Scale set models": row["models"],
        }
        for row in rows(found, limit)
    ]
    return table(lines, "Keys, vaults and sets by what depends on them", limit=limit, total=count_rows(found))


_KINDS = {"set": "disk encryption set", "none": "key"}


def consequences(found: Any) -> HtmlTable:
    """Say what happens when a key goes, for each use that there is.

    Parameters
    ----------
    found : frame
        `single_points`.

    Returns
    -------
    HtmlTable
        With the document that states it, or that it is inferred from.
    """
    used = {use for row in rows(found) for use in row["uses"].split(", ")}
    lines = [
        {
            "Used for": USES[use],
            "If the key goes": loss["happens"],
            "Basis": f"{loss['origin']}: {loss['source']}",
        }
        for use, loss in losses().items()
        if use in used
    ]
    return table(lines, "What happens when a key, its vault or its set goes")


def stores(cov: Any) -> HtmlTable:
    """Count disks by who holds the key and where it lies.

    Parameters
    ----------
    cov : frame
        Coverage.

    Returns
    -------
    HtmlTable
        One row per owner, store, and whether the key is in an HSM.
    """
    columns = {
        "key_owner": "Key owner",
        "key_store": "Key store",
        "hsm": "In an HSM",
        "disks": "Disks",
        "gib": "GiB",
    }
    found = [
        {n: words(row[n]) for n in columns} for row in rows(tally(cov, by=["key_owner", "key_store", "hsm"]))
    ]
    return table(found, "Disks and snapshots by key owner and store", columns)


def missing(own: Any) -> HtmlTable:
    """Count the links that are missing between disks and keys, by reason.

    Parameters
    ----------
    own : frame
        Key ownership.

    Returns
    -------
    HtmlTable
        Most disks first.
    """
    gaps = nw.from_native(own).filter(nw.col("reason").fill_null("") != "").to_native()
    columns = {"reason": "Why", "layer": "Layer", "store": "Key store", "disks": "Links", "gib": "GiB"}
    found = sorted(
        rows(tally(gaps, by=["reason", "layer", "store"])), key=lambda row: (-row["disks"], row["reason"])
    )
    return table([{n: words(row[n]) for n in columns} for row in found], "Links that break off", columns)


def abroad(own: Any) -> HtmlTable:
    """Count the disks whose key lies in another subscription or tenant.

    Parameters
    ----------
    own : frame
        Key ownership.

    Returns
    -------
    HtmlTable
        Links to customers' keys only.
    """
    held = nw.from_native(own).filter(nw.col("holder") != "platform").to_native()
    by = ["other_subscription", "other_tenant"]
    columns = {
        "other_subscription": "Key in another subscription",
        "other_tenant": "Key in another tenant",
        "disks": "Links",
        "gib": "GiB",
    }
    return table(tally(held, by=by), "Keys by whose subscription and tenant they lie in", columns)


def copies(found: Any, limit: int = 25) -> Lists:
    """List the snapshots, restore points and images under another key than what they were made of.

    Parameters
    ----------
    found : frame
        `copied_keys`.
    limit : int
        Most rows of a list.

    Returns
    -------
    Lists
        Those under another key, then those of which it is not known.
    """
    columns = {"kind": "Kind", "copy_id": "Copy", "copy_key": "Its key", "source_id": "Made of"}
    columns |= {"source_key": "The key of that"}
    made = []
    for answer, heading in (("no", "Under another key"), (UNREAD, "Not known")):
        part = nw.from_native(found).filter(nw.col("same_key") == answer)
        total = count_rows(part.to_native())
        if total:
            lines = [
                {n: short(row[n]) if n.endswith("_id") else words(row[n]) for n in columns}
                for row in rows(part.sort("copy_id", "source_id").to_native(), limit)
            ]
            shown = table(lines, heading, columns, limit, total)
            made.append((f"{heading}: {number(total)}", shown))
    return Lists(tuple(made), "No copy is known to be under another key than what it was made of.")


def of_other_type(cov: Any, limit: int = 25) -> HtmlTable:
    """List the disks whose disk encryption set is of another type than they are.

    Parameters
    ----------
    cov : frame
        Coverage.
    limit : int
        Most disks listed.

    Returns
    -------
    HtmlTable
        Sorted by disk id.
    """
    odd = nw.from_native(cov).filter(nw.col("conflicts").str.contains(_OTHER_TYPE, literal=True))
    columns = {"name": "Disk", "subscription_name": "Subscription", "resource_group": "Resource group"}
    columns |= {"sse": "Storage encryption", "confidential": "Confidential", "gib": "GiB"}
    total = count_rows(odd.to_native())
    lines = [{n: words(row[n]) for n in columns} for row in rows(odd.sort("disk_id").to_native(), limit)]
    return table(lines, "Disks whose set is of another type", columns, limit, total)


#: The contradiction as `layers` words it.
_OTHER_TYPE = "disk and disk encryption set of different types"


def idle(custody: Any, limit: int = 25) -> HtmlTable:
    """List the keys and sets that no disk, snapshot, image, restore point or scale set's model needs.

    Parameters
    ----------
    custody : frame
        `custody`.
    limit : int
        Most rows shown.

    Returns
    -------
    HtmlTable
        They may serve what is not in the inventory, other services than disks, or a temp disk.
    """
    found = [row for row in rows(custody) if is_idle(row)]
    lines = [
        {"What": _KINDS.get(row["use"], "key of Azure Disk Encryption"), "Which": where(row)}
        for row in found[:limit]
    ]
    return table(lines, "Keys and sets that nothing in the inventory needs", limit=limit, total=len(found))
