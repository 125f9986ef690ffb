"""Azure Disk Encryption of one disk: who says what of it, whom to believe, who disagrees (L3, L4, L6)."""

from __future__ import annotations

from collections.abc import Iterator

from diskenc_analysis.layers import Facts, Notes

_FLAG = {"on": "enabled", "was_on": "disabled"}
_STATUS = {"encrypted": "on", "not_encrypted": "off", "disabled": "was_on", "unclear": "unknown"}
_WORDS = {
    "encrypted": "encrypted",
    "not_encrypted": "not encrypted",
    "disabled": "disabled",
    "unclear": "neither yes nor no",
}
#: Who says what: the source with its verb, its words, the layer by it, and the number of the rule.
Claim = tuple[str, str, str, str]


def ade_layer(facts: Facts, notes: Notes) -> str:
    """Decide the layer by the first source that speaks, and list those that contradict it.

    Parameters
    ----------
    facts : mapping
        The facts of the profile.
    notes : Notes
        Takes the evidence, the conflicts, and the other answer where a source contradicts the first.

    Returns
    -------
    str
        `on`, `off`, `was_on` or `unknown`.
    """
    if facts["kind"] == "ephemeral_os_disk":
        return "off"
    claims = list(_claims(facts))
    if not claims:
        return _of_extension(facts, notes) or _unclaimed(facts, notes)
    (who, what, layer, rule), *others = claims
    history = ": it protects nothing" if layer == "was_on" else ""
    notes.evidence.append(f"{who} {what}{history} [{rule}{', L4' if history else ''}]")
    if layer == "was_on":
        notes.evidence.append("not eligible for encryption at host or a customer key on the same disk [L4]")
    if layer == "was_on" and facts["status"] == "not_encrypted":
        notes.evidence.append("the instance view says not encrypted [L4]")
    against = [one for one in [*others, *_disabled(facts)] if _contradicts(one[2], layer)]
    notes.conflicts += [f"{who} {what} (Azure Disk Encryption), {one[0]} {one[1]}" for one in against]
    if against:
        notes.disputed["ade"] = "off" if layer == "on" else "on"
    if facts["ext"] == "enable" and facts["flag"] == "was_on" and facts["vm_kind"] != "confidential":
        # No dispute: Enable speaks of the VM, and leaves out what was attached or decrypted later.
        notes.conflicts.append("extension says Enable on a disk that says disabled")
    return layer


def _contradicts(one: str, other: str) -> bool:
    return "unknown" not in (one, other) and (one == "on") != (other == "on")


def _claims(facts: Facts) -> Iterator[Claim]:
    """Give what the sources say of this disk, in RULES' order of trust."""
    if facts["flag"] in _FLAG:
        yield "the disk's encryptionSettings say", _FLAG[facts["flag"]], facts["flag"], "L3.1"
    if facts["status"] in _STATUS:
        yield "the instance view says", _WORDS[facts["status"]], _STATUS[facts["status"]], "L3.2"
    if facts["flag"] not in _FLAG and facts["vm_lists"] == "no_os_disk":
        yield (
            "the VM's OS disk is of the wrong type: its encryptionSettings",
            "were not read",
            "unknown",
            "L3.3",
        )
    if facts["role"] == "os" and facts["vm_flag"] in ("on", "off", "unclear"):
        layer = {"on": "on", "off": "was_on"}.get(facts["vm_flag"], "unknown")
        yield "the VM's osDisk.encryptionSettings say", _FLAG.get(layer, "one or the other"), layer, "L3.3"
    said = {"os": facts["sub_os"], "data": facts["sub_data"]}.get(facts["role"], "")
    if facts["ext_age"] == "old" and said in _STATUS:
        yield "the extension's substatus says", _WORDS[said], _STATUS[said], "L3.3"
    if facts["flag"] not in _FLAG and facts["role"] == "data" and facts["entra"] == "yes":
        yield (
            "the VM is under ADE with an Entra app, which",
            "leaves no flag on data disks",
            "unknown",
            "L3.3",
        )


def _disabled(facts: Facts) -> Iterator[Claim]:
    """Say that the extension last decrypted the volumes of this disk; alone it never decides (RULES L3.4)."""
    if facts["ext"] == "disable" and facts["role"] != _left_out(facts):
        yield "the extension says", "Disable", "off", "L3.4"


def _left_out(facts: Facts) -> str:
    """Name the role that the extension's volume type leaves out; Windows has no type of data disks alone."""
    if facts["os"] == "windows" and facts["ext_volume"] == "data":
        return ""
    return {"os": "data", "data": "os"}.get(facts["ext_volume"], "")


def _of_extension(facts: Facts, notes: Notes) -> str:
    if facts["ext"] not in ("enable", "enable_failed", "unclear"):
        return ""
    if facts["vm_kind"] == "confidential":
        notes.evidence.append("the extension alone says nothing on a confidential VM [L6]")
        return ""
    marks = facts["vm_flagged"] == "yes" and facts["ext_age"] == "new"  # the older one marks no data disks
    if marks or facts["role"] == _left_out(facts):
        notes.evidence.append("the extension is there, but it did not mark this disk [L3.4]")
        return ""
    notes.evidence.append("only the extension speaks of Azure Disk Encryption [L3.4]")
    notes.conflicts.append("extension says Enable and nothing else does")
    return "unknown"


def _unclaimed(facts: Facts, notes: Notes) -> str:
    if facts["flag"] in ("doubt", "no_row", "unclear") and facts["kind"] != "unmanaged_disk":
        notes.evidence.append("the disk's encryption settings were not read [L3]")
        return "unknown"
    unread = facts["attachment"] == "attached" and facts["seen"] != "yes"
    more = (
        " on the disk; its VM was not read, where its older generation leaves the only mark" if unread else ""
    )
    notes.evidence.append(f"no sign of Azure Disk Encryption{more} [L3]")
    if facts["lineage"] == "ade":
        notes.evidence.append(
            "copied from a disk that was under it: not eligible for encryption at host [L4]"
        )
    return "off"
