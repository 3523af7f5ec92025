"""The stays, labels and series of the public MIMIC-III benchmark, and the same rules on invented patients."""

import csv
import os
from collections import Counter
from pathlib import Path

import pytest
from benchmark_series import UNEXPLAINED, compare
from invented_events import at, event, lab, patient, table

from clinragen.clinical.diagnoses import diagnoses
from clinragen.clinical.icd import grouping
from clinragen.cohort.shard import stays_of
from clinragen.recipe import Cohort, Recipe
from clinragen.recipe_file import read_recipe
from clinragen.schema import SPLITS, Stay
from clinragen.steps import STEPS, run_folder, run_step
from clinragen.store import read_json, read_stays

SHARED = Path(os.environ.get("CLINRAGEN_SHARED", Path(__file__).parents[3] / "shared"))
GOLD, RAW = SHARED / "gold" / "mimic3-demo", SHARED / "data" / "mimic3-demo"
RECIPE = Path(__file__).parents[2] / "recipes" / "mimic3-benchmark.toml"
needs_gold = pytest.mark.skipif(not (GOLD.exists() and RAW.exists()), reason="the open demo is not there")


def rows_of(name: str) -> list[dict[str, str]]:
    with (GOLD / name).open() as lines:
        return list(csv.DictReader(lines))


# ---- against what the benchmark itself made of the open demo


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory: pytest.TempPathFactory) -> tuple[Recipe, list[Stay]]:
    runs = tmp_path_factory.mktemp("runs")
    recipe = read_recipe(
        RECIPE, [f'runs="{runs}"', f'source.path="{RAW}"', "source.shards=2", "engine.workers=1"]
    )
    for step in STEPS[:2]:
        run_step(step, recipe, lambda *_: None)
    stays = [stay for split in SPLITS for stay in read_stays(run_folder(recipe) / "cohort" / "stays", split)]
    return recipe, stays


@needs_gold
def test_the_stays_are_those_of_the_benchmark(benchmark: tuple[Recipe, list[Stay]]) -> None:
    wanted = {row["ICUSTAY_ID"] for row in rows_of("stays.csv") if row["IN_PHENOTYPING"] == "1"}
    assert {stay.stay_id for stay in benchmark[1]} == wanted


@needs_gold
def test_the_labels_are_those_of_the_benchmark(benchmark: tuple[Recipe, list[Stay]]) -> None:
    titles = {row.name: row.title for row in diagnoses()}
    wanted = {
        row["ICUSTAY_ID"]: {title for title, told in row.items() if told == "1"}
        for row in rows_of("phenotypes.csv")
    }
    found = {stay.stay_id: {titles[name] for name in stay.diagnoses or ()} for stay in benchmark[1]}
    assert found == wanted


@needs_gold
def test_every_rule_leaves_as_many_stays_as_the_benchmarks(benchmark: tuple[Recipe, list[Stay]]) -> None:
    left = [int(row["stays_after"]) for row in rows_of("exclusions.csv")]
    selection = read_json(run_folder(benchmark[0]) / "cohort" / "selection.json")
    assert [row["after"] for row in selection[:3]] == left[:3]
    assert selection[-1]["after"] == left[-1]


@needs_gold
def test_every_cell_of_the_series_is_the_same_or_differs_for_a_known_cause(
    benchmark: tuple[Recipe, list[Stay]],
) -> None:
    """The counts stand in docs/mimic3-benchmark.md."""
    compared = compare(benchmark[1], GOLD, RAW)
    assert compared.causes[UNEXPLAINED] == 0
    assert compared.same == 34470
    assert compared.causes == Counter(
        {
            "item the benchmark misses": 223,
            "breaths of the patient alone taken for all": 162,
            "saturation of a blood sample taken for the pulse oximeter's": 103,
            "urine taken for blood": 44,
            "impossible value": 33,
            "largest as text, not as number": 31,
            "row marked as error": 22,
            "blood gas that is not arterial": 11,
        }
    )


@needs_gold
def test_the_groups_of_all_codes_are_those_of_the_benchmark() -> None:
    rows = rows_of("icd9_to_phenotype.csv")
    found = {row["ICD9_CODE"]: grouping("icd9", row["ICD9_CODE"]) for row in rows}
    assert len(rows) == 15072
    assert all(found[row["ICD9_CODE"]].ccs == int(row["CCS_ID"]) for row in rows)
    assert {kind.origin for kind in found.values()} == {"listed"}
    used = {row["GROUP"] for row in rows if row["USE_IN_BENCHMARK"] == "1"}
    assert used == {row.title for row in diagnoses()}


# ---- the same rules, one by one, on invented patients


def kept(*events: object, **keys: object) -> list[str]:
    """The stays that are left."""
    stays, _ = stays_of(table(*events), Cohort.model_validate(keys), "synthetic")
    return [stay.stay_id for stay in stays]


def second_stay(first: str | None, last: str | None, admission: str = "a1") -> list[dict[str, object]]:
    ids = {"hadm_id": admission, "stay_id": "s2"}
    return [
        event("ICU_ADMISSION", 130, text_value=first, **ids),
        event("ICU_DISCHARGE", 150, text_value=last, **ids),
    ]


@pytest.mark.parametrize(
    ("first", "last", "is_kept"),
    [("MICU, 52", "MICU, 52", True), ("MICU, 52", "MICU, 33", False), (None, None, False)],
)
def test_a_stay_that_changes_its_ward_is_left_out_and_so_is_one_whose_ward_is_unknown(
    first: str | None, last: str | None, is_kept: bool
) -> None:
    stays = kept(patient(place="MICU, 52"), second_stay(first, last), rules=["same_place"])
    assert stays == (["s1", "s2"] if is_kept else ["s1"])


def test_stays_of_an_admission_are_counted_after_those_with_a_transfer_are_gone() -> None:
    """Two stays, one with a transfer: both go if they are counted first, one stays if transfers go first."""
    events = [patient(place="MICU, 52"), second_stay("MICU, 52", "CCU, 7")]
    assert kept(*events, rules=["one_stay"]) == []
    assert kept(*events, rules=["same_place", "one_stay"]) == ["s1"]


def test_an_admission_that_is_not_on_record_is_left_out() -> None:
    unknown = [row for row in patient(2, stay="s9", admission="a9") if "HOSPITAL" not in row["code"]]
    assert kept(patient(), unknown) == ["s1", "s9"]
    assert kept(patient(), unknown, rules=["on_record"]) == ["s1"]


def test_an_admission_that_ends_before_it_begins_is_kept_where_the_benchmark_keeps_it() -> None:
    reversed_ = [
        {**row, "time": at(-20)} if row["code"] == "HOSPITAL_DISCHARGE" else row
        for row in patient(2, stay="s9", admission="a9")
    ]
    assert kept(patient(), reversed_) == ["s1"]
    assert kept(patient(), reversed_, keep_impossible_admissions=True) == ["s1", "s9"]


def test_years_of_365_days_make_a_patient_older() -> None:
    """Born 17.99 years of 365.25 days ago: 18.002 years of 365 days."""
    events = [patient(), patient(2, stay="s9", admission="a9", age=17.99)]
    assert kept(*events) == ["s1"]
    assert kept(*events, days_a_year=365) == ["s1", "s9"]


def test_a_stay_with_nothing_charted_is_left_out_even_if_all_that_was_charted_is_impossible() -> None:
    charted = event("VITAL//heart rate//bpm", 1, numeric_value=0.0, unit="bpm", hadm_id="a1", stay_id="s1")
    silent = patient(2, stay="s9", admission="a9")
    creatinine = lab(1, 1.0, subject=2, hadm_id="a9")
    assert kept(patient(), charted, silent, creatinine, rules=["charted"]) == ["s1"]


def test_codes_without_a_title_are_lost_where_the_benchmark_loses_them() -> None:
    titled = event("ICD9//5849", 168, hadm_id="a1", text_value="Acute kidney failure")
    untitled = event("ICD9//99592", 168, hadm_id="a1")
    events = table(patient(codes=()), titled, untitled)
    (clean,), _ = stays_of(events, Cohort(), "synthetic")
    (lost,), _ = stays_of(events, Cohort(titled_codes_only=True), "synthetic")
    assert clean.diagnoses == {"acute kidney injury", "septicemia"}
    assert lost.diagnoses == {"acute kidney injury"}


def test_a_code_that_the_table_lacks_makes_labels_known_but_none_of_them_true() -> None:
    events = table(patient(codes=("ICD9//999999",)))
    assert stays_of(events, Cohort(), "synthetic")[0] == []
    (stay,), _ = stays_of(events, Cohort(listed_codes_only=True), "synthetic")
    assert stay.diagnoses == frozenset()


def test_the_whole_stay_is_seen_where_hours_outlast_it() -> None:
    (stay,), _ = stays_of(table(patient(days=5)), Cohort(hours=8760), "synthetic")
    assert stay.prediction_time == at(120)


def test_labels_are_counted_by_the_system_a_stay_was_coded_in() -> None:
    """Septic shock: two codes in ICD-9, one in ICD-10, which loses the sepsis."""
    events = table(
        patient(codes=("ICD9//99592", "ICD9//78552")),
        patient(2, stay="s2", admission="a2", codes=("ICD10//R6521",)),
        patient(3, stay="s3", admission="a3", codes=("ICD9//5849", "ICD10//A419")),
    )
    _, counted = stays_of(events, Cohort(), "synthetic")
    assert counted["eras"] == {"ICD-9": 1, "ICD-10": 1, "ICD-9 and ICD-10": 1}
    assert counted["labels of ICD-9"] == {"septicemia": 1, "shock": 1}
    assert counted["labels of ICD-10"] == {"shock": 1}
