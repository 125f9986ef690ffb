"""The named conditions of the matrix's cells and of its scope, as facts of a disk or of a VM.

Each is true, false or None where the facts do not tell. `data/encryption_matrix.csv` and
`data/capabilities.csv` ask for them by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from diskenc_analysis.layers import Facts, Layers

Truth = bool | None
Conditions = Mapping[str, Truth]
_YES_NO: dict[str, Truth] = {"yes": True, "no": False}
_BY_SET: dict[str, Truth] = {"platform": False, "customer": True, "platform_and_customer": True}


def of_disk(method: str, facts: Facts, layers: Layers) -> dict[str, Truth]:
    """Answer every condition of the cells of one method for a disk.

    Parameters
    ----------
    method : {"sse", "host", "ade", "confidential"}
        Whose cell is asked: its disk encryption set is another for confidential encryption.
    facts : mapping
        The facts of the profile.
    layers : Layers
        The layers under one reading of them.

    Returns
    -------
    dict of str to bool or None
        By the names of `editions.CONDITIONS`.
    """
    by_secure_set = None if layers.confidential == "unknown" else layers.confidential == "customer"
    return {
        **of_vm({**facts, "ade_states": layers.ade}),
        "has_des": by_secure_set if method == "confidential" else _BY_SET.get(layers.sse),
        "has_kek": _YES_NO.get(layers.kek),
        "custom_linux_image": _both(
            {"custom": True, "platform": False}.get(facts["image"]),
            {"linux": True, "windows": False}.get(facts["os"]),
        ),
        "no_host_cache": no_host_cache(facts),
    }


def of_vm(facts: Facts) -> dict[str, Truth]:
    """Answer the conditions that are facts of a VM; `ade_states` joins the ADE layers of its disks by `+`."""
    return {
        "vm_size_v5_plus": _YES_NO.get(facts["v5_plus"]),
        "ade_covers_temp_disk": ade_covers(facts),
        "cvm_temp_disk_opt_in": opted_in(facts),
    }


def _both(one: Truth, other: Truth) -> Truth:
    if False in (one, other):
        return False
    return None if None in (one, other) else True


def no_host_cache(facts: Facts) -> Truth:
    """Say whether a disk has no host cache; caching that is not stated is judged as cached (RULES C5)."""
    if facts["sku_class"] == "uncached" or facts["caching"] == "none":
        return True
    return None if "unclear" in (facts["sku_class"], facts["caching"]) else False


def ade_covers(facts: Facts) -> Truth:
    """Say whether ADE's scope includes the temp disk: Windows All, Linux format-all (RULES C3)."""
    volume, system = facts["ext_volume"], facts["vm_os"]
    if system == "windows":
        return {"all": True, "format_all": True, "os": False}.get(volume)
    if system == "linux":
        return {"format_all": True, "all": False, "os": False, "data": False}.get(volume)
    return {"format_all": True, "os": False}.get(volume)


def opted_in(facts: Facts) -> Truth:
    """Say whether the preview of temp disk encryption is switched on (RULES L6)."""
    if facts["vm_kind"] != "confidential":
        return False if facts["vm_kind"] == "other" else None
    if facts["ext"] == "enable":
        flags = facts["ade_states"].split("+")
        return False if "was_on" in flags else None if "unknown" in flags else True
    return {"none": False, "disable": False, "enable_failed": False}.get(facts["ext"])


#: Where a question does not arise, by the names in the column `not_applicable_where` of the capabilities.
SCOPES: dict[str, Callable[[Facts], Truth]] = {
    "unmanaged_disk": lambda facts: facts["kind"] == "unmanaged_disk",
    "ephemeral_os_disk": lambda facts: facts["kind"] == "ephemeral_os_disk",
    "unattached": lambda facts: {"unattached": True, "attached": False}.get(facts["attachment"]),
    "data_disk": lambda facts: {"data": True, "os": False}.get(facts["role"]),
    "no_host_cache": no_host_cache,
}
