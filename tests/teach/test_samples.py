"""Several samples for each stay: the best grounded is kept, what stands below it becomes a preference."""

import json
from pathlib import Path
from typing import Any

from invented_askings import asking, patient, reply

from clinragen.grounding.checker import Checker
from clinragen.teach.shard import taught
from local_endpoint import Said, completion, serving

RIGHT = "Creatinine is high. Creatinine is rising."
VAGUE = "Creatinine is high. The chest film shows clear lungs."
WRONG = "Creatinine is low."


def by_seed(*texts: str) -> Any:
    """The sample of each seed says the text of that place."""

    def answer(asked: dict[str, Any]) -> Said:
        text = texts[asked["seed"]]
        return 200, completion(text if text.startswith("{") or not text else reply(series=text))

    return answer


def test_each_sample_is_asked_with_a_seed_of_its_own_and_kept_on_its_own(tmp_path: Path):
    with serving(by_seed(RIGHT, VAGUE, WRONG)) as served:
        about = asking(tmp_path, served.endpoint, samples=3, temperature=0.9)
        first = taught([patient()], about, Checker())
        assert sorted(asked["seed"] for asked in served.requests) == [0, 1, 2]
        assert {asked["temperature"] for asked in served.requests} == {0.9}
        assert taught([patient()], about, Checker()) == first
        # Two more samples ask for two more answers, and not again for the three that are there.
        taught([patient()], asking(tmp_path, served.endpoint, samples=3, temperature=0.9), Checker())
        assert len(served.requests) == 3


def test_the_best_grounded_sample_is_kept_whichever_came_first(tmp_path: Path):
    for place, texts in enumerate(((WRONG, VAGUE, RIGHT), (RIGHT, WRONG, VAGUE))):
        with serving(by_seed(*texts)) as served:
            done = taught([patient()], asking(tmp_path / str(place), served.endpoint, samples=3), Checker())
        assert [each.text for each in done.kept if each.part == "series"] == [RIGHT]
        assert done.rejected == []


def test_what_stands_below_is_a_preference_with_its_verdicts_and_equals_are_none(tmp_path: Path):
    with serving(by_seed(WRONG, RIGHT, RIGHT)) as served:
        done = taught([patient()], asking(tmp_path, served.endpoint, samples=3), Checker())
    # The notes of all samples are alike; one of three series texts stands below.
    (preference,) = done.preferred
    assert (preference.part, preference.chosen, preference.rejected) == ("series", RIGHT, WRONG)
    assert preference.why == "1 contradicted, 0 supported of 1 against 0 contradicted, 2 supported of 2"
    assert [claim.verdict for claim in preference.rejected_claims] == ["contradicted"]


def test_where_every_sample_is_contradicted_the_least_wrong_is_rejected_and_nothing_preferred(
    tmp_path: Path,
):
    with serving(by_seed(f"{WRONG} Creatinine is falling.", WRONG)) as served:
        done = taught([patient()], asking(tmp_path, served.endpoint, samples=2), Checker())
    assert [(each.part, each.text, each.reason) for each in done.rejected] == [
        ("series", WRONG, "contradicted")
    ]
    assert done.preferred == []


def test_a_sample_that_cannot_be_read_is_never_kept_before_one_that_can(tmp_path: Path):
    with serving(by_seed("", WRONG)) as served:
        done = taught(
            [patient()], asking(tmp_path, served.endpoint, samples=2, keep_contradicted=True), Checker()
        )
    assert [each.text for each in done.kept if each.part == "series"] == [WRONG]
    assert done.preferred == []


def test_only_the_chosen_sample_counts(tmp_path: Path):
    with serving(by_seed(RIGHT, WRONG)) as served:
        done = taught([patient()], asking(tmp_path, served.endpoint, samples=2), Checker())
    assert done.tally["series/asked"] == done.tally["series/kept"] == 1
    assert done.tally["series/supported"] == 2 and done.tally["series/contradicted"] == 0
    assert json.dumps(done.tally)
