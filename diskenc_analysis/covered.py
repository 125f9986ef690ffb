"""What a person sees who looks at a coverage frame: shares with their bounds, what is unknown, next steps."""

from __future__ import annotations

from typing import Any

import pandas as pd

from diskenc_analysis.editions import capabilities
from diskenc_analysis.glance import Glance, of_inventory
from diskenc_analysis.plainrows import rows
from diskenc_analysis.summary import summarize
from diskenc_analysis.tables import table
from diskenc_analysis.text import bounds, capability_label, number

_FIRST = ("name", "subscription_name", "attachment", "method", "key_owner", "temp_disk", "caches")
_ROWS = 5
_STEPS = (
    ("cov.query(\"temp_disk == 'no'\")", "the rows behind a share; evidence says what decided"),
    (
        'de.summarize(cov, by="subscription_name", capability="temp_disk")',
        "shares by any column, or tag:NAME",
    ),
    ('de.charts.heatmap(de.summarize(cov, by="subscription_name"))', "a picture of it"),
    ('de.disks_to_change(inv, ["end_to_end"])', "what it would take to close it"),
    ("pd.DataFrame(cov)", "the bare frame"),
)


class Covered(pd.DataFrame):
    """The coverage of an inventory as a pandas frame that shows its shares in a notebook.

    Whatever is made of it (a query, a copy, a group) is an ordinary frame.

    Examples
    --------
    >>> type(Covered({"at_rest": ["yes"]}).copy()).__name__
    'DataFrame'
    """

    @property
    def _constructor(self) -> Any:
        return pd.DataFrame

    def _repr_html_(self) -> str:
        return of_coverage(self)._repr_html_()


def of_coverage(cov: Any) -> Glance:
    """Look at a coverage frame of any engine.

    Parameters
    ----------
    cov : frame
        As `coverage` gives it.

    Returns
    -------
    Glance

    Examples
    --------
    >>> from diskenc_analysis import coverage, load, sample_path
    >>> of_coverage(coverage(load(sample_path(), engine="duckdb"))).title
    'Coverage of 400 disks and snapshots'
    """
    found = rows(summarize(cov, by=None))
    total = max((row["total"] for row in found if row["weight"] == "disks"), default=0)
    open_ones = [capability_label(row["capability"]) for row in found if row["unknown"]]
    dark = (
        f"Unknown for some: {', '.join(open_ones)}; the evidence says why."
        if open_ones
        else "Nothing is unknown."
    )
    lines = [
        {
            "Capability": capability_label(row["capability"]),
            "Yes": row["yes"],
            "No": row["no"],
            "Unknown": row["unknown"],
            "Not applicable": row["not_applicable"],
            "Share of yes": bounds(row["share_low"], row["share_high"]),
            "Counted in": "VMs" if row["weight"] == "vms" else row["weight"],
        }
        for row in found
        if row["capability"] in capabilities()
    ]
    shares = table(lines, "Share of yes, from its low to its high bound")
    first = table(cov, "The first rows, some columns", list(_FIRST), _ROWS)
    return Glance(f"Coverage of {number(total)} disks and snapshots", (dark,), (shares, first), _STEPS)


def glance(what: Any) -> Glance:
    """Look at an inventory, or at a coverage frame of any engine.

    Parameters
    ----------
    what : Inventory or frame
        As `load` or `coverage` gives it.

    Returns
    -------
    Glance
        Counts, gaps or shares, and next steps; rich in a notebook, plain text elsewhere.

    Examples
    --------
    >>> from diskenc_analysis import load, sample_path
    >>> glance(load(sample_path(), engine="duckdb")).steps[0][0]
    'cov = de.coverage(inv)'
    """
    return of_inventory(what) if hasattr(what, "ledger") else of_coverage(what)
