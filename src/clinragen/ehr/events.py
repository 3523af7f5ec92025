"""Events, the rows of the MEDS standard, and their drafts: rows that may turn out to be unreadable.

A draft has the columns of an event, the number of the raw row and a fault. Rows with a fault are
quarantined and counted, never guessed; their text is kept nowhere.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from clinragen.clinical.units import NO_UNIT
from clinragen.ehr.tables import ROW

EVENT: dict[str, pl.DataType] = {
    "subject_id": pl.Int64(),
    "time": pl.Datetime("us"),
    "code": pl.String(),
    "numeric_value": pl.Float32(),
    "text_value": pl.String(),
    "unit": pl.String(),
    "low": pl.Float64(),
    "high": pl.Float64(),
    "hadm_id": pl.String(),
    "stay_id": pl.String(),
}
SAMPLES = 5

NO_SUBJECT = "no readable subject"
NO_TIME = "no readable time"
NO_CODE = "no code"
NO_VALUE = "no value"
NOT_A_NUMBER = "text where a number belongs"
UNMAPPED = "code that is none of ours"
"""Such rows are no fault of the source: they are counted by their code and not quarantined."""

_FAULT, _SAID = "fault", "said"
_NOTHING = pl.lit(None, pl.String)
_DRAFT = {**EVENT, ROW: pl.UInt32(), _FAULT: pl.String()}
_USUAL_MOMENT = "%Y-%m-%d %H:%M:%S"
_MOMENTS = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%d")
_BOUND = r"(?i)^\s*(?:<|>|<=|>=|less than|greater than)\s*\d+\.?\d*\s*$"

Fault = tuple[pl.Expr, str]
"""When a row cannot be used, and why."""


@dataclass(frozen=True, slots=True)
class Ids:
    """The hospital stay and the ICU stay that a row says it belongs to; null where it says none."""

    hadm: pl.Expr = field(default_factory=lambda: pl.lit(None, pl.String))
    stay: pl.Expr = field(default_factory=lambda: pl.lit(None, pl.String))


NO_IDS = Ids()


@dataclass(frozen=True, slots=True)
class Value:
    """A measured value: the number, what was written, its unit and the range printed beside it.

    A result that only bounds the value ("<0.01") is no number; it is kept as the event's text.
    """

    number: pl.Expr
    said: pl.Expr
    unit: pl.Expr
    low: pl.Expr = field(default_factory=lambda: pl.lit(None, pl.Float64))
    high: pl.Expr = field(default_factory=lambda: pl.lit(None, pl.Float64))

    def columns(self) -> dict[str, pl.Expr]:
        """The columns of an event that a value fills."""
        return {
            "numeric_value": self.number,
            "unit": self.unit,
            "low": self.low,
            "high": self.high,
        }


def draft(
    rows: pl.DataFrame,
    code: pl.Expr,
    *,
    time: pl.Expr | None,
    subject: pl.Expr | None = None,
    value: Value | None = None,
    text: pl.Expr | None = None,
    ids: Ids = NO_IDS,
    faults: Sequence[Fault] = (),
) -> pl.DataFrame:
    """One event for each row, with the first fault it has; `time` of None is for what has no time."""
    who = pl.col("subject_id").cast(pl.Int64, strict=False) if subject is None else subject
    columns = {"subject_id": who, "code": code, "hadm_id": ids.hadm, "stay_id": ids.stay}
    columns |= {} if time is None else {"time": time}
    columns |= {} if value is None else value.columns()
    columns |= {} if text is None else {"text_value": text}
    filled = [columns.get(name, pl.lit(None)).cast(kind).alias(name) for name, kind in EVENT.items()]
    own = [
        (is_so & code.is_not_null() if why == UNMAPPED else is_so).alias(f"fault {place}")
        for place, (is_so, why) in enumerate(faults)
    ]
    drafts = rows.select(*filled, ROW, (_NOTHING if value is None else value.said).alias(_SAID), *own)
    if value is not None:
        drafts = drafts.with_columns(_unread_text(keeps=text is None))
    found = [(pl.col(f"fault {place}"), why) for place, (_, why) in enumerate(faults)]
    found += [(pl.col("subject_id").is_null(), NO_SUBJECT), (pl.col("code").is_null(), NO_CODE)]
    found += [] if time is None else [(pl.col("time").is_null(), NO_TIME)]
    found += [] if value is None else _unreadable()
    reason = pl.coalesce(pl.when(is_so.fill_null(False)).then(pl.lit(why)) for is_so, why in found)
    return drafts.with_columns(reason.alias(_FAULT)).select(*_DRAFT).cast(_DRAFT)  # type: ignore[arg-type]


def _unread_text(keeps: bool) -> list[pl.Expr]:
    """What was written where there is no number, also as the text of the event if that `keeps` it."""
    unread = pl.when(pl.col("numeric_value").is_null()).then(_SAID)
    return [unread.alias(_SAID), *([unread.alias("text_value")] if keeps else [])]


def _unreadable() -> list[Fault]:
    """Why a value cannot be read, by what was written in its place; there is text only where it was not."""
    said = pl.col(_SAID)
    is_missing = pl.col("numeric_value").is_null() & ~said.str.contains(_BOUND).fill_null(False)
    is_empty = said.is_null() | (said.str.strip_chars() == "")
    return [(is_missing & is_empty, NO_VALUE), (is_missing, NOT_A_NUMBER)]


def sift(drafts: Sequence[pl.DataFrame]) -> tuple[pl.DataFrame, dict[str, dict[str, Any]]]:
    """The events of drafts, and for every fault how many rows have it and the numbers of the first few."""
    together = pl.concat([pl.DataFrame(schema=_DRAFT), *drafts])
    faulty = together.filter(pl.col(_FAULT) != UNMAPPED).select(ROW, _FAULT).unique().sort(_FAULT, ROW)
    quarantined: dict[str, dict[str, Any]] = {
        str(why): {"count": rows.height, "rows": rows[ROW].head(SAMPLES).to_list()}
        for (why,), rows in faulty.group_by(_FAULT, maintain_order=True)
    }
    return together.filter(pl.col(_FAULT).is_null()).select(*EVENT), quarantined


def unmapped_codes(drafts: Sequence[pl.DataFrame]) -> dict[str, int]:
    """The codes of drafts that are none of ours, and how many rows each has."""
    rows = pl.concat([pl.DataFrame(schema=_DRAFT), *drafts]).filter(pl.col(_FAULT) == UNMAPPED)
    return dict(rows.group_by("code").len().iter_rows())


def ordered(events: pl.DataFrame) -> pl.DataFrame:
    """Events by subject, time (no time first), code; ties by all the rest, so raw order does not matter."""
    first = ("subject_id", "time", "code")
    rest = [name for name in EVENT if name not in first]
    return events.select(pl.col(name).cast(kind) for name, kind in EVENT.items()).sort(*first, *rest)


def moment(column: str) -> pl.Expr:
    """A time written as text; null where it cannot be read."""
    return pl.col(column).map_batches(_moments, return_dtype=pl.Datetime("us"))


def _moments(texts: pl.Series) -> pl.Series:
    """All in the usual form if they have it, which is much faster; else each in the first form that fits."""
    at_once = texts.str.to_datetime(_USUAL_MOMENT, strict=False, time_unit="us", cache=False)
    if at_once.null_count() == texts.null_count():
        return at_once
    told = texts.str.strip_chars()
    forms = [told.str.to_datetime(form, strict=False, time_unit="us") for form in _MOMENTS]
    return pl.select(pl.coalesce(forms)).to_series()


def end_of_day(time: pl.Expr) -> pl.Expr:
    """The last second of a day: what only has a date is known by then, and nobody knows how much earlier."""
    return time.dt.truncate("1d") + pl.duration(seconds=86_399)


def number(column: str) -> pl.Expr:
    """A finite number written as text; null where it cannot be read."""
    return number_in(pl.col(column))


def number_in(text: pl.Expr) -> pl.Expr:
    """A finite number in text of any expression."""
    return text.map_batches(_numbers, return_dtype=pl.Float64())


def _numbers(texts: pl.Series) -> pl.Series:
    """All as they are if they can be read so, which is much faster; else without blanks around them."""
    found = texts.cast(pl.Float64, strict=False)
    if found.null_count() != texts.null_count():
        found = texts.str.strip_chars().cast(pl.Float64, strict=False)
    return found if found.is_finite().all() else found.set(~found.is_finite(), None)


def coded(kind: str, *parts: pl.Expr) -> pl.Expr:
    """The code `kind//part//...`; null where a part is missing or empty."""
    tidy = [part.str.replace_all(r"\s+", " ").str.strip_chars() for part in parts]
    whole = pl.concat_str([pl.lit(kind), *tidy], separator="//")
    return pl.when(pl.all_horizontal([part != "" for part in tidy])).then(whole)


def or_no_unit(unit: pl.Expr) -> pl.Expr:
    """The unit for a code: UNK where the row has none."""
    return pl.when(unit.str.strip_chars() != "").then(unit).otherwise(pl.lit(NO_UNIT))


def icd_plain(code: pl.Expr) -> pl.Expr:
    """An ICD code without dots and blanks, in upper case."""
    return code.str.replace_all(r"[.\s]", "").str.to_uppercase()


def added(tallies: Sequence[dict[str, int]]) -> dict[str, int]:
    """Counts summed by name, the most frequent first; ties in the order of their names."""
    total: Counter[str] = Counter()
    for tally in tallies:
        total.update(tally)
    return dict(sorted(total.items(), key=lambda entry: (-entry[1], entry[0])))
