"""Every disk judged against the encryption matrix: layers, key owner and the ten capabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw

from diskenc_analysis import judge_vm
from diskenc_analysis.editions import capabilities, resolve_edition
from diskenc_analysis.facts import FACTS, IDENTITY, disk_facts
from diskenc_analysis.frames import Frame, given, helper, kept, lazy, profiles, with_profile
from diskenc_analysis.judge import OF_VM, WORST_FIRST, disk_verdicts
from diskenc_analysis.methods import Layers, decide

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

_LAYERS = ("sse", "host", "ade", "confidential", "method", "key_owner", "key_store")
_OF_VM = (*OF_VM, "temp_disk_key_owner", "vm_evidence")
_STATES = ("ade", "confidential", "kek")
#: The columns of the coverage frame, in order.
COLUMNS = (
    *IDENTITY[:6],
    "subscription_name",
    *IDENTITY[6:],
    *_LAYERS,
    "temp_disk_key_owner",
    *capabilities(),
    "conflicts",
    "evidence",
)


def coverage(inv: Inventory, edition: str = "latest") -> Any:
    """Judge every disk of an inventory.

    Parameters
    ----------
    inv : Inventory
        As `load` gives it.
    edition : str
        Edition of the encryption matrix, or `latest`.

    Returns
    -------
    frame
        One row per managed disk, ephemeral OS disk, unmanaged disk and snapshot, of the inventory's engine,
        with the columns of `COLUMNS`: text but for `gib` (float, GiB).

    Raises
    ------
    UnknownNameError
        When the edition is unknown.

    Examples
    --------
    >>> from diskenc_analysis import load, sample_path
    >>> cov = coverage(load(sample_path()))
    >>> sorted(set(cov["at_rest"]))
    ['not_applicable', 'unknown', 'yes']
    """
    edition = resolve_edition(edition)
    rows, pairs, vms = disk_facts(inv)
    rows = kept(inv, with_profile(rows, FACTS), "disk_facts")
    pairs = kept(inv, pairs, "disk_vm_pairs")
    found = profiles(rows, FACTS)
    layers = {p["profile"]: decide(p) for p in found}
    of_vm = _of_vms(inv, _vm_profiles(inv, rows, pairs, vms, layers), pairs, edition)
    rows = rows.join(of_vm, on="disk_key", how="left")
    keys = ["profile", *_OF_VM]
    rows = rows.with_columns(*[nw.col(n).fill_null("") for n in _OF_VM]).rename({n: f"v_{n}" for n in _OF_VM})
    rows = rows.with_columns(judged=nw.concat_str([nw.col(n) for n in ("profile", *_prefixed())], separator="|"))
    combos = _combos(rows)
    facts = {p["profile"]: p for p in found}
    verdicts = [_verdict(facts[c["profile"]], layers[c["profile"]], c, edition) for c in combos]
    table = helper(inv, verdicts, ["judged", *_verdict_columns()])
    rows = rows.join(table, on="judged", how="left").join(_subscriptions(inv), on="subscription_id", how="left")
    del keys
    out = kept(inv, rows.select(*COLUMNS), "coverage_" + edition.replace("-", "_"))
    return nw.to_native(out.collect() if inv.engine == "polars" else out)


def _prefixed() -> list[str]:
    return [f"v_{n}" for n in _OF_VM]


def _verdict_columns() -> list[str]:
    return [*_LAYERS, "temp_disk_key_owner", *capabilities(), "conflicts", "evidence"]


def _combos(rows: Frame) -> list[dict[str, str]]:
    found = rows.select("judged", "profile", *_prefixed()).unique().collect()
    return sorted(found.rows(named=True), key=lambda r: str(r["judged"]))  # type: ignore[return-value]


def _verdict(facts: dict[str, str], layers: Layers, combo: dict[str, str], edition: str) -> dict[str, str]:
    of_vm = {n: combo[f"v_{n}"] for n in OF_VM}
    evidence = [*layers.evidence, *([combo["v_vm_evidence"]] if combo["v_vm_evidence"] else [])]
    return {
        "judged": combo["judged"],
        **{n: getattr(layers, n) for n in _LAYERS},
        "temp_disk_key_owner": _temp_key_owner(facts, combo),
        **disk_verdicts(facts, layers, of_vm, edition),
        "conflicts": "; ".join(layers.conflicts),
        "evidence": "; ".join(evidence),
    }


def _temp_key_owner(facts: dict[str, str], combo: dict[str, str]) -> str:
    if facts["attachment"] == "unattached" or facts["kind"] == "unmanaged_disk":
        return "not_applicable"
    return combo["v_temp_disk_key_owner"] or "unknown"


def _vm_profiles(inv: Inventory, rows: Frame, pairs: Frame, vms: Frame, layers: dict[str, Layers]) -> Frame:
    """Give every VM that owns a disk with its profile, the layers of its disks gathered into it."""
    marks = [
        {"profile": p, **{f"{n}_states": getattr(one, n) if n != "kek" or one.ade == "on" else "" for n in _STATES}}
        for p, one in layers.items()
    ]
    names = [f"{n}_states" for n in _STATES]
    small = helper(inv, marks, ["profile", *names])
    owned = pairs.join(rows.select("disk_key", "profile"), on="disk_key", how="inner")
    owned = owned.join(small, on="profile", how="left").select("vm_key", *names).unique()
    words = {n: sorted({str(m[n]) for m in marks} - {""}) for n in names}
    flags = [(n, w, f"{n}_{i}") for n in names for i, w in enumerate(words[n])]
    owned = owned.with_columns(*[(nw.col(n) == w).cast(nw.Int64).alias(flag) for n, w, flag in flags])
    grouped = owned.group_by("vm_key").agg(*[nw.col(flag).max() for _, _, flag in flags])
    joined = {
        n: nw.concat_str(
            [nw.lit(""), *[_word(flag, w) for name, w, flag in flags if name == n]],
        )
        for n in names
    }
    grouped = grouped.select("vm_key", **joined).join(vms, on="vm_key", how="left")
    seen = nw.when(given("vm_host")).then(nw.lit("yes")).otherwise(nw.lit("no"))
    grouped = grouped.rename({"confidential_states": "conf_states"}).with_columns(seen=seen)
    return with_profile(grouped, judge_vm.FACTS)


def _word(flag: str, word: str) -> nw.Expr:
    return nw.when(nw.col(flag) == 1).then(nw.lit(f"+{word}")).otherwise(nw.lit(""))


def _of_vms(inv: Inventory, vms: Frame, pairs: Frame, edition: str) -> Frame:
    """Judge the VMs once and copy the worst verdict among its VMs to every disk (RULES C3)."""
    vms = kept(inv, vms.select("vm_key", "profile"), "vm_profiles")
    judged = []
    for facts in profiles(vms, judge_vm.FACTS):
        verdict = judge_vm.vm_verdicts(facts, edition)
        ranks = {n: f"{WORST_FIRST[n].index(verdict[n])}{verdict[n]}" for n in OF_VM}
        judged.append({"profile": facts["profile"], **verdict, **ranks})
    table = helper(inv, judged, ["profile", *_OF_VM])
    of_disk = pairs.join(vms.join(table, on="profile", how="left"), on="vm_key", how="inner")
    lowest = of_disk.group_by("disk_key").agg(
        *[nw.col(n).min() for n in (*OF_VM, "vm_evidence")],
        nw.col("temp_disk_key_owner").min().alias("owner_low"),
        nw.col("temp_disk_key_owner").max().alias("owner_high"),
    )
    same = nw.col("owner_low") == nw.col("owner_high")
    owner = nw.when(same).then(nw.col("owner_low")).otherwise(nw.lit("unknown"))
    ranked = [nw.col(n).str.slice(1).alias(n) for n in OF_VM]
    return lowest.select("disk_key", *ranked, "vm_evidence", temp_disk_key_owner=owner)


def _subscriptions(inv: Inventory) -> Frame:
    named = lazy(inv.subscriptions).filter(given("subscription_id"), given("display_name"))
    return named.group_by("subscription_id").agg(nw.col("display_name").min().alias("subscription_name"))
