"""Remarks of a writer that claim nothing of the patient: opinions, advice, greetings, headings.

"I would not rush the second look", "Patience is the best policy here", "Summary for the round".
"""

import re

from clinragen.grounding.lexicon import LEVELS, SCOPES, TRENDS, cues
from clinragen.grounding.sentences import has_verb

_FIRST_PERSON = re.compile(r"\b(?:I|I'm|I've|We|we|My|my|me|us)\b(?!\.)")
_ASIDE = re.compile(
    r"^(?:I|We) (?:note|noted|find|found|observed?|recorded|measured|"
    r"documented)\b|,\s+(?:I|we) (?:dare say|think|believe|suspect|gather|suppose|fear|hope|trust)\b"
)
_ADDRESS = re.compile(rf"\W*(?:{cues('address')})\b(?!\s+(?:has|have|had|is|are|was|were)\b)", re.I)
_OPINION = re.compile(rf"\b(?:{cues('opinion')})\b", re.I)
_HEADING = re.compile(
    rf"(?:\S+ ){{0,3}}?(?:{cues('heading')})(?=\s*(?:$|[,:(\-–—]|(?:for|at|of|on|to|after|by) (?:the|"
    rf"this|his|her|provider)\b|first\b|kept\b))",
    re.I,
)
_NONE = re.compile(r"(?:no|never|without|not)\b", re.I)
_DIGIT = re.compile(r"\d")
_LONGEST_HEADING = 8


def is_remark(text: str) -> bool:
    """Whether a clause only comments: it speaks for the writer, addresses a reader or values."""
    return bool(_FIRST_PERSON.search(_ASIDE.sub("", text)) or _ADDRESS.match(text) or _OPINION.search(text))


def is_heading(text: str, is_of_series: bool) -> bool:
    """Whether a clause only heads what follows: it names a part or a summary, or is short and has no verb.

    A clause `is_of_series` may do without a verb: "No fever", "Na flat", "Hypotensive on arrival".
    """
    if _HEADING.match(text):
        return True
    if not text[0].isupper() or _DIGIT.search(text) or has_verb(text):
        return False
    return len(text.split()) <= _LONGEST_HEADING and not (is_of_series and _says_how(text))


def _says_how(text: str) -> bool:
    lowered = text.lower()
    return any(words.find(lowered) for words in (LEVELS, TRENDS, SCOPES)) or _NONE.match(text) is not None
