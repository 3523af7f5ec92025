"""Sentences and clauses of a rationale, with exact character spans.

A sentence is cut before a conjunction, a comma or a dash where something new is said: an inference, or a
subject with a verb of its own. What shares its subject with the clause before stays with it.
"""

import csv
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from itertools import pairwise

from clinragen.clinical.words import mentions
from clinragen.grounding.lexicon import TRENDS


def _words(kind: str) -> frozenset[str]:
    with (files("clinragen.grounding") / "function_words.csv").open(encoding="utf-8") as table:
        return frozenset(row["word"] for row in csv.DictReader(table) if row["kind"] == kind)


_SENTENCE_END = re.compile(
    r"(?<![\s(][A-Z])(?<!\b[DM]r)(?<!\bMrs)(?<!\bMs)(?<!\bvs)(?<!\be\.g)(?<!\bi\.e)[.!?]+[\"')]*\s+"
    r"(?=[^a-z\s]|[a-z]{1,3}[A-Z])|\n+|;\s+"
)
_LIST_MARK = re.compile(r"\s*(?:[-*•]|\(?(?:\d{1,2}|[a-h])[.):])(?:\s+|$)")
_INFERENCE = (
    r"(?:an? (?:sign|picture|pattern|finding|result|clue|consequence|reflection|effect|feature|expression)|"
    r"accompanied by|"
    r"suggest(?:s|ing|ive)|"
    r"indicat(?:es|ing)|indicative|(?:is |are )?consistent with|in keeping with|point(?:s|ing) to|"
    r"reflecting|supporting|signifying|signalling|implying|meaning|compatible with|"
    r"as (?:expected|seen) (?:from|in|with))\b"
)
_OPENER = re.compile(_INFERENCE, re.I)
_BLAME = re.compile(
    r"(?:owing to|because of|due to|thanks to|on account of|as a (?:result|consequence) of|secondary to|"
    r"(?:the|an?) (?:result|consequence|effect|work|product|expression|mark) of|caused by|"
    r"brought (?:on|about) by|explained by|attribut(?:ed|able) to|driven by|provoked by|triggered by)\b",
    re.I,
)
_RELATIVE = re.compile(
    r"(?:(?:to|for|from|of|in|at|after|by|with|on|during|through) )?(?:which|whom)\b"
    r"(?! (?:\w+ ){1,6}?(?:mild|moderate|severe)(?:ly)?\b)",
    re.I,
)
_CUT = re.compile(
    rf",?\s+(?={_INFERENCE}|(?:whereas|although|though|and|but|yet)\s)|"
    r",\s+(?=(?:as|since|so|while|because|for|or|nor)\s|(?:before|until) (?:it|they|he|she)\s)|"
    r"\s+[–—]+\s+|\s+-{1,2}\s+|[,:]\s+",
    re.I,
)
_COMMA = re.compile(r"[,:]\s+")
_CONJUNCTIONS = _words("conjunction")
_NOT_NOUNS = _words("not a noun")
_RELATIVES = _words("relative")
_BEFORE_ADJECTIVE = _words("before an adjective")
_PRONOUNS = _words("pronoun")
_ARTICLES = _words("article")
_NO_PAST = _words("no past")
_AUXILIARIES = _words("auxiliary")
_APPOSITION = re.compile(
    r"(?:an?|the (?:same|very|only))\s+(?:[\w-]+\s+){1,3}?(?:that|who|resistant|sensitive|susceptible)\b|"
    r"(?:an?\s+|only\s+|merely\s+)?(?:mild|moderate|severe)(?:ly\s+\w+)?\s+(?!(?:in|at|by|on|to|and|or|"
    r"for|but|then)\b)\w+",
    re.I,
)
_ABSOLUTE = re.compile(
    r"(?!\d|\w+ing\b|(?:after|before|from|to|at|by|in|on)\b)(?:with\s+)?(?:(?:the|his|her|their|its|an?|"
    r"one|both|neither|each|this|that)\s+)?(?:[\w'/.°-]+,?\s+){1,6}?"
    r"(?:being|having|remaining|rising|falling|going|lying|following|managing|reaching|staying|coming|"
    r"needing|showing|ending|improving|peaking|dropping|climbing)\b|with\s+(?:the|his|her|its|a)"
    r"\s+(?:\w+\s+){1,3}?\w+ing\b",
    re.I,
)
_UNTIL = re.compile(r"(?:before|until) (?:it|they|he|she) ", re.I)
_LATTER = re.compile(r"the (?:latter|former)\b", re.I)
_WORD = re.compile(r"[\w'’.%/°-]*[\w%°]")
_LIST_END = re.compile(r"[,;]")
_COPULA = re.compile(r"\b(?:is|are|was|were|remains?|stays?)\s+(?!not\b)\w", re.I)
_FRAGMENT = re.compile(r"(?!(?:and|but|while|whereas|although|though)\b)[^,]*\b\w+ing\b", re.I)
_NOT_ANEW = re.compile(r"and (?:a half|not (?:he|she|it|they|the))\b", re.I)
_OPENING = re.compile(r"(?:compared|relative|judged|measured|taken|given|based|set|seen)\b[^,]*$", re.I)
_ADVERBIAL = re.compile(
    r"(?:after|before|following|despite|with|without|on|in|at|by|during|from|over|until|for|within|between|"
    r"throughout|of|as)\s+(?:an?|the|his|her|its|this|that|all|some|both|\d+)\b",
    re.I,
)
_SAME = re.compile(r"and (?:it|they|he|she)\b", re.I)
_JOINING = frozenset({"and", "but", "yet"})
_ADVERBS = frozenset(
    {"then", "later", "soon", "still", "never", "not", "again", "since", "even", "only", "now", "also"}
)
_PREDICATE = 5
"""The verb of a joined predicate stands among so many words."""
_AHEAD = 200
"""How many characters after a cut are looked at."""
_SHORT = 5
"""A statement of up to so many words after "and" is told with the one before."""
_FARTHEST = 12
"""How many words may stand before the verb of a new subject."""


@dataclass(frozen=True, slots=True)
class Clause:
    """`text` is the rationale from `start` to `end`; clauses of one sentence share its number."""

    text: str
    start: int
    end: int
    sentence: int


@lru_cache(maxsize=1 << 10)
def clauses(text: str) -> tuple[Clause, ...]:
    """The clauses of a text in order; between them lie only separators."""
    found = []
    for number, (start, end) in enumerate(_pieces(text)):
        for a, b in _split(text, start, end):
            if trimmed := _trim(text, a, b):
                found.append(Clause(text[trimmed[0] : trimmed[1]], *trimmed, number))
    return tuple(found)


def _pieces(text: str) -> list[tuple[int, int]]:
    ends = [hit.end() for hit in _SENTENCE_END.finditer(text)]
    return list(zip([0, *ends], [*ends, len(text)], strict=True))


def _split(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Cut where what came since the last cut can stand alone, and so can what follows."""
    edges, told, is_whole = [start], start, False
    for hit in _CUT.finditer(text, start, end):
        is_whole = is_whole or _is_whole(text[told : hit.start()], told == start)
        right = text[hit.end() : min(end, hit.end() + _AHEAD)]
        told = hit.end()
        if is_whole and _starts_anew(hit[0], right) and not _explains(text[edges[-1] : hit.start()], right):
            edges.append(told)
            is_whole = any(form.match(right) for form in (_FRAGMENT, _APPOSITION))
    return list(zip(edges, [*edges[1:], end], strict=True))


def _explains(left: str, right: str) -> bool:
    """Whether a variable's course is how what comes before it shows: "clotting worsened, INR rising"."""
    if not _ABSOLUTE.match(right) or not TRENDS.find(left) or mentions(left):
        return False
    return any(mention.start == 0 for mention in mentions(right))


def _is_whole(piece: str, is_first: bool) -> bool:
    if is_first and _ADVERBIAL.match(piece):
        return any(is_verb(hit[0].lower()) for hit in _WORD.finditer(piece))
    return has_verb(piece) and not (is_first and _OPENING.match(piece))


def _starts_anew(cut: str, right: str) -> bool:
    """Whether what follows a cut says something of its own: an inference, or a subject with its verb.

    What follows a bare comma or colon must be told apart from an item of a list, and what follows a bare
    "and" from the rest of one statement ("pCO2 rose and pO2 fell").
    """
    if ("," in cut and (_RELATIVE.match(right) or _BLAME.match(right))) or _OPENER.match(right):
        return True
    if _UNTIL.match(right):
        return True
    first = _first(right)
    if _NOT_ANEW.match(right) or ("," in cut and first.endswith("ing")):
        return False
    if first == "and" and "," not in cut and _is_short(right) and not _SAME.match(right):
        return False
    if is_predicate(right):
        return True
    is_weak = _COMMA.fullmatch(cut) is not None and first not in _CONJUNCTIONS
    if _has_subject(right, is_weak):
        return True
    return is_weak and any(form.match(right) for form in (_APPOSITION, _ABSOLUTE, _LATTER))


def is_predicate(right: str) -> bool:
    """Whether a conjunction joins another predicate to the same subject: "and stayed below 50"."""
    words = [hit[0].lower() for hit in _WORD.finditer(right)][:_PREDICATE]
    if not words or words[0] not in _JOINING:
        return False
    told = next((word for word in words[1:] if word not in _ADVERBS and not word.endswith("ly")), "")
    return is_verb(told)


def _is_short(right: str) -> bool:
    told = _LIST_END.split(right, 1)[0]
    return len(told.split()) <= _SHORT and not _COPULA.search(told)


def _first(right: str) -> str:
    hit = _WORD.match(right)
    return hit[0].lower() if hit else ""


def has_verb(text: str) -> bool:
    """Whether a stretch of text holds what can be a finite verb, so that it may stand alone."""
    words = [hit[0].lower() for hit in _WORD.finditer(text)]
    if any(is_verb(word) or word in _bases() for word in words):
        return True
    return any(_is_likely_verb(word, after) for word, after in pairwise(words))


def _is_likely_verb(word: str, after: str) -> bool:
    """A word in -s right before an article: "irritates the atria"."""
    return word.endswith("s") and len(word) > 3 and word not in _NOT_NOUNS and after in _ARTICLES


def is_verb(word: str) -> bool:
    """Whether a word in lower case can be a finite verb; -ed forms count."""
    return (
        word in _AUXILIARIES
        or word in _finite()
        or (word.endswith("ed") and len(word) > 3 and word not in _NO_PAST)
    )


def _has_subject(right: str, is_weak: bool) -> bool:
    """Whether a noun or pronoun comes before the first finite verb, and that verb soon enough."""
    has_noun, last = False, ""
    for place, hit in enumerate(_WORD.finditer(right)):
        word = hit[0].lower()
        if word in _CONJUNCTIONS and not last:
            continue
        if place > _FARTHEST or (not has_noun and word in _RELATIVES):
            return False
        if is_weak and has_noun and word in ("and", "or", "which", "who"):
            return False
        is_after_comma = right[: hit.start()].rstrip().endswith(",")
        if is_after_comma and (is_weak or word in _CONJUNCTIONS):
            return False
        if is_verb(word) and not _is_adjective(word, last):
            return has_noun
        if has_noun and _is_likely_verb(word, _first(right[hit.end() :].lstrip())) and last not in _NOT_NOUNS:
            return True
        has_noun = has_noun or word in _PRONOUNS or not _is_function(word)
        last = word
    return False


def _is_adjective(word: str, last: str) -> bool:
    """A participle right after an article, a preposition or the like: "the elevated lactate"."""
    return word not in _AUXILIARIES and word.endswith("ed") and last in _BEFORE_ADJECTIVE


def _is_function(word: str) -> bool:
    return word in _NOT_NOUNS or word.endswith("ly") or word[0].isdigit()


@cache
def _verbs() -> tuple[dict[str, str], ...]:
    with (files("clinragen.grounding") / "verbs.csv").open(encoding="utf-8") as table:
        return tuple(csv.DictReader(table))


@cache
def _finite() -> frozenset[str]:
    """The third person and the past of every verb of `verbs.csv`."""
    return frozenset(form for row in _verbs() for form in (_third(row["verb"]), row["past"]) if form)


@cache
def _bases() -> frozenset[str]:
    return frozenset(row["verb"] for row in _verbs()) | {"left"}


def _third(verb: str) -> str:
    if verb.endswith(("s", "sh", "ch", "x", "z", "o")):
        return f"{verb}es"
    return f"{verb[:-1]}ies" if verb.endswith("y") and verb[-2] not in "aeiou" else f"{verb}s"


def _trim(text: str, start: int, end: int) -> tuple[int, int] | None:
    if mark := _LIST_MARK.match(text, start, end):
        start = mark.end()
    while start < end and text[start] in " \n\t,;:–—-":
        start += 1
    while start < end and text[end - 1] in " \n\t,;:.!?–—":
        end -= 1
    return (start, end) if start < end else None
