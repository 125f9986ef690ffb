"""What must not change a verdict, and what may only make it less sure."""

from __future__ import annotations

import csv
import json
import random
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import diskenc_analysis as de
from tests.rules import (
    CAPABILITIES,
    CONFIDENTIAL_V2,
    CVM,
    CVM_DISK,
    HOST,
    LATEST,
    PMK,
    SEED,
    V5D,
    ade,
    agent,
    cmk,
    disk,
    extension,
    image_id,
    instance,
    instance_id,
    listed,
    records,
    scale_set,
    secured,
    seen,
    set_id,
    snapshot,
    stores,
    vm,
    vm_id,
    write,
)

LINUX = {"system": "Linux"}
GOLDEN = LINUX | {"image": {"id": image_id("golden")}}
OWN_KEY = secured(f"{CVM_DISK}CustomerKey", "confidential")
OLD_SETTINGS = {"enabled": True} | ade()["encryptionSettings"][0]
SHARED = [vm_id("shared-a"), vm_id("shared-b")]
SUBSTATUS = '{"os": "Encrypted", "data": "Encrypted"}'


def local(name: str) -> dict:
    return listed(name, diffDiskSettings={"option": "Local"}) | {"managedDisk": {"storageAccountType": "x"}}


def blob(name: str) -> dict:
    return {"name": name, "vhd": {"uri": f"https://store.blob.core.windows.net/vhds/{name}.vhd"}}


def os_pair(name: str, *, machine: dict | None = None, **of_disk) -> list[dict]:
    """Build a VM with its OS disk."""
    own = machine or {}
    given = {"system": own.get("system", "Windows")} | of_disk
    return [vm(name, **own), disk(f"{name}-os", name, **given)]


def world() -> list[dict]:
    """Build a tenant with about every way in which objects speak of each other."""
    stub = {k: v for k, v in disk("stub", "not-read").items() if k != "properties"}
    bodies = [*stores(), stub, disk("free", encryption=cmk("standard")), disk("gone", "not-read")]
    bodies += [*os_pair("plain", machine={"data": ["plain-data"]}), disk("plain-data", "plain")]
    bodies += os_pair("host", machine={"security": HOST, "data": ["host-data"], "size": V5D})
    bodies += [disk("host-data", "host", encryption=cmk("premium-hsm"), sku="UltraSSD_LRS")]
    # Azure Disk Encryption in the places where it leaves its trace.
    view = [seen("ade-data", "notEncrypted")]
    bodies += os_pair("ade", machine={"data": ["ade-data"], "view": view}, collection=ade())
    bodies += [extension("ade", volume="OS"), disk("ade-data", "ade"), snapshot("snap", collection=ade())]
    bodies += os_pair("was", collection=ade(enabled=False))
    bodies += os_pair(
        "golden", machine=LINUX | {"image": {"id": image_id("golden")}}, collection=ade(kek=None)
    )
    bodies += [extension("golden", system="Linux", kek=None)]
    # Contradictions.
    bodies += [*os_pair("both", machine={"security": HOST}, collection=ade()), extension("both")]
    bodies += os_pair("two", machine={"data": ["two-data"]}, collection=ade(), encryption=cmk("standard"))
    bodies += [disk("two-data", "two", encryption=PMK | {"diskEncryptionSetId": set_id("standard")})]
    bodies += [*os_pair("types", encryption=cmk("double")), *os_pair("left"), extension("left")]
    # Confidential VMs: opted in, and not.
    for name, ext in (("cvm", extension("cvm", volume="Data", system="Linux")), ("not", agent("not"))):
        machine = {"security": CVM, "size": CONFIDENTIAL_V2, "data": [f"{name}-data"]} | LINUX
        bodies += [
            ext,
            *os_pair(name, machine=machine, security=secured(f"{CVM_DISK}CustomerKey", "confidential")),
        ]
        bodies += [disk(f"{name}-data", name, encryption=cmk("managed-hsm"))]
    # Shared, local, unmanaged, and of a scale set.
    bodies += [disk("shared", "shared-a", head={"managedByExtended": SHARED}, maxShares=2)]
    for name, security in (("shared-a", HOST), ("shared-b", None)):
        bodies += os_pair(name, machine={"security": security, "data": [listed("shared", caching=None)]})
    bodies += [vm("local", os_disk=local("local-os"), size=V5D), vm("blobs", os_disk=blob("blobs-os"))]
    bodies += [scale_set("uniform", security=HOST), instance("uniform", 0)]
    return [*bodies, disk("uniform_0-os", instance_id("uniform", 0), system="Windows")]


def entra() -> list[dict]:
    """Build a VM of the generation with an Entra app, whose disks say nothing of their encryption."""
    body = vm("app", os_disk=listed("app-os", encryptionSettings=OLD_SETTINGS), data=["app-data"])
    own = extension("app", handler="1.1", messages=[SUBSTATUS], AADClientID="app")
    return [body, own, disk("app-os", "app", system="Windows"), disk("app-data", "app")]


def renamed(bodies: list[dict], number: int) -> list[dict]:
    """Copy a world, so that several stand in one inventory and know nothing of each other."""
    text = json.dumps(bodies).replace("rg-rules", f"rg-w{number}-").replace("kv-", f"kv{number}-")
    text = text.replace("https://pool.", f"https://pool{number}.").replace(
        "https://store.", f"https://store{number}."
    )
    return list(json.loads(text))


def key_of(row: dict) -> tuple[int, str]:
    place = f"{row['vm_id']} {row['disk_id']}".lower()
    found = re.search(r"rg-w(\d+)-", place)
    assert found is not None
    return int(found[1]), row["name"].lower()


LAYERS = ("sse", "host", "ade", "confidential", "method", "key_owner", "key_store", "temp_disk_key_owner")
VERDICT = ("kind", "role", "attachment", *LAYERS, *CAPABILITIES, "conflicts", "evidence")


def verdicts(row: dict) -> dict[str, str]:
    return {column: row[column] for column in VERDICT}


class Rows(dict):
    """Rows by world and name, with a short name for messages."""

    def __repr__(self):
        return f"<{len(self)} rows>"


def judged_worlds(folder, bodies: list[dict], editions: tuple[str, ...] = (LATEST,)) -> dict[str, Rows]:
    """Judge copies of the world; rows by edition, then by number of the copy and name."""
    inv = de.load(write(folder, bodies), engine="duckdb")
    found = {}
    for edition in editions:
        rows = records(de.coverage(inv, edition=edition))
        found[edition] = Rows({key_of(row): row for row in rows})
        assert len(found[edition]) == len(rows)
    return found


@pytest.fixture(scope="module")
def worlds(tmp_path_factory):
    """Judge the world as it is (number 0), and once for each of its objects without it."""
    whole, taken = [*world(), *entra()], ["nothing"]
    bodies = renamed(whole, 0)
    for n, body in enumerate(whole):
        taken.append(
            f"{kind(body)} {body['id'].partition('Microsoft.')[2].partition('/')[2].partition('/')[2]}"
        )
        bodies += renamed(whole[:n] + whole[n + 1 :], n + 1)
    return judged_worlds(tmp_path_factory.mktemp("worlds"), bodies, (SEED, LATEST)), taken


def as_it_is(rows: Rows) -> Rows:
    return Rows({name: row for (number, name), row in rows.items() if number == 0})


@pytest.fixture(scope="module")
def plain(worlds):
    return as_it_is(worlds[0][LATEST])


# Disguises: the same tenant spelt otherwise (RULES: null equals absent; FACTS 4.3: ids have no case).
NULLS = {
    "": ("managedBy", "managedByExtended", "resources", "zones", "tags", "plan", "identity"),
    "properties": (
        *("encryption", "encryptionSettingsCollection", "encryptionSettings", "securityProfile", "shareInfo"),
        *("osType", "instanceView", "virtualMachineScaleSet", "additionalCapabilities", "diskAccessId"),
    ),
    "storageProfile": ("imageReference", "dataDisks"),
    "osDisk": ("encryptionSettings", "diffDiskSettings", "vhd", "managedDisk", "caching"),
    "managedDisk": ("diskEncryptionSet", "securityProfile", "storageAccountType"),
    "securityProfile": (
        "encryptionAtHost",
        "securityType",
        "secureVMDiskEncryptionSetId",
        "encryptionIdentity",
    ),
    "activeKey": ("sourceVault",),
    "encryption": ("diskEncryptionSetId",),
}
ID = re.compile(r"^(/subscriptions/|https://[^/]+/(keys|secrets)/)", re.IGNORECASE)


def with_nulls(rng: random.Random, value, name: str = ""):
    """State as null some of what is absent, and leave out what is null."""
    if isinstance(value, list):
        return [with_nulls(rng, inner, name) for inner in value]
    if not isinstance(value, dict):
        return value
    out = {k: with_nulls(rng, v, k) for k, v in value.items() if v is not None or rng.random() < 0.5}
    absent = [k for k in NULLS.get(name, ()) if k not in out and rng.random() < 0.5]
    return out | dict.fromkeys(absent)


def with_unknown_members(rng: random.Random, value):
    if isinstance(value, list):
        return [with_unknown_members(rng, inner) for inner in value]
    if not isinstance(value, dict):
        return value
    out = {k: with_unknown_members(rng, v) for k, v in value.items()}
    if rng.random() < 0.4:
        out[f"futureMember{rng.randrange(3)}"] = rng.choice(
            [True, 7, "x", None, [], ["y"], {"enabled": True}]
        )
    return dict(rng.sample(list(out.items()), len(out)))


def with_other_case(rng: random.Random, value):
    if isinstance(value, list):
        return [with_other_case(rng, inner) for inner in value]
    if isinstance(value, dict):
        return {k: with_other_case(rng, v) for k, v in value.items()}
    if isinstance(value, str) and ID.match(value):
        return rng.choice([value, value.upper(), value.lower(), value.swapcase()])
    return value


DISGUISES = {
    "null against absent": with_nulls,
    "unknown members": with_unknown_members,
    "letter case of ids": with_other_case,
}
WORN = [*((name,) for name in DISGUISES), *[tuple(DISGUISES)] * 3]
# Shrinking would load hundreds of tenants; the seed that is printed makes the same one again.
SHORT = settings(
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def disguised(rng: random.Random, body: dict, names: tuple[str, ...]) -> dict:
    for name in names:
        # A listing without properties is no wholly read object.
        if name != "null against absent" or "properties" in body:
            body = DISGUISES[name](rng, body)
    return body


def changed(before: dict, after: dict) -> dict[str, tuple[str, str]]:
    return {column: (before[column], after[column]) for column in VERDICT if before[column] != after[column]}


@settings(SHORT, max_examples=3)
@given(seed=st.integers(0, 2**32 - 1), files=st.integers(1, 5))
def test_no_disguise_order_or_splitting_changes_a_verdict(plain, tmp_path_factory, seed, files):
    rng, folder = random.Random(seed), tmp_path_factory.mktemp("disguised")  # noqa: S311
    whole = [*world(), *entra()]
    bodies = [disguised(rng, body, names) for n, names in enumerate(WORN) for body in renamed(whole, n)]
    rng.shuffle(bodies)
    for n in range(files):
        lines = [json.dumps(body) for body in bodies[n::files]]
        (folder / f"{n}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = Rows({key_of(row): row for row in records(de.coverage(de.load(folder, engine="duckdb")))})
    assert set(found) == {(n, name) for n in range(len(WORN)) for name in plain}
    differing = {
        (WORN[n], name): more for (n, name), row in found.items() if (more := changed(plain[name], row))
    }
    assert differing == {}


# Taking away: what is known becomes less, so a no or an unknown never becomes a yes. A row that has a
# conflict is apart: its unknown stands between two statements, and without the one the other stands.
SURE = {"yes", "Healthy"}
OPEN = {"no", "unknown", "Unhealthy"}
ALONE = ("app-os", "app-data")


def kind(body: dict) -> str:
    return str(body["type"]).rpartition("/")[2]


def raised(before: dict, after: dict) -> dict[str, str]:
    """List the capabilities that were a no or an unknown, and are a yes now."""
    return {c: f"{before[c]} -> {after[c]}" for c in CAPABILITIES if before[c] in OPEN and after[c] in SURE}


def gained(
    before: Rows, after: Rows, taken: list[str], names: tuple[str, ...] = ()
) -> dict[str, dict[str, str]]:
    return {
        f"{name} without {taken[n]}": more
        for (n, name), row in after.items()
        if (name in names if names else name not in ALONE)
        and not before[name]["conflicts"]
        and (more := raised(before[name], row))
    }


@pytest.mark.parametrize("edition", [SEED, LATEST])
def test_taking_away_one_object_never_raises_a_verdict(worlds, edition):
    found, taken = worlds
    assert len(taken) == len([*world(), *entra()]) + 1
    assert gained(as_it_is(found[edition]), found[edition], taken) == {}


@settings(SHORT, max_examples=2)
@given(seed=st.integers(0, 2**32 - 1), share=st.sampled_from([0.1, 0.3, 0.6]))
def test_taking_away_several_objects_never_raises_a_verdict(plain, tmp_path_factory, seed, share):
    rng = random.Random(seed)  # noqa: S311
    bodies, taken = [], []
    for n in range(8):
        # Without its own object, a shared disk has no owners but the VMs that are left to list it.
        gone = {body["id"] for body in world() if kind(body) != "disks" and rng.random() < share}
        taken.append(", ".join(sorted(gone)))
        bodies += renamed([body for body in world() if body["id"] not in gone], n)
    found = judged_worlds(tmp_path_factory.mktemp("several"), bodies)[LATEST]
    assert gained(plain, found, taken) == {}


TABLES = [("virtualMachines",), ("extensions",), ("diskEncryptionSets",), ("vaults", "keys")]


@pytest.mark.parametrize("tables", TABLES, ids=" and ".join)
def test_taking_away_a_table_never_raises_a_verdict(plain, tmp_path, tables):
    bodies = [body for body in world() if kind(body) not in tables]
    assert len(bodies) < len(world())
    found = judged_worlds(tmp_path, renamed(bodies, 0))[LATEST]
    assert gained(plain, found, [f"all {tables}"]) == {}


def flat(body: dict) -> dict:
    """Spell an object as a flat list does: the members of its body beside the others."""
    return {k: v for k, v in body.items() if k != "properties"} | body["properties"]


def write_csv(path: Path, rows: list[dict], without: str) -> None:
    names = [n for n in dict.fromkeys(n for row in rows for n in row) if n != without]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        for row in rows:
            values = [row.get(n, "") for n in names]
            writer.writerow([json.dumps(v) if isinstance(v, dict | list) else v for v in values])


def test_taking_away_a_column_of_a_csv_never_raises_a_verdict(plain, tmp_path):
    """Each copy of the world has its disks and VMs in CSV, and lacks one column of one of them."""
    # A CSV has no stubs: where all columns are there, an empty cell is absent.
    whole = [body for body in world() if body.get("name") != "stub"]
    tables = {
        name: [flat(body) for body in whole if kind(body) == name] for name in ("disks", "virtualMachines")
    }
    columns = [
        (name, column)
        for name, rows in tables.items()
        for column in dict.fromkeys(n for row in rows for n in row)
        if column not in ("id", "name", "type")
    ]
    bodies, taken = [], ["nothing", *(f"{column} of {name}" for name, column in columns)]
    for n, (name, column) in enumerate([("", ""), *columns]):
        copy = renamed(whole, n)
        bodies += [body for body in copy if kind(body) not in tables]
        for table in tables:
            rows = [flat(body) for body in copy if kind(body) == table]
            write_csv(tmp_path / f"{table}-{n}.csv", rows, column if table == name else "")
    found = judged_worlds(tmp_path, bodies)[LATEST]
    assert {row for number, row in found if number == 0} == set(plain) - {"stub", *ALONE}
    assert {
        name: more for (n, name), row in found.items() if n == 0 and (more := changed(plain[name], row))
    } == {}
    assert gained(plain, found, taken) == {}


# L3 (3) and (4): the extension is an object of its own, and speaks of the VM that its id names.
def test_taking_away_the_vm_leaves_its_extension_speaking(worlds):
    found, taken = worlds
    [row] = [found[LATEST][n, "left-os"] for n, name in enumerate(taken) if name == "virtualMachines left"]
    assert (row["ade"], row["no_vm_cpu"]) == ("unknown", "unknown")
    assert row["conflicts"]


def test_taking_away_either_witness_of_an_entra_app_never_raises_a_verdict(worlds):
    found, taken = worlds
    assert gained(as_it_is(found[LATEST]), found[LATEST], taken, ALONE) == {}


# The one exception to the removals, by L3: without a collection a disk is off unless something says
# otherwise, and of a VM that was not read nothing does. Its host encryption is unknown, by L2.
def test_a_vm_that_was_not_read_says_nothing_of_ade_but_leaves_the_host_unknown(tmp_path):
    body, own = os_pair("view", machine={"view": [seen("view-os", "encrypted")]})
    before = judged_worlds(tmp_path / "before", renamed([body, own], 0))[LATEST]
    after = judged_worlds(tmp_path / "after", renamed([own], 0))[LATEST]
    assert before[0, "view-os"]["no_vm_cpu"] == "no"
    assert (after[0, "view-os"]["ade"], after[0, "view-os"]["host"]) == ("off", "unknown")
