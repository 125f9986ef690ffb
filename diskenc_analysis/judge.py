"""The capabilities of one profile, in three values, from the matrix's cells (RULES C1-C11, K3, K4, L8).

A layer that is unknown may or may not be active, and contradictory data has several consistent readings:
the verdict is what all of these agree on, else `unknown`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import product

from diskenc_analysis.conditions import SCOPES, Conditions, Truth, of_disk
from diskenc_analysis.editions import Cell, capabilities, cells
from diskenc_analysis.layers import ENCRYPTED, Facts, Layers, possible

Judge = Callable[[str, Facts, Layers, str], str]
#: Capabilities that are facts of a VM and are copied to its disks.
OF_VM = ("temp_disk", "defender_status")
_NOT_APPLICABLE = {"defender_status": "NotApplicable"}
#: From worst to best, for what a disk takes from several VMs (RULES C3).
WORST_FIRST = {
    "temp_disk": ("no", "unknown", "yes", "not_applicable"),
    "defender_status": ("Unhealthy", "unknown", "Healthy", "NotApplicable"),
}
METHODS = ("sse", "host", "ade", "confidential")
_OPPOSITE = {"yes": "no", "no": "yes", "Healthy": "Unhealthy", "Unhealthy": "Healthy"}


def any_of(values: Iterable[str]) -> str:
    """Combine verdicts of which one suffices.

    Examples
    --------
    >>> any_of(["no", "unknown"]), any_of(["no", "yes", "unknown"]), any_of(["no"])
    ('unknown', 'yes', 'no')
    """
    found = set(values)
    return next((v for v in ("yes", "unknown", "no") if v in found), "not_applicable")


def all_of(values: Iterable[str]) -> str:
    """Combine verdicts which all have to hold.

    Examples
    --------
    >>> all_of(["yes", "unknown"]), all_of(["no", "unknown"]), all_of(["yes", "yes"])
    ('unknown', 'no', 'yes')
    """
    found = set(values)
    return next((v for v in ("no", "unknown", "yes") if v in found), "not_applicable")


def agreed(values: Iterable[str]) -> str:
    """Give the one value that all have, else `unknown`."""
    found = set(values)
    return found.pop() if len(found) == 1 else "unknown"


def read_cell(rows: list[Cell], conditions: Conditions) -> str:
    """Read one cell of the matrix under the conditions of a disk.

    Parameters
    ----------
    rows : list of Cell
        The table's row first, then its footnotes.
    conditions : mapping of str to bool or None
        None where the fact is unknown.

    Returns
    -------
    str
        The cell's value, or `unknown`.
    """
    value = "unknown"
    for row in rows:
        holds = conditions.get(row.condition) if row.condition else True
        if row.origin == "table":
            value = (
                row.value if holds else "unknown" if holds is None else _OPPOSITE.get(row.value, "unknown")
            )
        elif row.condition and holds is not False:
            value = row.value if holds else agreed([value, row.value])
    return value


def _activities(layers: Layers) -> Iterator[dict[str, bool]]:
    """List every way in which the layers may be active."""
    host = {"on": (True,), "unknown": (True, False)}.get(layers.host, (False,))
    for h, a, c in product(host, possible(layers.ade), possible(layers.confidential)):
        yield {"sse": True, "host": h, "ade": a, "confidential": c}


def readings(facts: Facts, layers: Layers) -> list[Layers]:
    """List the consistent readings of a disk's data (RULES L8).

    Parameters
    ----------
    facts : mapping
        The facts of the profile.
    layers : Layers
        What the data says.

    Returns
    -------
    list of Layers
        One reading where nothing contradicts.
    """
    out = [layers]
    if "ade" in layers.disputed:
        out += [replace(layers, ade=layers.disputed["ade"])]
    if "confidential" in layers.disputed:
        out += [replace(one, confidential=layers.disputed["confidential"]) for one in out]
    out = [reading for one in out for reading in _apart(one)]
    if layers.sse == "platform" and facts["des"] != "none":
        out += [replace(one, sse="customer") for one in out]
    return out


def _apart(layers: Layers) -> list[Layers]:
    """Give a reading each to ADE and to what it excludes."""
    by_customer = layers.sse in ("customer", "platform_and_customer")
    by_host = layers.host in ("on", "partial")
    if layers.ade != "on" or not (by_customer or by_host):
        return [layers]
    sse, host = "platform" if by_customer else layers.sse, "off" if by_host else layers.host
    return [replace(layers, ade="off"), replace(layers, sse=sse, host=host)]


def disk_verdicts(facts: Facts, layers: Layers, of_vm: Mapping[str, str], edition: str) -> dict[str, str]:
    """Judge the ten capabilities of a disk.

    Parameters
    ----------
    facts : mapping
        The facts of the profile.
    layers : Layers
        The layers decided from them.
    of_vm : mapping
        `temp_disk` and `defender_status` of its VMs, the worst of them.
    edition : str
        Edition of the matrix.

    Returns
    -------
    dict of str to str
        Verdict by capability.
    """
    return {name: _disk_verdict(name, facts, layers, of_vm, edition) for name in capabilities()}


def _disk_verdict(name: str, facts: Facts, layers: Layers, of_vm: Mapping[str, str], edition: str) -> str:
    outside = _outside(name, facts)
    not_applicable = _NOT_APPLICABLE.get(name, "not_applicable")
    if outside:
        return not_applicable
    if name in OF_VM:
        judged = of_vm.get(name) or "unknown"
    else:
        judge = _judge_of(name, facts)
        judged = agreed(judge(name, facts, one, edition) for one in readings(facts, layers))
    return judged if outside is False else agreed([not_applicable, judged])


def _judge_of(name: str, facts: Facts) -> Judge:
    if facts["kind"] == "ephemeral_os_disk" and name in _EPHEMERAL:
        return _EPHEMERAL[name]
    return _hsm if name == "hsm" else _plain


def _outside(name: str, facts: Facts) -> Truth:
    """Say whether the question does not arise for the disk (RULES C2, C5, C7, C9, C10)."""
    answers = [SCOPES[scope](facts) for scope in capabilities()[name].scopes]
    return True if True in answers else None if None in answers else False


def _combine(name: str) -> Callable[[Iterable[str]], str]:
    return any_of if capabilities()[name].combine == "any" else all_of


def _plain(name: str, facts: Facts, layers: Layers, edition: str) -> str:
    """Combine the cells of the active methods, for every way in which layers may be active."""
    if name == "customer_keys" and layers.sse == "unknown" and layers.kek != "unknown" and layers.ade == "on":
        layers = replace(layers, sse="platform")  # the layer that comes first in K1 decides (RULES L1)
    if name == "customer_keys" and layers.sse == "unknown" and layers.confidential in ENCRYPTED:
        layers = replace(layers, sse="platform")
    if name == "no_vm_cpu" and layers.ade == "was_on" and facts["status"] != "not_encrypted":
        layers = replace(layers, ade="unknown")  # decryption may still be running (RULES L4)
    states = set(facts["host_states"].strip("+").split("+")) - {""}
    if len(states) > 1 and layers.host != "off":  # a shared disk: all of its VMs count (RULES C6)
        return all_of(_cells(name, facts, replace(layers, host=s), edition) for s in states)
    return _cells(name, facts, layers, edition)


def _cells(name: str, facts: Facts, layers: Layers, edition: str) -> str:
    table = cells(edition)
    values = {m: read_cell(table[name, m], of_disk(m, facts, layers)) for m in METHODS}
    combine = _combine(name)
    return agreed(combine(values[m] for m in METHODS if active[m]) for active in _activities(layers))


def _hsm(name: str, facts: Facts, layers: Layers, edition: str) -> str:
    """Answer whether the customer's key is in an HSM (RULES K3)."""
    by_customer = {"customer": "yes", "platform_and_customer": "yes", "platform": "no"}.get(
        layers.sse, "unknown"
    )
    if layers.sse == "unknown" and (layers.ade == "on" or layers.confidential in ENCRYPTED):
        by_customer = "no"  # the layer that comes first in K1 decides (RULES L1)
    disk = _key_in_hsm(by_customer, facts["des_store"], facts["des_hsm"], _stores(name, "sse", edition))
    secure = _key_in_hsm(
        "yes"
        if layers.confidential == "customer"
        else "no"
        if layers.confidential != "unknown"
        else "unknown",
        facts["secure_store"],
        facts["secure_hsm"],
        _stores(name, "confidential", edition),
    )
    guest = _key_in_hsm(layers.kek, facts["store"], facts["hsm_key"], _stores(name, "ade", edition))
    values = {"sse": disk, "host": disk, "ade": guest, "confidential": secure}
    return agreed(any_of(values[m] for m in METHODS if active[m]) for active in _activities(layers))


def _stores(name: str, method: str, edition: str) -> tuple[str, ...]:
    return tuple(cells(edition)[name, method][0].value.split(";"))


def _key_in_hsm(has_key: str, store: str, hsm_key: str, allowed: tuple[str, ...]) -> str:
    if has_key == "no":
        return "no"
    known = store not in ("", "unknown", "key_vault")
    value = "no" if known and store not in allowed else hsm_key or "unknown"
    return value if has_key == "yes" else agreed(["no", value])


def _local_disk_at_rest(_: str, facts: Facts, layers: Layers, edition: str) -> str:
    """Judge an ephemeral OS disk, which lies on the VM's local disk (RULES C9)."""
    if layers.confidential in ENCRYPTED:
        return "yes"
    table = cells(edition)
    values = {m: read_cell(table["temp_disk", m], of_disk(m, facts, layers)) for m in METHODS}
    values["confidential"] = "yes"
    return agreed(any_of(values[m] for m in METHODS if active[m]) for active in _activities(layers))


def _local_disk_flow(name: str, facts: Facts, layers: Layers, edition: str) -> str:
    if facts["full_caching"] == "yes":
        return "not_applicable"
    judged = _plain(name, facts, layers, edition)
    return judged if facts["full_caching"] == "no" else agreed(["not_applicable", judged])


_EPHEMERAL: dict[str, Judge] = {"at_rest": _local_disk_at_rest, "data_flow": _local_disk_flow}
