"""FHIR R4: resources laid flat, and what becomes of them."""

import base64
import json
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from fhir_miniature import fhir_resources, write_fhir
from ingesting import coded, events_of, ingest

from clinragen.ehr.fhir_flat import READERS, moment_of, plain
from clinragen.errors import SourceError
from clinragen.store import read_json

WHO = {"subject": {"reference": "Patient/p7"}, "encounter": {"reference": "Encounter/e70"}}
LOINC = "http://loinc.org"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fhir")
    ingest("fhir", write_fhir(folder / "raw"), folder)
    return folder


def with_also(tmp_path: Path, *resources: dict[str, Any]) -> pl.DataFrame:
    """The events of the miniature and of some resources more."""
    raw = tmp_path / "raw"
    raw.mkdir()
    lines = [json.dumps(each) for each in (*fhir_resources(), *resources)]
    (raw / "all.ndjson").write_text("\n".join(lines))
    ingest("fhir", raw, tmp_path)
    return events_of(tmp_path)


def observation(**told: Any) -> dict[str, Any]:
    code = {"coding": [{"system": LOINC, "code": "2823-3"}]}
    return {
        "resourceType": "Observation",
        "id": "x",
        "status": "final",
        "code": code,
        **WHO,
        "effectiveDateTime": "2130-01-01T09:00:00Z",
        **told,
    }


# ---- moments and words


@pytest.mark.parametrize(
    ("told", "moment"),
    [
        ("2130-01-01T06:00:00+01:00", "2130-01-01 05:00:00"),
        ("2130-01-01T06:00:00.250Z", "2130-01-01 06:00:00"),
        ("2130-01-01", "2130-01-01"),
        ("2130-01", "2130-01"),
        (None, None),
    ],
)
def test_moments_are_of_utc_and_dates_stay_dates(told: str | None, moment: str | None) -> None:
    assert moment_of(told) == moment


def test_html_becomes_lines_of_words() -> None:
    assert plain("<div><p>Short of&nbsp;breath,</p><p>two days &amp; nights.</p></div>") == (
        "Short of breath,\ntwo days & nights."
    )


# ---- what becomes of resources


def test_a_stay_in_intensive_care_is_told_by_the_location_of_its_encounter(folder: Path) -> None:
    found = {
        row["stay_id"]: (row["hadm_id"], row["time"]) for row in coded(events_of(folder), "ICU_ADMISSION")
    }
    assert found["e70-0"] == ("e70", datetime(2130, 1, 1, 7))
    assert set(found) == {"e70-0", "e70-1", "e80-0"}


def test_the_parts_of_a_blood_pressure_are_values_of_their_own(folder: Path) -> None:
    assert {row["code"]: row["numeric_value"] for row in coded(events_of(folder), "LOINC//84")} == {
        "LOINC//8480-6": 120,
        "LOINC//8462-4": 70,
    }


def test_a_value_keeps_its_unit_and_the_range_printed_beside_it(folder: Path) -> None:
    row = coded(events_of(folder), "LOINC//2160-0")[0]
    assert (row["numeric_value"], row["unit"]) == (pytest.approx(1.4), "mg/dL")
    assert (row["low"], row["high"]) == (0.5, 1.1)


def test_a_condition_belongs_to_the_encounter_that_names_it(folder: Path) -> None:
    named = {row["hadm_id"] for row in coded(events_of(folder), "ICD10//N179")}
    assert {"e70", "e80"} <= named


def test_a_line_that_is_no_resource_is_counted(folder: Path) -> None:
    assert read_json(folder / "ingest" / "quarantine.json")["unreadable"] == {
        "line that is no FHIR resource": {"count": 1, "rows": [1]}
    }


def test_a_bound_is_no_number(tmp_path: Path) -> None:
    value = {"value": 3.5, "comparator": "<", "code": "mmol/L"}
    (row,) = coded(with_also(tmp_path, observation(valueQuantity=value)), "LOINC//2823-3")
    assert (row["numeric_value"], row["text_value"]) == (None, "<3.5")


def test_what_was_entered_in_error_is_left_out_and_counted(tmp_path: Path) -> None:
    wrong = observation(status="entered-in-error", valueQuantity={"value": 3.5, "code": "mmol/L"})
    assert coded(with_also(tmp_path, wrong), "LOINC//2823-3") == []
    quarantine = read_json(tmp_path / "ingest" / "quarantine.json")
    assert list(quarantine["observation"]) == ["resource that was cancelled, refuted or entered in error"]


def test_notes_are_read_within_documents_and_compositions_and_counted_elsewhere(tmp_path: Path) -> None:
    text = base64.b64encode(b"Short of breath.").decode()
    document = {
        "resourceType": "DocumentReference",
        "id": "d",
        "status": "current",
        "type": {"text": "Admission note"},
        "subject": WHO["subject"],
        "date": "2130-01-01T07:30:00Z",
        "context": {"encounter": [WHO["encounter"]]},
    }
    inside = {**document, "content": [{"attachment": {"contentType": "text/plain", "data": text}}]}
    elsewhere = {**document, "content": [{"attachment": {"url": "Binary/1"}}]}
    composed = {
        "resourceType": "Composition",
        "id": "k",
        "status": "final",
        "type": {"text": "Progress"},
        **WHO,
        "date": "2130-01-01T08:00:00Z",
        "section": [{"title": "Plan", "text": {"div": "<div>Diuretics</div>"}}],
    }
    events = with_also(tmp_path, inside, elsewhere, composed)
    notes = {row["code"]: (row["text_value"], row["hadm_id"]) for row in coded(events, "NOTE//")}
    assert notes == {
        "NOTE//admission note": ("Short of breath.", "e70"),
        "NOTE//progress": ("Plan:\nDiuretics", "e70"),
    }
    quarantine = read_json(tmp_path / "ingest" / "quarantine.json")
    assert quarantine["note"] == {"document without a text in it": {"count": 1, "rows": [2]}}


def test_a_folder_without_an_export_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no FHIR export in"):
        ingest("fhir", tmp_path, tmp_path / "run")


def test_the_resources_of_the_miniature_are_valid() -> None:
    models = pytest.importorskip("fhir.resources.R4B")
    for resource in fhir_resources():
        if resource["resourceType"] == "Patient":
            models.get_fhir_model_class("Patient").model_validate(resource)
    assert {each["resourceType"] for each in fhir_resources()} <= set(READERS)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("clinosim") is None, reason="clinosim is not installed")
def test_a_simulated_hospital_of_others_is_read_whole(tmp_path: Path) -> None:
    asked = ["clinosim", "simulate", "-o", str(tmp_path / "raw"), "-p", "1000", "-s", "1", "--country", "US"]
    subprocess.run([*asked, "--format", "fhir-r4"], check=True, stdout=sys.stderr)
    counts = ingest("fhir", tmp_path / "raw", tmp_path)
    lines = [(tmp_path / "raw" / "fhir_r4" / f"{kind}.ndjson") for kind in ("Patient", "Encounter")]
    told = [counts["tables"][name]["rows"] for name in ("patient", "encounter")]
    assert told == [sum(1 for _ in path.open()) for path in lines]
    assert "line that is no FHIR resource" not in counts["quarantined"]
    assert "text where a number belongs" not in counts["quarantined"]
