"""Write a report: report.html, which needs no other file, and report.md with the same numbers."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from clinragen import __version__
from clinragen.evaluate.checker import REPORTED
from clinragen.evaluate.evidence import PLACES
from clinragen.evaluate.report import leaks, numbers, plots, records
from clinragen.evaluate.report.cases import case_view
from clinragen.evaluate.report.consort import consort_diagram, stages
from clinragen.evaluate.report.context import ReportContext
from clinragen.evaluate.report.verdicts import cards, story
from clinragen.schema import VERDICTS
from clinragen.store import write_text

CONTENTS = {
    "comparison": "Comparison",
    "evidence": "Where the evidence lies",
    "labels": "By diagnosis",
    "reasons": "Reasons",
    "calibration": "Calibration",
    "cases": "Worked cases",
    "cohort": "Cohort",
    "leakage": "Leakage",
    "data": "Data",
}
TEMPLATES = {"report.html": "report.html.j2", "report.md": "report.md.j2"}


def write_report(folder: Path, context: ReportContext) -> None:
    """Write both forms of the report into `folder`; the same context gives the same bytes."""
    view = _view(context)
    templates = _environment()
    for name, template in TEMPLATES.items():
        write_text(folder / name, templates.get_template(template).render(view))


def _environment() -> Environment:
    templates = Environment(
        loader=PackageLoader("clinragen.evaluate.report"),
        autoescape=select_autoescape(["html.j2"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {"cells": _in_table, "percent": numbers.percent}
    return templates


def _view(context: ReportContext) -> dict[str, Any]:
    scores = context.scores
    return {
        "context": context,
        "version": __version__,
        "contents": CONTENTS.items(),
        "story": story(context),
        "cards": cards(scores),
        "columns": [*numbers.COLUMNS.values(), "student minus this, micro-F1"],
        "comparison": numbers.comparison(scores),
        "trained_controls": numbers.trained_controls(context),
        "not_compared": numbers.not_compared(scores),
        "places": [name.replace("_", " ") for name in PLACES],
        "evidence": numbers.evidence(scores),
        "labels": numbers.by_label(scores),
        "verdicts": list(VERDICTS),
        "claims": numbers.claims(scores),
        "checker": numbers.checker(scores),
        "checker_sets": REPORTED,
        "decodings": numbers.decodings(scores),
        "decoding_columns": numbers.DECODING_COLUMNS,
        "texts": numbers.text_scores(scores),
        "swap": [
            numbers.cell(scores.get(f"held_out/rationale/{name}"), numbers.percent)
            for name in ("swap_follows", "swap_own")
        ],
        "teacher": numbers.teacher(context.teacher),
        "stages": stages(context.selection),
        "leakage": leaks.named(context.leakage),
        "names_predict": leaks.names_predict(context.leakage, scores),
        "names_columns": leaks.COLUMNS,
        "tables": records.tables(context.ingested),
        "quarantined": records.quarantined(context.ingested),
        "data": records.counted(context.quality),
        "unusable": records.unusable(context.quality),
        "unmapped": records.unmapped(context.ingested, context.quality),
        "coverage": records.coverage(context.quality),
        "eras": records.eras(context.quality),
        "plots": {
            "labels": Markup(plots.label_forest(scores)),
            "evidence": Markup(plots.recall_by_evidence(scores)),
            "consort": Markup(consort_diagram(context.selection, context.splits)),
            "reliability": Markup(plots.reliability(context.reliability)),
        },
        "cases": [case_view(case) for case in context.cases],
        "absent": lambda section: numbers.why_absent(context, section),
        "svg": Markup,
    }


def _in_table(text: object) -> str:
    """Text that may stand in a cell of a Markdown table."""
    return str(text).replace("|", "\\|").replace("\n", " ")
