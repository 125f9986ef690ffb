"""The history: what is added stands, once and unchanged, and its sums are those of the captures."""

from __future__ import annotations

import csv
import json
import shutil

import pytest

import diskenc_analysis as de
from diskenc_analysis import history, historysums
from diskenc_analysis.errors import ParameterError, UnknownNameError, UnreadableInputError
from diskenc_analysis.ledger import sha256
from tests.command import diskenc
from tests.rules import GROUP, HOST, SEED, V3, V5, disk, records, vm, write

ENGINES = ("duckdb", "pandas", "polars", "arrow")
DAYS = ("2026-10-24", "2026-11-24")


@pytest.fixture(scope="module")
def sample():
    return de.load(de.sample_path(), engine="duckdb")


@pytest.fixture(scope="module")
def covered(sample):
    return de.coverage(sample)


@pytest.fixture(scope="module")
def folder(sample, tmp_path_factory):
    """The sample on one day, and a month later without one of its subscriptions."""
    home = tmp_path_factory.mktemp("history") / "store"
    history.add(sample, home, DAYS[0])
    history.add(smaller(tmp_path_factory.mktemp("smaller")), home, DAYS[1])
    return home


def smaller(folder):
    """Leave the sandbox's disks out."""
    shutil.copytree(de.sample_path(), folder, dirs_exist_ok=True)
    names = json.loads((folder / "subscriptions.jsonl").read_text().splitlines()[0])
    gone = names["subscriptionId"]
    lines = (folder / "disks.jsonl").read_text().splitlines(keepends=True)
    (folder / "disks.jsonl").write_text("".join(line for line in lines if gone not in line))
    return de.load(folder, engine="auto")


def stamp(home):
    return {path.relative_to(home).as_posix(): sha256(path) for path in home.rglob("*") if path.is_file()}


@pytest.mark.parametrize("by", [None, "subscription_name", "location", "tag:env"])
def test_sums_of_a_date_are_those_of_its_capture(covered, folder, by):
    expected = records(de.summarize(covered, by=by))
    found = [
        row
        for row in records(historysums.sums(history.read(folder), by=by))
        if row["capture_date"] == DAYS[0]
    ]
    for row in found:
        del row["capture_date"]
    if by == "tag:env":  # a VM whose disks have several tags is counted once here, and for each tag there
        expected, found = ([r for r in rows if r["weight"] == "disks"] for rows in (expected, found))
    assert found == expected


def test_sums_in_gib_leave_the_facts_of_vms_out(covered, folder):
    expected = [r for r in records(de.summarize(covered, by=None, weight="gib")) if r["weight"] == "gib"]
    found = [
        r
        for r in records(historysums.sums(history.read(folder), weight="gib"))
        if r.pop("capture_date") == DAYS[0]
    ]
    assert found == expected
    assert len(found) == 8


@pytest.mark.parametrize("engine", ENGINES[1:])
def test_every_engine_sums_alike(folder, engine):
    ours, theirs = history.read(folder), history.read(folder, engine)
    assert engine in type(theirs).__module__
    for by in (None, "subscription_id", "key_owner"):
        assert records(historysums.sums(theirs, by=by)) == records(historysums.sums(ours, by=by))
    for by in ("method", "key_owner"):
        assert records(historysums.layers(theirs, [by])) == records(historysums.layers(ours, [by]))
    assert records(historysums.captures(theirs)) == records(historysums.captures(ours))


def test_a_capture_with_fewer_disks_shows_it(folder):
    disks = {row["capture_date"]: row["disks"] for row in records(historysums.captures(history.read(folder)))}
    assert disks[DAYS[0]] == 400
    assert disks[DAYS[1]] < 400
    layers = records(historysums.layers(history.read(folder), ["method"]))
    assert sum(row["disks"] for row in layers) == sum(disks.values())


def test_the_same_capture_again_adds_nothing(sample, folder):
    before = stamp(folder)
    again = history.add(sample, folder, DAYS[0])
    assert (again.new, again.disks) == (False, 400)
    saved = de.Inventory(sample.connection, "pandas")  # the same capture through another engine
    assert not history.add(saved, folder, DAYS[0]).new
    assert stamp(folder) == before


def test_another_capture_of_a_date_is_refused_and_nothing_is_touched(sample, folder):
    before = stamp(folder)
    with pytest.raises(ParameterError, match="another capture of that date"):
        history.add(sample, folder, DAYS[1])
    with pytest.raises(ParameterError, match=f"judged by the edition 2026-04-02.*another history for {SEED}"):
        history.add(sample, folder, DAYS[0], SEED)
    assert stamp(folder) == before


def test_the_same_bytes_on_another_day_are_another_capture(sample, tmp_path):
    assert [history.add(sample, tmp_path, day).new for day in DAYS] == [True, True]
    found = records(historysums.captures(history.read(tmp_path)))
    assert [row["capture_date"] for row in found] == list(DAYS)
    assert len({row["capture"] for row in found}) == 1


def test_the_same_capture_gives_the_same_bytes(sample, tmp_path):
    for name in ("a", "b"):
        history.add(sample, tmp_path / name, DAYS[0])
    assert stamp(tmp_path / "a") == stamp(tmp_path / "b")


def test_what_breaks_off_leaves_nothing(sample, tmp_path, monkeypatch):
    history.add(sample, tmp_path, DAYS[0])
    before = stamp(tmp_path)

    def full(folder, *_, **__):
        (folder / "half.parquet").write_bytes(b"PAR1")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(history, "write_table", full)
        with pytest.raises(ParameterError, match=r"No space left on device\. What was there stands"):
            history.add(sample, tmp_path, DAYS[1])
    assert stamp(tmp_path) == before
    # A process that was killed leaves its hidden folder, which nobody reads and which is in nobody's way.
    killed = tmp_path / f".capture_date={DAYS[1]}.0123abcd.partial"
    killed.mkdir()
    (killed / "half.parquet").write_bytes(b"PAR1")
    assert [row["capture_date"] for row in records(historysums.captures(history.read(tmp_path)))] == [DAYS[0]]
    assert history.add(sample, tmp_path, DAYS[1]).new


def test_a_folder_that_appears_meanwhile_is_not_replaced(sample, tmp_path, monkeypatch):
    written = history.write_table

    def late(folder, *arguments, **named):
        written(folder, *arguments, **named)
        other = tmp_path / f"capture_date={DAYS[0]}"
        other.mkdir()
        (other / "theirs.parquet").write_bytes(b"theirs")

    monkeypatch.setattr(history, "write_table", late)
    with pytest.raises(ParameterError, match="cannot be written"):
        history.add(sample, tmp_path, DAYS[0])
    assert [path.name for path in tmp_path.glob("capture_date=*/*")] == ["theirs.parquet"]


def test_a_vm_is_counted_on_one_of_its_disks(tmp_path):
    rows = [
        vm("two", size=V3, security=HOST, data=["two-d"]),
        disk("two-os", "two", system="Windows"),
        disk("two-d", "two"),
        disk("orphan", "unread-vm"),
        disk("loose"),
    ]
    cov = de.coverage(de.load(write(tmp_path / "export", rows), engine="duckdb"))
    history.add(de.load(tmp_path / "export", engine="auto"), tmp_path / "store", DAYS[0])
    answers = {row["name"]: row["answers"] for row in records(history.read(tmp_path / "store"))}
    # At rest, temp disk (of the VM), caches, data flow ...: 1 no, 2 unknown, 3 yes, 4 not applicable.
    assert answers["two-d"][:4] == "3333"
    assert answers["two-os"][:4] == "3 33"
    assert answers["orphan"][:4] == "3222"
    assert answers["loose"][:4] == "3 44"
    assert all(len(text) == 10 for text in answers.values())
    found = records(historysums.sums(history.read(tmp_path / "store"), capability="temp_disk"))
    [expected] = records(de.summarize(cov, by=None, capability="temp_disk"))
    assert (found[0]["yes"], found[0]["unknown"], found[0]["total"]) == (1, 1, 2)
    assert {name: found[0][name] for name in expected} == expected


def test_the_date_is_that_of_the_export_unless_one_is_given(tmp_path):
    dated = write(tmp_path / "exports" / "2026-11-20", [disk("a")])
    assert history.add(de.load(dated, engine="auto"), tmp_path / "store").date == "2026-11-20"
    assert history.add(de.load(dated, engine="auto"), tmp_path / "store", "2026-11-21").date == "2026-11-21"
    bare = de.load(write(tmp_path / "bare", [disk("a")]), engine="auto")
    with pytest.raises(ParameterError, match=r"expected the date of the capture as YYYY-MM-DD, and no file"):
        history.add(bare, tmp_path / "store")
    with pytest.raises(ParameterError, match=r"got '24\.11\.2026'"):
        history.add(bare, tmp_path / "store", "24.11.2026")


def test_what_was_not_read_whole_stands_beside_the_sums(tmp_path):
    (tmp_path / "2026-11-24").mkdir()
    cut = {"value": [disk("a")], "nextLink": "https://management.azure.com/more"}
    (tmp_path / "2026-11-24" / "disks.json").write_text(json.dumps(cut))
    history.add(de.load(tmp_path / "2026-11-24", engine="auto"), tmp_path / "store")
    [row] = records(historysums.captures(history.read(tmp_path / "store")))
    assert row["unread"].startswith("disks: the export was cut short")


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_no_history_is_refused(tmp_path, engine):
    with pytest.raises(UnreadableInputError, match="expected a history"):
        history.read(tmp_path, engine)
    (tmp_path / "mine.txt").write_text("mine")
    bare = de.load(write(tmp_path / "2026-11-24", [disk("a")]), engine="auto")
    with pytest.raises(ParameterError, match="exists and is no history"):
        history.add(bare, tmp_path)


def test_wrong_names_are_named(folder):
    rows = history.read(folder)
    with pytest.raises(UnknownNameError, match='Did you mean "temp_disk"'):
        historysums.sums(rows, capability="temp_disc")
    with pytest.raises(UnknownNameError, match='Did you mean "location"'):
        historysums.sums(rows, by="locations")
    with pytest.raises(UnknownNameError, match="expected one of disks, gib"):
        historysums.sums(rows, weight="vms")


def test_the_command_adds_once_and_shows(tmp_path):
    dated = write(
        tmp_path / "2026-11-24", [vm("a", size=V5, security=HOST), disk("a-os", "a", system="Windows")]
    )
    for said in ("2026-11-24: 1 disk added", "2026-11-24: stands already, nothing was added"):
        done = diskenc("history", "add", str(dated), "--to", "store", cwd=tmp_path)
        assert (done.returncode, done.stdout.strip()) == (0, said), done.stderr
    done = diskenc("history", "show", "store", "--capability", "caches", "--format", "json", cwd=tmp_path)
    [row] = json.loads(done.stdout)
    assert (row["capture_date"], row["capability"], row["yes"], row["share_low"]) == (
        "2026-11-24",
        "caches",
        1,
        1,
    )
    done = diskenc("history", "show", "store", "--by", "method", "--format", "csv", cwd=tmp_path)
    assert list(csv.DictReader(done.stdout.splitlines())) == [
        {"capture_date": "2026-11-24", "method": "host", "disks": "1", "gib": "64"}
    ]
    assert "not read whole" not in done.stderr


def test_the_command_refuses_in_a_line(tmp_path):
    write(tmp_path / "bare", [disk("a")])
    cases = [
        (("add", "bare", "--to", "store"), 2, "give it"),
        (("show", "bare"), 3, "expected a history"),
        (("add", "bare", "--to", "bare", "--date", "2026-11-24"), 2, "is no history"),
    ]
    for arguments, code, said in cases:
        done = diskenc("history", *arguments, cwd=tmp_path)
        assert (done.returncode, said in done.stderr) == (code, True), done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("above", ["name=prod", "env=prod", "capture_date=2020-01-01", "it's [1]*?"])
def test_the_folders_above_a_history_say_nothing_of_it(tmp_path, above):
    """A folder `name=prod` is no column of each disk, and a bracket in a name is no pattern."""
    inv = de.load(write(tmp_path / "export", [disk("a"), disk("b")]), engine="auto")
    store = tmp_path / above / "history"
    history.add(inv, store, DAYS[0])
    for engine in ("duckdb", "polars", "arrow", "auto"):
        rows = records(history.read(store, engine))
        assert {(row["name"], row["capture_date"]) for row in rows} == {("a", DAYS[0]), ("b", DAYS[0])}
        assert "env" not in rows[0]


def test_a_capture_that_was_cut_short_on_disk_is_named_in_a_line(tmp_path):
    dated = write(tmp_path / DAYS[0], [disk("a")])
    assert diskenc("history", "add", str(dated), "--to", "store", cwd=tmp_path).returncode == 0
    [file] = (tmp_path / "store").glob("capture_date=*/*.parquet")
    file.write_bytes(file.read_bytes()[:50])
    for arguments in (("show", "store"), ("add", str(dated), "--to", "store")):
        done = diskenc("history", *arguments, cwd=tmp_path)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (3, "", 1), done.stderr
        assert file.name in done.stderr
        assert "remove its folder" in done.stderr


OURS, THEIRS = "aaaaaaaa-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000002"


def of_tenant(folder, tenant, name="a"):
    """Write a capture whose list of subscriptions names their tenant; of none where it is empty."""
    own = GROUP.split("/")[2]
    listed = {
        "id": f"/subscriptions/{own}",
        "type": "Microsoft.Resources/subscriptions",
        "subscriptionId": own,
    }
    unused = "99999999-2222-4333-8444-555555555555"  # without a disk, of our tenant
    beside = {"id": f"/subscriptions/{unused}", "subscriptionId": unused, "tenantId": OURS}
    rows = [listed | {"tenantId": tenant.upper()}, listed | beside] if tenant else []
    return write(folder, [disk(name), *rows])


def test_another_tenant_is_refused_unless_it_is_wanted(tmp_path):
    first, other = (de.load(of_tenant(tmp_path / t, t), engine="auto") for t in (OURS, THEIRS))
    bare = de.load(of_tenant(tmp_path / "bare", ""), engine="auto")
    store = tmp_path / "store"
    assert history.add(first, store, "2026-11-20").new
    assert history.add(bare, store, "2026-11-21").new  # whose it is nobody knows: nothing is said
    before = stamp(store)
    with pytest.raises(
        ParameterError, match=f"got one of tenant {THEIRS} for a history of tenant {OURS}: name"
    ):
        history.add(other, store, "2026-11-22")
    assert stamp(store) == before
    assert history.add(other, store, "2026-11-22", other_tenant=True).new
    assert not history.add(other, store, "2026-11-22").new  # it stands there already
    assert [history.add(one, store, f"2026-11-{day}").new for one, day in ((other, 23), (first, 24))] == [
        True
    ] * 2


def test_the_command_refuses_another_tenant_with_its_flag_in_the_message(tmp_path):
    for tenant, day in ((OURS, "2026-11-23"), (THEIRS, "2026-11-24")):
        of_tenant(tmp_path / day, tenant)
    assert diskenc("history", "add", "2026-11-23", "--to", "store", cwd=tmp_path).returncode == 0
    done = diskenc("history", "add", "2026-11-24", "--to", "store", cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n"), "--other-tenant" in done.stderr) == (2, 1, True), (
        done.stderr
    )
    done = diskenc("history", "add", "2026-11-24", "--to", "store", "--other-tenant", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "2026-11-24: 1 disk added\n")


def test_an_empty_folder_of_a_date_holds_nothing_and_is_filled(tmp_path):
    inv = de.load(write(tmp_path / "export", [disk("a")]), engine="auto")
    store = tmp_path / "store"
    history.add(inv, store, DAYS[0])
    empty = store / f"capture_date={DAYS[1]}"
    empty.mkdir()
    assert [row["capture_date"] for row in records(historysums.captures(history.read(store)))] == [DAYS[0]]
    assert history.add(inv, store, DAYS[1]).new
    foreign = store / "capture_date=2026-12-24"
    foreign.mkdir()
    (foreign / "mine.txt").write_text("mine")
    with pytest.raises(ParameterError, match="holds no capture but other files"):
        history.add(inv, store, "2026-12-24")
    assert [file.name for file in foreign.iterdir()] == ["mine.txt"]
