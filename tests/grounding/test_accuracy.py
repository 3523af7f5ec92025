from dataclasses import replace

import pytest

from clinragen.grounding.accuracy import FILES, Judged, Label, LabelledCase, judged, labelled_cases
from clinragen.grounding.claims import check
from patients import measured, stay

TEXT = "Creatinine is rising. The lactate was 2.0."
CASE = LabelledCase(
    stay(measured("creatinine", 1.5, 2.0, 3.0)),
    TEXT,
    (Label(0, 20, "series", "supported", "trend"), Label(22, 41, "series", "contradicted", "value")),
)


def test_a_label_gets_the_verdict_of_the_claim_that_covers_it() -> None:
    found = judged(CASE)
    assert [said for _, said in found.verdicts] == ["supported", "unverifiable"]
    assert found.spurious == 0


def test_a_claim_without_a_label_is_spurious_and_a_label_without_a_claim_is_not_found() -> None:
    first_only = replace(CASE, labels=CASE.labels[:1])
    assert judged(first_only) == Judged(((CASE.labels[0], "supported"),), spurious=1)
    silent = replace(CASE, rationale=" " * len(TEXT))
    assert [said for _, said in judged(silent).verdicts] == [None, None]


@pytest.mark.parametrize("part", FILES)
def test_labels_lie_in_their_rationale_in_order_and_apart(part: str) -> None:
    for case in labelled_cases(part):  # type: ignore[arg-type]
        ends = [0, *(label.end for label in case.labels)]
        assert all(label.start >= end for label, end in zip(case.labels, ends, strict=False))
        assert ends[-1] <= len(case.rationale)


def test_sets_share_no_case() -> None:
    names = [case.stay.stay_id for part in FILES for case in labelled_cases(part)]
    assert len(names) == len(set(names))


def test_claims_of_every_labelled_case_lie_in_their_rationale() -> None:
    for case in labelled_cases("plain")[:10]:
        for claim in check(case.rationale, case.stay):
            assert case.rationale[claim.start : claim.end] == claim.text
