"""A report folder: notebooks run over one inventory, and what came of them put in place as a whole."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from diskenc_analysis.editions import resolve_edition
from diskenc_analysis.errors import DiskencError, ParameterError
from diskenc_analysis.folder import fill, finish, pack
from diskenc_analysis.gates import Outcome, parse
from diskenc_analysis.head import Head
from diskenc_analysis.history import captures_in
from diskenc_analysis.inventory import Inventory
from diskenc_analysis.ledger import NO_FILE, sha256
from diskenc_analysis.manifest import is_report, seal
from diskenc_analysis.params import REPORTED, distribute
from diskenc_analysis.place import placed_file, placed_folder
from diskenc_analysis.prepared import (
    EARLIER,
    Earlier,
    linked_exceptions,
    linked_history,
    prepare,
    prepare_earlier,
    require_inventory,
    require_past,
)
from diskenc_analysis.pseudonyms import Pseudonyms
from diskenc_analysis.redact import pseudonyms, write_key
from diskenc_analysis.results import commit, sources, versions, write_facts
from diskenc_analysis.runner import Progress
from diskenc_analysis.runs import DATA, FACTS, HELD, Run, run_all, told

__all__ = ["Options", "Progress", "ReportResult", "render", "write_facts"]
_OURS = ("inventory", "as_of", "facts_out", "data_out")


@dataclass(frozen=True)
class Options:
    """What a report is to be besides its notebooks.

    Attributes
    ----------
    gates : sequence of str
        Shares that must be reached, such as `temp_disk=95`; see `gates.parse`.
    allow_unknown : int
        So many unknown disks or VMs do not count against a gate.
    jobs : int or None
        How many notebooks run at a time; the number of cores by default.
    zipped : bool
        Whether the folder is also made one file, `<out>.zip`.
    redact : {"names", "ids", "all"} or None
        What gets stable pseudonyms; their key file is `<out>.key.json`, beside the folder.
    keep_going : bool
        Whether to load the rest where a file cannot be read; page one names the loss.

    Examples
    --------
    >>> Options(gates=["temp_disk=95"]).allow_unknown
    0
    """

    gates: Sequence[str] = ()
    allow_unknown: int = 0
    jobs: int | None = None
    zipped: bool = False
    redact: str | None = None
    keep_going: bool = False


@dataclass(frozen=True)
class ReportResult:
    """What was made.

    Attributes
    ----------
    folder : Path
        The report folder.
    pages : tuple of Path
        One HTML file per notebook that was rendered, and the index.
    facts : dict
        The numbers of all notebooks, by notebook.
    manifest_sha256 : str
        Hash of `manifest.json`, to be noted elsewhere.
    gates : tuple of Outcome
        Which gates were met.
    failures : tuple of DiskencError
        Why notebooks failed; their executed copies are in the folder.

    Examples
    --------
    >>> ReportResult(Path("out"), (), {}, "").exit_code
    0
    """

    folder: Path
    pages: tuple[Path, ...]
    facts: dict[str, Any]
    manifest_sha256: str
    gates: tuple[Outcome, ...] = ()
    failures: tuple[DiskencError, ...] = ()

    @property
    def exit_code(self) -> int:
        """What the command exits with: a failed notebook counts before a missed gate."""
        if self.failures:
            return min(failure.exit_code for failure in self.failures)
        return 0 if all(gate.met for gate in self.gates) else 1


def render(
    inventory: str | os.PathLike[str] | None,
    out: str | os.PathLike[str],
    notebooks: Sequence[str] = REPORTED,
    params: Mapping[str, Any] | None = None,
    as_of: str | None = None,
    progress: Progress | None = None,
    *,
    options: Options | None = None,
) -> ReportResult:
    """Run notebooks over an inventory and put the report in place.

    Parameters
    ----------
    inventory : path or None
        File, folder or pattern of exports, or a saved inventory; None for `trend` alone.
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
    options : Options, optional
        Gates and more.

    Returns
    -------
    ReportResult
        The folder holds `index.html`, `<notebook>.html`, the executed `<notebook>.ipynb`, `facts.json`,
        the full tables in `data/`, `appendix.xlsx`, `manifest.json` and `manifest.sha256`. A notebook
        that failed leaves its executed copy alone, and its error is in `failures`.

    Raises
    ------
    ParameterError
        When a parameter is wrong or missing, or the folder is not ours to replace.
    UnreadableInputError
        When an inventory cannot be read, or holds no disks.
    """
    wish, target, started = options or Options(), Path(out).resolve(), datetime.now(UTC)
    if wish.redact:
        _require_no_names(notebooks, params or {})
    if inventory is None:
        require_inventory(notebooks, wish.gates)
    gates, key = [parse(text) for text in wish.gates], Path(f"{target}.key.json")
    given = _given(notebooks, params or {}, as_of)
    with ExitStack() as stack:
        zipped = stack.enter_context(placed_file(Path(f"{target}.zip"))) if wish.zipped else None
        work = stack.enter_context(placed_folder(target, is_report, "a report folder"))
        scratch = work.with_name(f"{work.name}.scratch")  # so that it goes even if killed
        scratch.mkdir()
        names = pseudonyms(wish.redact, key) if wish.redact else None
        edition = str(given.get("edition", "latest"))
        start = prepare(
            inventory,
            scratch / "inventory",
            edition,
            gates,
            wish.allow_unknown,
            names,
            keep_going=wish.keep_going,
        )
        earlier = _earlier(given, scratch / "inventory", names, keep_going=wish.keep_going)
        if names:
            write_key(names, stack.enter_context(placed_file(key)))
        held = {"inventory": start.name} if start.inv else {}
        held |= {"baseline": earlier.path} if earlier else {}
        held |= linked_history(given.get("history"), scratch / "inventory")
        held |= linked_exceptions(given.get("exceptions"), scratch / "inventory")
        where = {"inventory": start.where} | ({"baseline": earlier.where} if earlier else {})
        if "history" in held:
            where["history"] = (names.of("path") if names else str)(str(given["history"]))
        if "exceptions" in held:
            where["exceptions"] = str(given["exceptions"])
        inputs = _hashes(start.inv, earlier, given, held)
        values = _values(notebooks, given | {name: f"{HELD}{path}" for name, path in held.items()})
        with told(progress) as tell:
            finished = run_all(
                values, scratch / "run", wish.jobs, tell, lambda run: finish(run, work, start.head)
            )
        runs, made = [one.run for one in finished], fill(work, finished, start.head, str(given["as_of"]))
        digest = seal(work, _about(started, start.head, inputs, where, values, runs))
        if zipped:
            pack(work, zipped, target.name)
    pages = tuple(target / name for name in (*made.pages, "index.html"))
    return ReportResult(target, pages, made.facts, digest, start.head.gates, made.failures)


def _require_no_names(notebooks: Sequence[str], params: Mapping[str, Any]) -> None:
    """Refuse what would bring names into a report that is to have none."""
    for name in ("what_if_where", "exceptions"):
        if params.get(name):
            raise ParameterError(f"{name!r} cannot go with redact: the names in it would stand in the report")
    if "trend" in notebooks:
        raise ParameterError("'trend' cannot go with redact: a history keeps the names that it was given")


def _given(notebooks: Sequence[str], params: Mapping[str, Any], as_of: str | None) -> dict[str, Any]:
    """Check what was given before anything runs."""
    for name in _OURS:
        if name in params:
            raise ParameterError(f"{name!r} cannot be a parameter here: the report sets it")
    require_past(notebooks, params)
    given = {**params, "as_of": as_of or "", "facts_out": FACTS, "data_out": DATA}
    for model in distribute(notebooks, given | {"inventory": ""}).values():
        given |= {name: value for name, value in model.model_dump().items() if name in given}
        resolve_edition(getattr(model, "edition", "latest"))
    return given


def _values(notebooks: Sequence[str], given: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: model.model_dump() for name, model in distribute(notebooks, given).items()}


def _earlier(
    given: Mapping[str, Any], folder: Path, names: Pseudonyms | None, *, keep_going: bool
) -> Earlier | None:
    """Prepare the inventory that the report compares with, where there is one."""
    if not given.get("baseline"):
        return None
    return prepare_earlier(str(given["baseline"]), folder, names, keep_going=keep_going)


def _about(
    started: datetime,
    head: Head,
    inputs: Mapping[str, str],
    where: Mapping[str, str],
    values: Mapping[str, Mapping[str, Any]],
    runs: Sequence[Run],
) -> dict[str, Any]:
    """Say in the manifest what a page does not: clock times, and where the input lay."""
    return {
        "started": started.isoformat(timespec="seconds"),
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": {run.name: round(run.seconds, 1) for run in runs},
        "parameters": {name: {n: where.get(n) or v for n, v in one.items()} for name, one in values.items()},
        "inputs": dict(inputs),
        "gates": [gate.line for gate in head.gates],
        "versions": versions() | {"git_commit": commit()},
    }


def _hashes(
    inv: Inventory | None, earlier: Earlier | None, given: Mapping[str, Any], held: Mapping[str, str]
) -> dict[str, str]:
    """Give the hash of every file that the report was made from."""
    found = _inputs(inv) if inv else {}
    if earlier:
        found |= {f"{EARLIER}/{name}": digest for name, digest in _inputs(earlier.inv).items()}
    if "history" in held:
        home = Path(str(given["history"])).resolve()
        found |= {f"history/{file.relative_to(home).as_posix()}": sha256(file) for file in captures_in(home)}
    if "exceptions" in held:
        found[str(given["exceptions"])] = sha256(Path(str(given["exceptions"])))
    return found


def _inputs(inv: Inventory) -> dict[str, str]:
    return {row["source"]: row["sha256"] for row in sources(inv) if row["shape"] != NO_FILE}
