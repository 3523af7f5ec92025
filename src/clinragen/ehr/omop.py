"""OMOP CDM 5.4: https://ohdsi.github.io/CommonDataModel/. CSV or Parquet, or a database (`omop_database.py`).

Concepts are looked up in the export's own `concept` table: measurements by their LOINC code, units by their
UCUM code or as the source wrote them, diagnoses by the ICD code the source used. No name is guessed from.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import polars as pl

from clinragen.clinical.codes import SEPARATOR, CodeBook, code_book
from clinragen.ehr.events import UNMAPPED, Fault, Ids, Value, coded, draft, end_of_day, moment, number
from clinragen.ehr.omop_concepts import CONCEPT, concepts, whole_numbers, with_units
from clinragen.ehr.omop_icd import MAPS_TO, with_icd
from clinragen.ehr.own import filled
from clinragen.ehr.tables import Feed, Layout, Look, Need, need
from clinragen.recipe import Source

INPATIENT, EMERGENCY_AND_INPATIENT, INTENSIVE_CARE = "9201", "262", "32037"
STAYS = (INPATIENT, EMERGENCY_AND_INPATIENT, INTENSIVE_CARE)
SEXES = {"8507": "M", "8532": "F"}
BOUNDS = {"4171756": "<", "4171754": "<=", "4172704": ">", "4171755": ">="}
"""Operators of a measurement that only bounds its value."""
NO_STAY = "visit that is no stay in a hospital"
NO_ICD = "diagnosis without a sure code of ICD-9-CM or ICD-10-CM"
NO_NAME = "concept without a name"
_VISIT = Ids(pl.col("visit_occurrence_id"), pl.col("visit_detail_id"))


def omop_layout(source: Source) -> Layout:
    """The tables that are read; measurements are read with the user's own codes too."""
    own = Path(source.codes) if source.codes else None
    return Layout("omop", (*_stays(), *_charted(own)), (CONCEPT, MAPS_TO))


def _stays() -> tuple[Feed, ...]:
    """Who was there, and when."""
    return (
        _feed(
            need("person", "person_id gender_concept_id year_of_birth", may="month_of_birth day_of_birth"),
            _persons,
        ),
        _feed(
            need(
                "visit_occurrence",
                "visit_occurrence_id person_id visit_concept_id visit_start_date visit_end_date",
                may="visit_start_datetime visit_end_datetime",
            ),
            _visits,
        ),
        _feed(
            need(
                "visit_detail",
                "visit_detail_id visit_occurrence_id person_id visit_detail_concept_id "
                "visit_detail_start_date visit_detail_end_date",
                True,
                may="visit_detail_start_datetime visit_detail_end_datetime",
            ),
            _details,
        ),
    )


def _charted(own: Path | None) -> tuple[Feed, ...]:
    """What was measured, coded, written and given."""
    visit = "visit_occurrence_id visit_detail_id"
    return (
        _feed(
            need(
                "measurement",
                "person_id measurement_concept_id measurement_date value_as_number",
                may="measurement_datetime measurement_source_value unit_concept_id unit_source_value "
                f"operator_concept_id value_source_value range_low range_high {visit}",
            ),
            partial(_measurements, own),
        ),
        _feed(
            need(
                "condition_occurrence",
                "person_id condition_concept_id condition_start_date",
                may=f"condition_source_value condition_source_concept_id {visit}",
            ),
            _conditions,
        ),
        _feed(
            need("note", "person_id note_date note_text", True, may=f"note_datetime note_title {visit}"),
            _notes,
        ),
        _feed(
            need(
                "drug_exposure",
                "person_id drug_concept_id drug_exposure_start_date",
                True,
                may=f"drug_exposure_start_datetime {visit}",
            ),
            partial(_named, "DRUG", "drug_concept_id", "drug_exposure_start"),
        ),
        _feed(
            need(
                "procedure_occurrence",
                "person_id procedure_concept_id procedure_date",
                True,
                may=f"procedure_datetime {visit}",
            ),
            partial(_named, "PROCEDURE", "procedure_concept_id", "procedure"),
        ),
    )


Read = Callable[[pl.DataFrame, Look], list[pl.DataFrame]]


def _feed(needed: Need, read: Read) -> Feed:
    return Feed(needed, partial(_with_whole_ids, read))


def _with_whole_ids(read: Read, rows: pl.DataFrame, look: Look) -> list[pl.DataFrame]:
    return read(whole_numbers(rows), look)


def _subject() -> pl.Expr:
    return pl.col("person_id").cast(pl.Int64, strict=False)


def _persons(rows: pl.DataFrame, _: Look) -> list[pl.DataFrame]:
    """Born on the first of a month or year where no more is told."""
    sex = pl.col("gender_concept_id").replace_strict(SEXES, default=None)
    known = rows.filter(pl.col("gender_concept_id").is_in(list(SEXES)))
    return [
        draft(known, coded("GENDER", sex), time=None, subject=_subject()),
        draft(rows, pl.lit("MEDS_BIRTH"), time=_born(), subject=_subject()),
    ]


def _born() -> pl.Expr:
    """Null where the parts that are told are no date."""

    def part(name: str, digits: int) -> pl.Expr:
        return number(f"{name}_of_birth").cast(pl.Int64, strict=False).cast(pl.String).str.zfill(digits)

    def or_first(name: str) -> pl.Expr:
        return pl.when(filled(f"{name}_of_birth").is_null()).then(pl.lit("01")).otherwise(part(name, 2))

    date = pl.concat_str(part("year", 4), or_first("month"), or_first("day"), separator="-")
    is_date = date.str.contains(r"^[1-9]\d{3}-\d{2}-\d{2}$")
    return pl.when(is_date).then(date).str.to_datetime("%Y-%m-%d", strict=False, time_unit="us")


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
    begins = _moment_or(f"{name}_start_datetime", moment(f"{name}_start_date"))
    ends = _moment_or(f"{name}_end_datetime", end_of_day(moment(f"{name}_end_date")))
    return ("ADMISSION", begins), ("DISCHARGE", ends)


def _measurements(own: Path | None, rows: pl.DataFrame, look: Look) -> list[pl.DataFrame]:
    """By what the source wrote, where the user's own table has it, else by the code of the concept."""
    told = with_units(rows, look).join(_kinds(look, rows), on="measurement_concept_id", how="left")
    book, said = code_book("omop", own), pl.col("measurement_source_value")
    is_said, is_coded = (
        pl.col(column).is_in(_known(told[column], book)).fill_null(False)
        for column in ("measurement_source_value", "kind")
    )
    unnamed = pl.format("concept {}", "measurement_concept_id")
    code = (
        pl.when(is_said)
        .then(said)
        .otherwise(pl.coalesce("kind", filled("measurement_source_value"), unnamed))
    )
    faults: tuple[Fault, ...] = ((~(is_said | is_coded), UNMAPPED),)
    time = _when("measurement")
    return [draft(told, code, time=time, subject=_subject(), value=_value(), ids=_VISIT, faults=faults)]


def _kinds(look: Look, rows: pl.DataFrame) -> pl.DataFrame:
    """What is measured, by concept: `LOINC//2160-0`, and so for other vocabularies."""
    code = pl.concat_str("vocabulary_id", "concept_code", separator=SEPARATOR)
    found = concepts(look, rows["measurement_concept_id"])
    return found.select(measurement_concept_id="concept_id", kind=code)


def _known(codes: pl.Series, book: CodeBook) -> list[str]:
    return [code for code in codes.unique().drop_nulls() if book.entry_of(code)]


def _value() -> Value:
    """An operator such as "<" makes a value a bound, which is no number."""
    bound = pl.col("operator_concept_id").replace_strict(BOUNDS, default=None)
    exact = pl.when(bound.is_null()).then(number("value_as_number"))
    text = pl.coalesce(bound + pl.col("value_as_number"), "value_source_value", "value_as_number")
    return Value(exact, text, pl.col("unit"), number("range_low"), number("range_high"))


def _conditions(rows: pl.DataFrame, look: Look) -> list[pl.DataFrame]:
    """By their ICD code, from the end of the day they are dated."""
    ids, time = Ids(pl.col("visit_occurrence_id")), end_of_day(moment("condition_start_date"))
    told, icd = with_icd(rows, look), pl.col("icd")
    return [draft(told, icd, time=time, subject=_subject(), ids=ids, faults=((icd.is_null(), NO_ICD),))]


def _notes(rows: pl.DataFrame, _: Look) -> list[pl.DataFrame]:
    title = pl.when(pl.col("note_title").str.strip_chars() != "").then("note_title").otherwise(pl.lit("note"))
    return [
        draft(
            rows,
            coded("NOTE", title.str.to_lowercase()),
            time=_known_by("note"),
            subject=_subject(),
            text=pl.col("note_text"),
            ids=_VISIT,
        )
    ]


def _named(kind: str, concept: str, when: str, rows: pl.DataFrame, look: Look) -> list[pl.DataFrame]:
    """Drugs and procedures by the name of their concept."""
    names = concepts(look, rows[concept]).select(pl.col("concept_id").alias(concept), "concept_name")
    told = rows.join(names, on=concept, how="left")
    faults = ((pl.col("concept_name").is_null(), NO_NAME),)
    code = coded(kind, pl.col("concept_name"))
    return [draft(told, code, time=_known_by(when), subject=_subject(), ids=_VISIT, faults=faults)]


def _when(name: str) -> pl.Expr:
    """The moment, or the end of the day where only that is told."""
    return _moment_or(f"{name}_datetime", end_of_day(moment(f"{name}_date")))


def _known_by(name: str) -> pl.Expr:
    """The moment, or the end of the day; midnight is how many exports write a day without a time."""
    told, day = _when(name), end_of_day(moment(f"{name}_date"))
    return pl.when(told == told.dt.truncate("1d")).then(day).otherwise(told)


def _moment_or(column: str, otherwise: pl.Expr) -> pl.Expr:
    """Something else where no moment is told; null where it is told and cannot be read."""
    return pl.when(filled(column).is_null()).then(otherwise).otherwise(moment(column))
