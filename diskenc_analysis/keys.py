"""The chain from a disk encryption set, or an Azure Disk Encryption key, to the vault or managed HSM."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import narwhals as nw

from diskenc_analysis.frames import Frame, choose, doubted, fold, given, lazy, rows_of, unless_doubted
from diskenc_analysis.vmfacts import ade_extensions, disk_lists

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

#: Kinds of disk encryption set, in the words of the layers.
SET_TYPES = {
    "encryptionatrestwithcustomerkey": "customer",
    "encryptionatrestwithplatformandcustomerkeys": "platform_and_customer",
    "confidentialvmencryptedwithcustomerkey": "confidential",
}
_CLOUDS = r"(azure\.net|azure\.cn|usgovcloudapi\.net|microsoftazure\.de)"
_VAULT = re.compile(rf".+\.vault\.{_CLOUDS}")
_HSM = re.compile(rf".+\.managedhsm\.{_CLOUDS}")


def host(url: str | None) -> str:
    """Give the host of a key, secret or vault URL.

    Parameters
    ----------
    url : str or None
        With or without scheme and port, in any case.

    Returns
    -------
    str
        Lower case; empty where there is none.

    Examples
    --------
    >>> host("HTTPS://Kv-1.vault.azure.net:443/keys/k/0")
    'kv-1.vault.azure.net'
    """
    text = (url or "").strip().lower()
    return urlsplit(text if "//" in text else f"//{text}").netloc.split(":")[0]


def key_name(url: str | None) -> str:
    """Give what all versions and spellings of a key's URL share: its host and its name.

    Examples
    --------
    >>> key_name("https://kv-1.vault.azure.net:443/keys/K/0123"), key_name("https://kv-1.vault.azure.net/keys/k/")
    ('kv-1.vault.azure.net#k', 'kv-1.vault.azure.net#k')
    """
    parts = urlsplit((url or "").strip().lower()).path.strip("/").split("/")
    return f"{host(url)}#{parts[1] if len(parts) > 1 else ''}"


@dataclass(frozen=True)
class KeyStores:
    """Vaults and keys of an inventory, to look up where a key lies.

    Attributes
    ----------
    skus : dict
        SKU of each vault, by its host and by its key.
    hsm : dict
        Whether each key is an HSM key, by `key_name`.
    """

    skus: dict[str, str]
    hsm: dict[str, bool]

    @classmethod
    def of(cls, inv: Inventory) -> KeyStores:
        """Read the vaults and keys of an inventory."""
        sku = unless_doubted(nw.col("sku"), None, "sku")
        vaults = rows_of(lazy(inv.key_vaults).select("key", "vault_uri", sku=sku))
        skus = {name: (sku or "").lower() for key, uri, sku in vaults for name in (key, host(uri)) if name}
        found = rows_of(lazy(inv.keys).select("key_url", kty=unless_doubted(nw.col("kty"), None, "kty")))
        return cls(skus, {key_name(url): kty.lower().endswith("-hsm") for url, kty in found if url and kty})

    def where(self, url: str | None, vault: str | None) -> dict[str, str]:
        """Say where a key lies and whether it is in an HSM (RULES K2, K3).

        Parameters
        ----------
        url : str or None
            URL of the key, or of the secret or vault where there is no key.
        vault : str or None
            Key of the vault's id.

        Returns
        -------
        dict
            `store`: `key_vault_standard`, `key_vault_premium`, `key_vault`, `managed_hsm` or `unknown`;
            `hsm_key`: `yes`, `no` or `unknown`.
        """
        name = host(url)
        sku = self.skus.get(name) or self.skus.get(vault or "", "")
        if _HSM.fullmatch(name):
            return {"store": "managed_hsm", "hsm_key": "yes"}
        named = f"key_vault_{sku}" if sku in ("standard", "premium") else ""
        store = named or ("key_vault" if _VAULT.fullmatch(name) or vault else "unknown")
        if store == "key_vault_standard":
            return {"store": store, "hsm_key": "no"}
        proof = {True: "yes", False: "no", None: "unknown"}[self.hsm.get(key_name(url))]
        return {"store": store, "hsm_key": proof}


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
    }
    found = {}
    for key, kind, url, vault in rows_of(lazy(inv.disk_encryption_sets).select("key", **trusted)):
        where = stores.where(url, vault)
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


def subscriptions(inv: Inventory) -> set[str]:
    """Name the subscriptions of which disks, VMs or sets were read."""
    tables = (inv.disks, inv.vms, inv.disk_encryption_sets)
    return {
        sub for table in tables for (sub,) in rows_of(lazy(table).select("subscription_id").unique()) if sub
    }


def ade_keys(
    inv: Inventory, stores: KeyStores
) -> Iterator[tuple[str, str, Frame, dict[str, dict[str, str]]]]:
    """Give the keys of Azure Disk Encryption from every place that names them, nearest first.

    Parameters
    ----------
    inv : Inventory
        The tables as read.
    stores : KeyStores
        Its vaults and keys.

    Yields
    ------
    part : str
        `ade` (the disk's own settings), `listed` (those of the VM for its disk, or of the instance view) or
        `extension`.
    by : str
        What the keys belong to: `disk_key` or `vm_key`.
    frame : Frame
        `by` and `part`.
    known : dict
        `kek` (`yes`, `no`, `mixed`), `store` and `hsm_key` behind each value of `part`.
    """
    none = {n: nw.lit(None, nw.String) for n in ("kek_vault", "secret_vault")}
    if inv.count("ade_keys") or inv.count("snapshot_ade_keys"):
        volumes = nw.concat([lazy(inv.ade_keys), lazy(inv.snapshot_ade_keys)], how="vertical")
        vaults = {"kek_vault": nw.col("kek_vault_id_key"), "secret_vault": nw.col("secret_vault_id_key")}
        own = volumes.select("kek_url", "secret_url", "doubt", disk_key=nw.col("parent_key"), **vaults)
        yield "ade", "disk_key", *_folded(inv, stores, own, "disk_key", "ade")
    if inv.count("vm_disks"):
        urls = {n: _first(f"ade_{n}", f"status_{n}") for n in ("kek_url", "secret_url")}
        listed = disk_lists(inv).select("disk_key", "doubt", **urls, **none)
        yield "listed", "disk_key", *_folded(inv, stores, listed, "disk_key", "listed")
    if inv.count("extensions"):
        extension = ade_extensions(inv).select(
            "vm_key", "kek_url", "doubt", secret_url=nw.col("vault_url"), **none
        )
        yield "extension", "vm_key", *_folded(inv, stores, extension, "vm_key", "extension")


def _first(name: str, other: str) -> nw.Expr:
    return nw.when(given(name)).then(nw.col(name)).otherwise(nw.col(other))


def _folded(
    inv: Inventory, stores: KeyStores, frame: Frame, by: str, part: str
) -> tuple[Frame, dict[str, dict[str, str]]]:
    """Fold the keys of each disk or VM; of secrets, which are one per disk, only the host counts."""
    names = ("kek_url", "vault_url")
    has_kek, unsure = given("kek_url"), doubted(*names)
    secret = nw.col("secret_url").str.replace_all(r"(?i)(/secrets/.*)$", "")
    frame = frame.filter(given("secret_url") | has_kek | unsure).select(
        by,
        _kek=choose([(unsure, "mixed"), (has_kek, "yes")], "no"),
        _url=unless_doubted(nw.when(has_kek).then(nw.col("kek_url")).otherwise(secret), None, *names),
        _vault=unless_doubted(
            nw.when(has_kek).then(nw.col("kek_vault")).otherwise(nw.col("secret_vault")), None, *names
        ),
    )
    folded, found = fold(inv, frame, {n: nw.col(n) for n in ("_kek", "_url", "_vault")}, part)
    known = {v: {"kek": f["_kek"], **stores.where(f["_url"], f["_vault"])} for v, f in found.items()}
    grouped = folded.group_by(by).agg(nw.col(part).min().alias("low"), nw.col(part).max().alias("high"))
    combined = nw.concat_str([nw.col("low"), nw.col("high")], separator="+")
    grouped = grouped.select(by, combined.alias(part))
    pairs = {f"{a}+{b}": _agreed(known[a], known[b]) for a in known for b in known if a <= b}
    return grouped, pairs


def _agreed(one: dict[str, str], other: dict[str, str]) -> dict[str, str]:
    """Join the keys of two volumes of a disk."""
    otherwise = {"kek": "mixed", "store": "unknown", "hsm_key": "unknown"}
    return {n: one[n] if one[n] == other[n] else value for n, value in otherwise.items()}
