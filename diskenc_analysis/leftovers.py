"""Folders in which a run works beside its target: held while it lives, and swept away if it was killed."""

from __future__ import annotations

import glob
import os
import secrets
import shutil
import sys
from contextlib import suppress
from pathlib import Path

if sys.platform != "win32":
    import fcntl

#: Whether a folder can be held here.
LOCKS = sys.platform != "win32"


def claimed(path: Path) -> tuple[Path, int | None]:
    """Make a folder beside a path and hold it, which the system ends with the process, however that ends.

    Parameters
    ----------
    path : Path
        What the folder is named after; the folder of it exists.

    Returns
    -------
    tuple of Path and int or None
        The new folder, and the hold for `let_go`; None where no hold of a folder is known.

    Raises
    ------
    OSError
        When nothing can be written there.

    Examples
    --------
    >>> import tempfile
    >>> home, held = claimed(Path(tempfile.mkdtemp()) / "out")
    >>> home.is_dir(), home.name.startswith(".out.")
    (True, True)
    >>> sweep(home.with_name("out"))  # which leaves alone what is held
    >>> home.is_dir()
    True
    >>> let_go(held)
    """
    while True:
        home = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
        home.mkdir()
        with suppress(FileNotFoundError):  # another run took it for a leftover before it was held
            held = hold(home, wait=True)
            if home.is_dir():
                return home, held
            let_go(held)


def sweep(path: Path) -> None:
    """Take away what runs that were killed left beside a path; what a living one holds stays.

    Parameters
    ----------
    path : Path
        What the folders are named after.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "out"
    >>> path.with_name(".out.0123abcd.partial").mkdir()
    >>> sweep(path)
    >>> list(path.parent.iterdir())
    []
    """
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.partial"):
        with suppress(OSError):
            held = hold(left, wait=False)
            if held is not None:
                shutil.rmtree(left, ignore_errors=True)
            let_go(held)


def let_go(held: int | None) -> None:
    """End the hold of a folder.

    Parameters
    ----------
    held : int or None
        As `claimed` gave it.
    """
    if held is not None:
        os.close(held)


def hold(folder: Path, *, wait: bool) -> int | None:
    """Lock a folder; None where another process has it, or where no lock of a folder is known.

    Parameters
    ----------
    folder : Path
        It exists.
    wait : bool
        Whether to wait until nobody else has it.

    Returns
    -------
    int or None
        For `let_go`.

    Raises
    ------
    OSError
        When the folder cannot be opened.
    """
    if sys.platform == "win32":
        return None
    handle = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        os.close(handle)
        return None
    return handle
