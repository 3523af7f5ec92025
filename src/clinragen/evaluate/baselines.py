"""Plain models to beat: TF-IDF on notes, gradient boosting on summaries of the series, both joined.

A baseline is fitted on training stays and then gives probabilities for any stays. What must be chosen (the
threshold, how to join) is chosen on tuning stays.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from jaxtyping import Float
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import f1_score

from clinragen.evaluate.answers import Answers, Chances, best_threshold, coded_sets, threshold_answers
from clinragen.evaluate.plain_models import boosting, log_odds, logistic, logistic_out_of_fold, share_of
from clinragen.evaluate.summaries import summaries
from clinragen.schema import Stay

Fitted = Callable[[Sequence[Stay]], Chances]


def baseline_answers(
    train: Sequence[Stay], tuning: Sequence[Stay], held_out: Sequence[Stay], workers: int = 1
) -> dict[str, Answers]:
    """What every baseline and floor says of the held_out stays, by name."""
    tfidf = fit_tfidf(train)
    gbdt = fit_gbdt(train, workers)
    joined = best_on(tuning, (fit_stacked(tfidf, train, workers), summed(tfidf, gbdt, train)))
    fitted = {"tfidf": tfidf, "gbdt": gbdt, "tfidf_gbdt": joined}
    read = {name: at_best_threshold(model, tuning, held_out) for name, model in fitted.items()}
    return {**read, **floor_answers(train, held_out)}


def fit_tfidf(train: Sequence[Stay]) -> Fitted:
    """Logistic regression of every label on the words and word pairs of the note."""
    read = _vocabulary(train)
    models = [logistic(read(train), coded) for coded in coded_sets(train).T]
    return lambda stays: _by_label([model(read(stays)) for model in models])


def fit_gbdt(train: Sequence[Stay], workers: int = 1) -> Fitted:
    """Gradient boosting of every label on summaries of each variable; NaN where it was not measured."""
    models = boosting([summaries(train)], coded_sets(train), workers)
    return lambda stays: models([summaries(stays)])


def fit_stacked(tfidf: Fitted, train: Sequence[Stay], workers: int = 1) -> Fitted:
    """Boosting on the summaries and on the log odds that the note alone gives each label.

    In training these are out of fold, or boosting would trust the note as far as it was learnt by heart.
    """
    notes = _vocabulary(train)(train)
    unseen = _by_label([logistic_out_of_fold(notes, coded) for coded in coded_sets(train).T])
    models = boosting([summaries(train), log_odds(unseen)], coded_sets(train), workers)
    return lambda stays: models([summaries(stays), log_odds(tfidf(stays))])


def summed(tfidf: Fitted, gbdt: Fitted, train: Sequence[Stay]) -> Fitted:
    """Log odds of both added and those of the prevalence taken off once: note and series as independent."""
    prior = log_odds(np.array([share_of(coded) for coded in coded_sets(train).T]))
    return lambda stays: 1 / (1 + np.exp(prior - log_odds(tfidf(stays)) - log_odds(gbdt(stays))))


def best_on(tuning: Sequence[Stay], models: Sequence[Fitted]) -> Fitted:
    """The model with the highest micro-F1 on the tuning stays, the first of equals."""
    return max(models, key=partial(_tuned_f1, tuning))


def at_best_threshold(model: Fitted, tuning: Sequence[Stay], held_out: Sequence[Stay]) -> Answers:
    """The answers of a model at the threshold that is best for the tuning stays."""
    threshold = best_threshold(coded_sets(tuning), model(tuning))
    return threshold_answers(held_out, model(held_out), threshold)


def floor_answers(train: Sequence[Stay], held_out: Sequence[Stay]) -> dict[str, Answers]:
    """What needs no record: naming every label, and the constant set that is best for the training stays."""
    shares = coded_sets(train).mean(0)
    chosen = best_threshold(coded_sets(train), np.tile(shares, (len(train), 1)))
    constant = np.tile(shares, (len(held_out), 1))
    return {
        "all": threshold_answers(held_out, constant, 0.0),
        "best_constant": threshold_answers(held_out, constant, chosen),
    }


def _tuned_f1(tuning: Sequence[Stay], model: Fitted) -> float:
    answers = at_best_threshold(model, tuning, tuning)
    return float(f1_score(answers.truth.ravel(), answers.predicted.ravel(), zero_division=0.0))


def _vocabulary(train: Sequence[Stay]) -> Callable[[Sequence[Stay]], csr_matrix]:
    """How a note is read: the weights of words and pairs that at least two training notes hold."""
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    try:
        words.fit([stay.note for stay in train])
    except ValueError:  # no such word: one column of nothing leaves the prevalence
        return lambda stays: csr_matrix((len(stays), 1))
    return lambda stays: words.transform([stay.note for stay in stays])


def _by_label(columns: Sequence[Float[np.ndarray, " stay"]]) -> Chances:
    return np.stack(columns, axis=1)
