"""What stands at the top of every page: which gates were met, and what a reader has to know first."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from diskenc_analysis.gates import Outcome
from diskenc_analysis.tables import templates


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
