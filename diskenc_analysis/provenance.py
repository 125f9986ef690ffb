"""How a report was made: parameters, edition, versions, and the hashes of its input."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diskenc_analysis.editions import edition_label, editions, methods, resolve_edition
from diskenc_analysis.ledger import NO_FILE
from diskenc_analysis.matrix import matrix_diff
from diskenc_analysis.plainrows import rows
from diskenc_analysis.results import commit, sources, versions
from diskenc_analysis.tables import HtmlTable, table
from diskenc_analysis.text import capability_label

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

#: Parameters that name a place, of which the last part alone is shown, and what it means that they are empty.
_PLACES = {"inventory": "the bundled sample", "baseline": "none", "history": "none", "exceptions": "none"}
_SAID = ("edition", "as_of", "facts_out", "data_out")


def provenance(params: Mapping[str, Any]) -> HtmlTable:
    """List how the report was made: edition, parameters, versions.

    Parameters
    ----------
    params : mapping
        The notebook's parameters.

    Returns
    -------
    HtmlTable
        Where files lie on this machine is left out.
    """
    edition = str(params["edition"])
    made = {"Edition of the matrix": f"{resolve_edition(edition)}: {edition_label(edition)}"}
    made["As of"] = str(params["as_of"]) or "no date stated"
    given = {f"Parameter {name}": _shown(name, value) for name, value in params.items() if name not in _SAID}
    made["Git commit of the kit"] = commit()
    made |= given | {f"Version of {name}": value for name, value in versions().items()}
    return table(
        [{"What": what, "Value": value} for what, value in made.items()], "Edition, parameters and versions"
    )


def _shown(name: str, value: object) -> str:
    if name in _PLACES:
        return Path(str(value)).name if value else _PLACES[name]
    return str(value) or "(empty)"


def hashes(inv: Inventory, limit: int = 200) -> HtmlTable:
    """List the SHA-256 of each file that was read, with the time of capture where it is known.

    Parameters
    ----------
    inv : Inventory
        What was read.
    limit : int
        Most files listed.

    Returns
    -------
    HtmlTable
        One row per file.
    """
    columns = {"File": "source", "Captured": "captured_at", "SHA-256": "sha256"}
    read = [row for row in sources(inv) if row["shape"] != NO_FILE]
    found = {row["source"]: {words: row[name] for words, name in columns.items()} for row in read}
    return table(list(found.values()), "Input files by hash", limit=limit, sheet="files_read")


def edition_changes(edition: str = "latest") -> HtmlTable:
    """List the cells in which an edition of the matrix differs from the one before, or from the next.

    Parameters
    ----------
    edition : str
        The edition that judged the report.

    Returns
    -------
    HtmlTable
        One row per cell that differs.
    """
    known, ours = editions(), resolve_edition(edition)
    place = known.index(ours)
    other = known[place - 1] if place else known[min(place + 1, len(known) - 1)]
    old, new = sorted((ours, other))
    columns = {"capability": "Capability", "method": "Method", "old": old, "new": new, "source": "Source"}
    lines = rows(matrix_diff(old, new))
    for line in lines:
        line["capability"] = capability_label(line["capability"])
        line["method"] = methods()[line["method"]].label
    return table(lines, f"Cells that differ between the editions {old} and {new}", columns)
