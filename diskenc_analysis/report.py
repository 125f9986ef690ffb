"""A report folder: notebooks run, pages made and checked, facts and a manifest, put in place as a whole."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from glob import has_magic
from pathlib import Path
from typing import Any

from diskenc_analysis.errors import (
    NotebookFailedError,
    ParameterError,
    ReportCheckError,
    UnreadableInputError,
)
from diskenc_analysis.ledger import sha256
from diskenc_analysis.params import distribute
from diskenc_analysis.results import versions, write_facts
from diskenc_analysis.runner import Progress, run_notebook

__all__ = ["Progress", "ReportResult", "render", "write_facts"]
KIND = "diskenc report"
_OURS = ("inventory", "as_of", "facts_out")


@dataclass(frozen=True)
class ReportResult:
    """What was made.

    Attributes
    ----------
    folder : Path
        The report folder.
    pages : tuple of Path
        One HTML file per notebook.
    facts : dict
        The numbers of all notebooks, by notebook.
    manifest_sha256 : str
        Hash of `manifest.json`, to be noted elsewhere.

    Examples
    --------
    >>> ReportResult(Path("out"), (), {}, "").folder.name
    'out'
    """

    folder: Path
    pages: tuple[Path, ...]
    facts: dict[str, Any]
    manifest_sha256: str


def render(
    inventory: str | os.PathLike[str],
    out: str | os.PathLike[str],
    notebooks: Sequence[str] = ("coverage",),
    params: Mapping[str, Any] | None = None,
    as_of: str | None = None,
    progress: Progress | None = None,
) -> ReportResult:
    """Run notebooks over an inventory and put the report in place.

    Parameters
    ----------
    inventory : path
        File, folder or pattern of exports.
    out : path
        The report folder. It is replaced as a whole, and only if it is a report of ours or empty.
    notebooks : sequence of str
        Which notebooks to run, in this order.
    params : mapping, optional
        Values of their parameters, JSON primitives only.
    as_of : str, optional
        The date that the report speaks for, as YYYY-MM-DD.
    progress : callable, optional
        Told of each cell: notebook, cell, cells. Without one a terminal gets a progress bar.

    Returns
    -------
    ReportResult
        The folder holds `<notebook>.html`, `<notebook>.ipynb`, `facts.json` and `manifest.json`.

    Raises
    ------
    ParameterError
        When a parameter is wrong, or the folder is not ours to replace.
    UnreadableInputError
        When the inventory cannot be read.
    NotebookFailedError
        When a notebook failed; the executed copy is in `<out>.failed`.
    ReportCheckError
        When a page failed its checks.
    """
    target = Path(out).resolve()
    started = datetime.now(UTC)
    _recover(target)
    _check_target(target)
    checked = _parameters(inventory, notebooks, params or {}, as_of)
    with _workplace(target) as work, _told(progress) as tell:
        facts = {name: _one(name, values, work, tell) for name, values in checked.items()}
        write_facts(work / "facts.json", facts)
        digest = _manifest(work, checked, facts, started)
        _publish(work, target)
    return ReportResult(target, tuple(target / f"{name}.html" for name in checked), facts, digest)


def _parameters(
    inventory: str | os.PathLike[str], notebooks: Sequence[str], params: Mapping[str, Any], as_of: str | None
) -> dict[str, dict[str, Any]]:
    for name in _OURS:
        if name in params:
            raise ParameterError(f"{name!r} cannot be a parameter here: the report sets it")
    path = Path(inventory).absolute()
    if not has_magic(str(path)) and not path.exists():
        raise UnreadableInputError(f"no such file or folder: {inventory}; expected exports to read")
    given = {**params, "inventory": str(path), "as_of": as_of or "", "facts_out": "facts"}
    checked = distribute(notebooks, given)
    return {name: model.model_dump() | {"facts_out": f"{name}.facts.json"} for name, model in checked.items()}


def _one(name: str, values: Mapping[str, Any], work: Path, progress: Progress | None) -> dict[str, Any]:
    """Run one notebook and make its page; give its facts."""
    from diskenc_analysis.page import make_page

    executed = run_notebook(name, values, work, progress)
    (work / f"{name}.html").write_text(make_page(executed).html, encoding="utf-8", newline="\n")
    file = work / str(values["facts_out"])
    if not file.is_file():
        raise ReportCheckError(
            f"notebook {name} wrote no facts; expected the file named by its parameter facts_out"
        )
    facts: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    file.unlink()
    return facts


def _manifest(
    work: Path, checked: Mapping[str, Mapping[str, Any]], facts: Mapping[str, Any], started: datetime
) -> str:
    """Write the manifest over all files of the folder, and give its own hash."""
    inputs = {row["source"]: row["sha256"] for part in facts.values() for row in part["ledger"]["files"]}
    content = {
        "kind": KIND,
        "started": started.isoformat(timespec="seconds"),
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        "parameters": checked,
        "inputs": inputs,
        "versions": versions(),
        "files": {
            file.name: {"sha256": sha256(file), "bytes": file.stat().st_size}
            for file in sorted(work.iterdir())
        },
    }
    write_facts(work / "manifest.json", content)
    return sha256(work / "manifest.json")


@contextmanager
def _workplace(target: Path) -> Iterator[Path]:
    """Give a folder beside the target; what a failed notebook left in it is kept for reading."""
    target.parent.mkdir(parents=True, exist_ok=True)
    work = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")
    work.mkdir()
    try:
        yield work
    except NotebookFailedError as error:
        kept = _keep_failed(work, target, error)
        raise NotebookFailedError(f"{error}; the executed copy is in {kept}") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _keep_failed(work: Path, target: Path, error: NotebookFailedError) -> Path:
    kept = target.with_name(f"{target.name}.failed")
    _check_target(kept)
    write_facts(work / "manifest.json", {"kind": KIND, "failed": str(error)})
    _publish(work, kept)
    return kept


def _check_target(target: Path) -> None:
    """Refuse to replace what we did not make."""
    if not target.exists() or (target.is_dir() and not any(target.iterdir())) or _is_ours(target):
        return
    raise ParameterError(
        f"{target} exists and is not a report folder (no manifest.json of one): name another folder"
    )


def _is_ours(target: Path) -> bool:
    try:
        content = json.loads((target / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.get("kind") == KIND


def _previous(target: Path) -> Path:
    return target.with_name(f".{target.name}.previous")


def _publish(work: Path, target: Path) -> None:
    """Put the finished folder in place; until then the old one stands, and comes back if this fails."""
    previous = _previous(target)
    if target.exists():
        target.rename(previous)
    try:
        work.rename(target)
    except OSError:
        if previous.exists():
            previous.rename(target)
        raise
    shutil.rmtree(previous, ignore_errors=True)


def _recover(target: Path) -> None:
    """Bring back the old folder, if a run was killed between taking it away and putting the new one there."""
    previous = _previous(target)
    if not previous.exists():
        return
    if target.exists():
        shutil.rmtree(previous)
    else:
        previous.rename(target)


@contextmanager
def _told(progress: Progress | None) -> Iterator[Progress | None]:
    """Give whom to tell: the caller's function, a bar on a terminal, or nobody."""
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import SpinnerColumn, TextColumn

    console = Console(stderr=True)
    if progress is not None or not console.is_terminal:
        yield progress
        return
    with Bar(SpinnerColumn(), TextColumn("{task.description}"), console=console, transient=True) as bar:
        task = bar.add_task("starting")
        yield lambda name, cell, cells: bar.update(task, description=f"{name}: cell {cell} of {cells}")
