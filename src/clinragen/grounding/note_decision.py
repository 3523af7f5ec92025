"""A verdict from the features of a clause: a multinomial logistic regression whose weights are a table.

`scripts/fit_note_decision.py` makes the table from the labelled claims.
"""

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from math import exp

from clinragen.schema import VERDICTS, Verdict

CAUTION = 2.0
"""So many times likelier than contradicted must a clause be to be called supported."""
SURE = 0.55
"""How likely it must be at least: in doubt a clause is unverifiable."""


def decide(
    features: Mapping[str, float], may_contradict: bool = True
) -> tuple[Verdict, dict[Verdict, float]]:
    """The verdict on a clause, and the probability of each; contradicted only where that is allowed."""
    odds = probabilities(features)
    is_likely = odds["supported"] > (CAUTION if may_contradict else 1.0) * odds["contradicted"]
    if is_likely and odds["supported"] >= SURE:
        return "supported", odds
    is_contradicted = may_contradict and odds["contradicted"] > odds["unverifiable"]
    return ("contradicted" if is_contradicted else "unverifiable"), odds


def probabilities(features: Mapping[str, float]) -> dict[Verdict, float]:
    """How likely each verdict is."""
    told = [(value, _weights()[name]) for name, value in features.items() if value and name in _weights()]
    told.append((1.0, _weights()["always"]))
    scores = {verdict: exp(sum(value * row[verdict] for value, row in told)) for verdict in VERDICTS}
    total = sum(scores.values())
    return {verdict: score / total for verdict, score in scores.items()}


@cache
def _weights() -> dict[str, dict[Verdict, float]]:
    with (files("clinragen.grounding") / "note_decision.csv").open(encoding="utf-8") as table:
        return {
            row["feature"]: {verdict: float(row[verdict]) for verdict in VERDICTS}
            for row in csv.DictReader(table)
        }
