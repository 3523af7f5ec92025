"""What bears on a case comes first; what is denied or normal does not count; the order is fixed."""

import json
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from clinragen.knowledge.base import curated_facts
from clinragen.knowledge.retrieval import Retrieved, retrieve, retriever
from clinragen.schema import Fact
from patients import measured, stay

FACTS = (
    Fact("a", "A high lactate speaks for shock.", ("shock",), "c", "lactate", "high"),
    Fact("b", "A high lactate speaks for liver disease.", ("liver disease",), "c", "lactate", "high"),
    Fact("c", "A low mean pressure speaks for shock.", ("shock",), "c", "mean BP", "low"),
    Fact("d", "Mottled knees speak for shock.", ("shock",), "c", sign="mottled knees"),
    Fact("e", "Orthopnea speaks for heart failure.", ("heart failure",), "c", sign="orthopnea"),
    Fact(
        "f",
        "Swollen ankles are seen in heart failure.",
        ("heart failure",),
        "c",
        sign="bilateral ankle edema",
    ),
)


def found(note: str = "", *measurements: object, facts: tuple[Fact, ...] = FACTS) -> tuple[Retrieved, ...]:
    return retrieve(stay(measurements, note), retriever(facts))  # type: ignore[arg-type]


def test_findings_and_signs_come_before_words() -> None:
    ranked = found("Mottled knees. Her ankles are swollen.", *measured("lactate", 4.0, 5.0))
    assert [(each.fact.fact_id, each.by) for each in ranked] == [
        ("d", "sign"),
        ("a", "finding"),
        ("b", "finding"),
        ("f", "words"),
    ]


def test_a_fact_that_others_agree_with_comes_first() -> None:
    # Lactate may mean two things (half for each), the low pressure only shock: shock 1.5, liver disease 0.5.
    ranked = found("", *measured("lactate", 4.0, 5.0), *measured("mean BP", 50.0))
    assert [(each.fact.fact_id, each.score) for each in ranked] == [("a", 4.0), ("c", 4.0), ("b", 3.3333)]


def test_what_is_denied_or_normal_calls_nothing_up() -> None:
    assert found("Denies orthopnea. No mottled knees.", *measured("lactate", 1.0)) == ()


def test_an_empty_case_and_an_empty_base_give_nothing() -> None:
    assert found() == ()
    assert found("Orthopnea.", facts=()) == ()


def test_the_order_does_not_hang_on_the_order_of_the_facts() -> None:
    shuffled = list(curated_facts())
    random.Random(3).shuffle(shuffled)
    case = stay(measured("creatinine", 2.0, 4.5), "Oliguria, orthopnea and a productive cough.")
    ranked = retrieve(case, retriever(curated_facts()), 25)
    assert retrieve(case, retriever(shuffled), 25) == ranked
    assert [each.score for each in ranked] == sorted((each.score for each in ranked), reverse=True)


def test_no_more_than_asked_for() -> None:
    assert len(retrieve(stay(note="Orthopnea and shock."), retriever(FACTS), 1)) == 1


def test_the_command_prints_facts_with_score_and_citation(tmp_path: Path) -> None:
    case = {"case_id": "c1", "prediction_time": "2130-01-02T00:00:00", "note": "Reports orthopnea."}
    (tmp_path / "case.json").write_text(json.dumps(case))
    command = [
        sys.executable,
        "-c",
        "from clinragen.cli import main; main()",
        "facts",
        str(tmp_path / "case.json"),
    ]
    done = subprocess.run([*command, "--top", "1"], text=True, capture_output=True, check=True, timeout=120)
    (told,) = json.loads(done.stdout)["facts"]
    assert told["fact_id"] == "heart-failure/orthopnea"
    assert told["score"] > 3
    assert "Framingham" in told["citation"]


def test_a_fact_of_several_diagnoses_agrees_by_the_strongest() -> None:
    both = replace(FACTS[0], fact_id="z", diagnoses=("liver disease", "shock"), threshold=3.0)
    ranked = found("", *measured("lactate", 4.0), *measured("mean BP", 50.0), facts=(*FACTS, both))
    assert {each.fact.fact_id: each.score for each in ranked}["z"] == 4.0
