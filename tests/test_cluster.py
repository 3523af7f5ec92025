"""Work on a cluster: the same results as in this process, and faults that say what to do."""

import importlib
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from clinragen import __version__
from clinragen.cluster import MARK, Place, connected, do_shard
from clinragen.engine import map_shards, on_this_machine
from clinragen.errors import EngineError, SourceError
from clinragen.recipe import Engine

ON_RAY = Engine(kind="ray", workers=2)
HERE = Engine(workers=1)


def doubled(number: int) -> int:
    return 2 * number


def odd_refused(number: int) -> int:
    if number % 2:
        raise SourceError(f"shard {number} is odd", fix="leave it out")
    return number


@dataclass(frozen=True)
class Deadly:
    """A shard that kills its worker as long as fewer than `times` workers died of it."""

    folder: Path
    times: int


def killing(shard: Deadly) -> int:
    deaths = len(list(shard.folder.glob("death-*")))
    if deaths < shard.times:
        (shard.folder / f"death-{deaths}").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return deaths


def torch_is_there(_: int) -> bool:
    import clinragen.cohort.shard
    import clinragen.ehr.sources  # noqa: F401

    return "torch" in sys.modules


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / MARK).write_text("a mark")
    return Place(Path.cwd(), tmp_path, "a mark", __version__)


def test_a_worker_that_sees_the_folder_of_the_run_does_its_shard(place: Place) -> None:
    assert do_shard(doubled, 4, place) == 8


def test_a_worker_without_the_folder_or_with_another_of_that_name_says_so(place: Place) -> None:
    for unseen in (
        replace(place, folder=place.folder / "elsewhere"),
        replace(place, here=place.folder / "elsewhere"),
        replace(place, mark="of another machine"),
    ):
        with pytest.raises(EngineError, match="does not see the folder of the run"):
            do_shard(doubled, 4, unseen)


def test_a_worker_of_another_version_is_refused(place: Place) -> None:
    with pytest.raises(EngineError, match=r"expected: clinragen 0\.0\.9"):
        do_shard(doubled, 4, replace(place, version="0.0.9"))


def test_a_file_that_only_the_run_sees_is_named(place: Place) -> None:
    with pytest.raises(EngineError, match=r"does not see a file.*\n.*LABEVENTS\.csv"):
        do_shard(lambda _: (place.folder / "LABEVENTS.csv").read_text(), 4, place)


def test_without_ray_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(EngineError, match=r"clinragen\[ray\]"):
        map_shards(doubled, range(7), ON_RAY, tmp_path)


def test_an_address_where_nothing_listens_is_told_at_once(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    with pytest.raises(EngineError, match="no Ray cluster answers at localhost:1\n"):
        map_shards(doubled, range(7), Engine(kind="ray", address="localhost:1"), tmp_path)


@pytest.mark.parametrize("address", ["ray://head:10001", "head", ":6379"])
def test_an_address_is_auto_or_a_host_and_a_port(address: str) -> None:
    with pytest.raises(ValidationError, match="address"):
        Engine(address=address)


def test_what_machines_cannot_share_is_done_by_processes_of_this_one() -> None:
    kept_here = on_this_machine(Engine(kind="ray", workers=500))
    assert kept_here.kind == "local" and kept_here.workers == os.cpu_count()
    assert on_this_machine(HERE) == HERE


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """One cluster for the tests below; what they do finds it and uses it."""
    pytest.importorskip("ray")
    with connected(ON_RAY):
        yield


@pytest.mark.slow
def test_results_come_in_the_order_of_the_shards_and_progress_as_they_end(
    cluster: None, tmp_path: Path
) -> None:
    told: list[int] = []
    assert map_shards(doubled, range(7), ON_RAY, tmp_path, told.append) == [0, 2, 4, 6, 8, 10, 12]
    assert told == [1, 2, 3, 4, 5, 6, 7]
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_fault_of_ours_comes_through_as_itself_and_the_other_shards_are_done(
    cluster: None, tmp_path: Path
) -> None:
    told: list[int] = []
    with pytest.raises(SourceError) as fault:
        map_shards(odd_refused, range(7), ON_RAY, tmp_path, told.append)
    assert type(fault.value) is SourceError
    assert str(fault.value) == "shard 1 is odd\n  to do: leave it out"
    assert told[-1] == 7


@pytest.mark.slow
def test_a_lost_worker_costs_one_shard_and_one_lost_each_time_ends_the_run(
    cluster: None, tmp_path: Path
) -> None:
    once, always = Deadly(tmp_path / "once", 1), Deadly(tmp_path / "always", 100)
    for each in (once, always):
        each.folder.mkdir()
    assert map_shards(killing, [once], ON_RAY, tmp_path) == [1]
    with pytest.raises(EngineError, match="4 times at the same work"):
        map_shards(killing, [always], ON_RAY, tmp_path)
    assert len(list(always.folder.iterdir())) == 4


@pytest.mark.slow
def test_a_folder_that_workers_lose_sight_of_is_told(cluster: None, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="does not see the folder of the run"):
        map_shards(doubled, range(40), ON_RAY, tmp_path, lambda _: (tmp_path / MARK).unlink(missing_ok=True))


@pytest.mark.slow
def test_code_that_only_the_run_has_is_told(
    cluster: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "of_the_run_alone.py").write_text("def done(shard: int) -> int:\n    return shard\n")
    monkeypatch.syspath_prepend(tmp_path)
    done = importlib.import_module("of_the_run_alone").done
    with pytest.raises(EngineError, match="lacks clinragen or a package"):
        map_shards(done, [1], ON_RAY, tmp_path)


@pytest.mark.slow
def test_workers_of_ingest_and_cohort_do_not_load_torch(cluster: None, tmp_path: Path) -> None:
    assert map_shards(torch_is_there, range(4), ON_RAY, tmp_path) == [False] * 4
