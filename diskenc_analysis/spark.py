"""The Spark session: the one that runs, or a local one. Nothing else here knows how Spark is started."""

from __future__ import annotations

import shutil
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
