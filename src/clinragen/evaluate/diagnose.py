"""Diagnose one case with a trained student: probabilities, answer, rationale with verdicts, facts used."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from clinragen.case import read_case
from clinragen.clinical.answer import parse_answer
from clinragen.grounding.checker import checker_of_run, settings_of_run
from clinragen.labels import about
from clinragen.model.batch import examples
from clinragen.model.checkpoint import labels_of, load_student
from clinragen.model.generate import facts_used, predict
from clinragen.schema import Fact
from clinragen.store import read_nouns


def diagnose_case(run: Path, path: Path) -> dict[str, Any]:
    """What the student of a run says of a case file, every sentence checked against that case."""
    with about(labels_of(run / "distill" / "student")):
        return _diagnosed(run, path)


def _diagnosed(run: Path, path: Path) -> dict[str, Any]:
    stay, _ = read_case(path)
    checker = checker_of_run(settings_of_run(run), run)
    student = load_student(run / "distill" / "student")
    facts = {fact.fact_id: fact for fact in read_nouns(run / "knowledge" / "facts.jsonl", Fact)}
    shown = examples([stay], [""], student.tokenizer, student.settings, student.hours)
    prediction = predict(student, shown, "student", batch=1)[0]
    answer = parse_answer(prediction.text)
    return {
        "case_id": stay.stay_id,
        "probabilities": dict(sorted(prediction.probabilities.items(), key=lambda item: -item[1])),
        "diagnoses": None if answer.diagnoses is None else sorted(answer.diagnoses),
        "text": prediction.text,
        "checker": checker.name,
        "rationale": {
            part: {"text": text, "claims": [asdict(claim) for claim in checker.check(text, stay)]}
            for part, text in (("note", answer.note), ("series", answer.series))
        },
        "facts": [
            {**asdict(use), "text": facts[use.fact_id].text, "citation": facts[use.fact_id].citation}
            for use in facts_used(student, shown[0])
        ],
    }
