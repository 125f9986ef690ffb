"""How every Azure disk is encrypted, by which method, under whose key, and what that leaves open.

Names are resolved on first use, so that importing the package costs little.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from diskenc_analysis import charts as charts
    from diskenc_analysis import report as report
    from diskenc_analysis import tables as tables
    from diskenc_analysis.blast import blast_radius as blast_radius
    from diskenc_analysis.blast import single_points as single_points
    from diskenc_analysis.browse import browse as browse
    from diskenc_analysis.copies import copied_keys as copied_keys
    from diskenc_analysis.coverage import coverage as coverage
    from diskenc_analysis.covered import glance as glance
    from diskenc_analysis.custody import custody as custody
    from diskenc_analysis.defender import defender as defender
    from diskenc_analysis.drift import compare as compare
    from diskenc_analysis.exceptionuse import exception_uses as exception_uses
    from diskenc_analysis.exports import load as load
    from diskenc_analysis.exposure import exposure as exposure
    from diskenc_analysis.findings import findings as findings
    from diskenc_analysis.inventory import Inventory as Inventory
    from diskenc_analysis.keyrules import key_checks as key_checks
    from diskenc_analysis.live import collect as collect
    from diskenc_analysis.matrix import matrix as matrix
    from diskenc_analysis.matrix import matrix_diff as matrix_diff
    from diskenc_analysis.migration import ade_migration as ade_migration
    from diskenc_analysis.opening import read as read
    from diskenc_analysis.option_list import requirements as requirements
    from diskenc_analysis.option_moves import disks_to_change as disks_to_change
    from diskenc_analysis.options import options as options
    from diskenc_analysis.ownership import key_ownership as key_ownership
    from diskenc_analysis.policies import disk_policies as disk_policies
    from diskenc_analysis.progress import ade_progress as ade_progress
    from diskenc_analysis.runbook import runbook as runbook
    from diskenc_analysis.share import sample_path as sample_path
    from diskenc_analysis.summary import summarize as summarize
    from diskenc_analysis.summary import tally as tally
    from diskenc_analysis.waves import Effort as Effort
    from diskenc_analysis.waves import waves as waves
    from diskenc_analysis.what_if import what_if as what_if
    from diskenc_analysis.written import write as write

__version__ = "0.1.0"

_MODULES = ("charts", "tables", "report")
_NAMES = {
    "load": "exports",
    "read": "opening",
    "collect": "live",
    "Inventory": "inventory",
    "browse": "browse",
    "coverage": "coverage",
    "compare": "drift",
    "glance": "covered",
    "defender": "defender",
    "disk_policies": "policies",
    "exposure": "exposure",
    "findings": "findings",
    "exception_uses": "exceptionuse",
    "key_ownership": "ownership",
    "custody": "custody",
    "copied_keys": "copies",
    "key_checks": "keyrules",
    "blast_radius": "blast",
    "single_points": "blast",
    "summarize": "summary",
    "tally": "summary",
    "matrix": "matrix",
    "matrix_diff": "matrix",
    "options": "options",
    "requirements": "option_list",
    "disks_to_change": "option_moves",
    "ade_migration": "migration",
    "ade_progress": "progress",
    "waves": "waves",
    "Effort": "waves",
    "runbook": "runbook",
    "what_if": "what_if",
    "write": "written",
    "sample_path": "share",
}
__all__ = [*_NAMES, *_MODULES]  # noqa: PLE0604  (names are resolved by __getattr__)


class _Package(ModuleType):
    """Keeps `matrix` and `coverage` the functions, when the modules of that name are imported."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _NAMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    if name in _NAMES:
        value = getattr(import_module(f"{__name__}.{_NAMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


sys.modules[__name__].__class__ = _Package
