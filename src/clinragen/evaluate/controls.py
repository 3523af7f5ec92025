"""Controls that are students of their own: taught or shown something else, otherwise alike."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clinragen.clinical.answer import answer_of
from clinragen.distill.loop import Tell
from clinragen.distill.run import facts_of, set_operating_point, teach_student
from clinragen.distill.targets import Lesson, lessons
from clinragen.model.batch import examples
from clinragen.model.checkpoint import load_student, save_student
from clinragen.model.student import Student
from clinragen.recipe import Distill, Recipe
from clinragen.store import read_stays

STEPS = ("note_steps", "series_steps", "joint_steps")


@dataclass(frozen=True, slots=True)
class Control:
    """How a control differs: settings of its model, and what each lesson becomes."""

    lesson: Callable[[Lesson], Lesson]
    model: Mapping[str, Any] = field(default_factory=dict)


def answer_only(lesson: Lesson) -> Lesson:
    """The lesson without its rationales."""
    return Lesson(lesson.stay, answer_of(lesson.stay.diagnoses or ()))


CONTROLS: Mapping[str, Control] = {
    "label_only": Control(answer_only),
    "series_as_text": Control(lambda lesson: lesson, {"series_as": "text"}),
}


def control_student(name: str, recipe: Recipe, run: Path, progress: Tell) -> Student:
    """The student of one control, trained in `evaluate/<name>/` unless it is there already."""
    folder = run / "evaluate" / name
    if (folder / "student.json").exists():
        return load_student(folder)
    control = CONTROLS[name]
    altered = recipe.model_copy(
        update={
            "distill": _shortened(recipe.distill, recipe.evaluate.control_share),
            "model": recipe.model.model_copy(update=dict(control.model)),
        }
    )
    taught = [control.lesson(lesson) for lesson in lessons(run, "train")]

    def tell(what: str, done: int, total: int) -> None:
        progress(f"control {name}, {what}", done, total)

    student, _ = teach_student(altered, taught, facts_of(run), folder / "checkpoints", tell)
    tuning = read_stays(run / "cohort" / "stays", "tuning")
    shown = examples(tuning, [""] * len(tuning), student.tokenizer, student.settings, student.hours)
    set_operating_point(student, shown)
    save_student(student, folder)
    return student


def _shortened(distill: Distill, share: float) -> Distill:
    """The same stages with a share of the steps each."""
    return distill.model_copy(update={name: round(share * getattr(distill, name)) for name in STEPS})
