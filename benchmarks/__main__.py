"""Engines by sizes by steps, beside a hand-written DuckDB reference: `python -m benchmarks --help`."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.tenants import GENERATED, exports, inventory

HERE = Path(__file__).parent
BIN = Path(sys.executable).parent
REFERENCE = (
    "import sys, duckdb; c = duckdb.connect(); c.execute('SET preserve_insertion_order = false');"
    "print(len(c.execute(open(sys.argv[1]).read().replace('{dir}', sys.argv[2])).fetchall()))"
)
ENGINES = ["duckdb", "arrow", "polars", "pandas"]
STEPS = ("open", "judge", "sum", "compare")
PACKAGES = ("duckdb", "narwhals", "pandas", "polars", "pyarrow")


def run(command: Sequence[str]) -> tuple[float, float, float]:
    """Give wall seconds, CPU seconds and peak MiB of one run."""
    started = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"exit {child.returncode}: {' '.join(command)}")
    wall = time.perf_counter() - started
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def whole(name: str, command: list[str], yardstick: list[str], runs: int) -> dict[str, object]:
    """Run a whole process and its yardstick in turn, after one warm-up each, and take the medians."""
    run(command), run(yardstick)
    pairs = [(run(command), run(yardstick)) for _ in range(runs)]
    ours, theirs = ([median(p[side][i] for p in pairs) for i in range(3)] for side in (0, 1))
    ratio = median(a[0] / b[0] for a, b in pairs)
    print(
        f"{name:34} wall {ours[0]:7.2f} s  cpu {ours[1]:7.2f} s  peak {ours[2]:6.0f} MiB | yardstick wall "
        f"{theirs[0]:6.2f} s  cpu {theirs[1]:6.2f} s  peak {theirs[2]:6.0f} MiB | ratio {ratio:5.2f}",
        flush=True,
    )
    return {"name": name, "ours": ours, "yardstick": theirs, "ratio": ratio, "runs": runs}


def steps(engine: str, folder: Path, runs: int, *, compare: bool) -> dict[str, Any]:
    """Run one engine over a saved inventory, each time in a new process, and take the medians."""
    command = [sys.executable, "-m", "benchmarks.step", engine, str(folder)]
    command += [str(folder)] if compare else []
    found = []
    for _ in range(runs):
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=HERE.parent)
        if done.returncode:
            return {"engine": engine, "failed": done.stderr.strip().splitlines()[-1][:200]}
        found.append(json.loads(done.stdout.splitlines()[-1]))
    names = [name for name in STEPS if name in found[0]["seconds"]]
    seconds = {name: median(one["seconds"][name] for one in found) for name in names}
    return {
        "engine": engine,
        "seconds": seconds,
        "peak": median(one["peak"] for one in found),
        "sums": found[0]["sums"],
    }


def line(disks: int, one: dict[str, Any], reference: float | None, before: float | None) -> str:
    """Write one row of the table."""
    if "failed" in one:
        return f"{disks:>11,}  {one['engine']:8} failed: {one['failed']}"
    told = "".join(f"{one['seconds'].get(name, float('nan')):9.2f}" for name in STEPS)
    ratio = f"{one['total'] / reference:7.2f}" if reference else "      -"
    growth = f"{one['total'] / before:7.1f}" if before else "      -"
    return f"{disks:>11,}  {one['engine']:8}{told}{one['total']:9.2f}{one['peak']:9.0f}{ratio}{growth}"


def table(options: argparse.Namespace, folder: Path) -> list[dict[str, Any]]:
    """Measure every engine at every size, and print a row for each as it comes."""
    heads = "".join(f"{name + ' s':>9}" for name in STEPS)
    print(f"{'disks':>11}  {'engine':8}{heads}  total s peak MiB  ratio growth", flush=True)
    made: list[dict[str, Any]] = []
    for disks in sorted(options.sizes):
        saved, reference = inventory(folder, disks), None
        if disks <= GENERATED:
            command = [
                sys.executable,
                "-c",
                REFERENCE,
                str(HERE / "reference.sql"),
                str(exports(folder, disks)),
            ]
            reference = median(run(command)[0] for _ in range(options.runs))
        for engine in options.engines if disks <= GENERATED else ["duckdb"]:
            one = steps(engine, saved, options.runs, compare=options.compare) | {"disks": disks}
            one |= {"reference": reference}
            if "seconds" in one:
                one["total"] = sum(one["seconds"][name] for name in ("open", "judge", "sum"))
            smaller = [r for r in made if r["engine"] == engine and r["disks"] * 10 == disks and "total" in r]
            print(line(disks, one, reference, smaller[0]["total"] if smaller else None), flush=True)
            made.append(one)
        _agree([one for one in made if one["disks"] == disks and "sums" in one])
    return made


def _agree(found: list[dict[str, Any]]) -> None:
    """Stop where the engines do not give the same sums: a wrong answer has no speed."""
    if any(one["sums"] != found[0]["sums"] for one in found):
        raise SystemExit(f"the engines differ: {[(one['engine'], one['sums']) for one in found]}")


def machine() -> dict[str, object]:
    """Describe the machine, without its name."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "system": platform.system(),
        "architecture": platform.machine(),
        "cpus": os.cpu_count(),
        "memory_gib": round(memory, 1),
        "load_at_start": [round(x, 1) for x in os.getloadavg()],
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
    }


def main() -> None:
    """Make the tenants, measure, and store the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", type=int, default=[10_000, 100_000], help="disks per tenant")
    parser.add_argument("--engines", nargs="+", default=ENGINES, help="also spark")
    parser.add_argument("--compare", action="store_true", help="compare each inventory with itself too")
    parser.add_argument("--whole", action="store_true", help="measure whole commands beside their yardsticks")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="folder for the tenants, to use them again")
    parser.add_argument("-o", "--out", type=Path, help="JSON file for the result")
    options = parser.parse_args()
    about = machine()
    with nullcontext(options.keep) if options.keep else tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        folder.mkdir(parents=True, exist_ok=True)
        made = [sys.executable, "-m", "benchmarks.tenants", str(folder), *map(str, options.sizes)]
        subprocess.run(made, check=True, cwd=HERE.parent)
        results: dict[str, Any] = {"steps": table(options, folder)}
        if options.whole:
            results["whole"] = _commands(options, folder)
    if options.out:
        options.out.write_text(json.dumps({"machine": about} | results, indent=1) + "\n", encoding="utf-8")


def _commands(options: argparse.Namespace, folder: Path) -> list[dict[str, object]]:
    helps = ([f"{BIN}/{name}", "--help"] for name in ("diskenc", "papermill"))
    made = [whole("diskenc --help / papermill --help", *helps, options.runs)]
    for disks in (size for size in sorted(options.sizes) if size <= GENERATED):
        tenant = str(exports(folder, disks))
        ours = [f"{BIN}/diskenc", "coverage", tenant, "--by", "subscription_name", "--format", "json"]
        yardstick = [sys.executable, "-c", REFERENCE, str(HERE / "reference.sql"), tenant]
        made.append(whole(f"{disks:,} disks read, judged, summed", ours, yardstick, options.runs))
    return made


if __name__ == "__main__":
    main()
