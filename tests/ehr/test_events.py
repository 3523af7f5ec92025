"""Drafts become events or are quarantined; what cannot be read is neither guessed nor kept."""

from datetime import datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinragen.ehr.events import (
    EVENT,
    NO_CODE,
    UNMAPPED,
    Ids,
    Value,
    added,
    coded,
    draft,
    end_of_day,
    icd_plain,
    moment,
    number,
    or_no_unit,
    ordered,
    sift,
    unmapped_codes,
)

COLUMNS = ("subject_id", "time", "item", "valuenum", "value", "unit")


def rows(*lines: tuple) -> pl.DataFrame:
    return pl.DataFrame(
        [dict(zip(COLUMNS, line, strict=True)) for line in lines], schema=dict.fromkeys(COLUMNS, pl.String)
    ).with_row_index("row", offset=1)


def drafted(table: pl.DataFrame) -> pl.DataFrame:
    value = Value(pl.coalesce(number("valuenum"), number("value")), pl.col("value"), pl.col("unit"))
    code = coded("LAB", pl.col("item"), or_no_unit(pl.col("unit")))
    return draft(table, code, time=moment("time"), value=value, ids=Ids(pl.lit("a1")))


def one(*line) -> dict:
    return drafted(rows(line)).to_dicts()[0]


@given(st.lists(st.sampled_from(["1", " 2.5 ", "-3e2", "nan", "inf", "", " ", "<4", "5 mg", "1,2", None])))
def test_a_number_is_read_the_same_whatever_stands_beside_it(texts):
    expected = {"1": 1.0, " 2.5 ": 2.5, "-3e2": -300.0}
    found = pl.DataFrame({"n": texts}, schema={"n": pl.String}).select(number("n")).to_series()
    assert found.to_list() == [expected.get(text) for text in texts]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2130-01-02 03:04:05", datetime(2130, 1, 2, 3, 4, 5)),
        ("2130-01-02 03:04:05.250", datetime(2130, 1, 2, 3, 4, 5, 250000)),
        ("2130-01-02T03:04:05", datetime(2130, 1, 2, 3, 4, 5)),
        ("2130-01-02 03:04", datetime(2130, 1, 2, 3, 4)),
        (" 2130-01-02 ", datetime(2130, 1, 2)),
        ("02/01/2130", None),
        ("", None),
        (None, None),
    ],
)
def test_a_time_is_read_or_it_is_nothing(text, expected):
    assert pl.DataFrame({"t": [text]}, schema={"t": pl.String}).select(moment("t")).item() == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1.4", 1.4), (" 7 ", 7.0), ("1e3", 1000.0), ("nan", None), ("inf", None), ("1,4", None), ("", None)],
)
def test_a_number_is_finite_or_it_is_nothing(text, expected):
    assert pl.DataFrame({"n": [text]}, schema={"n": pl.String}).select(number("n")).item() == expected


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (("7", "2130-01-01", "50912", "1.4", "1.4", "mg/dL"), None),
        (("7", "2130-01-01", "50912", None, "1.4", "mg/dL"), None),
        (("7", "2130-01-01", "51003", None, "<0.01", "ng/mL"), None),
        (("7", "2130-01-01", "51003", None, "LESS THAN 0.01", "ng/mL"), None),
        (("7", "2130-01-01", "50912", None, "HEMOLYZED", "mg/dL"), "text where a number belongs"),
        (("7", "2130-01-01", "50912", None, " ", "mg/dL"), "no value"),
        (("7", "2130-01-01", "50912", None, None, "mg/dL"), "no value"),
        (("7", "noon", "50912", "1.4", "1.4", "mg/dL"), "no readable time"),
        (("x7", "2130-01-01", "50912", "1.4", "1.4", "mg/dL"), "no readable subject"),
        (("7", "2130-01-01", " ", "1.4", "1.4", "mg/dL"), "no code"),
    ],
)
def test_a_row_is_an_event_or_has_one_fault(line, fault):
    assert one(*line)["fault"] == fault


def test_a_result_that_only_bounds_the_value_is_kept_as_text_and_is_no_number():
    row = one("7", "2130-01-01", "51003", None, "<0.01", "ng/mL")
    assert (row["numeric_value"], row["text_value"]) == (None, "<0.01")


def test_a_number_brings_no_text():
    row = one("7", "2130-01-01", "50912", "1.4", "1.4 (repeated)", "mg/dL")
    assert (row["numeric_value"], row["text_value"]) == (pytest.approx(1.4), None)


def test_a_missing_unit_is_told_in_the_code_and_null_in_the_column():
    row = one("7", "2130-01-01", "51237", "1.1", "1.1", None)
    assert (row["code"], row["unit"], row["hadm_id"], row["stay_id"]) == ("LAB//51237//UNK", None, "a1", None)


def test_a_row_that_makes_two_events_is_quarantined_once():
    twice = [drafted(rows(("x", "2130-01-01", "1", "1", "1", None)))] * 2
    events, quarantined = sift(twice)
    assert events.is_empty()
    assert quarantined == {"no readable subject": {"count": 1, "rows": [1]}}


def test_at_most_five_samples_are_told_and_they_are_numbers_of_rows():
    _, quarantined = sift([drafted(rows(*[("7", "", "1", "1", "1", None)] * 9))])
    assert quarantined == {"no readable time": {"count": 9, "rows": [1, 2, 3, 4, 5]}}


def test_what_only_has_a_date_counts_from_the_end_of_that_day():
    days = pl.DataFrame({"t": [datetime(2130, 1, 1), datetime(2130, 1, 1, 13)]})
    assert days.select(end_of_day(pl.col("t")))["t"].to_list() == [datetime(2130, 1, 1, 23, 59, 59)] * 2


def test_icd_codes_lose_their_dots():
    codes = pl.DataFrame({"c": ["518.81", " j96.00", "V5867"]})
    assert codes.select(icd_plain(pl.col("c")))["c"].to_list() == ["51881", "J9600", "V5867"]


def test_counts_are_added_and_the_most_frequent_come_first():
    assert list(added([{"b": 1, "a": 1}, {"c": 5, "a": 3}]).items()) == [("c", 5), ("a", 4), ("b", 1)]


event_rows = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.one_of(st.none(), st.datetimes(datetime(2130, 1, 1), datetime(2130, 1, 2))),
        st.sampled_from(["LAB//a//x", "GENDER//F", "DRUG//b"]),
        st.one_of(st.none(), st.integers(0, 3)),
    ),
    max_size=12,
)


@given(event_rows, st.randoms(use_true_random=False))
def test_the_order_of_events_does_not_depend_on_the_order_they_came_in(lines, random):
    names = ("subject_id", "time", "code", "numeric_value")
    empty = {name: kind for name, kind in EVENT.items() if name not in names}

    def table(some):
        frame = pl.DataFrame(some, schema={name: EVENT[name] for name in names}, orient="row")
        return ordered(frame.with_columns(pl.lit(None, kind).alias(name) for name, kind in empty.items()))

    mixed = list(lines)
    random.shuffle(mixed)
    assert table(lines).equals(table(mixed))
    times = table(lines).filter(pl.col("subject_id") == 1)["time"]
    assert times.equals(times.sort(nulls_last=False))


def test_a_row_without_a_code_is_quarantined_not_called_unmapped():
    table = rows(("1", "2130-01-02", None, "5", "5", "mg"), ("1", "2130-01-02", "odd", "5", "5", "mg"))
    drafts = draft(table, pl.col("item"), time=moment("time"), faults=((pl.lit(True), UNMAPPED),))
    assert drafts["fault"].to_list() == [NO_CODE, UNMAPPED]
    assert unmapped_codes([drafts]) == {"odd": 1}
    assert sift([drafts])[1] == {NO_CODE: {"count": 1, "rows": [1]}}
