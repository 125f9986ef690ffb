"""The full tables of a coverage report: every row that a page can only show the first of."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from diskenc_analysis.datafiles import write_table
from diskenc_analysis.findings import findings
from diskenc_analysis.matrix import matrix
from diskenc_analysis.results import sources
from diskenc_analysis.summary import summarize

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory


def write_tables(folder: str | os.PathLike[str], inv: Inventory, cov: Any, edition: str = "latest") -> None:
    """Write every row behind a coverage report as Parquet.

    Parameters
    ----------
    folder : path
        Where the files go. An empty name writes nothing, so that a notebook need not ask.
    inv : Inventory
        What was read.
    cov : frame
        Coverage of it.
    edition : str
        Edition of the matrix that judged it.

    Examples
    --------
    >>> write_tables("", None, None)
    """
    if not os.fspath(folder):
        return
    disks = "How is every disk encrypted, under whose key, and what does that leave open?"
    write_table(folder, "disks", cov, disks, by=["disk_id"])
    look = "What should a person look at, disk by disk?"
    write_table(folder, "findings", findings(inv, cov), look, by=["rule_id", "disk_id"])
    shares = "Which share of each subscription has each capability, from the low to the high bound?"
    write_table(folder, "subscriptions", summarize(cov), shares)
    write_table(
        folder, "files_read", sources(inv), "What was read, what was used, what was set aside and why?"
    )
    write_table(folder, "gaps", inv.gaps(), "What can this inventory not answer?")
    write_table(folder, "matrix", matrix(edition), "By which rows of the encryption matrix was it judged?")
