"""Gates: shares that an estate must reach, by the low bound, so that the unknown counts against it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from fractions import Fraction
from typing import Any

from diskenc_analysis.editions import capabilities
from diskenc_analysis.errors import ParameterError, UnknownNameError
from diskenc_analysis.plainrows import rows
from diskenc_analysis.summary import summarize
from diskenc_analysis.text import amount, capability_label, number, percent

_FORM = "expected CAPABILITY=PERCENT or CAPABILITY=PERCENT@COLUMN=PATTERN, such as temp_disk=95"


@dataclass(frozen=True)
class Gate:
    """A share of yes that must be reached.

    Attributes
    ----------
    text : str
        As it was given.
    capability : str
        Which capability is asked for.
    percent : fractions.Fraction
        From 0 to 100.
    column : str or None
        Column, or `tag:NAME`, whose values choose the groups that count; none means all disks.
    pattern : str
        With `*` and `?`; the case of letters does not count.

    Examples
    --------
    >>> parse("customer_keys=99.5@subscription_name=prod-*").pattern
    'prod-*'
    """

    text: str
    capability: str
    percent: Fraction
    column: str | None = None
    pattern: str = "*"


@dataclass(frozen=True)
class Outcome:
    """Whether a gate was met.

    Attributes
    ----------
    gate : str
        As it was given.
    met : bool
        False where it was missed.
    said : str
        The numbers in words.

    Examples
    --------
    >>> Outcome("temp_disk=95", False, "Temp disk: 50% of 2 VMs").line
    'gate temp_disk=95 missed. Temp disk: 50% of 2 VMs'
    """

    gate: str
    met: bool
    said: str

    @property
    def line(self) -> str:
        """The outcome as one line."""
        return f"gate {self.gate} {'met' if self.met else 'missed'}. {self.said}"

    def renamed(self, change: Callable[[str], str]) -> Outcome:
        """Give the same outcome with the names in it changed."""
        return replace(self, gate=change(self.gate))


def parse(text: str) -> Gate:
    """Read a gate as the command line gives it.

    Parameters
    ----------
    text : str
        `CAPABILITY=PERCENT`, or `CAPABILITY=PERCENT@COLUMN=PATTERN`.

    Returns
    -------
    Gate

    Raises
    ------
    UnknownNameError
        When there is no such capability.
    ParameterError
        When it is written otherwise, or the number is not one from 0 to 100.

    Examples
    --------
    >>> parse("temp_disk=95").percent
    Fraction(95, 1)
    >>> parse("temp_disc=95")
    Traceback (most recent call last):
        ...
    diskenc_analysis.errors.UnknownNameError: unknown capability 'temp_disc'; ... Did you mean "temp_disk"?
    """
    share, _, where = text.partition("@")
    name, _, wanted = share.partition("=")
    column, _, pattern = where.partition("=")
    if not wanted or ("@" in text and not (column and pattern)):
        raise ParameterError(f"gate {text!r}: {_FORM}")
    if name not in capabilities():
        raise UnknownNameError.of("capability", name, capabilities())
    try:
        least = Fraction(wanted.removesuffix("%"))
    except (ValueError, ZeroDivisionError):
        raise ParameterError(f"gate {text!r}: expected a number of per cent, got {wanted!r}") from None
    if not 0 <= least <= 100:  # noqa: PLR2004 - per cent
        raise ParameterError(f"gate {text!r}: expected per cent from 0 to 100, got {wanted}")
    return Gate(text, name, least, column or None, pattern or "*")


def judge(cov: Any, gates: Sequence[Gate], allow_unknown: int = 0) -> tuple[Outcome, ...]:
    """Judge gates by a coverage frame.

    Parameters
    ----------
    cov : frame
        Coverage, one row per disk.
    gates : sequence of Gate
        What must be reached.
    allow_unknown : int
        So many unknown disks or VMs do not count against a gate; all others count as no.

    Returns
    -------
    tuple of Outcome
        One per gate. A gate whose pattern matches nothing is missed, since nothing was shown by it.

    Raises
    ------
    UnknownNameError
        When a gate names a column that the frame has not.

    Examples
    --------
    >>> import pandas as pd
    >>> cov = pd.DataFrame({"at_rest": ["yes", "yes", "unknown"], "location": ["north", "north", "south"]})
    >>> [outcome.met for outcome in judge(cov, [parse("at_rest=60"), parse("at_rest=70")])]
    [True, False]
    >>> judge(cov, [parse("at_rest=100@location=NOR*")])[0].line
    'gate at_rest=100@location=NOR* met. Encrypted at rest: 100% of 2 disks'
    """
    return tuple(_judge(cov, gate, allow_unknown) for gate in gates)


def _judge(cov: Any, gate: Gate, allow_unknown: int) -> Outcome:
    found = rows(summarize(cov, by=gate.column, capability=gate.capability))
    if gate.column:
        wanted = gate.pattern.lower()
        found = [row for row in found if fnmatchcase(str(row[gate.column]).lower(), wanted)]
    yes, no, unknown, total = (int(sum(row[n] for row in found)) for n in ("yes", "no", "unknown", "total"))
    label = capability_label(gate.capability)
    if not total:
        return Outcome(gate.text, False, f"{label}: no disk matches it")
    asked = yes + no + max(unknown - allow_unknown, 0)
    if not asked:
        said = "the question applies to none" if not unknown else f"{number(unknown)} unknown, nothing known"
        return Outcome(gate.text, not unknown, f"{label}: {said}")
    share = f"{percent(yes / asked, 'down')} of {amount(asked, found[0]['weight'])}"
    said = f"{label}: {share}{_open(unknown, allow_unknown)}"
    return Outcome(gate.text, yes * 100 >= gate.percent * asked, said)


def _open(unknown: int, allowed: int) -> str:
    """Say how the unknown was counted."""
    if not unknown:
        return ""
    against = max(unknown - allowed, 0)
    left = f", {number(unknown - against)} unknown left out as allowed" if against < unknown else ""
    return (f", {number(against)} unknown counted as no" if against else "") + left
