"""Finding a quoted span in its document: exact but for blanks, hyphens and the shapes of quotation marks.

A hyphen between letters is not compared at all, for a line of print may end in one ("hyper-\\nkalemia").
"""

import re
import unicodedata
from typing import NamedTuple

_HYPHENS = "-\u2010\u2011\u2012\u2013\u2014\u2212\u00ad"
_PIECE = re.compile(rf"(?<=[^\W\d_])[{_HYPHENS}]\s*(?=[^\W\d_])|\u00ad|\s+|.", re.S)
_SAME = {
    **dict.fromkeys(_HYPHENS, "-"),
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u00b4`", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
}


class Plain(NamedTuple):
    """A text in the form in which it is compared; `places[i]` is where its i-th character came from."""

    text: str
    places: tuple[int, ...]


def plain(text: str) -> Plain:
    """Blanks made single, hyphens and quotation marks of one shape, letters joined over hyphens."""
    written, places = [], []
    for piece in _PIECE.finditer(text):
        form = _form(piece[0])
        written.append(form)
        places += [piece.start()] * len(form)
    return Plain("".join(written), (*places, len(text)))


def locate(quote: str, document: Plain, near: int = 0) -> tuple[int, int] | None:
    """Where whole words of a document say the quote, as a span of its text; the first place after `near`."""
    wanted = plain(quote.strip()).text.strip()
    if not wanted:
        return None
    found = [hit.span() for hit in re.finditer(rf"(?<!\w){re.escape(wanted)}(?!\w)", document.text)]
    spans = [(document.places[a], document.places[b - 1] + 1) for a, b in found]
    return min(spans, key=lambda span: (span[0] < near, span[0]), default=None)


def _form(piece: str) -> str:
    if piece.isspace():
        return " "
    if len(piece) > 1 or piece == "\u00ad":
        return ""
    return _SAME.get(piece) or unicodedata.normalize("NFKC", piece)
