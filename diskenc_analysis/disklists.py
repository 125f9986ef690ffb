"""The disks as their VMs list them, and what an instance view says of each."""

from __future__ import annotations

from collections.abc import Mapping

import narwhals as nw

from diskenc_analysis.frames import (
    Frame,
    choose,
    doubted,
    given,
    helper,
    is_true,
    lazy,
    low,
    unless_doubted,
    words,
)
from diskenc_analysis.inventory import Inventory, once

_SECURITY_ENCRYPTION = {
    "diskwithvmgueststate": "disk",
    "vmgueststateonly": "guest_state_only",
    "nonpersistedtpm": "non_persisted_tpm",
}
_CACHING = {"none": "none", "readonly": "cached", "readwrite": "cached"}


@once
def disk_lists(inv: Inventory) -> Frame:
    """Give every disk as its VM lists it, with the status of the instance view.

    Parameters
    ----------
    inv : Inventory
        With `vms`, `vm_disks`, `vm_disk_status`.

    Returns
    -------
    Frame
        One row per VM and disk: `disk_key` (the managed disk's, else made of the VHD or the VM), `vm_key`,
        `place` in the VM, and the columns that the expressions of `LIST_FACTS` need.
    """
    return disk_places(inv).join(_statuses(inv), on=["vm_key", "name_key"], how="left")


def disk_places(inv: Inventory) -> Frame:
    """Give the same without the instance view, whose columns few ask for."""
    lun = nw.concat_str([nw.lit("#data"), nw.col("lun").fill_null("")])
    place = nw.when(nw.col("origin") == "os_disk").then(nw.lit("#osdisk")).otherwise(lun)
    listed = lazy(inv.vm_disks).with_columns(
        place=place, name_key=low("disk_name"), vm_key=nw.col("parent_key")
    )
    made = nw.concat_str([nw.col("vm_key"), nw.col("place")])
    own_key = nw.when(given("vhd_uri")).then(nw.col("vhd_uri").str.to_lowercase()).otherwise(made)
    disk_key = nw.when(given("disk_id_key")).then(nw.col("disk_id_key")).otherwise(own_key)
    return listed.with_columns(disk_key=disk_key)


#: The facts of a disk as its VM lists it; the first ones decide which of several lists count.
LIST_FACTS: dict[str, nw.Expr] = {
    "caching": unless_doubted(words("caching", _CACHING, "unclear", "unstated"), "unclear", "caching"),
    "list_role": choose([(nw.col("origin") == "os_disk", "os")], "data"),
    "list_kind": choose(
        [
            (low("ephemeral_option") == "local", "ephemeral_os_disk"),
            (given("vhd_uri") & ~given("managed_disk"), "unmanaged_disk"),
        ],
        "managed_disk",
    ),
    "list_made": choose(
        [((nw.col("origin") == "os_disk") & (low("create_option") == "attach"), "attached")], "other"
    ),
    "full_caching": choose([(doubted("full_caching"), "unclear"), (is_true("full_caching"), "yes")], "no"),
    "list_set": choose(
        [(doubted("disk_encryption_set_id"), "unclear"), (given("disk_encryption_set_id"), "yes")], "no"
    ),
    "conf_list": unless_doubted(
        words("security_encryption_type", _SECURITY_ENCRYPTION, "unrecognised", "none"),
        "unrecognised",
        "security_encryption_type",
    ),
    "conf_list_set": choose([(given("secure_vm_disk_encryption_set_id"), "yes")], "no"),
    "vm_flag": choose(
        [(doubted("ade_enabled"), "unclear"), (is_true("ade_enabled"), "on"), (given("ade_enabled"), "off")],
        "none",
    ),
    "status": nw.col("status").fill_null("none"),
}


def _statuses(inv: Inventory) -> Frame:
    codes = low("status_codes")
    status = choose(
        [
            (doubted("status_codes"), "unclear"),
            (codes.str.contains(r"encryptionstate/encrypted(?:;|$)"), "encrypted"),
            (codes.str.contains(r"encryptionstate/notencrypted(?:;|$)"), "not_encrypted"),
            (codes.str.contains("encryptionstate/") | doubted("ade_enabled"), "unclear"),
            (is_true("ade_enabled"), "encrypted"),
            (given("ade_enabled") & ~doubted("ade_enabled"), "disabled"),
        ],
        "none",
    )
    found = lazy(inv.vm_disk_status).select(
        vm_key=nw.col("parent_key"),
        name_key=low("disk_name"),
        status=status,
        status_kek_url=nw.col("ade_kek_url"),
        status_secret_url=nw.col("ade_secret_url"),
    )
    names = ("status", "status_kek_url", "status_secret_url")
    return found.group_by("vm_key", "name_key").agg(*[nw.col(n).min() for n in names])


#: How a VM caches a disk that it shares with others; `unread` where no word of it tells.
CACHINGS = ("none", "cached", "unread")


def caching_by_owner(inv: Inventory, lists: Frame, known: Mapping[str, Mapping[str, str]]) -> Frame:
    """Give how each VM says that it caches a disk.

    Parameters
    ----------
    inv : Inventory
        Gives the engine.
    lists : Frame
        With `disk_key`, `vm_key` and `listing`.
    known : mapping
        `LIST_FACTS` behind each value of `listing`.

    Returns
    -------
    Frame
        `disk_key`, `vm_key` and `listed_caching`, one of `CACHINGS`.
    """
    told = {"none": "none", "unclear": "unread"}
    said = [{"listing": p, "listed_caching": told.get(f["caching"], "cached")} for p, f in known.items()]
    names = helper(inv, "listed_cachings", said, ["listing", "listed_caching"])
    pairs = lists.filter(given("vm_key")).select("disk_key", "vm_key", "listing")
    return pairs.join(names, on="listing", how="inner").select("disk_key", "vm_key", "listed_caching")


def shared_caching(facts: Mapping[str, str], of_owners: str) -> str:
    """Say how the VMs of a disk cache it: there is no host cache only if all owners say None (RULES C5, C6).

    Parameters
    ----------
    facts : mapping
        With `caching` as one VM lists it, `vm_lists` and `more_owners`.
    of_owners : str
        The distinct values of `CACHINGS` of several owners, each after a plus; empty for one owner.

    Returns
    -------
    str
        `unclear` where one owner says None and another was not read, else a value of `caching`.

    Examples
    --------
    >>> one = {"caching": "none", "more_owners": "no", "vm_lists": "read"}
    >>> shared_caching(one, "+none"), shared_caching(one, "+none+cached"), shared_caching(one, "+none+unread")
    ('none', 'cached', 'unclear')
    """
    if not facts["caching"] and facts["vm_lists"].startswith("no_"):
        return "unclear"  # something else stands where its VM would say so
    said = set(of_owners.strip("+").split("+")) - {""} or {facts["caching"]}
    if "cached" in said:
        return "cached"
    unread = "unread" in said or facts["more_owners"] == "yes"
    return "unclear" if "none" in said and unread else facts["caching"]
