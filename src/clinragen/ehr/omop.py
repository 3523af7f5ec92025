"""OMOP CDM 5.4: https://ohdsi.github.io/CommonDataModel/. CSV or Parquet, or a database (`omop_database.py`).

Concepts are looked up in the export's own `concept` table: measurements by their LOINC code, units by their
UCUM code or as the source wrote them, diagnoses by the ICD code the source used. No name is guessed from.
"""

from functools import partial
from pathlib import Path

import polars as pl

from clinragen.clinical.codes import SEPARATOR, code_book
from clinragen.ehr.events import (
    UNMAPPED,
    Fault,
    Ids,
    Value,
    coded,
    draft,
    end_of_day,
    icd_plain,
    moment,
    number,
)
from clinragen.ehr.tables import Feed, Layout, Look, need
from clinragen.recipe import Source

INPATIENT, EMERGENCY_AND_INPATIENT, INTENSIVE_CARE = "9201", "262", "32037"
STAYS = (INPATIENT, EMERGENCY_AND_INPATIENT, INTENSIVE_CARE)
SEXES = {"8507": "M", "8532": "F"}
BOUNDS = {"4171756": "<", "4171754": "<=", "4172704": ">", "4171755": ">="}
"""Operators of a measurement that only bounds its value."""
NO_STAY = "visit that is no stay in a hospital"
NO_ICD = "diagnosis without a code of ICD-9-CM or ICD-10-CM"
NO_NAME = "concept without a name"
_ICD = {"ICD9CM": "ICD9", "ICD10CM": "ICD10", "ICD10": "ICD10"}
_VISIT = Ids(pl.col("visit_occurrence_id"), pl.col("visit_detail_id"))
_CONCEPT = "concept_id concept_name vocabulary_id concept_code"


def omop_layout(source: Source) -> Layout:
    """The tables that are read; measurements are read with the user's own codes too."""
    own = Path(source.codes) if source.codes else None
    visit = "visit_occurrence_id visit_detail_id"
    return Layout(
        "omop",
        (
            Feed(
                need(
                    "person", "person_id gender_concept_id year_of_birth", may="month_of_birth day_of_birth"
                ),
                _persons,
            ),
            Feed(
                need(
                    "visit_occurrence",
                    "visit_occurrence_id person_id visit_concept_id visit_start_date visit_end_date",
                    may="visit_start_datetime visit_end_datetime",
                ),
                _visits,
            ),
            Feed(
                need(
                    "visit_detail",
                    "visit_detail_id visit_occurrence_id person_id visit_detail_concept_id "
                    "visit_detail_start_date visit_detail_end_date",
                    True,
                    may="visit_detail_start_datetime visit_detail_end_datetime",
                ),
                _details,
            ),
            Feed(
                need(
                    "measurement",
                    "person_id measurement_concept_id measurement_date value_as_number",
                    may="measurement_datetime measurement_source_value unit_concept_id unit_source_value "
                    f"operator_concept_id value_source_value range_low range_high {visit}",
                ),
                partial(_measurements, own),
            ),
            Feed(
                need(
                    "condition_occurrence",
                    "person_id condition_concept_id condition_start_date",
                    may=f"condition_source_value condition_source_concept_id {visit}",
                ),
                _conditions,
            ),
            Feed(
                need("note", "person_id note_date note_text", True, may=f"note_datetime note_title {visit}"),
                _notes,
            ),
            Feed(
                need(
                    "drug_exposure",
                    "person_id drug_concept_id drug_exposure_start_date",
                    True,
                    may=f"drug_exposure_start_datetime {visit}",
                ),
                partial(_named, "DRUG", "drug_concept_id", "drug_exposure_start"),
            ),
            Feed(
                need(
                    "procedure_occurrence",
                    "person_id procedure_concept_id procedure_date",
                    True,
                    may=f"procedure_datetime {visit}",
                ),
                partial(_named, "PROCEDURE", "procedure_concept_id", "procedure"),
            ),
        ),
        (need("concept", _CONCEPT),),
    )


def _subject() -> pl.Expr:
    return pl.col("person_id").cast(pl.Int64, strict=False)


def _persons(rows: pl.DataFrame, _: Look) -> list[pl.DataFrame]:
    """Born on the first of a month or year where no more is told."""
    sex = pl.col("gender_concept_id").replace_strict(SEXES, default=None)
    born = pl.datetime(
        *(number(name).cast(pl.Int32) for name in ("year_of_birth",)),
        *(number(f"{part}_of_birth").fill_null(1).cast(pl.Int32) for part in ("month", "day")),
        time_unit="us",
    )
    known = rows.filter(pl.col("gender_concept_id").is_in(list(SEXES)))
    return [
        draft(known, coded("GENDER", sex), time=None, subject=_subject()),
        draft(rows, pl.lit("MEDS_BIRTH"), time=born, subject=_subject()),
    ]


def _visits(rows: pl.DataFrame, _: Look) -> list[pl.DataFrame]:
    """A visit to intensive care is a stay of either kind; visit details, if there are any, tell of it too."""
    kind, visit = pl.col("visit_concept_id"), pl.col("visit_occurrence_id")
    faults = ((~kind.is_in(STAYS), NO_STAY),)
    icu, found = rows.filter(kind == INTENSIVE_CARE), []
    for mark, time in _ends("visit"):
        hospital, intensive = pl.lit(f"HOSPITAL_{mark}"), pl.lit(f"ICU_{mark}")
        found += [
            draft(rows, hospital, time=time, subject=_subject(), ids=Ids(visit), faults=faults),
            draft(icu, intensive, time=time, subject=_subject(), ids=Ids(visit, visit)),
        ]
    return found


def _details(rows: pl.DataFrame, _: Look) -> list[pl.DataFrame]:
    faults = ((pl.col("visit_detail_concept_id") != INTENSIVE_CARE, NO_STAY),)
    return [
        draft(rows, pl.lit(f"ICU_{mark}"), time=time, subject=_subject(), ids=_VISIT, faults=faults)
        for mark, time in _ends("visit_detail")
    ]


def _ends(name: str) -> tuple[tuple[str, pl.Expr], ...]:
    """When a visit begins and ends; without a time of day, with the first of its days and the last."""
    begins = pl.coalesce(moment(f"{name}_start_datetime"), moment(f"{name}_start_date"))
    ends = pl.coalesce(moment(f"{name}_end_datetime"), end_of_day(moment(f"{name}_end_date")))
    return ("ADMISSION", begins), ("DISCHARGE", ends)


def _measurements(own: Path | None, rows: pl.DataFrame, look: Look) -> list[pl.DataFrame]:
    """By the LOINC code of the concept, else by what the source wrote, where the user's own table has it."""
    concepts = look("concept").select("concept_id", "vocabulary_id", "concept_code")
    kinds = concepts.filter(pl.col("vocabulary_id") == "LOINC").select(
        measurement_concept_id="concept_id", _loinc=pl.lit(f"LOINC{SEPARATOR}") + pl.col("concept_code")
    )
    units = concepts.filter(pl.col("vocabulary_id") == "UCUM").select(
        unit_concept_id="concept_id", _ucum="concept_code"
    )
    told = rows.join(kinds, on="measurement_concept_id", how="left").join(
        units, on="unit_concept_id", how="left"
    )
    book = code_book("omop", own)
    said = pl.col("measurement_source_value")
    written = {code for code in rows["measurement_source_value"].unique().drop_nulls() if book.entry_of(code)}
    known = {code for code in told["_loinc"].unique().drop_nulls() if book.entry_of(code)}
    code = pl.when(said.is_in(list(written))).then(said).otherwise(pl.coalesce("_loinc", said))
    is_known = said.is_in(list(written)).fill_null(False)
    is_known |= pl.col("_loinc").is_in(list(known)).fill_null(False)
    bound = pl.col("operator_concept_id").replace_strict(BOUNDS, default=None)
    exact = pl.when(bound.is_null()).then(number("value_as_number"))
    text = pl.coalesce(bound + pl.col("value_as_number"), "value_source_value", "value_as_number")
    value = Value(
        exact, text, pl.coalesce("_ucum", "unit_source_value"), number("range_low"), number("range_high")
    )
    faults: tuple[Fault, ...] = ((~is_known, UNMAPPED),)
    unnamed = pl.format("concept {}", "measurement_concept_id")
    return [
        draft(
            told,
            pl.coalesce(code, unnamed),
            time=_when("measurement"),
            subject=_subject(),
            value=value,
            ids=_VISIT,
            faults=faults,
        )
    ]


def _conditions(rows: pl.DataFrame, look: Look) -> list[pl.DataFrame]:
    """By the source's own concept where it is one of ICD, else by the standard one if that is.

    They count from the day they are dated; a date alone from the end of its day.
    """
    system = pl.col("vocabulary_id").replace_strict(_ICD, default=None)
    code = pl.concat_str(system, pl.lit(SEPARATOR), icd_plain(pl.col("concept_code")))
    kinds = look("concept").select("concept_id", _icd=code).drop_nulls()
    source = kinds.rename({"concept_id": "condition_source_concept_id", "_icd": "_source"})
    standard = kinds.rename({"concept_id": "condition_concept_id", "_icd": "_standard"})
    told = rows.join(source, on="condition_source_concept_id", how="left").join(
        standard, on="condition_concept_id", how="left"
    )
    code = pl.coalesce("_source", "_standard")
    faults = ((code.is_null(), NO_ICD),)
    return [
        draft(
            told,
            code,
            time=end_of_day(moment("condition_start_date")),
            subject=_subject(),
            ids=Ids(pl.col("visit_occurrence_id")),
            faults=faults,
        )
    ]


def _notes(rows: pl.DataFrame, _: Look) -> list[pl.DataFrame]:
    title = pl.when(pl.col("note_title").str.strip_chars() != "").then("note_title").otherwise(pl.lit("note"))
    return [
        draft(
            rows,
            coded("NOTE", title.str.to_lowercase()),
            time=_when("note"),
            subject=_subject(),
            text=pl.col("note_text"),
            ids=_VISIT,
        )
    ]


def _named(kind: str, concept: str, when: str, rows: pl.DataFrame, look: Look) -> list[pl.DataFrame]:
    """Drugs and procedures by the name of their concept."""
    names = look("concept").select(pl.col("concept_id").alias(concept), "concept_name")
    told = rows.join(names.unique(concept, keep="first"), on=concept, how="left")
    faults = ((pl.col("concept_name").is_null(), NO_NAME),)
    code = coded(kind, pl.col("concept_name"))
    return [draft(told, code, time=_when(when), subject=_subject(), ids=_VISIT, faults=faults)]


def _when(name: str) -> pl.Expr:
    """The moment, or the end of the day where only that is told."""
    return pl.coalesce(moment(f"{name}_datetime"), end_of_day(moment(f"{name}_date")))
