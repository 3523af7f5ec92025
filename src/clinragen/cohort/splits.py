"""Splits by patient: a pure function of the patient and the seed, so adding patients moves nobody."""

import hashlib
from collections.abc import Mapping

from clinragen.errors import CohortError
from clinragen.schema import SPLITS, Split

_BUCKETS = 2**64


def split_of(subject_id: int, train: float, tuning: float, seed: int = 0) -> Split:
    """The split of a patient; `train` and `tuning` are shares of patients."""
    digest = hashlib.sha256(f"{seed}/{subject_id}".encode()).digest()
    place = int.from_bytes(digest[:8], "big") / _BUCKETS
    if place < train:
        return "train"
    return "tuning" if place < train + tuning else "held_out"


def check_splits(stays: Mapping[str, int]) -> None:
    """Raise where a split has no stay: nothing could be learned, chosen or reported."""
    empty = [split for split in SPLITS if not stays.get(split)]
    if empty:
        raise CohortError(
            f"no stay in {' or '.join(empty)}",
            expected="at least one patient in each of " + ", ".join(SPLITS),
            found=", ".join(f"{split} {stays.get(split, 0)}" for split in SPLITS) + " stays",
            fix="change cohort.train or cohort.tuning, take another seed, or add patients",
        )
