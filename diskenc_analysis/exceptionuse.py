"""What each exception covers, and which of them cover nothing, or no more than a part of what they name."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Any

import narwhals as nw

from diskenc_analysis.controls import chosen, controls
from diskenc_analysis.dependents import handed
from diskenc_analysis.exceptions import OPEN, Granted, check_day, read_exceptions
from diskenc_analysis.findings import rules
from diskenc_analysis.frames import helper, key_of, lazy, rows_of
from diskenc_analysis.scopes import scope_key, scope_keys

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

#: What an exception may come to, with the words for it.
USES = {
    "covers": "covers all that it names",
    "covers_part": "covers a part: the rest that it names is met",
    "not_needed": "covers nothing: all that it names is met or not asked",
    "covers_nothing": "covers nothing: there is no such finding in its scope",
    "not_asked": "its rule was not judged here",
    "repeated": "a later line says the same, and that one counts",
}
#: Those that a person has to look at.
IDLE = ("covers_part", "not_needed", "covers_nothing", "repeated")
_GRANTED = ("finding", "scope", "reason", "owner", "approver", "expires")
_NUMBERS = ("line", "open", "met", "not_applicable")
#: The columns of the frame, in order.
COLUMNS = ("line", *_GRANTED, "in_force", "use", *_NUMBERS[1:])


def exception_uses(
    inv: Inventory,
    found: Any,
    exceptions: str | PathLike[str] | None,
    as_of: str = "",
    framework: str | None = None,
) -> Any:
    """Say of each exception that was granted what it covers.

    Parameters
    ----------
    inv : Inventory
        Gives the engine.
    found : frame
        As `findings` gives it, with the same `framework`.
    exceptions : path or None
        CSV file of what was granted; see `exceptions.read_exceptions`. Without one the frame is empty.
    as_of : str
        Date as YYYY-MM-DD at which exceptions are judged.
    framework : str, optional
        By what `found` was judged; without one, by the rules of `data/findings.csv`.

    Returns
    -------
    frame
        Of the inventory's engine, one row per exception in the order of the file: `line` of the file, its
        cells, `in_force` (`yes` or `no`), `use` (one of `USES`), and how many findings it names that are
        `open` (not met or unknown), `met` and `not_applicable` (float).

    Raises
    ------
    UnreadableInputError
        When the file of exceptions is wrong.
    ParameterError
        When there are exceptions and no date.

    Examples
    --------
    >>> from diskenc_analysis import findings, load, sample_path
    >>> inv = load(sample_path())
    >>> len(exception_uses(inv, findings(inv), None))
    0
    """
    granted = read_exceptions(exceptions, [*rules(), *controls()]) if exceptions else []
    check_day(granted, as_of)
    asked = {one.control_id for one in chosen(framework)} if framework else set(rules())
    counts = _counts(inv, found, granted)
    later: set[tuple[bool, str, str]] = set()
    rows: list[dict[str, Any]] = []
    for n, one in reversed(list(enumerate(granted))):
        same = (one.expires >= as_of, scope_key(one.scope), one.finding)
        use = "repeated" if same in later else _use(one, counts.get(n, {}), asked)
        later.add(same)
        cells = {name: getattr(one, name) for name in ("line", *_GRANTED)}
        numbers = {name: counts.get(n, {}).get(name, 0.0) for name in _NUMBERS[1:]}
        rows.insert(0, {**cells, **numbers, "in_force": "yes" if same[0] else "no", "use": use})
    return handed(inv, "exception_uses", rows, COLUMNS, _NUMBERS)


def _counts(inv: Inventory, found: Any, granted: list[Granted]) -> dict[int, dict[str, float]]:
    """Count the findings that each exception names, by where they stand; several may name the same one."""
    named = [
        {"n": str(n), "_scope": scope_key(one.scope), "finding": one.finding} for n, one in enumerate(granted)
    ]
    table = helper(inv, "exceptions_named", named, ["n", "_scope", "finding"])
    standing = nw.when(nw.col("status").is_in(OPEN)).then(nw.lit("open")).otherwise(nw.col("status"))
    rows = lazy(found).with_columns(key=key_of("disk_id"), standing=standing)
    counts: dict[int, dict[str, float]] = {}
    for level in scope_keys().values():
        for column in ("rule_id", "finding_id"):
            placed = rows.select("standing", _scope=level, finding=nw.col(column))
            pairs = placed.join(table, on=["_scope", "finding"], how="inner").with_columns(one=nw.lit(1))
            for n, word, count in rows_of(pairs.group_by("n", "standing").agg(nw.col("one").sum())):
                mine = counts.setdefault(int(n), {})
                mine[word] = mine.get(word, 0.0) + float(count)
    return counts


def _use(one: Granted, counts: dict[str, float], asked: set[str]) -> str:
    if one.finding.partition(":")[0] not in asked:
        return "not_asked"
    if not counts:
        return "covers_nothing"
    if not counts.get("open"):
        return "not_needed"
    return "covers_part" if counts.get("met") else "covers"
