from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from clinragen.engine import map_shards, shard_of
from clinragen.recipe import Engine


def doubled(number: int) -> int:
    return 2 * number


def test_processes_and_this_process_give_the_same_results_in_order(tmp_path: Path) -> None:
    assert (
        map_shards(doubled, range(7), Engine(workers=2), tmp_path)
        == map_shards(doubled, range(7), Engine(workers=1), tmp_path)
        == [0, 2, 4, 6, 8, 10, 12]
    )


@given(st.integers(), st.integers(1, 100))
def test_a_subject_belongs_to_one_shard(subject_id: int, shards: int) -> None:
    assert 0 <= shard_of(subject_id, shards) < shards
