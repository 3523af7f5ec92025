"""A real local server in the formats of NCBI's E-utilities, of MediaWiki and of an OpenAI endpoint."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit
from xml.sax.saxutils import escape


class Asked(NamedTuple):
    """A request as the server saw it; `body` is the JSON of a POST."""

    path: str
    query: dict[str, str]
    agent: str
    at: float
    body: Any = None


class Answer(NamedTuple):
    body: str
    status: int = 200
    headers: Mapping[str, str] = {}


@dataclass
class Site:
    """Where it listens, and all that it was asked."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)

    def paths(self) -> list[str]:
        return [each.path for each in self.asked]


@contextmanager
def serving(answer: Callable[[Asked], Answer]) -> Iterator[Site]:
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply(None)

        def do_POST(self) -> None:
            self._reply(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _reply(self, body: Any) -> None:
            parts = urlsplit(self.path)
            agent = self.headers.get("User-Agent", "")
            asked = Asked(parts.path, dict(parse_qsl(parts.query)), agent, time.monotonic(), body)
            site.asked.append(asked)
            given = answer(asked)
            data = given.body.encode()
            self.send_response(given.status)
            self.send_header("Content-Length", str(len(data)))
            for name, value in given.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    site.url = f"http://127.0.0.1:{httpd.server_port}"
    try:
        yield site
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()


def esearch(*ids: str) -> str:
    found = "\n".join(f"<Id>{each}</Id>" for each in ids)
    return f"""<?xml version="1.0" encoding="UTF-8" ?>
<!DOCTYPE eSearchResult PUBLIC "-//NLM//DTD esearch 20060628//EN" "https://eutils.ncbi.nlm.nih.gov/eutils/dtd/20060628/esearch.dtd">
<eSearchResult><Count>{len(ids)}</Count><RetMax>{len(ids)}</RetMax><RetStart>0</RetStart><IdList>
{found}
</IdList><TranslationSet/><QueryTranslation>invented</QueryTranslation></eSearchResult>
"""


def article(pmid: str, title: str, *abstract: str, kinds: Sequence[str] = ("Journal Article",)) -> str:
    """A PubmedArticle; an abstract part such as "RESULTS: ..." becomes one with a label."""
    parts = ""
    for each in abstract:
        label, colon, text = each.partition(": ")
        named = f' Label="{label}" NlmCategory="{label}"' if colon and label.isupper() else ""
        parts += f"<AbstractText{named}>{text if named else each}</AbstractText>"
    told = f"<Abstract>{parts}<CopyrightInformation>© 2020 Invented.</CopyrightInformation></Abstract>"
    types = "".join(f'<PublicationType UI="D016428">{escape(kind)}</PublicationType>' for kind in kinds)
    return f"""<PubmedArticle><MedlineCitation Status="MEDLINE" Owner="NLM" IndexingMethod="Automated">
<PMID Version="1">{pmid}</PMID><DateCompleted><Year>2020</Year><Month>06</Month><Day>01</Day></DateCompleted>
<Article PubModel="Print"><Journal><ISSN IssnType="Electronic">0000-0000</ISSN>
<JournalIssue CitedMedium="Internet">
<Volume>12</Volume><Issue>3</Issue><PubDate><Year>2020</Year><Month>May</Month></PubDate></JournalIssue>
<Title>Journal of invented medicine</Title><ISOAbbreviation>J Invent Med</ISOAbbreviation></Journal>
<ArticleTitle>{title}.</ArticleTitle>
<Pagination><StartPage>1</StartPage><MedlinePgn>1-9</MedlinePgn></Pagination>
{told if abstract else ""}<AuthorList CompleteYN="Y">
<Author ValidYN="Y"><LastName>Doe</LastName><ForeName>Ada</ForeName><Initials>A</Initials></Author>
<Author ValidYN="Y"><LastName>Roe</LastName><Initials>B</Initials></Author></AuthorList>
<Language>eng</Language><PublicationTypeList>{types}</PublicationTypeList></Article></MedlineCitation>
<PubmedData><ArticleIdList><ArticleId IdType="pubmed">{pmid}</ArticleId></ArticleIdList></PubmedData>
</PubmedArticle>
"""


def efetch(*articles: str) -> str:
    return f"""<?xml version="1.0" ?>
<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2025//EN" "https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_250101.dtd">
<PubmedArticleSet>{"".join(articles)}</PubmedArticleSet>"""


def wiki_search(*page_ids: int) -> str:
    hits = [{"ns": 0, "title": f"Page {each}", "pageid": each, "snippet": "..."} for each in page_ids]
    return json.dumps({"batchcomplete": True, "query": {"searchinfo": {"totalhits": 9}, "search": hits}})


def wiki_page(page_id: int, title: str, text: str, **more: Any) -> str:
    page = {
        "pageid": page_id,
        "ns": 0,
        "title": title,
        "extract": text,
        "fullurl": f"https://en.wikipedia.org/wiki/{title}",
        "revisions": [{"revid": 7000 + page_id, "parentid": 1, "timestamp": "2024-05-01T10:11:12Z"}],
        **more,
    }
    rights = {
        "url": "https://creativecommons.org/licenses/by-sa/4.0/deed.en",
        "text": "Creative Commons Attribution-Share Alike 4.0",
    }
    query = {"pages": [page], "general": {"sitename": "Wikipedia"}, "rightsinfo": rights}
    return json.dumps({"batchcomplete": True, "query": query})


def completion(content: str) -> str:
    message = {"role": "assistant", "content": content}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    return json.dumps(
        {
            "id": "1",
            "object": "chat.completion",
            "created": 0,
            "model": "tiny",
            "choices": [choice],
            "usage": usage,
        }
    )
