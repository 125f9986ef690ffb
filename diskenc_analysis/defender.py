"""What Defender for Cloud's rules say by their own logic, beside what it reports, and why the two differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw

from diskenc_analysis.coverage import coverage
from diskenc_analysis.defender_facts import guests, reports, resources
from diskenc_analysis.defender_outcomes import compare, outcomes
from diskenc_analysis.defender_rules import defender_rules
from diskenc_analysis.exemptions import WORDS, exemptions
from diskenc_analysis.frames import (
    BAR,
    Frame,
    distinct,
    fresh,
    helper,
    id_part,
    kept,
    lazy,
    low,
    native_like,
    profile,
)
from diskenc_analysis.identity import subscription_names
from diskenc_analysis.scopes import join_scopes

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

_PLACE = ("subscription_id", "subscription_name", "resource_group", "location")
_JUDGED = (
    *("kind", "cloud", "rule_id", "title", "predicted", "evidence", "reported"),
    *("matrix_status", "outcome", "reason", "action"),
)
#: The columns of the frame, in order.
COLUMNS = ("resource_id", "name", *_PLACE, *_JUDGED, "reported_cause")


def defender(inv: Inventory, cov: Any = None, edition: str = "latest", as_of: str = "") -> Any:
    """Put what each rule of Defender for Cloud gives on this inventory beside what Defender reports.

    Parameters
    ----------
    inv : Inventory
        As `load` gives it.
    cov : frame, optional
        Its coverage frame in the same edition; worked out where it is not given.
    edition : str
        Edition of the encryption matrix, for `matrix_status`.
    as_of : str
        Date as YYYY-MM-DD at which exemptions are judged; without it, one that expires may be in force.

    Returns
    -------
    frame
        Of the inventory's engine, text throughout, with the columns of `COLUMNS`: one row per VM, instance or
        scale set and rule of `data/defender_rules.csv`. `predicted` is `Healthy`, `Unhealthy`,
        `NotApplicable`, `not_evaluated` or `unknown`; `reported` is empty where nothing is reported;
        `outcome` is one of `data/defender_outcomes.csv`, with `reason` and `action` in words; `matrix_status`
        is the Defender row of the matrix for that VM, empty for scale sets.

    Raises
    ------
    UnknownNameError
        When the edition is unknown.

    Examples
    --------
    >>> from diskenc_analysis import load, sample_path
    >>> found = defender(load(sample_path()))
    >>> sorted(set(found["rule_id"]))
    ['defender_ade', 'defender_host', 'defender_linux', 'defender_windows']
    """
    native = coverage(inv, edition) if cov is None else cov
    rows, known = resources(inv, native)
    rows = kept(inv, _pairs(inv, kept(inv, rows, "defender_resources"), as_of), "defender_pairs")
    made = [
        _judged(text, known) | {"judged": text, "short": f"d{i}"}
        for i, text in enumerate(distinct(rows, "judged"))
    ]
    rows = rows.join(helper(inv, "defender_short", made, ["judged", "short"]), on="judged", how="left")
    rows = rows.join(subscription_names(inv), on="subscription_id", how="left")
    rows = rows.join(helper(inv, "defender_words", made, ["short", *_JUDGED]), on="short", how="left")
    out = fresh(inv, rows.select(*COLUMNS).sort("resource_id", "rule_id"), "defender")
    return native_like(native, out)


def _pairs(inv: Inventory, rows: Frame, as_of: str) -> Frame:
    """Pair every resource with every rule, and bring what is said of the pair."""
    pairs = nw.concat([rows.with_columns(rule_id=nw.lit(rule)) for rule in defender_rules()], how="vertical")
    said = kept(inv, reports(inv), "defender_reports")
    pairs = pairs.join(said, on=["key", "rule_id"], how="left")
    pairs = pairs.join(guests(inv), on=["key", "rule_id"], how="left")
    taken_out = exemptions(inv, as_of)
    for word in WORDS:
        mine = {key: said for key, said in taken_out.items() if said == word}
        pairs = join_scopes(inv, pairs, mine, "rule_id", f"exempt_{word}")
    told = (
        said.select(subscription_id=id_part("key", "subscriptions")).unique().with_columns(told=nw.lit("yes"))
    )
    pairs = pairs.join(told, on="subscription_id", how="left")
    configured = lazy(inv.guest_assignments).select(subscription_id=low("subscription_id")).unique()
    configured = configured.with_columns(guests_of=nw.lit("none"))
    pairs = pairs.join(configured, on="subscription_id", how="left")
    words = {
        "reported": nw.col("reported").fill_null("none"),
        "guest": nw.coalesce("guest", "guests_of").fill_null("unread"),
        "exempt": nw.coalesce(*[f"exempt_{word}" for word in WORDS]).fill_null(""),
        "told": nw.col("told").fill_null("no"),
    }
    judged = profile(["rule_id", "facts", *words])
    pairs = pairs.with_columns(**words).with_columns(judged=judged)
    cause = nw.col("reported_cause").fill_null("")
    return pairs.select(
        "name",
        *[n for n in _PLACE if n != "subscription_name"],
        "judged",
        resource_id=nw.col("id"),
        reported_cause=cause,
    )


def _judged(text: str, known: dict[str, dict[str, str]]) -> dict[str, str]:
    rule_id, facts, reported, guest, exempt, told = text.split(BAR)
    rule, own = defender_rules()[rule_id], known[facts]
    said = {"reported": reported, "guest": guest, "exempt": exempt, "told": told}
    found = compare(rule, {**own, **said, "excluded": own.get(f"excluded_{rule_id}", "")})
    more = {"kind": own["form"], "cloud": own["cloud"], "rule_id": rule_id, "title": rule.title}
    return found | more | {"matrix_status": own["matrix"], "action": outcomes()[found["outcome"]]["action"]}
