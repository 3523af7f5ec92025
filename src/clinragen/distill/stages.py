"""The three stages, as three values (Niu et al., ACL 2025, section 3; repaired as docs/notebook.md tells).

The paper's first stage sees the note alone, and its second trains the series encoder under a frozen
language model that has never seen a finding; measured, that stage teaches the text nothing. Here stage 1
also shows the true findings as pseudo tokens, so that stage 2 only has to hit them.
"""

from dataclasses import dataclass
from typing import Literal

from clinragen.recipe import Distill, Recipe

Trains = Literal["language", "series", "attention", "head"]
Optimiser = Literal["muon", "adamw"]


@dataclass(frozen=True, slots=True)
class Stage:
    """What one stage trains, what it sees, and what its loss is made of.

    `pseudo` is the share of steps that see true findings instead of the series encoder's tokens, unless
    `shows_series` is false and the note is all there is; `reading`
    the share of cheap steps that show findings or note alone and ask for that part alone, so that they are
    read and not guessed from the diagnoses.
    """

    name: str
    steps: int
    trains: tuple[Trains, ...]
    rate: float
    matrix_rate: float
    series_rate: float
    pseudo: float
    shows_note: bool
    shows_series: bool
    reading: float
    text_weight: float
    head_weight: float
    align_weight: float
    batch: int
    batch_pieces: int
    precision: str
    optimiser: Optimiser
    preference_beta: float = 0.0


def stages(recipe: Recipe) -> tuple[Stage, ...]:
    """The stages of a recipe: note, series, joint, and preference where it is asked for."""
    three = _note(recipe.distill), _series(recipe), _joint(recipe)
    return (*three, _preference(recipe.distill)) if recipe.distill.preference_steps else three


def _note(distill: Distill) -> Stage:
    return Stage(
        name="note",
        steps=distill.note_steps,
        trains=("language", "head"),
        rate=distill.note_rate,
        matrix_rate=distill.matrix_rate,
        series_rate=distill.series_rate,
        pseudo=1.0,
        shows_note=True,
        shows_series=distill.findings_first,
        reading=distill.reading_share,
        text_weight=1.0,
        head_weight=distill.head_weight,
        align_weight=0.0,
        batch=distill.batch,
        batch_pieces=distill.batch_pieces,
        precision=distill.precision,
        optimiser=distill.optimiser,
    )


def _series(recipe: Recipe) -> Stage:
    """Fact-wise attention learns from the alignment alone and the language model is not even run.

    The paper's token bag has no states to align with and learns through the frozen language model, from the
    series alone, and so does a student without alignment. One that reads the series as text alone has
    nothing to learn here.
    """
    steps = recipe.distill.series_steps if recipe.model.series_as != "text" else 0
    aligned = recipe.model.attention == "facts" and recipe.distill.align_weight > 0
    return Stage(
        name="series",
        steps=steps,
        trains=("series",),
        rate=0.0,
        matrix_rate=0.0,
        series_rate=recipe.distill.series_rate,
        pseudo=0.0,
        shows_note=aligned,
        shows_series=True,
        reading=0.0,
        text_weight=0.0 if aligned else 1.0,
        head_weight=0.0,
        align_weight=1.0 if aligned else 0.0,
        batch=2 * recipe.distill.batch if aligned else recipe.distill.batch,
        batch_pieces=recipe.distill.batch_pieces,
        precision=recipe.distill.precision,
        optimiser=recipe.distill.optimiser,
    )


def _joint(recipe: Recipe) -> Stage:
    distill = recipe.distill
    return Stage(
        name="joint",
        steps=distill.joint_steps,
        trains=("language", "series" if distill.joint_series_encoder else "attention", "head"),
        rate=distill.joint_rate,
        matrix_rate=distill.matrix_rate * distill.joint_rate / distill.note_rate,
        series_rate=distill.series_rate,
        pseudo=distill.pseudo_share,
        shows_note=True,
        shows_series=True,
        reading=distill.reading_share,
        text_weight=1.0,
        head_weight=distill.head_weight,
        align_weight=distill.align_weight if recipe.model.series_as != "text" else 0.0,
        batch=distill.batch,
        batch_pieces=distill.batch_pieces,
        precision=distill.precision,
        optimiser=distill.optimiser,
    )


def _preference(distill: Distill) -> Stage:
    """The language model alone learns which of two texts is better grounded."""
    return Stage(
        name="preference",
        steps=distill.preference_steps,
        trains=("language",),
        rate=distill.preference_rate,
        matrix_rate=distill.matrix_rate * distill.preference_rate / distill.note_rate,
        series_rate=distill.series_rate,
        pseudo=0.0,
        shows_note=True,
        shows_series=True,
        reading=0.0,
        text_weight=0.0,
        head_weight=0.0,
        align_weight=0.0,
        batch=distill.batch,
        batch_pieces=0,
        precision=distill.precision,
        optimiser=distill.optimiser,
        preference_beta=distill.preference_beta,
    )
