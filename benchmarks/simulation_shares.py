"""How hard the simulated hospital is: shares of evidence, a ceiling given the truth, and a plain baseline.

Run: `python benchmarks/simulation_shares.py [stays] [seed]`. The ceiling is a logistic regression on the true
states and on the diagnoses of which a note states a sign plainly; the baseline joins TF-IDF of the note
with summaries of the series. Thresholds come from folds of the training subjects; scores are of the
other 30% of subjects.
"""

import json
import sys
import warnings

import numpy as np
import polars as pl
from scipy.sparse import csr_matrix
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_recall_curve
from sklearn.model_selection import cross_val_predict

from clinragen.clinical.diagnoses import diagnosis_names
from clinragen.clinical.variables import variables
from clinragen.ehr.synthetic import Simulation, simulate

TRAIN_SHARE = 0.7
PLACES = ("note", "series", "both", "neither")


def main(stays: int = 3000, seed: int = 7) -> None:
    """Print shares and scores as JSON."""
    warnings.filterwarnings("ignore")
    simulation = simulate(stays, seed)
    order = _stays(simulation)
    y, places = _labels(simulation, order)
    is_train = _is_train(simulation, order)
    report = _shares(simulation, stays)
    for name, scores in (
        ("ceiling", _linear(_truth_features(simulation, order), y, is_train)),
        ("baseline", _joined(simulation, order, y, is_train)),
    ):
        report[name] = _score(scores, y, places, is_train)
    sys.stdout.write(json.dumps(report, indent=1) + "\n")


def _stays(simulation: Simulation) -> pl.DataFrame:
    starts = simulation.events.filter(pl.col("code") == "ICU_ADMISSION")
    return starts.select("stay_id", "subject_id").with_row_index("row")


def _labels(simulation: Simulation, order: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    rows = simulation.truth.diagnoses.join(order, on="stay_id")
    places = np.full((order.height, len(diagnosis_names())), "", dtype="U8")
    columns = [diagnosis_names().index(name) for name in rows["diagnosis"]]
    places[rows["row"].to_numpy(), columns] = rows["evidence"].to_numpy()
    return places != "", places


def _is_train(simulation: Simulation, order: pl.DataFrame) -> np.ndarray:
    subjects = order["subject_id"].to_numpy()
    return np.random.default_rng(0).random(subjects.max() + 1)[subjects] < TRAIN_SHARE


def _shares(simulation: Simulation, stays: int) -> dict[str, object]:
    truth = simulation.truth
    places, states = truth.diagnoses["evidence"].value_counts(normalize=True), truth.states
    common = truth.diagnoses["diagnosis"].value_counts(sort=True)
    abnormal = states.filter(pl.col("state") != "normal")
    return {
        "labels per stay": round(truth.diagnoses.height / stays, 2),
        "measured per stay": round(states.height / stays, 2),
        "abnormal per stay": round(abnormal.height / stays, 2),
        "background share of normal": round(
            (abnormal["cause"] == "background").sum() / (states["cause"] == "background").sum(), 3
        ),
        "evidence": {name: round(share, 3) for name, share in places.sort("evidence").iter_rows()},
        "prevalence": {name: round(count / stays, 3) for name, count in common.iter_rows()},
    }


def _truth_features(simulation: Simulation, order: pl.DataFrame) -> csr_matrix:
    """One-hot true states (with trend) and the diagnoses of which a note states a sign plainly."""
    truth = simulation.truth
    states = truth.states.select(
        "stay_id", feature=pl.concat_str("variable", "state", "trend", separator="|")
    )
    stated = truth.mentions.filter(pl.col("status") == "present").select("stay_id", feature="diagnosis")
    rows = pl.concat([states, stated]).unique(maintain_order=True).join(order, on="stay_id")
    names, columns = np.unique(rows["feature"].to_numpy(), return_inverse=True)
    shape = (order.height, len(names))
    return csr_matrix((np.ones(rows.height), (rows["row"].to_numpy(), columns)), shape=shape)


def _linear(features: csr_matrix, y: np.ndarray, is_train: np.ndarray, strength: float = 5.0) -> np.ndarray:
    return _fit(lambda: LogisticRegression(C=strength, max_iter=500), features, y, is_train)


def _joined(simulation: Simulation, order: pl.DataFrame, y: np.ndarray, is_train: np.ndarray) -> np.ndarray:
    """The larger voice of two: the mean log-odds of text and series models, each fitted alone."""
    notes = simulation.events.filter(pl.col("code") == "NOTE//admission").select("stay_id", "text_value")
    texts = order.join(notes, on="stay_id", how="left", maintain_order="left")["text_value"].to_list()
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2).fit_transform(texts)
    text = _log_odds(_linear(words, y, is_train, strength=10.0))
    series = _log_odds(
        _fit(
            lambda: HistGradientBoostingClassifier(max_iter=60, max_leaf_nodes=15),
            _summaries(simulation, order),
            y,
            is_train,
        )
    )
    stacked = np.stack([text, series], axis=2)
    return np.column_stack(
        [
            LogisticRegression().fit(stacked[is_train, k], y[is_train, k]).predict_proba(stacked[:, k])[:, 1]
            for k in range(y.shape[1])
        ]
    )


def _log_odds(probability: np.ndarray) -> np.ndarray:
    clipped = np.clip(probability, 1e-4, 1 - 1e-4)
    return np.log(clipped / (1 - clipped))


def _summaries(simulation: Simulation, order: pl.DataFrame) -> np.ndarray:
    """Mean, least, greatest, first and last value of each variable; NaN where it was not measured."""
    value = pl.col("numeric_value")
    grouped = (
        simulation.events.filter(value.is_not_null())
        .with_columns(variable=pl.col("code").str.split("//").list.get(1))
        .group_by("stay_id", "variable", maintain_order=True)
        .agg(value.mean().alias("mean"), value.min().alias("min"), value.max().alias("max"))
    )
    ends = (
        simulation.events.filter(value.is_not_null())
        .with_columns(variable=pl.col("code").str.split("//").list.get(1))
        .group_by("stay_id", "variable", maintain_order=True)
        .agg(value.first().alias("first"), value.last().alias("last"))
    )
    wide = grouped.join(ends, on=["stay_id", "variable"]).join(order, on="stay_id")
    out = np.full((order.height, len(variables()), 5), np.nan)
    columns = [list(variables()).index(name) for name in wide["variable"]]
    out[wide["row"].to_numpy(), columns] = wide.select("mean", "min", "max", "first", "last").to_numpy()
    return out.reshape(order.height, -1)


def _fit(make, features, y: np.ndarray, is_train: np.ndarray) -> np.ndarray:
    """Probabilities for every stay: of training stays out of fold, of the others from the whole fit."""
    out = np.zeros(y.shape)
    for k in range(y.shape[1]):
        target = y[is_train, k]
        out[is_train, k] = cross_val_predict(
            make(), features[is_train], target, cv=3, method="predict_proba"
        )[:, 1]
        out[~is_train, k] = make().fit(features[is_train], target).predict_proba(features[~is_train])[:, 1]
    return out


def _score(scores: np.ndarray, y: np.ndarray, places: np.ndarray, is_train: np.ndarray) -> dict[str, float]:
    precision, recall, cuts = precision_recall_curve(y[is_train].ravel(), scores[is_train].ravel())
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
    cut = cuts[np.argmax(f1[:-1])]
    said, true = scores[~is_train] >= cut, y[~is_train]
    hits = (said & true).sum()
    report = {"threshold": round(float(cut), 3), "micro_f1": round(2 * hits / (said.sum() + true.sum()), 3)}
    for place in PLACES:
        report[f"recall/{place}"] = round(float(said[places[~is_train] == place].mean()), 3)
    for name, column in zip(diagnosis_names(), range(y.shape[1]), strict=True):
        shown = places[~is_train][:, column] == "series"
        if shown.any():
            report[f"recall/series/{name}"] = round(float(said[shown, column].mean()), 2)
    return report


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
