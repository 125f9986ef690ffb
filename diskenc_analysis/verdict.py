"""The verdict of a coverage report, in sentences that claim no more than is known (rule C12)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from diskenc_analysis.editions import edition_label, resolve_edition
from diskenc_analysis.head import not_read
from diskenc_analysis.plainrows import Row, count_rows
from diskenc_analysis.results import conflicting
from diskenc_analysis.scope import ATTACHED, SCOPES, answers
from diskenc_analysis.tables import templates
from diskenc_analysis.text import amount, number, percent

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory


@dataclass(frozen=True)
class Verdict:
    """Sentences, the first of them the conclusion.

    Attributes
    ----------
    sentences : tuple of str
        Plain text; they are escaped when shown.

    Examples
    --------
    >>> Verdict(("All is well.",))
    All is well.
    """

    sentences: tuple[str, ...]

    def _repr_html_(self) -> str:
        return templates().get_template("verdict.html.j2").render(sentences=self.sentences)

    def __repr__(self) -> str:
        """Write one sentence a line."""
        return "\n".join(self.sentences)


def verdict(inv: Inventory, cov: Any, edition: str = "", as_of: str = "") -> Verdict:
    """Put the answer of a coverage report into words.

    Parameters
    ----------
    inv : Inventory
        What was read.
    cov : frame
        Coverage of it.
    edition : str
        Edition of the matrix that judged it; named where it is given.
    as_of : str
        The date that the report speaks for, or empty.

    Returns
    -------
    Verdict
        Shares are low bounds: what is unknown counts as not protected here, and is said beside.
    """
    found = answers(cov)
    if not found:
        return Verdict(("The inventory holds no disks, so there is nothing to judge.",))
    parts = [_vms(found), *(_disks(found, scope) for scope in SCOPES), _conflicts(cov), *_reading(inv)]
    parts.append(_basis(edition, as_of))
    return Verdict(tuple(part for part in parts if part))


def _vms(found: dict[tuple[str, str], Row]) -> str:
    row = found.get((ATTACHED, "temp_disk"))
    if row is None or not _asked(row):
        return ""
    asked = amount(_asked(row), "vms")
    return f"Of {asked} with a local temp disk, {_share(row)} have it encrypted{_open(row)}."


def _disks(found: dict[tuple[str, str], Row], scope: str) -> str:
    rest, keys = found.get((scope, "at_rest")), found.get((scope, "customer_keys"))
    if rest is None or keys is None or not rest["total"]:
        return ""
    outside = f"{_counted(rest['not_applicable'], scope)} unmanaged and so outside of the encryption matrix."
    if not _asked(rest):
        return outside
    first = f"Of {_named(_asked(rest), scope)}, {_share(rest)} are encrypted at rest{_open(rest)}"
    second = f"{_share(keys)} are under a key that the customer controls{_open(keys)}"
    return f"{first}, and {second}." + (f" Another {outside}" if rest["not_applicable"] else "")


def _named(count: float, scope: str) -> str:
    one = scope.replace("disks", "disk").replace("snapshots", "snapshot")
    return f"{number(count)} {one if count == 1 else scope}"


def _counted(count: float, scope: str) -> str:
    return f"{_named(count, scope)} {'is' if count == 1 else 'are'}"


def _asked(row: Row) -> float:
    return float(row["yes"] + row["no"] + row["unknown"])


def _share(row: Row) -> str:
    """Say the low bound, and that it is one where the bounds differ."""
    if not row["unknown"]:
        return percent(row["share_low"])
    return f"at least {percent(row['share_low'], 'down')}"


def _open(row: Row) -> str:
    if not row["unknown"]:
        return ""
    verb = "is" if row["unknown"] == 1 else "are"
    return f" (at most {percent(row['share_high'], 'up')}, since {number(row['unknown'])} {verb} unknown)"


def _conflicts(cov: Any) -> str:
    count = count_rows(conflicting(cov))
    return f"The data of {amount(count, 'disks')} contradicts itself: see Conflicts." if count else ""


def _reading(inv: Inventory) -> list[str]:
    totals, said = inv.totals, [*not_read(inv)]
    if totals["rows_set_aside"]:
        rate = f"{totals['rows_set_aside']:,} of {totals['rows_read']:,} rows read were set aside"
        said.append(f"{rate}: see What was read.")
    if gaps := count_rows(inv.gaps()):
        who = "1 gap in what was read leaves" if gaps == 1 else f"{number(gaps)} gaps in what was read leave"
        said.append(f"{who} verdicts unknown: see What was read.")
    return said


def _basis(edition: str, as_of: str) -> str:
    """Say which edition judged, and for which date."""
    if not edition:
        return ""
    date = f", as of {as_of}" if as_of else ""
    return f"Judged by the encryption matrix of {resolve_edition(edition)} ({edition_label(edition)}){date}."
