"""What Defender reports of a sample tenant: some copies are off, each for one cause that is written down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from diskenc_analysis.sample_arm import COMPUTE, RG, template, vm_id
from diskenc_analysis.sample_kinds import Kind
from diskenc_analysis.sample_parts import Json

#: The file of the seeded causes; a name that begins with a dot is never loaded.
DEFENDER_TRUTH = ".defender_truth.csv"
#: Its columns: one row for each pair of resource and rule that is off.
DEFENDER_COLUMNS = ("resource_id", "rule_id", "outcome")
_HOST, _OLD = "efbbd784-656d-473a-9863-ea7693bfcd2a", "d57a4221-a804-52ca-3dea-768284f06bb7"
_GUEST = {
    "Windows": ("defender_windows", "0cb5f317-a94b-6b80-7212-13a9cc8826af"),
    "Linux": ("defender_linux", "a40cc620-e72c-fdf4-c554-c6ca2cd705c0"),
}
_TITLES = {
    _HOST: "Virtual machines and virtual machine scale sets should have encryption at host enabled",
    _OLD: "Virtual machines should encrypt temp disks, caches, and data flows",
    _GUEST["Windows"][1]: "Windows virtual machines should enable Azure Disk Encryption or EncryptionAtHost",
    _GUEST["Linux"][1]: "Linux virtual machines should enable Azure Disk Encryption or EncryptionAtHost",
}
_BENCHMARK = "1f3afdf9-d0c9-4c3d-847f-89da613e70a8"
_AUTHORIZATION = "Microsoft.Authorization"
_ASSIGNMENT = f"/subscriptions/%(sub)s/providers/{_AUTHORIZATION}/policyAssignments/SecurityCenterBuiltIn"
_CODES = {True: "Healthy", False: "Unhealthy"}
#: Which of the copies that Defender has assessed are off, by their number among twenty, and for what cause.
_SEEDS = {1: "stale", 4: "stale_guest", 7: "not_evaluated"}
_SEEDS |= {10: "deprecated_rule", 13: "exempted", 16: "unexplained"}
_EVERY, _PERIOD = 3, 20


@dataclass(frozen=True)
class Target:
    """A VM or scale set as Defender sees it: templates of its ids, and the truth of the two kinds of rules.

    `os` is empty where the rules on the guest leave it out.
    """

    own_id: str
    said_id: str
    host: bool
    os: str = ""
    inside: bool = False


def targets_of(kind: Kind) -> tuple[Target, ...]:
    """Give what Defender judges of a kind: VMs that can be read, and scale sets by the model."""
    made = [_vm(kind, i) for i, vm in enumerate(kind.vms) if vm.form not in {"absent", "instance"}]
    if any(vm.form in {"instance", "flexible"} for vm in kind.vms):
        own = f"{RG}%(rg_vm)s{COMPUTE}virtualMachineScaleSets/%(vm)s"
        made.append(Target(own, own, kind.vms[-1].host))
    return tuple(made)


def _vm(kind: Kind, i: int) -> Target:
    vm, mine = kind.vms[i], [disk for disk in kind.disks if i in disk.owners]
    left_out = vm.image in {"confidential", "aks"} or any(disk.sku == "UltraSSD_LRS" for disk in mine)
    healthy = mine[0].verdicts[1][-1] == "H"
    said = vm_id(kind, i, "%(rg_owner)s")
    return Target(vm_id(kind, i), said, vm.host, "" if left_out else vm.os, healthy)


def defender_lines(targets: tuple[Target, ...], n: int) -> Iterator[tuple[str, str]]:
    """Give the lines of one copy of a kind, with the file that each belongs to.

    Parameters
    ----------
    targets : tuple of Target
        What Defender judges of the kind.
    n : int
        Number of the copy in the tenant: every third is assessed.
    """
    assessed = n % _EVERY == 0
    cause = _SEEDS.get(n // _EVERY % _PERIOD, "") if assessed else ""
    for target in targets:
        if target.os and cause != "not_evaluated":
            yield "guest_assignments", _guest_body(target)
        if assessed:
            yield from _assessed(target, cause)


def _assessed(target: Target, cause: str) -> Iterator[tuple[str, str]]:
    turned_off = cause in {"exempted", "unexplained"}
    host = "NotApplicable" if turned_off else _CODES[target.host != (cause == "stale")]
    yield "assessments", _assessment(target, _HOST, host)
    if cause in {"stale", "exempted", "unexplained"}:
        yield _truth(target, "defender_host", cause)
    if cause == "exempted":
        yield "exemptions", _exemption(target)
    if not target.os:
        return
    rule, key = _GUEST[target.os]
    inside = target.inside != (cause == "stale_guest") and cause != "not_evaluated"
    yield "assessments", _assessment(target, key, _CODES[inside])
    if cause in {"stale_guest", "not_evaluated"}:
        yield _truth(target, rule, cause.removesuffix("_guest"))
    if cause == "deprecated_rule":
        yield "assessments", _assessment(target, _OLD, "Unhealthy")
        yield _truth(target, "defender_ade", cause)


def _truth(target: Target, rule: str, outcome: str) -> tuple[str, str]:
    return DEFENDER_TRUTH, f"{target.own_id},{rule},{outcome}"


def _line(own_id: str, arm_type: str, properties: Json) -> str:
    head = {"id": own_id, "name": own_id.rpartition("/")[2], "type": arm_type}
    return template(head | {"properties": properties})


def _assessment(target: Target, key: str, code: str) -> str:
    kind, details = "Microsoft.Security/assessments", {"Source": "Azure", "Id": target.said_id}
    body = {"displayName": _TITLES[key], "status": {"code": code}, "resourceDetails": details}
    return _line(f"{target.own_id}/providers/{kind}/{key}", kind, body)


def _guest_body(target: Target) -> str:
    name = f"Azure{target.os}VMEncryptionCompliance"
    kind = "Microsoft.GuestConfiguration/guestConfigurationAssignments"
    body: Json = {"complianceStatus": "Compliant" if target.inside else "NonCompliant"}
    body |= {"guestConfiguration": {"name": name}, "targetResourceId": target.said_id}
    return _line(f"{target.own_id}/providers/{kind}/{name}", kind, body)


def _exemption(target: Target) -> str:
    kind, body = f"{_AUTHORIZATION}/policyExemptions", {"policyAssignmentId": _ASSIGNMENT}
    body |= {"exemptionCategory": "Waiver", "displayName": "Waived by design"}
    return _line(f"{target.own_id}/providers/{kind}/waived-by-design", kind, body)


def benchmark_line() -> str:
    """Line of the assignment of the security benchmark to a subscription, as a template."""
    definition = f"/providers/{_AUTHORIZATION}/policySetDefinitions/{_BENCHMARK}"
    body = {"policyDefinitionId": definition, "scope": "/subscriptions/%(sub)s"}
    body |= {"displayName": "Security benchmark"}
    return _line(_ASSIGNMENT, f"{_AUTHORIZATION}/policyAssignments", body)
