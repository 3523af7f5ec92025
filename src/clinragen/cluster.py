"""Work on a Ray cluster: one of its own on this machine, or the one that a recipe names.

Records and results never pass through Ray: workers read and write the folder of the run, which every
machine sees under the same path. A shard whose machine is lost is done again on another one.
"""

import logging
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from clinragen import __version__
from clinragen.errors import ClinragenError, EngineError
from clinragen.recipe_engine import Engine

Shard = TypeVar("Shard")
Result = TypeVar("Result")

TRIES = 3
"""How many more times a shard, or a loaded model, is started where its worker or its machine was lost."""

STORE = 100_000_000
"""Bytes of shared memory of a cluster of our own: jobs and counts are small, records stay in files."""

PATIENCE = 10.0
"""Seconds to wait for the head of a cluster to answer."""

MARK = ".cluster"

_NO_CODE = ("failed to import on the worker", "No module named")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the run stands: a worker must see the same mark in the same folder, and be the same version."""

    here: Path
    folder: Path
    mark: str
    version: str


def map_on_cluster(
    function: Callable[[Shard], Result],
    shards: Sequence[Shard],
    engine: Engine,
    folder: Path,
    done: Callable[[int], None],
) -> list[Result]:
    """The result of every shard, in their order; at most `engine.workers` are under way at once.

    All shards are tried before the fault of the first that failed is raised, as itself; what has worked
    stays. Raises EngineError where the cluster cannot be used, or does not see `folder`.
    """
    with connected(engine) as ray, _marked(folder) as place:
        start = ray.remote(num_cpus=1, max_retries=TRIES, scheduling_strategy="SPREAD")(do_shard).remote
        left, waiting, ended = iter(enumerate(shards)), dict[Any, int](), dict[int, Any]()
        while len(ended) < len(shards):
            for index, shard in islice(left, engine.workers - len(waiting)):
                waiting[start(function, shard, place)] = index
            (first,), _ = ray.wait(list(waiting))
            ended[waiting.pop(first)] = first
            done(len(ended))
        with own_faults(ray):
            return [ray.get(ended[index]) for index in range(len(shards))]


def do_shard(function: Callable[[Shard], Result], shard: Shard, place: Place) -> Result:
    """On a worker: stand where the run stands, so that its paths mean the same, and do one shard."""
    _check(place)
    try:
        return function(shard)
    except FileNotFoundError as missing:
        raise EngineError(
            f"a worker on {socket.gethostname()} does not see a file that it needs",
            found=str(missing),
            fix="put the records, too, where every machine of the cluster sees them, under the same path",
        ) from None


@contextmanager
def connected(engine: Engine) -> Iterator[Any]:
    """Ray, connected to the cluster of the recipe until the block ends; a cluster of our own ends with it.

    A connection that is already there is used and stays. Raises EngineError where Ray is not installed or
    the cluster does not answer.
    """
    ray = _ray()
    if ray.is_initialized():
        yield ray
        return
    ours = {"num_cpus": engine.workers, "object_store_memory": STORE, "include_dashboard": False}
    settings = {} if engine.address else ours
    try:
        _knock(engine.address)
        ray.init(engine.address or "local", log_to_driver=False, configure_logging=False, **settings)
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as fault:
        raise _unreachable(engine, fault) from None
    try:
        yield ray
    finally:
        ray.shutdown()


def _ray() -> Any:
    """The module, quiet: no statistics of use are sent, and of its log only what ends a run is told."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
    except ImportError:
        raise EngineError(
            "Ray is not installed",
            expected='the extra [ray] for engine.kind = "ray"',
            fix="pip install 'clinragen[ray]', or set engine.kind = \"local\"",
        ) from None
    logging.getLogger("ray").setLevel(logging.CRITICAL)
    return ray


def _knock(address: str) -> None:
    """Raise OSError where nothing listens; Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    if host:
        socket.create_connection((host, int(port)), timeout=PATIENCE).close()


def _unreachable(engine: Engine, fault: Exception) -> EngineError:
    return EngineError(
        f"no Ray cluster answers at {engine.address or 'this machine'}",
        expected="a cluster this machine is part of, with the same Ray, Python, RAY_AUTH_MODE and token",
        found=_first_line(fault),
        fix='set engine.address to host:port of its head, to "auto", or to "" for a cluster of its own here',
    )


@contextmanager
def _marked(folder: Path) -> Iterator[Place]:
    """A mark in the folder for as long as workers work there; a killed run leaves it to the next one."""
    path, mark = folder / MARK, uuid4().hex
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(mark, encoding="utf-8")
    try:
        yield Place(Path.cwd(), folder, mark, __version__)
    finally:
        path.unlink(missing_ok=True)


def _check(place: Place) -> None:
    machine = socket.gethostname()
    if place.version != __version__:
        raise EngineError(
            f"a worker on {machine} is of another version",
            expected=f"clinragen {place.version}, as on the machine of the run",
            found=f"clinragen {__version__}",
            fix="install the same version on every machine, and restart Ray there",
        )
    if _mark_seen(place) != place.mark:
        raise EngineError(
            f"a worker on {machine} does not see the folder of the run",
            expected=f"the run's own {place.here / place.folder}, under the same path on every machine",
            found="no such folder there, or another one of that name",
            fix="start from a folder that all machines of the cluster share, with `runs` in it",
        )


def _mark_seen(place: Place) -> str:
    try:
        os.chdir(place.here)
        return (place.folder / MARK).read_text(encoding="utf-8")
    except OSError:
        return ""


@contextmanager
def own_faults(ray: Any) -> Iterator[None]:
    """Raise a worker's fault as itself, and a lost worker as what can be done about it."""
    try:
        yield
    except ray.exceptions.RayTaskError as fault:
        if isinstance(fault.cause, ClinragenError):
            raise fault.cause from None
        if any(words in str(fault.cause) for words in _NO_CODE):
            raise _without_code(fault) from None
        raise fault.cause from fault
    except ray.exceptions.RayError as fault:
        raise EngineError(
            f"a worker was lost, {1 + TRIES} times at the same work",
            found=_first_line(fault),
            fix="see that no machine runs out of memory (more source.shards make each smaller); run again",
        ) from None


def _without_code(fault: Exception) -> EngineError:
    return EngineError(
        "a worker lacks clinragen or a package that it needs",
        found=str(fault).strip().splitlines()[-1][:200],
        fix="install clinragen and its packages, in the same versions, on every machine of the cluster",
    )


def _first_line(fault: Exception) -> str:
    return f"{type(fault).__name__}: {str(fault).strip().partition(chr(10))[0]}"
