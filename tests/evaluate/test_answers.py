import numpy as np
from sklearn.metrics import f1_score

from clinragen.evaluate.answers import best_threshold, is_unparsed, text_answers
from evaluate.invented_answers import LABELS, prediction, random_answers, written
from patients import stay


def test_a_text_names_what_it_lists():
    found = text_answers([stay(diagnoses=["pneumonia", "shock"])], [written(["pneumonia", "stroke"])])
    assert found.truth.sum() == 2 and found.predicted.sum() == 2
    assert (found.truth & found.predicted).sum() == 1


def test_an_unparsed_text_names_nothing_and_is_counted():
    said = [prediction(text="Diagnoses: dragon pox."), written([])]
    found = text_answers([stay(), stay()], said)
    assert not found.predicted.any()
    assert is_unparsed(said).tolist() == [True, False]


def test_the_threshold_is_the_best_there_is():
    for seed in range(5):
        scored = random_answers(seed)

        def f1(at, scored=scored):
            return f1_score(scored.truth.ravel(), scored.probability.ravel() >= at)

        cuts = np.unique(scored.probability)
        assert f1(best_threshold(scored.truth, scored.probability)) == max(f1(cut) for cut in cuts)


def test_without_truth_the_threshold_is_a_half():
    assert best_threshold(np.zeros((3, LABELS), bool), np.full((3, LABELS), 0.2)) == 0.5
