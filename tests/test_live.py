"""`collect` against Azure on the loopback interface: real SDK, real `EnvironmentCredential`."""

from __future__ import annotations

import json
import stat
from collections import Counter

import pytest
from azure.identity import EnvironmentCredential

import diskenc_analysis as de
from diskenc_analysis import extensions, migration_facts
from diskenc_analysis.errors import ParameterError, SignInError, UnknownNameError, UnreadableInputError
from diskenc_analysis.live import Scope, run
from diskenc_analysis.live_asks import asks
from diskenc_analysis.live_sign_in import Place
from tests.loopback import PERSON, TENANT, Loopback
from tests.tenant import EACH, SUBSCRIPTIONS

OPTIONS = ("keys", "instance_view", "restore_points")


@pytest.fixture
def collect(azure, tmp_path):
    """Collect from the stand-in into `out`."""

    def call(out="out", retries=1, resume=False, jobs=8, **scope):
        where = Scope(**scope, arm_endpoint=azure.url, authority=azure.url)
        return run(tmp_path / out, where, retries=retries, resume=resume, jobs=jobs)

    return call


def note(outcome):
    return json.loads((outcome.path / "export.json").read_text(encoding="utf-8"))


def counts(inv):
    used = Counter()
    for row in inv.ledger.to_dict("records"):
        used[row["resource_type"]] += row["rows_used"]
    return +used


def statuses(outcome, name):
    return {part.key: (part.status, part.reason) for part in outcome.parts if part.name == name}


def test_everything_is_read_once(collect):
    outcome = collect(options=OPTIONS)
    assert outcome.summary == ""
    inv = de.load(outcome.path)
    rest = {"microsoft.resources/subscriptions": 3, "microsoft.compute/skus": 2}
    assert counts(inv) == {kind: 3 * rows for kind, rows in EACH.items()} | rest
    assert inv.totals["rows_set_aside"] == 0


def test_the_fewest_calls_are_made(azure, collect):
    collect(options=("keys",))
    # Pages of 2. ARM, per subscription: disks 3, VMs 1, scale sets 1, instances 2 (of the Uniform set alone),
    # galleries 1, images of it 1, versions 1, and one empty page each for disk encryption sets, snapshots,
    # images and disk accesses. Once: VM sizes 1. Keys: a page for each of the 3 vaults, and each of 2 keys,
    # since a list says nothing of their type.
    assert len(azure.asked("/subscriptions/")) == 3 * (3 + 1 + 1 + 2 + 3 + 4) + 1 + 3 * (1 + 2)
    # Resource Graph: 3 subscriptions and 3 vaults take 2 pages each, eight other queries one.
    assert len(azure.asked("ResourceGraph")) == 2 + 2 + 8


def test_graph_takes_few_calls_for_the_same_disks(azure, collect):
    outcome = collect(source="graph")
    inv = de.load(outcome.path)
    assert counts(inv)["microsoft.compute/disks"] == 15
    assert counts(inv)["microsoft.compute/virtualmachinescalesets/virtualmachines"] == 9
    # 15 disks take 8 pages, 6 VMs 3, 6 scale sets 3, 9 instances 5, 6 versions 3, and 4 types are empty.
    # At the end the 3 subscriptions are looked for again, in 2 pages.
    assert len(azure.asked("ResourceGraph")) == 12 + 8 + 3 + 3 + 5 + 3 + 4 + 2
    assert [call.path.rpartition("/")[2] for call in azure.asked("/subscriptions/")] == ["skus"]


def test_rows_are_written_as_they_came(azure, collect):
    outcome = collect(subscriptions=SUBSCRIPTIONS[:1])
    file = outcome.path / "disks" / f"{SUBSCRIPTIONS[0]}.jsonl"
    assert [json.loads(line) for line in file.read_text().splitlines()] == azure.listed(
        f"/subscriptions/{SUBSCRIPTIONS[0]}/providers/Microsoft.Compute/disks"
    )


@pytest.mark.parametrize("source", ["compute", "graph"])
def test_the_sample_tenant_collected_live_is_judged_as_from_its_files(tmp_path, monkeypatch, source):
    files = sorted(de.sample_path().glob("*.jsonl"))
    rows = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    with Loopback(rows) as azure:
        for name, value in azure.environment(tmp_path).items():
            monkeypatch.setenv(name, value)
        where = Scope(source=source, options=("keys",), arm_endpoint=azure.url, authority=azure.url)
        outcome = run(tmp_path / "sample", where)
    judged, expected = (
        de.coverage(de.load(path)).sort_values("disk_id", ignore_index=True)
        for path in (outcome.path, de.sample_path())
    )
    assert judged.equals(expected)


def test_keys_come_with_their_type(collect):
    inv = de.load(collect(options=("keys",)).path, engine="duckdb")
    assert inv.connection.execute("SELECT DISTINCT kty FROM keys").fetchall() == [("RSA-HSM",)]


def test_the_extensions_that_the_rules_look_for_are_asked_for():
    [ask] = [ask for ask in asks() if ask.name == "extensions"]
    for name in (*migration_facts._JOINS, *extensions._ADE_PUBLISHERS, "microsoft.guestconfiguration"):
        assert f"'{name}'" in ask.query.lower()


def test_a_notebook_is_warned(azure, tmp_path):
    azure.break_("Microsoft.Compute/disks", "403")
    with pytest.warns(UserWarning, match=r"1 of 38 parts were not read whole \(1 denied\)"):
        de.collect(tmp_path / "out", arm_endpoint=azure.url, authority=azure.url)


def test_export_json_tells_who_asked_what_when(collect):
    said = note(collect(subscriptions=[SUBSCRIPTIONS[1].upper()]))
    assert (said["tenant_id"], said["object_id"]) == (TENANT, PERSON)
    assert said["subscriptions"] == [SUBSCRIPTIONS[1]]
    [disks] = [ask for ask in said["asks"] if ask["name"] == "disks"]
    assert disks["request"].endswith("/providers/Microsoft.Compute/disks")
    assert disks["api_version"] == "2026-03-02"
    [part] = [part for part in said["parts"] if part["name"] == "disks"]
    assert (part["status"], part["rows"], part["pages"]) == ("complete", 5, 3)
    assert part["started_at"] <= part["ended_at"] <= said["runs"][0]["ended_at"]


def test_the_ledger_has_a_row_for_each_subscription_and_type(collect):
    ledger = de.load(collect().path).ledger
    disks = ledger[ledger["resource_type"] == "microsoft.compute/disks"]
    assert disks["status"].tolist() == ["complete"] * 3
    assert disks["rows_read"].tolist() == [5, 5, 5]
    snapshots = ledger[ledger["resource_type"] == "microsoft.compute/snapshots"]
    assert (snapshots["status"].tolist(), snapshots["rows_read"].sum()) == (["complete"] * 3, 0)


def test_what_was_not_asked_is_in_the_ledger(collect):
    ledger = de.load(collect().path).ledger
    left = ledger[ledger["status"] == "not asked"]
    assert dict(zip(left["resource_type"], left["reasons"], strict=True)) == {
        "microsoft.keyvault/vaults/keys": "--keys was not given",
        "microsoft.keyvault/managedhsms/keys": "--keys was not given",
        "microsoft.compute/restorepointcollections/restorepoints/diskrestorepoints": (
            "--restore-points was not given"
        ),
    }


def test_the_scope_is_what_was_named_less_what_is_excluded(azure, collect):
    azure.groups = {"mg": SUBSCRIPTIONS[1:]}
    outcome = collect(subscriptions=SUBSCRIPTIONS[:1], management_groups=("mg",), exclude=(SUBSCRIPTIONS[2],))
    assert note(outcome)["subscriptions"] == SUBSCRIPTIONS[:2]
    assert not azure.asked(SUBSCRIPTIONS[2])


def test_a_sign_in_of_ones_own(azure, tmp_path):
    with EnvironmentCredential(authority=azure.url, disable_instance_discovery=True) as credential:
        path = de.collect(tmp_path / "own", arm_endpoint=azure.url, credential=credential)
    assert de.load(path).count("disks") == 15


@pytest.mark.parametrize(
    ("cloud", "endpoint", "scope"),
    [
        ("public", "https://management.azure.com", "https://management.azure.com/.default"),
        (
            "usgovernment",
            "https://management.usgovcloudapi.net",
            "https://management.core.usgovcloudapi.net/.default",
        ),
        ("china", "https://management.chinacloudapi.cn", "https://management.chinacloudapi.cn/.default"),
    ],
)
def test_each_cloud_has_its_addresses(cloud, endpoint, scope):
    place = Place.of(cloud)
    assert (place.endpoint, place.scope) == (endpoint, scope)


def test_odd_places_and_names_are_refused_before_anything_is_asked(azure, collect):
    with pytest.raises(UnknownNameError, match='Did you mean "usgovernment"'):
        Place.of("usgovernmet")
    with pytest.raises(ParameterError, match="--arm-endpoint: expected an address that begins with https"):
        Place.of(arm_endpoint="http://plain")
    with pytest.raises(UnknownNameError, match="unknown option 'key'"):
        collect(options=("key",))
    assert azure.calls == []


def test_a_failed_sign_in_leaves_nothing(azure, collect, tmp_path):
    azure.break_("sign-in", "401", times=9)
    with pytest.raises(SignInError, match="could not sign in"):
        collect()
    assert not (tmp_path / "out").exists()


def test_no_subscription_at_all_leaves_nothing(collect, tmp_path):
    with pytest.raises(UnreadableInputError, match="the sign-in sees none in this scope"):
        collect(exclude=tuple(SUBSCRIPTIONS))
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_something_is_not_touched(collect, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(ParameterError, match="exists already: name another folder"):
        collect()
    with pytest.raises(ParameterError, match=r"there is no export\.json"):
        collect(resume=True)


def test_the_folder_is_for_its_owner_alone(collect):
    path = collect(subscriptions=SUBSCRIPTIONS[:1]).path
    modes = {stat.S_IMODE(one.stat().st_mode) for one in [path, *path.rglob("*")] if one.is_dir()}
    files = {stat.S_IMODE(one.stat().st_mode) for one in path.rglob("*") if one.is_file()}
    assert (modes, files) == ({0o700}, {0o600})


def test_a_subscription_that_is_not_seen_is_named(collect):
    gone = "90000000-0000-4000-8000-000000000000"
    outcome = collect(subscriptions=[gone, SUBSCRIPTIONS[0]])
    assert statuses(outcome, "subscriptions")[gone][0] == "failed"
