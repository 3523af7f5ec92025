"""What is searched for: the queries of each label, those of the recipe or the label's own name."""

from clinragen.clinical.diagnoses import diagnosis_names
from clinragen.errors import KnowledgeError
from clinragen.recipe import Knowledge


def queries(settings: Knowledge) -> tuple[str, ...]:
    """The queries in the order of the labels, each once; an empty list leaves a label out."""
    unknown = [name for name in settings.queries if name not in diagnosis_names()]
    if unknown:
        raise KnowledgeError(
            "knowledge.queries names unknown labels",
            expected=", ".join(diagnosis_names()),
            found=", ".join(unknown),
            fix="use the labels' own names as keys",
        )
    return tuple(
        dict.fromkeys(query for name in diagnosis_names() for query in settings.queries.get(name, (name,)))
    )
