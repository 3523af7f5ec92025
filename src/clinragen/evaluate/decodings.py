"""Other ways to let the same student write: answers that can always be read, forced, or best grounded.

Predict, then explain: the answer is forced from the probabilities and the reasons are written after it.
Grounded decoding draws several such texts and keeps the one that the chart bears out best.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from clinragen.evaluate.answers import Answers, text_answers
from clinragen.evaluate.bootstrap import Estimate, difference, share
from clinragen.evaluate.metrics import METRICS, NO_STAY, Weights, ratio
from clinragen.evaluate.rationale import NO_CLAIM, PARTS, CheckedRationale, check_prediction
from clinragen.evaluate.scores import Scores, diagnosis_scores, unparsed_score
from clinragen.grounding.checker import Checker
from clinragen.model.generate import Writing
from clinragen.recipe import Evaluate
from clinragen.schema import Part, Prediction, Stay

Drafts = Sequence[Sequence[Prediction]]
"""All texts of one way to write: for each drawing one prediction of each stay."""


def writings(name: str, settings: Evaluate, seed: int) -> list[Writing]:
    """How the drafts of a decoding are written."""
    if name != "grounded":
        return [Writing("readable" if name == "readable" else "judged")]
    return [
        Writing("judged", settings.grounded_temperature, seed * settings.grounded_samples + draw)
        for draw in range(settings.grounded_samples)
    ]


@dataclass(frozen=True, slots=True)
class Decoded:
    """What one way to write came to: a text of each stay, checked, and how many were written for it."""

    predictions: list[Prediction]
    checked: list[CheckedRationale]
    texts: int


def best_grounded(drafts: Drafts, stays: Sequence[Stay], checker: Checker) -> Decoded:
    """Of the drafts of each stay the one with the fewest contradicted claims, then the most supported."""
    chosen = [
        min(
            ((said, check_prediction(said, stay, checker)) for said in told),
            key=lambda pair: _standing(pair[1]),
        )
        for stay, *told in zip(stays, *drafts, strict=True)
    ]
    return Decoded([said for said, _ in chosen], [checked for _, checked in chosen], len(drafts))


def _standing(checked: CheckedRationale) -> tuple[int, float]:
    claims = [claim for found in checked.claims.values() for claim in found]
    supported = sum(claim.verdict == "supported" for claim in claims)
    wrong = sum(claim.verdict == "contradicted" for claim in claims)
    return wrong, -supported / len(claims) if claims else 0.0


def decoding_scores(
    name: str, decoded: Decoded, free: Decoded, stays: Sequence[Stay], judged: Answers, weights: Weights
) -> Scores:
    """How a decoding does, as `decoding/<name>/<score>`, and less what writing freely does.

    `judged` are the sets that the head names; `texts` is what it costs.
    """
    prefix = f"decoding/{name}"
    said, freely = text_answers(stays, decoded.predictions), text_answers(stays, free.predictions)
    agrees = (said.predicted == judged.predicted).all(1)
    micro_f1 = METRICS["micro_f1"]
    scores: Scores = {
        **diagnosis_scores(prefix, said, weights),
        **unparsed_score(prefix, decoded.predictions, weights),
        f"{prefix}/text_is_probabilities": share(agrees, np.ones(len(agrees)), weights, NO_STAY),
        f"{prefix}/texts": Estimate(float(decoded.texts), np.nan, np.nan, len(stays), "counted"),
        f"difference/{prefix}/micro_f1": difference(
            lambda rows: micro_f1.of(said, rows), lambda rows: micro_f1.of(freely, rows), weights, NO_STAY
        ),
    }
    for part in PARTS:
        ours, theirs = (_supported(each.checked, part) for each in (decoded, free))
        scores[f"{prefix}/{part}_supported"] = share(*ours, weights, NO_CLAIM)
        scores[f"difference/{prefix}/{part}_supported"] = difference(
            _ratio(*ours), _ratio(*theirs), weights, NO_CLAIM
        )
    return scores


def _supported(checked: Sequence[CheckedRationale], part: Part) -> tuple[np.ndarray, np.ndarray]:
    """Of each stay the supported claims about a part of the chart, and all of them."""
    claims = [rationale.about(part) for rationale in checked]
    supported = [sum(claim.verdict == "supported" for claim in found) for found in claims]
    return np.array(supported, float), np.array([len(found) for found in claims], float)


def _ratio(part: np.ndarray, whole: np.ndarray) -> Callable[[Weights], np.ndarray]:
    return lambda rows: ratio(rows @ part, rows @ whole)
