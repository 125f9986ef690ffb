"""Which group a disk belongs to: the value of a column, or of a tag."""

from __future__ import annotations

import json
import re
from typing import Any

import narwhals as nw

from diskenc_analysis.errors import ParameterError, UnknownNameError
from diskenc_analysis.frames import Frame, lazy


def frame_of(cov: Any) -> Frame:
    """Wrap a coverage frame of any engine, and say what is expected where it is none."""
    try:
        return lazy(cov)
    except TypeError:
        what = type(cov).__name__
        raise ParameterError(f"expected the frame that de.coverage(inv) gives, got {what}") from None


def group_of(frame: Frame, by: str) -> nw.Expr:
    """Give the group of each row, which is never null."""
    if by.startswith("tag:"):
        return _tag(by[4:])
    columns = frame.collect_schema().names()
    if by not in columns:
        raise UnknownNameError.of("column", by, [*columns, "tag:NAME"])
    group = nw.col(by)
    if by == "subscription_name" and "subscription_id" in columns:
        group = nw.when(~group.is_null()).then(group).otherwise(nw.col("subscription_id"))
    text = group.cast(nw.String)
    if by == "gib":  # one engine writes 64.0, the next 64
        text = text.str.replace_all(r"\.0$", "")
    return text.fill_null("(none)")


def _tag(name: str) -> nw.Expr:
    """Read one tag out of the JSON text of all; Azure compares tag names without regard to case.

    Escaped quotes and backslashes are set aside first, so that the next quote ends the value.
    """
    text = nw.col("tags").fill_null("")
    for escaped, mark in _ESCAPED:
        text = text.str.replace_all(escaped, mark, literal=True)
    quoted = json.dumps(name, ensure_ascii=False)[1:-1]
    for escaped, mark in _ESCAPED:
        quoted = quoted.replace(escaped, mark)
    member = '(?is)^.*?"' + re.sub(r"([.^$*+?{}\[\]|()\\])", r"\\\1", quoted) + r"\"\s*:\s*\""
    value = text.str.replace_all(member, "").str.replace_all(r'(?s)".*$', "")
    for (_, mark), plain in zip(_ESCAPED, ("\\", '"'), strict=True):
        value = value.str.replace_all(mark, plain, literal=True)
    return nw.when(text.str.contains(member)).then(value).otherwise(nw.lit("(no tag)"))


#: Escapes of JSON, and a character that no tag can hold in place of each; the backslash first.
_ESCAPED = (("\\\\", "\x02"), ('\\"', "\x01"))
