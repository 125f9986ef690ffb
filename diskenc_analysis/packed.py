"""Compressed files, gzip and Zstandard, opened alike."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from diskenc_analysis.errors import UnreadableInputError

_PACKED = re.compile(r"\.(gz|zst)$", re.IGNORECASE)
_NAMES = {".gz": "gzip", ".zst": "Zstandard"}


def plain_name(name: str) -> str:
    """Give a file's name without the ending that says it is compressed.

    Parameters
    ----------
    name : str
        A file name.

    Returns
    -------
    str
        The same name where it has no such ending.

    Examples
    --------
    >>> plain_name("disks.csv.zst"), plain_name("disks.json")
    ('disks.csv', 'disks.json')
    """
    return _PACKED.sub("", name)


def is_packed(name: str) -> bool:
    """Tell by its name whether a file is compressed.

    Examples
    --------
    >>> is_packed("disks.json.GZ"), is_packed("disks.zip")
    (True, False)
    """
    return bool(_PACKED.search(name))


@contextmanager
def unpacked(path: Path) -> Iterator[IO[bytes] | Any]:
    """Open a compressed file for reading what is in it.

    Parameters
    ----------
    path : Path
        A file whose name ends in `.gz` or `.zst`.

    Yields
    ------
    binary file

    Raises
    ------
    UnreadableInputError
        When the archive is cut short or changed.
    """
    try:
        with _open(path) as file:
            yield file
    except (OSError, EOFError, zlib.error) as error:
        kind = _NAMES[path.suffix.lower()]
        raise UnreadableInputError(f"{path}: expected a whole {kind} archive, but: {error}") from None


def _open(path: Path) -> IO[bytes] | Any:
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rb")
    import pyarrow as pa

    return pa.input_stream(str(path), compression="zstd")
