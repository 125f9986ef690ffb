"""The vaults, managed HSMs and keys that were read: where a key lies, and whether it is in an HSM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import narwhals as nw

from diskenc_analysis.frames import lazy, rows_of, unless_doubted
from diskenc_analysis.keyurls import fits, host, key_name, parse, store_of, urls_in

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory


@dataclass(frozen=True)
class KeyStores:
    """Vaults and keys of an inventory, to look up where a key lies.

    Attributes
    ----------
    skus : dict
        SKU of each vault, by its host and by its key.
    hsm : dict
        Whether each version of a key is an HSM key, by `key_name` and version; `None` where rows differ.
    pools : frozenset of str
        Hosts and keys of the managed HSMs.
    """

    skus: dict[str, str]
    hsm: dict[str, dict[str, bool | None]]
    pools: frozenset[str] = frozenset()

    @classmethod
    def of(cls, inv: Inventory) -> KeyStores:
        """Read the vaults and keys of an inventory."""
        sku = unless_doubted(nw.col("sku"), None, "sku")
        vaults = rows_of(lazy(inv.key_vaults).select("key", "vault_uri", sku=sku))
        skus = {name: (sku or "").lower() for key, uri, sku in vaults for name in (key, host(uri)) if name}
        hsm: dict[str, dict[str, bool | None]] = {}
        for url, kty in rows_of(
            lazy(inv.keys).select("key_url", kty=unless_doubted(nw.col("kty"), None, "kty"))
        ):
            if url and kty:
                found, versions = kty.lower().endswith("-hsm"), hsm.setdefault(key_name(url), {})
                version = parse(url).version
                versions[version] = found if versions.get(version, found) == found else None
        pools = rows_of(lazy(inv.managed_hsms).select("key", "hsm_uri"))
        return cls(skus, hsm, frozenset(name for key, uri in pools for name in (key, host(uri)) if name))

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
        vault = vault if vault and fits(name, vault) else ""
        sku = self.skus.get(name) or self.skus.get(vault, "")
        in_pool = name in self.pools or "/managedhsms/" in vault
        kind = store_of(name) or ("managed_hsm" if in_pool else "")
        if kind == "managed_hsm":
            return {"store": kind, "hsm_key": "yes"}
        named = f"key_vault_{sku}" if sku in ("standard", "premium") else ""
        store = named or kind or ("key_vault" if vault else "unknown")
        if store == "key_vault_standard":
            return {"store": store, "hsm_key": "no"}
        return {"store": store, "hsm_key": self._proof(url)}

    def _proof(self, url: str | None) -> str:
        """Say whether the version that a URL names is an HSM key: each version has a type of its own."""
        versions, wanted = self.hsm.get(key_name(url), {}), parse(url).version
        fitting = {found for version, found in versions.items() if wanted in ("", version)}
        return {True: "yes", False: "no", None: "unknown"}[fitting.pop() if len(fitting) == 1 else None]

    def of_set(self, url: str | None, vault: str | None, previous: str | None) -> dict[str, str]:
        """Say where the key of a set lies; its disks may still be under its previous keys (RULES K3).

        Parameters
        ----------
        url, vault : str or None
            As for `where`.
        previous : str or None
            JSON text of the previous keys.

        Returns
        -------
        dict
            As `where`; `hsm_key` is `unknown` unless the keys of a rotation under way are alike in it.
        """
        found, urls = self.where(url, vault), urls_in(previous)
        alike = urls is not None and {self.where(one, None)["hsm_key"] for one in urls} <= {found["hsm_key"]}
        return found if alike else found | {"hsm_key": "unknown"}
