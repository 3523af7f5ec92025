"""What a stay was coded with: its labels, whenever the codes were written."""

import polars as pl

from clinragen.clinical.diagnoses import diagnoses
from clinragen.clinical.icd import System, grouping, labels_of, labels_of_event
from clinragen.cohort.tally import Tally
from clinragen.cohort.windows import belonging
from clinragen.recipe import Cohort

_SYSTEMS: dict[str, System] = {"ICD9": "icd9", "ICD10": "icd10"}
_UNDERSTOOD = {"code": pl.String(), "labels": pl.List(pl.String), "origin": pl.String()}
OWN = "of a label's own"
NO_ERA = "no ICD code"


def diagnoses_of(events: pl.DataFrame, found: pl.DataFrame, cohort: Cohort) -> tuple[pl.DataFrame, Tally]:
    """Columns `diagnoses` and `era` (the systems of its codes) for each stay, and how codes were understood.

    Null where the stay has no code that a table or a label knows: then the labels are unknown, not absent;
    labels that are all told by event codes are known of every stay. Codes are the label, so they count
    whenever they were written; a code without any id must lie within the stay. The two quirks of the
    MIMIC-III benchmark: only codes with a title count at all (`titled_codes_only`), and only codes the table
    lists have a label, while any code makes labels known (`listed_codes_only`).
    """
    coded = events.join(_understood(events["code"].unique()), on="code", how="inner")
    if cohort.titled_codes_only:
        coded = coded.filter(pl.col("text_value").is_not_null())
    within = pl.col("time").is_between("admitted", "end").fill_null(False)
    tied = belonging(coded, found).filter(pl.col("is_named") | within)
    if cohort.listed_codes_only:
        known = tied.with_columns(labels=pl.when(pl.col("origin") == "listed").then("labels"))
    else:
        known = tied.filter(pl.col("origin") != "unknown")
    told = _of_stays(known)
    return found.join(told, on="stay_id", how="left").with_columns(_where_nothing_is_told()), _origins(tied)


def _of_stays(known: pl.DataFrame) -> pl.DataFrame:
    """The labels and the era of each stay that has codes; "of no ICD code" where events alone told."""
    eras = pl.col("code").str.extract(r"^ICD(\d+)").drop_nulls()
    labels = known.group_by("stay_id").agg(
        diagnoses=pl.col("labels").explode().drop_nulls().unique().sort(),
        era=eras.str.zfill(2).unique().sort().str.strip_chars_start("0"),
    )
    named = pl.when(pl.col("era").list.len() > 0).then("ICD-" + pl.col("era").list.join(" and ICD-"))
    return labels.with_columns(era=named)


def _understood(codes: pl.Series) -> pl.DataFrame:
    """Each ICD code, and each event code that means a label: its labels, and how its meaning is known."""
    rows = []
    for code in codes.drop_nulls().sort():
        name, _, plain = code.partition("//")
        if system := _SYSTEMS.get(name):
            labels, origin = sorted(labels_of([(system, plain)])), str(grouping(system, plain).origin)
            rows.append((code, labels, OWN if labels and origin == "unknown" else origin))
        elif labels := sorted(labels_of_event(code)):
            rows.append((code, labels, OWN))
    return pl.DataFrame(rows, schema=_UNDERSTOOD, orient="row")


def _where_nothing_is_told() -> list[pl.Expr]:
    """No label for a stay without codes if events tell all labels; its era where it has no ICD code."""
    by_events = not any(label.ccs or label.icd9 or label.icd10 for label in diagnoses())
    no_label = [pl.col("diagnoses").fill_null([])] if by_events else []
    return [*no_label, pl.col("era").fill_null(NO_ERA)]


def _origins(tied: pl.DataFrame) -> Tally:
    counts = tied.group_by("origin").len().sort("origin")
    return {f"code {origin}": count for origin, count in counts.iter_rows()}
