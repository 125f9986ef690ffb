"""Azure's built-in policies on disks, predicted by their real logic: why they flag a disk that is good."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import narwhals as nw

from diskenc_analysis.allowlists import AllowList, allow_lists, allowed, given_list
from diskenc_analysis.coverage import coverage
from diskenc_analysis.disklists import disk_lists
from diskenc_analysis.exposure import ACCESS_FACTS, access_facts
from diskenc_analysis.frames import (
    BAR,
    Frame,
    choose,
    distinct,
    doubted,
    fresh,
    given,
    helper,
    kept,
    key_of,
    lazy,
    low,
    native_like,
    profile,
    rows_of,
)
from diskenc_analysis.keytypes import KeyTypes, kek_types, set_key_types
from diskenc_analysis.policy_rules import apply_policy, disk_policy_rules

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

_COVERAGE = ("kind", "role", "attachment", "sse", "ade", "confidential", "customer_keys")
_OWN = ("own_set", "secure_set", "set_type", "state", "allowed", "key_type")
_LISTED = ("list_set", "list_allowed")
_KEK = ("kek_type",)
_ACCESS = tuple(name for name in ACCESS_FACTS if name != "state")
#: The facts on which the policies are judged.
FACTS = (*_COVERAGE, *_OWN, *_LISTED, *_KEK, *_ACCESS)
_PLACE = ("subscription_id", "subscription_name", "resource_group")
_JUDGED = ("rule_id", "title", "policy_verdict", "decided_by", "in_truth", "gap", "why")
#: The columns of the frame, in order.
COLUMNS = ("disk_id", "name", "kind", *_PLACE, *_JUDGED)
_SET_TYPES = {
    "encryptionatrestwithcustomerkey": "customer",
    "encryptionatrestwithplatformandcustomerkeys": "double",
    "confidentialvmencryptedwithcustomerkey": "confidential",
}


def disk_policies(inv: Inventory, cov: Any = None, allowed_sets: Sequence[str] = ()) -> Any:
    """Predict what each built-in policy on disks says of each disk, and where that is not what is so.

    Parameters
    ----------
    inv : Inventory
        As `load` gives it.
    cov : frame, optional
        Its coverage frame; worked out where it is not given.
    allowed_sets : sequence of str
        Ids of the disk encryption sets that the policy on allowed sets takes as its parameter, everywhere.
        Without them the lists are those of the policy assignments of the inventory, each where it holds.

    Returns
    -------
    frame
        Of the inventory's engine, text throughout: one row per disk and policy of `data/disk_policies.csv`,
        with the columns of `COLUMNS`; see `policy_rules.apply_policy` for the judged ones.

    Examples
    --------
    >>> from diskenc_analysis import load, sample_path
    >>> found = disk_policies(load(sample_path()))
    >>> sorted(set(found["gap"]))
    ['', 'bad_disk_passed', 'good_disk_flagged', 'not_looked_at']
    """
    native = coverage(inv) if cov is None else cov
    policy = disk_policy_rules()["policy_allowed_sets"]["policy_id"]
    lists = given_list(allowed_sets) or allow_lists(inv, policy, "allowedEncryptionSets")
    keys = KeyTypes.of(inv)
    rows = _with_keks(inv, lazy(native).with_columns(key=key_of("disk_id")), keys)
    own = _own(inv, lists, set_key_types(inv, keys))
    rows = rows.join(own, on="key", how="left").join(_listed(inv, lists), on="key", how="left")
    rows = rows.join(access_facts(inv).drop("state"), on="key", how="left").with_columns(
        judged=profile(FACTS)
    )
    rows = kept(inv, rows.select("disk_id", "name", *_PLACE, "judged"), "policy_rows")
    names = list(disk_policy_rules())
    made = [
        _judged(rule, text) | {"judged": text, "short": f"p{i}"}
        for i, text in enumerate(distinct(rows, "judged"))
        for rule in names
    ]
    short = helper(inv, "policy_short", made[:: len(names)], ["judged", "short"])
    table = helper(inv, "policy_words", made, ["short", "kind", *_JUDGED])
    out = rows.join(short, on="judged", how="left").join(table, on="short", how="left")
    out = fresh(inv, out.select(*COLUMNS).sort("disk_id", "rule_id"), "policies")
    return native_like(native, out)


def _judged(rule: str, text: str) -> dict[str, str]:
    facts = dict(zip(FACTS, text.split(BAR), strict=True))
    more = {"rule_id": rule, "title": disk_policy_rules()[rule]["title"], "kind": facts["kind"]}
    return more | apply_policy(rule, facts)


def _with_keks(inv: Inventory, rows: Frame, keys: KeyTypes) -> Frame:
    """Bring to each disk under Azure Disk Encryption what is said of its key, from the nearest place."""
    rows = rows.with_columns(vm=key_of("vm_id"))
    named: list[str] = []
    for by, frame in kek_types(inv, keys):
        named.append(f"kek_{len(named)}")
        mine = {"disk_key": "key", "vm_key": "vm"}[by]
        rows = rows.join(frame.rename({by: mine, "kek_type": named[-1]}), on=mine, how="left")
    found = nw.coalesce(*[nw.col(name) for name in named], nw.lit("unknown"))
    on, off = nw.col("ade") == "on", nw.col("ade").is_in(["off", "was_on"])
    words = nw.when(on).then(found).otherwise(nw.when(off).then(nw.lit("none")).otherwise(nw.lit("unknown")))
    return rows.with_columns(kek_type=words)


def _own(inv: Inventory, lists: Sequence[AllowList], types: Frame) -> Frame:
    """Give what the disks say of their sets."""
    sets = lazy(inv.disk_encryption_sets).select(
        used_set=nw.col("key"),
        set_type=choose(
            [(low("encryption_type") == arm, word) for arm, word in _SET_TYPES.items()], "unread"
        ),
    )
    used = nw.coalesce("secure_vm_disk_encryption_set_id_key", "disk_encryption_set_id_key")
    rows = lazy(inv.disks).with_columns(used_set=used).join(sets, on="used_set", how="left")
    rows = rows.join(types, on="used_set", how="left").with_columns(**_where("key"))
    facts = {
        "own_set": _names("disk_encryption_set_id"),
        "secure_set": _names("secure_vm_disk_encryption_set_id"),
        "set_type": nw.col("set_type").fill_null("unread"),
        "state": choose(
            [
                (doubted("disk_state") | (low("disk_state") == ""), "unknown"),
                (low("disk_state") == "unattached", "unattached"),
            ],
            "other",
        ),
        "key_type": nw.col("key_type").fill_null("unknown"),
    }
    return _judged_by(inv, rows.select("key", "place", "named", **facts), lists, "allowed")


def _names(column: str) -> nw.Expr:
    return choose([(doubted(column), "unknown"), (given(f"{column}_key"), "yes")], "no")


def _where(key: str) -> dict[str, nw.Expr]:
    """Give the resource group of a resource, and the set that it names."""
    group = nw.col(key).str.replace_all(r"/providers/.*$", "")
    return {"place": group, "named": nw.col("disk_encryption_set_id_key").fill_null("")}


def _judged_by(inv: Inventory, rows: Frame, lists: Sequence[AllowList], column: str) -> Frame:
    """Say of each row's set whether the lists allow it, once per resource group and set."""
    pair = ["place", "named"]
    if not lists:
        return rows.with_columns(**{column: nw.lit("no_list")}).drop(pair)
    rows = kept(inv, rows, f"policy_{column}_rows")
    pairs = sorted(rows_of(rows.select(pair).unique()))
    made = [{"place": place, "named": named, column: allowed(lists, place, named)} for place, named in pairs]
    return rows.join(helper(inv, f"policy_{column}", made, [*pair, column]), on=pair, how="left").drop(pair)


def _listed(inv: Inventory, lists: Sequence[AllowList]) -> Frame:
    """Give what VMs name for their OS disks; the worst of several."""
    rows = disk_lists(inv).filter(nw.col("origin") == "os_disk")
    rows = rows.select(key=nw.col("disk_key"), list_set=_names("disk_encryption_set_id"), **_where("vm_key"))
    rows = _judged_by(inv, rows, lists, "list_allowed")
    return rows.group_by("key").agg(*[nw.col(n).min() for n in _LISTED])
