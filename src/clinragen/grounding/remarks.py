"""Remarks of a writer that claim nothing of the patient: opinions, advice, greetings, headings.

"I would not rush the second look", "Patience is the best policy here", "Summary for the round".
"""

import re

from clinragen.grounding.sentences import has_verb

_FIRST_PERSON = re.compile(r"\b(?:I|I'm|I've|We|we|My|my|me|us)\b(?!\.)")
_ASIDE = re.compile(r",\s+(?:I|we) (?:dare say|think|believe|suspect|gather|suppose|fear|hope|trust)\b")
_ADDRESS = re.compile(
    r"\W*(?:dear|thank you|thanks|forgive|with (?:kind|best) regards|yours|keep|leave|talk|speak|watch|let us|avoid|"
    r"remember|note that|bear in mind|recheck|repeat the|consider|please|do not|hope|to (?:recapitulate|summari[sz]e|sum up)|"
    r"in (?:summary|short|brief)|as (?:ever|always|i))\b(?!\s+(?:has|have|had|is|are|was|were)\b)",
    re.I,
)
_OPINION = re.compile(
    r"\b(?:deserves?|(?:seems?|is|are|was|were|would be|looks?|be) (?:only |most |quite )?(?:wise|sensible|prudent|advisable|"
    r"reasonable|superb|excellent|elegant|worthwhile|vital|paramount|a relief|regrettable)|matters? (?:most|more|less|as much|a lot|here)|"
    r"counts? (?:most|for)|every (?:hour|minute) counts|best (?:policy|prevention|course)|(?:hardest|trickiest|interesting|worst|main) "
    r"(?:part|thing)|margin for error|price to (?:watch|pay)|usually rewarded|surprise (?:nobody|no one|anyone|few)|one (?:hopes|so often|must|"
    r"can|cannot|may|should|would|wonders|suspects)|for what (?:it|that) is worth|in due course|remains? (?:central|important|"
    r"essential|key|crucial)|(?:was|is) everything|turns on|dreadful|frightening|opinions? differ|can wait|will do$|clinical judge?ment)\b",
    re.I,
)
_DIGIT = re.compile(r"\d")
_LONGEST_HEADING = 8


def is_remark(text: str) -> bool:
    """Whether a clause only comments: it speaks for the writer, addresses a reader, values or heads."""
    if _FIRST_PERSON.search(_ASIDE.sub("", text)) or _ADDRESS.match(text) or _OPINION.search(text):
        return True
    is_short = len(text.split()) <= _LONGEST_HEADING and text[0].isupper()
    return is_short and not _DIGIT.search(text) and not has_verb(text)
