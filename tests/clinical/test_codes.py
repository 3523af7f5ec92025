"""Codes of the sources mean our variables, and only of blood."""

import os
from pathlib import Path

import polars as pl
import pytest

from clinragen.clinical.codes import codes_needing_a_range, mapped_codes, variable_of
from clinragen.clinical.variables import variables

DATA = Path(os.environ.get("CLINRAGEN_DATA", Path(__file__).parents[3] / "shared" / "data"))
SOURCES = ("mimic3", "mimic4", "eicu", "loinc")


@pytest.mark.parametrize(
    ("source", "code", "expected"),
    [
        ("mimic3", "LAB//50912//mg/dL", "creatinine"),
        ("mimic4", "LAB//50912//mg/dL", "creatinine"),
        ("mimic3", "LAB//51237//UNK", "INR"),
        ("mimic3", "CHART//211//BPM", "heart rate"),
        ("mimic3", "LAB//51082//mg/dL", None),  # creatinine of urine
        ("mimic3", "CHART//50912//mg/dL", None),
        ("eicu", "LAB//platelets x 1000//K/mcL", "platelets"),
        ("eicu", "VITAL//sao2//%", "SpO2"),
        ("eicu", "LAB//Respiratory Rate///min", None),  # a setting told beside a blood gas
        ("eicu", "VITAL//Respiratory Rate//breaths/min", "respiratory rate"),
        ("loinc", "LOINC//2160-0", "creatinine"),
        ("synthetic", "LAB//creatinine//mg/dL", "creatinine"),
        ("synthetic", "LAB//humour//mg/dL", None),
        ("synthetic", "ICU_ADMISSION", None),
        ("nowhere", "LAB//50912//mg/dL", None),
    ],
)
def test_the_variable_of_a_code(source, code, expected):
    assert variable_of(source, code) == expected


@pytest.mark.parametrize("source", SOURCES)
def test_codes_name_known_variables(source):
    assert set(mapped_codes(source).values()) <= set(variables())


def test_every_variable_has_a_code_in_every_source_but_two_in_eicu():
    missing = {source: set(variables()) - set(mapped_codes(source).values()) for source in SOURCES}
    assert missing == {"mimic3": set(), "mimic4": set(), "eicu": {"HbA1c", "weight"}, "loinc": set()}


def test_relatives_of_a_variable_are_not_judged_by_its_range():
    assert codes_needing_a_range("mimic3") == {"LAB//50963"}
    assert codes_needing_a_range("eicu") == frozenset()
    assert codes_needing_a_range("loinc") == {"LOINC//33762-6", "LOINC//67151-1", "LOINC//89579-7"}


def test_the_check_digits_of_loinc_codes_are_right():
    """The digit after the dash is Luhn's of those before it, which finds a slip; INR's is MIMIC's own."""
    for code in set(mapped_codes("loinc")) - {"LOINC//5895-7"}:
        number, check = code.removeprefix("LOINC//").split("-")
        doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(number))]
        assert sum(map(int, "".join(map(str, doubled)) + check)) % 10 == 0, code


@pytest.mark.skipif(not (DATA / "mimic3-demo").exists(), reason="open data are not there")
def test_laboratory_items_are_of_blood_and_charted_items_exist():
    labs = pl.read_csv(DATA / "mimic3-demo" / "D_LABITEMS.csv.gz", infer_schema=False)
    fluid = dict(labs.select("ITEMID", pl.col("FLUID").str.to_lowercase()).iter_rows())
    charted = pl.read_csv(DATA / "mimic3-demo" / "D_ITEMS.csv.gz", infer_schema=False)
    links = dict(charted.select("ITEMID", "LINKSTO").iter_rows())
    for code in mapped_codes("mimic3"):
        kind, item = code.split("//")
        assert fluid[item] == "blood" if kind == "LAB" else links[item] == "chartevents", code


@pytest.mark.skipif(not (DATA / "mimic3-demo").exists(), reason="open data are not there")
def test_the_loinc_codes_of_mimic_items_mean_the_same_variable():
    labs = pl.read_csv(DATA / "mimic3-demo" / "D_LABITEMS.csv.gz", infer_schema=False)
    known = {(item, loinc) for item, loinc in labs.select("ITEMID", "LOINC_CODE").drop_nulls().iter_rows()}
    compared = 0
    for item, loinc in known:
        ours, theirs = variable_of("mimic3", f"LAB//{item}"), variable_of("loinc", f"LOINC//{loinc}")
        if ours and theirs:
            assert ours == theirs, (item, loinc)
            compared += 1
    assert compared >= 26
