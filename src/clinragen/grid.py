"""A grid of runs: one recipe, several variants, several seeds, one table with intervals over the seeds.

A grid file names a recipe, the seeds, and for each variant the keys that differ (`model.series_as = "text"`).
Steps that a variant shares with a run already made are taken from it, not run again.
"""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import nan, sqrt
from pathlib import Path
from statistics import mean, stdev

from scipy.stats import t as student_t

from clinragen.errors import RecipeError
from clinragen.evaluate.scores import Scores, read_scores
from clinragen.recipe import Recipe
from clinragen.recipe_file import read_recipe
from clinragen.steps import STEPS, Step, borrow_step, run_folder
from clinragen.store import write_json, write_text

CONFIDENCE = 0.95
MEASURES: Mapping[str, tuple[str, ...]] = {
    "micro-F1": ("held_out/diagnosis/micro_f1",),
    "less the joined baseline": ("difference/student_vs_tfidf_gbdt/micro_f1",),
    "recall, series only": ("held_out/recall/series_only",),
    "less the ceiling": ("held_out/recall/series_only", "ceiling/recall/series_only"),
    "swap follows": ("held_out/rationale/swap_follows",),
    "series claims supported": ("held_out/rationale/series_supported",),
    "note claims supported": ("held_out/rationale/note_stated_supported",),
}
"""What the table tells: a score, or one less another."""


@dataclass(frozen=True, slots=True)
class Grid:
    """The recipe of every variant and seed, variants in the order of the file."""

    name: str
    recipes: Mapping[str, Sequence[Recipe]]


def read_grid(path: Path, overrides: Sequence[str] = ()) -> Grid:
    """Read a grid file; raises RecipeError where it, its recipe or a variant cannot be read."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
        base, seeds, variants = values["recipe"], values["seeds"], values["variants"]
    except (OSError, tomllib.TOMLDecodeError, KeyError) as fault:
        raise RecipeError(
            f"{path} is no grid file",
            expected='recipe = "...", seeds = [0, 1, 2] and a table [variants.NAME] for each variant',
            found=f"{type(fault).__name__}: {fault}",
        ) from None
    return Grid(
        path.stem,
        {
            name: [
                read_recipe(
                    path.parent / base,
                    [*overrides, *keys_of(altered), f"seed={seed}", f'name="{path.stem}.{name}.{seed}"'],
                )
                for seed in seeds
            ]
            for name, altered in variants.items()
        },
    )


def keys_of(altered: Mapping[str, object], before: str = "") -> list[str]:
    """The keys of a variant as overrides: `{model: {series_as: text}}` -> `model.series_as="text"`."""
    told = []
    for key, value in altered.items():
        if isinstance(value, Mapping):
            told += keys_of(value, f"{before}{key}.")
        else:
            word = str(value).lower() if isinstance(value, bool) else repr(value).replace("'", '"')
            told.append(f"{before}{key}={word}")
    return told


def run_grid(grid: Grid, run_step: Callable[[Step, Recipe], None]) -> Path:
    """Run all that is not complete, and write `<grid>.md` and `<grid>.json` beside the runs."""
    made: list[Path] = []
    for recipes in grid.recipes.values():
        for recipe in recipes:
            for step in STEPS:
                borrow_step(step, recipe, made)
                run_step(step, recipe)
            made.append(run_folder(recipe))
    folder = made[0].parent
    rows = {name: _measured([_scores(recipe) for recipe in rs]) for name, rs in grid.recipes.items()}
    write_json(folder / f"{grid.name}.json", rows)
    write_text(folder / f"{grid.name}.md", table(grid.name, rows))
    return folder / f"{grid.name}.md"


Measured = dict[str, list[float]]
"""Measure -> its value with each seed; NaN where a run has none."""


def _scores(recipe: Recipe) -> Scores:
    return read_scores(run_folder(recipe) / "evaluate" / "metrics.json")


def _measured(of_seeds: Sequence[Scores]) -> Measured:
    return {title: [_value(scores, names) for scores in of_seeds] for title, names in MEASURES.items()}


def _value(scores: Scores, names: Sequence[str]) -> float:
    if any(name not in scores for name in names):
        return nan
    first, *others = (scores[name].value for name in names)
    return first - sum(others)


def table(title: str, rows: Mapping[str, Measured]) -> str:
    """A Markdown table: means over the seeds with 95% intervals, and less the first variant, seed by seed."""
    first = next(iter(rows.values()))
    seeds = len(next(iter(first.values())))
    lines = [
        f"# {title}",
        "",
        f"Mean over {seeds} seeds, 95% interval by Student's t; below each, what it has more than the first "
        "variant, seed by seed.",
        "",
        f"| variant | {' | '.join(MEASURES)} |",
        f"| --- |{' ---: |' * len(MEASURES)}",
    ]
    for name, measured in rows.items():
        lines.append(f"| {name} | {' | '.join(interval(values) for values in measured.values())} |")
        if measured is not first:
            gaps = [[a - b for a, b in zip(measured[m], first[m], strict=True)] for m in MEASURES]
            lines.append(f"| … less {next(iter(rows))} | {' | '.join(interval(g, True) for g in gaps)} |")
    return "\n".join(lines) + "\n"


def interval(values: Sequence[float], is_signed: bool = False) -> str:
    """A mean with its interval over few independent values."""
    form = "{:+.3f}" if is_signed else "{:.3f}"
    if any(value != value for value in values):
        return "–"
    middle = mean(values)
    if len(values) < 2:
        return form.format(middle)
    half = float(student_t.ppf((1 + CONFIDENCE) / 2, len(values) - 1)) * stdev(values) / sqrt(len(values))
    return f"{form.format(middle)} [{form.format(middle - half)}, {form.format(middle + half)}]"
