"""A FHIR R4 export in miniature: two patients, three stays in intensive care."""

import gzip
import json
from pathlib import Path
from typing import Any


def fhir_resources() -> list[dict[str, Any]]:
    """Two patients, three stays in intensive care."""

    def code(system: str, value: str, text: str = "") -> dict[str, Any]:
        return {"coding": [{"system": system, "code": value}], "text": text}

    loinc, icd = "http://loinc.org", "http://hl7.org/fhir/sid/icd-10-cm"
    resources: list[dict[str, Any]] = [
        {"resourceType": "Patient", "id": "p7", "gender": "female", "birthDate": "2060-03-01"},
        {"resourceType": "Patient", "id": "p8", "gender": "other"},
    ]
    for name, patient, day, units in (("e70", "p7", "01", 2), ("e80", "p8", "03", 1)):
        who = {
            "subject": {"reference": f"Patient/{patient}"},
            "encounter": {"reference": f"Encounter/{name}"},
        }
        resources += [
            {
                "resourceType": "Encounter",
                "id": name,
                "status": "finished",
                "class": {"code": "IMP"},
                "subject": who["subject"],
                "period": {"start": f"2130-01-{day}T06:00:00+01:00", "end": f"2130-01-{day}T23:00:00+01:00"},
                "diagnosis": [{"condition": {"reference": f"Condition/c{name}"}}],
                "location": [
                    {
                        "location": {"display": "Medical ICU"},
                        "period": {
                            "start": f"2130-01-{day}T0{7 + i}:00:00Z",
                            "end": f"2130-01-{day}T0{8 + i}:00:00Z",
                        },
                    }
                    for i in range(units)
                ],
            },
            {
                "resourceType": "Condition",
                "id": f"c{name}",
                "verificationStatus": code("ver", "confirmed"),
                "code": code(icd, "N17.9"),
                "subject": who["subject"],
                "recordedDate": f"2130-01-{day}",
            },
            {
                "resourceType": "Observation",
                "id": f"o{name}",
                "status": "final",
                "code": code(loinc, "2160-0"),
                **who,
                "effectiveDateTime": f"2130-01-{day}T08:30:00+01:00",
                "valueQuantity": {"value": 1.4, "unit": "mg/dl", "code": "mg/dL"},
                "referenceRange": [{"low": {"value": 0.5}, "high": {"value": 1.1}}],
            },
            {
                "resourceType": "Observation",
                "id": f"b{name}",
                "status": "final",
                "code": code(loinc, "85354-9"),
                **who,
                "effectiveDateTime": f"2130-01-{day}T08:40:00Z",
                "component": [
                    {"code": code(loinc, "8480-6"), "valueQuantity": {"value": 120, "code": "mm[Hg]"}},
                    {"code": code(loinc, "8462-4"), "valueQuantity": {"value": 70, "code": "mm[Hg]"}},
                ],
            },
        ]
    return resources


def write_fhir(folder: Path) -> Path:
    """A file for each kind of resource, one of them compressed, with a line that is none."""
    folder.mkdir(parents=True)
    lines: dict[str, list[str]] = {}
    for resource in fhir_resources():
        lines.setdefault(resource["resourceType"], []).append(json.dumps(resource))
    lines["Patient"].append("{cut off")
    for kind, told in lines.items():
        text = "\n".join(told).encode()
        if kind == "Observation":
            (folder / "part.1.ndjson.gz").write_bytes(gzip.compress(text))
        else:
            (folder / f"{kind}.000.ndjson").write_bytes(text)
    return folder
