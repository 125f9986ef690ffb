"""The pages that follow from the code are as it would write them, and links lead somewhere."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"


def _generator():
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PAGES = _generator().pages()


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_current(name):
    text = (DOCS / name).read_text(encoding="utf-8") if (DOCS / name).is_file() else ""
    assert text == PAGES[name], "run: python docs/generate.py"


def test_every_notebook_has_its_page_and_no_page_is_left_over():
    notebooks = {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert {path.stem for path in (DOCS / "notebooks").glob("*.md")} == notebooks


def test_every_column_and_parameter_is_explained():
    lines = [line for text in PAGES.values() for line in text.splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    assert len(lines) > 250
    assert [row for row in cells if not any(cell for cell in row[1:])] == []


@pytest.mark.parametrize("path", [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))], ids=lambda p: p.name)
def test_links_within_the_project_lead_somewhere(path):
    targets = re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8"))
    own = [target.partition("#") for target in targets if "://" not in target]
    assert [name for name, _, _ in own if name and not (path.parent / name).exists()] == []


@pytest.mark.parametrize("path", sorted(DOCS.glob("*.png")), ids=lambda p: p.name)
def test_pictures_are_small(path):
    assert path.stat().st_size < 150_000
