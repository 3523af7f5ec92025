"""Times and ids that cannot be believed: such a stay is left out by a rule that has a name and a count."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented_events import event, lab, patient, table

from clinragen.cohort.run import run
from clinragen.cohort.selection import IN_THE_RECORDS, all_rules
from clinragen.cohort.shard import stays_of
from clinragen.cohort.windows import shared_ids
from clinragen.recipe import Cohort, Recipe
from clinragen.store import read_json, read_stays

COHORT = Cohort()
ONE_ID = "with an id of one patient and one admission"
ORDER = "begins and ends in that order"
ADMISSION = "of an admission that does not end before it begins"
BIRTH = "not begun before the patient was born"


def dropped(*events: object, cohort: Cohort = COHORT) -> dict[str, int]:
    """How many stays each rule left out, of those that left out any."""
    _, tallies = stays_of(table(*events), cohort, "synthetic")
    left = tallies["selection"]
    before = left[IN_THE_RECORDS]
    lost = {}
    for rule in all_rules(cohort):
        lost[rule.name], before = before - left[rule.name], left[rule.name]
    return {name: count for name, count in lost.items() if count}


def with_mark(code: str, hours: float) -> list:
    """The invented patient, one of whose marks is charted at another time."""
    return [
        {**row, "time": event(code, hours)["time"]} if row["code"] == code else row for row in patient(days=5)
    ]


def test_a_possible_stay_meets_every_rule():
    assert dropped(patient()) == {}


@pytest.mark.parametrize(
    ("code", "hours", "rule"),
    [
        ("ICU_DISCHARGE", -3, ORDER),
        ("ICU_DISCHARGE", 0, ORDER),
        ("HOSPITAL_DISCHARGE", -13, ADMISSION),
        ("MEDS_BIRTH", 1, BIRTH),
    ],
)
def test_each_impossible_time_has_its_rule(code, hours, rule):
    assert dropped(with_mark(code, hours)) == {rule: 1}


def test_a_negative_hospital_stay_is_left_out_and_counted():
    assert dropped(with_mark("HOSPITAL_DISCHARGE", -13), cohort=Cohort(unit="hospital")) == {ORDER: 1}


def test_a_reversed_admission_is_seen_even_if_the_icu_stay_began_before_it():
    events = [*with_mark("HOSPITAL_DISCHARGE", 2), event("HOSPITAL_ADMISSION", 3, hadm_id="a1")]
    kept = [row for row in events if row["code"] != "HOSPITAL_ADMISSION" or row["time"].hour == 11]
    assert dropped(kept) == {ADMISSION: 1}


def test_an_unknown_time_is_not_impossible():
    unknown = {"HOSPITAL_DISCHARGE", "HOSPITAL_ADMISSION", "MEDS_BIRTH", "ICU_DISCHARGE"}
    coded = event("ICD9//5849", 10, hadm_id="a1", stay_id="s1")
    assert dropped([row for row in patient(codes=[]) if row["code"] not in unknown], coded) == {}


def test_one_id_of_two_patients_is_of_neither():
    both = [*patient(1, stay="s1", admission="a1"), *patient(2, stay="s1", admission="a2")]
    assert dropped(both, lab(1, 2.0)) == {ONE_ID: 2}


def test_one_id_of_two_admissions_is_of_neither():
    assert dropped(patient(), event("ICU_ADMISSION", 1, hadm_id="a9", stay_id="s1")) == {ONE_ID: 1}


def test_a_row_given_twice_is_one_stay():
    assert dropped(patient(), patient()) == {}
    once, twice = (stays_of(table(*rows), COHORT, "synthetic")[0] for rows in ([patient()], [patient()] * 2))
    assert once == twice


def test_an_id_of_two_patients_is_found_across_shards(tmp_path):
    data = tmp_path / "ingest" / "data"
    data.mkdir(parents=True)
    for shard in range(3):
        subjects = range(shard, 24, 3)
        events = [row for n in subjects for row in patient(n, stay=f"s{n}", admission=f"a{n}")]
        twin = patient(100 + shard, stay="twin", admission=f"b{shard}") if shard < 2 else []
        table(events, twin).write_parquet(data / f"shard-{shard:05}.parquet")
    assert shared_ids(sorted(data.glob("*")), "icu") == {"twin"}
    keys = {"name": "small", "engine": {"workers": 1}, "cohort": {"train": 0.5, "tuning": 0.25}}
    run(Recipe.model_validate(keys), tmp_path, lambda *_: None)
    first = read_json(tmp_path / "cohort" / "selection.json")[0]
    assert first == {"rule": ONE_ID, "before": 26, "after": 24}
    assert "twin" not in {stay.stay_id for stay in read_stays(tmp_path / "cohort" / "stays")}


moments = st.integers(-60, 60)


@settings(max_examples=40)
@given(moments, moments, moments, moments, moments)
def test_every_stay_is_kept_or_counted_and_what_is_kept_runs_forward(admitted, left, begins, ends, born):
    times = {
        "HOSPITAL_ADMISSION": admitted,
        "HOSPITAL_DISCHARGE": left,
        "ICU_ADMISSION": begins,
        "ICU_DISCHARGE": ends,
        "MEDS_BIRTH": born,
    }
    events = [
        {**row, "time": event("", times[row["code"]])["time"]} if row["code"] in times else row
        for row in patient()
    ]
    cohort = Cohort(min_age=0)
    stays, _ = stays_of(table(events), cohort, "synthetic")
    assert len(stays) + sum(dropped(events, cohort=cohort).values()) == 1
    is_possible = begins < ends and admitted <= left and born <= begins
    assert bool(stays) == is_possible
    assert all(stay.start < stay.prediction_time for stay in stays)
