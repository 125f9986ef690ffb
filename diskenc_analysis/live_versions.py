"""Versions of Azure's APIs: a cloud that does not have the newest is asked in an older one that says as much.

Azure for US Government and for China get versions later than the public cloud does. Which is the oldest that
carries every member that is read stands with each request in `data/collect.csv`: in one before that, a member
that is missing could not be told from one that is not set.
"""

from __future__ import annotations

import re
from threading import Lock

from diskenc_analysis.live_asks import Ask

#: Codes with which Azure refuses a version, and names those that it has.
REFUSED = ("NoRegisteredProviderFound", "InvalidApiVersionParameter")
_STABLE = re.compile(r"(?<![\w-])\d{4}-\d\d-\d\d(?![\w-])")


def named(message: str) -> tuple[str, ...]:
    """List the versions that a message names, without previews.

    Parameters
    ----------
    message : str
        Azure's words.

    Returns
    -------
    tuple of str
        Oldest first.

    Examples
    --------
    >>> named("The supported api-versions are '2024-03-01, 2023-07-01, 2025-01-01-preview'.")
    ('2023-07-01', '2024-03-01')
    """
    return tuple(sorted(set(_STABLE.findall(message))))


class Versions:
    """The version in which each kind of request is made, lowered where a cloud does not have the newest."""

    def __init__(self) -> None:
        self._lowered: dict[str, str] = {}
        self._lock = Lock()

    def of(self, ask: Ask) -> str:
        """Give the version for a request."""
        return self._lowered.get(ask.name, ask.api_version)

    def lower(self, ask: Ask, used: str, offered: tuple[str, ...]) -> bool:
        """Take the newest of the versions offered, if there is one that says as much.

        Parameters
        ----------
        ask : Ask
            The kind of request.
        used : str
            The version that was refused.
        offered : tuple of str
            As `named` gives them.

        Returns
        -------
        bool
            Whether to ask again; so too where another request of the kind has lowered it meanwhile.

        Examples
        --------
        >>> from diskenc_analysis.live_asks import asks
        >>> disks = next(ask for ask in asks() if ask.name == "disks")
        >>> versions = Versions()
        >>> versions.lower(disks, disks.api_version, ("2019-07-01", "2024-03-02")), versions.of(disks)
        (True, '2024-03-02')
        """
        fit = [one for one in offered if ask.oldest <= one < used] if ask.oldest else []
        with self._lock:
            if fit and self.of(ask) == used:
                self._lowered[ask.name] = max(fit)
            return self.of(ask) != used
