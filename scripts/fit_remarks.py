"""Fit the weights by which a clause is told to be a remark, from the labelled claims.

    python scripts/fit_remarks.py    # writes remark_weights.csv

A clause that no annotator took for a claim, or for a part of one, is a remark. Prints what the weights of
the other sets do on each set.
"""

import csv
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression

from clinragen.grounding.accuracy import FILES, labelled_case
from clinragen.grounding.note import clinical_words
from clinragen.grounding.note_index import clause_index
from clinragen.grounding.remarks import LIKELY, remark_features
from clinragen.grounding.sentences import clauses

HERE = Path(__file__).resolve().parents[1] / "src/clinragen/grounding"
SHARED = 0.4
"""A clause belongs to a claim that shares at least so much of the shorter of the two."""
STRENGTH = 1.0
LEAST = 0.05
"""Smaller weights are left out."""

Told = tuple[dict[str, float], bool]
Weights = dict[str, float]


def told(name: str) -> list[Told]:
    """The features of the clauses of a set that tell nothing of the series, and which are remarks."""
    found = []
    for line in (HERE / f"labelled/{name}.jsonl").read_text(encoding="utf-8").splitlines():
        case = labelled_case(json.loads(line))
        for clause in clauses(case.rationale):
            about = {
                label.about
                for label in case.labels
                if min(label.end, clause.end) - max(label.start, clause.start)
                >= SHARED * min(label.end - label.start, clause.end - clause.start)
            }
            if about != {"series"}:
                clinical = clinical_words(clause_index(clause.text))
                found.append((remark_features(clause.text, clinical), not about))
    return found


def fit(examples: Sequence[Told]) -> Weights:
    """The weights of a logistic regression."""
    counts = Counter(name for features, _ in examples for name in features)
    rows = DictVectorizer()
    x = rows.fit_transform([{k: v for k, v in told.items() if counts[k] > 1} for told, _ in examples])
    model = LogisticRegression(C=STRENGTH, max_iter=5000).fit(x, [is_remark for _, is_remark in examples])
    weights = dict(zip(rows.feature_names_, model.coef_[0].tolist(), strict=True))
    return {"always": float(model.intercept_[0])} | {k: w for k, w in weights.items() if abs(w) >= LEAST}


def estimate(weights: Weights, examples: Sequence[Told]) -> str:
    """How many remarks these weights find, and how many claims they lose."""

    def is_found(features: dict[str, float]) -> bool:
        return weights["always"] + sum(weights.get(k, 0.0) * v for k, v in features.items()) > LIKELY

    remarks = [features for features, is_remark in examples if is_remark]
    claims = [features for features, is_remark in examples if not is_remark]
    found, lost = sum(map(is_found, remarks)), sum(map(is_found, claims))
    return f"{found} of {len(remarks)} remarks found, {lost} of {len(claims)} claims lost"


def main() -> None:
    """Estimate on each set with the weights of the others, then write the weights of all."""
    sets = {name: told(name) for names in FILES.values() for name in names}
    for name in sets:
        others = [each for other in sets if other != name for each in sets[other]]
        print(f"{name}: {estimate(fit(others), sets[name])}")
    with (HERE / "remark_weights.csv").open("w", newline="", encoding="utf-8") as table:
        rows = csv.writer(table, lineterminator="\n")
        rows.writerow(["feature", "weight"])
        rows.writerows((k, f"{w:.3f}") for k, w in sorted(fit([e for s in sets.values() for e in s]).items()))


if __name__ == "__main__":
    main()
