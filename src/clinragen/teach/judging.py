"""Which of a teacher's texts become rationales: every sentence checked, the best grounded sample kept."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from clinragen.grounding.checker import Checker
from clinragen.recipe import Teach
from clinragen.schema import Claim, Part, Rationale, Stay
from clinragen.teach.asking import PARTS, Reply

UNKNOWN_DIAGNOSES = "diagnoses unknown"
DISAGREES = "disagrees with the codes"
CONTRADICTED = "contradicted"


@dataclass(frozen=True, slots=True)
class Rejection:
    """A text that did not become a rationale: why, and the claims that the chart contradicts."""

    stay_id: str
    part: Part
    text: str
    author: str
    prompt_id: str
    reason: str
    claims: tuple[Claim, ...] = ()


@dataclass(frozen=True, slots=True)
class Preference:
    """Two texts of one teacher on one part of one stay, the first better grounded; `why` in counts."""

    stay_id: str
    part: Part
    chosen: str
    rejected: str
    why: str
    author: str
    prompt_id: str
    rejected_claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """One sample of one part: its claims, and how far its diagnoses agree with the codes (1 where told)."""

    reply: Reply
    part: Part
    claims: tuple[Claim, ...]
    agrees: bool

    @property
    def text(self) -> str:
        """What it says."""
        return self.reply.text(self.part)

    def count(self, verdict: str) -> int:
        """How many claims have this verdict."""
        return sum(claim.verdict == verdict for claim in self.claims)

    @property
    def standing(self) -> tuple[bool, bool, int, float]:
        """What is better sorts first: a text, agreement, fewest contradicted, greatest share supported."""
        supported = self.count("supported") / len(self.claims) if self.claims else 0.0
        return bool(self.reply.problem), not self.agrees, self.count(CONTRADICTED), -supported


def judge(
    stay: Stay, replies: Sequence[Reply], part: Part, settings: Teach, checker: Checker
) -> list[Judged]:
    """All samples of one part of one stay, best first; of equals the earlier one."""
    judged = [
        Judged(
            reply,
            part,
            () if reply.problem else checker.check(reply.text(part), stay),
            reply.diagnoses is None or agreement(reply, stay) >= settings.agreement_at_least,
        )
        for reply in replies
    ]
    return sorted(judged, key=lambda each: (*each.standing, each.reply.sample))


def agreement(reply: Reply, stay: Stay) -> float:
    """F1 of the diagnoses a blind teacher named against those the stay was coded with; none and none is 1."""
    named, coded = reply.diagnoses or frozenset(), stay.diagnoses or frozenset()
    return 2 * len(named & coded) / (len(named) + len(coded)) if named or coded else 1.0


def verdict_on(best: Judged, stay: Stay, settings: Teach) -> Rationale | Rejection:
    """The best sample as a rationale, or as what was rejected and why."""
    signed = (best.reply.author, best.reply.prompt_id)
    wrong = tuple(claim for claim in best.claims if claim.verdict == CONTRADICTED)
    if best.reply.problem:
        return Rejection(stay.stay_id, best.part, best.text, *signed, best.reply.problem)
    if not best.agrees:
        return Rejection(stay.stay_id, best.part, best.text, *signed, DISAGREES, wrong)
    if wrong and not settings.keep_contradicted:
        return Rejection(stay.stay_id, best.part, best.text, *signed, CONTRADICTED, wrong)
    return Rationale(stay.stay_id, best.part, best.text, *signed)


def preferences(stay: Stay, judged: Sequence[Judged]) -> Iterator[Preference]:
    """The best sample against every other text that stands worse; equals are no preference."""
    best, *others = judged
    for other in others:
        if not other.reply.problem and other.standing > best.standing:
            yield Preference(
                stay_id=stay.stay_id,
                part=best.part,
                chosen=best.text,
                rejected=other.text,
                why=f"{_told(other)} against {_told(best)}",
                author=other.reply.author,
                prompt_id=other.reply.prompt_id,
                rejected_claims=other.claims,
            )


def counts_of_answer(stay: Stay, replies: Sequence[Reply], settings: Teach) -> Counter[str]:
    """How often a blind teacher was asked and agreed, over all samples that could be read."""
    counted: Counter[str] = Counter()
    for reply in replies:
        if reply.diagnoses is None:
            continue
        coded = stay.diagnoses or frozenset()
        counted["answer/read"] += 1
        counted["answer/agreed"] += agreement(reply, stay) >= settings.agreement_at_least
        counted["answer/exact"] += reply.diagnoses == coded
        counted["answer/right"] += len(reply.diagnoses & coded)
        counted["answer/added"] += len(reply.diagnoses - coded)
        counted["answer/missed"] += len(coded - reply.diagnoses)
    return counted


def unknown(stay: Stay) -> list[Rejection]:
    """What is said of a stay without known diagnoses: it is not asked about."""
    return [Rejection(stay.stay_id, part, "", "", "", UNKNOWN_DIAGNOSES) for part in PARTS]


def _told(judged: Judged) -> str:
    counts = f"{judged.count(CONTRADICTED)} contradicted, {judged.count('supported')} supported"
    return f"{counts} of {len(judged.claims)}" + ("" if judged.agrees else ", other diagnoses")
