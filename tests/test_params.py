from __future__ import annotations

import datetime as dt

import pytest

from diskenc_analysis.errors import ParameterError, UnknownNameError
from diskenc_analysis.params import NOTEBOOKS, distribute, validate
from diskenc_analysis.share import notebook_dir


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_model_and_parameters_cell_agree(notebook):
    import papermill

    cell = papermill.inspect_notebook(str(notebook_dir() / f"{notebook}.ipynb"))
    fields = NOTEBOOKS[notebook].model_fields
    assert list(cell) == list(fields)
    for name, field in fields.items():
        assert cell[name]["default"] == repr(field.default).replace("'", '"')
        assert cell[name]["help"], f"{name} has no comment"


def test_every_notebook_has_a_model():
    assert {path.stem for path in notebook_dir().glob("*.ipynb")} == set(NOTEBOOKS)


def test_defaults():
    params = validate("coverage", {})
    assert params.model_dump() == {
        "inventory": "",
        "edition": "latest",
        "as_of": "",
        "engine": "duckdb",
        "top": 25,
        "rows": 25,
        "facts_out": "",
        "data_out": "",
    }


def test_an_unknown_parameter_is_named_with_its_near_miss():
    with pytest.raises(UnknownNameError, match=r"no parameter 'inventori'. Did you mean \"inventory\"\?"):
        validate("coverage", {"inventori": "x"})


def test_an_unknown_notebook():
    with pytest.raises(UnknownNameError, match='Did you mean "coverage"'):
        validate("coverge", {})


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"top": 0}, "'top'.*greater than or equal to 1; got 0"),
        ({"top": "many"}, "'top'.*valid integer.*got 'many'"),
        ({"as_of": "2026-13-01"}, "'as_of'.*2026-13-01"),
        ({"as_of": "yesterday"}, "'as_of'.*yesterday"),
        ({"inventory": 7}, "'inventory'.*valid string; got 7"),
        ({"top": True}, "'top'.*expected a whole number; got True"),
        ({"engine": "dask"}, "'engine'.*'duckdb', 'pandas', 'polars' or 'spark'; got 'dask'"),
    ],
)
def test_a_wrong_value_says_which_and_what_came(values, said):
    with pytest.raises(ParameterError, match=said):
        validate("coverage", values)


def test_a_date_that_yaml_read_as_one_is_taken():
    assert validate("coverage", {"as_of": dt.date(2026, 11, 24)}).as_of == "2026-11-24"
    assert validate("coverage", {"edition": dt.date(2023, 5, 15)}).edition == "2023-05-15"


def test_values_go_to_the_notebooks_that_take_them():
    assert distribute(["coverage"], {"top": 3})["coverage"].top == 3
    with pytest.raises(UnknownNameError, match=r"none of the notebooks takes 'topp'. Did you mean \"top\"\?"):
        distribute(["coverage"], {"topp": 3})
