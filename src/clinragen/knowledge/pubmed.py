"""PubMed: abstracts found and fetched by the NCBI E-utilities (NCBI Bookshelf NBK25499).

NCBI allows three requests a second, ten with a key (environment variable NCBI_API_KEY), and asks every
client for its name and an address. Abstracts belong to their publishers: facts cite them in words of our own.
"""

import os
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator

from clinragen.errors import KnowledgeError
from clinragen.knowledge.imported import Imported, Importing
from clinragen.knowledge.queries import queries
from clinragen.knowledge.web import BusyError, Web
from clinragen.schema import Document

KEY_VARIABLE = "NCBI_API_KEY"
PER_SECOND, PER_SECOND_WITH_KEY = 3.0, 10.0
LICENCE = "abstract: copyright of its publisher; facts told in our own words with a short quote"

_RETRACTED = "Retracted Publication"


def read(importing: Importing) -> Imported:
    """The abstracts that each query finds, the most relevant first; retracted articles are left out."""
    settings, web, counts = importing.settings, _web(importing), Counter[str]()
    asked = queries(settings)
    found: dict[str, Document | None] = {}
    for done, query in enumerate(asked):
        importing.progress("PubMed searches", done, len(asked))
        ids = _search(web, settings.pubmed_url, query, settings.documents)
        counts["searches without a result"] += not ids
        missing = [each for each in ids if each not in found]
        found.update(dict.fromkeys(missing))
        if missing:
            for document in _fetch(web, settings.pubmed_url, missing, counts):
                found[document.document_id.removeprefix("pubmed/")] = document
    counts.update(web.counts)
    return Imported(documents=tuple(each for each in found.values() if each), counts=counts)


def _web(importing: Importing) -> Web:
    key = os.environ.get(KEY_VARIABLE, "")
    return Web(
        cache=importing.cache,
        per_second=PER_SECOND_WITH_KEY if key else PER_SECOND,
        email=importing.settings.email,
        who={
            "tool": "clinragen",
            "email": importing.settings.email,
            **({"api_key": key} if key else {}),
        },
        first_wait=importing.first_wait,
    )


def _search(web: Web, base: str, query: str, most: int) -> list[str]:
    parameters = {"db": "pubmed", "term": query, "retmax": str(most), "retmode": "xml", "sort": "relevance"}
    root, _ = web.get(
        f"{base.rstrip('/')}/esearch.fcgi", parameters, lambda body: _tree(body, "eSearchResult")
    )
    return [each.text.strip() for each in root.iterfind("IdList/Id") if each.text]


def _fetch(web: Web, base: str, ids: list[str], counts: Counter[str]) -> Iterator[Document]:
    parameters = {"db": "pubmed", "id": ",".join(ids), "rettype": "abstract", "retmode": "xml"}
    root, fetched = web.get(
        f"{base.rstrip('/')}/efetch.fcgi", parameters, lambda body: _tree(body, "PubmedArticleSet")
    )
    counts["book chapters passed over"] += len(root.findall("PubmedBookArticle"))
    for article in root.iterfind("PubmedArticle/MedlineCitation"):
        document = _document(article, fetched.day)
        is_retracted = any(_text(kind) == _RETRACTED for kind in article.iter("PublicationType"))
        counts["retracted"] += is_retracted
        counts["without an abstract"] += not document.text and not is_retracted
        if document.text and not is_retracted:
            yield document


def _tree(body: str, expected: str) -> ET.Element:
    """The root of a response; what is cut short or only tells of trouble is asked for again."""
    try:
        root = ET.fromstring(body)
    except ET.ParseError as fault:
        raise BusyError(f"not the XML of {expected} ({fault})") from None
    trouble = root.findtext("ERROR") or (_text(root) if root.tag.lower() in ("error", "html") else "")
    if trouble:
        raise BusyError(trouble)
    if root.tag != expected:
        raise KnowledgeError(
            "this is no answer of the E-utilities",
            expected=expected,
            found=root.tag,
            fix="check knowledge.pubmed_url",
        )
    return root


def _document(article: ET.Element, day: str) -> Document:
    pmid = article.findtext("PMID", "").strip()
    title = _text(article.find("Article/ArticleTitle")).rstrip(".")
    own = _text(article.find("Article/Abstract/CopyrightInformation"))
    return Document(
        document_id=f"pubmed/{pmid}",
        source="pubmed",
        title=title,
        text="\n".join(
            _paragraph(part) for part in article.iterfind("Article/Abstract/AbstractText")
        ).strip(),
        citation=f"{_authors(article)}{title}. {_published(article)}. PMID {pmid}",
        url=f"https://pubmed.ncbi.nlm.nih.gov/{pmid}/",
        licence=f"{LICENCE} ({own})" if own else LICENCE,
        retrieved=day,
    )


def _paragraph(part: ET.Element) -> str:
    label = part.get("Label", "")
    return f"{label}: {_text(part)}" if label else _text(part)


def _authors(article: ET.Element) -> str:
    names = [
        " ".join(filter(None, (each.findtext("LastName"), each.findtext("Initials"))))
        or each.findtext("CollectiveName", "")
        for each in article.iterfind("Article/AuthorList/Author")
    ]
    return f"{names[0]}{' et al' if len(names) > 1 else ''}. " if names and names[0] else ""


def _published(article: ET.Element) -> str:
    """Journal, year, volume and pages, as far as they are told."""
    journal = article.findtext("Article/Journal/ISOAbbreviation") or article.findtext(
        "Article/Journal/Title", "journal not told"
    )
    issue = article.find("Article/Journal/JournalIssue")
    year = volume = ""
    if issue is not None:
        year = issue.findtext("PubDate/Year") or issue.findtext("PubDate/MedlineDate", "")[:4]
        volume = issue.findtext("Volume", "")
    pages = article.findtext("Article/Pagination/MedlinePgn", "")
    place = ":".join(filter(None, (volume, pages)))
    return f"{journal} {';'.join(filter(None, (year, place)))}".strip()


def _text(element: ET.Element | None) -> str:
    """All text of an element with its markup left out, blanks made single."""
    return "" if element is None else " ".join("".join(element.itertext()).split())
