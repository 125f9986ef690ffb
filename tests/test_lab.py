from __future__ import annotations

import pytest

from diskenc_analysis.errors import ParameterError
from diskenc_analysis.lab import copy_notebooks
from diskenc_analysis.share import notebook_dir

NAMES = tuple(sorted(path.name for path in notebook_dir().glob("*.ipynb")))


def test_notebooks_are_copied_and_what_was_changed_is_kept(tmp_path):
    folder = tmp_path / "my lab"
    first = copy_notebooks(folder)
    assert (first.new, first.kept, first.same) == (NAMES, (), ())
    assert f"jupyter lab '{folder}'" in "\n".join(first.lines)
    changed = folder / "explore.ipynb"
    changed.write_text("mine", encoding="utf-8")
    (folder / "coverage.ipynb").unlink()
    again = copy_notebooks(folder)
    assert (again.new, again.kept) == (("coverage.ipynb",), ("explore.ipynb",))
    assert "explore.ipynb: kept as it is; --overwrite replaces it" in again.lines
    assert changed.read_text(encoding="utf-8") == "mine"


def test_what_was_changed_is_replaced_on_wish_only(tmp_path):
    copy_notebooks(tmp_path)
    (tmp_path / "explore.ipynb").write_text("mine", encoding="utf-8")
    made = copy_notebooks(tmp_path, overwrite=True)
    assert made.new == ("explore.ipynb",)
    source = notebook_dir() / "explore.ipynb"
    assert (tmp_path / "explore.ipynb").read_bytes() == source.read_bytes()


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    with pytest.raises(ParameterError, match="a file has that name"):
        copy_notebooks(tmp_path / "file")
