"""Work on a cluster: the same results as in this process, and faults that say what to do."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from clinragen.cluster import MARK, Place, do_shard
from clinragen.engine import map_shards
from clinragen.errors import EngineError, SourceError
from clinragen.recipe import Engine

pytest.importorskip("ray")
RAY = Engine(kind="ray", workers=2)


def doubled(number: int) -> int:
    return 2 * number


def refused(number: int) -> int:
    if number % 2:
        raise SourceError(f"shard {number} is odd", fix="leave it out")
    return number


def has_torch(_: int) -> bool:
    import clinragen.cohort.shard
    import clinragen.ehr.sources  # noqa: F401

    return "torch" in sys.modules


def test_a_cluster_of_its_own(tmp_path: Path) -> None:
    told: list[int] = []
    print(map_shards(doubled, range(7), RAY, tmp_path, told.append), told)
    with pytest.raises(SourceError, match="shard 1 is odd"):
        map_shards(refused, range(7), RAY, tmp_path, told.append)
    print(map_shards(has_torch, range(2), RAY, tmp_path))
