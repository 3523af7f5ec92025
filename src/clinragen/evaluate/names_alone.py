"""How far do the names in a note go? Logistic regression that sees nothing else of a stay.

For each label and status (present, negated, ...) it knows how often the note names the label so, as the
leakage audit found it. What it scores can be had without reading a chart: before masking, and after.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Float

from clinragen.clinical.diagnoses import diagnosis_names
from clinragen.clinical.mentions import STATUSES
from clinragen.cohort.leakage import PHASES
from clinragen.evaluate.answers import Answers, best_threshold, coded_sets, threshold_answers
from clinragen.evaluate.plain_models import logistic
from clinragen.schema import Stay

Named = Float[np.ndarray, "stay name"]
PREFIXES = {phase: f"names/{phase.replace(' ', '_')}" for phase in PHASES}
"""Under which name the scores of each phase go."""


def names_alone(
    run: Path, train: Sequence[Stay], tuning: Sequence[Stay], held_out: Sequence[Stay]
) -> dict[str, Answers]:
    """What the names alone say of the held_out stays, by the prefix of its scores; the threshold is tuned."""
    named = pl.read_parquet(run / "cohort" / "named" / "*.parquet")
    found = {}
    for phase, prefix in PREFIXES.items():
        told = named.filter(pl.col("phase") == phase)
        seen, chosen, asked = (_features(told, stays) for stays in (train, tuning, held_out))
        models = [logistic(seen, coded) for coded in coded_sets(train).T]
        tuned, said = (np.stack([model(rows) for model in models], axis=1) for rows in (chosen, asked))
        found[prefix] = threshold_answers(held_out, said, best_threshold(coded_sets(tuning), tuned))
    return found


def _features(told: pl.DataFrame, stays: Sequence[Stay]) -> Named:
    """log(1 + mentions) of each label in each status; a stay whose note names nothing is all zeros."""
    rows = {stay.stay_id: row for row, stay in enumerate(stays)}
    columns = {pair: place for place, pair in enumerate((n, s) for n in diagnosis_names() for s in STATUSES)}
    counts = np.zeros((len(rows), len(columns)))
    for stay, label, status, mentions in told.select("stay_id", "label", "status", "mentions").iter_rows():
        if stay in rows:
            counts[rows[stay], columns[label, status]] = mentions
    return np.log1p(counts)
