"""Which variables a clause speaks of, and whether the measurements or the note decide it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from clinragen.clinical.words import Mention, Word, WordLevel, mentions
from clinragen.grounding.lexicon import SaidTrend, cues
from clinragen.grounding.plain import plain
from clinragen.grounding.sentences import is_predicate

_CONNECTIVE = re.compile(
    r"[\s,]*(?:(?:and|or|as well as|both|the|serum|his|her|nor|then|levels?|of|alike|plus|together with|/|"
    r"&|in turn)[\s,]*)*",
    re.I,
)
_SEPARATOR = re.compile(
    r"[,;]\s|\s(?:and|but|with|while|whereas|or|plus|yet|though|"
    r"as(?!\s(?:the|its|a|his|her)\s(?:highest|lowest|peak|nadir|maximum|minimum|worst|greatest)\b))\s",
    re.I,
)
_LINK = (
    r"(?:(?:and|but|while|although|though|yet|whereas|then|also|meanwhile|or|since|by|for|thereafter|"
    r"afterwards|"
    r"later|subsequently|still|only|even|so|nor|now|here|overall|in all|of these|on \w+ \w+|by \w+ "
    r"\w+),?\s+)*"
)
_SAMPLE = (
    r"(?:samples?|values?|measurements?|readings?|recordings?|checks?|draws?|results?|figures?|levels?|"
    r"counts?|numbers?|"
    r"ratio|trend|rate|gas(?:es)?|ones?|specimens?|peak|nadir|trough|high|low|highest|lowest|worst|best|"
    r"fastest|slowest|"
    r"maximum|minimum|former|latter|concentrations?|quotient|pressures?)"
)
_ADVERBIAL = (
    r"(?:(?:at|by|on|in|from|after|over|within|during|before|until|till|towards?|for|around|about|"
    r"beyond|besides|despite|as|of)\s"
    r"(?:[\w.:-]+\s){0,5}?[\w.:-]+,?\s+|(?:[a-z]+ly|furthermore|moreover|likewise|again|besides),\s+)?"
)
_ANAPHOR = re.compile(
    rf"{_LINK}{_ADVERBIAL}(?:(?:it|they|both|these|this|that|those|which|each|all|every|none|neither|"
    rf"most)\b(?!\s+of "
    rf"(?:his|her|the)\s"
    rf"(?!(?:\d+\s)?{_SAMPLE}))|(?:the|its|their|not|no|a|an|one|only|some|half|any|\d+)\s+(?:[\w-]+"
    rf"\s+){{0,3}}?{_SAMPLE}\b)",
    re.I,
)
_ELLIPSIS = re.compile(
    rf"{_LINK}(?:at|by|from|on|with|in|after|later|up|down|again|still|almost|nearly|more|less|less|above|"
    rf"below|within|over|"
    r"under|had|has|have|was|were|is|are|did|does|rose|fell|came|went|stayed|remained|reached|ended|began|"
    r"started|"
    r"settled|a|an|\d|[a-z]+ing\b|[a-z]+ed\b|mild|moderate|severe|the)",
    re.I,
)
_OTHER_SUBJECT = re.compile(
    rf"{_LINK},?\s*(?:at|by|from|on|with|in|after)\b[^,]*,\s+(?!{_ANAPHOR.pattern})[a-z]", re.I
)
_FROM_THE_NOTE = re.compile(rf"\b(?:{cues('note')})\b", re.I)
_NOT_STATED = re.compile(rf"\b(?:{cues('not stated')})\b", re.I)
_TREATMENT = re.compile(rf"\b(?:{cues('treatment')})\b", re.I)
_ADVICE = re.compile(rf"\b(?:{cues('advice')})\b", re.I)
_PAST = re.compile(rf"\b(?:{cues('before a disease')})\s+(?:\w+\s+)?$", re.I)
_ELSEWHERE = re.compile(rf"\b(?:{cues('measured elsewhere')})\s+$", re.I)
_DEGREES = re.compile(r"\d\s?°\s?[CF]\b")
_TIMES = re.compile(
    r"(?P<no>no |not )?(?P<more>more than |over |at least )?(?P<less>(?:less|fewer) than |under |"
    r"at most )?(?P<n>\d+(?:\.\d+)?|twice) ?(?:times)?",
    re.I,
)
_PAIR = re.compile(
    r"(?P<how>\s*(?:(?:(?:start|finish|end)(?:ed|ing|s)(?: out| off| up)?|began|was|were|is|are|being|"
    r"stayed|remained|ran|had been|lay|stood|kept|always|consistently|at first|initially)\s+)*)"
    r"(?:(?P<times>(?:(?:no |not )?(?:more|less|fewer) than |at (?:least|most) |over |under |about |"
    r"almost |nearly |roughly |around |some )?(?:\d+(?:\.\d+)? times|"
    r"twice))(?: as high as| as large as| higher than| "
    r"greater than| that of)?|(?P<up>exceed(?:ed|s|ing)|(?:higher|greater|more|larger|faster) than|above|"
    r"outstripp?(?:ed|s|ing)|"
    r"surpass(?:ed|es|ing)|outpaced|overt(?:ook|akes))|(?P<down>(?:lower|less|smaller|slower) than|below|"
    r"fell short of))\s+"
    r"(?:that of\s+)?(?:(?:the|his|her|its)\s+)?",
    re.I,
)
_RATIO = re.compile(r"\s*(?:/|:|\s-?to-?\s|-to-|\sover\s)\s*(?:the\s+|his\s+|her\s+)?", re.I)

Resolve = Callable[[Mention], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Segment:
    """The part of a clause that speaks of some variables, `named` at these places of its text.

    Where one of the names says a level, it comes first.
    """

    text: str
    variables: tuple[str, ...]
    named: tuple[tuple[int, int], ...]
    level: WordLevel | None


@dataclass(frozen=True, slots=True)
class Context:
    """What the clause before spoke of: its variables, their course, its sentence, the time of its value."""

    variables: tuple[str, ...] = ()
    course: SaidTrend | None = None
    sentence: int = -2
    told: datetime | None = None


def segments(
    text: str, sentence: int, before: Context, resolve: Resolve, unlisted: re.Pattern[str] | None = None
) -> list[Segment]:
    """The segments of a clause, or none if it is for the note; a clause without a name may mean `before`."""
    text = plain(text)
    found = [m for m in _mentions(text, unlisted) if not _is_elsewhere(text, m)]
    if not found:
        return _anaphoric(text, sentence, before)
    if belongs_to_the_note(text):
        return []
    text, found, resolve = _with_ratios(text, found, resolve)
    groups = _of_one_variable(text, _groups(text, found), resolve)
    edges = [0, *(_edge(text, a[-1].end, b[0].start) for a, b in pairwise(groups)), len(text)]
    return [
        segment
        for group, start, end in zip(groups, edges[:-1], edges[1:], strict=True)
        for segment in _of_group(text, group, start, end, resolve)
    ]


def _mentions(text: str, unlisted: re.Pattern[str] | None) -> list[Mention]:
    found = list(mentions(text))
    if not found and (hit := _DEGREES.search(text)):
        return [Mention(Word(("temperature",), False, None), hit.end(), hit.end())]
    if unlisted is None:
        return found
    names = {part: part for part in unlisted.pattern[5:-5].split("|")}
    more = [
        Mention(Word((name,), False, None), hit.start(), hit.end())
        for hit in unlisted.finditer(text)
        for name in names
        if hit[0].lower().startswith(name.replace("\\", "").lower())
    ]
    return sorted([*found, *more], key=lambda mention: mention.start)


def _anaphoric(text: str, sentence: int, before: Context) -> list[Segment]:
    """A clause that names no variable and goes on about those of the clause before."""
    if not before.variables or _NOT_STATED.search(text) or _FROM_THE_NOTE.search(text):
        return []
    is_same = sentence == before.sentence
    is_elliptic = is_same and (_ELLIPSIS.match(text) or is_predicate(text)) and not _OTHER_SUBJECT.match(text)
    if not ((sentence - before.sentence <= 1 and _ANAPHOR.match(text)) or is_elliptic):
        return []
    variables = before.variables
    if len(variables) > 1 and (hit := re.search(r"\bthe (latter|former)\b", text, re.I)):
        variables = variables[-1:] if hit[1].lower() == "latter" else variables[:1]
    return [Segment(text, variables, (), None)]


def _is_elsewhere(text: str, mention: Mention) -> bool:
    """Measured elsewhere ("urinary sodium"), or a word in the name of a disease or a treatment."""
    before = text[: mention.start]
    return bool(_ELSEWHERE.search(before)) or bool(mention.word.level and _PAST.search(before))


def belongs_to_the_note(text: str) -> bool:
    """Whether a clause that names a variable is for the note: a cause, an advice, a treatment."""
    if _FROM_THE_NOTE.search(text) or _NOT_STATED.search(text) or _ADVICE.search(text):
        return True
    return bool(_TREATMENT.search(text)) and not any(char.isdigit() for char in text)


def _with_ratios(text: str, found: list[Mention], resolve: Resolve) -> tuple[str, list[Mention], Resolve]:
    """Two variables compared, or their ratio, become one variable: "AST exceeded ALT" is AST/ALT above 1."""
    for a, b in pairwise(found):
        between = text[a.end : b.start]
        pair = _PAIR.fullmatch(between)
        is_ratio = _RATIO.fullmatch(between) and _is_called_ratio(text, a, b)
        if a.word.level or b.word.level or not (pair or is_ratio):
            continue
        name = f"{resolve(a)[0]}/{resolve(b)[0]}"
        word = Word((name,), False, None)
        told = f"{pair['how']}{_told(pair)}" if pair and not is_ratio else ""
        whole = text[: a.start] + "x" * (b.end - a.start) + told + text[b.end :]
        mention = Mention(word, a.start, b.end)
        others = [m for m in found if m.end <= a.start]
        others += [mention]
        others += [Mention(m.word, m.start + len(told), m.end + len(told)) for m in found if m.start >= b.end]
        return whole, others, resolve
    return text, found, resolve


def _is_called_ratio(text: str, a: Mention, b: Mention) -> bool:
    near = text[max(0, a.start - 14) : a.start] + text[b.end : b.end + 12]
    return "ratio" in near.lower() or "quotient" in near.lower() or "FiO2" in b.word.variables


def _told(pair: re.Match[str]) -> str:
    if pair["up"]:
        return " above 1 "
    if pair["down"]:
        return " below 1 "
    hit = _TIMES.search(pair["times"])
    assert hit
    n = "2" if hit["n"].lower() == "twice" else hit["n"]
    is_more, is_less = (hit["less"], hit["more"]) if hit["no"] else (hit["more"], hit["less"])
    return f" above {n} " if is_more else f" below {n} " if is_less else f" about {n} "


def _groups(text: str, found: Sequence[Mention]) -> list[list[Mention]]:
    """Mentions joined by nothing but "and" or commas share what is said of them."""
    groups = [[found[0]]]
    for mention in found[1:]:
        if _CONNECTIVE.fullmatch(text, groups[-1][-1].end, mention.start):
            groups[-1].append(mention)
        else:
            groups.append([mention])
    return groups


def _of_one_variable(text: str, groups: list[list[Mention]], resolve: Resolve) -> list[list[Mention]]:
    """One group of two that name the same variable in one statement: "potassium fell into hypokalemia"."""
    merged = groups[:1]
    for group in groups[1:]:
        last = merged[-1]
        is_same = len(group) == len(last) == 1 and resolve(group[0]) == resolve(last[0])
        if is_same and not _SEPARATOR.search(text, last[0].end, group[0].start):
            merged[-1] = [*last, *group]
        else:
            merged.append(group)
    return merged


def _edge(text: str, end: int, start: int) -> int:
    """Where one segment ends and the next begins: at the last separator between their names."""
    hits = list(_SEPARATOR.finditer(text, max(end - 1, 0), start))
    return hits[-1].end() if hits else start


def _of_group(text: str, group: list[Mention], start: int, end: int, resolve: Resolve) -> list[Segment]:
    named = tuple((mention.start - start, mention.end - start) for mention in group)
    part = text[start:end]
    if all(mention.word.level is None for mention in group):
        names = tuple(dict.fromkeys(name for mention in group for name in resolve(mention)))
        return [Segment(part, names, named, None)]
    if len({resolve(mention) for mention in group}) == 1:
        group = [mention for mention in group if mention.word.level][:1]
        at = (group[0].start - start, group[0].end - start)
        named = (at, *(place for place in named if place != at))
    return [Segment(part, resolve(mention), named, mention.word.level) for mention in group]
