"""Defender's rules on whole inventories: what is joined with what, on every engine."""

from __future__ import annotations

import csv
import json

import pytest

import diskenc_analysis as de
from diskenc_analysis import exemptions
from diskenc_analysis.defender_outcomes import outcomes
from diskenc_analysis.defender_rules import defender_rules, exclusions
from diskenc_analysis.share import sample_path
from tests.rules import GROUP, HOST, MARKETPLACE, V3, disk, instance, records, scale_set, vm, vm_id, write

HOST_KEY, WINDOWS_KEY = (
    defender_rules()[name].assessment_key for name in ("defender_host", "defender_windows")
)
BENCHMARK = "1f3afdf9-d0c9-4c3d-847f-89da613e70a8"
SUBSCRIPTION = GROUP.partition("/resourceGroups/")[0]
ASSIGNMENT = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/policyAssignments/benchmark"


def assessment(of, key, code, *, source="Azure", changed=None, head=None, **status):
    details = {"Source": source} | ({"Id": of} if of else {})
    body = {"displayName": "any title", "status": {"code": code} | status, "resourceDetails": details}
    if changed:
        body["status"]["statusChangeDate"] = changed
    own = f"{head or of or SUBSCRIPTION}/providers/Microsoft.Security/assessments/{key}"
    return {"id": own, "name": key, "type": "Microsoft.Security/assessments", "properties": body}


def guest(name, compliance, assignment="AzureWindowsVMEncryptionCompliance"):
    kind = "Microsoft.GuestConfiguration/guestConfigurationAssignments"
    body = {"complianceStatus": compliance, "guestConfiguration": {"name": assignment}}
    body["targetResourceId"] = vm_id(name)
    return {
        "id": f"{vm_id(name)}/providers/{kind}/{assignment}",
        "name": assignment,
        "type": kind,
        "properties": body,
    }


def assignment(definition=BENCHMARK, kind="policySetDefinitions", *, name="benchmark", **more):
    body = {
        "policyDefinitionId": f"/providers/Microsoft.Authorization/{kind}/{definition}",
        "scope": SUBSCRIPTION,
    }
    body |= more
    return {
        "id": f"{body['scope']}/providers/Microsoft.Authorization/policyAssignments/{name}",
        "name": name,
        "type": "Microsoft.Authorization/policyAssignments",
        "properties": body,
    }


def exemption(scope, expires=None, references=None):
    kind = "Microsoft.Authorization/policyExemptions"
    body = {"policyAssignmentId": ASSIGNMENT, "exemptionCategory": "Waiver", "expiresOn": expires}
    body["policyDefinitionReferenceIds"] = references
    body = {name: value for name, value in body.items() if value is not None}
    return {"id": f"{scope}/providers/{kind}/waived", "name": "waived", "type": kind, "properties": body}


def judged(folder, *objects, engine="arrow", **given):
    inv = de.load(write(folder, objects), engine=engine)
    return {
        (row["name"], row["rule_id"].removeprefix("defender_")): row
        for row in records(de.defender(inv, **given))
    }


def machine(name, *, host=False, **more):
    return [vm(name, security=HOST if host else None, **more), disk(f"{name}-os", name, system="Windows")]


@pytest.mark.parametrize("engine", ["duckdb", "pandas", "polars", "arrow"])
def test_reports_are_joined_by_guid_and_resource_in_any_case(engine, tmp_path):
    found = judged(
        tmp_path,
        *machine("a", host=True),
        *machine("b"),
        assessment(
            vm_id("a").upper().replace("/SUBSCRIPTIONS", "/subscriptions"),
            HOST_KEY.upper(),
            "Healthy",
            head=vm_id("a"),
        ),
        assessment(vm_id("b").lower() + "/", HOST_KEY, "Healthy", head=vm_id("b")),
        assessment(None, HOST_KEY, "Healthy", source="OnPremise", head=f"{SUBSCRIPTION}/x"),
        assessment(vm_id("b"), WINDOWS_KEY, "Healthy", source="AWS", head=f"{SUBSCRIPTION}/y"),
        assessment(vm_id("b"), "00000000-0000-4000-8000-000000000000", "Unhealthy", head=f"{SUBSCRIPTION}/z"),
        engine=engine,
    )
    assert len(found) == 2 * len(defender_rules())
    assert (found["a", "host"]["predicted"], found["a", "host"]["outcome"]) == ("Healthy", "agree")
    assert (found["b", "host"]["reported"], found["b", "host"]["outcome"]) == ("Healthy", "stale")
    assert (found["b", "windows"]["reported"], found["b", "windows"]["outcome"]) == ("", "unknown")
    assert found["a", "linux"]["outcome"] == "out_of_scope"
    assert found["a", "host"]["matrix_status"] == "Healthy"


def test_the_newest_report_counts_and_without_dates_none_does(tmp_path):
    old, new = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"
    found = judged(
        tmp_path,
        *machine("a", host=True),
        *machine("b", host=True),
        assessment(vm_id("a"), HOST_KEY, "Unhealthy", changed=old, head=f"{SUBSCRIPTION}/x"),
        assessment(vm_id("a"), HOST_KEY, "Healthy", changed=new, head=f"{SUBSCRIPTION}/y"),
        assessment(vm_id("b"), HOST_KEY, "Unhealthy", head=f"{SUBSCRIPTION}/v"),
        assessment(vm_id("b"), HOST_KEY, "Healthy", head=f"{SUBSCRIPTION}/w"),
    )
    assert found["a", "host"]["outcome"] == "agree"
    assert found["b", "host"]["outcome"] == "unknown"


def test_what_a_rule_leaves_out_is_read_from_the_vm(tmp_path):
    aks = MARKETPLACE | {"publisher": "microsoft-AKS"}
    old = {"publisher": "MicrosoftWindowsServer", "offer": "WindowsServer", "sku": "2008-R2-SP1"}
    left_out = ("confidential", "ultra", "aks", "databricks", "small", "old")
    found = judged(
        tmp_path,
        *machine("cvm", host=False),
        vm("confidential", security={"securityType": "ConfidentialVM"}),
        vm("ultra", additionalCapabilities={"ultraSSDEnabled": True}),
        vm("aks", image=aks),
        vm("databricks", image=MARKETPLACE | {"publisher": "AzureDatabricks"}),
        vm("small", size="Basic_A1"),
        vm("plain", size=V3),
        vm("old", image=old),
        *[guest(name, "Compliant") for name in (*left_out, "plain")],
    )
    assert found["plain", "windows"]["predicted"] == "Healthy"
    assert found["cvm", "windows"]["predicted"] == "not_evaluated"
    for name in left_out:
        assert found[name, "windows"]["predicted"] == "NotApplicable", name
        assert found[name, "windows"]["outcome"] == "out_of_scope"
        assert found[name, "host"]["predicted"] == "Unhealthy"
    assert found["confidential", "host"]["matrix_status"] == "NotApplicable"


#: Publisher, offer and sku of images that a rule leaves out by its definition, and of their next of kin.
IMAGES = {
    "windows": {
        "windows_2008": "MicrosoftWindowsServer WindowsServer 2008-R2-SP1",
        "sql_2008": "MicrosoftSQLServer SQL2008R2SP3-WS2008R2SP1 Standard",
        "": "MicrosoftSQLServer SQL2019-WS2019 Standard",
    },
    "linux": {
        "aks_image": "Contoso aks aks-ubuntu-2204",
        "linux_6": "RedHat RHEL 6.10",
        "suse_11": "SUSE SLES 11-SP4",
        "ubuntu_12": "Canonical UbuntuServer 12.04.5-LTS",
        "openshift": "azureopenshift aro4 aro_413",
        "": "RedHat RHEL 7.9",
    },
}


def test_every_image_that_a_rule_leaves_out_is_told_from_its_next_of_kin(tmp_path):
    objects = []
    for system, images in IMAGES.items():
        for name, text in images.items():
            image = dict(zip(("publisher", "offer", "sku"), text.split(), strict=True)) | {
                "version": "latest"
            }
            own = name or f"{system}_kept"
            objects += [vm(own, system=system.capitalize(), image=image)]
            objects += [guest(own, "Compliant", f"Azure{system.capitalize()}VMEncryptionCompliance")]
    found = judged(tmp_path, *objects)
    for system, images in IMAGES.items():
        for name in images:
            expected = ("NotApplicable", "out_of_scope") if name else ("Healthy", "not_reported")
            row = found[name or f"{system}_kept", system]
            assert (row["predicted"], row["outcome"]) == expected, name
    by_field = {"confidential", "ultra", "basic_size", "aks", "databricks"}  # see the test above
    told = {name for images in IMAGES.values() for name in images if name}
    assert told | by_field == {row["exclusion"] for row in exclusions()}


def test_a_scale_set_is_judged_by_its_model_and_its_instances_are_not(tmp_path):
    found = judged(tmp_path, scale_set("set", security=HOST), instance("set", 0))
    assert found["set", "host"]["predicted"] == "Healthy"
    assert found["set", "windows"]["predicted"] == "NotApplicable"
    assert {row["predicted"] for (name, _), row in found.items() if name == "set_0"} == {"NotApplicable"}


def test_a_vm_that_only_a_disk_or_a_report_names_is_unknown(tmp_path):
    found = judged(tmp_path, disk("alone", "gone"), assessment(vm_id("reported"), HOST_KEY, "Healthy"))
    for name in ("gone", "reported"):
        assert (found[name, "host"]["predicted"], found[name, "host"]["outcome"]) == ("unknown", "unknown")
    assert found["reported", "host"]["reported"] == "Healthy"


@pytest.mark.parametrize("engine", ["duckdb", "pandas", "polars", "arrow"])
def test_the_place_of_a_vm_that_was_not_exported_is_that_of_its_id(engine, tmp_path):
    other = vm_id("far").replace("11111111", "99999999")
    objects = [
        disk("alone", "gone"),
        assessment(vm_id("told"), HOST_KEY, "Healthy"),
        *machine("far", host=True),
    ]
    objects[2] |= {"id": other}
    found = judged(tmp_path, *objects, *machine("near", host=True), engine=engine)
    for name in ("gone", "told"):
        row = found[name, "host"]
        assert (row["subscription_id"], row["resource_group"].lower()) == (
            "11111111-2222-4333-8444-555555555555",
            "rg-rules",
        )
    # One subscription has a report, of another VM; the other has none at all.
    assert found["near", "host"]["reason"].endswith("no report for this resource")
    assert found["far", "host"]["reason"].endswith("no report for its subscription at all")


@pytest.mark.parametrize("place", ["", "/resourceGroups/RG-Rules", "vm"])
def test_exemptions_hold_for_their_scope(tmp_path, place):
    scope = vm_id("a") if place == "vm" else f"{SUBSCRIPTION}{place}"
    report = assessment(vm_id("a"), HOST_KEY, "NotApplicable")
    found = judged(
        tmp_path,
        *machine("a"),
        assignment(),
        exemption(scope, "2026-12-31T00:00:00Z"),
        report,
        as_of="2026-11-24",
    )
    assert found["a", "host"]["outcome"] == "exempted"


@pytest.mark.parametrize(
    ("expires", "as_of", "expected"),
    [
        (None, "", "yes"),
        ("2026-12-31T00:00:00Z", "2026-11-24", "yes"),
        ("2026-11-24", "2026-11-24", "yes"),
        ("2026-11-24T00:00:00Z", "2026-11-24", "maybe"),  # a time on the day: before or after the report?
        ("12/31/2026 00:00:00", "2026-11-24", "maybe"),  # in the words of some country
        ("2026-10-01T00:00:00Z", "2026-11-24", "no"),
        ("2026-12-31T00:00:00Z", "", "maybe"),
    ],
)
def test_exemptions_are_in_force_until_they_expire(expires, as_of, expected):
    assert exemptions.in_force(expires, as_of) == expected


_SETS, _ONES = (
    "/providers/microsoft.authorization/policysetdefinitions",
    "/providers/microsoft.authorization/policydefinitions",
)


@pytest.mark.parametrize(
    ("definition", "narrowed", "expected"),
    [
        ("", False, "maybe"),  # its assignment was not read
        (f"{_SETS}/{BENCHMARK}", False, "yes"),
        (f"{_SETS}/{BENCHMARK}", True, "maybe"),  # some policies of the initiative, by names of its own
        (f"{_SETS}/00000000-1111-4222-8333-444444444444", False, "maybe"),
        (f"{_ONES}/00000000-1111-4222-8333-444444444444", False, "no"),
        (f"{_ONES}/fc4d8e41-e223-45ea-9bf5-eada37891d87", False, "yes"),
    ],
)
def test_an_exemption_covers_a_rule_that_its_assignment_holds(definition, narrowed, expected):
    assert exemptions._covers(definition, defender_rules()["defender_host"], narrowed=narrowed) == expected


def test_exemptions_of_a_management_group_may_reach_down(tmp_path):
    report = assessment(vm_id("a"), HOST_KEY, "NotApplicable")
    above = exemption("/providers/Microsoft.Management/managementGroups/root")
    found = judged(tmp_path, *machine("a"), report, assignment(), above)
    assert found["a", "host"]["outcome"] == "unknown"


def test_an_exemption_that_expired_or_was_narrowed_is_no_full_one(tmp_path):
    report = assessment(vm_id("a"), HOST_KEY, "NotApplicable")
    old = exemption(SUBSCRIPTION, "2026-01-01T00:00:00Z")
    found = judged(tmp_path / "a", *machine("a"), assignment(), report, old, as_of="2026-11-24")
    assert found["a", "host"]["outcome"] == "unexplained"
    some = exemption(SUBSCRIPTION)
    some["properties"]["resourceSelectors"] = [{"name": "eu", "selectors": [{"kind": "resourceLocation"}]}]
    found = judged(tmp_path / "b", *machine("a"), assignment(), report, some)
    assert (found["a", "host"]["outcome"], found["a", "host"]["reported"]) == ("unknown", "NotApplicable")


def test_an_exemption_that_is_sure_counts_before_a_narrower_one_that_is_not(tmp_path):
    report = assessment(vm_id("a"), HOST_KEY, "NotApplicable")
    narrow, wide = exemption(vm_id("a"), references=["some"]), exemption(SUBSCRIPTION)
    found = judged(tmp_path, *machine("a"), assignment(), report, narrow, wide)
    assert found["a", "host"]["outcome"] == "exempted"


GROUP_SCOPE = f"{SUBSCRIPTION}/resourceGroups/RG-Rules"


@pytest.mark.parametrize(
    ("assigned", "outcome"),
    [
        ([assignment(notScopes=[GROUP_SCOPE.upper()])], "exempted"),
        ([assignment(notScopes=[vm_id("a")], enforcementMode="DoNotEnforce")], "exempted"),
        ([assignment(notScopes=[f"{SUBSCRIPTION}/resourceGroups/other"])], "unexplained"),
        ([assignment(enforcementMode="DoNotEnforce")], "unexplained"),  # it is evaluated all the same
        # Another assignment of the same rule reaches the VM, or may.
        ([assignment(notScopes=[GROUP_SCOPE]), assignment(name="again")], "unknown"),
        (
            [
                assignment(notScopes=[GROUP_SCOPE]),
                assignment(name="above", scope="/providers/Microsoft.Management/managementGroups/root"),
            ],
            "unknown",
        ),
        ([assignment(notScopes=[GROUP_SCOPE]), assignment(name="b", notScopes=[GROUP_SCOPE])], "exempted"),
        # An initiative of one's own may hold the rule, or not.
        ([assignment("00000000-1111-4222-8333-444444444444", notScopes=[GROUP_SCOPE])], "unknown"),
        (
            [
                assignment(
                    "fc4d8e41-e223-45ea-9bf5-eada37891d87", "policyDefinitions", notScopes=[GROUP_SCOPE]
                )
            ],
            "exempted",
        ),
        (
            [
                assignment(
                    "702dd420-7fcc-42c5-afe8-4026edd20fe0", "policyDefinitions", notScopes=[GROUP_SCOPE]
                )
            ],
            "unexplained",
        ),
    ],
)
def test_scopes_that_an_assignment_leaves_out_explain_what_is_not_applicable(tmp_path, assigned, outcome):
    report = assessment(vm_id("a"), HOST_KEY, "NotApplicable")
    found = judged(tmp_path, *machine("a"), report, *assigned)
    assert found["a", "host"]["outcome"] == outcome


def effect(name, value="Disabled"):
    return {name: {"value": value}}


@pytest.mark.parametrize(
    ("assigned", "outcome"),
    [
        ([assignment(parameters=effect("effect-fc4d8e41-e223-45ea-9bf5-eada37891d87"))], "exempted"),
        ([assignment(parameters=effect("Effect-FC4D8E41", "disabled"))], "exempted"),
        ([assignment(parameters=effect("effect-fc4d8e41", "Audit"))], "unexplained"),
        # The effect of another policy of the initiative, by its GUID or by its words.
        ([assignment(parameters=effect("effect-3dc5edcd-002d-444c-b216-e123bbfa37c0"))], "unexplained"),
        ([assignment(parameters=effect("adaptiveNetworkHardeningsMonitoringEffect"))], "unexplained"),
        # Of which policy on encryption, only the definition of the initiative would tell.
        ([assignment(parameters=effect("diskEncryptionMonitoringEffect"))], "unknown"),
        ([assignment(parameters=effect("effect"))], "unknown"),
        (
            [
                assignment(
                    "fc4d8e41-e223-45ea-9bf5-eada37891d87", "policyDefinitions", parameters=effect("effect")
                )
            ],
            "exempted",
        ),
        # Another assignment of the rule is on, or turned off as well.
        ([assignment(parameters=effect("effect-fc4d8e41")), assignment(name="again")], "unknown"),
        (
            [assignment(parameters=effect("effect-fc4d8e41"), name=name) for name in ("one", "two")],
            "exempted",
        ),
        ([assignment(parameters="text")], "unexplained"),
    ],
)
def test_an_effect_turned_off_within_an_initiative_explains_what_is_not_applicable(
    tmp_path, assigned, outcome
):
    report = assessment(vm_id("a"), HOST_KEY, "NotApplicable")
    found = judged(tmp_path, *machine("a"), report, *assigned)
    assert found["a", "host"]["outcome"] == outcome
    if outcome == "exempted":
        assert "turns the policy off" in found["a", "host"]["reason"]


@pytest.mark.parametrize("left", ["text", [1, None], {"a": 1}, 7])
def test_scopes_left_out_that_are_none_leave_nothing_out(tmp_path, left):
    report = assessment(vm_id("a"), HOST_KEY, "NotApplicable")
    found = judged(tmp_path, *machine("a"), report, assignment(notScopes=left))
    assert found["a", "host"]["outcome"] == "unexplained"


def test_silence_on_a_scope_that_is_left_out_says_so(tmp_path):
    found = judged(tmp_path, *machine("a"), assignment(notScopes=[GROUP_SCOPE]))
    assert found["a", "host"]["outcome"] == "not_reported"
    assert "notScopes" in found["a", "host"]["reason"]


def test_a_report_that_names_itself_is_about_the_resource_at_its_head(tmp_path):
    own = f"{vm_id('a')}/providers/Microsoft.Security/assessments/{HOST_KEY}"
    found = judged(tmp_path, *machine("a", host=True), assessment(own, HOST_KEY, "Healthy", head=vm_id("a")))
    assert found["a", "host"]["outcome"] == "agree"
    assert {name for name, _ in found} == {"a"}


def test_a_report_without_a_date_may_be_newer_than_one_with(tmp_path):
    when = "2026-01-01T00:00:00Z"
    found = judged(
        tmp_path,
        *machine("a"),
        *machine("b"),
        assessment(vm_id("a"), HOST_KEY, "Unhealthy", changed=when, head=f"{SUBSCRIPTION}/x"),
        assessment(vm_id("a"), HOST_KEY, "Healthy", head=f"{SUBSCRIPTION}/y"),
        assessment(vm_id("b"), HOST_KEY, "Unhealthy", changed=when, head=f"{SUBSCRIPTION}/v"),
        assessment(vm_id("b"), HOST_KEY, "Healthy", changed="9/1/2026 3:04:05 PM", head=f"{SUBSCRIPTION}/w"),
    )
    assert found["a", "host"]["outcome"] == "unknown"
    assert found["b", "host"]["outcome"] == "unknown"


def test_reports_on_what_no_export_describes_are_kept(tmp_path):
    classic = f"{SUBSCRIPTION}/resourceGroups/old/providers/Microsoft.ClassicCompute/virtualMachines/c"
    arc = f"{SUBSCRIPTION}/resourceGroups/on/providers/Microsoft.HybridCompute/machines/m"
    ade_key = defender_rules()["defender_ade"].assessment_key
    found = judged(
        tmp_path,
        *machine("a"),
        assessment(classic, ade_key, "Unhealthy"),
        assessment(arc, WINDOWS_KEY, "Unhealthy"),
    )
    assert found["c", "ade"]["outcome"] == "deprecated_rule"
    assert found["c", "host"]["predicted"] == "unknown"
    assert ("m", "windows") not in found  # no VM of Azure, and so no row of this table


@pytest.mark.parametrize("code", ["Brandnew", "", None, 7, "a|b", "Healthy|", "=1+1", ["Healthy"]])
def test_a_status_that_nobody_knows_is_unknown(tmp_path, code):
    report, of_guest = assessment(vm_id("a"), HOST_KEY, code), guest("a", code)
    found = judged(tmp_path, *machine("a", host=True), report, of_guest)
    assert found["a", "windows"]["predicted"] == "unknown"
    assert (found["a", "host"]["reported"], found["a", "host"]["outcome"]) == ("unknown", "unknown")


def test_the_government_cloud_is_told_by_the_region(tmp_path):
    away = {"location": "usgovvirginia"}
    found = judged(tmp_path, vm("a", security=HOST) | away, guest("a", "Compliant"))
    assert {rule: row["predicted"] for (_, rule), row in found.items()} == {
        "host": "Healthy",
        "windows": "NotApplicable",
        "linux": "NotApplicable",
        "ade": "NotApplicable",
    }


def test_an_inventory_of_nothing_gives_no_rows(tmp_path):
    assert judged(tmp_path, disk("alone")) == {}


@pytest.fixture(scope="module")
def sample():
    """Give the pairs of the sample by outcome, and the causes that were seeded in it."""
    rows = records(de.defender(de.load(sample_path(), engine="polars"), as_of="2026-11-24"))
    with (sample_path() / ".defender_truth.csv").open(encoding="utf-8", newline="") as file:
        truth = {(row["resource_id"].lower(), row["rule_id"]): row["outcome"] for row in csv.DictReader(file)}
    return {(row["resource_id"].lower(), row["rule_id"]): row["outcome"] for row in rows}, truth


def test_each_seeded_cause_is_named_and_no_other(sample):
    found, truth = sample
    assert set(truth.values()) == {name for name, row in outcomes().items() if row["disagrees"] == "yes"}
    off = {pair: outcome for pair, outcome in found.items() if outcomes()[outcome]["disagrees"] == "yes"}
    assert off == truth


def test_the_rest_of_the_sample_agrees_or_says_nothing(sample):
    found, truth = sample
    rest = {outcome for pair, outcome in found.items() if pair not in truth}
    assert rest == {"agree", "out_of_scope", "not_reported", "unknown"}
    # What cannot be predicted is what no file describes: the VMs of the subscription that was acquired.
    unsure = {pair[0].split("/")[2] for pair, outcome in found.items() if outcome == "unknown"}
    assert len(unsure) == 1


@pytest.mark.parametrize("engine", ["duckdb", "pandas", "polars", "arrow"])
def test_guests_of_a_subscription_without_any_guest_configuration_are_not_read(engine, tmp_path):
    """An export may hold the guest configuration of some subscriptions alone."""
    other = SUBSCRIPTION[:-1] + ("0" if SUBSCRIPTION[-1] != "0" else "1")
    away = json.loads(json.dumps(machine("far")).replace(SUBSCRIPTION, other))
    found = judged(
        tmp_path, *machine("seen"), *machine("bare"), guest("seen", "Compliant"), *away, engine=engine
    )
    assert {name: found[name, "windows"]["predicted"] for name in ("seen", "bare", "far")} == {
        "seen": "Healthy",
        "bare": "not_evaluated",
        "far": "unknown",
    }
