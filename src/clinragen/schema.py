"""The nouns, each frozen, and what their missing values mean.

An Event is a row of the MEDS standard and lives in Parquet only (see `ehr/events.py`).
`None` always means "not recorded", never zero, normal or absent; an empty tuple means "recorded: none".
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float

Split = Literal["train", "tuning", "held_out"]
Level = Literal["low", "normal", "high"]
Trend = Literal["rising", "falling", "stable", "fluctuating", "unknown"]
Verdict = Literal["supported", "contradicted", "unverifiable"]
Part = Literal["note", "series"]

SPLITS: tuple[Split, ...] = ("train", "tuning", "held_out")
VERDICTS: tuple[Verdict, ...] = ("supported", "contradicted", "unverifiable")


class Measurement(NamedTuple):
    """One value of one variable at one time, in the variable's own unit.

    `low` and `high` bound the reference range that goes with this very value (the laboratory's own, or
    the table's); None means the range has no such side.
    """

    time: datetime
    variable: str
    value: float
    unit: str
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Stay:
    """What one hospital or ICU stay had on record before its prediction time, and what it was coded with.

    `note` is "" where the source has none. `measurements` are ordered by (time, variable) and may be
    empty: then the series is missing, never normal. `diagnoses` is None where no codes are known (a case
    to be diagnosed) and empty where the stay was coded with none of the labels.
    """

    stay_id: str
    subject_id: int
    source: str
    split: Split | None
    start: datetime
    prediction_time: datetime
    sex: Literal["female", "male"] | None
    age: float | None
    note: str
    note_is_composed: bool
    measurements: tuple[Measurement, ...]
    diagnoses: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class TimeSeries:
    """A stay on the hourly grid: the last value of each hour. NaN = not measured in that hour."""

    variables: tuple[str, ...]
    values: Float[np.ndarray, "hour variable"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What the values of one variable show, computed and never typed.

    `count` of `measured` values lie at `level`. `extreme` is the worst value at that level (the last
    value if normal) and `when` its time. A variable may have a high and a low finding; it has a normal
    one only if every value is normal. `trend` is of the whole series of the variable.
    """

    variable: str
    level: Level
    count: int
    measured: int
    extreme: float
    when: datetime
    first: float
    last: float
    trend: Trend
    unit: str
    low: float | None
    high: float | None

    @property
    def is_persistent(self) -> bool:
        """Whether at least half of the values are at this level; otherwise it was so only at times."""
        return 2 * self.count >= self.measured


@dataclass(frozen=True, slots=True)
class Document:
    """A text that facts are drawn from: where it is from, how to cite it, and what its licence permits.

    `document_id` names one version of the text (a revision, a content hash), so that spans stay true.
    `retrieved` is the day it was fetched in ISO 8601, None for a file that was always here.
    """

    document_id: str
    source: str
    title: str
    text: str
    citation: str
    url: str
    licence: str
    retrieved: str | None


@dataclass(frozen=True, slots=True)
class Quote:
    """Where a document says a fact: `text` is the document's `text[start:end]`."""

    document_id: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Fact:
    """The smallest citable unit of knowledge: a finding, or words of a note, that speak for diagnoses.

    Either `variable` and `level` are given (a series fact; `threshold` in the variable's unit where the
    source states one) or `sign` is (a note fact: the words as a note would say them). A curated fact has
    no quotes: it is told in words of our own after the work it cites.
    """

    fact_id: str
    text: str
    diagnoses: tuple[str, ...]
    citation: str
    variable: str | None = None
    level: Level | None = None
    threshold: float | None = None
    sign: str | None = None
    licence: str = ""
    quotes: tuple[Quote, ...] = ()


@dataclass(frozen=True, slots=True)
class Rationale:
    """Why, for one stay and one part of its record, in the words of one author."""

    stay_id: str
    part: Part
    text: str
    author: str
    prompt_id: str


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model says of one stay: a probability per diagnosis, and the text it wrote."""

    stay_id: str
    probabilities: dict[str, float]
    text: str
    model_id: str


@dataclass(frozen=True, slots=True)
class Claim:
    """One checkable statement: `text` is `rationale[start:end]`; `evidence` is what decided the verdict.

    `about` names the part of the chart that decides; `subject` is the variable of a series claim, the
    concept of a note claim.
    """

    text: str
    start: int
    end: int
    about: Part
    subject: str
    verdict: Verdict
    evidence: tuple[str, ...]
    reason: str
