import pytest

from clinragen.evaluate.answers import text_answers
from clinragen.evaluate.decodings import Decoded, best_grounded, decoding_scores, writings
from clinragen.evaluate.rationale import check_prediction
from clinragen.grounding.checker import Checker
from clinragen.recipe import Evaluate
from evaluate.invented_answers import plain_weights, written
from patients import measured, stay

STAYS = [
    stay(measured("lactate", 4.0, 5.0, 6.0), "HPI: mottled knees.", ["shock"], "a", 1),
    stay(measured("potassium", 4.0, 4.1), "HPI: well.", [], "b", 2),
]
TRUE = "Lactate is high."
WRONG = "Lactate is low."
NOT_MEASURED = "Lactate is high. Albumin is low."


def decoded(*series: str) -> Decoded:
    said = [written(["shock"], "", text, each.stay_id) for text, each in zip(series, STAYS, strict=True)]
    return Decoded(said, [check_prediction(p, s, Checker()) for p, s in zip(said, STAYS, strict=True)], 1)


@pytest.mark.parametrize("order", [(TRUE, WRONG, NOT_MEASURED), (WRONG, NOT_MEASURED, TRUE)])
def test_the_draft_that_the_chart_bears_out_best_is_kept(order: tuple[str, ...]) -> None:
    drafts = [decoded(text, "Potassium is normal.").predictions for text in order]
    best = best_grounded(drafts, STAYS, Checker())
    assert best.predictions[0].text.endswith(TRUE)
    assert best.texts == 3


def test_of_equals_the_first_is_kept_and_no_claim_is_no_credit() -> None:
    empty, true = decoded("", "").predictions, decoded(TRUE, "").predictions
    assert best_grounded([empty, true], STAYS, Checker()).predictions[0] == true[0]
    assert best_grounded([empty, true], STAYS, Checker()).predictions[1] == empty[1]


def test_scores_are_less_what_writing_freely_does() -> None:
    free, better = decoded(WRONG, "Potassium is normal."), decoded(TRUE, "Potassium is normal.")
    judged = text_answers(STAYS, better.predictions)
    scores = decoding_scores("judged", better, free, STAYS, judged, plain_weights(2))
    assert scores["decoding/judged/series_supported"].value == 1.0
    assert scores["difference/decoding/judged/series_supported"].value == pytest.approx(0.5)
    assert scores["difference/decoding/judged/micro_f1"].value == 0.0
    assert scores["decoding/judged/text_is_probabilities"].value == 1.0


def test_grounded_drafts_differ_in_their_seeds_and_nothing_else() -> None:
    found = writings("grounded", Evaluate(grounded_samples=3), seed=2)
    assert [each.seed for each in found] == [6, 7, 8]
    assert {(each.answer, each.temperature) for each in found} == {("judged", 0.7)}
    assert [each.answer for each in writings("readable", Evaluate(), 0)] == ["readable"]
