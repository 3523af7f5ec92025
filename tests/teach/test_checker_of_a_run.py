"""What a teacher writes is checked with the facts and the model of the run, in whichever process."""

from pathlib import Path

import pytest
from invented_askings import asking, patient, reply

from clinragen.engine import map_shards
from clinragen.errors import CheckerError
from clinragen.grounding.checker import checker_of
from clinragen.recipe import Engine, Grounding, Recipe
from clinragen.schema import Fact
from clinragen.store import write_nouns, write_stays
from clinragen.teach.run import run
from clinragen.teach.shard import TeachJob, taught, teach_shard
from local_endpoint import completion, serving
from tiny_entailment import save_sure

IMPORTED = Fact("pubmed-1", "Creatinine is high in COPD.", ("COPD",), "A paper", "creatinine", "high")


def test_a_rejected_text_cites_the_facts_of_the_run(tmp_path: Path):
    texts = ("Creatinine is high.", "Creatinine is low. Creatinine is high, suggesting COPD.")
    with serving(lambda asked: (200, completion(reply(series=texts[asked["seed"]])))) as served:
        about = asking(tmp_path, served.endpoint, samples=2)
        done = taught([patient()], about, checker_of([IMPORTED], Grounding()))
    (preference,) = done.preferred
    assert preference.rejected_claims[-1].evidence[0].startswith("fact pubmed-1: ")


def test_workers_build_the_checker_that_the_recipe_names(tmp_path: Path):
    model = save_sure(tmp_path / "tiny-nli", {"contradiction": 0.95})
    write_stays(tmp_path / "stays" / "shard-0.parquet", [patient("a")])
    write_stays(tmp_path / "stays" / "shard-1.parquet", [patient("b")])
    with serving(lambda _: (200, completion(reply(note="The patient keeps bees.")))) as served:
        about = asking(tmp_path, served.endpoint)
        tallies = []
        for workers, settings in ((1, Grounding()), (2, Grounding(model=str(model)))):
            folder = tmp_path / f"teach-{workers}"
            shards = sorted((tmp_path / "stays").iterdir())
            jobs = [TeachJob(shard, folder, None, about, settings) for shard in shards]
            tallies += map_shards(teach_shard, jobs, Engine(workers=workers), folder)
    assert [tally.get("note/contradicted", 0) for tally in tallies] == [0, 0, 1, 1]


def test_a_model_that_is_not_there_is_told_before_the_teacher_is_asked(tmp_path: Path):
    write_stays(tmp_path / "cohort" / "stays" / "shard-0.parquet", [patient()])
    write_nouns(tmp_path / "knowledge" / "facts.jsonl", [IMPORTED])
    recipe = Recipe(name="x", grounding=Grounding(model=str(tmp_path / "nowhere")))
    with pytest.raises(CheckerError, match=r"set grounding\.model"):
        run(recipe, tmp_path, lambda *_: None)
    assert not (tmp_path / "teach").exists()
