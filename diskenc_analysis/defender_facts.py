"""What Defender's rules ask of VMs and scale sets, and what is reported of them, for every engine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import narwhals as nw

from diskenc_analysis.defender_rules import (
    GUEST_STATES,
    REPORTS,
    cloud_of,
    defender_rules,
    exclusions,
)
from diskenc_analysis.frames import (
    Frame,
    choose,
    distinct,
    doubted,
    fold,
    given,
    helper,
    id_part,
    key_of,
    lazy,
    low,
)
from diskenc_analysis.vmfacts import VM_FACTS

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

_PLACE = ("key", "id", "name", "subscription_id", "resource_group", "location")
_OS_RULES = tuple(rule.rule_id for rule in defender_rules().values() if rule.os)
_FACTS = ("seen", "form", "os", "host", *(f"excluded_{rule}" for rule in _OS_RULES))


def resources(inv: Inventory, cov: Any) -> tuple[Frame, dict[str, dict[str, str]]]:
    """Give every VM, instance and scale set with its facts, folded into one column.

    Parameters
    ----------
    inv : Inventory
        With `vms`, `scale_sets` and `assessments`.
    cov : frame
        Its coverage, for the matrix's Defender row of each VM.

    Returns
    -------
    frame : Frame
        `key`, `id`, `name`, `subscription_id`, `resource_group`, `location` and `facts`. VMs that were not
        read, but that a disk or a report names, are there too.
    known : dict
        The facts behind each value of `facts`: `seen`, `form`, `os`, `host`, `excluded_<rule>`, `cloud`,
        `matrix`.
    """
    read = nw.concat([_vms(inv), _scale_sets(inv)], how="vertical")
    named = _named(inv, cov).join(read.select("key"), on="key", how="anti")
    unseen = {n: nw.lit("unknown") for n in _FACTS} | {"seen": nw.lit("no"), "form": _form()}
    rows = nw.concat([read, named.select(*_PLACE, **unseen)], how="vertical")
    rows = rows.join(_matrix(cov), on="key", how="left").with_columns(region=low("location"))
    places = [{"region": text, "cloud": cloud_of(text)} for text in distinct(rows, "region")]
    rows = rows.join(helper(inv, "region_clouds", places, ["region", "cloud"]), on="region", how="left")
    names = (*_FACTS, "cloud", "matrix")
    folded, known = fold(inv, rows, {n: nw.col(n).fill_null("") for n in names}, "judged_by")
    return folded.select(*_PLACE, facts=nw.col("judged_by")), known


def _form() -> nw.Expr:
    """Tell a VM, an instance of a Uniform scale set and a scale set apart by their keys."""
    instance = nw.col("key").str.contains("/virtualmachinescalesets/.*/virtualmachines/")
    return choose(
        [(instance, "instance"), (nw.col("key").str.contains("/virtualmachines/"), "vm")], "scale_set"
    )


def _vms(inv: Inventory) -> Frame:
    facts = {
        "seen": nw.lit("yes"),
        "form": _form(),
        "os": VM_FACTS["vm_os"],
        "host": VM_FACTS["vm_host"],
        **{f"excluded_{rule}": _excluded(rule) for rule in _OS_RULES},
    }
    return lazy(inv.vms).with_columns(**facts).select(*_PLACE, *_FACTS)


def _scale_sets(inv: Inventory) -> Frame:
    facts = {n: nw.lit("unknown") for n in _FACTS}
    facts |= {"seen": nw.lit("yes"), "form": _form(), "host": VM_FACTS["vm_host"]}
    return lazy(inv.scale_sets).with_columns(**facts).select(*_PLACE, *_FACTS)


def _excluded(rule: str) -> nw.Expr:
    """Name the first exclusion of a rule that a VM meets."""
    mine = [row for row in exclusions() if rule in row["rules"].split("|")]
    columns = sorted({row["column"] for row in mine} | {"image_publisher"})
    found = [(_meets(row), row["exclusion"]) for row in mine]
    return choose([*found, (doubted(*columns), "unknown")], "")


def _meets(row: dict[str, str]) -> nw.Expr:
    name = row["column"]
    if name == "ultra_ssd_enabled":
        return nw.col(name).fill_null(value=False) & ~doubted(name)
    met = low(name).str.contains(row["pattern"]) & ~doubted(name)
    if not row["publisher"]:
        return met
    return met & low("image_publisher").str.contains(row["publisher"]) & ~doubted("image_publisher")


_CODES = (("Healthy", "3"), ("unknown", "2"), ("Unhealthy", "1"), ("NotApplicable", "4"))


def _matrix(cov: Any) -> Frame:
    """Give the matrix's Defender row per VM: a shared disk has taken the worst of several (RULES C3)."""
    code = choose([(nw.col("defender_status") == word, digit) for word, digit in _CODES], "2")
    outside = nw.col("kind") == "unmanaged_disk"
    rows = lazy(cov).filter(given("vm_id"))
    rows = rows.select(key=key_of("vm_id"), code=nw.when(outside).then(nw.lit("0")).otherwise(code))
    best = rows.group_by("key").agg(nw.col("code").max())
    words = [(nw.col("code") == digit, word) for word, digit in _CODES]
    return best.select("key", matrix=choose(words, "NotApplicable"))


_COMPUTE = r"^/subscriptions/.*/microsoft\.(?:classic)?compute/virtualmachine(?:s|scalesets)/"


def _named(inv: Inventory, cov: Any) -> Frame:
    """Name the VMs that a disk or a report names."""
    owners = lazy(cov).filter(given("vm_id")).select(key=key_of("vm_id"), id="vm_id")
    assessed = reports(inv).filter(nw.col("key").str.contains(_COMPUTE)).select("key", id="key")
    both = nw.concat([owners, assessed], how="vertical").group_by("key").agg(nw.col("id").max())
    parts = {
        "name": nw.col("id").str.replace_all(r"^.*/", ""),
        "subscription_id": id_part("key", "subscriptions"),
        "resource_group": id_part("id", "resourcegroups"),
        "location": nw.lit(None, nw.String),
    }
    return both.with_columns(**parts)


def reports(inv: Inventory) -> Frame:
    """Give what Defender reports, by resource and rule.

    Matched by the GUID of the recommendation and the id of the resource, never by a title; reports on other
    clouds' resources are left out. Of several on one pair the newest counts, and those without a date, since
    each of them may be newer still.

    Parameters
    ----------
    inv : Inventory
        With `assessments`.

    Returns
    -------
    Frame
        `key`, `rule_id`, `reported_cause` and `reported` (in lower case; `differ` where the newest cannot be
        told, `not stated`, or `unrecognised`).
    """
    keys = [{"guid": r.assessment_key, "rule_id": r.rule_id} for r in defender_rules().values()]
    rows = lazy(inv.assessments).with_columns(
        guid=nw.col("key").str.replace_all(r"^.*/assessments/", ""),
        place=_target("resource_id_key", r"/providers/microsoft\.security/assessments/.*$"),
        changed=_moment("status_changed"),
    )
    rows = rows.filter(low("resource_source").is_in(["azure", ""]))
    rows = rows.join(helper(inv, "defender_keys", keys, ["guid", "rule_id"]), on="guid", how="inner")
    rows = rows.select("rule_id", "changed", "cause", key=nw.col("place"), word=_word("status", REPORTS))
    newest = rows.group_by("key", "rule_id").agg(nw.col("changed").max().alias("newest"))
    rows = rows.join(newest, on=["key", "rule_id"], how="inner")
    rows = rows.filter((nw.col("changed") == nw.col("newest")) | (nw.col("changed") == ""))
    grouped = _agreed(rows, nw.col("cause").max().alias("reported_cause"))
    return grouped.select("key", "rule_id", "reported_cause", reported=nw.col("word"))


def _moment(column: str) -> nw.Expr:
    """Give a time that sorts as text; one in the words of some country does not, and counts as none."""
    iso = low(column).str.contains(r"^\d{4}-\d{2}-\d{2}")
    return nw.when(iso).then(low(column)).otherwise(nw.lit(""))


def _word(column: str, known: Iterable[str]) -> nw.Expr:
    """Give one of the words that a rule knows; others are no more than that, since anybody may write them."""
    word = low(column)
    cases = [(doubted(column), "differ"), (word == "", "not stated"), *[(word == one, one) for one in known]]
    return choose(cases, "unrecognised")


def _target(column: str, tail: str) -> nw.Expr:
    """Give the resource that a row is about: the one that it names, else the one at the head of its id.

    Some rows name themselves; their resource is at the head of that id too.
    """
    return nw.coalesce(column, "key").str.replace_all(tail, "")


def _agreed(rows: Frame, *more: nw.Expr) -> Frame:
    """Give the word of each resource and rule where its rows agree, else `differ`."""
    low_word, high_word = nw.col("word").min().alias("_low"), nw.col("word").max().alias("_high")
    grouped = rows.group_by("key", "rule_id").agg(low_word, high_word, *more)
    same = nw.col("_low") == nw.col("_high")
    return grouped.with_columns(word=nw.when(same).then(nw.col("_low")).otherwise(nw.lit("differ")))


def guests(inv: Inventory) -> Frame:
    """Give what guest configuration found inside of the VMs, by VM and rule.

    Parameters
    ----------
    inv : Inventory
        With `guest_assignments`.

    Returns
    -------
    Frame
        `key`, `rule_id` and `guest` (compliance in lower case; `differ`, `not stated` or `unrecognised`).
    """
    names = [
        {"assignment_name": r.guest_assignment.lower(), "rule_id": r.rule_id}
        for r in defender_rules().values()
        if r.guest_assignment
    ]
    rows = lazy(inv.guest_assignments).with_columns(
        assignment_name=nw.col("key").str.replace_all(r"^.*/guestconfigurationassignments/", ""),
        place=_target("target_id_key", r"/providers/microsoft\.guestconfiguration/.*$"),
    )
    known = helper(inv, "guest_names", names, ["assignment_name", "rule_id"])
    rows = rows.join(known, on="assignment_name", how="inner")
    return _agreed(
        rows.select("rule_id", key=nw.col("place"), word=_word("compliance", GUEST_STATES))
    ).select("key", "rule_id", guest=nw.col("word"))
