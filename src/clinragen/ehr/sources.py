"""The sources: how each kind of records becomes shards of events. A new source is one line in SOURCES."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from clinragen.ehr.eicu import EICU
from clinragen.ehr.events import EVENT, ordered
from clinragen.ehr.fhir import fhir_layout, laid_flat
from clinragen.ehr.meds import meds_layout
from clinragen.ehr.mimic3 import MIMIC3
from clinragen.ehr.mimic4 import MIMIC4
from clinragen.ehr.omop import omop_layout
from clinragen.ehr.omop_database import from_database
from clinragen.ehr.own import own_layout
from clinragen.ehr.parts import events_of
from clinragen.ehr.tables import Layout
from clinragen.recipe import Source as SourceSection
from clinragen.store import write_table

TRUTHS = ("diagnoses", "states", "mentions")


@dataclass(frozen=True, slots=True)
class ShardJob:
    """What a worker needs to write one shard of events into the folder of the step."""

    section: SourceSection
    seed: int
    folder: Path
    index: int
    tables: tuple[str, ...]

    @property
    def name(self) -> str:
        """The file name of the shard."""
        return f"shard-{self.index:05}.parquet"


@dataclass(frozen=True, slots=True)
class Source:
    """A kind of records: what raw tables it has, if any, and the function that gives a shard's events."""

    layout: Callable[[SourceSection], Layout] | None
    events_of: Callable[[ShardJob], pl.DataFrame]
    fetch: Callable[[SourceSection, Layout, Path], Path] | None = None
    """Brings the raw tables into a folder of their own, where they do not lie in `source.path` as such."""


def simulated(job: ShardJob) -> pl.DataFrame:
    """The events of simulated patients; the truth about them is written beside, before the events."""
    from clinragen.ehr.synthetic import simulate

    simulation = simulate(job.section.stays, job.seed, job.index, job.section.shards)
    for name in TRUTHS:
        write_table(job.folder / "truth" / name / job.name, getattr(simulation.truth, name))
    return simulation.events


def gathered(job: ShardJob) -> pl.DataFrame:
    """The events that the raw tables have for the patients of a shard."""
    parts = [rows for table in job.tables for rows in events_of(job.folder / "parts", table, job.index)]
    return pl.concat([pl.DataFrame(schema=EVENT), *parts])


SOURCES: dict[str, Source] = {
    "synthetic": Source(None, simulated),
    "mimic3": Source(lambda _: MIMIC3, gathered),
    "mimic4": Source(lambda _: MIMIC4, gathered),
    "eicu": Source(lambda _: EICU, gathered),
    "meds": Source(meds_layout, gathered),
    "omop": Source(omop_layout, gathered, from_database),
    "fhir": Source(fhir_layout, gathered, laid_flat),
    "tables": Source(own_layout, gathered),
}


def write_shard(job: ShardJob) -> None:
    """Write one shard of events; a finished shard stays as it is."""
    path = job.folder / "data" / job.name
    if not path.exists():
        write_table(path, ordered(SOURCES[job.section.kind].events_of(job)))
