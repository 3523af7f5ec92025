"""What the concept numbers of an OMOP export mean, by the export's own table `concept`.

A vocabulary has millions of concepts, so only those that a chunk of rows names are looked up.
"""

import polars as pl
import polars.selectors as cs

from clinragen.ehr.tables import Look, Need

CONCEPT = Need("concept", ("concept_id", "concept_name", "vocabulary_id", "concept_code"), is_plain=True)
NO_CONCEPT = "0"
_AS_FLOAT = ".0"


def whole_numbers(rows: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """Ids that passed through columns of floating point ("70.0") as the whole numbers they are.

    Those of the columns named, or of all whose name ends like that of an id.
    """
    chosen = cs.by_name(columns) if columns else cs.ends_with("_id")
    return rows.with_columns(chosen.str.strip_suffix(_AS_FLOAT))


def concepts(look: Look, ids: pl.Series) -> pl.DataFrame:
    """The concepts of some ids, each once; none for the id that means that there is none."""
    found = whole_numbers(naming(look("concept"), "concept_id", ids.filter(ids != NO_CONCEPT)))
    return found.sort("concept_id", "vocabulary_id", "concept_code").unique("concept_id", keep="first")


def naming(table: pl.DataFrame, column: str, ids: pl.Series) -> pl.DataFrame:
    """The rows of a table that have one of the ids in a column, in either way of writing them."""
    whole = ids.drop_nulls().str.strip_suffix(_AS_FLOAT).unique()
    wanted = pl.DataFrame({column: pl.concat([whole, whole + _AS_FLOAT])})
    return table.join(wanted, on=column, how="semi")


def with_units(rows: pl.DataFrame, look: Look) -> pl.DataFrame:
    """Beside each row its `unit`: the UCUM code of its unit's concept, else as the source wrote it."""
    ucum = concepts(look, rows["unit_concept_id"]).filter(pl.col("vocabulary_id") == "UCUM")
    units = ucum.select(unit_concept_id="concept_id", unit="concept_code")
    told = rows.join(units, on="unit_concept_id", how="left")
    return told.with_columns(unit=pl.coalesce("unit", "unit_source_value"))
