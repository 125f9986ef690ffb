"""Notebooks run side by side, each in a folder of its own, over an inventory that was prepared once."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import nbformat

from diskenc_analysis.errors import DiskencError, NotebookFailedError, ReportCheckError
from diskenc_analysis.runner import Progress, kill_kernels, notebook_path, quiet, read, run_notebook

T = TypeVar("T")
#: Names of what a notebook writes in its folder, as its parameters say.
FACTS, DATA = "facts.json", "data"
#: Where the prepared inventory lies, as seen from the folder that a notebook runs in.
HELD = "../../inventory/"
_PATIENCE = 0.2  # seconds between two looks at notebooks that are to stop


@dataclass(frozen=True)
class Run:
    """One notebook that was run.

    Attributes
    ----------
    name : str
        Name of the notebook.
    folder : Path
        Where it ran: the executed copy, its facts and its tables.
    error : DiskencError or None
        Why it failed.
    seconds : float
        How long it took, for the manifest alone.

    Examples
    --------
    >>> Run("coverage", Path("run"), None, 1.0).failed
    False
    """

    name: str
    folder: Path
    error: DiskencError | None
    seconds: float

    @property
    def failed(self) -> bool:
        """Whether there is no page of it."""
        return self.error is not None

    @property
    def copy(self) -> Path:
        """The executed copy, as far as it came."""
        return self.folder / f"{self.name}.ipynb"

    @property
    def tables(self) -> list[Path]:
        """The full tables that it wrote, as Parquet."""
        return sorted((self.folder / DATA).glob("*.parquet"))

    @property
    def texts(self) -> list[Path]:
        """The texts that it wrote for a person to review."""
        return sorted((self.folder / DATA).rglob("*.txt"))

    def executed(self) -> nbformat.NotebookNode:
        """Read the executed copy."""
        return read(self.copy)

    def facts(self) -> dict[str, Any]:
        """Read the numbers that it wrote."""
        content: dict[str, Any] = json.loads((self.folder / FACTS).read_text(encoding="utf-8"))
        return content


def run_all(
    parameters: Mapping[str, Mapping[str, Any]],
    scratch: Path,
    jobs: int | None,
    progress: Progress | None,
    finish: Callable[[Run], T],
) -> list[T]:
    """Run notebooks, as many at a time as there are cores.

    Parameters
    ----------
    parameters : mapping
        Checked parameters by notebook, JSON primitives only.
    scratch : Path
        Gets a folder for each notebook, which is also where it runs.
    jobs : int, optional
        How many run at a time; the number of cores by default.
    progress : callable, optional
        Told of each cell before it runs, from several threads.
    finish : callable
        What to do with a notebook that was run, while others still run.

    Returns
    -------
    list
        What `finish` made of each, in the order of the parameters. A notebook that failed does not keep
        others from running.

    Raises
    ------
    DiskencError
        When a notebook raised one of this package's own errors for arguments or input, which no other
        notebook can do better with. The others are stopped, as they are by Ctrl-C.
    """
    with quiet(), ThreadPoolExecutor(jobs or os.cpu_count() or 1) as pool:
        futures = {
            name: pool.submit(_finished, name, parameters[name], scratch / name, progress, finish)
            for name in _longest_first(parameters)
        }
        try:
            return [futures[name].result() for name in parameters]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            while not all(future.done() for future in futures.values()):  # one may start its kernel just now
                kill_kernels()
                time.sleep(_PATIENCE)
            raise


def _longest_first(names: Iterable[str]) -> list[str]:
    """Sort notebooks by how many cells they have, so that none runs on alone at the end."""
    return sorted(names, key=lambda name: -len(read(notebook_path(name)).cells))


def _finished(
    name: str,
    values: Mapping[str, Any],
    folder: Path,
    progress: Progress | None,
    finish: Callable[[Run], T],
) -> T:
    return finish(_run(name, values, folder, progress))


def _run(name: str, values: Mapping[str, Any], folder: Path, progress: Progress | None) -> Run:
    folder.mkdir(parents=True)
    error: DiskencError | None = None
    started = time.monotonic()
    try:
        run_notebook(name, values, folder, progress)
        if not (folder / FACTS).is_file():
            error = ReportCheckError(
                f"notebook {name} wrote no facts; expected the file named by its parameter facts_out"
            )
    except NotebookFailedError as failure:
        error = failure
    finally:
        _close_loop()
    return Run(name, folder, error, time.monotonic() - started)


def _close_loop() -> None:
    """Close the event loop that the kernel's client made for this thread and leaves open."""
    with suppress(RuntimeError):  # none was made
        asyncio.get_event_loop().close()


@contextmanager
def told(progress: Progress | None) -> Iterator[Progress | None]:
    """Give whom to tell: the caller's function, a bar for each notebook on a terminal, or nobody."""
    from rich.console import Console
    from rich.progress import BarColumn, SpinnerColumn, TaskID, TextColumn
    from rich.progress import Progress as Bars

    console = Console(stderr=True)
    if progress is not None or not console.is_terminal:
        yield progress
        return
    tasks: dict[str, TaskID] = {}
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn())
    with Bars(*columns, TextColumn("cell {task.completed} of {task.total}"), console=console) as bars:

        def tell(name: str, cell: int, cells: int) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=cells)
            bars.update(tasks[name], completed=cell)

        yield tell
