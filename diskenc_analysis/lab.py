"""The notebooks copied into a folder of the analyst's, where they may be changed."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from diskenc_analysis.errors import ParameterError
from diskenc_analysis.place import placed_file
from diskenc_analysis.share import notebook_dir


@dataclass(frozen=True)
class Copied:
    """What became of the notebooks.

    Attributes
    ----------
    folder : Path
        Where they are.
    new, kept, same : tuple of str
        Names of files: copied; left as they were though the package's differ; there already, alike.

    Examples
    --------
    >>> Copied(Path("lab"), ("coverage.ipynb",), (), ()).new
    ('coverage.ipynb',)
    """

    folder: Path
    new: tuple[str, ...]
    kept: tuple[str, ...]
    same: tuple[str, ...]

    @property
    def lines(self) -> list[str]:
        """What to tell a person: what was done, and how to go on."""
        said = [f"{len(self.new)} notebooks copied to {self.folder}"]
        said += [f"{name}: kept as it is; --overwrite replaces it" for name in self.kept]
        opened = shlex.quote(os.fspath(self.folder))
        if find_spec("jupyterlab") is None:
            said.append("JupyterLab is not installed: pip install 'diskenc-analysis[lab]'")
        said.append(f"Open them: jupyter lab {opened}   (begin with explore.ipynb; Run, Run All Cells)")
        said.append('Your own data: put its path into the first code cell, inventory = "exports/"')
        return said


def copy_notebooks(folder: str | os.PathLike[str], *, overwrite: bool = False) -> Copied:
    """Copy the notebooks of the package into a folder; what stands there is kept.

    Parameters
    ----------
    folder : path
        Is made where it does not exist.
    overwrite : bool
        Replace notebooks of the same name that differ.

    Returns
    -------
    Copied

    Raises
    ------
    ParameterError
        When the folder is a file, or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> "coverage.ipynb" in copy_notebooks(tempfile.mkdtemp()).new
    True
    """
    target = Path(folder)
    if target.exists() and not target.is_dir():
        raise ParameterError(f"{target}: expected a folder for the notebooks, but a file has that name")
    new, kept, same = [], [], []
    for source in sorted(notebook_dir().glob("*.ipynb")):
        place, content = target / source.name, source.read_bytes()
        there = place.read_bytes() if place.is_file() else None
        if there == content:
            same.append(source.name)
        elif there is not None and not overwrite:
            kept.append(source.name)
        else:
            with placed_file(place) as file:
                file.write_bytes(content)
            new.append(source.name)
    return Copied(target, tuple(new), tuple(kept), tuple(same))
