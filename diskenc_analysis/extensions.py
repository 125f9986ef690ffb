"""The Azure Disk Encryption extension of a VM: what it was asked, and what it reports."""

from __future__ import annotations

import narwhals as nw

from diskenc_analysis.frames import Frame, choose, doubted, given, lazy, low
from diskenc_analysis.inventory import Inventory, once

_ADE_PUBLISHERS = ["microsoft.azure.security", "microsoft.ostcextensions"]
_ADE_TYPES = ["azurediskencryption", "azurediskencryptionforlinux"]
#: The facts of a VM's extension, and what stands where several extensions of one VM disagree.
EXTENSION_FACTS = {
    "ext": "unclear",
    "ext_volume": "unknown",
    "ext_age": "new",
    "sub_os": "unknown",
    "sub_data": "unknown",
}


@once
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


def extension_facts(inv: Inventory) -> Frame:
    """Give what the Azure Disk Encryption extension of each VM says.

    Parameters
    ----------
    inv : Inventory
        With `extensions` and `extension_status`.

    Returns
    -------
    Frame
        One row per VM with such an extension: `vm_key` and the columns of `EXTENSION_FACTS`.
    """
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
    lowest = [nw.col(n).min().alias(f"{n}_low") for n in EXTENSION_FACTS]
    grouped = found.group_by("vm_key").agg(
        *lowest, *[nw.col(n).max().alias(f"{n}_high") for n in EXTENSION_FACTS]
    )
    return grouped.select("vm_key", **{n: _agreed(n, otherwise) for n, otherwise in EXTENSION_FACTS.items()})


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


def rows_read(inv: Inventory) -> Frame:
    """Say of each VM with extensions whether all of them were read.

    Parameters
    ----------
    inv : Inventory
        With `extensions`.

    Returns
    -------
    Frame
        `vm_key` and `own_rows`: `read`, or `stub` where a row is no more than an id.
    """
    stub = doubted("publisher", "extension_type") | ~given("extension_type")
    rows = lazy(inv.extensions).select(vm_key=_vm_of_extension(), row=choose([(stub, "stub")], "read"))
    return rows.group_by("vm_key").agg(nw.col("row").max().alias("own_rows"))


def _vm_of_extension() -> nw.Expr:
    return nw.col("key").str.replace_all(r"/extensions/[^/]*$", "")
