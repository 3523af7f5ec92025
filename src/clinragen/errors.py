"""The errors a user can meet; each says what was expected, what came, and what to do.

ClinragenError
├── RecipeError       a recipe cannot be read, or a key or value in it is not known
├── SourceError       raw records are missing, or not in the layout their source promises
├── CaseError         a case file is not what a case file must be
├── CohortError       no stay, no label or no patient is left to learn from
├── KnowledgeError    the knowledge base is broken or does not cover the labels
├── EndpointError     a large model's endpoint cannot be reached, or may not be sent this data
├── TeacherError      the teacher cannot be used as the recipe asks
├── CheckerError      the model that helps the checker cannot be used
├── EngineError       the work cannot be done where the recipe says
├── RunError          a run folder is incomplete, or belongs to another recipe
└── UnknownTermError  a variable, unit or diagnosis that no table holds
"""


class ClinragenError(Exception):
    """Anything the user can put right; the command line prints the message and no traceback."""

    def __init__(self, problem: str, *, expected: str = "", found: str = "", fix: str = "") -> None:
        parts = [problem]
        parts += [f"  expected: {expected}"] if expected else []
        parts += [f"  found: {found}"] if found else []
        parts += [f"  to do: {fix}"] if fix else []
        super().__init__("\n".join(parts))


class RecipeError(ClinragenError):
    """A recipe cannot be read, or a key or value in it is not known."""


class SourceError(ClinragenError):
    """Raw records are missing, or not in the layout their source promises."""


class CaseError(ClinragenError):
    """A case file is not what a case file must be."""


class CohortError(ClinragenError):
    """No stay, no label or no patient is left to learn from."""


class KnowledgeError(ClinragenError):
    """The knowledge base is broken or does not cover the labels."""


class EndpointError(ClinragenError):
    """A large model's endpoint cannot be reached, or may not be sent this data."""


class TeacherError(ClinragenError):
    """The teacher cannot be used as the recipe asks."""


class CheckerError(ClinragenError):
    """The model that helps the checker cannot be used."""


class EngineError(ClinragenError):
    """The work cannot be done where the recipe says."""


class RunError(ClinragenError):
    """A run folder is incomplete, or belongs to another recipe."""


class UnknownTermError(ClinragenError):
    """A variable, unit or diagnosis that no table holds."""
