import pytest

from recfactory.errors import UsageError, UserError
from recfactory.schema import PRESETS, Label, Split, preset
from recfactory.schema.presets import _forms

OPENML = [*preset("kdd12").format.columns, "url_hash", "split"]


@pytest.mark.parametrize(
    ("name", "dense", "categorical"),
    [("criteo", 13, 26), ("avazu", 0, 21), ("kdd12", 3, 8), ("movielens", 1, 8), ("frappe", 0, 10)],
)
def test_number_of_columns(name, dense, categorical):
    schema = preset(name)
    assert (len(schema.dense), len(schema.categorical)) == (dense, categorical)


@pytest.mark.parametrize("name", PRESETS)
def test_every_form_names_its_data_set(name):
    assert {form.name for form in _forms(name)} == {name}


def test_criteo_is_as_the_papers_have_it():
    schema = preset("criteo")
    assert schema.format.delimiter == "\t"
    assert not schema.format.header
    assert len(schema.format.columns) == 40
    assert {column.transform for column in schema.dense} == {"log"}
    assert {column.min_count for column in schema.categorical} == {10}


def test_avazu_uses_the_hour_as_a_timestamp_only():
    schema = preset("avazu")
    assert schema.timestamp == "hour"
    assert not {"id", "hour"} & set(schema.features)


def test_the_header_picks_the_form():
    assert preset("kdd12").format.header is False
    openml = preset("kdd12", OPENML)
    assert openml.format.header
    assert openml.split == Split("column", "split")
    assert preset("kdd12", ["0"] * 12) == preset("kdd12")
    assert preset("kdd12").label == openml.label == Label("click", "> 0")
    ratings = preset("movielens", ["userId", "movieId", "rating", "timestamp"])
    assert [column.name for column in ratings.categorical] == ["userId", "movieId"]


def test_a_header_that_fits_no_form():
    with pytest.raises(UserError, match="do not look like frappe: column 'city' is not in the first line"):
        preset("frappe", [column for column in preset("frappe").columns if column != "city"])


def test_an_unknown_name():
    with pytest.raises(UsageError, match="did you mean 'criteo'"):
        preset("cireto")
