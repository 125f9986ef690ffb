"""The chain from a disk encryption set, or an Azure Disk Encryption key, to the vault or managed HSM."""

from __future__ import annotations

from collections.abc import Iterator

import narwhals as nw

from diskenc_analysis.disklists import disk_lists
from diskenc_analysis.extensions import ade_extensions
from diskenc_analysis.frames import (
    BAR,
    Frame,
    choose,
    distinct,
    doubted,
    fold,
    given,
    kept,
    lazy,
    rows_of,
    unless_doubted,
)
from diskenc_analysis.inventory import Inventory, once
from diskenc_analysis.keystores import KeyStores

#: Kinds of disk encryption set, in the words of the layers.
SET_TYPES = {
    "encryptionatrestwithcustomerkey": "customer",
    "encryptionatrestwithplatformandcustomerkeys": "platform_and_customer",
    "confidentialvmencryptedwithcustomerkey": "confidential",
}


def sets(inv: Inventory, stores: KeyStores) -> dict[str, dict[str, str]]:
    """Describe every disk encryption set of the inventory.

    Parameters
    ----------
    inv : Inventory
        With `disk_encryption_sets`.
    stores : KeyStores
        Its vaults and keys.

    Returns
    -------
    dict of str to dict
        By the set's key: whether it was read (under the empty name, `found`), `type` (`customer`,
        `platform_and_customer`, `confidential`, `unknown`), `store` and `hsm`.
    """
    trusted = {
        "kind": unless_doubted(nw.col("encryption_type"), None, "encryption_type"),
        "url": unless_doubted(nw.col("key_url"), None, "key_url", "vault_id"),
        "vault": unless_doubted(nw.col("vault_id_key"), None, "key_url", "vault_id"),
        # What is no JSON is not known either.
        "previous": unless_doubted(nw.col("previous_keys"), "?", "previous_keys"),
    }
    found = {}
    for key, kind, url, vault, previous in rows_of(lazy(inv.disk_encryption_sets).select("key", **trusted)):
        where = stores.of_set(url, vault, previous)
        kind = SET_TYPES.get((kind or "").lower(), "unknown")  # noqa: PLW2901
        found[key] = {"": "found", "type": kind, "store": where["store"], "hsm": where["hsm_key"]}
    return found


def unread_set(key: str, subscriptions: set[str]) -> dict[str, str]:
    """Describe a set that a disk names and that is not in the inventory.

    Examples
    --------
    >>> unread_set("/subscriptions/a/resourcegroups/g/providers/m/diskencryptionsets/d", {"b"})[""]
    'unread_subscription'
    """
    parts = key.split("/")
    seen = len(parts) > 2 and parts[2] in subscriptions  # noqa: PLR2004
    return {"": "missing" if seen else "unread_subscription", "type": "", "store": "", "hsm": ""}


@once
def subscriptions(inv: Inventory) -> set[str]:
    """Name the subscriptions of which disks, VMs or sets were read."""
    tables = (inv.disks, inv.vms, inv.disk_encryption_sets)
    return {
        sub for table in tables for (sub,) in rows_of(lazy(table).select("subscription_id").unique()) if sub
    }


@once
def ade_refs(inv: Inventory) -> list[tuple[str, str, Frame, dict[str, dict[str, str]]]]:
    """Give the keys that Azure Disk Encryption names, from every place that names them, nearest first.

    Parameters
    ----------
    inv : Inventory
        The tables as read.

    Returns
    -------
    list of (part, by, frame, known)
    part : str
        `ade` (the disk's own settings), `listed` (those of the VM for its disk, or of the instance view) or
        `extension`.
    by : str
        What the keys belong to: `disk_key` or `vm_key`.
    frame : Frame
        `by` and `part`, one row per volume.
    known : dict
        Behind each value of `part`: `kek` (`yes`, `no`, `mixed`), `url` (of the KEK, else of the vault),
        `vault` (key of its id) and `secret` (URL of the vault that keeps the secret, KEK or not).
    """
    none = {n: nw.lit(None, nw.String) for n in ("kek_vault", "secret_vault")}
    found = []
    if inv.count("ade_keys") or inv.count("snapshot_ade_keys"):
        volumes = nw.concat([lazy(inv.ade_keys), lazy(inv.snapshot_ade_keys)], how="vertical")
        vaults = {"kek_vault": nw.col("kek_vault_id_key"), "secret_vault": nw.col("secret_vault_id_key")}
        own = volumes.select("kek_url", "secret_url", "doubt", disk_key=nw.col("parent_key"), **vaults)
        found.append(("ade", "disk_key", *_folded(inv, own, "disk_key", "ade")))
    if inv.count("vm_disks"):
        urls = {n: _first(f"ade_{n}", f"status_{n}") for n in ("kek_url", "secret_url")}
        listed = disk_lists(inv).select("disk_key", "doubt", **urls, **none)
        found.append(("listed", "disk_key", *_folded(inv, listed, "disk_key", "listed")))
    if inv.count("extensions"):
        extension = ade_extensions(inv).select(
            "vm_key", "kek_url", "doubt", secret_url=nw.col("vault_url"), **none
        )
        found.append(("extension", "vm_key", *_folded(inv, extension, "vm_key", "extension")))
    return found


def ade_keys(
    inv: Inventory, stores: KeyStores
) -> Iterator[tuple[str, str, Frame, dict[str, dict[str, str]]]]:
    """Say of the keys of Azure Disk Encryption what a verdict rests on; the volumes of a disk joined.

    Parameters
    ----------
    inv : Inventory
        The tables as read.
    stores : KeyStores
        Its vaults and keys.

    Yields
    ------
    part, by, frame
        As `ade_refs` gives them, but one row per disk or VM.
    known : dict
        `kek` (`yes`, `no`, `mixed`), `store` and `hsm_key` behind each value of `part`.
    """
    for part, by, frame, refs in ade_refs(inv):
        known = {v: {"kek": f["kek"], **stores.where(f["url"], f["vault"])} for v, f in refs.items()}
        grouped = frame.group_by(by).agg(nw.col(part).min().alias("low"), nw.col(part).max().alias("high"))
        combined = nw.concat_str([nw.col("low"), nw.col("high")], separator="+")
        grouped = kept(inv, grouped.select(by, combined.alias(part)), f"keys_{part}")
        pairs = {pair: pair.split("+") for pair in distinct(grouped, part)}
        yield part, by, grouped, {pair: _agreed(known[a], known[b]) for pair, (a, b) in pairs.items()}


def _first(name: str, other: str) -> nw.Expr:
    return nw.when(given(name)).then(nw.col(name)).otherwise(nw.col(other))


def _folded(inv: Inventory, frame: Frame, by: str, part: str) -> tuple[Frame, dict[str, dict[str, str]]]:
    """Fold the keys that are named; of secrets, which are one per disk, only the host counts."""
    names = ("kek_url", "vault_url")
    has_kek, unsure = given("kek_url"), doubted(*names)
    secret = nw.col("secret_url").str.replace_all(r"(?i)(?:/secrets/.*)$", "")
    url = nw.when(has_kek).then(nw.col("kek_url")).otherwise(secret)
    vault = nw.when(has_kek).then(nw.col("kek_vault")).otherwise(nw.col("secret_vault"))
    frame = frame.filter(given("secret_url") | has_kek | unsure).select(
        by,
        kek=choose([(unsure, "mixed"), (has_kek, "yes")], "no"),
        **{
            name: unless_doubted(value.str.replace_all(BAR, "%7c", literal=True), None, *names)
            for name, value in {"url": url, "vault": vault, "secret": secret}.items()
        },
    )
    return fold(inv, frame, {n: nw.col(n) for n in ("kek", "url", "vault", "secret")}, part)


def _agreed(one: dict[str, str], other: dict[str, str]) -> dict[str, str]:
    """Join the keys of two volumes of a disk."""
    otherwise = {"kek": "mixed", "store": "unknown", "hsm_key": "unknown"}
    return {n: one[n] if one[n] == other[n] else value for n, value in otherwise.items()}
