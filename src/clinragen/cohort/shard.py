"""One shard of events -> one shard of stays, with everything that was counted on the way."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

import polars as pl

from clinragen.clinical.codes import code_book
from clinragen.cohort.hospital_course import hospital_courses
from clinragen.cohort.labels import diagnoses_of
from clinragen.cohort.leakage import Naming, named_before_and_after, naming_table, tally_named
from clinragen.cohort.masking import mask_note
from clinragen.cohort.measurements import measure
from clinragen.cohort.notes import notes_of
from clinragen.cohort.selection import (
    IN_THE_RECORDS,
    rules_after_measuring,
    rules_before_measuring,
    select,
)
from clinragen.cohort.splits import split_of
from clinragen.cohort.tally import Tally, added
from clinragen.cohort.windows import windows
from clinragen.recipe import Cohort
from clinragen.schema import Measurement, Stay
from clinragen.store import read_json, write_json, write_stays, write_table


@dataclass(frozen=True, slots=True)
class ShardJob:
    """What a worker needs to turn one event shard into one shard of stays."""

    events: Path
    stays: Path
    named: Path
    tallies: Path
    cohort: Cohort
    source: str
    seed: int
    codes: Path | None = None
    shared: frozenset[str] = frozenset()


class Built(NamedTuple):
    """The stays of a shard, everything counted, and what their notes name (see `leakage.naming_table`)."""

    stays: list[Stay]
    tallies: dict[str, Tally]
    named: pl.DataFrame


def build_shard(job: ShardJob) -> dict[str, Tally]:
    """Write the stays of one shard and return its tallies; a finished shard is read, not built again."""
    if not job.stays.exists():
        events = pl.read_parquet(job.events)
        built = build(events, job.cohort, job.source, job.seed, job.codes, job.shared)
        write_json(job.tallies, built.tallies)
        write_table(job.named, built.named)
        write_stays(job.stays, built.stays)
    tallies: dict[str, Tally] = read_json(job.tallies)
    return tallies


def stays_of(events: pl.DataFrame, cohort: Cohort, source: str) -> tuple[list[Stay], dict[str, Tally]]:
    """The stays that `build` gives, and everything counted."""
    built = build(events, cohort, source)
    return built.stays, built.tallies


def build(
    events: pl.DataFrame,
    cohort: Cohort,
    source: str,
    seed: int = 0,
    own_codes: Path | None = None,
    shared: frozenset[str] = frozenset(),
) -> Built:
    """The selected stays of some patients' events, ordered by stay_id, and what there is to know of them.

    `shared` are ids of stays that patients of other shards have too.
    """
    found = windows(events, cohort, shared)
    coded, codes = diagnoses_of(events, found, cohort)
    kept, before = select(coded, rules_before_measuring(cohort))
    table, measured, quality = measure(events, kept, code_book(source, own_codes))
    courses = hospital_courses(events, kept) if cohort.note == "hospital_course" else {}
    counted = kept.join(measured, on="stay_id", how="left").with_columns(
        pl.col("measured", "charted").fill_null(0), has_course=pl.col("stay_id").is_in(list(courses))
    )
    kept, after = select(counted, rules_after_measuring(cohort))
    notes = (
        {stay: (text, False) for stay, text in courses.items()}
        if cohort.note == "hospital_course"
        else notes_of(events, kept, cohort.compose_notes)
    )
    stays, noted, named = _stays(notes, kept, table, cohort, source, seed)
    selection = {IN_THE_RECORDS: found.height, **before, **after}
    return Built(stays, {"selection": selection, "codes": codes, **quality, **noted}, named)


def _stays(
    notes: dict[str, tuple[str, bool]],
    kept: pl.DataFrame,
    table: pl.DataFrame,
    cohort: Cohort,
    source: str,
    seed: int,
) -> Built:
    measured = _measurements(table)
    stays, tallies, named = [], [], {}
    for row in kept.iter_rows(named=True):
        note, is_composed = notes.get(row["stay_id"], ("", False))
        masked, left_out = mask_note(note, cohort.mask)
        stay = Stay(
            stay_id=row["stay_id"],
            subject_id=row["subject_id"],
            source=source,
            split=split_of(row["subject_id"], cohort.train, cohort.tuning, seed),
            start=row["start"],
            prediction_time=row["prediction_time"],
            sex=row["sex"],
            age=None if row["age"] is None else round(row["age"], 1),
            note=masked,
            note_is_composed=is_composed,
            measurements=measured.get(row["stay_id"], ()),
            diagnoses=frozenset(row["diagnoses"]),
        )
        stays.append(stay)
        named[stay.stay_id] = named_before_and_after(note, masked)
        tallies.append(_tally(stay, named[stay.stay_id], left_out, row["era"], cohort.grid_hours))
    return Built(stays, added(tallies), naming_table(named))


def _measurements(table: pl.DataFrame) -> dict[str, tuple[Measurement, ...]]:
    rows = table.select("stay_id", *Measurement._fields).iter_rows()
    return {
        stay: tuple(Measurement._make(row[1:]) for row in group)
        for stay, group in groupby(rows, key=itemgetter(0))
    }


def _tally(
    stay: Stay, named: Mapping[str, Naming], left_out: int, era: str, grid_hours: int
) -> dict[str, Tally]:
    """What one stay adds to the counts; `named` is what its note names, `era` how it was coded."""
    coded = stay.diagnoses or frozenset()
    variables = Counter(row.variable for row in stay.measurements)
    return {
        "splits": {str(stay.split): 1},
        "labels": dict.fromkeys(sorted(coded), 1),
        "eras": {era: 1},
        f"labels of {era}": dict.fromkeys(sorted(coded), 1),
        "stays": {name: 1 for name, holds in _traits(stay, left_out, grid_hours) if holds},
        "masked parts": {"left out": left_out},
        "measured so often": {f"{name}: {times}": 1 for name, times in variables.items()},
        **{phase: tally_named(told, coded) for phase, told in named.items()},
    }


def _traits(stay: Stay, left_out: int, grid_hours: int) -> tuple[tuple[str, bool], ...]:
    past_grid = timedelta(hours=grid_hours) < stay.prediction_time - stay.start
    return (
        ("with a charted note", bool(stay.note) and not stay.note_is_composed),
        ("with a composed note", bool(stay.note) and stay.note_is_composed),
        ("with a masked note", left_out > 0),
        ("without a note", not stay.note),
        ("without measurements", not stay.measurements),
        ("without note and measurements", not stay.note and not stay.measurements),
        ("without any label", not stay.diagnoses),
        ("of unknown age", stay.age is None),
        ("of unknown sex", stay.sex is None),
        (f"of more than the {grid_hours} hours of the student's grid", past_grid),
    )
