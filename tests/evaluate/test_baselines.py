from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from clinragen.clinical.diagnoses import diagnosis_names
from clinragen.clinical.variables import judged_variables
from clinragen.ehr.synthetic import DIAGNOSIS_SCHEMA, MENTION_SCHEMA, STATE_SCHEMA, Truth
from clinragen.evaluate.baselines import baseline_answers, fit_gbdt, fit_tfidf, floor_answers
from clinragen.evaluate.ceiling import ceiling_answers
from clinragen.evaluate.plain_models import boosting, log_odds, logistic_out_of_fold
from clinragen.evaluate.summaries import SUMMARIES, summaries
from patients import measured, stay

PNEUMONIA, INJURY = (diagnosis_names().index(name) for name in ("pneumonia", "acute kidney injury"))


def hospital(count: int, offset: int = 0) -> list:
    """A cough means pneumonia, a high creatinine means kidney injury; each in every second stay or pair."""
    return [_invented(number + offset) for number in range(count)]


def _invented(number: int):
    coughs, injured = number % 2 == 0, number // 2 % 2 == 0
    names = [name for name, has in (("pneumonia", coughs), ("acute kidney injury", injured)) if has]
    return stay(
        measured("creatinine", *([3.0, 3.2, 3.5] if injured else [0.8, 0.9, 0.8])),
        note="Came with a productive cough." if coughs else "Came for a planned visit.",
        diagnoses=names,
        stay_id=f"s{number}",
        subject_id=number,
    )


def test_summaries_of_one_variable_by_hand():
    table = summaries([stay(measured("sodium", 130, 140, 138, every_hours=10))])
    found = table.reshape(len(judged_variables()), len(SUMMARIES))[list(judged_variables()).index("sodium")]
    # slope: hours -10, 0, 10 about their mean and values 130, 140, 138: (10 * 8) / 200 = 0.4 per hour
    assert dict(zip(SUMMARIES, found, strict=True)) == pytest.approx(
        {"first": 130, "last": 138, "min": 130, "max": 140, "mean": 136, "count": 3, "slope": 0.4}
    )


def test_what_was_not_measured_is_missing_and_never_zero():
    assert np.isnan(summaries([stay()])).all()


def test_a_single_value_has_no_slope():
    found = summaries([stay(measured("sodium", 130))]).reshape(len(judged_variables()), len(SUMMARIES))
    row = found[list(judged_variables()).index("sodium")]
    assert np.isnan(row[-1]) and not np.isnan(row[:-1]).any()


def test_the_note_model_reads_the_note_and_nothing_else():
    model = fit_tfidf(hospital(40))
    coughs, plain = (model([stay(note=text)])[0] for text in ("A productive cough.", "A planned visit."))
    assert coughs[PNEUMONIA] > 0.8 > 0.2 > plain[PNEUMONIA]
    assert 0.3 < coughs[INJURY] < 0.7


def test_the_series_model_reads_the_series_and_nothing_else():
    model = fit_gbdt(hospital(80))
    high, normal = (model([stay(measured("creatinine", *v))])[0] for v in ((3.1, 3.3, 3.4), (0.8, 0.8, 0.9)))
    assert high[INJURY] > 0.8 > 0.2 > normal[INJURY]
    assert 0.3 < high[PNEUMONIA] < 0.7


def test_joined_models_know_what_either_knows():
    found = baseline_answers(hospital(80), hospital(20, 100), hospital(20, 200))
    joined = found["tfidf_gbdt"]
    assert (joined.predicted == joined.truth).all()
    assert list(found) == ["tfidf", "gbdt", "tfidf_gbdt", "all", "best_constant"]
    assert (found["tfidf"].predicted != found["tfidf"].truth).any()


def test_a_label_too_rare_to_learn_keeps_its_share():
    train = [*hospital(40), stay(note="A planned visit.", diagnoses=["shock"])]
    place = diagnosis_names().index("shock")
    for fit in (fit_tfidf, fit_gbdt):
        assert fit(train)(hospital(2))[:, place].tolist() == pytest.approx([1 / 41] * 2)


def test_stays_without_notes_or_without_series_can_still_be_fitted():
    bare = [stay(diagnoses=["shock"] if number % 2 else [], subject_id=number) for number in range(12)]
    found = baseline_answers(bare, bare[:4], bare[:4])
    assert all(np.isfinite(each.probability).all() for each in found.values())


def test_out_of_fold_probabilities_never_come_from_a_model_that_saw_the_row():
    """Notes that only their own number tells apart: learnt by heart they would be certain."""
    coded = np.arange(20) % 2 == 0
    assert np.abs(logistic_out_of_fold(np.eye(20), coded) - 0.5).max() < 0.1


def test_the_threads_of_boosting_do_not_change_it():
    rng = np.random.default_rng(0)
    table, truth = rng.random((60, 3)), rng.random((60, 2)) < 0.5
    one, two = (boosting([table], truth, workers)([table]) for workers in (1, 2))
    assert (one == two).all()


def test_the_floors_need_no_record():
    train = [stay(diagnoses=["shock"]), stay(diagnoses=["shock"]), stay(diagnoses=["stroke"]), stay()]
    found = floor_answers(train, hospital(2))
    assert found["all"].predicted.all()
    # naming shock: F1 2*2/(3+4) = .57; shock and stroke: 2*3/(3+8) = .55
    assert [diagnosis_names()[place] for place in np.flatnonzero(found["best_constant"].predicted[0])] == [
        "shock"
    ]


def test_log_odds_are_finite_for_certainty():
    assert np.isfinite(log_odds(np.array([0.0, 0.5, 1.0]))).all()


def test_the_ceiling_reads_only_the_truth():
    stays = hospital(60)
    states = [
        (
            each.stay_id,
            "creatinine",
            "high" if "acute kidney injury" in each.diagnoses else "normal",
            "stable",
            "",
        )
        for each in stays
    ]
    mentions = [
        (each.stay_id, 0, 1, "x", "pneumonia", "present" if "pneumonia" in each.diagnoses else "negated")
        for each in stays
    ]
    truth = Truth(
        pl.DataFrame(schema=DIAGNOSIS_SCHEMA),
        pl.DataFrame(states, schema=STATE_SCHEMA, orient="row"),
        pl.DataFrame(mentions, schema=MENTION_SCHEMA, orient="row"),
    )
    blank = [stay(diagnoses=each.diagnoses, stay_id=each.stay_id) for each in stays]
    found = ceiling_answers(blank[:40], blank[40:50], blank[50:], truth)
    assert (found.predicted == found.truth).all()


def test_a_later_value_counts_by_its_time_not_its_place():
    rows = measured("sodium", 130, 140)
    turned = replace(stay(rows), measurements=tuple(rows[::-1]))
    assert np.array_equal(summaries([turned]), summaries([stay(rows)]), equal_nan=True)
