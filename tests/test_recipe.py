from pathlib import Path

import pytest

from clinragen.errors import RecipeError
from clinragen.recipe import Recipe
from clinragen.recipe_file import read_recipe


def written(folder: Path, text: str) -> Path:
    path = folder / "r.toml"
    path.write_text(text)
    return path


def test_every_recipe_of_the_project_can_be_read() -> None:
    recipes = sorted((Path(__file__).parent.parent / "recipes").glob("*.toml"))
    assert {read_recipe(path).name for path in recipes} == {path.stem for path in recipes}


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    path = written(tmp_path, 'name = "x"\n[cohort]\nhuors = 3\nmask = "all"\n[distill]\nbatch = 0\n')
    with pytest.raises(RecipeError) as told:
        read_recipe(path)
    assert all(
        word in str(told.value)
        for word in ("cohort.huors", "did you mean 'hours'", "cohort.mask", "distill.batch")
    )


def test_an_override_replaces_a_value(tmp_path: Path) -> None:
    recipe = read_recipe(
        written(tmp_path, 'name = "x"'), ["cohort.hours=24", "source.kind=eicu", "model.series_as='both'"]
    )
    assert (recipe.cohort.hours, recipe.source.kind, recipe.model.series_as) == (24, "eicu", "both")


@pytest.mark.parametrize("override", ["cohort.hours", "nothing.at.all=1", "seed.x=1", "cohort=3"])
def test_an_override_that_fits_nowhere_is_one_clear_error(tmp_path: Path, override: str) -> None:
    with pytest.raises(RecipeError):
        read_recipe(written(tmp_path, 'name = "x"\nseed = 1'), [override])


def test_a_recipe_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    written(tmp_path, 'name = "x"')
    with pytest.raises(RecipeError, match=r"r\.toml"):
        read_recipe(tmp_path / "other.toml")


def test_broken_toml_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="not a TOML file"):
        read_recipe(written(tmp_path, "name = "))


def test_the_source_lies_beside_the_recipe(tmp_path: Path) -> None:
    recipe = read_recipe(written(tmp_path, 'name = "x"\n[source]\nkind = "mimic3"\npath = "data"'))
    assert recipe.source.path == str(tmp_path / "data")


def test_the_model_of_the_checker_lies_beside_the_recipe(tmp_path: Path) -> None:
    path = written(tmp_path, 'name = "x"\n[grounding]\nmodel = "nli"')
    assert read_recipe(path).grounding.model == str(tmp_path / "nli")
    assert read_recipe(written(tmp_path, 'name = "x"')).grounding.model == ""


def test_every_key_is_explained() -> None:
    sections = [
        field.annotation
        for field in Recipe.model_fields.values()
        if hasattr(field.annotation, "model_fields")
    ]
    unexplained = [
        (section.__name__, key)
        for section in sections
        for key, f in section.model_fields.items()
        if not f.description
    ]
    assert unexplained == []
