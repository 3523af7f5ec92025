"""The words with which a text speaks of a series: levels, scopes, trends, extremes, severities.

Each table is (pattern, meaning); the leftmost match counts, and on a tie the earlier row.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from clinragen.clinical.severity import Severity

SaidLevel = Literal["high", "low", "normal", "abnormal"]
Scope = Literal["all", "most", "any", "none", "first", "second", "third", "last"]
SaidTrend = Literal[
    "rising", "falling", "stable", "fluctuating", "normalised", "improved", "worsened", "halved", "doubled"
]
Extreme = Literal["highest", "lowest"]
Said = TypeVar("Said")

_LEVELS: tuple[tuple[str, SaidLevel], ...] = (
    (
        r"(?:left|outside|out of|departed from|beyond) (?:the |its )?(?:normal |reference )?(?:range|"
        r"limits)",
        "abnormal",
    ),
    (
        r"(?:above|over|crossed|exceed\w*|higher than) (?:the |its )?(?:upper )?(?:normal|limit|range|"
        r"reference)",
        "high",
    ),
    (r"(?:below|under|lower than|beneath) (?:the |its )?(?:lower )?(?:normal|limit|range|reference)", "low"),
    (r"abnormal(?:ly)?(?! (?:high|low|elev))|deranged", "abnormal"),
    (
        r"high|elevated|raised|supranormal|elevations?|fast|rapid|(?<=is )increased|(?<=was )increased|"
        r"(?<=were )increased",
        "high",
    ),
    (
        r"low|reduced|depressed|depleted|deficien\w+|subnormal|slow|(?<=is )decreased|(?<=was )decreased",
        "low",
    ),
    (
        r"(?<!above )(?<!below )normal|within (?:the |its )?(?:normal |reference )?(?:range|limits)|"
        r"unremarkable|"
        r"(?<!into )(?<!into the )in (?:the |its )?(?:normal |reference )?range",
        "normal",
    ),
)
_SCOPES: tuple[tuple[str, Scope], ...] = (
    (r"never|at no (?:time|point)|not once|none of", "none"),
    (
        r"throughout|always|every|each|all|consistently|continuous(?:ly)?|constantly|whenever|"
        r"invariably|uniformly|entire|without exception|(?:on|in|at) both|the whole",
        "all",
    ),
    (
        r"most of|mostly|(?:in|for|at) most|majority|more than half|predominantly|largely|"
        r"persistent(?:ly)?",
        "most",
    ),
    (
        r"at times|occasional(?:ly)?|intermittent(?:ly)?|sometimes|at (?:one|some) point|at least once|"
        r"once|"
        r"transient(?:ly)?|episod\w+|briefly|some of|on occasion|later",
        "any",
    ),
    (
        r"on (?:arrival|admission|presentation)|at (?:first|presentation|admission|arrival|baseline|"
        r"the (?:start|outset|"
        r"beginning))|initial(?:ly)?|to begin with|first\s+(?!\d|few|hours?|day)\w+|start(?:ed|ing) (?:at|"
        r"out)",
        "first",
    ),
    (r"second (?:sample|check|value|draw|measurement|reading|count|gas|time)", "second"),
    (r"third (?:sample|check|value|draw|measurement|reading|count|gas|time)", "third"),
    (
        r"(?:at|by|towards?) the (?:very )?end|final(?:ly)?|(?:the|at) last\s+(?!\d|few|hours?|day)\w+|"
        r"most recent(?:ly)?|"
        r"latest|ended|at last",
        "last",
    ),
)
_TRENDS: tuple[tuple[str, SaidTrend], ...] = (
    (
        r"normali[sz](?:ed|es|ing|ation)|resolv(?:ed|es|ing)|subsided|abated|settled(?! to)|(?:came|"
        r"come|coming|returned|return|back|fell|rose|settled|"
        r"went) (?:back )?"
        r"(?:in)?to (?:the |its )?(?:normal|range|reference)",
        "normalised",
    ),
    (r"halved|fell by half|dropped by half", "halved"),
    (r"doubled", "doubled"),
    (r"improv(?:ed|es|ing|ement)|recover(?:ed|ing|y)", "improved"),
    (r"worsen(?:ed|s|ing)|deteriorat(?:ed|ing)", "worsened"),
    (
        r"rising|rose|rises?|risen|climb(?:ed|s|ing)|(?<!was )(?<!is )(?<!were )increas(?:ed|es|ing)|"
        r"went up|upward|"
        r"(?:trend\w*|crept|going|drift\w*) up(?:wards?)?|up-?trend\w*|higher (?:at the end|later|"
        r"than (?:at|on|before|initially))|leapt|leaped|jumped|surged",
        "rising",
    ),
    (
        r"fall(?:s|ing|en)?|fell|declin(?:ed|es|ing)|drop(?:ped|s|ping)?|"
        r"(?<!was )(?<!is )(?<!were )decreas(?:ed|es|ing)|"
        r"lower (?:at the end|later|than (?:at|on|before|initially))|went down|came down|downward|"
        r"(?:trend\w*|going|drift\w*|com\w+) down(?:wards?)?|"
        r"down-?trend\w*|sank|sinking|"
        r"cleared|clearing",
        "falling",
    ),
    (r"stable|unchanged|steady|constant|flat|no (?:real |significant )?change|did not change", "stable"),
    (r"fluctuat(?:ed|es|ing|ions?)|varied|variable|swung|swings|labile|up and down", "fluctuating"),
)
_EXTREMES: tuple[tuple[str, Extreme], ...] = (
    (r"peak(?:ed|s|ing)?|highest|maxim(?:um|al)|max|fastest|as high as|top(?:ped)?|crest", "highest"),
    (
        r"nadir|lowest|minim(?:um|al)|min|slowest|as low as|trough(?:ed)?|bottom(?:ed)?|down to|"
        r"at times only",
        "lowest",
    ),
)
_SEVERITIES: tuple[tuple[str, Severity], ...] = (
    (r"mild(?:ly)?", "mild"),
    (r"moderate(?:ly)?", "moderate"),
    (r"severe(?:ly)?", "severe"),
)


@dataclass(frozen=True, slots=True)
class Lexicon(Generic[Said]):
    """Patterns compiled into one, and what each of them means."""

    pattern: re.Pattern[str]
    meanings: tuple[Said, ...]

    def find(self, text: str) -> tuple[Said, int] | None:
        """The meaning and place of the first word found, or None."""
        hit = self.pattern.search(text)
        return (self.meanings[hit.lastindex - 1], hit.start()) if hit and hit.lastindex else None


def _lexicon(rows: Sequence[tuple[str, Said]]) -> Lexicon[Said]:
    joined = "|".join(rf"(\b(?:{pattern})\b)" for pattern, _ in rows)
    return Lexicon(re.compile(joined), tuple(meaning for _, meaning in rows))


LEVELS, SCOPES, TRENDS = _lexicon(_LEVELS), _lexicon(_SCOPES), _lexicon(_TRENDS)
EXTREMES, SEVERITIES = _lexicon(_EXTREMES), _lexicon(_SEVERITIES)
