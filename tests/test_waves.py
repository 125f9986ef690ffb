"""Effort, waves, runbooks and what-ifs, worked out by hand."""

from __future__ import annotations

import shlex

import narwhals as nw
import pytest

import diskenc_analysis as de
from diskenc_analysis.errors import ParameterError, UnknownNameError
from diskenc_analysis.runbook import powershell, runbook
from diskenc_analysis.waves import Effort, waves
from tests.rules import (
    HOST,
    PMK,
    ade,
    cmk,
    des,
    disk,
    disk_id,
    extension,
    key_url,
    records,
    snapshot,
    vm,
    vm_id,
    write,
)

EVIL = "w'$(touch pwned)`id`;\n#\u2019"


def row(name, gib=0.0, *, path="upload", group="a", unsized=0, blocked="", state="on", kind="vm"):
    return {
        "id": f"/vms/{name}",
        "name": name,
        "kind": kind,
        "state": state,
        "path": path,
        "gib": gib,
        "unsized": unsized,
        "blocked_by": blocked,
        "subscription_name": group,
        "tags": f'{{"team":"{group}"}}',
    }


def frame(*found):
    import pandas as pd

    return pd.DataFrame(found).convert_dtypes(dtype_backend="pyarrow")


# 1024 MiB/s copy 3600 GiB in an hour.
RULE = Effort(1024, upload_hours=1, rebuild_hours=9, replace_hours=2, window_hours=4, parallel=2)


def test_hours_are_gib_by_throughput_and_fixed_steps():
    assert RULE.hours(row("a", 5400)) == 2.5
    assert RULE.hours(row("a", 5400, path="rebuild")) == 9
    assert RULE.hours(row("a", path="replace_host")) == 2
    assert RULE.hours(row("a", 5400, unsized=1)) is None
    assert RULE.hours(row("a", path="read_first")) is None


def test_every_assumption_is_printed_and_must_be_above_nought():
    assert {line["Assumption"]: line["Value"] for line in RULE.lines()} == {
        "mib_per_second": 1024,
        "upload_hours": 1,
        "rebuild_hours": 9,
        "replace_hours": 2,
        "window_hours": 4,
        "parallel": 2,
    }
    with pytest.raises(ParameterError, match="parallel: expected a number above 0, got 0"):
        Effort(parallel=0)


def test_waves_fit_the_window_and_lose_nobody():
    plan = frame(
        row("two", 3600),  # 2 h
        row("three", 7200),  # 3 h
        row("one", blocked="shared_disks"),  # 1 h, but after what nothing blocks
        row("rebuilt", path="rebuild"),  # 9 h: longer than the window
        row("unknown", unsized=1),
        row("other", group="b"),
        row("off", state="was_on"),
        row("copy", kind="snapshot"),
    )
    made = waves(plan, effort=RULE)
    names = [(w.group, [m["name"] for m in w.machines], w.hours, w.fits) for w in made]
    # Two lanes of 4 h: 2 h in one, 3 h in the other.
    assert names == [
        ("a", ["two", "three"], 3, True),
        ("a", ["rebuilt"], 9, False),
        ("a", ["one"], 1, True),
        ("a", ["unknown"], None, None),
        ("b", ["other"], 1, True),
    ]
    assert [w.number for w in made] == [1, 2, 3, 4, 5]


def test_what_is_longer_than_the_window_is_moved_side_by_side():
    plan = frame(*(row(f"r{n}", path="rebuild") for n in range(3)), row("short"))
    made = waves(plan, effort=RULE)
    # Two at once; what fits into a window is not held up by them.
    names = [([m["name"] for m in w.machines], w.hours, w.fits) for w in made]
    assert names == [(["short"], 1, True), (["r0", "r1"], 9, False), (["r2"], 9, False)]


def test_waves_by_tag_and_by_size():
    plan = frame(row("s", 128, group="x"), row("m", 129, group="y"), row("u", unsized=1, group="x"))
    assert [w.group for w in waves(plan, "tag:team")] == ["x", "x", "y"]
    by_size = [(w.group, w.machines[0]["name"]) for w in waves(plan, "size")]
    assert by_size == [("0 up to 128 GiB", "s"), ("1 up to 512 GiB", "m"), ("4 size not known in full", "u")]
    with pytest.raises(UnknownNameError, match="'team'"):
        waves(plan, "team")


def evil_wave(folder):
    machine = vm("w", data=["w-data"]) | {"name": EVIL}
    data = disk("w-data", "w", collection=ade()) | {"name": EVIL}
    os_disk = disk("w-os", "w", system="Windows", collection=ade())
    inv = de.load(write(folder, [machine, data, os_disk, extension("w")]), engine="polars")
    [wave] = waves(de.ade_migration(inv))
    return inv, wave


def test_a_hostile_name_stays_one_word_of_the_shell(tmp_path):
    text = runbook(*evil_wave(tmp_path))
    words = shlex.split(text, comments=True)
    assert words.count(f"--name={EVIL}") == 4  # show, disable, show, deallocate
    assert text.count(f"--name={shlex.quote(EVIL)}") == 5, "and its zone is asked for"
    assert f"--name={EVIL}-new" in words
    assert not any(word.startswith(("touch", "id")) for word in words)
    # A comment is one line, whatever the name holds.
    outside = [line for line in text.splitlines() if line.startswith("#")]
    assert any("w'$(touch pwned)`id`; #" in line for line in outside)


def test_a_hostile_name_is_one_literal_of_powershell(tmp_path):
    text = runbook(*evil_wave(tmp_path), shell="powershell")  # noqa: S604
    assert powershell(EVIL) == "'w''$(touch pwned)`id`;\n#\u2019\u2019'"
    assert text.count(f"-Name {powershell(EVIL)}") == 2
    assert f"-DiskName {powershell(EVIL + '-new')}" in text
    with pytest.raises(UnknownNameError, match="unknown shell 'cmd'"):
        runbook(*evil_wave(tmp_path / "again"), shell="cmd")  # noqa: S604


def test_a_name_with_signs_that_do_not_show_is_pointed_at(tmp_path):
    assert "# Careful: a name here holds line breaks or signs that do not show" in runbook(
        *evil_wave(tmp_path)
    )
    machine = [vm("w"), disk("w-os", "w", system="Windows", collection=ade())]
    inv = de.load(write(tmp_path / "plain", machine), engine="polars")
    assert "Careful" not in runbook(inv, waves(de.ade_migration(inv))[0])


def test_powershell_is_told_the_subscription_first(tmp_path):
    lines = runbook(*evil_wave(tmp_path), shell="powershell").splitlines()  # noqa: S604
    first = next(line for line in lines if line and not line.startswith("#"))
    assert first == "Set-AzContext -Subscription '11111111-2222-4333-8444-555555555555'"


def test_the_steps_are_those_of_the_documentation_in_their_order(tmp_path):
    lines = runbook(*evil_wave(tmp_path)).replace(shlex.quote(EVIL), "NAME")
    order = ["encryption disable", "encryption show", "deallocate", "bytes + 512", "azcopy", "vm create"]
    places = [lines.index(step) for step in order]
    assert places == sorted(places)
    assert "--encryption-at-host=true" in lines


def test_a_new_disk_keeps_generation_and_security_type_which_no_upload_carries(tmp_path):
    """A disk of generation 2 that is made without saying so is one of generation 1, and does not boot."""
    secured = disk(
        "w-os", "w", system="Windows", collection=ade(), security={"securityType": "TrustedLaunch"}
    )
    objects = [vm("w", data=["w-data"]), secured, disk("w-data", "w", collection=ade())]
    inv = de.load(write(tmp_path, objects), engine="polars")
    [wave] = waves(de.ade_migration(inv))
    for shell, asked in (("az", "--query=hyperVGeneration"), ("powershell", ".HyperVGeneration")):
        text = runbook(inv, wave, shell)
        assert text.count(asked) == 1, "of the OS disk alone"
        assert text.count("# The old disk has the security type TrustedLaunch") == 1
    made = [line for line in runbook(inv, wave).splitlines() if line.startswith("az disk create")]
    assert ['--hyper-v-generation="${generation:-V1}"' in line for line in sorted(made)] == [False, True]


WEST, NORTH = "westeurope", "northeurope"


@pytest.mark.parametrize(
    ("regions", "named", "notes"),
    [
        ([WEST], "/diskEncryptionSets/des0", 0),  # the only set there: named
        ([WEST, WEST], "REPLACE-ME", 2),  # a person has to choose
        ([NORTH], "REPLACE-ME", 0),  # a set of another region does not fit
    ],
)
def test_new_disks_under_a_customers_key_name_the_set(tmp_path, regions, named, notes):
    """A set has to be in the subscription and region of the disk (FACTS 6, restrictions of customer keys)."""
    sets = [des(f"des{at}", key_url("kv", "k")) | {"location": where} for at, where in enumerate(regions)]
    objects = [vm("w"), disk("w-os", "w", system="Windows", collection=ade()), *sets]
    inv = de.load(
        write(tmp_path, [one | {"location": one.get("location", WEST)} for one in objects]), engine="polars"
    )
    [wave] = waves(de.ade_migration(inv, customer_key=True))
    for shell, of_set, kind in (
        ("az", "--disk-encryption-set=", "--encryption-type=EncryptionAtRestWithCustomerKey"),
        ("powershell", "-DiskEncryptionSetId ", "-EncryptionType EncryptionAtRestWithCustomerKey"),
    ):
        [made] = [
            line
            for line in runbook(inv, wave, shell).splitlines()
            if "disk create" in line or "DiskConfig" in line
        ]
        assert kind in made
        assert named in made.partition(of_set)[2].split()[0]
        assert runbook(inv, wave, shell).count("# Or: ") == notes
    [wave] = waves(de.ade_migration(inv))
    assert "EncryptionAtRest" not in runbook(inv, wave), "no customer's key was asked for"


def test_new_disks_and_vms_stand_in_the_zone_of_the_old(tmp_path):
    """A VM of a zone takes disks of its zone alone, so what is made without one could not be attached."""
    text = runbook(*evil_wave(tmp_path))
    made = text.count("az disk create ") + text.count("az vm create ")
    assert text.count('${zone:+--zone="$zone"}') == text.count('zone="$(az ') == made == 3
    text = runbook(*evil_wave(tmp_path / "again"), shell="powershell")  # noqa: S604
    assert text.count("New-AzDiskConfig @place ") == text.count("$place.Zone = $zone") == 2


@pytest.mark.parametrize("engine", ["duckdb", "pandas", "polars", "arrow"])
def test_a_what_if_changes_what_is_asked_and_leaves_the_inventory_alone(tmp_path, engine):
    objects = [
        *(vm("mine", data=["data"]), disk("mine-os", "mine", system="Windows", collection=ade())),
        *(disk("data", "mine", collection=ade(enabled=False)), extension("mine")),
        *(vm("other"), disk("other-os", "other")),
        *(vm("has", security=HOST), disk("has-os", "has"), snapshot("snap", encryption=PMK)),
    ]
    inv = de.load(write(tmp_path, objects), engine=engine)
    cov = de.coverage(inv)
    before = de.summarize(cov, by=None, capability="caches")
    made = de.what_if(inv, host="on", where={"name": ["mine-os", "data"]}, customer_key=True)
    assert (made.vms, made.disks) == (1, 2)
    gains = {
        g["capability"]: (g["yes_before"], g["yes_after"], g["no_before"], g["no_after"])
        for g in made.gains()
    }
    # Caches: mine-os by ADE and has-os by host before; then all of mine and has-os; other-os stays.
    assert gains["caches"] == (2, 3, 2, 1)
    # ADE used the VM's CPU; of the disk that was once under it nobody knows.
    assert gains["no_vm_cpu"] == (2, 4, 1, 0)
    # The KEK was the customer's on mine-os, the set is on both.
    assert gains["customer_keys"] == (1, 2, 4, 3)
    assert gains["temp_disk"] == (2, 2, 1, 1)
    after = {r["name"]: r for r in records(made.after)}
    assert {r: after[r]["conflicts"] for r in ("mine-os", "data")} == {"mine-os": "", "data": ""}
    assert (after["mine-os"]["ade"], after["mine-os"]["host"]) == ("off", "on")
    assert records(de.summarize(cov, by=None, capability="caches")) == records(before)
    assert {r["name"]: r["host"] for r in records(de.coverage(inv))}["mine-os"] == "off"


def before_and_after(made, capability):
    [row] = made.gains(capability=capability)
    return tuple(row[f"{answer}_{when}"] for answer in ("yes", "unknown") for when in ("before", "after"))


@pytest.fixture(scope="module", params=["duckdb", "pandas", "polars", "arrow"])
def keyed(request, tmp_path_factory):
    """Host encryption and a customer's key for everything, on paper.

    Nothing is known of the VM "gone" but that it owns a disk under Azure Disk Encryption; "read" has nothing;
    the data disk of "w" gets a key, and its OS disk has one.
    """
    objects = [disk("gone-os", "gone", system="Windows", collection=ade())]
    objects += [vm("read"), disk("read-os", "read")]
    objects += [vm("w", data=["mine"]), disk("w-os", "w", encryption=cmk("has"), collection=ade())]
    objects += [disk("mine", "w", collection=ade())]
    folder = write(tmp_path_factory.mktemp("keyed"), objects)
    made = de.what_if(de.load(folder, engine=request.param), host="on", customer_key=True)
    before, after = ({row["name"]: row for row in records(cov)} for cov in (made.before, made.after))
    return made, before, after


def test_a_vm_that_was_not_read_is_counted_apart_and_not_changed(keyed):
    made, before, after = keyed
    # The VMs "read" and "w"; the disks that had no key and whose VM was read: read-os and mine.
    assert (made.vms, made.disks, made.left_out) == (2, 2, {"unread_vm": 1})
    # Caches of gone-os: yes by Azure Disk Encryption before and after; of read-os: no, then yes.
    assert [rows["gone-os"]["caches"] for rows in (before, after)] == ["yes", "yes"]
    assert [rows["read-os"]["caches"] for rows in (before, after)] == ["no", "yes"]
    # w-os has a key and Azure Disk Encryption, which contradict each other before; mine is yes all along.
    assert before_and_after(made, "caches") == (2, 4, 1, 0)
    assert (after["gone-os"]["ade"], after["gone-os"]["sse"]) == ("on", "platform")


def test_the_sample_loses_nothing_where_no_vm_was_exported():
    made = de.what_if(
        de.load(de.sample_path(), engine="polars"), host="on", where={"subscription_name": "contoso-acquired"}
    )
    assert (made.vms, made.left_out) == (0, {"unread_vm": 22})
    before, after = (
        sorted(records(cov), key=lambda row: row["disk_id"]) for cov in (made.before, made.after)
    )
    assert before == after


def shared(*owners, collection=None):
    body = disk("both", owners[0], collection=collection, maxShares=2)
    body["managedByExtended"] = [vm_id(name) for name in owners]
    return body


def two_vms():
    made = [vm(name, data=["both"]) for name in "ab"]
    return [*made, *(disk(f"{name}-os", name) for name in "ab")]


def test_all_vms_of_a_chosen_shared_disk_are_changed(tmp_path):
    inv = de.load(write(tmp_path, [*two_vms(), shared("a", "b")]), engine="polars")
    made = de.what_if(inv, host="on", where={"name": "both"})
    assert (made.vms, made.left_out) == (2, {})
    assert {row["name"]: row["host"] for row in records(made.after)} == dict.fromkeys(
        ("both", "a-os", "b-os"), "on"
    )


def test_a_disk_shared_with_a_vm_that_stays_is_left_as_it_is(tmp_path):
    inv = de.load(write(tmp_path, [*two_vms(), shared("a", "b", collection=ade())]), engine="polars")
    made = de.what_if(inv, host="on", where={"name": "a-os"})
    assert (made.vms, made.left_out) == (1, {"shared": 1})
    after = {row["name"]: (row["host"], row["ade"]) for row in records(made.after)}
    assert after == {"both": ("partial", "on"), "a-os": ("on", "off"), "b-os": ("off", "off")}


def test_a_key_for_a_disk_that_was_once_encrypted_needs_a_new_disk(tmp_path):
    objects = [vm("w", data=["mine", "was"]), disk("w-os", "w", encryption=cmk("has"))]
    objects += [disk("mine", "w"), disk("was", "w", collection=ade(enabled=False))]
    inv = de.load(write(tmp_path, objects), engine="polars")
    made = de.what_if(inv, customer_key=True)
    # w-os has a customer's key already.
    assert (made.disks, made.left_out) == (1, {"old_disk": 1})
    assert de.what_if(inv, host="on", customer_key=True).disks == 2


def test_a_disk_becomes_new_though_it_has_a_customer_key_already(keyed):
    # The data disk gets a key, the OS disk has one: both lose their Azure Disk Encryption.
    _, _, after = keyed
    found = {name: tuple(after[name][n] for n in ("ade", "host", "sse")) for name in ("w-os", "mine")}
    assert found == dict.fromkeys(("w-os", "mine"), ("off", "on", "customer"))


@pytest.mark.parametrize("engine", ["duckdb", "pandas", "polars", "arrow"])
def test_a_what_if_changes_the_rows_that_stand_in_place_of_a_table(tmp_path, engine):
    objects = [*(vm("mine"), disk("mine-os", "mine")), *(vm("other"), disk("other-os", "other"))]
    inv = de.load(write(tmp_path, objects), engine=engine)
    for table in ("disks", "vms", "vm_disks"):
        mine = nw.col("parent_key" if table == "vm_disks" else "key").str.contains("mine")
        setattr(inv, table, nw.from_native(getattr(inv, table)).filter(mine).to_native())
    made = de.what_if(inv, host="on")
    assert [(row["name"], row["host"]) for row in records(made.before)] == [("mine-os", "off")]
    assert [(row["name"], row["host"]) for row in records(made.after)] == [("mine-os", "on")]


def test_nothing_stays_attached_after_a_what_if(tmp_path):
    inv = de.load(write(tmp_path, [vm("w"), disk("w-os", "w")]), engine="duckdb")
    listed = "SELECT database_name FROM duckdb_databases() ORDER BY ALL"
    there = inv.connection.execute(listed).fetchall()
    made = de.what_if(inv, host="on")
    with pytest.raises(UnknownNameError):
        de.what_if(inv, host="on", where={"nam": "x"})
    assert inv.connection.execute(listed).fetchall() == there
    assert before_and_after(made, "caches") == (0, 1, 0, 0)


def test_a_what_if_of_nothing_is_refused(tmp_path):
    inv = de.load(write(tmp_path, [disk("d")]), engine="polars")
    with pytest.raises(ParameterError, match="expected host"):
        de.what_if(inv)
    with pytest.raises(UnknownNameError, match="subscripton"):
        de.what_if(inv, host="on", where={"subscripton_name": "x"})


def wave_of(folder, *objects):
    inv = de.load(write(folder, objects), engine="polars")
    [wave] = waves(de.ade_migration(inv))
    return inv, wave


def test_no_disk_of_a_vm_is_lost_on_the_way(tmp_path):
    """What is copied, and for every other disk a word; none but the OS disk is copied without need."""
    both = disk("both", "other", collection=ade(), maxShares=2)
    both["managedByExtended"] = [vm_id("other"), vm_id("w")]
    far = disk("far", "w", collection=ade())
    far["id"] = far["id"].replace("rg-rules", "rg-far")
    objects = [vm("w", data=["far", "fast", "gone", "both"], system="Linux"), both, far]
    objects += [disk("w-os", "w", system="Linux"), disk("fast", "w", sku="UltraSSD_LRS")]
    far_id = far["id"]
    objects[0]["properties"]["storageProfile"]["dataDisks"][0]["managedDisk"]["id"] = far_id
    inv = de.load(write(tmp_path, objects), engine="polars")
    [wave] = waves(de.ade_migration(inv))
    text = runbook(inv, wave)
    made = [line.partition("--name=")[2].split()[0] for line in text.splitlines() if "disk create" in line]
    assert made == ["far-new", "w-os-new"]
    said = [
        line for line in text.splitlines() if (line.startswith("# ") and "ttach" in line) or "copies" in line
    ]
    assert [line.partition(": ")[0] for line in said] == [
        "# both",
        "# fast",
        f"# {disk_id('gone').lower()}",
    ]
    [create] = [line for line in text.splitlines() if line.startswith("az vm create")]
    # By its id: a bare name is looked for in the resource group of the VM.
    assert create.endswith(f"--attach-data-disks {far_id}-new")
    assert f"--attach-os-disk={disk_id('w-os')}-new" in create


def test_the_steps_ask_the_cli_for_what_it_prints(tmp_path):
    """Newer versions print accessSAS, older ones accessSas (azure-compute-docs, pull request 479)."""
    inv, wave = wave_of(tmp_path, vm("w"), disk("w-os", "w", system="Windows", collection=ade()))
    text = runbook(inv, wave)
    assert text.count("--query='accessSAS || accessSas'") == 2
    assert "security type (empty)" not in text


def test_the_volume_to_decrypt_is_never_guessed(tmp_path):
    """A Windows VM takes no type DATA, and a Linux VM with data disks alone no ALL."""
    machine = vm("w", data=["w-data"], system=None)
    machine["properties"]["storageProfile"]["osDisk"].pop("osType")
    inv, wave = wave_of(tmp_path, machine, disk("w-os", "w"), disk("w-data", "w", collection=ade()))
    assert "--volume-type=REPLACE-ME " in runbook(inv, wave)
