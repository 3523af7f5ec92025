"""A disk that runs full: one clear error, and the same command goes on once there is room."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from clinragen.errors import RunError
from clinragen.recipe_file import read_recipe
from clinragen.steps import STEPS, run_step


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 300 kB, where the machine lets one be mounted."""
    place = tmp_path / "small"
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", place], capture_output=True)
    if made.returncode:
        pytest.skip("no file system may be mounted here")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_full_disk_is_one_clear_error_and_the_run_goes_on_later(small_disk: Path, tmp_path: Path) -> None:
    recipe_file = tmp_path / "r.toml"
    recipe_file.write_text(f'name = "r"\nruns = "{small_disk}"\n[source]\nkind = "synthetic"\nstays = 400\n')
    recipe = read_recipe(recipe_file, ["engine.workers=1"])
    with pytest.raises(RunError, match="no room left where"):
        run_step(STEPS[0], recipe, lambda *_: None)
    subprocess.run(["mount", "-o", "remount,size=50m", small_disk], check=True)
    assert run_step(STEPS[0], recipe, lambda *_: None)
