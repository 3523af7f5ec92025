"""Map a function over shards: in this process, local processes, or on a cluster. Shards are by subject."""

import os
import zlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

from clinragen.cluster import map_on_cluster
from clinragen.labels import handed_on
from clinragen.recipe_engine import Engine

Shard = TypeVar("Shard")
Result = TypeVar("Result")
Item = TypeVar("Item")


def map_shards(
    function: Callable[[Shard], Result],
    shards: Sequence[Shard],
    engine: Engine,
    folder: Path,
    done: Callable[[int], None] = lambda _: None,
) -> list[Result]:
    """Apply `function` to every shard and return results in the order of the shards.

    `folder` is what it writes to; machines of a cluster must share it. `done` is called with the number of
    finished shards. A function must write its shard to a temporary name and rename it, and leave a shard
    that is there, so that a lost worker costs one shard.
    """
    function = handed_on(function)
    if engine.kind == "ray":
        return map_on_cluster(function, shards, engine, folder, done)
    if engine.workers == 1:
        return _map_here(function, shards, done)
    with ProcessPoolExecutor(engine.workers, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(function, shard) for shard in shards]
        for count, _ in enumerate(as_completed(futures), start=1):
            done(count)
        return [future.result() for future in futures]


def _map_here(
    function: Callable[[Shard], Result], shards: Sequence[Shard], done: Callable[[int], None]
) -> list[Result]:
    results = []
    for shard in shards:
        results.append(function(shard))
        done(len(results))
    return results


def on_this_machine(engine: Engine) -> Engine:
    """The engine for what machines cannot share: local processes, no more than there are cores."""
    if engine.kind == "local":
        return engine
    return engine.model_copy(update={"kind": "local", "workers": min(engine.workers, os.cpu_count() or 1)})


def shard_of(subject_id: int, shards: int) -> int:
    """The shard a subject belongs to: stable when subjects are added, the same on every machine."""
    return zlib.crc32(str(subject_id).encode()) % shards


def chunks(items: Iterable[Item], size: int) -> list[list[Item]]:
    """Cut a sequence into lists of at most `size`."""
    whole = list(items)
    return [whole[start : start + size] for start in range(0, len(whole), size)]
