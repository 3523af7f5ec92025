"""A checkpoint to be used elsewhere: what it holds, and when it is refused."""

import json
from pathlib import Path

import pytest

from clinragen.errors import RunError
from clinragen.evaluate.bootstrap import Estimate
from clinragen.evaluate.export import (
    CARD,
    LEAST_SWAP,
    PROVENANCE,
    SWAP,
    export_run,
    from_pretrained,
    push_to_hub,
)
from clinragen.evaluate.scores import write_scores
from clinragen.model.batch import examples
from clinragen.model.checkpoint import save_student
from clinragen.model.generate import predict
from clinragen.recipe import Recipe
from clinragen.store import MANIFEST, write_json, write_text
from model.small import SETTINGS, STAYS, small_student

SECTIONS = {
    "ingest": ("source",), "cohort": ("source", "cohort"), "knowledge": ("knowledge",), "teach": ("teach",),
    "distill": ("model", "distill"), "evaluate": ("evaluate",),
}  # fmt: skip
COUNTS = {
    "cohort": {"splits": {"held_out": 9}, "labels": {"shock": 1}},
    "knowledge": {"facts": 2, "version": "abc"},
    "distill": {"parameters": 7, "lessons": 3},
    "evaluate": {"held_out": 9},
}


def finished_run(folder: Path, swap: float, credentialed: bool = False) -> Path:
    """The files of a run that an export reads."""
    recipe = Recipe.model_validate({"name": "t", "source": {"credentialed": credentialed}})
    for step, sections in SECTIONS.items():
        told = {name: getattr(recipe, name).model_dump() for name in sections}
        values = {"version": "1", "seed": 0, "recipe": told, "counts": COUNTS.get(step, {})}
        write_json(folder / step / MANIFEST, values)
    save_student(small_student(), folder / "distill" / "student")
    write_text(folder / "knowledge" / "facts.jsonl", "{}\n")
    write_scores(folder / "evaluate" / "metrics.json", {SWAP: Estimate(swap, swap - 0.01, swap + 0.01, 20)})
    return folder


def test_an_exported_student_says_what_the_trained_one_says(tmp_path: Path) -> None:
    run = finished_run(tmp_path / "run", LEAST_SWAP)
    export_run(run, tmp_path / "out")
    student = small_student().eval()
    shown = examples(STAYS, [""] * 3, student.tokenizer, SETTINGS, 48)
    assert predict(from_pretrained(str(tmp_path / "out")), shown, "m", 2) == predict(student, shown, "m", 2)


def test_it_comes_with_recipe_labels_facts_and_a_card_of_its_scores(tmp_path: Path) -> None:
    export_run(finished_run(tmp_path / "run", 0.972), tmp_path / "out")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "labels.csv", "facts.jsonl"} <= names
    origin = json.loads((tmp_path / "out" / PROVENANCE).read_text())
    assert set(origin["recipe"]) == {name for sections in SECTIONS.values() for name in sections}
    card = (tmp_path / "out" / CARD).read_text()
    assert "0.972 [0.962, 0.982]" in card
    assert "version abc" in card
    assert "Warning" not in card


def test_a_student_that_does_not_follow_its_series_is_refused(tmp_path: Path) -> None:
    run = finished_run(tmp_path / "run", 0.77)
    with pytest.raises(RunError, match="does not follow the series"):
        export_run(run, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_exported_even_so_its_card_warns(tmp_path: Path) -> None:
    export_run(finished_run(tmp_path / "run", 0.77), tmp_path / "out", even_so=True)
    assert "Warning: this student does not follow the series" in (tmp_path / "out" / CARD).read_text()


def test_a_swap_score_that_is_no_number_is_no_pass(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="does not follow the series"):
        export_run(finished_run(tmp_path / "run", float("nan")), tmp_path / "out")


def test_what_learnt_from_credentialed_records_is_not_pushed_without_an_agreement(tmp_path: Path) -> None:
    export_run(finished_run(tmp_path / "run", 0.98, credentialed=True), tmp_path / "out")
    assert "Credentialed records" in (tmp_path / "out" / CARD).read_text()
    with pytest.raises(RunError, match="credentialed"):
        push_to_hub(tmp_path / "out", "someone/student")


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    run = finished_run(tmp_path / "run", 0.98)
    (tmp_path / "out").mkdir()
    with pytest.raises(RunError, match="there already"):
        export_run(run, tmp_path / "out")
