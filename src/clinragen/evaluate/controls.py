"""Controls that are students of their own: taught or shown something else, otherwise alike."""

from collections.abc import Mapping
from pathlib import Path

from clinragen.distill.loop import Tell
from clinragen.distill.run import facts_of, set_operating_point, teach_student
from clinragen.distill.targets import lessons
from clinragen.model.batch import examples
from clinragen.model.checkpoint import CONFIG, load_student, save_student
from clinragen.model.student import Student
from clinragen.recipe import Distill, Recipe
from clinragen.store import read_stays

STEPS = ("note_steps", "series_steps", "joint_steps")

CONTROLS: Mapping[str, tuple[str, str, str]] = {
    "label_only": ("distill", "lessons", "label_only"),
    "shuffled_rationales": ("distill", "lessons", "shuffled"),
    "series_as_text": ("model", "series_as", "text"),
    "series_as_both": ("model", "series_as", "both"),
    "no_knowledge": ("model", "knowledge", "none"),
    "shuffled_knowledge": ("model", "knowledge", "shuffled"),
}
"""How the recipe of each control differs: section, key, value."""


def control_student(name: str, recipe: Recipe, run: Path, progress: Tell) -> Student:
    """The student of one control, trained in `evaluate/<name>/` unless it is there already."""
    folder = run / "evaluate" / name
    if (folder / CONFIG).exists():
        return load_student(folder)

    def tell(what: str, done: int, total: int) -> None:
        progress(f"control {name}, {what}", done, total)

    taught, facts = lessons(run, "train"), facts_of(run)
    student, _ = teach_student(control_recipe(name, recipe), run, taught, facts, folder / "checkpoints", tell)
    tuning = read_stays(run / "cohort" / "stays", "tuning")
    shown = examples(tuning, [""] * len(tuning), student.tokenizer, student.settings, student.hours)
    set_operating_point(student, shown)
    save_student(student, folder)
    return student


def control_recipe(name: str, recipe: Recipe) -> Recipe:
    """The recipe of a control: one key differs, and the steps are so many as controls get."""
    section, key, value = CONTROLS[name]
    shortened = recipe.model_copy(
        update={"distill": _shortened(recipe.distill, recipe.evaluate.control_share)}
    )
    altered = getattr(shortened, section).model_copy(update={key: value})
    return shortened.model_copy(update={section: altered})


def _shortened(distill: Distill, share: float) -> Distill:
    """The same three stages with a share of the steps each, and no preferences."""
    fewer = {name: round(share * getattr(distill, name)) for name in STEPS}
    return distill.model_copy(update=fewer | {"preference_steps": 0})
