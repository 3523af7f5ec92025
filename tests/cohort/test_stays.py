"""Events in, stays out: windows, selection, labels, measurements and notes of invented patients."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented_events import at, event, lab, patient, table

from clinragen.cohort.shard import stays_of
from clinragen.recipe import Cohort

COHORT = Cohort()


def one_stay(*events, cohort=COHORT):
    (stay,), _ = stays_of(table(*events), cohort, "synthetic")
    return stay


def test_a_stay_is_predicted_after_the_hours_of_the_recipe():
    stay = one_stay(patient(days=5))
    assert (stay.start, stay.prediction_time) == (at(0), at(48))


def test_a_stay_that_ends_earlier_is_predicted_at_its_discharge():
    assert one_stay(patient(days=1)).prediction_time == at(24)


def test_hospital_stays_begin_at_admission():
    stay = one_stay(patient(), cohort=Cohort(unit="hospital"))
    assert (stay.stay_id, stay.start) == ("a1", at(-12))


def test_two_icu_stays_of_one_admission_share_codes_and_not_measurements():
    ids = {"hadm_id": "a1", "stay_id": "s2"}
    second = [event("ICU_ADMISSION", 130, **ids), event("ICU_DISCHARGE", 150, **ids)]
    stays, _ = stays_of(table(patient(), second, lab(1, 2.0), lab(131, 3.0)), COHORT, "synthetic")
    assert [[row.value for row in stay.measurements] for stay in stays] == [[2.0], [3.0]]
    assert stays[0].diagnoses == stays[1].diagnoses == {"acute kidney injury"}


# ---- what is on record


def test_only_what_was_charted_from_the_start_to_the_prediction_time_enters():
    hours = (-0.1, 0, 24, 48, 48.1)
    assert [row.time for row in one_stay(patient(), [lab(h, 1.0) for h in hours]).measurements] == [
        at(0),
        at(24),
        at(48),
    ]


def test_a_row_of_another_stay_or_admission_never_enters():
    stay = one_stay(
        patient(), lab(1, 1.0, stay_id="s9"), lab(2, 1.0, hadm_id="a9"), lab(3, 4.0, hadm_id="a1")
    )
    assert [row.value for row in stay.measurements] == [4.0]


def test_a_stored_float_reads_as_the_number_that_was_charted():
    # 4.1 as a 32-bit float is 4.099999904632568
    assert one_stay(patient(), lab(1, 4.1)).measurements[0].value == 4.1


def test_a_value_carries_the_laboratorys_own_range_where_the_row_has_one():
    own, told = one_stay(patient(), lab(1, 1.0, low=0.6, high=1.1), lab(2, 1.0)).measurements
    assert (own.low, own.high) == (0.6, 1.1)
    assert (told.low, told.high) == (0.5, 1.2)


def test_a_one_sided_own_range_stays_one_sided():
    (row,) = one_stay(patient(), lab(1, 1.0, high=1.1)).measurements
    assert (row.low, row.high) == (None, 1.1)


def test_a_reversed_own_range_is_not_used_and_counted():
    rows = [lab(1, 1.0, low=1.1, high=0.6), lab(2, 1.0, low=0.6, high=1.1), lab(3, 1.0)]
    (stay,), tallies = stays_of(table(patient(), rows), COHORT, "synthetic")
    assert (stay.measurements[0].low, stay.measurements[0].high) == (0.5, 1.2)
    assert sorted(tallies["ranges"].values()) == [1, 1, 1]


def test_a_relative_of_a_variable_counts_only_with_a_range_of_its_own():
    # NT-proBNP (MIMIC item 50963) is not BNP; the range of BNP must not judge it
    rows = [lab(1, 900, "50963", "pg/mL"), lab(2, 900, "50963", "pg/mL", high=450.0)]
    (stay,), tallies = stays_of(table(patient(), rows), COHORT, "mimic3")
    assert [row.high for row in stay.measurements] == [450.0]
    assert tallies["rows"]["no range of its own where one is needed"] == 1


def test_the_tables_range_follows_the_sex():
    female = one_stay(patient(), lab(1, 12.5, "hemoglobin", "g/dL")).measurements[0]
    events = table(patient(), lab(1, 12.5, "hemoglobin", "g/dL"))
    male = one_stay(events.with_columns(pl.col("code").str.replace("//F", "//M")).to_dicts()).measurements[0]
    assert (female.low, female.high) == (12.0, 16.0)
    assert (male.low, male.high) == (13.5, 17.5)


def test_celsius_and_its_range_become_fahrenheit():
    # 38 degC * 1.8 + 32 = 100.4 degF; 36 -> 96.8; 37.5 -> 99.5
    row = event("VITAL//temperature//degC", 1, subject=1, numeric_value=38, unit="degC", low=36.0, high=37.5)
    (found,) = one_stay(patient(), row).measurements
    assert (found.value, found.unit, found.low, found.high) == (100.4, "degF", 96.8, 99.5)


def test_what_cannot_be_used_is_left_out_and_counted_by_reason():
    rows = [
        lab(1, 1.0),
        lab(1, 1.5),
        lab(2, 900.0),
        lab(3, None),
        lab(4, 1.0, unit="furlongs"),
        lab(5, 1.0, "humour"),
    ]
    (stay,), tallies = stays_of(table(patient(), rows), COHORT, "synthetic")
    assert [row.value for row in stay.measurements] == [1.5]
    assert tallies["rows"] == {
        "kept": 1,
        "another value of the same moment": 1,
        "implausible value": 1,
        "no number": 1,
        "no range of its own where one is needed": 0,
        "unknown unit": 1,
        "unmapped code": 1,
    }
    assert tallies["implausible values"] == {"creatinine": 1}
    assert tallies["unknown units"] == {"creatinine [furlongs]": 1}
    assert tallies["unmapped codes"] == {"LAB//humour//mg/dL": 1}


def test_a_stay_without_measurements_has_none_and_is_kept():
    assert one_stay(patient()).measurements == ()


# ---- labels


def test_codes_are_the_label_whenever_they_were_written():
    assert one_stay(patient(codes=["ICD9//5849", "ICD10//A419"])).diagnoses == {
        "acute kidney injury",
        "septicemia",
    }


def test_a_stay_coded_with_other_diseases_has_the_empty_set():
    assert one_stay(patient(codes=["ICD9//5990"])).diagnoses == frozenset()


@pytest.mark.parametrize("codes", [[], ["ICD10//U999"]])
def test_a_stay_without_a_known_code_is_dropped_and_counted(codes):
    stays, tallies = stays_of(table(patient(codes=codes)), COHORT, "synthetic")
    assert stays == []
    assert tallies["selection"]["coded with at least one known ICD code"] == 0


def test_a_code_of_one_stay_is_not_the_label_of_another():
    ids = {"hadm_id": "a1", "stay_id": "s2"}
    second = [event("ICU_ADMISSION", 130, **ids), event("ICU_DISCHARGE", 150, **ids)]
    rows = [event("ICD9//5849", 1, stay_id="s1"), event("ICD9//0389", 131, stay_id="s2")]
    stays, _ = stays_of(table(patient(codes=[]), second, rows), COHORT, "synthetic")
    assert [stay.diagnoses for stay in stays] == [{"acute kidney injury"}, {"septicemia"}]


# ---- age and sex


def test_a_child_is_dropped():
    stays, tallies = stays_of(table(patient(age=12)), COHORT, "synthetic")
    assert stays == []
    assert tallies["selection"]["predicted after it begins"] == 1
    assert tallies["selection"]["at least 18 years old, or of unknown age"] == 0


def test_an_unknown_age_is_kept_and_counted():
    (stay,), tallies = stays_of(table(patient(age=None)), COHORT, "synthetic")
    assert stay.age is None
    assert tallies["stays"]["of unknown age"] == 1


def test_an_age_of_three_hundred_years_is_ninety():
    assert one_stay(patient(age=250)).age == 90


def test_a_charted_age_counts_where_no_birth_is_known():
    assert one_stay(patient(age=None), event("AGE", stay_id="s1", numeric_value=71)).age == 71


def test_contradicting_sexes_are_unknown():
    assert one_stay(patient(), event("GENDER//M")).sex is None
    assert one_stay(patient()).sex == "female"


def test_too_few_measurements_drop_a_stay():
    stays, _ = stays_of(table(patient(), lab(1, 1.0)), Cohort(min_measurements=2), "synthetic")
    assert stays == []


# ---- notes


def test_notes_of_the_admission_up_to_the_prediction_time_are_read_in_their_order():
    texts = [(-13, "Other clinic."), (30, "Second note."), (-2, "First note."), (49, "Too late.")]
    rows = [event("NOTE//progress", h, text_value=text) for h, text in texts]
    assert one_stay(patient(), rows).note == "First note.\n\nSecond note."


def test_ticked_menu_entries_become_one_sentence():
    rows = [event("NOTE//progress", h, text_value=text) for h, text in [(1, "intubated"), (2, "sedated")]]
    assert one_stay(patient(), rows).note == "intubated; sedated."


def test_a_stay_without_a_note_gets_one_from_charted_facts_marked_as_composed():
    rows = [
        event("DRUG//Furosemide", 3),
        event("REASON//admission", 0, text_value="shortness of breath"),
        event("HISTORY//gout", 1),
        event("DRUG//Heparin", 2),
        event("DRUG//Heparin", 4),
        event("PROCEDURE//arterial line", 50),
    ]
    stay = one_stay(patient(), rows)
    assert stay.note == "Admitted for shortness of breath. History: gout. Drugs so far: Heparin; Furosemide."
    assert stay.note_is_composed


def test_no_note_is_composed_unless_the_recipe_says_so():
    stay = one_stay(patient(), event("DRUG//Heparin", 2), cohort=Cohort(compose_notes=False))
    assert (stay.note, stay.note_is_composed) == ("", False)


# ---- what holds for any events

hours = st.floats(-20, 130, allow_nan=False).map(lambda h: round(h, 2))
rows = st.lists(
    st.one_of(
        st.builds(lab, hours, st.integers(1, 9), st.sampled_from(["creatinine", "BUN"])),
        st.builds(lambda h, t: event("NOTE//x", h, text_value=t), hours, st.text("ab. ", max_size=5)),
        st.builds(lambda h, d: event(f"DRUG//{d}", h), hours, st.sampled_from("xyz")),
    ),
    max_size=15,
)


@settings(max_examples=40)
@given(rows, rows)
def test_nothing_charted_after_the_prediction_time_changes_a_stay(some, more):
    late = [row for row in more if row["time"] > at(48)]
    assert one_stay(patient(), some) == one_stay(patient(), some, late)


@settings(max_examples=40)
@given(rows, st.randoms(use_true_random=False))
def test_the_order_of_events_does_not_matter(some, random):
    events = [*patient(), *patient(2, stay="s2", admission="a2"), *some]
    shuffled = list(events)
    random.shuffle(shuffled)
    assert stays_of(table(events), COHORT, "synthetic") == stays_of(table(shuffled), COHORT, "synthetic")
