"""Whose key protects each disk: one row per disk and key that it needs, for every engine."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import narwhals as nw

from diskenc_analysis.chains import Chains, chains_of
from diskenc_analysis.coverage import coverage
from diskenc_analysis.disklists import disk_lists
from diskenc_analysis.frames import BAR, Frame, choose, fold, helper, kept, key_of, lazy, native_of, rows_of
from diskenc_analysis.keyrecords import UNREAD, Record
from diskenc_analysis.keyuse import RESOLVED, Use, day_of, resolved

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

IDENTITY = (
    *("disk_id", "name", "kind", "attachment", "subscription_id", "subscription_name", "resource_group"),
    *("location", "vm_id", "gib", "method", "key_owner"),
)
#: The columns of the key ownership frame, in order.
COLUMNS = (*IDENTITY, "layer", "decides", *RESOLVED)
_ENCRYPTED = ["platform", "customer", UNREAD]


def key_ownership(inv: Inventory, cov: Any = None, as_of: str | date = "") -> Any:
    """Follow every disk to the keys that protect it, as far as the inventory goes.

    Parameters
    ----------
    inv : Inventory
        As `load` gives it.
    cov : frame, optional
        Its coverage frame; worked out where it is not given.
    as_of : str or date
        The day on which expiry is judged, as YYYY-MM-DD; without one `key_state` of a key that expires is
        `unknown`. The clock of the machine is never asked.

    Returns
    -------
    frame
        Of the inventory's engine, with the columns of `COLUMNS`, text but for `gib` (float, GiB). Every disk
        has one row for its storage encryption (`layer` is `sse`), one more for confidential encryption, and
        one per key of Azure Disk Encryption (`ade`). `decides` says whether the disk's `key_owner` speaks of
        this layer (RULES K1), `holder` who holds this key, `needed` whether the disk is known to need it.
        Where a link is missing, the columns behind it are `unknown` and `reason` says why. A column is null
        where nothing is to be said: a platform's key has no vault.

    Raises
    ------
    ParameterError
        When `as_of` is no day.

    Examples
    --------
    >>> from diskenc_analysis import load, sample_path
    >>> own = key_ownership(load(sample_path()))
    >>> sorted(set(own["layer"]))
    ['ade', 'confidential', 'sse']
    """
    chains, day = chains_of(inv), day_of(as_of)
    disks = _disks(inv, coverage(inv) if cov is None else cov)
    sse = disks.with_columns(layer=nw.lit("sse"), state=nw.col("sse"), chain=nw.col("des_key"))
    secure = disks.filter(nw.col("confidential").is_in(_ENCRYPTED))
    secure = secure.with_columns(
        layer=nw.lit("confidential"), state=nw.col("confidential"), chain=nw.col("secure_key")
    )
    ade, known = _ade(inv, disks.filter(nw.col("ade").is_in(["on", UNREAD])), chains)
    names = (*IDENTITY, "layer", "decider", "state", "chain")
    rows = nw.concat([frame.select(*names) for frame in (sse, secure, ade)], how="vertical")
    marked = {
        f"of_{n}": nw.col(n).fill_null("").str.replace_all(BAR, "%7c", literal=True) for n in Use._fields
    }
    rows, uses = fold(inv, rows, marked, "use")
    tenants = dict(rows_of(lazy(inv.subscriptions).select("subscription_id", "tenant_id")))
    made = [
        {"use": use, **resolved(Use(*facts.values()), chains, known, tenants, day)}
        for use, facts in uses.items()
    ]
    rows = rows.drop("chain").join(helper(inv, "key_uses", made, ["use", *RESOLVED]), on="use", how="left")
    decides = choose(
        [(nw.col("decider") == UNREAD, UNREAD), (nw.col("decider") == nw.col("layer"), "yes")], "no"
    )
    out = kept(inv, rows.with_columns(decides=decides).select(*COLUMNS), "key_ownership")
    return native_of(inv, out)


def _disks(inv: Inventory, cov: Any) -> Frame:
    """Give the disks with the sets that they name, and the layer that K1 asks first."""
    columns = {"des_key": "disk_encryption_set_id_key", "secure_key": "secure_vm_disk_encryption_set_id_key"}
    named = {ours: nw.col(theirs) for ours, theirs in columns.items()}
    own = [lazy(table).select(at=nw.col("key"), **named) for table in (inv.disks, inv.snapshots)]
    listed = (
        disk_lists(inv)
        .select("disk_key", **named)
        .group_by("disk_key")
        .agg(*[nw.col(n).min() for n in named])
    )
    listed = listed.join(lazy(inv.disks).select(disk_key=nw.col("key")), on="disk_key", how="anti")
    sets = nw.concat(
        [*own, listed.select(at=nw.col("disk_key"), **{n: nw.col(n) for n in named})], how="vertical"
    )
    sets = sets.with_columns(at=nw.col("at").str.strip_chars("/ "))
    conf, ade = nw.col("confidential"), nw.col("ade")
    decider = choose(
        [
            (conf == UNREAD, UNREAD),
            (conf.is_in(_ENCRYPTED), "confidential"),
            (ade == UNREAD, UNREAD),
            (ade == "on", "ade"),
        ],
        "sse",
    )
    at = nw.col("disk_id").str.to_lowercase().str.strip_chars("/ ")
    disks = lazy(cov).with_columns(at=at, vm_key=key_of("vm_id"), decider=decider)
    return kept(inv, disks.join(sets, on="at", how="left"), "disks_and_sets")


def _ade(inv: Inventory, disks: Frame, chains: Chains) -> tuple[Frame, dict[str, Record]]:
    """Join the disks under Azure Disk Encryption with the keys that the nearest place names."""
    disks = disks.with_columns(layer=nw.lit("ade"), state=nw.col("ade"))
    parts: list[Frame] = []
    known: dict[str, Record] = {}
    for by, refs, found in chains.ade():
        for one in found.values():
            known.setdefault(str(one["chain"]), one)
        names = [{"ref": ref, "chain": one["chain"]} for ref, one in found.items()]
        refs = refs.join(helper(inv, f"chains_{len(parts)}", names, ["ref", "chain"]), on="ref", how="left")  # noqa: PLW2901
        at = nw.col(by).str.strip_chars("/ ") if by == "disk_key" else nw.col(by)
        pairs = refs.select("chain", **{_BY[by]: at}).unique()
        parts.append(disks.join(pairs, on=_BY[by], how="inner"))
        disks = disks.join(pairs, on=_BY[by], how="anti")
    parts.append(disks.with_columns(chain=nw.lit(None, nw.String)))
    columns = [n for n in parts[-1].collect_schema().names() if n != "chain"]
    return nw.concat([part.select(*columns, "chain") for part in parts], how="vertical"), known


_BY = {"disk_key": "at", "vm_key": "vm_key"}
