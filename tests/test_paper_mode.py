"""Paper mode: every row of the paper's protocol, its faults included, and a run of it from end to end."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from transformers import BertConfig, BertModel, BertTokenizerFast

from clinragen.clinical.answer import compose_answer, parse_answer
from clinragen.clinical.diagnoses import diagnosis_names
from clinragen.clinical.paper_series import anomalies, fenced_grid, fenced_variables
from clinragen.cohort.hospital_course import course_of, plain_words
from clinragen.distill.optimiser import paper_schedule
from clinragen.distill.stages import stages
from clinragen.errors import RecipeError
from clinragen.evaluate.matching import Matcher, matched
from clinragen.model.batch import PARTS
from clinragen.model.series_encoder import PatchEncoder
from clinragen.recipe_file import read_recipe
from clinragen.schema import Prediction
from clinragen.steps import STEPS, run_step
from clinragen.store import read_predictions
from patients import measured, stay

RECIPES = Path(__file__).parents[1] / "recipes"
PAPER = [RECIPES / "paper-mimic3.toml", RECIPES / "paper-mimic4.toml"]


@pytest.mark.parametrize("path", PAPER, ids=lambda path: path.stem)
def test_the_recipe_is_the_protocol_of_the_paper(path: Path) -> None:
    recipe = read_recipe(path)
    assert recipe.cohort.train + recipe.cohort.tuning == 0.8
    assert recipe.cohort.note == "hospital_course"
    assert (recipe.model.attention, recipe.model.series) == ("tokens", "scrambled_patches")
    assert (recipe.model.note_tokens, recipe.model.target_tokens, recipe.model.beams) == (1600, 500, 2)
    note, series, joint = stages(recipe)
    assert (note.trains, series.trains) == (("language", "head"), ("series",))
    assert joint.trains == ("language", "attention", "head")
    assert (note.rate, series.series_rate, joint.rate) == (2e-5, 5e-5, 2e-5)
    assert (note.shows_note, note.shows_series) == (True, False)
    assert (series.shows_note, series.shows_series, series.text_weight) == (False, True, 1.0)
    assert {stage.batch for stage in (note, series, joint)} == {12}
    assert {stage.optimiser for stage in (note, series, joint)} == {"adamw"}
    assert {stage.precision for stage in (note, series, joint)} == {"fp32"}


def test_the_eleven_variables_are_judged_by_fences_and_what_is_absent_is_called_normal() -> None:
    hours = measured("heart rate", 150, 130, 100, 30)
    told = anomalies(stay(hours, "", []))
    assert len(fenced_variables()) == 11
    assert "heart rate is lower than normal 1 times; heart rate is higher than normal 2 times" in told
    assert "weight is normal all the time" in told


def test_temperature_meets_its_fences_in_celsius() -> None:
    grid = fenced_grid(stay(measured("temperature", 101.4), "", []))
    place = [row.variable for row in fenced_variables()].index("temperature")
    (value,) = grid[~np.isnan(grid[:, place]), place]
    assert value == pytest.approx((38.5556 - 36.78) / 1.78, abs=1e-3)


def cells(is_scrambled: bool) -> torch.Tensor:
    """The patches of a grid whose cells hold their own (hour, variable)."""
    encoder = PatchEncoder(11, 1000, 8, 16, is_scrambled)
    grid = torch.arange(11000.0).reshape(1, 1000, 11)
    return encoder.patches(grid)[0].reshape(125, 11, 8)


def test_a_patch_holds_eight_hours_of_every_variable() -> None:
    shown = cells(is_scrambled=False)
    for patch, variable in ((0, 0), (3, 10), (124, 5)):
        hours = shown[patch, variable] // 11
        assert hours.tolist() == list(range(8 * patch, 8 * patch + 8))
        assert (shown[patch, variable] % 11 == variable).all()


def test_scrambled_as_in_the_research_code_one_cell_in_forty_is_where_it_belongs() -> None:
    assert (cells(is_scrambled=True) == cells(is_scrambled=False)).float().mean() == pytest.approx(
        0.023, abs=0.001
    )


def test_the_papers_text_is_read_as_ours_is() -> None:
    text = compose_answer({"shock", "stroke"}, "Mottled knees.", "Lactate is high.", "paper")
    assert text == "### Disease Diagnosed: stroke,shock. ### Rationale: Mottled knees. Lactate is high."
    assert parse_answer(text).diagnoses == {"shock", "stroke"}
    assert parse_answer(text).note == "Mottled knees. Lactate is high."
    none = compose_answer((), "Well.", "", "paper")
    assert none == "### Disease Diagnosed: no specific disease was identified. ### Rationale: Well."
    assert parse_answer(none).diagnoses == frozenset()
    assert parse_answer("### Disease Diagnosed: gout. ### Rationale: x").diagnoses is None


def test_stage_two_of_the_paper_learns_the_diagnoses_and_the_rationale_of_the_series() -> None:
    text = compose_answer({"shock"}, "Mottled knees.", "Lactate is high.")
    assert (
        PARTS["paper"]["series_part"](text) == "### Disease Diagnosed: shock. ### Rationale: Lactate is high."
    )


def test_the_rate_warms_up_and_follows_half_a_cosine() -> None:
    assert paper_schedule(0, 2000) == pytest.approx(1 / 200)
    assert paper_schedule(200, 2000) == 1
    assert paper_schedule(1100, 2000) == pytest.approx(0.5)


NOTE = """Chief Complaint:
Dyspnea
Brief Hospital Course:
The patient was treated for sepsis.
12
# CHF: He was diuresed.
Medications on Admission:
Aspirin
"""


def test_the_hospital_course_ends_where_another_section_begins() -> None:
    assert course_of(NOTE).splitlines() == [
        "The patient was treated for sepsis.",
        "12",
        "# CHF: He was diuresed.",
    ]
    assert course_of("Chief Complaint:\nDyspnea") == ""


def test_lines_of_digits_and_stop_words_go() -> None:
    assert plain_words(course_of(NOTE)) == "patient treated sepsis.\n# CHF: diuresed."


@pytest.fixture(scope="module")
def sentence_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sentence encoder made here: random weights, so that a name is like itself and its spellings."""
    folder = tmp_path_factory.mktemp("encoder")
    letters = sorted({letter for name in diagnosis_names() for letter in name.lower()} | set("xyz"))
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters)]
    (folder / "vocab.txt").write_text("\n".join(words))
    BertTokenizerFast(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(0)
    shape = BertConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
    )
    BertModel(shape).save_pretrained(folder)
    return folder


def test_a_name_written_otherwise_counts_as_the_label_it_is_like(sentence_encoder: Path) -> None:
    by = Matcher(sentence_encoder)
    cosine = by.vectors(["SHOCK"]) @ by.labels.T
    assert diagnosis_names()[int(cosine.argmax())] == "shock"
    assert by.labels_like(("SHOCK",)) == {"shock"}
    texts = ["### Disease Diagnosed: SHOCK. ### Rationale: Cold.", "nothing of the kind"]
    first, second = matched([Prediction("a", {}, text, "m") for text in texts], str(sentence_encoder))
    assert parse_answer(first.text).diagnoses == {"shock"}
    assert first.probabilities["shock"] == 1 and sum(first.probabilities.values()) == 1
    assert second.text == "nothing of the kind"


def test_a_missing_encoder_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"evaluate\.matching"):
        Matcher(tmp_path)


OVERRIDES = [
    'name="paper"', 'source.kind="synthetic"', 'source.path=""', "source.stays=60", "source.shards=2",
    "source.credentialed=false", "cohort.hours=48", 'cohort.note="charted"', 'teach.kind="scripted"',
    'model.backbone="t5-demo"', "model.vocabulary=600", "model.width=16", "model.layers=1", "model.heads=2",
    "model.feed_forward=16", "model.note_tokens=128", "model.target_tokens=40", "distill.batch=4",
    "distill.note_steps=3", "distill.series_steps=3", "distill.joint_steps=3", "evaluate.stays=6",
    "evaluate.bootstrap=10", "evaluate.swap_stays=2", "evaluate.cases=1", "evaluate.controls=[]",
    "engine.workers=1", "engine.threads=1",
]  # fmt: skip


def test_paper_mode_runs_from_records_to_a_report(tmp_path: Path, sentence_encoder: Path) -> None:
    """On the simulated hospital with its scripted teacher, which has notes but no discharge summaries."""
    recipe = read_recipe(
        PAPER[0], [*OVERRIDES, f'runs="{tmp_path}"', f'evaluate.matching="{sentence_encoder}"']
    )
    for step in STEPS:
        run_step(step, recipe, lambda *_: None)
    scores = json.loads((tmp_path / "paper" / "evaluate" / "metrics.json").read_text())
    assert "held_out/diagnosis/micro_f1" in scores
    texts = [
        p.text for p in read_predictions(tmp_path / "paper" / "evaluate" / "predictions" / "student.parquet")
    ]
    assert len(texts) == 6
    assert "paper mode" in (tmp_path / "paper" / "evaluate" / "report.md").read_text()
    log = pl.read_ndjson(tmp_path / "paper" / "distill" / "log.jsonl")
    assert log["head"].sum() == log["align"].sum() == 0
