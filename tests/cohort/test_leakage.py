"""The leakage audit counts how often the note names the coded answer."""

from invented_events import event, patient, table

from clinragen.cohort.leakage import audit, named_labels
from clinragen.cohort.shard import stays_of
from clinragen.recipe import Cohort


def audited(mask: str):
    # three stays; acute kidney injury is coded in 1 and 2; named in 1 and wrongly in 3
    events = [
        *patient(1, stay="s1", admission="a1"),
        *patient(2, stay="s2", admission="a2"),
        *patient(3, stay="s3", admission="a3", codes=["ICD9//5990"]),
        event("NOTE//x", 1, 1, text_value="Oliguria. She has AKI."),
        event("NOTE//x", 1, 2, text_value="Oliguria."),
        event("NOTE//x", 1, 3, text_value="She has AKI."),
    ]
    stays, tallies = stays_of(table(events), Cohort(mask=mask), "synthetic")
    return audit(tallies, len(stays), mask)


def test_shares_of_stays_whose_note_names_the_label():
    found = audited("none")["labels"]["acute kidney injury"]
    assert found["coded_stays"] == 2
    assert found["before masking"] == {"named_where_coded": 0.5, "named_where_not_coded": 1.0}
    assert found["after masking"] == found["before masking"]


def test_predicting_what_the_note_names():
    # named twice, once rightly; coded twice: precision 1/2, recall 1/2, F1 2*1 / (2 + 2)
    assert audited("none")["micro"]["before masking"] == {"precision": 0.5, "recall": 0.5, "f1": 0.5}


def test_after_masking_nothing_is_named_and_precision_is_unknown():
    found = audited("mentions")
    assert found["micro"]["after masking"] == {"precision": None, "recall": 0.0, "f1": 0.0}
    assert found["labels"]["acute kidney injury"]["before masking"]["named_where_coded"] == 0.5


def test_a_label_that_nobody_has_has_no_share():
    assert audited("none")["labels"]["stroke"]["before masking"]["named_where_coded"] is None


def test_a_negated_mention_does_not_count_as_named():
    assert named_labels("No pneumonia.") == frozenset()
    assert named_labels("She has pneumonia.") == {"pneumonia"}
