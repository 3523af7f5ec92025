"""Diagnose stays: free text, probabilities, and the facts the series attended to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from clinragen.clinical.answer import parse_answer
from clinragen.clinical.diagnoses import diagnosis_names
from clinragen.clinical.findings import STATES
from clinragen.model.answering import JudgedAnswer, ReadableAnswer
from clinragen.model.batch import Batch, Example, collate
from clinragen.model.naming import chances_of_naming
from clinragen.model.once import EachSentenceOnce
from clinragen.model.rules import Rule
from clinragen.model.student import Encoded, Student
from clinragen.schema import Prediction

Withhold = Callable[[Batch], Batch]
AnswerRule = Literal["free", "readable", "judged"]
READ_ENOUGH = 0.05
"""A fact counts as used if it received at least this share of a variable's attention."""


@dataclass(frozen=True, slots=True)
class FactUse:
    """One fact the series attended to, from which variable, and with what share."""

    fact_id: str
    variable: str
    share: float


@dataclass(frozen=True, slots=True)
class Writing:
    """How texts are written: the answer freely, so that it can be read, or as judged; drawn above 0."""

    answer: AnswerRule = "free"
    temperature: float = 0.0
    seed: int = 0


FREELY = Writing()


@torch.no_grad()
def predict(
    student: Student,
    chosen: Sequence[Example],
    model_id: str,
    batch: int,
    withhold: Withhold = lambda whole: whole,
    longest: int | None = None,
    done: Callable[[int, int], None] = lambda *_: None,
    writing: Writing = FREELY,
    weighs_names: bool = False,
) -> list[Prediction]:
    """Predictions in the order given; `withhold` hides a part of the input (a control).

    Where no head judges, probabilities are 1 and 0 as the text tells, or of each name if `weighs_names`.
    Texts have at most `longest` pieces (the recipe's limit where None); with 0 there are probabilities only,
    which is much faster.
    """
    student.eval()
    limit = student.settings.target_tokens if longest is None else longest
    order = sorted(range(len(chosen)), key=lambda i: len(chosen[i].note))
    found: dict[int, Prediction] = {}
    for start in range(0, len(order), batch):
        places = order[start : start + batch]
        shown = withhold(collate([chosen[i] for i in places])).to(student.device)
        torch.manual_seed(writing.seed + start)
        made = _predict(student, shown, model_id, limit, writing, weighs_names)
        found.update(zip(places, made, strict=True))
        done(len(found), len(chosen))
    return [found[i] for i in range(len(chosen))]


def _predict(
    student: Student, shown: Batch, model_id: str, longest: int, writing: Writing, weighs_names: bool
) -> list[Prediction]:
    encoded = student.encode(shown, student.read_series(shown))
    texts = _write(student, encoded, longest, writing) if longest else [""] * len(shown.stay_ids)
    if student.settings.judgement == "head":
        chances: Any = encoded.logits.sigmoid()
    else:
        chances = chances_of_naming(student, encoded, texts) if weighs_names else _told(texts)
    return [
        Prediction(stay_id, dict(zip(diagnosis_names(), _rounded(row), strict=True)), text.strip(), model_id)
        for stay_id, row, text in zip(shown.stay_ids, chances, texts, strict=True)
    ]


def _told(texts: Sequence[str]) -> list[list[float]]:
    """1 for what a text names and 0 for the rest: all a student has to say of chances that has no head."""
    sets = [parse_answer(text).diagnoses or frozenset() for text in texts]
    return [[float(name in named) for name in diagnosis_names()] for named in sets]


def _write(student: Student, encoded: Encoded, longest: int, writing: Writing) -> list[str]:
    once = EachSentenceOnce(student.tokenizer) if student.settings.each_sentence_once else None
    rules = [*_answer_rules(student, encoded, writing), *([once] if once else [])]
    written = student.backbone.write(
        encoded.context,
        encoded.mask,
        longest,
        beams=1 if writing.temperature else student.settings.beams,
        rules=rules,
        temperature=writing.temperature,
    ).tolist()
    if once:
        written = [once.without_repeats(row) for row in written]
    texts: list[str] = student.tokenizer.batch_decode(written, skip_special_tokens=True)
    return texts


def _answer_rules(student: Student, encoded: Encoded, writing: Writing) -> list[Rule]:
    if writing.answer == "free":
        return []
    if writing.answer == "readable":
        return [ReadableAnswer(student.tokenizer)]
    names = np.array(diagnosis_names())
    judged = (encoded.logits + student.operating_point > 0).cpu().numpy()
    return [JudgedAnswer(student.tokenizer, [names[row].tolist() for row in judged])]


@torch.no_grad()
def label_logits(student: Student, chosen: Sequence[Example], batch: int) -> Float[Tensor, "stay label"]:
    """The logits of the head alone, without writing."""
    student.eval()
    rows = []
    for start in range(0, len(chosen), batch):
        shown = collate(chosen[start : start + batch]).to(student.device)
        rows.append(student.encode(shown, student.read_series(shown)).logits)
    return torch.cat(rows).cpu()


@torch.no_grad()
def facts_used(student: Student, example: Example) -> list[FactUse]:
    """Which facts the series of one stay attended to, strongest first; none for the token bag."""
    shown = collate([example]).to(student.device)
    attention = student.read_series(shown).attention
    if attention is None:
        return []
    uses = [
        FactUse(fact_id, student.rows.variables[variable], round(float(attention[0, variable, row]), 4))
        for variable in torch.nonzero(shown.has_series[0]).flatten().tolist()
        for row, fact_id in enumerate(student.rows.fact_ids, start=len(STATES))
        if attention[0, variable, row] >= READ_ENOUGH
    ]
    return sorted(uses, key=lambda use: (-use.share, use.variable, use.fact_id))


def _rounded(row: Any) -> list[float]:
    return [round(float(p), 6) for p in row]
