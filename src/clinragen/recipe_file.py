"""A recipe read from its TOML file and the command line; unknown keys and values are told all at once."""

import difflib
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from clinragen.errors import RecipeError
from clinragen.recipe import Recipe


def read_recipe(path: Path, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe file and apply `section.key=value` overrides, or raise with every fault at once."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = ", ".join(sorted(str(found) for found in path.parent.glob("*.toml"))) or "no recipe there"
        raise RecipeError(f"no recipe at {path}", found=known, fix="give the path of a recipe file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise RecipeError(f"{path} is not a TOML file", found=str(fault), fix="mend the line named") from None
    for override in overrides:
        _apply(values, override)
    try:
        recipe = Recipe.model_validate(values)
    except ValidationError as faults:
        raise RecipeError(f"{path}: " + "\n".join(_tell(fault) for fault in faults.errors())) from None
    return _with_path_beside(recipe, path.parent)


def _apply(values: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals:
        raise RecipeError(f"cannot read {override!r}", expected="section.key=value", found=override)
    *sections, last = key.strip().split(".")
    for section in sections:
        values = values.setdefault(section, {})
        if not isinstance(values, dict):
            raise RecipeError(
                f"cannot read {override!r}", expected="section.key=value", found=f"{section} is no section"
            )
    try:
        values[last] = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        values[last] = text


def _tell(fault: Any) -> str:
    place = [str(part) for part in fault["loc"]]
    name = ".".join(place)
    if fault["type"] != "extra_forbidden":
        return f"{name}: {fault['msg']}, found {fault.get('input')!r}"
    known = recipe_keys(".".join(place[:-1]))
    close = difflib.get_close_matches(place[-1], known, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"unknown key {name!r}{hint} Known here: {', '.join(known)}"


def recipe_keys(section: str = "") -> list[str]:
    """The keys of a section, or of the top level."""
    model: Any = Recipe
    for part in filter(None, section.split(".")):
        field = model.model_fields.get(part)
        if field is None or not hasattr(field.annotation, "model_fields"):
            raise RecipeError(f"no section {section!r} in a recipe", expected=", ".join(Recipe.model_fields))
        model = field.annotation
    return list(model.model_fields)


def _with_path_beside(recipe: Recipe, folder: Path) -> Recipe:
    """Read the paths of inputs relative to the recipe file, so that a recipe works from anywhere."""
    for section, keys in _PATHS.items():
        read = getattr(recipe, section)
        beside = {key: _beside(folder, path) for key in keys if (path := getattr(read, key))}
        recipe = recipe.model_copy(update={section: read.model_copy(update=beside)})
    return recipe


def _beside(folder: Path, path: str) -> str:
    """A path as it is from here; the file of a database too (`duckdb:///cdm.duckdb`), other addresses not."""
    scheme, mark, place = path.partition(":///")
    if mark and scheme in _IN_A_FILE:
        return f"{scheme}:///{folder / place}"
    return path if "://" in path else str(folder / path)


_IN_A_FILE = ("duckdb", "sqlite")
_PATHS = {
    "source": ("path", "codes"),
    "cohort": ("labels",),
    "knowledge": ("primekg_file", "folder"),
    "grounding": ("model",),
    "evaluate": ("matching",),
}
