"""The Spark session: the one that runs, or a local one. Nothing else here knows how Spark is started."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from diskenc_analysis.errors import ParameterError


def session() -> Any:
    """Give the Spark session that runs, or a local one that needs no network.

    Raises
    ------
    ParameterError
        When pyspark or a Java runtime is missing.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise ParameterError("engine 'spark' needs pyspark: pip install 'diskenc-analysis[spark]'") from None
    if (active := SparkSession.getActiveSession()) is not None:
        return active
    if shutil.which("java") is None:
        raise ParameterError("engine 'spark' needs a Java runtime (17 or newer), and no java was found")
    settings = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.shuffle.partitions": "2",
    }
    builder = SparkSession.builder.master("local[2]").appName("diskenc")
    for name, value in settings.items():
        builder = builder.config(name, value)
    started = builder.getOrCreate()
    started.sparkContext.setLogLevel("ERROR")
    return started


def read_parquet(path: str) -> Any:
    """Read a Parquet file or folder whose name may hold what Spark takes for a pattern.

    Parameters
    ----------
    path : str
        Where it is.

    Returns
    -------
    pyspark DataFrame
    """
    return session().read.parquet(re.sub(r"([]\[{}*?\\])", r"\\\1", path))


def write_parquet(frame: Any, file: Path, by: Sequence[str]) -> None:
    """Write a frame of Spark as one file by Spark's own writer, so that no row passes through the driver.

    Parameters
    ----------
    frame : pyspark DataFrame
        What to write.
    file : Path
        The file; its folder is one that driver and executors see, and holds nothing of that name.
    by : sequence of str
        Columns to sort by.
    """
    parts = file.with_name(f"_{file.stem}")
    ordered = frame.repartition(1).sortWithinPartitions(*by)
    ordered.write.option("compression", "zstd").parquet(str(parts))
    [part] = parts.glob("part-*.parquet")
    part.replace(file)
    shutil.rmtree(parts)
