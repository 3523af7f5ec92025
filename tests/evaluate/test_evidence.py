import numpy as np
import polars as pl

from clinragen.ehr.synthetic import DIAGNOSIS_SCHEMA, MENTION_SCHEMA, STATE_SCHEMA, Truth
from clinragen.evaluate.answers import text_answers
from clinragen.evaluate.evidence import evidence_places, read_truth, recall_by_evidence
from evaluate.invented_answers import plain_weights, written
from patients import stay


def truth_of(*rows: tuple[str, str, str]) -> Truth:
    return Truth(
        pl.DataFrame(rows, schema=DIAGNOSIS_SCHEMA, orient="row"),
        pl.DataFrame(schema=STATE_SCHEMA),
        pl.DataFrame(schema=MENTION_SCHEMA),
    )


def test_recall_is_counted_where_the_evidence_lies():
    stays = [stay(stay_id="a", diagnoses=["pneumonia", "shock"]), stay(stay_id="b", diagnoses=["pneumonia"])]
    truth = truth_of(("a", "pneumonia", "note"), ("a", "shock", "series"), ("b", "pneumonia", "series"))
    said = text_answers(stays, [written(["pneumonia"]), written(["pneumonia"])])
    found = recall_by_evidence("held_out", said, evidence_places(stays, truth), plain_weights(2))
    assert found["held_out/recall/note_only"].value == 1
    # in the series only: the shock of a is missed, the pneumonia of b is named
    assert found["held_out/recall/series_only"].value == 0.5 and found["held_out/recall/series_only"].n == 2
    assert np.isnan(found["held_out/recall/both"].value)
    assert found["held_out/recall/both"].reason == "no coded diagnosis shows there"


def test_the_truth_of_other_stays_is_left_out():
    places = evidence_places([stay(stay_id="a")], truth_of(("z", "shock", "note")))
    assert not any(place.any() for place in places.values())


def test_a_source_without_truth_has_none(tmp_path):
    assert read_truth(tmp_path) is None


def test_the_truth_is_read_from_all_shards(tmp_path):
    for number, stay_id in enumerate("ab"):
        truth = truth_of((stay_id, "shock", "both"))
        for name in ("diagnoses", "states", "mentions"):
            folder = tmp_path / "ingest" / "truth" / name
            folder.mkdir(parents=True, exist_ok=True)
            getattr(truth, name).write_parquet(folder / f"shard-{number}.parquet")
    found = read_truth(tmp_path)
    assert found is not None and found.diagnoses["stay_id"].to_list() == ["a", "b"]
