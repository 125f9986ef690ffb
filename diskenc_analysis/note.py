"""`export.json`: what a collection says of itself, so that an auditor can see what the population is."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Status = Literal["complete", "partial", "denied", "failed"]


class Scope(BaseModel):
    """What is asked of which part of Azure.

    Attributes
    ----------
    subscriptions, management_groups, exclude : tuple of str
        Ids; with neither subscriptions nor groups, all that the sign-in sees.
    source : {"compute", "graph"}
        Where the compute tables come from.
    options : tuple of str
        Names out of `live_asks.OPTIONS`.
    cloud, arm_endpoint, authority : str
        Where Azure is; see `live_sign_in.Place.of`.

    Examples
    --------
    >>> Scope(source="graph").options
    ()
    """

    model_config = ConfigDict(frozen=True)

    subscriptions: tuple[str, ...] = ()
    management_groups: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    source: str = "compute"
    options: tuple[str, ...] = ()
    cloud: str = "public"
    arm_endpoint: str = ""
    authority: str = ""


class Part(BaseModel):
    """One subscription (or batch of them) and type: what was asked, and what came of it.

    Attributes
    ----------
    name, type, key : str
        The ask, its ARM type, and the subscription, `tenant-N` or `once`.
    status : str
        `complete`, `partial`, `denied` or `failed`, which it is until it was reached.
    reason : str
        Why it is not complete.
    rows, pages, redacted, bytes : int
        What was read, how many members were left out as secrets, and the length of the file.
    total_records : int or None
        How many rows there are, where Azure says so.
    api_version : str
        The version of the API in which it was asked, which may be an older one than the request names.
    file, sha256 : str
        Where the rows are, and their hash; empty where there are none.
    started_at, ended_at : str
        UTC.
    """

    name: str
    type: str
    key: str
    status: Status = "failed"
    reason: str = "not reached"
    rows: int = 0
    pages: int = 0
    redacted: int = 0
    total_records: int | None = None
    api_version: str = ""
    file: str = ""
    sha256: str = ""
    bytes: int = 0
    started_at: str = ""
    ended_at: str = ""


class Request(BaseModel):
    """A kind of request: the folder of its rows, their type, the path or query, and how often it is asked."""

    name: str
    type: str
    request: str
    api_version: str
    asked: str


class Run(BaseModel):
    """One run of the command: when, why it ended early, and how it got on with Azure's limits.

    All times are those of the machine's clock; `clock_behind` is by how many seconds Azure's was ahead of it.
    """

    started_at: str
    ended_at: str = ""
    stopped: str = ""
    calls: int = 0
    throttled: int = 0
    lowest_concurrency: int = 0
    clock_behind: int = 0


class Note(BaseModel):
    """All of `export.json`.

    Attributes
    ----------
    kind : str
        Tells it from an export of that name.
    tool, endpoint : str
        What collected, and from where.
    tenant_id, object_id : str or None
        Who collected, as the token says.
    scope : Scope
        What was wished.
    subscriptions : list of str
        What that came to.
    asks : list of Request
        What was asked.
    not_asked : dict of str to str
        Types that were not asked for, and why.
    runs : list of Run
        The first run, and those that went on with it.
    parts : list of Part
        What came of it.
    """

    kind: Literal["diskenc collection"] = "diskenc collection"
    tool: str = ""
    endpoint: str = ""
    tenant_id: str | None = None
    object_id: str | None = None
    scope: Scope = Scope()
    subscriptions: list[str] = []
    asks: list[Request] = []
    not_asked: dict[str, str] = {}
    runs: list[Run] = []
    parts: list[Part] = []
