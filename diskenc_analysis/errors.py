"""One class per kind of failure, each with the exit code the command gives it."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class DiskencError(Exception):
    """Base of every error that a user can meet.

    Attributes
    ----------
    exit_code : int
        What the command `diskenc` exits with when this error ends it.

    Examples
    --------
    >>> issubclass(ParameterError, DiskencError), ParameterError.exit_code
    (True, 2)
    """

    exit_code: int = 2

    def _render_traceback_(self) -> list[str]:
        """Tell IPython to show the message alone: where in the package it was raised helps nobody."""
        return [f"{type(self).__name__}: {self}"]


class ParameterError(DiskencError):
    """An argument or parameter is wrong: unknown, mistyped or out of range."""

    exit_code = 2


class UnknownNameError(ParameterError):
    """A name (edition, capability, column, notebook ...) that does not exist here."""

    @classmethod
    def of(cls, what: str, name: object, options: Iterable[str]) -> UnknownNameError:
        """Make the error for a name that is not among the options.

        Parameters
        ----------
        what : str
            What kind of name it is, for the message.
        name : object
            What arrived.
        options : iterable of str
            The names that exist.

        Returns
        -------
        UnknownNameError
            With the options and the near miss in its message.

        Examples
        --------
        >>> print(UnknownNameError.of("capability", "temp_disc", ["temp_disk", "caches"]))
        unknown capability 'temp_disc'; expected one of caches, temp_disk. Did you mean "temp_disk"?
        """
        known = sorted(options)
        return cls(f"unknown {what} {name!r}; expected one of {', '.join(known)}.{suggest(str(name), known)}")


class UnreadableInputError(DiskencError):
    """An input that cannot be read at all: missing, empty, broken or of an unknown shape."""

    exit_code = 3


class SignInError(UnreadableInputError):
    """No sign-in to Azure works, so live data cannot be read at all."""


class TooDeepError(UnreadableInputError):
    """JSON nested deeper than Python's parser goes; DuckDB goes deeper."""


class NotebookFailedError(DiskencError):
    """A notebook raised while it ran; the executed copy is kept for reading."""

    exit_code = 4


class ReportCheckError(DiskencError):
    """A check on the rendered report failed, so it was not published."""

    exit_code = 5


class IncompleteCollectionError(DiskencError):
    """Something could not be collected; what was read is kept and good to load."""

    exit_code = 6


#: What to do where there is no export yet.
NO_EXPORT_YET = (
    'Nothing exported yet? "diskenc collect -o exports/today" reads live Azure, "diskenc queries -o queries" '
    "writes the queries of an export by hand, and de.load(de.sample_path()) loads a made-up tenant to try"
)


def suggest(name: str, options: Iterable[str]) -> str:
    """Name the nearest of the options, for the end of an error message.

    Parameters
    ----------
    name : str
        What arrived.
    options : iterable of str
        The names that exist.

    Returns
    -------
    str
        ` Did you mean "x"?`, or the empty string where nothing is near.

    Examples
    --------
    >>> suggest("colour", ["color", "size"])
    ' Did you mean "color"?'
    >>> suggest("zzz", ["color"])
    ''
    """
    near = get_close_matches(name, list(options), n=1)
    return f' Did you mean "{near[0]}"?' if near else ""
