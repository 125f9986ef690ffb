"""The columns of a CSV, a sheet or a flat Parquet file, and the ARM members that they hold.

What follows from the schema is worked out (`properties_encryption_type`, `Encryption.Type` and
`encryption` are members or whole objects of its paths); names that people and the portal give are rows of
`data/headers.csv`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from functools import cache

from diskenc_analysis.schema import ENVELOPE, tables
from diskenc_analysis.share import data_file

#: Members of the envelope, which a member of the body of the same name must not take over.
_ENVELOPE = {"id", "name", "type", "location", "tags", "properties"}
_DEFENDER = {"recommendationid", "resourceid", "state"}
DEFENDER_TYPE = "Microsoft.Security/assessments"


def bare(path: str) -> str:
    """Give a path of the schema as a flat row spells it: without `properties`, up to the first element.

    Examples
    --------
    >>> bare("properties.settings~.volumetype"), bare("capabilities[name=X].value")
    ('settings.volumetype', 'capabilities')
    """
    return re.split(r"\[", path.removeprefix("properties.").replace("~", ""))[0].strip(".")


def folded(header: str) -> str:
    """Reduce a header to its letters and digits, in lower case.

    Examples
    --------
    >>> folded("RESOURCE LINK") == folded("resource_link")
    True
    """
    return "".join(c for c in header.casefold() if c.isalnum())


@cache
def _known(dialect: str) -> dict[str, tuple[str, ...]]:
    """Map each folded header to the member paths that it fills; rows of the data file come first."""
    known: dict[str, tuple[str, ...]] = {}
    with data_file("headers.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["dialect"] == dialect:
                known[folded(row["header"])] = tuple(row["member"].split("|"))
    if dialect:
        return known
    for name in _ENVELOPE:
        known.setdefault(name, (name,))
    for path in _schema_paths():
        parts = bare(path).split(".")
        if parts[0] in _ENVELOPE:
            continue
        for end in range(1, len(parts) + 1):
            member = ".".join(parts[:end])
            known.setdefault(folded(member), (member,))
            known.setdefault("properties" + folded(member), (member,))
    return known


def _schema_paths() -> list[str]:
    resources = [t for t in tables().values() if t.types]
    envelope = [p for paths in ENVELOPE.values() for p in paths.split("|")]
    return [*envelope, *(p for t in resources for c in t.columns for p in c.paths)]


def is_defender(headers: Sequence[str]) -> bool:
    """Tell whether the columns are those of the recommendations that Defender for Cloud exports."""
    return {folded(h) for h in headers} >= _DEFENDER


def members(headers: Sequence[str]) -> dict[str, int]:
    """Say which column fills which member.

    Parameters
    ----------
    headers : sequence of str
        The columns' names, in order.

    Returns
    -------
    dict of str to int
        Number of the column by member path, in the flat spelling. Of two columns for one member the one
        that is named like it counts, and a whole object counts before its parts.

    Examples
    --------
    >>> members(["RESOURCE LINK", "NAME", "properties_encryption_type", "Owner's notes"])
    {'id': 0, 'name': 1, 'encryption.type': 2}
    """
    known = _known("defender" if is_defender(headers) else "")
    found: dict[str, int] = {}
    for at, header in enumerate(headers):
        for member in known.get(folded(header), ()):
            if member not in found or folded(header) == folded(member):
                found[member] = at
    whole = set(found)
    return {m: at for m, at in found.items() if not any(a in whole for a in _above(m))}


def _above(member: str) -> list[str]:
    parts = member.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts))]


def is_read(path: str, exported: frozenset[str]) -> bool:
    """Tell whether exported members hold what a path of the schema names, or part of it.

    Parameters
    ----------
    path : str
        A path of the schema.
    exported : frozenset of str
        Member paths in the flat spelling; `properties` is the whole body.

    Returns
    -------
    bool

    Examples
    --------
    >>> is_read("properties.encryption.type", frozenset({"id", "encryption"}))
    True
    >>> is_read("managedBy", frozenset({"id", "properties"}))
    False
    """
    if path.startswith("properties.") and "properties" in exported:
        return True
    member = bare(path)
    whole = any(name in exported for name in (*_above(member), member))
    return whole or any(name.startswith(f"{member}.") for name in exported)
