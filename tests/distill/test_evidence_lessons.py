"""The single weights of the head: what one piece of evidence says, and when it does not count."""

import numpy as np
import torch

from clinragen.clinical.diagnoses import diagnosis_names
from clinragen.distill.evidence import fit_evidence, thinned
from clinragen.model.batch import collate, examples
from clinragen.model.checkpoint import new_student
from clinragen.model.student import Student
from model.small import FACTS, SETTINGS, small_batch, small_student
from patients import stay

SIGNS = ("orthopnea", "asterixis", "melena", "hemoptysis", "stridor", "wheezing", "syncope", "chorea")
SHOCK = diagnosis_names().index("shock")


def fitted(signs_met_with_no: tuple[str, ...]) -> Student:
    """A student that met every sign as a sign of shock, and only some of them denied."""
    shown = [stay(note=f"Has {sign} today.", diagnoses=["shock"], stay_id=sign) for sign in SIGNS]
    denied = [
        stay(note=f"Has no {sign} today.", diagnoses=[], stay_id=f"no {sign}") for sign in signs_met_with_no
    ]
    stays = [*shown, *denied]
    student = new_student(SETTINGS, FACTS, [each.note for each in stays] * 3, hours=48, seed=0)
    chosen = examples(stays, [""] * len(stays), student.tokenizer, SETTINGS, 48)
    fit_evidence(student, chosen, steps=150, seed=0)
    return student


def probability(student: Student, note: str) -> float:
    told = examples([stay(note=note)], [""], student.tokenizer, SETTINGS, 48)
    with torch.no_grad():
        return float(student.head.wide(collate(told), None).sigmoid()[0, SHOCK])


def test_a_denial_met_with_some_signs_closes_the_gate_of_another() -> None:
    student = fitted(signs_met_with_no=SIGNS[:-1])
    assert probability(student, f"Has {SIGNS[-1]} today.") > 0.8
    assert probability(student, f"Has no {SIGNS[-1]} today.") < 0.5


def test_the_gate_of_a_masked_place_is_closed() -> None:
    student = small_student()
    batch = small_batch(student)
    gates = student.head.wide.gates(batch.note, batch.note_mask)
    assert not gates[~batch.note_mask].any()
    assert (gates[batch.note_mask] > 0).all()


def test_a_neighbour_beyond_reach_or_masked_changes_no_gate() -> None:
    student = small_student()
    wide = student.head.wide
    torch.nn.init.normal_(wide.neighbours.weight)
    note = torch.arange(3, 13)[None]
    mask = torch.ones_like(note).bool()
    other = note.clone()
    other[0, 9] = 20
    assert torch.equal(wide.gates(note, mask)[0, :5], wide.gates(other, mask)[0, :5])
    assert not torch.equal(wide.gates(note, mask)[0, 5], wide.gates(other, mask)[0, 5])
    hidden = mask.clone()
    hidden[0, 9] = False
    assert torch.equal(wide.gates(note, hidden)[0, :9], wide.gates(other, hidden)[0, :9])


def test_what_is_left_out_of_a_lesson_is_masked_and_never_normal() -> None:
    batch = small_batch(small_student())
    thin = thinned(batch, np.random.default_rng(0))
    assert thin.note_mask.sum() < batch.note_mask.sum()
    assert (thin.states[thin.states != batch.states] == -1).all()
