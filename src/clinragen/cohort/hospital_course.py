"""The note as the paper has it: the hospital course of the discharge summary, stop words left out.

Paper mode only. It is written at discharge, when the diagnoses are known, and the leakage audit shows it.
"""

import re
from itertools import groupby
from operator import itemgetter

import polars as pl
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from clinragen.clinical.notes import OTHER, sections
from clinragen.cohort.windows import belonging

TITLE = "hospital course"
_BRIEF = "brief hospital course"
_DISCHARGE = r"^NOTE//discharge(?: summary)?$"
_WORD = re.compile(r"[A-Za-z']+")
_BLANKS = re.compile(r"[ \t]+")


def hospital_courses(events: pl.DataFrame, found: pl.DataFrame) -> dict[str, str]:
    """The hospital course by stay_id, whenever it was written; stays without one are left out.

    Of several summaries of an admission the last one that has a course counts.
    """
    rows = belonging(events.filter(pl.col("code").str.contains(_DISCHARGE)), found)
    told = rows.filter("is_named").sort("stay_id", "time", "text_value").select("stay_id", "text_value")
    courses = {}
    for stay, notes in groupby(told.iter_rows(), key=itemgetter(0)):
        texts = [text for _, note in notes if (text := plain_words(course_of(note or "")))]
        if texts:
            courses[str(stay)] = texts[-1]
    return courses


def course_of(note: str) -> str:
    """The brief hospital course, else any; up to the heading of another section, its own problems kept."""
    parts = sections(note)
    courses = [place for place, part in enumerate(parts) if part.title == TITLE]
    brief = [p for p in courses if note[parts[p].start : parts[p].body].strip().lower().startswith(_BRIEF)]
    if not courses:
        return ""
    first = (brief or courses)[0]
    after = [part.start for part in parts[first + 1 :] if part.title not in (TITLE, OTHER)]
    return note[parts[first].body : after[0] if after else len(note)].strip()


def plain_words(text: str) -> str:
    """Without lines that hold digits alone and without stop words (scikit-learn's list)."""
    lines = [line for line in text.splitlines() if not line.strip().isdigit()]
    kept = _WORD.sub(lambda word: "" if word[0].lower() in ENGLISH_STOP_WORDS else word[0], "\n".join(lines))
    return "\n".join(_BLANKS.sub(" ", line).strip() for line in kept.splitlines() if line.strip())
