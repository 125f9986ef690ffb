"""Facts of the VMs: host encryption, size, image, and their Azure Disk Encryption extension."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import narwhals as nw

from diskenc_analysis.extensions import EXTENSION_FACTS, extension_facts, rows_read
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
from diskenc_analysis.schema import WRONG
from diskenc_analysis.sizes import size_facts

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory


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
        vms = vms.with_columns(**{n: nw.lit(None, nw.String) for n in (*EXTENSION_FACTS, "own_rows")})
        return vms.with_columns(**VM_FACTS).select("vm_key", *VM_FACTS)
    extensions = extension_facts(inv)
    vms = vms.join(extensions, on="vm_key", how="left").join(rows_read(inv), on="vm_key", how="left")
    vms = vms.with_columns(**VM_FACTS).select("vm_key", *VM_FACTS)
    return nw.concat([vms, _unread(extensions, inv)], how="vertical")


def _unread(extensions: Frame, inv: Inventory) -> Frame:
    """Give the VMs that were not read, but whose extension was: it speaks of their disks all the same."""
    rows = extensions.join(lazy(inv.vms).select(vm_key=nw.col("key")), on="vm_key", how="anti")
    return rows.select(
        "vm_key", **{n: nw.col(n) if n in EXTENSION_FACTS else nw.lit(_UNREAD[n]) for n in VM_FACTS}
    )


def _models(inv: Inventory) -> Frame:
    """Give what the model of each scale set says of encryption at host."""
    model = choose([(doubted("encryption_at_host"), "unknown"), (is_true("encryption_at_host"), "on")], "off")
    return lazy(inv.scale_sets).select(set_key=nw.col("key"), model_host=model)


_AKS = r"(?i)aks-managed-|^mc_"
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
    "vm_lists": choose(
        [
            (doubted("os_disk", reason=WRONG), "no_os_disk"),
            (doubted("data_disks", reason=WRONG), "no_data_disks"),
            (doubted("os_disk", "data_disks"), "unsure"),
        ],
        "read",
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


def speaks_of_ade(facts: Mapping[str, str]) -> bool:
    """Say whether a VM claims ADE for data disks that carry no mark of it (RULES L3, L6).

    Parameters
    ----------
    facts : mapping of str to str
        `VM_FACTS`, with `vm_flagged` and `entra`.

    Returns
    -------
    bool
    """
    by_app = facts["entra"] == "yes" or (facts["ext_age"] == "old" and facts["sub_data"] == "encrypted")
    marks = facts["vm_flagged"] == "yes" and facts["ext_age"] == "new"
    alone = facts["ext"] in ("enable", "enable_failed", "unclear") and not marks
    return by_app or (alone and facts["vm_kind"] != "confidential")
