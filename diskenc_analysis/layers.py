"""What the layers of a disk amount to: the label, the key owner and store, and the contradictions.

The rules are RULES L8, K1 and K2; every function takes the facts of one profile and its layers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Facts = Mapping[str, str]
#: Confidential values that are encryption of the disk itself.
ENCRYPTED = ("platform", "customer")
_CONFIDENTIAL_VM = (*ENCRYPTED, "guest_state_only", "non_persisted_tpm")


@dataclass(frozen=True)
class Layers:
    """The verdict on the layers of one profile.

    Attributes
    ----------
    sse, host, ade, confidential : str
        Values as in the column of that name.
    method, key_owner, key_store : str
        What follows from them.
    conflicts, evidence : tuple of str
        Contradictions, and which fields decided, with the numbers of the rules.
    disputed : mapping of str to str
        The layers on which sources contradict each other, and what the other source says.
    """

    sse: str
    host: str
    ade: str
    confidential: str
    method: str = "unknown"
    key_owner: str = "unknown"
    key_store: str = "unknown"
    kek: str = "unknown"
    conflicts: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    disputed: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Notes:
    """What is said while the layers of one profile are decided."""

    conflicts: list[str] = field(default_factory=list)
    evidence: list[str] = field(default_factory=list)
    disputed: dict[str, str] = field(default_factory=dict)


def listed_value(facts: Facts) -> str:
    """Give the confidential layer as the VM states it for its OS disk."""
    if facts["conf_list"] == "disk":
        return "customer" if facts["conf_list_set"] == "yes" else "platform"
    return "unknown" if facts["conf_list"] == "unrecognised" else facts["conf_list"]


def own_value(facts: Facts, layers: Layers) -> str:
    """Give the confidential layer as the disk itself states it, and the decided one where it is silent."""
    if facts["conf_disk"] == "trusted_launch":
        return "off"
    return facts["conf_disk"] if facts["conf_disk"] in _CONFIDENTIAL_VM else layers.confidential


def find_conflicts(facts: Facts, layers: Layers, notes: Notes) -> None:
    """List the contradictions; the layers keep what the data says (RULES L8)."""
    by_customer = layers.sse in ("customer", "platform_and_customer")
    listed = listed_value(facts) if facts["conf_list"] not in ("", "none") else layers.confidential
    own = own_value(facts, layers)
    differ = facts["role"] == "os" and listed not in ("unknown", own)
    stray = facts["vm_kind"] == "other" and facts["conf_disk"] in _CONFIDENTIAL_VM
    if differ:
        notes.disputed["confidential"] = listed if own == layers.confidential else own
    elif stray:
        notes.disputed["confidential"] = "off"
    volume = facts["ext"] == "enable" and facts["os"] == "windows" and facts["ext_volume"] == "data"
    cases = {
        "captures of this disk differ, and their order is not known": facts["captures"] == "differ",
        "captures of its VM differ, and their order is not known": facts["vm_captures"] == "differ",
        "Azure Disk Encryption with encryption at host": layers.ade == "on"
        and layers.host in ("on", "partial"),
        "once under Azure Disk Encryption, with encryption at host": layers.ade == "was_on"
        and layers.host == "on",
        "once under Azure Disk Encryption, with a customer key": layers.ade == "was_on" and by_customer,
        "Azure Disk Encryption with a customer key on storage encryption": layers.ade == "on" and by_customer,
        "disk and disk encryption set of different types": (by_customer and _other_type(facts, layers))
        or (
            layers.confidential == "customer" and facts["secure_type"] not in ("", "unknown", "confidential")
        ),
        "the disk encryption set lies in no subscription that was read": "unread_subscription"
        in (facts["des"], facts["secure"]),
        "platform key, yet a disk encryption set is named": layers.sse == "platform"
        and facts["des"] != "none",
        "disk and VM differ on confidential encryption": differ,
        "confidential disk on a VM that is not confidential": stray,
        "Windows VM with a data-only volume type": volume,
    }
    notes.conflicts += [text for text, found in cases.items() if found]


def _other_type(facts: Facts, layers: Layers) -> bool:
    return facts["des_type"] not in ("", "unknown", layers.sse)


def key_owner(layers: Layers, notes: Notes) -> str:
    """Name who controls the key, by the first layer that has one (RULES K1)."""
    found = {owner_of(c, a, layers) for c in possible(layers.confidential) for a in possible(layers.ade)}
    if len(found) > 1:
        notes.evidence.append("whose key it is hangs on a layer that was not read [K1]")
        return "unknown"
    return found.pop()


def possible(value: str) -> tuple[bool, ...]:
    """Say whether a layer is active: both answers where that is unknown."""
    return (True, False) if value == "unknown" else (value in ("on", *ENCRYPTED),)


def owner_of(confidential: bool, ade: bool, layers: Layers) -> str:
    """Name the key owner where it is settled which layers are active."""
    if confidential:
        return layers.confidential
    if ade:
        return {"yes": "customer", "no": "customer_secret"}.get(layers.kek, "unknown")
    return "unknown" if layers.sse == "storage_account" else layers.sse


def key_store(facts: Facts, layers: Layers) -> str:
    """Name where the key lies that `key_owner` speaks of (RULES K2)."""
    if "unknown" in (layers.confidential, layers.ade):
        return "unknown"
    if layers.confidential in ENCRYPTED:
        return facts["secure_store"] or "unknown" if layers.confidential == "customer" else "platform"
    if layers.ade == "on":
        return facts["store"]
    if layers.sse in ("customer", "platform_and_customer"):
        return facts["des_store"] or "unknown"
    return "platform" if layers.sse == "platform" else "unknown"


def method_label(facts: Facts, layers: Layers) -> str:
    """Give the one label for charts; a layer not read that would come first makes it unknown."""
    if facts["kind"] == "unmanaged_disk":
        return "unmanaged"
    for label, value, on in (
        ("confidential", layers.confidential, ENCRYPTED),
        ("ade", layers.ade, ("on",)),
        ("host", layers.host, ("on",)),
    ):
        if value == "unknown":
            return "unknown"
        if value in on:
            return label
    return "sse"
