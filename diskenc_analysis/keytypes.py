"""What the policy on key types says of the key of each disk encryption set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals as nw

from diskenc_analysis.allowlists import allow_lists, allowed
from diskenc_analysis.frames import Frame, helper, lazy, rows_of, unless_doubted
from diskenc_analysis.keyurls import host, key_name, store_of
from diskenc_analysis.policy_rules import disk_policy_rules

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

#: What the policy allows where its assignment names nothing (definition 75c4f823, version 1.0.1).
_DEFAULT = ("RSA", "RSA-HSM", "EC", "EC-HSM")


def key_types(inv: Inventory) -> Frame:
    """Say of the key of each set whether its type is allowed where its vault is.

    Parameters
    ----------
    inv : Inventory
        With `disk_encryption_sets`, `key_vaults`, `keys` and `policy_assignments`.

    Returns
    -------
    Frame
        `used_set` (key of the set) and `key_type`: `yes`, `no`, `unknown`, `no_list`, or `managed_hsm`, since
        the policy looks at vaults alone.
    """
    policy = disk_policy_rules()["policy_key_types"]["policy_id"]
    lists = allow_lists(inv, policy, "allowedKeyTypes", _DEFAULT)
    vaults = {
        host(uri): key for key, uri in rows_of(lazy(inv.key_vaults).select("key", "vault_uri")) if host(uri)
    }
    types: dict[str, set[str]] = {}
    kty = unless_doubted(nw.col("kty"), None, "kty")
    for url, word in rows_of(lazy(inv.keys).select("key_url", kty=kty)):
        types.setdefault(key_name(url), set()).add(word or "")

    def judge(url: str, vault: str) -> str:
        if store_of(host(url)) == "managed_hsm":
            return "managed_hsm"
        place = (vaults.get(host(url)) or vault).partition("/providers/")[0]
        found = types.get(key_name(url), set())
        if not lists:
            return "no_list"
        return allowed(lists, place, *found) if place and len(found) == 1 and "" not in found else "unknown"

    columns = ("key", "key_url", "vault_id_key")
    rows = rows_of(lazy(inv.disk_encryption_sets).select(*columns))
    made = [{"used_set": key, "key_type": judge(url or "", vault or "")} for key, url, vault in rows]
    return helper(inv, "set_key_types", made, ["used_set", "key_type"])
