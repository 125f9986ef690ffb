"""Progress, the run-out line and the timeline, worked out by hand."""

from __future__ import annotations

import json
from datetime import date

import pytest

import diskenc_analysis as de
from diskenc_analysis import history, progress
from diskenc_analysis.errors import ParameterError
from diskenc_analysis.historypoints import of_history
from diskenc_analysis.migrationverdict import verdict
from diskenc_analysis.outlook import outlook
from diskenc_analysis.run_out import Point, captured, parse_points, run_out
from diskenc_analysis.timeline import schedule
from diskenc_analysis.waves import Wave
from tests.rules import ade, disk, instance, instance_id, records, scale_set, vm, write

ELSEWHERE = "99999999-2222-4333-8444-555555555555"
HERE = "11111111-2222-4333-8444-555555555555"


def under(name):
    return [vm(name), disk(f"{name}-os", name, system="Windows", collection=ade())]


def plain(name):
    return [vm(name), disk(f"{name}-os", name, system="Windows")]


def switched_off(name):
    return [vm(name), disk(f"{name}-os", name, system="Windows", collection=ade(enabled=False))]


def not_told(name):
    """A VM whose disk comes without its encryption, as from an old api."""
    return [vm(name), disk(f"{name}-os", name, system="Windows", encryption=None), *_extension(name)]


def _extension(name):
    from tests.rules import extension

    return [extension(name)]


def moved(objects):
    """Put objects into another subscription."""
    return json.loads(json.dumps(objects).replace(HERE, ELSEWHERE))


EARLIER = [
    *(under("still"), under("off"), under("once"), under("gone"), under("dark"), plain("new")),
    *(moved(under("far")), not_told("found"), plain("never")),
]
NOW = [
    *(under("still"), plain("off"), switched_off("once"), not_told("dark"), under("new")),
    *(under("fresh"), under("found"), plain("never")),
]
EXPECTED = {
    "still": ("still", "on", "on"),
    "off": ("off", "on", "off"),
    "once": ("off", "on", "was_on"),
    "gone": ("gone", "on", "absent"),
    "dark": ("unknown", "on", "unknown"),
    # Its subscription is not in the later inventory: nobody knows whether it is gone.
    "far": ("unknown", "on", "not_read"),
    "new": ("new", "off", "on"),
    "fresh": ("new", "absent", "on"),
    "found": ("found", "unknown", "on"),
}


def both(folder, engine, earlier=EARLIER, now=NOW):
    objects = {"now": now, "earlier": earlier}
    return [
        de.load(write(folder / name, [body for part in parts for body in part]), engine=engine)
        for name, parts in objects.items()
    ]


@pytest.mark.parametrize("engine", ["duckdb", "pandas", "polars", "arrow"])
def test_what_became_of_each_vm(tmp_path, engine):
    found = progress.ade_progress(*both(tmp_path, engine))
    rows = {row["name"]: row for row in records(found)}
    assert {n: (row["status"], row["before"], row["now"]) for n, row in rows.items()} == EXPECTED
    assert list(rows["still"]) == list(progress.COLUMNS)
    assert progress.counts(found) == {"still": 1, "off": 2, "gone": 1, "new": 2, "found": 1, "unknown": 2}


def test_two_engines_may_meet(tmp_path):
    now, earlier = both(tmp_path, "polars")
    duck = de.load(tmp_path / "earlier", engine="duckdb")
    assert progress.counts(progress.ade_progress(now, duck)) == progress.counts(
        progress.ade_progress(now, earlier)
    )


def test_instances_of_scale_sets_are_vms_too(tmp_path):
    os_disk = disk("s_3-os", instance_id("s", 3), system="Windows", collection=ade())
    objects = [[scale_set("s"), instance("s", 3), os_disk]]
    now, earlier = both(tmp_path, "polars", objects, [[vm("other"), disk("other-os", "other")]])
    [row] = records(progress.ade_progress(now, earlier))
    assert (row["status"], row["id"]) == ("gone", instance_id("s", 3))


def test_of_nothing_there_is_no_progress(tmp_path):
    found = progress.ade_progress(*both(tmp_path, "duckdb", [plain("a")], [plain("a")]))
    assert records(found) == []
    assert set(progress.counts(found).values()) == {0}


# --- the run-out line --------------------------------------------------------------------------------------


def test_the_line_is_drawn_on_to_nought():
    # 40 - 28 = 12 VMs in 30 days; 28 more take 28 * 30 / 12 = 70 days from 2026-10-01.
    line = run_out([Point(date(2026, 10, 1), 28), Point(date(2026, 9, 1), 40)])
    assert line.ends == date(2026, 12, 10)
    assert [point.vms for point in line.points] == [40, 28]
    # 2026-12-10 to 2028-09-15 are 21 (Dec) + 365 (2027) + 259 (2028) = 645 days.
    assert line.said == (
        "From 2026-09-01 to 2026-10-01 the count of VMs under Azure Disk Encryption fell from 40 to 28, "
        "by 12 in 30 days. If that pace stays, and no VM is encrypted anew, none is left on 2026-12-10, "
        "645 days before the retirement on 2028-09-15."
    )


def test_a_part_of_a_day_counts_as_one():
    # 3 VMs in 10 days; 7 more take 23 1/3 days.
    line = run_out([Point(date(2026, 1, 1), 10), Point(date(2026, 1, 11), 7)])
    assert line.ends == date(2026, 2, 4)


def test_too_slow_a_pace_says_what_would_do():
    # 1 VM in 300 days; 99 more take 29,700 days. 660 days are left: 99 * 30 / 660 = 4.5 in 30 days.
    line = run_out([Point(date(2026, 1, 29), 100), Point(date(2026, 11, 25), 99)])
    assert line.ends == date(2108, 3, 20)
    assert line.said.endswith("after the retirement on 2028-09-15. In time would be 4.5 VMs in 30 days.")


@pytest.mark.parametrize(
    ("points", "said"),
    [
        (
            [],
            "is not known: a pace needs counts of two days or more, and there is none.",
        ),
        ([(1, 5)], "a pace needs counts of two days or more, and there is one."),
        ([(1, 5), (2, 5)], "did not change (5, then 5): at that pace there is no end."),
        ([(1, 5), (2, 6)], "rose (5, then 6): at that pace there is no end."),
        ([(1, 100_000), (2, 99_999)], "some are left for more than a hundred years."),
    ],
)
def test_where_there_is_no_end_none_is_claimed(points, said):
    line = run_out([Point(date(2026, 1, day), vms) for day, vms in points])
    assert line.ends is None
    assert line.said.endswith(said)


def test_nothing_left_is_said_even_of_one_count():
    line = run_out([Point(date(2026, 1, 1), 0)])
    assert (line.ends, line.said) == (
        date(2026, 1, 1),
        "On 2026-01-01 no VM is known to be under Azure Disk Encryption.",
    )


def test_two_counts_of_one_day_must_agree():
    assert run_out([Point(date(2026, 1, 1), 4)] * 2).points == (Point(date(2026, 1, 1), 4),)
    with pytest.raises(ParameterError, match="one count for 2026-01-01, got 4 and 5"):
        run_out([Point(date(2026, 1, 1), 5), Point(date(2026, 1, 1), 4)])


@pytest.mark.parametrize(
    "text", ["2026-01-01", "2026-13-01=4", "2026-01-01=-4", "2026-01-01=4.5", "=4", "x=y"]
)
def test_a_list_of_counts_that_is_none(text):
    with pytest.raises(ParameterError, match="points: expected DATE=COUNT"):
        parse_points(text)


def test_the_day_of_an_inventory_is_stated_or_unknown():
    inv = de.load(de.sample_path(), engine="polars")
    assert captured(inv) is None
    assert captured(inv, "2026-11-24") == date(2026, 11, 24)


# --- the timeline ------------------------------------------------------------------------------------------


def wave(number, vms, hours, fits=True):
    return Wave(number, "a", tuple({} for _ in range(vms)), hours, fits)


def test_waves_take_one_window_after_the_other():
    made = [wave(1, 3, 4.0), wave(2, 1, 200.0, False), wave(3, 2, None, None)]
    found = [(str(slot.day), slot.left, slot.late) for slot in schedule(made, date(2026, 12, 1))]
    # 200 hours are more than the 168 of a week, so that wave takes two windows. Hours that are not known
    # leave open when a wave ends.
    assert found == [("2026-12-01", 3, False), ("2026-12-08", 2, False), ("2026-12-22", 0, None)]


def test_the_day_of_the_retirement_is_too_late():
    made = [wave(1, 1, 4.0), wave(2, 1, 4.0), wave(3, 1, None, None)]
    assert [slot.late for slot in schedule(made, date(2028, 9, 14), 1)] == [False, True, True]
    # 30 hours from the 14th on end on the 15th.
    assert schedule([wave(1, 1, 30.0, False)], date(2028, 9, 14))[0].late is True


def test_without_a_first_day_nothing_is_dated():
    [slot] = schedule([wave(1, 1, 4.0)], None)
    assert (slot.day, slot.left, slot.late) == (None, 0, None)
    with pytest.raises(ParameterError, match="1 or more days between windows, got 0"):
        schedule([], None, 0)


# --- from a history ----------------------------------------------------------------------------------------


def kept(folder, day, *objects):
    inv = de.load(write(folder / day, objects), engine="auto")
    history.add(inv, folder / "history", day)


def test_a_history_gives_the_counts_of_its_captures(tmp_path):
    kept(tmp_path, "2026-01-01", *under("a"), *under("b"), disk("loose", collection=ade()))
    kept(tmp_path, "2026-02-01", *under("a"), *plain("b"))
    kept(tmp_path, "2026-03-01", *plain("a"), *plain("b"))
    found = of_history(tmp_path / "history")
    assert [(str(point.day), point.vms) for point in found.points] == [
        ("2026-01-01", 2),
        ("2026-02-01", 1),
        ("2026-03-01", 0),
    ]
    assert found.left_out == 0


def test_a_capture_that_read_other_parts_is_left_out_and_counted(tmp_path):
    # The first page says that there is another one, which was not exported.
    page = {"value": under("a"), "nextLink": "https://management.azure.com/next"}
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "all.json").write_text(json.dumps(page))
    history.add(de.load(tmp_path / "page", engine="auto"), tmp_path / "history", "2026-01-01")
    kept(tmp_path, "2026-02-01", *under("a"), *under("b"))
    found = of_history(tmp_path / "history")
    assert ([point.vms for point in found.points], found.left_out) == ([2], 1)
    now = de.load(tmp_path / "2026-02-01", engine="polars")
    seen = outlook(now, de.ade_migration(now), "2026-03-01", history=str(tmp_path / "history"))
    assert [(str(point.day), point.vms) for point in seen.line.points] == [
        ("2026-02-01", 2),
        ("2026-03-01", 2),
    ]
    told = verdict(de.ade_migration(now), (), seen).sentences
    assert told[-1] == "1 capture of the history, not counted here, reads other parts than the newest."


def test_a_baseline_of_a_later_day_is_refused(tmp_path):
    now = de.load(write(tmp_path / "now", under("a")), engine="polars")
    plan, old = de.ade_migration(now), str(write(tmp_path / "old", under("a")))
    with pytest.raises(ParameterError, match="of 2026-03-01 or before, got one of 2027"):
        outlook(now, plan, "2026-03-01", baseline=old, baseline_as_of="2027-01-01")
    assert outlook(now, plan, "2026-03-01", baseline=old, baseline_as_of="2026-01-01").left == 1
