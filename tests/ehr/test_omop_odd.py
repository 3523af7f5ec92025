"""OMOP exports as they come: other spellings are read, the unreadable is counted, no code is guessed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from ingesting import coded, events_of, silent
from raw_miniatures import OMOP, write_omop, write_tables

from clinragen.cohort.run import run as run_cohort
from clinragen.ehr.run import run
from clinragen.errors import CohortError
from clinragen.recipe import Recipe
from clinragen.store import read_json

Change = Callable[[Path], object]


def ingested(
    folder: Path, change: Change = lambda raw: None, workers: int = 1, **source: Any
) -> pl.DataFrame:
    """The events of the miniature after a change of its files."""
    change(write_omop(folder / "raw"))
    run(recipe(folder, workers, **source), folder / "runs" / "mini", silent)
    return events_of(folder / "runs" / "mini")


def recipe(folder: Path, workers: int = 1, **source: Any) -> Recipe:
    told = {"kind": "omop", "path": str(folder / "raw"), "shards": 2, **source}
    return Recipe.model_validate({"name": "mini", "source": told, "engine": {"workers": workers}})


def more(table: str, *rows: str) -> Change:
    """Rows added to a table."""
    return lambda raw: write_tables({table: "\n".join((OMOP[table], *rows))}, raw)


def quarantined(folder: Path, table: str) -> dict[str, int]:
    told = read_json(folder / "runs" / "mini" / "ingest" / "quarantine.json")[table]
    return {why: found["count"] for why, found in told.items()}


def diagnoses_of(events: pl.DataFrame, subject: int) -> list[str]:
    found = events.filter(pl.col("subject_id") == subject, pl.col("code").str.contains("^ICD(?:9|10)//"))
    return sorted(found["code"])


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    return ingested(tmp_path_factory.mktemp("plain"))


# --- other spellings of the same ----------------------------------------------------------------------


def test_workers_change_nothing(plain: pl.DataFrame, tmp_path: Path) -> None:
    assert ingested(tmp_path, workers=2).equals(plain)


def test_tabs_and_upper_case_names_are_read(plain: pl.DataFrame, tmp_path: Path) -> None:
    def with_tabs(raw: Path) -> None:
        for path in raw.glob("*.csv"):
            rows = pl.read_csv(path, infer_schema=False).rename(str.upper)
            rows.write_csv(path.with_name(path.name.upper()), separator="\t")
            path.unlink()

    assert ingested(tmp_path, with_tabs).equals(plain)


def test_a_quote_in_a_vocabulary_between_tabs_is_a_letter_like_any_other(
    plain: pl.DataFrame, tmp_path: Path
) -> None:
    """As OHDSI gives it: names may begin with a quote, or hold the sign of an inch."""

    def as_given(raw: Path) -> None:
        rows = pl.read_csv(raw / "concept.csv", infer_schema=False)
        odd = [("1", '5" tube', "SNOMED", "11"), ("2", '"Light-for-dates" infant', "SNOMED", "12")]
        lines = ["\t".join(row) for row in (tuple(rows.columns), odd[0], *rows.rows(), odd[1])]
        (raw / "concept.csv").write_text("\n".join(lines) + "\n")

    assert ingested(tmp_path, as_given).equals(plain)


def test_ids_that_passed_through_floating_point_are_whole_numbers(
    plain: pl.DataFrame, tmp_path: Path
) -> None:
    def as_floats(raw: Path) -> None:
        for path in raw.glob("*.csv"):
            ids = pl.selectors.ends_with("_id") - pl.selectors.by_name("vocabulary_id", require_all=False)
            pl.read_csv(path, infer_schema=False).with_columns(ids.cast(pl.Float64)).write_parquet(
                path.with_suffix(".parquet")
            )
            path.unlink()

    assert ingested(tmp_path, as_floats).equals(plain)


def test_a_concept_that_is_there_twice_multiplies_nothing(plain: pl.DataFrame, tmp_path: Path) -> None:
    twice = more("concept", *(f"        {line.strip()}" for line in OMOP["concept"].strip().split("\n")[1:]))
    assert ingested(tmp_path, twice).equals(plain)


# --- what cannot be read is counted -------------------------------------------------------------------


@pytest.mark.parametrize("born", ["2060,13,1", "2060,2,30", "0,1,1", "99999999999,1,1", "2060,x,1", ",,"])
def test_a_birth_that_is_no_date_is_quarantined_and_counted(tmp_path: Path, born: str) -> None:
    events = ingested(tmp_path, more("person", f"        9,8507,{born}"))
    assert events.filter(pl.col("subject_id") == 9)["code"].to_list() == ["GENDER//M"]
    assert quarantined(tmp_path, "person") == {"no readable time": 1}


def test_a_moment_that_cannot_be_read_is_not_taken_for_its_day(tmp_path: Path) -> None:
    row = "        7,3027018,2130-01-01,2130-01-01 25:00:00,99,,8541,,,,70,700,HF"
    events = ingested(tmp_path, more("measurement", row))
    assert [row["numeric_value"] for row in coded(events, "LOINC//8867-4")] == [101.0]
    assert quarantined(tmp_path, "measurement") == {"no readable time": 1, "no value": 1}


def test_a_note_dated_at_midnight_counts_from_the_end_of_its_day(tmp_path: Path) -> None:
    row = "        8,2131-05-02,2131-05-02 00:00:00,Discharge summary,Went home.,80"
    (note,) = coded(ingested(tmp_path, more("note", row)), "NOTE//discharge summary")
    assert str(note["time"]) == "2131-05-02 23:59:59"


def test_no_matching_concept_is_no_drug(tmp_path: Path) -> None:
    row = "        0,No matching concept,None,No matching concept"
    assert len(coded(ingested(tmp_path, more("concept", row)), "DRUG//")) == 1
    assert quarantined(tmp_path, "drug_exposure") == {"concept without a name": 1}


def test_an_export_without_intensive_care_says_what_to_set(tmp_path: Path) -> None:
    def without_icu(raw: Path) -> None:
        (raw / "visit_detail.csv").unlink()
        (raw / "visit_occurrence.csv").write_text(
            (raw / "visit_occurrence.csv").read_text().replace("32037", "9201")
        )

    ingested(tmp_path, without_icu)
    with pytest.raises(CohortError, match=r'cohort\.unit = "hospital"'):
        run_cohort(recipe(tmp_path), tmp_path / "runs" / "mini", silent)


# --- measurements by other vocabularies ---------------------------------------------------------------

PULSE = (
    more("concept", "        4301868,Pulse rate,SNOMED,364075005"),
    more("measurement", "        7,4301868,2130-01-01,2130-01-01 09:30:00,88,,8541,,,,70,700,HF2"),
)


def with_pulse(raw: Path) -> None:
    for change in PULSE:
        change(raw)


def test_a_concept_of_another_vocabulary_is_listed_by_its_code(tmp_path: Path) -> None:
    ingested(tmp_path, with_pulse)
    unmapped = read_json(tmp_path / "runs" / "mini" / "ingest" / "metadata" / "unmapped.json")
    assert unmapped["codes"] == {"LOINC//11111-1": 1, "SNOMED//364075005": 1}


@pytest.mark.parametrize("code", ["SNOMED//364075005", "HF2"])
def test_a_users_own_table_maps_it_by_that_code_or_as_the_source_wrote_it(tmp_path: Path, code: str) -> None:
    own = tmp_path / "own.csv"
    own.write_text(f"code,variable\n{code},heart rate\n")
    (row,) = coded(ingested(tmp_path, with_pulse, codes=str(own)), code)
    assert (row["numeric_value"], row["unit"]) == (88.0, "/min")


# --- diagnoses ----------------------------------------------------------------------------------------


def diagnosis(standard: int, written: str = "") -> str:
    """A diagnosis of patient 9, without a source concept."""
    return f"        9,{standard},2131-06-01,{written},0,80"


@pytest.mark.parametrize("written", ["N17.9", "n179", "N17.9 "])
def test_a_code_the_source_wrote_is_read_where_the_vocabulary_has_it(tmp_path: Path, written: str) -> None:
    events = ingested(tmp_path, more("condition_occurrence", diagnosis(0, written)))
    assert diagnoses_of(events, 9) == ["ICD10//N179"]


def test_a_code_that_both_icd_have_is_not_guessed(tmp_path: Path) -> None:
    def change(raw: Path) -> None:
        more("concept", "        1,Old,ICD9CM,V10.1", "        2,New,ICD10CM,V10.1")(raw)
        more("condition_occurrence", diagnosis(0, "V10.1"), diagnosis(0, "kidney failure"))(raw)

    assert diagnoses_of(ingested(tmp_path, change), 9) == []
    assert list(quarantined(tmp_path, "condition_occurrence").values()) == [3]


AKI, AKI_10, AKI_9, OTHER = 197320, 35206882, 44833166, 77
MAPS = "        concept_id_1,concept_id_2,relationship_id,invalid_reason"


@pytest.mark.parametrize(
    ("maps", "codes"),
    [
        ([(AKI_10, AKI)], ["ICD10//N179"]),
        ([(AKI_9, AKI)], ["ICD9//5849"]),
        ([(AKI_9, AKI), (AKI_10, AKI)], ["ICD10//N179"]),
        ([(AKI_10, AKI), (AKI_10, OTHER)], []),
        ([(AKI_10, AKI), (3, AKI)], []),
        ([(AKI_10, OTHER)], []),
        ([], []),
    ],
    ids=[
        "the one ICD-10 code",
        "the one ICD-9 code",
        "ICD-10 before ICD-9",
        "a code that became two concepts",
        "two codes that became the concept",
        "another concept",
        "no map",
    ],
)
def test_a_standard_concept_is_the_one_code_that_became_just_it(
    tmp_path: Path, maps: list[tuple[int, int]], codes: list[str]
) -> None:
    def change(raw: Path) -> None:
        more("concept", "        3,Kidney failure,ICD10CM,N17.8")(raw)
        more("condition_occurrence", diagnosis(AKI))(raw)
        rows = [f"        {one},{two},Maps to," for one, two in maps]
        outdated = f"        {AKI_10},{OTHER},Maps to,D"
        others = f"        {AKI},{AKI_10},Mapped from,"
        write_tables({"concept_relationship": "\n".join((MAPS, *rows, outdated, others))}, raw)

    assert diagnoses_of(ingested(tmp_path, change), 9) == codes
