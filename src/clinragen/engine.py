"""Map a function over shards: in this process, or in local processes. Shards are by subject."""

import zlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import TypeVar

Shard = TypeVar("Shard")
Result = TypeVar("Result")
Item = TypeVar("Item")


def map_shards(
    function: Callable[[Shard], Result],
    shards: Sequence[Shard],
    workers: int = 1,
    done: Callable[[int], None] = lambda _: None,
) -> list[Result]:
    """Apply `function` to every shard and return results in the order of the shards.

    `workers` of 1 stays in this process. `done` is called with the number of finished shards. A function
    must write its shard to a temporary name and rename it, so that a lost worker costs one shard.
    """
    if workers <= 1:
        results = []
        for index, shard in enumerate(shards):
            results.append(function(shard))
            done(index + 1)
        return results
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(function, shard) for shard in shards]
        for count, _ in enumerate(as_completed(futures), start=1):
            done(count)
        return [future.result() for future in futures]


def shard_of(subject_id: int, shards: int) -> int:
    """The shard a subject belongs to: stable when subjects are added, the same on every machine."""
    return zlib.crc32(str(subject_id).encode()) % shards


def chunks(items: Iterable[Item], size: int) -> list[list[Item]]:
    """Cut a sequence into lists of at most `size`."""
    whole = list(items)
    return [whole[start : start + size] for start in range(0, len(whole), size)]
