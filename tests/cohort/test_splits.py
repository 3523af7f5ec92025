"""Splits are by patient, by hash, and nobody moves when patients are added."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from invented_events import event, patient, table

from clinragen.cohort.shard import stays_of
from clinragen.cohort.splits import check_splits, split_of
from clinragen.errors import CohortError
from clinragen.recipe import Cohort

EXPECTED = ["train", "tuning", "tuning", "held_out", "train", "held_out", "train", "tuning"]


def test_shares_are_those_of_the_recipe():
    found = Counter(split_of(subject, 0.7, 0.1) for subject in range(10_000))
    # 10,000 patients: standard deviations of 46, 30 and 40
    assert abs(found["train"] - 7000) < 230
    assert abs(found["tuning"] - 1000) < 150
    assert abs(found["held_out"] - 2000) < 200


@given(st.integers(), st.integers(0, 99))
def test_a_patient_keeps_the_split_that_the_seed_gave(subject, seed):
    assert split_of(subject, 0.7, 0.1, seed) == split_of(subject, 0.7, 0.1, seed)


def test_the_split_is_the_same_on_every_machine():
    assert [split_of(subject, 0.5, 0.25) for subject in range(8)] == EXPECTED


def test_another_seed_gives_other_splits():
    splits = [[split_of(subject, 0.7, 0.1, seed) for subject in range(50)] for seed in (0, 1)]
    assert splits[0] != splits[1]


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=4, unique=True))
def test_splits_never_share_a_patient(subjects):
    events = []
    for subject in subjects:
        second = {"subject": subject, "hadm_id": f"a{subject}", "stay_id": f"{subject}-2"}
        events += patient(subject, stay=f"{subject}-1", admission=f"a{subject}")
        events += [event("ICU_ADMISSION", 130, **second), event("ICU_DISCHARGE", 140, **second)]
    stays, _ = stays_of(table(events), Cohort(), "synthetic")
    assert len(stays) == 2 * len(subjects)
    splits = {stay.subject_id: {s.split for s in stays if s.subject_id == stay.subject_id} for stay in stays}
    assert all(len(found) == 1 for found in splits.values())


def test_an_empty_split_is_an_error_that_says_what_to_do():
    with pytest.raises(CohortError, match="no stay in tuning") as told:
        check_splits({"train": 3, "held_out": 1})
    assert "cohort.tuning" in str(told.value)
