"""A dry run prints exactly what would be sent, and sends nothing."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from clinragen.cli import app
from clinragen.errors import EndpointError, TeacherError
from clinragen.knowledge.run import run as write_knowledge
from clinragen.recipe import Recipe
from clinragen.store import write_stays
from clinragen.teach.dry_run import would_be_sent
from clinragen.teach.run import run
from local_endpoint import GOOD, completion, serving
from patients import measured, stay

NOTE = "Mrs. Rosalind Byrd reports orthopnea since 3/14/2130."


def silent(what: str, done: int, total: int) -> None:
    pass


def recipe(endpoint: str, credentialed: bool = False, **teach: Any) -> Recipe:
    given = {"kind": "remote", "model": "tiny", "endpoint": endpoint, **teach}
    source = {"credentialed": credentialed}
    engine = {"workers": 1}
    return Recipe.model_validate({"name": "t", "source": source, "teach": given, "engine": engine})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_knowledge(recipe(""), tmp_path, silent)
    rows = measured("creatinine", 1.5, 2.0, 3.0)
    stays = [
        stay(rows, note=f"{NOTE} Bed {bed}.", diagnoses=["heart failure"], stay_id=str(bed)) for bed in (1, 2)
    ]
    write_stays(tmp_path / "cohort" / "stays" / "shard-000.parquet", stays)
    return tmp_path


def bodies(folder: Path, asked: Recipe) -> list[dict[str, Any]]:
    return [json.loads(line) for line in would_be_sent(asked, folder)]


@pytest.mark.parametrize("deidentify", [False, True])
def test_what_is_printed_is_what_is_sent(deidentify: bool, folder: Path):
    with serving([(200, completion(GOOD))]) as served:
        asked = recipe(served.endpoint, deidentify=deidentify, samples=2)
        printed = bodies(folder, asked)
        assert served.requests == []
        run(asked, folder, silent)
    assert len(printed) == 4
    assert sorted(map(json.dumps, printed)) == sorted(map(json.dumps, served.requests))
    shown = json.dumps(printed)
    assert ("Rosalind Byrd" in shown, "2130" in shown) == (not deidentify, not deidentify)
    assert "reports orthopnea" in shown


def test_what_the_ledger_knows_is_not_sent_and_not_printed(folder: Path):
    with serving([(200, completion(GOOD))]) as served:
        asked = recipe(served.endpoint)
        run(asked, folder, silent)
        assert bodies(folder, asked) == []


def test_what_the_guard_refuses_is_not_printed_as_if_it_were_sent(folder: Path):
    with pytest.raises(EndpointError, match="may not be sent"):
        bodies(folder, recipe("https://api.example.org/v1", credentialed=True))


def test_a_teacher_that_sends_nothing_says_so(folder: Path):
    with pytest.raises(TeacherError, match="sends nothing"):
        bodies(folder, recipe("", kind="scripted"))


def test_the_command_prints_one_request_a_line(folder: Path):
    path = folder / "r.toml"
    path.write_text('name = "t"\n[teach]\nkind = "remote"\nmodel = "m"\nendpoint = "http://127.0.0.1:9/v1"\n')
    (folder / "runs").mkdir()
    (folder / "runs" / "t").symlink_to(folder)
    printed = CliRunner().invoke(app, ["teach", str(path), f"runs={folder / 'runs'}", "--dry-run"])
    assert printed.exit_code == 0, printed.output
    lines = [json.loads(line) for line in printed.output.splitlines()]
    assert [line["model"] for line in lines] == ["m", "m"]
