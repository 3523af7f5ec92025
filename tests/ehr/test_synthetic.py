"""The simulated hospital: what it promises about shares, reproducibility, notes and codes."""

from functools import cache

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinragen.clinical.diagnoses import diagnosis, diagnosis_names
from clinragen.clinical.icd import labels_of
from clinragen.ehr.simulation.tables import codes, diseases, measures, signatures, signs_of
from clinragen.ehr.synthetic import Simulation, simulate

STAYS = 1500


@cache
def hospital() -> Simulation:
    return simulate(STAYS, seed=11)


def evidence_of(simulation: Simulation) -> dict[tuple[str, str], str]:
    rows = simulation.truth.diagnoses.iter_rows()
    return {(stay_id, diagnosis): place for stay_id, diagnosis, place in rows}


def notes_of(simulation: Simulation) -> dict[str, str]:
    rows = simulation.events.filter(pl.col("code") == "NOTE//admission")
    return dict(rows.select("stay_id", "text_value").iter_rows())


# --- reproducible -------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_hospital_and_another_seed_another():
    assert simulate(40, 1).events.equals(simulate(40, 1).events)
    assert not simulate(40, 1).events.equals(simulate(40, 2).events)


@settings(max_examples=8)
@given(shards=st.integers(1, 5), stays=st.integers(0, 40))
def test_cutting_a_hospital_into_shards_changes_nothing(shards: int, stays: int):
    whole = simulate(stays, 3)
    parts = [simulate(stays, 3, shard, shards) for shard in range(shards)]
    together = pl.concat([part.events for part in parts]).sort("subject_id", maintain_order=True)
    assert together.equals(whole.events)
    for name in ("diagnoses", "states", "mentions"):
        frames = pl.concat([getattr(part.truth, name) for part in parts])
        assert frames.sort("stay_id", maintain_order=True).equals(getattr(whole.truth, name))


def test_more_stays_leave_the_earlier_ones_as_they_were():
    few, many = simulate(20, 5), simulate(60, 5)
    earlier = many.events.filter(pl.col("subject_id") <= 18)  # 20 stays: 18 subjects, the tenth with two
    assert earlier.equals(few.events.filter(pl.col("subject_id") <= 18))


def test_one_patient_in_ten_has_two_stays_and_keeps_what_is_chronic():
    events = simulate(110, 4).events.filter(pl.col("code") == "ICU_ADMISSION")
    assert events["subject_id"].n_unique() == 100  # 90 with one stay, 10 with two
    chronic = {disease.name for disease in diseases() if disease.is_chronic}
    truth = evidence_of(simulate(110, 4))
    second = {f"s{11 * k:07d}": f"s{11 * k - 1:07d}" for k in range(1, 11)}
    for later, earlier in second.items():
        kept = {name for stay_id, name in truth if stay_id == earlier} & chronic
        assert kept <= {name for stay_id, name in truth if stay_id == later}


# --- diseases -----------------------------------------------------------------------------------------


def test_every_label_occurs_about_as_often_as_planned():
    counts = dict(hospital().truth.diagnoses["diagnosis"].value_counts().iter_rows())
    assert set(counts) == set(diagnosis_names())
    assert min(counts.values()) / STAYS > 0.03
    assert 3.5 <= sum(counts.values()) / STAYS <= 4.1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("complicated diabetes", "uncomplicated diabetes"),
        ("complicated hypertension", "essential hypertension"),
    ],
)
def test_two_forms_of_one_disease_never_meet(one: str, other: str):
    truth = evidence_of(hospital())
    assert not {s for s, name in truth if name == one} & {s for s, name in truth if name == other}


def test_septicemia_brings_shock():
    truth = evidence_of(hospital())
    septic = {stay for stay, name in truth if name == "septicemia"}
    shocked = {stay for stay, name in truth if name == "shock"}
    assert len(shocked & septic) / len(septic) > 2 * len(shocked - septic) / (STAYS - len(septic))


def test_diagnoses_with_a_series_signature_show_in_each_place_about_as_planned():
    places = [place for (_, name), place in evidence_of(hospital()).items() if signatures()[name]]
    shares = {place: places.count(place) / len(places) for place in set(places)}
    for place, planned in {"note": 0.35, "series": 0.30, "both": 0.28, "neither": 0.07}.items():
        assert abs(shares[place] - planned) < 0.05


def test_at_least_twenty_labels_have_a_series_signature_and_no_two_the_same():
    signs = [frozenset(rows) for rows in signatures().values() if rows]
    assert len(signs) >= 20
    assert len(set(signs)) == len(signs)
    assert all(2 <= len(rows) <= 4 for rows in signs)


def test_every_table_speaks_only_of_what_exists():
    known = {row.variable: row for row in measures()}
    for rows in signatures().values():
        assert all(sign.side in known[sign.variable].bands for sign in rows)
    assert all(len(signs) == 5 for signs in signs_of().values())


# --- codes --------------------------------------------------------------------------------------------


def test_every_code_leads_back_to_its_label_and_the_others_to_none():
    for system, groups in codes().items():
        for name, members in groups.items():
            for code in members:
                assert labels_of([(system.lower(), code)]) == ({name} if name else frozenset()), (
                    system,
                    code,
                )


def test_a_stay_is_coded_with_exactly_its_diagnoses():
    rows = hospital().events.filter(pl.col("code").str.starts_with("ICD"))
    found: dict[str, set[str]] = {}
    for stay_id, code in rows.select("stay_id", "code").iter_rows():
        found.setdefault(stay_id, set()).update(labels_of([_system_and_code(code)]))
    expected: dict[str, set[str]] = {}
    for stay_id, name in evidence_of(hospital()):
        expected.setdefault(stay_id, set()).add(name)
    assert {stay: names for stay, names in found.items() if names} == expected


def _system_and_code(code: str) -> tuple[str, str]:
    system, _, plain = code.partition("//")
    return system.lower(), plain


def test_both_code_systems_are_in_use():
    systems = hospital().events["code"].str.extract(r"^(ICD\d+)").drop_nulls().value_counts()
    shares = {name: count / systems["count"].sum() for name, count in systems.iter_rows()}
    assert 0.3 < shares["ICD9"] < 0.7


# --- notes --------------------------------------------------------------------------------------------


def test_every_mention_stands_where_the_truth_says():
    notes = notes_of(hospital())
    for stay_id, start, end, text, _, _ in hospital().truth.mentions.iter_rows():
        assert notes[stay_id][start:end] == text


def test_notes_are_short_and_have_all_sections():
    for note in notes_of(hospital()).values():
        assert 55 <= len(note.split()) <= 85
        assert [line.split(":")[0] for line in note.split("\n")] == [
            "HPI",
            "History",
            "Medications",
            "Exam",
            "Assessment",
        ]


def test_a_diagnosis_is_told_exactly_where_the_note_is_evidence():
    told = {
        (stay_id, name)
        for stay_id, _, _, _, name, status in hospital().truth.mentions.iter_rows()
        if status == "present"
    }
    assert told == {key for key, place in evidence_of(hospital()).items() if place in ("note", "both")}


def test_what_is_denied_doubted_or_of_the_family_is_absent():
    present = set(evidence_of(hospital()))
    others = hospital().truth.mentions.filter(pl.col("status") != "present")
    assert set(others["status"]) == {"negated", "uncertain", "family", "past", "resolved"}
    assert not present & set(others.select("stay_id", "diagnosis").iter_rows())


def test_a_diagnosis_the_note_does_not_show_is_not_named_in_it():
    notes = notes_of(hospital())
    for (stay_id, name), place in evidence_of(hospital()).items():
        if place in ("series", "neither"):
            words = [name, *(s for s in diagnosis(name).synonyms if len(s) > 4), *dict(signs_of()[name])]
            inside = [word for word in words if word in notes[stay_id] and not _is_of_another(word, stay_id)]
            assert not inside


def _is_of_another(word: str, stay_id: str) -> bool:
    """Whether the word is only part of what the note says of another diagnosis."""
    mentions = hospital().truth.mentions.filter(pl.col("stay_id") == stay_id)
    return any(word in text for text in mentions["text"])
