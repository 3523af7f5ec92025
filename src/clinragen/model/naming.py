"""Probabilities of a student without a head: how likely was each name where it could have stood?

An answer names diagnoses in table order, so it decides on them one after the other. With the names it wrote
before a diagnosis as given, that diagnosis is named next, or a later one, or the answer ends; its probability
is that of the first among these. Every note is read once, whatever the number of names that are weighed.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from clinragen.clinical.answer import answer_of, parse_answer
from clinragen.clinical.diagnoses import diagnosis_names
from clinragen.model.backbone import IGNORED
from clinragen.model.student import Encoded, Student
from clinragen.model.text import pieces

Chances = Float[Tensor, " label"]


def chances_of_naming(student: Student, encoded: Encoded, texts: Sequence[str]) -> list[Chances]:
    """The probability of each diagnosis to be named, for stays as read and the texts written of them.

    A text that cannot be read is taken as one that names nothing.
    """
    named = [parse_answer(text).diagnoses or frozenset() for text in texts]
    return [_chances(student, encoded, stay, chosen) for stay, chosen in enumerate(named)]


def _chances(student: Student, encoded: Encoded, stay: int, chosen: frozenset[str]) -> Chances:
    """The names written divide the table; within each stretch what was named before is the same."""
    names = diagnosis_names()
    marks = [-1, *(place for place, name in enumerate(names) if name in chosen), len(names) - 1]
    chances = torch.zeros(len(names))
    for before, last in pairwise(marks):
        given = [name for name in names[: before + 1] if name in chosen]
        likely = _likelihoods(student, encoded, stay, given, names[before + 1 :])
        later = likely.flip(0).logcumsumexp(0).flip(0)
        stretch = slice(before + 1, last + 1)
        chances[stretch] = (likely - later).exp()[: last - before]
    return chances


def _likelihoods(
    student: Student, encoded: Encoded, stay: int, given: Sequence[str], names: Sequence[str]
) -> Float[Tensor, " choice"]:
    """The log-probability that each name comes after those given, and last that the answer ends there."""
    layout = student.settings.layout
    answers = [answer_of([*given, name], layout).removesuffix(".") for name in names]
    written = [pieces(student.tokenizer, answer) for answer in (*answers, answer_of(given, layout))]
    targets = pad_sequence([torch.tensor(row) for row in written], True, float(IGNORED)).to(student.device)
    place = slice(stay, stay + 1)
    return student.backbone.likelihoods(encoded.context[place], encoded.mask[place], targets).cpu()
