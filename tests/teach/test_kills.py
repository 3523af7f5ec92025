"""A run of 500 stays, killed at 50 moments, ends as if nobody had disturbed it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_kill_minus_nine_loses_nothing_and_duplicates_nothing():
    path = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    script = ROOT / "benchmarks" / "bench_kills.py"
    ran = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}
    )
    assert ran.returncode == 0, ran.stderr
    assert "50 kills" in ran.stdout and "500 answers of 500" in ran.stdout
    assert "ledger, rationales and verdicts are those of the undisturbed run" in ran.stdout
