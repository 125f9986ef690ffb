"""Signs that an export was cut short, or that Azure answered with an error in place of rows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

#: Sign of JSON lines that were cut.
BROKEN_OFF = "the last line is no whole JSON"
_PAGES = {100: "one page by default", 1000: "one page", 55_000: "one export of the portal"}

#: Codes of replies to a reader without the right to read.
_DENIED = re.compile(r"(?i)authorization|forbidden|accessdenied|^403$")


@dataclass(frozen=True)
class ErrorReply:
    """An error that Azure sent in place of rows: its code, what it means, and the type that was asked for."""

    code: str
    sign: str
    arm_type: str


def error_reply(row: dict[str, Any]) -> ErrorReply | None:
    """Tell whether an object is an error of Azure that somebody saved as an export.

    Parameters
    ----------
    row : dict
        An object without an id.

    Returns
    -------
    ErrorReply or None

    Examples
    --------
    >>> said = "does not have authorization to perform action 'Microsoft.Compute/disks/read' over scope '/x'"
    >>> found = error_reply({"error": {"code": "AuthorizationFailed", "message": said}})
    >>> found.code, found.sign, found.arm_type
    ('AuthorizationFailed', 'denied: AuthorizationFailed', 'microsoft.compute/disks')
    """
    error = row.get("error")
    code = str(error.get("code") or "") if isinstance(error, dict) else ""
    if not isinstance(error, dict) or not re.fullmatch(r"\w{1,80}", code):
        return None
    # The message names people and resources, which no pseudonym would cover: the type is all that is taken.
    action = re.search(r"action '([\w.]+(?:/\w+)+)/read'", str(error.get("message") or ""))
    sign = f"{'denied' if _DENIED.search(code) else 'failed'}: {code}"
    return ErrorReply(code, sign, action[1].lower() if action else "")


def signs_of(members: dict[str, Any], rows: int) -> list[str]:
    """Read the signs of a cut export off the members of an envelope.

    Parameters
    ----------
    members : dict
        Members by folded name, without `$`.
    rows : int
        How many rows the envelope holds.

    Returns
    -------
    list of str

    Examples
    --------
    >>> signs_of({"totalrecords": 5}, 3)
    ['3 of 5 records']
    """
    signs = []
    if members.get("nextlink"):
        signs.append("next link left over")
    if members.get("skiptoken"):
        signs.append("skip token left over")
    if str(members.get("resulttruncated", "")).lower() == "true":
        signs.append("resultTruncated is true")
    total = members.get("totalrecords")
    if isinstance(total, int) and total > rows:
        signs.append(f"{rows} of {total} records")
    if "data" in members and not isinstance(total, int) and not signs:
        signs += _full_page(rows)
    return signs


def signs_of_count(shape: str, rows: int) -> list[str]:
    """Read a sign of a cut off the number of rows: tools give pages of 100 or 1,000 and the portal 55,000.

    Parameters
    ----------
    shape : str
        The shape as recognised. JSON lines are written by programs that follow the pages; ARM pages and
        replies of Resource Graph say themselves whether more is to come (`signs_of`).
    rows : int
        How many rows the file holds.

    Returns
    -------
    list of str

    Examples
    --------
    >>> signs_of_count("array", 1000), signs_of_count("array", 999), signs_of_count("JSON lines", 1000)
    (['exactly 1,000 rows, the most that one page holds'], [], [])
    """
    return [] if shape.startswith(("JSON", "ARM", "Resource Graph")) else _full_page(rows)


def _full_page(rows: int) -> list[str]:
    return [f"exactly {rows:,} rows, the most that {_PAGES[rows]} holds"] if rows in _PAGES else []
