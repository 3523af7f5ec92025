"""The ICD code of an OMOP diagnosis, where its concepts, its source or the vocabulary tell it for sure."""

import polars as pl

from clinragen.clinical.codes import SEPARATOR
from clinragen.ehr.events import icd_plain
from clinragen.ehr.omop_concepts import concepts, naming, whole_numbers
from clinragen.ehr.tables import Look, Need

MAPS_TO = Need(
    "concept_relationship",
    ("concept_id_1", "concept_id_2", "relationship_id"),
    is_optional=True,
    may=("invalid_reason",),
    only=("relationship_id", "Maps to"),
    is_plain=True,
)
"""Which standard concepts an ICD code became; a code may become several."""

_SYSTEMS = {"ICD9CM": "ICD9", "ICD10CM": "ICD10", "ICD10": "ICD10"}
_CODE = pl.concat_str(
    pl.col("vocabulary_id").replace_strict(_SYSTEMS, default=None),
    pl.lit(SEPARATOR),
    icd_plain(pl.col("concept_code")),
)


def with_icd(rows: pl.DataFrame, look: Look) -> pl.DataFrame:
    """Beside each diagnosis its `icd`, by the first of these ways that tells it; null where none does.

    The source's concept; the standard concept; what the source wrote, if only one ICD has such a code; the
    vocabulary's map, if only one code became just that standard concept.
    """
    ways = ("icd_of_source", "icd_of_standard", "icd_as_written", "icd_by_map")
    source, standard = "condition_source_concept_id", "condition_concept_id"
    told = rows.with_columns(plain=icd_plain(pl.col("condition_source_value")))
    told = told.join(_of(look, told, source, ways[0]), on=source, how="left")
    told = told.join(_of(look, told, standard, ways[1]), on=standard, how="left")
    untold = told.filter(pl.coalesce(ways[:2]).is_null())
    if untold.is_empty():
        return told.with_columns(icd=pl.coalesce(ways[:2]))
    told = told.join(_as_written(look, untold["plain"], ways[2]), on="plain", how="left")
    told = told.join(_by_map(look, untold[standard], ways[3]), on=standard, how="left")
    return told.with_columns(icd=pl.coalesce(ways))


def _of(look: Look, rows: pl.DataFrame, column: str, name: str) -> pl.DataFrame:
    """Concepts that are codes of ICD themselves."""
    found = concepts(look, rows[column])
    return found.select(pl.col("concept_id").alias(column), _CODE.alias(name)).drop_nulls()


def _as_written(look: Look, plain: pl.Series, name: str) -> pl.DataFrame:
    """Codes as the source wrote them ("N17.9"); ICD-9-CM and ICD-10-CM may both have one (V and E codes)."""
    known = look("concept").filter(pl.col("vocabulary_id").is_in(list(_SYSTEMS)))
    codes = known.select(plain=icd_plain(pl.col("concept_code")), code=_CODE)
    written = codes.join(plain.drop_nulls().unique().to_frame(), "plain", "semi")
    return _only_one(written.group_by("plain").agg(pl.col("code").unique()), "plain", name)


def _by_map(look: Look, standards: pl.Series, name: str) -> pl.DataFrame:
    """Standard concepts that just one code of an ICD became; that of ICD-10 where there is one of each."""
    valid = look(MAPS_TO.table).filter(pl.col("invalid_reason").fill_null("") == "")
    became = naming(valid, "concept_id_2", standards)
    siblings = naming(valid, "concept_id_1", became["concept_id_1"])
    became_one = pl.col("concept_id_2").n_unique().over("concept_id_1") == 1
    sole = whole_numbers(siblings.filter(became_one), "concept_id_1", "concept_id_2")
    codes = sole.join(_of(look, sole, "concept_id_1", "code"), "concept_id_1", "inner")
    systems = codes.select("code", condition_concept_id="concept_id_2", system=pl.col("code").str.head(5))
    told = systems.group_by("condition_concept_id", "system").agg(pl.col("code").unique())
    return _only_one(told.sort("system"), "condition_concept_id", name)


def _only_one(told: pl.DataFrame, key: str, name: str) -> pl.DataFrame:
    """The code of each key that has just one; of several rows the first that tells it."""
    sure = told.filter(pl.col("code").list.len() == 1)
    return sure.unique(key, keep="first", maintain_order=True).select(
        key, pl.col("code").list.first().alias(name)
    )
