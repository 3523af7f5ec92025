"""Admission notes in short prose, with the place of every mention."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from numpy.random import Generator

from clinragen.clinical.diagnoses import diagnosis, diagnosis_names
from clinragen.ehr.simulation.tables import diseases, signs_of, words

Status = Literal["present", "negated", "uncertain", "family", "past", "resolved"]

SECTIONS = ("HPI", "History", "Medications", "Exam", "Assessment")
SECOND_SIGN = 0.35
NAMED_IF_CHRONIC = 0.3
DISTRACTORS = (0.25, 0.35, 0.25, 0.15)
LEAST_WORDS, MOST_WORDS = 55, 85
MOST_PER_SECTION = 3
_HEREDITARY = ("stroke", "myocardial infarction")
_SAME_GROUP = (
    frozenset({"complicated diabetes", "uncomplicated diabetes"}),
    frozenset({"complicated hypertension", "essential hypertension"}),
)


@dataclass(frozen=True, slots=True)
class Mention:
    """What a note says of one diagnosis, and how: `text` is `note[start:end]`."""

    start: int
    end: int
    text: str
    diagnosis: str
    status: Status


@dataclass(frozen=True, slots=True)
class _Item:
    section: str
    phrase: str
    diagnosis: str
    status: Status
    kind: str
    is_optional: bool


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence and its mentions, which are in order and occur exactly once each."""

    text: str
    items: tuple[_Item, ...] = ()


def write_note(
    rng: Generator, opening: str, present: Sequence[str], told: Iterable[str]
) -> tuple[str, tuple[Mention, ...]]:
    """Write a note that shows the diagnoses `told`, and mentions some absent ones in other ways."""
    items = [item for name in told for item in _signs(rng, name)]
    count = int(rng.choice(len(DISTRACTORS), p=DISTRACTORS))
    items += [item for name in _absent(rng, present, count) for item in _distractor(rng, name)]
    sections = _fill(rng, _sentences(rng, opening, _within_budget(items, opening)))
    return _lay_out(sections)


def _signs(rng: Generator, name: str) -> list[_Item]:
    """One or two signs of a diagnosis; a chronic one may be named in the history instead."""
    signs = [signs_of()[name][i] for i in rng.permutation(len(signs_of()[name]))]
    second, named, synonym = rng.random(3)
    if _is_chronic(name) and named < NAMED_IF_CHRONIC:
        first = (_name_in_history(name, synonym), "history")
    else:
        first = signs.pop(0)
    chosen = [first, signs[0]] if second < SECOND_SIGN else [first]
    return [
        _Item(_section_of(kind), phrase, name, "present", kind, i > 0)
        for i, (phrase, kind) in enumerate(chosen)
    ]


def _absent(rng: Generator, present: Sequence[str], count: int) -> list[str]:
    near = frozenset().union(*(group for group in _SAME_GROUP if group & set(present)), present)
    names = [name for name in diagnosis_names() if name not in near]
    return [names[i] for i in rng.permutation(len(names))[:count]]


def _distractor(rng: Generator, name: str) -> list[_Item]:
    """A mention of an absent diagnosis that is no evidence for it; none where no status fits it."""
    options = _distractors_of(name)
    return [options[int(rng.integers(len(options)))]] if options else []


def _distractors_of(name: str) -> list[_Item]:
    disease = next(disease for disease in diseases() if disease.name == name)
    resolved: tuple[Status, ...] = ("resolved",) if disease.can_resolve else ()
    statuses: tuple[Status, ...] = ("negated", "uncertain", *resolved)
    found = [
        _Item("History" if status == "resolved" else _section_of(kind), sign, name, status, kind, True)
        for status in statuses
        for sign, kind in signs_of()[name]
        if kind in words()["status"][status]
    ]
    named: list[Status] = ["past"] if disease.can_resolve else []
    named += ["family"] if disease.is_chronic or name in _HEREDITARY else []
    # Twice each: there are fewer names than signs.
    found += [
        _Item("History", synonym, name, status, "name", True)
        for status in named
        for synonym in diagnosis(name).synonyms[:2]
        for _ in range(2)
    ]
    return found


def _within_budget(items: list[_Item], opening: str) -> list[_Item]:
    """Leave out optional mentions, the last first, until the note can stay short."""
    kept = list(items)
    while _cost(kept, opening) > MOST_WORDS and any(item.is_optional for item in kept):
        kept.remove([item for item in kept if item.is_optional][-1])
    return kept


def _cost(items: list[_Item], opening: str) -> int:
    """An upper bound on the words of a note: every mention with its frame, one sentence per section."""
    return sum(len(item.phrase.split()) + 2 for item in items) + len(opening.split()) + 4 * len(SECTIONS) + 5


def _sentences(rng: Generator, opening: str, items: list[_Item]) -> dict[str, list[_Sentence]]:
    sections: dict[str, list[_Sentence]] = {name: [] for name in SECTIONS}
    sections["HPI"].append(_Sentence(opening))
    for section in SECTIONS:
        plain = [item for item in items if item.section == section and item.status == "present"]
        if plain:
            sections[section].append(_frame(rng, words()["present"][section], plain))
    for item in items:
        if item.status != "present" and len(sections[item.section]) < MOST_PER_SECTION:
            sections[item.section].append(_frame(rng, _frames_of(item), [item]))
    return sections


def _frames_of(item: _Item) -> list[str]:
    frames = words()["status"][item.status]
    chosen: list[str] = frames if isinstance(frames, list) else frames[item.kind]
    return chosen


def _frame(rng: Generator, frames: list[str], items: list[_Item]) -> _Sentence:
    *most, last = [item.phrase for item in items]
    listed = f"{', '.join(most)} and {last}" if most else last
    return _Sentence(frames[int(rng.integers(len(frames)))].format(listed), tuple(items))


def _fill(rng: Generator, sections: dict[str, list[_Sentence]]) -> dict[str, list[_Sentence]]:
    """Add sentences of no consequence: one to an empty section, then until the note is long enough."""
    fillers = {name: list(rng.permutation(words()["filler"][name])) for name in SECTIONS}
    for name in SECTIONS:
        if not sections[name]:
            sections[name].append(_Sentence(str(fillers[name].pop())))
    wanted = int(rng.integers(LEAST_WORDS, LEAST_WORDS + 12))
    while (open_ := _open_sections(sections)) and _length(sections) < wanted:
        name = open_[int(rng.integers(len(open_)))]
        sections[name].append(_Sentence(str(fillers[name].pop())))
    return sections


def _open_sections(sections: dict[str, list[_Sentence]]) -> list[str]:
    return [name for name in SECTIONS if len(sections[name]) < MOST_PER_SECTION]


def _length(sections: dict[str, list[_Sentence]]) -> int:
    return len(SECTIONS) + sum(len(s.text.split()) for group in sections.values() for s in group)


def _lay_out(sections: dict[str, list[_Sentence]]) -> tuple[str, tuple[Mention, ...]]:
    text, mentions = "", []
    for name in SECTIONS:
        text += f"{name}:" if not text else f"\n{name}:"
        for sentence in sections[name]:
            mentions += _locate(sentence, len(text) + 1)
            text += f" {sentence.text}"
    return text, tuple(mentions)


def _locate(sentence: _Sentence, offset: int) -> list[Mention]:
    found, after = [], 0
    for item in sentence.items:
        start = sentence.text.index(item.phrase, after)
        after = start + len(item.phrase)
        found.append(Mention(offset + start, offset + after, item.phrase, item.diagnosis, item.status))
    return found


def _section_of(kind: str) -> str:
    return next(name for name in SECTIONS if kind in words()["sections"][name])


def _is_chronic(name: str) -> bool:
    return any(disease.is_chronic for disease in diseases() if disease.name == name)


def _name_in_history(name: str, draw: float) -> str:
    synonyms = diagnosis(name).synonyms[:2]
    return synonyms[int(draw * len(synonyms))]
