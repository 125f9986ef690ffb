"""In whose care the keys are: their store and its protection, their type, expiry and rotation."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

from diskenc_analysis.chains import SET, URL, chains_of, previous_keys
from diskenc_analysis.dependents import COUNTS, NOTHING, depending, handed
from diskenc_analysis.frames import distinct, given, lazy
from diskenc_analysis.imagekeys import image_sets
from diskenc_analysis.keyrecords import KEY, STORE, UNREAD, Record, records
from diskenc_analysis.keyurls import key_name, parse
from diskenc_analysis.keyuse import day_of, key_state
from diskenc_analysis.ownership import key_ownership

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

_JUDGED = ("key_state", "days_left", "rotated", "rotated_by", "rotation_age")
NUMBERS = ("days_left", "rotation_age", *COUNTS)
#: The columns of the custody frame, in order.
COLUMNS = (
    *("use", "chain", *SET, *URL, "store", "hsm_key", *KEY, *_JUDGED, *STORE),
    *(*COUNTS, "reason"),
)


def custody(inv: Inventory, own: Any = None, as_of: str | date = "") -> Any:
    """Describe every key in use, and those that no disk uses.

    Parameters
    ----------
    inv : Inventory
        As `load` gives it.
    own : frame, optional
        Its key ownership frame; worked out where it is not given.
    as_of : str or date
        The day on which expiry and ages are judged, as YYYY-MM-DD; without one they are unknown.

    Returns
    -------
    frame
        Of the inventory's engine, one row per chain: `use` is `set`, `ade_key`, `ade_secret`, or `none` for a
        key that nothing here names (it may serve other services than disks). The facts of set, key and vault
        are text: null where a read object leaves them out, `unknown` where it was not read. `days_left` and
        `rotation_age` (float, days) and the counts of what depends on it (`dependents.COUNTS`) are numbers.
        Most VMs first.

    Examples
    --------
    >>> from diskenc_analysis import load, sample_path
    >>> frame = custody(load(sample_path()), as_of="2026-11-24")
    >>> sorted(set(frame["use"]))
    ['ade_key', 'ade_secret', 'set']
    """
    day = day_of(as_of)
    own = key_ownership(inv, as_of=day) if own is None else own
    chains = every_chain(inv, own)
    counts = depending(inv, own, ((name, name) for name in chains))
    rows = [
        {**one, **_judged(one, day), **(counts.get(name) or NOTHING)}
        for name, one in (chains | {str(one["chain"]): one for one in unused_keys(inv, chains)}).items()
    ]
    rows.sort(key=lambda row: (-row["vms"], -row["disks"], row["chain"]))
    return handed(inv, "custody", rows, COLUMNS, NUMBERS)


def every_chain(inv: Inventory, own: Any) -> dict[str, Record]:
    """Give every chain: of the sets and settings that were read, and of those that disks and images name.

    Parameters
    ----------
    inv : Inventory
        What was read.
    own : frame
        Its key ownership frame, which says what disks name.

    Returns
    -------
    dict
        By the chain's name.
    """
    chains = chains_of(inv)
    named = {*distinct(lazy(own).filter(given("chain")), "chain"), *distinct(image_sets(inv), "set")}
    ade = {str(one["chain"]): one for _, _, found in chains.ade() for one in found.values()}
    named_sets = {name: chains.of_set(name) for name in named if name not in ade}
    return dict(sorted((named_sets | chains.sets | ade).items()))


def unused_keys(inv: Inventory, chains: dict[str, Record]) -> Iterator[Record]:
    """Give the keys of the inventory that no chain leads to, each in its newest version."""
    named = {f"{one['key_host']}#{one['key_name']}" for one in chains.values()}
    named |= {f"{keeper}#{key}" for one in chains.values() for keeper, key in previous_keys(one)}
    lookup = chains_of(inv)
    found = (one["key_url"] for one in records(inv.keys, ("key_url",)))
    urls = {key_name(url): url for url in found if url not in (None, UNREAD)}
    for name, url in sorted(urls.items()):
        if name not in named:
            named_by = parse(url)
            versionless = f"https://{named_by.host}/keys/{named_by.name}"
            chain = {"chain": f"key:{name}", "use": "none", **dict.fromkeys(SET), "reason": ""}
            yield {**chain, **lookup.of_key(versionless, None)}


def _judged(chain: Record, day: str) -> dict[str, Any]:
    by_set = chain["last_rotation"] not in (None, UNREAD)
    rotated = chain["last_rotation"] if by_set else chain["created"]
    return {
        "key_state": key_state(chain, day),
        "days_left": days_between(day, chain["expires"]),
        "rotated": rotated,
        "rotated_by": None if rotated in (None, UNREAD) else "set" if by_set else "key version",
        "rotation_age": days_between(rotated, day),
    }


def days_between(start: str | None, end: str | None) -> int | None:
    """Count the days from one date to another.

    Parameters
    ----------
    start, end : str or None
        ISO dates or times, of which the day counts; empty, `unknown` or `None` for none.

    Returns
    -------
    int or None

    Examples
    --------
    >>> days_between("2026-11-24", "2026-12-01T10:00:00Z"), days_between("", "2026-12-01")
    (7, None)
    """
    if start in ("", None, UNREAD) or end in ("", None, UNREAD):
        return None
    return (date.fromisoformat(str(end)[:10]) - date.fromisoformat(str(start)[:10])).days
