"""Raw tables of invented patients, three ICU stays for each source, in the layout of that source.

Every source has a creatinine of 1.4 mg/dL, a heart rate or pressure, a coded kidney failure and a drug.
"""

from pathlib import Path

import polars as pl
from fhir_miniature import write_fhir

from clinragen.ehr.mimic4_export import export_mimic4
from clinragen.ehr.synthetic import simulate

MIMIC3 = {
    "PATIENTS": """
        ROW_ID,SUBJECT_ID,GENDER,DOB
        1,7,F,2060-03-01 00:00:00
        2,8,M,1830-01-01 00:00:00""",
    "ADMISSIONS": """
        SUBJECT_ID,HADM_ID,ADMITTIME,DISCHTIME,DIAGNOSIS
        7,70,2130-01-01 06:00:00,2130-01-09 12:00:00,SHORTNESS OF BREATH
        8,80,2131-05-01 01:00:00,2131-05-20 12:00:00,""",
    "ICUSTAYS": """
        SUBJECT_ID,HADM_ID,ICUSTAY_ID,FIRST_CAREUNIT,LAST_CAREUNIT,FIRST_WARDID,LAST_WARDID,INTIME,OUTTIME
        7,70,700,MICU,MICU,52,52,2130-01-01 08:00:00,2130-01-03 08:00:00
        7,70,701,MICU,SICU,52,33,2130-01-05 08:00:00,2130-01-07 08:00:00
        8,80,800,CCU,CCU,,7,2131-05-01 02:00:00,2131-05-04 02:00:00""",
    "DIAGNOSES_ICD": """
        SUBJECT_ID,HADM_ID,SEQ_NUM,ICD9_CODE
        7,70,1,5849
        7,70,2,0389
        8,80,1,V5867
        8,80,2,""",
    "LABEVENTS": """
        SUBJECT_ID,HADM_ID,ITEMID,CHARTTIME,VALUE,VALUENUM,VALUEUOM
        7,70,50912,2130-01-01 09:00:00,1.4,1.4,mg/dL
        7,70,51003,2130-01-01 09:00:00,<0.01,,ng/mL
        7,70,51237,2130-01-01 09:00:00,1.1,1.1,
        7,70,50971,2130-01-01 09:00:00,HEMOLYZED,,mEq/L
        7,70,50963,2130-01-01 09:00:00,900,900,pg/mL
        8,,50912,,2.0,2.0,mg/dL
        8,80,50800,2131-05-01 03:00:00,ART,,
        8,80,50821,2131-05-01 03:00:00,88,88,mm Hg
        8,80,50800,2131-05-02 03:00:00,VEN,,
        8,80,50821,2131-05-02 03:00:00,41,41,mm Hg
        8,80,50821,2131-05-03 03:00:00,90,90,mm Hg
        8,80,51082,2131-05-01 03:00:00,60,60,mg/dL""",
    "CHARTEVENTS": """
        SUBJECT_ID,HADM_ID,ICUSTAY_ID,ITEMID,CHARTTIME,VALUE,VALUENUM,VALUEUOM,ERROR
        7,70,700,220045,2130-01-01 08:30:00,101,101,bpm,0
        7,70,700,220045,2130-01-01 09:30:00,999,999,bpm,1
        7,70,701,223761,2130-01-05 09:30:00,98.6,98.6,?F,
        8,80,800,211,2131-05-01 03:00:00,,,BPM,
        x8,80,800,211,2131-05-01 04:00:00,80,80,BPM,
        8,80,800,220048,2131-05-01 04:00:00,SR (Sinus Rhythm),,,0
        8,80,800,220048,2131-05-01 05:00:00,SR (Sinus Rhythm),,,0""",
    "PRESCRIPTIONS": """
        SUBJECT_ID,HADM_ID,ICUSTAY_ID,STARTDATE,DRUG_TYPE,DRUG
        7,70,700,2130-01-01 00:00:00,MAIN,Furosemide
        7,70,700,2130-01-01 00:00:00,BASE,D5W""",
    "PROCEDUREEVENTS_MV": """
        SUBJECT_ID,HADM_ID,ICUSTAY_ID,STARTTIME,ITEMID,ORDERCATEGORYNAME,STATUSDESCRIPTION
        7,70,700,2130-01-01 10:00:00,225459,Imaging,FinishedRunning
        7,70,700,2130-01-01 10:00:00,224275,Peripheral Lines,FinishedRunning""",
    "NOTEEVENTS": """
        SUBJECT_ID,HADM_ID,CHARTDATE,CHARTTIME,CATEGORY,ISERROR,TEXT
        7,70,2130-01-01,2130-01-01 11:00:00,Physician ,,"Short of breath,
        two days."
        7,70,2130-01-09,,Discharge summary,,Went home.""",
    "D_ICD_DIAGNOSES": """
        ICD9_CODE,SHORT_TITLE,LONG_TITLE
        5849,Acute kidney failure NOS,"Acute kidney failure, unspecified\"""",
    "D_ITEMS": """
        ITEMID,LABEL
        225459,Chest X-Ray
        224275,20 Gauge""",
}

EICU = {
    "patient": """
        patientunitstayid,patienthealthsystemstayid,gender,age,hospitaladmitoffset,hospitaldischargeyear,hospitaldischargeoffset,unitdischargeoffset,unitvisitnumber,uniquepid
        11,1,Female,71,-60,2014,6000,3000,1,001-7
        12,1,Female,71,-4380,2014,1680,600,2,001-7
        21,2,Male,> 89,-30,2015,9000,2880,1,001-8""",
    "lab": """
        patientunitstayid,labresultoffset,labname,labresult,labresulttext,labmeasurenamesystem,labmeasurenameinterface
        11,30,creatinine,1.4,1.4,mg/dL,MG/DL
        11,-45,pH,7.31,7.31,,
        21,15,troponin - I,,<0.02,ng/mL,ng/mL
        21,15,paO2,,88,mm Hg,mmHg
        21,15,Hct,31,31,%,%
        99,15,BUN,20,20,mg/dL,mg/dL""",
    "diagnosis": """
        patientunitstayid,diagnosisoffset,icd9code
        11,120,"584.9, N17.9"
        12,60,"V62.84, E980.2, E87.5"
        21,60,
        21,90,31.1""",
    "vitalAperiodic": """
        patientunitstayid,observationoffset,noninvasivesystolic,noninvasivediastolic,noninvasivemean
        11,10,120,70,87
        12,10,,,66""",
    "nurseCharting": """
        patientunitstayid,nursingchartoffset,nursingchartcelltypevalname,nursingchartvalue
        11,12,Heart Rate,101
        11,12,Temperature (C),37
        11,12,GCS Total,15""",
    "medication": """
        patientunitstayid,drugorderoffset,drugstartoffset,drugordercancelled,drugname
        11,40,-10,No,FUROSEMIDE
        11,40,50,Yes,HEPARIN
        11,40,50,No,""",
    "treatment": """
        patientunitstayid,treatmentoffset,treatmentstring
        11,100,renal|dialysis|hemodialysis|for acute renal failure
        11,101,pulmonary|ventilation and oxygenation|mechanical ventilation""",
    "admissionDx": """
        patientunitstayid,admitdxenteredoffset,admitdxpath,admitdxname
        11,20,admission diagnosis|Was the patient admitted from the O.R.?|No,No
        11,20,"admission diagnosis|All Diagnosis|Cardiovascular|Sepsis, pulmonary","Sepsis, pulmonary\"""",
    "pastHistory": """
        patientunitstayid,pasthistoryoffset,pasthistorypath,pasthistoryvalue
        11,5,notes/Progress Notes/Past History/Past History Obtain Options/Performed,Performed
        11,5,notes/Progress Notes/Past History/Organ Systems/Pulmonary/Asthma/asthma,asthma""",
    "physicalExam": """
        patientunitstayid,physicalexamoffset,physicalexampath,physicalexamvalue
        11,5,notes/Progress Notes/Physical Exam/Physical Exam/Cardiovascular/Pulses/Normal/normal,normal
        11,5,notes/Progress Notes/Physical Exam/Physical Exam/Neurologic/GCS/Motor Score/6,6""",
    "note": """
        patientunitstayid,noteoffset,notetype,notepath,notevalue
        11,5,Admission,notes/Progress Notes/Family History/Family History/CAD/CAD,CAD
        11,5,Admission,notes/Progress Notes/Social History/Social History/Ethanol Use/none,none
        11,5,Admission,notes/Shared/View and Save/Save Options/Print/Copies/Copies,Copies""",
}


OWN = {
    "stays": """
        stay_id,subject_id,hadm_id,admitted,start,end,discharged,sex,birth_date,age
        700,7,70,2130-01-01 06:00:00,2130-01-01 08:00:00,2130-01-03 08:00:00,2130-01-09 12:00:00,F,2060-03-01,
        701,7,70,2130-01-01 06:00:00,2130-01-05 08:00:00,2130-01-07 08:00:00,2130-01-09 12:00:00,F,2060-03-01,
        800,8,,,2131-05-01 02:00:00,2131-05-04 02:00:00,,male,,71""",
    "measurements": """
        subject_id,stay_id,time,code,value,unit,low,high
        7,700,2130-01-01 09:00:00,creatinine,1.4,mg/dL,0.5,1.1
        7,700,2130-01-01 09:00,2160-0,124,umol/L,,
        7,700,2130-01-01 10:00:00,heart rate,101,bpm,,
        7,700,2130-01-01 10:00:00,troponin,<0.01,ng/mL,,
        8,800,2131-05-01 03:00:00,potassium,high,mmol/L,,
        8,800,2131-05-01 03:00:00,mood,7,points,,""",
    "diagnoses": """
        subject_id,hadm_id,stay_id,system,code
        7,70,,ICD9,584.9
        8,,800,ICD-10-CM,N17.9
        8,,800,ICD10,A41.9
        8,,800,SNOMED,1""",
    "notes": """
        subject_id,stay_id,time,kind,text
        7,700,2130-01-01 11:00:00,Admission,"Short of breath,
        two days."
        8,800,2131-05-01,,Found at home.""",
    "facts": """
        subject_id,stay_id,time,kind,name
        7,700,2130-01-01 12:00:00,drug,Furosemide
        7,700,2130-01-01 12:00:00,reason,Shortness of breath
        7,700,2130-01-01 12:00:00,omen,Owl""",
}


OMOP = {
    "concept": """
        concept_id,concept_name,vocabulary_id,concept_code
        3016723,Creatinine [Mass/volume] in Serum or Plasma,LOINC,2160-0
        3027018,Heart rate,LOINC,8867-4
        3000963,Something of urine,LOINC,11111-1
        8840,milligram per deciliter,UCUM,mg/dL
        8541,per minute,UCUM,/min
        35206882,Acute kidney failure,ICD10CM,N17.9
        44833166,Acute kidney failure,ICD9CM,584.9
        197320,Acute kidney injury,SNOMED,14669001
        956874,furosemide,RxNorm,4603""",
    "person": """
        person_id,gender_concept_id,year_of_birth,month_of_birth,day_of_birth
        7,8532,2060,3,1
        8,8507,2061,,""",
    "visit_occurrence": """
        visit_occurrence_id,person_id,visit_concept_id,visit_start_date,visit_start_datetime,visit_end_date,visit_end_datetime
        70,7,262,2130-01-01,2130-01-01 06:00:00,2130-01-09,2130-01-09 12:00:00
        71,7,9202,2130-03-01,2130-03-01 06:00:00,2130-03-01,2130-03-01 12:00:00
        80,8,32037,2131-05-01,,2131-05-04,""",
    "visit_detail": """
        visit_detail_id,visit_occurrence_id,person_id,visit_detail_concept_id,visit_detail_start_date,visit_detail_start_datetime,visit_detail_end_date,visit_detail_end_datetime
        700,70,7,32037,2130-01-01,2130-01-01 08:00:00,2130-01-03,2130-01-03 08:00:00
        701,70,7,32037,2130-01-05,2130-01-05 08:00:00,2130-01-07,2130-01-07 08:00:00
        702,70,7,9201,2130-01-03,2130-01-03 08:00:00,2130-01-05,2130-01-05 08:00:00""",
    "measurement": """
        person_id,measurement_concept_id,measurement_date,measurement_datetime,value_as_number,operator_concept_id,unit_concept_id,unit_source_value,range_low,range_high,visit_occurrence_id,visit_detail_id,measurement_source_value
        7,3016723,2130-01-01,2130-01-01 09:00:00,1.4,,8840,,0.5,1.1,70,700,KREA
        7,3016723,2130-01-01,2130-01-01 10:00:00,0.2,4171756,8840,,,,70,700,KREA
        7,3027018,2130-01-01,,101,4172703,8541,,,,70,700,HF
        7,3000963,2130-01-01,2130-01-01 09:00:00,5,,8840,,,,70,700,UKREA
        8,3016723,2131-05-01,2131-05-01 09:00:00,,,,mg/dL,,,80,,KREA
        8,3016723,2131-05-01,2131-05-01 09:00:00,2.1,,,mg/dL,,,80,,KREA""",
    "condition_occurrence": """
        person_id,condition_concept_id,condition_start_date,condition_source_value,condition_source_concept_id,visit_occurrence_id
        7,197320,2130-01-02,N17.9,35206882,70
        7,44833166,2130-01-02,,0,70
        8,197320,2131-05-02,,0,80
        8,197320,2131-05-02,,35206882,80""",
    "note": """
        person_id,note_date,note_datetime,note_title,note_text,visit_occurrence_id
        7,2130-01-01,2130-01-01 11:00:00,Admission note,"Short of breath,
        two days.",70""",
    "drug_exposure": """
        person_id,drug_concept_id,drug_exposure_start_date,visit_occurrence_id
        7,956874,2130-01-01,70
        7,0,2130-01-01,70""",
}


def write_omop(folder: Path) -> Path:
    return write_tables(OMOP, folder)


def write_own(folder: Path) -> Path:
    return write_tables(OWN, folder)


def write_meds(folder: Path) -> Path:
    """What our own reading of the MIMIC-III miniature is, as a data set for others to read."""
    rows = [
        (subject, time, code, value, unit)
        for subject, day in ((7, "2130-01-01"), (8, "2131-05-01"), (9, "2132-06-01"))
        for time, code, value, unit in (
            (f"{day} 06:00:00", "HOSPITAL_ADMISSION//EMERGENCY", None, None),
            (f"{day} 08:00:00", "ICU_ADMISSION//MICU", None, None),
            (f"{day} 09:00:00", "LAB//50912//mg/dL", 1.4, None),
            (f"{day} 09:00:00", "LOINC/8867-4", 101.0, "/min"),
            (f"{day} 10:00:00", "LAB//51082//mg/dL", 60.0, None),
            (f"{day} 11:00:00", "MEDICATION//Furosemide", None, None),
            (f"{day} 20:00:00", "ICU_DISCHARGE//MICU", None, None),
            (f"{day} 22:00:00", "DIAGNOSIS//ICD//9//584.9", None, None),
            (f"{day} 22:00:00", "HOSPITAL_DISCHARGE//HOME", None, None),
        )
    ]
    names = ["subject_id", "time", "code", "numeric_value", "unit"]
    table = pl.DataFrame(rows, schema=names, orient="row", infer_schema_length=None).with_columns(
        pl.col("time").str.to_datetime(time_unit="us"), pl.col("numeric_value").cast(pl.Float32)
    )
    (folder / "data").mkdir(parents=True)
    table.write_parquet(folder / "data" / "0.parquet")
    return folder


def write_tables(tables: dict[str, str], folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in tables.items():
        lines = [line.removeprefix(" " * 8) for line in text.strip("\n").split("\n")]
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def write_mimic3(folder: Path) -> Path:
    return write_tables(MIMIC3, folder)


def write_eicu(folder: Path) -> Path:
    return write_tables(EICU, folder)


def write_mimic4(folder: Path) -> Path:
    """Three simulated stays, exported."""
    export_mimic4(simulate(3, seed=5), folder)
    return folder


def write_nothing(folder: Path) -> Path:
    return folder


MINIATURES = {
    "synthetic": write_nothing,
    "mimic3": write_mimic3,
    "mimic4": write_mimic4,
    "eicu": write_eicu,
    "fhir": write_fhir,
    "meds": write_meds,
    "omop": write_omop,
    "tables": write_own,
}
