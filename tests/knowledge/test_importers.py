"""Importers read the real formats: E-utilities XML, MediaWiki JSON, PrimeKG's CSV, the files of a folder."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
from local_sites import Answer, Asked, article, efetch, esearch, serving, wiki_page, wiki_search

from clinragen.clinical.diagnoses import diagnosis_names
from clinragen.errors import KnowledgeError
from clinragen.knowledge import folder, primekg, pubmed, wikipedia
from clinragen.knowledge.documents import IMPORTERS
from clinragen.knowledge.imported import Importing
from clinragen.recipe import Knowledge

NOTHING: Mapping[str, tuple[str, ...]] = dict.fromkeys(diagnosis_names(), ())


def importing(cache: Path, **settings: Any) -> Importing:
    """An importing of two queries for one label, asked of a model that is never asked."""
    queries = {**NOTHING, "septicemia": ("sepsis", "sepsis lactate")}
    common = {"email": "a@b.org", "endpoint": "http://127.0.0.1", "model": "m", "queries": queries}
    return Importing(Knowledge(**{**common, **settings}), cache, lambda *_: None, first_wait=0.01)


def e_utilities(asked: Asked) -> Answer:
    if asked.path.endswith("/esearch.fcgi"):
        return Answer(esearch("11", "12", "13", "14") if asked.query["term"] == "sepsis" else esearch("11"))
    records = {
        "11": article(
            "11", "Lactate in <i>sepsis</i>", "BACKGROUND: We looked.", "RESULTS: Lactate &lt; 2 was rare."
        ),
        "12": article("12", "No abstract"),
        "13": article(
            "13", "Taken back", "It was wrong.", kinds=("Journal Article", "Retracted Publication")
        ),
        "14": "<PubmedBookArticle><BookDocument><PMID>14</PMID></BookDocument></PubmedBookArticle>",
    }
    return Answer(efetch(*(records[each] for each in asked.query["id"].split(","))))


def test_every_source_of_a_recipe_has_its_importer() -> None:
    (sources,) = (each for each in get_args(Knowledge.model_fields["sources"].annotation) if each is not ...)
    assert tuple(IMPORTERS) == get_args(sources)


def test_pubmed_gives_abstracts_with_their_citation(tmp_path: Path) -> None:
    with serving(e_utilities) as site:
        found = pubmed.read(importing(tmp_path, sources=("pubmed",), pubmed_url=site.url))
    (document,) = found.documents
    assert document.document_id == "pubmed/11"
    assert document.title == "Lactate in sepsis"
    assert document.text == "BACKGROUND: We looked.\nRESULTS: Lactate < 2 was rare."
    assert document.citation == "Doe A et al. Lactate in sepsis. J Invent Med 2020;12:1-9. PMID 11"
    assert document.url == "https://pubmed.ncbi.nlm.nih.gov/11/"
    assert "© 2020 Invented." in document.licence
    counts = (
        found.counts["without an abstract"],
        found.counts["retracted"],
        found.counts["book chapters passed over"],
    )
    assert counts == (1, 1, 1)


def test_pubmed_is_told_who_asks_and_a_document_is_fetched_once(tmp_path: Path) -> None:
    with serving(e_utilities) as site:
        pubmed.read(importing(tmp_path, sources=("pubmed",), pubmed_url=site.url))
    assert site.paths() == ["/esearch.fcgi", "/efetch.fcgi", "/esearch.fcgi"]
    for asked in site.asked:
        assert (asked.query["tool"], asked.query["email"], asked.query["db"]) == (
            "clinragen",
            "a@b.org",
            "pubmed",
        )
        assert "api_key" not in asked.query


@pytest.mark.parametrize(("key", "seconds"), [("", 1 / 3), ("k", 1 / 10)])
def test_pubmed_is_asked_three_times_a_second_or_ten_with_a_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, seconds: float
) -> None:
    monkeypatch.setenv("NCBI_API_KEY", key)
    with serving(e_utilities) as site:
        pubmed.read(importing(tmp_path, sources=("pubmed",), pubmed_url=site.url))
    gaps = [b.at - a.at for a, b in zip(site.asked, site.asked[1:], strict=False)]
    assert min(gaps) >= seconds
    assert {asked.query.get("api_key", "") for asked in site.asked} == {key}


def test_a_rerun_works_without_a_network_and_gives_the_same(tmp_path: Path) -> None:
    with serving(e_utilities) as site:
        first = pubmed.read(importing(tmp_path, sources=("pubmed",), pubmed_url=site.url))
    again = pubmed.read(importing(tmp_path, sources=("pubmed",), pubmed_url=site.url))
    assert again.documents == first.documents
    assert (again.counts["cached"], again.counts["fetched"]) == (3, 0)


def test_a_response_cut_short_is_asked_again(tmp_path: Path) -> None:
    cut = [True]

    def answer(asked: Asked) -> Answer:
        given = e_utilities(asked)
        return Answer(given.body[:300]) if asked.path.endswith("efetch.fcgi") and cut and cut.pop() else given

    with serving(answer) as site:
        found = pubmed.read(importing(tmp_path, sources=("pubmed",), pubmed_url=site.url))
    assert (len(found.documents), found.counts["retried"]) == (1, 1)


def test_an_address_that_is_no_e_utilities_is_told(tmp_path: Path) -> None:
    with serving(lambda _: Answer("<feed/>")) as site, pytest.raises(KnowledgeError, match="pubmed_url"):
        pubmed.read(importing(tmp_path, sources=("pubmed",), pubmed_url=site.url))


def mediawiki(asked: Asked) -> Answer:
    if "srsearch" in asked.query:
        return Answer(wiki_search(1, 2, 3) if asked.query["srsearch"] == "sepsis" else wiki_search(1))
    pages = {
        "1": wiki_page(1, "Sepsis", "Sepsis is a reaction to infection.\n\nSigns\n\nA raised lactate."),
        "2": wiki_page(2, "Sepsis (names)", "May refer to:", pageprops={"disambiguation": ""}),
        "3": wiki_page(3, "Empty", ""),
    }
    return Answer(pages[asked.query["pageids"]])


def test_wikipedia_gives_pages_with_revision_and_licence(tmp_path: Path) -> None:
    with serving(mediawiki) as site:
        url = f"{site.url}/w/api.php"
        found = wikipedia.read(importing(tmp_path, sources=("wikipedia",), wikipedia_url=url))
        again = wikipedia.read(importing(tmp_path, sources=("wikipedia",), wikipedia_url=url))
    (document,) = found.documents
    assert document.document_id == "wikipedia/1@7001"
    assert document.citation == 'Wikipedia: "Sepsis", revision 7001 of 2024-05-01'
    assert document.url == "https://en.wikipedia.org/wiki/Sepsis?oldid=7001"
    assert document.licence == "Creative Commons Attribution-Share Alike 4.0"
    assert "A raised lactate." in document.text
    assert (found.counts["pages that tell names apart"], found.counts["pages without text"]) == (1, 1)
    assert again.documents == found.documents
    assert len(site.asked) == 5  # two searches and three pages, once each


def test_a_wiki_under_load_is_asked_again(tmp_path: Path) -> None:
    lags = [True]

    def answer(asked: Asked) -> Answer:
        if lags and lags.pop():
            return Answer(
                '{"error": {"code": "maxlag", "info": "Waiting", "lag": 6}}', 200, {"Retry-After": "5"}
            )
        return mediawiki(asked)

    with serving(answer) as site:
        found = wikipedia.read(importing(tmp_path, sources=("wikipedia",), wikipedia_url=site.url))
    assert (len(found.documents), found.counts["retried"]) == (1, 1)


def test_a_wiki_that_answers_with_an_error_is_told(tmp_path: Path) -> None:
    error = '{"error": {"code": "badvalue", "info": "Unrecognized"}}'
    with serving(lambda _: Answer(error)) as site, pytest.raises(KnowledgeError, match="error badvalue"):
        wikipedia.read(importing(tmp_path, sources=("wikipedia",), wikipedia_url=site.url))


def test_queries_for_a_label_that_is_none_are_told(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="gout"):
        pubmed.read(importing(tmp_path, sources=("pubmed",), queries={"gout": ("gout",)}))


SEPSIS = ("0005099", "disease", "sepsis", "MONDO")
COPD = ("0005002", "disease", "chronic obstructive pulmonary disease (disease)", "MONDO")
RARE = ("0009999", "disease", "Zebra syndrome", "MONDO")
GENE = ("7124", "gene/protein", "TNF", "NCBI")


def phenotype(code: str, name: str) -> tuple[str, ...]:
    return (code, "effect/phenotype", name, "HPO")


def kg(path: Path, *edges: tuple[str, tuple[str, ...], tuple[str, ...]]) -> Path:
    """PrimeKG's kg.csv, which holds every edge in both directions."""
    shown = {
        "disease_phenotype_positive": "phenotype present",
        "disease_phenotype_negative": "phenotype absent",
    }
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(primekg.COLUMNS)
        for number, (relation, a, b) in enumerate(edges):
            for x, y in ((a, b), (b, a)):
                table.writerow([relation, shown.get(relation, relation), number, *x, number + 500, *y])
    return path


def test_primekg_gives_facts_of_what_our_tables_know(tmp_path: Path) -> None:
    has, lacks = "disease_phenotype_positive", "disease_phenotype_negative"
    path = kg(
        tmp_path / "kg.csv",
        (has, SEPSIS, phenotype("0002151", "Increased circulating lactate concentration")),
        (has, SEPSIS, phenotype("0001873", "Thrombocytopenia")),
        (has, SEPSIS, phenotype("0100520", "Oliguria")),
        (has, SEPSIS, phenotype("0001250", "Seizure")),
        (has, SEPSIS, phenotype("0008358", "Neonatal hypoglycemia")),
        (has, RARE, phenotype("0001873", "Thrombocytopenia")),
        (lacks, SEPSIS, phenotype("0002153", "Hyperkalemia")),
        (has, COPD, phenotype("0012418", "Hypoxemia")),
        ("disease_protein", SEPSIS, GENE),
    )
    found = primekg.read(importing(tmp_path, sources=("primekg",), primekg_file=str(path)))
    told = {(fact.diagnoses, fact.variable, fact.level, fact.sign) for fact in found.facts}
    assert told == {
        (("septicemia",), "lactate", "high", None),
        (("septicemia",), "platelets", "low", None),
        (("septicemia",), None, None, "oliguria"),
        (("COPD",), "SpO2", "low", None),
        (("COPD",), "pO2", "low", None),
    }
    counts = found.counts
    assert counts["disease-phenotype rows"] == 7
    assert (counts["rows mapped"], counts["rows of an unmapped disease"]) == (4, 1)
    assert counts["rows of an unmapped phenotype"] == 2
    (document,) = found.quoted
    for fact in found.facts:
        (quote,) = fact.quotes
        assert document.text[quote.start : quote.end] == quote.text
        assert "Chandak" in fact.citation and "MONDO:" in fact.citation and "HPO:" in fact.citation
        assert fact.text.endswith(".")


def test_a_file_that_is_not_primekg_is_told(tmp_path: Path) -> None:
    (tmp_path / "kg.csv").write_text("relation,x_name\na,b\n")
    with pytest.raises(KnowledgeError, match="x_index"):
        primekg.read(importing(tmp_path, sources=("primekg",), primekg_file=str(tmp_path / "kg.csv")))


def pdf(*lines: str) -> bytes:
    """A PDF of one page, written by hand: catalogue, pages, page, font, text."""
    said = " T* ".join(f"({line}) Tj" for line in lines)
    text = f"BT /F1 12 Tf 14 TL 40 760 Td {said} ET"
    bodies = (
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 5 0 R "
        "/Resources << /Font << /F1 4 0 R >> >> >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        f"<< /Length {len(text)} >>\nstream\n{text}\nendstream",
    )
    written, places = "%PDF-1.4\n", []
    for number, body in enumerate(bodies, start=1):
        places.append(len(written))
        written += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    trailer = f"trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n{len(written)}\n%%EOF"
    return f"{written}xref\n0 6\n0000000000 65535 f \n{table}{trailer}".encode("latin-1")


def test_a_folder_gives_its_texts_and_sets_aside_what_it_cannot_read(tmp_path: Path) -> None:
    texts = tmp_path / "texts"
    (texts / "b").mkdir(parents=True)
    (texts / "a.md").write_text("# Sepsis here\n\nMeasure lactate.")
    (texts / "b" / "c.TXT").write_bytes("\ufeffSepsis.\r\nLactate.".encode())
    (texts / "guide.pdf").write_bytes(pdf("Guideline on sepsis", "A raised lactate marks sepsis."))
    (texts / "torn.pdf").write_bytes(pdf("Guideline")[:60])
    (texts / "empty.txt").write_text(" \n")
    (texts / "latin.txt").write_bytes(b"caf\xe9")
    (texts / "scan.png").write_bytes(b"png")
    settings = {"folder": str(texts), "folder_licence": "our own"}
    found = folder.read(importing(tmp_path, sources=("folder",), **settings))
    names = [document.document_id.split("@")[0] for document in found.documents]
    assert names == ["folder/a.md", "folder/b/c.TXT", "folder/guide.pdf"]
    assert [document.title for document in found.documents] == [
        "Sepsis here",
        "Sepsis.",
        "Guideline on sepsis",
    ]
    assert "A raised lactate marks sepsis." in found.documents[2].text
    assert found.documents[1].text == "Sepsis.\nLactate."
    assert {document.licence for document in found.documents} == {"our own"}
    assert [each.document_id for each in found.rejected] == [
        "folder/empty.txt",
        "folder/latin.txt",
        "folder/torn.pdf",
    ]
    assert all(each.reason.startswith("unreadable: ") for each in found.rejected)
    assert found.counts["files of other kinds"] == 1
    assert folder.read(importing(tmp_path, sources=("folder",), **settings)) == found


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="nowhere"):
        folder.read(importing(tmp_path, sources=("folder",), folder="nowhere", folder_licence="x"))
