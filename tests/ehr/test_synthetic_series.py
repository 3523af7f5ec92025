"""The simulated series: the values say what the truth says, and nothing in them is ambiguous."""

from collections import defaultdict
from functools import cache

import polars as pl

from clinragen.clinical.findings import by_variable, findings, level_of, state
from clinragen.clinical.variables import variable
from clinragen.ehr.simulation.tables import measures
from clinragen.ehr.synthetic import Simulation, simulate
from clinragen.schema import Measurement

STAYS = 500


@cache
def hospital() -> Simulation:
    return simulate(STAYS, seed=3)


@cache
def series() -> dict[str, dict[str, list[Measurement]]]:
    """The measurements of every stay by variable; the sex decides where the row has no range."""
    events = hospital().events
    sexes = dict(
        events.filter(pl.col("code").str.starts_with("GENDER")).select("subject_id", "code").iter_rows()
    )
    rows = events.filter(pl.col("numeric_value").is_not_null())
    found: dict[str, list[Measurement]] = defaultdict(list)
    for row in rows.iter_rows(named=True):
        name = row["code"].split("//")[1]
        sex = "female" if sexes[row["subject_id"]].endswith("F") else "male"
        low, high = variable(name).reference_range(sex)
        if row["low"] is not None or row["high"] is not None:
            assert (row["low"], row["high"]) == (low, high)
        value = round(row["numeric_value"], variable(name).decimals)
        found[row["stay_id"]].append(Measurement(row["time"], name, value, row["unit"], low, high))
    return {stay_id: by_variable(values) for stay_id, values in found.items()}


@cache
def states() -> dict[tuple[str, str], tuple[str, str, str]]:
    return {(row[0], row[1]): row[2:] for row in hospital().truth.states.iter_rows()}


def test_truth_has_one_row_for_every_measured_variable_and_no_other():
    measured = {(stay_id, name) for stay_id, rows in series().items() for name in rows}
    assert measured == set(states())
    assert hospital().truth.states.height == len(measured)


def test_the_findings_computed_from_the_values_are_the_true_states():
    for stay_id, rows in series().items():
        for name, values in rows.items():
            told, trend, _ = states()[stay_id, name]
            expected = told if trend == "stable" else f"{told} and {trend}"
            assert state(findings(values)) == expected, (stay_id, name)


def test_a_normal_variable_never_leaves_its_range_and_stays_flat():
    for stay_id, rows in series().items():
        for name, values in rows.items():
            if states()[stay_id, name][0] == "normal":
                assert {level_of(row) for row in values} == {"normal"}
                change = abs(values[-1].value - values[0].value)
                assert change < variable(name).smallest_change(values[0].value)


def test_a_trend_is_far_more_than_what_counts_as_a_change():
    for stay_id, rows in series().items():
        for name, values in rows.items():
            if states()[stay_id, name][1] != "stable":
                change = abs(values[-1].value - values[0].value)
                assert change > 1.5 * variable(name).smallest_change(values[0].value), (stay_id, name)


def test_how_often_a_variable_is_abnormal_is_never_in_doubt():
    for stay_id, rows in series().items():
        for name, values in rows.items():
            share = sum(level_of(row) != "normal" for row in values) / len(values)
            told = states()[stay_id, name][0]
            assert share == 0 if told == "normal" else 0 < share <= 0.35 if "times" in told else share > 0.65


def test_blood_pressures_agree():
    for rows in series().values():
        names = ("systolic BP", "mean BP", "diastolic BP")
        for systolic, mean, diastolic in zip(*(rows[name] for name in names), strict=True):
            assert systolic.value > mean.value > diastolic.value


def test_values_are_plausible_and_printed_as_a_laboratory_would():
    for rows in series().values():
        for name, values in rows.items():
            assert all(variable(name).is_plausible(row.value) for row in values)


def test_every_table_row_is_clearly_normal_or_clearly_not():
    for row in measures():
        about, (low, high) = variable(row.variable), row.bands[0]
        for sex in ("female", "male"):
            least, most = about.reference_range(sex)
            assert least is None or least <= low
            assert most is None or high <= most
            assert -1 not in row.bands or max(row.bands[-1]) < least
            assert 1 not in row.bands or min(row.bands[1]) > most
        for band in row.bands.values():
            assert all(about.is_plausible(edge) and edge == round(edge, about.decimals) for edge in band)


def test_background_abnormalities_are_as_severe_as_those_of_a_disease():
    """Creatinine, potassium, WBC: how far into the abnormal band the mean value lies, 0 mild, 1 severe."""
    truth = hospital().truth.states.filter(
        ~pl.col("state").str.contains("times"), pl.col("state") != "normal", pl.col("trend") == "stable"
    )
    bands = {row.variable: row.bands for row in measures()}
    depth: dict[bool, list[float]] = {True: [], False: []}
    for stay_id, name, told, _, cause in truth.iter_rows():
        start, end = bands[name][{"low": -1, "high": 1}[told]]
        values = [row.value for row in series()[stay_id][name] if level_of(row) != "normal"]
        depth[cause == "background"].append((sum(values) / len(values) - start) / (end - start))
    background, disease = (sum(depth[key]) / len(depth[key]) for key in (True, False))
    assert abs(background - disease) < 0.06


def test_about_one_in_twenty_other_variables_is_abnormal_without_a_disease():
    rows = hospital().truth.states
    background = rows.filter(pl.col("cause") == "background")
    assert 0.035 < (background["state"] != "normal").mean() < 0.07


def test_two_thirds_of_the_variables_are_measured_and_sampling_is_irregular():
    assert 18 <= hospital().truth.states.height / STAYS <= 23
    gaps = [
        (later.time - earlier.time).total_seconds()
        for rows in series().values()
        for earlier, later in zip(rows["heart rate"], rows["heart rate"][1:], strict=False)
    ]
    assert min(gaps) < 0.5 * max(gaps)


def test_a_disease_that_shows_in_the_series_is_a_cause_there_and_one_that_does_not_is_not():
    causes: dict[str, set[str]] = defaultdict(set)
    for stay_id, _, _, _, cause in hospital().truth.states.iter_rows():
        causes[stay_id] |= set(cause.split("; ")) - {"background"}
    for stay_id, name, place in hospital().truth.diagnoses.iter_rows():
        assert (name in causes[stay_id]) == (place in ("series", "both"))
