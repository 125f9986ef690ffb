"""The chain from a disk encryption set, or an Azure Disk Encryption key, to the vault or managed HSM."""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals as nw

from diskenc_analysis.frames import Frame, choose, given, is_true, lazy, low

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

#: Kinds of disk encryption set, in the words of the layers.
SET_TYPES = {
    "encryptionatrestwithcustomerkey": "customer",
    "encryptionatrestwithplatformandcustomerkeys": "platform_and_customer",
    "confidentialvmencryptedwithcustomerkey": "confidential",
}
_VAULT_HOSTS = r"\.vault\.(?:azure\.net|azure\.cn|usgovcloudapi\.net|microsoftazure\.de)$"
_HSM_HOSTS = r"\.managedhsm\.(?:azure\.net|azure\.cn|usgovcloudapi\.net|microsoftazure\.de)$"


def host(name: str) -> nw.Expr:
    """Give the host of a URL column: lower case, no scheme, port or path."""
    return low(name).str.replace_all(r"^\s*https?://", "").str.replace_all(r"[:/?#].*$", "")


def key_name(name: str) -> nw.Expr:
    """Give a key URL without scheme, port, version and closing slash, as two spellings of it share it."""
    bare = low(name).str.replace_all(r"^\s*https?://", "").str.replace_all(r":443/", "/")
    return bare.str.replace_all(r"/+$", "").str.replace_all(r"(?:/keys/|/secrets/)", "#").str.replace_all(r"/.*$", "")


def stores(inv: Inventory, frame: Frame, url: str, vault: str) -> Frame:
    """Say for each key URL where the key lies and whether it is in an HSM (RULES K2, K3).

    Parameters
    ----------
    inv : Inventory
        With `key_vaults` and `keys`.
    frame : Frame
        Has the URL and the vault's key as columns.
    url, vault : str
        Names of those columns.

    Returns
    -------
    Frame
        With two columns more: `store` (`key_vault_standard`, `key_vault_premium`, `key_vault`,
        `managed_hsm` or `unknown`) and `hsm_key` (`yes`, `no`, `unknown`).
    """
    vaults = lazy(inv.key_vaults)
    by_host = vaults.select(_host=host("vault_uri"), _sku_h=low("sku")).filter(nw.col("_host") != "")
    by_id = vaults.select(nw.col("key").alias("_vault"), _sku_v=low("sku"))
    out = frame.with_columns(_host=host(url), _vault=nw.col(vault).fill_null(""), _key=key_name(url))
    out = out.join(by_host.unique(subset=["_host"]), on="_host", how="left")
    out = out.join(by_id.unique(subset=["_vault"]), on="_vault", how="left")
    out = out.join(_key_types(inv), on="_key", how="left")
    out = out.with_columns(_sku=nw.concat_str([nw.col("_sku_h").fill_null(""), nw.col("_sku_v").fill_null("")]))
    sku, name = nw.col("_sku"), nw.col("_host")
    store = choose(
        [
            (name.str.contains(_HSM_HOSTS), "managed_hsm"),
            (sku.str.contains("premium"), "key_vault_premium"),
            (sku.str.contains("standard"), "key_vault_standard"),
            (name.str.contains(_VAULT_HOSTS), "key_vault"),
        ],
        "unknown",
    )
    out = out.with_columns(store=store)
    hsm = choose(
        [
            (nw.col("store") == "managed_hsm", "yes"),
            (is_true("_is_hsm"), "yes"),
            (nw.col("store") == "key_vault_standard", "no"),
            (given("_is_hsm"), "no"),
        ],
        "unknown",
    )
    drop = ["_host", "_vault", "_key", "_sku_h", "_sku_v", "_sku", "_is_hsm"]
    return out.with_columns(hsm_key=hsm).drop(drop)


def _key_types(inv: Inventory) -> Frame:
    keys = lazy(inv.keys).filter(given("kty"), given("key_url"))
    hsm = low("kty").str.ends_with("-hsm")
    return keys.select(_key=key_name("key_url"), _is_hsm=hsm).group_by("_key").agg(nw.col("_is_hsm").max())


def sets(inv: Inventory) -> Frame:
    """Describe every disk encryption set of the inventory.

    Parameters
    ----------
    inv : Inventory
        With `disk_encryption_sets`, `key_vaults` and `keys`.

    Returns
    -------
    Frame
        Columns `set_key`, `set_type` (`customer`, `platform_and_customer`, `confidential`, `unknown`),
        `store`, `hsm_key`.
    """
    kinds = [(low("encryption_type") == arm, word) for arm, word in SET_TYPES.items()]
    frame = lazy(inv.disk_encryption_sets).select(
        nw.col("key").alias("set_key"), "key_url", "vault_id_key", set_type=choose(kinds, "unknown")
    )
    return stores(inv, frame, "key_url", "vault_id_key").select("set_key", "set_type", "store", "hsm_key")


def ade_keys(inv: Inventory) -> Frame:
    """Say for each disk with Azure Disk Encryption whether a KEK wraps its secrets, and where the key lies.

    Parameters
    ----------
    inv : Inventory
        With `ade_keys`, `key_vaults` and `keys`.

    Returns
    -------
    Frame
        Columns `disk_key`, `kek` (`yes`, `no`, `mixed`), `ade_store`, `ade_hsm`.
    """
    url = nw.when(given("kek_url")).then(nw.col("kek_url")).otherwise(nw.col("secret_url"))
    vault = nw.when(given("kek_url")).then(nw.col("kek_vault_id_key")).otherwise(nw.col("secret_vault_id_key"))
    rows = lazy(inv.ade_keys).filter(given("secret_url") | given("kek_url"))
    rows = rows.with_columns(url=url, vault=vault, has_kek=given("kek_url"))
    rows = stores(inv, rows, "url", "vault")
    grouped = rows.group_by("parent_key").agg(
        nw.col("has_kek").max().alias("any_kek"),
        nw.col("has_kek").min().alias("all_kek"),
        nw.col("store").min().alias("store_low"),
        nw.col("store").max().alias("store_high"),
        nw.col("hsm_key").min().alias("hsm_low"),
        nw.col("hsm_key").max().alias("hsm_high"),
    )
    kek = choose([(nw.col("all_kek"), "yes"), (nw.col("any_kek"), "mixed")], "no")
    return grouped.select(
        nw.col("parent_key").alias("disk_key"),
        kek=kek,
        ade_store=_agreed("store_low", "store_high"),
        ade_hsm=_agreed("hsm_low", "hsm_high"),
    )


def _agreed(lowest: str, highest: str) -> nw.Expr:
    return nw.when(nw.col(lowest) == nw.col(highest)).then(nw.col(lowest)).otherwise(nw.lit("unknown"))
