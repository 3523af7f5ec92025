"""The sections of a recipe that say what is read: the source, the cohort, the facts."""

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_serializer, model_validator

_PASSWORD = re.compile(r"(?<=://)([^/@:]*):.*(?=@)|(?<=password=)[^&]*")
"""In the address of a database: behind the name of who reads it, or among the options."""


class Section(BaseModel):
    """A frozen part of a recipe that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(Section):
    """Where records come from."""

    kind: Literal["synthetic", "mimic3", "mimic4", "eicu", "meds", "omop", "fhir", "tables"] = Field(
        "synthetic", description="the source adapter; synthetic is the simulated hospital"
    )
    path: str = Field(
        "",
        description="folder with the raw tables, relative to the recipe file; omop: or a database's address",
    )
    database_schema: str = Field(
        "", description="omop: the schema of its tables, where source.path is the address of a database"
    )
    codes: str = Field(
        "",
        description="your own table of codes (code, variable, unit, needs_own_range), a CSV file relative to "
        "the recipe file; it goes before ours",
    )
    stays: int = Field(8000, ge=1, description="synthetic only: how many stays to simulate")
    shards: int = Field(
        0, ge=0, description="event shards, cut by subject; 0: 8, or more where the raw tables are large"
    )
    credentialed: bool = Field(
        False, description="records of real patients under an agreement: no text may leave this machine"
    )

    @field_serializer("path")
    def _without_password(self, path: str) -> str:
        """The address of a database as manifests keep it."""
        return _PASSWORD.sub(lambda found: f"{found[1]}:***" if found[1] is not None else "***", path)


class Cohort(Section):
    """Which stays, seen at which time."""

    labels: str = Field(
        "",
        description="your own labels, a TOML file relative to the recipe file (docs/labels.md); "
        "empty: the 25 that come with the package",
    )
    unit: Literal["icu", "hospital"] = Field("icu", description="what one stay is")
    prediction: Literal["hours", "before_discharge", "at_discharge"] = Field(
        "hours",
        description="when a stay is predicted: hours after it begins, hours before its discharge (from the "
        "ICU or the hospital, as the unit says), or at its discharge; only what was charted by then enters",
    )
    hours: float = Field(
        48.0, gt=0, description="hours after the stay begins, or before its discharge; at_discharge: not used"
    )
    anchor: Literal["stay", "admission"] = Field(
        "stay",
        description="what the hours count from: the beginning of the stay, or the admission to the hospital "
        "that an ICU stay is a part of",
    )
    series_hours: int = Field(
        0,
        ge=0,
        description="hours that the student's grid of the series has, from the beginning of the stay; 0: as "
        "many as `hours`; needed where the prediction is told by the discharge",
    )
    min_age: float = Field(18.0, ge=0, description="youngest age kept; an unknown age is kept and counted")
    rules: tuple[Literal["same_place", "on_record", "one_stay", "charted"], ...] = Field(
        (),
        description="more rules of selection, those of the MIMIC-III benchmark: the stay ends in the ward "
        "and care unit it began in; its admission is on record; it is the only one left of its admission; at "
        "least one of the benchmark's variables is charted",
    )
    keep_impossible_admissions: bool = Field(
        False,
        description="whether stays are kept whose admission ends before it begins or whose patient was born "
        "later; the benchmark: yes",
    )
    days_a_year: float = Field(
        365.25, ge=365, le=366, description="days of a year of age; the benchmark: 365"
    )
    titled_codes_only: bool = Field(
        False,
        description="whether codes that the source's own dictionary lacks are lost; the benchmark: yes",
    )
    listed_codes_only: bool = Field(
        False,
        description="whether a code must stand in the CCS table itself to give a label, and any code makes "
        "labels known; the benchmark: yes",
    )
    min_measurements: int = Field(0, ge=0, description="fewest measurements before the prediction time")
    note: Literal["charted", "hospital_course"] = Field(
        "charted",
        description="what was written by the prediction time; or the paper's, the hospital course of the "
        "discharge summary, which is written when the diagnoses are known",
    )
    mask: Literal["none", "sections", "mentions"] = Field(
        "none",
        description="what of the note that names a diagnosis is masked: nothing, whole answer sections "
        "(hospital course, discharge diagnosis), or every sentence that names a label",
    )
    compose_notes: bool = Field(
        True, description="compose a note from charted facts where the source has none, marked as composed"
    )
    train: float = Field(0.7, gt=0, lt=1, description="share of patients to learn from")
    tuning: float = Field(
        0.1, gt=0, lt=1, description="share of patients to choose with; the rest is held_out"
    )

    @property
    def grid_hours(self) -> int:
        """How many hourly rows the student's grid has."""
        return self.series_hours or round(self.hours)

    @model_validator(mode="after")
    def _times_fit(self) -> "Cohort":
        by_discharge = self.prediction != "hours"
        if by_discharge and not self.series_hours:
            raise ValueError(
                f'prediction = "{self.prediction}" needs series_hours: how long a stay may be shown'
            )
        if by_discharge and self.anchor != "stay":
            raise ValueError(f'anchor is of prediction = "hours"; leave it out of "{self.prediction}"')
        return self


class Knowledge(Section):
    """Which facts the student may read."""

    sources: tuple[Literal["curated", "pubmed", "wikipedia", "primekg", "folder"], ...] = Field(
        ("curated",),
        min_length=1,
        description="where facts come from, the first source of a fact gives its words; "
        "curated are the cited facts that come with the package and need no network",
    )
    min_facts: int = Field(8, ge=0, description="fewest facts every label must have")
    queries: dict[str, tuple[str, ...]] = Field(
        {}, description="pubmed, wikipedia: what to search for each label; a label not named: its name"
    )
    documents: int = Field(5, ge=1, le=100, description="pubmed, wikipedia: most documents of a query")
    email: str = Field("", description="pubmed, wikipedia: whom their operators may write to about requests")
    pubmed_url: str = Field(
        "https://eutils.ncbi.nlm.nih.gov/entrez/eutils",
        pattern="^https?://",
        description="base URL of the NCBI E-utilities",
    )
    wikipedia_url: str = Field(
        "https://en.wikipedia.org/w/api.php",
        pattern="^https?://",
        description="URL of a MediaWiki action API",
    )
    primekg_file: str = Field("", description="PrimeKG's kg.csv, relative to the recipe file")
    folder: str = Field("", description="folder of .txt, .md and .pdf files, relative to the recipe file")
    folder_licence: str = Field("", description="folder: the licence under which its files may be used")
    cache: str = Field("", description="folder of what was fetched; empty: .fetched beside the run folders")
    endpoint: str = Field("", description="base URL of an OpenAI-compatible API that reads the documents")
    model: str = Field("", description="the name of the model that reads the documents")
    folder_may_leave: bool = Field(
        False, description="folder: whether its texts may be sent to an endpoint on another machine"
    )

    @model_validator(mode="after")
    def _complete(self) -> "Knowledge":
        lacking = [
            f"{key} (needed by {source})"
            for source in self.sources
            for key in _NEEDED_BY.get(source, ())
            if not getattr(self, key)
        ]
        if lacking:
            raise ValueError("knowledge lacks " + ", ".join(lacking))
        if len(set(self.sources)) < len(self.sources):
            raise ValueError("knowledge.sources names a source twice")
        return self


_NEEDED_BY = {
    "pubmed": ("email", "endpoint", "model"),
    "wikipedia": ("email", "endpoint", "model"),
    "primekg": ("primekg_file",),
    "folder": ("folder", "folder_licence", "endpoint", "model"),
}
"""What a source of facts cannot do without: an address, and a model that reads documents."""
