"""The report on the way out of Azure Disk Encryption: the sample VM by VM, its words, charts and files."""

from __future__ import annotations

from datetime import date

import pytest

import diskenc_analysis as de
from diskenc_analysis import migrationcharts, migrationdigest, steplists, timecharts
from diskenc_analysis.errors import ParameterError, UnreadableInputError
from diskenc_analysis.migrationcounts import tally
from diskenc_analysis.outlook import outlook
from diskenc_analysis.run_out import Point, run_out
from diskenc_analysis.timeline import schedule
from diskenc_analysis.waterfall import what_if_waterfall
from diskenc_analysis.waves import Wave
from diskenc_analysis.what_if import WhatIf
from diskenc_analysis.what_if_lists import chart, gains, parse_where, said, wished
from diskenc_analysis.what_if_scope import LEFT_OUT
from tests.rules import ade, disk, records, vm, write

AS_OF = "2026-11-24"
DEPEND = "33 VMs depend on Azure Disk Encryption, which"
EVIL = "<img src=x onerror=alert(1)>"

#: Every VM of the sample by what its JSON says: its disks' flags, the instance view, or its own settings.
UPLOAD = [
    "vm-etl-00214",
    "vm-file-00207",
    "vm-sql-00082",
    "vm-sql-00222",
    "vm-web-00210",
    "vm-api-00041",
    "vm-api-00161",
    "vm-bi-00048",
    "vm-bi-00158",
    "vm-bi-00168",
    "vm-erp-00033",
    "vm-erp-00163",
    "vm-etl-00034",
    "vm-file-00047",
    "vm-file-00157",
    "vm-file-00167",
    "vm-hr-00039",
    "vm-hr-00049",
    "vm-hr-00159",
    "vm-mail-00036",
    "vm-mail-00066",
    "vm-mail-00166",
    "vm-sap-00035",
    "vm-sql-00032",
]
REBUILD = [
    "vm-api-00171",
    "vm-bi-00038",
    "vm-etl-00164",
    "vm-file-00037",
    "vm-sql-00042",
    "vm-sql-00162",
    "vm-web-00040",
    "vm-web-00160",
    "vm-web-00170",
]
NEW_DISKS = ["vm-erp-00043", "vm-etl-00044", "vm-sap-00045", "vm-sap-00165"]
#: Their subscription exported disks alone.
UNREAD = UPLOAD[:5]


@pytest.fixture(scope="module")
def sample():
    inv = de.load(de.sample_path(), engine="polars")
    plan = de.ade_migration(inv, AS_OF)
    slots = schedule(de.waves(plan), date(2026, 11, 24))
    return inv, plan, slots, outlook(inv, plan, AS_OF)


@pytest.fixture(scope="module")
def vms(sample):
    return {row["name"]: row for row in records(sample[1]) if row["kind"] == "vm"}


def test_the_path_of_every_vm_of_the_sample(vms):
    expected = dict.fromkeys(UPLOAD, "upload") | dict.fromkeys(REBUILD, "rebuild")
    expected |= dict.fromkeys(NEW_DISKS, "new_disks")
    # The one is a confidential VM with the extension, of the other the disks and the guest disagree.
    expected |= {"vm-file-00057": "undocumented", "vm-mail-00046": "read_first"}
    assert {name: row["path"] for name, row in vms.items()} == expected


def test_every_check_of_the_sample(vms):
    due = {name: row for name, row in vms.items() if row["state"] == "on"}
    assert set(due) == {*UPLOAD, *REBUILD}

    def those(check, answer):
        return {name for name, row in due.items() if row[check] == answer}

    everyone = set(due)
    # Two snapshots are flagged; the others of the sample are not.
    assert those("snapshots", "blocks") == {"vm-mail-00066", "vm-mail-00166"}
    assert those("snapshots", "clear") == everyone - those("snapshots", "blocks")
    # No such table is in the sample, and a domain join is never ruled out.
    for check in ("feature", "restore_points", "backup", "domain_join"):
        assert those(check, "unknown") == everyone
    # The D4s_v3 supports it in uksouth by the SKU export, of which the D4s_v5 is no part.
    assert those("host_size", "unknown") == {*UNREAD, "vm-hr-00049"}
    assert those("host_size", "clear") == everyone - {*UNREAD, "vm-hr-00049"}
    assert those("resize", "not_applicable") == set(REBUILD)
    assert those("resize", "unknown") == {*UNREAD, "vm-hr-00049"}
    for check in ("placement", "write_accelerator", "unmanaged"):
        assert those(check, "unknown") == set(UNREAD)
    for check in ("deny_policies", "sector_size", "shared_disks"):
        assert those(check, "clear") == everyone
    # Only what is copied byte by byte is exported.
    for check in ("active_sas", "export"):
        assert (those(check, "clear"), those(check, "not_applicable")) == (set(UPLOAD), set(REBUILD))
    assert those("customer_key", "not_applicable") == those("decrypted", "not_applicable") == everyone


def test_the_verdict_of_the_sample(sample):
    _, plan, slots, seen = sample
    told = migrationdigest.verdict(plan, slots, seen, AS_OF).sentences
    ways = "Their ways out: disable and upload to new disks 24; rebuild and move the data 9."
    # Of two VMs data disks alone are encrypted: their OS disks of 127 and 30 GiB are copied too.
    assert told[:4] == (
        "33 VMs depend on Azure Disk Encryption, which retires in 661 days, on 2028-09-15.",
        "Of 1 VM it is not known.",
        f"{ways} 13,269 GiB on 49 disks are to be moved.",
        "Something stands in the way of 2, something is not known of 31, 0 are clear.",
    )
    assert "Beside VMs, what stays encrypted or was made of them: 1 unattached disk, 2 snapshots." in told
    assert told[-1].endswith("a pace needs counts of two days or more, and there is one.")


def test_nothing_of_an_unknown_path_is_clear(sample):
    found = [row for row in tally(sample[1]) if row["path"] in ("read_first", "undocumented")]
    assert {row["standing"] for row in found} == {"unknown"}
    rest = [row for row in tally(sample[1]) if row["kind"] != "vm"]
    assert {row["standing"] for row in rest} == {"not_asked"}


@pytest.mark.parametrize(
    ("as_of", "said"),
    [
        ("", f"{DEPEND} retires on 2028-09-15."),
        ("2028-09-14", f"{DEPEND} retires in 1 day, on 2028-09-15."),
        (
            "2028-09-15",
            f"{DEPEND} retired on 2028-09-15: none of them will unlock after a reboot.",
        ),
    ],
)
def test_the_first_sentence_turns_on_the_day(sample, as_of, said):
    _, plan, slots, seen = sample
    assert migrationdigest.verdict(plan, slots, seen, as_of).sentences[0] == said


def test_facts_are_json_and_hold_every_assumption(sample):
    import json

    inv, plan, slots, seen = sample
    told = json.loads(json.dumps(migrationdigest.facts(inv, plan, slots, seen, de.Effort(), AS_OF)))
    assert told["assumptions"] == {
        "mib_per_second": 100,
        "upload_hours": 2,
        "rebuild_hours": 16,
        "replace_hours": 1,
        "window_hours": 8,
        "parallel": 4,
    }
    assert (told["left"], told["not_known"], told["days_left"]) == (33, 1, 661)
    assert sum(wave["vms"] for wave in told["waves"]) == 33
    assert told["run_out"]["points"] == [{"day": AS_OF, "vms": 33}]
    assert {row["check"] for row in told["checks"]} >= {"host_size", "decrypted"}


def test_the_lists_name_every_vm_and_every_copy(sample, vms):
    _, plan, slots, _ = sample
    shown = migrationdigest.vm_list(plan, slots, 100)
    assert {line[0] for line in shown.lines} == set(vms)
    row = next(line for line in shown.lines if line[0] == "vm-mail-00066")
    assert row[2:5] == (
        "OS disk, Windows, current generation, key encryption key",
        "Disable and upload to new disks",
        "Encrypted snapshots",
    )
    # 127 GiB * 1024 / 100 MiB/s / 3600 + 2 h = 2.36 h.
    assert row[5:] == ("127", "2.4", "7", "high: unlocks until 2028-09-15")
    assert len(migrationdigest.other_list(plan).lines) == 3
    [(_, reasons)] = migrationdigest.vm_reasons(plan, 100).lists
    assert len(reasons.lines) == len(vms)
    cut = migrationdigest.vm_list(plan, slots, 5)
    assert cut.cut == "5 of 39 shown, all in the appendix: sheet ade_migration"


def test_every_assumption_is_listed():
    shown = migrationdigest.assumptions(de.Effort(parallel=3), date(2027, 1, 4), 14)
    assert {line[0]: line[1] for line in shown.lines} == {
        "mib_per_second": "100",
        "upload_hours": "2",
        "rebuild_hours": "16",
        "replace_hours": "1",
        "window_hours": "8",
        "parallel": "3",
        "first_window": "2027-01-04",
        "window_days": "14",
    }


def hostile(folder):
    machine = [vm("w") | {"name": EVIL}, disk("w-os", "w", system="Windows", collection=ade())]
    inv = de.load(write(folder, machine), engine="polars")
    plan = de.ade_migration(inv, AS_OF)
    return inv, plan, de.waves(plan)


def test_hostile_names_stay_text(tmp_path):
    inv, plan, made = hostile(tmp_path)
    slots = schedule(made, date(2027, 1, 4))
    parts = [migrationdigest.vm_list(plan, slots), migrationdigest.vm_reasons(plan)]
    parts += [migrationdigest.steps(inv, made), migrationdigest.wave_list(slots)]
    pages = [part._repr_html_() for part in parts]
    assert not any(EVIL in page for page in pages)
    assert "&lt;img src=x onerror=alert(1)&gt;" in pages[0].replace("<wbr>", "")
    assert "--name=&#39;&lt;img" in pages[2]


def test_signs_that_do_not_show_are_written_out():
    assert migrationdigest.visible("a\u202eb\tc\n") == "a\\u202eb\\u0009c\n"


def test_a_text_file_for_every_wave(tmp_path, sample):
    inv, _, slots, _ = sample
    made = [slot.wave for slot in slots]
    migrationdigest.write_runbooks(tmp_path, inv, made)
    files = sorted(path.name for path in (tmp_path / "runbooks").iterdir())
    assert files == [f"wave-{n:03}.txt" for n in range(1, len(made) + 1)]
    text = (tmp_path / "runbooks" / "wave-001.txt").read_text()
    assert all(name in text for name in UNREAD)
    shown = migrationdigest.steps(inv, made, limit=2)
    assert [heading.split(":")[0] for heading, _ in shown.texts] == ["Wave 1", "Wave 2"]
    assert shown.cut == f"2 of {len(made)} waves shown; the folder data/runbooks has all."


@pytest.mark.parametrize(("most", "left"), [(1, 1), (10_000_000, 3)])
def test_runbooks_leave_a_page_that_opens(sample, monkeypatch, most, left):
    inv, _, slots, _ = sample
    monkeypatch.setattr(steplists, "_MOST", most)
    made = [slot.wave for slot in slots][:3]
    shown = migrationdigest.steps(inv, made)
    assert len(shown.texts) == left
    assert shown.cut == ("" if left == 3 else "1 of 3 waves shown; the folder data/runbooks has all.")


def test_an_earlier_inventory_and_counts_make_a_line(tmp_path):
    objects = [vm("w"), disk("w-os", "w", system="Windows", collection=ade())]
    more = [vm("v"), disk("v-os", "v", system="Windows", collection=ade())]
    now = de.load(write(tmp_path / "now", objects), engine="polars")
    write(tmp_path / "then", objects + more)
    plan = de.ade_migration(now)
    earlier = str(tmp_path / "then")
    seen = outlook(
        now, plan, "2026-03-02", baseline=earlier, baseline_as_of="2026-01-01", points="2025-11-02=3"
    )
    assert [(str(p.day), p.vms) for p in seen.line.points] == [
        ("2025-11-02", 3),
        ("2026-01-01", 2),
        ("2026-03-02", 1),
    ]
    # Two VMs in 120 days, so the last takes 60.
    assert seen.line.ends == date(2026, 5, 1)
    told = migrationdigest.verdict(plan, (), seen).sentences
    assert "Since the earlier inventory: under it before and now 1; VM is gone 1." in told
    assert [line[2] for line in migrationdigest.progress_list(seen.progress).lines] == [
        "VM is gone",
        "Under it before and now",
    ]
    # Of a day that is not stated there is no count.
    assert outlook(now, plan, baseline=earlier).line.points == ()


def test_an_earlier_inventory_without_disks_is_refused(tmp_path):
    now = de.load(write(tmp_path / "now", [disk("d")]), engine="polars")
    (tmp_path / "none.json").write_text("[]")
    with pytest.raises(UnreadableInputError, match="no disks"):
        outlook(now, de.ade_migration(now), baseline=str(tmp_path / "none.json"))


# --- charts ------------------------------------------------------------------------------------------------


def meta(figure):
    return figure.layout.meta


def test_paths_are_drawn_by_standing():
    counts = [{"path": "upload", "standing": "blocked", "pairs": 1}]
    counts += [{"path": "rebuild", "standing": "unknown", "pairs": 2}]
    figure = migrationcharts.ways(counts)
    assert list(figure.layout.yaxis.ticktext) == [
        "Rebuild and move the data",
        "Disable and upload to new disks",
    ]
    assert [(trace.name, list(trace.x)) for trace in figure.data] == [
        ("Something not known", [2, 0]),
        ("Something in the way", [0, 1]),
    ]
    assert meta(figure)["alt"].startswith("3 VMs in all: Something not known 2 VMs")


def test_the_text_of_the_checks_sums_no_vm_twice():
    counts = [
        {"check": "backup", "answer": "blocks", "pairs": 1},
        {"check": "backup", "answer": "clear", "pairs": 2},
    ]
    counts += [{"check": "feature", "answer": "unknown", "pairs": 3}]
    figure = migrationcharts.blockers(counts)
    assert list(figure.layout.yaxis.ticktext) == ["Encrypted backups", "Feature EncryptionAtHost"]
    assert meta(figure)["alt"] == (
        "Each check is of 3 VMs. In the way: Encrypted backups 1. Not known: Feature EncryptionAtHost 3."
    )


def waves(*days_of):
    return [Wave(n, EVIL, ({}, {}), hours, None) for n, hours in enumerate(days_of, 1)]


def test_the_timeline_marks_what_is_late_and_what_is_open():
    figure = timecharts.timeline(schedule(waves(4.0, None, 4.0), date(2028, 9, 1)))
    marks = {trace.name: (list(trace.x), list(trace.y)) for trace in figure.data[1:]}
    assert marks == {
        "Wave in time": (["2028-09-01"], [4]),
        "Wave of unknown hours": (["2028-09-08"], [2]),
        "Wave that is too late": (["2028-09-15"], [0]),
    }
    assert meta(figure)["alt"] == (
        "3 waves of 6 VMs in all, from 2028-09-01 to 2028-09-15; 1 on 2028-09-15 or later. "
        "Of 1 it is not known when they end."
    )
    assert meta(figure)["rows"] == [["2028-09", "3", "6", "0"]]
    assert "<img" not in str(figure.to_json())


def test_a_long_timeline_stays_short_in_numbers():
    figure = timecharts.timeline(schedule(waves(*[4.0] * 100), date(2027, 1, 1), 30))
    assert len(meta(figure)["rows"]) == 60
    assert meta(figure)["rows"][-1] == ["…", "…", "…", "0"]


def test_the_run_out_line_ends_at_nought():
    line = run_out([Point(date(2026, 9, 1), 40), Point(date(2026, 10, 1), 28)])
    figure = timecharts.run_out_line(line)
    assert [(trace.name, list(trace.x), list(trace.y)) for trace in figure.data] == [
        ("Counted", ["2026-09-01", "2026-10-01"], [40, 28]),
        ("If the pace stays", ["2026-10-01", "2026-12-10"], [28, 0]),
    ]
    assert meta(figure)["alt"] == line.said
    assert meta(figure)["rows"][-1] == ["2026-12-10, if the pace stays", "0"]
    one = timecharts.run_out_line(run_out([Point(date(2026, 9, 1), 40)]))
    assert [trace.name for trace in one.data] == ["Counted"]


@pytest.mark.parametrize(
    ("figure", "said"),
    [
        (migrationcharts.ways([]), "no VMs"),
        (migrationcharts.blockers([]), "no VMs"),
        (timecharts.timeline(()), "no waves"),
        (timecharts.timeline(schedule(waves(4.0), None)), "no day is stated for the first wave"),
        (timecharts.run_out_line(run_out([])), "no count of a stated day"),
        (what_if_waterfall([]), "nothing would change"),
    ],
)
def test_charts_of_nothing_say_so(figure, said):
    assert meta(figure)["alt"] == f"Nothing to draw: {said}."


def gain(group, before, after, capability="caches", unknown=(0, 0)):
    row = {"subscription_name": group, "capability": capability, "weight": "disks", "total": 9}
    row |= {"yes_before": before, "yes_after": after, "no_before": 0, "no_after": 0}
    return row | {"unknown_before": unknown[0], "unknown_after": unknown[1]}


def test_the_waterfall_goes_from_before_to_after():
    found = [gain("same", 4, 4), gain(EVIL, 1, 4, unknown=(2, 1)), gain("less", 3, 2)]
    found += [gain("other", 1, 9, "hsm")]
    figure = what_if_waterfall(found, capability="caches")
    [bars] = figure.data
    assert list(bars.measure) == ["absolute", "relative", "relative", "total"]
    # 4 + 1 + 3 before; what does not change has no bar.
    assert list(bars.x) == [8, 3, -1, 10]
    assert meta(figure)["alt"] == (
        f"Yes for 8 disks before and 10 after: {EVIL} +3; less \u22121. Unknown: 2 before, 1 after."
    )
    assert figure.layout.yaxis.ticktext[1] == "&lt;img src=x onerror=alert(1)&gt;"
    # Without a name it is the capability that changes most: 8 against 4.
    assert list(what_if_waterfall(found).data[0].x) == [1, 8, 9]
    few = what_if_waterfall(found, capability="caches", top=1)
    assert list(few.layout.yaxis.ticktext)[2] == "others (1)"


# --- what a notebook shows of a what-if --------------------------------------------------------------------


def test_a_what_if_is_made_only_where_it_is_asked_for(tmp_path):
    inv = de.load(write(tmp_path, [vm("w"), disk("w-os", "w")]), engine="polars")
    cov = de.coverage(inv)
    assert wished(inv, cov) is None
    assert gains(None) is None
    assert chart(None) is None
    made = wished(inv, cov, "on", '{"name": ["w-os"]}')
    assert said(made) == "Before and after: 1 VM with encryption at host"
    shown = gains(made)
    caches = next(line for line in shown.lines if line[0] == "Caches")
    assert caches[2:6] == ("0", "1", "1", "0")
    assert list(chart(made, "caches").data[0].x) == [0, 1, 1]


def test_what_is_left_out_has_words():
    made = WhatIf(None, None, 0, 2, {"unread_vm": 2, "shared": 1})
    assert said(made) == (
        "Before and after: 2 disks under a customer's key. Left as they are: "
        "2 VMs that are not in the inventory; 1 disk that is shared with a VM which is not changed"
    )
    assert all(len(words) == 2 for words in LEFT_OUT.values())


@pytest.mark.parametrize("text", ["name=x", "[]", '{"name": 1}', '{"name": [1]}', "1"])
def test_a_where_that_is_none(text):
    with pytest.raises(ParameterError, match="what_if_where: expected an object"):
        parse_where(text)
