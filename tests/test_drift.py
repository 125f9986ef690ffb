"""Two captures compared: every case is worked out by hand from the rules, and all go through each engine."""

from __future__ import annotations

import copy
import hashlib
import json

import pytest

import diskenc_analysis as de
from diskenc_analysis.drift import COLUMNS
from diskenc_analysis.drift_rules import direction, kinds
from diskenc_analysis.drift_words import conclusion, counts
from diskenc_analysis.errors import ParameterError, UnknownNameError
from diskenc_analysis.note import Note, Part
from tests.rules import (
    GROUP,
    HOST,
    SEED,
    V3,
    V5,
    V5D,
    ade,
    cmk,
    disk,
    instance_id,
    records,
    seen,
    stores,
    vm,
    vm_id,
    write,
)

ENGINES = ("duckdb", "pandas", "polars", "arrow")
SUB = GROUP.split("/")[2]
DARK, LIT = "22222222-2222-4333-8444-555555555555", "33333333-2222-4333-8444-555555555555"

# The truth table of a step, for capabilities that protect and for those that say what a method costs.
# Only a step between yes and no is won or lost; what is unknown never counts for either side.
STEPS = """
            yes         no          n/a    unknown
yes         -           regression  scope  no_longer_known
no          improvement -           scope  no_longer_known
n/a         scope       exposed     -      no_longer_known
unknown     now_known   now_known   now_known -
"""
COSTS = STEPS.replace("regression", "changed").replace("improvement", "changed").replace("exposed", "scope")


def steps(table):
    head, *lines = (line.split() for line in table.strip().splitlines())
    names = {"n/a": "not_applicable"}
    for old, *cells in lines:
        for new, cell in zip(head, cells, strict=True):
            if cell != "-":
                yield names.get(old, old), names.get(new, new), cell


@pytest.mark.parametrize(("old", "new", "expected"), list(steps(STEPS)))
def test_what_a_step_means_where_a_yes_protects(old, new, expected):
    assert direction("caches", old, new) == expected


@pytest.mark.parametrize(("old", "new", "expected"), list(steps(COSTS)))
def test_what_a_step_means_where_a_yes_costs_nothing(old, new, expected):
    assert direction("no_vm_cpu", old, new) == expected


def test_defenders_words_are_steps_like_the_others():
    assert direction("defender_status", "Healthy", "Unhealthy") == "regression"
    assert direction("defender_status", "Unhealthy", "NotApplicable") == "scope"
    assert direction("defender_status", "Healthy", "unknown") == "no_longer_known"


def test_regressions_stand_first_and_every_direction_is_explained():
    assert list(kinds())[:4] == ["regression", "exposed", "no_longer_known", "reading"]
    assert {expected for table in (STEPS, COSTS) for *_, expected in steps(table)} <= set(kinds())
    assert all(row["label"] and row["meaning"] for row in kinds().values())


def elsewhere(body, sub=DARK):
    """Give an object in another subscription."""
    return json.loads(json.dumps(body).replace(SUB, sub))


def renamed(body, old, new):
    return json.loads(json.dumps(body).replace(old, new))


def pair(name, machine, **given):
    """Build a VM with one OS disk, as objects."""
    return [vm(name, **machine), disk(f"{name}-os", name, system="Windows", **given)]


def guid(text):
    return {"uniqueId": text}


def moved(body):
    """Give a resource under its id in another group; what it refers to stays where it is."""
    return body | {"id": body["id"].replace(*MOVED)}


def shared(name, owners, unique=None, **states):
    """Build a shared disk, its owners in the order given, and the VMs by letter with what they are."""
    for letter, given in states.items():
        own = guid(f"{unique}{letter}") if unique else {}
        data = [name] if letter in owners else []
        yield from pair(f"{name}-{letter}", {"size": V5, "data": data} | given, **own)
    ids = [vm_id(f"{name}-{letter}") for letter in owners]
    own = guid(unique) if unique else {}
    yield disk(name, f"{name}-{owners[0]}", maxShares=3, head={"managedByExtended": ids}, **own)


BOTH = {"size": V3}
ON = BOTH | {"security": HOST}
SAFE = {"security": HOST}
MOVED = "/resourceGroups/rg-rules/", "/resourceGroups/rg-moved/"
CREATED = "2024-05-01T10:20:30"
#: By case: the objects of both captures, and by disk the differences that are expected, without the layers.
CASES = {
    "host encryption switched off": (
        pair("hostoff", ON),
        pair("hostoff", BOTH),
        {
            "hostoff-os": {
                ("regression", "temp_disk", "yes", "no", "host_off"),
                ("regression", "caches", "yes", "no", "host_off"),
                ("regression", "data_flow", "yes", "no", "host_off"),
                ("regression", "defender_status", "Healthy", "Unhealthy", "host_off"),
            }
        },
    ),
    "host encryption switched on": (
        pair("hoston", BOTH),
        pair("hoston", ON),
        {
            "hoston-os": {
                ("improvement", "temp_disk", "no", "yes", "host_on"),
                ("improvement", "caches", "no", "yes", "host_on"),
                ("improvement", "data_flow", "no", "yes", "host_on"),
                ("improvement", "defender_status", "Unhealthy", "Healthy", "host_on"),
            }
        },
    ),
    "a customer's key in place of the platform's, in an HSM": (
        [disk("keyed")],
        [disk("keyed", encryption=cmk("managed-hsm"))],
        {
            "keyed": {
                ("improvement", "customer_keys", "no", "yes", "key_mode"),
                ("improvement", "hsm", "no", "yes", "key_mode"),
            }
        },
    ),
    "back to the platform's key": (
        [disk("unkeyed", encryption=cmk("managed-hsm"))],
        [disk("unkeyed")],
        {
            "unkeyed": {
                ("regression", "customer_keys", "yes", "no", "key_mode"),
                ("regression", "hsm", "yes", "no", "key_mode"),
            }
        },
    ),
    "another set, whose key is in a standard vault": (
        [disk("weaker", encryption=cmk("managed-hsm"))],
        [disk("weaker", encryption=cmk("standard"))],
        {"weaker": {("regression", "hsm", "yes", "no", "key_store")}},
    ),
    "Azure Disk Encryption disabled: until the guest says so, its CPU may still decrypt (L4)": (
        pair("adeoff", {"size": V5}, collection=ade()),
        pair("adeoff", {"size": V5}, collection=ade(enabled=False)),
        {
            "adeoff-os": {
                ("regression", "caches", "yes", "no", "ade_off"),
                ("regression", "data_flow", "yes", "no", "ade_off"),
                ("regression", "customer_keys", "yes", "no", "ade_off"),
                ("regression", "defender_status", "Healthy", "Unhealthy", "ade_off"),
                ("no_longer_known", "no_vm_cpu", "no", "unknown", "ade_off"),
            }
        },
    ),
    "a VM resized to a size with a local disk that nothing encrypts": (
        pair("grown", {"size": V5D}),
        pair("grown", {"size": V3}),
        {"grown-os": {("regression", "temp_disk", "yes", "no", "resized")}},
    ),
    "a VM resized to a size without a local disk": (
        pair("shrunk", {"size": V3}),
        pair("shrunk", {"size": V5}),
        {"shrunk-os": {("scope", "temp_disk", "no", "not_applicable", "resized")}},
    ),
    "a data disk detached: no to not applicable is no improvement": (
        [
            vm("loose", data=["loose-d"], size=V5),
            disk("loose-os", "loose", system="Windows"),
            disk("loose-d", "loose"),
        ],
        [vm("loose", size=V5), disk("loose-os", "loose", system="Windows"), disk("loose-d")],
        {
            "loose-d": {
                ("changed", "detached", "attached", "unattached", "detached"),
                ("scope", "caches", "no", "not_applicable", "detached"),
                ("scope", "data_flow", "no", "not_applicable", "detached"),
                ("scope", "no_vm_cpu", "yes", "not_applicable", "detached"),
                ("scope", "defender_status", "Unhealthy", "NotApplicable", "detached"),
            }
        },
    ),
    "a data disk attached where nothing encrypts its caches": (
        [vm("taken", size=V5), disk("taken-os", "taken", system="Windows"), disk("taken-d")],
        [
            vm("taken", data=["taken-d"], size=V5),
            disk("taken-os", "taken", system="Windows"),
            disk("taken-d", "taken"),
        ],
        {
            "taken-d": {
                ("changed", "attached", "unattached", "attached", "attached"),
                ("exposed", "caches", "not_applicable", "no", "attached"),
                ("exposed", "data_flow", "not_applicable", "no", "attached"),
                ("scope", "no_vm_cpu", "not_applicable", "yes", "attached"),
                ("exposed", "defender_status", "NotApplicable", "Unhealthy", "attached"),
            }
        },
    ),
    "a data disk on another VM, which has no host encryption": (
        [
            *pair("first", {"size": V5, "security": HOST, "data": ["swapped"]}),
            *pair("second", {"size": V5}),
            disk("swapped", "first"),
        ],
        [
            *pair("first", {"size": V5, "security": HOST}),
            *pair("second", {"size": V5, "data": ["swapped"]}),
            disk("swapped", "second"),
        ],
        {
            "swapped": {
                ("changed", "reattached", "attached", "attached", "reattached"),
                ("regression", "caches", "yes", "no", "reattached"),
                ("regression", "data_flow", "yes", "no", "reattached"),
                ("regression", "defender_status", "Healthy", "Unhealthy", "reattached"),
            }
        },
    ),
    "a shared disk taken off the one VM without encryption at host: nobody switched it on": (
        [*shared("parted", "ab", a=SAFE, b={})],
        [*shared("parted", "a", a=SAFE, b={})],
        {
            "parted": {
                ("changed", "owners_changed", "attached", "attached", "owners_changed"),
                ("improvement", "caches", "no", "yes", "owners_changed"),
                ("improvement", "data_flow", "no", "yes", "owners_changed"),
                ("improvement", "defender_status", "Unhealthy", "Healthy", "owners_changed"),
            }
        },
    ),
    "a shared disk whose second VM is another one, without encryption at host": (
        [*shared("joined", "ab", a=SAFE, b=SAFE, c={})],
        [*shared("joined", "ac", a=SAFE, b=SAFE, c={})],
        {
            "joined": {
                ("changed", "owners_changed", "attached", "attached", "owners_changed"),
                ("regression", "caches", "yes", "no", "owners_changed"),
                ("regression", "data_flow", "yes", "no", "owners_changed"),
                ("regression", "defender_status", "Healthy", "Unhealthy", "owners_changed"),
            }
        },
    ),
    "the owners of a shared disk in another order, another one in managedBy": (
        [*shared("turned", "ab", a=SAFE, b={})],
        [*shared("turned", "ba", a=SAFE, b={})],
        {},
    ),
    "encryption at host switched on on the second VM of a shared disk": (
        [*shared("stayed", "ab", a=SAFE, b={})],
        [*shared("stayed", "ab", a=SAFE, b=SAFE)],
        {
            "stayed": {
                ("improvement", "caches", "no", "yes", "host_on"),
                ("improvement", "data_flow", "no", "yes", "host_on"),
                ("improvement", "defender_status", "Unhealthy", "Healthy", "host_on"),
            },
            "stayed-b-os": {
                ("improvement", "caches", "no", "yes", "host_on"),
                ("improvement", "data_flow", "no", "yes", "host_on"),
                ("improvement", "defender_status", "Unhealthy", "Healthy", "host_on"),
            },
        },
    ),
    "a shared disk moved with its VMs, which are the same by name": (
        [*shared("carted", "ab", a=SAFE, b={}, unique="13")],
        [renamed(one, *MOVED) for one in shared("carted", "ba", a=SAFE, b={}, unique="13")],
        {
            "carted": {("changed", "moved", "", "", "moved")},
            "carted-a-os": {("changed", "moved", "", "", "moved")},
            "carted-b-os": {("changed", "moved", "", "", "moved")},
        },
    ),
    "host caching switched off: the question does not arise any more": (
        pair("cached", {"size": V5}),
        [
            vm(
                "cached",
                size=V5,
                os_disk={
                    "name": "cached-os",
                    "caching": "None",
                    "managedDisk": {"id": f"{GROUP}/Microsoft.Compute/disks/cached-os"},
                    "createOption": "FromImage",
                },
            ),
            disk("cached-os", "cached", system="Windows"),
        ],
        {"cached-os": {("scope", "caches", "no", "not_applicable", "caching")}},
    ),
    "host encryption switched off under Azure Disk Encryption: the contradiction ends with it (L8)": (
        pair("freed", {"size": V5, "security": HOST}, collection=ade()),
        pair("freed", {"size": V5}, collection=ade()),
        {
            "freed-os": {
                ("now_known", "customer_keys", "unknown", "yes", "conflict"),
                ("now_known", "no_vm_cpu", "unknown", "no", "conflict"),
            }
        },
    ),
    "another disk under the same name": (
        [disk("twin", encryption=cmk("standard"), **guid("1"))],
        [disk("twin", **guid("2"))],
        {
            "twin": {
                ("changed", "recreated", "", "", "recreated"),
                ("regression", "customer_keys", "yes", "no", "recreated"),
            }
        },
    ),
    "another disk under the same name, by the time of its creation": (
        [disk("again", timeCreated=f"{CREATED}.0000001+00:00")],
        [disk("again", timeCreated="2024-06-01T10:20:30.1234567+00:00")],
        {"again": {("changed", "recreated", "", "", "recreated")}},
    ),
    "the same second in the spellings of three tools": (
        [
            disk("spelt", timeCreated=f"{CREATED}.1234567+00:00"),
            disk("local", timeCreated="5/1/2024, 10:20:30 AM"),
        ],
        [disk("spelt", timeCreated=f"{CREATED}.123Z"), disk("local", timeCreated=f"{CREATED}Z")],
        {},
    ),
    "an id in another letter case, and its VM's too": (
        [*pair("shout", {"size": V5}, **guid("5F"))],
        [
            renamed(one, "resourceGroups/rg-rules", "RESOURCEGROUPS/RG-Rules")
            for one in pair("shout", {"size": V5}, **guid("5f"))
        ],
        {},
    ),
    "moved to another resource group with its VM": (
        pair("moved", {"size": V5}, **guid("7")),
        [renamed(one, *MOVED) for one in pair("moved", {"size": V5}, **guid("7"))],
        {"moved-os": {("changed", "moved", "", "", "moved")}},
    ),
    "moved, told by name and second of creation alone": (
        [disk("mover", timeCreated=f"{CREATED}Z")],
        [renamed(disk("mover", timeCreated=f"{CREATED}Z"), *MOVED)],
        {"mover": {("changed", "moved", "", "", "moved")}},
    ),
    "moved away, and another disk has its old id": (
        [disk("lair", encryption=cmk("standard"), **guid("21"))],
        [moved(disk("lair", encryption=cmk("standard"), **guid("21"))), disk("lair", **guid("22"))],
        {
            "lair": {
                ("changed", "moved", "", "", "moved"),
                ("added", "added", "", "sse", "added"),
            }
        },
    ),
    "moved away, and another disk has its old id, told by the second of creation alone": (
        [disk("elder", timeCreated=f"{CREATED}Z")],
        [
            moved(disk("elder", timeCreated=f"{CREATED}Z")),
            disk("elder", timeCreated="2024-06-01T10:20:30Z"),
        ],
        {
            "elder": {
                ("changed", "moved", "", "", "moved"),
                ("added", "added", "", "sse", "added"),
            }
        },
    ),
    "two disks that changed places": (
        [disk("swop", encryption=cmk("standard"), **guid("31")), moved(disk("swop", **guid("32")))],
        [moved(disk("swop", encryption=cmk("standard"), **guid("31"))), disk("swop", **guid("32"))],
        {"swop": {("changed", "moved", "", "", "moved")}},
    ),
    "moved to the id of a disk that is gone": (
        [disk("heir", encryption=cmk("standard"), **guid("41")), moved(disk("heir", **guid("42")))],
        [disk("heir", **guid("42"))],
        {
            "heir": {
                ("changed", "moved", "", "", "moved"),
                ("removed", "removed", "sse", "", "removed"),
            }
        },
    ),
    "two disks of one name and second whose uniqueIds differ": (
        [disk("alike", timeCreated=f"{CREATED}Z", **guid("51"))],
        [moved(disk("alike", timeCreated=f"{CREATED}Z", **guid("52")))],
        {
            "alike": {
                ("removed", "removed", "sse", "", "removed"),
                ("added", "added", "", "sse", "added"),
            }
        },
    ),
    "two disks of one name and second: which went where cannot be told": (
        [
            disk("double", timeCreated=f"{CREATED}Z"),
            renamed(disk("double", timeCreated=f"{CREATED}Z"), "rg-rules", "rg-b"),
        ],
        [renamed(disk("double", timeCreated=f"{CREATED}Z"), "rg-rules", "rg-c")],
        {
            "double": {
                ("removed", "removed", "sse", "", "removed"),
                ("added", "added", "", "sse", "added"),
            }
        },
    ),
    "the same disk under another name": (
        [disk("before", **guid("9"))],
        [disk("after", **guid("9"))],
        {"after": {("changed", "renamed", "", "", "renamed")}},
    ),
    "one that came, one that went": (
        [disk("went")],
        [disk("came")],
        {
            "came": {("added", "added", "", "sse", "added")},
            "went": {("removed", "removed", "sse", "", "removed")},
        },
    ),
    "its VM is not there any more: nothing is known of the host": (
        pair("gone", {"size": V5, "security": HOST}),
        pair("gone", {"size": V5, "security": HOST})[1:],
        {
            "gone-os": {
                ("reading", "caches", "yes", "unknown", "reading"),
                ("reading", "data_flow", "yes", "unknown", "reading"),
                ("reading", "temp_disk", "not_applicable", "unknown", "reading"),
                ("reading", "defender_status", "Healthy", "unknown", "reading"),
            }
        },
    ),
    "its VM is there for the first time, and encrypts nothing": (
        pair("dawn", {"size": V5})[1:],
        pair("dawn", {"size": V5}),
        {
            "dawn-os": {
                ("reading", "caches", "unknown", "no", "reading"),
                ("reading", "data_flow", "unknown", "no", "reading"),
                ("reading", "temp_disk", "unknown", "not_applicable", "reading"),
                ("reading", "defender_status", "unknown", "Unhealthy", "reading"),
            }
        },
    ),
    "only the instance view spoke of Azure Disk Encryption, and it was not read again": (
        pair("viewed", {"size": V5, "view": [seen("viewed-os", "encrypted")]}),
        pair("viewed", {"size": V5}),
        {
            "viewed-os": {
                ("reading", "caches", "yes", "no", "reading"),
                ("reading", "data_flow", "yes", "no", "reading"),
                ("reading", "customer_keys", "unknown", "no", "reading"),
                ("reading", "hsm", "unknown", "no", "reading"),
                ("reading", "no_vm_cpu", "no", "yes", "reading"),
                ("reading", "defender_status", "Healthy", "Unhealthy", "reading"),
            }
        },
    ),
    "a subscription that the newer capture did not read at all": (
        [elsewhere(one) for one in pair("dark", {"size": V5})],
        [],
        {"dark-os": {("reading", "unread_now", "sse", "", "reading")}},
    ),
    "a subscription that the older capture did not read at all": (
        [],
        [elsewhere(one, LIT) for one in pair("lit", {"size": V5})],
        {"lit-os": {("reading", "unread_before", "", "sse", "reading")}},
    ),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("captures")
    sides = [[*stores()], [*stores()]]
    for old, new, _ in CASES.values():
        sides[0] += copy.deepcopy(old)
        sides[1] += copy.deepcopy(new)
    names = ("2026-10-24", "2026-11-24")
    return [write(folder / name, side) for name, side in zip(names, sides, strict=True)]


@pytest.fixture(scope="module")
def found(folders):
    """The differences by engine, as rows in the order in which they came."""
    made = {}
    for engine in ENGINES:
        old, new = (de.load(folder, engine=engine) for folder in folders)
        frame = de.compare(old, new)
        assert engine in type(frame).__module__
        made[engine] = records(frame)
    return made


def told(rows, *changes):
    out = {}
    for row in rows:
        if row["change"] in changes:
            step = tuple(row[n] for n in ("direction", "what", "old", "new", "cause"))
            out.setdefault(row["name"], set()).add(step)
    return out


@pytest.mark.parametrize("case", CASES)
def test_the_differences_are_those_worked_out_by_hand(found, case):
    old, new, expected = CASES[case]
    names = {body["name"] for body in (*old, *new)}
    rows = told(found["duckdb"], "disk", "capability")
    assert {name: steps for name, steps in rows.items() if name in names} == expected


def test_nothing_else_differs(found):
    names = {name for *_, expected in CASES.values() for name in expected}
    assert {row["name"] for row in found["duckdb"]} == names


def test_layers_are_told_with_their_cause(found):
    rows = told(found["duckdb"], "layer")
    assert rows["hostoff-os"] == {("changed", "host", "on", "off", "host_off")}
    assert rows["keyed"] == {
        ("changed", "sse", "platform", "customer", "key_mode"),
        ("changed", "key_owner", "platform", "customer", "key_mode"),
        ("changed", "key_store", "platform", "managed_hsm", "key_mode"),
    }
    assert rows["adeoff-os"] >= {("changed", "ade", "on", "was_on", "ade_off")}
    assert rows["viewed-os"] >= {("reading", "ade", "on", "off", "reading")}
    assert rows["gone-os"] == {("reading", "host", "on", "unknown", "reading")}
    assert rows["loose-d"] == {("changed", "host", "off", "not_attached", "detached")}


def test_a_row_says_where_the_disk_was_and_is_and_what_decided(found):
    [row] = [row for row in found["duckdb"] if (row["name"], row["what"]) == ("moved-os", "moved")]
    assert "rg-rules" in row["old_disk_id"]
    assert row["disk_id"] == row["old_disk_id"].replace("rg-rules", "rg-moved")
    assert row["resource_group"] == "rg-moved"
    caches = [row for row in found["duckdb"] if (row["name"], row["what"]) == ("hostoff-os", "caches")]
    assert "encryption at host" in caches[0]["old_evidence"].lower()
    assert caches[0]["evidence"] != caches[0]["old_evidence"]
    [gone] = [row for row in found["duckdb"] if row["name"] == "dark-os"]
    assert gone["disk_id"] == gone["old_disk_id"]
    assert "nothing of the subscription was read" in gone["reason"]
    assert gone["gib"] == 64


def test_the_disk_that_has_the_id_of_one_that_moved_is_the_one_that_was_added(found):
    rows = {row["what"]: row for row in found["duckdb"] if row["name"] == "lair"}
    assert "rg-rules" in rows["added"]["disk_id"]
    assert ("rg-rules" in rows["moved"]["old_disk_id"], "rg-moved" in rows["moved"]["disk_id"]) == (
        True,
        True,
    )
    assert len({row["disk_id"] for row in found["duckdb"] if row["name"] == "swop"}) == 2


def test_a_row_says_what_tells_that_it_is_the_same_disk(found):
    known = {(row["name"], row["what"]): row["known_by"] for row in found["duckdb"]}
    assert known["lair", "moved"] == known["twin", "recreated"] == "unique_id"
    assert known["elder", "moved"] == known["again", "recreated"] == "time_created"
    assert known["hostoff-os", "caches"] == "id"
    assert known["came", "added"] == known["went", "removed"] == ""
    by_id = {row["disk_id"].lower() for row in found["duckdb"] if row["known_by"] == "id"}
    said = " ".join(conclusion(found_frame(found["duckdb"])).sentences)
    assert f"{len(by_id)} disks with a difference known by id alone" in said


def test_regressions_come_first(found):
    order = list(kinds())
    places = [order.index(row["direction"]) for row in found["duckdb"]]
    assert places == sorted(places)
    assert places[0] == 0


@pytest.mark.parametrize("engine", ENGINES[1:])
def test_every_engine_gives_the_same_rows_in_the_same_order(found, engine):
    assert list(found["duckdb"][0]) == list(COLUMNS)
    assert found[engine] == found["duckdb"]


def test_a_capture_does_not_differ_from_itself_nor_from_its_saved_copy(folders, tmp_path):
    inv = de.load(folders[0], engine="duckdb")
    saved = de.read(inv.save(tmp_path / "saved"), engine="duckdb")
    assert records(de.compare(inv, saved)) == []
    assert records(de.compare(inv, inv)) == []


def test_back_again_everything_is_mirrored(folders, found):
    """What was added is removed, and what was lost is won; what is unknown stays out of both."""
    old, new = (de.load(folder, engine="polars") for folder in folders)
    back = {(r["direction"], r["what"], r["old"], r["new"]) for r in records(de.compare(new, old))}
    mirror = {"regression": "improvement", "improvement": "regression", "reading": "reading"}
    ours = {
        (mirror[r["direction"]], r["what"], r["new"], r["old"])
        for r in found["duckdb"]
        if r["direction"] in mirror and r["change"] == "capability"
    }
    assert ours <= back


def test_the_edition_of_the_matrix_is_a_cause_of_its_own(tmp_path):
    """By the seed edition a v5 size alone encrypts no temp disk; by the newest it does."""
    inv = de.load(write(tmp_path, pair("older", {"size": V5D})), engine="polars")
    rows = records(de.compare(inv, inv, old_edition=SEED))
    assert [(r["direction"], r["what"], r["old"], r["new"], r["cause"]) for r in rows] == [
        ("edition", "temp_disk", "no", "yes", "edition")
    ]


def collection(folder, rows, *parts):
    """Make a collected folder by hand: the rows, and what came of each part."""
    made = []
    for sub, status, reason in parts:
        given = [one for one in rows if sub in one["id"] and status != "denied"]
        data = "".join(json.dumps(one) + "\n" for one in given).encode()
        part = Part(name="disks", type="microsoft.compute/disks", key=sub, status=status, reason=reason)
        if data:
            (folder / "disks").mkdir(parents=True, exist_ok=True)
            (folder / "disks" / f"{sub}.jsonl").write_bytes(data)
            part.file, part.sha256 = f"disks/{sub}.jsonl", hashlib.sha256(data).hexdigest()
        made.append(part)
    (folder / "export.json").write_text(Note(parts=made).model_dump_json())
    return de.load(folder, engine="polars")


def test_a_denied_subscription_is_no_removal_and_an_emptied_one_is(tmp_path):
    rows = [disk("kept"), elsewhere(disk("denied")), elsewhere(disk("deleted"), LIT)]
    whole = [(SUB, "complete", ""), (DARK, "complete", ""), (LIT, "complete", "")]
    old = collection(tmp_path / "old", rows, *whole)
    denied = (DARK, "denied", "HTTP 403 AuthorizationFailed")
    new = collection(tmp_path / "new", rows[:1], whole[0], denied, whole[2])
    found = {row["name"]: row for row in records(de.compare(old, new))}
    assert found["deleted"]["direction"] == "removed"
    assert found["denied"]["direction"] == "reading"
    assert "HTTP 403 AuthorizationFailed" in found["denied"]["reason"]
    back = {row["name"]: row["direction"] for row in records(de.compare(new, old))}
    assert back == {"deleted": "added", "denied": "reading"}


def test_what_an_export_that_was_cut_short_lacks_is_not_removed(tmp_path):
    old = de.load(write(tmp_path / "old", [disk("a"), disk("b")]), engine="polars")
    (tmp_path / "new").mkdir()
    cut = {"value": [disk("a")], "nextLink": "https://management.azure.com/more"}
    (tmp_path / "new" / "disks.json").write_text(json.dumps(cut))
    new = de.load(tmp_path / "new", engine="polars")
    [row] = records(de.compare(old, new))
    assert (row["name"], row["direction"], row["what"]) == ("b", "reading", "unread_now")
    assert "cut short" in row["reason"]
    [row] = records(de.compare(new, old))
    assert (row["name"], row["direction"], row["what"]) == ("b", "reading", "unread_before")


def test_a_disk_that_was_made_after_the_older_capture_is_new_for_sure(tmp_path):
    young = elsewhere(disk("young", timeCreated="2026-11-02T00:00:00Z"))
    aged = elsewhere(disk("aged", timeCreated="2025-11-02T00:00:00Z"))
    old = de.load(write(tmp_path / "2026-10-24", [disk("a")]), engine="polars")
    new = de.load(write(tmp_path / "2026-11-24", [disk("a"), young, aged]), engine="polars")
    assert {row["name"]: row["what"] for row in records(de.compare(old, new))} == {
        "young": "added",
        "aged": "unread_before",
    }


def test_snapshots_that_were_not_exported_are_not_removed(tmp_path):
    from tests.rules import snapshot

    old = de.load(write(tmp_path / "old", [disk("a"), snapshot("s")]), engine="polars")
    new = de.load(write(tmp_path / "new", [disk("a")]), engine="polars")
    [row] = records(de.compare(old, new))
    assert (row["name"], row["what"], row["kind"]) == ("s", "unread_now", "snapshot")


def test_counts_put_regressions_first(found):
    rows = counts(found_frame(found["duckdb"]), ("direction", "cause")).to_dict("records")
    assert rows[0]["direction"] == "regression"
    assert sum(row["disks"] for row in rows) == len(found["duckdb"])
    sums = {(row["direction"], row["cause"]): row["disks"] for row in rows}
    assert sums["regression", "host_off"] == 4
    assert sums["added", "added"] == 5


def found_frame(rows):
    import pandas as pd

    return pd.DataFrame(rows).convert_dtypes(dtype_backend="pyarrow")


def test_two_engines_are_refused(folders):
    one, other = de.load(folders[0], engine="duckdb"), de.load(folders[1], engine="polars")
    with pytest.raises(ParameterError, match="of one engine, got 'duckdb' and 'polars'"):
        de.compare(one, other)


def test_an_unknown_edition_is_refused(folders):
    inv = de.load(folders[0], engine="polars")
    with pytest.raises(UnknownNameError, match="2023-05-15"):
        de.compare(inv, inv, old_edition="2023-05-16")


def test_instances_of_scale_sets_are_vms_like_the_others(tmp_path):
    from tests.rules import instance

    def capture(name, security):
        rows = [
            instance("vmss", 0, size=V5, security=security),
            disk("vmss_0-os", instance_id("vmss", 0), system="Windows"),
        ]
        return de.load(write(tmp_path / name, rows), engine="polars")

    rows = told(records(de.compare(capture("old", HOST), capture("new", None))), "capability")
    assert ("regression", "caches", "yes", "no", "host_off") in rows["vmss_0-os"]


def test_a_key_that_goes_unseen_with_its_vm_is_no_change_of_keys(tmp_path):
    """The VM alone said that Azure Disk Encryption is on, under a KEK in an HSM, and was not read again."""
    from tests.rules import key_url, listed, vault_id

    kek = {"keyUrl": key_url("kv-premium", "kek"), "sourceVault": {"id": vault_id("kv-premium")}}
    settings = {"enabled": True, "keyEncryptionKey": kek}
    own = [disk("a-os", "a", system="Windows"), *stores()]
    encrypted = vm("a", os_disk=listed("a-os") | {"encryptionSettings": settings})
    old = de.load(write(tmp_path / "old", [encrypted, *own]), engine="polars")
    new = de.load(write(tmp_path / "new", own), engine="polars")
    for found in (de.compare(old, new), de.compare(new, old)):
        rows = {row["what"]: row["direction"] for row in records(found)}
        assert {"ade", "customer_keys", "hsm", "key_owner", "key_store"} <= set(rows)
        assert set(rows.values()) == {"reading"}


@pytest.mark.parametrize("engine", ENGINES)
def test_instances_of_scale_sets_do_not_stand_for_vms_that_were_not_exported(tmp_path, engine):
    """Unmanaged disks are known from their VMs alone; those two kinds of VM are exported apart."""
    from tests.rules import instance

    vhd = {"name": "a-vhd", "vhd": {"uri": "https://x.blob.core.windows.net/vhds/a.vhd"}}
    rest = [disk("free"), instance("vmss", 0), disk("vmss_0-os", instance_id("vmss", 0))]
    old = de.load(write(tmp_path / "old", [vm("a", os_disk=vhd), vm("b"), disk("b-os", "b"), *rest]), engine)
    unread = de.load(write(tmp_path / "unread", [disk("b-os", "b"), *rest]), engine)
    [row] = [row for row in records(de.compare(old, unread)) if row["name"] == "a-vhd"]
    assert (row["direction"], row["what"]) == ("reading", "unread_now")
    gone = de.load(write(tmp_path / "gone", [vm("b"), disk("b-os", "b"), *rest]), engine)
    [row] = [row for row in records(de.compare(old, gone)) if row["name"] == "a-vhd"]
    assert row["direction"] == "removed"


def test_a_vault_whose_tier_was_not_read_is_no_other_kind_of_store(tmp_path):
    """Both captures name one vault; the tier of it was read in one of them alone."""
    from tests.rules import des, key_url

    sealed = des("s", key_url("kv-premium", "hsm"), vault_name="kv-premium")
    rows = [disk("keyed", encryption=cmk("s")), sealed]
    vaults = [one for one in stores() if "/vaults/kv-premium" in one["id"]]
    unread = de.load(write(tmp_path / "unread", rows), engine="polars")
    whole = de.load(write(tmp_path / "whole", rows + vaults), engine="polars")
    for found in (de.compare(unread, whole), de.compare(whole, unread)):
        steps = {row["what"]: (row["direction"], row["cause"]) for row in records(found)}
        assert steps == {"hsm": ("reading", "reading"), "key_store": ("reading", "reading")}


def carried(name, *, told):
    """Build a disk on one of two VMs; only the instance view, where it is read, calls it encrypted."""
    view = [seen("carried", "encrypted")] if told else None
    first = {"size": V5, "data": ["carried"], "view": view} if name == "first" else {"size": V5}
    second = {"size": V5, "data": ["carried"], "view": view} if name == "second" else {"size": V5}
    return [*pair("first", first), *pair("second", second), disk("carried", name)]


def test_a_disk_that_goes_to_another_vm_unread_lost_nothing(tmp_path):
    """Azure Disk Encryption is on the disk, whichever VM has it: that it was not told again is reading."""
    old = de.load(write(tmp_path / "old", carried("first", told=True)), engine="polars")
    new = de.load(write(tmp_path / "new", carried("second", told=False)), engine="polars")
    for found in (de.compare(old, new), de.compare(new, old)):
        rows = told(records(found), "disk", "capability")["carried"]
        assert ("changed", "reattached", "attached", "attached", "reattached") in rows
        assert {row[0] for row in rows if row[1] in ("caches", "data_flow", "customer_keys")} == {"reading"}
        assert not {row[0] for row in rows} & {"regression", "improvement"}


def test_a_resize_that_changes_nothing_of_the_local_disk_is_no_cause(tmp_path):
    """From 4 to 8 cores of one series: the temp disk differs since the view was not read again."""
    from tests.rules import extension

    def capture(name, size, told):
        rows = pair("grown", {"size": size, "view": [seen("grown-os", "encrypted")] if told else None})
        return de.load(write(tmp_path / name, rows + ([extension("grown")] if told else [])), engine="polars")

    found = de.compare(capture("old", V3, True), capture("new", "Standard_D8s_v3", False))
    rows = told(records(found), "capability")["grown-os"]
    assert ("reading", "temp_disk", "yes", "no", "reading") in rows
    assert {row[0] for row in rows} == {"reading"}


def test_nobody_switched_anything_where_a_disk_is_on_another_vm(found):
    reasons = {
        row["reason"] for row in found["duckdb"] if row["name"] == "swapped" and row["what"] == "caches"
    }
    assert reasons == {"the disk is attached to another VM"}


def test_a_detached_disk_is_not_said_to_be_on_another_vm(found):
    assert {row["reason"] for row in found["duckdb"] if row["name"] == "loose-d"} == {"the disk was detached"}


def test_layers_of_a_shared_disk_are_told_with_the_true_cause(found):
    rows = told(found["duckdb"], "layer")
    assert rows["parted"] == {("changed", "host", "partial", "on", "owners_changed")}
    assert rows["stayed"] == {("changed", "host", "partial", "on", "host_on")}


def test_owners_that_one_capture_did_not_read_did_not_come(tmp_path):
    """A list without `managedByExtended` names one VM of a shared disk: the others may have been there."""
    from tests.rules import extension

    rows = [*shared("s", "ab", a=SAFE, b={})]
    whole = de.load(write(tmp_path / "whole", rows), engine="polars")
    machines = [*shared("s", "a", a=SAFE, b={})]
    machines[-1]["managedByExtended"] = "several"
    vague = de.load(write(tmp_path / "vague", machines), engine="polars")
    for one in (de.compare(whole, vague), de.compare(vague, whole)):
        assert "owners_changed" not in {row["cause"] for row in records(one)}
    spoken = de.load(write(tmp_path / "spoken", [*rows, extension("s-b", outcome="Failed")]), engine="polars")
    assert not {"reattached", "owners_changed"} & {r["cause"] for r in records(de.compare(whole, spoken))}
