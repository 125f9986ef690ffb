"""How many disk encryption sets each region of a subscription holds, beside how many it may."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from diskenc_analysis.keyjudge import expected, judge, key_rules
from diskenc_analysis.keyrecords import UNREAD, Record, plain, records

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

#: What a rule applies to that is asked of a region of a subscription, and the use of its rows.
REGION = "region"
_TYPE = "microsoft.compute/diskencryptionsets"
_NOBODY = dict.fromkeys(("set_id", "key_host", "key_name"))


def region_checks(inv: Inventory) -> Iterator[dict[str, Any]]:
    """Check how many disk encryption sets there are per region and subscription.

    Parameters
    ----------
    inv : Inventory
        With `disk_encryption_sets` and the ledger.

    Yields
    ------
    dict
        One per rule, subscription and region, as the rows of `key_checks`; its `chain` is
        `region:SUBSCRIPTION/REGION`. Below a limit the result is `unknown` where some sets were not read.
    """
    whole = not _cut_short(inv)
    for (subscription, region), count in sorted(_counts(inv).items()):
        facts: Record = {"sets": str(count)}
        for rule in (rule for rule in key_rules() if rule["applies_to"] == REGION):
            result = judge(rule, facts, "")
            known = region != UNREAD and (whole or result != "pass")
            yield {
                **rule,
                **_NOBODY,
                "use": REGION,
                "chain": f"{REGION}:{subscription}/{region}",
                "value": str(count),
                "expected": expected(rule, facts),
                "result": result if known else UNREAD,
                "disks": 0.0,
                "gib": 0.0,
            }


def _counts(inv: Inventory) -> Counter[tuple[str, str]]:
    found = records(inv.disk_encryption_sets, ("subscription_id", "location"))
    return Counter((one["subscription_id"] or UNREAD, plain(one["location"] or UNREAD)) for one in found)


def _cut_short(inv: Inventory) -> bool:
    """Say whether the ledger knows of sets that were not read."""
    sql = """SELECT count(*) FROM ledger WHERE resource_type = ?
        AND (truncated OR rows_set_aside > 0 OR status IN ('partial', 'denied', 'failed'))"""
    [(parts,)] = inv.connection.execute(sql, [_TYPE]).fetchall()
    return bool(parts)
