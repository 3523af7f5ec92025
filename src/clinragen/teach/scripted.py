"""The scripted teacher: rationales composed from findings, mentions and facts, in varied words.

It is told the diagnoses, like the large model it stands in for, and explains each with the evidence the
record holds. Its sentences are short, because a small model has to learn them.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from clinragen.clinical.diagnoses import diagnosis_names
from clinragen.clinical.findings import findings, state
from clinragen.clinical.mentions import Mention, find_mentions, label_phrases
from clinragen.knowledge.base import fits
from clinragen.schema import Fact, Finding, Stay
from clinragen.teach.asking import Asking, Reply

AUTHOR = "scripted"
PROMPT_ID = "scripted-2"
MOST_NOTE_SENTENCES = 6

NOTHING_MEASURED = "No measurements."
NOTHING_ABNORMAL = "No abnormal value."
NOTHING_IN_THE_NOTE = "Nothing specific in the note."

_SERIES: tuple[tuple[str, str], ...] = (("is", "are"), ("was", "were"), ("has been", "have been"))
"""The verbs of a finding, for one and for many. Its state stays one phrase, as the student reads it."""
_SIGN: tuple[str, ...] = (
    "The note reports {said}, suggesting {diagnosis}.",
    "The note states {said}, suggesting {diagnosis}.",
    "The note shows {said}, pointing to {diagnosis}.",
)
_NAMED = ("The note reports {said}.", "The note states {said}.")
_NAMED_OTHERWISE = (
    "The note reports {said}, pointing to {diagnosis}.",
    "The note states {said}, pointing to {diagnosis}.",
)
_PLURAL = frozenset({"platelets"})


@dataclass(frozen=True, slots=True)
class Links:
    """The facts as the script looks them up; `phrases` are the words it looks for in a note."""

    of_finding: Mapping[tuple[str, str], tuple[Fact, ...]]
    of_sign: Mapping[str, tuple[str, ...]]
    phrases: Mapping[str, str]


def write(stays: Sequence[Stay], asking: Asking) -> list[Reply]:
    """Write both parts for each stay; the same stay, facts and seed give the same text."""
    links = links_of(asking.facts)
    return [_reply(stay, links, asking.seed) for stay in stays]


def links_of(facts: Sequence[Fact]) -> Links:
    """Index the facts by finding and by sign, each in the order of the facts."""
    series = sorted(
        ((str(fact.variable), str(fact.level), place) for place, fact in enumerate(facts) if fact.variable),
    )
    return Links(
        of_finding={
            key: tuple(facts[place] for *_, place in rows)
            for key, rows in groupby(series, key=lambda row: row[:2])
        },
        of_sign={fact.sign: fact.diagnoses for fact in facts if fact.sign},
        phrases={**label_phrases(), **{fact.sign: fact.sign for fact in facts if fact.sign}},
    )


def series_part(stay: Stay, links: Links, rng: np.random.Generator) -> str:
    """One sentence for every variable with an abnormal finding, in table order.

    The first fact that fits names the diagnosis that explains the finding, told once for every diagnosis.
    """
    shown = findings(stay.measurements)
    if not stay.measurements:
        return NOTHING_MEASURED
    explained: set[str | None] = set()
    told = []
    for _, of_one in groupby((each for each in shown if each.level != "normal"), key=lambda f: f.variable):
        finding = _more_frequent(list(of_one))
        cause = _cause(finding, stay.diagnoses or frozenset(), links)
        told.append(_series_sentence(finding, None if cause in explained else cause, rng))
        explained.add(cause)
    return " ".join(told) or NOTHING_ABNORMAL


def note_part(stay: Stay, links: Links, rng: np.random.Generator) -> str:
    """One sentence for every diagnosis that a present mention shows or names, in the order of the note."""
    shown = _evidence(stay, links)
    order = sorted(shown, key=lambda name: (shown[name].start, diagnosis_names().index(name)))
    told = [_note_sentence(name, shown[name], links, rng) for name in order]
    return " ".join(told[:MOST_NOTE_SENTENCES]) or NOTHING_IN_THE_NOTE


def _reply(stay: Stay, links: Links, seed: int) -> Reply:
    rng = np.random.default_rng([seed, zlib.crc32(stay.stay_id.encode())])
    return Reply(
        stay_id=stay.stay_id,
        note=note_part(stay, links, rng),
        series=series_part(stay, links, rng),
        author=AUTHOR,
        prompt_id=PROMPT_ID,
    )


def _more_frequent(of_one: Sequence[Finding]) -> Finding:
    return max(of_one, key=lambda finding: (finding.count, finding.level == "high"))


def _cause(finding: Finding, diagnoses: frozenset[str], links: Links) -> str | None:
    """The first of the stay's diagnoses that a fitting fact names; None where no fact does."""
    facts = links.of_finding.get((finding.variable, finding.level), ())
    fitting = (name for fact in facts if fits(fact, finding) for name in fact.diagnoses)
    return next((name for name in fitting if name in diagnoses), None)


def _series_sentence(finding: Finding, cause: str | None, rng: np.random.Generator) -> str:
    one, many = _SERIES[int(rng.integers(len(_SERIES)))]
    verb = many if finding.variable in _PLURAL else one
    statement = f"{_opening(finding.variable)} {verb} {state([finding])}"
    return f"{statement}, suggesting {cause}." if cause else f"{statement}."


def _opening(name: str) -> str:
    """A name at the start of a sentence; pH and its like keep their small letter."""
    keeps_small = name[0].islower() and name[1].isupper()
    return f"The {name}" if keeps_small else name[0].upper() + name[1:]


def _evidence(stay: Stay, links: Links) -> dict[str, Mention]:
    """For each diagnosis of the stay the first sign that the note shows, or else its first name there."""
    diagnoses = stay.diagnoses or frozenset()
    present = [m for m in find_mentions(stay.note, links.phrases) if m.status == "present"]
    named = {m.concept: m for m in reversed(present) if m.concept in diagnoses}
    shown = {name: m for m in reversed(present) for name in links.of_sign.get(m.concept, ())}
    return {name: m for name, m in {**named, **shown}.items() if name in diagnoses}


def _note_sentence(diagnosis: str, mention: Mention, links: Links, rng: np.random.Generator) -> str:
    said, forms = mention.concept, _SIGN
    if mention.concept not in links.of_sign:
        is_named = mention.text.lower() == diagnosis.lower()
        said, forms = (diagnosis, _NAMED) if is_named else (" ".join(mention.text.split()), _NAMED_OTHERWISE)
    return forms[int(rng.integers(len(forms)))].format(said=said, diagnosis=diagnosis)
