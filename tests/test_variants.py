"""A grid: variants and seeds of one recipe, shared steps made once, one table."""

import math
from pathlib import Path

import pytest

from clinragen.errors import RecipeError
from clinragen.grid import MEASURES, interval, keys_of, read_grid, run_grid, table
from clinragen.steps import run_step
from test_whole_run import SMALL

GRID = """
recipe = "small.toml"
seeds = [0, 1]
[variants.staged]
[variants.joint]
distill.note_steps = 0
model.name_embedding = false
"""


def grid_in(folder: Path, text: str = GRID) -> Path:
    (folder / "small.toml").write_text(SMALL)
    path = folder / "numbers.toml"
    path.write_text(text)
    return path


def test_a_variant_differs_from_the_recipe_in_its_keys_alone(tmp_path: Path) -> None:
    grid = read_grid(grid_in(tmp_path))
    staged, joint = grid.recipes["staged"][1], grid.recipes["joint"][1]
    assert (staged.seed, joint.seed) == (1, 1)
    assert staged.name == "numbers.staged.1"
    assert (joint.distill.note_steps, joint.model.name_embedding) == (0, False)
    assert joint.evaluate == staged.evaluate


def test_keys_of_a_variant_are_overrides() -> None:
    altered = {"model": {"series_as": "text", "width": 8}, "distill": {"findings_first": False}}
    assert keys_of(altered) == ['model.series_as="text"', "model.width=8", "distill.findings_first=false"]


@pytest.mark.parametrize("text", ["", "seeds = [0]", "recipe = 3 = 4", GRID.replace("seeds", "seed")])
def test_a_file_that_is_no_grid_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(RecipeError, match="is no grid file"):
        read_grid(grid_in(tmp_path, text))


def test_an_unknown_key_of_a_variant_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="joint_step"):
        read_grid(grid_in(tmp_path, GRID.replace("note_steps", "joint_step")))


def test_an_interval_over_seeds_is_that_of_student() -> None:
    assert interval([0.5, 0.6, 0.7]) == "0.600 [0.352, 0.848]"
    assert interval([0.5]) == "0.500"
    assert interval([0.1, 0.1, 0.1], is_signed=True) == "+0.100 [+0.100, +0.100]"
    assert interval([0.5, math.nan]) == "–"


def test_differences_are_taken_seed_by_seed() -> None:
    rows = {name: dict.fromkeys(MEASURES, values) for name, values in (("a", [0.1, 0.9]), ("b", [0.2, 1.0]))}
    told = table("t", rows).splitlines()[-1]
    assert told.startswith("| … less a | +0.100 [+0.100, +0.100]")


@pytest.mark.slow
def test_shared_steps_are_made_once_and_the_table_tells_every_variant(tmp_path: Path) -> None:
    ran: list[str] = []

    def run(step, recipe) -> None:
        if run_step(step, recipe, lambda *_: None):
            ran.append(step.name)

    path = grid_in(tmp_path, GRID.replace("seeds = [0, 1]", "seeds = [0]"))
    told = run_grid(read_grid(path, [f'runs="{tmp_path}/runs"']), run).read_text()
    assert ran.count("ingest") == ran.count("teach") == 1
    assert ran.count("distill") == ran.count("evaluate") == 2
    assert "| staged |" in told
    assert "| joint |" in told
