"""Which layers protect a disk, decided from its facts, with the evidence in words (RULES L1-L7).

Every function takes one profile: a dict of the facts that `facts` gives, shared by all disks that are alike.
"""

from __future__ import annotations

from diskenc_analysis.ade import ade_layer
from diskenc_analysis.layers import (
    ENCRYPTED,
    Facts,
    Layers,
    Notes,
    find_conflicts,
    key_owner,
    key_store,
    listed_value,
    method_label,
)

_NAMED = ("platform", "customer", "platform_and_customer")


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
    notes = Notes()
    sse, host = _sse(facts, notes), _host(facts, notes)
    ade, confidential = ade_layer(facts, notes), _confidential(facts, notes)
    _sets(facts, notes)
    kek = facts["kek"] if facts["kek"] in ("yes", "no") else "unknown"
    layers = Layers(sse, host, ade, confidential, kek=kek)
    find_conflicts(facts, layers, notes)
    owner = key_owner(layers, notes)
    return Layers(
        sse,
        host,
        ade,
        confidential,
        method_label(facts, layers),
        owner,
        key_store(facts, layers),
        kek,
        tuple(notes.conflicts),
        tuple(notes.evidence),
        notes.disputed,
    )


def _sse(facts: Facts, notes: Notes) -> str:
    if facts["kind"] == "unmanaged_disk":
        notes.evidence.append("unmanaged VHD: encrypted by its storage account [C10]")
        return "storage_account"
    if facts["kind"] == "ephemeral_os_disk":
        named = {"yes": "a", "no": "no"}.get(facts["list_set"], "perhaps a")
        notes.evidence.append(f"ephemeral OS disk, the VM names {named} disk encryption set [C9]")
        return "platform" if named == "no" else "unknown"
    fact = facts["sse_fact"]
    if fact in _NAMED:
        notes.evidence.append(f"encryption.type is {fact.replace('_', ' ')} key [L1]")
        return fact
    why = {
        "unrecognised": f"encryption.type is {facts['odd_type']!r}, which is not a known value",
        "no_row": "the VM lists this disk, but it is not in the inventory",
    }
    notes.evidence.append(f"{why.get(fact, 'encryption.type is not stated')} [L1]")
    return "unknown"


def _sets(facts: Facts, notes: Notes) -> None:
    for name in ("des", "secure"):
        if facts[name] in ("missing", "unread_subscription"):
            notes.evidence.append("its disk encryption set was not read: key store and HSM unknown [L1]")


def _host(facts: Facts, notes: Notes) -> str:
    if facts["attachment"] == "unattached":
        notes.evidence.append("snapshot [L2]" if facts["kind"] == "snapshot" else "no VM owns it [L2]")
        return "not_attached"
    states = set(facts["host_states"].strip("+").split("+")) - {""}
    if facts["attachment"] == "unknown" or not states:
        notes.evidence.append("which VM owns it is not stated [L2]")
        return "unknown"
    if facts["model_host"] in ("on", "off") and states == {"on", "off"} - {facts["model_host"]}:
        notes.evidence.append(
            f"the model of its scale set says {facts['model_host']}: the instance counts [L2]"
        )
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


def _confidential(facts: Facts, notes: Notes) -> str:
    fact = facts["conf_disk"]
    if fact in (*ENCRYPTED, "guest_state_only", "non_persisted_tpm"):
        return _said(fact, "the disk's securityType", notes)
    if fact == "unrecognised":
        notes.evidence.append(f"securityType is {facts['odd_security']!r}, which is not a known value [L5]")
        return "unknown"
    if facts["role"] == "os" and facts["conf_list"] not in ("", "none"):
        return _said(listed_value(facts), "the VM's securityEncryptionType", notes)
    unread = fact in ("doubt", "no_row") and facts["vm_kind"] != "other"
    if unread or (facts["role"] == "os" and facts["vm_kind"] == "confidential"):
        if facts["kind"] == "ephemeral_os_disk" and facts["vm_kind"] == "other":
            return "off"
        notes.evidence.append("securityType was not read [L5]")
        return "unknown"
    return "off"


def _said(value: str, who: str, notes: Notes) -> str:
    notes.evidence.append(f"{who} says {value.replace('_', ' ')} [L5]")
    if value in ("guest_state_only", "non_persisted_tpm"):
        notes.evidence.append("guest encryption not visible [L5]")
    if value != "unknown":
        notes.evidence.append("the vTPM and guest state of a confidential VM are always encrypted [L5]")
    return value
