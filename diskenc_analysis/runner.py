"""Run one notebook with its parameters, in a kernel of this very interpreter."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from weakref import ref

import nbformat

from diskenc_analysis import errors
from diskenc_analysis.browse import STATIC
from diskenc_analysis.errors import DiskencError, NotebookFailedError, ParameterError, UnknownNameError
from diskenc_analysis.place import full
from diskenc_analysis.share import notebook_dir

#: Called before each cell with the notebook's name, the cell's number and how many cells there are.
Progress = Callable[[str, int, int], None]

CELL_TIMEOUT = 3600
START_TIMEOUT = 120
_ENGINE = "diskenc"
# Plotly asks for nbformat, and so for jsonschema; where JupyterLab is installed, that would build 38 grammars
# of international addresses, which no notebook has, in each kernel: 1.4 s of processor.
_NO_GRAMMARS = "import sys; sys.modules['rfc3987_syntax'] = None"
# Errors of the input or of the arguments keep their class, and so their exit code.
_OWN_ERRORS = ("ParameterError", "UnknownNameError", "UnreadableInputError", "DiskencError")
_managers: list[ref[Any]] = []  # of the kernels; a list, since threads add to it
_PACKAGE_PARENT = str(Path(__file__).resolve().parent.parent)


def notebook_path(name: str) -> Path:
    """Find a notebook by name.

    Parameters
    ----------
    name : str
        Without its suffix.

    Returns
    -------
    Path
        The notebook's source.

    Raises
    ------
    UnknownNameError
        When there is no such notebook.

    Examples
    --------
    >>> notebook_path("coverage").name
    'coverage.ipynb'
    """
    path = notebook_dir() / f"{name}.ipynb"
    if not path.is_file():
        raise UnknownNameError.of("notebook", name, (found.stem for found in notebook_dir().glob("*.ipynb")))
    return path


def run_notebook(
    name: str,
    parameters: Mapping[str, Any],
    folder: Path,
    progress: Progress | None = None,
    timeout: int = CELL_TIMEOUT,
) -> nbformat.NotebookNode:
    """Run a notebook and keep the executed copy.

    Parameters
    ----------
    name : str
        Name of the notebook.
    parameters : mapping
        Checked parameters, JSON primitives only.
    folder : Path
        Where the executed `<name>.ipynb` goes; also the working directory of the run.
    progress : callable, optional
        Told of each cell before it runs.
    timeout : int
        Seconds that one cell may take.

    Returns
    -------
    NotebookNode
        As executed, without the paths and clock times of the run in its metadata.

    Raises
    ------
    NotebookFailedError
        When a cell raised, took too long, or the kernel died; the copy so far is in the folder.
    DiskencError
        When a cell raised one of this package's own errors for arguments or input, or the disk is full.
    """
    source, target = notebook_path(name), folder / f"{name}.ipynb"
    try:
        _execute(source, target, parameters, progress, timeout)
    except Exception as error:
        if not full(error):  # else the copy was cut short, and cannot be read
            _forget_run(target)
        raise
    _forget_run(target)
    return read(target)


def _execute(
    source: Path, target: Path, parameters: Mapping[str, Any], progress: Progress | None, timeout: int
) -> None:
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    _register_engine()
    try:
        papermill.execute_notebook(
            _literal(source),
            _literal(target),
            dict(parameters),
            kernel_name="python3",
            engine_name=_ENGINE,
            progress_bar=False,
            log_output=False,
            resources={"metadata": {"path": str(target.parent)}},  # `cwd` would move all threads there
            start_timeout=START_TIMEOUT,
            execution_timeout=timeout,
            kernel_manager_class=_kernel_manager(target.parent / "tmp"),
            on_cell_start=_tell(progress, source),
        )
    except PapermillExecutionError as error:
        raise _translate(error, source.stem) from error
    except CellTimeoutError as error:
        raise NotebookFailedError(f"notebook {source.stem}: a cell took longer than {timeout} s") from error
    except DeadKernelError as error:
        message = f"notebook {source.stem}: its kernel died, most often for want of memory"
        raise NotebookFailedError(message) from error


@cache
def _register_engine() -> None:
    """Add an engine to papermill that writes the executed copy once at the end, not twice for each cell."""
    from papermill.engines import NBClientEngine, papermill_engines

    class Engine(NBClientEngine):  # type: ignore[misc,unused-ignore]
        """Runs as papermill's own does."""

        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **wishes: Any) -> Any:
            path, nb_man.output_path = nb_man.output_path, None
            try:
                return super().execute_managed_notebook(nb_man, kernel_name, **wishes)
            finally:
                nb_man.output_path = path

    papermill_engines.register(_ENGINE, Engine)


def _literal(path: Path) -> str:
    """Write a path for papermill, which reads it as a format string."""
    return str(path).replace("{", "{{").replace("}", "}}")


def _tell(progress: Progress | None, source: Path) -> Callable[..., None] | None:
    if progress is None:
        return None
    total = sum(cell.cell_type == "code" for cell in read(source).cells) + 1
    seen: list[int] = []

    def on_cell_start(cell: nbformat.NotebookNode, **_: object) -> None:
        if cell.cell_type == "code":
            seen.append(1)
            progress(source.stem, len(seen), total)

    return on_cell_start


def _translate(error: Any, name: str) -> DiskencError:
    """Turn a cell's error into ours: bad input stays bad input, all else is a failed notebook."""
    kind = str(error.ename).rsplit(".", 1)[-1]
    if kind in _OWN_ERRORS:
        own: type[DiskencError] = getattr(errors, kind)
        return own(error.evalue)
    if reason := full(str(error.evalue)):
        return ParameterError(f"notebook {name} could not write: {reason}")
    head = next((line for line in error.source.splitlines() if line.strip()), "")
    return NotebookFailedError(
        f"notebook {name}, cell [{error.exec_count}] ({head.strip()}): {kind}: {error.evalue}"
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Keep papermill's log out of ours: what it says is in the error or in the executed notebook."""
    logger = logging.getLogger("papermill")
    before = logger.level, logger.propagate
    logger.setLevel(logging.CRITICAL)
    logger.propagate = False
    try:
        yield
    finally:
        logger.setLevel(before[0])
        logger.propagate = before[1]


def _kernel_manager(scratch: Path) -> type[Any]:
    """Make a manager whose kernel is this interpreter's, whatever kernels the user has installed."""
    from ipykernel.kernelspec import get_kernel_dict
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager

    class Manager(AsyncKernelManager):
        """Starts `python -m ipykernel_launcher` with the interpreter that runs this."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            _managers.append(ref(self))

        @property
        def kernel_spec(self) -> KernelSpec:
            # The warning about unencrypted TCP is of no use here: the kernel listens on this machine only.
            given = ["--log-level=CRITICAL", f"--IPKernelApp.exec_lines={_NO_GRAMMARS}"]
            spec = get_kernel_dict(extra_arguments=given)
            return KernelSpec(**spec, env=_environment(scratch))

    return Manager


def kill_kernels() -> None:
    """End the kernels that run, at once; their notebooks fail with a dead kernel.

    Examples
    --------
    >>> kill_kernels()
    """
    for manager in _managers:
        process = getattr(getattr(manager(), "provisioner", None), "process", None)
        if process is not None and process.poll() is None:
            process.kill()


def _environment(scratch: Path) -> dict[str, str]:
    """Give the kernel's environment: this package importable, charts as data, the same order each time.

    What a kernel that is killed leaves behind lies in the scratch folder, and goes with the run.
    """
    scratch.mkdir(exist_ok=True)
    paths = [_PACKAGE_PARENT, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {
        "PLOTLY_RENDERER": "plotly_mimetype",
        STATIC: "yes",
        "PYTHONHASHSEED": "0",
        "TMPDIR": str(scratch),
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)),
    }


def _forget_run(target: Path) -> None:
    """Take out what papermill wrote about this run alone: paths, clock times, an id drawn by chance."""
    if not target.is_file():
        return
    notebook = read(target)
    about = notebook.metadata.get("papermill", {})
    about.update(input_path=target.name, output_path=target.name)
    for clock in ("start_time", "end_time", "duration"):
        about.pop(clock, None)
    for cell in notebook.cells:
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell["id"] = "injected-parameters"
    target.write_text(nbformat.writes(notebook), encoding="utf-8", newline="\n")  # type: ignore[no-untyped-call]


def read(path: Path) -> nbformat.NotebookNode:
    """Read a notebook.

    Parameters
    ----------
    path : Path
        An existing notebook.

    Returns
    -------
    NotebookNode
        In the current format.
    """
    found: nbformat.NotebookNode = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    return found
