"""The full tables of the reports on Defender and on controls, of which a page shows the first rows."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from diskenc_analysis.datafiles import write_table
from diskenc_analysis.exposure import exposure
from diskenc_analysis.plainrows import count_rows
from diskenc_analysis.policies import disk_policies

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory


def write_defender(folder: str | os.PathLike[str], inv: Inventory, cov: Any, found: Any) -> None:
    """Write every row behind a report on Defender as Parquet.

    Parameters
    ----------
    folder : path
        Where the files go. An empty name writes nothing, so that a notebook need not ask.
    inv : Inventory
        What was read.
    cov : frame
        Coverage of it.
    found : frame
        As `defender` gives it.

    Examples
    --------
    >>> write_defender("", None, None, None)
    """
    if not os.fspath(folder):
        return
    rules = "What does each recommendation give by its own logic, and what does Defender report?"
    write_table(folder, "defender", found, rules, by=["resource_id", "rule_id"])
    policies = "What do the built-in policies on disks give, and where do they miss?"
    write_table(folder, "disk_policies", disk_policies(inv, cov), policies, by=["disk_id", "rule_id"])
    write_table(folder, "exposure", exposure(inv, cov), "Who could download the disk?", by=["disk_id"])


def write_controls(folder: str | os.PathLike[str], found: Any, uses: Any = None) -> None:
    """Write every row behind a report on controls as Parquet.

    Parameters
    ----------
    folder : path
        Where the file goes; an empty name writes nothing.
    found : frame
        As `findings` gives it for a framework.
    uses : frame, optional
        The exceptions, as `exception_uses` gives them; where there are none, no table of them is written.

    Examples
    --------
    >>> write_controls("", None)
    """
    question = "Which disks are evidence for a control, or against it?"
    write_table(folder, "controls", found, question, by=["finding_id"])
    if uses is not None and os.fspath(folder) and count_rows(uses):
        write_table(folder, "exceptions", uses, "What does each exception cover?", by=["line"])
