"""How close `collect` comes to the fewest calls and the least time: `python -m benchmarks.collect --help`.

The stand-in of Azure from `tests/` answers each call after a wait, in a process of its own. The least time is
calls x latency / pool; the fewest calls are the pages of what is there, and one for each empty type.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from diskenc_analysis.live import run
from diskenc_analysis.live_asks import asks
from diskenc_analysis.note import Scope
from tests import loopback, tenant

#: What a subscription of the measurement has, besides empty types.
TYPES = ("disks", "virtualMachines", "diskEncryptionSets", "snapshots", "images", "diskAccesses")
PAGE = 100


def rows(subscriptions: int, each: int) -> list[dict[str, Any]]:
    """Make a tenant whose subscriptions have so many rows of each type."""
    found: list[dict[str, Any]] = [tenant.size("Standard_D2s_v5")]
    for number in range(subscriptions):
        sub = f"{number:08x}-0000-4000-8000-000000000000"
        found.append(tenant.subscription(sub))
        names = (f"Microsoft.Compute/{kind}/x{n}" for kind in TYPES for n in range(each))
        found += [tenant.resource(sub, name, properties={}) for name in names]
    return found


def serve(given: argparse.Namespace, folder: Path) -> None:
    """Answer as Azure until stdin ends, then print the calls and those that were throttled."""
    azure = loopback.Loopback(
        rows(given.subscriptions, given.rows), page_rows=PAGE, latency=given.latency / 1000
    )
    if given.throttles:
        azure.break_(
            "Microsoft.Compute", "429", times=given.throttles, after=50, headers={"Retry-After": "1"}
        )
    with azure:
        print(json.dumps({"url": azure.url} | azure.environment(folder)), flush=True)
        sys.stdin.read()
    print(
        json.dumps(
            {"calls": len(azure.asked()), "throttled": len(azure.asked(status=429)), "peak": azure.peak}
        )
    )


def fewest(given: argparse.Namespace) -> int:
    """Count the pages of what is there, and one call for each empty type; children have no parents here."""

    def pages(arm_type: str, subscriptions: int) -> int:
        if arm_type == "microsoft.resources/subscriptions":
            return -(-subscriptions // PAGE)
        there = arm_type.rpartition("/")[2] in map(str.lower, TYPES) and arm_type.count("/") == 1
        return max(1, -(-subscriptions * given.rows // PAGE)) if there else 1

    every, count = given.subscriptions, 0
    for ask in asks(given.source):
        if ask.via == "graph":
            count += sum(pages(ask.type, min(1000, every - start)) for start in range(0, every, 1000))
        elif not ask.parent:
            count += 1 if ask.once else every * pages(ask.type, 1)
    again = pages("microsoft.resources/subscriptions", every) if given.source == "graph" else 0
    return count + again  # Resource Graph is asked at the end who is still seen


def measure(given: argparse.Namespace) -> dict[str, Any]:
    """Collect once, and compare."""
    with tempfile.TemporaryDirectory() as name:
        command = [sys.executable, "-m", "benchmarks.collect", "--serve", name, *sys.argv[1:]]
        server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert server.stdout
        told = json.loads(server.stdout.readline())
        url = told.pop("url")
        os.environ |= told
        started = time.perf_counter()
        scope = Scope(source=given.source, arm_endpoint=url, authority=url)
        outcome = run(Path(name) / "out", scope, jobs=given.jobs)
        wall = time.perf_counter() - started
        seen = json.loads(server.communicate()[0])
    least = seen["calls"] * given.latency / 1000 / given.jobs
    return {
        "calls": seen["calls"],
        "fewest": fewest(given),
        "throttled": seen["throttled"],
        "rows": outcome.progress.rows,
        "unread": outcome.summary,
        "wall": round(wall, 2),
        "least": round(least, 2),
        "ratio": round(wall / least, 2),
        "load": [round(one, 1) for one in os.getloadavg()],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subscriptions", type=int, default=200)
    parser.add_argument("--rows", type=int, default=10, help="of each of six types in each subscription")
    parser.add_argument("--latency", type=float, default=50, help="ms a call")
    parser.add_argument("--jobs", type=int, default=8)
    parser.add_argument("--source", choices=("compute", "graph"), default="compute")
    parser.add_argument(
        "--throttles", type=int, default=0, help="calls answered by 429, to wait for a second"
    )
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(given, given.serve)
        return
    for _ in range(given.runs):
        print(json.dumps(measure(given)), flush=True)


if __name__ == "__main__":
    main()
