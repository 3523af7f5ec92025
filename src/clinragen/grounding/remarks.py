"""Remarks of a writer that claim nothing of the patient: opinions, advice, greetings, headings.

"I would not rush the second look", "Patience is the best policy here", "Summary for the round".
"""

import re

from clinragen.grounding.lexicon import cues
from clinragen.grounding.sentences import has_verb

_FIRST_PERSON = re.compile(r"\b(?:I|I'm|I've|We|we|My|my|me|us)\b(?!\.)")
_ASIDE = re.compile(r",\s+(?:I|we) (?:dare say|think|believe|suspect|gather|suppose|fear|hope|trust)\b")
_ADDRESS = re.compile(rf"\W*(?:{cues('address')})\b(?!\s+(?:has|have|had|is|are|was|were)\b)", re.I)
_OPINION = re.compile(rf"\b(?:{cues('opinion')})\b", re.I)
_DIGIT = re.compile(r"\d")
_LONGEST_HEADING = 8


def is_remark(text: str) -> bool:
    """Whether a clause only comments: it speaks for the writer, addresses a reader, values or heads."""
    if _FIRST_PERSON.search(_ASIDE.sub("", text)) or _ADDRESS.match(text) or _OPINION.search(text):
        return True
    is_short = len(text.split()) <= _LONGEST_HEADING and text[0].isupper()
    return is_short and not _DIGIT.search(text) and not has_verb(text)
