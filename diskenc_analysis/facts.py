"""One row per thing that holds VM bytes, with the facts that the rules ask for, each of few values.

Only what is vectorised happens here: joins and classifications, in narwhals, for every engine. What the
facts mean is decided in `methods` and `judge`, once per distinct combination of facts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals as nw

from diskenc_analysis import keys
from diskenc_analysis.frames import Frame, choose, doubted, given, lazy, low, words
from diskenc_analysis.vmfacts import disk_lists, vm_facts

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

IDENTITY = (
    "disk_id",
    "name",
    "kind",
    "role",
    "attachment",
    "subscription_id",
    "resource_group",
    "location",
    "vm_id",
    "gib",
    "tags",
)
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
    "trustedlaunch": "none",
    "standard": "none",
}
_HELD = ["attached", "reserved", "frozen", "activesasfrozen"]
_UPLOADED = ["import", "importsecure", "upload", "uploadpreparedsecure"]
_UNCACHED = ["ultrassd_lrs", "premiumv2_lrs"]

#: The facts of a disk row, in the order of its profile.
FACTS = (
    "kind",
    "role",
    "attachment",
    "host_states",
    "sse_fact",
    "des",
    "des_type",
    "des_store",
    "des_hsm",
    "flag",
    "status",
    "vm_flag",
    "kek",
    "ade_store",
    "ade_hsm",
    "vm_kek",
    "status_kek",
    "ext",
    "ext_age",
    "ext_kek",
    "ext_volume",
    "sub_os",
    "sub_data",
    "conf_disk",
    "conf_list",
    "conf_list_set",
    "secure",
    "secure_type",
    "secure_store",
    "secure_hsm",
    "vm_kind",
    "os",
    "image",
    "sku_class",
    "caching",
    "full_caching",
    "list_set",
    "vm_v5_plus",
    "vm_flagged",
)


def _own_facts(frame: Frame, kind: str) -> Frame:
    """Classify what a disk or snapshot says of itself."""
    created, image, gallery = low("create_option"), low("image_id"), given("gallery_image_id")
    size = nw.when(given("size_gb")).then(nw.col("size_gb")).otherwise(nw.col("size_bytes") / 2**30)
    return frame.select(
        "name",
        "subscription_id",
        "resource_group",
        "location",
        "tags",
        disk_key=nw.col("key"),
        disk_id=nw.col("id"),
        kind=nw.lit(kind),
        gib=size,
        owner_key=nw.col("managed_by_key"),
        owner_id=nw.col("managed_by"),
        owner_doubt=choose([(doubted("managed_by"), "yes")], "no"),
        state=choose([(low("disk_state").is_in(_HELD), "held")], "loose"),
        sse_fact=_unless_doubted("encryption_type", words("encryption_type", _SSE, "unrecognised", "missing"), "missing"),
        des_key=nw.col("disk_encryption_set_id_key"),
        secure_key=nw.col("secure_vm_disk_encryption_set_id_key"),
        flag=choose(
            [
                (doubted("ade_enabled", "ade_settings"), "doubt"),
                (nw.col("ade_enabled").fill_null(value=False), "on"),
                (given("ade_enabled"), "was_on"),
                (given("ade_settings"), "unclear"),
            ],
            "none",
        ),
        conf_disk=_unless_doubted(
            "security_type", words("security_type", _CONFIDENTIAL, "unrecognised", "none"), "doubt"
        ),
        sku_class=choose([(low("sku").is_in(_UNCACHED), "uncached"), (low("sku") == "", "unknown")], "cached"),
        own_os=choose(
            [(low("os_type") == "windows", "windows"), (low("os_type") == "linux", "linux"), (doubted("os_type"), "unknown")],
            "none",
        ),
        own_image=choose(
            [
                (gallery | created.is_in(_UPLOADED), "custom"),
                (image.str.contains("/publishers/"), "platform"),
                (image != "", "custom"),
            ],
            "unstated",
        ),
    )


def _unless_doubted(name: str, value: nw.Expr, otherwise: str) -> nw.Expr:
    return nw.when(doubted(name)).then(nw.lit(otherwise)).otherwise(value)


def _listed_only(lists: Frame, disks: Frame) -> Frame:
    """Make a row of each disk that only a VM's list names: ephemeral, unmanaged, or not in the export."""
    rows = lists.join(disks.select("disk_key"), on="disk_key", how="anti").unique(subset=["disk_key"])
    none = nw.lit(None, nw.String)
    return rows.select(
        nw.col("disk_name").alias("name"),
        "subscription_id",
        "resource_group",
        "location",
        tags=none,
        disk_key=nw.col("disk_key"),
        disk_id=nw.col("list_id"),
        kind=nw.lit("managed_disk"),
        gib=nw.col("size_gb"),
        owner_key=none,
        owner_id=none,
        owner_doubt=nw.lit("no"),
        state=nw.lit("loose"),
        sse_fact=nw.lit("no_row"),
        des_key=none,
        secure_key=none,
        flag=nw.lit("no_row"),
        conf_disk=nw.lit("no_row"),
        sku_class=nw.lit("unknown"),
        own_os=nw.lit("unknown"),
        own_image=nw.lit("unstated"),
    )


def _listing(lists: Frame) -> Frame:
    """Reduce the lists to one row per disk; a shared disk is listed by several VMs."""
    lowest = ("list_role", "caching", "full_caching", "list_set", "conf_list", "conf_list_set", "status")
    highest = ("list_kind", "vm_flag", "vm_kek", "status_kek")
    return lists.group_by("disk_key").agg(
        *[nw.col(n).min() for n in lowest], *[nw.col(n).max().alias(n) for n in highest]
    )


def owners(rows: Frame, inv: Inventory, lists: Frame) -> Frame:
    """Pair every disk with the VMs that it is attached to, and with what they say (RULES L2).

    Parameters
    ----------
    rows : Frame
        Disk rows with `disk_key` and `owner_key`.
    inv : Inventory
        With `disk_owners`.
    lists : Frame
        The VMs' own disk lists.

    Returns
    -------
    Frame
        Distinct pairs `disk_key`, `vm_key`.
    """
    managed = rows.filter(given("owner_key")).select("disk_key", vm_key=nw.col("owner_key"))
    shared = lazy(inv.disk_owners).select(disk_key=nw.col("parent_key"), vm_key=nw.col("vm_id_key"))
    pairs = nw.concat([managed, shared, lists.select("disk_key", "vm_key")], how="vertical")
    return pairs.filter(given("disk_key"), given("vm_key")).unique()


def _attachments(pairs: Frame, vms: Frame) -> Frame:
    """Reduce the owners of each disk to one of them, and to the states of host encryption among them."""
    seen = pairs.join(vms.select("vm_key", "vm_host"), on="vm_key", how="left")
    state = nw.col("vm_host").fill_null("unknown")
    seen = seen.with_columns(
        on=(state == "on").cast(nw.Int64), off=(state == "off").cast(nw.Int64), dark=(state == "unknown").cast(nw.Int64)
    )
    grouped = seen.group_by("disk_key").agg(
        nw.col("on").max(), nw.col("off").max(), nw.col("dark").max(), nw.col("vm_key").min()
    )
    names = [nw.when(nw.col(c) == 1).then(nw.lit(w)).otherwise(nw.lit("")) for c, w in _STATES]
    return grouped.select("disk_key", "vm_key", host_states=nw.concat_str(names))


_STATES = (("on", "+on"), ("off", "+off"), ("dark", "+unknown"))


def disk_facts(inv: Inventory) -> tuple[Frame, Frame, Frame]:
    """Give every disk row with its facts.

    Parameters
    ----------
    inv : Inventory
        The tables as read.

    Returns
    -------
    rows : Frame
        `disk_key`, `vm_key`, the columns of `IDENTITY` and those of `FACTS`.
    pairs : Frame
        The owners: `disk_key`, `vm_key`.
    vms : Frame
        The facts of the VMs that were read, as `vmfacts.vm_facts` gives them.
    """
    lists, vms = disk_lists(inv), vm_facts(inv)
    disks = _own_facts(lazy(inv.disks), "managed_disk")
    none = {n: nw.lit(None, nw.String) for n in ("image_id", "gallery_image_id", "managed_by", "managed_by_key")}
    snapshots = _own_facts(lazy(inv.snapshots).with_columns(**none), "snapshot")
    rows = nw.concat([disks, snapshots, _listed_only(lists, disks)], how="vertical")
    pairs = owners(rows, inv, lists)
    flagged = rows.filter(nw.col("flag").is_in(["on", "was_on"])).select("disk_key")
    flagged = pairs.join(flagged, on="disk_key", how="inner").select("vm_key", vm_flagged=nw.lit("yes")).unique()
    vms = vms.join(flagged, on="vm_key", how="left")
    rows = rows.join(_listing(lists), on="disk_key", how="left")
    rows = rows.join(_attachments(pairs, vms), on="disk_key", how="left")
    rows = rows.join(vms.drop("vm_host", "size_from", "local_disk"), on="vm_key", how="left")
    sets = keys.sets(inv)
    for key, prefix in (("des_key", "des"), ("secure_key", "secure")):
        named = {"set_key": key, "set_type": f"{prefix}_type", "store": f"{prefix}_store", "hsm_key": f"{prefix}_hsm"}
        rows = rows.join(sets.rename(named), on=key, how="left")
    rows = rows.join(keys.ade_keys(inv), on="disk_key", how="left")
    return _shape(rows), pairs, vms


def _shape(rows: Frame) -> Frame:
    """Name the facts as the rules know them, with nothing left null."""
    snapshot, owned = nw.col("kind") == "snapshot", given("vm_key")
    attachment = choose(
        [
            (snapshot, "unattached"),
            (owned | (nw.col("state") == "held"), "attached"),
            (nw.col("owner_doubt") == "yes", "unknown"),
        ],
        "unattached",
    )
    own_os, listed = nw.col("own_os"), nw.col("list_role")
    role = nw.when(~listed.is_null()).then(listed).otherwise(
        choose([(own_os.is_in(["windows", "linux"]), "os"), (own_os == "none", "data")], "unknown")
    )
    system = nw.when(own_os.is_in(["windows", "linux"])).then(own_os).otherwise(nw.col("vm_os").fill_null("unknown"))
    image = nw.when(nw.col("own_image") != "unstated").then(nw.col("own_image")).otherwise(nw.col("vm_image").fill_null("unknown"))
    kind = nw.when(~nw.col("list_kind").is_null() & (nw.col("list_kind") != "managed_disk")).then(nw.col("list_kind")).otherwise(nw.col("kind"))
    rows = rows.with_columns(attachment=attachment, role=role, os=system, image=image, kind=kind)
    vm_id = nw.when(given("vm_id")).then(nw.col("vm_id")).otherwise(nw.col("owner_id"))
    rows = rows.with_columns(vm_id=vm_id, vm_v5_plus=nw.col("v5_plus").fill_null("unknown"))
    for key, name in (("des_key", "des"), ("secure_key", "secure")):
        found = choose([(given(f"{name}_type"), "found"), (given(key), "missing")], "none")
        rows = rows.with_columns(found.alias(name))
    facts = [nw.col(n).fill_null("").alias(n) for n in FACTS]
    extra = [c for c in IDENTITY if c not in FACTS]
    return rows.select("disk_key", "vm_key", *extra, *facts)
