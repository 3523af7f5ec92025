"""Fit the weights by which a note decides claims, from the labelled claims for development.

python scripts/fit_note_decision.py          # writes note_decision.csv, prints leave-one-set-out estimates
"""

import csv
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from clinragen.grounding import note_decision
from clinragen.grounding.note import best_comparison, verdict_on
from clinragen.grounding.note_compare import Comparison
from clinragen.grounding.note_features import features
from clinragen.grounding.note_index import NoteIndex, clause_index, note_index
from clinragen.schema import VERDICTS

HERE = Path(__file__).resolve().parents[1] / "src/clinragen/grounding"
SETS = ("a", "b", "c")
PENALTY = 1.0
STEPS = 400


@dataclass(frozen=True)
class Example:
    """A claim: its note, the place that answers it, its features and its verdict."""

    note: NoteIndex
    found: Comparison | None
    features: dict[str, float]
    verdict: str


def examples(path: Path) -> Iterator[Example]:
    """The features and the verdict of every claim about the note."""
    for case in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
        note = note_index(case["note"])
        for before, claim in pairwise([{"text": ""}, *case["claims"]]):
            if claim["about"] == "note":
                clause = clause_index(claim["text"], before["text"])
                found = best_comparison(clause, note)
                yield Example(note, found, features(claim["text"], clause, note, found), claim["verdict"])


def fit(told: list[Example], penalty: float = PENALTY) -> dict[str, dict[str, float]]:
    """Weights of a multinomial logistic regression with a ridge penalty, by gradient descent."""
    names = sorted({name for example in told for name in example.features})
    x = np.array([[1.0, *(each.features.get(name, 0.0) for name in names)] for each in told])
    y = np.array([[each.verdict == other for other in VERDICTS] for each in told], float)
    weights = np.zeros((x.shape[1], len(VERDICTS)))
    ridge = np.full((x.shape[1], 1), penalty)
    ridge[0] = 0.01
    step = 1 / (0.5 * np.linalg.eigvalsh(x.T @ x)[-1] + penalty)
    momentum = np.zeros_like(weights)
    for _ in range(STEPS):
        ahead = weights + 0.9 * momentum
        scores = np.exp(x @ ahead - (x @ ahead).max(1, keepdims=True))
        gradient = x.T @ (scores / scores.sum(1, keepdims=True) - y) + ridge * ahead
        momentum = 0.9 * momentum - step * gradient
        weights = weights + momentum
    rows = weights - weights.mean(1, keepdims=True)
    return {
        name: dict(zip(VERDICTS, row.tolist(), strict=True))
        for name, row in zip(["always", *names], rows, strict=True)
    }


def estimate(weights: dict[str, dict[str, float]], told: list[Example]) -> str:
    """The accuracy on other claims, and how many contradicted ones are called supported."""
    note_decision._weights = lambda: weights  # type: ignore[assignment]
    pairs = [(each.verdict, verdict_on(each.note, each.found, each.features)) for each in told]
    wrong = sum(p == ("contradicted", "supported") for p in pairs) / max(
        1, sum(v == "contradicted" for v, _ in pairs)
    )
    by = " ".join(f"{a[0]}>{b[0]}:{pairs.count((a, b))}" for a in VERDICTS for b in VERDICTS)
    return (
        f"accuracy {np.mean([a == b for a, b in pairs]):.3f}, contradicted called supported {wrong:.3f}  {by}"
    )


def main() -> None:
    """Estimate on each set with the weights of the others, then write the weights of all."""
    told = {name: list(examples(HERE / f"labelled/{name}.jsonl")) for name in SETS}
    for name in SETS:
        others = [example for other in SETS if other != name for example in told[other]]
        print(f"{name}: {estimate(fit(others), told[name])}")
    used = sys.argv[1] if len(sys.argv) > 1 else "".join(SETS)
    weights = fit([example for name in used for example in told[name]])
    with (HERE / "note_decision.csv").open("w", newline="", encoding="utf-8") as table:
        rows = csv.writer(table, lineterminator="\n")
        rows.writerow(["feature", *VERDICTS])
        for name, row in weights.items():
            rows.writerow([name, *(f"{row[verdict]:.3f}" for verdict in VERDICTS)])


if __name__ == "__main__":
    main()
