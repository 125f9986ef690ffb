"""What `collect` asks of Azure, read from `data/collect.csv`: each request with the file that it fills."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from diskenc_analysis.errors import ParameterError, UnknownNameError
from diskenc_analysis.share import data_file

#: Where the compute tables come from: Azure Resource Manager by subscription, or Resource Graph.
SOURCES = ("compute", "graph")
#: What is asked only where it is wished, with what it costs.
OPTIONS = {
    "keys": "a call per vault and per key",
    "instance_view": "slower pages of VMs",
    "restore_points": "a call per collection and per restore point",
}
#: Resource Graph takes so many subscriptions in one query.
BATCH = 1000
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Ask:
    """One kind of request.

    Attributes
    ----------
    name : str
        Folder that gets the rows.
    type : str
        ARM type of the rows in lower case; empty for rows that only lead to others and are not kept.
    source : str
        For which source it is asked: `compute`, `graph` or `both`.
    via : str
        The client: `compute`, `keyvault` or `graph`.
    request : str
        A path with `{subscription}`, `{first}` (any subscription) or `{parent}` (id of a row), or a query.
    api_version : str
        Version of the API.
    oldest : str
        The oldest version whose replies carry all that is read, for a cloud without the newest.
    parent : str
        The ask whose rows are the parents.
    unless : str
        `path=value`: parents with this value are passed over.
    rows : str
        Where the reply holds its rows; a full stop where it is one itself.
    option : str
        The option that asks for it.
    reach : str
        How far a query for policies reaches: what is assigned above a subscription holds for it too.
    """

    name: str
    type: str
    source: str
    via: str
    request: str
    api_version: str
    oldest: str
    parent: str
    unless: str
    rows: str
    option: str
    reach: str

    @property
    def once(self) -> bool:
        """Whether one subscription answers for all."""
        return "{first}" in self.request

    @property
    def by(self) -> str:
        """How often it is asked, in words."""
        if self.via == "graph":
            return f"per {BATCH:,} subscriptions"
        return "once" if self.once else f"per row of {self.parent}" if self.parent else "per subscription"

    @property
    def template(self) -> str:
        """The path of the request with its API version, and a name in braces for the place."""
        return self._in(self.api_version)

    def _in(self, version: str) -> str:
        return f"{self.request}{'&' if '?' in self.request else '?'}api-version={version}"

    def path(self, place: str, version: str = "") -> str:
        """Give the path for a subscription or a parent's id, in another version where one is given."""
        return re.sub(r"\{\w+\}", lambda _: place, self._in(version or self.api_version))

    @property
    def query(self) -> str:
        """The Resource Graph query, in an order that paging can rely on."""
        return f"{self.request} | order by id asc"

    def leads_to(self, row: dict[str, Any]) -> bool:
        """Say whether a parent's row has children to ask for."""
        path, _, value = self.unless.partition("=")
        return not path or dig(row, path) != value


def dig(row: Any, path: str) -> Any:
    """Follow a path of members into an object.

    Parameters
    ----------
    row : object
        Decoded JSON.
    path : str
        Member names joined by dots.

    Returns
    -------
    object or None
        None where a member is missing.

    Examples
    --------
    >>> dig({"properties": {"state": "on"}}, "properties.state"), dig({}, "properties.state")
    ('on', None)
    """
    for name in path.split("."):
        row = row.get(name) if isinstance(row, dict) else None
    return row


@cache
def _all() -> tuple[Ask, ...]:
    with data_file("collect.csv").open(encoding="utf-8", newline="") as file:
        return tuple(Ask(**row) for row in csv.DictReader(file))


def asks(source: str = "compute", options: Collection[str] = ()) -> list[Ask]:
    """Choose what is asked.

    Parameters
    ----------
    source : {"compute", "graph"}
        Where the compute tables come from.
    options : collection of str
        Names out of `OPTIONS`.

    Returns
    -------
    list of Ask
        One per name, parents before their children.

    Raises
    ------
    UnknownNameError
        When the source or an option is unknown.

    Examples
    --------
    >>> [ask.via for ask in asks("graph") if ask.name == "disks"]
    ['graph']
    """
    if source not in SOURCES:
        raise UnknownNameError.of("source", source, SOURCES)
    for option in options:
        if option not in OPTIONS:
            raise UnknownNameError.of("option", option, OPTIONS)
    chosen = {
        ask.name: ask
        for ask in _all()
        if ask.source in ("both", source) and (not ask.option or ask.option in options)
    }
    return list(chosen.values())


def not_asked(chosen: Iterable[Ask]) -> dict[str, str]:
    """Say what is left out.

    Parameters
    ----------
    chosen : iterable of Ask
        What `asks` gave.

    Returns
    -------
    dict of str to str
        By ARM type: why no ask of it was chosen.

    Examples
    --------
    >>> not_asked(asks("compute", ["keys", "restore_points"]))
    {}
    """
    types = {ask.type for ask in chosen}
    return {
        ask.type: f"--{ask.option.replace('_', '-')} was not given" if ask.option else "not in this source"
        for ask in _all()
        if ask.type and ask.type not in types
    }


def is_id(text: str) -> bool:
    """Say whether a text is the id of a subscription, in lower case."""
    return bool(_GUID.fullmatch(text))


def check_ids(ids: Iterable[str], what: str) -> list[str]:
    """Check ids of subscriptions, which end up in paths and queries.

    Parameters
    ----------
    ids : iterable of str
        As people gave them.
    what : str
        The option, for the message.

    Returns
    -------
    list of str
        In lower case, each once.

    Raises
    ------
    ParameterError
        When one is no GUID.

    Examples
    --------
    >>> check_ids(["00A6D1BA-ed87-5915-a853-f745d82071bd"], "--subscription")
    ['00a6d1ba-ed87-5915-a853-f745d82071bd']
    """
    found = list(dict.fromkeys(one.strip().lower() for one in ids))
    for one in found:
        if not is_id(one):
            raise ParameterError(f"{what}: expected the id of a subscription, a GUID, got {one!r}")
    return found


def batches(subscriptions: list[str]) -> Iterator[list[str]]:
    """Cut a list of subscriptions into what one query takes.

    Parameters
    ----------
    subscriptions : list of str
        Ids.

    Yields
    ------
    list of str
        At most `BATCH` ids.

    Examples
    --------
    >>> [len(batch) for batch in batches(["s"] * 1001)]
    [1000, 1]
    """
    for start in range(0, len(subscriptions), BATCH):
        yield subscriptions[start : start + BATCH]
