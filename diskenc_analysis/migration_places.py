"""What the place of a VM allows: its size, region, subscription and resource group, each place asked once."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING

import narwhals as nw

from diskenc_analysis.effects import parameter_values
from diskenc_analysis.frames import BAR, Frame, doubted, helper, lazy, low, rows_of, unless_doubted
from diskenc_analysis.keys import SET_TYPES
from diskenc_analysis.migration_tables import policies
from diskenc_analysis.readings import READ, readings
from diskenc_analysis.scopes import read_json, scope_key

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

#: The facts of a place, by the names of the checks that ask for them; empty where nothing was read.
PLACE_FACTS = ("host_size", "resize", "feature", "customer_key", "deny_policies", "confidential_size")


def region(column: str = "location") -> nw.Expr:
    """Give a region in one spelling: `West Europe` and `westeurope` are one."""
    return low(column).str.replace_all(" ", "", literal=True)


def place() -> nw.Expr:
    """Give the place of a VM as one text: subscription, resource group, region, size.

    The first two are parts of its key, so that they are known of a VM that was not read too.
    """
    size = unless_doubted(low("vm_size"), "", "vm_size")
    subscription = nw.col("vm_key").str.replace_all(r"^/subscriptions/|/.*$", "")
    group = nw.col("vm_key").str.replace_all(r"^.*/resourcegroups/|/.*$", "")
    return nw.concat_str([subscription, group, region(), size], separator=BAR)


def place_facts(inv: Inventory, vms: Frame, *, customer_key: bool) -> Frame:
    """Say what each place allows.

    Parameters
    ----------
    inv : Inventory
        With `vm_sizes`, `features`, `disk_encryption_sets`, `policy_assignments`.
    vms : Frame
        With `place`.
    customer_key : bool
        Whether the new disks shall be under a customer's key.

    Returns
    -------
    Frame
        `place` and the facts of `PLACE_FACTS`, one row per place that occurs.
    """
    sizes, features, sets = _sizes(inv), _features(inv), _sets(inv)
    assigned = _assignments(inv)
    read = readings(inv, ("policy_assignments",))
    found = []
    for text in sorted(row[0] for row in rows_of(vms.select("place").unique())):
        subscription, group, where, size = text.split(BAR)
        has_sets = read.of("disk_encryption_sets", subscription) == READ
        has_policies = read.of("policy_assignments", subscription) == READ
        known = {
            **_of_size(sizes.get(where, {}), size),
            "feature": features.get(subscription, ""),
            "customer_key": _of_set(sets, subscription, where, read=has_sets)
            if customer_key
            else "not_wanted",
            "deny_policies": _of_policies(
                assigned, f"/subscriptions/{subscription}", group, read=has_policies
            ),
        }
        found.append({"place": text, **known})
    return helper(inv, "migration_places", found, ["place", *PLACE_FACTS])


#: Whether a size supports encryption at host, whether it has a local disk, whether it is confidential.
Size = tuple[bool | None, bool | None, bool]


def _sizes(inv: Inventory) -> dict[str, dict[str, Size]]:
    """Read the sizes offered in each region, a row without capabilities as one that says nothing."""
    frame = lazy(inv.vm_sizes).filter(low("resource_type") == "virtualmachines")
    columns = ("encryption_at_host_supported", "resource_volume_mb", "nvme_disk_mib", "confidential_type")
    found: dict[str, dict[str, Size]] = defaultdict(dict)
    rows = rows_of(frame.select(low("size").alias("low"), "regions", "capability_list", *columns))
    for size, regions, capabilities, host, volume, nvme, confidential in rows:
        local = None if capabilities is None else (volume or 0) > 0 or (nvme or 0) > 0
        for name in json.loads(regions or "[]"):
            where = str(name).lower().replace(" ", "")
            found[where][size] = (host, local, bool(confidential))
    return found


def _of_size(offered: dict[str, Size], size: str) -> dict[str, str]:
    host, local, _ = offered.get(size, (None, None, False))
    like = [name for name, other in offered.items() if other[0] and local is not None and other[1] == local]
    resize = {True: "not_needed", False: "possible" if like else "impossible", None: ""}[host]
    confidential = any(other[2] for other in offered.values())
    return {
        "host_size": {True: "yes", False: "no", None: ""}[host],
        "resize": "" if host is False and local is None else resize,
        "confidential_size": "" if not offered else "yes" if confidential else "no",
    }


def _features(inv: Inventory) -> dict[str, str]:
    name = low("key").str.contains(r"microsoft\.compute/.*encryptionathost$")
    rows = rows_of(lazy(inv.features).filter(name, ~doubted("state")).select("subscription_id", low("state")))
    return {str(guid).lower(): "registered" if state == "registered" else "other" for guid, state in rows}


def sets_at(inv: Inventory) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """List the disk encryption sets that can hold a customer's key for server-side encryption.

    Parameters
    ----------
    inv : Inventory
        The tables as read.

    Returns
    -------
    dict of (str, str) to list of (str, str)
        By subscription and region, both in lower case: id and type of each, as `keys.SET_TYPES` has it.
    """
    return {
        where: [(set_id, kind) for set_id, kind in found if kind in _OWN_KEY]
        for where, found in _sets(inv).items()
    }


_OWN_KEY = ("customer", "platform_and_customer")


def _sets(inv: Inventory) -> dict[tuple[str, str], list[tuple[str, str]]]:
    frame = lazy(inv.disk_encryption_sets).select("subscription_id", region(), low("encryption_type"), "id")
    found: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for guid, where, kind, set_id in sorted(rows_of(frame), key=lambda row: str(row[3]).lower()):
        found[str(guid).lower(), where].append((str(set_id), SET_TYPES.get(kind, "unknown")))
    return found


def _of_set(
    sets: dict[tuple[str, str], list[tuple[str, str]]], subscription: str, where: str, *, read: bool
) -> str:
    """Say whether a set fits; none counts as missing only where the sets of the subscription were read."""
    kinds = {kind for _, kind in sets.get((subscription, where), ())}
    if kinds & set(_OWN_KEY):
        return "found"
    return "none" if read and where and "unknown" not in kinds else ""


#: Scope, effect (`deny`, `harmless` or `unread`) and the scopes that are left out.
Assigned = tuple[str, str, frozenset[str]]
_BUILT_IN = "/providers/microsoft.authorization/policydefinitions/"
_STOPS_NOTHING = ("audit", "auditifnotexists", "deployifnotexists", "disabled")


def _assignments(inv: Inventory) -> list[Assigned]:
    """Read the assignments of policies."""
    frame = lazy(inv.policy_assignments)
    scope = nw.when(low("scope") != "").then(low("scope")).otherwise(low("key"))
    given = {"scope": scope, "id": low("definition_id"), "mode": low("enforcement_mode")}
    rows = rows_of(frame.select(**given, parameters=nw.col("parameters"), left=nw.col("not_scopes")))
    return [
        (scope.split("/providers/microsoft.authorization/")[0], _effect(*rest), _left_out(left))
        for scope, *rest, left in rows
    ]


def _left_out(scopes: str | None) -> frozenset[str]:
    return frozenset(scope_key(one) for one in read_json(scopes, []) if isinstance(one, str))


def _effect(definition: str, mode: str, parameters: str | None) -> str:
    if mode == "donotenforce":  # it is evaluated, and stops nothing
        return "harmless"
    known = policies().get(definition.rstrip("/").rpartition("/")[2])
    said = str(parameter_values(parameters).get("effect") or "").lower()
    if known is None:
        # What a definition of one's own does is not in an export, nor the default effect of a built-in one.
        return "harmless" if definition.startswith(_BUILT_IN) and said in _STOPS_NOTHING else "unread"
    return "deny" if known["denies"] == "yes" and said == "deny" else "harmless"


def _of_policies(assigned: list[Assigned], subscription: str, group: str, *, read: bool) -> str:
    """Say whether any assignment denies here; an initiative, or a management group's, is not seen into."""
    places = {subscription, f"{subscription}/resourcegroups/{group}"}
    reaching = [(scope, effect) for scope, effect, left in assigned if not places & left]
    here = {effect for scope, effect in reaching if scope in places}
    above = {effect for scope, effect in reaching if "/managementgroups/" in scope}
    if "deny" in here:
        return "deny"
    return "none" if read and here | above <= {"harmless"} else ""
