"""The bundled sample as it was months ago, so that what shows change over time has something to show."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from diskenc_analysis import history
from diskenc_analysis.opening import read
from diskenc_analysis.share import sample_path

Json = dict[str, Any]
#: The day of the sample, and how many days a month has here.
TODAY, _DAYS = date(2026, 11, 24), 30
#: Months ago of the captures of a made-up history; one subscription is not read in the first of them.
MONTHS = (9, 6, 3, 0)
_UNREAD_BEFORE = 7
_PLATFORM = {"type": "EncryptionAtRestWithPlatformKey"}


def earlier(folder: Path, months: int = 1) -> Path:
    """Write the bundled sample as it was.

    Encryption at host came to one VM in twelve each month, customer keys to one disk in twenty-four. In the
    last month some VMs lost encryption at host, some disks were made anew under their names, and some came.

    Parameters
    ----------
    folder : Path
        The folder to fill.
    months : int
        How many months ago; 0 is the sample as it is.

    Returns
    -------
    Path
        The folder, named after the day.

    Examples
    --------
    >>> earlier(Path(tempfile.mkdtemp())).name
    '2026-10-25'
    """
    target = folder / (TODAY - timedelta(days=_DAYS * months)).isoformat()
    shutil.copytree(sample_path(), target, ignore=shutil.ignore_patterns(".*"))
    if months:
        for name, change in (("virtual_machines", _machine), ("disks", _disk)):
            file = target / f"{name}.jsonl"
            rows = list(_changed(file.read_text(encoding="utf-8").splitlines(), change, months))
            file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    if months > _UNREAD_BEFORE:
        _forget(target)
    return target


def _changed(lines: list[str], change: Callable[[Json, int, int], bool], months: int) -> Iterator[Json]:
    for line in lines:
        body = json.loads(line)
        if change(body, zlib.crc32(body["id"].lower().encode()), months):
            yield body


def _machine(body: Json, draw: int, months: int) -> bool:
    """Take encryption at host from VMs that got it since, and give it to those that lost it."""
    security = body["properties"].setdefault("securityProfile", {})
    if security.get("encryptionAtHost"):
        security["encryptionAtHost"] = draw % 12 >= months
    elif draw % 29 == 0 and security.get("securityType") != "ConfidentialVM":
        security["encryptionAtHost"] = True
    return True


def _disk(body: Json, draw: int, months: int) -> bool:
    """Take customer keys away, give disks another identity, and say whether the disk was there."""
    facts = body["properties"]
    if facts.get("encryption", {}).get("diskEncryptionSetId") and draw % 24 < months:
        facts["encryption"] = _PLATFORM
    if draw % 61 == 0:
        facts["uniqueId"], facts["timeCreated"] = "0" * 8, "2020-01-01T00:00:00.0000001+00:00"
    return draw % 43 != 0 or bool(body.get("managedBy"))


def _forget(target: Path) -> None:
    """Leave out what lies in the subscription that was not read then."""
    listed = (target / "subscriptions.jsonl").read_text(encoding="utf-8").splitlines()
    gone = next(row["id"] for row in map(json.loads, listed) if row["displayName"].endswith("-acquired"))
    for file in target.glob("*.jsonl"):
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
        file.write_text("".join(line for line in lines if gone not in line), encoding="utf-8")


def months(folder: Path | None = None) -> Path:
    """Make a history of the bundled sample.

    Parameters
    ----------
    folder : Path, optional
        Where; by default a folder that goes with the process.

    Returns
    -------
    Path
        A history with a capture every three months.
    """
    home = folder or _passing() / "months-of-the-sample"
    with tempfile.TemporaryDirectory(prefix="diskenc-") as scratch:
        for ago in MONTHS:
            history.add(read(earlier(Path(scratch), ago), engine="auto", verdict_only=True), home)
    return home


def _passing() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="diskenc-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
