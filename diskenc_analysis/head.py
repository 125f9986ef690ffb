"""What stands at the top of every page: which gates were met, and what a reader has to know first."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from diskenc_analysis.gates import Outcome
from diskenc_analysis.ledger import UNREAD
from diskenc_analysis.plainrows import rows
from diskenc_analysis.tables import templates

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory


@dataclass(frozen=True)
class Head:
    """The top of a page.

    Attributes
    ----------
    gates : tuple of Outcome
        Which gates were met.
    notices : tuple of str
        Sentences, as plain text.

    Examples
    --------
    >>> print(Head((Outcome("hsm=1", False, "HSM: 0% of 2 disks"),)).html().split("</p>")[0].split(">")[-1])
    Gate hsm=1 missed. HSM: 0% of 2 disks.
    """

    gates: tuple[Outcome, ...] = ()
    notices: tuple[str, ...] = ()

    def html(self) -> Markup:
        """Write it as HTML; empty where there is nothing to say."""
        return Markup(templates().get_template("head.html.j2").render(head=self))  # noqa: S704 - escaped there


def not_read(inv: Inventory) -> tuple[str, ...]:
    """Say what a reader of any page has to know: what a collection could not read, and exports that were cut.

    Parameters
    ----------
    inv : Inventory
        With its ledger.

    Returns
    -------
    tuple of str
        Sentences; none where all was read.
    """
    ledger = rows(inv.ledger)
    asked = [row["status"] for row in ledger if row["status"] not in ("", "not asked")]
    unread = Counter(status for status in asked if status in UNREAD)
    said = []
    if unread:
        counts = ", ".join(f"{n} {status}" for status, n in sorted(unread.items()))
        parts = f"{unread.total():,} of {len(asked):,} parts of the collection (a type and subscription each)"
        said.append(
            f"{parts} were not read whole ({counts}), and what they hold is absent: see What was read."
        )
    if any(row["truncated"] and row["status"] not in UNREAD for row in ledger):
        said.append("Some exports show signs of a cut: what was cut off is absent from every count here.")
    return tuple(said)
