"""One set of labels holds at a time, in every thread and process that works for a step."""

import ast
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import clinragen
from clinragen.clinical.diagnoses import diagnosis_names, signs, standard
from clinragen.clinical.icd import labels_of
from clinragen.clinical.mentions import find_mentions, label_phrases
from clinragen.engine import map_shards
from clinragen.knowledge.base import curated_facts
from clinragen.knowledge.inference import read_inference
from clinragen.labels import STANDARD, Diagnosis, about, handed_on, holding
from clinragen.recipe import Engine

OWN = (
    Diagnosis("heart failure", "Heart failure", ("CHF",), ccs=(108,)),
    Diagnosis("delirium", "Delirium", ("acute confusion",), icd9=("2930",), icd10=("F05",)),
)
SOURCE = Path(clinragen.__file__).parent


def test_the_labels_of_the_package_hold_where_no_others_do():
    assert holding() is STANDARD
    assert diagnosis_names() == tuple(label.name for label in standard())


def test_own_labels_hold_in_their_block_and_no_longer():
    before = diagnosis_names(), label_phrases(), curated_facts(), signs()
    with about(OWN):
        assert diagnosis_names() == ("heart failure", "delirium")
        assert set(label_phrases()) == {"heart failure", "CHF", "delirium", "acute confusion"}
        assert {name for name, _ in signs()} == {"heart failure"}
        assert {name for fact in curated_facts() for name in fact.diagnoses} == {"heart failure"}
        with about(STANDARD):
            assert len(diagnosis_names()) == 25
    assert (diagnosis_names(), label_phrases(), curated_facts(), signs()) == before


def test_labels_are_found_by_group_and_by_beginning():
    with about(OWN):
        assert labels_of([("icd9", "428.0")]) == {"heart failure"}
        assert labels_of([("icd9", "29300"), ("icd10", "F05")]) == {"delirium"}
        assert labels_of([("icd10", "2930"), ("icd9", "5849")]) == frozenset()


def test_a_disease_that_is_no_label_is_no_conclusion_of_a_run():
    said = "Hypotension suggests shock."
    assert read_inference(said).diagnoses == ("shock",)
    with about(OWN):
        assert read_inference(said) is None
        assert [each.concept for each in find_mentions("Has CHF.", label_phrases())] == ["heart failure"]


def names_of(shard: int) -> tuple[int, tuple[str, ...]]:
    return shard, diagnosis_names()


def test_other_processes_work_with_the_labels_that_hold_here(tmp_path):
    with about(OWN):
        found = map_shards(names_of, [1, 2], Engine(workers=2), tmp_path)
    assert found == [(1, ("heart failure", "delirium")), (2, ("heart failure", "delirium"))]
    assert handed_on(names_of) is names_of


def test_threads_see_the_labels_that_hold():
    with about(OWN), ThreadPoolExecutor(1) as pool:
        assert pool.submit(names_of, 0).result() == (0, ("heart failure", "delirium"))


def test_what_depends_on_the_labels_is_remembered_for_each_set_apart():
    """No function that comes to the labels, through whatever others, is cached regardless of them."""
    functions = {name: found for path in SOURCE.rglob("*.py") for name, found in _functions(path)}
    depending = {"clinragen.labels.holding"}
    while more := {name for name, (called, _) in functions.items() if called & depending} - depending:
        depending |= more
    assert "clinragen.clinical.mentions.label_phrases" in depending and len(depending) > 50
    careless = [name for name in depending if name in functions and functions[name][1]]
    # the simulated hospital knows the package's labels alone, and says so where it begins
    assert [name for name in careless if ".ehr.simulation." not in name] == []


def _functions(path: Path):
    """Every function of a module: the names it uses, in full, and whether it is cached."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    module = ".".join(("clinragen", *path.relative_to(SOURCE).with_suffix("").parts))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    known = {
        each.asname or each.name: f"{node.module}.{each.name}" for node in imports for each in node.names
    }
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            used = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
            cached = any("cache" in ast.unparse(each) for each in node.decorator_list)
            yield f"{module}.{node.name}", ({known.get(name, f"{module}.{name}") for name in used}, cached)
