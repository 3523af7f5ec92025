"""eICU: minutes become times on invented dates, menus become words."""

import os
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingesting import coded, events_of, ingest
from raw_miniatures import write_eicu

from clinragen.ehr.eicu_stays import placed
from clinragen.ehr.menus import said

DATA = Path(os.environ.get("CLINRAGEN_DATA", Path(__file__).parents[3] / "shared" / "data"))
EXAM = "notes/Progress Notes/Physical Exam/Physical Exam/"


@pytest.fixture(scope="module")
def events(tmp_path_factory) -> pl.DataFrame:
    folder = tmp_path_factory.mktemp("eicu")
    ingest("eicu", write_eicu(folder / "raw"), folder)
    return events_of(folder)


def of_stay(events: pl.DataFrame, stay: str) -> pl.DataFrame:
    return events.filter(stay_id=stay)


# --- subjects, stays and times ------------------------------------------------------------------------


def test_the_hospital_stay_begins_on_an_invented_date_and_the_unit_stay_after_it(events):
    hospital = coded(events.filter(hadm_id="1"), "HOSPITAL_ADMISSION")
    assert [row["time"] for row in hospital] == [datetime(2100, 1, 1)]
    (begin,) = coded(of_stay(events, "11"), "ICU_ADMISSION")
    (end,) = coded(of_stay(events, "11"), "ICU_DISCHARGE")
    assert begin["time"] == datetime(2100, 1, 1, 1)  # hospitaladmitoffset is -60 minutes
    assert end["time"] == begin["time"] + timedelta(minutes=3000)


def test_two_unit_stays_of_one_hospital_stay_are_true_to_each_other(events):
    # 4380 - 60 = 4320 minutes apart: three days
    first, second = (coded(of_stay(events, stay), "ICU_ADMISSION")[0] for stay in ("11", "12"))
    assert second["time"] - first["time"] == timedelta(days=3)
    assert first["subject_id"] == second["subject_id"]
    discharges = coded(events.filter(hadm_id="1"), "HOSPITAL_DISCHARGE")
    assert [row["time"] for row in discharges] == [datetime(2100, 1, 1, 1) + timedelta(minutes=6000)]


def test_subjects_are_numbers_that_stay_the_same(events):
    # the first 15 hexadecimal digits of the SHA-256 of "001-7" and "001-8"
    assert set(events["subject_id"]) == {701832481878687221, 51142165127964454}


def test_hospital_stays_lie_two_years_apart_in_the_order_of_the_discharge_year():
    stays = {
        "patientunitstayid": ["1", "2", "3"],
        "patienthealthsystemstayid": ["90", "50", "70"],
        "uniquepid": ["p", "p", "q"],
        "hospitaldischargeyear": ["2014", "2015", "2015"],
        "hospitaladmitoffset": ["-10", "0", "5"],
    }
    began = dict(placed(pl.DataFrame(stays)).select("patientunitstayid", "origin").iter_rows())
    assert began == {
        "1": datetime(2100, 1, 1, 0, 10),
        "2": datetime(2102, 1, 1),
        "3": datetime(2099, 12, 31, 23, 55),  # the unit came before the admission to the hospital
    }


def test_an_age_over_89_counts_as_90_and_keeps_its_text(events):
    ages = {row["stay_id"]: (row["numeric_value"], row["text_value"]) for row in coded(events, "AGE")}
    assert ages == {"11": (71, None), "12": (71, None), "21": (90, "> 89")}


def test_rows_of_an_unknown_stay_are_quarantined(events):
    assert not coded(events, "LAB//BUN")


# --- measurements -------------------------------------------------------------------------------------


def test_a_result_is_in_the_unit_of_the_system_at_its_minute(events):
    (row,) = coded(events, "LAB//creatinine//mg/dL")
    assert row["time"] == datetime(2100, 1, 1, 1, 30)
    assert (row["unit"], row["stay_id"], row["hadm_id"]) == ("mg/dL", "11", "1")


def test_a_result_that_only_bounds_the_value_is_text_and_one_only_in_text_is_a_number(events):
    (troponin,) = coded(events, "LAB//troponin - I")
    assert (troponin["numeric_value"], troponin["text_value"]) == (None, "<0.02")
    (oxygen,) = coded(events, "LAB//paO2//mmHg")
    assert oxygen["numeric_value"] == 88


def test_an_empty_cell_of_a_monitor_is_no_measurement(events):
    assert len(coded(of_stay(events, "11"), "VITAL//noninvasive")) == 3
    assert [row["code"] for row in coded(of_stay(events, "12"), "VITAL//")] == [
        "VITAL//noninvasivemean//mmHg"
    ]


def test_what_nurses_chart_has_the_unit_of_its_name(events):
    charted = {row["code"] for row in coded(events, "VITAL//") if "noninvasive" not in row["code"]}
    assert charted == {"VITAL//Heart Rate//bpm", "VITAL//Temperature (C)//degC"}


# --- codes --------------------------------------------------------------------------------------------


def test_icd_9_and_icd_10_are_told_apart_by_their_form(events):
    codes = {
        stay: {row["code"] for row in coded(of_stay(events, stay), "ICD")} for stay in ("11", "12", "21")
    }
    assert codes == {
        "11": {"ICD9//5849", "ICD10//N179"},
        "12": {"ICD9//V6284", "ICD9//E9802", "ICD10//E875"},
        "21": set(),  # no code, and the code of a procedure
    }


# --- words --------------------------------------------------------------------------------------------


def test_a_drug_counts_once_ordered_and_started_and_a_cancelled_one_never(events):
    (row,) = coded(events, "DRUG//")
    assert (row["code"], row["time"]) == ("DRUG//FUROSEMIDE", datetime(2100, 1, 1, 1, 40))


def test_a_treatment_does_not_tell_what_it_is_for(events):
    names = {row["code"] for row in coded(events, "PROCEDURE//")}
    assert names == {"PROCEDURE//hemodialysis", "PROCEDURE//mechanical ventilation"}


def test_only_the_diagnosis_of_the_admission_form_is_a_reason(events):
    assert [row["text_value"] for row in coded(events, "REASON//")] == ["Sepsis, pulmonary"]


def test_history_and_examination_are_told_in_words(events):
    assert [row["code"] for row in coded(events, "HISTORY//")] == ["HISTORY//Pulmonary: asthma"]
    assert [row["code"] for row in coded(events, "EXAM//")] == ["EXAM//Pulses: normal"]


def test_the_entries_of_one_note_are_one_note(events):
    (row,) = coded(events, "NOTE//")
    assert row["code"] == "NOTE//admission"
    assert row["text_value"] == "Ethanol Use: none. Family History: CAD."


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (EXAM + "Cardiovascular/Auscultation/Heart Sounds/S2/S2 normal", "S2 normal", "S2 normal"),
        (EXAM + "Extremities/Edema/bilateral LE edema", "bilateral LE edema", "bilateral LE edema"),
        (EXAM + "Head and Neck/Eyes/Pupils/(symmetry)/equal", "equal", "Pupils: equal"),
        (EXAM + "Constitutional/Weight and I&O/Weight (kg)/Admission", "Admission", None),
        (EXAM + "Neurologic/GCS/Score/scored", "scored", None),
        ("notes/Progress Notes/Past History/Past History Obtain Options/Performed", "Performed", None),
        (
            "notes/Progress Notes/Past History/Past History Obtain Options/No Health Problems",
            "No Health Problems",
            "no health problems",
        ),
        (
            "notes/Progress Notes/Interventions/Major/Sepsis - evaluation and management",
            "Sepsis - evaluation and management",
            None,
        ),
    ],
)
def test_an_entry_is_said_with_the_menu_that_adds_to_it(path, value, expected):
    assert said(path, value) == expected


@given(
    st.lists(st.text("abc (R)", min_size=1, max_size=6), min_size=1, max_size=4), st.text("ab 1", max_size=5)
)
def test_what_is_said_always_ends_with_the_value(menus, value):
    words = said("/".join(["notes", *menus, value]), value)
    assert words is None or words.endswith(" ".join(value.split()))


@pytest.mark.skipif(not (DATA / "eicu-demo").exists(), reason="open data are not there")
def test_the_open_demo_is_read_whole(tmp_path):
    counts = ingest("eicu", DATA / "eicu-demo", tmp_path)
    assert (counts["subjects"], counts["stays"]) == (921, 1247)
    assert counts["quarantined"]["no code"] == 1843
    labs = events_of(tmp_path).filter(pl.col("code").str.starts_with("LAB//"))
    assert labs["stay_id"].n_unique() == 95
