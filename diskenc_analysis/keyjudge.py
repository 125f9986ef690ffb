"""How the rules about keys judge a fact (`data/key_rules.csv`), without the facts themselves."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from diskenc_analysis.custody import days_between
from diskenc_analysis.editions import records
from diskenc_analysis.keyrecords import UNREAD, Record, plain

SEVERITIES = ("critical", "high", "medium", "low")
RESULTS = ("fail", "unknown", "pass")


@cache
def key_rules() -> tuple[dict[str, str], ...]:
    """Read the rules, in the order of the file.

    Returns
    -------
    tuple of dict
        `rule_id`, `applies_to` (types of set, uses by Azure Disk Encryption, or `region`), `field` (of a
        chain, of the disks that use it, or of a region), `predicate`, `missing` (the result where a read
        object leaves the field out), `severity`, `title`, `source`.

    Examples
    --------
    >>> [rule["predicate"] for rule in key_rules() if rule["rule_id"] == "key_size"]
    ['in 2048;3072;4096']
    """
    return tuple(records("key_rules.csv"))


def judge(rule: Mapping[str, str], facts: Record, day: str) -> str:
    """Judge one fact by a rule.

    Parameters
    ----------
    rule : mapping
        With `field`, `predicate` and `missing`.
    facts : dict
        Values as in `keyrecords`: `None` is left out by a read object, `unknown` was not read.
    day : str
        The day that predicates on dates speak of, or empty.

    Returns
    -------
    str
        `pass`, `fail` or `unknown`.

    Examples
    --------
    >>> rule = {"field": "kty", "predicate": "in rsa;rsa-hsm", "missing": "unknown"}
    >>> [judge(rule, {"kty": value}, "") for value in ("rsa", "ec", None, "unknown")]
    ['pass', 'fail', 'unknown', 'unknown']
    """
    value, (word, _, argument) = facts[rule["field"]], rule["predicate"].partition(" ")
    if value == UNREAD:
        return UNREAD
    if value is None:
        return rule["missing"]
    if word == "same":
        holds = _same(value, argument, facts)
    elif word in ("begun", "after", "days_left"):
        left = days_between(day, value)
        holds = None if left is None else _dated(word, left, int(argument or 0))
    else:
        wanted = argument.split(";")
        holds = {
            "is": value == argument,
            "not": value.lower() != argument,
            "in": value in wanted,
            "not_in": plain(value) not in wanted,
            "below": word == "below" and int(value) < int(argument),
            "has": set(wanted) <= set(value.split(";")),
            "given": True,
            "absent": False,
        }[word]
    return UNREAD if holds is None else "pass" if holds else "fail"


def _same(value: str, argument: str, facts: Record) -> bool | None:
    """Compare with another field; open where a third one, of more places, names that or was not read."""
    name, _, places = argument.partition(" ")
    other = facts.get(name, UNREAD)
    if other in (None, UNREAD):
        return None
    more = (facts.get(places) if places else None) or ""
    near = more == UNREAD or plain(str(other)) in more.split()
    return True if plain(value) == plain(str(other)) else None if near else False


def shown(rule: Mapping[str, str], facts: Record) -> str:
    """Put what a rule judges into words, with the further places where it is as well."""
    word, _, argument = rule["predicate"].partition(" ")
    places = facts.get(argument.partition(" ")[2]) if word == "same" else None
    return said(facts[rule["field"]]) + (f" (replica in {places})" if places not in (None, UNREAD) else "")


def _dated(word: str, left: int, most: int) -> bool:
    """Judge a date by the days that are left to it; what has expired is no more about to."""
    return left <= 0 if word == "begun" else left > most or (word == "days_left" and left <= 0)


def said(value: str | None) -> str:
    """Put a value into words."""
    return {None: "not stated", UNREAD: "not read"}.get(value, str(value))


def expected(rule: Mapping[str, str], facts: Record) -> str:
    """Put a predicate into words, with the value that it compares with."""
    word, _, argument = rule["predicate"].partition(" ")
    other = argument.partition(" ")[0]
    return {
        "is": argument,
        "not": f"not {argument}",
        "in": " or ".join(argument.split(";")),
        "not_in": f"not {' or '.join(argument.split(';'))}",
        "below": f"fewer than {argument}",
        "has": " and ".join(argument.split(";")),
        "given": "stated",
        "absent": "none",
        "same": f"{said(facts.get(other, UNREAD))}, as {other.replace('_', ' ')}",
        "begun": "not later than the day of the report",
        "after": "later than the day of the report",
        "days_left": f"more than {argument} days left",
    }[word]
