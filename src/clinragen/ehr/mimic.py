"""What MIMIC-III and MIMIC-IV have in common: laboratory results, charted values, stays.

MIMIC-IV keeps the item numbers of MIMIC-III. Codes: `LAB//<itemid>//<unit>`, `CHART//<itemid>//<unit>`.
"""

from collections.abc import Iterable, Sequence

import polars as pl

from clinragen.clinical.codes import codes_needing_a_range, mapped_codes
from clinragen.ehr.events import Fault, Ids, Value, coded, draft, moment, number, number_in, or_no_unit

NOT_ARTERIAL = "blood gas that is not arterial"
NO_OWN_RANGE = "no range of its own"
MARKED_AS_ERROR = "marked as error"
CARRIER = "carrier or additive of another drug"
VENOUS_LINE = "peripheral venous line"
REWRITTEN = "order that was rewritten"

GASES = ("pH", "pO2", "pCO2")
_ARTERIAL = ("ART", "ARTERIAL")


def lab_events(
    rows: pl.DataFrame,
    source: str,
    specimen_item: str,
    specimen: Sequence[str],
    low: pl.Expr | None = None,
    high: pl.Expr | None = None,
) -> pl.DataFrame:
    """Laboratory results; gases whose specimen is stated and not arterial are left out and counted.

    The row of `specimen_item` says what the specimen was; rows of one specimen share the columns `specimen`.
    """
    value = _value(low, high)
    results = _with_specimens(rows, specimen_item, specimen)
    item = pl.col("itemid")
    has_range = value.low.is_not_null() | value.high.is_not_null()
    faults = (
        (item.is_in(_items(_gases(source))) & pl.col("is_arterial").eq(False), NOT_ARTERIAL),
        (item.is_in(_items(codes_needing_a_range(source))) & ~has_range, NO_OWN_RANGE),
    )
    return _measured(results, "LAB", value, faults, stay=None)


def chart_events(rows: pl.DataFrame, stay: str, faults: Sequence[Fault] = ()) -> pl.DataFrame:
    """Charted values; `stay` is the column of the ICU stay."""
    return _measured(rows, "CHART", _value(None, None), faults, stay)


def procedure_events(rows: pl.DataFrame, labels: pl.DataFrame, stay: str) -> pl.DataFrame:
    """Procedures by the name of their item; orders written anew and peripheral lines are left out."""
    named = rows.join(labels, on="itemid", how="left")
    faults = (
        (pl.col("statusdescription") == "Rewritten", REWRITTEN),
        (pl.col("ordercategoryname") == "Peripheral Lines", VENOUS_LINE),
    )
    ids = Ids(pl.col("hadm_id"), pl.col(stay))
    return draft(named, coded("PROCEDURE", pl.col("label")), time=moment("starttime"), faults=faults, ids=ids)


def stay_marks(rows: pl.DataFrame, stay: str, place: Sequence[str]) -> list[pl.DataFrame]:
    """When and where each ICU stay begins and ends; `place` are columns, `{}` standing for first or last.

    The text of a mark is its place ("MICU, 52"), null where a part of it is not known.
    """
    marks = (("ICU_ADMISSION", "intime", "first"), ("ICU_DISCHARGE", "outtime", "last"))
    ids = Ids(pl.col("hadm_id"), pl.col(stay))
    return [
        draft(rows, pl.lit(code), time=moment(column), text=_place(place, which), ids=ids)
        for code, column, which in marks
    ]


def _place(place: Sequence[str], which: str) -> pl.Expr:
    parts = [pl.col(column.format(which)).str.strip_chars() for column in place]
    known = pl.all_horizontal([part != "" for part in parts])
    return pl.when(known).then(pl.concat_str(parts, separator=", "))


def admission_marks(rows: pl.DataFrame) -> list[pl.DataFrame]:
    """Where each admission to the hospital begins and ends."""
    marks = (("HOSPITAL_ADMISSION", "admittime"), ("HOSPITAL_DISCHARGE", "dischtime"))
    return [
        draft(rows, pl.lit(code), time=moment(column), ids=Ids(pl.col("hadm_id"))) for code, column in marks
    ]


def discharge_times(admissions: pl.DataFrame) -> pl.DataFrame:
    """When each admission ended: codes are given at discharge."""
    return admissions.select("hadm_id", discharged=moment("dischtime")).unique("hadm_id", keep="first")


def labels_of_items(items: pl.DataFrame) -> pl.DataFrame:
    """The name of each charted item."""
    return items.select("itemid", "label").unique("itemid", keep="first")


def _measured(
    rows: pl.DataFrame, kind: str, value: Value, faults: Sequence[Fault], stay: str | None
) -> pl.DataFrame:
    ids = Ids(pl.col("hadm_id")) if stay is None else Ids(pl.col("hadm_id"), pl.col(stay))
    pair = ["itemid", "valueuom"]
    code = coded(kind, pl.col("itemid"), or_no_unit(pl.col("valueuom")))
    codes = rows.select(pair).unique().with_columns(_code=code)
    named = rows.join(codes, on=pair, how="left", nulls_equal=True)
    return draft(named, pl.col("_code"), time=moment("charttime"), value=value, faults=faults, ids=ids)


def _value(low: pl.Expr | None, high: pl.Expr | None) -> Value:
    nothing = pl.lit(None, pl.Float64)
    exact = number("valuenum")
    return Value(
        pl.coalesce(exact, number_in(pl.when(exact.is_null()).then("value"))),
        pl.col("value"),
        pl.col("valueuom"),
        nothing if low is None else low,
        nothing if high is None else high,
    )


def _with_specimens(rows: pl.DataFrame, item: str, specimen: Sequence[str]) -> pl.DataFrame:
    """The results, and whether their specimen is stated to be arterial; all statements of it must say so."""
    is_statement = rows["itemid"] == item
    results = rows.filter(~is_statement)
    if not is_statement.any():
        return results.with_columns(is_arterial=pl.lit(None, pl.Boolean))
    said = pl.col("value").str.strip_chars(" .").str.to_uppercase()
    stated = rows.filter(is_statement).filter(said.is_not_null())
    kinds = stated.group_by(list(specimen)).agg(is_arterial=said.is_in(_ARTERIAL).all())
    return results.join(kinds, on=list(specimen), how="left")


def _gases(source: str) -> set[str]:
    return {code for code, name in mapped_codes(source).items() if name in GASES}


def _items(codes: Iterable[str]) -> list[str]:
    """The item numbers of laboratory codes."""
    return sorted(code.removeprefix("LAB//") for code in codes if code.startswith("LAB//"))
