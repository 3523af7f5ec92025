"""The step `knowledge` with imported sources: a real server is searched, and a real endpoint reads."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from local_sites import (
    Answer,
    Asked,
    Site,
    article,
    completion,
    efetch,
    esearch,
    serving,
    wiki_page,
    wiki_search,
)

from clinragen.clinical.diagnoses import diagnosis_names
from clinragen.errors import EndpointError, KnowledgeError, RecipeError
from clinragen.knowledge.base import curated_facts
from clinragen.knowledge.identity import merged, version
from clinragen.knowledge.run import run
from clinragen.recipe import Recipe
from clinragen.recipe_file import read_recipe
from clinragen.schema import Document, Fact
from clinragen.steps import STEPS, run_step
from clinragen.store import MANIFEST, read_json, read_nouns

ABSTRACT = "A lactate above 2 mmol/L marks septic shock. Clammy fingertips are a sign of septic shock."
PAGE = "Clammy fingertips are often a sign of septic shock. A low albumin is seen in sepsis."
KNOWLEDGE = next(step for step in STEPS if step.name == "knowledge")


def fact(text: str, quote: str, **more: Any) -> dict[str, Any]:
    plain = {"diagnoses": ["shock"], "variable": None, "level": None, "threshold": None, "sign": None}
    return {"text": text, "quote": quote, **plain, **more}


LACTATE = fact(
    "A high lactate points to shock.",
    "A lactate above 2 mmol/L marks septic shock.",
    variable="lactate",
    level="high",
)
FINGERS = fact(
    "Clammy fingertips point to shock.",
    "Clammy fingertips are a sign of septic shock.",
    sign="clammy fingertips",
)
INVENTED = fact("A low sodium points to shock.", "A low sodium marks shock.", variable="sodium", level="low")
FINGERS_AGAIN = {**FINGERS, "quote": "Clammy fingertips are often a sign of septic shock."}
ALBUMIN = fact(
    "Albumin is low in sepsis.",
    "A low albumin is seen in sepsis.",
    diagnoses=["septicemia"],
    variable="albumin",
    level="low",
)


def world(asked: Asked) -> Answer:
    """PubMed, a wiki and a model behind an endpoint, all on one server."""
    if asked.path.endswith("esearch.fcgi"):
        return Answer(esearch("11"))
    if asked.path.endswith("efetch.fcgi"):
        return Answer(efetch(article("11", "On shock", ABSTRACT)))
    if asked.path == "/w/api.php":
        return Answer(wiki_search(1) if "srsearch" in asked.query else wiki_page(1, "Shock", PAGE))
    shown = asked.body["messages"][1]["content"]
    facts = [LACTATE, FINGERS, INVENTED] if ABSTRACT in shown else [FINGERS_AGAIN, ALBUMIN]
    return Answer(completion(json.dumps({"facts": facts})), headers={"Content-Type": "application/json"})


def recipe(runs: Path, url: str, **knowledge: Any) -> Recipe:
    settings = {
        "sources": ("curated", "pubmed", "wikipedia"),
        "email": "a@b.org",
        "queries": {**dict.fromkeys(diagnosis_names(), ()), "shock": ("shock",)},
        "pubmed_url": url,
        "wikipedia_url": f"{url}/w/api.php",
        "endpoint": f"{url}/v1",
        "model": "tiny",
    }
    return Recipe.model_validate({"name": "t", "runs": str(runs), "knowledge": {**settings, **knowledge}})


def told(what: str, done: int, total: int) -> None:
    pass


@contextmanager
def ran(folder: Path) -> Iterator[tuple[Site, Recipe, Path]]:
    with serving(world) as site:
        asked = recipe(folder, site.url)
        run_step(KNOWLEDGE, asked, told)
        yield site, asked, folder / "t" / "knowledge"


def test_imported_facts_stand_behind_the_curated_ones_with_their_quotes(tmp_path: Path) -> None:
    with ran(tmp_path) as (_, _, folder):
        facts = read_nouns(folder / "facts.jsonl", Fact)
        documents = {each.document_id: each for each in read_nouns(folder / "documents.jsonl", Document)}
    curated = curated_facts()
    assert [each.fact_id for each in facts[: len(curated)]] == [each.fact_id for each in curated]
    assert [each.fact_id for each in facts[len(curated) :]] == [
        "imported/shock/clammy-fingertips",
        "imported/septicemia/albumin-low",
    ]
    assert set(documents) == {"pubmed/11", "wikipedia/1@7001"}
    quotes = [quote for each in facts for quote in each.quotes]
    assert len(quotes) == 4
    assert all(documents[each.document_id].text[each.start : each.end] == each.text for each in quotes)


def test_the_same_fact_of_two_sources_is_one_with_both_citations(tmp_path: Path) -> None:
    with ran(tmp_path) as (_, _, folder):
        facts = {each.fact_id: each for each in read_nouns(folder / "facts.jsonl", Fact)}
    fingers = facts["imported/shock/clammy-fingertips"]
    assert [quote.document_id for quote in fingers.quotes] == ["pubmed/11", "wikipedia/1@7001"]
    assert "PMID 11" in fingers.citation and "revision 7001" in fingers.citation
    assert "publisher" in fingers.licence and "Attribution-Share Alike" in fingers.licence
    lactate = facts["shock/lactate-high"]
    (was,) = (each for each in curated_facts() if each.fact_id == "shock/lactate-high")
    assert lactate.text == was.text
    assert lactate.citation == f"{was.citation} | Doe A et al. On shock. J Invent Med 2020;12:1-9. PMID 11"


def test_what_is_rejected_is_kept_and_counted(tmp_path: Path) -> None:
    with ran(tmp_path) as (_, _, folder):
        (rejected,) = map(json.loads, (folder / "rejected.jsonl").read_text().splitlines())
        counts = read_json(folder / MANIFEST)["counts"]
    assert rejected["reason"] == "quote not in the document"
    assert rejected["what"]["fact"] == INVENTED
    assert counts["imported"]["pubmed"]["rejected"] == {"quote not in the document": 1}
    assert counts["imported"]["pubmed"]["facts"] == 2
    assert counts["version"] == version(read_nouns(folder / "facts.jsonl", Fact))


def test_a_rerun_is_offline_asks_nothing_and_writes_the_same_bytes(tmp_path: Path) -> None:
    with ran(tmp_path) as (_, asked, folder):
        first = {path.name: path.read_bytes() for path in folder.glob("*.jsonl")}
    (folder / MANIFEST).unlink()  # as if the step had been killed before its end; the server is gone
    assert run_step(KNOWLEDGE, asked, told)
    assert {path.name: path.read_bytes() for path in folder.glob("*.jsonl")} == first
    assert read_json(folder / MANIFEST)["counts"]["imported"]["pubmed"]["cached"] == 2


def test_another_recipe_keeps_what_was_fetched_and_answered(tmp_path: Path) -> None:
    with ran(tmp_path) as (site, asked, _):
        before = len(site.asked)
        other = asked.knowledge.model_copy(update={"min_facts": 1})
        assert run_step(KNOWLEDGE, asked.model_copy(update={"knowledge": other}), told)
        assert len(site.asked) == before


def test_the_step_goes_on_where_it_was_cut(tmp_path: Path) -> None:
    fails = [True]

    def answer(asked: Asked) -> Answer:
        is_reading = asked.path.endswith("/chat/completions")
        return Answer("", 401) if fails[0] and is_reading and PAGE in str(asked.body) else world(asked)

    with serving(answer) as site:
        asked = recipe(tmp_path, site.url)
        with pytest.raises(EndpointError):
            run_step(KNOWLEDGE, asked, told)
        fails[0], before = False, len(site.asked)
        run_step(KNOWLEDGE, asked, told)
        assert len(site.asked) == before + 1  # the one passage that had no answer


def test_the_curated_base_needs_no_network_and_keeps_its_version(tmp_path: Path) -> None:
    counts = [run(Recipe(name="t", runs=str(tmp_path)), tmp_path / name, told) for name in "ab"]
    assert counts[0] == counts[1]
    assert counts[0]["version"] == version(curated_facts())
    assert not (tmp_path / ".fetched").exists()
    assert (tmp_path / "a" / "knowledge" / "documents.jsonl").read_text() == ""


def test_merging_changes_nothing_where_nothing_is_the_same_and_the_version_tells_any_change() -> None:
    assert merged(curated_facts()) == curated_facts()
    assert merged((*curated_facts(), *curated_facts())) == curated_facts()
    assert version(curated_facts()) != version(curated_facts()[1:])


def test_facts_that_differ_in_spelling_alone_are_the_same() -> None:
    ankles = Fact("a", "t", ("heart failure",), "c", sign="ankle oedema")
    spelt = replace(ankles, fact_id="b", citation="d", sign="Ankle-edema")
    other = replace(ankles, fact_id="e", diagnoses=("heart failure", "liver disease"))
    assert merged((ankles, spelt, other)) == (replace(ankles, citation="c | d"), other)


def test_every_curated_fact_tells_its_licence() -> None:
    assert {each.licence for each in curated_facts()} == {"cited; facts told in our own words"}


def test_texts_of_a_folder_stay_on_this_machine_unless_the_recipe_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Septic shock.")
    settings = {"sources": ("folder",), "folder": str(tmp_path), "folder_licence": "ours"}
    away = recipe(tmp_path, "http://192.0.2.1", **settings)
    with pytest.raises(KnowledgeError, match="folder_may_leave"):
        run(away, tmp_path / "t", told)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('sources = ["pubmed"]', "email (needed by pubmed), endpoint (needed by pubmed), model"),
        ('sources = ["folder"]\nendpoint = "x"\nmodel = "m"', "folder_licence (needed by folder)"),
        ('sources = ["primekg"]', "primekg_file (needed by primekg)"),
        ('sources = ["curated", "curated"]', "names a source twice"),
        ("sources = []", "knowledge.sources"),
        ('sources = ["wikidata"]', "knowledge.sources"),
        ('pubmed_url = "ftp://x"', "knowledge.pubmed_url"),
        ("documents = 0", "knowledge.documents"),
    ],
)
def test_a_recipe_that_lacks_what_a_source_needs_says_so(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "r.toml"
    path.write_text(f'name = "x"\n[knowledge]\n{text}\n')
    with pytest.raises(RecipeError) as fault:
        read_recipe(path)
    assert told in str(fault.value)


def test_files_of_knowledge_lie_beside_the_recipe(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text('name = "x"\n[knowledge]\nsources = ["primekg"]\nprimekg_file = "kg.csv"\n')
    assert read_recipe(path).knowledge.primekg_file == str(tmp_path / "kg.csv")
