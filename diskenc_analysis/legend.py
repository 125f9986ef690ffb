"""The parts that charts are made of: their words, colours and patterns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from diskenc_analysis.editions import capabilities
from diskenc_analysis.errors import UnknownNameError


@dataclass(frozen=True)
class Part:
    """One kind of segment in a stacked bar: its value, its words, its colour and its second cue.

    Examples
    --------
    >>> ANSWERS[0].key, ANSWERS[0].color
    ('yes', '#0072B2')
    """

    key: str
    label: str
    color: str
    pattern: str = ""


# Okabe and Ito's palette, told apart with any colour vision; grey and a pattern for what is not known.
ANSWERS = (
    Part("yes", "Yes", "#0072B2"),
    Part("unknown", "Unknown", "#8A8F98", "/"),
    Part("no", "No", "#D55E00"),
    Part("not_applicable", "Not applicable", "rgba(138,143,152,0.28)"),
)
METHODS = (
    Part("confidential", "Confidential disk encryption", "#009E73"),
    Part("host", "Encryption at host", "#0072B2"),
    Part("ade", "Azure Disk Encryption", "#E69F00"),
    Part("sse", "Storage encryption only", "#56B4E9", "."),
    Part("unmanaged", "Unmanaged disk", "#D55E00", "x"),
    Part("unknown", "Unknown", "#8A8F98", "/"),
)
KEY_OWNERS = (
    Part("customer", "Customer-managed key", "#0072B2"),
    Part("platform_and_customer", "Platform and customer keys", "#009E73"),
    Part("customer_secret", "Customer's vault, no key encryption key", "#E69F00", "x"),
    Part("platform", "Platform-managed key", "#56B4E9", "."),
    Part("unknown", "Unknown", "#8A8F98", "/"),
)
KEY_STORES = (
    Part("managed_hsm", "Managed HSM", "#009E73"),
    Part("key_vault_premium", "Key vault, premium", "#0072B2"),
    Part("key_vault_standard", "Key vault, standard", "#E69F00"),
    Part("key_vault", "Key vault, tier not read", "#CC79A7", "x"),
    Part("platform", "Platform", "#56B4E9", "."),
    Part("unknown", "Unknown", "#8A8F98", "/"),
)
_PARTS = {"method": METHODS, "key_owner": KEY_OWNERS, "key_store": KEY_STORES, "answer": ANSWERS}


def part_of(parts: Sequence[Part], key: str | None) -> Part:
    """Find the part of a value, or the part of what is unknown.

    Parameters
    ----------
    parts : sequence of Part
        Such as `METHODS`.
    key : str or None
        The value on the row.

    Returns
    -------
    Part
        A value that nobody listed counts as unknown, never as one of the others.

    Examples
    --------
    >>> part_of(METHODS, "host").label, part_of(METHODS, "other").key
    ('Encryption at host', 'unknown')
    """
    known = {part.key: part for part in parts}
    return known.get(key or "unknown", known["unknown"])


def colors(column: str) -> dict[str, str]:
    """Give the colours of a column's values, for a chart of one's own.

    Parameters
    ----------
    column : {"method", "key_owner", "key_store", "answer"}
        A column of the coverage; `answer` is for those of the capabilities.

    Returns
    -------
    dict of str to str
        By value, as plotly express takes them in `color_discrete_map`.

    Raises
    ------
    UnknownNameError
        When the column has no colours of its own.

    Examples
    --------
    >>> colors("method")["host"]
    '#0072B2'
    """
    if column not in _PARTS:
        raise UnknownNameError.of("column with colours", column, _PARTS)
    return {part.key: part.color for part in _PARTS[column]}


def parts_of(column: str | None) -> dict[str, Part]:
    """Give the parts that a column's values are drawn as.

    Parameters
    ----------
    column : str or None
        A column of the coverage, or `answer`.

    Returns
    -------
    dict of str to Part
        By value, in the order of the charts; empty where the column has no words and colours of its own.

    Examples
    --------
    >>> parts_of("method")["sse"].label, parts_of("temp_disk")["no"].label, parts_of("location")
    ('Storage encryption only', 'No', {})
    """
    answers = column in capabilities() and column != "defender_status"
    return {part.key: part for part in (ANSWERS if answers else _PARTS.get(column or "", ()))}


def marker(part: Part) -> dict[str, Any]:
    """Give the plotly marker of a part.

    Parameters
    ----------
    part : Part
        One of the listed parts.

    Returns
    -------
    dict
        Colour, and the pattern as a second cue for those who do not tell the colours apart.

    Examples
    --------
    >>> marker(ANSWERS[1])["pattern"]["shape"]
    '/'
    """
    # Plotly paints the ground of a pattern in the marker's colour and its lines in fgcolor.
    pattern = {"shape": part.pattern, "fgcolor": "rgba(255,255,255,0.75)", "fgopacity": 1, "size": 6}
    return {"color": part.color, "line": {"width": 0}, "pattern": pattern | {"fillmode": "overlay"}}
