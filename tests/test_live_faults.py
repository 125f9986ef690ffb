"""What `collect` does when Azure, the network, the disk or the person at the keyboard stops it."""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

import diskenc_analysis as de
from diskenc_analysis import digest
from diskenc_analysis.errors import ParameterError
from diskenc_analysis.live import Scope, plan
from diskenc_analysis.prepared import prepare
from tests.collecting import collector, unread
from tests.loopback import SECRET, TENANT
from tests.tenant import EACH, SUBSCRIPTIONS, resource

ONE, TWO, THREE = SUBSCRIPTIONS
DISKS = "Microsoft.Compute/disks"
COMMAND = [sys.executable, "-c", "from diskenc_analysis.cli import main; main()"]
#: All rows, without those of what has an option of its own.
WHOLE = {
    kind: 3 * rows for kind, rows in EACH.items() if "diskrestorepoints" not in kind and "keys" not in kind
} | {"microsoft.resources/subscriptions": 3, "microsoft.compute/skus": 2}


@pytest.fixture
def collect(azure, tmp_path):
    """Collect from the stand-in into `out`."""
    return collector(azure, tmp_path / "out", retries=1)


def counts(path):
    """Count what is used, and check that nothing is there twice."""
    inv = de.load(path)
    assert inv.totals["rows_set_aside"] == 0
    used = Counter()
    for row in inv.ledger.to_dict("records"):
        used[row["resource_type"]] += row["rows_used"]
    return +used


def test_a_denied_subscription_is_denied_type_by_type_and_the_rest_is_read(azure, collect):
    azure.break_(f"/subscriptions/{TWO}/providers", "403", times=99)
    outcome = collect()
    assert set(unread(outcome).values()) == {
        ("denied", "HTTP 403 AuthorizationFailed"),
        ("denied", "scale_sets: HTTP 403 AuthorizationFailed"),
        ("denied", "gallery_images: galleries: HTTP 403 AuthorizationFailed"),
    }
    assert {key for _, key in unread(outcome)} == {TWO}
    assert counts(outcome.path)["microsoft.compute/disks"] == 10


def test_a_denied_type_is_named_in_ledger_gaps_and_verdict(azure, collect):
    azure.break_(f"{ONE}/providers/{DISKS}", "403", times=99)
    inv = de.load(collect().path)
    [row] = [r for r in inv.ledger.to_dict("records") if r["status"] == "denied"]
    assert row["resource_type"] == "microsoft.compute/disks"
    assert row["source"].endswith(f"disks/{ONE}.jsonl")
    assert row["truncation_reason"] == "denied: HTTP 403 AuthorizationFailed; 0 rows read"
    said = str(digest.verdict(inv, de.coverage(inv)))
    # 9 types of each of the 3 subscriptions, 9 types that Resource Graph answers for all, and the sizes.
    assert "1 of 38 parts of the collection (a type and subscription each) were not read whole" in said
    assert any("denied or failed" in gap for gap in inv.gaps()["gap"])


def test_what_was_not_read_stands_at_the_top_of_every_page(azure, collect, tmp_path):
    azure.break_(f"{ONE}/providers/{DISKS}", "403", times=99)
    path = collect().path
    [said] = prepare(path, tmp_path / "made").head.notices
    assert said.startswith("1 of 38 parts of the collection")


def test_sizes_are_asked_of_the_next_subscription_where_one_is_denied(azure, collect):
    azure.break_(f"{ONE}/providers/Microsoft.Compute/skus", "403", times=99)
    outcome = collect()
    assert unread(outcome) == {}
    assert [call.path.split("/")[2] for call in azure.asked("skus")] == [ONE, TWO]


def test_a_vanished_subscription(azure, collect):
    azure.break_(f"/subscriptions/{TWO}/", "404", times=99)
    outcome = collect()
    assert unread(outcome)["disks", TWO] == ("failed", "HTTP 404 SubscriptionNotFound")
    assert counts(outcome.path)["microsoft.compute/disks"] == 10


def test_a_scale_set_that_vanished_leaves_its_part_partial(azure, collect):
    azure.break_(f"{TWO}.*uniform/virtualMachines", "404", times=9)
    outcome = collect()
    assert unread(outcome) == {("scale_set_instances", TWO): ("failed", "HTTP 404 SubscriptionNotFound")}


@pytest.mark.parametrize("fault", ["500", "503", "drop", "cut", "short"])
@pytest.mark.parametrize("match", [DISKS, "resources.* securityresources"])
def test_what_goes_wrong_once_is_asked_again(azure, collect, fault, match):
    azure.break_(match, fault, times=1)
    outcome = collect()
    assert unread(outcome) == {}
    assert counts(outcome.path) == WHOLE


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("500", "HTTP 500 TooMany"),
        ("drop", "no whole reply (service response)"),
        ("cut", "no whole reply (incomplete read)"),
        ("short", "no whole reply (service response)"),
    ],
)
def test_what_goes_wrong_always_is_partial_with_what_was_read(azure, collect, fault, reason):
    azure.break_(f"{TWO}/providers/{DISKS}", fault, times=99, after=1)
    outcome = collect()
    assert unread(outcome) == {("disks", TWO): ("partial", reason)}
    assert counts(outcome.path)["microsoft.compute/disks"] == 5 + 2 + 5
    ledger = de.load(outcome.path).ledger
    [row] = ledger[ledger["status"] == "partial"].to_dict("records")
    assert (row["rows_used"], row["truncated"]) == (2, True)
    assert row["truncation_reason"] == f"partial: {reason}; 2 rows read"


def test_an_answer_that_ends_before_its_count_is_partial(azure, collect):
    azure.break_("securityresources", "bend", headers={"reply": '{"totalRecords": 7}'})
    outcome = collect()
    assert unread(outcome) == {
        ("assessments", "tenant-1"): ("partial", "the answer ended after 0 of 7 records")
    }
    ledger = de.load(outcome.path).ledger
    [row] = ledger[ledger["status"] == "partial"].to_dict("records")
    assert row["truncation_reason"].endswith("0 of 7 records")


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ('{"nextLink": "https://elsewhere.example/steal"}', "the next page lies on another host"),
        ('{"nextLink": "http://localhost/plain"}', "the next page lies on another host"),
        ('{"nextLink": "https://["}', "the next page lies on another host"),
        ('{"nextLink": "https://localhost:999999/"}', "the next page lies on another host"),
        ('{"nextLink": {"a": 1}}', "the next page lies on another host"),
        ('{"value": null}', "the reply holds no list of rows"),
        ('{"value": [1]}', "the reply holds no list of rows"),
        ('{"value": "none"}', "the reply holds no list of rows"),
    ],
)
def test_an_odd_page_ends_its_part_alone(azure, collect, reply, reason):
    azure.break_(f"{TWO}/providers/{DISKS}", "bend", headers={"reply": reply})
    assert unread(collect())["disks", TWO][1] == reason


BAD = "no whole reply (service response)"
NONE, NO_ROWS = "the reply is no JSON object", "the reply holds no list of rows"
NO_ANSWER = "the reply is no answer to a query"


@pytest.mark.parametrize(
    ("body", "of_list", "of_query"),
    [
        ("<html>Sign in to the hotel</html>", BAD, BAD),
        ("", BAD, BAD),
        ("[" * 200_000, BAD, BAD),
        ("null", NONE, NONE),
        ("[]", NONE, NO_ANSWER),
        ("{}", NO_ROWS, NO_ROWS),
        ('{"totalRecords": "many"}', NO_ROWS, NO_ANSWER),
    ],
)
def test_a_reply_that_is_no_list_is_never_an_empty_one(azure, collect, body, of_list, of_query):
    azure.break_(f"{TWO}/providers/{DISKS}", "raw", times=99, headers={"body": body})
    azure.break_("securityresources", "raw", times=99, headers={"body": body})
    assert unread(collect()) == {
        ("disks", TWO): ("failed", of_list),
        ("assessments", "tenant-1"): ("failed", of_query),
    }


def test_a_restore_point_collection_that_is_none_has_no_points_that_are_known(azure, collect):
    azure.break_("restorePointCollections/c\\?", "raw", times=99, headers={"body": "{}"})
    found = unread(collect(options=("restore_points",)))
    assert {name for name, _ in found} == {"disk_restore_points"}
    assert {reason for _, reason in found.values()} == {"restore_points: the reply holds no list of rows"}


def test_a_row_without_an_id_leads_nowhere_and_says_so(azure, collect):
    azure.break_(f"{TWO}/.*/galleries\\?", "bend", headers={"reply": '{"value": [{"name": "odd"}]}'})
    [(part, said)] = unread(collect()).items()
    assert (part, said[1]) == (
        ("image_versions", TWO),
        "gallery_images: galleries: a row has no id that can be asked for",
    )


AGAIN = "a page came again in place of the next"
VAULTS = "microsoft.keyvault/vaults'"


def test_a_page_that_comes_again_is_no_next_page(azure, collect):
    rows = azure.listed(f"/subscriptions/{TWO}/providers/{DISKS}")
    azure.break_(
        f"{TWO}/providers/{DISKS}", "bend", after=1, headers={"reply": json.dumps({"value": rows[:2]})}
    )
    outcome = collect()
    assert unread(outcome) == {("disks", TWO): ("partial", AGAIN)}
    assert counts(outcome.path)["microsoft.compute/disks"] == 5 + 2 + 5


def test_a_page_of_resource_graph_that_comes_again_is_no_next_page(azure, collect):
    rows = [row for row in azure.by_type["microsoft.keyvault/vaults"] if ONE in row["id"] or TWO in row["id"]]
    azure.break_(VAULTS, "bend", after=1, headers={"reply": json.dumps({"data": rows})})
    assert unread(collect()) == {("key_vaults", "tenant-1"): ("partial", AGAIN)}


def test_a_row_that_comes_twice_does_not_stand_for_one_that_never_came(azure, collect):
    ids = sorted(row["id"] for row in azure.by_type[DISKS.lower()])
    rows = [azure.by_id[one.lower()] for one in (ids[1], ids[2])]  # the second page without its second row
    azure.break_("compute/disks'", "bend", after=1, headers={"reply": json.dumps({"data": rows})})
    assert unread(collect(source="graph")) == {
        ("disks", "tenant-1"): ("partial", "the answer ended after 14 of 15 records")
    }


def test_skip_tokens_that_go_round_in_a_circle(azure, collect):
    azure.break_(VAULTS, "bend", times=99, after=1, headers={"reply": '{"$skipToken": "token-2"}'})
    assert unread(collect()) == {("key_vaults", "tenant-1"): ("partial", "the pages go round in a circle")}


def test_a_limit_that_the_first_page_tells_counts(azure, collect):
    limit = {"reply": "{}", "x-ms-tenant-subscription-limit-hit": "true"}
    azure.break_(VAULTS, "bend", headers=limit)
    [said] = unread(collect()).values()
    assert said == ("partial", "Resource Graph used the first 10,000 subscriptions only")


def test_a_subscription_that_vanishes_from_resource_graph_is_named(azure, collect):
    kind = "microsoft.resources/subscriptions"

    def vanish(calls):
        if calls == 6:
            azure.by_type[kind] = [row for row in azure.by_type[kind] if row["subscriptionId"] != TWO]
            azure.sorted.clear()

    azure.on_call = vanish
    outcome = collect(source="graph", jobs=1)
    [(part, (status, reason))] = unread(outcome).items()
    assert (part, status) == (("subscriptions", TWO), "failed")
    assert "no longer saw this subscription at the end" in reason
    assert any(reason in row for row in de.load(outcome.path).ledger["truncation_reason"])


def test_whether_subscriptions_vanished_is_not_known_where_that_is_refused(azure, collect):
    azure.break_("resourcecontainers", "403", times=99, after=2)
    assert unread(collect(source="graph"))["subscriptions", "at-the-end"] == (
        "denied",
        "whether all subscriptions were still seen at the end: HTTP 403 AuthorizationFailed",
    )


def test_a_file_that_cannot_be_put_in_place_leaves_its_part_unread(azure, collect, tmp_path):
    azure.on_call = lambda _: (tmp_path / "out" / "disks" / f"{TWO}.jsonl").mkdir(parents=True, exist_ok=True)
    outcome = collect(jobs=1)
    assert outcome.stopped == "could not write (Is a directory)"
    assert unread(outcome)["disks", TWO] == ("failed", "not reached")
    (tmp_path / "out" / "disks" / f"{TWO}.jsonl").rmdir()
    azure.on_call = None
    assert counts(collect(resume=True).path) == WHOLE


def test_a_part_whose_file_was_never_noted_is_read_again(azure, collect):
    path = collect().path / "export.json"
    said = json.loads(path.read_text())
    [part] = [one for one in said["parts"] if (one["name"], one["key"]) == ("disks", ONE)]
    part |= {"file": "", "sha256": ""}
    path.write_text(json.dumps(said))
    azure.calls.clear()
    assert counts(collect(resume=True).path) == WHOLE
    assert len(azure.asked("/disks")) == 3


@pytest.mark.parametrize(("sign", "code"), [(signal.SIGINT, 6), (signal.SIGKILL, -9)])
def test_a_collection_that_is_ended_before_its_first_part_goes_on(azure, tmp_path, sign, code):
    azure.latency = 5
    process = start(azure, tmp_path / "out")
    wait_for(lambda: azure.busy)
    process.send_signal(sign)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert "Traceback" not in err
    azure.latency = 0
    again = start(azure, tmp_path / "out", "--resume")
    again.communicate(timeout=60)
    assert again.returncode == 0
    assert counts(tmp_path / "out") == WHOLE


def test_a_redirect_is_not_followed(azure, collect):
    azure.break_(f"{TWO}/providers/{DISKS}", "302", headers={"Location": "https://elsewhere.example/steal"})
    assert unread(collect()) == {("disks", TWO): ("failed", "HTTP 302")}


def test_pages_that_go_round_in_a_circle(azure, collect):
    first = f"{azure.url}/subscriptions/{TWO}/providers/{DISKS}?api-version=2026-03-02"
    azure.break_(f"{TWO}/providers/{DISKS}", "bend", headers={"reply": json.dumps({"nextLink": first})})
    outcome = collect()
    assert unread(outcome) == {("disks", TWO): ("partial", "the pages go round in a circle")}
    assert counts(outcome.path)["microsoft.compute/disks"] == 12


def test_a_short_lived_token_is_renewed(azure, collect):
    azure.token_seconds, azure.latency = 1, 0.05
    outcome = collect(jobs=2)
    assert unread(outcome) == {}
    assert counts(outcome.path) == WHOLE


def test_a_token_that_is_called_back_is_renewed_on_the_challenge(azure, collect):
    claims = base64.b64encode(b'{"access_token":{"nbf":{"essential":true,"value":"1"}}}').decode()
    azure.challenge = {"WWW-Authenticate": f'Bearer error="insufficient_claims", claims="{claims}"'}
    azure.latency = 0.02
    azure.on_call = lambda n: n == 30 and azure.tokens.clear()
    outcome = collect()
    assert unread(outcome) == {}
    assert counts(outcome.path) == WHOLE


def test_a_sign_in_that_ends_stops_the_collection_and_resume_goes_on(azure, collect):
    azure.token_seconds = 1
    azure.break_("sign-in", "401", times=99, after=20)
    outcome = collect(jobs=1)
    assert outcome.stopped == "the sign-in ended"
    left = unread(outcome)
    assert ("failed", "not reached") in left.values()
    assert de.load(outcome.path).unread == len(left)
    azure.faults.clear()
    again = collect(resume=True)
    assert unread(again) == {}
    assert counts(again.path) == WHOLE


def test_resume_asks_only_for_what_is_not_complete(azure, collect):
    azure.break_(f"{TWO}/providers/{DISKS}", "500", times=99, after=1)
    azure.break_(f"{TWO}.*uniform/virtualMachines", "403", times=99)
    azure.break_(f"{TWO}.*/versions", "403", times=99)
    collect()
    azure.faults.clear()
    azure.calls.clear()
    outcome = collect(resume=True)
    assert outcome.summary == ""
    asked = [f"{call.path.lower()} {call.query[:30]}" for call in azure.asked()]
    # 3 pages of disks, 2 of instances; galleries and their images lead to the versions and are not kept.
    assert sum("/disks" in path for path in asked) == 3
    assert sum("uniform/virtualmachines" in path for path in asked) == 2
    assert sum("galler" in path for path in asked) == 3
    assert len(asked) == 8
    assert counts(outcome.path) == WHOLE


def test_a_dry_run_of_what_is_left_names_that_alone(azure, collect, tmp_path):
    azure.break_(f"{TWO}.*/versions", "403", times=99)
    collect(subscriptions=[TWO, ONE], exclude=[THREE])
    azure.calls.clear()
    lines = plan(Scope(arm_endpoint=azure.url, authority=azure.url), tmp_path / "out")
    assert lines[0] == f"scope: {TWO}, {ONE}, without {THREE}"
    asked = [line.partition(":")[0] for line in lines[1:] if not line.startswith("not ")]
    assert asked == ["galleries", "gallery_images", "image_versions"]
    assert lines[-1] == f"not whole: image_versions of {TWO}: denied, HTTP 403 AuthorizationFailed"
    assert azure.calls == []


def test_resume_lists_again_what_a_vanished_one_was_found_in(azure, collect):
    azure.break_(f"{TWO}.*uniform/virtualMachines", "404", times=99)
    collect()
    azure.by_place[TWO, "microsoft.compute/virtualmachinescalesets"].pop(0)  # the Uniform one is gone
    azure.calls.clear()
    again = collect(resume=True)
    assert unread(again) == {}
    assert counts(again.path)["microsoft.compute/virtualmachinescalesets"] == 5
    assert len(azure.asked()) == 1


def test_resume_reads_again_what_was_changed_on_the_disk(collect):
    file = collect().path / "disks" / f"{ONE}.jsonl"
    told = file.read_text()
    file.write_text(told.replace("Unattached", "unattached"))
    collect(resume=True)
    assert file.read_text() == told


def test_resume_reads_again_what_was_cut_on_the_disk(azure, collect):
    path = collect().path
    file = path / "disks" / f"{ONE}.jsonl"
    file.write_bytes(file.read_bytes()[:-20])
    azure.calls.clear()
    outcome = collect(resume=True)
    assert counts(outcome.path) == WHOLE
    assert len(azure.asked()) == 3


def test_resume_that_reads_less_keeps_what_was_read(azure, collect):
    azure.break_(f"{TWO}/providers/{DISKS}", "500", times=99, after=1)
    collect()
    azure.faults.clear()
    azure.break_(f"{TWO}/providers/{DISKS}", "403", times=99)
    again = collect(resume=True)
    assert unread(again) == {("disks", TWO): ("partial", "HTTP 500 TooMany")}
    assert counts(again.path)["microsoft.compute/disks"] == 12


def test_resume_asks_resource_graph_again_where_more_subscriptions_are_seen(azure, collect):
    azure.break_("resourcecontainers", "500", times=99, after=1)
    first = collect()
    assert json.loads((first.path / "export.json").read_text())["subscriptions"] == [ONE, TWO]
    azure.faults.clear()
    again = collect(resume=True)
    assert unread(again) == {}
    assert counts(again.path) == WHOLE


def test_resume_looks_again_for_a_subscription_that_was_not_seen(azure, collect):
    gone = "90000000-0000-4000-8000-000000000000"
    collect(subscriptions=[ONE, gone])
    again = collect(subscriptions=[ONE, gone], resume=True)
    assert {name for name, key in unread(again) if key == gone} >= {"subscriptions"}
    assert sum("resourcecontainers" in call.query for call in azure.asked()) == 2


def test_a_file_that_was_changed_after_it_was_collected_is_said_so(collect):
    path = collect().path
    file = path / "disks" / f"{ONE}.jsonl"
    file.write_text(file.read_text().replace("Unattached", "Attached"))
    ledger = de.load(path).ledger
    [row] = ledger[ledger["truncated"]].to_dict("records")
    assert row["truncation_reason"] == "the file was changed after it was collected"


def test_resume_keeps_to_its_scope_and_tenant(collect):
    path = collect(subscriptions=[ONE, TWO]).path
    collect(subscriptions=[TWO, ONE], resume=True)
    with pytest.raises(ParameterError, match="the scope that the folder was begun with"):
        collect(subscriptions=[TWO], resume=True)
    text = (path / "export.json").read_text()
    (path / "export.json").write_text(text.replace(TENANT, "another"))
    with pytest.raises(ParameterError, match="expected the tenant another"):
        collect(resume=True)


def start(azure, out, *more, **how):
    where = ["--arm-endpoint", azure.url, "--authority", azure.url]
    return subprocess.Popen(
        [*COMMAND, "collect", "-o", str(out), *where, *more],
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | how,
    )


def wait_for(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize(("sign", "code"), [(signal.SIGINT, 6), (signal.SIGTERM, 6), (signal.SIGKILL, -9)])
def test_a_collection_that_is_ended_can_be_loaded_and_goes_on(azure, tmp_path, sign, code):
    azure.latency = 0.1
    process = start(azure, tmp_path / "out", "--jobs", "2")
    wait_for(lambda: len(azure.asked()) > 25)
    process.send_signal(sign)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert "Traceback" not in err
    assert counts(tmp_path / "out") <= Counter(WHOLE)
    azure.latency = 0.0
    before = len(azure.asked())
    again = start(azure, tmp_path / "out", "--resume")
    again.communicate(timeout=60)
    assert again.returncode == 0
    assert counts(tmp_path / "out") == WHOLE
    # 56 calls from the start: without --keys 3 less than with them, of which the sizes are one.
    assert len(azure.asked()) - before < 54


def test_a_full_disk_keeps_what_was_written(azure, tmp_path):
    for row in azure.listed(f"/subscriptions/{TWO}/providers/{DISKS}"):
        row["tags"] = {"filler": "x" * 40_000}
    # A file may not grow beyond 64 KB: the second page of these disks does not fit.
    limit = ["bash", "-c", 'ulimit -f 64; exec "$0" "$@"']
    where = ["collect", "-o", str(tmp_path / "out"), "--arm-endpoint", azure.url, "--authority", azure.url]
    done = subprocess.run([*limit, *COMMAND, *where], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 6
    assert "could not write (File too large)" in done.stderr
    file = tmp_path / "out" / "disks" / f"{TWO}.jsonl"
    assert not file.exists() or all(json.loads(line) for line in file.read_text().splitlines())
    assert counts(tmp_path / "out") <= Counter(WHOLE)
    again = start(azure, tmp_path / "out", "--resume")
    again.communicate(timeout=60)
    assert again.returncode == 0
    assert counts(tmp_path / "out") == WHOLE


def test_room_is_kept_for_the_note_of_a_collection_that_fills_the_disk(azure, tmp_path):
    azure.latency = 0.2
    room = tmp_path / "out" / ".room"
    process = start(azure, tmp_path / "out", "--jobs", "1")
    wait_for(room.is_file)
    wait_for(lambda: room.stat().st_size)
    kept = room.stat().st_size
    azure.latency = 0.0
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert kept > (tmp_path / "out" / "export.json").stat().st_size
    assert not room.exists()


def test_a_folder_that_cannot_be_made_is_said_so(azure, tmp_path):
    (tmp_path / "file").write_text("")
    process = start(azure, tmp_path / "file" / "out")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "expected a folder that can be written to" in err
    assert "Traceback" not in err


def test_no_secret_is_in_any_file_or_log(azure, collect, caplog):
    hidden = {"protectedSettings": {"k": "s3cr3t"}, "settings": {"VolumeType": "All"}, "publisher": "p"}
    azure._index(resource(ONE, "Microsoft.Compute/virtualMachines/v0/extensions/e", properties=hidden))
    azure.listed(f"/subscriptions/{ONE}/providers/Microsoft.Compute/virtualMachines")[0]["resources"] = [
        {"properties": hidden}
    ]
    azure.break_(f"{TWO}/providers/{DISKS}", "403", times=99)  # the refusal repeats the header it was sent
    with caplog.at_level(logging.DEBUG):
        outcome = collect()
    written = "".join(file.read_text() for file in outcome.path.rglob("*") if file.is_file())
    for text in (written, caplog.text):
        assert "VolumeType" in written
        assert not [secret for secret in ("s3cr3t", SECRET, "Bearer ey", *azure.tokens) if secret in text]
    assert sum(part.redacted for part in outcome.parts) == 2


def test_a_signed_link_loses_its_signature(azure, collect):
    link = "https://a.blob.core.windows.net/vhds/o.vhd"
    made = {"createOption": "Import", "sourceUri": f"{link}?sv=1&sig=s3cr3t%3D&se=2"}
    tags = {"said": f'see "{link}?sig=s3cr3t"'}
    azure._index(resource(ONE, f"{DISKS}/signed", tags=tags, properties={"creationData": made}))
    outcome = collect(subscriptions=[ONE])
    text = (outcome.path / "disks" / f"{ONE}.jsonl").read_text()
    assert "s3cr3t" not in text
    row = json.loads(text.splitlines()[-1])
    assert row["properties"]["creationData"]["sourceUri"] == link
    assert row["tags"] == {"said": f'see "{link}"'}
    assert [part.redacted for part in outcome.parts if part.name == "disks"] == [2]


def test_a_proxy_that_is_gone_is_an_error_without_its_password(azure, tmp_path):
    proxy = {"HTTPS_PROXY": "http://person:s3cr3t@127.0.0.1:9", "NO_PROXY": "", "no_proxy": ""}
    process = start(azure, tmp_path / "out", env=os.environ | proxy)
    out, err = process.communicate(timeout=120)
    assert process.returncode != 0
    assert "could not sign in to Azure" in err
    assert "s3cr3t" not in out + err
    assert "Traceback" not in err


def test_progress_is_shown_on_a_terminal(azure, tmp_path):
    azure.latency = 0.1
    ours, theirs = os.openpty()
    process = start(azure, tmp_path / "out", "--subscription", ONE, stderr=theirs)
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # how a terminal that was closed says so
        while data := os.read(ours, 4096):
            shown += data
    os.close(ours)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert b"of 1 subscriptions" in shown
    assert b"calls, 0 throttled" in shown


def test_the_command_says_what_came_of_it(azure, tmp_path):
    azure.break_(f"{ONE}/providers/{DISKS}", "403", times=99)
    out, err = (process := start(azure, tmp_path / "out")).communicate(timeout=60)
    assert (process.returncode, out.strip()) == (6, str(tmp_path / "out"))
    assert "1 of 38 parts were not read whole (1 denied); export.json names them; go on with --resume" in err
    assert not any(token in out + err for token in azure.tokens)
    assert Path(out.strip()).is_dir()
    assert os.environ["AZURE_CLIENT_SECRET"] == SECRET


OLDER = ["2015-06-15", "2021-07-01", "2024-01-01", "2024-02-02", "2024-06-01-preview", "2024-07-03"]


@pytest.mark.parametrize("code", ["NoRegisteredProviderFound", "InvalidApiVersionParameter"])
def test_a_cloud_without_the_newest_version_is_asked_in_the_newest_that_it_has(
    azure, collect, tmp_path, code
):
    """Azure in China and for US Government get versions later; both codes name those that there are."""
    azure.versions, azure.refusal = OLDER, code
    collect(jobs=1)
    assert counts(tmp_path / "out") == WHOLE
    assert {c.api_version for c in azure.asked(DISKS, status=200)} == {"2024-07-03"}
    assert len(azure.asked(DISKS, status=400)) <= 2, "by those under way alone, not for every subscription"
    note = json.loads((tmp_path / "out" / "export.json").read_text())
    assert {part["api_version"] for part in note["parts"] if part["name"] == "disks"} == {"2024-07-03"}


def test_a_version_that_says_less_is_not_asked(azure, collect):
    """In one of 2021 a missing securityProfile could not be told from one that is not set."""
    azure.versions = ["2019-07-01", "2021-07-01"]
    outcome = collect()
    failed = unread(outcome)
    assert failed["disks", ONE] == ("failed", "HTTP 400 NoRegisteredProviderFound")
    assert not [key for key in failed if key[0] == "vm_sizes"], "whose newest version is that of 2021"
    assert "2019-07-01" not in {c.api_version for c in azure.asked(DISKS)}
