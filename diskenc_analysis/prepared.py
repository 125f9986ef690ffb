"""The inventory of a report: read once, its gates judged, its names taken out, saved for every notebook."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diskenc_analysis import history
from diskenc_analysis.coverage import coverage
from diskenc_analysis.errors import ParameterError
from diskenc_analysis.exceptions import read_exceptions
from diskenc_analysis.gates import Gate, judge
from diskenc_analysis.head import Head, not_read
from diskenc_analysis.inventory import Inventory
from diskenc_analysis.opening import read
from diskenc_analysis.pseudonyms import Pseudonyms
from diskenc_analysis.redact import redacted

_MEMORY = "2GB"
_NOTICE = (
    "Names or ids in this report are pseudonyms, the same for the same original. Whoever holds the key file, "
    "which is no part of the report, can look them up."
)


@dataclass(frozen=True)
class Prepared:
    """What the notebooks of a report start from.

    Attributes
    ----------
    inv : Inventory or None
        With pseudonyms, where they are wanted; None where no notebook reads one.
    name : str
        Name of the folder that it was saved in, which is also what a reader is told of it.
    where : str
        Where it came from, for the manifest.
    head : Head
        What stands at the top of every page.
    """

    inv: Inventory | None
    name: str
    where: str
    head: Head


def prepare(
    inventory: str | os.PathLike[str] | None,
    folder: Path,
    edition: str = "latest",
    gates: Sequence[Gate] = (),
    allow_unknown: int = 0,
    names: Pseudonyms | None = None,
    *,
    keep_going: bool = False,
) -> Prepared:
    """Read an inventory once, for all notebooks.

    Parameters
    ----------
    inventory : path or None
        File, folder or pattern of exports, or a saved inventory; None where no notebook reads one.
    folder : Path
        The inventory is saved in a folder of its own name in it.
    edition : str
        Edition of the matrix by which the gates are judged.
    gates : sequence of Gate
        What must be reached.
    allow_unknown : int
        So many unknown disks or VMs do not count against a gate.
    names : Pseudonyms, optional
        Pseudonyms to put in place of names or ids.
    keep_going : bool
        Load the rest where a file cannot be read.

    Returns
    -------
    Prepared

    Raises
    ------
    UnreadableInputError
        When the inventory cannot be read, or holds no disks.
    UnknownNameError
        When a gate names a column that there is not.

    Examples
    --------
    >>> import tempfile
    >>> from diskenc_analysis.share import sample_path
    >>> prepare(sample_path(), Path(tempfile.mkdtemp())).name
    'sample'
    """
    if inventory is None:
        folder.mkdir()
        return Prepared(None, "", "", Head())
    inv = read(inventory, engine="auto", memory_limit=_MEMORY, keep_going=keep_going)
    inv.require_disks()
    outcomes = judge(coverage(inv, edition), gates, allow_unknown) if gates else ()
    where, name = os.fspath(inventory), Path(inventory).resolve().name or "inventory"
    notices = not_read(inv)
    if names:
        inv, notices = redacted(inv, names), (_NOTICE, *notices)
        where, name = names.of("path")(where), names.of("name")(name)
        outcomes = tuple(outcome.renamed(names.of("prose")) for outcome in outcomes)
    inv.save(folder / name)
    return Prepared(inv, name, where, Head(outcomes, notices))


@dataclass(frozen=True)
class Earlier:
    """An inventory that a report compares with.

    Attributes
    ----------
    inv : Inventory
        With the same pseudonyms as the report.
    path : str
        The folder that it was saved in, seen from that of the report's inventory.
    where : str
        Where it came from, for the manifest.
    """

    inv: Inventory
    path: str
    where: str


def prepare_earlier(
    inventory: str | os.PathLike[str],
    folder: Path,
    names: Pseudonyms | None = None,
    *,
    keep_going: bool = False,
) -> Earlier:
    """Read an earlier inventory for the notebooks that compare with it.

    Parameters
    ----------
    inventory : path
        File, folder or pattern of exports, or a saved inventory.
    folder : Path
        The folder that the report's own inventory is saved in; this one goes into `earlier` in it.
    names : Pseudonyms, optional
        Pseudonyms to put in place of names or ids: those of the report, so that the same VM has the same.
    keep_going : bool
        Load the rest where a file cannot be read.

    Returns
    -------
    Earlier

    Raises
    ------
    UnreadableInputError
        When the inventory cannot be read, or holds no disks.
    """
    inv = read(inventory, engine="auto", memory_limit=_MEMORY, keep_going=keep_going)
    inv.require_disks()
    where, name = os.fspath(inventory), Path(inventory).resolve().name or "inventory"
    if names:
        inv = redacted(inv, names)
        where, name = names.of("path")(where), names.of("name")(name)
    inv.save(folder / EARLIER / name)
    return Earlier(inv, f"{EARLIER}/{name}", where)


#: What these notebooks compare with, and what is said where it is missing.
_PAST = {
    "drift": ("baseline", "two captures to compare: the older one"),
    "trend": ("history", "a history, as diskenc history add makes it: its folder"),
}


def require_past(notebooks: Sequence[str], given: Mapping[str, Any]) -> None:
    """Refuse notebooks about change before anything runs, where there is nothing to compare with.

    Raises
    ------
    ParameterError
        When `drift` has no baseline, or `trend` no history.

    Examples
    --------
    >>> require_past(["coverage", "drift"], {"baseline": "exports/2026-10-24"})
    """
    for name, (parameter, words) in _PAST.items():
        if name in notebooks and not given.get(parameter):
            flag = "it is --history DIR, or" if parameter == "history" else "it"
            raise ParameterError(
                f"notebook {name}: expected {words}, as parameter {parameter}; {flag} stands in a file, "
                f"--params FILE, with a line such as {parameter}: FOLDER"
            )


def require_inventory(notebooks: Sequence[str], gates: Sequence[object]) -> None:
    """Refuse what needs an inventory, where there is none: all but the notebook on a history.

    Raises
    ------
    ParameterError
        When another notebook, or a gate, is wanted.

    Examples
    --------
    >>> require_inventory(["trend"], [])
    """
    for name in notebooks:
        if name != "trend":
            raise ParameterError(f"notebook {name}: expected an inventory: name a file or folder of exports")
    if gates:
        raise ParameterError("--fail-under: expected an inventory, whose shares a gate is held to")


#: The folder of earlier inventories.
EARLIER = "earlier"


def linked_history(folder: str | None, beside: Path) -> dict[str, str]:
    """Make a history reachable from where notebooks run, so that its place on this machine stays unsaid.

    Parameters
    ----------
    folder : str or None
        The history; None or empty where there is none.
    beside : Path
        Gets a link to it.

    Returns
    -------
    dict of str to str
        The parameter and the name of the link; empty where there is no history.

    Raises
    ------
    UnreadableInputError
        When the folder is no history, or holds no capture.

    Examples
    --------
    >>> linked_history("", Path())
    {}
    """
    if not folder:
        return {}
    history.read(folder)
    (beside / "history").symlink_to(Path(folder).resolve(), target_is_directory=True)
    return {"history": "history"}


def linked_exceptions(file: str | None, beside: Path) -> dict[str, str]:
    """Make a file of exceptions reachable from where notebooks run, once it was found to be one.

    Parameters
    ----------
    file : str or None
        The file; None or empty where there is none.
    beside : Path
        Gets a folder with a link to it.

    Returns
    -------
    dict of str to str
        The parameter and the path of the link; empty where there is no file.

    Raises
    ------
    UnreadableInputError
        When the file is no such file.

    Examples
    --------
    >>> linked_exceptions("", Path())
    {}
    """
    if not file:
        return {}
    read_exceptions(file)
    (beside / "exceptions").mkdir()
    (beside / "exceptions" / Path(file).name).symlink_to(Path(file).resolve())
    return {"exceptions": f"exceptions/{Path(file).name}"}
