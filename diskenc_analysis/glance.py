"""What a person sees who looks at an inventory: counts, gaps and next steps, short enough for a cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from diskenc_analysis import schema
from diskenc_analysis.plainrows import rows
from diskenc_analysis.tables import HtmlTable, table, templates
from diskenc_analysis.text import number

_GAPS = 5
_COUNTED = {
    "disks": "disks",
    "vms": "VMs and instances",
    "snapshots": "snapshots",
    "subscriptions": "subscriptions",
}
_STEPS = (
    ("cov = de.coverage(inv)", "judges every disk"),
    ("inv.gaps()", "all that it cannot answer, and which verdicts that leaves unknown"),
    ("inv.ledger", "what was read from each file, used, and set aside"),
    ("inv.disks, inv.vms, dir(inv)", "the tables themselves"),
)
_NO_DISKS = (
    ("inv.ledger", "what was read instead, and why it was set aside"),
    ("diskenc queries -o queries", "(in a terminal) writes the queries of a complete export"),
    ("de.load(de.sample_path())", "a made-up tenant, to look around in"),
)


@dataclass(frozen=True)
class Glance:
    """Sentences, small tables and next steps, for a notebook or a terminal.

    Attributes
    ----------
    title : str
        What it is.
    lines : tuple of str
        Sentences, as plain text.
    tables : tuple of HtmlTable
        Small tables.
    steps : tuple of (str, str)
        Code to go on with, and what it gives.

    Examples
    --------
    >>> Glance("Two disks", (), (), (("inv.disks", "all of them"),))
    Two disks
    Next:
      inv.disks  # all of them
    """

    title: str
    lines: tuple[str, ...]
    tables: tuple[HtmlTable, ...]
    steps: tuple[tuple[str, str], ...]

    def _repr_html_(self) -> str:
        return templates().get_template("glance.html.j2").render(glance=self)

    def __repr__(self) -> str:
        """Write it as plain text."""
        steps = [f"  {code}  # {words}" for code, words in self.steps]
        return "\n".join([self.title, *self.lines, *map(repr, self.tables), "Next:", *steps])


def of_inventory(inv: Any) -> Glance:
    """Look at an inventory.

    Parameters
    ----------
    inv : Inventory
        As `load` gives it.

    Returns
    -------
    Glance

    Examples
    --------
    >>> from diskenc_analysis import load, sample_path
    >>> of_inventory(load(sample_path())).title.split(":")[0]
    'Inventory'
    """
    counts = {name: inv.count(name) for name, one in schema.tables().items() if one.types}
    held = [f"{number(counts[name])} {words}" for name, words in _COUNTED.items() if counts.get(name)]
    other = [f"{name} {number(n)}" for name, n in counts.items() if n and name not in _COUNTED]
    totals = {name: number(inv.totals[f"rows_{name}"]) for name in ("read", "used", "set_aside")}
    lines = [f"Rows: {totals['read']} read, {totals['used']} used, {totals['set_aside']} set aside."]
    lines += [f"Not read whole: {number(inv.unread)} parts of the collection."] if inv.unread else []
    lines += [f"Also: {', '.join(other)}."] if other else []
    found = rows(inv.gaps())
    columns = {"gap": "What it cannot answer", "rows": "Rows", "consequence": "Left unknown by it"}
    gaps = (table(found[:_GAPS], "Gaps", columns, total=len(found)),) if found else ()
    disks = any(counts.get(name) for name in ("disks", "vms", "snapshots"))
    title = f"Inventory: {', '.join(held)}" if disks else "Inventory without disks"
    return Glance(title, tuple(lines), gaps, _STEPS if disks else _NO_DISKS)
