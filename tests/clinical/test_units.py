"""Units of the sources become the unit of the variable, by a table and never by a guess."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinragen.clinical.units import conversion, conversions, convert, plain_unit, plain_units
from clinragen.clinical.variables import variables
from clinragen.errors import UnknownTermError


@pytest.mark.parametrize(
    ("variable", "value", "unit", "expected"),
    [
        ("creatinine", 88.4, "umol/L", 1.0),  # 88.4 / 88.4
        ("creatinine", 88.4, "\u00b5mol/L", 1.0),
        ("glucose", 10.0, "mmol/L", 180.16),  # 10 * 18.016
        ("bilirubin", 17.1, "umol/L", 1.0),
        ("BUN", 3.57, "mmol/L", 10.0),  # 3.57 / 0.357
        ("hemoglobin", 120.0, "g/L", 12.0),
        ("calcium", 2.495, "mmol/L", 10.0),  # 2.495 / 0.2495
        ("pO2", 10.0, "kPa", 75.0062),
        ("temperature", 37.0, "Deg. C", 98.6),  # 37 * 1.8 + 32
        ("temperature", 98.6, "?F", 98.6),
        ("potassium", 4.0, "mEq/L", 4),
        ("sodium", 140.0, "MMOL/L", 140),
        ("WBC", 9.1, "10^9/L", 9.1),
        ("WBC", 9.1, "K/mcL", 9.1),
        ("platelets", 210.0, "10*3/uL", 210),
        ("ALT", 33.0, "Units/L", 33),
        ("HbA1c", 53.0, "mmol/mol", 7.0),  # 0.09148 * 53 + 2.152 = 7.0004
        ("INR", 1.4, None, 1.4),
        ("pH", 7.31, "", 7.31),
    ],
)
def test_a_value_in_the_unit_of_its_variable(variable, value, unit, expected):
    assert convert(variable, value, unit) == pytest.approx(expected, rel=1e-3)


def test_glucose_of_ten_millimoles_is_exactly_180_16():
    assert convert("glucose", 10.0, "mmol/L") == pytest.approx(180.16, abs=1e-9)


@pytest.mark.parametrize(
    ("variable", "unit"),
    [
        ("creatinine", "furlongs"),
        ("creatinine", None),
        ("troponin", "mg/dL"),
        ("sodium", "mg/dL"),
        ("SpO2", ""),
    ],
)
def test_an_unknown_unit_is_an_error_that_lists_the_known_ones(variable, unit):
    with pytest.raises(UnknownTermError, match=f"unknown unit {unit!r} of {variable}(.|\n)*expected"):
        convert(variable, 1.0, unit)


def test_an_unknown_variable_is_an_error():
    with pytest.raises(UnknownTermError, match="humour"):
        convert("humour", 1.0, "mg/dL")


@pytest.mark.parametrize("name", list(variables()))
def test_the_own_unit_of_every_variable_changes_nothing(name):
    line = conversion(name, variables()[name].unit)
    assert (line.scale, line.offset) == (1.0, 0.0)


def test_every_conversion_has_a_source_and_is_of_a_known_variable():
    table = conversions()
    assert set(table["variable"]) == set(variables())
    assert table.select("variable", "unit").is_unique().all()
    assert all(conversion(*pair).source for pair in table.select("variable", "unit").iter_rows())


def test_the_table_of_conversions_says_what_convert_does():
    for name, unit, scale, offset in conversions().iter_rows():
        assert convert(name, 3.0, unit) == 3.0 * scale + offset


@given(st.lists(st.one_of(st.none(), st.text("Kk/uUlL\u00b5\u03bc ^9()%\t", max_size=8)), max_size=6))
def test_a_column_of_units_is_spelled_like_each_unit(units):
    column = pl.DataFrame({"unit": units}, schema={"unit": pl.String}).select(plain_units(pl.col("unit")))
    assert column["unit"].to_list() == [plain_unit(unit) for unit in units]
