"""The chain from a disk encryption set, or an Azure Disk Encryption key, to the vault or managed HSM."""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals as nw

from diskenc_analysis.frames import Frame, agreed, choose, given, is_true, lazy, low
from diskenc_analysis.vmfacts import ade_extensions, disk_lists

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


def secret_keys(inv: Inventory, frame: Frame, by: str) -> Frame:
    """Say for Azure Disk Encryption whether a KEK wraps the secrets, and where the key or secret lies.

    Parameters
    ----------
    inv : Inventory
        With `key_vaults` and `keys`.
    frame : Frame
        One row per volume: `by`, `kek_url`, `secret_url`, `kek_vault`, `secret_vault`.
    by : str
        What the keys belong to, a disk or a VM.

    Returns
    -------
    Frame
        One row per value of `by`: `kek` (`yes`, `no`, `mixed`), `store`, `hsm_key`.
    """
    url = nw.when(given("kek_url")).then(nw.col("kek_url")).otherwise(nw.col("secret_url"))
    vault = nw.when(given("kek_url")).then(nw.col("kek_vault")).otherwise(nw.col("secret_vault"))
    rows = frame.filter(given("secret_url") | given("kek_url"), given(by))
    rows = rows.select(by, url=url, vault=vault, kek=choose([(given("kek_url"), "yes")], "no"))
    rows = stores(inv, rows, "url", "vault")
    names = {"kek": "mixed", "store": "unknown", "hsm_key": "unknown"}
    grouped = rows.group_by(by).agg(
        *[nw.col(n).min().alias(f"{n}_low") for n in names], *[nw.col(n).max().alias(f"{n}_high") for n in names]
    )
    return grouped.select(by, **{n: agreed(n, otherwise) for n, otherwise in names.items()})


def ade_keys(inv: Inventory) -> dict[str, Frame]:
    """Give the keys of Azure Disk Encryption from every place that names them, nearest first.

    Parameters
    ----------
    inv : Inventory
        The tables as read.

    Returns
    -------
    dict of str to Frame
        `ade` (the disk's own settings, by `disk_key`), `listed` (those of the VM for one of its disks, or of
        the instance view, by `disk_key`), `extension` (by `vm_key`); columns as `secret_keys` gives them.
    """
    volumes = nw.concat([lazy(inv.ade_keys), lazy(inv.snapshot_ade_keys)], how="vertical")
    own = volumes.select(
        "kek_url",
        "secret_url",
        disk_key=nw.col("parent_key"),
        kek_vault=nw.col("kek_vault_id_key"),
        secret_vault=nw.col("secret_vault_id_key"),
    )
    none = {n: nw.lit(None, nw.String) for n in ("kek_vault", "secret_vault")}
    by_vm = disk_lists(inv).select(
        "disk_key",
        kek_url=_first("ade_kek_url", "status_kek_url"),
        secret_url=_first("ade_secret_url", "status_secret_url"),
        **none,
    )
    extension = ade_extensions(inv).select("vm_key", "kek_url", secret_url=nw.col("vault_url"), **none)
    return {
        "ade": secret_keys(inv, own, "disk_key"),
        "listed": secret_keys(inv, by_vm, "disk_key"),
        "extension": secret_keys(inv, extension, "vm_key"),
    }


def _first(name: str, other: str) -> nw.Expr:
    return nw.when(given(name)).then(nw.col(name)).otherwise(nw.col(other))
