"""What stops when a key, a vault or a disk encryption set goes, and which of them most hangs on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import narwhals as nw

from diskenc_analysis.chains import previous_keys
from diskenc_analysis.custody import every_chain
from diskenc_analysis.dependents import COUNTS, NOTHING, depending, handed, subscription_names
from diskenc_analysis.editions import records
from diskenc_analysis.errors import ParameterError, UnknownNameError, suggest
from diskenc_analysis.frames import distinct, given, lazy, native_like, rows_of
from diskenc_analysis.imagekeys import COLUMNS as COPIES
from diskenc_analysis.imagekeys import image_sets
from diskenc_analysis.keyrecords import UNREAD, Record
from diskenc_analysis.keyurls import parse
from diskenc_analysis.ownership import key_ownership

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

KINDS = ("key", "vault", "set")
#: The use that the model of a scale set makes of a key, in `data/key_loss.csv`.
_MODEL = "scale_set_model"
#: The columns of the single points of failure, in order.
COLUMNS = ("kind", "target", "subscription", "uses", *COUNTS, "happens")


@cache
def losses() -> dict[str, dict[str, str]]:
    """Read what happens when a key goes, by what it is used for (`data/key_loss.csv`).

    Returns
    -------
    dict of str to dict
        By use: `happens`, `origin` (`stated` or `inferred`) and `source`.

    Examples
    --------
    >>> losses()["customer"]["origin"]
    'stated'
    """
    return {row["use"]: row for row in records("key_loss.csv")}


@dataclass(frozen=True)
class BlastRadius:
    """What depends on a key, a vault or a set.

    Attributes
    ----------
    kind, target : str
        `key`, `vault` or `set`, and which: the key as `host/keys/name`, the vault by its host, the set by id.
    counts : dict of str to float
        `disks`, `vms`, `gib`, `subscriptions` that are known to need it, `possible_disks` and
        `possible_vms` that may, and the `copies` that do: images, gallery image versions, restore points; and
        `models`, the scale sets whose model does, of which then no new instance can be made.
    unread_disks : int
        Disks of which the inventory does not tell what they need: they may depend on it as well.
    happens : tuple of str
        What the documentation says, or what follows from it, per use of the key.
    links : frame
        The rows of the key ownership frame that depend on it, of the inventory's engine.
    copies : frame
        The images, gallery image versions, restore points and scale sets that do, with the columns of
        `imagekeys.COLUMNS`.
    """

    kind: str
    target: str
    counts: Mapping[str, float]
    unread_disks: int
    happens: tuple[str, ...]
    links: Any
    copies: Any

    def __repr__(self) -> str:
        """Say it in a few lines."""
        disks, vms, gib, subs = (self.counts[n] for n in ("disks", "vms", "gib", "subscriptions"))
        lines = [f"{self.kind} {self.target}: {disks:,.0f} disks ({gib:,.0f} GiB) of {vms:,.0f} VMs"]
        lines[0] += f" in {subs:,.0f} subscription{'' if subs == 1 else 's'} need it"
        lines += [f"{self.counts['possible_disks']:,.0f} disks more may need it"]
        lines += [f"{self.counts['copies']:,.0f} images, image versions and restore points that were read"]
        models = self.counts["models"]
        lines += [f"{models:,.0f} scale set{'' if models == 1 else 's'} whose model names it"]
        lines += [f"of {self.unread_disks:,} disks it was not read which key they need", *self.happens]
        return "\n".join(lines)


def blast_radius(
    inv: Inventory,
    key: str | None = None,
    vault: str | None = None,
    des: str | None = None,
    own: Any = None,
) -> BlastRadius:
    """Say what depends on one key, vault or disk encryption set, and what happens when it goes.

    Parameters
    ----------
    inv : Inventory
        As `load` gives it.
    key : str, optional
        URL of a key, in any spelling; its version does not matter.
    vault : str, optional
        Host, URL, name or id of a vault or managed HSM.
    des : str, optional
        Id or name of a disk encryption set.
    own : frame, optional
        The key ownership frame; worked out where it is not given.

    Returns
    -------
    BlastRadius

    Raises
    ------
    ParameterError
        When not exactly one of them is named, or a name fits several.
    UnknownNameError
        When the inventory knows no such key, vault or set.

    Examples
    --------
    >>> from diskenc_analysis import load, sample_path
    >>> blast_radius(load(sample_path()), vault="kv-hub-us").counts["vms"]
    1.0
    """
    given = {n: value for n, value in {"key": key, "vault": vault, "des": des}.items() if value is not None}
    if len(given) != 1:
        raise ParameterError(f"expected one of key, vault and des; got {', '.join(given) or 'none'}")
    [(word, name)] = given.items()
    kind = "set" if word == "des" else word
    own = key_ownership(inv) if own is None else own
    chains = every_chain(inv, own)
    pairs = [(chain, target) for chain, of, target in _targets(chains) if of == kind]
    target = _found(kind, name, pairs)
    names = sorted({chain for chain, one in pairs if one == target})
    counts = depending(inv, own, ((chain, target) for chain in names)).get(target, NOTHING)
    links = lazy(own).filter(nw.col("chain").is_in(names))
    uses = {_use_of(chains[chain]) for chain in names} | ({_MODEL} if counts["models"] else set())
    copies = image_sets(inv).filter(nw.col("set").is_in(names)).sort("copy_id", "region", "disk", "layer")
    frames = (native_like(own, links), native_like(own, copies.select(*COPIES)))
    return BlastRadius(kind, target, counts, _unread(own, kind), _happens(uses), *frames)


def single_points(inv: Inventory, own: Any = None) -> Any:
    """Rank keys, vaults and sets by what stops when one of them goes.

    Parameters
    ----------
    inv : Inventory
        As `load` gives it.
    own : frame, optional
        Its key ownership frame; worked out where it is not given.

    Returns
    -------
    frame
        Of the inventory's engine, one row per key, vault and set that a disk or image needs or may: `kind`,
        `target`, the `subscription` in which it lies (by name, else by id, `unknown` where it was not read),
        `uses`, the counts (float), and what `happens`. Most VMs first, then most disks.

    Examples
    --------
    >>> from diskenc_analysis import load, sample_path
    >>> single_points(load(sample_path())).iloc[0]["kind"]
    'vault'
    """
    own = key_ownership(inv) if own is None else own
    linked = {*distinct(lazy(own).filter(given("chain")), "chain"), *distinct(image_sets(inv), "set")}
    chains = {name: chain for name, chain in every_chain(inv, own).items() if name in linked}
    pairs = {(chain, f"{kind} {target}") for chain, kind, target in _targets(chains)}
    uses: dict[str, set[str]] = {}
    places: dict[str, set[str]] = {}
    for chain, name in sorted(pairs):
        uses.setdefault(name, set()).add(_use_of(chains[chain]))
        places.setdefault(name, set()).add(_place(chains[chain], name))
    subscriptions = subscription_names(inv)
    counted = depending(inv, own, pairs)
    for name, counts in counted.items():
        uses[name] |= {_MODEL} if counts["models"] else set()
    rows: list[dict[str, Any]] = [
        {"kind": kind, "target": target, **counts}
        | {"uses": ", ".join(sorted(uses[name])), "happens": "; ".join(_happens(uses[name]))}
        | {"subscription": subscriptions.get(place, place)}
        for name, counts in counted.items()
        for kind, _, target in [name.partition(" ")]
        for place in [min(places[name] - {UNREAD}, default=UNREAD)]
    ]
    rows.sort(key=_rank)
    return handed(inv, "single_points", rows, COLUMNS)


def _place(chain: Record, name: str) -> str:
    """Name the subscription of what a chain hangs on, if it is the chain's own set, key or vault."""
    kind, _, target = name.partition(" ")
    if kind == "set":
        return chain["set_subscription_id"] or UNREAD
    return chain["vault_subscription_id"] or UNREAD if target.startswith(str(chain["key_host"])) else UNREAD


def _rank(row: Mapping[str, Any]) -> tuple[Any, ...]:
    counts = (-row[n] for n in ("vms", "disks", "possible_disks", "copies", "models"))
    return (*counts, -KINDS.index(row["kind"]), row["target"])


def _use_of(chain: Record) -> str:
    return (chain["set_type"] if chain["use"] == "set" else chain["use"]) or UNREAD


def _happens(uses: Iterable[str]) -> tuple[str, ...]:
    found = (losses()[use] for use in sorted(uses))
    words = (f"{row['happens']}{' [inferred]' if row['origin'] == 'inferred' else ''}" for row in found)
    return tuple(dict.fromkeys(words))


def _targets(chains: Mapping[str, Record]) -> Iterable[tuple[str, str, str]]:
    """Give chain, kind and name of all that a chain hangs on: also of keys of a rotation under way."""
    for name, chain in chains.items():
        if chain["use"] == "set":
            yield name, "set", str(chain["set_id"])
        own = (chain["key_host"] or UNREAD, chain["key_name"] or UNREAD)
        for keeper, key in (own, *previous_keys(chain), (chain["secret_host"] or UNREAD, UNREAD)):
            if keeper != UNREAD:
                yield name, "vault", keeper
                if key != UNREAD:
                    yield name, "key", f"{keeper}/keys/{key}"


def _found(kind: str, name: str, pairs: Iterable[tuple[str, str]]) -> str:
    """Find the one target that a name means."""
    names = {target: target.lower().strip("/") for _, target in pairs}
    plain, url = name.strip().lower().strip("/"), parse(name)
    whole = {"key": f"{url.host}/keys/{url.name}", "vault": url.host, "set": plain}[kind]
    short = {
        one: text.rpartition("/")[2] if kind == "set" else text.partition(".")[0]
        for one, text in names.items()
    }
    fitting = sorted(one for one, text in names.items() if text == whole)
    if not fitting and kind != "key":
        fitting = sorted(one for one, text in short.items() if text == plain.rpartition("/")[2])
    if not fitting:
        near = suggest(whole, sorted({*names.values(), *short.values()}))
        raise UnknownNameError(f"no {kind} {name!r} in the inventory.{near}")
    if len(fitting) > 1:
        raise ParameterError(f"{kind} {name!r} fits {len(fitting)}: expected one of {', '.join(fitting)}")
    return fitting[0]


def _unread(own: Any, kind: str) -> int:
    """Count the disks whose chain breaks off before it reaches a target of this kind."""
    last = nw.col("chain" if kind == "set" else "key_host").fill_null(UNREAD)
    frame = lazy(own).filter(nw.col("holder") != "platform", last == UNREAD)
    if kind == "set":
        frame = frame.filter(nw.col("layer") != "ade")
    [(count,)] = rows_of(frame.select("disk_id").unique().select(nw.len()))
    return int(count)
