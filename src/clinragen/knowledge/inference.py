"""Which facts back an inference: "raised lactate suggests septicaemia" -> the fact that says so, or none.

The chart cannot decide such a sentence, but knowledge can: it is read with the clinical tables of words and
looked up. No judgement is made beyond that; a sentence that denies its conclusion is backed by nothing.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from clinragen.clinical.mentions import find_cues, status_at, told_sentences
from clinragen.clinical.notes import Span
from clinragen.knowledge.reading import State, american, diagnoses, states, without_diagnoses
from clinragen.knowledge.terms import terms
from clinragen.labels import per_labels
from clinragen.schema import Fact

_TO_DIAGNOSIS = (
    r"suggest(?:s|ing|ive of)?|indicat(?:es?|ing|ive of)|(?:is |are )?(?:consistent|compatible) with|"
    r"in keeping with|point(?:s|ing)? to(?:wards?)?|reflect(?:s|ing)?|support(?:s|ing|ive of)?|"
    r"favou?r(?:s|ing)?|speak(?:s|ing)? for|fit(?:s|ting)?(?: with)?|(?:a )?(?:sign|marker|feature) of|"
    r"(?:typical|characteristic|diagnostic|evidence) of|(?:concerning|suspicious) for|"
    r"raises? (?:the )?(?:suspicion|concern|possibility) (?:of|for)|due to|(?:caused|explained) by|"
    r"attribut(?:ed|able) to|impl(?:y|ies|ying)"
)
_FROM_DIAGNOSIS = r"(?:suggested|supported|indicated|shown|confirmed|favou?red|marked|evidenced) by"
_TO_DIAGNOSIS_WEAKLY = (
    r"means|meaning|mak(?:es|ing)|confirm(?:s|ing)?|(?:seen|found|common|frequent|occurs?) in|marks|shows?|"
    r"associated with"
)
_FROM_DIAGNOSIS_WEAKLY = (
    r"given|based on|in view of|because(?: of)?|causes?|causing|leads? to|explains?|accounts? for|"
    r"results? in|presents? with|manifest(?:s|ed)? (?:as|by|with)"
)
_TURNS = tuple(
    re.compile(rf"\b(?:({back})|({forth}))\b", re.I)
    for back, forth in (
        (_FROM_DIAGNOSIS, _TO_DIAGNOSIS),
        (_FROM_DIAGNOSIS_WEAKLY, _TO_DIAGNOSIS_WEAKLY),
    )
)
"""Verbs between a finding and a diagnosis; the weaker ones count where there is no other."""

_DENIES = re.compile(
    r"\bnot (?:\w+ )?(?:suggest|indicat|consistent|compatible|support|specific|associate|due|caused)|"
    r"\bnot (?:\w+ )?(?:explained|mean|typical|seen|diagnostic|predict|correlat|relat|differ)|"
    r"\bargu\w+ against|\bspeaks? against|\bunlikely|\bless likely|\brul\w+ out|\bexclud\w+|\brather than|"
    r"\bno (?:\w+ )?(?:evidence|association|relation\w*|correlation|difference)|"
    r"\b(?:unrelated|independent of)|\b(?:do|does|did) not|\bcannot",
    re.I,
)
_SAYS_LITTLE = frozenset(
    re.findall(
        r"\w+",
        "left right new bilateral prior home nightly daily takes ecg telemetry echo ct film started drip",
    )
)
_TOLD = ("present", "uncertain", "past")


@dataclass(frozen=True, slots=True)
class Inference:
    """What a sentence infers: diagnoses, from states of variables and from words of a note."""

    states: tuple[State, ...]
    words: str
    diagnoses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FactIndex:
    """Facts by what calls them up: a variable at a level, or the telling words of a sign."""

    order: Mapping[str, int]
    by_state: Mapping[tuple[str, str], tuple[Fact, ...]]
    by_word: Mapping[str, tuple[tuple[frozenset[str], Fact], ...]]


def index_facts(facts: Iterable[Fact]) -> FactIndex:
    """Make facts ready to be looked up many times."""
    by_state: dict[tuple[str, str], list[Fact]] = defaultdict(list)
    by_word: dict[str, list[tuple[frozenset[str], Fact]]] = defaultdict(list)
    order: dict[str, int] = {}
    for fact in facts:
        order.setdefault(fact.fact_id, len(order))
        if fact.variable is not None and fact.level is not None:
            by_state[fact.variable, fact.level].append(fact)
        elif fact.sign is not None and (telling := _telling(fact.sign)):
            by_word[min(telling)].append((telling, fact))
    return FactIndex(
        MappingProxyType(order),
        MappingProxyType({key: tuple(each) for key, each in by_state.items()}),
        MappingProxyType({key: tuple(each) for key, each in by_word.items()}),
    )


def supporting(said: str | Inference, facts: FactIndex) -> tuple[Fact, ...]:
    """The facts that back an inference, in the order of the base; none where any conclusion lacks one.

    Facts without a threshold go before those that need a value which the sentence does not tell.
    """
    inference = read_inference(said) if isinstance(said, str) else said
    if inference is None or not inference.diagnoses:
        return ()
    concluded = set(inference.diagnoses)
    called = [*_by_states(inference.states, concluded, facts), *_by_signs(inference.words, facts)]
    backing = {fact.fact_id: fact for fact in called if not concluded.isdisjoint(fact.diagnoses)}
    if not concluded <= {name for fact in backing.values() for name in fact.diagnoses}:
        return ()
    return tuple(sorted(backing.values(), key=lambda fact: facts.order[fact.fact_id]))


@per_labels
def read_inference(sentence: str) -> Inference | None:
    """What a sentence infers from what; None where it denies or names no diagnosis."""
    text = american(sentence)
    if denies(text):
        return None
    premise, conclusion = _sides(text)
    named = diagnoses(conclusion) or diagnoses(text)
    if not named:
        return None
    said = states(premise) if premise != text else ()
    return Inference(said or states(without_diagnoses(text)), premise, named)


def denies(sentence: str) -> bool:
    """Whether a sentence says that something does not follow ("argues against", "is not associated")."""
    return _DENIES.search(sentence) is not None


def _sides(text: str) -> tuple[str, str]:
    """What is inferred from, and what is inferred; both are the whole text where no verb tells them apart."""
    for verbs in _TURNS:
        if turn := verbs.search(text):
            before, after = text[: turn.start()], text[turn.end() :]
            return (after, before) if turn[1] else (before, after)
    return text, text


def _by_states(said: Sequence[State], concluded: set[str], facts: FactIndex) -> list[Fact]:
    found = []
    for state in said:
        for name in state.variables:
            known = facts.by_state.get((name, state.level), ())
            free = {diagnosis for fact in known if fact.threshold is None for diagnosis in fact.diagnoses}
            for fact in known:
                alone = concluded.intersection(fact.diagnoses) - free
                if fact.threshold is None or _reaches(fact.threshold, state, bool(alone)):
                    found.append(fact)
    return found


def _reaches(threshold: float, state: State, may_guess: bool) -> bool:
    """Whether the value told reaches a threshold; without a value, only where no other fact says it."""
    if state.value is None:
        return may_guess
    return state.value >= threshold if state.level == "high" else state.value <= threshold


def _by_signs(premise: str, facts: FactIndex) -> list[Fact]:
    """The facts whose sign a text holds: all its telling words, the first of them not denied."""
    places = {term.word: Span(term.start, term.end) for term in reversed(list(terms(premise)))}
    found = [
        (places[word], fact)
        for word in places
        for telling, fact in facts.by_word.get(word, ())
        if telling <= places.keys()
    ]
    if not found:
        return []
    cues = [cue for each in told_sentences(premise) for cue in find_cues(premise, each)]
    return [fact for place, fact in found if status_at(premise, place, cues) in _TOLD]


def _telling(sign: str) -> frozenset[str]:
    return frozenset(term.word for term in terms(american(sign)) if term.word not in _SAYS_LITTLE)
