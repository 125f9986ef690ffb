"""What a disk or snapshot says of itself, in words of few values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import narwhals as nw

from diskenc_analysis.frames import (
    BAR,
    Frame,
    choose,
    differing,
    doubted,
    given,
    is_true,
    lazy,
    low,
    profile,
    unless_doubted,
    words,
)
from diskenc_analysis.schema import DIFFER

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

_SSE = {
    "encryptionatrestwithplatformkey": "platform",
    "encryptionatrestwithcustomerkey": "customer",
    "encryptionatrestwithplatformandcustomerkeys": "platform_and_customer",
}
_CONFIDENTIAL = {
    "confidentialvm_diskencryptedwithplatformkey": "platform",
    "confidentialvm_diskencryptedwithcustomerkey": "customer",
    "confidentialvm_vmgueststateonlyencryptedwithplatformkey": "guest_state_only",
    "confidentialvm_nonpersistedtpm": "non_persisted_tpm",
    "trustedlaunch": "trusted_launch",
    "standard": "none",
}
_HELD = ["attached", "reserved", "frozen", "activesasfrozen"]
_UPLOADED = ["import", "importsecure", "upload", "uploadpreparedsecure"]
_OWNERS = ("managed_by", "managed_by_extended", "share_info")
_UNCACHED = ["ultrassd_lrs", "premiumv2_lrs"]


def _odd_word(name: str, known: Mapping[str, str]) -> nw.Expr:
    """Keep a word that the rules do not know, as it came, for the evidence."""
    kept = nw.col(name).fill_null("").str.replace_all("[|\u00a6]", "/").str.slice(0, 60)
    return nw.when(low(name).is_in(["", *known])).then(nw.lit("")).otherwise(kept)


def _owner_doubted() -> nw.Expr:
    """Say whether the owner is in doubt; a listing without properties states it all the same (RULES L2)."""
    unsure = doubted("managed_by", reason=f"(?:wrong type|{DIFFER})")
    return unsure | (doubted("managed_by") & ~given("managed_by_key"))


def _some_owners() -> nw.Expr:
    """Say whether other VMs than those that are named may own the disk, which is several in a shared one."""
    shared = (nw.col("max_shares").fill_null(1.0) > 1) & doubted("managed_by_extended", "share_info")
    return choose([(doubted(*_OWNERS, reason=f"(?:wrong type|{DIFFER})") | shared, "yes")], "no")


#: What a disk or snapshot says of itself, by name.
OWN_FACTS: dict[str, nw.Expr] = {
    "captures": choose([(differing("disks", "disk_state", "size_gb", "size_bytes"), "differ")], "one"),
    "owner_doubt": choose([(_owner_doubted(), "yes")], "no"),
    "more_owners": _some_owners(),
    "state": choose([(low("disk_state").is_in(_HELD) & ~doubted("disk_state"), "held")], "loose"),
    "sse_fact": unless_doubted(
        words("encryption_type", _SSE, "unrecognised", "missing"), "missing", "encryption_type"
    ),
    "odd_type": _odd_word("encryption_type", _SSE),
    "odd_security": _odd_word("security_type", _CONFIDENTIAL),
    "flag": choose(
        [
            (doubted("ade_enabled"), "doubt"),
            (is_true("ade_enabled"), "on"),
            (given("ade_enabled"), "was_on"),
            (doubted("ade_settings"), "doubt"),
            (given("ade_settings"), "unclear"),
        ],
        "none",
    ),
    "volumes": choose([(doubted("ade_volumes"), "doubt")], "read"),
    "conf_disk": unless_doubted(
        words("security_type", _CONFIDENTIAL, "unrecognised", "none"), "doubt", "security_type"
    ),
    "sku_class": choose(
        [
            (doubted("sku", reason=DIFFER), "unclear"),
            (low("sku").is_in(_UNCACHED), "uncached"),
            (low("sku") == "", "unknown"),
        ],
        "cached",
    ),
    "own_os": unless_doubted(
        words("os_type", {"windows": "windows", "linux": "linux"}, "unknown", "none"), "unknown", "os_type"
    ),
    "own_image": choose(
        [
            (doubted("gallery_image_id", "create_option", "image_id"), "unknown"),
            (given("gallery_image_id") | low("create_option").is_in(_UPLOADED), "custom"),
            (low("image_id").str.contains("/publishers/"), "platform"),
            (low("image_id") != "", "custom"),
        ],
        "unknown",
    ),
}
#: The same of a disk that only a VM's list names.
_NO_ROW = {
    "captures": "one",
    "kind": "managed_disk",
    "owner_doubt": "no",
    "more_owners": "no",
    "state": "loose",
    "sse_fact": "no_row",
    "odd_type": "",
    "odd_security": "",
    "flag": "no_row",
    "volumes": "doubt",
    "conf_disk": "no_row",
    "sku_class": "unknown",
    "own_os": "unknown",
    "own_image": "unknown",
}
#: The facts of the column `own`, in order.
OWN = ("kind", *OWN_FACTS)


def _set_key(name: str) -> nw.Expr:
    return unless_doubted(nw.col(f"{name}_key"), None, name)


def own_rows(frame: Frame, kind: str) -> Frame:
    """Fold what a disk or snapshot says of itself into the column `own`."""
    frame = frame.with_columns(**OWN_FACTS, kind=nw.lit(kind))
    return frame.select(
        "flag",
        disk_key=nw.col("key"),
        owner_key=nw.when(_owner_doubted()).then(nw.lit(None, nw.String)).otherwise(nw.col("managed_by_key")),
        des_key=_set_key("disk_encryption_set_id"),
        secure_key=_set_key("secure_vm_disk_encryption_set_id"),
        source_key=nw.col("source_resource_id_key"),
        own=profile(OWN),
    )


def listed_only(inv: Inventory, lists: Frame) -> Frame:
    """Make a row of each disk that only a VM's list names: ephemeral, unmanaged, or not in the export."""
    rows = lists.join(lazy(inv.disks).select(disk_key=nw.col("key")), on="disk_key", how="anti")
    none = nw.lit(None, nw.String)
    return (
        rows.group_by("disk_key")
        .agg(nw.col("vm_key").min())
        .select(
            flag=nw.lit("no_row"),
            disk_key=nw.col("disk_key"),
            owner_key=nw.col("vm_key"),
            des_key=none,
            secure_key=none,
            source_key=none,
            own=nw.lit(BAR.join(_NO_ROW[n] for n in OWN)),
        )
    )
