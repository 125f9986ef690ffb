"""Every VM that depends on Azure Disk Encryption, or once did, with the facts that its way out rests on.

Only what is vectorised happens here; what the facts mean is decided in `migration_rules`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals as nw

from diskenc_analysis.frames import Frame, choose, doubted, fold, given, kept, lazy, low
from diskenc_analysis.layers import Facts
from diskenc_analysis.migration_disks import OF_DISKS, Marks, all_marks, by_machine
from diskenc_analysis.migration_places import PLACE_FACTS, place, place_facts
from diskenc_analysis.readings import READ, readings

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

#: The migration guide names the last for Linux.
_JOINS = ["jsonaddomainextension", "aadloginforwindows", "aadsshloginforlinux"]
_LEFT = ("enable", "enable_failed", "disable", "unclear")
#: Facts of a VM that was not read.
_UNSEEN = {"vm_kind": "unknown", "vm_os": "unknown", "ext": "unread", "ext_age": "", "entra": ""}
#: What the VM itself says, by the names of the checks that ask for it; empty where it was not read.
_OWN_FACTS: dict[str, nw.Expr] = {
    "in_set": choose(
        [
            (nw.col("vm_key").str.contains("/virtualmachinescalesets/"), "yes"),
            (nw.col("scale_set_id_key").fill_null("") != "", "yes"),
        ],
        "no",
    ),
    "session_host": choose(
        [
            (low("image_sku").str.contains("-(?:avd|evd)(?:-|$)"), "yes"),
            (low("tags").str.contains("/hostpools/"), "yes"),
        ],
        "no",
    ),
    "power": low("power_state").str.replace_all("powerstate/", "", literal=True),
    "placement": choose(
        [
            (nw.col("id").is_null() | doubted("zones", "availability_set_id"), ""),
            (given("availability_set_id"), "availability_set"),
            (low("zones").str.contains(r"\d"), "zone"),
        ],
        "free",
    ),
}
_DEPENDENT = ("domain_join", "snapshots", "restore_points", "backup")
_PARTS = (*_OWN_FACTS, *PLACE_FACTS, *_DEPENDENT)


def machines(inv: Inventory, found: Marks, *, customer_key: bool) -> tuple[Frame, dict[str, Facts]]:
    """Give every VM that has to do with Azure Disk Encryption, its facts folded into one column.

    Parameters
    ----------
    inv : Inventory
        The tables as read.
    found : Marks
        Its disks.
    customer_key : bool
        Whether the new disks shall be under a customer's key.

    Returns
    -------
    frame : Frame
        `vm_key`, `id`, `name`, `subscription_id`, `resource_group`, `location`, `tags`, `disks`, `gib`,
        `unsized` and `facts`.
    known : dict
        The facts behind each value of `facts`; `held` numbers the marks of the VM's disks.
    """
    extended = [part for part, facts in found.facts.vm_facts.items() if facts["ext"] in _LEFT] or ["none"]
    touched = found.owned.filter(nw.col("mark").is_in(found.touched())).select("vm_key")
    by_extension = found.facts.vms.filter(nw.col("vm").is_in(extended)).select("vm_key")
    keys = kept(inv, nw.concat([touched, by_extension], how="vertical").unique(), "migration_keys")
    rows = keys.join(by_machine(inv, found), on="vm_key", how="left")
    rows = rows.join(found.facts.vms.select("vm_key", "vm"), on="vm_key", how="left")
    rows = rows.join(lazy(inv.vms).with_columns(vm_key=nw.col("key")), on="vm_key", how="left")
    rows = rows.with_columns(**_OWN_FACTS, place=place())
    rows = _dependents(inv, rows, found)
    rows = kept(inv, rows, "migration_vms")
    rows = rows.join(place_facts(inv, rows, customer_key=customer_key), on="place", how="left")
    folded = {name: nw.col(name).fill_null("") for name in ("held", "vm", *OF_DISKS, *_PARTS)}
    rows, known = fold(inv, rows.drop("doubt", "source"), folded, "machine")
    whole = {name: _whole(facts, found) for name, facts in known.items()}
    counted = {n: nw.col(n).fill_null(0).cast(nw.Int64) for n in ("disks", "unsized")}
    counted["gib"] = nw.col("gib").fill_null(0.0)
    names = ("id", "name", "subscription_id", "resource_group", "location", "tags")
    return rows.select("vm_key", *names, facts=nw.col("machine"), **counted), whole


def _whole(facts: Facts, found: Marks) -> Facts:
    """Put the facts of a VM together; those of its disks lose the digit that ranked them."""
    vm = {**_UNSEEN, **found.facts.vm_facts.get(facts["vm"], {})}
    whole = {**vm, **facts, **{name: facts[name][1:] for name in OF_DISKS}}
    roles = {mark.role for mark in all_marks(facts["held"], found.known)}
    return {**whole, "generation": _generation(whole), "os_disk": "seen" if "os" in roles else "unread"}


def _generation(facts: Facts) -> str:
    """Tell the generation with an Entra app from the current one (facts 2.2, 2.7)."""
    said = {word for word in ("entra", "current") if facts[f"{word}_flag"] == "yes"}
    said |= {"entra"} if facts["entra"] == "yes" else set()
    if not said and facts["ext"] in _LEFT:
        said = {{"old": "entra", "new": "current"}.get(facts["ext_age"], "unknown")}
    return said.pop() if len(said) == 1 else "unknown"


def _dependents(inv: Inventory, rows: Frame, found: Marks) -> Frame:
    """Say of each VM whether it is joined to a domain, and whether copies of its disks stay encrypted."""
    marked = found.owned.filter(nw.col("mark").is_in(found.touched())).select("disk_key", "vm_key")
    copies = {
        "snapshots": lazy(inv.snapshots)
        .with_columns(disk_key=nw.col("key"))
        .join(found.rows.filter(nw.col("mark").is_in(found.touched())), on="disk_key", how="semi")
        .select(disk_key=nw.col("source_resource_id_key")),
        "restore_points": lazy(inv.restore_points).select(disk_key=nw.col("source_resource_id_key")),
    }
    for name, frame in copies.items():
        some = frame.join(marked, on="disk_key", how="inner").select("vm_key")
        rows = _having(rows, some, name, "some", _none(inv, name))
    backed = lazy(inv.backup_items).select(vm_key=nw.col("source_id_key"))
    rows = _having(rows, backed, "backup", "some", _none(inv, "backup_items"))
    joined = lazy(inv.extensions).filter(low("extension_type").is_in(_JOINS))
    owner = nw.col("key").str.replace_all(r"/extensions/[^/]*$", "")
    return _having(rows, joined.select(vm_key=owner), "domain_join", "joined", nw.lit("no_sign"))


def _none(inv: Inventory, table: str) -> nw.Expr:
    """Say `none` if the table was read whole in the subscription of the VM: what it lacks is not there."""
    read = readings(inv, (table,))
    names = [name for name in read.subscriptions() if read.of(table, name) == READ]
    subscription = nw.col("vm_key").str.replace_all(r"^/subscriptions/|/.*$", "")
    return choose([(subscription.is_in(names or ["none"]), "none")], "")


def _having(rows: Frame, those: Frame, name: str, yes: str, no: nw.Expr) -> Frame:
    named = those.filter(given("vm_key")).unique().with_columns(nw.lit(yes).alias(name))
    there = rows.join(named, on="vm_key", how="left")
    return there.with_columns(nw.when(given(name)).then(nw.col(name)).otherwise(no).alias(name))
