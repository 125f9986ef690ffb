"""Which layers protect a disk, decided from its facts, with the evidence in words (RULES L1-L8, K1, K2).

Every function takes one profile: a dict of the facts that `facts` gives, shared by all disks that are alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Facts = Mapping[str, str]
#: Confidential values that are encryption of the disk itself.
ENCRYPTED = ("platform", "customer")
_NAMED = ("platform", "customer", "platform_and_customer")


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


@dataclass
class _Notes:
    conflicts: list[str] = field(default_factory=list)
    evidence: list[str] = field(default_factory=list)


def decide(facts: Facts) -> Layers:
    """Decide the layers, the method and the key owner of one profile.

    Parameters
    ----------
    facts : mapping
        The facts of one profile, as `facts.disk_facts` gives them.

    Returns
    -------
    Layers
    """
    notes = _Notes()
    sse, host = _sse(facts, notes), _host(facts, notes)
    ade, confidential = _ade(facts, notes), _confidential(facts, notes)
    _sets(facts, notes)
    kek = facts["kek"] if facts["kek"] in ("yes", "no") else "unknown"
    layers = Layers(sse, host, ade, confidential, kek=kek)
    _find_conflicts(facts, layers, notes)
    owner = _key_owner(layers, notes)
    return Layers(
        sse,
        host,
        ade,
        confidential,
        _method(facts, layers),
        owner,
        _key_store(facts, layers),
        kek,
        tuple(notes.conflicts),
        tuple(notes.evidence),
    )


def _sse(facts: Facts, notes: _Notes) -> str:
    if facts["kind"] == "unmanaged_disk":
        notes.evidence.append("unmanaged VHD: encrypted by its storage account [C10]")
        return "storage_account"
    if facts["kind"] == "ephemeral_os_disk":
        named = facts["list_set"] == "yes"
        notes.evidence.append(
            f"ephemeral OS disk, the VM names {'a' if named else 'no'} disk encryption set [C9]"
        )
        return "unknown" if named else "platform"
    fact = facts["sse_fact"]
    if fact in _NAMED:
        notes.evidence.append(f"encryption.type is {fact.replace('_', ' ')} key [L1]")
        return fact
    why = {
        "unrecognised": "encryption.type is not a known value",
        "no_row": "the VM lists this disk, but it is not in the inventory",
    }
    notes.evidence.append(f"{why.get(fact, 'encryption.type is not stated')} [L1]")
    return "unknown"


def _sets(facts: Facts, notes: _Notes) -> None:
    for name in ("des", "secure"):
        if facts[name] in ("missing", "unread_subscription"):
            notes.evidence.append("its disk encryption set was not read: key store and HSM unknown [L1]")


def _host(facts: Facts, notes: _Notes) -> str:
    if facts["attachment"] == "unattached":
        notes.evidence.append("snapshot [L2]" if facts["kind"] == "snapshot" else "no VM owns it [L2]")
        return "not_attached"
    states = set(facts["host_states"].strip("+").split("+")) - {""}
    if facts["attachment"] == "unknown" or not states:
        notes.evidence.append("which VM owns it is not stated [L2]")
        return "unknown"
    if facts["model_host"] in ("on", "off") and states == {"on", "off"} - {facts["model_host"]}:
        notes.evidence.append(f"the model of its scale set says {facts['model_host']}: the instance counts [L2]")
    if facts["aks"] == "yes":
        notes.evidence.append("node of an AKS pool")
    if states in ({"on"}, {"off"}):
        state = states.pop()
        value = "true" if state == "on" else "absent or false"
        notes.evidence.append(f"encryptionAtHost of its VM is {value} [L2]")
        return state
    if states >= {"on", "off"}:
        notes.evidence.append("encryptionAtHost differs among the VMs that share it [L2]")
        return "partial"
    notes.evidence.append("encryptionAtHost of its VM was not read [L2]")
    return "unknown"


def _ade(facts: Facts, notes: _Notes) -> str:
    if facts["kind"] == "ephemeral_os_disk":
        return "off"
    for step in (_ade_of_disk, _ade_of_status, _ade_of_vm, _ade_of_extension):
        if found := step(facts, notes):
            return found
    if facts["flag"] in ("doubt", "no_row", "unclear") and facts["kind"] != "unmanaged_disk":
        notes.evidence.append("the disk's encryption settings were not read [L3]")
        return "unknown"
    notes.evidence.append("no sign of Azure Disk Encryption [L3]")
    return "off"


def _ade_of_disk(facts: Facts, notes: _Notes) -> str:
    if facts["flag"] == "on":
        notes.evidence.append("the disk's encryptionSettings say enabled [L3.1]")
        return "on"
    if facts["flag"] == "was_on":
        status = facts["status"]
        notes.evidence.append("the disk's encryptionSettings say disabled: it protects nothing [L3.1, L4]")
        notes.evidence.append("not eligible for encryption at host or a customer key on the same disk [L4]")
        if status == "not_encrypted":
            notes.evidence.append("the instance view says notEncrypted [L4]")
        if status == "encrypted":
            notes.conflicts.append(
                "disk says Azure Disk Encryption is disabled, instance view says encrypted"
            )
        if facts["ext"] == "enable":
            notes.conflicts.append("extension says Enable on a disk that says disabled")
        return "was_on"
    return ""


def _ade_of_status(facts: Facts, notes: _Notes) -> str:
    answers = {"encrypted": "on", "not_encrypted": "off", "unclear": "unknown"}
    if found := answers.get(facts["status"], ""):
        notes.evidence.append(f"the instance view says {facts['status'].replace('_', ' ')} [L3.2]")
    return found


def _ade_of_vm(facts: Facts, notes: _Notes) -> str:
    """Read the generation with an Entra app, which leaves no flag on the disk."""
    if facts["role"] == "os" and facts["vm_flag"] in ("on", "off"):
        on = facts["vm_flag"] == "on"
        notes.evidence.append(
            f"the VM's osDisk.encryptionSettings say {'enabled' if on else 'disabled'} [L3.3]"
        )
        return "on" if on else "was_on"
    said = facts["sub_os"] if facts["role"] == "os" else facts["sub_data"]
    if facts["ext_age"] == "old" and said in ("encrypted", "not_encrypted"):
        notes.evidence.append(f"the extension's substatus says {said.replace('_', ' ')} [L3.3]")
        return "on" if said == "encrypted" else "off"
    return ""


def _ade_of_extension(facts: Facts, notes: _Notes) -> str:
    if facts["ext"] not in ("enable", "enable_failed", "unclear"):
        return ""
    if facts["vm_kind"] == "confidential":
        notes.evidence.append("the extension alone says nothing on a confidential VM [L6]")
        return ""
    other = {"os": "data", "data": "os"}.get(facts["ext_volume"])
    if facts["vm_flagged"] == "yes" or facts["role"] == other:
        notes.evidence.append("the extension is there, but it did not mark this disk [L3.4]")
        return ""
    notes.evidence.append("only the extension speaks of Azure Disk Encryption [L3.4]")
    notes.conflicts.append("extension says Enable and nothing else does")
    return "unknown"


def _confidential(facts: Facts, notes: _Notes) -> str:
    fact = facts["conf_disk"]
    if fact in (*ENCRYPTED, "guest_state_only", "non_persisted_tpm"):
        return _said(fact, "the disk's securityType", notes)
    if fact == "unrecognised":
        notes.evidence.append("securityType is not a known value [L5]")
        return "unknown"
    if facts["role"] == "os" and facts["conf_list"] not in ("", "none"):
        return _said(_listed(facts), "the VM's securityEncryptionType", notes)
    unread = fact in ("doubt", "no_row") and facts["vm_kind"] != "other"
    if unread or (facts["role"] == "os" and facts["vm_kind"] == "confidential"):
        if facts["kind"] == "ephemeral_os_disk" and facts["vm_kind"] == "other":
            return "off"
        notes.evidence.append("securityType was not read [L5]")
        return "unknown"
    return "off"


def _listed(facts: Facts) -> str:
    if facts["conf_list"] == "disk":
        return "customer" if facts["conf_list_set"] == "yes" else "platform"
    return "unknown" if facts["conf_list"] == "unrecognised" else facts["conf_list"]


def _said(value: str, who: str, notes: _Notes) -> str:
    notes.evidence.append(f"{who} says {value.replace('_', ' ')} [L5]")
    if value in ("guest_state_only", "non_persisted_tpm"):
        notes.evidence.append("guest encryption not visible [L5]")
    if value != "unknown":
        notes.evidence.append("the vTPM and guest state of a confidential VM are always encrypted [L5]")
    return value


def _find_conflicts(facts: Facts, layers: Layers, notes: _Notes) -> None:
    """List the contradictions; the layers keep what the data says (RULES L8)."""
    by_customer = layers.sse in ("customer", "platform_and_customer")
    listed = _listed(facts) if facts["conf_list"] not in ("", "none") else layers.confidential
    volume = facts["ext"] == "enable" and facts["os"] == "windows" and facts["ext_volume"] == "data"
    cases = {
        "captures of this disk differ, and their order is not known": facts["captures"] == "differ",
        "Azure Disk Encryption with encryption at host": layers.ade == "on"
        and layers.host in ("on", "partial"),
        "once under Azure Disk Encryption, with encryption at host": layers.ade == "was_on"
        and layers.host == "on",
        "Azure Disk Encryption with a customer key on storage encryption": layers.ade == "on" and by_customer,
        "disk and disk encryption set of different types": (by_customer and _other_type(facts, layers))
        or (
            layers.confidential == "customer" and facts["secure_type"] not in ("", "unknown", "confidential")
        ),
        "the disk encryption set lies in no subscription that was read": "unread_subscription"
        in (facts["des"], facts["secure"]),
        "platform key, yet a disk encryption set is named": layers.sse == "platform"
        and facts["des"] != "none",
        "disk and VM differ on confidential encryption": facts["role"] == "os"
        and facts["conf_disk"] in (*ENCRYPTED, "guest_state_only", "non_persisted_tpm")
        and listed not in ("unknown", layers.confidential),
        "confidential disk on a VM that is not confidential": facts["vm_kind"] == "other"
        and facts["conf_disk"] in (*ENCRYPTED, "guest_state_only", "non_persisted_tpm"),
        "Windows VM with a data-only volume type": volume,
    }
    notes.conflicts += [text for text, found in cases.items() if found]


def _other_type(facts: Facts, layers: Layers) -> bool:
    return facts["des_type"] not in ("", "unknown", layers.sse)


def _key_owner(layers: Layers, notes: _Notes) -> str:
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


def _key_store(facts: Facts, layers: Layers) -> str:
    if "unknown" in (layers.confidential, layers.ade):
        return "unknown"
    if layers.confidential in ENCRYPTED:
        return facts["secure_store"] or "unknown" if layers.confidential == "customer" else "platform"
    if layers.ade == "on":
        return facts["store"]
    if layers.sse in ("customer", "platform_and_customer"):
        return facts["des_store"] or "unknown"
    return "platform" if layers.sse == "platform" else "unknown"


def _method(facts: Facts, layers: Layers) -> str:
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
