"""Wikipedia, or any MediaWiki with the extension TextExtracts: pages as plain text by the action API.

A page is kept with its revision, so that a quote can be found again, and under the licence that the site
itself names (CC BY-SA for Wikipedia). Requests go one after the other and tell who asks, as the etiquette of
the API wants.
"""

import json
from collections import Counter
from typing import Any

from clinragen.errors import KnowledgeError
from clinragen.knowledge.imported import Imported, Importing
from clinragen.knowledge.queries import queries
from clinragen.knowledge.web import BusyError, Web
from clinragen.schema import Document

PER_SECOND = 2.0
_ALWAYS = {"action": "query", "format": "json", "formatversion": "2", "maxlag": "5"}
_LATER = frozenset({"maxlag", "ratelimited", "readonly", "internal_api_error_DBQueryError"})


def read(importing: Importing) -> Imported:
    """The pages that each query finds, best first; pages that only tell names apart are left out."""
    settings, counts = importing.settings, Counter[str]()
    web = Web(importing.cache, PER_SECOND, settings.email, first_wait=importing.first_wait)
    asked = queries(settings)
    found: dict[int, Document | None] = {}
    for done, query in enumerate(asked):
        importing.progress("Wikipedia searches", done, len(asked))
        pages = _search(web, settings.wikipedia_url, query, settings.documents)
        counts["searches without a result"] += not pages
        for page in pages:
            if page not in found:
                found[page] = _page(web, settings.wikipedia_url, page, counts)
    counts.update(web.counts)
    return Imported(documents=tuple(each for each in found.values() if each), counts=counts)


def _search(web: Web, url: str, query: str, most: int) -> list[int]:
    parameters = {**_ALWAYS, "list": "search", "srsearch": query, "srlimit": str(most), "srnamespace": "0"}
    answer, _ = web.get(url, parameters, _answer)
    return [int(hit["pageid"]) for hit in answer.get("search", ())]


def _page(web: Web, url: str, page_id: int, counts: Counter[str]) -> Document | None:
    parameters = {
        **_ALWAYS,
        "pageids": str(page_id),
        "prop": "extracts|info|revisions|pageprops",
        "explaintext": "1",
        "exsectionformat": "plain",
        "inprop": "url",
        "rvprop": "ids|timestamp",
        "ppprop": "disambiguation",
        "meta": "siteinfo",
        "siprop": "general|rightsinfo",
    }
    answer, fetched = web.get(url, parameters, _answer)
    page: dict[str, Any] = next(iter(answer.get("pages", ())), {})
    reason = _why_not(page)
    if reason:
        counts[reason] += 1
        return None
    revision, site = page["revisions"][0], answer.get("general", {}).get("sitename", "MediaWiki")
    licence = answer.get("rightsinfo", {}).get("text") or "licence not told by the site"
    return Document(
        document_id=f"wikipedia/{page_id}@{revision['revid']}",
        source="wikipedia",
        title=page["title"],
        text=page["extract"].strip(),
        citation=f'{site}: "{page["title"]}", revision {revision["revid"]} of {revision["timestamp"][:10]}',
        url=f"{page.get('fullurl', url)}?oldid={revision['revid']}",
        licence=licence,
        retrieved=fetched.day,
    )


def _why_not(page: dict[str, Any]) -> str:
    """Why a page cannot be a document, or ""."""
    if "disambiguation" in page.get("pageprops", {}):
        return "pages that tell names apart"
    return "" if page.get("extract", "").strip() and page.get("revisions") else "pages without text"


def _answer(body: str) -> dict[str, Any]:
    """What a query answers; a server under load says so in the body, with status 200."""
    try:
        values = json.loads(body)
    except ValueError as fault:
        raise BusyError(f"not JSON ({fault})") from None
    if not isinstance(values, dict) or "error" in values:
        _complain(values)
    found: dict[str, Any] = values.get("query", {})
    return found


def _complain(values: Any) -> None:
    error = values.get("error") if isinstance(values, dict) else None
    code = error.get("code", "") if isinstance(error, dict) else type(values).__name__
    if code in _LATER:
        raise BusyError(code)
    raise KnowledgeError(
        "this is no answer of a MediaWiki action API",
        expected='{"query": ...}',
        found=f"error {code}",
        fix="check knowledge.wikipedia_url",
    )
