"""Tables that fold away, each under a heading of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from diskenc_analysis.tables import HtmlTable, templates

_SHORT = 6


@dataclass(frozen=True)
class Lists:
    """Tables that fold away, each under a heading of its own.

    Attributes
    ----------
    lists : tuple of (str, HtmlTable)
        Heading and table.
    otherwise : str
        What to say when there are none.

    Examples
    --------
    >>> Lists((), "No disk misses a capability.")
    No disk misses a capability.
    """

    lists: tuple[tuple[str, HtmlTable], ...]
    otherwise: str

    def _repr_html_(self) -> str:
        shown = [(heading, _shown(part)) for heading, part in self.lists]
        return templates().get_template("lists.html.j2").render(lists=shown, otherwise=self.otherwise)

    def __repr__(self) -> str:
        """Write the headings and the first rows of each table."""
        return "\n\n".join(f"{heading}\n{part!r}" for heading, part in self.lists) or self.otherwise


def _shown(part: HtmlTable) -> dict[str, Any]:
    """Give a table for the template of lists; a short one need not be folded."""
    html = Markup(part._repr_html_())  # noqa: S704 - escaped by its template
    return {"html": html, "short": len(part.lines) <= _SHORT}
