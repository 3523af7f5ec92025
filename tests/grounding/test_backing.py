from clinragen.grounding.backing import BACKED
from clinragen.grounding.claims import check
from patients import measured, stay

CHART = stay(measured("lactate", 4.0, 5.0), note="HPI: Fever and rigors.")


def test_an_inference_that_a_fact_backs_stays_unverifiable_and_cites_it() -> None:
    _, inference = check("Lactate is high, suggesting septicemia.", CHART)
    assert (inference.verdict, inference.reason) == ("unverifiable", BACKED)
    assert "lactate" in inference.evidence[0].lower()


def test_an_inference_that_no_fact_backs_cites_none() -> None:
    _, inference = check("Lactate is high, suggesting COPD.", CHART)
    assert inference.verdict == "unverifiable"
    assert inference.reason != BACKED


def test_a_fact_makes_no_statement_about_the_patient_supported() -> None:
    assert all(
        claim.verdict != "supported" for claim in check("Bilirubin is high, suggesting liver disease.", CHART)
    )
