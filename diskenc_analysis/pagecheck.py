"""The gate of a page: nothing in it may load, run or send anything of its own."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from diskenc_analysis.errors import ReportCheckError
from diskenc_analysis.text import clean

_LOADING = {
    "src",
    "srcset",
    "data",
    "poster",
    "background",
    "action",
    "formaction",
    "manifest",
    "ping",
    "codebase",
}
_LINKS = {"href", "xlink:href"}
_BARRED = {"iframe", "frame", "object", "embed", "applet", "form", "base", "link", "portal", "fencedframe"}
_DATA_TYPES = {"application/json", "text/plain"}
_SAFE_LINK = re.compile(r"^(#|https?://|mailto:|[\w.-]+(/[\w.-]+)*(#|$))", re.IGNORECASE)
_STYLE_LOAD = re.compile(r"@import|image-set\(|url\(\s*['\"]?\s*(?!data:|#)", re.IGNORECASE)


def check_html(html: str, place: str, scripts: tuple[str, ...] = ()) -> None:
    """Refuse HTML that reaches outside of itself or runs a script of its own.

    Parameters
    ----------
    html : str
        A page or a piece of one.
    place : str
        What it is, for the message.
    scripts : tuple of str
        The scripts that may stand in it, to the letter.

    Raises
    ------
    ReportCheckError
        At the first external `src`, `href` or `url()`, script, event attribute, frame or form. A link
        that a reader may follow (`a href`) is no load.

    Examples
    --------
    >>> check_html("<a href='https://example.org'>x</a><img src='data:image/png;base64,AA'>", "it")
    >>> check_html("<img src='https://example.org/x.png'>", "it")
    Traceback (most recent call last):
        ...
    diskenc_analysis.errors.ReportCheckError: it would load from outside: <img src="https://example.org/x.png">
    """
    checker = _Checker(place, scripts)
    checker.feed(html)
    checker.close()
    checker.end()


class _Checker(HTMLParser):
    def __init__(self, place: str, scripts: tuple[str, ...]) -> None:
        super().__init__(convert_charrefs=True)
        self.place, self.scripts = place, scripts
        self.inside, self.text = "", ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: (value or "").strip() for name, value in attrs}
        self.end()
        if tag in _BARRED or (tag == "meta" and values.get("http-equiv", "").lower() == "refresh"):
            self._refuse(f"holds a <{tag}>")
        for name, value in values.items():
            self._attribute(tag, name, value)
        if tag == "style" or (tag == "script" and values.get("type", "").lower() not in _DATA_TYPES):
            self.inside = tag

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == self.inside:
            self.end()

    def end(self) -> None:
        """Judge the style or script that was read last."""
        if self.inside == "script" and self.text not in self.scripts:
            self._refuse(f"holds a script of its own: {self.text}")
        if self.inside == "style" and _STYLE_LOAD.search(self.text):
            self._refuse("has a style that would load from outside")
        self.inside, self.text = "", ""

    def _attribute(self, tag: str, name: str, value: str) -> None:
        shown = f'<{tag} {name}="{value}">'
        if name.startswith("on"):
            self._refuse(f"has an event attribute: {shown}")
        if name in _LOADING and not (name == "src" and value.lower().startswith("data:image/")):
            self._refuse(f"would load from outside: {shown}")
        if (
            name in _LINKS
            and not value.startswith("#")
            and not (tag in ("a", "area") and _SAFE_LINK.match(value))
        ):
            self._refuse(f"would load from outside or run: {shown}")
        if name == "style" and _STYLE_LOAD.search(value):
            self._refuse(f"has a style that would load from outside: {shown}")

    def _refuse(self, what: str) -> None:
        raise ReportCheckError(f"{self.place} {clean(what, 200)}")
