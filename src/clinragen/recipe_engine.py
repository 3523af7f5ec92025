"""The section of a recipe that says where the work runs."""

from typing import Literal

from pydantic import Field

from clinragen.recipe_data import Section


class Engine(Section):
    """Where the work runs. Never changes a result."""

    kind: Literal["local", "ray"] = Field(
        "local",
        description="who does shards, and loads a local teacher: this machine's processes, or a Ray cluster",
    )
    address: str = Field(
        "",
        pattern=r"^(auto|[\w.-]+:\d+)?$",
        description="ray: the cluster to join, as host:port of its head, or auto for the one that runs here; "
        "empty: one of its own, made for each step",
    )
    workers: int = Field(
        2, ge=1, description="shards at once in ingest, cohort and teach; Ray workers of a local teacher"
    )
    device: str = Field(
        "auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$", description="where the student lives; auto: a GPU if any"
    )
    threads: int = Field(0, ge=0, description="torch threads; 0 means all cores")
    sharded: bool = Field(
        False, description="several processes: each holds a share of the language model (FSDP), not all of it"
    )
