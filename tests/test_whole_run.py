"""The whole story at the smallest size: it runs, it says what it skips, and a kill changes nothing."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tiny_entailment import save_sure

SMALL = """
name = "small"
[source]
stays = 160
shards = 2
[model]
vocabulary = 600
width = 16
layers = 1
heads = 2
feed_forward = 16
series_width = 8
target_tokens = 48
[distill]
batch = 4
evidence_steps = 10
note_steps = 8
series_steps = 6
joint_steps = 8
checkpoint_every = 2
[evaluate]
stays = 16
bootstrap = 10
swap_stays = 6
cases = 1
decodings = ["readable", "judged", "grounded"]
grounded_samples = 2
[engine]
workers = 1
threads = 1
"""
STEPS = ("ingest", "cohort", "knowledge", "teach", "distill", "evaluate")


def recipe_in(folder: Path) -> Path:
    path = folder / "small.toml"
    path.write_text(SMALL)
    return path


def start(recipe: Path, runs: Path, *overrides: str) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-c",
        "from clinragen.cli import main; main()",
        "run",
        str(recipe),
        f"runs={runs}",
        *overrides,
    ]
    return subprocess.Popen(
        command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )


def finish(recipe: Path, runs: Path, *overrides: str) -> str:
    process = start(recipe, runs, *overrides)
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 0, said
    return said


def outputs(runs: Path) -> dict[str, dict[str, str]]:
    return {
        step: json.loads((runs / "small" / step / "manifest.json").read_text())["outputs"] for step in STEPS
    }


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed")
    said = finish(recipe_in(folder), folder / "runs")
    assert "report.html" in said
    assert "clinragen diagnose" in said
    return folder


def test_a_run_ends_in_a_report_with_the_promised_numbers(undisturbed: Path) -> None:
    metrics = json.loads((undisturbed / "runs/small/evaluate/metrics.json").read_text())
    promised = {
        "held_out/diagnosis/micro_f1",
        "held_out/recall/series_only",
        "ceiling/recall/series_only",
        "held_out/rationale/series_supported",
        "held_out/rationale/swap_follows",
        "baseline/tfidf_gbdt/micro_f1",
    }
    assert promised <= set(metrics)
    assert all({"value", "low", "high", "n"} <= set(row) for row in metrics.values())


def test_a_second_run_skips_every_step_and_says_so(undisturbed: Path) -> None:
    said = finish(undisturbed / "small.toml", undisturbed / "runs")
    assert said.count("complete, skipped") >= len(STEPS)


def test_a_trained_student_diagnoses_a_case_file(undisturbed: Path) -> None:
    from clinragen.evaluate.diagnose import diagnose_case

    run = undisturbed / "runs/small"
    case = next((run / "evaluate" / "cases").glob("*.json"))
    said = diagnose_case(run, case)
    assert len(said["probabilities"]) == 25
    assert {"diagnoses", "text", "rationale", "facts"} <= set(said)
    assert said["checker"] == "rules only"


OWN_LABELS = """
[[label]]
name = "heart failure"
title = "Congestive heart failure"
synonyms = ["CHF"]
ccs = [108]
[[label]]
name = "kidney injury"
title = "Acute kidney failure"
icd9 = ["584"]
icd10 = ["N17"]
[[label]]
name = "given heparin"
title = "Given heparin"
meds = ["DRUG//Heparin"]
"""


@pytest.mark.slow
def test_a_run_may_have_labels_of_its_own(tmp_path: Path) -> None:
    from clinragen.errors import RunError
    from clinragen.evaluate.diagnose import diagnose_case
    from clinragen.model.checkpoint import load_student

    recipe, keys = recipe_in(tmp_path), ("cohort.labels=labels.toml", "engine.workers=2")
    (tmp_path / "labels.toml").write_text(OWN_LABELS)
    said = start(recipe, tmp_path / "runs", *keys).communicate(timeout=300)[0]
    assert "kidney injury: 0 facts, 8 are needed" in said and "knowledge.min_facts" in said
    finish(recipe, tmp_path / "runs", *keys, "knowledge.min_facts=0")
    run = tmp_path / "runs/small"
    metrics = json.loads((run / "evaluate/metrics.json").read_text())
    assert {name.split("/")[3] for name in metrics if name.startswith("held_out/diagnosis/label/")} == {
        "heart_failure",
        "kidney_injury",
        "given_heparin",
    }
    assert "held_out/recall/series_only" not in metrics
    case = next((run / "evaluate/cases").glob("*.json"))
    assert set(diagnose_case(run, case)["probabilities"]) == {
        "heart failure",
        "kidney injury",
        "given heparin",
    }
    with pytest.raises(RunError, match="trained for other labels"):
        load_student(run / "distill" / "student")
    assert finish(recipe, tmp_path / "runs", *keys, "knowledge.min_facts=0").count(
        "complete, skipped"
    ) == len(STEPS)
    (tmp_path / "labels.toml").write_text(OWN_LABELS.replace('"584"', '"585"'))
    said = finish(recipe, tmp_path / "runs", *keys, "knowledge.min_facts=0")
    assert "ingest: complete, skipped" in said and "cohort: done" in said


@pytest.mark.slow
def test_a_run_with_an_entailment_model_says_so_wherever_it_checks(undisturbed: Path, tmp_path: Path) -> None:
    from clinragen.evaluate.diagnose import diagnose_case

    run = shutil.copytree(undisturbed / "runs", tmp_path / "runs") / "small"
    model = save_sure(tmp_path / "tiny-nli", {"entailment": 0.95})
    said = finish(recipe_in(tmp_path), tmp_path / "runs", f"grounding.model={model}")
    assert "knowledge: complete, skipped" in said and "teach: done" in said
    report = (run / "evaluate" / "report.md").read_text()
    assert "Verdicts by: rules, and tiny-nli (sha256 " in report
    metrics, before = (
        json.loads((each / "small/evaluate/metrics.json").read_text())
        for each in (tmp_path / "runs", undisturbed / "runs")
    )
    # A model that says yes to all takes contradicted claims of the labelled cases for supported.
    name = "checker/plain/contradicted_called_supported"
    assert metrics[name]["value"] > before[name]["value"]
    told = diagnose_case(run, next((run / "evaluate" / "cases").glob("*.json")))
    assert told["checker"].startswith("rules, and tiny-nli")


@pytest.mark.slow
def test_a_run_killed_again_and_again_ends_as_an_undisturbed_one(undisturbed: Path, tmp_path: Path) -> None:
    recipe = recipe_in(tmp_path)
    for seconds in (3, 5, 7, 9, 11, 13):
        process = start(recipe, tmp_path / "runs")
        time.sleep(seconds)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    finish(recipe, tmp_path / "runs")
    assert outputs(tmp_path / "runs") == outputs(undisturbed / "runs")


@pytest.mark.slow
def test_two_processes_share_the_training_and_the_first_does_the_rest(
    undisturbed: Path, tmp_path: Path
) -> None:
    recipe, runs = recipe_in(tmp_path), tmp_path / "runs"
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "clinragen"]
    command = [sys.executable, *launch, "run", str(recipe), f"runs={runs}"]
    done = subprocess.run(command, text=True, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("report.html") == 1
    assert done.stdout.count("evaluate: done") == 1
    expected, found = outputs(undisturbed / "runs"), outputs(runs)
    assert [step for step in STEPS if found[step] == expected[step]] == list(STEPS[:4])
    assert set(found["evaluate"]) == set(expected["evaluate"])
    shared, alone = (
        [json.loads(line) for line in (folder / "small/distill/log.jsonl").read_text().splitlines()]
        for folder in (runs, undisturbed / "runs")
    )
    for losses, of_one in zip(shared, alone, strict=True):
        assert losses == pytest.approx(of_one, abs=1.1e-5)
