"""What `collect` does with replies and folders that mean it ill: the token stays with Azure."""

from __future__ import annotations

import json
import time
from email.utils import formatdate

import pytest

import diskenc_analysis as de
from diskenc_analysis.errors import ParameterError
from diskenc_analysis.live import Scope, run
from diskenc_analysis.live_folder import Folder
from tests.collecting import collector, unread
from tests.loopback import Loopback
from tests.tenant import SUBSCRIPTIONS, resource

ONE, TWO, THREE = SUBSCRIPTIONS
DISKS = "Microsoft.Compute/disks"


@pytest.fixture
def collect(azure, tmp_path):
    """Collect from the stand-in into `out`."""
    return collector(azure, tmp_path / "out", retries=0)


@pytest.fixture
def elsewhere():
    """Another server, which notes who knocks."""
    with Loopback([]) as other:
        other.knocks = []
        other.server.verify_request = lambda *who: bool(other.knocks.append(who)) or True
        yield other


def test_a_link_that_programs_read_in_two_ways_is_not_followed(azure, elsewhere, collect):
    """Of `https://a\\@b/` some programs take a for the host, others b: urllib3 and urllib differ."""
    here, there = (one.url.removeprefix("https://") for one in (azure, elsewhere))
    links = [f"https://{there}\\@{here}/x", f"https://{there}\t@{here}/x", f"https://u:p@{here}/x"]
    links += [
        f"https://{here}@{there}/x",
        f"https://{there}#@{here}/x",
        f"https:\\\\{there}/x",
        f"//{here}/x",
    ]
    parts = [(one, kind) for one in SUBSCRIPTIONS for kind in ("disks", "snapshots", "images")]
    for (one, kind), link in zip(parts, links, strict=False):
        reply = json.dumps({"value": [], "nextLink": link})
        azure.break_(f"{one}/providers/Microsoft.Compute/{kind}\\?", "bend", headers={"reply": reply})
    found = unread(collect())
    assert {said for _, said in found.values()} == {"the next page lies on another host"}
    assert len(found) == len(links)
    assert elsewhere.knocks == []


def test_a_link_that_spells_the_same_host_otherwise_is_followed(azure, collect):
    port = azure.url.rpartition(":")[2]
    link = (
        f"https://LOCALHOST:{port}/subscriptions/{TWO}/providers/{DISKS}?api-version=2026-03-02&$skiptoken=2"
    )
    azure.break_(f"{TWO}/providers/{DISKS}", "bend", headers={"reply": json.dumps({"nextLink": link})})
    outcome = collect()
    assert unread(outcome) == {}
    assert de.load(outcome.path).count("disks") == 15


@pytest.mark.parametrize(
    "id_",
    [".{there}/x", "@{there}/x", "subscriptions/x", f"subscriptions/{TWO}/x", f"/subscriptions/{ONE}/x"],
)
def test_a_row_whose_id_lies_elsewhere_leads_nowhere_and_says_so(azure, elsewhere, collect, id_):
    row = {"id": id_.format(there=elsewhere.url.removeprefix("https://localhost"))}
    azure.break_(f"{TWO}/.*/galleries\\?", "bend", headers={"reply": json.dumps({"value": [row]})})
    reason = "gallery_images: galleries: a row has no id that can be asked for"
    assert unread(collect()) == {("image_versions", TWO): ("failed", reason)}
    assert elsewhere.knocks == []


def test_a_subscription_whose_id_is_none_is_left_out_and_said_so(azure, collect):
    rows = [{"id": "/subscriptions/../x"}, *azure.by_type["microsoft.resources/subscriptions"]]
    reply = json.dumps({"data": rows, "totalRecords": 4, "$skipToken": None})
    azure.break_("resourcecontainers", "bend", headers={"reply": reply})
    outcome = collect()
    assert unread(outcome) == {
        ("subscriptions", "tenant-1"): ("partial", "a row has no id of a subscription")
    }
    assert not azure.asked("..")
    assert de.load(outcome.path).count("disks") == 15


def test_sizes_are_asked_of_the_next_subscription_where_one_has_not_registered_the_provider(azure, collect):
    azure.break_(f"{ONE}/providers/Microsoft.Compute/skus", "409", times=99)
    assert de.load(collect().path).count("vm_sizes") == 2


@pytest.mark.parametrize("hours", [-3, 3])
def test_a_wait_until_a_date_is_counted_by_the_clock_that_states_it(azure, collect, hours):
    azure.ahead = 3600 * hours
    until = formatdate(time.time() + azure.ahead + 2, usegmt=True)
    azure.break_(f"{ONE}.*disks", "429", headers={"Retry-After": until})
    assert unread(collect()) == {}
    first, second = [call.at for call in azure.asked(f"{ONE}/providers/{DISKS}")][:2]
    assert 0.5 < second - first < 30


def test_a_signature_is_left_out_wherever_it_stands(azure, collect):
    link, long = "https://a.blob.core.windows.net/é/中.vhd", "s3cr3t" * 8
    tags = {"a": f"{link}?sig=s3cr3t", "b": f"?sv=2&sig={long}%3D&se=3", "c": f"{link}?é=?&sig=s3cr3t"}
    azure._index(resource(ONE, f"{DISKS}/signed", tags=tags))
    lines = (collect(subscriptions=[ONE]).path / "disks" / f"{ONE}.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["tags"] == {"a": link, "b": "?sv=2&sig=&se=3", "c": link}


def test_two_collections_do_not_write_to_one_folder(azure, collect, tmp_path):
    refused = []

    def second(calls):
        azure.on_call = None if calls > 5 else second
        for resume in (False, True) if calls > 5 else ():
            with pytest.raises(ParameterError) as error:
                collect(resume=resume)
            refused.append(str(error.value).removeprefix(str(tmp_path / "out")))

    azure.on_call = second
    outcome = collect(jobs=1)
    assert refused == [
        " exists already: name another folder, or go on with --resume",
        ": another collection is being written there",
    ]
    assert unread(outcome) == {}
    assert unread(collect(resume=True)) == {}, "the folder is free again"


def test_a_collection_that_began_meanwhile_is_left_alone(tmp_path):
    """The folder is still empty when the second begins: the first is signing in."""
    (tmp_path / "out").mkdir()
    ours, theirs = Folder(tmp_path / "out"), Folder(tmp_path / "out")
    ours.make()
    with pytest.raises(ParameterError, match="another collection is being written there"):
        theirs.make()
    theirs.discard()
    assert (tmp_path / "out").is_dir()
    (tmp_path / "out" / "export.json").write_text("{}")
    ours.let_go()
    with pytest.raises(ParameterError, match="exists already"):
        theirs.make()


def test_where_to_sign_in_is_not_taken_from_a_folder_alone(azure, elsewhere, collect, tmp_path):
    """Who sends a folder to go on with could name a host of their own in it."""
    path = collect(subscriptions=[ONE]).path / "export.json"
    path.write_text(path.read_text().replace(azure.url, elsewhere.url))
    with pytest.raises(ParameterError, match="give them again if you trust them"):
        run(tmp_path / "out", Scope(), resume=True)
    with pytest.raises(ParameterError, match="give them again if you trust them"):
        collect(resume=True)
    assert elsewhere.knocks == []
