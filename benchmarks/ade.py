"""How the time of a migration plan grows with its VMs: `python -m benchmarks.ade --help`."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import diskenc_analysis as de
from diskenc_analysis.migrationcounts import check_counts, tally
from diskenc_analysis.runbook import runbooks
from diskenc_analysis.waves import MACHINES

ADE = {"enabled": True, "encryptionSettingsVersion": "1.1"}
POLICIES = ("AllowAll", "DenyAll", "AllowPrivate")


def resources(at: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give one VM with two disks under Azure Disk Encryption, and for each fifth a snapshot."""
    group = f"/subscriptions/11111111-2222-4333-8444-{at % 20:012}/resourceGroups/rg-{at % 200}"
    home, system = f"{group}/providers/Microsoft.Compute", "Windows" if at % 3 else "Linux"

    def made(kind: str, name: str, properties: dict[str, Any], **more: Any) -> tuple[str, dict[str, Any]]:
        head = {"id": f"{home}/{kind}/{name}", "name": name, "type": f"Microsoft.Compute/{kind}"}
        return kind, head | {"location": "westeurope"} | more | {"properties": properties}

    owner, names = f"{home}/virtualMachines/vm{at}", [f"vm{at}-{n}" for n in range(2)]
    for n, name in enumerate(names):
        own = {
            "diskSizeGB": 64 + 64 * (at % 9),
            "networkAccessPolicy": POLICIES[at % 3],
            "diskState": "Attached",
        }
        own |= {"encryptionSettingsCollection": ADE} | ({} if n else {"osType": system})
        yield made("disks", name, own, managedBy=owner, sku={"name": "Premium_LRS"})
    held = [{"name": name, "managedDisk": {"id": f"{home}/disks/{name}"}} for name in names]
    storage = {"osDisk": held[0] | {"osType": system}, "dataDisks": [held[1] | {"lun": 0}]}
    size = {"vmSize": "Standard_D4s_v3"}
    yield made("virtualMachines", f"vm{at}", {"hardwareProfile": size, "storageProfile": storage})
    if at % 5 == 0:
        source = {"createOption": "Copy", "sourceResourceId": f"{home}/disks/{names[0]}"}
        yield made("snapshots", f"s{at}", {"creationData": source, "encryptionSettingsCollection": ADE})


def write(folder: Path, vms: int) -> None:
    """Write a tenant in which every VM is under Azure Disk Encryption."""
    files = {
        kind: (folder / f"{kind}.jsonl").open("w", encoding="utf-8")
        for kind in ("disks", "virtualMachines", "snapshots")
    }
    for at in range(vms):
        for kind, body in resources(at):
            files[kind].write(json.dumps(body) + "\n")
    for file in files.values():
        file.close()


def timed(inv: Any) -> dict[str, float]:
    """Give the seconds of each step."""
    clock, found = time.perf_counter(), {}

    def lap(name: str) -> None:
        nonlocal clock
        now = time.perf_counter()
        found[name], clock = now - clock, now

    plan = de.ade_migration(inv, "2026-11-24")
    counts = tally(plan), check_counts(plan)
    lap("plan and counts")
    made = de.waves(plan)
    lap("waves")
    text = sum(map(len, runbooks(inv, made)))
    lap("runbooks")
    if not text or not sum(row["pairs"] for row in counts[0] if row["kind"] in MACHINES):
        raise SystemExit("nothing was planned")
    return found | {"all": sum(found.values())}


def main() -> None:
    """Generate the tenants, plan each, and print the ratio of the last to the first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", type=int, default=[2_000, 20_000], help="VMs per tenant")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--engine", default="duckdb")
    options = parser.parse_args()
    medians = []
    for vms in options.sizes:
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder), vms)
            inv = de.load(folder, engine=options.engine)
            timed(inv)  # warm
            laps = [timed(inv) for _ in range(options.runs)]
        medians.append({name: median(lap[name] for lap in laps) for name in laps[0]})
        print(
            f"{vms:7,} VMs  " + "  ".join(f"{name} {seconds:6.2f} s" for name, seconds in medians[-1].items())
        )
    ratios = {name: medians[-1][name] / seconds for name, seconds in medians[0].items()}
    print("ratio         " + "  ".join(f"{name} {ratio:6.1f}  " for name, ratio in ratios.items()))


if __name__ == "__main__":
    main()
