import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from clinragen.clinical.diagnoses import diagnosis_names
from clinragen.evaluate.answers import text_answers
from clinragen.evaluate.bootstrap import Estimate
from clinragen.evaluate.calibration import reliability
from clinragen.evaluate.evidence import PLACES
from clinragen.evaluate.rationale import check_prediction, claim_scores
from clinragen.evaluate.report.cases import case_view, claim_pieces, note_pieces
from clinragen.evaluate.report.context import ROWS, Case, ReportContext, UsedFact
from clinragen.evaluate.report.numbers import cell, signed
from clinragen.evaluate.report.render import CONTENTS, write_report
from clinragen.evaluate.report.verdicts import cards
from clinragen.evaluate.scores import diagnosis_scores, difference_scores, label_scores, unparsed_score
from clinragen.grounding.checker import Checker
from evaluate.invented_answers import plain_weights, random_answers, written
from patients import measured, stay

CHART = stay(
    [*measured("potassium", 5.6, 6.1, 6.4), *measured("sodium", 130.0, 131.0, 130.0)],
    note="Came with crackles at both bases. Denies <b>chest pain</b> & no history of COPD.",
    diagnoses=["acute kidney injury"],
    stay_id="s<1>",
)
SAID = written(
    ["acute kidney injury", "shock"],
    note="The note mentions crackles at both bases.",
    series="Potassium is high and rising. Sodium is high.",
    stay_id="s<1>",
)
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


@pytest.fixture(scope="module")
def context() -> ReportContext:
    scored, weights = random_answers(0), plain_weights(40)
    scores = {
        **diagnosis_scores("held_out/diagnosis", scored, weights),
        **diagnosis_scores("baseline/tfidf_gbdt", random_answers(1), weights),
        **difference_scores("student_vs_tfidf_gbdt", scored, random_answers(1), weights),
        **label_scores("held_out/diagnosis", scored, weights),
        **unparsed_score("held_out", [SAID] * 40, weights),
        **claim_scores("held_out", [check_prediction(SAID, CHART, Checker())] * 40, weights),
        **{f"held_out/recall/{place}": Estimate(0.5, 0.4, 0.6, 9) for place in PLACES},
    }
    facts = [UsedFact("Potassium rises as the kidney fails.", "A textbook, 2020", "potassium", 0.4)]
    return ReportContext(
        recipe="test",
        source="invented",
        seed=0,
        scores=scores,
        reliability=reliability(scored, weights),
        selection=[{"rule": "adults", "before": 50, "after": 40}],
        teacher={
            "note": {"asked": 4, "kept": 3, "claims": {"supported": 3, "contradicted": 1, "unverifiable": 0}}
        },
        cases=[Case(CHART, SAID, check_prediction(SAID, CHART, Checker()), facts)],
    )


@pytest.fixture(scope="module")
def page(context, tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("report")
    write_report(folder, context)
    return (folder / "report.html").read_text()


class Nesting(HTMLParser):
    """Follows which elements are open; raises where one is closed that is not."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_well_formed_and_its_contents_lead_somewhere(page):
    parser = Nesting()
    parser.feed(page)
    assert parser.open == []
    assert set(CONTENTS) <= set(parser.ids)


def test_the_page_needs_no_other_file(page):
    assert "<script" not in page and "<link" not in page and "@import" not in page
    assert not re.findall(r'(?:src|href)="(?!#)', page)


def test_what_patients_and_students_write_is_never_markup(page):
    assert "<b>chest pain</b>" not in page and "&lt;b&gt;chest pain&lt;/b&gt;" in page
    assert "s&lt;1&gt;" in page


def test_the_same_context_gives_the_same_bytes(context, page, tmp_path):
    write_report(tmp_path, context)
    assert (tmp_path / "report.html").read_text() == page


def test_both_forms_hold_the_same_numbers(context, page, tmp_path):
    write_report(tmp_path, context)
    twin = (tmp_path / "report.md").read_text()
    for name in ("held_out/diagnosis/micro_f1", "baseline/tfidf_gbdt/macro_auroc"):
        shown = cell(context.scores[name])
        assert shown.value in page and shown.interval in page
        assert str(shown) in twin


def test_what_is_missing_is_told_and_not_hidden(tmp_path):
    write_report(tmp_path, ReportContext("bare", "eicu", 0, {}, absent={"teacher": "no teacher was asked"}))
    for name in ("report.html", "report.md"):
        text = (tmp_path / name).read_text()
        assert "not available for this source because no teacher was asked" in text
        assert "where the evidence lies is known of the simulated hospital only" in text
        assert "Student taught labels only" in text
        assert "nan" not in re.sub(r"<style>.*?</style>", "", text, flags=re.S).lower()


def test_a_report_of_undefined_scores_can_be_written(tmp_path):
    nothing = Estimate(np.nan, np.nan, np.nan, 0, "no stay to score")
    names = [f"{row.prefix}/micro_f1" for row in ROWS]
    names += [f"{row.recall}/recall/{place}" for row in ROWS for place in PLACES]
    names += [f"held_out/diagnosis/label/{kind}" for kind in ("shock/f1", "shock/auroc")]
    write_report(tmp_path, ReportContext("bare", "eicu", 0, dict.fromkeys(names, nothing)))
    assert "no stay to score" in (tmp_path / "report.html").read_text()


def test_every_claim_carries_a_sign_beside_its_colour():
    checked = check_prediction(SAID, CHART, Checker())
    pieces = claim_pieces(checked.texts["series"], checked.claims["series"])
    assert "".join(piece.text for piece in pieces) == checked.texts["series"]
    assert [(piece.kind, piece.sign) for piece in pieces if piece.kind] == [
        ("supported", "✓"),
        ("contradicted", "✗"),
    ]
    assert "potassium 6.4 mEq/L" in " ".join(piece.title for piece in pieces)


def test_a_note_keeps_every_character_and_marks_what_is_negated():
    pieces = note_pieces(CHART.note)
    assert "".join(piece.text for piece in pieces) == CHART.note
    assert [piece.sign for piece in pieces if piece.text == "COPD"] == ["(negated)"]


def test_a_case_shows_what_was_named_and_what_was_coded():
    view = case_view(Case(CHART, SAID, check_prediction(SAID, CHART, Checker())))
    marked = {each.name: (each.is_named, each.is_coded) for each in view.chances}
    assert marked["acute kidney injury"] == (True, True) and marked["shock"] == (True, False)
    assert "potassium" in view.plot


def test_a_case_without_series_has_no_plot():
    bare = stay(note="A planned visit.")
    assert case_view(Case(bare, SAID, check_prediction(SAID, bare, Checker()))).plot == ""


@pytest.mark.parametrize(
    ("value", "outcome"), [(0.02, "met"), (0.0, "met"), (-0.01, "missed"), (np.nan, "open"), (None, "open")]
)
def test_the_verdict_follows_the_sign_of_the_difference(value, outcome):
    name = "difference/student_vs_tfidf_gbdt/micro_f1"
    scores = {} if value is None else {name: Estimate(value, value, value, 9, "none")}
    assert cards(scores)[0].outcome == outcome


def test_recall_far_below_the_ceiling_is_missed_even_where_it_is_high():
    ceiling = Estimate(0.9, 0.9, 0.9, 9)
    for value, outcome in ((0.83, "met"), (0.81, "missed")):
        scores = {
            "held_out/recall/series_only": Estimate(value, value, value, 9),
            "ceiling/recall/series_only": ceiling,
        }
        assert cards(scores)[1].outcome == outcome


def test_a_difference_carries_its_sign():
    assert [signed(value) for value in (0.01, -0.01, -0.0001)] == ["+0.010", "-0.010", "0.000"]


def test_reliability_counts_every_cell_once():
    bins = reliability(random_answers(3), plain_weights(40))
    assert sum(each.observed.n for each in bins) == 40 * len(diagnosis_names())
    assert all(each.low - 1e-9 <= each.predicted <= each.high for each in bins)


def test_a_text_that_names_nothing_known_is_shown_as_written(tmp_path):
    lost = replace(SAID, text="Diagnoses: <dragon pox>.")
    assert text_answers([CHART], [lost]).predicted.sum() == 0
    shown = Case(CHART, lost, check_prediction(lost, CHART, Checker()))
    write_report(tmp_path, ReportContext("x", "y", 0, {}, cases=[shown]))
    assert "Diagnoses: &lt;dragon pox&gt;." in (tmp_path / "report.html").read_text()
