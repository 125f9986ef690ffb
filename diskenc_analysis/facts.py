"""One row per thing that holds VM bytes, with the facts that the rules ask for, each of few values.

Only what is vectorised happens here: joins and classifications, in narwhals, for every engine. What the
facts mean is decided in `methods` and `judge`, once per distinct combination of facts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import narwhals as nw

from diskenc_analysis import keys
from diskenc_analysis.diskfacts import OWN, listed_only, own_rows
from diskenc_analysis.disklists import CACHINGS, LIST_FACTS, caching_by_owner, disk_lists, shared_caching
from diskenc_analysis.frames import (
    BAR,
    Frame,
    distinct,
    fold,
    given,
    helper,
    kept,
    lazy,
    profile,
    unless_doubted,
)
from diskenc_analysis.inventory import Inventory, once
from diskenc_analysis.keystores import KeyStores
from diskenc_analysis.vmfacts import VM_FACTS, speaks_of_ade, vm_rows

_KEYS = ("ade", "listed", "extension")
_PARTS = ("own", "lineage", "listing", "owners", "cachings", "vm", "des", "secure", *_KEYS)
#: Facts where a part is missing: the disk has no VM that was read, no set, no key.
_ABSENT = {
    **dict.fromkeys(LIST_FACTS, ""),
    **dict.fromkeys((*VM_FACTS, "vm_flagged", "entra"), ""),
    **dict.fromkeys(("des_type", "des_store", "des_hsm", "secure_type", "secure_store", "secure_hsm"), ""),
    **dict.fromkeys(("des", "secure"), "none"),
}
_SECURE = "secure_vm_disk_encryption_set_id"
_NO_KEY = dict.fromkeys(("kek", "store", "hsm_key"), "unknown")


@dataclass(frozen=True)
class DiskFacts:
    """Every disk with its profile, and what the profiles mean.

    Attributes
    ----------
    rows : Frame
        `disk_key`, `vm_key` (one of its VMs, or null) and `profile`.
    extra : Frame
        Pairs `disk_key`, `vm_key` beyond the one that `rows` names: shared disks.
    vms : Frame
        `vm_key` and `vm`, the folded facts of the VMs that were read.
    vm_facts : dict
        The facts behind each value of `vm`.
    profiles : dict
        The facts behind each value of `profile`.
    """

    rows: Frame
    extra: Frame
    vms: Frame
    vm_facts: dict[str, dict[str, str]]
    profiles: dict[str, dict[str, str]]


def _others(rows: Frame, inv: Inventory, lists: Frame) -> Frame:
    """Pair disks with the VMs that own them besides the one named by `managedBy` (RULES L2)."""
    shared = lazy(inv.disk_owners).select(disk_key=nw.col("parent_key"), vm_key=nw.col("vm_id_key"))
    pairs = nw.concat([shared, lists.select("disk_key", "vm_key")], how="vertical").filter(given("vm_key"))
    joined = pairs.join(rows.select("disk_key", "owner_key"), on="disk_key", how="inner")
    return (
        joined.filter(nw.col("owner_key").fill_null("") != nw.col("vm_key"))
        .select("disk_key", "vm_key")
        .unique()
    )


def _pairs(rows: Frame, others: Frame) -> Frame:
    """Pair each disk of several VMs with all of them."""
    several = others.select("disk_key").unique()
    named = rows.join(several, on="disk_key", how="semi").filter(given("owner_key"))
    return nw.concat([others, named.select("disk_key", vm_key=nw.col("owner_key"))], how="vertical")


def _several(pairs: Frame, vms: Frame, lists: Frame) -> Frame:
    """Reduce the owners of a shared disk to one of them, their states of host encryption and of caching.

    The one is a VM that speaks of ADE, if any does: the layer is off only if none does (RULES L3).
    """
    seen = pairs.join(vms.select("vm_key", "vm_host", "silent"), on="vm_key", how="left")
    seen = seen.join(lists, on=["disk_key", "vm_key"], how="left")
    state, caching = nw.col("vm_host").fill_null("unknown"), nw.col("listed_caching").fill_null("unread")
    ranked = nw.concat_str([nw.col("silent").fill_null("1"), nw.col("vm_key")])
    flags = [(state == word).cast(nw.Int64).alias(word) for word in _STATES]
    flags += [(caching == word).cast(nw.Int64).alias(word) for word in CACHINGS]
    grouped = (
        seen.with_columns(*flags, vm_key=ranked)
        .group_by("disk_key")
        .agg(nw.col("vm_key").min(), *[nw.col(word).max() for word in (*_STATES, *CACHINGS)])
    )
    return grouped.select(
        "disk_key",
        first_key=nw.col("vm_key").str.slice(1),
        owners=_flagged(_STATES),
        cachings=_flagged(CACHINGS),
    )


def _flagged(words: tuple[str, ...]) -> nw.Expr:
    return nw.concat_str([nw.when(nw.col(w) == 1).then(nw.lit(f"+{w}")).otherwise(nw.lit("")) for w in words])


def _extra(pairs: Frame, several: Frame) -> Frame:
    """Leave out the one VM of each shared disk that its row names: all others are as much its owners."""
    joined = pairs.join(several.select("disk_key", "first_key"), on="disk_key", how="inner")
    return joined.filter(nw.col("vm_key") != nw.col("first_key")).select("disk_key", "vm_key")


_STATES = ("on", "off", "unknown")


@once
def disk_facts(inv: Inventory) -> DiskFacts:
    """Give every disk with its facts, folded into a profile.

    Parameters
    ----------
    inv : Inventory
        The tables as read.

    Returns
    -------
    DiskFacts
    """
    secure = {"list_secure": unless_doubted(nw.col(f"{_SECURE}_key"), None, _SECURE)}
    raw = disk_lists(inv).with_columns(**LIST_FACTS, **secure)
    raw = raw.select("disk_key", "vm_key", "list_secure", *LIST_FACTS)
    lists, list_known = fold(inv, raw, {n: nw.col(n) for n in LIST_FACTS}, "listing")
    none = {n: nw.lit(None, nw.String) for n in ("image_id", "gallery_image_id", "managed_by_key")}
    disks = own_rows(lazy(inv.disks), "managed_disk")
    shares = nw.lit(None, nw.Float64)
    snapshots = own_rows(lazy(inv.snapshots).with_columns(**none, max_shares=shares), "snapshot")
    rows = nw.concat([disks, snapshots, listed_only(inv, lists)], how="vertical")
    rows = kept(inv, rows, "disk_own")
    others = kept(inv, _others(rows, inv, lists), "other_owners")
    named = {
        "des": _values(rows, "des_key"),
        "secure": {*_values(rows, "secure_key"), *_values(lists, "list_secure")},
    }
    vms, vm_known = _vms(inv, rows, others, lists, list_known)
    pairs = kept(inv, _pairs(rows, others), "owner_pairs")
    cachings = caching_by_owner(inv, lists, list_known)
    several = kept(inv, _several(pairs, vms, cachings), "several_owners")
    keyed, key_known = _keys(inv, named)
    rows = _joined(rows, lists, several, vms)
    for by, frame in keyed:
        rows = rows.join(frame, on=by, how="left")
    absent = {part: nw.lit("") for part in _KEYS if part not in key_known}
    rows = rows.with_columns(**absent) if absent else rows
    rows = kept(inv, rows.select("disk_key", "vm_key", profile=profile(_PARTS)), "disk_facts")
    extra = kept(inv, _extra(pairs, several), "extra_owners")
    known = {"listing": list_known, "vm": vm_known, **key_known}
    meanings = {text: _complete(text, known) for text in distinct(rows, "profile")}
    return DiskFacts(rows, extra, vms, vm_known, meanings)


def _joined(rows: Frame, lists: Frame, several: Frame, vms: Frame) -> Frame:
    """Join to each disk how its VM lists it, where it came from, and the facts of one of its VMs."""
    listing = lists.group_by("disk_key").agg(nw.col("listing").min(), nw.col("list_secure").min())
    rows = rows.join(_lineage(rows), on="source_key", how="left").join(listing, on="disk_key", how="left")
    rows = rows.join(several, on="disk_key", how="left")
    one = nw.when(given("owner_key")).then(nw.lit("one")).otherwise(nw.lit("none"))
    rows = rows.with_columns(
        vm_key=nw.when(given("first_key")).then(nw.col("first_key")).otherwise(nw.col("owner_key")),
        owners=nw.when(given("owners")).then(nw.col("owners")).otherwise(one),
        secure_key=nw.when(given("secure_key")).then(nw.col("secure_key")).otherwise(nw.col("list_secure")),
    )
    return rows.join(vms.select("vm_key", "vm"), on="vm_key", how="left")


def _lineage(rows: Frame) -> Frame:
    """Name the disks and snapshots that were under ADE: what is copied of them stays marked."""
    marked = rows.filter(nw.col("flag").is_in(["on", "was_on"]))
    return marked.select(source_key=nw.col("disk_key"), lineage=nw.lit("ade"))


def _vms(
    inv: Inventory, disks: Frame, others: Frame, lists: Frame, listed: Mapping[str, Mapping[str, str]]
) -> tuple[Frame, dict[str, dict[str, str]]]:
    """Fold the facts of the VMs; a VM is `flagged` where ADE is enabled on any of its disks.

    It is of the generation with an Entra app (`entra`) where its own list says that a disk is encrypted.
    """
    marked = disks.filter(nw.col("flag") == "on")
    more = others.join(marked.select("disk_key"), on="disk_key", how="semi").select("vm_key")
    flagged = nw.concat(
        [marked.filter(given("owner_key")).select(vm_key=nw.col("owner_key")), more], how="vertical"
    )
    old = [part for part, facts in listed.items() if facts["vm_flag"] == "on"]
    entra = lists.filter(nw.col("listing").is_in(old or ["none"])).select("vm_key").unique()
    vms = vm_rows(inv).join(flagged.unique().with_columns(vm_flagged=nw.lit("yes")), on="vm_key", how="left")
    vms = vms.join(entra.with_columns(entra=nw.lit("yes")), on="vm_key", how="left")
    folded, known = fold(
        inv, vms, {n: nw.col(n).fill_null("") for n in (*VM_FACTS, "vm_flagged", "entra")}, "vm"
    )
    said = [
        {"vm": part, "vm_host": facts["vm_host"], "silent": str(int(not speaks_of_ade(facts)))}
        for part, facts in known.items()
    ]
    folded = folded.join(helper(inv, "vm_said", said, ["vm", "vm_host", "silent"]), on="vm", how="left")
    return kept(inv, folded, "vm_facts"), known


def _values(rows: Frame, column: str) -> set[str]:
    return set(distinct(rows.filter(given(column)), column))


def _keys(
    inv: Inventory, named: Mapping[str, set[str]]
) -> tuple[list[tuple[str, Frame]], dict[str, dict[str, dict[str, str]]]]:
    """Give the facts of the sets, whose keys are `named`, and of the keys, each with the column to join by.

    They are all made before any is joined: DuckDB plans a query anew, from its start, after each new table.
    """
    stores = KeyStores.of(inv)
    sets, read = keys.sets(inv, stores), keys.subscriptions(inv)
    known: dict[str, dict[str, dict[str, str]]] = {}
    frames = []
    for part, set_keys in named.items():
        by, table = f"{part}_key", []
        known[part] = {}
        for key in sorted(set_keys):
            one = sets.get(key) or keys.unread_set(key, read)
            name = "/".join(one.values())
            known[part][name] = {f"{part}_{n}" if n else part: value for n, value in one.items()}
            table.append({by: key, part: name})
        frames.append((by, helper(inv, f"sets_{part}", table, [by, part])))
    for part, by, frame, meaning in keys.ade_keys(inv, stores):
        known[part] = meaning
        frames.append((by, frame))
    return frames, known


def _complete(text: str, known: Mapping[str, Mapping[str, Mapping[str, str]]]) -> dict[str, str]:
    """Spell out a profile, and settle what follows from facts of several parts."""
    values = text.split(BAR)
    parts = dict(zip(_PARTS[1:], values[len(OWN) :], strict=True))
    facts = {**_ABSENT, **dict(zip(OWN, values, strict=False))}
    for part in ("listing", "vm", "des", "secure"):
        facts |= known[part].get(parts[part], {})
    source = next((p for p in _KEYS if parts[p]), "")
    facts |= known.get(source, {}).get(parts.get(source, ""), _NO_KEY)
    if not source and facts["flag"] == "on" and facts["volumes"] == "read":
        facts["kek"] = "no"  # absent from an object that was read whole
    owners, facts["lineage"] = parts["owners"], parts["lineage"]
    facts["host_states"] = {"none": "", "one": f"+{facts['vm_host'] or 'unknown'}"}.get(owners, owners)
    if facts["host_states"] and facts["more_owners"] == "yes" and "unknown" not in facts["host_states"]:
        facts["host_states"] += "+unknown"
    facts["caching"] = shared_caching(facts, parts["cachings"])
    facts["attachment"] = _attachment(facts)
    facts["role"] = facts["list_role"] or {"windows": "os", "linux": "os", "none": "data"}.get(
        facts["own_os"], "unknown"
    )
    facts["os"] = facts["own_os"] if facts["own_os"] in ("windows", "linux") else facts["vm_os"] or "unknown"
    facts["image"] = _image(facts)
    if facts["list_kind"] not in ("", "managed_disk"):
        facts["kind"] = facts["list_kind"]
    return facts


def _image(facts: Mapping[str, str]) -> str:
    """Name the origin of the image; a disk that was attached as the OS disk of a VM without one is custom."""
    if facts["own_image"] != "unknown":
        return facts["own_image"]
    if facts["vm_image"] == "none":
        return "custom" if facts["list_made"] == "attached" else "unknown"
    return facts["vm_image"] or "unknown"


def _attachment(facts: Mapping[str, str]) -> str:
    """Say whether a disk is attached: by its owners, not by its state (RULES L2)."""
    if facts["kind"] == "snapshot":
        return "unattached"
    if facts["host_states"] or facts["state"] == "held":
        return "attached"
    return "unknown" if facts["owner_doubt"] == "yes" else "unattached"
