"""Facts of the VMs: host encryption, size, image, Azure Disk Encryption extension, and their disk lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals as nw

from diskenc_analysis.frames import (
    Frame,
    choose,
    differing,
    doubted,
    given,
    helper,
    is_true,
    lazy,
    low,
    unless_doubted,
    words,
)
from diskenc_analysis.sizes import size_facts

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

_SECURITY_ENCRYPTION = {
    "diskwithvmgueststate": "disk",
    "vmgueststateonly": "guest_state_only",
    "nonpersistedtpm": "non_persisted_tpm",
}
_ADE_PUBLISHERS = ["microsoft.azure.security", "microsoft.ostcextensions"]
_ADE_TYPES = ["azurediskencryption", "azurediskencryptionforlinux"]


def vm_rows(inv: Inventory) -> Frame:
    """Give every VM that was read, with its size's facts and its Azure Disk Encryption extension.

    Parameters
    ----------
    inv : Inventory
        With `vms`, `vm_sizes`, `extensions`.

    Returns
    -------
    Frame
        `vm_key` and the facts of `VM_FACTS`.
    """
    sizes = helper(inv, "size_facts", size_facts(inv), ["size", "local_disk", "v5_plus", "size_from"])
    instance = nw.col("key").str.contains("/virtualmachinescalesets/")
    in_set = nw.col("key").str.replace_all(r"/virtualmachines/[^/]*$", "")
    set_key = (
        nw.when(given("scale_set_id_key"))
        .then(nw.col("scale_set_id_key"))
        .otherwise(nw.when(instance).then(in_set).otherwise(nw.lit("")))
    )
    size = unless_doubted(low("vm_size"), "", "vm_size")
    vms = lazy(inv.vms).with_columns(size=size, vm_key=nw.col("key"), set_key=set_key)
    vms = vms.join(sizes, on="size", how="left").join(_models(inv), on="set_key", how="left")
    if not inv.count("extensions") and not inv.count("extension_status"):
        vms = vms.with_columns(**{n: nw.lit(None, nw.String) for n in (*_EXTENSION, "own_rows")})
        return vms.with_columns(**VM_FACTS).select("vm_key", *VM_FACTS)
    extensions = _ade_facts(inv)
    vms = vms.join(extensions, on="vm_key", how="left").join(_rows_read(inv), on="vm_key", how="left")
    vms = vms.with_columns(**VM_FACTS).select("vm_key", *VM_FACTS)
    return nw.concat([vms, _unread(extensions, inv)], how="vertical")


def _unread(extensions: Frame, inv: Inventory) -> Frame:
    """Give the VMs that were not read, but whose extension was: it speaks of their disks all the same."""
    rows = extensions.join(lazy(inv.vms).select(vm_key=nw.col("key")), on="vm_key", how="anti")
    return rows.select(
        "vm_key", **{n: nw.col(n) if n in _EXTENSION else nw.lit(_UNREAD[n]) for n in VM_FACTS}
    )


def _rows_read(inv: Inventory) -> Frame:
    """Say of each VM with extensions whether all were `read`, or some are no more than an id (`stub`)."""
    stub = doubted("publisher", "extension_type") | ~given("extension_type")
    rows = lazy(inv.extensions).select(vm_key=_vm_of_extension(), row=choose([(stub, "stub")], "read"))
    return rows.group_by("vm_key").agg(nw.col("row").max().alias("own_rows"))


def _vm_of_extension() -> nw.Expr:
    return nw.col("key").str.replace_all(r"/extensions/[^/]*$", "")


def _models(inv: Inventory) -> Frame:
    """Give what the model of each scale set says of encryption at host."""
    model = choose([(doubted("encryption_at_host"), "unknown"), (is_true("encryption_at_host"), "on")], "off")
    return lazy(inv.scale_sets).select(set_key=nw.col("key"), model_host=model)


_AKS = r"(?i)aks-managed-|^mc_"
_EXTENSION = {
    "ext": "unclear",
    "ext_volume": "unknown",
    "ext_age": "new",
    "sub_os": "unknown",
    "sub_data": "unknown",
}
#: The facts of a VM, by name.
VM_FACTS: dict[str, nw.Expr] = {
    "seen": nw.lit("yes"),
    "vm_host": choose(
        [(doubted("encryption_at_host"), "unknown"), (is_true("encryption_at_host"), "on")], "off"
    ),
    "vm_kind": choose(
        [(doubted("security_type"), "unknown"), (low("security_type") == "confidentialvm", "confidential")],
        "other",
    ),
    "vm_captures": choose([(differing("vms"), "differ")], "one"),
    "vm_os": unless_doubted(
        words("os_type", {"windows": "windows", "linux": "linux"}, "unknown", "unknown"), "unknown", "os_type"
    ),
    "vm_image": choose(
        [
            (doubted("image_publisher", "image_id"), "unknown"),
            (given("image_publisher"), "platform"),
            (given("image_id"), "custom"),
        ],
        "none",
    ),
    "local_disk": nw.col("local_disk").fill_null("unknown"),
    "v5_plus": nw.col("v5_plus").fill_null("unknown"),
    "size_from": nw.col("size_from").fill_null(""),
    "ext": nw.when(given("ext"))
    .then(nw.col("ext"))
    .otherwise(
        choose(
            [
                (nw.col("own_rows").fill_null("") == "stub", "unread"),
                (given("own_rows"), "none"),
                (given("extension_list") & ~doubted("extension_list"), "none"),
                (given("instance_extensions") & ~doubted("instance_extensions"), "none"),
            ],
            "unread",
        )
    ),
    "model_host": nw.col("model_host").fill_null(""),
    "aks": choose(
        [
            (low("image_publisher") == "microsoft-aks", "yes"),
            (nw.col("tags").fill_null("").str.contains(_AKS), "yes"),
            (nw.col("resource_group").fill_null("").str.contains(_AKS), "yes"),
        ],
        "no",
    ),
    **{n: nw.col(n).fill_null("") for n in ("ext_volume", "ext_age", "sub_os", "sub_data")},
}
#: The same of a VM that was not read.
_UNREAD = dict.fromkeys(VM_FACTS, "unknown") | {"seen": "no", "size_from": "", "model_host": "", "aks": "no"}


def ade_extensions(inv: Inventory) -> Frame:
    """Give the Azure Disk Encryption extensions of the VMs, with the messages of their instance view.

    Parameters
    ----------
    inv : Inventory
        With `extensions` and `extension_status`.

    Returns
    -------
    Frame
        `vm_key`, `vm_messages` and the columns of `extensions` that `_OF_EXTENSION` names; one row per
        extension. One that the instance view alone knows has its type, version and messages only.
    """
    status = lazy(inv.extension_status).filter(
        low("extension_type").str.contains(r"(?:^|\.)azurediskencryption")
    )
    linux = choose([(low("extension_type").str.ends_with("linux"), _ADE_TYPES[1])], _ADE_TYPES[0])
    seen = status.with_columns(vm_key=nw.col("parent_key"), extension_type=linux)
    seen = seen.group_by("vm_key", "extension_type").agg(
        nw.col("handler_version").max(),
        nw.col("substatus_messages").max().alias("vm_messages"),
        nw.col("doubt").max(),
    )
    found = lazy(inv.extensions).filter(
        low("publisher").is_in(_ADE_PUBLISHERS), low("extension_type").is_in(_ADE_TYPES)
    )
    found = found.select(*_OF_EXTENSION, vm_key=_vm_of_extension())
    messages = seen.group_by("vm_key").agg(nw.col("vm_messages").max())
    none = {n: nw.lit(None, nw.String) for n in _OF_EXTENSION if n not in _SEEN}
    alone = seen.join(found.select("vm_key"), on="vm_key", how="anti").with_columns(**none)
    columns = ("vm_key", *_OF_EXTENSION, "vm_messages")
    joined = found.join(messages, on="vm_key", how="left")
    return nw.concat([joined.select(*columns), alone.select(*columns)], how="vertical")


_SEEN = ("extension_type", "handler_version", "doubt")
_OF_EXTENSION = (
    *_SEEN,
    "operation",
    "volume_type",
    "provisioning_state",
    "aad_client",
    "substatus_messages",
    "kek_url",
    "vault_url",
)


def _ade_facts(inv: Inventory) -> Frame:
    """Give one row of facts per VM with an Azure Disk Encryption extension."""
    operation, done = low("operation"), low("provisioning_state").is_in(["", "succeeded"])
    message = nw.concat_str([low("substatus_messages"), low("vm_messages")]).str.replace_all(r"[\s\"\\]", "")
    linux = low("extension_type") == "azurediskencryptionforlinux"
    version = low("handler_version")
    old = given("aad_client") | nw.when(linux).then(version.str.starts_with("0.")).otherwise(
        version.str.starts_with("1.")
    )
    ext = choose(
        [
            (doubted("operation", "provisioning_state"), "unclear"),
            (operation.str.starts_with("enable") & done, "enable"),
            (operation.str.starts_with("enable"), "enable_failed"),
            (operation.str.starts_with("disable") & done, "disable"),
        ],
        "unclear",
    )
    volume = choose(
        [
            (doubted("operation", "volume_type"), "unknown"),
            (operation == "enableencryptionformatall", "format_all"),
            *[(low("volume_type") == word, word) for word in ("all", "os", "data")],
        ],
        "unknown",
    )
    found = ade_extensions(inv).select(
        "vm_key",
        ext=ext,
        ext_volume=volume,
        ext_age=choose([(doubted("handler_version", "aad_client"), "unclear"), (old, "old")], "new"),
        sub_os=_substatus(message, "os"),
        sub_data=_substatus(message, "data"),
    )
    lowest = [nw.col(n).min().alias(f"{n}_low") for n in _EXTENSION]
    grouped = found.group_by("vm_key").agg(*lowest, *[nw.col(n).max().alias(f"{n}_high") for n in _EXTENSION])
    return grouped.select("vm_key", **{n: _agreed(n, otherwise) for n, otherwise in _EXTENSION.items()})


def _agreed(name: str, otherwise: str) -> nw.Expr:
    """Give the value of a grouped column where its rows agree."""
    lowest, highest = nw.col(f"{name}_low"), nw.col(f"{name}_high")
    return nw.when(lowest == highest).then(lowest).otherwise(nw.lit(otherwise))


def _substatus(message: nw.Expr, volume: str) -> nw.Expr:
    return choose(
        [
            (message.str.contains(rf"[{{,]{volume}:encrypted(?:[,}}]|$)"), "encrypted"),
            (message.str.contains(rf"[{{,]{volume}:notencrypted(?:[,}}]|$)"), "not_encrypted"),
            (message.str.contains(rf"[{{,]{volume}:"), "unclear"),
        ],
        "",
    )


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
            (codes.str.contains("encryptionstate/"), "unclear"),
            (is_true("ade_enabled"), "encrypted"),
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
