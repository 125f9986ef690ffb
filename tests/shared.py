"""What takes long to make, made once for all workers of a run and shared by the files that look at it."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

#: Parameters of a report whose engine is not the question: the one that plans tiny tables quickest.
QUICK = {"engine": "auto"}
#: Notebooks that a report has only where they are asked for.
ASKED = ("drift", "trend", "explore")
_PATIENCE = 600


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Give a folder that the first worker to ask for it fills; the others wait for it.

    Who changes anything in it takes a copy first.
    """
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / f"shared-{name}"
    done, failed = (folder.with_name(f"{folder.name}.{end}") for end in ("done", "failed"))
    try:
        folder.mkdir()
    except FileExistsError:
        _wait(done, failed)
        return folder
    try:
        make(folder)
    except BaseException:
        failed.touch()
        raise
    done.touch()
    return folder


def chromium() -> str | None:
    """Find the browser: the one that CHROMIUM names, else the system's."""
    found = (os.environ.get("CHROMIUM"), shutil.which("chromium"), shutil.which("chromium-browser"))
    return next((path for path in found if path and Path(path).exists()), None)


def _wait(done: Path, failed: Path) -> None:
    until = time.monotonic() + _PATIENCE
    while not done.exists():
        assert not failed.exists(), f"another worker could not make it: {failed}"
        assert time.monotonic() < until, f"no worker made it: {done}"
        time.sleep(0.1)
