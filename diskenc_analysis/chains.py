"""Every way from a disk to a key: by a disk encryption set, or by the settings of Azure Disk Encryption.

A chain has a name, and facts of the set, the key and the vault; values are as in `keyrecords`. Chains are
few (a set or a key serves many disks), so they are plain Python; the disks are joined by the chain's name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from diskenc_analysis.frames import Frame
from diskenc_analysis.inventory import Inventory, once
from diskenc_analysis.keyrecords import KEY, STORE, UNREAD, Holdings, Record, moment, records
from diskenc_analysis.keys import SET_TYPES, ade_refs, subscriptions, unread_set
from diskenc_analysis.keystores import KeyStores
from diskenc_analysis.keyurls import fits, host, key_name, parse, store_of, urls_in

_SET = {
    "id": "set_id",
    "name": "set_name",
    "location": "set_location",
    "subscription_id": "set_subscription_id",
    "identity_type": "identity",
    "auto_rotation": "auto_rotation",
    "rotation_error": "rotation_error",
    "federated_client_id": "federated_client_id",
}
#: What is said of a disk encryption set.
SET = (*_SET.values(), "set_type", "last_rotation", "previous_keys", "previous_enabled")
#: What is said of a key's URL.
URL = ("key_url", "key_host", "key_name", "key_version")
_OF_KEY = (*URL, "secret_host", "store", "hsm_key", "store_read", *STORE, "key_read", *KEY)
_ALL = (*SET, *_OF_KEY)


@dataclass(frozen=True)
class Chains:
    """The chains of an inventory.

    Attributes
    ----------
    inv : Inventory
        What was read.
    """

    inv: Inventory

    @cached_property
    def holdings(self) -> Holdings:
        """Its vaults, managed HSMs and keys."""
        return Holdings.of(self.inv)

    @cached_property
    def stores(self) -> KeyStores:
        """The same as the verdict sees them."""
        return KeyStores.of(self.inv)

    @cached_property
    def sets(self) -> dict[str, Record]:
        """The chain of every disk encryption set, by its key."""
        own = ("encryption_type", "key_url", "vault_id", "vault_id_key", "last_rotation", "previous_keys")
        columns = ("key", *_SET, *own)
        return {
            one["key"] or "": self._of_set(one) for one in records(self.inv.disk_encryption_sets, columns)
        }

    @cached_property
    def _read(self) -> set[str]:
        return subscriptions(self.inv)

    def of_set(self, key: str) -> Record:
        """Give the chain of a set, also of one that disks name and that was not read."""
        if key in self.sets:
            return self.sets[key]
        seen = unread_set(key, self._read)[""] == "missing"
        why = "the disk encryption set is not in the inventory"
        why += "" if seen else ": it lies in a subscription that was not read"
        parts = key.split("/")
        named = {
            "set_id": key,
            "set_name": parts[-1],
            "set_subscription_id": parts[2] if parts[2:] else UNREAD,
        }
        return {**dict.fromkeys(_ALL, UNREAD), **named, "chain": key, "use": "set", "reason": why}

    def ade(self) -> Iterator[tuple[str, Frame, dict[str, Record]]]:
        """Give the keys of Azure Disk Encryption from every place, nearest first (RULES K1).

        Yields
        ------
        by : str
            `disk_key` or `vm_key`.
        frame : Frame
            `by` and `ref`, one row per volume.
        chains : dict
            The chain behind each value of `ref`; none behind one that is in doubt.
        """
        for part, by, frame, refs in ade_refs(self.inv):
            sure = {ref: facts for ref, facts in refs.items() if facts["kek"] != "mixed"}
            yield by, frame.rename({part: "ref"}), {ref: self._of_ade(**facts) for ref, facts in sure.items()}

    def _of_set(self, one: Record) -> Record:
        made = {theirs: one[ours] for ours, theirs in _SET.items()}
        federated = made["federated_client_id"]
        made["federated_client_id"] = None if (federated or "").lower() == "none" else federated
        kind = one["encryption_type"]
        made["set_type"] = SET_TYPES.get((kind or "").lower(), UNREAD)
        made["last_rotation"] = moment(one["last_rotation"])
        previous = one["previous_keys"]
        made["previous_keys"] = _previous(previous)
        made["previous_enabled"] = self._enabled(urls_in(previous))
        url, vault = one["key_url"], one["vault_id_key"]
        chain = {"chain": one["key"], "use": "set", **made}
        if UNREAD in (url, one["vault_id"]):
            unread = dict.fromkeys(_OF_KEY, UNREAD)
            return {**chain, **unread, "reason": "what names its key cannot be trusted"}
        chain |= self.of_key(url, vault) | self.stores.of_set(url, vault, previous)
        return {**chain, "reason": _reasons(chain, other=bool(vault) and not fits(host(url), str(vault)))}

    def _enabled(self, urls: list[str] | None) -> str | None:
        """Say whether all keys of an earlier rotation are enabled: what is still under them needs them."""
        if urls is None:
            return UNREAD
        found = {self.holdings.key(url)["enabled"] or UNREAD for url in urls}
        return next((word for word in ("no", UNREAD, "yes") if word in found), None)

    def _of_ade(self, kek: str, url: str, vault: str, secret: str) -> Record:
        use = "ade_key" if kek == "yes" else "ade_secret"
        found, keeper = parse(url), parse(secret).host
        name = f"{use}:{found.host}#{found.name}#{found.version}#{keeper}"
        chain = {"chain": name, "use": use, **dict.fromkeys(SET), **self.of_key(url, vault or None)}
        chain["secret_host"] = keeper or None
        if use == "ade_secret":  # a secret is no key, whatever the tier of its vault (RULES K3)
            chain |= {"hsm_key": "no", "key_read": None, **dict.fromkeys(KEY)}
        return {**chain, "reason": _reasons(chain)}

    def of_key(self, url: str | None, vault: str | None) -> Record:
        """Give what is known of a key by its URL, and of the vault or managed HSM that keeps it."""
        found, where = parse(url), self.stores.where(url, vault)
        named = dict(zip(URL, (url, found.host, found.name, found.version), strict=True))
        known = {n: v or None for n, v in named.items()} | {"secret_host": None}
        return {**known, **where, **self.holdings.store(url, vault), **self.holdings.key(url)}


@once
def chains_of(inv: Inventory) -> Chains:
    """Give the chains of an inventory, the same each time."""
    return Chains(inv)


def _previous(text: str | None) -> str | None:
    """Name the keys of an earlier rotation that are still in use: host, name and version."""
    urls = urls_in(text)
    if urls is None:
        return UNREAD
    names = (f"{key_name(url)}#{parse(url).version}" for url in urls)
    return " ".join(name.replace(" ", "%20") for name in names) or None


def previous_keys(chain: Record) -> list[tuple[str, str]]:
    """Give host and name of the keys of an earlier rotation that a set still needs."""
    names = [] if chain["previous_keys"] in (None, UNREAD) else str(chain["previous_keys"]).split()
    return [(keeper, key) for keeper, key, _ in (name.split("#") for name in names)]


def _reasons(chain: Record, *, other: bool = False) -> str:
    """Say where a chain breaks off, and what is therefore unknown."""
    url, kind = chain["key_url"], store_of(chain["key_host"] or "")
    cases = {
        "no key is named": not url,
        "its host is of no known cloud": bool(url) and chain["store_read"] == "no" and not kind,
        "the vault that is named beside the key is another one": other,
        "its vault is not in the inventory": kind == "key_vault" and chain["store_read"] == "no",
        "its managed HSM is not in the inventory": kind == "managed_hsm" and chain["store_read"] == "no",
        "the key is not in the inventory": bool(url) and chain["key_read"] == "no",
        "only other versions of the key are in the inventory": chain["key_read"] == "other_version",
    }
    return "; ".join(words for words, holds in cases.items() if holds)
