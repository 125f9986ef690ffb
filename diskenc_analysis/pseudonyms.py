"""Stable pseudonyms of names and ids, and what text they stand in: ARM ids, URLs, JSON, prose."""

from __future__ import annotations

import base64
import hmac
import json
import re
from collections.abc import Callable
from functools import cached_property
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

MODES = ("names", "ids", "all")
_GUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE)
_VERSION = re.compile(r"(?<=/)[0-9a-f]{32}(?![^/])", re.IGNORECASE)
_TOKEN = re.compile(r"[\w.-]+")
# Ids of these name what Azure itself ships.
_PUBLIC = {"microsoft.security", "microsoft.authorization", "microsoft.policyinsights"}
_PUBLIC_TYPES = {"locations", "subscriptions"}
_URL_WORDS = {"", "keys", "secrets", "certificates"}
_SUFFIXES = {".json", ".jsonl", ".ndjson", ".csv", ".gz", ".zst", ".parquet", ".xlsx", ".xls", ".ods", ".txt"}
_NAME_MEMBERS = {"name", "displayname", "computername"}


class Pseudonyms:
    """Gives the same pseudonym for the same original, as long as the secret is the same.

    Parameters
    ----------
    mode : {"names", "ids", "all"}
        Names that people chose, or the GUIDs and key versions that Azure gave, or both.
    secret : bytes
        Without it nobody can try out whether a pseudonym is that of a guessed name.

    Examples
    --------
    >>> made = Pseudonyms("names", b"secret")
    >>> made.arm("/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/disks/7")
    '/subscriptions/s/resourceGroups/name-.../providers/Microsoft.Compute/disks/7'
    >>> made.name("RG") == made.name("rg"), made.label("RG") == made.label("rg")
    (True, False)
    """

    def __init__(self, mode: str, secret: bytes) -> None:
        self.names, self.ids = mode != "ids", mode != "names"
        self.secret = secret
        #: Original by pseudonym: what the key file holds.
        self.originals: dict[str, str] = {}
        self._known: dict[str, str] = {}
        self._labels: dict[str, str] = {}
        self._guids: dict[str, str] = {}

    def _made(self, text: str) -> str:
        return hmac.new(self.secret, text.encode("utf-8", "surrogatepass"), sha256).hexdigest()

    def _noted(self, pseudonym: str, original: str) -> str:
        self.originals.setdefault(pseudonym, original)
        return pseudonym

    def name(self, text: str) -> str:
        """Give the pseudonym of a name whose case does not count; a number alone is no name."""
        if not self.names or not text or text.isdecimal():
            return text
        key = text.lower()
        if key not in self._known:
            kept = "mc_" if key.startswith("mc_") else ""  # such a group says: a managed cluster's
            self._known[key] = f"{kept}name-{self._short(key)}"
        return self._noted(self._known[key], text)

    def label(self, text: str) -> str:
        """Give the pseudonym of a name whose case counts, such as that of a subscription."""
        if not self.names or not text:
            return text
        if text not in self._labels:
            self._labels[text] = f"name-{self._short(text)}"
        return self._noted(self._labels[text], text)

    def _short(self, text: str) -> str:
        digest = bytes.fromhex(self._made(text))[:8]
        return base64.b32encode(digest).decode().lower().rstrip("=")

    def guids(self, text: str) -> str:
        """Replace every GUID and key version in a text."""
        if not self.ids or not text:
            return text
        return _VERSION.sub(self._version, _GUID.sub(self._guid, text))

    def _guid(self, found: re.Match[str]) -> str:
        key = found[0].lower()
        if key not in self._guids:
            made = self._made(key)
            self._guids[key] = f"00000000-0000-4000-8{made[:3]}-{made[3:15]}"
        return self._noted(self._guids[key], found[0])

    def _version(self, found: re.Match[str]) -> str:
        return self._noted(f"00000000{self._made(found[0].lower())[:24]}", found[0])

    def arm(self, text: str) -> str:
        """Replace the names in an ARM id."""
        parts, place, public = text.split("/"), 1, False
        while place < len(parts) - 1:
            word = parts[place].lower()
            if word == "providers":
                public = parts[place + 1].lower() in _PUBLIC
            else:
                public = public or word == "locations"
                if not public and word not in _PUBLIC_TYPES:
                    parts[place + 1] = self.name(parts[place + 1])
            place += 2
        return "/".join(parts)

    def refs(self, text: str) -> str:
        """Replace the names in ARM ids joined by semicolons."""
        return ";".join(map(self.value, text.split(";")))

    def url(self, text: str) -> str:
        """Replace the names in a URL: the host's first label and what follows it; a query is dropped."""
        split = urlsplit(text)
        head, dot, rest = split.netloc.partition(".")
        path = [part if self._is_public(part) else self.name(part) for part in split.path.split("/")]
        return f"{split.scheme}://{self.name(head)}{dot}{rest}{'/'.join(path)}"

    @staticmethod
    def _is_public(part: str) -> bool:
        return part.lower() in _URL_WORDS or bool(_VERSION.fullmatch(f"/{part}", 1))

    def value(self, text: str) -> str:
        """Replace the names in a value that says itself what it is: JSON, an ARM id, a URL."""
        if not self.names:
            return text
        if text[:1] in ("{", "["):
            try:
                return json.dumps(self._walk(json.loads(text)), ensure_ascii=False, separators=(",", ":"))
            except ValueError:
                return text
        if text.startswith("/"):
            return self.arm(text)
        return self.url(text) if "://" in text[:10] else text

    def _walk(self, value: Any, member: str = "") -> Any:
        if isinstance(value, dict):
            return {key: self._walk(part, key.lower()) for key, part in value.items()}
        if isinstance(value, list):
            return [self._walk(part, member) for part in value]
        if not isinstance(value, str):
            return value
        return self.name(value) if member in _NAME_MEMBERS else self.value(value)

    def values(self, text: str) -> str:
        """Replace the values of a JSON object of texts, such as tags; their names stay."""
        if not self.names:
            return text
        try:
            found = json.loads(text)
        except ValueError:
            return self.name(text)
        if not isinstance(found, dict):
            return self.name(text)
        return json.dumps(
            {key: self.label(part) if isinstance(part, str) else part for key, part in found.items()},
            ensure_ascii=False,
            separators=(",", ":"),
        )

    def path(self, text: str) -> str:
        """Replace the path of a file, of which the suffix stays."""
        if not self.names:
            return text
        suffix = PurePosixPath(text).suffix
        return f"/{self.name(text)}{suffix if suffix in _SUFFIXES else ''}"

    def prose(self, text: str) -> str:
        """Replace in a sentence every name that was met before."""
        if not self.names:
            return text
        for label, pseudonym in self._spaced:
            text = text.replace(label, pseudonym)
        return _TOKEN.sub(lambda token: self._token(token[0]), self.value(text))

    def _token(self, token: str) -> str:
        bare = token.rstrip(".")
        found = self._labels.get(bare) or self._known.get(bare.lower())
        return f"{found}{token[len(bare) :]}" if found else token

    @cached_property
    def _spaced(self) -> list[tuple[str, str]]:
        """Labels that are no single word, the longest first."""
        found = [pair for pair in self._labels.items() if not _TOKEN.fullmatch(pair[0])]
        return sorted(found, key=lambda pair: (-len(pair[0]), pair[0]))

    def of(self, kind: str) -> Callable[[str], str]:
        """Give the function of a kind in `data/redaction.csv`; GUIDs are replaced after it.

        Parameters
        ----------
        kind : str
            `name`, `label`, `refs`, `values`, `path`, `prose`, or `value` for what is not listed.

        Returns
        -------
        callable
        """
        change: Callable[[str], str] = getattr(self, kind)
        return lambda text: self.guids(change(text))
