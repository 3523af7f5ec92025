"""The table of importers: where facts come from. A new one is one line here and one file beside this."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from clinragen.knowledge import folder, primekg, pubmed, wikipedia
from clinragen.knowledge.base import curated_facts
from clinragen.knowledge.imported import Imported, Importing


def _curated(importing: Importing) -> Imported:
    return Imported(facts=curated_facts())


IMPORTERS: Mapping[str, Callable[[Importing], Imported]] = MappingProxyType(
    {
        "curated": _curated,
        "pubmed": pubmed.read,
        "wikipedia": wikipedia.read,
        "primekg": primekg.read,
        "folder": folder.read,
    }
)
