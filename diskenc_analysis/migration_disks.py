"""What each disk has to do with Azure Disk Encryption, and what of it may stand in the way of a move.

Only what is vectorised happens here; what the facts mean is decided in `migration_rules`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import narwhals as nw

from diskenc_analysis.disklists import disk_lists
from diskenc_analysis.facts import DiskFacts, disk_facts
from diskenc_analysis.frames import Frame, choose, doubted, gathered, given, helper, is_true, kept, lazy, low
from diskenc_analysis.inventory import Inventory, once
from diskenc_analysis.layers import Facts
from diskenc_analysis.methods import decide
from diskenc_analysis.migration_rules import Mark

_SECTORED = ["ultrassd_lrs", "premiumv2_lrs"]
_SMALL, _LARGE = 512.0, 4096.0
_RULES = ("[L3", "[L4", "[L6")
#: Facts of single disks, each with a digit in front: the highest among a VM's disks is that of the VM.
_DISK_FACTS: dict[str, nw.Expr] = {
    "sector_size": choose(
        [
            (doubted("sku", "logical_sector_size", "time_created") | (low("sku") == ""), "2"),
            (~low("sku").is_in(_SECTORED), "1ok"),
            (nw.col("logical_sector_size").fill_null(0.0) == _LARGE, "1ok"),
            (nw.col("logical_sector_size").fill_null(0.0) != _SMALL, "2"),
            (~low("time_created").str.contains(r"^\d{4}-\d\d-\d\d"), "2"),
            (low("time_created").str.slice(0, 10) < "2023-05-13", "4old_512"),
        ],
        "3new_512",
    ),
    "shared_disks": choose(
        [(doubted("max_shares"), "2"), (nw.col("max_shares").fill_null(1.0) > 1, "3yes")], "1no"
    ),
    "active_sas": choose(
        [
            (doubted("disk_state") | (low("disk_state") == ""), "2"),
            (low("disk_state").str.starts_with("activesas"), "3yes"),
        ],
        "1no",
    ),
    "export": choose(
        [
            (doubted("network_access_policy", "public_network_access", "data_access_auth_mode"), "2"),
            (low("network_access_policy") == "denyall", "4denied"),
            (low("network_access_policy") == "", "2"),
            (low("network_access_policy") == "allowprivate", "3restricted"),
            (low("public_network_access") == "disabled", "3restricted"),
            (low("data_access_auth_mode").is_in(["", "none"]), "1open"),
        ],
        "3restricted",
    ),
    "entra_flag": choose([(low("ade_version").str.starts_with("1.0"), "1yes")], "0"),
    "current_flag": choose([(low("ade_version").str.starts_with("1.1"), "1yes")], "0"),
}
#: The same of a disk as its VM lists it.
_LISTED_FACTS: dict[str, nw.Expr] = {
    "write_accelerator": choose(
        [(doubted("write_accelerator"), "2"), (is_true("write_accelerator"), "3yes")], "1no"
    ),
    "unmanaged": choose([(given("vhd_uri") & ~given("managed_disk"), "3yes")], "1no"),
}
#: The facts of a VM that its disks give.
OF_DISKS = (*_DISK_FACTS, *_LISTED_FACTS)
_UNREAD = "2"
#: So that of several marks the least is the worst.
_WORST_FIRST = ("on", "unknown", "was_on", "copied", "off")


@dataclass(frozen=True)
class Marks:
    """Every disk and snapshot with its mark.

    Attributes
    ----------
    facts : DiskFacts
        As `facts.disk_facts` gives them.
    rows : Frame
        `disk_key`, `vm_key` (or null) and `mark`, a key of `known`.
    owned : Frame
        Pairs `disk_key`, `vm_key` with `mark`: a shared disk has several.
    known : dict of str to Mark
        What the marks mean; those that have nothing to do with Azure Disk Encryption have the state `off`.
    """

    facts: DiskFacts
    rows: Frame
    owned: Frame
    known: dict[str, Mark]

    def touched(self) -> list[str]:
        """Name the marks that have to do with Azure Disk Encryption, or may have."""
        return [name for name, mark in self.known.items() if mark.state != "off"] or ["none"]


@once
def marks(inv: Inventory) -> Marks:
    """Mark every disk and snapshot of an inventory.

    Parameters
    ----------
    inv : Inventory
        The tables as read.

    Returns
    -------
    Marks
    """
    facts = disk_facts(inv)
    of_profile = {text: _mark(profile) for text, profile in facts.profiles.items()}
    ordered = sorted(set(of_profile.values()), key=lambda mark: (_WORST_FIRST.index(mark.state), str(mark)))
    names = {mark: f"m{i:03}" for i, mark in enumerate(ordered)}
    table = [{"profile": text, "mark": names[mark]} for text, mark in of_profile.items()]
    rows = facts.rows.join(helper(inv, "ade_marks", table, ["profile", "mark"]), on="profile", how="left")
    rows = kept(inv, rows.select("disk_key", "vm_key", "mark"), "ade_marked")
    first = rows.filter(given("vm_key")).select("disk_key", "vm_key", "mark")
    more = facts.extra.join(rows.select("disk_key", "mark"), on="disk_key", how="inner")
    owned = nw.concat([first, more.select("disk_key", "vm_key", "mark")], how="vertical").unique()
    return Marks(facts, rows, kept(inv, owned, "ade_owned"), {name: mark for mark, name in names.items()})


def _mark(facts: Facts) -> Mark:
    layers = decide(facts)
    state = "copied" if layers.ade == "off" and facts["lineage"] == "ade" else layers.ade
    said = [text for text in layers.evidence if any(rule in text for rule in _RULES)]
    against = [text for text in layers.conflicts if "Azure Disk Encryption" in text or "extension" in text]
    if state == "off":
        return Mark("off", facts["role"], "", facts["os"], "", "", "")
    return Mark(
        state, facts["role"], layers.kek, facts["os"], facts["status"], "; ".join(said), "; ".join(against)
    )


def by_machine(inv: Inventory, found: Marks) -> Frame:
    """Sum up the disks of each VM that has to do with Azure Disk Encryption by its disks or its extension.

    Parameters
    ----------
    inv : Inventory
        The tables as read.
    found : Marks
        Its disks.

    Returns
    -------
    Frame
        `vm_key`, `held` (numbers of the marks), `disks` (int, those to be moved), `gib` (float, of those
        whose size is known), `unsized` (int, of unknown size), and the facts of `OF_DISKS`.
    """
    size = nw.when(given("size_gb")).then(nw.col("size_gb")).otherwise(nw.col("size_bytes") / 2**30)
    own = (
        lazy(inv.disks).with_columns(**_DISK_FACTS).select(*_DISK_FACTS, disk_key=nw.col("key"), own_gib=size)
    )
    lists = disk_lists(inv).with_columns(**_LISTED_FACTS)
    listed = lists.group_by("vm_key", "disk_key").agg(
        *[nw.col(name).max() for name in _LISTED_FACTS], nw.col("size_gb").max()
    )
    rows = found.owned.join(own, on="disk_key", how="left").join(
        listed, on=["vm_key", "disk_key"], how="left"
    )
    gib = nw.when(given("own_gib")).then(nw.col("own_gib")).otherwise(nw.col("size_gb"))
    touched = found.owned.filter(nw.col("mark").is_in(found.touched())).select("vm_key").unique()
    # The new VM stands on a new OS disk, whether the old one was encrypted or not.
    system = [name for name, mark in found.known.items() if mark.role == "os"] or ["none"]
    moved = nw.col("mark").is_in([*found.touched(), *system])
    one, none = nw.lit(1), nw.lit(0)
    rows = rows.with_columns(
        **{name: nw.col(name).fill_null(_UNREAD) for name in OF_DISKS},
        disks=nw.when(moved).then(one).otherwise(none),
        gib=nw.when(moved).then(gib.fill_null(0.0)).otherwise(nw.lit(0.0)),
        unsized=nw.when(moved & gib.is_null()).then(one).otherwise(none),
    )
    sums = [nw.col(name).sum() for name in ("disks", "gib", "unsized")]
    summed = rows.group_by("vm_key").agg(*[nw.col(name).max() for name in OF_DISKS])
    weights = rows.join(touched, on="vm_key", how="semi").group_by("vm_key").agg(*sums)
    summed = summed.join(weights, on="vm_key", how="left")
    held = gathered(found.owned, "vm_key", "mark", list(found.known)).rename({"mark": "held"})
    return summed.join(held, on="vm_key", how="left")


def all_marks(held: str, known: Mapping[str, Mark]) -> list[Mark]:
    """Read back which marks the disks of a VM hold."""
    listed = list(known.values())
    return [listed[int(at)] for at in held.strip("+").split("+") if at]


def held_marks(held: str, known: Mapping[str, Mark]) -> list[Mark]:
    """Read back which marks the disks of a VM hold, without those that are off."""
    return [mark for mark in all_marks(held, known) if mark.state != "off"]
