from pathlib import Path

import pytest

from clinragen.errors import RunError
from clinragen.schema import Fact, Prediction
from clinragen.store import (
    MANIFEST,
    begin_step,
    finish_step,
    read_nouns,
    read_predictions,
    read_stays,
    write_nouns,
    write_predictions,
    write_stays,
    write_text,
    written,
)
from patients import measured, stay


def test_stays_read_back_as_they_were(tmp_path: Path) -> None:
    stays = [
        stay(measured("lactate", 1.0, 2.5), "A note.", ["shock", "stroke"], "a"),
        stay([], "", None, "b"),
        stay([], "", [], "c"),
    ]
    write_stays(tmp_path / "shard-0.parquet", stays)
    assert read_stays(tmp_path) == stays


def test_unknown_diagnoses_are_not_no_diagnoses(tmp_path: Path) -> None:
    write_stays(
        tmp_path / "shard-0.parquet", [stay(diagnoses=None, stay_id="a"), stay(diagnoses=[], stay_id="b")]
    )
    assert [s.diagnoses for s in read_stays(tmp_path)] == [None, frozenset()]


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(ZeroDivisionError), written(path) as draft:
        draft.write_text("half of the n")
        raise ZeroDivisionError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_complete_step_is_skipped_and_another_fingerprint_clears_it(tmp_path: Path) -> None:
    assert begin_step(tmp_path, "one")
    write_text(tmp_path / "result.txt", "1")
    finish_step(tmp_path, {"fingerprint": "one"})
    assert not begin_step(tmp_path, "one")
    assert begin_step(tmp_path, "two")
    assert not (tmp_path / "result.txt").exists()


def test_an_unfinished_step_keeps_its_parts_and_any_step_its_ledger(tmp_path: Path) -> None:
    begin_step(tmp_path, "one")
    write_text(tmp_path / "shard-0.txt", "1")
    write_text(tmp_path / "ledger.sqlite", "answers")
    assert begin_step(tmp_path, "one")
    assert (tmp_path / "shard-0.txt").exists()
    begin_step(tmp_path, "two")
    assert not (tmp_path / "shard-0.txt").exists()
    assert (tmp_path / "ledger.sqlite").exists()


def test_the_manifest_holds_the_hash_of_every_output(tmp_path: Path) -> None:
    begin_step(tmp_path, "one")
    write_text(tmp_path / "part" / "a.txt", "1")
    finish_step(tmp_path, {"fingerprint": "one"})
    assert '"part/a.txt"' in (tmp_path / MANIFEST).read_text()


def test_facts_and_predictions_read_back(tmp_path: Path) -> None:
    facts = [Fact("f", "t", ("shock", "stroke"), "c", variable="lactate", level="high", threshold=2.0)]
    write_nouns(tmp_path / "facts.jsonl", facts)
    assert read_nouns(tmp_path / "facts.jsonl", Fact) == facts
    predictions = [Prediction("a", {"shock": 0.25, "stroke": 0.5}, "Diagnoses: none.", "m")]
    write_predictions(tmp_path / "p.parquet", predictions)
    assert read_predictions(tmp_path / "p.parquet") == predictions
    write_predictions(tmp_path / "none.parquet", [])
    assert read_predictions(tmp_path / "none.parquet") == []


def test_what_is_missing_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no stays"):
        read_stays(tmp_path)
    with pytest.raises(RunError, match="missing"):
        read_predictions(tmp_path / "none.parquet")
