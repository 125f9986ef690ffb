"""What the policy on key types says of the keys of disk encryption sets and of Azure Disk Encryption."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import narwhals as nw

from diskenc_analysis.allowlists import AllowList, allow_lists, allowed
from diskenc_analysis.frames import Frame, choose, helper, lazy, rows_of, unless_doubted
from diskenc_analysis.keys import ade_refs
from diskenc_analysis.keyurls import host, key_name, store_of
from diskenc_analysis.policy_rules import disk_policy_rules

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

#: What the policy allows where its assignment names nothing (definition 75c4f823, version 1.0.1).
_DEFAULT = ("RSA", "RSA-HSM", "EC", "EC-HSM")
#: What is said of a key, the word that counts among several first; `none` is a secret without a key.
_WORST = ("no", "unknown", "no_list", "yes", "managed_hsm", "none")


@dataclass(frozen=True)
class KeyTypes:
    """What is known of the types of keys, and which types are allowed where.

    Attributes
    ----------
    lists : list of AllowList
        What the assignments of the policy allow.
    vaults : dict of str to str
        Key of each vault by its host.
    types : dict of str to set of str
        Types of the versions of each key that were read; an empty one was not read.
    """

    lists: list[AllowList]
    vaults: dict[str, str]
    types: dict[str, set[str]]

    @classmethod
    def of(cls, inv: Inventory) -> KeyTypes:
        """Read the vaults, the keys and the assignments of an inventory."""
        policy = disk_policy_rules()["policy_key_types"]["policy_id"]
        uris = rows_of(lazy(inv.key_vaults).select("key", "vault_uri"))
        types: dict[str, set[str]] = {}
        kty = unless_doubted(nw.col("kty"), None, "kty")
        for url, word in rows_of(lazy(inv.keys).select("key_url", kty=kty)):
            types.setdefault(key_name(url), set()).add(word or "")
        lists = allow_lists(inv, policy, "allowedKeyTypes", _DEFAULT)
        return cls(lists, {host(uri): key for key, uri in uris if host(uri)}, types)

    def judge(self, url: str | None, vault: str | None) -> str:
        """Say whether the type of a key is allowed where its vault is, one of `_WORST` but for `none`."""
        if store_of(host(url)) == "managed_hsm":
            return "managed_hsm"
        if not self.lists:
            return "no_list"
        place = (self.vaults.get(host(url)) or vault or "").partition("/providers/")[0]
        found = self.types.get(key_name(url), set())
        sure = place and len(found) == 1 and "" not in found
        return allowed(self.lists, place, *found) if sure else "unknown"


def set_key_types(inv: Inventory, keys: KeyTypes) -> Frame:
    """Say of the key of each set whether its type is allowed where its vault is.

    Parameters
    ----------
    inv : Inventory
        With `disk_encryption_sets`.
    keys : KeyTypes
        What is known of its keys.

    Returns
    -------
    Frame
        `used_set` (key of the set) and `key_type`: `yes`, `no`, `unknown`, `no_list`, or `managed_hsm`, since
        the policy looks at vaults alone.
    """
    rows = rows_of(lazy(inv.disk_encryption_sets).select("key", "key_url", "vault_id_key"))
    made = [{"used_set": key, "key_type": keys.judge(url, vault)} for key, url, vault in rows]
    return helper(inv, "set_key_types", made, ["used_set", "key_type"])


def kek_types(inv: Inventory, keys: KeyTypes) -> Iterator[tuple[str, Frame]]:
    """Say the same of the key-encryption keys of Azure Disk Encryption, from every place that names them.

    Parameters
    ----------
    inv : Inventory
        The tables as read.
    keys : KeyTypes
        What is known of its keys.

    Yields
    ------
    by : str
        `disk_key` or `vm_key`; the nearest place first, as `keys.ade_refs` gives them.
    frame : Frame
        `by` and `kek_type`: the word that counts among the volumes, besides those of a set `none`, for a
        secret is no key, and the policy does not look at secrets.
    """
    for part, by, frame, refs in ade_refs(inv):
        judged = {ref: _of_volume(facts, keys) for ref, facts in refs.items()}
        ranks = [{part: ref, "rank": str(_WORST.index(word))} for ref, word in judged.items()]
        ranked = frame.join(helper(inv, f"kek_ranks_{part}", ranks, [part, "rank"]), on=part, how="left")
        worst = ranked.group_by(by).agg(nw.col("rank").min())
        said = choose([(nw.col("rank") == str(n), word) for n, word in enumerate(_WORST)], "unknown")
        yield by, worst.select(by, kek_type=said)


def _of_volume(facts: Mapping[str, str], keys: KeyTypes) -> str:
    known = {"no": "none", "mixed": "unknown"}
    return known.get(facts["kek"]) or keys.judge(facts["url"], facts["vault"])
