"""One engine over one saved inventory, in a process of its own: seconds of each step, peak MiB, sums."""

from __future__ import annotations

import json
import resource
import sys
import time

import diskenc_analysis as de
from diskenc_analysis.plainrows import rows


def main() -> None:
    """Open, judge and sum; print the result as JSON."""
    engine, folder, *older = sys.argv[1:]
    started = time.perf_counter()
    laps: dict[str, float] = {}

    def lap(name: str) -> None:
        nonlocal started
        now = time.perf_counter()
        laps[name], started = now - started, now

    inv = de.Inventory.open(folder, engine)
    if engine == "duckdb":
        inv.connection.execute("SET preserve_insertion_order = false; SET memory_limit = '16GB'")
        inv.connection.execute("SET temp_directory = ?", [f"{folder}.spill"])
    lap("open")
    cov = de.coverage(inv)
    lap("judge")
    sums = rows(de.summarize(cov, by="subscription_name"))
    lap("sum")
    if older:
        rows(de.compare(de.Inventory.open(older[0], engine), inv), 10)
        lap("compare")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    total = {name: sum(row[name] for row in sums) for name in ("yes", "no", "unknown", "not_applicable")}
    sys.stdout.write(json.dumps({"seconds": laps, "peak": peak, "sums": total}) + "\n")


if __name__ == "__main__":
    main()
