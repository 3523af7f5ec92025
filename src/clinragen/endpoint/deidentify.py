"""Names, dates, telephone and record numbers are taken out of a text, by pattern and nothing cleverer.

A pattern finds a name only where a title or a label stands before it. It lowers the risk of what is sent; it
does not make a record anonymous.
"""

import re
from collections.abc import Sequence

_MONTH = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December"
    r"|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec)\b\.?)"
)
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_NAME = r"[A-Z][\w'’-]+"
_NAMES = rf"(?:[A-Z]\.\s+)?{_NAME}(?: (?:[A-Z]\.?(?![\w'’-])|{_NAME}))*"

_PATTERNS: Sequence[tuple[re.Pattern[str], str]] = (
    (re.compile(r"\[\*\*.*?\*\*\]", re.S), "[REMOVED]"),
    (re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b"), "[EMAIL]"),
    (re.compile(r"https?://\S+"), "[URL]"),
    (re.compile(r"\b\d{3}-\d{2}-\d{4}\b"), "[ID]"),
    (re.compile(r"(?<![\w.])(?:\+?\d{1,3}[ .-])?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?!\w)"), "[PHONE]"),
    (
        re.compile(
            r"(?i)\b((?:phone|tel|telephone|fax|pager|beeper)\s*(?:no\.?|number|#)?\s*[:#]?\s*)"
            r"\+?\d[\d ().-]{2,}\d"
        ),
        r"\1[PHONE]",
    ),
    (
        re.compile(
            r"(?i)\b((?:mrn|medical record|record|account|acct|admission|patient|unit|case|visit|encounter|"
            r"accession|policy|license)\s*(?:no\.?|number|num|id|#)?\s*[:#]?\s*)[a-z]{0,3}-?\d[\d-]{3,}\b"
        ),
        r"\1[ID]",
    ),
    (re.compile(r"\b\d{4}-\d{1,2}-\d{1,2}(?:[T ]\d{1,2}:\d{2}(?::\d{2})?)?\b"), "[DATE]"),
    (re.compile(r"(?<![\w./-])\d{1,2}([/.-])\d{1,2}\1(?:\d{4}|\d{2})(?![\w/-])"), "[DATE]"),
    (re.compile(rf"\b{_MONTH}\s+{_DAY}(?:,?\s+\d{{4}})?\b"), "[DATE]"),
    (re.compile(rf"\b{_DAY}(?:\s+of)?\s+{_MONTH}(?:,?\s+\d{{4}})?\b"), "[DATE]"),
    (re.compile(rf"\b{_MONTH},?\s+\d{{4}}\b"), "[DATE]"),
    (re.compile(r"(?i)\b((?:on|since|until|from|dated)\s+)\d{1,2}/\d{1,2}\b(?!/)"), r"\1[DATE]"),
    (re.compile(r"\b\d{5}-\d{4}\b"), "[ID]"),
    (re.compile(r"(?<![\w.])\d{7,}(?![\w.])"), "[ID]"),
    (
        re.compile(
            r"(?i:\b(?:name|attending|physician|provider|surgeon|author|dictated by|signed by|signed|pcp|"
            rf"next of kin)\s*:\s*)(?:(?:Dr|Mr|Mrs|Ms|Miss|Prof)\.?\s+)?(?P<name>{_NAMES}(?:, {_NAMES})?)"
        ),
        "[NAME]",
    ),
    (re.compile(rf"\b(?:Dr|Mr|Mrs|Ms|Miss|Mx|Prof|Doctor|Nurse)\b\.?\s+(?P<name>{_NAMES})"), "[NAME]"),
    (
        re.compile(rf"\b(?P<name>{_NAME}(?:\s+[A-Z]\.?)?\s+{_NAME}),?\s+(?:MD|M\.D\.|RN|DO|PA-C|NP)\b"),
        "[NAME]",
    ),
)


def deidentified(text: str) -> str:
    """The text with what identifies a person replaced by what it was: [NAME], [DATE], [PHONE], [ID]."""
    for pattern, mark in _PATTERNS:
        text = pattern.sub(_only_the_name if "name" in pattern.groupindex else mark, text)
    return text


def _only_the_name(match: re.Match[str]) -> str:
    start, end = match.start("name") - match.start(), match.end("name") - match.start()
    return f"{match[0][:start]}[NAME]{match[0][end:]}"
