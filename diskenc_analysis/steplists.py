"""The runbooks of the waves: shown on the page, and written as text files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from diskenc_analysis.runbook import runbooks
from diskenc_analysis.tables import templates
from diskenc_analysis.text import amount, clean, number
from diskenc_analysis.waves import Wave

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

_MOST = 100_000  # characters of a page; waves of a large tenant have thousands of lines each


@dataclass(frozen=True)
class Steps:
    """The steps of waves as text, each under a heading that unfolds.

    Attributes
    ----------
    texts : tuple of (str, str)
        Heading and text.
    cut : str
        What was left out, in words; empty where nothing was.

    Examples
    --------
    >>> Steps((("Wave 1", "# 1. Record"),), "")
    Wave 1
    # 1. Record
    """

    texts: tuple[tuple[str, str], ...]
    cut: str

    def _repr_html_(self) -> str:
        shown = [(heading, visible(text)) for heading, text in self.texts]
        return templates().get_template("steps.html.j2").render(texts=shown, cut=self.cut)

    def __repr__(self) -> str:
        """Write headings and texts."""
        parts = [f"{heading}\n{visible(text)}" for heading, text in self.texts]
        return "\n\n".join([*parts, *([self.cut] if self.cut else [])]) or "No VM is to be moved."


def visible(text: str) -> str:
    r"""Write signs that do not show by their number, so that nothing in a text reads as what it is not.

    Examples
    --------
    >>> visible("a\u202eb\n")
    'a\\u202eb\n'
    """
    return "".join(
        char if char in "\n " or clean(char, 0) == char else f"\\u{ord(char):04x}" for char in text
    )


def steps(inv: Inventory, made: Sequence[Wave], shell: str = "az", limit: int = 25) -> Steps:
    """Show the steps of the first waves.

    Parameters
    ----------
    inv : Inventory
        What was read.
    made : sequence of Wave
        As `waves` gives them.
    shell : {"az", "powershell"}
        As for `runbook`.
    limit : int
        Most waves shown; fewer where their texts would make the page too large, but always one.

    Returns
    -------
    Steps
    """
    texts = list(runbooks(inv, made[:limit], shell))
    fit = sum(end <= _MOST for end in accumulate(map(len, texts)))
    shown = [(_heading(wave), text) for wave, text in zip(made, texts[: max(fit, 1)], strict=False)]
    cut = f"{number(len(shown))} of {number(len(made))} waves shown; the folder data/runbooks has all."
    return Steps(tuple(shown), cut if len(made) > len(shown) else "")


def _heading(wave: Wave) -> str:
    return f"Wave {wave.number}: {clean(wave.group)}, {amount(len(wave.machines), 'vms')}"


def write_runbooks(
    folder: str | os.PathLike[str], inv: Inventory, made: Sequence[Wave], shell: str = "az"
) -> None:
    """Write the steps of every wave, a text file each.

    Parameters
    ----------
    folder : path
        They go into `runbooks` in it. An empty name writes nothing, so that a notebook need not ask.
    inv, made, shell
        As for `steps`.

    Examples
    --------
    >>> write_runbooks("", None, ())
    """
    if not os.fspath(folder) or not made:
        return
    target = Path(folder) / "runbooks"
    target.mkdir(parents=True, exist_ok=True)
    width = max(3, len(str(len(made))))
    for wave, text in zip(made, runbooks(inv, made, shell), strict=True):
        file = target / f"wave-{wave.number:0{width}}.txt"
        file.write_text(text, encoding="utf-8", newline="\n")
