"""What a verdict on a clause is decided by, as named numbers between 0 and 1 (or a little more)."""

from math import log1p

from clinragen.grounding.note_compare import Comparison
from clinragen.grounding.note_forms import forms_of
from clinragen.grounding.note_index import NoteIndex
from clinragen.grounding.note_views import sentences_of

_LIKELY = 0.5
MANY = 3
FIRM = frozenset(
    {"denied", "another side", "another member", "another number", "another relative", "opposite"}
    | {"of a relative", "not done", "over", "open"}
)
_TELLING = frozenset({"negated", "family", "uncertain", "planned", "past", "number", "side"})
_STATUSES = ("family", "negated", "uncertain", "planned", "past")


def features(text: str, clause: NoteIndex, note: NoteIndex, found: Comparison | None) -> dict[str, float]:
    """The features of a clause and of the place of the note that answers it best, if any."""
    told = {f"form: {form}": value for form, value in forms_of(text).items()}
    statuses = {
        cue.status for cues in clause.cues for cue in cues if cue.start >= len(clause.text) - len(text)
    }
    told |= {f"said: {status}": 1.0 for status in _STATUSES if status in statuses}
    told["form: in general"] = told["form: knowledge"] * (1 - told["form: patient"])
    if found is None:
        return told | {"nothing shared": 1.0}
    told["form: cause, not told"] = float(
        bool(told["form: cause"]) and not forms_of(sentences_of(note, found.view))["cause"]
    )
    for difference in found.differences:
        name = f"differs: {difference.kind}"
        told[name] = max(told.get(name, 0.0), difference.weight)
    firm = [d.weight for d in found.differences if d.kind in FIRM]
    told["differs"] = max(firm, default=0.0)
    told["differs in"] = min(MANY, len({d.place for d in found.differences})) / MANY
    told["differs, well covered"] = told["differs"] * found.coverage
    told["agrees"] = (
        max((w for name, w in found.agreements.items() if name in _TELLING), default=0.0) if not firm else 0.0
    )
    told |= {f"told: {status}": weight for status, weight in found.told.items()}
    told |= {
        f"beside: {status}": 1.0 for status in _STATUSES if status in found.beside and status not in statuses
    }
    told |= {f"agrees: {name}": value for name, value in found.agreements.items()}
    for kind, _ in found.missing:
        told[f"missing: {kind}"] = 1.0
    told |= {
        "covered": found.coverage,
        "covered well": max(0.0, found.coverage - _LIKELY),
        "covered, nothing differs": 0.0 if found.differences else found.coverage,
        "left": log1p(sum(clause.tokens[place].weight for place in found.lacking)),
        "answered": log1p(sum(clause.tokens[place].weight * fit for place, fit in found.view.fit.items())),
        "two sentences": float(len(found.view.sentences) > 1),
    }
    return told
