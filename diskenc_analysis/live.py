"""`collect`: live Azure into an export folder, once, completely and politely; then `load` reads it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from contextlib import ExitStack, closing
from os import PathLike
from pathlib import Path
from typing import Any

from diskenc_analysis import __version__
from diskenc_analysis.errors import ParameterError
from diskenc_analysis.live_asks import asks, check_ids, not_asked
from diskenc_analysis.live_folder import Folder
from diskenc_analysis.live_gate import Gate
from diskenc_analysis.live_http import Azure
from diskenc_analysis.live_plan import leading
from diskenc_analysis.live_run import Collection
from diskenc_analysis.live_sign_in import Place, credential_for, who
from diskenc_analysis.live_state import Outcome, Progress
from diskenc_analysis.note import Note, Request, Scope


def collect(  # noqa: PLR0913 - each wish is a keyword
    out: str | PathLike[str],
    *,
    subscriptions: Iterable[str] = (),
    management_groups: Iterable[str] = (),
    exclude: Iterable[str] = (),
    source: str = "compute",
    keys: bool = False,
    instance_view: bool = False,
    restore_points: bool = False,
    cloud: str = "public",
    arm_endpoint: str = "",
    authority: str = "",
    credential: Any = None,
    resume: bool = False,
    jobs: int = 8,
) -> Path:
    """Read live Azure into an export folder, which `load` then reads.

    Parameters
    ----------
    out : path
        Folder to make, readable by its owner alone.
    subscriptions, management_groups : iterable of str
        Ids; with neither, all subscriptions that the sign-in sees.
    exclude : iterable of str
        Ids of subscriptions to leave out.
    source : {"compute", "graph"}
        Where disks, VMs and their like come from: a call per subscription and type, or Resource Graph, which
        takes few calls for thousands of subscriptions but lags behind by minutes.
    keys, instance_view, restore_points : bool
        Ask for key types, for the guests' own word on encryption, and for restore points too.
    cloud : {"public", "usgovernment", "china"}
        Which of Azure's clouds.
    arm_endpoint, authority : str
        Addresses of any other cloud.
    credential : azure.core.credentials.TokenCredential, optional
        Who reads; by default `DefaultAzureCredential`. Reader rights are enough.
    resume : bool
        Go on with a collection in the folder; its own scope counts, and what is complete is not asked again.
    jobs : int
        Most calls under way at once.

    Returns
    -------
    Path
        The folder. A warning says what could not be read; `load(path).ledger` names it.

    Raises
    ------
    ParameterError
        When the folder holds something else, an id is no GUID, or a name is unknown.
    SignInError
        When no sign-in works.

    Examples
    --------
    >>> collect("exports/today", subscriptions=["production"])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    diskenc_analysis.errors.ParameterError: ...'production'...
    """
    wished = {"keys": keys, "instance_view": instance_view, "restore_points": restore_points}
    scope = Scope(
        subscriptions=tuple(subscriptions),
        management_groups=tuple(management_groups),
        exclude=tuple(exclude),
        source=source,
        options=tuple(name for name, value in wished.items() if value),
        cloud=cloud,
        arm_endpoint=arm_endpoint,
        authority=authority,
    )
    outcome = run(Path(out), scope, credential=credential, resume=resume, jobs=jobs)
    if outcome.summary:
        warnings.warn(f"{outcome.path}: {outcome.summary}", stacklevel=2)
    return outcome.path


def run(
    out: Path,
    scope: Scope,
    *,
    credential: Any = None,
    resume: bool = False,
    jobs: int = 8,
    retries: int = 6,
    watch: Callable[[Progress], None] | None = None,
) -> Outcome:
    """Collect, and say what came of it.

    Parameters
    ----------
    out : Path
        The folder.
    scope : Scope
        What to ask; with `resume` the folder's own, or empty but for the addresses, which are given again.
    credential, resume, jobs
        As for `collect`.
    retries : int
        How often a call that failed is tried again.
    watch : callable, optional
        Called with the progress several times a second.

    Returns
    -------
    Outcome

    Raises
    ------
    ParameterError, SignInError
        As for `collect`.
    """
    if jobs < 1:
        raise ParameterError(f"expected at least 1 call at once, got {jobs}")
    scope = _checked(scope)
    with ExitStack() as stack:
        folder = Folder(out, resume=resume)
        stack.callback(folder.let_go)
        scope = _begun(folder, scope) if resume else scope
        place = Place.of(scope.cloud, scope.arm_endpoint, scope.authority)
        folder.note = folder.note if resume else _note_of(scope, place)
        if credential is None:
            credential = stack.enter_context(credential_for(place, scope.cloud))
        _note_who(folder, *who(credential, place))
        gate = Gate(jobs)
        azure = stack.enter_context(closing(Azure(credential, place, gate, retries)))
        try:
            folder.make()
            return Collection(folder, azure, gate, watch).run()
        except OSError as error:
            raise ParameterError(f"{out}: expected a folder that can be written to, but: {error}") from None
        finally:
            folder.discard()


def plan(scope: Scope, begun: Path | None = None) -> list[str]:
    """Say what a collection would ask, without asking or signing in.

    Parameters
    ----------
    scope : Scope
        What to ask.
    begun : Path, optional
        A folder to go on with, whose own scope counts: only what is not whole there would be asked.

    Returns
    -------
    list of str
        A line for the scope, for each request, for each type that is left out, and for each part of a folder
        that is not whole.

    Raises
    ------
    ParameterError
        As for `collect`.

    Examples
    --------
    >>> plan(Scope(source="graph"))[2]
    "disks: per 1,000 subscriptions, query resources | where type =~ 'microsoft.compute/disks' | order by ...
    """
    scope, left = _checked(scope), None
    if begun is not None:
        folder = Folder(begun, resume=True)
        folder.let_go()
        scope, left = _begun(folder, scope), folder.left
    endpoint = Place.of(scope.cloud, scope.arm_endpoint, scope.authority).endpoint
    chosen = asks(scope.source, scope.options)
    names = (
        leading(chosen, {part.name for part in left}) if left is not None else {ask.name for ask in chosen}
    )
    lines = [
        f"{ask.name}: {ask.by}, "
        + (f"query {ask.query}" if ask.via == "graph" else f"GET {endpoint}{ask.template}")
        for ask in chosen
        if ask.name in names
    ]
    lines += [f"not asked: {arm_type}: {why}" for arm_type, why in not_asked(chosen).items()]
    lines += [f"not whole: {part.name} of {part.key}: {part.status}, {part.reason}" for part in left or ()]
    return [f"scope: {_in_words(scope)}", *lines]


def _in_words(scope: Scope) -> str:
    """Say whose resources a scope takes in."""
    named = [
        *scope.subscriptions,
        *(f"all of the management group {one!r}" for one in scope.management_groups),
    ]
    without = f", without {', '.join(scope.exclude)}" if scope.exclude else ""
    return (", ".join(named) or "all subscriptions that the sign-in sees") + without


def _checked(scope: Scope) -> Scope:
    """Check the names, and give the ids in lower case."""
    asks(scope.source, scope.options)
    subscriptions = tuple(check_ids(scope.subscriptions, "--subscription"))
    exclude = tuple(check_ids(scope.exclude, "--exclude"))
    return scope.model_copy(update={"subscriptions": subscriptions, "exclude": exclude})


def _begun(folder: Folder, scope: Scope) -> Scope:
    """Give the scope that a folder was begun with; where to sign in is never taken from a file alone."""
    begun = folder.note.scope
    if (scope.arm_endpoint, scope.authority) != (begun.arm_endpoint, begun.authority):
        said = f"--arm-endpoint {begun.arm_endpoint!r} --authority {begun.authority!r}"
        raise ParameterError(f"{folder.path}: it was begun with {said}: give them again if you trust them")
    default = Scope(arm_endpoint=begun.arm_endpoint, authority=begun.authority)
    if _in_order(scope) not in (default, _in_order(begun)):
        raise ParameterError(f"{folder.path}: --resume goes on with the scope that the folder was begun with")
    return begun


def _in_order(scope: Scope) -> Scope:
    """Give a scope with its ids in an order of their own, since the order of arguments says nothing."""
    lists = ("subscriptions", "management_groups", "exclude", "options")
    return scope.model_copy(update={name: tuple(sorted(getattr(scope, name))) for name in lists})


def _note_of(scope: Scope, place: Place) -> Note:
    """Give a new `export.json`: what is asked, of whom, by which API."""
    chosen = asks(scope.source, scope.options)
    said = [
        Request(
            name=ask.name,
            type=ask.type,
            request=ask.query if ask.via == "graph" else ask.request,
            api_version=ask.api_version,
            asked=ask.by,
        )
        for ask in chosen
    ]
    tool, left = f"diskenc {__version__}", not_asked(chosen)
    return Note(tool=tool, endpoint=place.endpoint, scope=scope, asks=said, not_asked=left)


def _note_who(folder: Folder, tenant_id: str | None, object_id: str | None) -> None:
    note = folder.note
    if note.runs and note.tenant_id != tenant_id:
        tenants = f"expected the tenant {note.tenant_id}, but the sign-in is of {tenant_id}"
        raise ParameterError(f"{folder.path}: {tenants}")
    note.tenant_id, note.object_id = tenant_id, object_id
