"""Escaped halves of characters, which DuckDB refuses in JSON, and other readers replace."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from diskenc_analysis.envelopes import Opened

#: An escape of JSON: a character of two halves, half a character, or any other.
_ESCAPED = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
_ESCAPE, _BLOCK, _REPLACEMENT = 12, 1 << 22, rb"\ufffd"


def mended(opened: Opened, scratch: Path) -> Opened | None:
    """Replace escaped halves of characters, which DuckDB refuses, as other readers of JSON do.

    Parameters
    ----------
    opened : Opened
        A file that could not be read whole.
    scratch : Path
        Folder for the copy.

    Returns
    -------
    Opened or None
        The copy; None where nothing was to be replaced.
    """
    copy, found = scratch / "mended.json", 0
    with opened.path.open("rb") as file, copy.open("wb") as out:
        while block := file.read(_BLOCK):
            while b"\\" in block[-_ESCAPE:] and (more := file.read(_ESCAPE)):
                block += more  # no escape is cut in two
            changed = _ESCAPED.sub(_whole_character, block)
            found += changed != block
            out.write(changed)
    return replace(opened, path=copy, whole=None) if found else None


def _whole_character(escape: re.Match[bytes]) -> bytes:
    return _REPLACEMENT if escape["half"] else escape[0]
