"""What the rules leave open of a note, asked of a model: does the note entail the clause, or contradict it?

The model only adds. It is asked about claims of the note that the rules leave unverifiable and that are no
inferences; what the rules decided stands, and claims about the series are never shown to it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from clinragen.grounding.entailment_model import EntailmentModel
from clinragen.grounding.note_index import NoteIndex
from clinragen.grounding.note_inference import opens_inference
from clinragen.schema import Claim, Verdict

ANSWERS: tuple[tuple[Verdict, str], ...] = (("supported", "entailment"), ("contradicted", "contradiction"))
"""The verdict that each column of the model's probabilities speaks for; the first that is sure decides."""
OF_FAMILY = "Family history: "
"""A sentence of the family history is shown as one, or its "gout" would be the patient's."""


@dataclass(frozen=True, slots=True)
class Entailment:
    """A model, and the least probability at which it is believed."""

    model: EntailmentModel
    threshold: float

    @property
    def name(self) -> str:
        """Which model it is, to the byte, and how sure it must be."""
        return f"{self.model.name} (sha256 {self.model.sha256}), believed from {self.threshold:g}"


@dataclass(frozen=True, slots=True)
class Premise:
    """A stretch of a note, `note[start:end]`, and the words in which the model is shown it."""

    start: int
    end: int
    text: str
    shown: str


def with_entailment(claim: Claim, note: NoteIndex, entailment: Entailment | None) -> Claim:
    """The claim, decided by the model where the rules left it open and the model is sure enough."""
    if entailment is None or not is_open(claim):
        return claim
    found = list(premises(note))
    chances = entailment.model.probabilities([premise.shown for premise in found], claim.text)
    for column, (verdict, what) in enumerate(ANSWERS):
        best = max(range(len(found)), key=lambda place: chances[place, column], default=None)
        if best is not None and chances[best, column] >= entailment.threshold:
            reason = f"{what} {chances[best, column]:.3f} by the model {entailment.model.name}"
            return replace(claim, verdict=verdict, evidence=(_evidence(found[best]),), reason=reason)
    return claim


def is_open(claim: Claim) -> bool:
    """Whether the rules left a claim of the note undecided that reports something."""
    return claim.about == "note" and claim.verdict == "unverifiable" and not opens_inference(claim.text)


def premises(note: NoteIndex) -> Iterator[Premise]:
    """The sentences of a note, each alone and then with its neighbour; a family's stay among themselves."""
    for sentence in note.sentences:
        yield _premise(note, sentence.start, sentence.end, sentence.is_family)
    for first, second in pairwise(note.sentences):
        if first.is_family == second.is_family:
            yield _premise(note, first.start, second.end, first.is_family)


def _premise(note: NoteIndex, start: int, end: int, is_family: bool) -> Premise:
    text = " ".join(note.text[start:end].split())
    return Premise(start, end, text, OF_FAMILY + text if is_family else text)


def _evidence(premise: Premise) -> str:
    return f"note[{premise.start}:{premise.end}]: {premise.text}"
