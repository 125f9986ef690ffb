"""What the documentation asks of keys, sets and vaults, checked rule by rule (`data/key_rules.csv`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import narwhals as nw

from diskenc_analysis.custody import every_chain
from diskenc_analysis.dependents import handed
from diskenc_analysis.frames import Frame, choose, doubted, given, key_of, lazy, low, rows_of
from diskenc_analysis.keyjudge import RESULTS, SEVERITIES, expected, judge, key_rules, shown
from diskenc_analysis.keyrecords import UNREAD, Record
from diskenc_analysis.keyuse import day_of, differs
from diskenc_analysis.ownership import key_ownership
from diskenc_analysis.setlimits import REGION, region_checks

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

_SUBJECT = ("use", "chain", "set_id", "key_host", "key_name")
#: The columns of the checks, in order.
COLUMNS = ("rule_id", "severity", "title", "result", *_SUBJECT, "field", "value", "expected", "disks", "gib")
_PLACE = (
    *("layer", "holder", "disk_subscription_id", "disk_location", "vm_identity", "windows", "fast"),
    *("tenant_id", "key_tenant_id", "other_tenant"),
)
#: Storage types that take the key of another tenant in some regions only.
_FAST = ["ultrassd_lrs", "premiumv2_lrs"]


def key_checks(inv: Inventory, own: Any = None, as_of: str | date = "") -> Any:
    """Check every key, set and vault in use against the rules that its method sets.

    Parameters
    ----------
    inv : Inventory
        As `load` gives it.
    own : frame, optional
        Its key ownership frame; worked out where it is not given.
    as_of : str or date
        The day on which expiry is judged, as YYYY-MM-DD; without one a key that expires is `unknown`.

    Returns
    -------
    frame
        Of the inventory's engine, with the columns of `COLUMNS`: one row per rule, chain and `result`, which
        is `fail`, `unknown` (what was not read is never a pass) or `pass`; `disks` and `gib` (float) are
        those with that result. A rule about a region has a row per subscription and region, whose `use` is
        `region`. Failures first, the more severe and those of more disks before the others.

    Examples
    --------
    >>> from diskenc_analysis import load, sample_path
    >>> checks = key_checks(load(sample_path()), as_of="2026-11-24")
    >>> set(checks["result"]) <= set(RESULTS)
    True
    """
    day = day_of(as_of)
    own = key_ownership(inv, as_of=day) if own is None else own
    chains = every_chain(inv, own)
    uses: dict[str, list[Record]] = {}
    for name, *values, disks, gib in rows_of(_uses(inv, own)):
        place = dict(zip(_PLACE, values, strict=True))
        uses.setdefault(name, []).append({**place, "disks": disks, "gib": gib})
    rows = [row for name, chain in chains.items() for row in _checked(chain, uses.get(name, []), day)]
    rows += region_checks(inv)
    rows.sort(key=_order)
    return handed(inv, "key_checks", rows, COLUMNS, ("disks", "gib"))


def _order(row: Mapping[str, Any]) -> tuple[Any, ...]:
    ranks = RESULTS.index(row["result"]), SEVERITIES.index(row["severity"])
    return (*ranks, -row["disks"], row["rule_id"], row["chain"])


def _uses(inv: Inventory, own: Any) -> Frame:
    """Count the disks of each chain by all that a rule asks of the disk and its VM."""
    image = nw.concat_str([low("image_offer"), low("image_sku")], separator=" ")
    new = image.str.contains(r"2022|win11|windows-11")
    vms = lazy(inv.vms).select(
        vm=nw.col("key"),
        vm_identity=choose(
            [(doubted("encryption_identity"), UNREAD), (given("encryption_identity"), "yes")], "no"
        ),
        windows=choose([(low("os_type") == "linux", "no"), (new, "yes"), (given("image_sku"), "no")], UNREAD),
    )
    links = lazy(own).filter(given("chain")).with_columns(vm=key_of("vm_id").fill_null(""))
    fast = choose([(low("sku").is_in(_FAST), "yes"), (doubted("sku") | ~given("sku"), UNREAD)], "no")
    types = lazy(inv.disks).select(at=nw.col("key"), fast=fast)
    links = links.with_columns(at=key_of("disk_id")).join(types, on="at", how="left")
    links = links.join(vms, on="vm", how="left").with_columns(
        fast=nw.col("fast").fill_null("no"),
        disk_subscription_id=nw.col("subscription_id").fill_null(UNREAD),
        disk_location=nw.col("location").fill_null(UNREAD),
        **{n: nw.col(n).fill_null(UNREAD) for n in ("vm_identity", "windows", *_PLACE[-3:])},
        gib=nw.col("gib").fill_null(0.0),
        one=nw.lit(1),
    )
    grouped = links.group_by("chain", *_PLACE).agg(nw.col("one").sum(), nw.col("gib").sum())
    return grouped.select("chain", *_PLACE, "one", "gib")


def _checked(chain: Record, uses: list[Record], day: str) -> Iterator[dict[str, Any]]:
    """Judge one chain by every rule that applies; where its uses differ, each result has its row."""
    for rule in key_rules():
        if not _applies(rule, chain, bool(uses)):
            continue
        results: dict[str, list[tuple[str, str, Record]]] = {}
        for use in uses or [{"disks": None, "gib": None}]:
            facts = {**chain, **_of_use(chain, use)}
            words_of = (shown(rule, facts), expected(rule, facts), use)
            results.setdefault(judge(rule, facts, day), []).append(words_of)
        for result, group in results.items():
            values, wanted, used = zip(*group, strict=True)
            words = {"value": "; ".join(sorted(set(values))), "expected": "; ".join(sorted(set(wanted)))}
            disks, gib = (sum(float(use[n] or 0) for use in used) for n in ("disks", "gib"))
            yield {**rule, **chain, **words, "result": result, "disks": disks, "gib": gib}


def _applies(rule: Mapping[str, str], chain: Record, used: bool) -> bool:
    """Ask a set by its type, or all of sets where that was not read; nothing of disks where none use it."""
    wanted = rule["applies_to"].split()
    if chain["use"] != "set":
        return used and chain["use"] in wanted
    of_sets = not rule["applies_to"].startswith(("ade", REGION))
    of_disks = "disk_" in rule["predicate"] or rule["field"].startswith("abroad_")
    return of_sets and chain["set_type"] in (UNREAD, *wanted) and (used or not of_disks)


def _of_use(chain: Record, use: Record) -> Record:
    """Work out the facts that a chain and the disks that use it have between them."""
    store, access, size = chain["store"] or UNREAD, chain["enabled_for_disk_encryption"], chain["key_size"]
    identity, windows = use.get("vm_identity"), use.get("windows")
    kinds = {"customer": "customer", "platform_and_customer": "platform_and_customer"}
    by_layer = {"sse": kinds.get(use.get("holder") or "", UNREAD), "confidential": "confidential"}
    if identity == "yes" or (identity == UNREAD and access != "yes"):
        access = str(identity)
    if windows == UNREAD and size not in ("3072", "4096"):
        size = UNREAD
    known = {
        "disk_type": by_layer.get(use.get("layer") or "", UNREAD),
        "tier": UNREAD if store == "key_vault" else store.removeprefix("key_vault_"),
        "ade_access": access,
        "kek_size_windows": None if windows == "no" else size,
    }
    return {**use, **known, **_abroad(chain, use)}


def _abroad(chain: Record, use: Record) -> Record:
    """Say how a set reaches a key in another tenant; a field is None where its key lies in its own."""
    client = chain["federated_client_id"]
    lies = differs(use.get("key_tenant_id"), use.get("tenant_id"))
    named = "yes" if client not in (None, UNREAD) else {"yes": "no", "no": None}.get(lies, UNREAD)
    own = "yes" if "userassigned" in (chain["identity"] or "").lower() else "no"
    identity = UNREAD if chain["identity"] in (None, UNREAD) else own
    asked = (use.get("other_tenant") or UNREAD, use.get("fast") or UNREAD)
    place = None if "no" in asked else UNREAD if UNREAD in asked else use.get("disk_location")
    return {
        "abroad_client": UNREAD if client == UNREAD else named,
        "abroad_identity": client if client in (None, UNREAD) else identity,
        "abroad_fast_region": UNREAD if client == UNREAD else place,
    }
