"""The checker of a run cites the facts of that run, and says what decided."""

import hashlib
import json
from pathlib import Path

import pytest

from clinragen.evaluate.checker import all_checker_scores
from clinragen.evaluate.rationale import check_rationale, claim_scores
from clinragen.evaluate.report.context import ReportContext
from clinragen.evaluate.report.render import write_report
from clinragen.grounding.backing import BACKED
from clinragen.grounding.checker import Checker, checker_of_run, settings_of_run
from clinragen.grounding.claims import check
from clinragen.grounding.run import check_case
from clinragen.recipe import Grounding
from clinragen.schema import Fact
from clinragen.store import write_json, write_nouns
from evaluate.invented_answers import plain_weights
from patients import measured, stay
from tiny_entailment import save_sure

CHART = stay(measured("lactate", 4.0, 5.0), note="HPI: Fever and rigors.")
SAID = "Lactate is high, suggesting COPD."
IMPORTED = Fact(
    "pubmed-1", "A raised lactate is seen in COPD.", ("COPD",), "An invented paper", "lactate", "high"
)
SENSIBLE = {"entailment": 0.95}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run whose knowledge base holds one imported fact."""
    write_nouns(tmp_path / "run" / "knowledge" / "facts.jsonl", [IMPORTED])
    return tmp_path / "run"


def test_a_fact_that_a_run_imported_is_cited(run: Path):
    assert check(SAID, CHART)[1].reason != BACKED
    _, inference = checker_of_run(Grounding(), run).check(SAID, CHART)
    assert (inference.verdict, inference.reason) == ("unverifiable", BACKED)
    assert inference.evidence == ("fact pubmed-1: A raised lactate is seen in COPD. (An invented paper)",)


def test_a_fact_that_a_run_does_not_have_is_not_cited(run: Path):
    told = "Lactate is high, suggesting septicemia."
    assert check(told, CHART)[1].reason == BACKED
    assert checker_of_run(Grounding(), run).check(told, CHART)[1].reason != BACKED


def test_the_share_of_backed_inferences_is_by_the_facts_of_the_run(run: Path):
    texts = {"note": "", "series": SAID}
    shares = [
        claim_scores("x", [check_rationale(texts, CHART, checker)], plain_weights(1))
        for checker in (Checker(), checker_of_run(Grounding(), run))
    ]
    assert [found["x/rationale/inference_backed"].value for found in shares] == [0, 1]


def test_without_a_run_a_checker_is_the_plain_function():
    assert Checker().check(SAID, CHART) == check(SAID, CHART)
    assert Checker().name == "rules only"


def test_a_model_is_named_with_the_hash_of_its_weights(run: Path, tmp_path: Path):
    model = save_sure(tmp_path / "tiny-nli", SENSIBLE)
    whole = hashlib.sha256((model / "model.safetensors").read_bytes()).hexdigest()
    checker = checker_of_run(Grounding(model=str(model), threshold=0.8), run)
    assert checker.name == f"rules, and tiny-nli (sha256 {whole[:12]}), believed from 0.8"
    assert checker.of_rules.name == "rules only"


def test_the_report_says_what_decided(run: Path, tmp_path: Path):
    checker = checker_of_run(Grounding(model=str(save_sure(tmp_path / "tiny-nli", SENSIBLE))), run)
    for each in (Checker(), checker):
        write_report(tmp_path, ReportContext("bare", "eicu", 0, {}, checker=each.name))
        for name in ("report.html", "report.md"):
            assert f"Verdicts by: {each.name}." in (tmp_path / name).read_text()


def test_the_error_in_the_report_is_that_of_the_checker_given():
    silent = all_checker_scores(10, 0, lambda _text, _stay: ())
    assert silent["checker/plain/found"].value == silent["checker/paraphrased/found"].value == 0


def test_a_finished_run_tells_how_it_was_checked(tmp_path: Path):
    assert settings_of_run(tmp_path) == Grounding()
    for step, threshold in (("teach", 0.7), ("evaluate", 0.8)):
        settings = Grounding(threshold=threshold)
        write_json(tmp_path / step / "manifest.json", {"recipe": {"grounding": settings.model_dump()}})
        assert settings_of_run(tmp_path) == settings
    write_json(tmp_path / "evaluate" / "manifest.json", {"recipe": {}})
    assert settings_of_run(tmp_path).threshold == 0.7


def test_a_case_can_be_checked_with_a_model(tmp_path: Path):
    path, model = tmp_path / "case.json", save_sure(tmp_path / "tiny-nli", SENSIBLE)
    case = {"case_id": "c", "prediction_time": "2130-01-02T00:00:00", "note": "Tends three hives."}
    path.write_text(json.dumps({**case, "measurements": [], "rationale": "She keeps bees."}))
    assert check_case(path)["counts"]["unverifiable"] == 1
    told = check_case(path, Grounding(model=str(model)))
    assert told["counts"]["supported"] == 1
    assert told["checker"].startswith("rules, and tiny-nli (sha256 ")
