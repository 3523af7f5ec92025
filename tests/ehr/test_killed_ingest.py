"""An ingest that was killed at any of its writes: run again, it ends with the same bytes."""

import subprocess
import sys
from pathlib import Path

import pytest
from dying import KILLED
from ingesting import ingest
from raw_miniatures import MINIATURES
from test_stream import bytes_of

from clinragen.store import finish_step

DYING = Path(__file__).with_name("dying.py")


def killed(kind: str, raw: Path, folder: Path, last: int) -> bool:
    """Run an ingest that dies at its `last` write; False if it wrote less and ended well."""
    asked = [sys.executable, str(DYING), kind, str(raw), str(folder), str(last)]
    program = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert program.returncode in (0, KILLED), program.stderr
    return program.returncode == KILLED


def ended(kind: str, raw: Path, folder: Path) -> dict[str, str]:
    """What an ingest that is let run leaves behind, drafts of killed ones swept away as every step does."""
    ingest(kind, raw, folder)
    finish_step(folder / "ingest", {})
    return bytes_of(folder)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["mimic3", "mimic4", "tables"])
def test_killed_at_any_write_and_run_again_it_gives_the_same_bytes(kind: str, tmp_path: Path) -> None:
    raw = MINIATURES[kind](tmp_path / "raw")
    wanted = ended(kind, raw, tmp_path / "whole")
    last = 1
    while killed(kind, raw, tmp_path / f"at {last}", last):
        assert ended(kind, raw, tmp_path / f"at {last}") == wanted
        last += 3
    assert last > 10


def test_killed_again_and_again_it_gets_to_its_end(tmp_path: Path) -> None:
    """Each run gets as far as its twelfth write; tables and shards that are done are not done again."""
    raw = MINIATURES["mimic3"](tmp_path / "raw")
    runs = 1
    while killed("mimic3", raw, tmp_path / "killed", 12):
        runs += 1
        assert runs < 20
    assert runs > 2
    assert ended("mimic3", raw, tmp_path / "killed") == ended("mimic3", raw, tmp_path / "whole")
