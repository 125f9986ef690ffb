"""The types of parameters: what a person or YAML may write, and what travels to a notebook."""

from __future__ import annotations

import json
from datetime import date
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from diskenc_analysis.errors import ParameterError
from diskenc_analysis.option_list import asked
from diskenc_analysis.run_out import parse_points
from diskenc_analysis.what_if_scope import parse_where


def _as_text(value: object) -> object:
    """Take what YAML made of an unquoted date."""
    return value.isoformat() if isinstance(value, date) else value


def _whole(value: object) -> object:
    """Refuse what pydantic would take for a whole number, though nobody meant one: `yes` is no 1."""
    if isinstance(value, bool):
        raise ValueError("expected a whole number")  # noqa: TRY004 - pydantic makes its message of it
    return value


def _number(value: object) -> object:
    """Refuse a yes or no where a number is meant."""
    if isinstance(value, bool):
        raise ValueError("expected a number")  # noqa: TRY004 - pydantic makes its message of it
    return value


def _iso_date(value: object) -> object:
    text = _as_text(value)
    if isinstance(text, str) and text:
        date.fromisoformat(text)
    return text


def _switch(value: object) -> object:
    """Take what YAML made of an unquoted `on` or `off`."""
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else value


def _where(value: object) -> object:
    """Write a mapping as the JSON that travels to a notebook."""
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value
    if isinstance(text, str):
        try:
            parse_where(text)
        except ParameterError as error:
            raise ValueError(str(error).removeprefix("what_if_where: ")) from None
    return text


def _points(value: object) -> object:
    if isinstance(value, str):
        try:
            parse_points(value)
        except ParameterError as error:
            raise ValueError(str(error).removeprefix("points: ")) from None
    return value


def _requirements(value: object) -> object:
    """Take a list, or text with commas; a requirement that does not exist is refused here."""
    listed = value.split(",") if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
        return value
    names = [name.strip() for name in listed if name.strip()]
    asked(names)
    return ", ".join(names)


Requirements = Annotated[str, BeforeValidator(_requirements), Field(min_length=1)]
IsoDate = Annotated[str, BeforeValidator(_iso_date)]
Edition = Annotated[str, BeforeValidator(_as_text)]
Whole = Annotated[int, BeforeValidator(_whole)]
Positive = Annotated[float, BeforeValidator(_number), Field(gt=0, allow_inf_nan=False)]
OnOff = Annotated[Literal["on", "off"], BeforeValidator(_switch)]
WhereText = Annotated[str, BeforeValidator(_where)]
PointsText = Annotated[str, BeforeValidator(_points)]
