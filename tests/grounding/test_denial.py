import pytest

from clinragen.grounding.claims import check
from patients import measured, stay

CHART = stay(
    measured("creatinine", 1.5, 2.0, 3.0), note="HPI: Reports orthopnea. Chest tube placed on the left."
)


@pytest.mark.parametrize(
    ("said", "denied"),
    [
        ("Creatinine peaked at 3.0.", "Creatinine was not rising."),
        ("Orthopnea is reported.", "Orthopnea was not reported."),
        ("A chest tube was placed on the left.", "A chest tube was not placed on the left."),
        ("The last creatinine was 3.0.", "The last creatinine was not 3.0."),
    ],
)
def test_a_statement_and_its_denial_are_never_both_supported(said: str, denied: str) -> None:
    assert [claim.verdict for claim in check(said, CHART)] == ["supported"]
    assert [claim.verdict for claim in check(denied, CHART)] == ["contradicted"]
