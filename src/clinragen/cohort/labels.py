"""What a stay was coded with: its labels, whenever the codes were written."""

import polars as pl

from clinragen.clinical.icd import System, grouping, labels_of
from clinragen.cohort.tally import Tally
from clinragen.cohort.windows import belonging
from clinragen.recipe import Cohort

_SYSTEMS: dict[str, System] = {"ICD9": "icd9", "ICD10": "icd10"}


def diagnoses_of(events: pl.DataFrame, found: pl.DataFrame, cohort: Cohort) -> tuple[pl.DataFrame, Tally]:
    """Columns `diagnoses` and `era` (the systems of its codes) for each stay, and how codes were understood.

    Null where the stay has no code that a table knows: then the labels are unknown, not absent. Codes are
    the label, so they count whenever they were written; a code without any id must lie within the stay.
    The two quirks of the MIMIC-III benchmark: only codes with a title count at all (`titled_codes_only`), and
    only codes the table lists have a label, while any code makes labels known (`listed_codes_only`).
    """
    coded = events.filter(pl.col("code").str.contains(r"^ICD(?:9|10)//"))
    if cohort.titled_codes_only:
        coded = coded.filter(pl.col("text_value").is_not_null())
    understood = coded.join(_understood(coded), on="code", how="left")
    within = pl.col("time").is_between("admitted", "end").fill_null(False)
    tied = belonging(understood, found).filter(pl.col("is_named") | within)
    if cohort.listed_codes_only:
        known = tied.with_columns(label=pl.when(pl.col("origin") == "listed").then("label"))
    else:
        known = tied.filter(pl.col("origin") != "unknown")
    labels = known.group_by("stay_id").agg(
        diagnoses=pl.col("label").drop_nulls().unique().sort(),
        era=pl.col("code").str.extract(r"^ICD(\d+)").str.zfill(2).unique().sort().str.strip_chars_start("0"),
    )
    told = labels.with_columns(era="ICD-" + pl.col("era").list.join(" and ICD-"))
    return found.join(told, on="stay_id", how="left"), _origins(tied)


def _understood(coded: pl.DataFrame) -> pl.DataFrame:
    """Each distinct code once: its label, if it has one, and how its group is known."""
    rows = []
    for code in coded["code"].unique().sort():
        name, _, plain = code.partition("//")
        system = _SYSTEMS[name]
        label = next(iter(labels_of([(system, plain)])), None)
        rows.append({"code": code, "label": label, "origin": grouping(system, plain).origin})
    return pl.DataFrame(rows, schema={"code": pl.String, "label": pl.String, "origin": pl.String})


def _origins(tied: pl.DataFrame) -> Tally:
    counts = tied.group_by("origin").len().sort("origin")
    return {f"code {origin}": count for origin, count in counts.iter_rows()}
