"""The step `teach`: every shard once, every text judged, the same bytes however it was run."""

import json
from pathlib import Path
from typing import Any

import pytest

from clinragen.errors import RunError
from clinragen.knowledge.run import run as write_knowledge
from clinragen.recipe import Recipe
from clinragen.schema import Rationale, Stay
from clinragen.store import hash_outputs, read_nouns, write_stays
from clinragen.teach import shard as shard_module
from clinragen.teach.run import run
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
