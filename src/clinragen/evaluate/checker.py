"""The checker's own error, told in every report: what it gets wrong, it gets wrong there too."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from clinragen.evaluate.bootstrap import resamples, share
from clinragen.evaluate.scores import Scores
from clinragen.grounding.accuracy import Check, Judged, Label, LabelledSet, judged, labelled_cases
from clinragen.grounding.claims import check
from clinragen.schema import Verdict

NO_CLAIM = "no such claim is labelled"

Test = Callable[[Label, Verdict | None], bool]


def _is_right(label: Label, said: Verdict | None) -> bool:
    return said == label.verdict


def _is_found(_: Label, said: Verdict | None) -> bool:
    return said is not None


def _is_contradicted(label: Label, _: Verdict | None) -> bool:
    return label.verdict == "contradicted"


SHARES: Mapping[str, tuple[Test, Test]] = {
    "found": (_is_found, lambda *_: True),
    "series/accuracy": (_is_right, lambda label, said: label.about == "series" and said is not None),
    "note/accuracy": (_is_right, lambda label, said: label.about == "note" and said is not None),
    "contradicted_called_supported": (lambda _, said: said == "supported", _is_contradicted),
}
"""Shares of labelled claims: for which test holds, of those for which the second does."""


REPORTED: tuple[LabelledSet, ...] = ("plain", "paraphrased")
"""The sets whose scores stand in every report."""


def all_checker_scores(samples: int, seed: int, check: Check = check) -> Scores:
    """The scores of a checker on all sets that are reported."""
    return {
        name: score for part in REPORTED for name, score in checker_scores(samples, seed, part, check).items()
    }


def checker_scores(samples: int, seed: int, part: LabelledSet, check: Check = check) -> Scores:
    """Scores of a checker on labelled cases, as `checker/<set>/...`, with intervals over cases.

    `strict_micro_f1` is 2 right / (claims labelled + claims told by the checker): a claim it tells where
    there is none counts against it. The accuracies are over the claims found.
    """
    cases = [judged(case, check) for case in labelled_cases(part)]
    weights = resamples(range(len(cases)), samples, np.random.default_rng([seed, 19]))
    rights = 2 * _counts(cases, _is_right)
    told = np.array([case.spurious + len(case.verdicts) for case in cases]) + _counts(cases, _is_found)
    return {
        f"checker/{part}/strict_micro_f1": share(rights, told, weights, NO_CLAIM),
        **{
            f"checker/{part}/{name}": share(
                _counts(cases, test, whole), _counts(cases, whole), weights, NO_CLAIM
            )
            for name, (test, whole) in SHARES.items()
        },
    }


def _counts(cases: Sequence[Judged], *tests: Test) -> np.ndarray:
    """For each case the labelled claims for which all tests hold."""
    return np.array([sum(all(test(*pair) for test in tests) for pair in case.verdicts) for case in cases])
