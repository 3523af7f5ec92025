"""FHIR R4 resources as rows of text: what of each is read, and nothing else.

Each function takes one resource, as parsed, and gives rows of tables. A reference `Patient/abc` is `abc`.
Times with an offset become moments in UTC, so that their order is right; a date stays a date.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from html import unescape
from typing import Any

from clinragen.ehr.eicu_stays import subject_number

LOINC = "http://loinc.org"
SYSTEMS = {
    "http://hl7.org/fhir/sid/icd-10-cm": "ICD10",
    "http://hl7.org/fhir/sid/icd-10": "ICD10",
    "http://hl7.org/fhir/sid/icd-9-cm": "ICD9",
    "urn:oid:2.16.840.1.113883.6.90": "ICD10",
    "urn:oid:2.16.840.1.113883.6.103": "ICD9",
}
INTENSIVE = re.compile(r"\b(?:ICU|MICU|SICU|CCU|CVICU|NICU|PICU|intensive care|critical care)\b", re.I)
Resource = Mapping[str, Any]
Row = dict[str, str | None]
TABLES: dict[str, tuple[str, ...]] = {
    "patient": ("subject_id", "gender", "birth"),
    "encounter": ("encounter", "subject_id", "class", "status", "start", "end"),
    "unit": ("encounter", "subject_id", "stay", "start", "end"),
    "observation": (
        "subject_id", "encounter", "status", "time", "loinc", "code", "value", "said", "unit", "low", "high",
    ),
    "condition": ("condition", "subject_id", "encounter", "verification", "icd", "time"),
    "diagnosis": ("condition", "encounter"),
    "note": ("subject_id", "encounter", "status", "time", "kind", "text"),
    "given": ("subject_id", "encounter", "status", "time", "kind", "name"),
}  # fmt: skip
"""The tables, and their columns."""


def patients(of: Resource) -> Iterator[tuple[str, Row]]:
    """A patient; its number is made of its id."""
    yield (
        "patient",
        {"subject_id": _subject(of["id"]), "gender": of.get("gender"), "birth": of.get("birthDate")},
    )


def encounters(of: Resource) -> Iterator[tuple[str, Row]]:
    """An encounter, the diagnoses it names, and its time in intensive care where a location tells of it."""
    period = of.get("period", {})
    who = {"encounter": of["id"], "subject_id": _subject_of(of, "subject")}
    whole = {"start": moment_of(period.get("start")), "end": moment_of(period.get("end"))}
    yield "encounter", {**who, "class": of.get("class", {}).get("code"), "status": of.get("status"), **whole}
    for named in of.get("diagnosis", ()):
        yield "diagnosis", {"condition": reference(named.get("condition")), "encounter": of["id"]}
    for number, place in enumerate(of.get("location", ())):
        if INTENSIVE.search(_text_of(place.get("location", {}), place.get("physicalType", {}))):
            within = place.get("period", period)
            told = {"start": moment_of(within.get("start")), "end": moment_of(within.get("end"))}
            yield "unit", {**who, "stay": f"{of['id']}-{number}", **told}


def observations(of: Resource) -> Iterator[tuple[str, Row]]:
    """A value, or each of its components (blood pressure)."""
    time = (
        of.get("effectiveDateTime")
        or of.get("effectiveInstant")
        or of.get("effectivePeriod", {}).get("start")
    )
    shared = {
        "subject_id": _subject_of(of, "subject"),
        "encounter": reference(of.get("encounter")),
        "status": of.get("status"),
        "time": moment_of(time),
    }
    for part in (of, *of.get("component", ())):
        if (told := _value(part)) is not None:
            yield "observation", {**shared, **_code(part.get("code", {})), **told, **_range(part)}


def conditions(of: Resource) -> Iterator[tuple[str, Row]]:
    """A condition by its ICD code, if it has one."""
    codings = of.get("code", {}).get("coding", ())
    icd = next(
        (f"{SYSTEMS[c['system']]}//{c.get('code')}" for c in codings if c.get("system") in SYSTEMS), None
    )
    status = of.get("verificationStatus", {}).get("coding", [{}])[0].get("code")
    yield (
        "condition",
        {
            "condition": of["id"],
            "subject_id": _subject_of(of, "subject"),
            "encounter": reference(of.get("encounter")),
            "verification": status,
            "icd": icd,
            "time": moment_of(of.get("recordedDate") or of.get("onsetDateTime")),
        },
    )


def documents(of: Resource) -> Iterator[tuple[str, Row]]:
    """A document whose text is within it; one that lies elsewhere has none."""
    contents = [content.get("attachment", {}) for content in of.get("content", ())]
    text = "\n\n".join(text for attachment in contents if (text := _attached(attachment)))
    places = of.get("context", {}).get("encounter", ())
    encounter = reference(places[0]) if places else None
    yield "note", {**_note(of), "encounter": encounter, "text": text}


def compositions(of: Resource) -> Iterator[tuple[str, Row]]:
    """A composition: its sections, one below the other, each with its title."""
    text = "\n".join(_sections(of.get("section", ())))
    yield "note", {**_note(of), "encounter": reference(of.get("encounter")), "text": text}


def drugs(of: Resource) -> Iterator[tuple[str, Row]]:
    """A drug that was given."""
    time = of.get("effectiveDateTime") or of.get("effectivePeriod", {}).get("start")
    name = _text(of.get("medicationCodeableConcept", {}))
    yield "given", {**_given(of, "DRUG", time, name), "encounter": reference(of.get("context"))}


def procedures(of: Resource) -> Iterator[tuple[str, Row]]:
    """A procedure that was done."""
    time = of.get("performedDateTime") or of.get("performedPeriod", {}).get("start")
    told = _given(of, "PROCEDURE", time, _text(of.get("code", {})))
    yield "given", {**told, "encounter": reference(of.get("encounter"))}


READERS: dict[str, Callable[[Resource], Iterator[tuple[str, Row]]]] = {
    "Patient": patients,
    "Encounter": encounters,
    "Observation": observations,
    "Condition": conditions,
    "DocumentReference": documents,
    "Composition": compositions,
    "MedicationAdministration": drugs,
    "Procedure": procedures,
}
"""What is read of a bulk export; other kinds of resource are left alone."""


def moment_of(text: str | None) -> str | None:
    """A moment in UTC, or the date where only that is told; a year or a month is none, and kept as it is."""
    if text is None or "T" not in text:
        return text
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        return text
    return (told.astimezone(UTC) if told.tzinfo else told).strftime("%Y-%m-%d %H:%M:%S")


def reference(to: Mapping[str, Any] | None) -> str | None:
    """The id that a reference names."""
    return (
        None
        if not to or "reference" not in to
        else str(to["reference"]).rsplit("/", 1)[-1].rsplit(":", 1)[-1]
    )


def _subject(patient: str) -> str:
    return str(subject_number(patient))


def _subject_of(of: Resource, key: str) -> str | None:
    patient = reference(of.get(key))
    return None if patient is None else _subject(patient)


def _code(concept: Mapping[str, Any]) -> Row:
    codings = concept.get("coding", ())
    loinc = next((f"LOINC//{c.get('code')}" for c in codings if c.get("system") == LOINC), None)
    first = next((f"{c.get('system')}|{c.get('code')}" for c in codings), _text(concept))
    return {"loinc": loinc, "code": first}


def _value(part: Mapping[str, Any]) -> Row | None:
    """What was measured, as a number or as text; None where the resource tells no value here."""
    if (quantity := part.get("valueQuantity")) is not None:
        number = quantity.get("value")
        bound = quantity.get("comparator")
        said = None if number is None else f"{bound or ''}{number}"
        unit = quantity.get("code") or quantity.get("unit")
        return {"value": None if bound or number is None else str(number), "said": said, "unit": unit}
    for key in ("valueInteger", "valueString"):
        if key in part:
            return {"value": str(part[key]), "said": str(part[key]), "unit": None}
    return None


def _range(part: Mapping[str, Any]) -> Row:
    """The range printed beside a value, where there is one and no more."""
    ranges = part.get("referenceRange", ())
    of = ranges[0] if len(ranges) == 1 else {}
    ends = {name: of.get(name, {}).get("value") for name in ("low", "high")}
    return {name: None if end is None else str(end) for name, end in ends.items()}


def _note(of: Resource) -> Row:
    return {
        "subject_id": _subject_of(of, "subject"),
        "status": of.get("status"),
        "time": moment_of(of.get("date")),
        "kind": _text(of.get("type", {})),
    }


def _given(of: Resource, kind: str, time: str | None, name: str | None) -> Row:
    who = {"subject_id": _subject_of(of, "subject"), "status": of.get("status")}
    return {**who, "time": moment_of(time), "kind": kind, "name": name}


def _text(concept: Mapping[str, Any]) -> str | None:
    codings = concept.get("coding", ())
    return concept.get("text") or next((c["display"] for c in codings if "display" in c), None)


def _text_of(*concepts: Mapping[str, Any]) -> str:
    return " ".join(str(concept.get("display") or _text(concept) or "") for concept in concepts)


def _attached(attachment: Mapping[str, Any]) -> str | None:
    """The text of an attachment; None where it lies elsewhere or is no text."""
    kind = attachment.get("contentType", "text/plain").partition(";")[0]
    if "data" not in attachment or not kind.startswith("text/"):
        return None
    try:
        text = base64.b64decode(attachment["data"], validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return plain(text) if kind == "text/html" else text


def _sections(sections: Any) -> Iterator[str]:
    for section in sections:
        if title := section.get("title"):
            yield f"{title}:"
        if div := section.get("text", {}).get("div"):
            yield plain(div)
        yield from _sections(section.get("section", ()))


def plain(html: str) -> str:
    """The words of a piece of HTML; blocks end their line."""
    lines = re.sub(r"(?i)<(?:br|/p|/div|/li|/tr|/h\d)\b[^>]*>", "\n", html)
    text = unescape(re.sub(r"<[^>]+>", " ", lines))
    return "\n".join(line for raw in text.splitlines() if (line := " ".join(raw.split())))
