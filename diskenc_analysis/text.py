"""Text made safe and numbers made readable, for charts, tables and sentences alike."""

from __future__ import annotations

import html
import unicodedata
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

from diskenc_analysis.editions import capabilities

# Control, format (bidirectional and zero-width) and surrogate characters.
_INVISIBLE = {"Cc", "Cf", "Cs"}
_ROUNDING = {"nearest": ROUND_HALF_EVEN, "down": ROUND_FLOOR, "up": ROUND_CEILING}


def clean(value: object, limit: int = 60) -> str:
    r"""Make one line of visible text of a name that anyone may have chosen.

    Parameters
    ----------
    value : object
        Any value; `None` gives `(none)`.
    limit : int
        Longest text in characters; a longer one is cut and ends in an ellipsis. 0 means no limit.

    Returns
    -------
    str
        Plain text without control, bidirectional or zero-width characters. It is not yet HTML.

    Examples
    --------
    >>> clean("prod\u202e\n <b>x</b>")
    'prod <b>x</b>'
    >>> clean("abcdef", limit=4)
    'abc…'
    """
    text = "(none)" if value is None else str(value)
    kept = "".join(" " if char.isspace() else char for char in text if char.isspace() or _visible(char))
    line = " ".join(kept.split()) or "(empty)"
    return line if not limit or len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _visible(char: str) -> bool:
    return unicodedata.category(char) not in _INVISIBLE


def label(value: object, limit: int = 60) -> str:
    """Make text for a chart, where plotly would read tags, links and entities.

    Parameters
    ----------
    value : object
        Any value.
    limit : int
        Longest text in characters, before escaping.

    Returns
    -------
    str
        Cleaned text with `&`, `<` and `>` written as entities, which plotly shows as themselves.

    Examples
    --------
    >>> label("<a href='x'>y</a>")
    "&lt;a href='x'&gt;y&lt;/a&gt;"
    """
    return html.escape(clean(value, limit), quote=False)


def percent(share: float | None, rounding: str = "nearest", digits: int = 1) -> str:
    """Write a share as per cent; only a share of exactly 0 or 1 is shown as 0% or 100%.

    Parameters
    ----------
    share : float or None
        A fraction from 0 to 1, or `None` where nothing was counted.
    rounding : {"nearest", "down", "up"}
        Low bounds are rounded down and high bounds up, so that a bound stays one.
    digits : int
        Most decimals.

    Returns
    -------
    str
        Without trailing noughts.

    Examples
    --------
    >>> percent(0.625), percent(0.99999), percent(0.00001), percent(1), percent(None)
    ('62.5%', '99.9%', '0.1%', '100%', 'n/a')
    """
    if share is None:
        return "n/a"
    exact, step = Decimal(repr(float(share))) * 100, Decimal(1).scaleb(-digits)
    shown = exact.quantize(step, rounding=_ROUNDING[rounding])
    if rounding == "nearest" and exact not in (0, 100):
        shown = min(max(shown, step), 100 - step)
    return f"{shown.normalize():f}%"


def bounds(low: float | None, high: float | None, digits: int = 1) -> str:
    """Write the bounds of a share (rule C12).

    Parameters
    ----------
    low, high : float or None
        Fractions from 0 to 1: what is known to be yes, and what may be yes at most.
    digits : int
        Most decimals.

    Returns
    -------
    str
        One number where the bounds meet, else both.

    Examples
    --------
    >>> bounds(0.5, 0.5), bounds(0.5, 2 / 3), bounds(None, None)
    ('50%', '50%–66.7%', 'n/a')
    """
    if low is None or high is None:
        return "n/a"
    if low == high:
        return percent(low, digits=digits)
    return f"{percent(low, 'down', digits)}–{percent(high, 'up', digits)}"


def number(value: float | None) -> str:
    """Write a count or an amount with a comma between thousands.

    Parameters
    ----------
    value : number or None
        `None` gives `n/a`.

    Returns
    -------
    str
        Whole numbers without decimals, others with one.

    Examples
    --------
    >>> number(1234567), number(0.25), number(12.0), number(None)
    ('1,234,567', '0.2', '12', 'n/a')
    """
    if value is None:
        return "n/a"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


_SPELT = {"gib": "GiB", "vm": "VM", "vms": "VMs", "id": "id", "hsm": "HSM"}
UNITS = {"disks": "disk", "vms": "VM", "gib": "GiB"}


def amount(value: float, weight: str) -> str:
    """Write what was summed with its unit.

    Parameters
    ----------
    value : float
        Disks, VMs or GiB.
    weight : {"disks", "vms", "gib"}
        Which of them.

    Returns
    -------
    str
        The phrase.

    Examples
    --------
    >>> amount(1, "vms"), amount(20, "disks"), amount(1024, "gib")
    ('1 VM', '20 disks', '1,024 GiB')
    """
    unit = UNITS.get(weight, weight)
    return f"{number(value)} {unit}{'' if value == 1 or weight == 'gib' else 's'}"


def noun(column: str) -> str:
    """Name a grouping column in words.

    Parameters
    ----------
    column : str
        A column of the coverage frame, or `tag:NAME`.

    Returns
    -------
    str
        The words.

    Examples
    --------
    >>> noun("subscription_name"), noun("key_owner"), noun("tag:team")
    ('subscription', 'key owner', 'tag team')
    """
    if column.startswith("tag:"):
        return f"tag {clean(column[4:])}"
    return clean(column.removesuffix("_name").replace("_", " "))


def heading(name: str) -> str:
    """Write the name of a column as a heading.

    Parameters
    ----------
    name : str
        A column of any frame.

    Returns
    -------
    str
        The words, the first with a capital letter.

    Examples
    --------
    >>> heading("gib"), heading("resource_group")
    ('GiB', 'Resource group')
    """
    words = [_SPELT.get(word, word) for word in clean(name.replace("_", " ")).split(" ")]
    return words[0][:1].upper() + " ".join(words)[1:]


def capability_label(name: str) -> str:
    """Give the words for a capability.

    Parameters
    ----------
    name : str
        A capability, such as `temp_disk`.

    Returns
    -------
    str
        Its label in `data/capabilities.csv`, or the name itself in words.

    Examples
    --------
    >>> capability_label("some_thing")
    'Some thing'
    """
    known = capabilities().get(name)
    return known.label if known else clean(name.replace("_", " ")).capitalize()
