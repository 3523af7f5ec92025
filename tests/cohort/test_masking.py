"""What masking leaves out of a note, and that it is counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from invented_events import event, patient, table

from clinragen.cohort.leakage import named_labels
from clinragen.cohort.masking import label_mentions, mask_note
from clinragen.cohort.shard import stays_of
from clinragen.recipe import Cohort

NOTE = (
    "Chief complaint: fever\n"
    "Found confused. Started on antibiotics for pneumonia. No stroke on CT. Temp 38.9 today.\n"
    "Brief Hospital Course: Treated for septic shock.\nImproved.\n"
    "Medications: furosemide"
)


def test_none_leaves_the_note_as_it_is():
    assert mask_note(NOTE, "none") == (NOTE, 0)


def test_sections_leaves_out_the_hospital_course_and_nothing_else():
    masked, left_out = mask_note(NOTE, "sections")
    assert left_out == 1
    assert "septic shock" not in masked
    assert "Improved" not in masked
    assert "pneumonia" in masked
    assert masked.endswith("Medications: furosemide")


def test_mentions_leaves_out_each_sentence_that_names_a_label_in_whatever_status():
    masked, left_out = mask_note(NOTE, "mentions")
    assert left_out == 3
    assert masked == (
        "Chief complaint: fever\nFound confused. Temp 38.9 today.\nImproved.\nMedications: furosemide"
    )


def test_a_note_that_names_nothing_stays_as_it_is():
    assert mask_note("Cool extremities. Lasix given.", "mentions") == ("Cool extremities. Lasix given.", 0)


@pytest.mark.parametrize("note", ["", "pneumonia", "AKI.", "\n\n"])
def test_a_masked_note_names_no_label(note):
    assert named_labels(mask_note(note, "mentions")[0]) == frozenset()


@given(st.lists(st.sampled_from(["Has pneumonia.", "AKI", "Cough.", "\n", " ", "No sepsis", "x: y", "1.5"])))
def test_masking_mentions_leaves_no_mention(parts):
    assert label_mentions(mask_note(" ".join(parts), "mentions")[0]) == ()


def test_the_recipe_masks_the_note_of_a_stay_and_counts_it():
    events = table(patient(), event("NOTE//progress", 1, text_value="Oliguria. Likely AKI."))
    (stay,), tallies = stays_of(events, Cohort(mask="mentions"), "synthetic")
    assert stay.note == "Oliguria."
    assert tallies["masked parts"] == {"left out": 1}
    assert tallies["stays"]["with a masked note"] == 1
