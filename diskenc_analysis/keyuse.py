"""What it means that disks use a key: who holds it, where it lies, and which link is missing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from diskenc_analysis.chains import URL, Chains
from diskenc_analysis.errors import ParameterError
from diskenc_analysis.keyrecords import UNREAD, Record

_OF_CHAIN = ("set_id", "set_type", *URL, "vault_id", "vault_sku")
RESOLVED = (
    *("chain", "holder", "needed", "store", "hsm_key", *_OF_CHAIN, "key_subscription_id", "key_tenant_id"),
    *("tenant_id", "other_subscription", "other_tenant", "key_state", "reason"),
)


class Use(NamedTuple):
    """What all disks share that use a key in the same way from the same subscription."""

    layer: str
    state: str
    chain: str
    kind: str
    subscription_id: str


def resolved(
    use: Use, chains: Chains, ade: Mapping[str, Record], tenants: Mapping[str, str | None], day: str
) -> Record:
    """Fill the columns of a use; of what it does not reach, all that lies behind is unknown."""
    chain = (ade[use.chain] if use.layer == "ade" else chains.of_set(use.chain)) if use.chain else None
    holder, tenant = _holder(use, chain), tenants.get(use.subscription_id) or UNREAD
    shared = {"holder": holder, "tenant_id": tenant, "reason": _reason(use, chain)}
    if chain is None:
        platform = holder == "platform"
        store = {"store": "platform", "hsm_key": "no"} if platform else {}
        beyond = dict.fromkeys(RESOLVED, None if platform else UNREAD) | {"chain": None}
        return beyond | shared | {"needed": "yes" if use.state in _SURE else UNREAD} | store
    doubted = use.state not in _SURE or holder == "platform"
    key_tenant = chain["vault_tenant_id"] or UNREAD
    place = {
        "key_subscription_id": chain["vault_subscription_id"],
        "key_tenant_id": key_tenant,
        "other_subscription": differs(chain["vault_subscription_id"], use.subscription_id),
        "other_tenant": _other_tenant(chain, key_tenant, tenant),
        "key_state": key_state(chain, day),
    }
    own = {n: chain[n] for n in ("chain", "store", "hsm_key", *_OF_CHAIN)}
    own |= {"store": "platform", "hsm_key": "no"} if holder == "platform" else {}
    return own | place | shared | {"needed": UNREAD if doubted else "yes"}


_SURE = ("platform", "customer", "platform_and_customer", "on")


def _holder(use: Use, chain: Record | None) -> str:
    if use.layer != "ade":
        return use.state if use.state in _SURE else UNREAD
    if use.state != "on" or chain is None:
        return UNREAD
    return "customer" if chain["use"] == "ade_key" else "customer_secret"


def _reason(use: Use, chain: Record | None) -> str:
    named = chain is not None
    cases = {
        "unmanaged: its storage account encrypts it, whose key was not read": use.state == "storage_account",
        "the documents differ on whether an ephemeral OS disk uses the set that its VM names": named
        and use.kind == "ephemeral_os_disk",
        "encryption.type was not read": use.layer == "sse" and use.state == UNREAD and not named,
        "encryption.type was not read, yet a disk encryption set is named": use.layer == "sse"
        and (use.state == UNREAD and named and use.kind != "ephemeral_os_disk"),
        "platform key, yet a disk encryption set is named": use.state == "platform" and named,
        "whether confidential encryption is on was not read": use.layer == "confidential"
        and use.state == UNREAD,
        "whether Azure Disk Encryption is on was not read": use.layer == "ade" and use.state == UNREAD,
        "no disk encryption set is named": use.state in _BY_SET and not named,
        "Azure Disk Encryption names no key or secret that could be read": use.layer == "ade" and not named,
    }
    words = [text for text, holds in cases.items() if holds]
    return "; ".join(filter(None, [*words, (chain or {}).get("reason")]))


_BY_SET = ("customer", "platform_and_customer")


def differs(one: str | None, other: str | None) -> str:
    """Say whether two ids differ; of one that was not read it is unknown."""
    if UNREAD in (one, other) or not one or not other:
        return UNREAD
    return "no" if one.lower() == other.lower() else "yes"


def _other_tenant(chain: Record, key_tenant: str, tenant: str) -> str:
    """Say whether the key lies in another tenant; a set reaches one through a federated client alone."""
    if chain["federated_client_id"] not in (None, UNREAD):
        return "yes"
    found = differs(key_tenant, tenant)
    by_set = chain["use"] == "set" and chain["federated_client_id"] is None
    return "no" if found == UNREAD and by_set else found


def day_of(as_of: str | date) -> str:
    """Write the day that is judged on.

    Parameters
    ----------
    as_of : str or date
        As YYYY-MM-DD; empty where none is stated.

    Returns
    -------
    str
        The same day, or the empty text.

    Raises
    ------
    ParameterError
        When it is no day.

    Examples
    --------
    >>> day_of(date(2026, 11, 24)), day_of("")
    ('2026-11-24', '')
    """
    text = as_of.isoformat() if isinstance(as_of, date) else as_of
    try:
        return date.fromisoformat(text).isoformat() if text else ""
    except ValueError:
        raise ParameterError(f"as_of: expected a day as YYYY-MM-DD, got {as_of!r}") from None


def key_state(chain: Record, day: str) -> str:
    """Say whether a key can be used on a day.

    Parameters
    ----------
    chain : dict
        With `enabled`, `not_before` and `expires`.
    day : str
        As YYYY-MM-DD, or empty where none is stated.

    Returns
    -------
    str
        `usable`, `disabled`, `expired`, `not_yet_valid`, or `unknown`; `not_a_key` for a secret of Azure Disk
        Encryption.

    Examples
    --------
    >>> key_state({"enabled": "yes", "not_before": None, "expires": "2026-11-24T00:00:00Z"}, "2026-11-23")
    'usable'
    >>> key_state({"enabled": "yes", "not_before": None, "expires": "2026-11-24T00:00:00Z"}, "2026-11-24")
    'expired'
    """
    enabled, begins, expires = chain["enabled"], chain["not_before"], chain["expires"]
    if chain.get("use") == "ade_secret":
        return "not_a_key"
    if enabled == "no":
        return "disabled"
    if expires and expires != UNREAD and day and expires[:10] <= day:
        return "expired"
    if begins and begins != UNREAD and day and begins[:10] > day:
        return "not_yet_valid"
    dated = [one for one in (begins, expires) if one is not None]
    sure = enabled == "yes" and UNREAD not in dated and (bool(day) or not dated)
    return "usable" if sure else UNREAD
