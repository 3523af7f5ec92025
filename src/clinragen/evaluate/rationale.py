"""Are the reasons true? Claims against the chart, likeness to the teacher, and the swap test."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics import BLEU

from clinragen.clinical.answer import parse_answer
from clinragen.evaluate.bootstrap import Estimate, Statistic, bootstrap, share
from clinragen.evaluate.metrics import NO_STAY, Values, Weights
from clinragen.evaluate.scores import Scores
from clinragen.grounding.backing import BACKED
from clinragen.grounding.checker import Checker
from clinragen.schema import VERDICTS, Claim, Part, Prediction, Stay, Verdict

PARTS: tuple[Part, ...] = ("note", "series")
NO_CLAIM = "the texts make no such claim"
NO_TEACHER = "the teacher wrote nothing for these stays"


@dataclass(frozen=True, slots=True)
class CheckedRationale:
    """The two texts of a rationale and their claims, each claim a span of its own text."""

    texts: Mapping[Part, str]
    claims: Mapping[Part, tuple[Claim, ...]]

    def about(self, part: Part) -> list[Claim]:
        """The claims that this part of the chart decides, in whichever text they stand."""
        return [claim for found in self.claims.values() for claim in found if claim.about == part]


def check_rationale(texts: Mapping[Part, str], stay: Stay, checker: Checker) -> CheckedRationale:
    """Check both texts of a rationale against a stay."""
    return CheckedRationale(texts, {part: checker.check(texts[part], stay) for part in PARTS})


def check_prediction(prediction: Prediction, stay: Stay, checker: Checker) -> CheckedRationale:
    """Check what a student wrote of a stay; an unparsed text has no rationale and so no claims."""
    return check_rationale(rationale_texts(prediction.text), stay, checker)


def rationale_texts(text: str) -> dict[Part, str]:
    """The two rationales in what a student wrote."""
    answer = parse_answer(text)
    return {"note": answer.note, "series": answer.series}


def claim_scores(prefix: str, checked: Sequence[CheckedRationale], weights: Weights) -> Scores:
    """Shares of claims by verdict, and how many claims a stay has.

    `<prefix>/rationale/series_supported` and so on; n is the claims. `note_stated_<verdict>` leaves out
    inferences ("suggests pneumonia"), which no chart can support; `inference_backed` is the share of these
    for which there is a fact.
    """
    kinds = {
        "series": [rationale.about("series") for rationale in checked],
        "note": [rationale.about("note") for rationale in checked],
        "note_stated": [[c for c in rationale.about("note") if not is_inference(c)] for rationale in checked],
    }
    return {
        f"{prefix}/rationale/inference_backed": _inferences_backed(checked, weights),
        **{
            f"{prefix}/rationale/{name}": estimate
            for kind, claims in kinds.items()
            for name, estimate in _kind_scores(kind, claims, weights).items()
        },
    }


def _inferences_backed(checked: Sequence[CheckedRationale], weights: Weights) -> Estimate:
    """The share of inferences for which the knowledge base holds a fact; n is the inferences."""
    drawn = [[claim for claim in each.about("note") if is_inference(claim)] for each in checked]
    backed = np.array([sum(claim.reason == BACKED for claim in claims) for claims in drawn])
    return share(backed, np.array([len(claims) for claims in drawn]), weights, NO_CLAIM)


def is_inference(claim: Claim) -> bool:
    """Whether a claim concludes instead of reporting."""
    return claim.verdict == "unverifiable" and "inference" in claim.reason


def swap_scores(
    prefix: str,
    predictions: Sequence[Prediction],
    donors: Sequence[Stay],
    own: Sequence[Stay],
    weights: Weights,
    checker: Checker,
) -> Scores:
    """What series claims follow when a stay is shown the series of another one, its donor.

    `<prefix>/rationale/swap_follows` is the share of series claims the donor's measurements support,
    `swap_own` the share that the stay's own would. Weights are by the stay's own patient.
    """
    return {
        f"{prefix}/rationale/{name}": _by_verdict(
            [
                check_prediction(p, stay, checker.of_rules).about("series")
                for p, stay in zip(predictions, charts, strict=True)
            ],
            weights,
        )["supported"]
        for name, charts in (("swap_follows", donors), ("swap_own", own))
    }


def likeness_scores(
    prefix: str,
    predictions: Sequence[Prediction],
    teacher: Mapping[str, Mapping[Part, str]],
    weights: Weights,
) -> Scores:
    """Corpus BLEU (0 to 1) and mean ROUGE-L against the teacher's text of the same stay."""
    places = [place for place, p in enumerate(predictions) if p.stay_id in teacher]
    written = [_joined(rationale_texts(predictions[place].text)) for place in places]
    meant = [_joined(teacher[predictions[place].stay_id]) for place in places]
    kept = weights[:, places]
    return {
        f"{prefix}/rationale/bleu": bootstrap(_bleu(written, meant), kept, NO_TEACHER, n=len(places)),
        f"{prefix}/rationale/rouge_l": bootstrap(_rouge_l(written, meant), kept, NO_TEACHER, n=len(places)),
    }


def _kind_scores(kind: str, claims: Sequence[Sequence[Claim]], weights: Weights) -> Scores:
    counts = np.array([len(found) for found in claims], float)
    shares = {f"{kind}_{verdict}": estimate for verdict, estimate in _by_verdict(claims, weights).items()}
    return {**shares, f"{kind}_claims": share(counts, np.ones(len(counts)), weights, NO_STAY)}


def _by_verdict(claims: Sequence[Sequence[Claim]], weights: Weights) -> dict[Verdict, Estimate]:
    """The share of each verdict."""
    counts = np.array([len(found) for found in claims])
    return {
        verdict: share(
            np.array([sum(claim.verdict == verdict for claim in found) for found in claims]),
            counts,
            weights,
            NO_CLAIM,
        )
        for verdict in VERDICTS
    }


def _joined(texts: Mapping[Part, str]) -> str:
    return " ".join(texts[part] for part in PARTS if texts.get(part))


def _bleu(written: Sequence[str], meant: Sequence[str]) -> Statistic:
    """The sums behind BLEU add up over texts, so a resample needs no text to be read again."""
    scorer = BLEU()
    counted = [scorer.corpus_score([said], [[right]]) for said, right in zip(written, meant, strict=True)]
    sums = np.array([[*c.counts, *c.totals, c.sys_len, c.ref_len] for c in counted], float).reshape(-1, 10)

    def statistic(weights: Weights) -> Values:
        return np.array([_bleu_of(row) for row in weights @ sums])

    return statistic


def _bleu_of(sums: np.ndarray) -> float:
    whole = [round(value) for value in sums.tolist()]
    found = BLEU.compute_bleu(whole[:4], whole[4:8], whole[8], whole[9], smooth_method="exp")
    return float(found.score) / 100


def _rouge_l(written: Sequence[str], meant: Sequence[str]) -> Statistic:
    scorer = RougeScorer(["rougeL"])
    scores = [
        scorer.score(right, said)["rougeL"].fmeasure for said, right in zip(written, meant, strict=True)
    ]
    values = np.array(scores, float)
    return lambda weights: weights @ values / weights.sum(1)
