"""All numbers of a run under flat names, such as `held_out/diagnosis/micro_f1`, and their file."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from clinragen.clinical.diagnoses import diagnosis_names
from clinragen.evaluate.answers import Answers, is_unparsed
from clinragen.evaluate.bootstrap import Estimate, bootstrap, difference, share
from clinragen.evaluate.metrics import METRICS, NO_STAY, ByLabel, Values, Weights, label_auroc, label_f1
from clinragen.schema import Prediction
from clinragen.store import read_json, write_json

Scores = dict[str, Estimate]
COMPARED = ("micro_f1", "macro_f1", "macro_auroc")
LABEL_METRICS: dict[str, tuple[Callable[[Answers, Weights], ByLabel], str]] = {
    "f1": (label_f1, "neither coded nor named"),
    "auroc": (label_auroc, "only coded stays, or none"),
}


def diagnosis_scores(prefix: str, answers: Answers, weights: Weights) -> Scores:
    """Every metric of the table, as `<prefix>/<metric>`."""
    return {
        f"{prefix}/{name}": bootstrap(partial(metric.of, answers), weights, metric.undefined)
        for name, metric in METRICS.items()
    }


def label_scores(prefix: str, answers: Answers, weights: Weights) -> Scores:
    """F1 and AUROC of every label, as `<prefix>/label/<label>/<metric>`; n is the coded stays."""
    return {
        f"{prefix}/label/{slug(label)}/{name}": bootstrap(
            partial(_of_one, of, _column(answers, place)),
            weights,
            reason,
            n=int(answers.truth[:, place].sum()),
        )
        for place, label in enumerate(diagnosis_names())
        for name, (of, reason) in LABEL_METRICS.items()
    }


def difference_scores(name: str, first: Answers, second: Answers, weights: Weights) -> Scores:
    """First minus second on the same patients, as `difference/<name>/<metric>`; a plus favours the first."""
    return {
        f"difference/{name}/{metric}": difference(
            partial(METRICS[metric].of, first),
            partial(METRICS[metric].of, second),
            weights,
            METRICS[metric].undefined,
        )
        for metric in COMPARED
    }


def unparsed_score(prefix: str, predictions: Sequence[Prediction], weights: Weights) -> Scores:
    """The share of texts that could not be read, as `<prefix>/unparsed`."""
    lost = is_unparsed(predictions)
    return {f"{prefix}/unparsed": share(lost, np.ones(len(lost)), weights, NO_STAY)}


def slug(label: str) -> str:
    """A label as a part of a score's name."""
    return label.lower().replace(" ", "_").replace("-", "_")


def write_scores(path: Path, scores: Mapping[str, Estimate]) -> None:
    """Write metrics.json: a flat object, name -> value, low, high, n; null carries a reason."""
    write_json(path, {name: _values(scores[name]) for name in sorted(scores)})


def read_scores(path: Path) -> Scores:
    """Read what `write_scores` wrote."""
    return {name: _estimate(row) for name, row in read_json(path).items()}


def _estimate(row: dict[str, Any]) -> Estimate:
    value, low, high = (math.nan if row[key] is None else row[key] for key in ("value", "low", "high"))
    return Estimate(value, low, high, row["n"], row.get("reason", ""))


def _values(estimate: Estimate) -> dict[str, float | int | str | None]:
    values = {name: None if _is_nan(value) else value for name, value in asdict(estimate).items()}
    if not estimate.reason:
        values.pop("reason")
    return values


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _column(answers: Answers, place: int) -> Answers:
    one = slice(place, place + 1)
    return Answers(answers.truth[:, one], answers.predicted[:, one], answers.probability[:, one])


def _of_one(of: Callable[[Answers, Weights], ByLabel], answers: Answers, weights: Weights) -> Values:
    return of(answers, weights)[:, 0]
