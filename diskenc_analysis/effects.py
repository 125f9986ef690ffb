"""Whether the parameters of an assignment turn a policy off, of its own or within an initiative."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from diskenc_analysis.scopes import read_json

_GUID = re.compile(r"[0-9a-f]{8}")


def parameter_values(parameters: str | None) -> dict[str, Any]:
    """Read the parameters of an assignment.

    Parameters
    ----------
    parameters : str or None
        JSON as ARM gives it: `{"name": {"value": ...}}`.

    Returns
    -------
    dict
        Values by name in lower case.

    Examples
    --------
    >>> parameter_values('{"Effect": {"value": "Audit"}}'), parameter_values("text")
    ({'effect': 'Audit'}, {})
    """
    found = read_json(parameters, {})
    return {n.lower(): v.get("value") if isinstance(v, dict) else None for n, v in found.items()}


def turned_off(values: Mapping[str, Any], policy: str, about: Sequence[str], *, own: bool) -> str:
    """Say whether an assignment turns a policy off by an effect of `Disabled`.

    An initiative names the effects of its policies as it likes; the built-in ones put the policy's GUID into
    the name, or words of its title. Its definition would tell, and is no part of an inventory.

    Parameters
    ----------
    values : mapping
        As `parameter_values` gives them.
    policy : str
        GUID of the policy.
    about : sequence of str
        Words of which an effect of this policy has one in its name, unless it has a GUID.
    own : bool
        Whether the policy itself is assigned, and no initiative.

    Returns
    -------
    str
        `yes`, `no`, or `maybe` where it is not told of which policy an effect is.

    Examples
    --------
    >>> off = {"effect-fc4d8e41-e223-45ea-9bf5-eada37891d87": "Disabled"}
    >>> turned_off(off, "fc4d8e41-e223-45ea-9bf5-eada37891d87", ["encrypt"], own=False)
    'yes'
    >>> turned_off(off, "3dc5edcd-002d-444c-b216-e123bbfa37c0", ["encrypt"], own=False)
    'no'
    >>> turned_off({"diskEncryptionEffect": "disabled"}, "3dc5edcd", ["encrypt"], own=False)
    'maybe'
    """
    off = [n.lower() for n, value in values.items() if "effect" in n.lower() and _is_off(value)]
    words = {_word(name, policy[:8], about, own=own) for name in off}
    return next((word for word in ("yes", "maybe") if word in words), "no")


def _is_off(value: Any) -> bool:
    return isinstance(value, str) and value.strip().lower() == "disabled"


def _word(name: str, guid: str, about: Sequence[str], *, own: bool) -> str:
    if own:
        return "yes" if name == "effect" else "no"
    if guid in name:
        return "yes"
    if _GUID.search(name):
        return "no"
    return "maybe" if name == "effect" or any(word in name for word in about) else "no"
