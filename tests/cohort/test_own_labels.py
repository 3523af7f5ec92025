"""Labels of one's own, by CCS group, by beginnings of ICD codes and by event codes, through the cohort."""

import json

import pytest
from invented_events import event, patient, table

from clinragen.cohort.run import run
from clinragen.cohort.shard import stays_of
from clinragen.labels import Diagnosis, about
from clinragen.recipe import Cohort, Recipe
from clinragen.store import read_stays

OWN = (
    Diagnosis("heart failure", "Congestive heart failure", ("CHF",), ccs=(108,)),
    Diagnosis("delirium", "Delirium", ("acute confusion",), icd9=("2930",), icd10=("F05",)),
    Diagnosis("dialysis", "Dialysis", ("haemodialysis",), meds=("PROCEDURE//dialysis",)),
)
IDS = {"hadm_id": "a1", "stay_id": "s1"}


def diagnosed(*events: object, labels: tuple[Diagnosis, ...] = OWN) -> list:
    with about(labels):
        stays, _ = stays_of(table(*events), Cohort(), "synthetic")
    return [stay.diagnoses for stay in stays]


def test_each_way_of_telling_a_label_is_understood():
    events = [*patient(codes=["ICD9//4280", "ICD10//F058"]), event("PROCEDURE//dialysis//CVVH", 60, **IDS)]
    assert diagnosed(events) == [{"heart failure", "delirium", "dialysis"}]


def test_a_code_may_mean_several_labels():
    both = (*OWN, Diagnosis("any heart disease", "Diseases of the heart", icd9=("42",)))
    assert diagnosed(patient(codes=["ICD9//4280"]), labels=both) == [{"heart failure", "any heart disease"}]


def test_a_label_of_the_package_is_none_of_ones_own():
    assert diagnosed(patient(codes=["ICD9//5849"])) == [frozenset()]


def test_an_event_whose_code_only_begins_alike_means_nothing():
    assert diagnosed(patient(), event("PROCEDURE//dialysis catheter", 60, **IDS)) == [frozenset()]


def test_a_code_no_table_knows_is_known_by_the_label_that_lists_it():
    assert diagnosed(patient(codes=["ICD10//U999"])) == []
    covid = (Diagnosis("odd", "Odd", icd10=("U99",)),)
    assert diagnosed(patient(codes=["ICD10//U999"]), labels=covid) == [{"odd"}]


def test_labels_told_by_events_alone_are_known_of_every_stay():
    assert diagnosed(patient(codes=[])) == []
    assert diagnosed(patient(codes=[]), labels=OWN[2:]) == [frozenset()]


@pytest.mark.parametrize("workers", [1, 2])
def test_the_step_counts_masks_and_audits_them(tmp_path, workers):
    data = tmp_path / "ingest" / "data"
    data.mkdir(parents=True)
    for shard in range(2):
        events = []
        for n in range(shard, 24, 2):
            ids = {"hadm_id": f"a{n}", "stay_id": f"s{n:02}"}
            events += patient(
                n, stay=f"s{n:02}", admission=f"a{n}", codes=["ICD9//4280", "ICD9//29300"][: n % 2 + 1]
            )
            events += [event("PROCEDURE//dialysis", 60, n, **ids)] if n % 3 == 0 else []
            events.append(event("NOTE//x", 1, n, text_value="Oliguria. She has acute confusion. AKI."))
        table(events).write_parquet(data / f"shard-{shard:05}.parquet")
    recipe = Recipe.model_validate(
        {
            "name": "own",
            "engine": {"workers": workers},
            "cohort": {"train": 0.5, "tuning": 0.25, "mask": "mentions"},
        }
    )
    with about(OWN):
        counts = run(recipe, tmp_path, lambda *_: None)
    # 24 stays: all have heart failure, every second delirium, every third dialysis
    assert counts["labels"] == {"heart failure": 24, "delirium": 12, "dialysis": 8}
    # acute kidney injury is no label of this run, so its name stays
    assert {stay.note for stay in read_stays(tmp_path / "cohort" / "stays")} == {"Oliguria. AKI."}
    audit = json.loads((tmp_path / "cohort" / "leakage.json").read_text())
    assert audit["labels"]["delirium"]["before masking"] == {
        "named_where_coded": 1.0,
        "named_where_not_coded": 1.0,
    }
    assert audit["labels"]["delirium"]["after masking"] == {
        "named_where_coded": 0.0,
        "named_where_not_coded": 0.0,
    }
