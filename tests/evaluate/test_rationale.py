import numpy as np
import pytest
from sacrebleu.metrics import BLEU

from clinragen.evaluate.rationale import (
    check_prediction,
    claim_scores,
    is_inference,
    likeness_scores,
    rationale_texts,
    swap_scores,
)
from clinragen.grounding.checker import Checker
from clinragen.schema import Claim
from evaluate.invented_answers import plain_weights, prediction, written
from patients import measured, stay

HIGH, LOW = measured("potassium", 6.0, 6.1, 6.0), measured("potassium", 2.5, 2.6, 2.5)


def test_a_true_and_a_false_claim_are_half_supported():
    said = written(series="Potassium is high. Sodium is low.")
    chart = stay([*HIGH, *measured("sodium", 140, 141, 140)])
    found = claim_scores("held_out", [check_prediction(said, chart, Checker())], plain_weights(1))
    assert found["held_out/rationale/series_supported"].value == 0.5
    assert found["held_out/rationale/series_contradicted"].value == 0.5
    assert found["held_out/rationale/series_supported"].n == 2
    assert found["held_out/rationale/series_claims"].value == 2


def test_shares_of_verdicts_add_up_to_one():
    said = [written(series=text) for text in ("Potassium is high.", "Lactate is high. Potassium is low.")]
    found = claim_scores(
        "x", [check_prediction(each, stay(HIGH), Checker()) for each in said], plain_weights(2)
    )
    verdicts = ("supported", "contradicted", "unverifiable")
    assert [found[f"x/rationale/series_{verdict}"].value for verdict in verdicts] == pytest.approx(
        [1 / 3] * 3
    )


def test_without_claims_there_is_no_share_but_a_reason():
    found = claim_scores(
        "x", [check_prediction(prediction(text="?"), stay(HIGH), Checker())], plain_weights(1)
    )
    assert np.isnan(found["x/rationale/series_supported"].value)
    assert found["x/rationale/series_supported"].reason == "the texts make no such claim"


def test_an_inference_is_set_apart():
    claim = Claim("a", 0, 1, "note", "a", "unverifiable", (), "an inference")
    assert is_inference(claim)
    assert not is_inference(Claim("a", 0, 1, "note", "a", "unverifiable", (), "the note does not say this"))


def test_claims_that_follow_the_swapped_series_follow_the_donor():
    own, donor = stay(HIGH, stay_id="own"), stay(LOW, stay_id="donor")
    reads_the_series = written(series="Potassium is low.", stay_id="own")
    recites = written(series="Potassium is high.", stay_id="own")
    found = swap_scores(
        "held_out", [reads_the_series, recites], [donor] * 2, [own] * 2, plain_weights(2), Checker()
    )
    assert found["held_out/rationale/swap_follows"].value == 0.5
    assert found["held_out/rationale/swap_own"].value == 0.5


def test_a_text_like_the_teachers_is_perfect():
    said = written(note="The note mentions a productive cough today.", series="Potassium is high.")
    found = likeness_scores("x", [said], {"a": rationale_texts(said.text)}, plain_weights(1))
    assert found["x/rationale/bleu"].value == pytest.approx(1)
    assert found["x/rationale/rouge_l"].value == pytest.approx(1)


def test_bleu_is_that_of_the_corpus():
    texts = [
        "Potassium is high and rising since the first day.",
        "The platelets are low at times and stable.",
    ]
    meant = [
        "Potassium is high and rising over the whole stay.",
        "The platelets are low and falling at times.",
    ]
    teacher = {str(i): {"note": "", "series": text} for i, text in enumerate(meant)}
    said = [written(series=text, stay_id=str(i)) for i, text in enumerate(texts)]
    found = likeness_scores("x", said, teacher, plain_weights(2))
    assert found["x/rationale/bleu"].value == pytest.approx(BLEU().corpus_score(texts, [meant]).score / 100)


def test_without_a_teacher_there_is_no_likeness():
    found = likeness_scores("x", [written(note="A.")], {}, plain_weights(1))
    assert found["x/rationale/bleu"].reason == "the teacher wrote nothing for these stays"
