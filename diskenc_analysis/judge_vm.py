"""What is a fact of the VM, not of one disk: temp disk and Defender status (RULES C3, C4, C8, C11)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from diskenc_analysis.conditions import ade_covers, of_vm, opted_in
from diskenc_analysis.editions import cells
from diskenc_analysis.judge import METHODS, agreed, any_of, read_cell
from diskenc_analysis.layers import Facts

#: The facts of a VM that is not in the inventory.
UNSEEN = {
    "seen": "no",
    "vm_lists": "",
    "vm_host": "unknown",
    "vm_kind": "unknown",
    "vm_os": "unknown",
    "local_disk": "unknown",
    "v5_plus": "unknown",
    "size_from": "",
    "ext": "unread",
    "ext_volume": "",
}

#: Why the lists of a VM do not tell which disks it has.
LISTS_IN_DOUBT = {
    "no_os_disk": "the VM's OS disk is of the wrong type",
    "no_data_disks": "the VM's list of data disks is of the wrong type",
    "unsure": "the VM's lists of disks were not read whole",
}


def vm_verdicts(facts: Facts, edition: str) -> dict[str, str]:
    """Judge the temp disk and the Defender status of a VM.

    Parameters
    ----------
    facts : mapping
        Those of `vmfacts.VM_FACTS`, with `seen` (whether the VM was read), and with the distinct values of
        its disks' layers, joined by `+`: `ade_states`, `conf_states`, `kek_states`.
    edition : str
        Edition of the matrix.

    Returns
    -------
    dict of str to str
        `temp_disk`, `defender_status` and `temp_disk_key_owner`.
    """
    facts = _with_unlisted(facts)
    temp = _temp_disk(facts, edition)
    return {
        "temp_disk": temp,
        "defender_status": _defender(facts, edition),
        "temp_disk_key_owner": _temp_key_owner(facts, temp, edition),
        "vm_evidence": "; ".join(_evidence(facts)),
    }


def _with_unlisted(facts: Facts) -> Facts:
    """Add a disk of unknown layers where the VM's lists of its disks cannot be trusted."""
    if facts["vm_lists"] not in LISTS_IN_DOUBT:
        return facts
    return {**facts, **{n: f"{facts[n]}+unknown" for n in ("ade_states", "conf_states")}}


def _evidence(facts: Facts) -> Iterator[str]:
    if facts["vm_lists"] in LISTS_IN_DOUBT:
        yield f"{LISTS_IN_DOUBT[facts['vm_lists']]}: it may have other disks [C3, C11]"
    where = {"sku": "the SKU export", "name": "its name"}.get(facts["size_from"])
    if facts["seen"] != "yes":
        yield "its VM was not read: temp disk and Defender status rest on nothing [C3, C11]"
    elif where is None:
        yield "the VM's size is not known [C4]"
    else:
        local = {"yes": "a local disk", "no": "no local disk"}.get(
            facts["local_disk"], "a local disk or not, unknown"
        )
        yield f"the VM's size has {local}, by {where} [C4]"
    if facts["vm_host"] == "on" and facts["local_disk"] != "no":
        yield "under encryption at host the temp disk has the platform's key [K4]"
    if facts["v5_plus"] == "yes" and facts["local_disk"] == "yes":
        yield "the VM's size is of version 5 or later [C4, K4]"
    if "on" in _states(facts, "ade_states"):
        covers = {True: "covers", False: "does not cover", None: "may cover"}[ade_covers(facts)]
        yield f"Azure Disk Encryption {covers} the temp disk by its volume type [C3]"
    if facts["vm_kind"] == "confidential":
        opted = {True: "is", False: "is not", None: "may be"}[opted_in(facts)]
        yield f"temp disk encryption of the confidential VM {opted} switched on [L6, C8]"


def _states(facts: Facts, name: str) -> set[str]:
    return set(facts[name].strip("+").split("+")) - {""}


def _active(states: set[str], on: set[str]) -> tuple[bool, ...]:
    if states & on:
        return (True,)
    return (True, False) if "unknown" in states else (False,)


def _ways(facts: Facts) -> Iterator[tuple[bool, bool, bool]]:
    """List every way in which host encryption, ADE and confidential encryption may be active.

    ADE with encryption at host is a contradiction: then each of the two alone is a reading (RULES L8).
    """
    host = {"on": (True,), "off": (False,)}.get(facts["vm_host"], (True, False))
    ade = _active(_states(facts, "ade_states"), {"on"})
    confidential = _active(_states(facts, "conf_states"), {"platform", "customer"})
    for h, a, c in product(host, ade, confidential):
        if h and a and host == ade == (True,):
            yield from ((True, False, c), (False, True, c))
        elif not (h and a):
            yield h, a, c
        else:
            yield h, False, c


def _values(name: str, facts: Facts, edition: str) -> dict[str, str]:
    """Read the cells of a capability, by method, under the conditions of the VM."""
    conditions = of_vm(facts)
    return {m: read_cell(cells(edition)[name, m], conditions) for m in METHODS}


def _temp_disk(facts: Facts, edition: str) -> str:
    if facts["local_disk"] == "no":
        return "not_applicable"
    if facts["local_disk"] != "yes":
        return "unknown"
    values = _values("temp_disk", facts, edition)
    found = []
    for host, ade, confidential in _ways(facts):
        on = {"sse": True, "host": host, "ade": ade, "confidential": confidential}
        found.append(any_of(values[m] for m, active in on.items() if active))
    return agreed(found)


def _defender(facts: Facts, edition: str) -> str:
    table = _values("defender_status", facts, edition)
    stated = bool(_states(facts, "conf_states") - {"off", "unknown"})
    if facts["vm_kind"] == "confidential" or (stated and facts["vm_kind"] != "other"):
        return table["confidential"]
    if facts["seen"] != "yes":
        return "unknown"
    ade = _states(facts, "ade_states")
    covered = (True,) if ade == {"on"} else (True, False) if ade and ade <= {"on", "unknown"} else (False,)
    # A disk that is confidential says that its VM is, and a VM that was read says that it is not (RULES L8).
    kinds = (True, False) if stated or facts["vm_kind"] == "unknown" else (False,)
    found = []
    for (host, ade_on, _), all_covered, is_confidential in product(_ways(facts), covered, kinds):
        method = (
            "confidential"
            if is_confidential
            else "host"
            if host
            else "ade"
            if ade_on and all_covered
            else "sse"
        )
        found.append(table[method])
    return agreed(found)


def _temp_key_owner(facts: Facts, temp: str, edition: str) -> str:
    """Name who holds the temp disk's key: the platform under host encryption and on v5 sizes (RULES K4)."""
    if temp != "yes":
        return "unknown" if temp == "unknown" else ""
    values = _values("temp_disk", facts, edition)
    if facts["vm_host"] == "on" or facts["v5_plus"] == "yes" or values["sse"] == "yes":
        return "platform"
    keks = "+".join(sorted(_states(facts, "kek_states")))
    return {"yes": "customer", "no": "customer_secret"}.get(keks, "unknown")
