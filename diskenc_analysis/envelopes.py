"""Files opened for reading: compression, encoding, and the array cut out of a large envelope.

DuckDB parses an envelope `{"data": [...]}` as one object, which is slow, needs much memory and fails
beyond 16 MB; the array alone it reads row by row. So the array is cut out first, and the cut is proved:
what stands before and after it must be valid JSON with an empty array in its place.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from diskenc_analysis.errors import UnreadableInputError
from diskenc_analysis.packed import is_packed, unpacked
from diskenc_analysis.schema import fold

_HEAD = 65_536
_TAIL = 65_536
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Opened:
    """A large file as DuckDB is to read it.

    Attributes
    ----------
    path : Path
        The file, or the array cut out of it.
    shown : str
        Name of the original file, for messages.
    shape : str
        The shape as recognised.
    format : str
        DuckDB's word for it: `array`, `newline_delimited` or `unstructured`.
    first_type : str
        ARM type of the first object, lower case, or empty.
    members : dict
        The envelope's other members by folded name.
    whole : Path or None
        The file that the array was cut out of.
    """

    path: Path
    shown: str
    shape: str
    format: str
    first_type: str = ""
    members: dict[str, Any] = field(default_factory=dict)
    whole: Path | None = None

    def uncut(self) -> Opened:
        """Give the file as it was before the cut, to be read as JSON values one after the other."""
        return Opened(self.whole or self.path, self.shown, "JSON values", "unstructured", self.first_type)

    def explain(self, error: Exception) -> str:
        """Word DuckDB's error with the name of the original file."""
        reason = str(error).split("\n", maxsplit=1)[0].replace(str(self.path), self.shown)
        return f"{self.shown}: expected {self.shape} of Azure resources, but: {reason}"


def read_text(path: Path) -> str:
    """Read a small file as text.

    Parameters
    ----------
    path : Path
        A file in UTF-8 or UTF-16, with or without a byte order mark; plain, `.gz` or `.zst`.

    Returns
    -------
    str

    Raises
    ------
    UnreadableInputError
        When the archive is cut or the bytes are no text; names the byte.
    """
    raw = _decompressed(path) if is_packed(path.name) else path.read_bytes()
    mark = len(_BOM) if raw.startswith(_BOM) else 0
    try:
        return raw[mark:].decode(_encoding(raw[:2]))
    except UnicodeDecodeError as error:
        at = mark + error.start
        message = f"{path}: byte {at}: expected UTF-8 text, but found {raw[at : at + 1]!r}"
        raise UnreadableInputError(message) from None


def _encoding(start: bytes) -> str:
    """Name the encoding by the first two bytes: JSON and headers begin with an ASCII letter or sign."""
    if start in _UTF16:
        return "utf-16"
    if start.count(0) != 1 or start == b"\0":
        return "utf-8"
    return "utf-16-be" if start[0] == 0 else "utf-16-le"


def _decompressed(path: Path) -> bytes:
    with unpacked(path) as file:
        return bytes(file.read())


@contextmanager
def opened(path: Path, scratch: Path) -> Iterator[Opened]:
    """Make a large file ready for DuckDB.

    Parameters
    ----------
    path : Path
        The file.
    scratch : Path
        Folder for a decompressed or cut copy, which is removed at the end.

    Yields
    ------
    Opened

    Raises
    ------
    UnreadableInputError
        When the file is no JSON, or an envelope whose array cannot be cut out.
    """
    copy = scratch / "copy.json"
    try:
        yield _plan(plain_file(path, copy), path, scratch)
    finally:
        for name in (copy, scratch / "array.json", scratch / "mended.json"):
            name.unlink(missing_ok=True)


def plain_file(path: Path, copy: Path) -> Path:
    """Give a file that is plain UTF-8 without a byte order mark, copied if need be.

    Parameters
    ----------
    path : Path
        A file in UTF-8 or UTF-16, compressed or not.
    copy : Path
        Where the copy goes.

    Returns
    -------
    Path
        The file itself, or the copy.

    Raises
    ------
    UnreadableInputError
        When the archive is cut or the bytes are no text.
    """
    if is_packed(path.name):
        with unpacked(path) as file, copy.open("wb") as out:
            shutil.copyfileobj(file, out, 1 << 20)
        path = copy
    with path.open("rb") as file:
        start = file.read(3)
    if start == _BOM or _encoding(start[:2]) != "utf-8":
        text = read_text(path)
        copy.write_text(text, encoding="utf-8")
        return copy
    return path


def breaks_off(path: Path) -> bool:
    """Tell whether the last line of JSON lines is no whole JSON, as where a copy was interrupted."""
    with path.open("rb") as file:
        size, window = path.stat().st_size, _TAIL
        while True:
            file.seek(max(0, size - window))
            start, _, last = file.read().rstrip().rpartition(b"\n")
            if start or window >= size:
                return not _is_value(last)
            window *= 16


def _plan(path: Path, shown: Path, scratch: Path) -> Opened:
    with path.open("rb") as file:
        head = file.read(_HEAD)
    first = head.lstrip()[:1]
    found = re.search(rb'"type"\s*:\s*"([^"/]+/[^"]+)"', head, re.IGNORECASE)
    arm_type = found[1].decode("utf-8", "replace").lower() if found else ""
    line, _, more = head.lstrip().partition(b"\n")
    if first == b"[" and not (more.strip() and _is_value(line)):
        return Opened(path, str(shown), "array", "array", arm_type)
    if first not in (b"[", b"{"):
        raise UnreadableInputError(f"{shown}: expected JSON, but the file begins with {head[:20]!r}")
    if _is_value(line):
        return Opened(path, str(shown), "JSON lines", "newline_delimited", arm_type)
    start = _array_start(head)
    if start is None:
        return Opened(path, str(shown), "JSON values", "unstructured", arm_type)
    array, members = _cut(path, shown, start, scratch / "array.json")
    shape = "ARM page" if "value" in members else "Resource Graph reply"
    return Opened(array, str(shown), shape, "array", arm_type, members, path)


def _is_value(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict | list)
    except (ValueError, RecursionError):
        return False


def _array_start(head: bytes) -> int | None:
    """Find the bracket that opens the array of `value` or `data`, a member of the outermost object."""
    depth, name, after = 0, "", 0
    for token in _TOKEN.finditer(head):
        mark = token[0]
        if mark.startswith(b'"'):
            name, after = mark[1:-1].decode("utf-8", "replace"), token.end()
        elif mark in b"[{":
            is_value = head[after : token.start()].strip() == b":"
            if depth == 1 and mark == b"[" and is_value and fold(name) in ("value", "data"):
                return token.start()
            depth += 1
        else:
            depth -= 1
    return None


def _cut(path: Path, shown: Path, start: int, array: Path) -> tuple[Path, dict[str, Any]]:
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(start)
        file.seek(max(start, size - _TAIL))
        window, offset = file.read(), max(start, size - _TAIL)
        for at in (m.start() for m in re.finditer(rb"\]", window)):
            members = _proved(head, window[at + 1 :])
            if members is not None:
                _copy(file, start, offset + at + 1, array)
                return array, members
    raise UnreadableInputError(
        f"{shown}: expected one object around an array, but its end could not be found"
    )


def _proved(head: bytes, tail: bytes) -> dict[str, Any] | None:
    """Parse the envelope with an empty array in place; None where that is no JSON object.

    The first place in the tail that passes closes the array: any earlier bracket stands deeper, so that
    what follows it closes more brackets than are open.
    """
    try:
        envelope = json.loads(head + b"[]" + tail)
    except (ValueError, RecursionError):
        return None
    return {fold(k).strip("$"): v for k, v in envelope.items()} if isinstance(envelope, dict) else None


def _copy(file: Any, start: int, end: int, target: Path) -> None:
    file.seek(start)
    left = end - start
    with target.open("wb") as out:
        while left:
            block = file.read(min(left, 1 << 22))
            out.write(block)
            left -= len(block)
