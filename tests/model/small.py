"""A student small enough for a test: width 16, one layer."""

import torch

from clinragen.clinical.variables import variables
from clinragen.model.batch import Batch, collate, examples
from clinragen.model.checkpoint import new_student
from clinragen.model.student import Student
from clinragen.recipe import Model
from clinragen.schema import Fact, Stay
from patients import measured, stay

SETTINGS = Model(
    vocabulary=400, width=16, layers=1, heads=2, feed_forward=16, series_width=8, target_tokens=16
)
FACTS = [
    Fact("f1", "High lactate speaks for shock.", ("shock",), "a book", variable="lactate", level="high"),
    Fact(
        "f2",
        "High potassium speaks for AKI.",
        ("acute kidney injury",),
        "a book",
        variable="potassium",
        level="high",
    ),
]
STAYS = [
    stay(measured("lactate", 4.0, 5.0, 6.0), "HPI: mottled knees.", ["shock"], "a", 1),
    stay(measured("potassium", 4.0, 4.1), "HPI: well, without complaints of any kind today.", [], "b", 2),
    stay([], "HPI: no labs were drawn.", ["stroke"], "c", 3),
]
TEXTS = [
    "Diagnoses: shock. Note: Mottled knees. Series: Lactate is high and rising.",
    "Diagnoses: none.",
    "Diagnoses: stroke.",
]


def small_student(settings: Model = SETTINGS, seed: int = 0) -> Student:
    """An untrained student."""
    words = [*TEXTS, *variables(), "4.5", "normal high low at times and rising falling yes no"] * 3
    return new_student(settings, FACTS, words, hours=48, seed=seed)


def small_batch(student: Student, stays: list[Stay] = STAYS, texts: list[str] = TEXTS) -> Batch:
    """The stays above as a batch."""
    return collate(examples(stays, texts, student.tokenizer, student.settings, student.hours))


def logits(student: Student, batch: Batch) -> torch.Tensor:
    """What the head says."""
    with torch.no_grad():
        return student.encode(batch, student.read_series(batch)).logits
