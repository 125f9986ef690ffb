"""A made-up Azure tenant with every kind of disk and the truth about each: same arguments, same bytes."""

from __future__ import annotations

import random
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

from diskenc_analysis.errors import ParameterError
from diskenc_analysis.place import placed_folder
from diskenc_analysis.sample_arm import template
from diskenc_analysis.sample_defender import (
    DEFENDER_COLUMNS,
    DEFENDER_TRUTH,
    benchmark_line,
    defender_lines,
)
from diskenc_analysis.sample_keys import VM_SIZES, key_lines, size_line
from diskenc_analysis.sample_plan import COLUMNS, TRUTH, Plan
from diskenc_analysis.sample_tenant import Subscription, draw, fields, guid, subscriptions_of

#: Tables that have a file of JSON lines each, where there is anything in them.
TABLES = (
    *("subscriptions", "virtual_machines", "scale_sets", "scale_set_vms", "extensions", "disks", "snapshots"),
    *("disk_encryption_sets", "key_vaults", "managed_hsms", "keys", "vm_sizes", "assessments"),
    *("guest_assignments", "policy_assignments", "exemptions"),
)
_TRUTHS = {TRUTH: COLUMNS, DEFENDER_TRUTH: DEFENDER_COLUMNS}


class _Files:
    """The tenant's files, made when something is first written to them."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder, self._stack = folder, stack
        self._open: dict[str, TextIO] = {}

    def write(self, name: str, line: str) -> None:
        """Add a line to a table's file, or to the truth."""
        if name not in self._open:
            path = self._folder / (name if name in _TRUTHS else f"{name}.jsonl")
            file = path.open("w", encoding="utf-8", newline="\n", buffering=1 << 20)
            self._open[name] = self._stack.enter_context(file)
        self._open[name].write(line + "\n")


def generate(out: Path, disks: int = 400, subscriptions: int = 6, seed: int = 7) -> Path:
    """Write a made-up tenant as ARM returns it, JSON lines by resource type, and the truth beside it.

    Parameters
    ----------
    out : Path
        Folder to write; it is made, or replaced where it is a sample already.
    disks : int
        How many rows the coverage frame of the tenant has: disks, snapshots, ephemeral and unmanaged disks.
        From 400 on every kind is there.
    subscriptions : int
        How many subscriptions, of six profiles that repeat.
    seed : int
        Seed of names and of chance.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ParameterError
        When there is to be no disk or no subscription, or the folder holds something else.

    Examples
    --------
    >>> import tempfile
    >>> folder = generate(Path(tempfile.mkdtemp()), disks=10, subscriptions=1)
    >>> len((folder / ".truth.csv").read_text(encoding="utf-8").splitlines())
    11
    """
    if disks < 1 or subscriptions < 1:
        raise ParameterError(f"expected at least 1 disk and 1 subscription, got {disks} and {subscriptions}")
    subs, rng = subscriptions_of(subscriptions), random.Random(seed)  # noqa: S311
    with placed_folder(out, _is_ours, "a sample tenant") as folder, ExitStack() as stack:
        files = _Files(folder, stack)
        for name, columns in _TRUTHS.items():
            files.write(name, ",".join(columns))
        for n, (sub, plan) in enumerate(draw(rng, subs, disks), start=1):
            _write_copy(files, plan, sub.common | fields(rng, n, sub, plan), n)
            sub.keys.update(plan.keys)
        _write_rest(files, subs)
    return out


def _is_ours(folder: Path) -> bool:
    ours = {*_TRUTHS, *(f"{table}.jsonl" for table in TABLES)}
    return {file.name for file in folder.iterdir()} <= ours


def _write_copy(files: _Files, plan: Plan, values: Mapping[str, object], n: int) -> None:
    for name, line in plan.lines:
        files.write(name, line % values)
    for name, line in defender_lines(plan.targets, n):
        files.write(name, line % values)


def _write_rest(files: _Files, subs: list[Subscription]) -> None:
    for sub in subs:
        head = {"id": f"/subscriptions/{sub.common['sub']}", "type": "Microsoft.Resources/subscriptions"}
        body = {
            "subscriptionId": sub.common["sub"],
            "displayName": sub.name,
            "tenantId": guid("tenant"),
            "state": "Enabled",
        }
        files.write("subscriptions", template(head | body))
        files.write("policy_assignments", benchmark_line() % sub.common)
        for name, line in key_lines(sub.keys, sub.code):
            files.write(name, line % sub.common)
    for location in sorted({sub.location for sub in subs}):
        for size in VM_SIZES:
            files.write("vm_sizes", size_line(*size, location))
