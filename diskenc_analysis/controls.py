"""Controls of frameworks judged disk by disk: evidence for an audit, and never a statement of compliance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import narwhals as nw

from diskenc_analysis.editions import records
from diskenc_analysis.errors import UnknownNameError
from diskenc_analysis.frames import Frame, choose

MET, NOT_MET, NOT_APPLICABLE, UNKNOWN = "met", "not_met", "not_applicable", "unknown"
#: What a control may be on a disk.
STATUSES = (MET, UNKNOWN, NOT_MET, NOT_APPLICABLE)


@dataclass(frozen=True)
class Predicate:
    """How a column of the disks answers a control: a row of `data/control_predicates.csv`.

    A value that is not listed is unknown. Rows of other kinds, or of another attachment, are not asked.
    """

    predicate: str
    column: str
    met: tuple[str, ...]
    not_met: tuple[str, ...]
    not_applicable: tuple[str, ...]
    kinds: tuple[str, ...]
    attachment: str
    words: str


@dataclass(frozen=True)
class Control:
    """One control of one version of a framework: a row of `data/controls.csv`.

    Attributes
    ----------
    control_id : str
        Framework, version and control.
    framework, framework_name, version, control, title, severity, caveat, source : str
        As printed; `title` says in our words what it asks.
    predicate : str
        Name of the predicate that judges a disk.
    at_most : str
        `unknown` where no configuration of a disk alone can meet it, else empty.
    """

    control_id: str
    framework: str
    framework_name: str
    version: str
    control: str
    title: str
    predicate: str
    severity: str
    at_most: str
    caveat: str
    source: str


@cache
def controls() -> dict[str, Control]:
    """Read the controls that a source maps to disk encryption; unsourced mappings are left out.

    Returns
    -------
    dict of str to Control
        By `control_id`.

    Examples
    --------
    >>> controls()["pci_dss_4.0.1/3.5.1.2"].at_most
    'unknown'
    """
    return {row["control_id"]: Control(**row) for row in records("controls.csv")}


@cache
def predicates() -> dict[str, Predicate]:
    """Read how the controls are judged.

    Examples
    --------
    >>> predicates()["host"].column
    'host'
    """
    several = ("met", "not_met", "not_applicable", "kinds")
    rows = records("control_predicates.csv")
    split = ({n: tuple(filter(None, row[n].split("|"))) for n in several} for row in rows)
    pairs = zip(rows, split, strict=True)
    return {row["predicate"]: Predicate(**(row | lists)) for row, lists in pairs}  # type: ignore[arg-type]


def frameworks() -> dict[str, tuple[str, ...]]:
    """Name the frameworks and their versions, in the order of the data.

    Examples
    --------
    >>> frameworks()["mcsb"]
    ('2', '1')
    """
    found: dict[str, dict[str, None]] = {}
    for one in controls().values():
        found.setdefault(one.framework, {})[one.version] = None
    return {name: tuple(versions) for name, versions in found.items()}


def chosen(framework: str) -> tuple[Control, ...]:
    """Give the controls of a framework, of one of its versions, or of all.

    Parameters
    ----------
    framework : str
        `all`, a framework (its last version in the data, which is the newest that is no preview), or
        `FRAMEWORK@VERSION`.

    Returns
    -------
    tuple of Control

    Raises
    ------
    UnknownNameError
        When there is no such framework or version; with the near miss.

    Examples
    --------
    >>> [control.control for control in chosen("cis_azure")]
    ['8.2', '8.3', '8.4', '8.5']
    >>> len(chosen("cis_azure@2.1.0"))
    3
    """
    if framework == "all":
        return tuple(controls().values())
    name, _, version = framework.partition("@")
    known = frameworks()
    if name not in known:
        raise UnknownNameError.of("framework", name, (*known, "all"))
    if version and version not in known[name]:
        raise UnknownNameError.of(f"version of {name}", version, known[name])
    wanted = version or known[name][-1]
    return tuple(one for one in controls().values() if (one.framework, one.version) == (name, wanted))


def judge_control(disks: Frame, control: Control) -> Frame:
    """Judge every disk by one control.

    Parameters
    ----------
    disks : Frame
        Coverage, with the column `network` of the exposure.
    control : Control
        One of `controls()`.

    Returns
    -------
    Frame
        The same rows with `rule_id`, `severity`, `title`, `caveat`, `status` (`met`, `not_met`,
        `not_applicable` or `unknown`) and `evidence`.
    """
    asked = predicates()[control.predicate]
    said = nw.concat_str([nw.lit(f"{asked.words}: "), nw.col(asked.column)])
    words = nw.concat_str([said, nw.lit("; "), nw.col("evidence")])
    texts = {"rule_id": control.control_id, "severity": control.severity, "title": control.title}
    texts["caveat"] = control.caveat
    named = {name: nw.lit(text) for name, text in texts.items()}
    return disks.with_columns(status=_status(asked, control), evidence=words, **named)


def _status(asked: Predicate, control: Control) -> nw.Expr:
    value = nw.col(asked.column)
    met = control.at_most or MET
    cases = [
        (~_in(nw.col("kind"), asked.kinds), NOT_APPLICABLE),
        *_other_attachment(asked.attachment),
        (_in(value, asked.met), met),
        (_in(value, asked.not_met), NOT_MET),
        (_in(value, asked.not_applicable), NOT_APPLICABLE),
    ]
    return choose(cases, UNKNOWN)


def _in(value: nw.Expr, words: Sequence[str]) -> nw.Expr:
    if not words:  # Arrow compares texts with no list that has no type
        return nw.lit(value=False)
    return value.fill_null("").is_in(list(words))


def _other_attachment(wanted: str) -> list[tuple[nw.Expr, str]]:
    """Leave out disks of the other attachment; where it is not known, so is the answer."""
    if not wanted:
        return []
    other = {"attached": "unattached", "unattached": "attached"}[wanted]
    attachment = nw.col("attachment")
    return [(attachment == other, NOT_APPLICABLE), (attachment != wanted, UNKNOWN)]
