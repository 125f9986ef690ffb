"""What a notebook shows of a change made on paper: what was changed, the answers before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from diskenc_analysis.tables import HtmlTable, table
from diskenc_analysis.text import amount, capability_label, number
from diskenc_analysis.waterfall import what_if_waterfall
from diskenc_analysis.what_if import WhatIf, what_if
from diskenc_analysis.what_if_scope import LEFT_OUT, parse_where

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory


def wished(
    inv: Inventory,
    cov: Any,
    host: str = "off",
    where: str = "",
    edition: str = "latest",
    *,
    customer_key: bool = False,
) -> WhatIf | None:
    """Make the change that the parameters of a notebook ask for.

    Parameters
    ----------
    inv : Inventory
        What was read.
    cov : frame
        Coverage of it.
    host : {"on", "off"}
        Whether encryption at host is switched on.
    where : str
        For which disks; see `parse_where`.
    edition : str
        Edition of the matrix that judged `cov`.
    customer_key : bool
        Whether the disks get a customer's key.

    Returns
    -------
    WhatIf or None
        None where nothing is asked for.
    """
    if host != "on" and not customer_key:
        return None
    asked = "on" if host == "on" else None
    return what_if(inv, asked, parse_where(where), customer_key=customer_key, edition=edition, cov=cov)


def gains(made: WhatIf | None) -> HtmlTable | None:
    """List the answers before and after, for every capability.

    Parameters
    ----------
    made : WhatIf or None
        The change; None where there is none.

    Returns
    -------
    HtmlTable or None
        Its caption says what was changed, and what was left as it is.
    """
    if made is None:
        return None
    lines = [
        {
            "Capability": capability_label(row["capability"]),
            "Counted in": {"vms": "VMs"}.get(row["weight"], row["weight"]),
            "Yes before": row["yes_before"],
            "Yes after": row["yes_after"],
            "No before": row["no_before"],
            "No after": row["no_after"],
            "Unknown before": row["unknown_before"],
            "Unknown after": row["unknown_after"],
        }
        for row in made.gains()
    ]
    return table(lines, said(made))


def said(made: WhatIf) -> str:
    """Say what was changed on paper, and what was left as it is.

    Examples
    --------
    >>> said(WhatIf(None, None, 2, 0, {"unread_vm": 1}))
    'Before and after: 2 VMs with encryption at host. Left as they are: 1 VM that is not in the inventory'
    """
    host, keys = f"{amount(made.vms, 'vms')} with encryption at host", amount(made.disks, "disks")
    parts = [host] * (made.vms > 0) + [f"{keys} under a customer's key"] * (made.disks > 0)
    left = "; ".join(f"{number(n)} {LEFT_OUT[reason][n != 1]}" for reason, n in made.left_out.items())
    changed = f"Before and after: {' and '.join(parts) or 'nothing is changed'}"
    return f"{changed}. Left as they are: {left}" if left else changed


def chart(made: WhatIf | None, capability: str | None = None, top: int = 25) -> go.Figure | None:
    """Draw what each subscription gains or loses.

    Parameters
    ----------
    made : WhatIf or None
        The change; None where there is none.
    capability : str, optional
        Which one; that which changes most by default.
    top : int
        Subscriptions shown.

    Returns
    -------
    plotly Figure or None
    """
    if made is None:
        return None
    by = "subscription_name"
    return what_if_waterfall(made.gains(by=by, capability=capability), by, capability, top)
