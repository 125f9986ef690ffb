"""Places all over a file, to see how it is spelt without reading all of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

_LOOK, _LOOKS, _GLANCES = 65_536, 8, 64


def looks(path: Path) -> Iterator[str]:
    """Give the text of a file of up to half a megabyte, or of places all over a larger one."""
    return (block.decode("utf-8", "replace") for block in _places(path, _LOOKS))


def glances(path: Path) -> Iterator[bytes]:
    """Give the bytes of a file of up to four megabytes, or of as many places all over a larger one.

    A glance at all of it would take longer than to read it. So a member in an odd spelling may pass unseen
    where rows that are otherwise ARM's have it far apart; files of one tool are alike throughout.
    """
    return _places(path, _GLANCES) if path.stat().st_size > _LOOK * _LOOKS else iter(())


def _places(path: Path, places: int) -> Iterator[bytes]:
    size = path.stat().st_size
    step = max(_LOOK, (size - _LOOK) // (places - 1))
    with path.open("rb") as file:
        for at in range(0, min(size, step * places), step):
            file.seek(at)
            yield file.read(_LOOK)
