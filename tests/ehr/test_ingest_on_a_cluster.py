"""The step on a Ray cluster: the same counts and the same files as on this machine alone."""

from pathlib import Path

import pytest
from ingesting import silent
from raw_miniatures import write_mimic3

from clinragen.ehr.run import run
from clinragen.recipe import Engine, Recipe, Source
from clinragen.store import hash_outputs


@pytest.mark.slow
def test_raw_tables_are_cut_on_a_cluster_as_they_are_here(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    source = Source(kind="mimic3", path=str(write_mimic3(tmp_path / "raw")), shards=2)
    here, on_ray = (
        run(Recipe(name="x", source=source, engine=engine), tmp_path / engine.kind, silent)
        for engine in (Engine(workers=1), Engine(kind="ray"))
    )
    assert here == on_ray
    assert hash_outputs(tmp_path / "local") == hash_outputs(tmp_path / "ray") != {}
