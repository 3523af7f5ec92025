"""eICU Collaborative Research Database v2.0: https://physionet.org/content/eicu-crd/2.0/.

Times there are minutes from unit admission; `eicu_stays.py` invents the dates. A subject is a patient
(`uniquepid`) under a number made of the text; `hadm_id` is the hospital stay, `stay_id` the unit stay.
"""

import polars as pl

from clinragen.ehr.eicu_stays import after, placed
from clinragen.ehr.events import NO_CODE, Ids, Value, coded, draft, icd_plain, number, or_no_unit
from clinragen.ehr.menus import in_words
from clinragen.ehr.tables import ROW, Feed, Items, Layout, Look, need

CANCELLED = "order that was cancelled"
SAYS_NOTHING = "menu entry that says nothing of the patient"
NO_DRUG_NAME = "no drug name"
NOT_THE_DIAGNOSIS = "admission question other than the diagnosis"
NOT_CHARTED = "nothing charted"
NOT_A_DIAGNOSIS = "code that is no diagnosis of ICD-9 or ICD-10"

OLDEST = "> 89"
"""Ages over 89 are hidden behind this; they count as 90, as in MIMIC-IV, and the text is kept."""

_SEXES, _IDS = {"Male": "M", "Female": "F"}, Ids(pl.col("hadm_id"), pl.col("patientunitstayid"))
_ICD9 = r"^(?:\d{3}(?:\.\d{1,2})?|V\d{2}(?:\.\d{1,2})?|E\d{3}(?:\.\d)?)$"
_ICD10 = r"^[A-Z]\d[0-9A-Z](?:\.[0-9A-Z]{1,4})?$"
_MONITORED = "patientunitstayid observationoffset"
_APERIODIC = dict.fromkeys(("noninvasivesystolic", "noninvasivediastolic", "noninvasivemean"), "mmHg")
_PERIODIC = {
    "heartrate": "bpm",
    "respiration": "breaths/min",
    "sao2": "%",
    "temperature": "degC",
    "systemicsystolic": "mmHg",
    "systemicdiastolic": "mmHg",
    "systemicmean": "mmHg",
}
_NURSING = {
    "Heart Rate": "bpm",
    "Respiratory Rate": "breaths/min",
    "O2 Saturation": "%",
    "Temperature (C)": "degC",
    "Temperature (F)": "degF",
    **{
        f"{way} BP {part}": "mmHg"
        for way in ("Non-Invasive", "Invasive")
        for part in ("Systolic", "Diastolic", "Mean")
    },
}


def _patients(rows: pl.DataFrame, _: Look) -> list[pl.DataFrame]:
    stays = placed(rows)
    admissions = stays.sort("hadm_id", "unitvisitnumber", ROW).unique("hadm_id", keep="first")
    known = stays.filter(pl.col("gender").is_in(list(_SEXES))).unique(["subject", "gender"])
    sex = pl.col("gender").replace_strict(_SEXES, default=None)
    hospital, subject = Ids(pl.col("hadm_id")), pl.col("subject")
    return [
        draft(known, coded("GENDER", sex), time=None, subject=subject),
        _ages(stays),
        draft(stays, pl.lit("ICU_ADMISSION"), time=pl.col("origin"), subject=subject, ids=_IDS),
        draft(stays, pl.lit("ICU_DISCHARGE"), time=after("unitdischargeoffset"), subject=subject, ids=_IDS),
        draft(
            admissions,
            pl.lit("HOSPITAL_ADMISSION"),
            time=after("hospitaladmitoffset"),
            subject=subject,
            ids=hospital,
        ),
        draft(
            admissions,
            pl.lit("HOSPITAL_DISCHARGE"),
            time=after("hospitaldischargeoffset"),
            subject=subject,
            ids=hospital,
        ),
    ]


def _ages(stays: pl.DataFrame) -> pl.DataFrame:
    """Births are unknown; the age is that of the unit admission, in years."""
    is_oldest = pl.col("age") == OLDEST
    years = pl.when(is_oldest).then(90.0).otherwise(number("age"))
    return draft(
        stays,
        pl.lit("AGE"),
        time=pl.col("origin"),
        subject=pl.col("subject"),
        value=Value(years, pl.col("age"), pl.lit("years")),
        text=pl.when(is_oldest).then("age"),
        ids=_IDS,
    )


def _lab(rows: pl.DataFrame, look: Look) -> list[pl.DataFrame]:
    """Results are in the system's unit; where only the text of the interface is there, in that one's."""
    has_result = number("labresult").is_not_null()
    unit = pl.when(has_result).then("labmeasurenamesystem").otherwise("labmeasurenameinterface")
    value = Value(pl.coalesce(number("labresult"), number("labresulttext")), pl.col("labresulttext"), unit)
    code = coded("LAB", pl.col("labname"), or_no_unit(unit))
    return [_tied(rows, look, code, "labresultoffset", value=value)]


def _aperiodic(rows: pl.DataFrame, look: Look) -> list[pl.DataFrame]:
    return _monitored(rows, look, _APERIODIC)


def _periodic(rows: pl.DataFrame, look: Look) -> list[pl.DataFrame]:
    return _monitored(rows, look, _PERIODIC)


def _monitored(rows: pl.DataFrame, look: Look, units: dict[str, str]) -> list[pl.DataFrame]:
    """Monitors write a row with a column for each vital sign; an empty cell is no measurement."""
    return [
        _tied(
            rows.filter(pl.col(name).str.strip_chars() != ""),
            look,
            pl.lit(f"VITAL//{name}//{unit}"),
            "observationoffset",
            value=Value(number(name), pl.col(name), pl.lit(unit)),
        )
        for name, unit in units.items()
    ]


def _nursing(rows: pl.DataFrame, look: Look) -> list[pl.DataFrame]:
    """Nurses chart a row for each value; the name tells the unit."""
    name = pl.col("nursingchartcelltypevalname")
    unit = name.replace_strict(_NURSING, default=None)
    value = Value(number("nursingchartvalue"), pl.col("nursingchartvalue"), unit)
    return [_tied(rows, look, coded("VITAL", name, or_no_unit(unit)), "nursingchartoffset", value=value)]


def _diagnoses(rows: pl.DataFrame, look: Look) -> list[pl.DataFrame]:
    """ICD-9 and ICD-10 codes stand side by side ("518.81, J96.00") and are told apart by their form."""
    codes = rows.with_columns(icd=pl.col("icd9code").fill_null("").str.split(",")).explode("icd")
    icd = pl.col("icd").str.strip_chars().str.to_uppercase()
    system = (
        pl.when(icd.str.contains(_ICD9))
        .then(pl.lit("ICD9"))
        .when(icd.str.contains(_ICD10))
        .then(pl.lit("ICD10"))
    )
    code = pl.concat_str(system, icd_plain(icd), separator="//")
    faults = ((icd == "", NO_CODE), (system.is_null(), NOT_A_DIAGNOSIS))
    return [_tied(codes, look, code, "diagnosisoffset", faults=faults)]


def _medication(rows: pl.DataFrame, look: Look) -> list[pl.DataFrame]:
    """A drug counts once it was both ordered and started."""
    faults = (
        (pl.col("drugordercancelled") == "Yes", CANCELLED),
        (pl.col("drugname").is_null(), NO_DRUG_NAME),
    )
    known = rows.with_columns(
        known=pl.max_horizontal(number("drugorderoffset"), number("drugstartoffset")).cast(pl.String)
    )
    return [_tied(known, look, coded("DRUG", pl.col("drugname")), "known", faults=faults)]


def _treatment(rows: pl.DataFrame, look: Look) -> list[pl.DataFrame]:
    """The last part of the path that is no purpose: "for acute renal failure" would name the answer."""
    parts = pl.col("treatmentstring").str.split("|")
    last, before = parts.list.get(-1, null_on_oob=True), parts.list.get(-2, null_on_oob=True)
    name = pl.when(last.str.starts_with("for ")).then(before).otherwise(last)
    return [_tied(rows, look, coded("PROCEDURE", name), "treatmentoffset")]


def _reasons(rows: pl.DataFrame, look: Look) -> list[pl.DataFrame]:
    """The diagnosis at admission as APACHE asks for it; other questions of that form are left out."""
    is_other = ~pl.col("admitdxpath").str.starts_with("admission diagnosis|All Diagnosis|")
    text = pl.col("admitdxname")
    faults = ((is_other, NOT_THE_DIAGNOSIS), (text.is_null(), NOT_CHARTED))
    return [_tied(rows, look, pl.lit("REASON//admission"), "admitdxenteredoffset", text=text, faults=faults)]


def _history(rows: pl.DataFrame, look: Look) -> list[pl.DataFrame]:
    return [_entries(rows, look, "HISTORY", "pasthistorypath", "pasthistoryvalue", "pasthistoryoffset")]


def _exam(rows: pl.DataFrame, look: Look) -> list[pl.DataFrame]:
    return [_entries(rows, look, "EXAM", "physicalexampath", "physicalexamvalue", "physicalexamoffset")]


def _entries(rows: pl.DataFrame, look: Look, kind: str, path: str, value: str, offset: str) -> pl.DataFrame:
    worded = in_words(rows, path, value)
    faults = ((pl.col("said").is_null(), SAYS_NOTHING),)
    return _tied(worded, look, coded(kind, pl.col("said")), offset, faults=faults)


def _notes(rows: pl.DataFrame, look: Look) -> list[pl.DataFrame]:
    """One row for each note: its entries, each a sentence, in the order of the alphabet."""
    worded = in_words(rows, "notepath", "notevalue")
    silent = worded.filter(pl.col("said").is_null())
    left_out = _tied(silent, look, pl.lit("NOTE"), "noteoffset", faults=((pl.lit(True), SAYS_NOTHING),))
    sentence = pl.col("said").unique().sort().str.join(". ") + "."
    notes = (
        worded.filter(pl.col("said").is_not_null())
        .group_by("patientunitstayid", "noteoffset", "notetype")
        .agg(pl.col(ROW).min(), text=sentence)
    )
    code = coded("NOTE", pl.col("notetype").str.to_lowercase())
    return [left_out, _tied(notes, look, code, "noteoffset", text=pl.col("text"))]


def _tied(
    rows: pl.DataFrame,
    look: Look,
    code: pl.Expr,
    offset: str,
    *,
    value: Value | None = None,
    text: pl.Expr | None = None,
    faults: tuple[tuple[pl.Expr, str], ...] = (),
) -> pl.DataFrame:
    """Drafts of rows that belong to a unit stay, at their offset from its admission."""
    stays = placed(look("patient")).select("patientunitstayid", "subject", "hadm_id", "origin")
    joined = rows.join(stays, on="patientunitstayid", how="left")
    return draft(
        joined,
        code,
        time=after(offset),
        subject=pl.col("subject"),
        value=value,
        text=text,
        faults=faults,
        ids=_IDS,
    )


EICU = Layout(
    "eicu",
    (
        Feed(
            need(
                "patient",
                "patientunitstayid patienthealthsystemstayid uniquepid gender age hospitaladmitoffset "
                "hospitaldischargeyear hospitaldischargeoffset unitdischargeoffset unitvisitnumber",
            ),
            _patients,
            is_whole=True,
        ),
        Feed(
            need(
                "lab",
                "patientunitstayid labresultoffset labname labresult labresulttext labmeasurenamesystem "
                "labmeasurenameinterface",
            ),
            _lab,
            Items("labname", "LAB"),
        ),
        Feed(need("diagnosis", "patientunitstayid diagnosisoffset icd9code"), _diagnoses),
        Feed(need("vitalaperiodic", " ".join((_MONITORED, *_APERIODIC)), True), _aperiodic),
        Feed(need("vitalperiodic", " ".join((_MONITORED, *_PERIODIC)), True), _periodic),
        Feed(
            need(
                "nursecharting",
                "patientunitstayid nursingchartoffset nursingchartcelltypevalname nursingchartvalue",
                True,
            ),
            _nursing,
            Items("nursingchartcelltypevalname", "VITAL"),
        ),
        Feed(
            need(
                "medication",
                "patientunitstayid drugorderoffset drugstartoffset drugordercancelled drugname",
                True,
            ),
            _medication,
        ),
        Feed(need("treatment", "patientunitstayid treatmentoffset treatmentstring", True), _treatment),
        Feed(
            need("admissiondx", "patientunitstayid admitdxenteredoffset admitdxpath admitdxname", True),
            _reasons,
        ),
        Feed(
            need("pasthistory", "patientunitstayid pasthistoryoffset pasthistorypath pasthistoryvalue", True),
            _history,
        ),
        Feed(
            need(
                "physicalexam",
                "patientunitstayid physicalexamoffset physicalexampath physicalexamvalue",
                True,
            ),
            _exam,
        ),
        Feed(
            need("note", "patientunitstayid noteoffset notetype notepath notevalue", True),
            _notes,
            is_whole=True,
        ),
    ),
)
