"""What Azure's built-in policies on disks say of a disk by their own logic, once per profile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from diskenc_analysis.editions import records
from diskenc_analysis.exposure import network_of, sign_in_of

Facts = Mapping[str, str]
#: Verdict of a policy, and the fields that decided.
Verdict = tuple[str, str]
COMPLIANT, FLAGGED, UNSEEN, UNKNOWN = "compliant", "non_compliant", "not_applicable", "unknown"


@cache
def disk_policy_rules() -> dict[str, dict[str, str]]:
    """Read the built-in policies on disks from `data/disk_policies.csv`.

    Returns
    -------
    dict of str to dict
        By `rule_id`: `policy_id`, `version`, `title`, `evaluates`, `blind_spot` and `source`.

    Examples
    --------
    >>> disk_policy_rules()["policy_double"]["evaluates"]
    'disk encryption sets and never a disk'
    """
    return {row["rule_id"]: row for row in records("disk_policies.csv")}


def _flag(*, flagged: bool, unsure: bool, words: str) -> Verdict:
    if flagged:
        return FLAGGED, words
    return (UNKNOWN if unsure else COMPLIANT), words


def _customer_key(facts: Facts) -> Verdict:
    own = {"yes": "the disk names a set", "no": "the disk names no set"}.get(facts["own_set"], "not read")
    words = f"{own}; {_vm_words(facts)}"
    flagged = facts["own_set"] == "no" or facts["list_set"] == "no"
    return _flag(flagged=flagged, unsure="unknown" in (facts["own_set"], facts["list_set"]), words=words)


def _vm_words(facts: Facts) -> str:
    said = {"yes": "its VM names one for the OS disk", "no": "its VM names none for the OS disk"}
    return said.get(facts["list_set"], "no VM names one for it")


def _double(facts: Facts) -> Verdict:
    if facts["own_set"] == "no" and facts["secure_set"] != "yes":
        return UNSEEN, "the disk names no set, and the policy looks at sets alone"
    kind = facts["set_type"]
    if kind in ("", "unread"):
        return UNKNOWN, "the set was not read"
    return _flag(flagged=kind != "double", unsure=False, words=f"type of its set: {kind}")


_NO_LIST = "no list of them was given, and no policy assignment that was read holds one for this place"
_MAYBE = "a policy assignment that may reach it was not read whole, or the set was not read"


def _allowed(facts: Facts) -> Verdict:
    of_vm, attachment = facts["list_set"], facts["attachment"]
    if attachment == "unknown" and not of_vm:
        return UNKNOWN, "whether the disk has an owner was not read"
    if attachment == "attached" and not of_vm:
        return UNSEEN, "the policy does not look at data disks of a VM"
    word = facts["list_allowed"] if of_vm else facts["allowed"]
    if word == "no_list":
        return UNKNOWN, _NO_LIST
    if word == "unknown" or "unknown" in (of_vm, facts["own_set"]):
        return UNKNOWN, _MAYBE
    named = "the set that its VM names for the OS disk" if of_vm else "the set of the disk"
    return (COMPLIANT if word == "yes" else FLAGGED), f"{named} is allowed by the list: {word}"


_KEY_TYPES = {
    "yes": (COMPLIANT, "the type of {of} is allowed by the list"),
    "no": (FLAGGED, "the type of {of} is not allowed by the list"),
    "no_list": (UNKNOWN, _NO_LIST),
    "managed_hsm": (UNSEEN, "the policy looks at vaults, and {of} is in a managed HSM"),
    "unknown": (UNKNOWN, "{of}, its type, or an assignment near its vault was not read"),
}
_WEIGHT = (FLAGGED, UNKNOWN, COMPLIANT, UNSEEN)


def _key_types(facts: Facts) -> Verdict:
    """Judge the keys of a disk: of its set, and the key-encryption key of ADE; the worst counts."""
    of_set = (
        "" if facts["own_set"] == "no" and facts["secure_set"] != "yes" else facts["key_type"] or "unknown"
    )
    named = {"its set's key": of_set, "its key-encryption key": facts["kek_type"].replace("none", "")}
    found = [
        (word, text.format(of=of)) for of, key in named.items() if key for word, text in [_KEY_TYPES[key]]
    ]
    if not found:
        return UNSEEN, "the disk hangs on no key in a vault, by way of a set or of Azure Disk Encryption"
    return min((word for word, _ in found), key=_WEIGHT.index), "; ".join(dict.fromkeys(w for _, w in found))


def _public_network(facts: Facts) -> Verdict:
    words = f"network policy: {facts['policy']}; public access: {facts['public']}"
    unsure = "unknown" in (facts["policy"], facts["public"]) or "absent" in (facts["policy"], facts["public"])
    if facts["policy"] in ("none", "private") or facts["public"] == "off":
        return COMPLIANT, words
    return (UNKNOWN if unsure else FLAGGED), words


def _sign_in(facts: Facts) -> Verdict:
    if sign_in_of(facts) == "unknown":
        return UNKNOWN, "the sign-in mode was not read (an older api leaves it out)"
    return _flag(flagged=facts["auth"] != "entra", unsure=False, words=f"sign-in mode: {facts['auth']}")


def _unattached(facts: Facts) -> Verdict:
    if facts["state"] != "unattached":
        return (
            (UNKNOWN, "state not read") if facts["state"] == "unknown" else (UNSEEN, "its state is another")
        )
    words = f"flag of Azure Disk Encryption: {facts['ade']}"
    return _flag(flagged=facts["ade"] in ("off", "was_on"), unsure=facts["ade"] == "unknown", words=words)


def _managed(facts: Facts) -> Verdict:
    if facts["role"] != "os":
        return UNSEEN, "the policy looks at OS disks alone"
    return _flag(flagged=facts["kind"] == "unmanaged_disk", unsure=False, words=f"kind: {facts['kind']}")


_RULES: dict[str, Callable[[Facts], Verdict]] = {
    "policy_customer_key": _customer_key,
    "policy_double": _double,
    "policy_allowed_sets": _allowed,
    "policy_key_types": _key_types,
    "policy_public_network": _public_network,
    "policy_export_sign_in": _sign_in,
    "policy_managed_disks": _managed,
    "policy_unattached": _unattached,
}
_OF_DISKS = frozenset(_RULES) - {"policy_managed_disks"}
_GAPS = {
    (FLAGGED, "yes"): "good_disk_flagged",
    (COMPLIANT, "no"): "bad_disk_passed",
    (UNSEEN, "no"): "not_looked_at",
}


def apply_policy(rule_id: str, facts: Facts) -> dict[str, str]:
    """Say what a policy gives for a disk, what is so, and where the two part.

    Parameters
    ----------
    rule_id : str
        One of `disk_policy_rules()`.
    facts : mapping
        The facts of `policies.FACTS`.

    Returns
    -------
    dict of str to str
        `policy_verdict` (`compliant`, `non_compliant`, `not_applicable`, `unknown`), `decided_by`,
        `in_truth` (whether the disk has what the policy is after: `yes`, `no`, `unknown`), `gap`
        (`good_disk_flagged`, `bad_disk_passed`, `not_looked_at` or empty) and `why`.
    """
    verdict, words = _verdict(rule_id, facts)
    truth = _truth(rule_id, facts)
    gap = _GAPS.get((verdict, truth), "")
    why = disk_policy_rules()[rule_id]["blind_spot"] if gap else ""
    return {"policy_verdict": verdict, "decided_by": words, "in_truth": truth, "gap": gap, "why": why}


def _verdict(rule_id: str, facts: Facts) -> Verdict:
    if rule_id in _OF_DISKS and facts["kind"] != "managed_disk":
        return UNSEEN, f"the policy does not look at this kind: {facts['kind']}"
    if rule_id in _OF_DISKS and not facts["own_set"]:
        return UNKNOWN, "the disk itself is not in the inventory"
    return _RULES[rule_id](facts)


def _truth(rule_id: str, facts: Facts) -> str:
    """Say whether the disk has what the policy is after, by all that the kit knows."""
    loose = rule_id == "policy_unattached" and facts["state"] == "unattached"
    if rule_id == "policy_customer_key" or loose:
        return facts["customer_keys"] if facts["customer_keys"] in ("yes", "no") else "unknown"
    if rule_id == "policy_double":
        return {"platform_and_customer": "yes", "unknown": "unknown"}.get(facts["sse"], "no")
    if rule_id == "policy_public_network":
        network = network_of(facts) if facts["policy"] else "unknown"
        return {"none": "yes", "private": "yes", "public": "no"}.get(network, "unknown")
    if rule_id == "policy_export_sign_in":
        return {"required": "yes", "not_required": "no"}.get(sign_in_of(facts), "unknown")
    if rule_id == "policy_managed_disks":
        return "no" if facts["kind"] == "unmanaged_disk" else "yes"
    return "unknown"
