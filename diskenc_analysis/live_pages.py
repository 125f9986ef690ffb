"""Pages of rows, taken out of the replies of Azure, and what goes wrong with them, in words."""

from __future__ import annotations

import re
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from diskenc_analysis.live_asks import Ask, dig
from diskenc_analysis.note import Status

#: Where a reply is itself the one row.
WHOLE = "."
#: What programs that read addresses take for different things.
_ODD = re.compile(r"[\\\x00-\x1f\x7f]")
#: Azure does send empty pages, but not without end.
_EMPTY_PAGES = 1000


class FaultError(Exception):
    """Something that could not be read, with the word for it in the ledger.

    Attributes
    ----------
    status : str
        `denied` or `failed`.
    reason : str
        Short words, without addresses, headers or text that strangers chose.
    fatal : bool
        Whether nothing else can be read either.
    versions : tuple of str
        Where the version of the API is refused: those that Azure has.
    """

    def __init__(
        self, status: Status, reason: str, *, fatal: bool = False, versions: tuple[str, ...] = ()
    ) -> None:
        super().__init__(reason)
        self.status, self.reason, self.fatal, self.versions = status, reason, fatal, versions


class Page(NamedTuple):
    """The rows of one reply, how many there are in all where it says so, and the version of the API."""

    rows: list[dict[str, Any]]
    total: int | None
    version: str


class Met:
    """The rows of the pages so far: a page that brings nothing new has come in place of another."""

    def __init__(self) -> None:
        self.count, self._ids, self._empty = 0, set[str](), 0

    def add(self, rows: list[dict[str, Any]]) -> None:
        """Count the rows of a page, each id once.

        Raises
        ------
        FaultError
            When all of them were there before, or empty pages have no end.
        """
        ids = [str(row["id"]).lower() if row.get("id") else "" for row in rows]
        new = set(ids) - self._ids - {""}
        self.count += len(new) + ids.count("")
        self._ids |= new
        self._empty = 0 if rows else self._empty + 1
        if (rows and not new and "" not in ids) or self._empty > _EMPTY_PAGES:
            raise FaultError("failed", "a page came again in place of the next")


def rows_of(reply: dict[str, Any], ask: Ask) -> list[dict[str, Any]]:
    """Take the rows out of a reply: its list, a list within the resource that was asked for, or itself.

    Raises
    ------
    FaultError
        When it is something else.
    """
    if ask.rows == WHOLE:
        if not reply.get("id"):
            raise FaultError("failed", "the reply is no resource")
        return [reply]
    rows = dig(reply, ask.rows)
    member, _, rest = ask.rows.partition(".")
    left_out = rows is None and bool(rest) and isinstance(reply.get(member), dict)
    return checked([] if left_out else rows)


def checked(rows: Any) -> list[dict[str, Any]]:
    """Check that rows are a list of objects.

    Raises
    ------
    FaultError
        When they are not.
    """
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise FaultError("failed", "the reply holds no list of rows")
    return rows


def beside(link: str, endpoint: str) -> str | None:
    r"""Give the address that a link names, put together anew with the host of an endpoint.

    Parameters
    ----------
    link : str
        As a reply has it.
    endpoint : str
        Where the token may be sent.

    Returns
    -------
    str or None
        None where the link names another place, or one that could be read as another.

    Examples
    --------
    >>> beside("https://Azure.example:443/a?page=2", "https://azure.example")
    'https://azure.example/a?page=2'
    >>> beside(r"https://other.example\@azure.example/a", "https://azure.example") is None
    True
    """
    own = urlsplit(endpoint)
    try:
        parts = urlsplit(link)
        same = (parts.scheme, parts.hostname, parts.port or 443) == ("https", own.hostname, own.port or 443)
    except ValueError:
        return None
    if not same or "@" in parts.netloc or _ODD.search(link):
        return None
    return urlunsplit((own.scheme, own.netloc, parts.path, parts.query, ""))
