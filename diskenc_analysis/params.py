"""What each notebook may be told: one pydantic model per notebook, for notebook, command and provenance.

Values are the primitives that JSON has, since a notebook's parameters travel as source code and as JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from diskenc_analysis.errors import ParameterError, UnknownNameError, suggest
from diskenc_analysis.paramtypes import (
    Edition,
    IsoDate,
    OnOff,
    PointsText,
    Positive,
    Requirements,
    WhereText,
    Whole,
)


class CommonParams(BaseModel):
    """Parameters that every notebook has.

    Examples
    --------
    >>> CommonParams(top=10).top
    10
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    inventory: str = Field("", description="folder or file of exports; empty means the bundled sample")
    edition: Edition = Field("latest", description="edition of the encryption matrix")
    as_of: IsoDate = Field(
        "", description="the date the report speaks for, as YYYY-MM-DD; empty means none stated"
    )
    engine: Literal["auto", "duckdb", "arrow", "pandas", "polars", "spark"] = Field(
        "auto", description="what holds the rows; auto takes arrow for few of them, duckdb for many"
    )
    top: Whole = Field(25, ge=1, le=100, description="groups in a chart before the rest is summed as others")
    rows: Whole = Field(25, ge=1, le=2000, description="most disks listed in a table")
    facts_out: str = Field("", description="file that gets the numbers as JSON; empty means none")
    data_out: str = Field("", description="folder that gets the full tables as Parquet; empty means none")


class CoverageParams(CommonParams):
    """Parameters of `coverage.ipynb`, with a change to be made on paper.

    Examples
    --------
    >>> CoverageParams(what_if_host=True, what_if_where={"location": "north"}).what_if_where
    '{"location": "north"}'
    """

    what_if_host: OnOff = Field("off", description="encryption at host switched on, on paper")
    what_if_customer_key: bool = Field(False, description="a customer's key for the disks, on paper")
    what_if_where: WhereText = Field(
        "", description="for which disks: JSON of columns or tag:NAME and values; empty means all"
    )


class KeyOwnershipParams(CommonParams):
    """Parameters of `key_ownership.ipynb`; expiry is judged at `as_of`."""


class DefenderParams(CommonParams):
    """Parameters of `defender.ipynb`; exemptions are judged at `as_of`."""


class ControlsParams(CommonParams):
    """Parameters of `controls.ipynb`; exceptions are judged at `as_of`."""

    framework: str = Field("cis_azure", description="framework, FRAMEWORK@VERSION, or all")
    exceptions: str = Field("", description="CSV file of exceptions granted; empty means none")


class AdeMigrationParams(CommonParams):
    """Parameters of `ade_migration.ipynb`; the verdict and the days left are those of `as_of`.

    Examples
    --------
    >>> AdeMigrationParams().window_hours
    8.0
    """

    customer_key: bool = Field(False, description="whether the new disks shall be under a customer's key")
    wave_by: str = Field(
        "subscription_name", description="column, tag:NAME, or size: what a wave has in common"
    )
    mib_per_second: Positive = Field(100.0, description="throughput of the copy of one VM's disks")
    upload_hours: Positive = Field(2.0, description="fixed steps of a VM that is disabled and uploaded")
    rebuild_hours: Positive = Field(16.0, description="all steps of a VM that is rebuilt")
    replace_hours: Positive = Field(1.0, description="all steps of a host or instance that is replaced")
    window_hours: Positive = Field(8.0, description="length of a maintenance window")
    parallel: Whole = Field(4, ge=1, le=10_000, description="how many VMs are moved at once")
    first_window: IsoDate = Field("", description="day of the first wave; empty means as_of")
    window_days: Whole = Field(7, ge=1, le=3650, description="days from one window to the next")
    shell: Literal["az", "powershell"] = Field("az", description="which commands the runbooks are made of")
    baseline: str = Field("", description="an earlier inventory to compare with; empty means none")
    baseline_as_of: IsoDate = Field("", description="the day of the earlier inventory; empty: of its files")
    points: PointsText = Field("", description="more counts of VMs, as 2026-09-01=40; 2026-10-01=35")
    history: str = Field("", description="a folder of diskenc history with more counts; empty means none")


class ChooseMethodParams(CommonParams):
    """Parameters of `choose_method.ipynb`."""

    requires: Requirements = Field(
        "temp_disk, customer_keys", description="what the disks are to meet, with commas between"
    )
    option: str = Field("", description="the option to go by; empty means the first that fits")


class ExploreParams(CommonParams):
    """Parameters of `explore.ipynb`, whose cells are written in pandas."""

    engine: Literal["pandas"] = Field("pandas", description="what holds the rows: pandas")
    production: str = Field("prod", description="part of the name of the subscriptions that matter most")


class DriftParams(CommonParams):
    """Parameters of `drift.ipynb`, which needs two inventories: `inventory` is the newer one."""

    baseline: str = Field("", description="the older one; empty, as inventory is: the sample a month before")
    old_edition: Edition = Field("", description="edition that judged the older one; empty means the same")


class TrendParams(BaseModel):
    """Parameters of `trend.ipynb`, which reads a history; that knows its edition.

    Examples
    --------
    >>> TrendParams(target=99.5).window
    90
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    inventory: str = Field("", description="the inventory of the report, which is not read here")
    history: str = Field(
        "", description="folder of a history; empty, as inventory is: the sample's last months"
    )
    as_of: IsoDate = Field(
        "", description="the date the report speaks for, as YYYY-MM-DD; empty means none stated"
    )
    engine: Literal["auto", "duckdb", "arrow", "pandas", "polars", "spark"] = Field(
        "auto", description="what holds the rows; auto takes arrow for few of them, duckdb for many"
    )
    capability: str = Field("temp_disk", description="the capability shown by subscription")
    target: float = Field(95.0, gt=0, le=100, description="per cent that the low bound is to reach")
    window: Whole = Field(90, ge=1, le=3650, description="days before the last capture that set the pace")
    top: Whole = Field(25, ge=1, le=100, description="subscriptions in a chart")
    facts_out: str = Field("", description="file that gets the numbers as JSON; empty means none")
    data_out: str = Field("", description="folder that gets the full tables as Parquet; empty means none")


NOTEBOOKS: dict[str, type[BaseModel]] = {
    "coverage": CoverageParams,
    "key_ownership": KeyOwnershipParams,
    "defender": DefenderParams,
    "controls": ControlsParams,
    "ade_migration": AdeMigrationParams,
    "choose_method": ChooseMethodParams,
    "explore": ExploreParams,
    "drift": DriftParams,
    "trend": TrendParams,
}
#: The notebooks of a report, where none is named.
REPORTED = ("coverage", "key_ownership", "defender", "controls", "ade_migration", "choose_method")


def validate(notebook: str, values: Mapping[str, Any]) -> BaseModel:
    """Check the parameters of a notebook before it runs.

    Parameters
    ----------
    notebook : str
        Name of the notebook, without its suffix.
    values : mapping
        What was given, as JSON primitives; what is left out keeps its default.

    Returns
    -------
    pydantic.BaseModel
        The notebook's model, with every parameter filled.

    Raises
    ------
    UnknownNameError
        When there is no such notebook or no such parameter.
    ParameterError
        When a value has the wrong type or is out of range.

    Examples
    --------
    >>> validate("coverage", {"top": 5}).top
    5
    >>> validate("coverage", {"editon": "latest"})
    Traceback (most recent call last):
        ...
    diskenc_analysis.errors.UnknownNameError: notebook coverage has no parameter 'editon'. ...
    """
    fields = _fields(notebook)
    try:
        return NOTEBOOKS[notebook].model_validate(dict(values))
    except ValidationError as error:
        raise _explain(notebook, fields, error) from error


def distribute(notebooks: Sequence[str], values: Mapping[str, Any]) -> dict[str, BaseModel]:
    """Give each notebook those of the values that it takes.

    Parameters
    ----------
    notebooks : sequence of str
        Names of notebooks.
    values : mapping
        What was given for all of them.

    Returns
    -------
    dict of str to pydantic.BaseModel
        Checked parameters by notebook.

    Raises
    ------
    UnknownNameError
        When none of the notebooks takes a value, or there is no such notebook.
    ParameterError
        When a value has the wrong type or is out of range.

    Examples
    --------
    >>> distribute(["coverage"], {"top": 5})["coverage"].top
    5
    """
    known = {name: _fields(name) for name in notebooks}
    for name in values:
        if not any(name in fields for fields in known.values()):
            every = {field for fields in known.values() for field in fields}
            raise UnknownNameError(f"none of the notebooks takes {name!r}.{suggest(name, sorted(every))}")
    return {
        name: validate(name, {key: value for key, value in values.items() if key in fields})
        for name, fields in known.items()
    }


def _fields(notebook: str) -> set[str]:
    if notebook not in NOTEBOOKS:
        raise UnknownNameError.of("notebook", notebook, NOTEBOOKS)
    return set(NOTEBOOKS[notebook].model_fields)


def _explain(notebook: str, fields: Iterable[str], error: ValidationError) -> ParameterError:
    found = error.errors()[0]
    name = ".".join(map(str, found["loc"]))
    if found["type"] == "extra_forbidden":
        near = suggest(name, fields)
        return UnknownNameError(f"notebook {notebook} has no parameter {name!r}.{near}")
    reason = found["msg"].removeprefix("Value error, ")
    return ParameterError(f"parameter {name!r} of notebook {notebook}: {reason}; got {found['input']!r}")
