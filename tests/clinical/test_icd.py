"""ICD codes -> the 25 labels through AHRQ's CCS groups."""

import os
from collections import defaultdict
from pathlib import Path

import polars as pl
import pytest

from clinragen.clinical.diagnoses import diagnoses, diagnosis_names
from clinragen.clinical.icd import grouping, labels_of

DATA = Path(os.environ.get("CLINRAGEN_DATA", Path(__file__).parents[3] / "shared" / "data"))
DEMO, GOLD = DATA / "mimic3-demo", DATA.parent / "gold" / "mimic3-demo"

CODES = {
    "acute kidney injury": ("5849", "N179"),
    "stroke": ("43491", "I639"),
    "myocardial infarction": ("41071", "I214"),
    "dysrhythmia": ("42731", "I4891"),
    "chronic kidney disease": ("5859", "N189"),
    "COPD": ("496", "J449"),
    "procedural complication": ("99859", "T8140XA"),
    "conduction disorder": ("4260", "I442"),
    "heart failure": ("4280", "I509"),
    "coronary disease": ("41401", "I2510"),
    "complicated diabetes": ("25040", "E1121"),
    "uncomplicated diabetes": ("25000", "E119"),
    "dyslipidemia": ("2724", "E785"),
    "essential hypertension": ("4019", "I10"),
    "electrolyte disorder": ("2761", "E871"),
    "gastrointestinal bleeding": ("5789", "K922"),
    "complicated hypertension": ("40391", "I120"),
    "liver disease": ("5715", "K7460"),
    "lower airway disease": ("51889", "J849"),
    "upper airway disease": ("51919", "J3801"),
    "pleural disease": ("5119", "J90"),
    "pneumonia": ("486", "J189"),
    "respiratory failure": ("51881", "J9600"),
    "septicemia": ("0389", "A419"),
    "shock": ("78551", "R570"),
}


@pytest.mark.parametrize(
    ("system", "code", "label"),
    [
        ("icd9", "5849", "acute kidney injury"),
        ("icd9", "43491", "stroke"),
        ("icd9", "41071", "myocardial infarction"),
        ("icd9", "78552", "shock"),
        ("icd9", "4019", "essential hypertension"),
        ("icd9", "40391", "complicated hypertension"),
        ("icd10", "N179", "acute kidney injury"),
        ("icd10", "I639", "stroke"),
        ("icd10", "I214", "myocardial infarction"),
        ("icd10", "R6521", "shock"),
        ("icd10", "I10", "essential hypertension"),
        ("icd10", "I120", "complicated hypertension"),
    ],
)
def test_a_code_gives_its_label(system, code, label):
    assert labels_of([(system, code)]) == {label}


def test_labels_are_a_set_over_all_codes_of_a_stay():
    assert labels_of([("icd9", "5849"), ("icd9", "5845"), ("icd9", "0389")]) == {
        "acute kidney injury",
        "septicemia",
    }


def test_every_label_can_be_reached_from_both_code_systems():
    assert list(CODES) == list(diagnosis_names())
    for label, (icd9, icd10) in CODES.items():
        assert labels_of([("icd9", icd9)]) == labels_of([("icd10", icd10)]) == {label}


def test_a_code_of_another_group_is_known_and_gives_no_label():
    assert grouping("icd9", "5990").origin == "listed"
    assert labels_of([("icd9", "5990")]) == frozenset()


def test_an_unknown_code_is_told_apart_from_one_of_another_group():
    assert grouping("icd10", "U071").origin == "unknown"
    assert grouping("icd9", "99999").origin == "unknown"
    assert labels_of([("icd10", "U071")]) == frozenset()


def test_a_newer_icd10_code_inherits_what_its_category_agrees_on():
    # I21.B is newer than the table of 2019, where every I21 code is acute myocardial infarction
    assert grouping("icd10", "I21B").origin == "inherited"
    assert labels_of([("icd10", "I21B")]) == {"myocardial infarction"}


def test_a_heading_whose_codes_disagree_is_never_guessed():
    # R65.20 is septicemia, R65.21 is shock
    assert grouping("icd10", "R652").origin == "unknown"


def test_an_icd9_code_never_inherits_from_a_shorter_code():
    assert grouping("icd9", "5849").origin == "listed"
    assert grouping("icd9", "58499").origin == "unknown"


def test_dots_and_case_do_not_matter():
    assert labels_of([("icd10", "n17.9")]) == labels_of([("icd10", "N179")])


@pytest.mark.skipif(not (DEMO.exists() and GOLD.exists()), reason="the open MIMIC-III demo is not here")
def test_labels_agree_with_the_mimic3_benchmark_on_every_stay_of_the_demo():
    # the benchmark loses codes that D_ICD_DIAGNOSES does not list; without them every cell agrees
    dictionary = set(_read(DEMO / "D_ICD_DIAGNOSES.csv.gz")["ICD9_CODE"])
    codes = defaultdict(list)
    for admission, code in _read(DEMO / "DIAGNOSES_ICD.csv.gz").select("HADM_ID", "ICD9_CODE").iter_rows():
        if code in dictionary:
            codes[admission].append(("icd9", code))
    admission_of = dict(_read(GOLD / "stays.csv").select("ICUSTAY_ID", "HADM_ID").iter_rows())
    names = {label.title: label.name for label in diagnoses()}
    for row in _read(GOLD / "phenotypes.csv").iter_rows(named=True):
        stay = row.pop("ICUSTAY_ID")
        assert labels_of(codes[admission_of[stay]]) == {names[title] for title, v in row.items() if v == "1"}


def _read(path: Path) -> pl.DataFrame:
    return pl.read_csv(path, infer_schema=False)
