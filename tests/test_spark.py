"""The same functions on Spark, in local mode, give the rows that DuckDB gives."""

from __future__ import annotations

import re
import shutil
import sys
import warnings
from pathlib import Path

import pytest

import diskenc_analysis as de
from diskenc_analysis import history, historysums, progress
from tests.rules import HOST, V5, disk, records, vm, write

pytestmark = [
    pytest.mark.spark,
    pytest.mark.skipif(
        shutil.which("java") is None, reason="Spark needs a Java runtime, but there is no java"
    ),
    pytest.mark.usefixtures("session"),
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
]


@pytest.fixture(scope="module")
def session():
    """Start a session that plans tiny queries fast: no code generation, one partition, a plain compiler."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pyspark.sql import SparkSession

        settings = {
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
            "spark.sql.shuffle.partitions": "1",
            "spark.default.parallelism": "1",
            "spark.sql.codegen.wholeStage": "false",
            "spark.sql.codegen.factoryMode": "NO_CODEGEN",
            "spark.sql.adaptive.enabled": "false",
            "spark.sql.constraintPropagation.enabled": "false",
            # Where each column was made would be half of all that is said to the JVM.
            "spark.python.sql.dataFrameDebugging.enabled": "false",
            # Of the processor time of so short a life, optimising the byte code again would take a third.
            "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        }
        builder = SparkSession.builder.master("local[2]").appName("diskenc tests")
        for name, value in settings.items():
            builder = builder.config(name, value)
        started = builder.getOrCreate()
    started.sparkContext.setLogLevel("ERROR")
    yield started
    started.stop()


@pytest.fixture(scope="module")
def small():
    return de.load(de.sample_path(), engine="duckdb")


@pytest.fixture(scope="module")
def saved(small, tmp_path_factory):
    return small.save(tmp_path_factory.mktemp("saved") / "inventory")


@pytest.fixture(scope="module")
def spark(saved):
    return de.Inventory.open(saved, engine="spark")


@pytest.fixture(scope="module")
def judged(spark):
    """The coverage that Spark works out, once for all that starts from one."""
    return de.coverage(spark)


def test_spark_judges_and_sums_as_duckdb_does(saved, judged):
    theirs, ours = judged, de.coverage(de.Inventory.open(saved, engine="duckdb"))
    assert theirs.columns == ours.columns
    rows = sorted(map(tuple, theirs.collect()), key=str)
    assert rows == sorted(ours.fetchall(), key=str)
    assert len(rows) == 400

    shares = [de.summarize(cov, by=None, capability="caches") for cov in (theirs, ours)]
    assert tuple(shares[0].collect()[0]) == shares[1].fetchall()[0]


def test_spark_follows_keys_as_duckdb_does(small, spark, judged):
    theirs, ours = (de.key_ownership(inv, c, "2026-11-24") for inv, c in ((spark, judged), (small, None)))
    assert theirs.columns == ours.columns
    assert sorted(map(tuple, theirs.collect()), key=str) == sorted(ours.fetchall(), key=str)
    pairs = [(de.key_checks(spark, theirs), de.key_checks(small, ours))]
    pairs += [(de.single_points(spark, theirs), de.single_points(small, ours))]
    pairs += [(de.copied_keys(spark), de.copied_keys(small))]
    for one, other in pairs:
        assert sorted(map(tuple, one.collect()), key=str) == sorted(other.fetchall(), key=str)


def test_spark_plans_the_way_out_as_duckdb_does(small, spark, judged):
    theirs, ours = (de.ade_migration(inv, "2026-11-24") for inv in (spark, small))
    assert theirs.columns == ours.columns
    assert sorted(map(tuple, theirs.collect()), key=str) == sorted(ours.fetchall(), key=str)
    assert [wave.number for wave in de.waves(theirs)] == [wave.number for wave in de.waves(ours)]
    assert progress.counts(de.ade_progress(spark, small, theirs, ours))["still"] == 33
    pairs = ((spark, judged), (small, None))
    made = [de.what_if(inv, host="on", where={"ade": "on"}, cov=cov) for inv, cov in pairs]
    assert [(one.vms, one.left_out) for one in made] == [(28, {"unread_vm": 5})] * 2
    assert made[0].gains() == made[1].gains()


def test_load_hands_the_tables_to_spark():
    inv = de.load(de.sample_path() / "disks.jsonl", engine="spark")
    assert inv.disks.count() == 382
    assert inv.ledger.collect()[0]["rows_used"] == 382


def test_spark_compares_as_duckdb_does(tmp_path):
    sides = []
    for engine in ("duckdb", "spark"):
        pair = []
        for name, security in (("old", HOST), ("new", None)):
            rows = [vm("a", size=V5, security=security), disk("a-os", "a", system="Windows"), disk(name)]
            capture = de.load(write(tmp_path / name, rows), engine="polars")
            kept = capture.save(tmp_path / f"{engine}-{name}")
            pair.append(de.Inventory.open(kept, engine=engine))
        sides.append(de.compare(*pair))
    ours, theirs = sides
    assert theirs.columns == ours.columns
    rows = [tuple(row) for row in theirs.collect()]
    assert rows == ours.fetchall()  # in the same order too
    assert {row[0] for row in rows} == {"regression", "changed", "added", "removed"}


def test_spark_sums_a_history_as_duckdb_does(small, tmp_path):
    store = tmp_path / "it's [1]*{a,b}?" / "history"  # names that Spark would take for patterns
    for day in ("2026-10-24", "2026-11-24"):
        history.add(small, store, day)
    ours, theirs = history.read(store), history.read(store, "spark")
    for sums in (
        lambda rows: historysums.sums(rows, by="subscription_id"),
        lambda rows: historysums.layers(rows, ["method"]),
        historysums.captures,
    ):
        expected = sums(ours).fetchall()
        assert [tuple(row) for row in sums(theirs).collect()] == expected
        assert expected


def test_the_job_of_the_guide_judges_and_sums(small, saved, tmp_path, monkeypatch):
    """The job in docs/spark.md is run as it stands there, with its folders put in place of those named."""
    text = (Path(__file__).parent.parent / "docs" / "spark.md").read_text(encoding="utf-8")
    [job] = re.findall(r"```python\n# job\.py\n(.*?)```", text, re.DOTALL)
    argv = ["job.py", str(saved), str(tmp_path / "history"), str(tmp_path / "sums"), "2026-11-24"]
    monkeypatch.setattr(sys, "argv", argv)
    exec(compile(job, "job.py", "exec"), {"__name__": "__main__"})  # noqa: S102
    import pyarrow.parquet as pq

    [file] = (tmp_path / "history").glob("capture_date=2026-11-24/*.parquet")
    assert "parquet-mr" in pq.read_metadata(file).created_by  # by Spark, not through the driver's memory
    assert not history.add(small, tmp_path / "history", "2026-11-24").new  # the same capture, by DuckDB
    history.add(small, tmp_path / "ours", "2026-11-24")
    ours, theirs = (history.read(tmp_path / name).fetchall() for name in ("ours", "history"))
    assert theirs == ours  # row by row, in the same order
    assert sorted(one.name for one in file.parent.iterdir()) == sorted(
        one.name for one in (tmp_path / "ours" / file.parent.name).iterdir()
    )
    found = pq.read_table(tmp_path / "sums").to_pylist()
    sums = records(de.summarize(de.coverage(small), by=None))
    expected = {row["capability"]: row["yes"] for row in sums}
    assert {row["capability"]: row["yes"] for row in found} == expected
