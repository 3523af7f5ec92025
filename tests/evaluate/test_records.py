"""The tables of the records: nothing that was read, held back or of no use goes untold."""

from clinragen.cohort.quality import coverage as coverage_of
from clinragen.evaluate.report import leaks, records
from clinragen.evaluate.report.context import Ingested, ReportContext
from clinragen.evaluate.report.render import write_report

INGESTED = Ingested(
    tables={"labevents": {"rows": 1200, "events": 1000, "unmapped_rows": 150}},
    quarantine={
        "labevents": {
            "no value": {"count": 40, "rows": [3, 7]},
            "no readable time": {"count": 10, "rows": [9]},
        }
    },
    unmapped={f"LAB//{number}": number for number in range(1, 30)},
)


def test_the_rows_of_a_table_are_all_accounted_for():
    # 1,000 events + 50 quarantined (40 + 10) + 150 of other codes = 1,200 rows
    assert records.tables(INGESTED) == [("labevents", ["1,200", "1,000", "50", "150"])]


def test_what_was_quarantined_is_told_by_reason_with_the_first_rows():
    assert records.quarantined(INGESTED) == [
        ("labevents: no value", ["40", "3, 7"]),
        ("labevents: no readable time", ["10", "9"]),
    ]


def test_the_twenty_most_frequent_unmapped_codes_of_both_steps_are_told():
    found = records.unmapped(INGESTED, {"unmapped_codes": {"LAB//humour": 500, "LAB//29": 1}})
    assert found[:3] == [("LAB//humour", "500"), ("LAB//29", "30"), ("LAB//28", "28")]
    assert len(found) == 20


def test_the_median_is_of_the_stays_that_have_the_variable():
    # of 10 stays four have creatinine: 1, 2, 2 and 9 values
    found = coverage_of({"creatinine: 1": 1, "creatinine: 2": 2, "creatinine: 9": 1}, 10)
    assert found["creatinine"] == {"stays": 4, "share": 0.4, "measurements": 14, "median": 2}
    assert found["lactate"] == {"stays": 0, "share": 0.0, "measurements": 0, "median": None}
    told = dict(records.coverage({"coverage": found}))
    assert (told["creatinine"], told["lactate"]) == (["4 (40.0%)", "2", "14"], ["0 (0.0%)", "–", "0"])


def test_both_forms_of_the_report_tell_all_of_it(tmp_path):
    quality = {
        "rows": {"kept": 950},
        "implausible_values": {"creatinine": 12},
        "unknown_units": {"sodium [furlongs]": 3},
        "unmapped_codes": {"LAB//humour": 500},
        "coverage": coverage_of({"creatinine: 2": 3}, 4),
    }
    selection = [{"rule": "adult", "before": 5, "after": 4}]
    audit = {
        "mask": "none",
        "labels": {},
        "micro": {
            phase: {"precision": 0.5, "recall": 0.25, "f1": None}
            for phase in ("before masking", "after masking")
        },
    }
    context = ReportContext(
        "x",
        "y",
        0,
        {},
        selection=selection,
        quality=quality,
        ingested=INGESTED,
        leakage=audit,
        splits={"train": 4},
    )
    write_report(tmp_path, context)
    for name in ("report.html", "report.md"):
        text = (tmp_path / name).read_text()
        for told in (
            "labevents: no value",
            "implausible: creatinine",
            "sodium [furlongs]",
            "LAB//humour",
            "3 (75.0%)",
        ):
            assert told in text
        assert "1 left out, not meeting:" in text


def test_what_the_names_predict_is_told_for_each_phase():
    audit = {
        "micro": {
            phase: {"precision": None, "recall": 0.0, "f1": 0.0}
            for phase in ("before masking", "after masking")
        }
    }
    (before, cells), (after, _) = leaks.names_predict(audit, {})
    assert (before, after) == ("before masking", "after masking")
    assert cells == ["–", "0.0%", "0.0%", "–", "–"]
