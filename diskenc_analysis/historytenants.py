"""Of which tenant the captures of a history are, so far as they know it: of one, unless more are wanted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from diskenc_analysis.errors import ParameterError, UnreadableInputError

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

#: What a capture says of itself beside its rows; readers of such folders pass over names that begin so.
ABOUT = "_capture.json"
_HOLDERS = ("disks", "snapshots", "vms")


def tenants_of(inv: Inventory) -> list[str]:
    """Name the tenants of the subscriptions that hold something.

    A list of subscriptions may name others that the reader sees, whose tenants have no part in the capture.

    Parameters
    ----------
    inv : Inventory
        The capture.

    Returns
    -------
    list of str
        Ids in lower case, sorted; empty where the export does not say.

    Examples
    --------
    >>> from diskenc_analysis import load, sample_path
    >>> len(tenants_of(load(sample_path(), engine="duckdb")))
    1
    """
    held = " UNION ".join(f'SELECT lower(subscription_id) FROM "{name}"' for name in _HOLDERS)
    sql = (
        "SELECT DISTINCT lower(tenant_id) FROM subscriptions "
        f"WHERE tenant_id IS NOT NULL AND lower(subscription_id) IN ({held}) ORDER BY 1"
    )
    return [str(tenant) for (tenant,) in inv.connection.execute(sql).fetchall()]


def require_tenant(tenants: Sequence[str], home: Path) -> None:
    """Refuse a capture that has no tenant in common with those that stand in a history.

    Parameters
    ----------
    tenants : sequence of str
        As `tenants_of` gives them; where none is known nothing is refused.
    home : Path
        The history.

    Raises
    ------
    ParameterError
        When the tenants of both are known and none is the same.
    UnreadableInputError
        When what a capture says of itself cannot be read.

    Examples
    --------
    >>> require_tenant(["a"], Path("no-such-folder"))
    """
    there = sorted({tenant for file in home.glob(f"*/{ABOUT}") for tenant in _tenants_in(file)})
    if tenants and there and not set(tenants) & set(there):
        raise ParameterError(
            f"{home}: got one of tenant {', '.join(tenants)} for a history of tenant {', '.join(there)}: "
            "name another history, or give --other-tenant (other_tenant=True) if this one shall sum both"
        )


def note_tenants(tenants: Sequence[str], folder: Path) -> None:
    """Write beside the rows of a capture of which tenants it is.

    Parameters
    ----------
    tenants : sequence of str
        As `tenants_of` gives them.
    folder : Path
        The folder of the capture, which is there.
    """
    (folder / ABOUT).write_text(json.dumps({"tenants": list(tenants)}) + "\n", encoding="utf-8")


def _tenants_in(file: Path) -> list[str]:
    try:
        return [str(tenant) for tenant in json.loads(file.read_text(encoding="utf-8"))["tenants"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnreadableInputError(f"{file}: expected the tenants of a capture, but: {error}") from None
