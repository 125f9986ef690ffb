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
        "engine": "auto",
        "top": 25,
        "rows": 25,
        "facts_out": "",
        "data_out": "",
        "what_if_host": "off",
        "what_if_customer_key": False,
        "what_if_where": "",
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
        (
            {"engine": "dask"},
            "'engine'.*'auto', 'duckdb', 'arrow', 'pandas', 'polars' or 'spark'; got 'dask'",
        ),
    ],
)
def test_a_wrong_value_says_which_and_what_came(values, said):
    with pytest.raises(ParameterError, match=said):
        validate("coverage", values)


def test_a_date_that_yaml_read_as_one_is_taken():
    assert validate("coverage", {"as_of": dt.date(2026, 11, 24)}).as_of == "2026-11-24"
    assert validate("coverage", {"edition": dt.date(2023, 5, 15)}).edition == "2023-05-15"


def test_what_yaml_made_of_on_and_of_a_mapping_is_taken():
    given = {"what_if_host": True, "what_if_where": {"tag:team": ["a", "b"]}}
    params = validate("coverage", given)
    assert (params.what_if_host, params.what_if_where) == ("on", '{"tag:team": ["a", "b"]}')


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"what_if_where": {"name": 1}}, "'what_if_where'.*expected an object of columns and values"),
        ({"what_if_host": "yes"}, "'what_if_host'.*'on' or 'off'; got 'yes'"),
    ],
)
def test_a_what_if_that_is_none(values, said):
    with pytest.raises(ParameterError, match=said):
        validate("coverage", values)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"window_hours": 0}, "'window_hours'.*greater than 0; got 0"),
        ({"window_hours": True}, "'window_hours'.*expected a number; got True"),
        ({"mib_per_second": float("inf")}, "'mib_per_second'.*finite number"),
        ({"parallel": 0}, "'parallel'.*greater than or equal to 1; got 0"),
        ({"points": "soon"}, "'points'.*expected DATE=COUNT.*got 'soon'"),
        ({"first_window": "2027-02-30"}, "'first_window'.*2027-02-30"),
        ({"shell": "cmd"}, "'shell'.*'az' or 'powershell'; got 'cmd'"),
    ],
)
def test_a_wrong_value_of_the_migration(values, said):
    with pytest.raises(ParameterError, match=said):
        validate("ade_migration", values)


def test_values_go_to_the_notebooks_that_take_them():
    assert distribute(["coverage"], {"top": 3})["coverage"].top == 3
    with pytest.raises(UnknownNameError, match=r"none of the notebooks takes 'topp'. Did you mean \"top\"\?"):
        distribute(["coverage"], {"topp": 3})


def test_requirements_come_as_text_or_as_a_list():
    assert validate("choose_method", {"requires": ["caches", "hsm"]}).requires == "caches, hsm"
    assert validate("choose_method", {"requires": " end_to_end "}).requires == "end_to_end"
    with pytest.raises(UnknownNameError, match='Did you mean "temp_disk"'):
        validate("choose_method", {"requires": "temp_disc"})
    with pytest.raises(ParameterError, match="'requires'"):
        validate("choose_method", {"requires": ""})
