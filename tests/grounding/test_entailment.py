"""A model of entailment may decide what the rules leave open of a note, and nothing else."""

from pathlib import Path

import pytest

from clinragen.errors import CheckerError
from clinragen.grounding.checker import Checker, checker_of
from clinragen.grounding.claims import check
from clinragen.grounding.entailment import premises
from clinragen.grounding.entailment_model import load, model_folder
from clinragen.grounding.note import note_index
from clinragen.recipe import Grounding
from clinragen.schema import Claim
from patients import measured, stay
from tiny_entailment import LABELS, save_sure, save_trained

NOTE = "Came by ambulance. Tends three hives in her garden. Productive cough. Denies chest pain."
CHART = stay(measured("creatinine", 2.0, 3.0, 4.0), note=NOTE)
DECIDED = "She has a productive cough. She has chest pain. Creatinine is high. Lactate is high."
INFERENCE = "Creatinine is high, which suggests pneumonia."
OPEN = "She keeps bees."
ANSWERED = ("entailment", "contradiction", "neutral")


def sure_checker(folder: Path, threshold: float = 0.9, **chances: float) -> Checker:
    return checker_of((), Grounding(model=str(save_sure(folder, chances)), threshold=threshold))


def verdicts(claims: tuple[Claim, ...]) -> list[str]:
    return [claim.verdict for claim in claims]


@pytest.mark.parametrize("answer", ANSWERED)
def test_what_the_rules_decided_and_what_the_series_says_is_never_overruled(answer: str, tmp_path: Path):
    by_rules = check(DECIDED, CHART)
    assert verdicts(by_rules) == ["supported", "contradicted", "supported", "unverifiable"]
    assert sure_checker(tmp_path, **{answer: 0.99}).check(DECIDED, CHART) == by_rules


@pytest.mark.parametrize("answer", ANSWERED)
def test_an_inference_is_not_for_the_model_to_draw(answer: str, tmp_path: Path):
    assert sure_checker(tmp_path, **{answer: 0.99}).check(INFERENCE, CHART)[1].verdict == "unverifiable"


@pytest.mark.parametrize(
    ("chances", "verdict"),
    [
        ({"entailment": 0.95}, "supported"),
        ({"contradiction": 0.95}, "contradicted"),
        ({"neutral": 0.95}, "unverifiable"),
        ({"entailment": 0.89, "contradiction": 0.10}, "unverifiable"),
    ],
)
def test_what_the_rules_leave_open_is_decided_where_the_model_is_sure(
    chances: dict[str, float], verdict: str, tmp_path: Path
):
    assert verdicts(check(OPEN, CHART)) == ["unverifiable"]
    assert verdicts(sure_checker(tmp_path, **chances).check(OPEN, CHART)) == [verdict]


@pytest.mark.parametrize(("threshold", "verdict"), [(0.9, "supported"), (0.96, "unverifiable")])
def test_the_model_is_believed_from_the_threshold_on(threshold: float, verdict: str, tmp_path: Path):
    assert verdicts(sure_checker(tmp_path, threshold, entailment=0.95).check(OPEN, CHART)) == [verdict]


def test_entailment_goes_before_contradiction(tmp_path: Path):
    both = sure_checker(tmp_path, 0.4, entailment=0.45, contradiction=0.5)
    assert verdicts(both.check(OPEN, CHART)) == ["supported"]


def test_the_order_of_the_labels_is_read_and_not_guessed(tmp_path: Path):
    for place, labels in enumerate((LABELS, LABELS[::-1], ("neutral", "ENTAILMENT", "Contradiction"))):
        named = next(label for label in labels if label.lower() == "entailment")
        folder = save_sure(tmp_path / str(place), {named: 0.95}, labels)
        assert load(str(folder)).probabilities(["It rains."], "It is wet")[0, 0] == pytest.approx(0.95)


def test_a_model_of_two_labels_contradicts_nothing(tmp_path: Path):
    labels = ("not_entailment", "entailment")
    folder = save_sure(tmp_path, {"not_entailment": 0.99}, labels)
    checker = checker_of((), Grounding(model=str(folder)))
    assert verdicts(checker.check(OPEN, CHART)) == ["unverifiable"]


def test_a_trained_model_finds_the_sentence_that_says_it(tmp_path: Path):
    told, others = "Tends three hives in her garden.", ("Came by ambulance.", "Lives alone.")
    examples = [(told, "She keeps bees", "entailment"), *((p, "She keeps bees", "neutral") for p in others)]
    examples.append((f"Family history: {told}", "She keeps bees", "neutral"))
    checker = checker_of((), Grounding(model=str(save_trained(tmp_path / "tiny", examples))))
    note = f"{others[0]} {told} {others[1]}"
    (claim,) = checker.check(OPEN, stay(note=note))
    assert (claim.verdict, claim.evidence) == ("supported", (f"note[19:51]: {told}",))
    assert claim.reason.startswith("entailment 0.9") and claim.reason.endswith("by the model tiny")
    assert verdicts(checker.check(OPEN, stay(note="Lives alone. Came by ambulance."))) == ["unverifiable"]
    # What the family does is not the patient's: the model is told whose history it reads.
    assert verdicts(checker.check(OPEN, stay(note=f"Family history:\n{told}"))) == ["unverifiable"]


def test_premises_are_the_sentences_and_their_pairs_a_familys_apart():
    found = list(premises(note_index("HPI: Fell at home. Hit her head.\nFamily history: Mother with gout.")))
    assert [premise.shown for premise in found] == [
        "HPI: Fell at home.",
        "Hit her head.",
        "Family history: Family history: Mother with gout.",
        "HPI: Fell at home. Hit her head.",
    ]


def test_an_empty_note_entails_nothing(tmp_path: Path):
    assert verdicts(sure_checker(tmp_path, entailment=0.99).check(OPEN, stay())) == ["unverifiable"]


def test_a_clause_too_long_for_the_model_stays_open_and_a_long_sentence_is_cut(tmp_path: Path):
    model = load(str(save_sure(tmp_path, {"entailment": 0.95})))
    assert model.probabilities(["It rains."], "bees " * 60).sum() == 0
    assert model.probabilities(["It rains. " * 60], "bees")[0, 0] == pytest.approx(0.95)


def test_the_same_claims_come_again_whatever_was_asked_before(tmp_path: Path):
    checker = sure_checker(tmp_path, entailment=0.95)
    text = f"{OPEN} He plays the violin. {DECIDED}"
    first = checker.check(text, CHART)
    checker.check(OPEN, stay(note="Lives alone."))
    assert checker.check(text, CHART) == first


def test_a_model_that_tells_no_entailment_is_refused(tmp_path: Path):
    for place, labels in enumerate((("negative", "positive"), ("entailment",))):
        folder = save_sure(tmp_path / str(place), {}, labels)
        with pytest.raises(CheckerError) as told:
            model_folder(str(folder))
        assert all(word in str(told.value) for word in ("expected: a label named `entailment`", "to do:"))
        assert f"found: {', '.join(labels)}" in str(told.value)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path):
    with pytest.raises(CheckerError, match="found: no such folder"):
        checker_of((), Grounding(model=str(tmp_path / "nowhere")))
    with pytest.raises(CheckerError, match=r"found: no config\.json"):
        checker_of((), Grounding(model=str(tmp_path)))


def test_pickled_weights_are_refused_before_they_are_opened(tmp_path: Path):
    folder = save_sure(tmp_path, {"entailment": 0.95})
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(CheckerError, match=r"not safetensors(?s:.*)pytorch_model\.bin"):
        checker_of((), Grounding(model=str(folder)))


def test_code_of_a_models_authors_is_not_run(tmp_path: Path):
    folder = save_sure(tmp_path, {"entailment": 0.95})
    trap, config = tmp_path / "ran", folder / "config.json"
    (folder / "theirs.py").write_text(f"open({str(trap)!r}, 'w')")
    auto = '{"auto_map": {"AutoConfig": "theirs.C", "AutoModelForSequenceClassification": "theirs.M"},'
    config.write_text(config.read_text().replace('"bert"', '"theirs"').replace("{", auto, 1))
    with pytest.raises(CheckerError, match="cannot load"):
        checker_of((), Grounding(model=str(folder)))
    assert not trap.exists()


def test_a_head_without_weights_is_not_made_up(tmp_path: Path):
    from safetensors.torch import load_file, save_file

    folder = save_sure(tmp_path, {"entailment": 0.95})
    weights = load_file(folder / "model.safetensors")
    kept = {name: value for name, value in weights.items() if not name.startswith("classifier")}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckerError, match=r"no weights for classifier\.bias"):
        checker_of((), Grounding(model=str(folder)))
