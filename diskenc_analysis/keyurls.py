"""The URLs of keys and secrets, in all their spellings, and whose hosts they name (every cloud's)."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

# No `urlsplit`: it raises on what an export may well hold, such as an unclosed bracket.
_URL = re.compile(r"(?:[a-z][a-z0-9+.-]*://|//)?(?:[^/?#]*@)?([^/:?#@]*)(?::\d*)?(/[^?#]*)?")
_CLOUDS = r"(?:azure\.net|azure\.cn|usgovcloudapi\.net)"
_VAULT = re.compile(rf"[a-z0-9-]+\.vault\.{_CLOUDS}")
_HSM = re.compile(rf"[a-z0-9-]+\.managedhsm\.{_CLOUDS}")


class KeyUrl(NamedTuple):
    """What a key or secret URL says, in lower case; empty where it says nothing.

    Attributes
    ----------
    host : str
        Host of the vault or managed HSM, without port.
    kind : str
        `keys` or `secrets`.
    name, version : str
        The key, and its version; a URL without version means the newest.
    """

    host: str
    kind: str
    name: str
    version: str


def parse(url: str | None) -> KeyUrl:
    """Take a key, secret or vault URL apart.

    Parameters
    ----------
    url : str or None
        With or without scheme, port and version, in any case.

    Returns
    -------
    KeyUrl

    Examples
    --------
    >>> parse("HTTPS://Kv-1.vault.azure.net:443/keys/K/0123")
    KeyUrl(host='kv-1.vault.azure.net', kind='keys', name='k', version='0123')
    >>> parse("https://kv-1.vault.azure.net/keys/k/").version, parse(None).host
    ('', '')
    """
    found = _URL.match((url or "").strip().lower())
    path: str = (found and found[2]) or ""
    kind, name, version, *_ = [*path.strip("/").split("/"), "", "", ""]
    return KeyUrl(found[1] if found else "", kind, name, version)


def host(url: str | None) -> str:
    """Give the host of a key, secret or vault URL; empty where there is none.

    Examples
    --------
    >>> host("HTTPS://Kv-1.vault.azure.net:443/keys/k/0")
    'kv-1.vault.azure.net'
    """
    return parse(url).host


def key_name(url: str | None) -> str:
    """Give what all versions and spellings of a key's URL share: its host and its name.

    Examples
    --------
    >>> key_name("https://kv-1.vault.azure.net:443/keys/K/0123"), key_name("https://kv-1.vault.azure.net/keys/k/")
    ('kv-1.vault.azure.net#k', 'kv-1.vault.azure.net#k')
    """
    found = parse(url)
    return f"{found.host}#{found.name}"


def urls_in(keys: str | None) -> list[str] | None:
    """Give the URLs of a list of keys, as a disk encryption set names its previous ones.

    Parameters
    ----------
    keys : str or None
        JSON text: an array of objects with `keyUrl`.

    Returns
    -------
    list of str or None
        None where it is something else.

    Examples
    --------
    >>> urls_in('[{"keyUrl": "https://kv-1.vault.azure.net/keys/k/1"}]'), urls_in(None), urls_in("[1]")
    (['https://kv-1.vault.azure.net/keys/k/1'], [], None)
    """
    try:
        return [str(one["keyUrl"]) for one in json.loads(keys or "[]") or ()]
    except (ValueError, LookupError, TypeError):
        return None


def fits(name: str, vault: str) -> bool:
    """Say whether a host can be that of a vault or managed HSM with this id.

    Parameters
    ----------
    name : str
        A host in lower case, or the empty string, which fits all.
    vault : str
        Id of a vault or managed HSM, in lower case.

    Returns
    -------
    bool

    Examples
    --------
    >>> fits("kv-1.vault.azure.net", "/subscriptions/s/resourcegroups/g/providers/p/vaults/kv-1")
    True
    """
    return not name or name.partition(".")[0] == vault.strip("/").rpartition("/")[2]


def store_of(name: str) -> str:
    """Tell a vault from a managed HSM by its host (FACTS 6).

    Parameters
    ----------
    name : str
        A host in lower case.

    Returns
    -------
    str
        `key_vault`, `managed_hsm`, or the empty string for a host of no cloud that is known.

    Examples
    --------
    >>> store_of("kv.vault.usgovcloudapi.net"), store_of("hsm.managedhsm.azure.cn"), store_of("keys.example")
    ('key_vault', 'managed_hsm', '')
    """
    if _HSM.fullmatch(name):
        return "managed_hsm"
    return "key_vault" if _VAULT.fullmatch(name) else ""
