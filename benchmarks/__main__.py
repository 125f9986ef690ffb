"""Whole-process times of the kit beside a yardstick, as ratios: `python -m benchmarks --help`."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from diskenc_analysis.sample import generate

HERE = Path(__file__).parent
BIN = Path(sys.executable).parent
REFERENCE = (
    "import sys, duckdb; c = duckdb.connect(); c.execute('SET preserve_insertion_order = false');"
    "print(len(c.execute(open(sys.argv[1]).read().replace('{dir}', sys.argv[2])).fetchall()))"
)


def run(command: list[str]) -> tuple[float, float, float]:
    """Give wall seconds, CPU seconds and peak MiB of one run."""
    started = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"exit {child.returncode}: {' '.join(command)}")
    wall = time.perf_counter() - started
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def compare(name: str, command: list[str], yardstick: list[str], runs: int) -> dict[str, object]:
    """Run both in turn, after one warm-up each, and take the medians."""
    run(command), run(yardstick)
    pairs = [(run(command), run(yardstick)) for _ in range(runs)]
    ours, theirs = ([median(p[side][i] for p in pairs) for i in range(3)] for side in (0, 1))
    ratio = median(a[0] / b[0] for a, b in pairs)
    print(
        f"{name:34} wall {ours[0]:7.2f} s  cpu {ours[1]:7.2f} s  peak {ours[2]:6.0f} MiB | yardstick wall "
        f"{theirs[0]:6.2f} s  cpu {theirs[1]:6.2f} s  peak {theirs[2]:6.0f} MiB | ratio {ratio:5.2f}"
    )
    return {"name": name, "ours": ours, "yardstick": theirs, "ratio": ratio, "runs": runs}


def main() -> None:
    """Generate the tenants, run the comparisons, and store the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", type=int, default=[100_000], help="disks per tenant")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("-o", "--out", type=Path, help="JSON file for the result")
    options = parser.parse_args()
    results = [
        compare(
            "diskenc --help / papermill --help",
            [f"{BIN}/diskenc", "--help"],
            [f"{BIN}/papermill", "--help"],
            options.runs,
        )
    ]
    for disks in options.sizes:
        with tempfile.TemporaryDirectory() as folder:
            tenant = str(generate(Path(folder), disks=disks))
            ours = [f"{BIN}/diskenc", "coverage", tenant, "--by", "subscription_name", "--format", "json"]
            yardstick = [sys.executable, "-c", REFERENCE, str(HERE / "reference.sql"), tenant]
            results.append(compare(f"{disks:,} disks read, judged, summed", ours, yardstick, options.runs))
    machine = {"python": platform.python_version(), "cpus": os.cpu_count(), "system": platform.system()}
    if options.out:
        options.out.write_text(json.dumps({"machine": machine, "results": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
