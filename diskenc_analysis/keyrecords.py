"""What was read of vaults, managed HSMs and keys: few rows, so plain Python.

A value is text; `None` is what a wholly read object leaves out, and `unknown` what was not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from diskenc_analysis.frames import lazy, rows_of
from diskenc_analysis.keyurls import fits, host, key_name, parse
from diskenc_analysis.scopes import read_json

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

Record = dict[str, str | None]
UNREAD = "unknown"

_FLAGS = ("soft_delete", "purge_protection", "retention_days", "public_network_access")
#: `replicas` are the regions that a managed HSM was extended to.
_VAULT = (*_FLAGS, "enabled_for_disk_encryption", "rbac", "replicas")
_PLACE = ("id", "name", "location", "subscription_id", "tenant_id", "sku")
#: What stands at the head of an object, which is read even where its body is not.
_HEAD = ("key", *_PLACE[:4])
#: What is said of a vault or managed HSM, by name.
STORE = (*(f"vault_{n}" for n in _PLACE), *_VAULT)
#: What is said of a key.
KEY = (
    "kty",
    "key_size",
    "enabled",
    "not_before",
    "expires",
    "created",
    "exportable",
    "release_policy",
    "key_ops",
)


_ATTRIBUTES = ("enabled", "not_before", "expires", "created", "exportable")


def records(table: Any, columns: Sequence[str]) -> Iterator[Record]:
    """Read rows of a small table as text.

    Parameters
    ----------
    table : frame
        A canonical table of ARM resources.
    columns : sequence of str
        Which columns.

    Yields
    ------
    dict of str to str or None
        Booleans as `yes` and `no`, whole numbers without decimals; `unknown` where the reader doubts a value.
    """
    for doubt, *values in rows_of(lazy(table).select("doubt", *columns)):
        doubted = {part.partition(":")[0] for part in (doubt or "").split("; ")}
        yield {
            name: UNREAD if doubted & {name, "*"} and name not in _HEAD else _text(value)
            for name, value in zip(columns, values, strict=True)
        }


def _text(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def plain(text: str) -> str:
    """Reduce a region to what `West Europe` and `westeurope` share."""
    return text.replace(" ", "").lower()


def moment(value: str | None) -> str | None:
    """Write a time as ISO 8601 in UTC.

    Parameters
    ----------
    value : str or None
        Seconds since 1970, as Azure's REST replies give them, or ISO, as its tools print them.

    Returns
    -------
    str or None
        `unknown` for what is no time.

    Examples
    --------
    >>> moment("1740184047"), moment("2026-11-24T01:00:00+01:00"), moment("soon"), moment(None)
    ('2025-02-22T00:27:27Z', '2026-11-24T00:00:00Z', 'unknown', None)
    """
    if value is None:
        return None
    try:
        digits = value.replace(".", "", 1).isdigit()
        found = datetime.fromtimestamp(float(value), UTC) if digits else datetime.fromisoformat(value)
        aware = found if found.tzinfo else found.replace(tzinfo=UTC)
        return aware.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return UNREAD


@dataclass(frozen=True)
class Holdings:
    """The vaults, managed HSMs and keys of an inventory, to look up.

    Attributes
    ----------
    stores : dict
        Vaults and managed HSMs, by host and by key of their id.
    keys : dict
        The versions of each key that were read, by `keyurls.key_name`.
    """

    stores: dict[str, Record]
    keys: dict[str, list[Record]]

    @classmethod
    def of(cls, inv: Inventory) -> Holdings:
        """Read the vaults, managed HSMs and keys of an inventory."""
        stores: dict[str, Record] = {}
        places = ("key", *_PLACE)
        for table, uri, own in (
            (inv.key_vaults, "vault_uri", _VAULT[:-1]),
            (inv.managed_hsms, "hsm_uri", (*_FLAGS, "regions")),
        ):
            for found in records(table, (*places, uri, *own)):
                made = {f"vault_{n}": found[n] for n in _PLACE} | {n: found.get(n) for n in _VAULT}
                made["vault_sku"] = (made["vault_sku"] or "").lower() or None
                made["replicas"] = _replicas(found.get("regions"))
                names = (found["key"], host(found[uri]) if found[uri] != UNREAD else "")
                stores |= {name: made for name in names if name}
        keys: dict[str, list[Record]] = {}
        for found in records(inv.keys, ("id", "key_url", "modulus", *KEY)):
            if found["key_url"] not in (None, UNREAD):
                keys.setdefault(key_name(found["key_url"]), []).append(_key(found))
        return cls(stores, keys)

    def store(self, url: str | None, vault: str | None) -> Record:
        """Find the vault or managed HSM of a key, by its host, else by the vault's id where that fits.

        Returns
        -------
        dict
            With `store_read`, and all of it `unknown` where it was not read.
        """
        vault = vault if vault and fits(host(url), vault) else None
        found = self.stores.get(host(url)) or self.stores.get(vault or "")
        if found:
            return {"store_read": "yes", **found}
        parts = (vault or "").split("/")
        named = len(parts) > 8  # noqa: PLR2004 - /subscriptions/S/resourcegroups/G/providers/P/vaults/V
        place = (
            {"vault_id": vault, "vault_name": parts[8], "vault_subscription_id": parts[2]} if named else {}
        )
        return {"store_read": "no", **dict.fromkeys(STORE, UNREAD), **place}

    def key(self, url: str | None) -> Record:
        """Find a key in the version that a URL names, or in its newest one.

        Returns
        -------
        dict
            With `key_read`: `yes`, `no`, or `other_version`, whose facts say nothing of this one.
        """
        versions, wanted = self.keys.get(key_name(url), []), parse(url).version
        fitting = [one for one in versions if not wanted or one["version"] == wanted]
        ordered = len(fitting) == 1 or all(one["created"] not in (None, UNREAD) for one in fitting)
        if not fitting or not ordered:
            return {"key_read": "other_version" if versions else "no", **dict.fromkeys(KEY, UNREAD)}
        newest = max(fitting, key=lambda one: one["created"] or "")
        return {"key_read": "yes", **{name: newest[name] for name in KEY}}


def _replicas(text: str | None) -> str | None:
    """Name the regions that a managed HSM was extended to and that serve it, besides its primary one."""
    if text in (None, UNREAD):
        return text
    listed = [one for one in read_json(text, []) if isinstance(one, dict) and not one.get("isPrimary")]
    there = (one for one in listed if str(one.get("provisioningState", "Succeeded")).lower() == "succeeded")
    return " ".join(sorted(plain(str(one.get("name") or "")) for one in there)) or None


def _key(found: Record) -> Record:
    if found["enabled"] is None:  # a key always says it, so its attributes were not all read
        found |= {name: UNREAD for name in _ATTRIBUTES if found[name] is None}
    times = {name: moment(found[name]) for name in ("not_before", "expires", "created")}
    policy = "yes" if found["release_policy"] not in (None, UNREAD) else found["release_policy"]
    size = found["key_size"] or _bits(found["modulus"])
    lower = {name: (found[name] or "").lower() or None for name in ("kty", "key_ops")}
    own = {"version": parse(found["key_url"]).version, "release_policy": policy, "key_size": size}
    return found | times | lower | own


def _bits(modulus: str | None) -> str | None:
    """Work the size of an RSA key out of its modulus: base64 holds six bits a letter."""
    return modulus if modulus in (None, UNREAD) else str(len(modulus.rstrip("=")) * 6 // 8 * 8)
