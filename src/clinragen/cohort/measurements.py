"""What was measured in a stay before its prediction time: in one unit, plausible, with its range.

What cannot be used is left out and counted by its reason; nothing is clipped, filled or guessed.
"""

import polars as pl

from clinragen.clinical.codes import CodeBook, Entry
from clinragen.clinical.paper_series import fenced_variables
from clinragen.clinical.units import conversions, plain_unit
from clinragen.clinical.variables import variables
from clinragen.cohort.tally import Tally
from clinragen.cohort.windows import belonging
from clinragen.schema import Measurement

KEPT = "kept"
NO_NUMBER = "no number"
UNMAPPED = "unmapped code"
UNKNOWN_UNIT = "unknown unit"
IMPLAUSIBLE = "implausible value"
RANGELESS = "no range of its own where one is needed"
SAME_MOMENT = "another value of the same moment"

OWN = "the laboratory's own"
OWN_REVERSED = "the table's, for the laboratory's own is reversed"
TABLE = "the table's"

_FATES = (KEPT, UNMAPPED, UNKNOWN_UNIT, NO_NUMBER, IMPLAUSIBLE, RANGELESS)
_NOTHING = Entry("")
_CHARTED_DECIMALS = 4
_SEX_UNKNOWN = "unknown"
_READING = {
    "code": pl.String,
    "unit": pl.String,
    "variable": pl.String,
    "scale": pl.Float64,
    "shift": pl.Float64,
    "needs_own_range": pl.Boolean,
}
_RANGE = {
    "variable": pl.String,
    "sex": pl.String,
    "variable_unit": pl.String,
    "table_low": pl.Float64,
    "table_high": pl.Float64,
}


def measure(
    events: pl.DataFrame, found: pl.DataFrame, book: CodeBook
) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, Tally]]:
    """The measurements of the stays (stay_id and the fields of a Measurement), how many, and what was left.

    Of several values of one variable charted at the same moment the largest is kept, whatever the order
    of the rows.
    """
    known = [code for code in events["code"].unique() if book.entry_of(code)]
    is_charted = pl.col("code").str.contains(r"^(?:LAB|VITAL|CHART)//") | pl.col("code").is_in(known)
    charted = events.filter(is_charted)
    within = pl.col("time").is_between("start", "prediction_time")
    rows = belonging(charted, found).filter(within).pipe(_read, book).pipe(_judged)
    kept = rows.filter(pl.col("fate") == KEPT).pipe(_with_ranges, found).pipe(_one_a_moment)
    return kept.select("stay_id", *Measurement._fields), _counts(rows, kept), _tallies(rows, kept)


def _counts(rows: pl.DataFrame, kept: pl.DataFrame) -> pl.DataFrame:
    """For each stay how many values are `measured`, and how many of the paper's variables are `charted`."""
    is_charted = pl.col("variable").is_in([row.variable for row in fenced_variables()])
    charted = rows.filter(is_charted & pl.col("numeric_value").is_not_null() & pl.col("is_named"))
    return (
        kept.group_by("stay_id")
        .agg(measured=pl.len())
        .join(charted.group_by("stay_id").agg(charted=pl.len()), on="stay_id", how="full", coalesce=True)
    )


def _read(rows: pl.DataFrame, book: CodeBook) -> pl.DataFrame:
    """The variable of each row, its value in the variable's unit, and its own range in that unit.

    Values are stored as 32-bit floats; four decimals give back what was charted.
    """
    read = rows.join(_readings(rows, book), on=["code", "unit"], how="left", nulls_equal=True)

    def converted(column: str) -> pl.Expr:
        charted = pl.col(column).cast(pl.Float64).round(_CHARTED_DECIMALS)
        return (charted * pl.col("scale") + pl.col("shift")).round(_CHARTED_DECIMALS).fill_nan(None)

    return read.with_columns(
        value=converted("numeric_value"), own_low=converted("low"), own_high=converted("high")
    ).with_columns(range_of=_range_of())


def _range_of() -> pl.Expr:
    """Whose range judges a value."""
    has_own = pl.col("own_low").is_not_null() | pl.col("own_high").is_not_null()
    is_reversed = (pl.col("own_low") > pl.col("own_high")).fill_null(False)
    return (
        pl.when(is_reversed)
        .then(pl.lit(OWN_REVERSED))
        .when(has_own)
        .then(pl.lit(OWN))
        .otherwise(pl.lit(TABLE))
    )


def _readings(rows: pl.DataFrame, book: CodeBook) -> pl.DataFrame:
    """Each distinct (code, unit) once: the variable it means and how its unit converts, null if unknown."""
    lines = {(name, unit): line for name, unit, *line in conversions().iter_rows()}
    readings = []
    for code, unit in rows.select("code", "unit").unique().sort("code", "unit").iter_rows():
        entry = book.entry_of(code) or _NOTHING
        scale, shift = lines.get((entry.variable, plain_unit(unit or entry.unit)), (None, None))
        readings.append((code, unit, entry.variable or None, scale, shift, entry.needs_own_range))
    return pl.DataFrame(readings, schema=_READING, orient="row")


def _judged(rows: pl.DataFrame) -> pl.DataFrame:
    """Why a row cannot be used, or that it is kept."""
    bounds = pl.DataFrame(
        [(v.name, v.plausible_low, v.plausible_high) for v in variables().values()],
        schema={"variable": pl.String, "plausible_low": pl.Float64, "plausible_high": pl.Float64},
        orient="row",
    )
    plausible = pl.col("value").is_between("plausible_low", "plausible_high")
    return rows.join(bounds, on="variable", how="left").with_columns(
        fate=pl.when(pl.col("variable").is_null())
        .then(pl.lit(UNMAPPED))
        .when(pl.col("scale").is_null())
        .then(pl.lit(UNKNOWN_UNIT))
        .when(pl.col("value").is_null() | ~pl.col("value").is_finite())
        .then(pl.lit(NO_NUMBER))
        .when(~plausible)
        .then(pl.lit(IMPLAUSIBLE))
        .when(pl.col("needs_own_range") & (pl.col("range_of") != OWN))
        .then(pl.lit(RANGELESS))
        .otherwise(pl.lit(KEPT))
    )


def _with_ranges(rows: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """The range that goes with each value: the laboratory's own where the row has one, else the table's."""
    sexed = rows.join(
        found.select("stay_id", pl.col("sex").fill_null(_SEX_UNKNOWN)), on="stay_id", how="left"
    )
    is_own = pl.col("range_of") == OWN
    return sexed.join(_table_ranges(), on=["variable", "sex"], how="left").with_columns(
        low=pl.when(is_own).then("own_low").otherwise("table_low"),
        high=pl.when(is_own).then("own_high").otherwise("table_high"),
        unit="variable_unit",
    )


def _table_ranges() -> pl.DataFrame:
    rows = [
        (v.name, sex, v.unit, *v.reference_range(sex))
        for v in variables().values()
        for sex in ("female", "male", _SEX_UNKNOWN)
    ]
    return pl.DataFrame(rows, schema=_RANGE, orient="row")


def _one_a_moment(rows: pl.DataFrame) -> pl.DataFrame:
    """One value for each stay, variable and moment: the largest, as the MIMIC-III benchmark does."""
    ordered = rows.sort("stay_id", "time", "variable", "value", "low", "high", "range_of")
    return ordered.unique(["stay_id", "time", "variable"], keep="last", maintain_order=True)


def _tallies(rows: pl.DataFrame, kept: pl.DataFrame) -> dict[str, Tally]:
    fates = dict.fromkeys(_FATES, 0) | _counted(rows, "fate")
    fates[SAME_MOMENT], fates[KEPT] = fates[KEPT] - kept.height, kept.height
    per_fate = {fate: rows.filter(pl.col("fate") == fate) for fate in (UNMAPPED, UNKNOWN_UNIT, IMPLAUSIBLE)}
    named_units = per_fate[UNKNOWN_UNIT].with_columns(
        named=pl.format("{} [{}]", "variable", pl.col("unit").fill_null(""))
    )
    return {
        "rows": fates,
        "ranges": _counted(kept, "range_of"),
        "unmapped codes": _counted(per_fate[UNMAPPED], "code"),
        "unknown units": _counted(named_units, "named"),
        "implausible values": _counted(per_fate[IMPLAUSIBLE], "variable"),
    }


def _counted(rows: pl.DataFrame, column: str) -> Tally:
    return dict(rows.group_by(column).len().sort(column).iter_rows())
