"""Recall by where the evidence of a diagnosis lies; known of the simulated hospital only."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from clinragen.clinical.diagnoses import diagnosis_names
from clinragen.ehr.synthetic import Truth
from clinragen.evaluate.answers import Answers, Sets
from clinragen.evaluate.bootstrap import share
from clinragen.evaluate.metrics import Weights
from clinragen.evaluate.scores import Scores
from clinragen.labels import STANDARD, holding
from clinragen.schema import Stay

PLACES = {"note_only": "note", "series_only": "series", "both": "both", "neither": "neither"}
"""The name of a place in scores -> in the truth."""


def read_truth(run: Path) -> Truth | None:
    """The truth of a simulated hospital, or None where the source, or the run's own labels, have none."""
    folder = run / "ingest" / "truth"
    if not folder.exists() or holding() is not STANDARD:
        return None
    return Truth(*(_read(folder / name) for name in ("diagnoses", "states", "mentions")))


def evidence_places(stays: Sequence[Stay], truth: Truth) -> dict[str, Sets]:
    """For every place, which coded diagnoses of which stays have their evidence there."""
    row_of = {stay.stay_id: row for row, stay in enumerate(stays)}
    column_of = {name: column for column, name in enumerate(diagnosis_names())}
    places = {place: np.zeros((len(stays), len(column_of)), bool) for place in PLACES.values()}
    known = truth.diagnoses.filter(pl.col("stay_id").is_in(list(row_of)))
    for stay_id, name, place in known.iter_rows():
        places[place][row_of[stay_id], column_of[name]] = True
    return places


def recall_by_evidence(prefix: str, answers: Answers, places: dict[str, Sets], weights: Weights) -> Scores:
    """`<prefix>/recall/<place>`: the share of the diagnoses shown there that are named; n is these."""
    return {
        f"{prefix}/recall/{name}": share(
            (answers.predicted & here).sum(1), here.sum(1), weights, "no coded diagnosis shows there"
        )
        for name, here in ((name, places[place] & answers.truth) for name, place in PLACES.items())
    }


def _read(folder: Path) -> pl.DataFrame:
    return pl.concat([pl.read_parquet(shard) for shard in sorted(folder.glob("shard-*.parquet"))])
