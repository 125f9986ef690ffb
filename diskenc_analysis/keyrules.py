"""What the documentation asks of keys, sets and vaults, checked rule by rule (`data/key_rules.csv`)."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

import narwhals as nw

from diskenc_analysis.custody import days_between, every_chain
from diskenc_analysis.dependents import handed
from diskenc_analysis.frames import Frame, choose, doubted, given, lazy, low, rows_of
from diskenc_analysis.keyrecords import UNREAD, Record
from diskenc_analysis.keyuse import day_of
from diskenc_analysis.ownership import key_ownership
from diskenc_analysis.share import data_file

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

SEVERITIES = ("critical", "high", "medium", "low")
RESULTS = ("fail", "unknown", "pass")
_SUBJECT = ("use", "chain", "set_id", "key_host", "key_name")
#: The columns of the checks, in order.
COLUMNS = ("rule_id", "severity", "title", "result", *_SUBJECT, "field", "value", "expected", "disks", "gib")
_PLACE = ("layer", "holder", "disk_subscription_id", "disk_location", "vm_identity", "windows")


@cache
def key_rules() -> tuple[dict[str, str], ...]:
    """Read the rules, in the order of the file.

    Returns
    -------
    tuple of dict
        `rule_id`, `applies_to` (types of set, or uses by Azure Disk Encryption), `field` (of a chain or of
        the disks that use it), `predicate`, `missing` (the result where a read object leaves the field out),
        `severity`, `title`, `source`.

    Examples
    --------
    >>> [rule["predicate"] for rule in key_rules() if rule["rule_id"] == "key_size"]
    ['in 2048;3072;4096']
    """
    with data_file("key_rules.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


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
        those with that result. Failures first, the more severe and those of more disks before the others.

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
    found = [row for name, chain in chains.items() for row in _checked(chain, uses.get(name, []), day)]
    found.sort(key=_order)
    return handed(inv, "key_checks", found, COLUMNS, ("disks", "gib"))


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
    vm = nw.concat_str([nw.lit("/"), nw.col("vm_id").str.to_lowercase().str.strip_chars("/ ")])
    links = lazy(own).filter(given("chain")).with_columns(vm=vm.fill_null(""))
    links = links.join(vms, on="vm", how="left").with_columns(
        disk_subscription_id=nw.col("subscription_id").fill_null(UNREAD),
        disk_location=nw.col("location").fill_null(UNREAD),
        **{n: nw.col(n).fill_null(UNREAD) for n in ("vm_identity", "windows")},
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
            found = (_said(facts[rule["field"]]), _expected(rule, facts), use)
            results.setdefault(judge(rule, facts, day), []).append(found)
        for result, group in results.items():
            values, expected, used = zip(*group, strict=True)
            words = {"value": "; ".join(sorted(set(values))), "expected": "; ".join(sorted(set(expected)))}
            disks, gib = (sum(float(use[n] or 0) for use in used) for n in ("disks", "gib"))
            yield {**rule, **chain, **words, "result": result, "disks": disks, "gib": gib}


def _applies(rule: Mapping[str, str], chain: Record, used: bool) -> bool:
    """Ask a set by its type, or all of sets where that was not read; nothing of disks where none use it."""
    wanted = rule["applies_to"].split()
    if chain["use"] != "set":
        return used and chain["use"] in wanted
    of_sets = not rule["applies_to"].startswith("ade")
    return of_sets and chain["set_type"] in (UNREAD, *wanted) and (used or "disk_" not in rule["predicate"])


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
    return {**use, **known}


def judge(rule: Mapping[str, str], facts: Record, day: str) -> str:
    """Judge one fact by a rule.

    Parameters
    ----------
    rule : mapping
        With `field`, `predicate` and `missing`.
    facts : dict
        Values as in `keyrecords`: `None` is left out by a read object, `unknown` was not read.
    day : str
        The day that predicates on dates speak of, or empty.

    Returns
    -------
    str
        `pass`, `fail` or `unknown`.

    Examples
    --------
    >>> rule = {"field": "kty", "predicate": "in rsa;rsa-hsm", "missing": "unknown"}
    >>> [judge(rule, {"kty": value}, "") for value in ("rsa", "ec", None, "unknown")]
    ['pass', 'fail', 'unknown', 'unknown']
    """
    value, (word, _, argument) = facts[rule["field"]], rule["predicate"].partition(" ")
    if value == UNREAD:
        return UNREAD
    if value is None:
        return rule["missing"]
    if word == "same":
        other = facts.get(argument, UNREAD)
        holds = None if other in (None, UNREAD) else _plain(value) == _plain(str(other))
    elif word in ("after", "days_left"):  # what has expired is no more about to
        left = days_between(day, value)
        holds = None if left is None else left > int(argument or 0) or (word == "days_left" and left <= 0)
    else:
        wanted = argument.split(";")
        holds = {
            "is": value == argument,
            "not": value.lower() != argument,
            "in": value in wanted,
            "has": set(wanted) <= set(value.split(";")),
            "given": True,
            "absent": False,
        }[word]
    return UNREAD if holds is None else "pass" if holds else "fail"


def _plain(text: str) -> str:
    """Reduce a region to what `West Europe` and `westeurope` share."""
    return text.replace(" ", "").lower()


def _said(value: str | None) -> str:
    return {None: "not stated", UNREAD: "not read"}.get(value, str(value))


def _expected(rule: Mapping[str, str], facts: Record) -> str:
    """Put a predicate into words, with the value that it compares with."""
    word, _, argument = rule["predicate"].partition(" ")
    return {
        "is": argument,
        "not": f"not {argument}",
        "in": " or ".join(argument.split(";")),
        "has": " and ".join(argument.split(";")),
        "given": "stated",
        "absent": "none",
        "same": f"{_said(facts.get(argument, UNREAD))}, as {argument.replace('_', ' ')}",
        "after": "later than the day of the report",
        "days_left": f"more than {argument} days left",
    }[word]
