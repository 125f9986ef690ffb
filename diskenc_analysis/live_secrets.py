"""Rows as lines of JSON, without what may hold a secret, should Azure ever return it."""

from __future__ import annotations

import json
import re
from typing import Any

#: Members that may hold a secret. They are never written.
SECRET_MEMBERS = frozenset({"protectedsettings", "adminpassword", "customdata", "userdata"})
#: Letters of an address in JSON text, which writes those outside of ASCII as `\\u` and four digits.
_PATH, _QUERY = (rf'(?:[^"{more}\\\s]|\\u[0-9a-f]{{4}})*' for more in ("?", ""))
#: A link that is signed: who has its query reads the blob.
_SIGNED = re.compile(rf"(?i)(https?://{_PATH})\?{_QUERY}?\bsig={_QUERY}")
#: A signature without its link; that of Azure Storage has 44 letters.
_SIGNATURE = re.compile(r'(?i)(\bsig=)[^"&\\\s]{20,}')


def line(row: dict[str, Any]) -> tuple[str, int]:
    r"""Write a row as a line, without what may hold a secret.

    Parameters
    ----------
    row : dict
        Decoded JSON.

    Returns
    -------
    str, int
        The line, and how many members and signatures were left out.

    Examples
    --------
    >>> line({"uri": "https://a.example/o.vhd?sv=1&sig=s3cr3t"})
    ('{"uri":"https://a.example/o.vhd"}\n', 1)
    """
    text, found = json.dumps(row, separators=(",", ":")), 0
    folded = text.lower()
    if any(f'"{name}":' in folded for name in SECRET_MEMBERS):
        row, found = without_secrets(row)
        text = json.dumps(row, separators=(",", ":"))
    if "sig=" in folded:
        for secret in (_SIGNED, _SIGNATURE):
            text, signed = secret.subn(r"\1", text)
            found += signed
    return text + "\n", found


def without_secrets(value: Any) -> tuple[Any, int]:
    """Leave out the members that may hold a secret.

    Parameters
    ----------
    value : object
        Decoded JSON.

    Returns
    -------
    object, int
        The value without them, and how many there were.

    Examples
    --------
    >>> without_secrets({"properties": {"protectedSettings": {"key": "s"}, "type": "t"}})
    ({'properties': {'type': 't'}}, 1)
    """
    if isinstance(value, list):
        pairs = [without_secrets(one) for one in value]
        return [one for one, _ in pairs], sum(found for _, found in pairs)
    if not isinstance(value, dict):
        return value, 0
    kept = {name: without_secrets(one) for name, one in value.items() if name.lower() not in SECRET_MEMBERS}
    found = len(value) - len(kept) + sum(n for _, n in kept.values())
    return {name: one for name, (one, _) in kept.items()}, found
