"""Which layers protect a disk, decided from its facts, with the evidence in words (RULES L1-L7).

Every function takes one profile: a dict of the facts that `facts` gives, shared by all disks that are alike.
"""

from __future__ import annotations

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
    ade, confidential = _ade(facts, notes), _confidential(facts, notes)
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
    )


def _sse(facts: Facts, notes: Notes) -> str:
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


def _ade(facts: Facts, notes: Notes) -> str:
    if facts["kind"] == "ephemeral_os_disk":
        return "off"
    for step in (_ade_of_disk, _ade_of_status, _ade_of_vm, _ade_of_extension):
        if found := step(facts, notes):
            return found
    if facts["flag"] in ("doubt", "no_row", "unclear") and facts["kind"] != "unmanaged_disk":
        notes.evidence.append("the disk's encryption settings were not read [L3]")
        return "unknown"
    notes.evidence.append("no sign of Azure Disk Encryption [L3]")
    if facts["lineage"] == "ade":
        notes.evidence.append(
            "copied from a disk that was under it: not eligible for encryption at host [L4]"
        )
    return "off"


def _ade_of_disk(facts: Facts, notes: Notes) -> str:
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


def _ade_of_status(facts: Facts, notes: Notes) -> str:
    answers = {"encrypted": "on", "not_encrypted": "off", "unclear": "unknown"}
    if found := answers.get(facts["status"], ""):
        notes.evidence.append(f"the instance view says {facts['status'].replace('_', ' ')} [L3.2]")
    return found


def _ade_of_vm(facts: Facts, notes: Notes) -> str:
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
    if facts["role"] == "data" and facts["entra"] == "yes":
        notes.evidence.append(
            "the VM is under ADE with an Entra app, which leaves no flag on data disks [L3.3]"
        )
        return "unknown"
    return ""


def _ade_of_extension(facts: Facts, notes: Notes) -> str:
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
