"""Predict once: what the student says of the held_out stays, in full and with a part withheld.

Every variant is a Parquet file in `evaluate/predictions/`, so that a killed run goes on where it was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from clinragen.distill.loop import Tell
from clinragen.distill.run import use_threads
from clinragen.errors import RecipeError
from clinragen.evaluate.controls import control_student
from clinragen.evaluate.decodings import writings
from clinragen.evaluate.matching import matched
from clinragen.model.batch import Example, examples, without_note, without_series
from clinragen.model.checkpoint import load_student
from clinragen.model.generate import FREELY, Withhold, Writing, predict
from clinragen.model.student import Student
from clinragen.model.t5 import T5Backbone
from clinragen.recipe import Recipe
from clinragen.schema import Prediction, Stay
from clinragen.store import read_predictions, read_stays, write_predictions

CONTROLS: dict[str, Withhold] = {"note_only": without_series, "series_only": without_note}
"""The same student with a part of its input withheld."""
ANSWER_PIECES = 80
"""Enough for any set of diagnoses; the rationale of a control is not scored and not waited for."""


@dataclass(frozen=True, slots=True)
class Predicted:
    """All predictions of a run. `swap[i]` is of `swapped[i]`, given the series of `donors[i]`.

    `decodings` holds the drafts of each other way to write.
    """

    held_out: list[Stay]
    tuning: list[Stay]
    student: list[Prediction]
    student_tuning: list[Prediction]
    controls: dict[str, list[Prediction]]
    decodings: dict[str, list[list[Prediction]]]
    swap: list[Prediction]
    swapped: list[Stay]
    donors: list[Stay]


def predict_all(recipe: Recipe, run: Path, progress: Tell) -> Predicted:
    """Every prediction the report needs, from `evaluate/predictions/` where it is already there."""
    use_threads(recipe)
    stays = run / "cohort" / "stays"
    held_out = _some(read_stays(stays, "held_out"), recipe.evaluate.stays, recipe.seed)
    tuning = read_stays(stays, "tuning")
    student = load_student(run / "distill" / "student")
    set_writer(student, recipe.evaluate.writer)
    work = _Work(recipe, run / "evaluate" / "predictions", student, progress)
    shown = _shown(student, held_out)
    pairs = swap_pairs(held_out, recipe.evaluate.swap_stays, recipe.seed)
    return Predicted(
        held_out=held_out,
        tuning=tuning,
        student=work.predictions("student", shown),
        student_tuning=work.predictions("tuning", _shown(student, tuning), longest=_for_chances(student)),
        controls={
            **{name: work.predictions(name, shown, hide, ANSWER_PIECES) for name, hide in CONTROLS.items()},
            **_trained_controls(recipe, run, held_out, work),
        },
        decodings={
            name: [
                work.predictions(f"{name}-{draw}", shown, writing=writing)
                for draw, writing in enumerate(writings(name, recipe.evaluate, recipe.seed))
            ]
            for name in recipe.evaluate.decodings
        },
        swap=work.predictions("swap", [_with_series_of(shown[i], shown[j]) for i, j in pairs]),
        swapped=[held_out[i] for i, _ in pairs],
        donors=[held_out[j] for _, j in pairs],
    )


def set_writer(student: Student, writer: str) -> None:
    """Let ONNX Runtime write where the recipe asks for it; RecipeError for a backbone that is no T5."""
    if writer == "transformers":
        return
    if not isinstance(student.backbone, T5Backbone):
        raise RecipeError(f'evaluate.writer = "{writer}" writes what a T5 would', fix='take "transformers"')
    try:
        from clinragen.model.onnx_writer import OnnxWriter
    except ImportError:
        raise RecipeError(f'evaluate.writer = "{writer}"', fix='pip install "clinragen[fast]"') from None
    student.backbone.writer = OnnxWriter(student.backbone, PRECISIONS[writer])


PRECISIONS: Mapping[str, Literal["fp32", "short_notes", "int8"]] = {
    "onnx": "fp32",
    "onnx_short_notes": "short_notes",
    "onnx_int8": "int8",
}


def _for_chances(student: Student) -> int:
    """How many pieces must be written to know the probabilities: none where there is a head."""
    return 0 if student.settings.judgement == "head" else ANSWER_PIECES


@dataclass(frozen=True, slots=True)
class _Work:
    recipe: Recipe
    folder: Path
    student: Student
    progress: Tell

    def predictions(
        self,
        name: str,
        shown: Sequence[Example],
        hide: Withhold = lambda whole: whole,
        longest: int | None = None,
        writing: Writing = FREELY,
    ) -> list[Prediction]:
        """Predictions of one variant, made once."""
        path = self.folder / f"{name}.parquet"
        if not path.exists():

            def tell(done: int, total: int) -> None:
                self.progress(f"writing ({name})", done, total)

            batch = self.recipe.evaluate.batch
            weighs = self.recipe.evaluate.text_chances == "likelihood"
            made = predict(self.student, shown, name, batch, hide, longest, tell, writing, weighs)
            write_predictions(path, made)
        return self.read(path)

    def read(self, path: Path) -> list[Prediction]:
        """Predictions as they were written, their names matched by likeness where the recipe asks for it."""
        found, by = read_predictions(path), self.recipe.evaluate.matching
        return matched(found, by) if by else found


def _shown(student: Student, stays: Sequence[Stay]) -> list[Example]:
    return examples(stays, [""] * len(stays), student.tokenizer, student.settings, student.hours)


def _some(stays: list[Stay], most: int, seed: int) -> list[Stay]:
    """All stays, or a random `most` of them in their order."""
    if most == 0 or len(stays) <= most:
        return stays
    chosen = np.random.default_rng([seed, 3]).choice(len(stays), most, replace=False)
    return [stays[i] for i in sorted(chosen.tolist())]


def swap_pairs(stays: Sequence[Stay], most: int, seed: int) -> list[tuple[int, int]]:
    """Pairs (stay, donor) of different patients, both with measurements; each stay at most once."""
    measured = [i for i, stay in enumerate(stays) if stay.measurements]
    order = np.random.default_rng([seed, 5]).permutation(measured).tolist()
    turned = order[1:] + order[:1]
    pairs = zip(order, turned, strict=True)
    return [(i, j) for i, j in pairs if stays[i].subject_id != stays[j].subject_id][:most]


def _with_series_of(own: Example, donor: Example) -> Example:
    return replace(own, series=donor.series, states=donor.states)


def _trained_controls(
    recipe: Recipe, run: Path, held_out: list[Stay], work: _Work
) -> dict[str, list[Prediction]]:
    """What students say that were taught or shown something else."""
    found: dict[str, list[Prediction]] = {}
    for name in recipe.evaluate.controls:
        path = work.folder / f"{name}.parquet"
        if not path.exists():
            student = control_student(name, recipe, run, work.progress)
            own = replace(work, student=student)
            own.predictions(name, _shown(student, held_out), longest=ANSWER_PIECES)
        found[name] = work.read(path)
    return found
