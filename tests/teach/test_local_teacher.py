"""The local teacher: a real model, if a tiny one, with the same ledger and the same words every time."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from invented_askings import asking, patient
from tiny_models import save_tiny_causal, save_tiny_t5

from clinragen.endpoint.ledger import opened
from clinragen.errors import TeacherError
from clinragen.grounding.checker import Checker
from clinragen.recipe import Engine
from clinragen.teach import local
from clinragen.teach.asking import Asking
from clinragen.teach.questions import questions
from clinragen.teach.shard import taught

STAYS = [patient(name, note=f"HPI: Reports orthopnea. Bed {name}.") for name in "abc"]


@pytest.fixture(scope="module", params=[save_tiny_causal, save_tiny_t5])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    save: Callable[[Path], Path] = request.param
    return save(tmp_path_factory.mktemp("model"))


def about(folder: Path, model: Path, **settings: int) -> Asking:
    return asking(folder, kind="local", model=str(model), max_tokens=6, at_once=2, **settings)


def answers_in(folder: Path) -> list[tuple[object, ...]]:
    with sqlite3.connect(folder / "ledger.sqlite") as ledger:
        return ledger.execute("SELECT key, status, reply, asked, tokens_in, tokens_out FROM answers "
                              "ORDER BY key").fetchall()  # fmt: skip


@pytest.mark.parametrize("samples", [1, 2])
def test_the_same_model_and_seed_write_the_same_words(samples: int, model: Path, tmp_path: Path):
    first = local.write(STAYS, about(tmp_path / "one", model, samples=samples))
    assert first == local.write(STAYS, about(tmp_path / "two", model, samples=samples))
    assert answers_in(tmp_path / "one") == answers_in(tmp_path / "two")
    assert len(answers_in(tmp_path / "one")) == 3 * samples
    assert all(written[5] > 0 for written in answers_in(tmp_path / "one"))


def test_two_samples_differ(model: Path, tmp_path: Path):
    first, second = local.write(STAYS[:1], about(tmp_path, model, samples=2))
    assert first.note != second.note


def test_a_run_that_was_killed_between_batches_goes_on_with_the_same_words(model: Path, tmp_path: Path):
    whole, cut = about(tmp_path / "whole", model, samples=2), about(tmp_path / "cut", model, samples=2)
    local.write(STAYS, whole)
    asked = local.ask_model(questions(STAYS, cut), cut)
    for _ in range(3):
        next(asked)
    asked.close()
    assert 0 < len(answers_in(tmp_path / "cut")) < 6
    local.write(STAYS, cut)
    assert answers_in(tmp_path / "cut") == answers_in(tmp_path / "whole")


def test_what_a_tiny_model_babbles_is_a_rejection_after_one_repair(model: Path, tmp_path: Path):
    done = taught(STAYS[:1], about(tmp_path, model), Checker())
    assert [each.reason for each in done.rejected] == ["malformed", "malformed"] and not done.kept
    with opened(tmp_path / "ledger.sqlite") as ledger:
        (question,) = questions(STAYS[:1], about(tmp_path, model))
        kept = ledger.get(question.key)
    assert kept is not None and kept.asked == 2


def test_a_model_that_is_not_there_is_told(tmp_path: Path):
    with pytest.raises(TeacherError, match="cannot load the model"):
        local.write(STAYS, about(tmp_path, tmp_path / "nowhere"))
    with pytest.raises(TeacherError, match=r"set teach\.model"):
        local.write(STAYS, asking(tmp_path, kind="local", model=""))


def test_weights_that_are_not_safetensors_are_refused(tmp_path: Path):
    folder = save_tiny_causal(tmp_path / "model")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(TeacherError, match="safetensors"):
        local.write(STAYS, about(tmp_path, folder))


@pytest.mark.slow
def test_a_ray_cluster_changes_no_word(model: Path, tmp_path: Path):
    pytest.importorskip("ray")
    alone, spread = (about(tmp_path / name, model, samples=2) for name in ("alone", "spread"))
    spread = replace(spread, engine=Engine(kind="ray", workers=2))
    assert local.write(STAYS, alone) == local.write(STAYS, spread) == local.write(STAYS, spread)
    assert answers_in(tmp_path / "alone") == answers_in(tmp_path / "spread")


@pytest.mark.slow
def test_a_worker_that_cannot_load_the_model_tells_so_as_if_it_were_here(tmp_path: Path):
    pytest.importorskip("ray")
    spread = replace(about(tmp_path, tmp_path / "nowhere"), engine=Engine(kind="ray", workers=2))
    with pytest.raises(TeacherError, match="cannot load the model") as fault:
        local.write(STAYS, spread)
    assert type(fault.value) is TeacherError
