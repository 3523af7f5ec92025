"""The step `teach`: every shard once, every text judged, the same bytes however it was run."""

import json
from pathlib import Path
from typing import Any

import pytest

from clinragen.errors import EndpointError, RunError
from clinragen.knowledge.run import run as write_knowledge
from clinragen.recipe import Recipe
from clinragen.schema import Rationale, Stay
from clinragen.store import begin_step, hash_outputs, read_nouns, write_stays
from clinragen.teach import shard as shard_module
from clinragen.teach.run import run
from local_endpoint import GOOD, completion, serving
from patients import measured, stay


def silent(what: str, done: int, total: int) -> None:
    pass


def recipe(**teach: Any) -> Recipe:
    return Recipe.model_validate({"name": "t", "teach": teach, "engine": {"workers": 1}})


def patients() -> list[Stay]:
    splits = ("train", "train", "train", "tuning", "held_out", "train")
    return [
        stay(
            measured("creatinine", 1.5, 2.0, 3.0 + number),
            note="HPI: Reports orthopnea.",
            diagnoses=["heart failure"],
            stay_id=f"s{number}",
            subject_id=number,
            split=split,
        )
        for number, split in enumerate(splits)
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_knowledge(recipe(), tmp_path, silent)
    for number, part in enumerate((patients()[:3], patients()[3:])):
        write_stays(tmp_path / "cohort" / "stays" / f"shard-{number:03}.parquet", part)
    return tmp_path


def rationales(folder: Path) -> list[Rationale]:
    shards = sorted((folder / "teach" / "rationales").glob("*.jsonl"))
    return [each for shard in shards for each in read_nouns(shard, Rationale)]


def test_every_stay_of_every_split_has_a_rationale_in_both_parts(folder: Path):
    verdicts = run(recipe(), folder, silent)
    found = {(each.stay_id, each.part) for each in rationales(folder)}
    assert found == {(f"s{number}", part) for number in range(6) for part in ("note", "series")}
    assert verdicts["series"]["asked"] == verdicts["series"]["kept"] == 6
    assert verdicts["series"]["claims"]["supported"] == 6
    assert verdicts == json.loads((folder / "teach" / "verdicts.json").read_text())


def test_only_training_stays_are_left_out_where_fewer_are_asked_for(folder: Path):
    # 4 of 6 stays are for training: 2 of them, the tuning and the held_out one remain.
    assert run(recipe(stays=2), folder, silent)["note"]["asked"] == 4
    assert {"s3", "s4"} < {each.stay_id for each in rationales(folder)}


def test_a_finished_shard_is_not_asked_again_and_a_lost_one_is_written_alike(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    run(recipe(), folder, silent)
    before = hash_outputs(folder / "teach")
    (folder / "teach" / "rationales" / "shard-001.jsonl").unlink()
    asked: list[str] = []
    read = shard_module.read_stay_shard
    monkeypatch.setattr(
        shard_module, "read_stay_shard", lambda path: (asked.append(path.name), read(path))[1]
    )
    run(recipe(), folder, silent)
    assert asked == ["shard-001.parquet"]
    assert hash_outputs(folder / "teach") == before


def test_the_number_of_workers_changes_no_byte(folder: Path):
    run(recipe(), folder, silent)
    before = hash_outputs(folder / "teach")
    for path in (folder / "teach" / "rationales").iterdir():
        path.unlink()
    run(
        recipe().model_copy(update={"engine": recipe().engine.model_copy(update={"workers": 2})}),
        folder,
        silent,
    )
    assert hash_outputs(folder / "teach") == before


def test_a_stay_whose_diagnoses_are_unknown_is_rejected_not_guessed(folder: Path):
    unknown = stay(measured("sodium", 120.0), diagnoses=None, stay_id="x")
    write_stays(folder / "cohort" / "stays" / "shard-002.parquet", [unknown])
    verdicts = run(recipe(), folder, silent)
    assert verdicts["note"]["rejected"] == {"diagnoses unknown": 1}
    assert "x" not in {each.stay_id for each in rationales(folder)}
    (line, _) = (folder / "teach" / "rejected" / "shard-002.jsonl").read_text().splitlines()
    assert json.loads(line)["reason"] == "diagnoses unknown"


def test_a_missing_cohort_is_told(tmp_path: Path):
    with pytest.raises(RunError, match="no stays"):
        run(recipe(), tmp_path, silent)


def remote(endpoint: str, workers: int = 1, **teach: Any) -> Recipe:
    given = {"kind": "remote", "model": "tiny", "endpoint": endpoint, "retries": 0, **teach}
    return Recipe.model_validate({"name": "t", "teach": given, "engine": {"workers": workers}})


def test_a_large_model_is_asked_about_all_shards_before_one_is_written(folder: Path):
    told: list[tuple[str, int, int]] = []
    with serving([(200, completion(GOOD))]) as served:
        run(remote(served.endpoint, samples=2), folder, lambda *step: told.append(step))
    # Two samples of each of six stays.
    assert [step for step in told if step[0] == "answers"] == [("answers", n, 12) for n in range(1, 13)]
    assert told[12:] == [("shards of rationales", n, 2) for n in (1, 2)]


def test_a_change_of_the_recipe_asks_nothing_again(folder: Path):
    with serving([(200, completion(GOOD))]) as served:
        run(remote(served.endpoint), folder, silent)
        asked = len(served.requests)
        begin_step(folder / "teach", "another fingerprint")
        assert not (folder / "teach" / "rationales").exists()
        run(remote(served.endpoint, workers=2, keep_contradicted=True), folder, silent)
        assert len(served.requests) == asked == 6


def test_a_failed_question_keeps_the_step_open_until_a_rerun_answers_it(folder: Path):
    answers = [(200, completion(GOOD))] * 4 + [(500, {})] + [(200, completion(GOOD))]
    with serving(answers) as served:
        with pytest.raises(EndpointError, match="1 questions were not answered, 5 were"):
            run(remote(served.endpoint, at_once=1), folder, silent)
        assert not (folder / "teach" / "rationales").exists()
        verdicts = run(remote(served.endpoint, at_once=1), folder, silent)
        assert len(served.requests) == 7
    assert verdicts["note"]["asked"] == 6


def test_a_question_given_up_is_a_rejection_with_its_kind_of_error(folder: Path):
    answers = [(200, completion(GOOD))] * 5 + [(500, {})]
    with serving(answers) as served:
        verdicts = run(remote(served.endpoint, at_once=1, failed_runs=1), folder, silent)
    assert verdicts["note"]["rejected"] == {"given up: status 500": 1}


def test_preferences_are_written_beside_the_rationales(folder: Path):
    wrong = GOOD.replace("high", "low")
    with serving(lambda asked: (200, completion(wrong if asked["seed"] else GOOD))) as served:
        verdicts = run(remote(served.endpoint, samples=2), folder, silent)
    lines = [
        json.loads(line)
        for shard in sorted((folder / "teach" / "preferences").iterdir())
        for line in shard.read_text().splitlines()
    ]
    assert len(lines) == verdicts["series"]["preferences"] == 6
    assert {"stay_id", "part", "chosen", "rejected", "why"} <= set(lines[0])
    assert (lines[0]["chosen"], lines[0]["rejected"]) == ("Creatinine is high.", "Creatinine is low.")
