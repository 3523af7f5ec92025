import json

import numpy as np
import pytest

from clinragen.evaluate.bootstrap import Estimate
from clinragen.evaluate.scores import (
    diagnosis_scores,
    difference_scores,
    label_scores,
    read_scores,
    unparsed_score,
    write_scores,
)
from evaluate.invented_answers import answers, perfect, plain_weights, prediction, random_answers, written


def test_metrics_json_is_flat_sorted_and_has_no_nan(tmp_path):
    scores = {"b/x": Estimate(0.5, 0.4, 0.6, 10), "a/y": Estimate(np.nan, np.nan, np.nan, 0, "no stay")}
    write_scores(tmp_path / "metrics.json", scores)
    found = json.loads((tmp_path / "metrics.json").read_text())
    assert list(found) == ["a/y", "b/x"]
    assert found["a/y"] == {"value": None, "low": None, "high": None, "n": 0, "reason": "no stay"}
    assert found["b/x"] == {"value": 0.5, "low": 0.4, "high": 0.6, "n": 10}


def test_scores_read_back_as_written(tmp_path):
    scored = random_answers(0)
    scores = diagnosis_scores("held_out/diagnosis", scored, plain_weights(40))
    write_scores(tmp_path / "metrics.json", scores)
    assert read_scores(tmp_path / "metrics.json") == scores
    assert "held_out/diagnosis/micro_f1" in scores


def test_every_interval_holds_its_value():
    for name, found in diagnosis_scores("x", random_answers(2, 200), plain_weights(200, 300)).items():
        if "ece" not in name:  # the error of a resample is biased upward: noise is never negative
            assert found.low <= found.value <= found.high


def test_a_plus_favours_the_first():
    scored = random_answers(0)
    found = difference_scores("student_vs_x", perfect(scored), scored, plain_weights(40))
    assert found["difference/student_vs_x/micro_f1"].low > 0


def test_each_label_has_its_own_f1():
    scored = answers(truth=[[0], [0], [1]], named=[[0], [], [1]])
    found = label_scores("x", scored, plain_weights(3))
    # acute kidney injury: 1 right, 1 missed, F1 = 2 / (2 + 1); stroke: right
    assert found["x/label/acute_kidney_injury/f1"].value == pytest.approx(2 / 3)
    assert found["x/label/acute_kidney_injury/f1"].n == 2
    assert found["x/label/stroke/f1"].value == 1
    assert found["x/label/shock/f1"].reason == "neither coded nor named"


def test_unparsed_texts_are_a_share_of_all():
    said = [prediction(text="?"), written(), written(), written()]
    assert unparsed_score("held_out", said, plain_weights(4))["held_out/unparsed"].value == 0.25
