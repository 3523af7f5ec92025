"""What can be had from the names in a note alone, before masking and after."""

import numpy as np
import polars as pl
import pytest

from clinragen.clinical.diagnoses import diagnosis_names
from clinragen.cohort.leakage import PHASES, named_before_and_after, naming_table
from clinragen.cohort.masking import mask_note
from clinragen.evaluate.names_alone import PREFIXES, names_alone
from clinragen.store import write_table
from patients import stay

PNEUMONIA = diagnosis_names().index("pneumonia")
BEFORE, AFTER = PREFIXES.values()


def hospital(count: int, first: int, says: dict[bool, str]) -> list:
    """Every second stay has pneumonia; its note says the one thing, the others' notes the other."""
    return [
        stay(
            note=says[number % 2 == 0],
            diagnoses=["pneumonia"] if number % 2 == 0 else ["shock"],
            stay_id=f"s{number:03}",
            subject_id=number,
        )
        for number in range(first, first + count)
    ]


def answered(tmp_path, says: dict[bool, str], mask: str = "mentions"):
    parts = [hospital(24, first, says) for first in (0, 24, 48)]
    for number, part in enumerate(parts):
        named = {
            each.stay_id: named_before_and_after(each.note, mask_note(each.note, mask)[0]) for each in part
        }
        write_table(tmp_path / "cohort" / "named" / f"shard-{number:05}.parquet", naming_table(named))
    return names_alone(tmp_path, *parts)


def right(answers) -> float:
    return float((answers.predicted[:, PNEUMONIA] == answers.truth[:, PNEUMONIA]).mean())


def test_notes_that_name_the_answer_give_it_away_until_they_are_masked(tmp_path):
    found = answered(tmp_path, {True: "She has pneumonia.", False: "Weak."})
    assert right(found[BEFORE]) == 1.0
    # after masking nothing is named: every stay has the same chance, the share that is coded
    assert found[AFTER].probability[:, PNEUMONIA] == pytest.approx(0.5, abs=0.05)
    assert np.ptp(found[AFTER].probability, axis=0).max() == 0


def test_a_note_left_whole_gives_away_as_much_after_as_before(tmp_path):
    found = answered(tmp_path, {True: "She has pneumonia.", False: "Weak."}, mask="none")
    assert (found[BEFORE].probability == found[AFTER].probability).all()


def test_the_status_of_a_name_counts_and_not_the_name_alone(tmp_path):
    found = answered(tmp_path, {True: "She has pneumonia.", False: "No pneumonia."})
    assert right(found[BEFORE]) == 1.0


def test_what_a_note_says_besides_the_names_is_not_seen(tmp_path):
    found = answered(tmp_path, {True: "Coughing yellow sputum.", False: "Came for a planned visit."})
    assert np.ptp(found[BEFORE].probability, axis=0).max() == 0


def test_the_table_holds_names_and_counts_and_no_text():
    note = "AKI. Her AKI is worse. No pneumonia."
    table = naming_table({"s": named_before_and_after(note, "No pneumonia.")})
    assert table.select("phase", "label", "status", "mentions").rows() == [
        (PHASES[0], "acute kidney injury", "present", 2),
        (PHASES[0], "pneumonia", "negated", 1),
        (PHASES[1], "pneumonia", "negated", 1),
    ]
    assert naming_table({}).schema["mentions"] == pl.Int64
