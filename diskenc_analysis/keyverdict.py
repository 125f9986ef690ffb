"""The verdict of a report on keys in words, and its numbers as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import narwhals as nw

from diskenc_analysis.keyjudge import RESULTS, SEVERITIES
from diskenc_analysis.keyrecords import UNREAD
from diskenc_analysis.plainrows import Row, count_rows, rows
from diskenc_analysis.results import sources
from diskenc_analysis.summary import summarize, tally
from diskenc_analysis.text import amount, bounds, number
from diskenc_analysis.verdict import Verdict

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

_SOON = 90


def verdict(cov: Any, own: Any, custody: Any, checks: Any, points: Any, as_of: str) -> Verdict:
    """Put the answer of a report on keys into words.

    Parameters
    ----------
    cov, own, custody, checks, points : frame
        Coverage, key ownership, custody, key checks, and single points of failure of one inventory.
    as_of : str
        The day that expiry was judged on, or empty.

    Returns
    -------
    Verdict
        Shares with both bounds; what was not read is said, and counts as nothing.
    """
    if not count_rows(cov):
        return Verdict(("The inventory holds no disks, so there is nothing to judge.",))
    found = [_owned(cov), _most(points), _expiry(custody, as_of), _broken(checks), _links(own)]
    return Verdict(tuple(sentence for sentence in found if sentence))


def _owned(cov: Any) -> str:
    shares = {row["capability"]: row for row in rows(summarize(cov, by=None, weight="disks"))}
    held, hsm = shares["customer_keys"], shares["hsm"]
    asked = held["yes"] + held["no"] + held["unknown"]
    if not asked:
        return "No disk here has a key that the encryption matrix speaks of."
    first = f"Of {number(asked)} disks and snapshots, {bounds(held['share_low'], held['share_high'])}"
    second = f"{bounds(hsm['share_low'], hsm['share_high'])} under one that is in an HSM"
    return f"{first} are under a key that the customer controls, {second}."


def _most(points: Any) -> str:
    first = next(iter(rows(points, 1)), None)
    if first is None or not first["disks"]:
        return "No disk is known to depend on a key, vault or disk encryption set of a customer."
    what = f"{amount(first['vms'], 'vms')} with {amount(first['disks'], 'disks')}"
    where = "disk encryption set" if first["kind"] == "set" else first["kind"]
    return f"Most hangs on the {where} {short(first['target'])}: {what} depend on it."


def _expiry(custody: Any, as_of: str) -> str:
    used = [row for row in rows(custody) if row["use"] in ("set", "ade_key") and row["disks"]]
    if not as_of:
        return "No day is stated for this report (as_of), so no expiry was judged." if used else ""
    gone = [row for row in used if row["key_state"] in ("expired", "disabled")]
    early = [row for row in used if row["key_state"] == "not_yet_valid"]
    soon = [row for row in used if row["days_left"] is not None and 0 < row["days_left"] <= _SOON]
    open_ = [row for row in used if row["key_state"] == UNREAD]
    counts = (
        f"{_keys(gone)} {_are(gone)} expired or disabled",
        f"{_keys(soon)} {_expire(soon)} within {_SOON} days",
    )
    unread = f"; {_keys(early)} {_are(early)} not valid yet" if early else ""
    unread += f"; of {_keys(open_)} that was not read" if open_ else ""
    return f"On {as_of}, {' and '.join(counts)}{unread}."


def _keys(found: Sequence[Row]) -> str:
    disks = f" ({amount(sum(row['disks'] for row in found), 'disks')})" if found else ""
    return f"{number(len(found)) if found else 'no'} key{'' if len(found) == 1 else 's'} in use{disks}"


def _are(found: Sequence[Row]) -> str:
    return "is" if len(found) == 1 else "are"


def _expire(found: Sequence[Row]) -> str:
    return "expires" if len(found) == 1 else "expire"


def _broken(checks: Any) -> str:
    found = rows(checks)
    broken = [row for row in found if row["result"] == "fail"]
    by = [(s, sum(row["severity"] == s for row in broken)) for s in SEVERITIES]
    parts = ", ".join(f"{number(n)} {severity}" for severity, n in by if n)
    dark = sum(row["result"] == UNREAD for row in found)
    first = f"The rules that each method sets for its key are broken {_times(len(broken))}"
    return f"{first}{f' ({parts})' if parts else ''}; {number(dark)} checks could not be made."


def _times(count: int) -> str:
    return "nowhere" if not count else "once" if count == 1 else f"{number(count)} times"


def _links(own: Any) -> str:
    broken = nw.from_native(own).filter(nw.col("holder") != "platform", nw.col("store") == UNREAD)
    count = count_rows(broken.select("disk_id").unique().to_native())
    if not count:
        return ""
    return f"Of {amount(count, 'disks')} the chain to the key breaks off: see Missing links."


def is_idle(row: Row) -> bool:
    """Say whether nothing that was read needs a key or set, or may need it."""
    return not any(row[name] for name in ("disks", "possible_disks", "copies", "models"))


def short(target: str) -> str:
    """Name a set by its resource group and name: its id fills a line."""
    parts = target.strip("/").split("/")
    return f"{parts[3]}/{parts[-1]}" if parts[0].lower() == "subscriptions" and len(parts) > 7 else target  # noqa: PLR2004


def by_rule(checks: Any) -> dict[str, dict[str, int]]:
    """Count the results of the key checks by rule."""
    counts: dict[str, dict[str, int]] = {}
    for row in rows(checks):
        counts.setdefault(row["rule_id"], dict.fromkeys(RESULTS, 0))[row["result"]] += 1
    return counts


def facts(
    inv: Inventory, cov: Any, own: Any, custody: Any, checks: Any, points: Any, *, as_of: str = ""
) -> dict[str, Any]:
    """Gather the numbers of a report on keys.

    Parameters
    ----------
    inv : Inventory
        What was read.
    cov, own, custody, checks, points : frame
        Coverage, key ownership, custody, key checks, and single points of failure.
    as_of : str
        The day that expiry was judged on, or empty.

    Returns
    -------
    dict
        JSON primitives only.
    """
    kept = rows(custody)
    return {
        "as_of": as_of or None,
        "disks": count_rows(cov),
        "key_owners": rows(tally(cov, by=["key_owner", "key_store", "hsm"])),
        "by_subscription": rows(tally(cov, by=["subscription_name", "key_owner"])),
        "links": rows(tally(own, by=["layer", "holder", "needed"])),
        "missing": rows(tally(own, by=["reason"])),
        "elsewhere": rows(tally(own, by=["other_subscription", "other_tenant"])),
        "keys": _tallied(kept, "use", "key_state"),
        "idle": sum(map(is_idle, kept)),
        "checks": by_rule(checks),
        "single_points": rows(points, 100),
        "ledger": dict(inv.totals) | {"files": sources(inv)},
    }


def _tallied(found: Sequence[Mapping[str, Any]], *by: str) -> list[Row]:
    counts: dict[tuple[Any, ...], int] = {}
    for row in found:
        key = tuple(row[name] for name in by)
        counts[key] = counts.get(key, 0) + 1
    return [dict(zip(by, key, strict=True)) | {"keys": n} for key, n in sorted(counts.items())]
