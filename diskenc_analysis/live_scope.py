"""Which subscriptions are collected: those that were named, that lie in a group, or that the sign-in sees."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from diskenc_analysis.errors import UnreadableInputError
from diskenc_analysis.live_asks import Ask, batches
from diskenc_analysis.live_folder import Folder
from diskenc_analysis.live_http import Azure, FaultError
from diskenc_analysis.live_state import Job
from diskenc_analysis.note import Part

_UNSEEN = "the sign-in does not see this subscription: no right to read it, or it is gone"


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
                rows = [row for row in page.rows if subscription_of(row) not in excluded | seen]
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
        _note_unseen(folder, ask, sorted(set(named) - seen - excluded))
    return found


def _queries(named: list[str], groups: list[str]) -> list[dict[str, list[str]]]:
    found = [{"subscriptions": batch} for batch in batches(named)]
    found += [{"managementGroups": groups}] if groups else []
    return found or [{}]


def _note_unseen(folder: Folder, ask: Ask, unseen: Iterable[str]) -> None:
    for one in unseen:
        part = Part(name=ask.name, type=ask.type, key=one, status="failed", reason=_UNSEEN)
        folder.parts[ask.name, one] = part


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
    found = re.match(r"(?i)/?subscriptions/([^/]+)", str(row.get("id")))
    return found[1].lower() if found else ""
