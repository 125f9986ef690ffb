"""The manifest of a report folder: the hash of every file, and the check that all is as it was."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from diskenc_analysis.errors import UnreadableInputError
from diskenc_analysis.ledger import sha256
from diskenc_analysis.results import write_facts

KIND = "diskenc report"
MANIFEST, SEAL = "manifest.json", "manifest.sha256"


@dataclass(frozen=True)
class Verified:
    """What a report folder was found to be.

    Attributes
    ----------
    manifest_sha256 : str
        Hash of its manifest.
    files : int
        How many files the manifest lists.
    complaints : tuple of str
        What changed, is missing or is extra; empty where all is as it was.

    Examples
    --------
    >>> Verified("00", 3, ("changed: facts.json",)).complaints[0]
    'changed: facts.json'
    """

    manifest_sha256: str
    files: int
    complaints: tuple[str, ...]


def is_report(folder: Path) -> bool:
    """Say whether a folder is a report of ours.

    Parameters
    ----------
    folder : Path
        Any folder.

    Returns
    -------
    bool
        Whether it has the manifest of one.

    Examples
    --------
    >>> is_report(Path("no-such-folder"))
    False
    """
    try:
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.get("kind") == KIND


def seal(folder: Path, about: Mapping[str, Any]) -> str:
    """Write the manifest over all files of a folder, and its own hash beside it.

    Parameters
    ----------
    folder : Path
        The finished folder.
    about : mapping
        What else the manifest says, JSON primitives only.

    Returns
    -------
    str
        SHA-256 of the manifest. It shows damage, and forgery only to those who noted it elsewhere.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> digest = seal(folder, {})
    >>> verify(folder).manifest_sha256 == digest
    True
    """
    files = {
        name: {"sha256": sha256(folder / name), "bytes": (folder / name).stat().st_size}
        for name in _files(folder)
    }
    write_facts(folder / MANIFEST, {"kind": KIND, **about, "files": files})
    digest = sha256(folder / MANIFEST)
    (folder / SEAL).write_text(f"{digest}  {MANIFEST}\n", encoding="utf-8", newline="\n")
    return digest


def _files(folder: Path) -> list[str]:
    """Name every file below a folder, a link as itself."""
    found = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    return sorted(path.relative_to(folder).as_posix() for path in found)


def verify(path: Path, expected: str | None = None) -> Verified:
    """Hash every file of a report again.

    Parameters
    ----------
    path : Path
        A report folder, or the zip file of one.
    expected : str, optional
        The manifest's SHA-256 as it was noted when the report was made.

    Returns
    -------
    Verified
        With a line for each file that changed, is missing, or was added, the manifest included.

    Raises
    ------
    UnreadableInputError
        When there is no manifest to check by.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> digest = seal(folder, {})
    >>> _ = (folder / "note.txt").write_text("mine")
    >>> verify(folder).complaints
    ('extra: note.txt',)
    """
    with _opened(path) as folder:
        try:
            files = _listed(folder)
        except UnreadableInputError:
            if not ((folder / MANIFEST).is_file() and (folder / SEAL).is_file()):
                raise
            files = None
        digest = sha256(folder / MANIFEST)
        damaged = [f"changed: {MANIFEST} (it lists no files with their hashes)"]
        found = damaged if files is None else _judge_files(folder, files)
        complaints = [*_judge_manifest(folder, digest, expected), *found]
    return Verified(digest, len(files or {}), tuple(complaints))


@contextmanager
def _opened(path: Path) -> Iterator[Path]:
    """Give the report folder, taken out of its zip file where it is in one."""
    if not zipfile.is_zipfile(path):
        yield path
        return
    with TemporaryDirectory(prefix="diskenc-") as scratch:
        try:
            with zipfile.ZipFile(path) as archive:
                archive.extractall(scratch)
        except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, OSError) as error:
            raise UnreadableInputError(f"{path}: expected the whole zip of a report, but: {error}") from None
        inside = sorted(Path(scratch).iterdir())
        yield inside[0] if len(inside) == 1 else Path(scratch)


def _listed(folder: Path) -> dict[str, str]:
    """Read the hashes of the manifest."""
    try:
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return {str(name): str(entry["sha256"]) for name, entry in content["files"].items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise UnreadableInputError(
            f"{folder}: expected a report folder with {MANIFEST}, but: {_in_words(error)}"
        ) from None


def _in_words(error: Exception) -> str:
    if isinstance(error, OSError | ValueError):
        return str(error)
    return "it does not list files with their hashes"


def _judge_manifest(folder: Path, digest: str, expected: str | None) -> Iterator[str]:
    if expected is not None and (wanted := expected.strip().lower()) != digest:
        yield f"changed: {MANIFEST} (its hash is {digest}, not the {wanted} that was expected)"
    try:
        noted = (folder / SEAL).read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError):
        yield f"missing: {SEAL}"
        return
    if noted != [digest, MANIFEST]:
        yield f"changed: {MANIFEST} or {SEAL} (they do not agree)"


def _judge_files(folder: Path, files: Mapping[str, str]) -> Iterator[str]:
    there = set(_files(folder)) - {MANIFEST, SEAL}
    for name in sorted(there | set(files)):
        path = folder / name
        if name not in files:
            yield f"extra: {name}"
        elif PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts or path.is_symlink():
            yield f"changed: {name} (it leads out of the folder)"
        elif name not in there:
            yield f"missing: {name}"
        elif sha256(path) != files[name]:
            yield f"changed: {name}"
