"""Which subscriptions are collected: those that were named, that lie in a group, or that the sign-in sees."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from diskenc_analysis.errors import UnreadableInputError
from diskenc_analysis.live_asks import Ask, batches, is_id
from diskenc_analysis.live_folder import Folder
from diskenc_analysis.live_http import Azure
from diskenc_analysis.live_pages import FaultError
from diskenc_analysis.live_state import Job
from diskenc_analysis.note import Part, Status

_UNSEEN = "the sign-in does not see this subscription: no right to read it, or it is gone"

_GONE = "the sign-in no longer saw this subscription at the end: its rows may be missing"


def find(azure: Azure, folder: Folder, ask: Ask) -> list[str]:
    """Find the subscriptions in the scope of a folder, and write there what is known of them.

    Parameters
    ----------
    azure : Azure
        Whom to ask.
    folder : Folder
        Its note names the scope; it gets the rows, and a part for each named one that is not seen.
    ask : Ask
        The query for subscriptions.

    Returns
    -------
    list of str
        Ids in lower case, sorted, without those that are excluded.

    Raises
    ------
    UnreadableInputError
        When there is none to collect from.
    """
    scope = folder.note.scope
    named, excluded = list(scope.subscriptions), set(scope.exclude)
    queries = _queries(named, list(scope.management_groups))
    job = Job(ask, named, folder.open(ask, "tenant-1"), len(queries))
    seen: set[str] = set()
    for query in queries:
        try:
            for page in azure.query(ask, query):
                known = [row for row in page.rows if is_id(subscription_of(row))]
                if len(known) < len(page.rows):
                    job.faults.append(FaultError("failed", "a row has no id of a subscription"))
                rows = [row for row in known if subscription_of(row) not in excluded | seen]
                job.writer.write(rows)
                seen |= set(map(subscription_of, rows))
        except FaultError as fault:
            job.faults.append(fault)
    job.close()
    found = sorted((seen | set(named)) - excluded)
    if not found:
        reason = job.faults[0].reason if job.faults else "the sign-in sees none in this scope"
        raise UnreadableInputError(f"no subscription to collect from: {reason}")
    if not job.faults:
        _note(folder, ask, sorted(set(named) - seen - excluded), "failed", _UNSEEN)
    return found


def _queries(named: list[str], groups: list[str]) -> list[dict[str, list[str]]]:
    found = [{"subscriptions": batch} for batch in batches(named)]
    found += [{"managementGroups": groups}] if groups else []
    return found or [{}]


def note_vanished(azure: Azure, folder: Folder, ask: Ask) -> None:
    """Look for subscriptions that the sign-in no longer sees: Resource Graph leaves their rows out unsaid.

    Parameters
    ----------
    azure : Azure
        Whom to ask.
    folder : Folder
        It gets a part for each that is gone, or one that says why this is not known.
    ask : Ask
        The query for subscriptions.
    """
    unseen = {key for name, key in folder.parts if name == ask.name}
    left = set(folder.note.subscriptions) - unseen
    try:
        for batch in batches(sorted(left)):
            for page in azure.query(ask, {"subscriptions": batch}):
                left -= set(map(subscription_of, page.rows))
    except FaultError as fault:
        reason = f"whether all subscriptions were still seen at the end: {fault.reason}"
        _note(folder, ask, ["at-the-end"], fault.status, reason)
    else:
        _note(folder, ask, sorted(left), "failed", _GONE)


def _note(folder: Folder, ask: Ask, keys: Iterable[str], status: Status, reason: str) -> None:
    for key in keys:
        folder.parts[ask.name, key] = Part(
            name=ask.name, type=ask.type, key=key, status=status, reason=reason
        )


def subscription_of(row: dict[str, Any]) -> str:
    """Read the subscription out of a row's id.

    Parameters
    ----------
    row : dict
        An ARM resource.

    Returns
    -------
    str
        In lower case; empty where the id names none.

    Examples
    --------
    >>> subscription_of({"id": "/subscriptions/AB/resourceGroups/g"})
    'ab'
    """
    found = re.match(r"(?i)/subscriptions/([^/]+)", str(row.get("id")))
    return found[1].lower() if found else ""
