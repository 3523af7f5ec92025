"""The step as a whole: files, counts, restart, and errors that say what to do."""

import json

import pytest
from invented_events import event, lab, patient, table

from clinragen.cohort import shard as shard_module
from clinragen.cohort.run import run
from clinragen.errors import CohortError, RunError
from clinragen.recipe import Recipe
from clinragen.store import hash_outputs, read_stays

RECIPE = Recipe.model_validate(
    {"name": "small", "engine": {"workers": 1}, "cohort": {"train": 0.5, "tuning": 0.25}}
)


def silent(what, done, total):
    pass


def write_events(folder, patients=24, shards=3, **traits):
    data = folder / "ingest" / "data"
    data.mkdir(parents=True)
    for shard in range(shards):
        events = []
        for subject in range(shard, patients, shards):
            events += patient(subject, stay=f"s{subject:02}", admission=f"a{subject}", **traits)
            events += [lab(h, 1.0 + h, subject=subject) for h in (1, 5, 90)]
            events.append(event("NOTE//x", 1, subject, text_value="Weak and thirsty."))
        table(events).write_parquet(data / f"shard-{shard:05}.parquet")
    return folder


def test_one_shard_of_stays_for_each_shard_of_events(tmp_path):
    counts = run(RECIPE, write_events(tmp_path), silent)
    stays = read_stays(tmp_path / "cohort" / "stays")
    assert len(list((tmp_path / "cohort" / "stays").glob("*.parquet"))) == 3
    assert [stay.stay_id for stay in stays] == [f"s{subject:02}" for subject in range(24)]
    assert counts["stays"] == 24
    assert sum(counts["splits"].values()) == 24
    assert counts["labels"]["acute kidney injury"] == 24
    assert counts["measurements"] == 48


def test_selection_quality_and_leakage_are_written(tmp_path):
    run(RECIPE, write_events(tmp_path), silent)
    selection, quality, leakage = (
        json.loads((tmp_path / "cohort" / f"{name}.json").read_text())
        for name in ("selection", "quality", "leakage")
    )
    assert {"before": 24, "after": 24}.items() <= selection[0].items()
    assert quality["coverage"]["creatinine"] == {"stays": 24, "share": 1.0, "measurements": 48, "median": 2}
    assert quality["rows"]["kept"] == 48
    assert leakage["stays"] == 24


def test_neither_workers_nor_shards_change_the_stays(tmp_path):
    two = RECIPE.model_copy(update={"engine": RECIPE.engine.model_copy(update={"workers": 2})})
    run(RECIPE, write_events(tmp_path / "a", shards=1), silent)
    run(two, write_events(tmp_path / "b", shards=4), silent)
    assert read_stays(tmp_path / "a/cohort/stays") == read_stays(tmp_path / "b/cohort/stays")


def test_a_restart_builds_only_what_is_missing_and_gives_the_same_files(tmp_path, monkeypatch):
    run(RECIPE, write_events(tmp_path), silent)
    before = hash_outputs(tmp_path / "cohort")
    (tmp_path / "cohort" / "stays" / "shard-00001.parquet").unlink()
    (tmp_path / "cohort" / "quality.json").unlink()
    built = []
    whole = shard_module.build
    monkeypatch.setattr(shard_module, "build", lambda *job: built.append(1) or whole(*job))
    run(RECIPE, tmp_path, silent)
    assert built == [1]
    assert hash_outputs(tmp_path / "cohort") == before


@pytest.mark.parametrize(
    ("traits", "rule"), [({"age": 9}, "at least 18 years"), ({"codes": []}, "known ICD code")]
)
def test_an_empty_cohort_names_the_rule_that_emptied_it(tmp_path, traits, rule):
    with pytest.raises(CohortError, match=rule):
        run(RECIPE, write_events(tmp_path, **traits), silent)


def test_events_without_any_stay_are_an_error(tmp_path):
    folder = tmp_path / "ingest" / "data"
    folder.mkdir(parents=True)
    table(lab(1, 1.0)).write_parquet(folder / "shard-00000.parquet")
    with pytest.raises(CohortError, match="hold no icu stay"):
        run(RECIPE, tmp_path, silent)


def test_codes_of_none_of_the_labels_are_an_error(tmp_path):
    with pytest.raises(CohortError, match="no stay carries any of the labels"):
        run(RECIPE, write_events(tmp_path, codes=["ICD9//5990"]), silent)


def test_one_patient_is_too_few_to_split(tmp_path):
    with pytest.raises(CohortError, match="no stay in"):
        run(RECIPE, write_events(tmp_path, patients=1, shards=1), silent)


def test_a_missing_ingest_is_an_error(tmp_path):
    with pytest.raises(RunError, match="no event shards"):
        run(RECIPE, tmp_path, silent)


def test_a_shard_without_patients_gives_a_shard_without_stays(tmp_path):
    write_events(tmp_path, shards=2)
    table().write_parquet(tmp_path / "ingest" / "data" / "shard-00002.parquet")
    assert run(RECIPE, tmp_path, silent)["stays"] == 24
    assert len(list((tmp_path / "cohort" / "stays").glob("*.parquet"))) == 3
