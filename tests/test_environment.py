"""pyproject.toml, constraints.txt, environment.yml, the Makefile and CONTRIBUTING.md tell one story."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CORE = [Requirement(text) for text in PROJECT["dependencies"]]
EXTRAS = {
    extra: [Requirement(text) for text in texts] for extra, texts in PROJECT["optional-dependencies"].items()
}
DIRECT = [*CORE, *(requirement for extra in EXTRAS.values() for requirement in extra)]
CONSTRAINTS = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
PINS = {
    canonicalize_name(name): Version(version)
    for name, _, version in (line.partition("==") for line in CONSTRAINTS if not line.startswith("#"))
}


@pytest.mark.parametrize("requirement", DIRECT, ids=str)
def test_every_direct_dependency_is_pinned_within_its_bound(requirement):
    assert str(requirement.specifier).startswith(">=")
    assert requirement.url is None
    assert requirement.specifier.contains(PINS[canonicalize_name(requirement.name)])


def test_the_pins_are_plain_sorted_and_each_there_once():
    lines = [line for line in CONSTRAINTS if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line) for line in lines)
    assert len(PINS) == len(lines)
    assert lines == sorted(lines, key=str.lower)
    assert "diskenc-analysis" not in PINS


@pytest.mark.parametrize("name", ["constraints.txt", "environment.yml", "pyproject.toml", "Makefile"])
def test_no_index_and_no_path_of_one_machine(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert not re.search(r"://|--index|--extra-index|--find-links|@ |(^|[\s'\"])/(home|root|tmp|opt)/", text)


def _conda() -> tuple[list[str], list[str]]:
    content = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert content["channels"] == ["conda-forge"]
    (pip,) = (entry["pip"] for entry in content["dependencies"] if isinstance(entry, dict))
    return [entry for entry in content["dependencies"] if isinstance(entry, str)], pip


def test_the_conda_environment_names_no_package_of_its_own():
    conda, pip = _conda()
    assert conda == [f"python{PROJECT['requires-python']}", "pip"]
    constraint, project = pip
    assert constraint == "-c constraints.txt"
    (extras,) = re.findall(r"^-e \.\[([a-z,]+)\]$", project)
    assert set(extras.split(",")) <= set(EXTRAS)


def test_the_makefile_installs_by_the_pins_and_by_known_extras():
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "-c constraints.txt" in text
    asked = {extra for extras in re.findall(r"-e '\.\[([a-z,]+)\]'", text) for extra in extras.split(",")}
    assert asked == set(EXTRAS)


def test_ci_runs_pythons_that_the_project_supports():
    text = (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    versions = yaml.safe_load(text)["jobs"]["test"]["strategy"]["matrix"]["python"]
    assert all(version in SpecifierSet(PROJECT["requires-python"]) for version in versions)
    assert {f"Programming Language :: Python :: {version}" for version in versions} <= set(
        PROJECT["classifiers"]
    )


@cache
def _imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            own = node.module == "diskenc_analysis"
            found.update(f"{node.module}.{alias.name}" for alias in node.names if own)
            found.add(node.module)
    return {name for name in found if name.split(".")[0] not in sys.stdlib_module_names}


# Every call reads the metadata of all that is installed.
_packages = cache(packages_distributions)


def _distributions(module: str) -> set[str]:
    top = module.partition(".")[0]
    known = {canonicalize_name(name) for name in _packages().get(top, [top])}
    # `azure` is a namespace that many distributions share, each named like its module.
    return {name for name in known if canonicalize_name(module).startswith(name)} or known


@pytest.mark.parametrize("path", sorted((ROOT / "diskenc_analysis").glob("*.py")), ids=lambda path: path.stem)
def test_a_module_imports_declared_dependencies_only(path):
    declared = {
        canonicalize_name(req.name) for req in (*CORE, *EXTRAS["polars"], *EXTRAS["spark"], *EXTRAS["lab"])
    }
    declared.add("diskenc-analysis")
    undeclared = [
        name
        for name in _imported(path)
        if name.split(".")[0] != "diskenc_analysis" and not _distributions(name) & declared
    ]
    assert undeclared == []


GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
MODULES = re.findall(r"^\| `(\w+)\.py` \|", GUIDE, flags=re.MULTILINE)


def test_the_guide_lists_every_module_once():
    there = {path.stem for path in (ROOT / "diskenc_analysis").glob("*.py")} - {"__init__", "__main__"}
    assert set(MODULES) == there
    assert len(MODULES) == len(there)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_modules_above_it(module):
    imported = {
        name.split(".")[1]
        for name in _imported(ROOT / "diskenc_analysis" / f"{module}.py")
        if name.startswith("diskenc_analysis.")
    }
    imported -= {"__version__"}
    assert imported <= set(MODULES[: MODULES.index(module)])


def test_the_guide_gives_a_reason_for_every_dependency():
    rows = re.findall(r"^\| ([\w, -]+?)(?: \(\w+\))? \| .* \|$", GUIDE, flags=re.MULTILINE)
    reasoned = {canonicalize_name(name) for row in rows for name in row.split(", ")}
    assert {canonicalize_name(requirement.name) for requirement in DIRECT} <= reasoned


def test_jupyterlab_takes_options_through_make():
    made = ["make", "--no-print-directory", "-n", "lab", "LAB=--allow-root"]
    done = subprocess.run(made, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == ".venv/bin/jupyter lab lab --allow-root"
