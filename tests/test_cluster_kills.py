"""Machines and runs are killed in the middle of real work: the files are those of a run left alone."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from clinragen.store import MANIFEST

pytestmark = pytest.mark.slow

SHARDS = 16
HOSPITAL = f"""
name = "run"
[source]
stays = 1200
shards = {SHARDS}
"""
STORE = {"num_cpus": 1, "object_store_memory": 100_000_000}
AGENTS = {"ray::DashboardAgent", "ray::RuntimeEnvAgent"}
"""What Ray leaves for a minute after a kill; they tell of the kill, and touch no shard."""
WRITTEN = {"ingest": "ingest/data", "cohort": "cohort/stays"}


def start(step: str, runs: Path, *overrides: str) -> subprocess.Popen[str]:
    recipe = runs.parent / "hospital.toml"
    recipe.write_text(HOSPITAL)
    command = [sys.executable, "-m", "clinragen", step, str(recipe), f"runs={runs}", *overrides]
    return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def finish(process: subprocess.Popen[str]) -> str:
    said, _ = process.communicate(timeout=200)
    assert process.returncode == 0, said
    return said


def shards_of(step: str, runs: Path) -> dict[str, tuple[int, int]]:
    """Each shard that is there, with what tells whether it was written again."""
    found = sorted((runs / "run" / WRITTEN[step]).glob("*.parquet"))
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in found}


def in_the_middle(
    step: str, runs: Path, process: subprocess.Popen[str], at_work: Callable[[], bool] = lambda: True
) -> None:
    """Wait until a quarter of the shards is there, and who is to be killed is at work."""
    while len(shards_of(step, runs)) < SHARDS // 4 or not at_work():
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.005)


def does_a_shard(node: Any) -> bool:
    """Whether a worker of this node is at a shard; Ray names a process after what it does."""
    raylet = psutil.Process(node.all_processes["raylet"][0].process.pid)
    return any("do_shard" in " ".join(worker.cmdline()) for worker in raylet.children())


def files(runs: Path) -> dict[str, bytes]:
    """Every file of a run, hidden ones too, save the manifests, which tell how long it took."""
    return {
        str(path.relative_to(runs)): path.read_bytes()
        for path in sorted(runs.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of ingest and cohort in one process."""
    runs = tmp_path_factory.mktemp("alone") / "runs"
    for step in WRITTEN:
        finish(start(step, runs, "engine.workers=1"))
    return files(runs)


@pytest.fixture
def two_nodes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    cluster = Cluster(initialize_head=True, head_node_args=STORE)
    try:
        yield cluster
    finally:
        cluster.shutdown()


def test_a_node_killed_in_the_middle_changes_no_byte(
    two_nodes: Any, alone: dict[str, bytes], tmp_path: Path
) -> None:
    for step in WRITTEN:
        node = two_nodes.add_node(**STORE)
        process = start(step, tmp_path / "runs", 'engine.kind="ray"', f"engine.address={two_nodes.address}")
        in_the_middle(step, tmp_path / "runs", process, partial(does_a_shard, node))
        two_nodes.remove_node(node, allow_graceful=False)
        assert 0 < len(shards_of(step, tmp_path / "runs")) < SHARDS
        finish(process)
    assert files(tmp_path / "runs") == alone


def test_a_run_killed_in_the_middle_goes_on_with_the_shards_that_are_missing(
    alone: dict[str, bytes], tmp_path: Path
) -> None:
    pytest.importorskip("ray")
    runs = tmp_path / "runs"
    for step in WRITTEN:
        process = start(step, runs, 'engine.kind="ray"')
        in_the_middle(step, runs, process)
        others = psutil.Process(process.pid).children(recursive=True)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        _, alive = psutil.wait_procs(others, timeout=10)
        assert {process.name() for process in alive} <= AGENTS, "workers outlive their run"
        there = shards_of(step, runs)
        assert 0 < len(there) < SHARDS
        finish(start(step, runs, 'engine.kind="ray"'))
        assert there.items() <= shards_of(step, runs).items()
    assert files(runs) == alone
