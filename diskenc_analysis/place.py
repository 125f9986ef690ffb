"""Files and folders that appear whole or not at all: written beside their place, then renamed."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from diskenc_analysis.errors import ParameterError
from diskenc_analysis.leftovers import claimed, let_go, sweep


@contextmanager
def placed_file(path: Path) -> Iterator[Path]:
    """Give a file to write, which takes its place when the block ends well.

    Parameters
    ----------
    path : Path
        Where it is to be. Its folder is made; a file there is replaced.

    Yields
    ------
    Path
        A file of that name, in a folder beside it; it does not exist yet.

    Raises
    ------
    ParameterError
        When a folder has that name, or nothing can be written there.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "out.csv"
    >>> with placed_file(target) as file:
    ...     _ = file.write_text("a,b")
    >>> target.read_text()
    'a,b'
    """
    path = path.resolve()
    if path.is_dir():
        raise ParameterError(f"{path} is a folder: name a file in it")
    with _beside(path) as work:
        yield work
        work.replace(path)


@contextmanager
def placed_folder(path: Path, ours: Callable[[Path], bool], what: str) -> Iterator[Path]:
    """Give a folder to fill, which takes its place when the block ends well.

    Parameters
    ----------
    path : Path
        Where it is to be. The folders above it are made.
    ours : callable
        Says of a folder that is there and holds something whether it may be replaced.
    what : str
        What such a folder is, for the message.

    Yields
    ------
    Path
        An empty folder of that name, in one beside it that goes when the block ends: what else is written in
        there goes with it. Until then the old folder stands, and it comes back if a run is killed between
        taking it away and putting the new one there.

    Raises
    ------
    ParameterError
        When something else is there, or nothing can be written there.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "out"
    >>> with placed_folder(target, lambda folder: False, "a report") as folder:
    ...     _ = (folder / "page.html").write_text("<p>")
    >>> [file.name for file in target.iterdir()]
    ['page.html']
    """
    path = path.resolve()
    _recover(path)
    _check(path, ours, what)
    with _beside(path) as work:
        work.mkdir()
        yield work
        _publish(work, path)


@contextmanager
def added_folder(path: Path) -> Iterator[Path]:
    """Give a folder to fill, which takes its place when the block ends well, and replaces nothing.

    Parameters
    ----------
    path : Path
        Where it is to be.

    Yields
    ------
    Path
        An empty folder beside it.

    Raises
    ------
    ParameterError
        When something is there by then, or nothing can be written there.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "out"
    >>> with added_folder(target) as folder:
    ...     _ = (folder / "a").write_text("")
    >>> [file.name for file in target.iterdir()]
    ['a']
    """
    path = path.resolve()
    with _beside(path) as work:
        work.mkdir()
        yield work
        try:
            work.rename(path)
        except OSError as error:
            raise _refused(path, error) from error


def _check(path: Path, ours: Callable[[Path], bool], what: str) -> None:
    """Refuse to replace what we did not make."""
    try:
        free = not path.exists() or (path.is_dir() and (not any(path.iterdir()) or ours(path)))
    except OSError as error:
        raise _refused(path, error) from error
    if not free:
        raise ParameterError(f"{path} exists and is not {what}: name another folder")


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """Give a path of that name in a new folder beside it, which goes at the end however that is reached."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path)
        home, held = claimed(path)  # writing itself may fail much later, after all the work was done
    except OSError as error:
        raise _refused(path, error) from error
    try:
        yield home / path.name
    except Exception as error:
        if reason := full(error):
            raise ParameterError(
                f"{path} cannot be written: {reason}. What was there stands as it was"
            ) from error
        raise
    finally:
        shutil.rmtree(home, ignore_errors=True)
        let_go(held)


def full(error: Exception | str) -> str:
    """Say whether an error is one of a disk, a quota or a limit that is used up, and which.

    Parameters
    ----------
    error : Exception or str
        Of Python, or of a library that tells of it in its message alone.

    Returns
    -------
    str
        The reason in words; empty where it is another error.

    Examples
    --------
    >>> full(OSError(errno.ENOSPC, "No space left on device")), full(ValueError("seven"))
    ('No space left on device', '')
    """
    reasons = map(os.strerror, (errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
    return next((reason for reason in reasons if reason in str(error)), "")


def _refused(path: Path, error: OSError) -> ParameterError:
    return ParameterError(f"{path} cannot be written: {error.strerror}")


def _previous(path: Path) -> Path:
    return path.with_name(f".{path.name}.previous")


def _publish(work: Path, path: Path) -> None:
    previous = _previous(path)
    if path.exists():
        path.rename(previous)
    try:
        work.rename(path)
    except OSError:
        if previous.exists():
            previous.rename(path)
        raise
    shutil.rmtree(previous, ignore_errors=True)


def _recover(path: Path) -> None:
    previous = _previous(path)
    if not previous.exists():
        return
    if path.exists():
        shutil.rmtree(previous)
    else:
        previous.rename(path)
