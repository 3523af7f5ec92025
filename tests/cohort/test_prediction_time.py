"""When a stay is predicted, and that nothing charted later can enter it, in any mode and under any mask."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented_events import at, event, lab, patient, table
from pydantic import ValidationError

from clinragen.case import case_of
from clinragen.clinical.grid import grid
from clinragen.clinical.variables import variables
from clinragen.cohort.shard import stays_of
from clinragen.recipe import Cohort
from clinragen.schema import Stay

# The invented stay: admitted at -12 h, in the ICU from 0 to 120 h, out of hospital at 168 h.
MODES = {
    "hours after ICU entry": ({"hours": 24}, at(24)),
    "hours after admission": ({"hours": 24, "anchor": "admission"}, at(12)),
    "hours into a hospital stay": ({"hours": 48, "unit": "hospital"}, at(36)),
    "hours before leaving the ICU": (
        {"prediction": "before_discharge", "hours": 24, "series_hours": 96},
        at(96),
    ),
    "at leaving the ICU": ({"prediction": "at_discharge", "series_hours": 120}, at(120)),
    "at leaving the hospital": (
        {"prediction": "at_discharge", "series_hours": 180, "unit": "hospital"},
        at(168),
    ),
}
MASKS = ("none", "sections", "mentions")
each_mode = pytest.mark.parametrize(("keys", "moment"), MODES.values(), ids=list(MODES))


def stay_of(*events: object, **keys: object) -> Stay:
    """The first stay, whatever others the patient has."""
    cohort = Cohort.model_validate(keys)
    found, _ = stays_of(table(*events), cohort, "synthetic")
    return next(stay for stay in found if stay.stay_id in ("s1", "a1"))


@each_mode
def test_a_stay_is_predicted_at_the_moment_its_mode_names(keys, moment):
    assert stay_of(patient(), **keys).prediction_time == moment


@each_mode
def test_what_is_charted_at_the_prediction_time_enters_and_a_microsecond_later_does_not(keys, moment):
    late = moment + timedelta(microseconds=1)
    rows = [{**lab(0, value), "time": time} for value, time in ((1.0, moment), (2.0, late))]
    texts = [event("NOTE//x", 0, text_value=text) for text in ("In time.", "Too late.")]
    notes = [{**row, "time": time} for row, time in zip(texts, (moment, late), strict=True)]
    stay = stay_of(patient(), rows, notes, **keys)
    assert ([row.value for row in stay.measurements], stay.note) == ([1.0], "In time.")


@pytest.mark.parametrize("days", [0.5, 0.99])
def test_a_stay_shorter_than_the_hours_before_its_discharge_is_left_out_and_counted(days):
    cohort = Cohort(prediction="before_discharge", hours=24, series_hours=48)
    stays, tallies = stays_of(table(patient(days=days)), cohort, "synthetic")
    assert stays == []
    assert tallies["selection"]["predicted after it begins"] == 0


def test_a_stay_without_a_known_discharge_has_no_time_before_it():
    events = [row for row in patient() if row["code"] != "ICU_DISCHARGE"]
    cohort = Cohort(prediction="at_discharge", series_hours=48)
    assert stays_of(table(events), cohort, "synthetic")[0] == []


def test_a_patient_who_came_to_the_icu_after_the_prediction_time_is_left_out():
    # admitted 12 hours before: predicted 6 hours before the ICU
    assert stays_of(table(patient()), Cohort(anchor="admission", hours=6), "synthetic")[0] == []


def test_the_grid_of_a_stay_predicted_by_its_discharge_must_be_told():
    with pytest.raises(ValidationError, match="needs series_hours"):
        Cohort(prediction="at_discharge")
    assert Cohort(prediction="at_discharge", series_hours=72).grid_hours == 72
    assert Cohort(hours=24).grid_hours == 24


def test_an_anchor_beside_a_discharge_is_an_error():
    with pytest.raises(ValidationError, match="leave it out"):
        Cohort(prediction="at_discharge", series_hours=72, anchor="admission")


# ---- nothing later enters

IDS = {"hadm_id": "a1", "stay_id": "s1"}
TEXTS = (
    "She has AKI.",
    "Brief Hospital Course: Septic shock.",
    "Weak",
    "Discharge Diagnosis:\npneumonia",
    "\n",
)
texts = st.sampled_from(TEXTS)
charted = st.one_of(
    st.builds(
        lambda value, name: lab(0, value, name), st.integers(1, 9), st.sampled_from(["creatinine", "BUN"])
    ),
    st.builds(lambda value: lab(0, value, **IDS), st.sampled_from([1.0, 900.0, None])),
    st.builds(lambda value: lab(0, value, "50963", "pg/mL", high=450.0), st.integers(1, 900)),
    st.builds(
        lambda kind, text: event(f"NOTE//{kind}", 0, text_value=text),
        st.sampled_from(["x", "nursing"]),
        texts,
    ),
    st.builds(lambda text: event("REASON//admission", 0, text_value=text), texts),
    st.builds(
        lambda kind, name: event(f"{kind}//{name}", 0, **IDS),
        st.sampled_from(["DRUG", "HISTORY", "EXAM", "PROCEDURE"]),
        st.sampled_from(["Heparin", "gout", "pneumonia"]),
    ),
    st.sampled_from([event("GENDER//M", 0), event("AGE", 0, numeric_value=77.0, **IDS)]),
    st.sampled_from(
        [event("ICU_ADMISSION", 0, hadm_id="a2", stay_id="s2"), event("HOSPITAL_ADMISSION", 0, hadm_id="a2")]
    ),
    st.sampled_from([event("NOTE//discharge summary", 0, text_value=TEXTS[1], hadm_id="a1")]),
)
gaps = st.one_of(st.just(1), st.integers(1, 3600 * 10**6), st.integers(1, 10**13))
late_rows = st.lists(st.tuples(charted, gaps), max_size=6)
early_rows = st.lists(
    st.tuples(charted, st.one_of(st.just(0), st.integers(0, 30 * 3600 * 10**6))), max_size=6
)


def moved(rows: list, moment: datetime, sign: int) -> list:
    return [{**row, "time": moment + timedelta(microseconds=sign * gap)} for row, gap in rows]


def seen(stay: Stay, keys: dict) -> bytes:
    """All a student may learn of a stay before it is told the answer: every field but label and split."""
    blind = replace(stay, diagnoses=None, split=None)
    series = grid(stay.measurements, stay.start, Cohort.model_validate(keys).grid_hours, tuple(variables()))
    return json.dumps(case_of(blind), default=str).encode() + repr(blind).encode() + series.values.tobytes()


def pairs_of_charts(
    keys: dict, moment: datetime, early: list, first: list, second: list
) -> tuple[Stay, Stay]:
    """Two charts that are the same up to the prediction time, and anything afterwards."""
    before = [*patient(age=None if len(early) % 2 else 60), *moved(early, moment, -1)]
    one, other = (stay_of(before, moved(late, moment, 1), **keys) for late in (first, second))
    return one, other


@each_mode
@settings(max_examples=25)
@given(
    early=early_rows, first=late_rows, second=late_rows, mask=st.sampled_from(MASKS), composes=st.booleans()
)
def test_whatever_is_charted_changed_or_deleted_later_the_stay_is_the_same_to_the_byte(
    keys, moment, early, first, second, mask, composes
):
    keys = {**keys, "mask": mask, "compose_notes": composes}
    one, other = pairs_of_charts(keys, moment, early, first, second)
    assert seen(one, keys) == seen(other, keys)


COURSE = event("NOTE//discharge summary", 0, text_value="Brief Hospital Course: Treated.", hadm_id="a1")


@each_mode
@settings(max_examples=10)
@given(early=early_rows, first=late_rows, second=late_rows, mask=st.sampled_from(MASKS))
def test_in_paper_mode_the_hospital_course_alone_is_of_later(keys, moment, early, first, second, mask):
    keys = {**keys, "mask": mask, "note": "hospital_course"}
    one, other = (
        stay_of(patient(), moved(early, moment, -1), moved([*late, (COURSE, 10**13)], moment, 1), **keys)
        for late in (first, second)
    )
    assert seen(replace(one, note=""), keys) == seen(replace(other, note=""), keys)


@pytest.mark.parametrize("hours", [None, 49, 500])
def test_a_discharge_after_the_prediction_time_may_move_or_be_missing(hours):
    marks = ("ICU_DISCHARGE", "HOSPITAL_DISCHARGE")
    kept = [row for row in patient(codes=[]) if row["code"] not in marks]
    ends = [] if hours is None else [event(mark, hours, **IDS) for mark in marks]
    coded = event("ICD9//5849", 30, **IDS)
    rows = [lab(1, 2.0), lab(50, 3.0), event("NOTE//x", 2, text_value="Weak.")]
    assert stay_of(kept, ends, coded, rows) == stay_of(patient(), rows)
