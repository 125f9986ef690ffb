"""Wall of a report's notebooks against as many empty ones: `python -m benchmarks.notebooks --help`.

An empty notebook imports pandas and plotly, draws one figure and writes a number. It is run, checked and made
a page as the others are, beside the same inventory. Both kinds take turns; the least of the runs counts.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import nbformat
from nbformat import v4

from diskenc_analysis import params, report, runner
from diskenc_analysis.share import sample_path

PARAMETERS = 'inventory = ""\nas_of = ""\nfacts_out = ""\ndata_out = ""'
EMPTY = """\
import pandas as pd
import plotly.graph_objects as go
from diskenc_analysis.look import describe

with open(facts_out, "w") as facts:
    facts.write('{"answer": 42}')
describe(go.Figure(go.Bar(x=pd.Series(["a"]), y=[1], name="one")), "One figure", "One bar of one.")"""


def empty(names: Mapping[str, Any], folder: Path) -> None:
    """Write an empty notebook under each name."""
    given: dict[str, Any] = {"metadata": {"tags": ["parameters"]}}
    kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
    for name in names:
        cells = [
            v4.new_markdown_cell("# Empty"),
            v4.new_code_cell(PARAMETERS, **given),
            v4.new_code_cell(EMPTY),
        ]
        made = v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
        nbformat.write(made, folder / f"{name}.ipynb")


def timed(inventory: Path, out: Path, given: Mapping[str, Any]) -> tuple[float, float]:
    """Render the standard report; give wall and processor seconds, those of the kernels included."""
    wall, before = time.perf_counter(), os.times()
    made = report.render(inventory, out, params=given)
    if made.failures:
        raise SystemExit(f"not measured: {made.failures[0]}")
    after = os.times()
    return time.perf_counter() - wall, sum(after[:4]) - sum(before[:4])


def main() -> None:
    """Print the least wall and processor time of each kind, and their ratio."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.notebooks", description=__doc__)
    parser.add_argument("--inventory", type=Path, default=sample_path(), help="the sample by default")
    parser.add_argument("--engine", default="auto", help="what holds the rows of the notebooks")
    parser.add_argument("--runs", type=int, default=3, help="how often each kind is run")
    given = parser.parse_args()
    names = params.REPORTED
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "notebooks"
        folder.mkdir()
        empty(dict.fromkeys(names), folder)
        for number in range(given.runs):
            ours.append(timed(given.inventory, Path(scratch) / f"full{number}", {"engine": given.engine}))
            with (
                mock.patch.object(runner, "notebook_dir", return_value=folder),
                mock.patch.dict(params.NOTEBOOKS, dict.fromkeys(names, params.CoverageParams)),
            ):
                theirs.append(timed(given.inventory, Path(scratch) / f"empty{number}", {}))
    for kind, place in (("wall", 0), ("cpu", 1)):
        one, other = min(run[place] for run in ours), min(run[place] for run in theirs)
        print(f"{kind:4} {one:6.1f} s | {len(names)} empty notebooks {other:6.1f} s: {one / other:.2f} times")
    print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
