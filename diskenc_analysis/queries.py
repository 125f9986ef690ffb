"""The queries and commands that make a complete export by hand, kept in `data/queries/`."""

from __future__ import annotations

from pathlib import Path

from diskenc_analysis.errors import ParameterError
from diskenc_analysis.share import data_dir


def queries() -> dict[str, str]:
    """Give every query and script by file name.

    Returns
    -------
    dict of str to str
        Resource Graph queries (`.kql`), each ordered by id so that its pages fit together, then the scripts
        that run them and fetch what Resource Graph does not hold.

    Examples
    --------
    >>> list(queries())[-2:]
    ['export.ps1', 'export.sh']
    """
    found = sorted((data_dir() / "queries").iterdir(), key=lambda path: (path.suffix != ".kql", path.name))
    return {path.name: path.read_text(encoding="utf-8") for path in found}


def printed() -> str:
    """Give all of them as one text.

    Returns
    -------
    str
        Each below a line with its name.
    """
    return "\n".join(f"=== {name} ===\n{text}" for name, text in queries().items())


def write(folder: Path) -> list[Path]:
    """Write the queries and scripts into a folder.

    Parameters
    ----------
    folder : Path
        Made where it is not there.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    ParameterError
        When the folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in queries().items():
            path = folder / name
            path.write_text(text, encoding="utf-8", newline="\n")
            if path.suffix == ".sh":
                path.chmod(0o755)
    except OSError as error:
        raise ParameterError(f"{folder}: expected a folder to write to, but: {error.strerror}") from None
    return [folder / name for name in queries()]
