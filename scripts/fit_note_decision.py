"""Fit the weights by which a note decides claims, from the labelled claims.

    python scripts/fit_note_decision.py [SETS]    # writes note_decision.csv from all sets, or from "ab"

Prints what the weights of the other sets do on each set. Claims checked against the note of another patient
are taken along, as unverifiable ones of little weight (`STRANGE`): the labelled claims hold few invented
ones, so without them almost everything that shares a word with the note would look likely. The more weight
they get, the fewer of them are called supported, and the fewer true claims in other words are found.
"""

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from clinragen.grounding import note_decision
from clinragen.grounding.accuracy import FILES
from clinragen.grounding.note import best_comparison, verdict_on
from clinragen.grounding.note_compare import Comparison
from clinragen.grounding.note_features import features
from clinragen.grounding.note_index import NoteIndex, clause_index, note_index
from clinragen.schema import VERDICTS

HERE = Path(__file__).resolve().parents[1] / "src/clinragen/grounding"
SETS = tuple(name for names in FILES.values() for name in names)
STRANGE = 0.05
DEARER = 2.0
"""What a contradicted claim counts: to support one is worse than to leave a true one open."""
APART = 7
"""How far away in its set the other patient stands."""
PENALTY = 1.0
STEPS = 400

Weights = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Example:
    """A claim: its note, the place that answers it, its features and its verdict."""

    note: NoteIndex
    found: Comparison | None
    features: dict[str, float]
    verdict: str
    weight: float = 1.0


def examples(name: str) -> list[Example]:
    """The claims of a set about the note, each against its own note and against another."""
    lines = (HERE / f"labelled/{name}.jsonl").read_text(encoding="utf-8").splitlines()
    cases = [json.loads(line) for line in lines]
    notes = [note_index(case["note"]) for case in cases]
    found: list[Example] = []
    for number, case in enumerate(cases):
        found += _examples(case, notes[number], None)
        found += _examples(case, notes[(number + APART) % len(notes)], "unverifiable")
    return found


def _examples(case: dict[str, Any], note: NoteIndex, verdict: str | None) -> Iterator[Example]:
    for before, claim in pairwise([{"text": ""}, *case["claims"]]):
        if claim["about"] == "note":
            clause = clause_index(claim["text"], before["text"])
            found = best_comparison(clause, note)
            told = features(claim["text"], clause, note, found)
            weight = STRANGE if verdict else DEARER if claim["verdict"] == "contradicted" else 1.0
            yield Example(note, found, told, verdict or claim["verdict"], weight)


def fit(told: Sequence[Example]) -> Weights:
    """Weights of a multinomial logistic regression with a ridge penalty, by descent with momentum."""
    names = sorted({name for example in told for name in example.features})
    x = np.array([[1.0, *(each.features.get(name, 0.0) for name in names)] for each in told])
    y = np.array([[each.verdict == other for other in VERDICTS] for each in told], float)
    weighted = x * np.array([[each.weight] for each in told])
    ridge = np.array([[0.01], *([PENALTY] for _ in names)])
    step = 1 / (0.5 * np.linalg.eigvalsh(weighted.T @ x)[-1] + PENALTY)
    weights = np.zeros((x.shape[1], len(VERDICTS)))
    momentum = np.zeros_like(weights)
    for _ in range(STEPS):
        ahead = weights + 0.9 * momentum
        odds = np.exp(x @ ahead - (x @ ahead).max(1, keepdims=True))
        gradient = weighted.T @ (odds / odds.sum(1, keepdims=True) - y) + ridge * ahead
        momentum = 0.9 * momentum - step * gradient
        weights = weights + momentum
    rows = (weights - weights.mean(1, keepdims=True)).tolist()
    return {
        name: dict(zip(VERDICTS, row, strict=True))
        for name, row in zip(["always", *names], rows, strict=True)
    }


def estimate(weights: Weights, told: Sequence[Example]) -> str:
    """How right these weights are on other claims, and how often they support what they should not."""
    note_decision._weights = lambda: weights  # type: ignore[assignment]
    found = [(each, verdict_on(each.note, each.found, each.features)) for each in told]
    own = [(each.verdict, verdict) for each, verdict in found if each.weight >= 1]
    contradicted = [verdict for wanted, verdict in own if wanted == "contradicted"]
    strange = [verdict for each, verdict in found if each.weight < 1]
    return (
        f"accuracy {sum(wanted == verdict for wanted, verdict in own) / len(own):.3f}, supported: "
        f"{contradicted.count('supported') / len(contradicted):.3f} of the contradicted, "
        f"{strange.count('supported') / len(strange):.3f} of those about another patient"
    )


def main() -> None:
    """Estimate on each set with the weights of the others, then write the weights of all."""
    told = {name: examples(name) for name in SETS}
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
