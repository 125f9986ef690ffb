"""How `collect` bears itself: throttles obeyed before they bite, and the SDK's own requests, no others."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from azure.core.credentials import AccessToken
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.keyvault import KeyVaultManagementClient
from azure.mgmt.resourcegraph import ResourceGraphClient

import diskenc_analysis as de
from diskenc_analysis.live import Scope, plan, run
from diskenc_analysis.live_asks import OPTIONS, asks
from tests.tenant import ROWS, SUBSCRIPTIONS

ONE = SUBSCRIPTIONS[0]


@pytest.fixture
def collect(azure, tmp_path):
    """Collect from the stand-in into `out`."""

    def call(jobs=8, **scope):
        where = Scope(**scope, arm_endpoint=azure.url, authority=azure.url)
        return run(tmp_path / "out", where, retries=1, jobs=jobs)

    return call


def last_run(outcome):
    return json.loads((outcome.path / "export.json").read_text(encoding="utf-8"))["runs"][-1]


def rows_used(outcome):
    return de.load(outcome.path).totals["rows_used"]


@pytest.fixture
def whole():
    """How many rows there are without options: galleries and points lead to others, keys are apart."""
    kinds = Counter(row.get("type", "skus").lower() for row in ROWS)
    apart = ("galleries", "images", "collections", "points", "keys")
    return sum(n for kind, n in kinds.items() if not kind.endswith(apart))


@pytest.mark.parametrize("headers", [{"Retry-After": "0.2"}, {}])
@pytest.mark.parametrize("match", ["Microsoft.Compute", "ResourceGraph"])
def test_a_throttle_costs_no_row_however_often_it_comes(azure, collect, whole, match, headers):
    # Without a stated wait the SDK doubles its own from try to try: of those the test bears fewer.
    azure.break_(match, "429", times=12 if headers else 4, headers=headers)
    outcome = collect()
    assert outcome.summary == ""
    assert rows_used(outcome) == whole
    assert outcome.progress.throttled == len(azure.asked(status=429)) > 0


@pytest.mark.parametrize("asked", ["soon", "inf", "nan", "-5"])
def test_an_odd_wait_is_none(azure, collect, whole, asked):
    azure.break_("Microsoft.Compute/disks", "429", headers={"Retry-After": asked})
    outcome = collect()
    assert outcome.summary == ""
    assert rows_used(outcome) == whole


def test_who_is_asked_to_wait_for_a_day_says_so(azure, collect):
    azure.break_(f"{ONE}.*Compute/disks", "429", times=99, headers={"Retry-After": "86400"})
    [part] = [part for part in collect().parts if part.status != "complete"]
    assert (part.name, part.key, part.status, part.reason) == ("disks", ONE, "failed", "HTTP 429 TooMany")
    assert len(azure.asked("disks", 429)) == 1


def test_a_throttled_subscription_waits_as_long_as_it_was_told_and_the_others_go_on(azure, collect):
    azure.break_(f"{ONE}.*disks", "429", headers={"Retry-After": "3"})
    collect()
    calls = sorted(azure.asked("/subscriptions/"), key=lambda call: call.at)
    told = next(call.at for call in calls if call.status == 429)
    held = [call for call in calls if told + 1.5 < call.at < told + 2.9]
    assert not any(ONE in call.path for call in held)
    assert any(ONE not in call.path for call in calls if call.at > told)


def test_the_quota_of_resource_graph_is_obeyed_before_it_bites(azure, collect, whole):
    azure.quota = (4, 0.5)
    outcome = collect()
    assert azure.asked(status=429) == []
    assert rows_used(outcome) == whole


def test_concurrency_falls_on_a_throttle_and_recovers(azure, collect):
    azure.latency, azure.page_rows = 0.1, 1
    azure.break_("Microsoft.Compute", "429", times=8, after=30, headers={"Retry-After": "0.1"})
    outcome = collect(options=tuple(OPTIONS))
    calls = sorted(azure.asked(), key=lambda call: call.at)
    throttled = [n for n, call in enumerate(calls) if call.status == 429]
    assert last_run(outcome)["lowest_concurrency"] <= 4
    assert max(call.busy for call in calls[: throttled[0] + 1]) == 8
    # What was under way when the first throttle came is through; then at most half as many go at once.
    assert max(call.busy for call in calls[throttled[-1] + 8 : throttled[-1] + 11]) <= 5
    assert max(call.busy for call in calls[throttled[-1] + 11 :]) >= 7


def test_the_pool_is_bounded(azure, collect):
    azure.latency = 0.02
    collect(jobs=3)
    assert azure.peak == 3


def test_a_provider_that_is_not_registered_has_no_rows_and_is_not_registered_by_us(azure, collect):
    azure.break_(f"{ONE}/providers/Microsoft.Compute/disks", "409", times=9)
    outcome = collect()
    assert outcome.summary == ""
    assert de.load(outcome.path).count("disks") == 10
    assert {(call.method, "ResourceGraph" in call.path) for call in azure.asked()} == {
        ("GET", False),
        ("POST", True),
    }


class _Token:
    def __init__(self, azure):
        azure.tokens["fixed"] = float("inf")

    def get_token(self, *_scopes, **_):
        return AccessToken("fixed", 2**40)


def _as_the_sdk_asks(azure):
    """Call the SDK's own operations, and give the path and API version of what each sent."""
    common = {"base_url": azure.url, "credential_scopes": [f"{azure.url}/.default"]}
    where = {"resource_group_name": "RG"}
    gallery, points = {"gallery_name": "g"}, {"restore_point_collection_name": "c"}
    with (
        ComputeManagementClient(_Token(azure), ONE, **common) as compute,
        KeyVaultManagementClient(_Token(azure), ONE, **common) as vaults,
    ):
        list(compute.disks.list())
        list(compute.virtual_machines.list_all(expand="instanceView"))
        list(compute.virtual_machine_scale_sets.list_all())
        list(
            compute.virtual_machine_scale_set_vms.list(
                **where, virtual_machine_scale_set_name="uniform", expand="instanceView"
            )
        )
        list(compute.disk_encryption_sets.list())
        list(compute.snapshots.list())
        list(compute.images.list())
        list(compute.galleries.list())
        list(compute.gallery_images.list_by_gallery(**where, **gallery))
        list(compute.gallery_image_versions.list_by_gallery_image(**where, **gallery, gallery_image_name="i"))
        list(compute.restore_point_collections.list_all())
        compute.restore_point_collections.get(**where, **points, expand="restorePoints")
        list(compute.disk_restore_point.list_by_restore_point(**where, **points, vm_restore_point_name="p"))
        list(compute.disk_accesses.list())
        list(compute.resource_skus.list())
        for name in [key.name for key in vaults.keys.list(**where, vault_name="kv1")]:
            vaults.keys.get(**where, vault_name="kv1", key_name=name)
    return {_asked_of(call) for call in azure.asked()}


def _asked_of(call):
    expand = [part for part in call.query.split("&") if "expand" in part.lower()]
    return call.path.lower(), call.api_version, *(part.lower().replace("%24", "$") for part in expand)


def test_the_requests_are_those_of_the_sdk(azure, collect):
    azure.page_rows = 100
    expected = _as_the_sdk_asks(azure)
    azure.calls.clear()
    collect(subscriptions=(ONE,), options=tuple(OPTIONS))
    assert {_asked_of(call) for call in azure.asked("/subscriptions/")} == expected


def test_resource_graph_is_asked_in_the_version_of_its_client_or_a_later_one(azure):
    with ResourceGraphClient(_Token(azure), base_url=azure.url) as client:
        own = client._config.api_version
    versions = {ask.api_version for ask in asks("graph") if ask.via == "graph" and not ask.reach}
    assert versions == {own}


@pytest.mark.parametrize("hours", [-3, 3])
def test_a_clock_that_is_wrong_is_noted(azure, collect, hours):
    azure.ahead = 3600 * hours
    assert last_run(collect())["clock_behind"] == pytest.approx(3600 * hours, abs=60)


def test_a_clock_that_is_right_is_not(azure, collect):
    azure.ahead = 1
    assert last_run(collect())["clock_behind"] == 0


def test_a_dry_run_asks_nothing(azure):
    lines = plan(Scope(arm_endpoint=azure.url, authority=azure.url))
    disks = f"disks: per subscription, GET {azure.url}/subscriptions/{{subscription}}/providers/"
    assert any(line.startswith(disks) for line in lines)
    assert "not asked: microsoft.keyvault/vaults/keys: --keys was not given" in lines
    assert lines[0] == "scope: all subscriptions that the sign-in sees"
    assert azure.calls == []
    assert azure.tokens == {}
