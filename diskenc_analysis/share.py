"""Where the notebooks and the data files are: inside the wheel, or beside the package in a checkout."""

from __future__ import annotations

from pathlib import Path

from diskenc_analysis.errors import UnknownNameError

_PACKAGE = Path(__file__).resolve().parent


def _root() -> Path:
    shared = _PACKAGE / "_share"
    return shared if shared.is_dir() else _PACKAGE.parent


def data_dir() -> Path:
    """Give the folder of the facts kept as data.

    Returns
    -------
    Path
        `_share/data` of an installed wheel, or `data` of a checkout.

    Examples
    --------
    >>> data_dir().name
    'data'
    """
    return _root() / "data"


def notebook_dir() -> Path:
    """Give the folder of the parameterized notebooks.

    Returns
    -------
    Path
        `_share/notebooks` of an installed wheel, or `notebooks` of a checkout.

    Examples
    --------
    >>> notebook_dir().name
    'notebooks'
    """
    return _root() / "notebooks"


def data_file(name: str) -> Path:
    """Find one data file by name.

    Parameters
    ----------
    name : str
        File name, such as `encryption_matrix.csv`.

    Returns
    -------
    Path
        The existing file.

    Raises
    ------
    UnknownNameError
        When there is no such file.

    Examples
    --------
    >>> data_file("encryption_matrix.csv").suffix
    '.csv'
    """
    path = data_dir() / name
    if not path.is_file():
        raise UnknownNameError.of("data file", name, (p.name for p in data_dir().iterdir() if p.is_file()))
    return path


def sample_path() -> Path:
    """Give the folder of the bundled sample tenant.

    Returns
    -------
    Path
        A folder that `load` reads.

    Examples
    --------
    >>> sample_path().name
    'sample'
    """
    return data_dir() / "sample"
