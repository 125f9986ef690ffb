"""The tables of custody: the rules that keys break, every rule by its results, and the keys in use."""

from __future__ import annotations

from typing import Any

from diskenc_analysis.folded import Lists
from diskenc_analysis.keyjudge import SEVERITIES, key_rules
from diskenc_analysis.keyrecords import UNREAD
from diskenc_analysis.keyverdict import by_rule, short
from diskenc_analysis.plainrows import Row, rows
from diskenc_analysis.setlimits import REGION
from diskenc_analysis.tables import HtmlTable, table
from diskenc_analysis.text import number

#: The uses of a key, in words.
USES = {
    "customer": "customer key",
    "platform_and_customer": "platform and customer keys",
    "confidential": "confidential disk encryption",
    "ade_key": "Azure Disk Encryption, key",
    "ade_secret": "Azure Disk Encryption, secret",
    "scale_set_model": "model of a scale set",
    "unknown": "unknown",
}


def words(value: Any) -> Any:
    """Write a value of the data in words."""
    return value.replace("_", " ") if isinstance(value, str) else value


def failures(checks: Any, limit: int = 25) -> Lists:
    """List the rules that keys, sets and vaults break.

    Parameters
    ----------
    checks : frame
        `key_checks`.
    limit : int
        Most rows of a severity.

    Returns
    -------
    Lists
        One table per severity, the gravest first.
    """
    broken = [row for row in rows(checks) if row["result"] == "fail"]
    made = []
    for severity in SEVERITIES:
        found = [row for row in broken if row["severity"] == severity]
        if found:
            lines = [_failure(row) for row in found[:limit]]
            heading = f"{severity.capitalize()}: {number(len(found))}"
            made.append(
                (heading, table(lines, f"{severity} findings about keys", limit=limit, total=len(found)))
            )
    return Lists(tuple(made), "No rule is broken by what was read.")


def _failure(row: Row) -> Row:
    return {
        "Finding": row["title"],
        "Where": where(row),
        "Found": words(row["value"]),
        "Expected": words(row["expected"]),
        "Disks": row["disks"],
        "GiB": row["gib"],
        "Rule": words(row["rule_id"]),
    }


def where(row: Row) -> str:
    """Name the set and the key as far as they are known."""
    if row["use"] == REGION:
        return str(row["chain"]).removeprefix(f"{REGION}:")
    key = _key(row)
    named = short(row["set_id"]) if row["set_id"] not in (None, UNREAD) else ""
    return " → ".join(part for part in (named, key) if part not in ("", UNREAD)) or "–"


def undecided(checks: Any) -> HtmlTable:
    """Count the results of every rule, for what was not read is no pass.

    Parameters
    ----------
    checks : frame
        `key_checks`.

    Returns
    -------
    HtmlTable
        One row per rule that applies to anything here, with its source.
    """
    counts = by_rule(checks)
    lines = [
        {
            "Rule": rule["rule_id"],
            "Broken by": counts[rule["rule_id"]]["fail"],
            "Not read for": counts[rule["rule_id"]]["unknown"],
            "Kept by": counts[rule["rule_id"]]["pass"],
            "What breaks it": rule["title"],
            "Source": rule["source"],
        }
        for rule in key_rules()
        if rule["rule_id"] in counts
    ]
    return table(lines, "Every rule by its results, in keys and their uses")


def keys(custody: Any, limit: int = 25) -> HtmlTable:
    """List the keys in use with what is known of their custody.

    Parameters
    ----------
    custody : frame
        `custody`.
    limit : int
        Most rows shown.

    Returns
    -------
    HtmlTable
        Most VMs first.
    """
    used = [row for row in rows(custody) if row["use"] != "none" and (row["disks"] or row["possible_disks"])]
    lines = [
        {
            "Vault and key": _key(row),
            "Named by": short(row["set_id"] or "Azure Disk Encryption"),
            "Store and type": _store(row),
            "In an HSM": row["hsm_key"],
            "State": _state(row),
            "Rotated": _rotated(row),
            "Purge protection": row["purge_protection"] or "no",
            "Disks": row["disks"],
            "VMs": row["vms"],
        }
        for row in used[:limit]
    ]
    return table(lines, "Keys in use", limit=limit, total=len(used))


def _key(row: Row) -> str:
    """Name a key by vault and name; the whole host stands in the data."""
    host, name = (row[n] if row[n] not in (None, UNREAD) else "" for n in ("key_host", "key_name"))
    return "/".join(filter(None, (host.partition(".")[0], name))) or UNREAD


def _store(row: Row) -> str:
    kind = " ".join(filter(None, (row["kty"], row["key_size"])))
    return ", ".join(filter(None, (words(row["store"]), "type not read" if row["kty"] == UNREAD else kind)))


def _state(row: Row) -> str:
    if row["use"] == "ade_secret":
        return "a secret"
    left = "" if row["days_left"] is None else f" ({number(row['days_left'])} days)"
    expiry = {None: "no expiry date", UNREAD: "expiry not read"}.get(row["expires"])
    return f"{row['key_state']}, {expiry or 'expires ' + row['expires'][:10] + left}"


def _rotated(row: Row) -> str:
    if row["use"] == "ade_secret":
        return "–"
    how = {"yes": "automatic", UNREAD: "not read how"}.get(row["auto_rotation"], "by hand")
    error = row["rotation_error"]
    stopped = f", stopped: {error}" if error not in (None, UNREAD) else ""
    return f"{_DAYS.get(row['rotated']) or row['rotated'][:10]}, {how}{stopped}"


_DAYS = {None: "day not stated", UNREAD: "day not read"}
