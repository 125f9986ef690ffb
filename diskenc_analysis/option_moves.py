"""Which disks of an inventory would need to change for requirements, and what each would have to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import narwhals as nw

from diskenc_analysis.coverage import coverage
from diskenc_analysis.editions import records
from diskenc_analysis.errors import ParameterError, UnknownNameError
from diskenc_analysis.frames import BAR, distinct, fresh, helper, kept, lazy, native_like, profile, rows_of
from diskenc_analysis.options import all_options, asked, not_for_data_disks, options

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

_PLACE = ("subscription_id", "subscription_name", "resource_group", "location", "vm_id", "gib")
_IDENTITY = ("disk_id", "name", "kind", "role", "attachment", *_PLACE, "method", "key_owner")
_JUDGED = ("need", "missing", "unsure", "option", "move", "steps")
#: The columns of the frame, in order.
COLUMNS = (*_IDENTITY, *_JUDGED)
#: What a disk needs, the first to be done first.
NEEDS = ("change", "unknown", "keep", "not_applicable")
#: Moves that leave disk and VM what they are; the others make a new disk or a new VM.
IN_PLACE = ("set", "switch_on", "extension", "resize")
#: What `effort` counts, the least to do first.
EFFORTS = ("keep", "in_place", "anew", "no_way", "unknown", "not_applicable")
_STATE = ("kind", "role", "attachment", "host", "ade", "confidential")
_NO = ("no", "Unhealthy")
_OUTSIDE = ("not_applicable", "NotApplicable")


def disks_to_change(
    inv: Inventory,
    requires: str | Sequence[str],
    option: str | None = None,
    *,
    cov: Any = None,
    edition: str = "latest",
) -> Any:
    """Say of each disk whether it meets the requirements, and what it would take.

    Parameters
    ----------
    inv : Inventory
        As `load` gives it.
    requires : str or sequence of str
        As for `options`.
    option : str, optional
        Of `all_options()`: the way to go. By default the first that fits; where none does, the disks are
        judged all the same, without a way.
    cov : frame, optional
        The coverage frame, judged by the same edition; worked out where it is not given.
    edition : str
        Edition of the encryption matrix, or `latest`.

    Returns
    -------
    frame
        Of the inventory's engine, one row per row of the coverage, with the columns of `COLUMNS`. `need` is
        `change` (a required capability is no), `unknown` (one is unknown, and none is no), `keep`, or
        `not_applicable` (the questions do not arise); `missing` and `unsure` name those capabilities,
        `move` and `steps` say what it would take, by `data/option_moves.csv`.

    Raises
    ------
    UnknownNameError
        When a requirement, the option or the edition does not exist.
    ParameterError
        When nothing is required, or the option cannot meet it.

    Examples
    --------
    >>> from diskenc_analysis import load, sample_path
    >>> found = disks_to_change(load(sample_path()), "caches")
    >>> sorted(set(found["option"])), sorted(set(found["need"]))
    (['', 'host'], ['change', 'keep', 'not_applicable', 'unknown'])
    """
    names = list(asked(requires))
    if not names:
        raise ParameterError("expected at least one requirement, such as 'temp_disk'; got none")
    way = _chosen(requires, option, edition)
    native = coverage(inv, edition) if cov is None else cov
    rows = lazy(native).with_columns(judged=profile([*_STATE, *names]))
    rows = kept(inv, rows.select(*_IDENTITY, "judged"), "option_rows")
    made = [_judge(text, names, way, edition) | {"judged": text} for text in distinct(rows, "judged")]
    words = helper(inv, "option_words", made, ["judged", *_JUDGED])
    out = rows.join(words, on="judged", how="left").select(*COLUMNS).sort("need", "disk_id")
    return native_like(native, fresh(inv, out, "option_moves"))


def _chosen(requires: str | Sequence[str], option: str | None, edition: str) -> str:
    """Take the option that was named, or the best that fits, if any; one that cannot fit is refused."""
    if option is not None and option not in all_options():
        raise UnknownNameError.of("option", option, all_options())
    found = options(requires, edition).set_index("option")
    all_names: list[str] = found.index.tolist()
    if option is None and found["fits"].tolist()[0] == "no":
        return ""
    way = option or all_names[0]
    if found.loc[way, "fits"] == "no":
        better = ", ".join(found.index[found["fits"] != "no"].tolist()) or "none"
        missing = str(found.loc[way, "missing"])
        raise ParameterError(f"{way} does not give {missing}; expected an option that does: {better}")
    return way


def _judge(text: str, names: Sequence[str], option: str, edition: str) -> dict[str, str]:
    """Judge one combination of layers and required capabilities."""
    values = text.split(BAR)
    state, answers = (
        dict(zip(_STATE, values, strict=False)),
        dict(zip(names, values[len(_STATE) :], strict=True)),
    )
    missing = [name for name, answer in answers.items() if answer in _NO]
    unsure = [name for name, answer in answers.items() if answer == "unknown"]
    need = "change" if missing else "unknown" if unsure else "keep"
    if all(answer in _OUTSIDE for answer in answers.values()):
        need = "not_applicable"
    if state["kind"] == "unmanaged_disk":
        need = "change"
    found = state_of(state)
    if state["role"] == "data" and set(missing) & set(_os_disk_only(option, names, edition)):
        found = "data"
    if need in ("keep", "not_applicable"):
        row = _STAY
    elif need == "unknown":
        row = _move("*", "unread", [])
    else:
        row = _move(option, found, missing) if option else _NOWHERE
    return {
        "need": need,
        "missing": "; ".join(missing),
        "unsure": "; ".join(unsure),
        "option": option if need == "change" else "",
        "move": row["move"],
        "steps": row["words"],
    }


def _os_disk_only(option: str, names: Sequence[str], edition: str) -> list[str]:
    return not_for_data_disks(option, names, edition) if option else []


_STAY = {"move": "", "words": ""}
_NOWHERE = {"move": "none", "words": "No single option gives all that is required"}


def _move(option: str, state: str, missing: Sequence[str]) -> dict[str, str]:
    """Find the first row for an option and a state; one that names a capability is for disks that miss it."""
    return next(
        row
        for row in records("option_moves.csv")
        if row["option"] in ("*", option)
        and row["state"] in ("*", state)
        and (not row["when"] or row["when"] in missing)
    )


def state_of(row: Mapping[str, str]) -> str:
    """Name the state that the moves of a disk start from.

    Parameters
    ----------
    row : mapping
        With `kind`, `attachment`, `host`, `ade` and `confidential` of the coverage.

    Returns
    -------
    str
        A state of `data/option_moves.csv`.

    Examples
    --------
    >>> disk = {"kind": "managed_disk", "attachment": "attached", "host": "off", "confidential": "off"}
    >>> state_of(disk | {"ade": "was_on"}), state_of(disk | {"ade": "off"})
    ('ade', 'ordinary')
    """
    if row["kind"] in ("unmanaged_disk", "ephemeral_os_disk"):
        return row["kind"].partition("_")[0]
    if row["ade"] in ("on", "was_on"):
        return "ade"  # the mark stays on a disk that was decrypted
    if row["confidential"] in ("platform", "customer"):
        return "confidential"
    if "unknown" in (row["ade"], row["attachment"], row["confidential"]):
        return "unread"
    if row["attachment"] == "unattached":
        return "loose"
    return {"on": "host", "unknown": "unread"}.get(row["host"], "ordinary")


def effort(found: Any) -> dict[str, int]:
    """Count the disks of `disks_to_change` by what they need.

    Parameters
    ----------
    found : frame
        As `disks_to_change` gives it.

    Returns
    -------
    dict of str to int
        `keep`, `in_place` (a change that leaves disk and VM what they are), `anew` (a new disk or VM),
        `no_way` (the option does not reach the disk), `unknown` and `not_applicable`.

    Examples
    --------
    >>> import pandas as pd
    >>> effort(pd.DataFrame({"need": ["change", "keep"], "move": ["switch_on", ""]}))["in_place"]
    1
    """
    counted = lazy(found).group_by("need", "move").agg(disks=nw.len()).select("need", "move", "disks")
    out = dict.fromkeys(EFFORTS, 0)
    for need, move, disks in rows_of(counted):
        out[_effort(need, move)] += int(disks)
    return out


def _effort(need: str, move: str) -> str:
    if need != "change":
        return need
    return "no_way" if move == "none" else "in_place" if move in IN_PLACE else "anew"
