"""The disks as their VMs list them, and what an instance view says of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals as nw

from diskenc_analysis.frames import Frame, choose, doubted, given, is_true, lazy, low, unless_doubted, words

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

_SECURITY_ENCRYPTION = {
    "diskwithvmgueststate": "disk",
    "vmgueststateonly": "guest_state_only",
    "nonpersistedtpm": "non_persisted_tpm",
}


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
    lun = nw.concat_str([nw.lit("#data"), nw.col("lun").fill_null("")])
    place = nw.when(nw.col("origin") == "os_disk").then(nw.lit("#osdisk")).otherwise(lun)
    listed = lazy(inv.vm_disks).with_columns(
        place=place, name_key=low("disk_name"), vm_key=nw.col("parent_key")
    )
    made = nw.concat_str([nw.col("vm_key"), nw.col("place")])
    own_key = nw.when(given("vhd_uri")).then(nw.col("vhd_uri").str.to_lowercase()).otherwise(made)
    disk_key = nw.when(given("disk_id_key")).then(nw.col("disk_id_key")).otherwise(own_key)
    return listed.with_columns(disk_key=disk_key).join(_statuses(inv), on=["vm_key", "name_key"], how="left")


#: The facts of a disk as its VM lists it; the first ones decide which of several lists count.
LIST_FACTS: dict[str, nw.Expr] = {
    "caching": unless_doubted(words("caching", {"none": "none"}, "cached", "unstated"), "unclear", "caching"),
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
